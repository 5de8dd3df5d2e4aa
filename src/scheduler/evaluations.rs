//! What plugins said of each node the last time that an equal pod came.
//!
//! Pods made from one template differ in nothing that a plugin looks at, and a node that has not
//! changed since gets the same answer again, from the plugins that look at nothing but the pod and the
//! node ([`Plugin::looks_at_node_only`](super::framework::Plugin::looks_at_node_only)). Plugins that
//! look further find what they had worked out, and bring it up to date.

use std::rc::Rc;

use super::cache::Cache;
use super::framework::{CycleState, Verdict};
use super::node_info::PodInfo;
use super::order::Order;
use super::preemption::{Candidate, Cost};

/// The plugin that refused a node, and why; shared by the nodes that it is said of.
pub type Refusal = Rc<(&'static str, Verdict)>;

/// Who would have to leave a node.
#[derive(Clone, Debug)]
enum Victims {
    /// Nobody has asked.
    Unknown,
    /// Nobody's leaving helps.
    None(Rc<Verdict>),
    Some(Cost, Rc<Candidate>),
}

/// What was said of all nodes when none could take a pod: their places, in the order in which they were
/// looked at, with the numbers of their refusals.
#[derive(Debug, Default)]
pub struct AllRefused {
    /// The turn of the first.
    from: usize,
    /// The order in which that was; none if it was that of their places.
    order: Option<Rc<Order>>,
    refused: Vec<(usize, usize)>,
    /// A place whose answer was for the last pod alone.
    own: Option<usize>,
}

impl AllRefused {
    fn set(&mut self, at: usize, refusal: usize) {
        let count = self.refused.len();
        let turn = self.order.as_ref().map_or(Some(at), |order| order.turn(at));
        let turn =
            turn.and_then(|turn| (turn + count).saturating_sub(self.from).checked_rem(count));
        if let Some(slot) = turn.and_then(|turn| self.refused.get_mut(turn)) {
            *slot = (at, refusal);
        }
    }
}

/// How many nodes are compared at once.
const CHUNK: usize = 64;
/// How many different refusals are remembered; beyond that all is forgotten.
const MOST_REFUSALS: usize = 1000;
/// Nobody refused.
const NOT_REFUSED: u32 = 0;

/// What is remembered of the nodes, by their place in the cache. Each kind of it stands in a list of its
/// own: a cycle that looks at hundreds of nodes walks through a few lists then, not through as many nodes.
#[derive(Debug, Default)]
pub struct Evaluations {
    of: Option<Rc<PodInfo>>,
    /// With which namespaces and documents it is.
    surroundings: u64,
    /// The change of each node after which it was asked; 0 if it never was.
    asked: Vec<u64>,
    /// Of each node the number of its refusal, counted from 1.
    refused: Vec<u32>,
    /// The plugins whose scores are remembered.
    scorers: Vec<&'static str>,
    /// The change of each node after which it was scored; 0 if it never was.
    scored: Vec<u64>,
    /// As many scores of each node as there are scorers.
    scores: Vec<i64>,
    /// Who would have to leave each node.
    victims: Vec<Victims>,
    state: CycleState,
    /// Refusals that were heard, so that nodes refused alike share one.
    refusals: Vec<Refusal>,
    /// The last reason why nobody's leaving helps: most nodes share it.
    hopeless: Option<Rc<Verdict>>,
    /// What was said when an equal pod fitted nowhere, kept as each node is asked anew.
    all: Option<AllRefused>,
    /// Lists that the last cycle has left, for the next.
    room: (Vec<usize>, Vec<(usize, usize)>),
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
        let same = self.surroundings == cache.surroundings() && self.refusals.len() < MOST_REFUSALS;
        if !same || !self.of.as_ref().is_some_and(|of| of.is_alike(pod)) {
            *self = Self { surroundings: cache.surroundings(), ..Self::default() };
        }
        self.of = Some(Rc::clone(pod));
        let nodes = cache.nodes().len();
        self.all = self.all.take().filter(|all| all.refused.len() == nodes);
        self.asked.resize(nodes, 0);
        self.refused.resize(nodes, NOT_REFUSED);
        self.scored.resize(nodes, 0);
        self.scores.resize(nodes * self.scorers.len(), 0);
        self.victims.resize(nodes, Victims::Unknown);
        std::mem::take(&mut self.state)
    }

    /// Keeps what plugins have worked out.
    pub fn keep(&mut self, state: CycleState) {
        self.state = state;
    }

    /// Empty lists for a cycle, as large as the last one needed them.
    pub fn room(&mut self) -> (Vec<usize>, Vec<(usize, usize)>) {
        std::mem::take(&mut self.room)
    }

    /// Gives back what [`Evaluations::room`] lent; of two pairs of lists the larger is kept.
    pub fn leave(&mut self, mut feasible: Vec<usize>, mut refused: Vec<(usize, usize)>) {
        if feasible.capacity() + refused.capacity()
            > self.room.0.capacity() + self.room.1.capacity()
        {
            feasible.clear();
            refused.clear();
            self.room = (feasible, refused);
        }
    }

    /// Keeps what was said of all nodes, from the turn `from` on, by plugins that look at nothing else; at
    /// the place `own` the answer was for this pod alone.
    pub fn leave_all(
        &mut self,
        from: usize,
        order: Option<&Rc<Order>>,
        own: Option<usize>,
        refused: Vec<(usize, usize)>,
    ) {
        self.all = Some(AllRefused { from, order: order.map(Rc::clone), refused, own });
    }

    /// What was said of all nodes in this order, from the turn `from` on, when an equal pod fitted nowhere,
    /// and the places that have to be asked anew: the rest of it still holds.
    pub fn all_refused(
        &self,
        from: usize,
        order: Option<&Rc<Order>>,
        changes: &[u64],
    ) -> Option<Vec<usize>> {
        let is_same = |all: &&AllRefused| {
            all.from == from && all.order.as_ref().map(Rc::as_ptr) == order.map(Rc::as_ptr)
        };
        let all = self.all.as_ref().filter(is_same)?;
        let mut stale: Vec<usize> = all.own.into_iter().collect();
        // Few have changed, and to compare many numbers at once is quick.
        let chunks = self.asked.chunks(CHUNK).zip(changes.chunks(CHUNK)).enumerate();
        for (number, (asked, latest)) in chunks.filter(|(_, (asked, latest))| asked != latest) {
            let pairs = asked.iter().zip(latest).enumerate();
            let differing = pairs.filter(|(_, (asked, latest))| asked != latest);
            stale.extend(differing.map(|(at, _)| number * CHUNK + at));
        }
        Some(stale)
    }

    /// Takes that out.
    pub fn take_all(&mut self) -> Vec<(usize, usize)> {
        self.all.take().map(|all| all.refused).unwrap_or_default()
    }

    /// Puts the answer of the node at `at` into it; if the node can take the pod, there is nothing to keep.
    pub fn put_in_all(&mut self, at: usize, refusal: Option<usize>) {
        match (&mut self.all, refusal) {
            (Some(all), Some(refusal)) => all.set(at, refusal),
            (Some(_), None) => self.all = None,
            (None, _) => {}
        }
    }

    /// The refusals that were heard for pods like this one, by their numbers.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// The number of a refusal: that of one that says the same, if there is one.
    pub fn share(&mut self, refusal: Option<(&'static str, Verdict)>) -> Option<usize> {
        let refusal = refusal?;
        let known = self.refusals.iter().position(|known| **known == refusal);
        Some(known.unwrap_or_else(|| {
            self.refusals.push(Rc::new(refusal));
            self.refusals.len() - 1
        }))
    }

    /// The number of the refusal of the node at `at`, asked only if that is not known of the node after
    /// `change`.
    pub fn refusal(
        &mut self,
        at: usize,
        change: u64,
        ask: impl FnOnce() -> Option<(&'static str, Verdict)>,
    ) -> Option<usize> {
        if self.asked.get(at) == Some(&change) {
            return usize::try_from(*self.refused.get(at)?).ok()?.checked_sub(1);
        }
        let refusal = self.share(ask());
        let slots = (self.asked.get_mut(at), self.refused.get_mut(at), self.victims.get_mut(at));
        if let (Some(asked), Some(refused), Some(victims)) = slots {
            let number = refusal.and_then(|number| u32::try_from(number + 1).ok());
            (*asked, *refused, *victims) =
                (change, number.unwrap_or(NOT_REFUSED), Victims::Unknown);
        }
        self.put_in_all(at, refusal);
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

    /// Sees to it that the scores of the node at `at`, which can take the pod, are those after `change`;
    /// `ask` fills in what is not known.
    pub fn score(&mut self, at: usize, change: u64, ask: impl FnOnce(&mut [i64])) {
        let Some(after) = self.scored.get_mut(at).filter(|after| **after != change) else { return };
        let width = self.scorers.len();
        if let Some(scores) = self.scores.get_mut(at * width..(at + 1) * width) {
            ask(scores);
            *after = change;
        }
    }

    /// What the scorer of a number gave the node at `at`.
    pub fn scored(&self, at: usize, scorer: usize) -> i64 {
        self.scores.get(at * self.scorers.len() + scorer).copied().unwrap_or_default()
    }

    /// How many protected pods would have to leave the node at `at` for the pod, asked only if that is not
    /// known of the node as it was when somebody asked last who refuses it; none if nobody's leaving helps.
    pub fn violations(
        &mut self,
        at: usize,
        ask: impl FnOnce() -> Result<Candidate, Verdict>,
    ) -> Option<usize> {
        let victims = self.victims.get_mut(at)?;
        if matches!(victims, Victims::Unknown) {
            *victims = match ask() {
                Ok(candidate) => Victims::Some(candidate.cost, Rc::new(candidate)),
                Err(why) => Victims::None(match &self.hopeless {
                    Some(known) if **known == why => Rc::clone(known),
                    Some(_) | None => Rc::clone(self.hopeless.insert(Rc::new(why))),
                }),
            };
        }
        self.cost(at).map(|cost| cost.violations)
    }

    /// Why nobody's leaving the node at `at` helps, if that is known.
    pub fn hopeless(&self, at: usize) -> Option<&Rc<Verdict>> {
        match self.victims.get(at)? {
            Victims::None(why) => Some(why),
            Victims::Unknown | Victims::Some(..) => None,
        }
    }

    /// What it costs to have the node at `at`, if that is known.
    pub fn cost(&self, at: usize) -> Option<Cost> {
        match self.victims.get(at)? {
            Victims::Some(cost, _) => Some(*cost),
            Victims::Unknown | Victims::None(_) => None,
        }
    }

    /// Who would have to leave the node at `at`, if that is known.
    pub fn candidate(&self, at: usize) -> Option<&Rc<Candidate>> {
        match self.victims.get(at)? {
            Victims::Some(_, candidate) => Some(candidate),
            Victims::Unknown | Victims::None(_) => None,
        }
    }

    /// Forgets who would have to leave the node at `at`; without one, who would have to leave any.
    pub fn forget_victims(&mut self, at: Option<usize>) {
        match at {
            Some(at) => {
                if let Some(victims) = self.victims.get_mut(at) {
                    *victims = Victims::Unknown;
                }
            }
            None => self.victims.fill(Victims::Unknown),
        }
    }
}
