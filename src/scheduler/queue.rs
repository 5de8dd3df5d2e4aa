//! The pods that wait to be scheduled.
//!
//! Mirrors: `pkg/scheduler/backend/queue`.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use super::framework::ClusterEvent;
use super::node_info::PodInfo;
use super::plugins;
use crate::api::Pod;
use crate::sim::{Instant, SortedMap, SortedSet, TextMap};

/// How long a pod waits that could not be scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first time; then twice as long each time.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(10) }
    }
}

/// How long a pod can stay unschedulable before it is tried again without any event.
pub const MOST_UNSCHEDULABLE: Duration = Duration::from_mins(5);

/// Where a pod waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To be tried as soon as its turn comes.
    Active,
    /// To be tried once its back-off is over, or when nothing else is active.
    Backoff(Instant),
    /// To be tried once its back-off after an error is over.
    ErrorBackoff(Instant),
    /// For an event that may help.
    Unschedulable,
    /// As that, but the event came while its victims were still told to go: for one of them to be gone.
    Held,
    /// For its scheduling gates to go.
    Gated,
}

/// A pod that waits.
#[derive(Clone, Debug)]
pub struct QueuedPod {
    pub info: Rc<PodInfo>,
    pub place: Place,
    /// When it last came into the queue.
    pub since: Instant,
    pub attempts: u32,
    unschedulable: u32,
    errors: u32,
    /// The plugins that refused it last time.
    pub refused_by: Rc<[&'static str]>,
    turn: u64,
}

/// Higher priority first, then who came first.
pub fn order(pod: &Pod, since: Instant) -> (Reverse<i32>, Instant) {
    (Reverse(pod.spec.priority.unwrap_or(0)), since)
}

impl QueuedPod {
    /// Its order among those that are active: higher priority first, then who came first.
    pub fn order(&self) -> (Reverse<i32>, Instant, u64) {
        let (priority, since) = order(&self.info.pod, self.since);
        (priority, since, self.turn)
    }

    fn backoff_until(&self, backoff: Backoff) -> Instant {
        let failures = if self.errors > 0 { self.errors } else { self.unschedulable };
        let Some(doublings) = failures.checked_sub(1) else { return self.since };
        let wait = backoff.first.saturating_mul(1 << doublings.min(30)).min(backoff.most);
        self.since + wait
    }
}

/// A moment, then the order among those that are active.
type Key = (Instant, Reverse<i32>, Instant, u64, Rc<str>);
type Order = BTreeSet<Key>;

fn key(moment: Instant, queued: &QueuedPod) -> Key {
    let (priority, since, turn) = queued.order();
    (moment, priority, since, turn, Rc::clone(&queued.info.uid))
}

/// The moment of those that have none.
const ALIKE: Instant = Instant::from_micros(0);

/// The whole second that a moment is in: back-offs that end in the same one end together, when it is over.
fn second(moment: Instant) -> Instant {
    let micros = moment.as_micros();
    Instant::from_micros(micros - micros % 1_000_000)
}

/// The pods that wait, by uid, and the orders in which they come out.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    pods: TextMap<QueuedPod>,
    active: Order,
    /// By the second in which their back-off is over.
    backoff: Order,
    /// Those that wait for an event, by when they came.
    unschedulable: Order,
    /// How many of those each plugin has refused: most events help none of them.
    refusers: SortedMap<&'static str, usize>,
    /// Those whose victims are told to go.
    preempting: SortedSet<Rc<str>>,
    turns: u64,
    waits: Backoff,
}

/// What of a change of a pod that waits may help it.
fn own_changes(old: &PodInfo, new: &PodInfo) -> impl Iterator<Item = ClusterEvent> {
    let changes = [
        (ClusterEvent::OwnLabels, old.labels() != new.labels()),
        (
            ClusterEvent::OwnTolerations,
            old.pod.spec.tolerations.as_ref() != new.pod.spec.tolerations.as_ref(),
        ),
        (ClusterEvent::OwnShrunk, old.requests.exceeds(&new.requests)),
    ];
    changes.into_iter().filter_map(|(event, is_so)| is_so.then_some(event))
}

impl Queue {
    /// An empty queue whose pods wait as `waits` says.
    pub fn new(waits: Backoff) -> Self {
        Self { waits, ..Self::default() }
    }

    /// Takes in a pod, new or changed, which may be held back. A change moves nothing unless `hint` says
    /// of a plugin that has refused the pod, of which it is told what has become of what, that it may
    /// help.
    pub fn put(
        &mut self,
        info: Rc<PodInfo>,
        gated: bool,
        now: Instant,
        hint: impl Fn(&'static str, &PodInfo, &PodInfo) -> bool,
    ) {
        let queued = self.pods.get(&info.uid).is_some().then(|| self.take(&info.uid)).flatten();
        let Some(mut queued) = queued else {
            let place = if gated { Place::Gated } else { Place::Active };
            self.turns += 1;
            self.insert(QueuedPod {
                info,
                place,
                since: now,
                attempts: 0,
                unschedulable: 0,
                errors: 0,
                refused_by: Rc::default(),
                turn: self.turns,
            });
            return;
        };
        let old = std::mem::replace(&mut queued.info, info);
        let helps = |queued: &QueuedPod| {
            let changes: Vec<ClusterEvent> = own_changes(&old, &queued.info).collect();
            let wakes = |plugin: &&'static str| {
                let mut changes = changes.iter();
                changes.any(|event| plugins::wakes(plugin, *event))
                    && hint(plugin, &old, &queued.info)
            };
            queued.refused_by.iter().any(wakes)
        };
        queued.place = match queued.place {
            Place::Gated if !gated => Place::Active,
            Place::Unschedulable | Place::Held if helps(&queued) => self.ready(&queued, now),
            place @ (Place::Active
            | Place::Backoff(_)
            | Place::ErrorBackoff(_)
            | Place::Unschedulable
            | Place::Held
            | Place::Gated) => place,
        };
        self.insert(queued);
    }

    /// Forgets a pod.
    pub fn delete(&mut self, uid: &str) {
        // Most pods of which this is said wait no more, and to look is cheaper than to take out.
        if self.pods.get(uid).is_some() {
            self.take(uid);
        }
    }

    /// Takes out the pod whose turn it is.
    pub fn pop(&mut self) -> Option<QueuedPod> {
        let active = self.active.first().map(|(.., uid)| Rc::clone(uid));
        let next = active.or_else(|| {
            let mut waiting = self.backoff.iter().map(|(.., uid)| uid);
            let found = waiting.find(|uid| {
                let place = self.pods.get(uid).map(|queued| queued.place);
                matches!(place, Some(Place::Backoff(_)))
            });
            found.map(Rc::clone)
        });
        let mut queued = self.take(&next?)?;
        queued.attempts += 1;
        Some(queued)
    }

    /// Puts back a pod that no node takes.
    pub fn unschedulable(
        &mut self,
        mut queued: QueuedPod,
        now: Instant,
        refused_by: Rc<[&'static str]>,
    ) {
        queued.refused_by = refused_by;
        // Refused by no plugin, as where there is no node: no event could tell when to try again, and
        // to try at once would help as little.
        if queued.refused_by.is_empty() {
            self.errored(queued, now);
            return;
        }
        queued.since = now;
        queued.errors = 0;
        queued.unschedulable += 1;
        queued.place = Place::Unschedulable;
        self.insert(queued);
    }

    /// Puts back a pod after an error.
    pub fn errored(&mut self, mut queued: QueuedPod, now: Instant) {
        queued.since = now;
        queued.errors += 1;
        queued.place = Place::ErrorBackoff(queued.backoff_until(self.waits));
        self.insert(queued);
    }

    /// Whether a pod waits for an event.
    pub fn waits_for_events(&self) -> bool {
        !self.unschedulable.is_empty()
    }

    /// Moves the pods that `event` may help: one of the plugins that have refused them wants to know of
    /// such events, and `hint` says of it that this one may help the pod.
    pub fn on_event(
        &mut self,
        event: ClusterEvent,
        now: Instant,
        hint: impl Fn(&'static str, &PodInfo) -> bool,
    ) {
        if self.unschedulable.is_empty() {
            return;
        }
        let refusers = self.refusers.keys().copied();
        let waking: Vec<&str> = refusers.filter(|plugin| plugins::wakes(plugin, event)).collect();
        if waking.is_empty() {
            return;
        }
        self.move_if(now, |queued| {
            let is_held = queued.place == Place::Held && event != ClusterEvent::AssignedPodDeleted;
            let mut refusers = queued.refused_by.iter().filter(|plugin| waking.contains(*plugin));
            !is_held && refusers.any(|plugin| hint(plugin, &queued.info))
        });
    }

    /// Activates the pods whose back-off is over.
    pub fn flush_backoff(&mut self, now: Instant) {
        while let Some((until, .., uid)) = self.backoff.first().cloned() {
            if until >= second(now) {
                return;
            }
            if let Some(mut queued) = self.take(&uid) {
                queued.place = Place::Active;
                self.insert(queued);
            }
        }
    }

    /// Moves the pods that have been unschedulable for long.
    pub fn flush_unschedulable(&mut self, now: Instant) {
        self.move_if(now, |queued| now.since(queued.since) > MOST_UNSCHEDULABLE);
    }

    /// Moves a pod that something has helped.
    pub fn wake(&mut self, uid: &str, now: Instant) {
        self.move_if(now, |queued| *queued.info.uid == *uid);
    }

    /// Lets a pod that is put back in the queue only once its victims are told to go.
    pub fn hold(&mut self, uid: &Rc<str>) {
        self.preempting.insert(Rc::clone(uid));
    }

    /// The pod's victims are told to go; by itself that moves nothing.
    pub fn let_go(&mut self, uid: &str) {
        self.preempting.remove(uid);
    }

    /// Has a pod tried as soon as its turn comes.
    pub fn activate(&mut self, uid: &str) {
        let waits = self.pods.get(uid).is_some_and(|queued| match queued.place {
            Place::Active | Place::Gated => false,
            Place::Backoff(_) | Place::ErrorBackoff(_) | Place::Unschedulable | Place::Held => true,
        });
        if waits && let Some(mut queued) = self.take(uid) {
            queued.place = Place::Active;
            self.insert(queued);
        }
    }

    /// Every pod that waits, by uid.
    pub fn iter(&self) -> impl Iterator<Item = &QueuedPod> {
        self.pods.iter().map(|(_, queued)| queued)
    }

    /// The active pods, the next one first.
    pub fn active(&self) -> impl Iterator<Item = &QueuedPod> {
        self.active.iter().filter_map(|(.., uid)| self.pods.get(uid))
    }

    /// The pod of this uid, if it waits.
    pub fn get(&self, uid: &str) -> Option<&QueuedPod> {
        self.pods.get(uid)
    }

    fn move_if(&mut self, now: Instant, wanted: impl Fn(&QueuedPod) -> bool) {
        let waiting = self.unschedulable.iter().filter_map(|(.., uid)| self.pods.get(uid));
        let moved =
            waiting.filter(|queued| wanted(queued)).map(|queued| Rc::clone(&queued.info.uid));
        for uid in moved.collect::<Vec<_>>() {
            if let Some(mut queued) = self.take(&uid) {
                queued.place = self.ready(&queued, now);
                self.insert(queued);
            }
        }
    }

    /// Where a pod that is worth another try waits.
    fn ready(&self, queued: &QueuedPod, now: Instant) -> Place {
        let until = queued.backoff_until(self.waits);
        if self.preempting.contains(&*queued.info.uid) {
            Place::Held
        } else if second(until) >= second(now) {
            Place::Backoff(until)
        } else {
            Place::Active
        }
    }

    fn take(&mut self, uid: &str) -> Option<QueuedPod> {
        let queued = self.pods.remove(uid)?;
        match queued.place {
            Place::Active => {
                self.active.remove(&key(ALIKE, &queued));
            }
            Place::Backoff(until) | Place::ErrorBackoff(until) => {
                self.backoff.remove(&key(second(until), &queued));
            }
            Place::Unschedulable | Place::Held => {
                self.unschedulable.remove(&key(queued.since, &queued));
                for plugin in &*queued.refused_by {
                    if let Some(count) = self.refusers.get_mut(plugin) {
                        *count -= 1;
                        if *count == 0 {
                            self.refusers.remove(plugin);
                        }
                    }
                }
            }
            Place::Gated => {}
        }
        Some(queued)
    }

    fn insert(&mut self, queued: QueuedPod) {
        let uid = Rc::clone(&queued.info.uid);
        match queued.place {
            Place::Active => {
                self.active.insert(key(ALIKE, &queued));
            }
            Place::Backoff(until) | Place::ErrorBackoff(until) => {
                self.backoff.insert(key(second(until), &queued));
            }
            Place::Unschedulable | Place::Held => {
                self.unschedulable.insert(key(queued.since, &queued));
                for plugin in &*queued.refused_by {
                    *self.refusers.or_default(plugin) += 1;
                }
            }
            Place::Gated => {}
        }
        self.pods.insert(uid, queued);
    }
}
