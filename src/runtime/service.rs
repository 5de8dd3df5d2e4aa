//! The runtime as a whole: calls come in, work falls due, programs run.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::catalogue::Catalogue;
use super::container::{Container, End, Exec, Exit, Stage};
use super::cri::{
    CallId, Code, ContainerEvent, ContainerEventType, CriError, CriRequest, CriResponse, Id,
    LogLine, LogOptions, Outcome,
};
use super::forwarding::FETCH;
use super::forwarding::Forward;
use super::image::{ImageReference, hex64};
use super::images::Images;
use super::sandbox::{Ipam, Sandbox};
use super::signal::Signal;
use super::timing::Timing;
use crate::sim::{Instant, Rng, SortedMap, SortedSet};

/// The machine that a runtime works on.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    pub hostname: Rc<str>,
    pub ip: Ipv4Addr,
    /// What the wall clock says at the beginning of virtual time.
    pub epoch: Timestamp,
    pub timing: Timing,
}

/// A node's container runtime.
#[derive(Clone, Debug, PartialEq)]
pub struct Runtime {
    pub(super) host: Host,
    pub(super) catalogue: Rc<Catalogue>,
    pub(super) ipam: Option<Ipam>,
    pub(super) sandboxes: SortedMap<Id, Rc<Sandbox>>,
    pub(super) containers: SortedMap<Id, Rc<Container>>,
    pub(super) images: Images,
    /// Pulls under way and when they end: a second pull of the same image waits for the first.
    pub(super) pulls: SortedMap<String, Instant>,
    work: SortedMap<(Instant, u64), Work>,
    sequence: u64,
    wakeups: SortedSet<(Instant, Id)>,
    pub(super) forwards: Rc<Vec<Forward>>,
    pub(super) outbox: Vec<Outcome>,
}

/// Something that falls due.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    /// A call has taken its time; `id` is for what it makes.
    Call { call: CallId, request: CriRequest, id: Id },
    /// A container had its time to stop.
    Kill { container_id: Id },
    /// A command in a container had its time.
    EndExec { container_id: Id, call: CallId, timeout: Duration },
}

impl Runtime {
    /// On a fresh machine: no image, no sandbox, and no network until the node has a podCIDR.
    pub fn new(host: Host, catalogue: Rc<Catalogue>) -> Self {
        Self {
            host,
            catalogue,
            ipam: None,
            sandboxes: SortedMap::new(),
            containers: SortedMap::new(),
            images: Images::default(),
            pulls: SortedMap::new(),
            work: SortedMap::new(),
            sequence: 0,
            wakeups: SortedSet::new(),
            forwards: Rc::default(),
            outbox: Vec::new(),
        }
    }

    /// Takes a call. Its answer comes from [`Runtime::advance`] as [`Outcome::Answered`] with the
    /// same `call`, never at once.
    pub fn handle(&mut self, now: Instant, rng: &mut Rng, call: CallId, request: CriRequest) {
        let makes = matches!(
            request,
            CriRequest::RunPodSandbox { .. } | CriRequest::CreateContainer { .. }
        );
        let id = if makes { hex64(rng).into() } else { Id::from("") };
        // What is typed, or sent in a connection, keeps its order, and so takes no time.
        let typed = matches!(request, CriRequest::TypeIn { .. } | CriRequest::Forward(_));
        let due = if typed { now } else { now + self.duration(now, rng, &request) };
        self.schedule(due, Work::Call { call, request, id });
    }

    /// When [`Runtime::advance`] has something to do, if ever.
    pub fn next_wakeup(&self) -> Option<Instant> {
        let work = self.work.keys().next().map(|(due, _)| *due);
        let wakeup = self.wakeups.first().map(|(due, _)| *due);
        work.into_iter().chain(wakeup).min()
    }

    /// Does all that falls due up to `now`, in order of time.
    pub fn advance(&mut self, now: Instant) -> Vec<Outcome> {
        while let Some(due) = self.next_wakeup().filter(|due| *due <= now) {
            // Calls go before programs, so that a program sees what was asked at the same moment.
            let has_work = self.work.keys().next().is_some_and(|(at, _)| *at == due);
            let work = if has_work { self.work.pop_first() } else { None };
            match work.map(|(_, work)| work) {
                Some(Work::Call { call, request, id }) => self.perform(due, call, request, id),
                Some(Work::Kill { container_id }) => self.kill(due, &container_id),
                Some(Work::EndExec { container_id, call, timeout }) => {
                    self.end_exec(due, &container_id, call, timeout);
                }
                None => {
                    if let Some((_, id)) = self.wakeups.pop_first() {
                        self.run(due, &id);
                    }
                }
            }
        }
        std::mem::take(&mut self.outbox)
    }

    /// What a container wrote, as far as it is kept; none if there is no such container.
    pub fn log(&self, container_id: &str) -> Option<Vec<LogLine>> {
        Some(self.containers.get(container_id)?.log.read(LogOptions::default()))
    }

    /// Whether something in the pod with the address `ip` accepts connections on `port`.
    pub fn listens(&self, ip: Ipv4Addr, port: u16) -> bool {
        self.listener(ip, port).is_some()
    }

    /// Has `work` done at `due`.
    pub(super) fn schedule(&mut self, due: Instant, work: Work) {
        self.sequence += 1;
        self.work.insert((due, self.sequence), work);
    }

    /// Answers a call.
    pub(super) fn answer(
        &mut self,
        at: Instant,
        call: CallId,
        result: Result<CriResponse, CriError>,
    ) {
        self.outbox.push(Outcome::Answered { call, at, result });
    }

    /// Says that something happened to a container, or to the sandbox itself.
    pub(super) fn emit(
        &mut self,
        at: Instant,
        container_id: &Id,
        pod_sandbox_id: &Id,
        kind: ContainerEventType,
    ) {
        let sandbox = self.sandboxes.get(pod_sandbox_id);
        self.outbox.push(Outcome::Happened(ContainerEvent {
            container_id: Rc::clone(container_id),
            pod_sandbox_id: Rc::clone(pod_sandbox_id),
            pod_uid: sandbox.map_or_else(|| "".into(), |s| Rc::clone(&s.config.metadata.uid)),
            kind,
            created_at: at,
        }));
    }

    /// Lets a container's process run at `at`.
    pub(super) fn wake(&mut self, at: Instant, id: &Id) {
        let Some(container) = self.containers.get_mut(id) else { return };
        let before = Rc::make_mut(container).wake.replace(at);
        if let Some(before) = before {
            self.wakeups.remove(&(before, Rc::clone(id)));
        }
        self.wakeups.insert((at, Rc::clone(id)));
    }

    /// Lets a container's processes run and notes when they want to run again.
    fn run(&mut self, now: Instant, id: &Id) {
        let hostname = self.hostname_of(id);
        let Some(container) = self.containers.get_mut(id) else { return };
        let sandbox = self.sandboxes.get(&container.pod_sandbox_id);
        let ip = sandbox.and_then(|sandbox| sandbox.ip).unwrap_or(self.host.ip);
        let container = Rc::make_mut(container);
        if let Some(wake) = container.wake.take() {
            self.wakeups.remove(&(wake, Rc::clone(id)));
        }
        let (wake, end, outcomes) = container.run(now, self.host.epoch, &hostname, ip);
        self.outbox.extend(container.tell_followers(now, false));
        self.outbox.extend(container.tell_attached(now));
        self.outbox.extend(outcomes);
        // An answer takes its time, so that who asks without end gets no further than time does.
        let answered = self.fetch(now, (id, ip)).then(|| now + FETCH);
        let wake = answered.into_iter().chain(wake).min();
        match (end, wake) {
            (Some(end), _) => self.finish(now, id, end),
            (None, Some(wake)) => self.wake(wake, id),
            (None, None) => {}
        }
    }

    /// What a container's pod, or the node whose network it shares, is called.
    pub(super) fn hostname_of(&self, container_id: &Id) -> Rc<str> {
        let container = self.containers.get(container_id);
        let sandbox = container.and_then(|one| self.sandboxes.get(&one.pod_sandbox_id));
        let own = sandbox.filter(|sandbox| !sandbox.config.host_network);
        Rc::clone(own.map_or(&self.host.hostname, |sandbox| &sandbox.config.hostname))
    }

    /// Ends a command that had its time.
    fn end_exec(&mut self, now: Instant, id: &Id, call: CallId, timeout: Duration) {
        let Some(container) = self.containers.get_mut(id) else { return };
        if !container.execs.iter().any(|exec| exec.call == call) {
            return;
        }
        Rc::make_mut(container).execs.retain(|exec| exec.call != call);
        let message = format!(
            "failed to exec in container: timeout {}s exceeded: context deadline exceeded",
            timeout.as_secs()
        );
        let error = CriError { code: Code::DeadlineExceeded, message };
        self.answer(now, call, Err(error));
    }

    /// SIGKILL: nothing in the container runs on.
    pub(super) fn kill(&mut self, now: Instant, id: &Id) {
        self.finish(now, id, End::Code(Signal::Kill.exit_code()));
    }

    /// Ends a running container; one that does not run stays as it is.
    fn finish(&mut self, now: Instant, id: &Id, end: End) {
        let Some(container) = self.containers.get_mut(id) else { return };
        let Stage::Running { started_at, stopping, .. } = &container.stage else { return };
        let (started_at, stopping) = (*started_at, stopping.clone());
        let pod_sandbox_id = Rc::clone(&container.pod_sandbox_id);
        let container = Rc::make_mut(container);
        container.stage = Stage::Exited(Exit::of_process(started_at, now, end));
        let execs = std::mem::take(&mut container.execs);
        self.outbox.extend(container.tell_followers(now, true));
        self.outbox.extend(container.tell_attached(now));
        let followers = std::mem::take(&mut container.followers);
        let attached = std::mem::take(&mut container.attached);
        if let Some(wake) = container.wake.take() {
            self.wakeups.remove(&(wake, Rc::clone(id)));
        }
        self.disconnect(now, id);
        self.emit(now, id, &pod_sandbox_id, ContainerEventType::Stopped);
        for call in stopping {
            self.answer(now, call, Ok(CriResponse::StopContainer));
        }
        for follower in followers {
            self.answer(now, follower.call, Ok(CriResponse::FollowLog));
        }
        for call in attached {
            self.answer(now, call, Ok(CriResponse::Attach));
        }
        let ended = |exec: Exec| exec.ended(now, Signal::Kill.exit_code());
        self.outbox.extend(execs.into_iter().filter_map(ended));
    }

    /// How long a call takes before its effect is there.
    fn duration(&mut self, now: Instant, rng: &mut Rng, request: &CriRequest) -> Duration {
        let timing = self.host.timing;
        match request {
            CriRequest::RunPodSandbox { .. } => timing.run_pod_sandbox.draw(rng),
            CriRequest::StopPodSandbox { .. } => timing.stop_pod_sandbox.draw(rng),
            CriRequest::CreateContainer { .. } => timing.create_container.draw(rng),
            CriRequest::StartContainer { .. } => timing.start_container.draw(rng),
            CriRequest::RemovePodSandbox { .. }
            | CriRequest::RemoveContainer { .. }
            | CriRequest::RemoveImage { .. } => timing.remove.draw(rng),
            CriRequest::PullImage { image } => self.pull_duration(now, rng, image),
            CriRequest::Status
            | CriRequest::UpdateRuntimeConfig { .. }
            | CriRequest::PodSandboxStatus { .. }
            | CriRequest::ListPodSandbox
            | CriRequest::ImageStatus { .. }
            | CriRequest::ListImages
            | CriRequest::StopContainer { .. }
            | CriRequest::UpdateContainerResources { .. }
            | CriRequest::ContainerStatus { .. }
            | CriRequest::ListContainers
            | CriRequest::ReadLogs { .. }
            | CriRequest::FollowLog { .. }
            | CriRequest::Exec { .. }
            | CriRequest::Attach { .. }
            | CriRequest::TypeIn { .. }
            | CriRequest::PortForward { .. }
            | CriRequest::Forward(_)
            | CriRequest::Cancel
            | CriRequest::ExecSync { .. } => timing.query.draw(rng),
        }
    }

    fn pull_duration(&mut self, now: Instant, rng: &mut Rng, image: &str) -> Duration {
        let timing = self.host.timing;
        let Ok(reference) = ImageReference::parse_docker_ref(image) else {
            return timing.query.draw(rng);
        };
        let name = reference.to_string();
        let resolve = timing.resolve_image.draw(rng);
        if self.images.find(&name).is_some() {
            return resolve;
        }
        let Ok(entry) = self.catalogue.resolve(&reference) else { return resolve };
        let due = now + resolve + timing.pull(entry.size, entry.layers, rng);
        let due = *self.pulls.or_insert_with(name, || due);
        Duration::from_micros(due.as_micros().saturating_sub(now.as_micros()))
    }
}
