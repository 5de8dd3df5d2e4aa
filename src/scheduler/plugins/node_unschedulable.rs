//! `NodeUnschedulable`: a node that is cordoned takes no new pods.

use k8s_openapi::api::core::v1::Taint;

use super::tolerations::{NO_SCHEDULE, tolerated};
use crate::scheduler::framework::{About, ClusterEvent, CycleState, Plugin, Snapshot, Verdict};
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
        if !is_cordoned(node) || tolerates_that(pod) {
            return Verdict::SUCCESS;
        }
        Verdict::unresolvable("node(s) were unschedulable")
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{NodeAdded, NodeTaints, OwnTolerations};
        matches!(event, NodeAdded | NodeTaints | OwnTolerations)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        match about {
            About::Node { old, new: Some(new) } => !is_cordoned(new) && old.is_none_or(is_cordoned),
            About::Pod { .. } => tolerates_that(pod),
            About::Node { .. } | About::Document { .. } => true,
        }
    }
}

fn is_cordoned(node: &NodeInfo) -> bool {
    node.node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false)
}

fn tolerates_that(pod: &PodInfo) -> bool {
    let taint = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        effect: NO_SCHEDULE.to_owned(),
        ..Taint::default()
    };
    tolerated(&taint, pod.pod.spec.tolerations.iter().flatten())
}
