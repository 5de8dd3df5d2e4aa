//! The worker of one pod: looks, reports, and starts or stops what the spec asks for.
//!
//! A sync looks at the containers, reports the pod's status as of then, and starts what is missing,
//! one container after the other; what it started shows in the next sync, which the runtime's
//! events bring about.
//!
//! Mirrors: `pkg/kubelet/pod_workers.go`, `kubelet.go` (`SyncPod`, `SyncTerminatingPod`) and
//! `kuberuntime/kuberuntime_manager.go`.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::Kubelet;
use super::container::{Kind, Record};
use super::resize::Resize;
use super::sandbox::Sandbox;
use super::shared::{Caller, Shared};
use super::status::{Failure, Seen, pod_status, specs};
use crate::api::Pod;
use crate::api::phase::PodPhase;
use crate::api::wire::PodStatus;
use crate::client::EventKind;
use crate::runtime::{
    CallId, ContainerEvent, ContainerEventType, CriError, CriRequest, CriResponse, Id,
};
use crate::sim::{Ctx, Instant, SortedSet};

/// Before a failed sync is tried again; up to half as much is added.
const RETRY: Duration = Duration::from_secs(10);
/// The longest time between two syncs of a pod that is in back-off.
const RESYNC: Duration = Duration::from_mins(1);

const DEADLINE_EXCEEDED: Failure =
    ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");

/// What a worker is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing, until something happens.
    Waiting,
    /// Asking how the containers that changed stand now.
    Looking {
        calls: SortedSet<CallId>,
    },
    CreatingSandbox,
    /// Asking for the pod's address.
    InspectingSandbox {
        id: Id,
    },
    InspectingImage {
        container: usize,
    },
    PullingImage {
        container: usize,
        since: Instant,
    },
    /// Asking how large the image is that was pulled.
    InspectingPulled {
        container: usize,
        took: Duration,
        waited: Duration,
    },
    CreatingContainer {
        container: usize,
    },
    StartingContainer {
        container: usize,
        id: Id,
    },
    /// Giving running containers other resources.
    Resizing {
        calls: SortedSet<CallId>,
    },
    StoppingContainers {
        calls: SortedSet<CallId>,
    },
    StoppingSandbox,
    /// Asking how the containers ended.
    Collecting {
        calls: SortedSet<CallId>,
    },
    /// Nothing runs any more, nor ever will.
    Terminated,
}

impl State {
    /// In words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting for a change",
            Self::Looking { .. } => "looking at its containers",
            Self::CreatingSandbox => "creating the sandbox",
            Self::InspectingSandbox { .. } => "asking for the address",
            Self::InspectingImage { .. } => "looking for the image",
            Self::PullingImage { .. } => "pulling the image",
            Self::InspectingPulled { .. } => "looking at the pulled image",
            Self::CreatingContainer { .. } => "creating a container",
            Self::StartingContainer { .. } => "starting a container",
            Self::Resizing { .. } => "resizing its containers",
            Self::StoppingContainers { .. } => "stopping the containers",
            Self::StoppingSandbox => "stopping the sandbox",
            Self::Collecting { .. } => "asking how the containers ended",
            Self::Terminated => "terminated",
        }
    }
}

/// The worker of one pod.
#[derive(Clone, Debug)]
pub(super) struct PodWorker {
    pub uid: Rc<str>,
    pub pod: Rc<Pod>,
    pub state: State,
    pub sandbox: Option<Sandbox>,
    pub records: Vec<Record>,
    pub resize: Resize,
    /// Containers that changed since they were looked at.
    changed: SortedSet<Id>,
    /// Whether something happened since the last sync began.
    pub dirty: bool,
    /// Containers that this sync still has to start.
    pub to_start: VecDeque<usize>,
    /// When to try again what failed.
    pub retry_at: Option<Instant>,
    /// The seconds that the containers have to stop, once they are to.
    pub stop_within: Option<i64>,
    /// Whether the server has no such pod any more.
    pub gone: bool,
    /// Whether the last DELETE is on its way.
    pub deleting: bool,
    pub sandboxes: u32,
    /// Why the kubelet itself ends the pod.
    failure: Option<Failure>,
}

impl PodWorker {
    /// For a pod that was just bound to the node.
    pub fn new(uid: Rc<str>, pod: Rc<Pod>) -> Self {
        let mut records = Record::all(&pod);
        Record::add_ephemeral(&pod, &mut records);
        Self {
            uid,
            records,
            resize: Resize::default(),
            pod,
            state: State::Waiting,
            sandbox: None,
            changed: SortedSet::new(),
            dirty: true,
            to_start: VecDeque::new(),
            retry_at: None,
            stop_within: None,
            gone: false,
            deleting: false,
            sandboxes: 0,
            failure: None,
        }
    }

    /// The pod is new or has changed; what is to be done comes [`PodWorker::next`].
    pub fn update(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>, pod: Rc<Pod>) {
        let respecified = pod.metadata.generation != self.pod.metadata.generation;
        Record::add_ephemeral(&pod, &mut self.records);
        self.pod = self.given(pod);
        if self.pod.metadata.deletion_timestamp.is_some() {
            let grace = self.pod.metadata.deletion_grace_period_seconds;
            self.stop(shared, ctx, grace);
        } else {
            self.dirty |= respecified;
        }
    }

    /// The server has no such pod any more.
    pub fn removed(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>, last: &Pod) {
        self.gone = true;
        let grace = last.metadata.deletion_grace_period_seconds;
        self.stop(shared, ctx, grace);
        self.next(shared, ctx);
    }

    /// Something happened to one of the pod's containers, or to its sandbox.
    pub fn happened(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        event: &ContainerEvent,
    ) {
        if event.container_id != event.pod_sandbox_id {
            match event.kind {
                ContainerEventType::Started | ContainerEventType::Stopped => {
                    self.changed.insert(Rc::clone(&event.container_id));
                    self.dirty = true;
                }
                ContainerEventType::Created | ContainerEventType::Deleted => {}
            }
        } else if event.kind == ContainerEventType::Started {
            self.dirty = true;
        }
        self.next(shared, ctx);
    }

    /// A reminder: tries again what failed.
    pub fn due(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        if self.retry_at.is_some_and(|at| at <= ctx.now) {
            self.retry_at = None;
            self.dirty = true;
        }
        self.dirty |= self.failure.is_none() && self.is_overdue(shared, ctx);
        self.next(shared, ctx);
    }

    /// Whether the pod has been active for longer than it may.
    ///
    /// Mirrors: `pkg/kubelet/active_deadline.go`.
    fn is_overdue(&self, shared: &Shared, ctx: &Ctx<'_, Kubelet>) -> bool {
        let began = shared.reporter.latest(&self.uid).and_then(|status| status.start_time.clone());
        self.pod.spec.active_deadline_seconds.zip(began).is_some_and(|(allowed, began)| {
            shared.clock(ctx.now).duration_since(began.0).as_secs() >= allowed
        })
    }

    /// Goes on, if nothing is under way.
    pub fn next(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        if self.state != State::Waiting || !self.dirty {
            return;
        }
        if !self.changed.is_empty() {
            let ids = std::mem::take(&mut self.changed);
            let calls = self.look_at(shared, ctx, ids);
            self.state = State::Looking { calls };
            return;
        }
        self.dirty = false;
        self.retry_at = None;
        if self.failure.is_none() && self.is_overdue(shared, ctx) {
            self.failure = Some(DEADLINE_EXCEEDED);
            let (reason, message) = DEADLINE_EXCEEDED;
            shared.tell(ctx, &self.pod, None, (EventKind::Normal, reason), message);
        }
        self.end_resize(shared, ctx);
        let (status, phase) = self.status(shared, ctx, false);
        if self.stop_within.is_none() && !phase.is_terminal() {
            self.report(shared, ctx, status);
            self.sync(shared, ctx);
        } else {
            if !self.gone {
                self.report(shared, ctx, status);
            }
            self.stop_containers(shared, ctx);
        }
    }

    /// Asks how containers stand.
    pub fn look_at(
        &self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        ids: impl IntoIterator<Item = Id>,
    ) -> SortedSet<CallId> {
        let request = |container_id| CriRequest::ContainerStatus { container_id };
        ids.into_iter().map(|id| self.call(shared, ctx, request(id))).collect()
    }

    /// Calls the runtime; the answer is for this worker.
    pub fn call(
        &self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        request: CriRequest,
    ) -> CallId {
        shared.call(ctx, Caller::Worker(Rc::clone(&self.uid)), request)
    }

    /// The pod's status as of now, and its phase.
    pub fn status(
        &self,
        shared: &Shared,
        ctx: &Ctx<'_, Kubelet>,
        over: bool,
    ) -> (PodStatus, PodPhase) {
        let mut pod = Pod::clone(&self.pod);
        if let Some(latest) = shared.reporter.latest(&self.uid) {
            pod.status = super::status::merged(latest, &self.pod.status);
        }
        let sandbox = self.sandbox.as_ref();
        pod_status(&Seen {
            pod: &pod,
            records: &self.records,
            sandbox_ready: sandbox.is_some_and(|sandbox| sandbox.ready),
            pod_ip: sandbox.and_then(|sandbox| sandbox.ip),
            node_ip: shared.node_ip,
            epoch: shared.epoch,
            now: shared.clock(ctx.now),
            over,
            failure: self.failure,
            resize: &self.resize,
        })
    }

    /// Reports a status.
    pub fn report(&self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>, status: PodStatus) {
        let Shared { reporter, client, .. } = shared;
        reporter.report(ctx, client, &self.pod, &self.uid, status);
    }

    fn sync(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        if self.sandbox.is_none() {
            if let Some(allowed) = self.pod.spec.active_deadline_seconds {
                let allowed = Duration::from_secs(u64::try_from(allowed).unwrap_or(0));
                Shared::remind(ctx, &self.uid, allowed);
            }
            self.state = State::CreatingSandbox;
            let config = Rc::new(self.sandbox_config());
            self.call(shared, ctx, CriRequest::RunPodSandbox { config });
            return;
        }
        if !self.resize_containers(shared, ctx) {
            self.to_start = self.missing();
            self.start_next(shared, ctx);
        }
    }

    /// The containers to start: the next init container, or all that are missing behind them.
    fn missing(&self) -> VecDeque<usize> {
        let started =
            self.records.iter().any(|one| one.kind == Kind::Regular && one.current.is_some());
        let mut missing = VecDeque::new();
        // Who looks into a pod does not wait for it to be ready.
        for (index, record) in self.records.iter().enumerate() {
            if record.kind == Kind::Ephemeral && record.current.is_none() {
                missing.push_back(index);
            }
        }
        let all = specs(&self.pod, &self.records).zip(&self.records).enumerate();
        for (index, (spec, record)) in all {
            match record.kind {
                Kind::Init if started || record.is_done() => {}
                Kind::Init => {
                    if record.wants_start(spec, &self.pod) {
                        missing.push_back(index);
                    }
                    return missing;
                }
                Kind::Sidecar if record.is_running() => {}
                Kind::Sidecar => {
                    missing.push_back(index);
                    if !started {
                        return missing;
                    }
                }
                Kind::Regular if record.wants_start(spec, &self.pod) => missing.push_back(index),
                Kind::Regular | Kind::Ephemeral => {}
            }
        }
        missing
    }

    /// The sync is over.
    pub fn rest(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        self.state = State::Waiting;
        if self.dirty {
            self.next(shared, ctx);
        } else if let Some(at) = self.retry_at {
            Shared::remind(ctx, &self.uid, at.since(ctx.now));
        }
    }

    /// A part of the sync failed: another sync comes once the back-off is over, or in a while.
    ///
    /// Mirrors: `completeWork` of `pod_workers.go`.
    pub fn retry(&mut self, ctx: &mut Ctx<'_, Kubelet>, backoff: Option<Duration>) {
        let least = backoff.unwrap_or(RETRY).min(RESYNC);
        let at = ctx.now + least + ctx.rng.span_below(least / 2);
        self.retry_at = Some(self.retry_at.map_or(at, |other| other.min(at)));
    }

    /// The runtime has answered a call of this worker.
    pub fn answered(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        call: CallId,
        result: Result<CriResponse, CriError>,
    ) {
        match std::mem::replace(&mut self.state, State::Waiting) {
            State::Looking { mut calls } => {
                calls.remove(&call);
                self.observe(shared, ctx, result);
                if calls.is_empty() {
                    self.next(shared, ctx);
                } else {
                    self.state = State::Looking { calls };
                }
            }
            State::CreatingSandbox => self.sandbox_created(shared, ctx, result),
            State::InspectingSandbox { id } => {
                let ip = match result {
                    Ok(CriResponse::PodSandboxStatus { status }) => status.ip,
                    Ok(_) | Err(_) => None,
                };
                self.sandbox = Some(Sandbox { id, ip: ip.or(Some(shared.node_ip)), ready: true });
                self.to_start = self.missing();
                self.start_next(shared, ctx);
            }
            State::Resizing { mut calls } => {
                calls.remove(&call);
                if calls.is_empty() {
                    self.resized(shared, ctx);
                } else {
                    self.state = State::Resizing { calls };
                }
            }
            State::StoppingContainers { mut calls } => {
                calls.remove(&call);
                if calls.is_empty() {
                    self.stop_sandbox(shared, ctx);
                } else {
                    self.state = State::StoppingContainers { calls };
                }
            }
            State::StoppingSandbox => {
                if let Some(sandbox) = &mut self.sandbox {
                    sandbox.ready = false;
                }
                self.collect(shared, ctx);
            }
            State::Collecting { mut calls } => {
                calls.remove(&call);
                self.observe(shared, ctx, result);
                if calls.is_empty() {
                    self.terminate(shared, ctx);
                } else {
                    self.state = State::Collecting { calls };
                }
            }
            State::Terminated => self.state = State::Terminated,
            starting @ (State::Waiting
            | State::InspectingImage { .. }
            | State::PullingImage { .. }
            | State::InspectingPulled { .. }
            | State::CreatingContainer { .. }
            | State::StartingContainer { .. }) => self.started(shared, ctx, starting, result),
        }
    }

    /// The container that was just made is to be looked at before the next sync.
    pub fn look_again(&mut self, id: Id) {
        self.changed.insert(id);
        self.dirty = true;
    }

    /// Whether the pod is on its way out.
    pub fn is_stopping(&self) -> bool {
        self.stop_within.is_some()
    }

    fn observe(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        result: Result<CriResponse, CriError>,
    ) {
        let Ok(CriResponse::ContainerStatus { status }) = result else { return };
        let mut own = self.records.iter_mut().filter(|record| record.name == status.metadata.name);
        if let Some(container_id) = own.next().and_then(|record| record.observe(&status)) {
            shared.call(ctx, Caller::Nobody, CriRequest::RemoveContainer { container_id });
        }
    }
}
