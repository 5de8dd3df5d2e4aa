//! The taints of a node that follow from its conditions and its spec.
//!
//! Upstream's node lifecycle controller keeps them in step. There is no controller manager yet, so
//! the server does it whenever a node is written.

use k8s_openapi::api::core::v1 as core;

use crate::api::wire::{Node, NodeSpec, NodeStatus};
use crate::api::words::NO_SCHEDULE;

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// `TaintNodesByCondition`: a new node takes no pods until its kubelet says that it is ready.
pub(super) fn admit(spec: &mut NodeSpec, status: Option<&NodeStatus>) {
    if !status.is_some_and(NodeStatus::is_ready) {
        set_taint(spec, NOT_READY, true);
    }
}

/// What upstream's node lifecycle controller keeps in step, and the server does here as long as there
/// is no controller manager: the taints that say what the node's conditions and spec say.
pub(super) fn settle(node: &mut Node) {
    let ready = node.status.as_deref().is_some_and(NodeStatus::is_ready);
    let spec = node.spec.get_or_insert_default();
    set_taint(spec, NOT_READY, !ready);
    let cordoned = spec.unschedulable.unwrap_or(false);
    set_taint(spec, UNSCHEDULABLE, cordoned);
}

fn set_taint(spec: &mut NodeSpec, key: &str, wanted: bool) {
    let taints = spec.taints.get_or_insert_default();
    let there = taints.iter().any(|taint| taint.key == key && taint.effect == NO_SCHEDULE);
    if wanted && !there {
        taints.push(core::Taint {
            key: key.into(),
            effect: "NoSchedule".into(),
            ..core::Taint::default()
        });
    }
    if !wanted {
        taints.retain(|taint| taint.key != key || taint.effect != NO_SCHEDULE);
    }
    if taints.is_empty() {
        spec.taints = None;
    }
}
