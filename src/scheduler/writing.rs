//! The end of a cycle, and what is told of it.
//!
//! Mirrors: `schedulingCycle` and `handleSchedulingFailure` of `pkg/scheduler/schedule_one.go`.

use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodCondition;

use super::Scheduler;
use super::cycle::{self, Attempt, Failure};
use super::decision::Decision;
use super::permit::Permitted;
use super::queue::QueuedPod;
use crate::api::request::{Patch, Subresource, Target};
use crate::api::{Kind, Pod, seconds};
use crate::client::{EventKind, Regarding};
use crate::sim::Ctx;

/// The most that an event's message holds.
const MESSAGE_LIMIT: usize = 1024;

/// Why a pod is not scheduled.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    Unschedulable,
    SchedulerError,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Unschedulable => "Unschedulable",
            Self::SchedulerError => "SchedulerError",
        }
    }
}

impl Scheduler {
    /// The cycle's time is over: decides, and sends what follows.
    pub(super) fn end_cycle(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Some(queued) = self.current.take() else { return };
        let pod = Rc::clone(&queued.info.pod);
        let (namespace, name) = names(&pod);
        let known = self.pods.get(namespace, name);
        let waits = known.is_some_and(|known| {
            known.node_name.is_none() && known.metadata.uid == pod.metadata.uid
        });
        if !waits {
            return;
        }
        if pod.metadata.deletion_timestamp.is_some() {
            let message = format!("skip schedule deleting pod: {namespace}/{name}");
            self.warn(ctx, &pod, &message);
            return;
        }
        let now = self.date(ctx);
        self.cache.settle();
        let Some((_, profile)) = self.profile(&pod) else { return };
        let profile = Rc::clone(profile);
        let attempt = Attempt { profile: &profile, pod: &queued.info, now, most: self.told_of };
        let mut outcome = cycle::schedule(
            attempt,
            &self.cache,
            &mut self.rotation,
            &mut self.evaluations,
            ctx.rng,
        );
        let uid = Rc::clone(&queued.info.uid);
        let placed = match outcome.result {
            Ok(node) => {
                let chosen = self.keep_room(queued, node, outcome.reserved);
                let permitted = self.permitted(&chosen);
                Ok((chosen, permitted))
            }
            Err(failure) => Err((queued, failure)),
        };
        let message = match &placed {
            Ok((_, Permitted::Never(why))) => Some(why.message()),
            Ok((_, Permitted::Now | Permitted::Later(_))) => None,
            Err((_, failure)) => Some(failure.message.as_str()),
        };
        self.decisions.push(Decision {
            pod: (namespace.into(), name.into()),
            uid,
            at: ctx.now,
            message: message.map(Into::into),
            nodes: std::mem::take(&mut outcome.nodes),
            feasible: outcome.feasible,
            refused: outcome.refused,
            was_nominated: placed.as_ref().is_ok_and(|(chosen, _)| {
                pod.status.nominated_node_name.as_deref() == Some(&*chosen.node)
            }),
            candidates: placed
                .as_ref()
                .err()
                .map(|(_, failure)| failure.candidates.clone())
                .unwrap_or_default(),
            chosen: placed.as_ref().ok().map(|(chosen, _)| Rc::clone(&chosen.node)),
            tied: outcome.tied,
        });
        match placed {
            Ok((chosen, permitted)) => self.begin_binding(ctx, chosen, permitted),
            Err((queued, failure)) => self.found_none(ctx, queued, failure),
        }
    }

    /// There is no node for a pod: it waits, maybe for others to make room.
    fn found_none(&mut self, ctx: &mut Ctx<'_, Self>, queued: QueuedPod, failure: Failure) {
        let Failure { message, is_error, refused_by, candidates, waits_for_none } = failure;
        let pod = Rc::clone(&queued.info.pod);
        let mut nominated = waits_for_none.then(|| "".into());
        let (uid, mut has_room) = (Rc::clone(&queued.info.uid), false);
        if let Some(candidate) = candidates.first() {
            self.cache.nominate(&queued.info, &candidate.node);
            has_room = self.evict(ctx, (&pod, &uid), candidate);
            nominated = Some(Rc::clone(&candidate.node));
        } else if waits_for_none {
            self.cache.forget_nominated(&uid);
        }
        let reason = if is_error {
            self.queue.errored(queued, ctx.now);
            Reason::SchedulerError
        } else {
            self.queue.unschedulable(queued, ctx.now, refused_by);
            Reason::Unschedulable
        };
        if has_room {
            self.queue.activate(&uid);
        }
        self.report(ctx, &pod, reason, &message, nominated);
    }

    /// Tells why a pod is not scheduled, by an event and in its status; `nominated` is the node that it
    /// waits for, and empty if that is none.
    pub(super) fn report(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        pod: &Rc<Pod>,
        reason: Reason,
        message: &str,
        nominated: Option<Rc<str>>,
    ) {
        self.warn(ctx, pod, message);
        let (namespace, name) = names(pod);
        let pod = self.pods.get(namespace, name).unwrap_or(pod);
        let mut conditions = pod.status.conditions.iter().flatten();
        let old = conditions.find(|condition| condition.type_ == SCHEDULED);
        let new = PodCondition {
            type_: SCHEDULED.to_owned(),
            status: NO.to_owned(),
            reason: Some(reason.name().to_owned()),
            message: Some(message.to_owned()),
            observed_generation: pod.metadata.generation,
            last_transition_time: match old {
                Some(old) if old.status == NO => old.last_transition_time.clone(),
                Some(_) | None => Some(seconds(self.date(ctx))),
            },
            ..PodCondition::default()
        };
        let condition = (old != Some(&new)).then(|| Rc::new(new));
        self.patch_status(ctx, &Rc::clone(pod), condition, nominated);
    }

    /// Writes what is new of a condition of a pod and of the node that it waits for.
    pub(super) fn patch_status(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        pod: &Pod,
        condition: Option<Rc<PodCondition>>,
        nominated: Option<Rc<str>>,
    ) {
        let own = pod.status.nominated_node_name.as_deref().unwrap_or_default();
        let nominated = nominated.filter(|node| **node != *own);
        if condition.is_some() || nominated.is_some() {
            let (namespace, name) = names(pod);
            let target = Target::named(Kind::Pod, namespace, name).part(Subresource::Status);
            self.client.patch(ctx, target, Patch::PodCondition { condition, nominated });
        }
    }

    /// Records an event about a pod, by the profile that `pod` has chosen, which is related if it is another.
    pub(super) fn record(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        pod: &Pod,
        about: &Pod,
        words: (EventKind, &str, Option<&str>),
        message: &str,
    ) {
        let number = self.profile(pod).map_or(0, |(number, _)| number);
        if let Some(recorder) = self.recorders.get_mut(number) {
            let regarding = Regarding::pod(about, None);
            let is_other = about.metadata.uid != pod.metadata.uid;
            let regarding = if is_other { regarding.related(pod) } else { regarding };
            recorder.record(ctx, &mut self.client, regarding, words, message);
        }
    }

    pub(super) fn date(&self, ctx: &Ctx<'_, Self>) -> Timestamp {
        ctx.now.date(self.epoch)
    }

    fn warn(&mut self, ctx: &mut Ctx<'_, Self>, pod: &Pod, message: &str) {
        let words = (EventKind::Warning, "FailedScheduling", Some("Scheduling"));
        let message = truncated(message);
        self.record(ctx, pod, pod, words, &message);
    }
}

const SCHEDULED: &str = "PodScheduled";
const NO: &str = "False";
/// A condition that holds.
pub(super) const YES: &str = "True";

/// The namespace and the name of a pod.
pub(super) fn names(pod: &Pod) -> (&str, &str) {
    let metadata = &pod.metadata;
    (
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default(),
    )
}

fn truncated(message: &str) -> String {
    if message.len() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    let mut end = MESSAGE_LIMIT - " ...".len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} ...", message.get(..end).unwrap_or_default())
}
