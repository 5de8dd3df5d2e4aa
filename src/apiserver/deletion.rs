//! What a delete writes.
//!
//! Mirrors: `apiserver/pkg/registry/rest/delete.go` and the pod's `CheckGracefulDelete`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::definitions;
use super::eviction;
use super::strategy::{Write, group_resource};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::phase::PodPhase;
use crate::api::request::{Payload, Request, Verb};
use crate::api::route::options_of;
use crate::api::status::{GroupResource, StatusError};
use crate::api::text::go_json_type;
use crate::api::{Document, Kind, Object, ObjectMeta, Pod, Resource as _, seconds};

/// What the cluster cannot do without, and what is said of it.
const IMMORTAL: [(Kind, &[&str], &str); 2] = [
    (
        Kind::Namespace,
        &["default", "kube-system", "kube-public"],
        "this namespace may not be deleted",
    ),
    (
        Kind::PriorityClass,
        &["system-node-critical", "system-cluster-critical"],
        "this is a system priority class and cannot be deleted",
    ),
];

/// The finalizer of every namespace, until it holds nothing.
const KUBERNETES: &str = "kubernetes";

/// What a delete writes; `empty` tells whether a namespace holds nothing.
///
/// # Errors
///
/// 409 if the object is not the one that was meant, 403 for a namespace that must stay.
pub(super) fn delete(
    request: &Request,
    current: &Object,
    empty: bool,
    now: Timestamp,
) -> Result<Write, StatusError> {
    let mut grace = request.params.grace_period_seconds;
    if let Payload::Json(options) = &request.payload {
        let options = eviction::delete_options(request, options);
        check_options(options)?;
        grace = options.at("gracePeriodSeconds").number().or(grace);
    }
    let (uid, version) = preconditions(request);
    // The mark of an eviction is a version of its own.
    let version = version.filter(|_| !request.is_eviction() || !eviction::is_marked(current));
    meant(current, uid, version)?;
    let stays = IMMORTAL
        .iter()
        .find(|(kind, names, _)| *kind == current.kind() && names.contains(&current.name()));
    if let Some((_, _, why)) = stays {
        let resource = group_resource(current.kind().resource());
        return Err(StatusError::forbidden(resource, current.name(), *why));
    }
    let document = |kind: Kind| current.document().filter(|document| document.kind() == kind);
    let write = if let Some(pod) = Pod::unwrap(current) {
        delete_pod(pod, current, grace, now)
    } else if let Some(namespace) = document(Kind::Namespace) {
        delete_namespace(namespace, empty, now)
    } else if let Some(definition) = document(Kind::CustomResourceDefinition) {
        definitions::marked(definition, now)
    } else {
        Write::Delete
    };
    Ok(unless_held(write, current, now))
}

/// An object with finalizers is only marked; it goes with the last of them.
fn unless_held(write: Write, current: &Object, now: Timestamp) -> Write {
    let meta = current.meta();
    if write != Write::Delete || !is_held(meta) {
        return write;
    }
    if meta.deletion_timestamp.is_some() {
        return Write::Keep;
    }
    Write::Put(current.clone().with_meta(|meta| {
        end(meta, now, 0);
        meta.generation = meta.generation.map(|generation| generation + 1);
    }))
}

fn is_held(meta: &ObjectMeta) -> bool {
    meta.finalizers.as_ref().is_some_and(|names| !names.is_empty())
}

/// Whether an update to `new` takes the last finalizer from an object that only waited for that.
///
/// Mirrors: `ShouldDeleteDuringUpdate` of `apiserver/pkg/registry/generic/registry/store.go`.
pub(super) fn lets_go(new: &Object, current: &Object) -> bool {
    !is_held(new.meta()) && current.meta().deletion_grace_period_seconds == Some(0)
}

/// The uid and the version of the object that is to be deleted, if they were said.
fn preconditions(request: &Request) -> (Option<&str>, Option<&str>) {
    match &request.payload {
        Payload::Precondition { uid } => (uid.as_deref(), None),
        Payload::Json(options) => {
            let options = eviction::delete_options(request, options).at("preconditions");
            let wanted = |field| {
                let wanted = options.at(field);
                wanted.is_there().then(|| wanted.text())
            };
            (wanted("uid"), wanted("resourceVersion"))
        }
        Payload::None
        | Payload::Refused(_)
        | Payload::Object(_)
        | Payload::Alike { .. }
        | Payload::Binding { .. }
        | Payload::Patch(_) => (None, None),
    }
}

/// 409 unless the object is the one that a delete means.
pub(super) fn check_meant(request: &Request, current: &Object) -> Result<(), StatusError> {
    let (uid, version) = preconditions(request);
    meant(current, uid, version)
}

/// 409 unless the object is the very one that was meant.
fn meant(current: &Object, uid: Option<&str>, version: Option<&str>) -> Result<(), StatusError> {
    let resource = current.kind().resource();
    // Upstream names the kind here, not the resource.
    let kind = GroupResource::new(resource.group, resource.name);
    let conflict = |why: String| Err(StatusError::conflict(kind, current.name(), why));
    let meta = current.meta();
    if let Some(uid) = uid.filter(|uid| meta.uid.as_deref() != Some(uid)) {
        return conflict(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object \
             might have been deleted and then recreated",
            meta.uid.as_deref().unwrap_or_default()
        ));
    }
    match version.filter(|version| meta.resource_version.as_deref() != Some(version)) {
        Some(version) => conflict(format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion \
             in record ({}). The object might have been modified",
            meta.resource_version.as_deref().unwrap_or_default()
        )),
        None => Ok(()),
    }
}

/// Whether a value is of a type.
type Is = fn(&Value) -> bool;

/// 422 for `DeleteOptions` that make no sense.
///
/// Mirrors: `ValidateDeleteOptions` of `apimachinery/pkg/apis/meta/v1/validation`.
pub(super) fn check_options(options: Part<'_>) -> Result<(), StatusError> {
    let (kind, version) = (options.at("kind").text(), options.at("apiVersion").text());
    if !kind.is_empty() && kind != "DeleteOptions" {
        return Err(StatusError::unforeseen(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \
             \"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:33\""
        )));
    }
    // What is of another type is no mistake of the client's upstream, as nobody names its code.
    let types: [(&str, &str, Is); 4] = [
        ("gracePeriodSeconds", "int64", Value::is_i64),
        ("orphanDependents", "bool", Value::is_boolean),
        ("propagationPolicy", "v1.DeletionPropagation", Value::is_string),
        ("dryRun", "[]string", Value::is_array),
    ];
    for (field, of, is) in types {
        let value = options.at(field).value();
        if !value.is_null() && !is(value) {
            let found = go_json_type(value);
            return Err(StatusError::unforeseen(format!(
                "json: cannot unmarshal {found} into Go struct field DeleteOptions.{field} of type {of}"
            )));
        }
    }
    let (policy, path) = (options.at("propagationPolicy"), Path::new("propagationPolicy"));
    let mut errors = Vec::new();
    if policy.is_there() && options.at("orphanDependents").is_there() {
        let why = "orphanDependents and deletionPropagation cannot be both set";
        errors.push(FieldError::invalid(&path, policy.text(), why));
    }
    let supported = ["Foreground", "Background", "Orphan", "nil"];
    if policy.is_there() && !supported.iter().take(3).any(|known| *known == policy.text()) {
        errors.push(FieldError::not_supported(&path, policy.text(), &supported));
    }
    let dry_run = options.at("dryRun");
    if dry_run.texts().any(|what| what != "All") {
        let shown = dry_run.value().clone();
        errors.push(FieldError::not_supported(&Path::new("dryRun"), shown, &["All"]));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(StatusError::invalid(options_of(Verb::Delete), "", &errors))
}

/// A pod on a node is only marked; its kubelet deletes it once all has stopped.
fn delete_pod(pod: &Pod, current: &Object, grace: Option<i64>, now: Timestamp) -> Write {
    let phase = pod.status.phase.as_deref().and_then(PodPhase::parse);
    let done = phase.is_some_and(PodPhase::is_terminal);
    // As upstream, less than nothing is a second.
    let asked = grace.map(|seconds| if seconds < 0 { 1 } else { seconds });
    let mut period = asked.or(pod.spec.termination_grace_period_seconds).unwrap_or(30);
    if pod.node_name.is_none() || done {
        period = 0;
    }
    match (pod.metadata.deletion_grace_period_seconds, asked) {
        // What ends at once is marked first, and deleted right after: two changes, as upstream.
        (Some(0), _) => return Write::Delete,
        // A second delete can only shorten what is left, counted from the first.
        (Some(already), Some(period)) if period < already => {
            let marked = pod.metadata.deletion_timestamp.as_ref();
            let began = marked.map_or(now, |time| later(time.0, -already));
            return Write::Put(
                current.clone().with_meta(|meta| end(meta, later(began, period), period)),
            );
        }
        (Some(_), _) => return Write::Keep,
        (None, _) => {}
    }
    Write::Put(current.clone().with_meta(|meta: &mut ObjectMeta| {
        end(meta, later(now, period), period);
        meta.generation = meta.generation.map(|generation| generation + 1);
    }))
}

fn end(meta: &mut ObjectMeta, at: Timestamp, period: i64) {
    meta.deletion_timestamp = Some(seconds(at));
    meta.deletion_grace_period_seconds = Some(period);
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// A namespace goes when it is empty and nobody else holds it; until then it is `Terminating`. That it
/// is empty takes away the finalizer that says so; others go by `namespaces/finalize`.
fn delete_namespace(namespace: &Document, empty: bool, now: Timestamp) -> Write {
    let names = || namespace.at("spec").at("finalizers").texts();
    let is_held_by_others = names().any(|name| name != KUBERNETES);
    if empty && !is_held_by_others {
        return Write::Delete;
    }
    let mut ending = namespace.clone();
    if namespace.metadata.deletion_timestamp.is_some() {
        if !empty || !names().any(|name| name == KUBERNETES) {
            return Write::Keep;
        }
        let spec = ending.fields_mut().get_mut("spec").and_then(|spec| spec.get_mut("finalizers"));
        if let Some(Value::Array(names)) = spec {
            names.retain(|name| name != KUBERNETES);
        }
        return Write::Put(ending.into());
    }
    ending.metadata.deletion_timestamp = Some(seconds(now));
    ending.fields_mut().insert("status".to_owned(), json!({"phase": "Terminating"}));
    Write::Put(ending.into())
}
