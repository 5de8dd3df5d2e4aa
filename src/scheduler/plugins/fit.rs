//! `NodeResourcesFit`: what a pod asks for has to be left on the node; the score says how much more.

use std::borrow::Cow;
use std::rc::Rc;

use super::shape::Shape;
use crate::api::validation::is_extended;
use crate::scheduler::framework::{
    About, ClusterEvent, Code, CycleState, MAX_NODE_SCORE, Plugin, Reason, Snapshot, Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::resources::Resources;

/// A resource and how much it counts.
pub type Weight = (Cow<'static, str>, i64);

/// CPU and memory alike.
pub(super) const CPU_AND_MEMORY: &[Weight] =
    &[(Cow::Borrowed("cpu"), 1), (Cow::Borrowed("memory"), 1)];

/// Which nodes score high.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Those with much left, so that pods spread.
    LeastAllocated,
    /// Those with little left, so that nodes fill up.
    MostAllocated,
    /// Those at which the shape, from 0 to 100, is high.
    RequestedToCapacityRatio(Shape),
}

/// The plugin.
#[derive(Clone, Debug)]
pub struct Fit {
    pub strategy: Strategy,
    pub resources: Cow<'static, [Weight]>,
    /// Extended resources that are somebody else's business.
    pub ignored: Cow<'static, [String]>,
    /// Those whose names begin with one of these and a slash are, too.
    pub ignored_groups: Cow<'static, [String]>,
}

impl Fit {
    /// As the default profile has it.
    pub const DEFAULT: Self = Self {
        strategy: Strategy::LeastAllocated,
        resources: Cow::Borrowed(CPU_AND_MEMORY),
        ignored: Cow::Borrowed(&[]),
        ignored_groups: Cow::Borrowed(&[]),
    };
}

impl Plugin for Fit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    fn filter(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> Verdict {
        let mut verdict = Verdict::SUCCESS;
        let pods = i64::try_from(node.pods.len()).unwrap_or(i64::MAX);
        if pods >= node.allocatable.pods {
            verdict = Verdict::unschedulable("Too many pods");
        }
        let asked = &pod.requests;
        let main = [
            ("cpu", asked.milli_cpu),
            ("memory", asked.memory),
            ("ephemeral-storage", asked.ephemeral_storage),
        ];
        let scalars = asked.scalars.iter().map(|(name, amount)| (&**name, *amount));
        let scalars = scalars.filter(|(name, _)| !self.ignores(name));
        for (name, amount) in main.into_iter().chain(scalars) {
            let whole = node.allocatable.get(name);
            if amount > 0 && amount > whole - node.requested.get(name) {
                verdict.reasons.push(Reason::Owned(format!("Insufficient {name}")));
                if amount > whole {
                    verdict.code = Code::UnschedulableAndUnresolvable;
                } else if verdict.code == Code::Success {
                    verdict.code = Code::Unschedulable;
                }
            }
        }
        verdict
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

    fn score(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> i64 {
        if let Strategy::RequestedToCapacityRatio(shape) = &self.strategy {
            return self.by_shape(shape, pod, node);
        }
        let (mut sum, mut weights) = (0, 0);
        for (name, weight) in &*self.resources {
            let asked = pod.non_zero.get(name);
            let Some(whole) = capacity(node, name, asked) else { continue };
            let used = used(node, name) + asked;
            let part = match self.strategy {
                Strategy::LeastAllocated => (whole - used).max(0),
                Strategy::MostAllocated | Strategy::RequestedToCapacityRatio(_) => used.min(whole),
            };
            sum += weight * (part.saturating_mul(MAX_NODE_SCORE) / whole);
            weights += weight;
        }
        if weights == 0 { 0 } else { sum / weights }
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{
            AssignedPodDeleted, AssignedPodShrunk, NodeAdded, NodeAllocatable, OwnShrunk,
        };
        matches!(event, NodeAdded | NodeAllocatable | AssignedPodDeleted)
            || matches!(event, AssignedPodShrunk | OwnShrunk)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        match about {
            About::Pod { old: Some(old), new: Some(new) } => {
                new.uid == pod.uid || asks_for_more(&pod.requests, &old.requests, &new.requests)
            }
            About::Node { old, new: Some(new) } => {
                // An empty node like this one has to do, and to have more of what the pod wants.
                let empty = NodeInfo::new(Rc::clone(&new.node));
                let has_more = |old: &&NodeInfo| {
                    new.allocatable.pods > old.allocatable.pods
                        || asks_for_more(&pod.requests, &new.allocatable, &old.allocatable)
                };
                self.filter(pod, &CycleState::default(), &empty).is_success()
                    && old.as_ref().is_none_or(has_more)
            }
            About::Pod { .. } | About::Node { .. } | About::Document { .. } => true,
        }
    }
}

impl Fit {
    /// Only extended resources are ever left to others.
    fn ignores(&self, name: &str) -> bool {
        let group = name.split_once('/').map(|(group, _)| group);
        let ignored = self.ignored.iter().any(|one| one == name)
            || self.ignored_groups.iter().any(|one| Some(one.as_str()) == group);
        ignored && is_extended(name)
    }

    /// The mean of what the shape says of each resource, rounded; a resource at 0 does not count.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "upstream divides as floats; scores are from 0 to 100"
    )]
    fn by_shape(&self, shape: &Shape, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for (name, weight) in &*self.resources {
            let asked = pod.non_zero.get(name);
            let Some(whole) = capacity(node, name, asked) else { continue };
            let used = used(node, name) + asked;
            let utilization = if used > whole {
                MAX_NODE_SCORE
            } else {
                used.saturating_mul(MAX_NODE_SCORE) / whole
            };
            let score = shape.score(utilization);
            if score > 0 {
                sum += score * weight;
                weights += weight;
            }
        }
        if weights == 0 { 0 } else { (sum as f64 / weights as f64).round() as i64 }
    }
}

/// Whether there is more than `less` of something that is asked for.
fn asks_for_more(asked: &Resources, more: &Resources, less: &Resources) -> bool {
    let plain = ["cpu", "memory", "ephemeral-storage"];
    let mut names = plain.into_iter().chain(asked.scalars.keys().map(|name| &**name));
    names.any(|name| asked.get(name) > 0 && more.get(name) > less.get(name))
}

/// What pods on the node have of a resource, with a least amount for each where that counts.
fn used(node: &NodeInfo, name: &str) -> i64 {
    match name {
        "cpu" | "memory" => node.non_zero_requested.get(name),
        _ => node.requested.get(name),
    }
}

/// What the node has of a resource; `None` where it does not count: the node has none of it, or it
/// is an extended one that the pod does not ask for.
pub(super) fn capacity(node: &NodeInfo, name: &str, asked: i64) -> Option<i64> {
    let plain = ["cpu", "memory", "ephemeral-storage"].contains(&name);
    let whole = node.allocatable.get(name);
    (whole != 0 && (plain || asked != 0)).then_some(whole)
}
