//! What a patch writes.

use std::rc::Rc;

use k8s_openapi::api::core::v1 as core;
use serde_json::Value;

use super::body::decode_json;
use super::node_taints::settle;
use super::strategy::{Admit, Write, put, set_condition, update, wrong_uid};
use crate::api::decode::strict_error;
use crate::api::field::{FieldError, Path};
use crate::api::patch::{BUILT_IN, PatchError, json_patch, merge_patch, strategic_merge};
use crate::api::request::{FieldValidation, Patch, PatchKind, Payload, Subresource, is_taken_back};
use crate::api::status::{GroupResource, Reason, StatusError};
use crate::api::text::{go_json_type, go_syntax};
use crate::api::wire::{Event, Node, PodStatus};
use crate::api::{Kind, Object, Pod};
use crate::sim::sort;

/// The patches that objects of defined kinds take: nobody knows how to merge their lists.
const OF_CUSTOM: [&str; 3] =
    ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

/// 415 if objects of a kind take no patches of that form, whether or not the one that is meant exists.
pub(super) fn check_form(kind: Kind, payload: &Payload) -> Result<(), StatusError> {
    let merges = matches!(payload, Payload::Patch(Patch::Json { kind: PatchKind::Strategic, .. }));
    if merges && kind.custom().is_some() {
        return Err(StatusError::unsupported_media_type(&OF_CUSTOM));
    }
    Ok(())
}

/// What a patch makes of `current`, which it sees as a `spoken` kind.
pub(super) fn patch(
    patch: &Patch,
    part: Option<Subresource>,
    current: &Object,
    spoken: Kind,
    validation: FieldValidation,
    admit: Admit<'_>,
) -> Result<Write, StatusError> {
    match (patch, current) {
        (Patch::PodStatus { uid, old, new }, Object::Pod(pod)) => {
            if pod.metadata.uid.as_deref() != Some(uid) {
                return Err(wrong_uid(current, uid));
            }
            let mut status = PodStatus::clone(new);
            let mut conditions = pod.status.conditions.clone().unwrap_or_default();
            for condition in status.conditions.take().unwrap_or_default() {
                set_condition(&mut conditions, condition);
            }
            conditions.retain(|condition| !is_taken_back(old, new, &condition.type_));
            // A strategic merge puts what the patch names first, in its order.
            let order = |kind: &str| {
                let named = new.conditions.as_deref().unwrap_or_default();
                named.iter().position(|condition| condition.type_ == kind).unwrap_or(usize::MAX)
            };
            sort::by_key(&mut conditions, |condition| order(&condition.type_));
            status.conditions = Some(conditions);
            status.qos_class.clone_from(&pod.status.qos_class);
            let pod = Pod { status: Rc::new(status), ..Pod::clone(pod) };
            Ok(put(Object::Pod(Rc::new(pod)), current))
        }
        (Patch::PodCondition { condition, nominated }, Object::Pod(pod)) => {
            let mut status = PodStatus::clone(&pod.status);
            if let Some(node) = nominated {
                let node = Some(node.to_string()).filter(|node| !node.is_empty());
                status.nominated_node_name = node;
            }
            if let Some(condition) = condition {
                let conditions = status.conditions.get_or_insert_default();
                set_condition(conditions, core::PodCondition::clone(condition));
            }
            let pod = Pod { status: Rc::new(status), ..Pod::clone(pod) };
            Ok(put(Object::Pod(Rc::new(pod)), current))
        }
        (Patch::NodeStatus(status), Object::Node(node)) => {
            let mut node = Node::clone(node);
            node.status = Some(Rc::clone(status));
            settle(&mut node);
            Ok(put(Object::Node(Rc::new(node)), current))
        }
        (Patch::Event(again), Object::Event(event)) => {
            let mut event = Event::clone(event);
            event.count = again.count;
            event.last_timestamp.clone_from(&again.last_timestamp);
            event.message.clone_from(&again.message);
            event.series.clone_from(&again.series);
            Ok(put(Object::Event(Rc::new(event)), current))
        }
        (Patch::Json { kind, patch }, _) => {
            let of = spoken.resource().go_type();
            let patched = patched(*kind, current.as_kind(spoken).to_json(), patch, &of)?;
            let new = read(*kind, spoken, &patched, patch, validation)?;
            update(part, current, &new, spoken, admit)
        }
        (
            Patch::PodStatus { .. }
            | Patch::PodCondition { .. }
            | Patch::NodeStatus(_)
            | Patch::Event(_),
            _,
        ) => Err(StatusError::bad_request("the patch is for another kind")),
    }
}

/// The object that a patched document is.
///
/// # Errors
///
/// 422 if it is none, or has fields that its type has not and the validation is strict.
fn read(
    kind: PatchKind,
    spoken: Kind,
    patched: &Value,
    patch: &Value,
    validation: FieldValidation,
) -> Result<Object, StatusError> {
    let strict = validation == FieldValidation::Strict;
    let why = match decode_json(spoken, patched, FieldValidation::Ignore) {
        Ok((new, unknown)) => match strict_error(&unknown).filter(|_| strict) {
            Some(why) => why,
            None => return Ok(new),
        },
        Err(error) => match Object::from_json(spoken, patched) {
            Err(why) => why.to_string(),
            Ok(_) => return Err(error),
        },
    };
    // Of a strategic patch only itself is shown, and as Go prints it.
    let shown = if kind == PatchKind::Strategic { go_syntax(patch) } else { patched.to_string() };
    let error = FieldError::invalid(&Path::new("patch"), shown, why);
    Err(StatusError::invalid(GroupResource::new("", ""), "", &[error]))
}

/// The document after a patch that came over HTTP.
pub(super) fn patched(
    kind: PatchKind,
    mut document: Value,
    patch: &Value,
    of: &str,
) -> Result<Value, StatusError> {
    // A null is read as a map that is not there, which only the one form minds.
    if patch.is_null() && kind == PatchKind::Merge {
        return Err(StatusError::bad_request("Invalid JSON Patch"));
    }
    if patch.is_null() && kind == PatchKind::Strategic {
        return Ok(document);
    }
    if !patch.is_object() && matches!(kind, PatchKind::Merge | PatchKind::Strategic) {
        let found = go_json_type(patch);
        let prefix = if kind == PatchKind::Merge { "error decoding patch: " } else { "" };
        return Err(StatusError::bad_request(format!(
            "{prefix}json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        )));
    }
    match kind {
        PatchKind::Json => {
            json_patch(&mut document, patch).map_err(|error| refused(&error))?;
            Ok(document)
        }
        // A whole object is applied elsewhere; a Scale has no lists, so to apply it is to merge it.
        PatchKind::Merge | PatchKind::Apply => {
            merge_patch(&mut document, patch.clone());
            Ok(document)
        }
        PatchKind::Strategic => {
            strategic_merge(document, patch.clone(), &BUILT_IN, of).map_err(|error| refused(&error))
        }
    }
}

/// Mirrors: `apiserver/pkg/endpoints/handlers/patch.go`.
fn refused(error: &PatchError) -> StatusError {
    match error {
        PatchError::NotAPatch(_) | PatchError::BadDirective(_) => {
            StatusError::bad_request(error.to_string())
        }
        PatchError::TooMany(why) => StatusError::too_large(why),
        PatchError::Refused(_) | PatchError::BadList(_) => {
            StatusError::generic(Reason::Invalid, &error.to_string())
        }
        PatchError::NoMergeKey { .. } | PatchError::Odd(_) => {
            StatusError::unforeseen(error.to_string())
        }
    }
}
