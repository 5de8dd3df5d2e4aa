//! `TaintToleration`: no node with a taint that the pod does not tolerate; rather one without soft ones.

use k8s_openapi::api::core::v1::Taint;

use super::tolerations::{NO_EXECUTE, NO_SCHEDULE, PREFER_NO_SCHEDULE, tolerated};
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Plugin, Snapshot, Verdict, normalized,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct TaintToleration;

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    fn filter(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> Verdict {
        if untolerated(pod, node).next().is_none() {
            return Verdict::SUCCESS;
        }
        Verdict::unresolvable("node(s) had untolerated taint(s)")
    }

    fn pre_score(
        &self,
        _pod: &PodInfo,
        _cluster: &dyn Snapshot,
        _nodes: &[&NodeInfo],
        _state: &mut CycleState,
    ) -> Verdict {
        Verdict::SUCCESS
    }

    /// How many soft taints the pod does not tolerate.
    fn score(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> i64 {
        let soft = taints(node).filter(|taint| taint.effect == PREFER_NO_SCHEDULE);
        let all = pod.pod.spec.tolerations.as_deref().unwrap_or_default();
        let against = soft.filter(|taint| !tolerated(taint, all)).count();
        i64::try_from(against).unwrap_or(i64::MAX)
    }

    fn normalized(&self, raw: &[i64]) -> Option<Vec<i64>> {
        Some(normalized(raw, true))
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{NodeAdded, NodeTaints, OwnTolerations};
        matches!(event, NodeAdded | NodeTaints | OwnTolerations)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        let fits = |node: &NodeInfo| untolerated(pod, node).next().is_none();
        let About::Node { old, new: Some(new) } = about else { return true };
        fits(new) && !old.is_some_and(fits)
    }
}

/// The taints of the node that keep the pod out.
pub fn untolerated<'a>(
    pod: &'a PodInfo,
    node: &'a NodeInfo,
) -> impl Iterator<Item = &'a Taint> + use<'a> {
    let hard =
        taints(node).filter(|taint| taint.effect == NO_SCHEDULE || taint.effect == NO_EXECUTE);
    hard.filter(|taint| !tolerated(taint, pod.pod.spec.tolerations.iter().flatten()))
}

fn taints(node: &NodeInfo) -> impl Iterator<Item = &Taint> {
    node.node.spec.iter().flat_map(|spec| spec.taints.iter().flatten())
}
