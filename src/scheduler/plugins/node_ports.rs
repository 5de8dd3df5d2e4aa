//! `NodePorts`: the ports that a pod wants of its node have to be free.

use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Plugin, PreFilter, Snapshot, Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct NodePorts;

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        _cluster: &dyn Snapshot,
        _state: &mut CycleState,
    ) -> PreFilter {
        if pod.ports.is_empty() { PreFilter::Skip } else { PreFilter::Run }
    }

    fn filter(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> Verdict {
        if node.pods.iter().any(|there| conflicts(pod, there)) {
            return Verdict::unschedulable(
                "node(s) didn't have free ports for the requested pod ports",
            );
        }
        Verdict::SUCCESS
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::AssignedPodDeleted)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        match about {
            About::Pod { old: Some(gone), new: None } => conflicts(pod, gone),
            About::Pod { .. } | About::Node { .. } | About::Document { .. } => true,
        }
    }
}

/// Whether a pod has a port that the other wants.
fn conflicts(pod: &PodInfo, there: &PodInfo) -> bool {
    there.ports.iter().any(|taken| pod.ports.iter().any(|port| port.conflicts(taken)))
}
