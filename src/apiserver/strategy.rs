//! What a request would write, given what is stored: pure functions, one a verb.
//!
//! Mirrors: `pkg/registry/core/*/strategy.go` and `apiserver/pkg/registry/generic/registry/store.go`.

use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;

use super::admission;
use super::body::object_of;
use super::node_taints::{self, settle};
use super::patch::patch;
use super::validity;
use crate::api::qos::QosClass;
use crate::api::request::{Payload, Request, Subresource};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Kind, Object, Pod, ResourceType, seconds};

/// What the stored object becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Write {
    Put(Object),
    Delete,
    /// Nothing changes, as where a patch says what is so already.
    Keep,
}

/// What the server gives a new object.
pub(super) struct Birth {
    pub uid: String,
    pub suffix: String,
    pub now: Timestamp,
}

/// The resource, as errors name it.
pub(super) fn group_resource(resource: &ResourceType) -> GroupResource<'static> {
    GroupResource::new(resource.group, resource.plural)
}

/// What a create writes.
///
/// # Errors
///
/// 400 or 422 in upstream's words, with every cause.
pub(super) fn create(
    object: &Object,
    namespace: Option<&str>,
    birth: Birth,
) -> Result<Object, StatusError> {
    let resource = object.kind().resource();
    if let (Some(wanted), Some(given)) = (namespace, object.meta().namespace.as_deref())
        && wanted != given
        && !given.is_empty()
    {
        return Err(StatusError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !object.meta().resource_version.as_deref().unwrap_or_default().is_empty() {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(StatusError::unforeseen(why));
    }
    let Birth { uid, suffix, now } = birth;
    let object = object.with_meta(|meta| {
        if meta.name.as_deref().unwrap_or_default().is_empty()
            && let Some(prefix) = &meta.generate_name
        {
            meta.name = Some(format!("{prefix}{suffix}"));
        }
        meta.namespace = namespace.filter(|_| resource.namespaced).map(str::to_owned);
        meta.uid = Some(uid);
        meta.creation_timestamp = Some(seconds(now));
        meta.resource_version = None;
        meta.deletion_timestamp = None;
        meta.deletion_grace_period_seconds = None;
        if matches!(resource.kind, Kind::Pod) {
            meta.generation = Some(1);
        }
    });
    validity::created(begin(object))
}

/// The status that a new object begins with, and what admission adds.
fn begin(object: Object) -> Object {
    match object {
        Object::Pod(pod) => {
            let mut pod = Pod::clone(&pod);
            let qos = QosClass::of(&pod.spec).as_str().to_owned();
            pod.status = Rc::new(core::PodStatus {
                phase: Some("Pending".into()),
                qos_class: Some(qos),
                ..core::PodStatus::default()
            });
            let mut spec = core::PodSpec::clone(&pod.spec);
            admission::pod(&mut spec);
            pod.spec = Rc::new(spec);
            Object::Pod(Rc::new(pod))
        }
        Object::Node(node) => {
            let mut node = core::Node::clone(&node);
            node_taints::admit(node.spec.get_or_insert_default(), node.status.as_ref());
            Object::Node(Rc::new(node))
        }
        Object::Namespace(namespace) => {
            let mut namespace = core::Namespace::clone(&namespace);
            namespace.spec.get_or_insert_default().finalizers = Some(vec!["kubernetes".into()]);
            namespace.status.get_or_insert_default().phase = Some("Active".into());
            let name = namespace.metadata.name.clone().unwrap_or_default();
            let labels = namespace.metadata.labels.get_or_insert_default();
            labels.insert("kubernetes.io/metadata.name".into(), name);
            Object::Namespace(Rc::new(namespace))
        }
        Object::Event(_) | Object::Lease(_) => object,
    }
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
) -> Result<Write, StatusError> {
    let kind = current.kind();
    match &request.payload {
        Payload::Binding { uid, node } => bind(current, uid.as_deref(), node, now),
        Payload::Patch(patch) => self::patch(patch, part, current),
        Payload::Object(_) | Payload::Json(_) => {
            let new = object_of(kind, &request.payload)?;
            update(part, current, &new)
        }
        Payload::None | Payload::Precondition { .. } => {
            Err(StatusError::bad_request("a body is required"))
        }
    }
}

/// What an object writes that is to stand in `current`'s place.
///
/// # Errors
///
/// 400 if it has another name, 409 if it is of another object or of an older version.
pub(super) fn update(
    part: Option<Subresource>,
    current: &Object,
    new: &Object,
) -> Result<Write, StatusError> {
    if new.name() != current.name() {
        return Err(StatusError::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            new.name(),
            current.name()
        )));
    }
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(uid) = given(&new.meta().uid)
        && current.meta().uid.as_ref() != Some(&uid)
    {
        return Err(wrong_uid(current, &uid));
    }
    if let Some(sent) = given(&new.meta().resource_version)
        && current.meta().resource_version.as_ref() != Some(&sent)
    {
        let resource = group_resource(current.kind().resource());
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(StatusError::conflict(resource, current.name(), why));
    }
    validity::updated(part, replace(part, current, new), current)
}

/// 409: the object is not the one that was meant.
pub(super) fn wrong_uid(current: &Object, uid: &str) -> StatusError {
    let stored = current.meta().uid.as_deref().unwrap_or_default();
    let why =
        format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {stored}");
    StatusError::conflict(group_resource(current.kind().resource()), current.name(), why)
}

fn keep_identity(new: &Object, current: &Object) -> Object {
    let old = current.meta().clone();
    new.with_meta(|meta| {
        meta.uid = old.uid;
        meta.creation_timestamp = old.creation_timestamp;
        meta.deletion_timestamp = old.deletion_timestamp;
        meta.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
        meta.generation = old.generation;
        meta.namespace = old.namespace;
        meta.resource_version = None;
    })
}

fn replace(part: Option<Subresource>, current: &Object, new: &Object) -> Write {
    let write = match (current, new, part) {
        (Object::Pod(old), Object::Pod(new), Some(Subresource::Status)) => {
            Object::Pod(Rc::new(Pod { status: Rc::clone(&new.status), ..Pod::clone(old) }))
        }
        (Object::Pod(old), Object::Pod(new), _) => {
            let pod = Pod {
                status: Rc::clone(&old.status),
                node_name: old.node_name.clone(),
                ..Pod::clone(new)
            };
            let changed = pod.spec != old.spec;
            keep_identity(&Object::Pod(Rc::new(pod)), current).with_meta(|meta| {
                let generation = meta.generation.unwrap_or(0);
                meta.generation = Some(if changed { generation + 1 } else { generation });
            })
        }
        (Object::Node(old), Object::Node(new), Some(Subresource::Status)) => {
            let node = core::Node { status: new.status.clone(), ..core::Node::clone(old) };
            Object::Node(Rc::new(settle(node)))
        }
        (Object::Node(old), Object::Node(new), _) => {
            let node = core::Node { status: old.status.clone(), ..core::Node::clone(new) };
            keep_identity(&Object::Node(Rc::new(settle(node))), current)
        }
        (_, new, _) => keep_identity(new, current),
    };
    put(write, current)
}

pub(super) fn put(new: Object, current: &Object) -> Write {
    let version = current.meta().resource_version.clone();
    if new.with_meta(|meta| meta.resource_version = version) == *current {
        Write::Keep
    } else {
        Write::Put(new)
    }
}

/// `pods/binding`.
fn bind(
    current: &Object,
    uid: Option<&str>,
    node: &Rc<str>,
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
    let condition = core::PodCondition {
        type_: "PodScheduled".into(),
        status: "True".into(),
        last_transition_time: Some(seconds(now)),
        ..core::PodCondition::default()
    };
    let mut status = core::PodStatus::clone(&pod.status);
    set_condition(status.conditions.get_or_insert_default(), condition);
    Ok(Write::Put(Object::Pod(Rc::new(Pod {
        node_name: Some(Rc::clone(node)),
        status: Rc::new(status),
        ..Pod::clone(pod)
    }))))
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
