//! `NodeAffinity`: the nodes that a pod's `nodeSelector` and node affinity ask for.

use k8s_openapi::api::core::v1::NodeAffinity as Affinity;

use super::node_selector::{self, Preferred, Required};
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Plugin, PreFilter, Snapshot, Verdict, normalized,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

/// The plugin.
#[derive(Clone, Debug)]
pub struct NodeAffinity {
    /// What the configuration asks for beside every pod.
    pub added: Option<Affinity>,
}

impl NodeAffinity {
    fn added_required(&self) -> Option<Required> {
        let added = self.added.as_ref()?;
        let required = added.required_during_scheduling_ignored_during_execution.as_ref()?;
        Some(Required::of_selector(required))
    }

    fn added_preferred(&self) -> Option<Preferred> {
        let added = self.added.as_ref()?;
        let preferred = added.preferred_during_scheduling_ignored_during_execution.as_deref()?;
        (!preferred.is_empty()).then(|| Preferred::new(preferred))
    }
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        _cluster: &dyn Snapshot,
        state: &mut CycleState,
    ) -> PreFilter {
        let spec = &pod.pod.spec;
        let own = Required::of_pod(spec);
        if own.is_none() && self.added_required().is_none() {
            return PreFilter::Skip;
        }
        state.required = Some(own.unwrap_or_default());
        let required = node_selector::required(spec.affinity.as_ref());
        match required.and_then(node_selector::names) {
            Some(names) if names.is_empty() => {
                PreFilter::Reject(Verdict::unresolvable("pod affinity terms conflict"))
            }
            Some(names) => PreFilter::Nodes(names),
            None => PreFilter::Run,
        }
    }

    fn filter(&self, pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        if self.added_required().is_some_and(|added| !added.matches(node)) {
            let reason = "node(s) didn't match scheduler-enforced node affinity";
            return Verdict::unresolvable(reason);
        }
        let is_met = match &state.required {
            Some(required) => required.matches(node),
            // Its PreFilter is switched off.
            None => Required::of_pod(&pod.pod.spec).unwrap_or_default().matches(node),
        };
        if is_met {
            return Verdict::SUCCESS;
        }
        Verdict::unresolvable("node(s) didn't match Pod's node affinity/selector")
    }

    fn pre_score(
        &self,
        pod: &PodInfo,
        _cluster: &dyn Snapshot,
        _nodes: &[&NodeInfo],
        state: &mut CycleState,
    ) -> Verdict {
        let own = node_selector::preferred(pod.pod.spec.affinity.as_ref());
        if own.is_none() && self.added_preferred().is_none() {
            return Verdict::SKIP;
        }
        state.preferred = own.map(Preferred::new).unwrap_or_default();
        Verdict::SUCCESS
    }

    fn score(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let added = self.added_preferred().map_or(0, |added| added.score(node));
        added + state.preferred.score(node)
    }

    fn normalized(&self, raw: &[i64]) -> Option<Vec<i64>> {
        Some(normalized(raw, false))
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::NodeLabels)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        let About::Node { old, new: Some(new) } = about else { return true };
        if self.added_required().is_some_and(|added| !added.matches(new)) {
            return false;
        }
        let own = Required::of_pod(&pod.pod.spec).unwrap_or_default();
        own.matches(new) && !old.is_some_and(|old| own.matches(old))
    }
}
