//! `NodeName`: a pod that names its node runs there or nowhere.

use crate::scheduler::framework::{ClusterEvent, CycleState, Plugin, Verdict};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct NodeName;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    fn filter(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> Verdict {
        match &pod.pod.node_name {
            Some(name) if *name != node.name => {
                Verdict::unresolvable("node(s) didn't match the requested node name")
            }
            Some(_) | None => Verdict::SUCCESS,
        }
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        event == ClusterEvent::NodeAdded
    }
}
