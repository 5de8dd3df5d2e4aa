//! What plugins said of each node the last time that an equal pod came.
//!
//! Pods made from one template differ in nothing that a plugin looks at, and a node that has not
//! changed since gets the same answer again, from the plugins that look at nothing but the pod and the
//! node ([`Plugin::looks_at_node_only`](super::framework::Plugin::looks_at_node_only)). Plugins that
//! look further find what they had worked out, and bring it up to date.

use std::rc::Rc;

use super::cache::Cache;
use super::framework::{CycleState, Verdict};
use super::node_info::{NodeInfo, PodInfo};
use super::preemption::Candidate;

/// The plugin that refused a node, and why; shared by the nodes that it is said of.
pub type Refusal = Rc<(&'static str, Verdict)>;
/// Who would have to leave a node, or why nobody's leaving helps.
pub type Victims = Result<Rc<Candidate>, Rc<Verdict>>;

/// How many different refusals are looked through for one that says the same.
const SHARED: usize = 16;

/// What is remembered of the nodes, by their place in the cache.
#[derive(Debug, Default)]
pub struct Evaluations {
    of: Option<Rc<PodInfo>>,
    /// With which namespaces and documents it is.
    surroundings: u64,
    nodes: Vec<Option<Evaluation>>,
    state: CycleState,
    /// Refusals that were heard, so that nodes refused alike share one.
    refusals: Vec<Refusal>,
}

/// What was said of one node.
#[derive(Debug)]
struct Evaluation {
    /// The change of the node after which it was asked.
    change: u64,
    refusal: Option<Refusal>,
    /// The score of each plugin that takes part; empty until one was asked for.
    scores: Vec<i64>,
    /// Who would have to leave it.
    victims: Option<Victims>,
}

impl Clone for Evaluations {
    /// Nothing: it only saves time.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Evaluations {
    /// What plugins worked out for the last pod, if `pod` is equal to it; all else is forgotten.
    pub fn begin(&mut self, pod: &Rc<PodInfo>, cache: &Cache) -> CycleState {
        let same = self.surroundings == cache.surroundings();
        if !same || !self.of.as_ref().is_some_and(|of| alike(of, pod)) {
            *self = Self { surroundings: cache.surroundings(), ..Self::default() };
        }
        self.of = Some(Rc::clone(pod));
        self.nodes.resize_with(cache.nodes().len(), || None);
        std::mem::take(&mut self.state)
    }

    /// Keeps what plugins have worked out.
    pub fn keep(&mut self, state: CycleState) {
        self.state = state;
    }

    /// The same refusal as one that was heard before, if it was.
    pub fn share(&mut self, refusal: Option<(&'static str, Verdict)>) -> Option<Refusal> {
        let refusal = refusal?;
        if let Some(same) = self.refusals.iter().find(|known| ***known == refusal) {
            return Some(Rc::clone(same));
        }
        let refusal = Rc::new(refusal);
        if self.refusals.len() < SHARED {
            self.refusals.push(Rc::clone(&refusal));
        }
        Some(refusal)
    }

    /// Who refused the node at `at`, asked only if that is not known.
    pub fn refusal(
        &mut self,
        at: usize,
        node: &NodeInfo,
        ask: impl FnOnce() -> Option<(&'static str, Verdict)>,
    ) -> Option<Refusal> {
        if self.is_stale(at, node) {
            let refusal = self.share(ask());
            self.remember(at, node, refusal);
        }
        self.nodes.get(at)?.as_ref()?.refusal.clone()
    }

    /// The scores of the node at `at`, which can take the pod, asked for only if they are not known.
    pub fn scores(&mut self, at: usize, node: &NodeInfo, ask: impl FnOnce() -> Vec<i64>) -> &[i64] {
        if self.is_stale(at, node) {
            self.remember(at, node, None);
        }
        let Some(Some(known)) = self.nodes.get_mut(at) else { return &[] };
        if known.scores.is_empty() {
            known.scores = ask();
        }
        &known.scores
    }

    /// Who would have to leave the node at `at` for the pod, asked only if that is not known.
    ///
    /// # Errors
    ///
    /// What `ask` says if nobody's leaving helps.
    pub fn victims(
        &mut self,
        at: usize,
        node: &NodeInfo,
        ask: impl FnOnce() -> Victims,
    ) -> Victims {
        match self.nodes.get_mut(at) {
            Some(Some(known)) if known.change == node.change => {
                known.victims.get_or_insert_with(ask).clone()
            }
            Some(_) | None => ask(),
        }
    }

    /// Whether nothing is known of the node at `at` as it is now.
    fn is_stale(&self, at: usize, node: &NodeInfo) -> bool {
        let known = self.nodes.get(at).and_then(Option::as_ref);
        known.is_none_or(|known| known.change != node.change)
    }

    fn remember(&mut self, at: usize, node: &NodeInfo, refusal: Option<Refusal>) {
        if let Some(slot) = self.nodes.get_mut(at) {
            let scores = Vec::new();
            *slot = Some(Evaluation { change: node.change, refusal, scores, victims: None });
        }
    }
}

/// Whether no plugin can tell the pods apart by themselves.
fn alike(one: &PodInfo, other: &PodInfo) -> bool {
    one.pod.spec == other.pod.spec
        && one.namespace() == other.namespace()
        && one.labels() == other.labels()
        && one.pod.metadata.owner_references == other.pod.metadata.owner_references
}
