//! Making room: a pod's victims are told to go, and meanwhile the pod itself is held back.
//!
//! Mirrors: `prepareCandidateAsync` of `pkg/scheduler/framework/preemption/executor.go`, and `PreEnqueue` of
//! `plugins/defaultpreemption`. No pod here waits for a permit, so all victims are deleted, and as many
//! are told at once as there are.

use std::rc::Rc;

use k8s_openapi::api::core::v1::PodCondition;

use super::preemption::{BY_SCHEDULER, Candidate};
use super::writing::{YES, names};
use super::{NAME, Scheduler};
use crate::api::request::{Patch, RequestId, Subresource, Target};
use crate::api::status::StatusError;
use crate::api::words::DISRUPTION_TARGET;
use crate::api::{Kind, Pod, seconds};
use crate::client::EventKind;
use crate::sim::Ctx;

/// What a victim's going waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Its condition says why.
    Condition,
    Deletion,
}

/// A victim that is told to go.
#[derive(Clone, Debug)]
struct Told {
    request: RequestId,
    victim: Rc<Pod>,
    step: Step,
}

/// What came of what a victim was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// It is not there any more.
    Gone,
    /// It was refused, or the line broke.
    Failed,
}

impl Outcome {
    /// Of a request that was answered with an error, or without.
    pub fn of(error: Option<&StatusError>) -> Self {
        match error {
            None => Self::Done,
            Some(error) if error.code == 404 => Self::Gone,
            Some(_) => Self::Failed,
        }
    }
}

/// Who is told last, so that it can be seen whether everybody is going before the answer comes.
#[derive(Clone, Debug)]
enum Last {
    Waits(Rc<Pod>),
    IsTold(Rc<Pod>),
}

/// A pod whose victims are told to go.
#[derive(Clone, Debug)]
pub(super) struct Eviction {
    preemptor: Rc<Pod>,
    uid: Rc<str>,
    node: Rc<str>,
    told: Vec<Told>,
    last: Last,
}

impl Scheduler {
    /// Makes room on a node: each victim is told why, and deleted with its grace.
    pub(super) fn evict(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        (preemptor, uid): (&Rc<Pod>, &Rc<str>),
        candidate: &Candidate,
    ) {
        let stays = |victim: &&Rc<Pod>| victim.metadata.deletion_timestamp.is_none();
        let pods = candidate.victims.iter().map(|victim| &victim.pod);
        let mut victims: Vec<Rc<Pod>> = pods.filter(stays).map(Rc::clone).collect();
        let Some(last) = victims.pop() else { return };
        let mut eviction = Eviction {
            preemptor: Rc::clone(preemptor),
            uid: Rc::clone(uid),
            node: Rc::clone(&candidate.node),
            told: Vec::with_capacity(victims.len().max(1)),
            last: Last::Waits(last),
        };
        if self.profile(preemptor).is_some_and(|(_, profile)| profile.holds_preemptors) {
            self.queue.hold(uid);
        }
        for victim in victims {
            let told = self.tell_why(ctx, preemptor, victim);
            eviction.told.push(told);
        }
        self.go_on(ctx, eviction);
    }

    /// Tells the last victim once the others are told; after that the pod is held back no more.
    fn go_on(&mut self, ctx: &mut Ctx<'_, Self>, mut eviction: Eviction) {
        if eviction.told.is_empty() {
            let Last::Waits(last) = &eviction.last else {
                self.queue.let_go(&eviction.uid);
                return;
            };
            let last = Rc::clone(last);
            let (namespace, name) = names(&last);
            let known = self.pods.get(namespace, name);
            if known.is_none_or(|pod| pod.metadata.deletion_timestamp.is_some()) {
                self.queue.let_go(&eviction.uid);
            }
            let told = self.tell_why(ctx, &eviction.preemptor, Rc::clone(&last));
            eviction.told.push(told);
            eviction.last = Last::IsTold(last);
        }
        self.evictions.push(eviction);
    }

    /// A pod is going, or gone: whom it was the last to make room for is held back no more.
    pub(super) fn on_going(&mut self, pod: &Pod) {
        for eviction in &self.evictions {
            if let Last::IsTold(last) = &eviction.last
                && names(last) == names(pod)
            {
                self.queue.let_go(&eviction.uid);
            }
        }
    }

    /// The answer to what a victim was told; whether it is one.
    pub(super) fn on_told(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        id: RequestId,
        outcome: Outcome,
    ) -> bool {
        let waits = |eviction: &Eviction| eviction.told.iter().any(|told| told.request == id);
        let Some(at) = self.evictions.iter().position(waits) else { return false };
        let mut eviction = self.evictions.remove(at);
        let Some(at) = eviction.told.iter().position(|told| told.request == id) else {
            return false;
        };
        let Told { victim, step, .. } = eviction.told.remove(at);
        match step {
            Step::Condition | Step::Deletion if outcome == Outcome::Gone => {}
            // The others are left alone, and the pod is tried anew at once.
            Step::Condition | Step::Deletion if outcome == Outcome::Failed => {
                self.queue.let_go(&eviction.uid);
                self.queue.activate(&eviction.uid);
                return true;
            }
            Step::Condition => eviction.told.insert(at, self.delete(ctx, victim)),
            Step::Deletion => {
                let (by, node) = (&eviction.uid, &eviction.node);
                let message = format!("Preempted by pod {by} on node {node}");
                let words = (EventKind::Normal, "Preempted", Some("Preempting"));
                self.record(ctx, &eviction.preemptor, &victim, words, &message);
            }
        }
        self.go_on(ctx, eviction);
        true
    }

    /// Tells a victim why it has to go; one that is told so already is deleted.
    fn tell_why(&mut self, ctx: &mut Ctx<'_, Self>, preemptor: &Pod, victim: Rc<Pod>) -> Told {
        let by = preemptor.spec.scheduler_name.as_deref().unwrap_or(NAME);
        let condition = PodCondition {
            type_: DISRUPTION_TARGET.to_owned(),
            status: YES.to_owned(),
            reason: Some(BY_SCHEDULER.to_owned()),
            message: Some(format!("{by}: preempting to accommodate a higher priority pod")),
            observed_generation: victim.metadata.generation,
            last_transition_time: Some(seconds(self.date(ctx))),
            ..PodCondition::default()
        };
        let mut conditions = victim.status.conditions.iter().flatten();
        let old = conditions.find(|condition| condition.type_ == DISRUPTION_TARGET);
        let old = old.filter(|old| old.status == condition.status);
        if old.is_some_and(|old| {
            (&old.reason, &old.message) == (&condition.reason, &condition.message)
        }) {
            return self.delete(ctx, victim);
        }
        let since = old.map(|old| old.last_transition_time.clone());
        let last_transition_time = since.unwrap_or_else(|| condition.last_transition_time.clone());
        let condition = Rc::new(PodCondition { last_transition_time, ..condition });
        let patch = Patch::PodCondition { condition, nominated: None };
        let target = target(&victim).part(Subresource::Status);
        let request = self.client.patch(ctx, target, patch);
        Told { request, victim, step: Step::Condition }
    }

    fn delete(&mut self, ctx: &mut Ctx<'_, Self>, victim: Rc<Pod>) -> Told {
        let uid = victim.metadata.uid.as_deref().map(Into::into);
        let request = self.client.delete(ctx, target(&victim), uid, None);
        Told { request, victim, step: Step::Deletion }
    }
}

fn target(pod: &Pod) -> Target {
    let (namespace, name) = names(pod);
    Target::named(Kind::Pod, namespace, name)
}
