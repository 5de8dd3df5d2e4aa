//! What the scheduler decided and why, kept for people to look at.

use std::collections::VecDeque;
use std::rc::Rc;

use super::evaluations::Refusal;
use super::preemption::Candidate;
use super::told::Told;
use crate::sim::{Instant, SortedMap};

/// A Pod's namespace and name.
pub type PodKey = (Rc<str>, Rc<str>);

/// How many decisions of one pod are kept.
const PER_POD: usize = 8;
/// How many pods' decisions are kept.
const PODS: usize = 512;
/// How many decisions are kept in their order.
const LATEST: usize = 512;
/// Of how many nodes a decision tells.
pub const NODES: usize = 128;
/// Of how many nodes a decision tells who would have to go.
pub const CANDIDATES: usize = 32;

/// One attempt to schedule a pod.
#[derive(Clone, Debug)]
pub struct Decision {
    pub pod: PodKey,
    pub uid: Rc<str>,
    pub at: Instant,
    /// Why it failed.
    pub message: Option<Rc<str>>,
    /// The nodes that were looked at, in that order; of many only the first.
    pub nodes: Told,
    /// How many of all that were looked at can take the pod.
    pub feasible: usize,
    /// How many cannot.
    pub refused: usize,
    pub chosen: Option<Rc<str>>,
    /// Whether the pod waited for the chosen node: then no other was looked at.
    pub was_nominated: bool,
    /// The nodes that it could have if others went: first the one where room is made, then the others as they
    /// were looked at; of many only the first.
    pub candidates: Vec<Rc<Candidate>>,
    /// How many nodes had the best score.
    pub tied: usize,
}

impl Decision {
    /// Whether both tell of the same attempt: no pod is tried twice in a moment.
    pub fn is_of_attempt(&self, other: &Self) -> bool {
        (&self.uid, self.at) == (&other.uid, other.at)
    }
}

impl PartialEq for Decision {
    /// Whether both tell of the same attempt, and the same of its nodes.
    fn eq(&self, other: &Self) -> bool {
        self.is_of_attempt(other) && self.nodes == other.nodes
    }
}

/// What the plugins said of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeVerdict {
    pub node: Rc<str>,
    /// The plugin that refused it, and why.
    pub filtered_by: Option<Refusal>,
    /// Empty where nothing was scored: it was refused, or was the only one. Nodes that are alike share
    /// them.
    pub scores: Rc<[Score]>,
    pub total: i64,
}

/// What one plugin gave one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    pub plugin: &'static str,
    pub raw: i64,
    pub normalized: i64,
    pub weight: i64,
    pub weighted: i64,
}

/// The latest decisions by pod.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    by_pod: SortedMap<PodKey, Vec<Rc<Decision>>>,
    /// The pods in the order of their first decision.
    order: VecDeque<PodKey>,
    /// The latest of all.
    latest: VecDeque<Rc<Decision>>,
    /// How many there were.
    count: u64,
}

impl Decisions {
    /// Keeps one more.
    pub fn push(&mut self, decision: Decision) {
        let decision = Rc::new(decision);
        let history = self.by_pod.or_default(decision.pod.clone());
        let is_first = history.is_empty();
        if history.len() == PER_POD {
            history.remove(0);
        }
        history.push(Rc::clone(&decision));
        if is_first {
            self.order.push_back(decision.pod.clone());
            if self.order.len() > PODS
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_pod.remove(&oldest);
            }
        }
        if self.latest.len() == LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(decision);
        self.count += 1;
    }

    /// Forgets them all, but for how many there were.
    pub fn forget(&mut self) {
        *self = Self { count: self.count, ..Self::default() };
    }

    /// How many decisions there were so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The decisions after the first `seen`, as far as they are kept.
    pub fn since(&self, seen: u64) -> impl Iterator<Item = &Rc<Decision>> {
        let new = usize::try_from(self.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        self.latest.iter().skip(self.latest.len().saturating_sub(new))
    }

    /// The decisions about a pod, oldest first.
    pub fn of(&self, namespace: &str, name: &str) -> &[Rc<Decision>] {
        let history = self.by_pod.get(&(namespace.into(), name.into()));
        history.map(Vec::as_slice).unwrap_or_default()
    }
}
