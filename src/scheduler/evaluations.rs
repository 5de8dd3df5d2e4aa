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

/// The plugin that refused a node, and why.
pub type Refusal = (&'static str, Verdict);

/// What is remembered of the nodes, by their place in the cache.
#[derive(Debug, Default)]
pub struct Evaluations {
    of: Option<Rc<PodInfo>>,
    /// With which namespaces and documents it is.
    surroundings: u64,
    nodes: Vec<Option<Evaluation>>,
    state: CycleState,
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
    victims: Option<Result<Candidate, Verdict>>,
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

    /// Who refused the node at `at`, asked only if that is not known.
    pub fn refusal(
        &mut self,
        at: usize,
        node: &NodeInfo,
        ask: impl FnOnce() -> Option<Refusal>,
    ) -> Option<&Refusal> {
        self.known(at, node, ask)?.refusal.as_ref()
    }

    /// The scores of the node at `at`, which can take the pod, asked for only if they are not known.
    pub fn scores(&mut self, at: usize, node: &NodeInfo, ask: impl FnOnce() -> Vec<i64>) -> &[i64] {
        let Some(known) = self.known(at, node, || None) else { return &[] };
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
        ask: impl FnOnce() -> Result<Candidate, Verdict>,
    ) -> Result<Candidate, Verdict> {
        match self.nodes.get_mut(at) {
            Some(Some(known)) if known.change == node.change => {
                known.victims.get_or_insert_with(ask).clone()
            }
            Some(_) | None => ask(),
        }
    }

    fn known(
        &mut self,
        at: usize,
        node: &NodeInfo,
        ask: impl FnOnce() -> Option<Refusal>,
    ) -> Option<&mut Evaluation> {
        let slot = self.nodes.get_mut(at)?;
        match slot {
            Some(known) if known.change == node.change => {}
            _ => {
                *slot = Some(Evaluation {
                    change: node.change,
                    refusal: ask(),
                    scores: Vec::new(),
                    victims: None,
                });
            }
        }
        slot.as_mut()
    }
}

/// Whether no plugin can tell the pods apart by themselves.
fn alike(one: &PodInfo, other: &PodInfo) -> bool {
    one.pod.spec == other.pod.spec
        && one.namespace() == other.namespace()
        && one.labels() == other.labels()
        && one.pod.metadata.owner_references == other.pod.metadata.owner_references
}
