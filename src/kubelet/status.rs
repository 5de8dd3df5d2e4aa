//! A pod's status from its spec and from what its node sees of it; pure.
//!
//! Mirrors: `pkg/kubelet/kubelet_pods.go` (`getPhase`, `convertToAPIContainerStatuses`) and
//! `pkg/kubelet/status/generate.go`.

use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated,
    ContainerStateWaiting, ContainerStatus, HostIP, PodCondition, PodIP, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::container::{Cause, Kind, Record, RestartPolicy};
use crate::api::{Pod, seconds};
use crate::runtime::{self, ContainerState as Stage};

const READY: &str = "Ready";
const SCHEDULED: &str = "PodScheduled";
/// The conditions that a kubelet decides on.
const OWN: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", READY, "ContainersReady", SCHEDULED];
const FALSE: &str = "False";
const TRUE: &str = "True";

/// What a node knows of a pod.
pub(super) struct Seen<'a> {
    pub pod: &'a Pod,
    /// In the order of the spec, init containers first.
    pub records: &'a [Record],
    pub sandbox_ready: bool,
    pub pod_ip: Option<Ipv4Addr>,
    pub node_ip: Ipv4Addr,
    pub epoch: Timestamp,
    pub now: Timestamp,
    /// Whether the pod will never run again.
    pub over: bool,
}

/// Where a pod stands as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    pub fn is_terminal(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Pending | Self::Running => false,
        }
    }

    fn terminal(name: Option<&str>) -> Option<Self> {
        [Self::Succeeded, Self::Failed].into_iter().find(|phase| name == Some(phase.name()))
    }
}

/// The status to report, and its phase. What others wrote into the pod's status stays.
pub(super) fn pod_status(seen: &Seen<'_>) -> (PodStatus, Phase) {
    let pod = seen.pod;
    let old = &*pod.status;
    let init_count = pod.spec.init_containers.as_ref().map_or(0, Vec::len);
    let waiting = if init_count > 0 { "PodInitializing" } else { "ContainerCreating" };
    let mut statuses: Vec<ContainerStatus> = specs(pod)
        .zip(seen.records)
        .map(|(spec, record)| container_status(seen, spec, record, waiting))
        .collect();
    let mut regular = statuses.split_off(init_count.min(statuses.len()));
    let mut phase = phase(pod, &statuses, &regular, seen.over);
    if let Some(was) = Phase::terminal(old.phase.as_deref()) {
        phase = was;
    } else if seen.over && !phase.is_terminal() {
        regular.iter_mut().for_each(presume_lost);
        phase = Phase::Failed;
    }
    let conditions = conditions(seen, &statuses, &regular, phase);
    let host = seen.node_ip.to_string();
    let ip = seen.pod_ip.map(|ip| ip.to_string());
    let status = PodStatus {
        phase: Some(phase.name().into()),
        conditions: Some(conditions),
        container_statuses: Some(regular),
        init_container_statuses: (init_count > 0).then_some(statuses),
        host_ip: Some(host.clone()),
        host_ips: Some(vec![HostIP { ip: host }]),
        pod_ip: ip.clone().or_else(|| old.pod_ip.clone()),
        pod_ips: ip.map(|ip| vec![PodIP { ip }]).or_else(|| old.pod_ips.clone()),
        start_time: old.start_time.clone().or_else(|| Some(seconds(seen.now))),
        observed_generation: pod.metadata.generation,
        ..old.clone()
    };
    (status, phase)
}

/// The containers of a pod, those that prepare it first.
pub(super) fn specs(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.spec.init_containers.iter().flatten().chain(&pod.spec.containers)
}

fn phase(pod: &Pod, init: &[ContainerStatus], regular: &[ContainerStatus], over: bool) -> Phase {
    let policy = RestartPolicy::of(pod);
    let inits = pod.spec.init_containers.iter().flatten().zip(init);
    let mut to_do = false;
    for (spec, status) in inits {
        let failed = exit_code(status).is_some_and(|code| code != 0);
        if is_sidecar(spec) {
            to_do |= status.started != Some(true) && exit_code(status).is_none();
        } else if failed && policy == RestartPolicy::Never {
            return Phase::Failed;
        } else {
            to_do |= !status.ready;
        }
    }
    let count = |is: fn(&ContainerStatus) -> bool| regular.iter().filter(|one| is(one)).count();
    let running = count(is_running);
    let ended = count(|one| !is_running(one) && exit_code(one).is_some());
    let succeeded = count(|one| !is_running(one) && exit_code(one) == Some(0));
    let waiting = regular.len() - running - ended;
    if (to_do && running == 0 && ended == 0) || waiting > 0 {
        return Phase::Pending;
    }
    if running > 0 {
        return Phase::Running;
    }
    match (policy, succeeded == ended) {
        (RestartPolicy::OnFailure | RestartPolicy::Never, true) => Phase::Succeeded,
        (RestartPolicy::Always, true) if over => Phase::Succeeded,
        (RestartPolicy::Always | RestartPolicy::OnFailure, false) if over => Phase::Failed,
        (RestartPolicy::Never, false) => Phase::Failed,
        (RestartPolicy::Always, _) | (RestartPolicy::OnFailure, false) => Phase::Running,
    }
}

/// Whether an init container is one that keeps running beside the others.
pub(super) fn is_sidecar(spec: &Container) -> bool {
    spec.restart_policy.as_deref() == Some("Always")
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

/// How it ended last, unless it runs again.
fn exit_code(status: &ContainerStatus) -> Option<i32> {
    let ended = |state: &Option<ContainerState>| {
        state.as_ref().and_then(|state| state.terminated.as_ref()).map(|end| end.exit_code)
    };
    ended(&status.state).or_else(|| ended(&status.last_state).filter(|_| !is_running(status)))
}

/// A pod that is over has no container that waits: nobody knows what became of it.
fn presume_lost(status: &mut ContainerStatus) {
    if status.state.as_ref().is_some_and(|state| state.terminated.is_some()) {
        return;
    }
    status.state = Some(ContainerState {
        terminated: Some(ContainerStateTerminated {
            reason: Some("ContainerStatusUnknown".into()),
            message: Some("The container could not be located when the pod was terminated".into()),
            exit_code: 137,
            ..ContainerStateTerminated::default()
        }),
        ..ContainerState::default()
    });
}

fn container_status(
    seen: &Seen<'_>,
    spec: &Container,
    record: &Record,
    waiting: &str,
) -> ContainerStatus {
    let wait = |reason: &str, message: Option<String>| ContainerState {
        waiting: Some(ContainerStateWaiting { reason: Some(reason.into()), message }),
        ..ContainerState::default()
    };
    let mut status = ContainerStatus {
        name: spec.name.clone(),
        image: spec.image.clone().unwrap_or_default(),
        state: Some(wait(waiting, None)),
        started: (record.kind != Kind::Init).then_some(false),
        ..ContainerStatus::default()
    };
    if let Some(last) = &record.last {
        status.last_state = Some(state(last, seen.epoch));
    }
    if let Some(now) = &record.current {
        status.image = now.image.to_string();
        status.image_id = now.image_ref.to_string();
        status.container_id = Some(format!("containerd://{}", now.id));
        status.restart_count = i32::try_from(now.metadata.attempt).unwrap_or(i32::MAX);
        status.state = Some(state(now, seen.epoch));
        status.allocated_resources =
            spec.resources.as_ref().and_then(|resources| resources.requests.clone());
        status.resources = Some(spec.resources.clone().unwrap_or_default());
        status.started = Some(now.state == Stage::Running);
        status.ready = match record.kind {
            Kind::Init => now.state == Stage::Exited && now.exit_code == 0,
            Kind::Sidecar | Kind::Regular => now.state == Stage::Running,
        };
    }
    if let Some(Cause { reason, message }) = record.cause.as_ref().filter(|_| !seen.over)
        && record.wants_start(RestartPolicy::of(seen.pod))
    {
        if record.current.is_some() {
            status.last_state = status.state.take();
        }
        let message = Some(message.clone()).filter(|message| !message.is_empty());
        status.state = Some(wait(reason, message));
    }
    status
}

fn state(container: &runtime::ContainerStatus, epoch: Timestamp) -> ContainerState {
    let at = |moment| seconds(super::wall_clock(epoch, moment));
    let mut state = ContainerState::default();
    match container.state {
        Stage::Created => {
            state.waiting = Some(ContainerStateWaiting::default());
        }
        Stage::Running => {
            let started_at = container.started_at.map(at);
            state.running = Some(ContainerStateRunning { started_at });
        }
        Stage::Exited => {
            // What never ran started, for the API, when computers' time begins.
            let never = || seconds(Timestamp::UNIX_EPOCH);
            state.terminated = Some(ContainerStateTerminated {
                exit_code: container.exit_code,
                reason: Some(container.reason.to_owned()),
                message: Some(container.message.clone()).filter(|text| !text.is_empty()),
                started_at: Some(container.started_at.map_or_else(never, at)),
                finished_at: container.finished_at.map(at),
                container_id: Some(format!("containerd://{}", container.id)),
                signal: None,
            });
        }
    }
    state
}

struct Verdict {
    kind: &'static str,
    is_true: bool,
    reason: &'static str,
    message: String,
}

fn conditions(
    seen: &Seen<'_>,
    init: &[ContainerStatus],
    regular: &[ContainerStatus],
    phase: Phase,
) -> Vec<PodCondition> {
    let plain = |kind, is_true| Verdict { kind, is_true, reason: "", message: String::new() };
    let containers = containers_ready(seen.pod, init, regular, phase);
    let ready = pod_ready(seen.pod, &containers);
    let verdicts = [
        plain("PodReadyToStartContainers", seen.sandbox_ready),
        initialized(seen.pod, init, regular, phase),
        ready,
        containers,
        plain(SCHEDULED, true),
    ];
    let old = seen.pod.status.conditions.as_deref().unwrap_or_default();
    let mut all: Vec<PodCondition> = verdicts
        .into_iter()
        .map(|verdict| {
            let status = if verdict.is_true { TRUE } else { FALSE };
            let before = old.iter().find(|one| one.type_ == verdict.kind && one.status == status);
            let since: Option<Time> = before.and_then(|one| one.last_transition_time.clone());
            PodCondition {
                type_: verdict.kind.into(),
                status: status.into(),
                reason: Some(verdict.reason.to_owned()).filter(|text| !text.is_empty()),
                message: Some(verdict.message).filter(|text| !text.is_empty()),
                last_probe_time: None,
                last_transition_time: since.or_else(|| Some(seconds(seen.now))),
                observed_generation: seen.pod.metadata.generation,
            }
        })
        .collect();
    let others: Vec<PodCondition> =
        old.iter().filter(|one| all.iter().all(|own| own.type_ != one.type_)).cloned().collect();
    all.extend(others);
    all
}

fn initialized(
    pod: &Pod,
    init: &[ContainerStatus],
    regular: &[ContainerStatus],
    phase: Phase,
) -> Verdict {
    let kind = "Initialized";
    if phase == Phase::Succeeded {
        return Verdict { kind, is_true: true, reason: "PodCompleted", message: String::new() };
    }
    let started = regular.iter().any(|one| is_running(one) || exit_code(one).is_some());
    let incomplete: Vec<&str> = pod
        .spec
        .init_containers
        .iter()
        .flatten()
        .zip(init)
        .filter(
            |(spec, status)| {
                if is_sidecar(spec) { status.started != Some(true) } else { !status.ready }
            },
        )
        .map(|(spec, _)| spec.name.as_str())
        .collect();
    if started || incomplete.is_empty() {
        return Verdict { kind, is_true: true, reason: "", message: String::new() };
    }
    let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    Verdict { kind, is_true: false, reason: "ContainersNotInitialized", message }
}

fn containers_ready(
    pod: &Pod,
    init: &[ContainerStatus],
    regular: &[ContainerStatus],
    phase: Phase,
) -> Verdict {
    let kind = "ContainersReady";
    let reason = match phase {
        Phase::Succeeded => "PodCompleted",
        Phase::Failed => "PodFailed",
        Phase::Pending | Phase::Running => "",
    };
    if !reason.is_empty() {
        return Verdict { kind, is_true: false, reason, message: String::new() };
    }
    let inits = pod.spec.init_containers.iter().flatten().zip(init);
    let sidecars = inits.filter(|(spec, _)| is_sidecar(spec)).map(|(_, status)| status);
    let unready: Vec<&str> = sidecars
        .chain(regular)
        .filter(|status| !status.ready)
        .map(|status| status.name.as_str())
        .collect();
    if unready.is_empty() {
        return Verdict { kind, is_true: true, reason: "", message: String::new() };
    }
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    Verdict { kind, is_true: false, reason: "ContainersNotReady", message }
}

fn pod_ready(pod: &Pod, containers: &Verdict) -> Verdict {
    let kind = READY;
    if !containers.is_true {
        let message = containers.message.clone();
        return Verdict { kind, is_true: false, reason: containers.reason, message };
    }
    let conditions = pod.status.conditions.as_deref().unwrap_or_default();
    let gates = pod.spec.readiness_gates.iter().flatten();
    let closed: Vec<String> = gates
        .filter_map(|gate| {
            let gate = &gate.condition_type;
            match conditions.iter().find(|one| one.type_ == *gate) {
                None => Some(format!(
                    "corresponding condition of pod readiness gate {gate:?} does not exist."
                )),
                Some(one) if one.status != TRUE => Some(format!(
                    "the status of pod readiness gate {gate:?} is not \"True\", but {}",
                    one.status
                )),
                Some(_) => None,
            }
        })
        .collect();
    if closed.is_empty() {
        return Verdict { kind, is_true: true, reason: "", message: String::new() };
    }
    let message = closed.join(", ");
    Verdict { kind, is_true: false, reason: "ReadinessGatesNotReady", message }
}

/// The kubelet's own last word, with the conditions that others wrote since.
pub(super) fn merged(own: &Rc<PodStatus>, stored: &PodStatus) -> Rc<PodStatus> {
    let conditions = |status: &PodStatus, keep: bool| -> Vec<PodCondition> {
        let all = status.conditions.iter().flatten();
        all.filter(|one| OWN.contains(&one.type_.as_str()) == keep).cloned().collect()
    };
    let (mut all, others) = (conditions(own, true), conditions(stored, false));
    if others == conditions(own, false) {
        return Rc::clone(own);
    }
    all.extend(others);
    Rc::new(PodStatus { conditions: Some(all), ..PodStatus::clone(own) })
}
