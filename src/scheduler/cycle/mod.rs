//! One scheduling cycle: which nodes can take a pod, and which of them is best.
//!
//! Mirrors: `pkg/scheduler/schedule_one.go`.

mod diagnosis;
mod looking;
mod room;
mod scoring;

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;

pub use self::diagnosis::{preemption_failed, refused_on_one};

use self::diagnosis::{diagnose, filter_error};
use self::looking::{Feasible, Refused, first_refusal, look};
use self::room::{NoRoom, preempt};
use self::scoring::{score, totals};
use super::cache::Cache;
use super::evaluations::{Evaluations, Refusal};
use super::framework::{CycleState, Plugin, PreFilter, Snapshot, Verdict};
use super::node_info::{NodeInfo, PodInfo};
use super::preemption::{Candidate, Overlay, Preemption, eligible};
use super::profile::Profile;
use super::told::Told;
use crate::api::Document;
use crate::sim::Rng;

/// A search never stops before it has found this many nodes.
const LEAST_FEASIBLE: usize = 100;
/// Of very many nodes at least this percentage is looked for.
const LEAST_PERCENTAGE: usize = 5;

/// How a cycle came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was said of the nodes that were looked at; of very many only the first are told of, and the
    /// chosen one.
    pub nodes: Told,
    /// How many of those that were looked at can take the pod.
    pub feasible: usize,
    /// How many cannot.
    pub refused: usize,
    /// How many nodes had the best score.
    pub tied: usize,
    /// What is to be written before the pod is bound.
    pub reserved: Vec<Document>,
    pub result: Result<Rc<str>, Failure>,
}

/// Why no node takes the pod.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    pub message: String,
    /// Whether it is not known if one could: a plugin could not tell.
    pub is_error: bool,
    pub refused_by: Rc<[&'static str]>,
    /// The nodes that can be had if others go, as far as is told: first the one where they are to go.
    pub candidates: Vec<Rc<Candidate>>,
    /// Whether there is no node that the pod could wait for.
    pub waits_for_none: bool,
}

/// How many nodes that can take a pod are enough; a `percentage` of 0 adapts to their number.
pub fn enough_nodes(percentage: usize, nodes: usize) -> usize {
    if nodes < LEAST_FEASIBLE || percentage >= 100 {
        return nodes;
    }
    let percentage = match percentage {
        0 => 50usize.saturating_sub(nodes / 125).max(LEAST_PERCENTAGE),
        set => set,
    };
    (nodes * percentage / 100).max(LEAST_FEASIBLE)
}

/// Where searches begin, so that all nodes get their turn.
#[derive(Clone, Debug, Default)]
pub struct Rotation {
    pub start: usize,
}

/// What stops a search before it begins, and what narrows it.
struct Search<'p> {
    state: CycleState,
    filters: Vec<&'p dyn Plugin>,
    names: Option<BTreeSet<String>>,
    narrowed_by: Vec<&'static str>,
}

impl Search<'_> {
    /// Whether the filters look at nothing but the pod and the node.
    fn looks_at_nodes_only(&self) -> bool {
        self.filters.iter().all(|plugin| plugin.looks_at_node_only())
    }
}

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub profile: &'a Profile,
    pub pod: &'a Rc<PodInfo>,
    pub now: Timestamp,
    /// Of how many nodes is told; that changes nothing else.
    pub most: usize,
}

/// Looks for a node for a pod, as its profile says.
pub fn schedule(
    attempt: Attempt<'_>,
    cache: &Cache,
    rotation: &mut Rotation,
    evaluations: &mut Evaluations,
    rng: &mut Rng,
) -> Outcome {
    let Attempt { profile, pod, now, most } = attempt;
    let fail = |message: String, refused_by: Rc<[_]>, waits_for_none| Outcome {
        nodes: Told::default(),
        feasible: 0,
        refused: 0,
        tied: 0,
        reserved: Vec::new(),
        result: Err(Failure { message, refused_by, waits_for_none, ..Failure::default() }),
    };
    let count = cache.nodes().len();
    if count == 0 {
        let message = "no nodes available to schedule pods".to_owned();
        return fail(message, Rc::default(), true);
    }
    let mut search = match prepare(profile, pod, cache, evaluations.begin(pod, cache)) {
        Ok(search) => search,
        Err((plugin, verdict)) => {
            let (message, waits_for_none) = refused_at_all(profile, pod, count, &verdict);
            return fail(message, Rc::new([plugin]), waits_for_none);
        }
    };
    let (feasible, refused) = look(profile, pod, &search, cache, rotation, evaluations);
    if let Some(message) = filter_error(&refused, evaluations.refusals()) {
        return without_decision(message, search, (cache, most), evaluations, (feasible, refused));
    }
    if feasible.is_empty() {
        let (mut message, refused_by) = diagnose(count, &search, &refused, evaluations.refusals());
        let is_known = search.looks_at_nodes_only();
        let preemption = Preemption { pod, cluster: cache, filters: &search.filters, now };
        let preempt = profile.preemption.map(|limits| {
            preempt(&preemption, cache, limits, &refused, evaluations, is_known, rng)
        });
        let (candidates, waits_for_none) = match preempt {
            Some(Ok(candidates)) => (candidates, false),
            Some(Err(NoRoom { why, is_eligible })) => {
                message = format!("{message} {why}");
                (Vec::new(), is_eligible)
            }
            // Where nobody makes room, none is kept.
            None => (Vec::new(), true),
        };
        evaluations.keep(search.state);
        let is_error = false;
        let result = Err(Failure { message, is_error, refused_by, candidates, waits_for_none });
        let nodes = Told {
            names: Rc::clone(cache.names()),
            refused: told(&refused, evaluations.refusals(), most),
            ..Told::default()
        };
        let (looked_at, reserved) = (refused.len(), Vec::new());
        if is_known && search.names.is_none() && looked_at == count {
            // A search that has been all round begins there again.
            let (from, own) = (rotation.start % count, cache.promised_to(&pod.uid));
            evaluations.leave_all(from, cache.order(), own, refused);
        } else {
            evaluations.leave(feasible, refused);
        }
        return Outcome { nodes, feasible: 0, refused: looked_at, tied: 0, reserved, result };
    }
    let columns = match score(profile, pod, cache, &mut search.state, &feasible, evaluations) {
        Ok(columns) => columns,
        Err(message) => {
            return without_decision(
                message,
                search,
                (cache, most),
                evaluations,
                (feasible, refused),
            );
        }
    };
    let totals = totals(&columns, feasible.len());
    let best = totals.iter().copied().max();
    let winners = || (0..totals.len()).filter(|at| totals.get(*at).copied() == best);
    let tied = winners().count();
    let pick = if tied > 1 { rng.below(tied as u64) } else { 0 };
    let chosen = winners().nth(usize::try_from(pick).unwrap_or_default()).unwrap_or_default();
    let shown: Vec<usize> =
        (0..feasible.len()).take(most).chain((chosen >= most).then_some(chosen)).collect();
    let room = most.saturating_sub(shown.len());
    let nodes = Told {
        names: Rc::clone(cache.names()),
        feasible: shown.iter().filter_map(|at| feasible.get(*at).copied()).collect(),
        columns: columns.iter().map(|column| column.of(&shown)).collect(),
        refused: told(&refused, evaluations.refusals(), room),
    };
    let (can, cannot) = (feasible.len(), refused.len());
    let node = feasible.get(chosen).and_then(|place| cache.nodes().get(*place));
    let reservers =
        node.into_iter().flat_map(|node| profile.reserve.iter().map(move |it| (it, node)));
    let reserved =
        reservers.flat_map(|(plugin, node)| plugin.reserve(&search.state, node)).collect();
    evaluations.keep(search.state);
    evaluations.leave(feasible, refused);
    let result = Ok(node.map(|node| Rc::clone(&node.name)).unwrap_or_default());
    Outcome { nodes, feasible: can, refused: cannot, tied, reserved, result }
}

/// What is told of a pod that no node can take, as a plugin said before any was looked at, and whether there is
/// none that it could wait for.
fn refused_at_all(
    profile: &Profile,
    pod: &PodInfo,
    count: usize,
    verdict: &Verdict,
) -> (String, bool) {
    let reasons = verdict.reasons.join(", ");
    let message = format!("0/{count} nodes are available: {reasons}.");
    if profile.preemption.is_none() {
        return (message, true);
    }
    let eligible = eligible(pod, None);
    let waits_for_none = eligible.is_ok();
    let why = match eligible {
        Ok(()) => preemption_failed(count, &[]),
        Err(why) => format!("preemption: {why}"),
    };
    (format!("{message} {why}"), waits_for_none)
}

/// A plugin could not tell what was asked of it.
fn without_decision(
    message: String,
    search: Search<'_>,
    (cache, most): (&Cache, usize),
    evaluations: &mut Evaluations,
    (feasible, refused): (Feasible, Refused),
) -> Outcome {
    evaluations.keep(search.state);
    let outcome = Outcome {
        nodes: Told {
            names: Rc::clone(cache.names()),
            feasible: feasible.iter().copied().take(most).collect(),
            refused: told(&refused, evaluations.refusals(), most.saturating_sub(feasible.len())),
            ..Told::default()
        },
        feasible: feasible.len(),
        refused: refused.len(),
        tied: 0,
        reserved: Vec::new(),
        result: Err(Failure {
            message,
            is_error: true,
            waits_for_none: true,
            ..Failure::default()
        }),
    };
    evaluations.leave(feasible, refused);
    outcome
}

/// Whether every plugin of the profile lets `pod` onto `node`, which may be another than the one of
/// that name in the cluster.
pub fn fits(profile: &Profile, pod: &PodInfo, node: &NodeInfo, cache: &Cache) -> bool {
    let cluster = Overlay { below: cache, node: node.clone() };
    prepare(profile, pod, &cluster, CycleState::default()).is_ok_and(|search| {
        let is_named = search.names.as_ref().is_none_or(|names| names.contains(&*node.name));
        is_named && first_refusal(pod, &search, &search.filters, node).is_none()
    })
}

fn prepare<'p>(
    profile: &'p Profile,
    pod: &PodInfo,
    cluster: &dyn Snapshot,
    state: CycleState,
) -> Result<Search<'p>, (&'static str, Verdict)> {
    let mut search = Search { state, filters: Vec::new(), names: None, narrowed_by: Vec::new() };
    let mut skipped = Vec::new();
    for plugin in &profile.pre_filter {
        match plugin.pre_filter(pod, cluster, &mut search.state) {
            PreFilter::Skip => skipped.push(plugin.name()),
            PreFilter::Run => {}
            PreFilter::Nodes(names) => {
                search.narrowed_by.push(plugin.name());
                search.names = Some(match search.names.take() {
                    Some(narrow) => &narrow & &names,
                    None => names,
                });
            }
            PreFilter::Reject(verdict) => return Err((plugin.name(), verdict)),
        }
    }
    let filters = profile.filter.iter().map(|plugin| &**plugin);
    search.filters = filters.filter(|plugin| !skipped.contains(&plugin.name())).collect();
    Ok(search)
}

/// What is told of the first `most` nodes that were refused.
fn told(refused: &Refused, refusals: &[Refusal], most: usize) -> Vec<(usize, Refusal)> {
    let first = refused.iter().take(most);
    first.filter_map(|(at, number)| Some((*at, Rc::clone(refusals.get(*number)?)))).collect()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
