//! `NodeUnschedulable`: a node that is cordoned takes no new pods.

use k8s_openapi::api::core::v1::Taint;

use super::tolerations::{NO_SCHEDULE, tolerated};
use crate::scheduler::framework::{ClusterEvent, CycleState, Plugin, Verdict};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct NodeUnschedulable;

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    fn filter(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> Verdict {
        let spec = node.node.spec.as_ref();
        if !spec.and_then(|spec| spec.unschedulable).unwrap_or(false) {
            return Verdict::SUCCESS;
        }
        let taint = Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            effect: NO_SCHEDULE.to_owned(),
            ..Taint::default()
        };
        if tolerated(&taint, pod.pod.spec.tolerations.iter().flatten()) {
            return Verdict::SUCCESS;
        }
        Verdict::unresolvable("node(s) were unschedulable")
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::NodeTaints)
    }
}
