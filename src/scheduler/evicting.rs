//! Making room: a pod's victims are told to go, and meanwhile the pod itself is held back.
//!
//! Mirrors: `prepareCandidateAsync` of `pkg/scheduler/framework/preemption/executor.go`, and `PreEnqueue` of
//! `plugins/defaultpreemption`. As many victims are told at once as there are.

use std::rc::Rc;

use k8s_openapi::api::core::v1::PodCondition;

use super::node_info::uid;
use super::preemption::{BY_SCHEDULER, Candidate};
use super::writing::{YES, names};
use super::{NAME, Scheduler};
use crate::api::request::{Patch, RequestId, Subresource, Target};
use crate::api::status::StatusError;
use crate::api::words::DISRUPTION_TARGET;
use crate::api::{Kind, Pod, seconds};
use crate::client::EventKind;
use crate::sim::{Ctx, GrowingMap, SortedMap};

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
    victim: Rc<Pod>,
    step: Step,
    /// The number of the eviction.
    of: u64,
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

/// A pod whose victims are told to go.
#[derive(Clone, Debug)]
struct Eviction {
    preemptor: Rc<Pod>,
    uid: Rc<str>,
    node: Rc<str>,
    /// How many are told and have not answered.
    left: usize,
    /// Who is told when the others have answered, so that it can be seen whether everybody is going before
    /// the last answer comes.
    last: Option<Rc<Pod>>,
}

/// What makes room just now.
#[derive(Clone, Debug, Default)]
pub(super) struct Evictions {
    /// By their numbers.
    running: GrowingMap<u64, Eviction>,
    /// What was asked of victims.
    told: GrowingMap<RequestId, Told>,
    /// Who waits for a victim to go as the last one, by the victim's uid: the uids of pods.
    awaited: SortedMap<Rc<str>, Vec<Rc<str>>>,
    count: u64,
}

impl Evictions {
    /// Nobody waits for a victim any more on behalf of that pod.
    fn forget(&mut self, victim: &str, preemptor: &str) {
        let Some(waiting) = self.awaited.get_mut(victim) else { return };
        if let Some(at) = waiting.iter().position(|uid| **uid == *preemptor) {
            waiting.swap_remove(at);
        }
        if waiting.is_empty() {
            self.awaited.remove(victim);
        }
    }
}

impl Scheduler {
    /// Makes room on a node: each victim is told why, and deleted with its grace; less important pods wait
    /// for this node no longer. Whether there is room at once: a victim that is not bound yet is only tried
    /// anew.
    pub(super) fn evict(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        (preemptor, uid): (&Rc<Pod>, &Rc<str>),
        candidate: &Candidate,
    ) -> bool {
        let stays = |victim: &Rc<Pod>| victim.metadata.deletion_timestamp.is_none();
        let pods = candidate.victims.iter().map(|victim| self.latest(&victim.pod));
        let mut victims: Vec<Rc<Pod>> = pods.filter(stays).collect();
        let (preemptor, uid, node) =
            (Rc::clone(preemptor), Rc::clone(uid), Rc::clone(&candidate.node));
        let Some(last) = victims.pop() else { return false };
        for other in self.cache.less_important_on(&node, &preemptor) {
            // Its status may not say yet what it is about to.
            let target = target(&other).part(Subresource::Status);
            let patch = Patch::PodCondition { condition: None, nominated: Some("".into()) };
            self.client.patch(ctx, target, patch);
        }
        if self.profile(&preemptor).is_some_and(|(_, profile)| profile.holds_preemptors) {
            self.queue.hold(&uid);
        }
        self.evictions.count += 1;
        let number = self.evictions.count;
        victims.retain(|victim| !self.take_back(ctx, (&preemptor, &uid), victim, &node));
        for victim in &victims {
            self.tell_why(ctx, &preemptor, victim, number);
        }
        let eviction = Eviction { preemptor, uid, node, left: victims.len(), last: Some(last) };
        self.go_on(ctx, number, eviction)
    }

    /// A pod as it is stored, as far as that is known: who looks for room need not hear of all that its kubelet
    /// reports, nor of what it was told before.
    fn latest(&self, pod: &Rc<Pod>) -> Rc<Pod> {
        let (namespace, name) = names(pod);
        let known = self.pods.get(namespace, name);
        let same = known.filter(|known| known.metadata.uid == pod.metadata.uid);
        Rc::clone(same.unwrap_or(pod))
    }

    /// A victim that is about to be bound is not; whether it is one.
    fn take_back(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        (preemptor, by): (&Pod, &str),
        victim: &Pod,
        node: &str,
    ) -> bool {
        let uid = uid(victim);
        let is_taken = self.waiting.preempt(&uid)
            || self.give_up_pre_binding(ctx, &uid, "preempted by DefaultPreemption");
        if is_taken {
            let message = format!("{} (in kube-scheduler memory).", preempted(by, node));
            self.record(ctx, preemptor, victim, PREEMPTED, &message);
        }
        is_taken
    }

    /// Tells the last victim once the others are told; after that the pod is held back no more. Whether there is
    /// room by that: of a victim that is not bound yet nobody else hears that it leaves.
    fn go_on(&mut self, ctx: &mut Ctx<'_, Self>, number: u64, mut eviction: Eviction) -> bool {
        if eviction.left == 0 {
            let Some(last) = eviction.last.take() else {
                self.queue.let_go(&eviction.uid);
                return false;
            };
            let by = (&*eviction.preemptor, &*eviction.uid);
            if self.take_back(ctx, by, &last, &eviction.node) {
                self.queue.let_go(&eviction.uid);
                return true;
            }
            let (namespace, name) = names(&last);
            let known = self.pods.get(namespace, name);
            if known.is_none_or(|pod| pod.metadata.deletion_timestamp.is_some()) {
                self.queue.let_go(&eviction.uid);
            }
            self.tell_why(ctx, &eviction.preemptor, &last, number);
            let waiting = self.evictions.awaited.or_default(uid(&last));
            waiting.push(Rc::clone(&eviction.uid));
            eviction.left = 1;
        }
        self.evictions.running.insert(number, eviction);
        false
    }

    /// A pod is going, or gone: whom it was the last to make room for is held back no more.
    pub(super) fn on_going(&mut self, pod: &Pod) {
        if self.evictions.awaited.is_empty() {
            return;
        }
        for preemptor in self.evictions.awaited.get(&*uid(pod)).into_iter().flatten() {
            self.queue.let_go(preemptor);
        }
    }

    /// The answer to what a victim was told; whether it is one.
    pub(super) fn on_told(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        id: RequestId,
        outcome: Outcome,
    ) -> bool {
        let Some(Told { victim, step, of }) = self.evictions.told.remove(id) else { return false };
        // None: it was given up, since another victim could not be told.
        let Some(mut eviction) = self.evictions.running.remove(of) else { return true };
        match step {
            Step::Condition | Step::Deletion if outcome == Outcome::Gone => eviction.left -= 1,
            // The others are left alone, and the pod is tried anew at once.
            Step::Condition | Step::Deletion if outcome == Outcome::Failed => {
                self.evictions.forget(&uid(&victim), &eviction.uid);
                self.queue.let_go(&eviction.uid);
                self.queue.activate(&eviction.uid);
                return true;
            }
            Step::Condition => self.delete(ctx, &victim, of),
            Step::Deletion => {
                let message = preempted(&eviction.uid, &eviction.node);
                self.record(ctx, &eviction.preemptor, &victim, PREEMPTED, &message);
                eviction.left -= 1;
            }
        }
        if eviction.left == 0 {
            self.evictions.forget(&uid(&victim), &eviction.uid);
        }
        let preemptor = Rc::clone(&eviction.uid);
        if self.go_on(ctx, of, eviction) {
            self.queue.activate(&preemptor);
        }
        true
    }

    /// Tells a victim why it has to go; one that is told so already is deleted.
    fn tell_why(&mut self, ctx: &mut Ctx<'_, Self>, preemptor: &Pod, victim: &Rc<Pod>, of: u64) {
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
            self.delete(ctx, victim, of);
            return;
        }
        let since = old.map(|old| old.last_transition_time.clone());
        let last_transition_time = since.unwrap_or_else(|| condition.last_transition_time.clone());
        let condition = Rc::new(PodCondition { last_transition_time, ..condition });
        let patch = Patch::PodCondition { condition: Some(condition), nominated: None };
        let request = self.client.patch(ctx, target(victim).part(Subresource::Status), patch);
        let told = Told { victim: Rc::clone(victim), step: Step::Condition, of };
        self.evictions.told.insert(request, told);
    }

    fn delete(&mut self, ctx: &mut Ctx<'_, Self>, victim: &Rc<Pod>, of: u64) {
        let uid = victim.metadata.uid.as_deref().map(Into::into);
        let request = self.client.delete(ctx, target(victim), uid, None);
        let told = Told { victim: Rc::clone(victim), step: Step::Deletion, of };
        self.evictions.told.insert(request, told);
    }
}

const PREEMPTED: (EventKind, &str, Option<&str>) =
    (EventKind::Normal, "Preempted", Some("Preempting"));

fn preempted(by: &str, node: &str) -> String {
    format!("Preempted by pod {by} on node {node}")
}

fn target(pod: &Pod) -> Target {
    let (namespace, name) = names(pod);
    Target::named(Kind::Pod, namespace, name)
}
