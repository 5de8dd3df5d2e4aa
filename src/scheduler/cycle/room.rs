//! Making room: which nodes a pod could have if others went, where no node takes it as it is.
//!
//! Mirrors: `pkg/scheduler/framework/preemption`.

use std::borrow::Cow;
use std::rc::Rc;

use super::diagnosis::preemption_failed;
use super::looking::{Refused, nominated};
use crate::scheduler::cache::Cache;
use crate::scheduler::decision::CANDIDATES;
use crate::scheduler::evaluations::Evaluations;
use crate::scheduler::framework::{Code, Verdict};
use crate::scheduler::preemption::{Candidate, Limits, Preemption, eligible};
use crate::sim::Rng;

/// Why no node can be had.
pub(super) struct NoRoom {
    pub why: String,
    /// Whether the pod may have others go at all.
    pub is_eligible: bool,
}

/// Looks for pods that have to go, so that the pod can run; `evaluations` know who refused the nodes. What is
/// best comes first, then some of the others.
pub(super) fn preempt(
    preemption: &Preemption<'_>,
    cache: &Cache,
    limits: Limits,
    refused: &Refused,
    evaluations: &mut Evaluations,
    is_known: bool,
    rng: &mut Rng,
) -> Result<Vec<Rc<Candidate>>, NoRoom> {
    let pod = preemption.pod;
    let code = |number: usize| evaluations.refusals().get(number).map(|refusal| refusal.1.code);
    let nominated = nominated(pod, cache).and_then(|at| {
        let said = refused.iter().find(|(refused, _)| *refused == at);
        Some((&**cache.nodes().get(at)?, said.and_then(|(_, number)| code(*number))))
    });
    let refused_at_all = |why| NoRoom { why: format!("preemption: {why}"), is_eligible: false };
    eligible(pod, nominated).map_err(refused_at_all)?;
    let helps: Vec<bool> = evaluations
        .refusals()
        .iter()
        .map(|refusal| refusal.1.code == Code::Unschedulable)
        .collect();
    // Mostly all nodes are worth a try, and need no list of their own.
    let places: Cow<'_, [(usize, usize)]> = if helps.iter().all(|helps| *helps) {
        Cow::Borrowed(refused)
    } else {
        let helps = |number: usize| helps.get(number).copied().unwrap_or_default();
        Cow::Owned(refused.iter().copied().filter(|(_, number)| helps(*number)).collect())
    };
    let has_victims = |(at, _): &(usize, usize)| {
        cache.nodes().get(*at).is_some_and(|node| preemption.has_victims(node))
    };
    // Without anybody less important there is nothing to choose, nor any chance in it.
    let offset = if places.iter().any(has_victims) {
        usize::try_from(rng.below(places.len() as u64)).unwrap_or_default()
    } else {
        0
    };
    // What is promised to this very pod is no obstacle to it, but to its equals.
    let promised = cache.promised_to(&pod.uid);
    let own = if is_known { promised } else { None };
    let forget = |evaluations: &mut Evaluations| {
        if !is_known || own.is_some() {
            evaluations.forget_victims(own);
        }
    };
    forget(evaluations);
    let violations = |(at, _): &(usize, usize)| {
        evaluations.violations(*at, || match cache.nodes().get(*at) {
            Some(node) => preemption.victims(node),
            None => Err(Verdict::SUCCESS),
        })
    };
    let (candidates, failed) = Preemption::among(&places, offset, limits, violations);
    let priced = candidates.iter().filter_map(|(at, _)| Some((*at, evaluations.cost(*at)?)));
    let best = priced.min_by_key(|(_, cost)| preemption.price(*cost)).map(|(at, _)| at);
    let others = candidates.iter().map(|(at, _)| *at).filter(|at| Some(*at) != best);
    let told = best.into_iter().chain(others.take(CANDIDATES - 1));
    let told: Vec<_> = told.filter_map(|at| evaluations.candidate(at).map(Rc::clone)).collect();
    let preempted = Some(told).filter(|told| !told.is_empty()).ok_or_else(|| {
        let why = failed.into_iter().filter_map(|(at, _)| evaluations.hopeless(at).map(Rc::clone));
        let why = preemption_failed(cache.nodes().len(), &why.collect::<Vec<_>>());
        NoRoom { why, is_eligible: true }
    });
    forget(evaluations);
    preempted
}
