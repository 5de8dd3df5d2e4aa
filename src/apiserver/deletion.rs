//! What a delete writes.
//!
//! Mirrors: `apiserver/pkg/registry/rest/delete.go` and the pod's `CheckGracefulDelete`.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde_json::Value;

use super::strategy::{Write, group_resource, wrong_uid};
use crate::api::phase::PodPhase;
use crate::api::request::{Payload, Request};
use crate::api::status::StatusError;
use crate::api::{Object, Pod, Resource as _, seconds};

/// Namespaces that the cluster cannot do without.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

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
    let mut uid = None;
    match &request.payload {
        Payload::Precondition { uid: wanted } => uid = wanted.as_deref(),
        Payload::Json(options) => {
            grace = options.get("gracePeriodSeconds").and_then(Value::as_i64).or(grace);
            uid = options.pointer("/preconditions/uid").and_then(Value::as_str);
        }
        Payload::None | Payload::Object(_) | Payload::Binding { .. } | Payload::Patch(_) => {}
    }
    if let Some(uid) = uid
        && current.meta().uid.as_deref() != Some(uid)
    {
        return Err(wrong_uid(current, uid));
    }
    if let Some(pod) = Pod::unwrap(current) {
        Ok(delete_pod(pod, current, grace, now))
    } else if let Some(namespace) = Namespace::unwrap(current) {
        delete_namespace(namespace, current, empty, now)
    } else {
        Ok(Write::Delete)
    }
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
            return Write::Put(current.with_meta(|meta| end(meta, later(began, period), period)));
        }
        (Some(_), _) => return Write::Keep,
        (None, _) => {}
    }
    Write::Put(current.with_meta(|meta: &mut ObjectMeta| {
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

/// A namespace goes when it is empty; until then it is `Terminating`.
fn delete_namespace(
    namespace: &Namespace,
    current: &Object,
    empty: bool,
    now: Timestamp,
) -> Result<Write, StatusError> {
    if IMMORTAL.contains(&current.name()) {
        let resource = group_resource(current.kind().resource());
        let why = "this namespace may not be deleted";
        return Err(StatusError::forbidden(resource, current.name(), why));
    }
    if empty {
        return Ok(Write::Delete);
    }
    if namespace.metadata.deletion_timestamp.is_some() {
        return Ok(Write::Keep);
    }
    let mut ending = namespace.clone();
    ending.metadata.deletion_timestamp = Some(Time::clone(&seconds(now)));
    ending.status.get_or_insert_default().phase = Some("Terminating".into());
    Ok(Write::Put(Object::Namespace(Rc::new(ending))))
}
