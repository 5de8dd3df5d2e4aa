//! `InterPodAffinity`: near some pods, far from others, as a topology of the nodes' labels has it.

use std::rc::Rc;

use k8s_openapi::api::core::v1::{PodAffinityTerm, WeightedPodAffinityTerm};

use crate::api::Pod;
use crate::api::labels::Selector;
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Labels, MAX_NODE_SCORE, Plugin, PreFilter, Snapshot, Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::tally::{Counts, Tally};
use crate::sim::SortedSet;

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct InterPodAffinity {
    /// How much a pod's required affinity counts for the pods that it wants near.
    pub hard_weight: i64,
    /// Whether what the pods that are there want near or far is left aside for a pod that prefers
    /// nothing itself.
    pub ignore_preferred_of_existing: bool,
}

impl InterPodAffinity {
    /// As the default profile has it.
    pub const DEFAULT: Self = Self { hard_weight: 1, ignore_preferred_of_existing: false };
}

/// A pod's affinities to other pods, worked out.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub required: Vec<Term>,
    pub required_anti: Vec<Term>,
    preferred: Vec<(i64, Term)>,
    preferred_anti: Vec<(i64, Term)>,
}

/// Pods in some namespaces, and the label of nodes that says what is near them.
#[derive(Clone, Debug)]
pub struct Term {
    namespaces: SortedSet<String>,
    by_labels: Selector,
    selector: Selector,
    topology_key: Rc<str>,
}

impl Terms {
    /// Those of a pod; `None` if it has none.
    pub fn of(pod: &Pod) -> Option<Self> {
        let affinity = pod.spec.affinity.as_ref()?;
        let near = affinity.pod_affinity.as_ref();
        let far = affinity.pod_anti_affinity.as_ref();
        let (near_required, near_preferred) = near.map_or((None, None), |near| {
            (
                near.required_during_scheduling_ignored_during_execution.as_deref(),
                near.preferred_during_scheduling_ignored_during_execution.as_deref(),
            )
        });
        let (far_required, far_preferred) = far.map_or((None, None), |far| {
            (
                far.required_during_scheduling_ignored_during_execution.as_deref(),
                far.preferred_during_scheduling_ignored_during_execution.as_deref(),
            )
        });
        let required = |terms: Option<&[PodAffinityTerm]>| {
            terms.into_iter().flatten().map(|term| Term::new(pod, term)).collect()
        };
        let preferred = |terms: Option<&[WeightedPodAffinityTerm]>| {
            let terms = terms.into_iter().flatten();
            terms
                .map(|term| (term.weight.into(), Term::new(pod, &term.pod_affinity_term)))
                .collect()
        };
        let terms = Self {
            required: required(near_required),
            required_anti: required(far_required),
            preferred: preferred(near_preferred),
            preferred_anti: preferred(far_preferred),
        };
        let some = !terms.required.is_empty()
            || !terms.required_anti.is_empty()
            || !terms.preferred.is_empty()
            || !terms.preferred_anti.is_empty();
        some.then_some(terms)
    }
}

impl Term {
    fn new(pod: &Pod, term: &PodAffinityTerm) -> Self {
        let selector = |object| Selector::from_object(object).unwrap_or(Selector::Nothing);
        let mut namespaces = term.namespaces.iter().flatten().cloned().collect::<SortedSet<_>>();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.extend(pod.metadata.namespace.as_deref().map(str::to_owned));
        }
        Self {
            namespaces,
            by_labels: selector(term.namespace_selector.as_ref()),
            selector: selector(term.label_selector.as_ref()),
            topology_key: term.topology_key.as_str().into(),
        }
    }

    /// Whether it means a pod; `namespace` are the labels of the pod's namespace.
    fn means(&self, pod: &PodInfo, namespace: Option<&Labels>) -> bool {
        (self.namespaces.contains(pod.namespace()) || self.by_labels.matches(namespace))
            && self.selector.matches(pod.labels())
    }
}

/// The empty list where there are no terms.
fn terms<'a>(pod: &'a PodInfo, of: impl Fn(&'a Terms) -> &'a [Term]) -> &'a [Term] {
    pod.terms.as_deref().map_or(&[], of)
}

/// What the pods that are there mean for the one that comes.
#[derive(Clone, Debug, Default)]
pub struct Affinity {
    /// Pods there that want it far.
    existing_anti: Tally,
    /// Pods there that all its affinities mean.
    near: Tally,
    /// Pods there that one of its anti-affinities means.
    far: Tally,
    /// No pod is near, and it is itself one that it wants near.
    is_first: bool,
}

/// How much the pods that are there speak for each value of each label.
#[derive(Clone, Debug, Default)]
pub struct AffinityScores(Tally);

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        state: &mut CycleState,
    ) -> PreFilter {
        let near = terms(pod, |terms| &terms.required);
        let far = terms(pod, |terms| &terms.required_anti);
        let own = cluster.namespace(pod.namespace());
        let has_own = !near.is_empty() || !far.is_empty();
        let mut affinity = std::mem::take(&mut state.affinity);
        if !has_own && cluster.nodes_with_terms().next().is_none() {
            return PreFilter::Skip;
        }
        affinity.existing_anti.update(cluster, &|node, counts| {
            for there in node.pods.iter().filter(|_| node.has_terms()) {
                for term in terms(there, |terms| &terms.required_anti) {
                    if term.means(pod, own) {
                        counts.add(&term.topology_key, 1);
                    }
                }
            }
        });
        if !near.is_empty() {
            affinity.near.update(cluster, &|node, counts| {
                for there in &node.pods {
                    let theirs = cluster.namespace(there.namespace());
                    if near.iter().all(|term| term.means(there, theirs)) {
                        for term in near {
                            counts.add(&term.topology_key, 1);
                        }
                    }
                }
            });
        }
        if !far.is_empty() {
            affinity.far.update(cluster, &|node, counts| {
                for there in &node.pods {
                    let theirs = cluster.namespace(there.namespace());
                    for term in far.iter().filter(|term| term.means(there, theirs)) {
                        counts.add(&term.topology_key, 1);
                    }
                }
            });
        }
        let runs = has_own || !affinity.existing_anti.is_empty();
        // A pod that means itself may be the first of its kind.
        affinity.is_first =
            affinity.near.is_empty() && near.iter().all(|term| term.means(pod, own));
        state.affinity = affinity;
        if runs { PreFilter::Run } else { PreFilter::Skip }
    }

    fn filter(&self, pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        let affinity = &state.affinity;
        if !affinity.is_near(terms(pod, |terms| &terms.required), node) {
            return Verdict::unresolvable("node(s) didn't match pod affinity rules");
        }
        let far = terms(pod, |terms| &terms.required_anti);
        let meets =
            |term: &Term| affinity.far.of(&term.topology_key, node).is_some_and(|pods| pods > 0);
        if far.iter().any(meets) {
            return Verdict::unschedulable("node(s) didn't match pod anti-affinity rules");
        }
        if affinity.existing_anti.on(node) > 0 {
            let reason = "node(s) didn't satisfy existing pods anti-affinity rules";
            return Verdict::unschedulable(reason);
        }
        Verdict::SUCCESS
    }

    fn pre_score(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        _nodes: &[&NodeInfo],
        state: &mut CycleState,
    ) -> Verdict {
        let own = pod.terms.as_deref();
        let prefers =
            own.is_some_and(|own| !own.preferred.is_empty() || !own.preferred_anti.is_empty());
        if self.ignore_preferred_of_existing && !prefers {
            return Verdict::SKIP;
        }
        let mut scores = std::mem::take(&mut state.affinity_scores.0);
        if !prefers && cluster.nodes_with_terms().next().is_none() {
            return Verdict::SKIP;
        }
        scores.update(cluster, &|node, counts| {
            let counting = node.pods.iter().filter(|there| prefers || there.terms.is_some());
            for there in counting.filter(|_| prefers || node.has_terms()) {
                self.count(pod, there, cluster, counts);
            }
        });
        let nothing = scores.is_empty();
        state.affinity_scores = AffinityScores(scores);
        if nothing { Verdict::SKIP } else { Verdict::SUCCESS }
    }

    fn score(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        state.affinity_scores.0.on(node)
    }

    /// From the least to the most, whatever their signs.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "upstream divides as floats; the result is from 0 to 100"
    )]
    fn normalized(&self, raw: &[i64]) -> Option<Vec<i64>> {
        let least = raw.iter().copied().min().unwrap_or_default();
        let most = raw.iter().copied().max().unwrap_or_default();
        let range = most - least;
        let scale = |score: &i64| {
            let share = if range > 0 { (score - least) as f64 / range as f64 } else { 0.0 };
            (MAX_NODE_SCORE as f64 * share) as i64
        };
        Some(raw.iter().map(scale).collect())
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{
            AssignedPodAdded, AssignedPodDeleted, AssignedPodLabels, NamespaceLabels, NodeAdded,
            NodeLabels, OwnLabels,
        };
        matches!(event, AssignedPodAdded | AssignedPodDeleted | AssignedPodLabels)
            || matches!(event, NamespaceLabels | NodeAdded | NodeLabels | OwnLabels)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, cluster: &dyn Snapshot) -> bool {
        let (near, far) = (terms(pod, |it| &it.required), terms(pod, |it| &it.required_anti));
        let means = |terms: &[Term], other: &PodInfo| {
            let namespace = cluster.namespace(other.namespace());
            !terms.is_empty() && terms.iter().all(|term| term.means(other, namespace))
        };
        match about {
            About::Pod { new: Some(new), .. } if new.uid == pod.uid => true,
            About::Pod { old: Some(old), new: Some(new) } => {
                !means(near, old) && means(near, new) || means(far, old) && !means(far, new)
            }
            About::Pod { old: None, new: Some(new) } => means(near, new),
            About::Pod { old: Some(gone), new: None } => {
                means(far, gone) || keeps_away(gone, pod, cluster)
            }
            About::Node { old, new: Some(new) } => {
                let Some(old) = old else {
                    return near.is_empty()
                        || !far.is_empty()
                        || near.iter().any(|term| new.label(&term.topology_key).is_some());
                };
                let values =
                    |term: &Term| (old.label(&term.topology_key), new.label(&term.topology_key));
                let comes = |(old, new): (Option<&str>, Option<&str>)| new.is_some() && old != new;
                let goes = |(old, new): (Option<&str>, Option<&str>)| old.is_some() && old != new;
                near.is_empty() && far.is_empty()
                    || near.iter().any(|term| comes(values(term)))
                    || far.iter().any(|term| goes(values(term)))
            }
            About::Pod { .. } | About::Node { .. } | About::Document { .. } => true,
        }
    }
}

/// Whether a pod wants the other far.
fn keeps_away(there: &PodInfo, pod: &PodInfo, cluster: &dyn Snapshot) -> bool {
    let namespace = cluster.namespace(pod.namespace());
    terms(there, |it| &it.required_anti).iter().any(|term| term.means(pod, namespace))
}

impl Affinity {
    fn is_near(&self, near: &[Term], node: &NodeInfo) -> bool {
        let mut exist = true;
        for term in near {
            // A node without the label is near to nothing.
            let Some(pods) = self.near.of(&term.topology_key, node) else { return false };
            exist &= pods > 0;
        }
        exist || self.is_first
    }
}

impl InterPodAffinity {
    /// Counts what the pod that comes and one that is there prefer of each other.
    fn count(
        &self,
        pod: &PodInfo,
        there: &PodInfo,
        cluster: &dyn Snapshot,
        counts: &mut Counts<'_>,
    ) {
        let mut add = |weight: i64, term: &Term, means: &PodInfo| {
            if weight != 0 && term.means(means, cluster.namespace(means.namespace())) {
                counts.add(&term.topology_key, weight);
            }
        };
        if let Some(own) = &pod.terms {
            own.preferred.iter().for_each(|(weight, term)| add(*weight, term, there));
            own.preferred_anti.iter().for_each(|(weight, term)| add(-weight, term, there));
        }
        if let Some(theirs) = &there.terms {
            theirs.required.iter().for_each(|term| add(self.hard_weight, term, pod));
            theirs.preferred.iter().for_each(|(weight, term)| add(*weight, term, pod));
            theirs.preferred_anti.iter().for_each(|(weight, term)| add(-weight, term, pod));
        }
    }
}
