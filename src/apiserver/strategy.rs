//! What a request would write, given what is stored: pure functions, one a verb.
//!
//! Mirrors: `pkg/registry/core/*/strategy.go` and `apiserver/pkg/registry/generic/registry/store.go`.

use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::decode;
use crate::api::defaults::Defaults;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::phase::PodPhase;
use crate::api::qos::QosClass;
use crate::api::request::{Patch, PatchKind, Payload, Request, Subresource};
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

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// The resource, as errors name it.
pub(super) fn group_resource(resource: &ResourceType) -> GroupResource<'static> {
    GroupResource::new(resource.group, resource.plural)
}

/// The object of a request, decoded and defaulted.
///
/// # Errors
///
/// 400 in the decoder's words.
pub(super) fn object_of(kind: Kind, payload: &Payload) -> Result<Object, StatusError> {
    match payload {
        Payload::Object(object) => Ok(object.clone()),
        Payload::Json(value) => decode_json(kind, value),
        Payload::None
        | Payload::Binding { .. }
        | Payload::Patch(_)
        | Payload::Precondition { .. } => Err(StatusError::bad_request("a body is required")),
    }
}

fn decode_json(kind: Kind, value: &Value) -> Result<Object, StatusError> {
    let resource = kind.resource();
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("kind").is_empty() && value.get("metadata").is_none() {
        return Err(StatusError::bad_request(
            "Object 'Kind' is missing in request body".to_owned(),
        ));
    }
    let version = text("apiVersion");
    let wrong_kind = !text("kind").is_empty() && text("kind") != resource.name;
    if wrong_kind || !version.is_empty() && version != resource.api_version() {
        return Err(StatusError::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): got apiVersion {version:?}, kind {:?}",
            resource.name,
            text("kind"),
        )));
    }
    Ok(match kind {
        Kind::Pod => {
            let mut pod: core::Pod = typed(resource, value)?;
            pod.set_defaults();
            Object::Pod(Rc::new(pod.into()))
        }
        Kind::Node => Object::Node(Rc::new(typed(resource, value)?)),
        Kind::Namespace => {
            let mut namespace: core::Namespace = typed(resource, value)?;
            namespace.set_defaults();
            Object::Namespace(Rc::new(namespace))
        }
        Kind::Event => Object::Event(Rc::new(typed(resource, value)?)),
        Kind::Lease => Object::Lease(Rc::new(typed::<Lease>(resource, value)?)),
    })
}

fn typed<T: DeserializeOwned>(resource: &ResourceType, value: &Value) -> Result<T, StatusError> {
    let decoded = decode::decode::<T>(value).map_err(|error| {
        StatusError::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {error}",
            resource.name, resource.version, resource.name
        ))
    })?;
    match decode::strict_error(&decoded.unknown) {
        Some(error) => Err(StatusError::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {error}",
            resource.name, resource.version, resource.name
        ))),
        None => Ok(decoded.object),
    }
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
    let object = begin(object, now);
    let errors = validate(&object);
    if errors.is_empty() {
        Ok(object)
    } else {
        let kind = GroupResource::new(resource.group, resource.name);
        Err(StatusError::invalid(kind, object.name(), &errors))
    }
}

/// The status that a new object begins with, and what admission adds.
fn begin(object: Object, now: Timestamp) -> Object {
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
            admit(&mut spec);
            tolerate(&mut spec);
            pod.spec = Rc::new(spec);
            Object::Pod(Rc::new(pod))
        }
        Object::Node(node) => {
            let mut node = core::Node::clone(&node);
            let spec = node.spec.get_or_insert_default();
            if !is_ready(node.status.as_ref()) {
                set_taint(spec, NOT_READY, true);
            }
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
        Object::Event(_) | Object::Lease(_) => {
            let _ = now;
            object
        }
    }
}

/// `ServiceAccount` and `Priority`, as far as there are no such objects.
fn admit(spec: &mut core::PodSpec) {
    let account = spec.service_account_name.get_or_insert_with(|| "default".into()).clone();
    spec.service_account = Some(account);
    spec.priority.get_or_insert(0);
    spec.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".into());
}

/// `DefaultTolerationSeconds`: five minutes on a node that is not ready or not reachable.
fn tolerate(spec: &mut core::PodSpec) {
    let tolerations = spec.tolerations.get_or_insert_default();
    for key in [NOT_READY, "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|toleration| {
            let same_key = toleration.key.as_deref().is_none_or(|k| k.is_empty() || k == key);
            let effect = toleration.effect.as_deref().unwrap_or_default();
            same_key && (effect.is_empty() || effect == crate::api::words::NO_EXECUTE)
        });
        if !tolerated {
            tolerations.push(core::Toleration {
                key: Some(key.into()),
                operator: Some("Exists".into()),
                effect: Some("NoExecute".into()),
                toleration_seconds: Some(300),
                ..core::Toleration::default()
            });
        }
    }
}

/// Until [`crate::api`] validates whole objects: the names, and that there is something to run.
fn validate(object: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let meta = Path::new("metadata");
    let name = object.name();
    if name.is_empty() {
        errors.push(FieldError::required(&meta.child("name"), "name or generateName is required"));
    } else {
        let broken = match object.kind() {
            Kind::Namespace => names::dns1123_label(name),
            Kind::Pod | Kind::Node | Kind::Lease | Kind::Event => names::dns1123_subdomain(name),
        };
        for detail in broken {
            errors.push(FieldError::invalid(&meta.child("name"), name, detail));
        }
    }
    errors
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
    let resource = kind.resource();
    match &request.payload {
        Payload::Binding { uid, node } => bind(current, uid.as_deref(), node, now),
        Payload::Patch(patch) => self::patch(patch, current),
        Payload::Object(_) | Payload::Json(_) => {
            let new = object_of(kind, &request.payload)?;
            let sent = new.meta().resource_version.as_deref().unwrap_or_default();
            if !sent.is_empty() && Some(sent) != current.meta().resource_version.as_deref() {
                return Err(StatusError::conflict(
                    group_resource(resource),
                    current.name(),
                    "the object has been modified; please apply your changes to the latest version and try again",
                ));
            }
            Ok(replace(part, current, &new))
        }
        Payload::None | Payload::Precondition { .. } => {
            Err(StatusError::bad_request("a body is required"))
        }
    }
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
            keep_identity(&Object::Pod(Rc::new(pod)), current)
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

fn put(new: Object, current: &Object) -> Write {
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
    let pods = || group_resource(Kind::Pod.resource());
    if let Some(uid) = uid
        && pod.metadata.uid.as_deref() != Some(uid)
    {
        return Err(StatusError::conflict(
            pods(),
            current.name(),
            format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                pod.metadata.uid.as_deref().unwrap_or_default()
            ),
        ));
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

fn set_condition(conditions: &mut Vec<core::PodCondition>, condition: core::PodCondition) {
    match conditions.iter_mut().find(|old| old.type_ == condition.type_) {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}

fn patch(patch: &Patch, current: &Object) -> Result<Write, StatusError> {
    match (patch, current) {
        (Patch::PodStatus { uid, new, .. }, Object::Pod(pod)) => {
            if pod.metadata.uid.as_deref() != Some(uid) {
                return Err(StatusError::conflict(
                    group_resource(Kind::Pod.resource()),
                    current.name(),
                    format!(
                        "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                        pod.metadata.uid.as_deref().unwrap_or_default()
                    ),
                ));
            }
            let mut status = core::PodStatus::clone(new);
            let mut conditions = pod.status.conditions.clone().unwrap_or_default();
            for condition in status.conditions.take().unwrap_or_default() {
                set_condition(&mut conditions, condition);
            }
            // A strategic merge puts what the patch names first, in its order.
            let order = |kind: &str| {
                let named = new.conditions.as_deref().unwrap_or_default();
                named.iter().position(|condition| condition.type_ == kind).unwrap_or(usize::MAX)
            };
            conditions.sort_by_key(|condition| order(&condition.type_));
            status.conditions = Some(conditions);
            status.qos_class.clone_from(&pod.status.qos_class);
            let pod = Pod { status: Rc::new(status), ..Pod::clone(pod) };
            Ok(put(Object::Pod(Rc::new(pod)), current))
        }
        (Patch::PodCondition(condition), Object::Pod(pod)) => {
            let mut status = core::PodStatus::clone(&pod.status);
            let conditions = status.conditions.get_or_insert_default();
            set_condition(conditions, core::PodCondition::clone(condition));
            let pod = Pod { status: Rc::new(status), ..Pod::clone(pod) };
            Ok(put(Object::Pod(Rc::new(pod)), current))
        }
        (Patch::NodeStatus(status), Object::Node(node)) => {
            let mut node = core::Node::clone(node);
            node.status = Some(core::NodeStatus::clone(status));
            Ok(put(Object::Node(Rc::new(settle(node))), current))
        }
        (Patch::Event(again), Object::Event(event)) => {
            let mut event = core::Event::clone(event);
            event.count = again.count;
            event.last_timestamp.clone_from(&again.last_timestamp);
            event.message.clone_from(&again.message);
            Ok(put(Object::Event(Rc::new(event)), current))
        }
        (Patch::Json { kind, patch }, _) => {
            let patched = patched(*kind, &current.to_json(), patch)?;
            let new = decode_json(current.kind(), &patched)?;
            Ok(replace(None, current, &new))
        }
        (
            Patch::PodStatus { .. }
            | Patch::PodCondition(_)
            | Patch::NodeStatus(_)
            | Patch::Event(_),
            _,
        ) => Err(StatusError::bad_request("the patch is for another kind")),
    }
}

/// What a delete writes.
///
/// # Errors
///
/// 409 if the object is not the one that was meant.
pub(super) fn delete(
    request: &Request,
    current: &Object,
    now: Timestamp,
) -> Result<Write, StatusError> {
    let mut grace = request.params.grace_period_seconds;
    match &request.payload {
        Payload::Precondition { uid: Some(uid) } => {
            let stored = current.meta().uid.as_deref().unwrap_or_default();
            if stored != &**uid {
                return Err(StatusError::conflict(
                    group_resource(current.kind().resource()),
                    current.name(),
                    format!(
                        "Precondition failed: UID in precondition: {uid}, UID in object meta: {stored}"
                    ),
                ));
            }
        }
        Payload::Json(options) => {
            grace = options.get("gracePeriodSeconds").and_then(Value::as_i64).or(grace);
        }
        Payload::Precondition { uid: None }
        | Payload::None
        | Payload::Object(_)
        | Payload::Binding { .. }
        | Payload::Patch(_) => {}
    }
    let Object::Pod(pod) = current else {
        return Ok(Write::Delete);
    };
    let phase = pod.status.phase.as_deref().and_then(PodPhase::parse);
    let done = phase.is_some_and(PodPhase::is_terminal);
    let wanted = grace.or(pod.spec.termination_grace_period_seconds).unwrap_or(30).max(0);
    let grace = if pod.node_name.is_none() || (done && grace.is_none()) { 0 } else { wanted };
    match pod.metadata.deletion_grace_period_seconds {
        // What ends at once is marked first, and deleted right after: two changes, as upstream.
        Some(0) => return Ok(Write::Delete),
        Some(already) if grace >= already => return Ok(Write::Keep),
        Some(_) | None => {}
    }
    let ends = now + jiff::SignedDuration::from_secs(grace);
    Ok(Write::Put(current.with_meta(|meta: &mut ObjectMeta| {
        meta.deletion_timestamp = Some(seconds(ends));
        meta.deletion_grace_period_seconds = Some(grace);
        meta.generation = meta.generation.map(|generation| generation + 1);
    })))
}

/// What upstream's node lifecycle controller keeps in step, and the server does here as long as there
/// is no controller manager: the taints that say what the node's conditions and spec say.
fn settle(mut node: core::Node) -> core::Node {
    let ready = is_ready(node.status.as_ref());
    let spec = node.spec.get_or_insert_default();
    set_taint(spec, NOT_READY, !ready);
    let cordoned = spec.unschedulable.unwrap_or(false);
    set_taint(spec, UNSCHEDULABLE, cordoned);
    node
}

fn is_ready(status: Option<&core::NodeStatus>) -> bool {
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| {
        condition.type_ == crate::api::words::READY && condition.status == crate::api::words::TRUE
    })
}

fn set_taint(spec: &mut core::NodeSpec, key: &str, wanted: bool) {
    let taints = spec.taints.get_or_insert_default();
    let there = taints
        .iter()
        .any(|taint| taint.key == key && taint.effect == crate::api::words::NO_SCHEDULE);
    if wanted && !there {
        taints.push(core::Taint {
            key: key.into(),
            effect: "NoSchedule".into(),
            ..core::Taint::default()
        });
    }
    if !wanted {
        taints.retain(|taint| taint.key != key || taint.effect != crate::api::words::NO_SCHEDULE);
    }
    if taints.is_empty() {
        spec.taints = None;
    }
}

/// The document after a patch that came over HTTP.
fn patched(kind: PatchKind, document: &Value, patch: &Value) -> Result<Value, StatusError> {
    match kind {
        // Strategic merge differs where lists of the objects served so far meet; those that are
        // replaced whole, such as a node's taints, are the same under both rules.
        PatchKind::Merge | PatchKind::Strategic => Ok(merged(document, patch)),
        PatchKind::Json => Err(StatusError::unsupported_media_type(&[
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ])),
    }
}

/// RFC 7396.
fn merged(document: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut result = document.as_object().cloned().unwrap_or_default();
    for (field, value) in patch {
        if value.is_null() {
            result.remove(field);
        } else {
            let before = result.get(field).unwrap_or(&Value::Null);
            let after = merged(before, value);
            result.insert(field.clone(), after);
        }
    }
    Value::Object(result)
}
