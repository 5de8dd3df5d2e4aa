//! What a request would write, given what is stored: pure functions, one a verb.
//!
//! Mirrors: `pkg/registry/core/*/strategy.go` and `apiserver/pkg/registry/generic/registry/store.go`.

mod documents;
mod kinds;

use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;

use super::apply;
use super::body::object_of;
use super::keys::key;
use super::patch::patch;
use super::scale::scaled;
use super::validity;
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::request::{Payload, Request, Subresource};
use crate::api::status::{GroupResource, StatusError};
use crate::api::text;
use crate::api::wire::PodStatus;
use crate::api::{Kind, Object, ObjectMeta, Pod, Resource, ResourceType, seconds};

/// How the server treats the objects of one kind.
///
/// Mirrors: `rest.RESTCreateStrategy` and `rest.RESTUpdateStrategy` as each registry has them.
pub(super) trait Strategy: Resource {
    /// Whether `metadata.generation` counts the changes of what is wanted.
    const COUNTS_GENERATIONS: bool = false;
    /// Whether an update need not say of which version it was made.
    const UNCONDITIONAL: bool = true;

    /// Sets what a new object begins with, whatever was sent (`PrepareForCreate`).
    fn begin(&mut self, _birth: &Birth) {}

    /// Takes from `old` what a write to `part` leaves as it is (`PrepareForUpdate`).
    fn follow(&mut self, _old: &Self, _part: Option<Subresource>) {}
}

/// What the stored object becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Write {
    Put(Object),
    Delete,
    /// Nothing changes, as where a patch says what is so already.
    Keep,
}

/// Checks what was sent, before anything of it is left aside: what an admission does of an update.
pub(super) type Admit<'a> = &'a dyn Fn(&Object) -> Result<(), StatusError>;

/// What the server gives a new object.
pub(super) struct Birth {
    pub uid: Rc<str>,
    pub suffix: String,
    pub now: Timestamp,
    /// Whether it is a Pod of whose spec it is known that nothing is wrong with it.
    pub has_known_spec: bool,
}

/// The resource, as errors name it.
pub(super) fn group_resource(resource: &ResourceType) -> GroupResource<'static> {
    GroupResource::new(resource.group, resource.plural)
}

/// 400 if a new object says that it is of another namespace than its request.
pub(super) fn belongs(object: &Object, namespace: Option<&str>) -> Result<(), StatusError> {
    let given = object.meta().namespace.as_deref().filter(|given| !given.is_empty());
    if namespace.is_some() && given.is_some() && namespace != given {
        return Err(StatusError::bad_request(OTHER_NAMESPACE));
    }
    Ok(())
}

/// What a create writes of an object that came as a `spoken` kind.
///
/// # Errors
///
/// 400 or 422 in upstream's words, with every cause.
pub(super) fn create(
    object: &Object,
    namespace: Option<&str>,
    birth: &Birth,
    spoken: Kind,
) -> Result<Object, StatusError> {
    let resource = object.kind().resource();
    // What is no version is as good as none.
    let is_versioned = version_of(object).is_ok_and(|version| version != 0);
    let namespace = namespace.filter(|_| resource.namespaced);
    let object = each_object!(
        object,
        object => newborn(&**object, namespace, birth),
        document => documents::newborn(document, namespace, birth),
    );
    let object = validity::created(object, spoken, birth.has_known_spec)?;
    if is_versioned {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(StatusError::unforeseen(why));
    }
    Ok(object)
}

/// The version that an object says it is of; zero stands for none.
///
/// Mirrors: `ObjectResourceVersion` of `apiserver/pkg/storage/api_object_versioner.go`.
fn version_of(object: &Object) -> Result<u64, StatusError> {
    match object.meta().resource_version.as_deref().unwrap_or_default() {
        "" => Ok(0),
        text => text::unsigned(text).map_err(StatusError::unforeseen),
    }
}

/// `object` as it begins: named, identified, and without what only the server decides.
fn newborn<S: Strategy>(object: &S, namespace: Option<&str>, birth: &Birth) -> Object {
    let mut object = object.clone();
    identify(object.meta_mut(), namespace, birth, S::COUNTS_GENERATIONS);
    object.begin(birth);
    S::wrap(Rc::new(object))
}

/// What is said of a body of another namespace than its path.
pub(super) const OTHER_NAMESPACE: &str =
    "the namespace of the provided object does not match the namespace sent on the request";

/// So much of a prefix goes before what is generated that a label can have both.
const LONGEST_PREFIX: usize = 58;

/// Names a new object.
fn identify(meta: &mut ObjectMeta, namespace: Option<&str>, birth: &Birth, counts: bool) {
    if meta.name.as_deref().unwrap_or_default().is_empty()
        && let Some(prefix) = &meta.generate_name
    {
        let end = prefix.floor_char_boundary(LONGEST_PREFIX);
        meta.name = Some(format!("{}{}", prefix.get(..end).unwrap_or(prefix), birth.suffix).into());
    }
    meta.namespace = namespace.map(Into::into);
    meta.uid = Some(Rc::clone(&birth.uid));
    meta.creation_timestamp = Some(seconds(birth.now));
    meta.resource_version = None;
    meta.deletion_timestamp = None;
    meta.deletion_grace_period_seconds = None;
    meta.generation = counts.then_some(1);
}

/// What an update or a patch writes over `current`.
///
/// # Errors
///
/// 409 if the request was made of an older version, 400 or 422 if it asks for what cannot be.
pub(super) fn change(
    request: &Request,
    part: Option<Subresource>,
    current: &Object,
    now: Timestamp,
    admit: Admit<'_>,
) -> Result<Write, StatusError> {
    let spoken = request.target.kind().unwrap_or_else(|| current.kind());
    if part == Some(Subresource::Scale) {
        return update(part, current, &scaled(current, &request.payload)?, spoken, admit);
    }
    if apply::configuration(request).is_some() {
        return apply::change(request, part, current, now, admit);
    }
    match &request.payload {
        Payload::Binding { uid, node, sent } => {
            bind(current, uid.as_deref(), (node, Part::of(sent.as_deref())), now)
        }
        Payload::Patch(patch) => {
            let validation = request.params.field_validation;
            self::patch(patch, part, current, spoken, validation, admit)
        }
        Payload::Object(_) | Payload::Json(_) | Payload::Alike { .. } => {
            let (new, _) = object_of(spoken, &request.payload, request.params.field_validation)?;
            update(part, current, &new, spoken, admit)
        }
        Payload::None | Payload::Refused(_) | Payload::Precondition { .. } => {
            Err(StatusError::bad_request("a body is required"))
        }
    }
}

/// Checks that an object is called `name`, as its path says.
///
/// # Errors
///
/// 400 if it has another name or none.
pub(super) fn is_called(object: &Object, name: &str) -> Result<(), StatusError> {
    let why = match object.name() {
        "" => format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ),
        own if own != name => {
            format!("the name of the object ({own}) does not match the name on the URL ({name})")
        }
        _ => return Ok(()),
    };
    Err(StatusError::bad_request(why))
}

/// What an object writes that is to stand in `current`'s place, and came as a `spoken` kind.
///
/// # Errors
///
/// 400 if it has another name, 409 if it is of another object or of an older version.
pub(super) fn update(
    part: Option<Subresource>,
    current: &Object,
    new: &Object,
    spoken: Kind,
    admit: Admit<'_>,
) -> Result<Write, StatusError> {
    if !new.namespace().is_empty() && new.namespace() != current.namespace() {
        return Err(StatusError::bad_request(OTHER_NAMESPACE));
    }
    is_called(new, current.name())?;
    admit(new)?;
    let given = |text: &Option<Rc<str>>| text.clone().filter(|text| !text.is_empty());
    let unconditional = each_object!(
        current,
        current => allows_any_version(&**current),
        document => documents::allows_any_version(document.kind()),
    );
    if let Some(uid) = given(&new.meta().uid)
        && current.meta().uid.as_ref() != Some(&uid)
    {
        return Err(wrong_uid(current, &uid));
    }
    let (sent, stored) = (version_of(new)?, version_of(current)?);
    if !unconditional && sent == 0 {
        let path = Path::new("metadata").child("resourceVersion");
        let error = FieldError::invalid(&path, 0, "must be specified for an update");
        let resource = group_resource(current.kind().resource());
        return Err(StatusError::invalid(resource, current.name(), &[error]));
    }
    if sent != 0 && sent != stored {
        let resource = group_resource(current.kind().resource());
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(StatusError::conflict(resource, current.name(), why));
    }
    validity::updated(part, replace(part, current, new), current, spoken)
}

/// 409: the object is not the one that was meant.
pub(super) fn wrong_uid(current: &Object, uid: &str) -> StatusError {
    unmet(current, "UID", uid, current.meta().uid.as_deref().unwrap_or_default())
}

/// 409: of the object that was meant `what` would be as it was `wanted`.
fn unmet(current: &Object, what: &str, wanted: &str, stored: &str) -> StatusError {
    let key = key(current.kind(), current.namespace(), current.name());
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, \
         AdditionalErrorMsg: Precondition failed: {what} in precondition: {wanted}, {what} in object \
         meta: {stored}"
    );
    StatusError::conflict(group_resource(current.kind().resource()), current.name(), why)
}

fn allows_any_version<S: Strategy>(_: &S) -> bool {
    S::UNCONDITIONAL
}

fn replace(part: Option<Subresource>, current: &Object, new: &Object) -> Write {
    let next = each_object!(
        new,
        new => successor(&**new, current, part),
        document => documents::successor(document, current, part),
    );
    put(next, current)
}

/// `new` with all that an update does not change taken from `current`.
fn successor<S: Strategy>(new: &S, current: &Object, part: Option<Subresource>) -> Object {
    let mut next = new.clone();
    // The path says which kind; a body of another is refused before.
    if let Some(current) = S::unwrap(current) {
        keep_identity(next.meta_mut(), current.meta());
        next.follow(current, part);
    }
    S::wrap(Rc::new(next))
}

fn keep_identity(meta: &mut ObjectMeta, old: &ObjectMeta) {
    meta.uid.clone_from(&old.uid);
    meta.namespace.clone_from(&old.namespace);
    meta.creation_timestamp.clone_from(&old.creation_timestamp);
    meta.deletion_timestamp.clone_from(&old.deletion_timestamp);
    meta.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    meta.generation = old.generation;
    // Who does not know of owners does not take them away.
    if meta.managed_fields.is_none() {
        meta.managed_fields.clone_from(&old.managed_fields);
    }
    meta.resource_version = None;
}

/// One more generation if what is wanted has changed.
fn count(meta: &mut ObjectMeta, changed: bool) {
    meta.generation = Some(meta.generation.unwrap_or_default() + i64::from(changed));
}

pub(super) fn put(new: Object, current: &Object) -> Write {
    let (sent, version) = (new.meta().resource_version.clone(), &current.meta().resource_version);
    let new = new.with_meta(|meta| meta.resource_version.clone_from(version));
    if new == *current {
        Write::Keep
    } else {
        Write::Put(new.with_meta(|meta| meta.resource_version = sent))
    }
}

/// `pods/binding`.
fn bind(
    current: &Object,
    uid: Option<&str>,
    (node, sent): (&Rc<str>, Part<'_>),
    now: Timestamp,
) -> Result<Write, StatusError> {
    let Object::Pod(pod) = current else {
        return Err(StatusError::method_not_supported(
            group_resource(current.kind().resource()),
            "create",
        ));
    };
    let pods = || GroupResource::new("", "pods/binding");
    if let Some(uid) = uid
        && pod.metadata.uid.as_deref() != Some(uid)
    {
        return Err(wrong_uid(current, uid));
    }
    let said = sent.at("metadata");
    let version = said.at("resourceVersion").text();
    let stored = current.meta().resource_version.as_deref().unwrap_or_default();
    if !["", stored].contains(&version) {
        return Err(unmet(current, "ResourceVersion", version, stored));
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return Err(StatusError::conflict(
            pods(),
            current.name(),
            format!("pod {} is being deleted, cannot be assigned to a host", current.name()),
        ));
    }
    if let Some(bound) = &pod.node_name {
        return Err(StatusError::conflict(
            pods(),
            current.name(),
            format!("pod {} is already assigned to node \"{bound}\"", current.name()),
        ));
    }
    if pod.spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        let why = format!("pod {} has non-empty .spec.schedulingGates", current.name());
        return Err(StatusError::conflict(pods(), current.name(), why));
    }
    let condition = core::PodCondition {
        type_: "PodScheduled".into(),
        status: "True".into(),
        last_transition_time: Some(seconds(now)),
        ..core::PodCondition::default()
    };
    let mut status = PodStatus::clone(&pod.status);
    set_condition(status.conditions.get_or_insert_default(), condition);
    // It waits for no node any more.
    status.nominated_node_name = None;
    let mut bound =
        Pod { node_name: Some(Rc::clone(node)), status: Rc::new(status), ..Pod::clone(pod) };
    let texts = |part: Part<'_>| -> Vec<(String, String)> {
        part.entries().map(|(key, text)| (key.to_owned(), text.text().to_owned())).collect()
    };
    let (annotations, labels) = (texts(said.at("annotations")), texts(said.at("labels")));
    if !annotations.is_empty() {
        bound.metadata.annotations_mut().extend(annotations);
    }
    if !labels.is_empty() {
        bound.metadata.labels_mut().extend(labels);
    }
    Ok(Write::Put(Object::Pod(Rc::new(bound))))
}

pub(super) fn set_condition(
    conditions: &mut Vec<core::PodCondition>,
    condition: core::PodCondition,
) {
    match conditions.iter_mut().find(|old| old.type_ == condition.type_) {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}
