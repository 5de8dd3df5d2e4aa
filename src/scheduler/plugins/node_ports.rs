//! `NodePorts`: the ports that a pod wants of its node have to be free.

use crate::scheduler::framework::{ClusterEvent, CycleState, Plugin, PreFilter, Snapshot, Verdict};
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
        let mut taken = node.pods.iter().flat_map(|pod| &pod.ports);
        if taken.any(|taken| pod.ports.iter().any(|port| port.conflicts(taken))) {
            return Verdict::unschedulable(
                "node(s) didn't have free ports for the requested pod ports",
            );
        }
        Verdict::SUCCESS
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::AssignedPodDeleted)
    }
}
