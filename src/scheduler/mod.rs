//! The scheduler: chooses a node for each pod that has none, and binds the pod to it.
//!
//! Mirrors: `pkg/scheduler`. It watches pods, nodes, namespaces and what tells which pods belong together
//! or are protected and what they mount, and writes nothing but bindings, a condition of pods that fit
//! nowhere, events, deletions of pods that make room, and which claim is to have which volume.

pub mod args;
mod binding;
pub mod cache;
pub mod configuration;
pub mod cycle;
mod decision;
pub mod evaluations;
mod evicting;
pub mod framework;
pub mod helps;
pub mod node_info;
pub mod order;
mod permit;
pub mod plugins;
pub mod preemption;
pub mod profile;
pub mod queue;
pub mod resources;
mod stored;
mod tally;
mod told;
mod watching;
mod writing;

pub use configuration::{Configuration, ConfigurationError};
pub use decision::{Decision, NodeVerdict, Score};
pub use queue::{Place, QueuedPod};
pub use told::Told;

use std::rc::Rc;
use std::time::Duration;

use crate::api::wire::Node;
use jiff::Timestamp;

use self::binding::{Chosen, PreBinding};
use self::cache::Cache;
use self::cycle::Rotation;
use self::decision::{Decisions, NODES};
use self::evaluations::Evaluations;
use self::evicting::Evictions;
use self::framework::WaitingPods;
use self::node_info::PodInfo;
use self::profile::Profile;
use self::queue::Queue;
use crate::api::fields::FieldSelector;
use crate::api::request::{Params, Request, RequestId};
use crate::api::{Document, Kind, Pod};
use crate::client::{Client, Incoming, Informer, Recorder, Relist};
use crate::sim::{Component, Ctx, Event, SortedMap};

/// The name by which pods choose this scheduler.
pub const NAME: &str = "default-scheduler";

/// The kinds of documents that plugins look at: what tells which pods belong together and which of them
/// are protected, and what pods mount.
const DOCUMENTS: [Kind; 13] = [
    Kind::Namespace,
    Kind::Service,
    Kind::ReplicationController,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::PodDisruptionBudget,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::CSIDriver,
    Kind::CSINode,
    Kind::CSIStorageCapacity,
    Kind::StorageClass,
    Kind::VolumeAttachment,
];
const FLUSH_BACKOFF: Duration = Duration::from_secs(1);
const FLUSH_UNSCHEDULABLE: Duration = Duration::from_secs(30);
/// How long a cycle takes: at least this, and up to [`CYCLE_JITTER`] more.
const CYCLE: Duration = Duration::from_micros(600);
const CYCLE_JITTER: Duration = Duration::from_micros(900);

/// What the scheduler can be reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    Relist(Relist),
    FlushBackoff,
    FlushUnschedulable,
    CycleEnd,
    /// To see for which pods the time to permit them is over.
    Permit,
    /// To see whether what was reserved for pods is so.
    PreBind,
}

impl From<Relist> for Timer {
    fn from(relist: Relist) -> Self {
        Self::Relist(relist)
    }
}

/// The scheduler.
#[derive(Clone, Debug)]
pub struct Scheduler {
    client: Client,
    pods: Informer<Pod>,
    nodes: Informer<Node>,
    /// Of each of [`DOCUMENTS`].
    documents: Vec<Informer<Document>>,
    queue: Queue,
    cache: Cache,
    /// The pod of the cycle that runs.
    current: Option<QueuedPod>,
    /// Pods whose binding waits until plugins permit it, by uid.
    permitting: SortedMap<Rc<str>, Chosen>,
    /// What those plugins know of them.
    waiting: WaitingPods,
    /// Bindings on their way.
    binding: SortedMap<RequestId, Chosen>,
    /// Pods whose binding waits for what was reserved for them.
    pre_binding: Vec<PreBinding>,
    /// What makes room just now.
    evictions: Evictions,
    /// One for each profile.
    recorders: Vec<Recorder>,
    configuration: Rc<Configuration>,
    /// The pods of different templates that were worked out last, the latest first.
    latest: Vec<Rc<PodInfo>>,
    decisions: Decisions,
    /// Of how many nodes each decision tells.
    told_of: usize,
    rotation: Rotation,
    evaluations: Evaluations,
    epoch: Timestamp,
}

impl Scheduler {
    /// A scheduler that knows nothing yet; `epoch` is the date at which virtual time begins.
    pub fn new(epoch: Timestamp, configuration: Rc<Configuration>) -> Self {
        let running = "status.phase!=Succeeded,status.phase!=Failed";
        let field_selector = FieldSelector::parse(running).ok().map(Rc::new);
        let running = Params { field_selector, ..Params::default() };
        Self {
            client: Client::default(),
            pods: Informer::new(running),
            nodes: Informer::new(Params::default()),
            documents: DOCUMENTS.into_iter().map(Informer::of).collect(),
            queue: Queue::new(configuration.backoff),
            cache: Cache::default(),
            current: None,
            permitting: SortedMap::new(),
            waiting: WaitingPods::default(),
            binding: SortedMap::new(),
            pre_binding: Vec::new(),
            evictions: Evictions::default(),
            recorders: configuration.profiles.iter().map(|it| recorder(&it.name, epoch)).collect(),
            configuration,
            latest: Vec::new(),
            decisions: Decisions::default(),
            told_of: NODES,
            rotation: Rotation::default(),
            evaluations: Evaluations::default(),
            epoch,
        }
    }

    /// The process that comes after this one, with another configuration. It has what is kept for the
    /// page, and its requests are numbered on, so that late answers find nobody.
    #[must_use]
    pub fn restarted(&self, configuration: Rc<Configuration>) -> Self {
        Self {
            client: self.client.clone(),
            decisions: self.decisions.clone(),
            told_of: self.told_of,
            ..Self::new(self.epoch, configuration)
        }
    }

    /// What it is configured by.
    pub fn configuration(&self) -> &Rc<Configuration> {
        &self.configuration
    }

    /// The profile that a pod chooses, with its number; none if another scheduler is to place it.
    pub fn profile(&self, pod: &Pod) -> Option<(usize, &Rc<Profile>)> {
        self.configuration.profile(pod)
    }

    /// The latest decision about a pod.
    pub fn decision(&self, namespace: &str, name: &str) -> Option<&Rc<Decision>> {
        self.decisions(namespace, name).last()
    }

    /// From now on decisions tell of all nodes that are looked at.
    pub fn tell_of_all_nodes(&mut self) {
        self.told_of = usize::MAX;
    }

    /// Forgets what it decided, which only people look at.
    pub fn forget_decisions(&mut self) {
        self.decisions.forget();
    }

    /// How many decisions there were so far.
    pub fn decided(&self) -> u64 {
        self.decisions.count()
    }

    /// The decisions after the first `seen`, as far as they are kept.
    pub fn decisions_since(&self, seen: u64) -> impl Iterator<Item = &Rc<Decision>> {
        self.decisions.since(seen)
    }

    /// The decisions about a pod that are kept, oldest first.
    pub fn decisions(&self, namespace: &str, name: &str) -> &[Rc<Decision>] {
        self.decisions.of(namespace, name)
    }

    /// Every pod that waits, by uid.
    pub fn pending(&self) -> impl Iterator<Item = &QueuedPod> {
        self.queue.iter()
    }

    /// The pods to be tried next, in that order.
    pub fn active(&self) -> impl Iterator<Item = &QueuedPod> {
        self.queue.active()
    }

    /// The pod of the cycle that runs.
    pub fn current(&self) -> Option<&QueuedPod> {
        self.current.as_ref()
    }

    /// What the scheduler believes of the nodes.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Begins a cycle if none runs and a pod waits.
    fn begin(&mut self, ctx: &mut Ctx<'_, Self>) {
        let synced = self.pods.has_synced()
            && self.nodes.has_synced()
            && self.documents.iter().all(Informer::has_synced);
        if self.current.is_none() && synced {
            self.current = self.queue.pop();
            if self.current.is_some() {
                let takes = CYCLE + ctx.rng.span_below(CYCLE_JITTER);
                ctx.set_timer(takes, Timer::CycleEnd);
            }
        }
    }
}

fn recorder(name: &str, epoch: Timestamp) -> Recorder {
    Recorder::with_instance(name, &format!("{name}-podflow"), epoch)
}

impl Component for Scheduler {
    type In = Incoming;
    type Out = Request;
    type Timer = Timer;

    fn handle(&mut self, ctx: &mut Ctx<'_, Self>, event: Event<Self>) {
        match event {
            Event::Started => {
                self.nodes.start(ctx, &mut self.client);
                self.pods.start(ctx, &mut self.client);
                for documents in &mut self.documents {
                    documents.start(ctx, &mut self.client);
                }
                // Whenever a second is over.
                let begun = Duration::from_micros(ctx.now.as_micros() % 1_000_000);
                ctx.set_timer(FLUSH_BACKOFF.saturating_sub(begun), Timer::FlushBackoff);
                ctx.set_timer(FLUSH_UNSCHEDULABLE, Timer::FlushUnschedulable);
            }
            Event::Message(incoming) => self.receive(ctx, &incoming),
            Event::Timer(Timer::Relist(relist)) => {
                self.pods.retry(ctx, &mut self.client, relist);
                self.nodes.retry(ctx, &mut self.client, relist);
                for documents in &mut self.documents {
                    documents.retry(ctx, &mut self.client, relist);
                }
            }
            Event::Timer(Timer::FlushBackoff) => {
                self.queue.flush_backoff(ctx.now);
                ctx.set_timer(FLUSH_BACKOFF, Timer::FlushBackoff);
            }
            Event::Timer(Timer::FlushUnschedulable) => {
                self.queue.flush_unschedulable(ctx.now);
                for recorder in &mut self.recorders {
                    recorder.look_after(ctx, &mut self.client);
                }
                ctx.set_timer(FLUSH_UNSCHEDULABLE, Timer::FlushUnschedulable);
            }
            Event::Timer(Timer::CycleEnd) => self.end_cycle(ctx),
            Event::Timer(Timer::Permit) => self.waiting.time_out(ctx.now),
            Event::Timer(Timer::PreBind) => self.poll_pre_bindings(ctx),
        }
        if !self.waiting.is_empty() {
            self.settle_permits(ctx);
        }
        self.begin(ctx);
    }
}

#[cfg(test)]
mod tests;
