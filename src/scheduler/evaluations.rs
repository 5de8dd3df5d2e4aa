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

/// What is remembered of the nodes, by their place in the cache. Each kind of it stands in a list of its
/// own: a cycle that looks at hundreds of nodes walks through a few lists then, not through as many nodes.
#[derive(Debug, Default)]
pub struct Evaluations {
    of: Option<Rc<PodInfo>>,
    /// With which namespaces and documents it is.
    surroundings: u64,
    /// The change of each node after which it was asked; 0 if it never was.
    asked: Vec<u64>,
    refused: Vec<Option<Refusal>>,
    /// The plugins whose scores are remembered.
    scorers: Vec<&'static str>,
    /// The change of each node after which it was scored; 0 if it never was.
    scored: Vec<u64>,
    /// As many scores of each node as there are scorers.
    scores: Vec<i64>,
    /// Who would have to leave each node.
    victims: Vec<Option<Victims>>,
    state: CycleState,
    /// Refusals that were heard, so that nodes refused alike share one.
    refusals: Vec<Refusal>,
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
        let nodes = cache.nodes().len();
        self.asked.resize(nodes, 0);
        self.refused.resize(nodes, None);
        self.scored.resize(nodes, 0);
        self.scores.resize(nodes * self.scorers.len(), 0);
        self.victims.resize(nodes, None);
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

    /// Who refused the node at `at`, asked only if that is not known of the node after `change`.
    pub fn refusal(
        &mut self,
        at: usize,
        change: u64,
        ask: impl FnOnce() -> Option<(&'static str, Verdict)>,
    ) -> Option<Refusal> {
        let asked = self.asked.get(at).copied();
        if asked == Some(change) {
            return self.refused.get(at)?.clone();
        }
        let refusal = self.share(ask());
        let slots = (self.asked.get_mut(at), self.refused.get_mut(at), self.victims.get_mut(at));
        if let (Some(asked), Some(refused), Some(victims)) = slots {
            (*asked, *victims) = (change, None);
            refused.clone_from(&refusal);
        }
        refusal
    }

    /// From here on scores are those of `scorers`.
    pub fn score_by(&mut self, scorers: impl Iterator<Item = &'static str> + Clone) {
        if !self.scorers.iter().copied().eq(scorers.clone()) {
            self.scorers = scorers.collect();
            self.scored.fill(0);
            self.scores = vec![0; self.scored.len() * self.scorers.len()];
        }
    }

    /// The scores of the node at `at`, which can take the pod, after `change`; `ask` fills in what is not
    /// known.
    pub fn scores(&mut self, at: usize, change: u64, ask: impl FnOnce(&mut [i64])) -> &[i64] {
        let width = self.scorers.len();
        let slots = (self.scored.get_mut(at), self.scores.get_mut(at * width..(at + 1) * width));
        let (Some(after), Some(scores)) = slots else { return &[] };
        if *after != change {
            ask(scores);
            *after = change;
        }
        scores
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
        match (self.asked.get(at), self.victims.get_mut(at)) {
            (Some(asked), Some(victims)) if *asked == node.change => {
                victims.get_or_insert_with(ask).clone()
            }
            _ => ask(),
        }
    }
}

/// Whether no plugin can tell the pods apart by themselves.
fn alike(one: &PodInfo, other: &PodInfo) -> bool {
    (Rc::ptr_eq(&one.pod.spec, &other.pod.spec) || one.pod.spec == other.pod.spec)
        && one.namespace() == other.namespace()
        && one.labels() == other.labels()
        && one.pod.metadata.owner_references == other.pod.metadata.owner_references
}
