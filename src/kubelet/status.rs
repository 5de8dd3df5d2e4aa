//! A pod's status from its spec and from what its node sees of it; pure.
//!
//! Mirrors: `pkg/kubelet/kubelet_pods.go` (`convertToAPIContainerStatuses`) and
//! `pkg/kubelet/status/status_manager.go` (`TerminatePod`).

use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, HostIP,
    PodCondition, PodIP,
};

use super::container::{Cause, Kind, Record};
use super::resize::Resize;
use crate::api::phase::{
    PodPhase, containers_ready, initialized, pod_phase, ready, ready_to_start_containers,
};
use crate::api::wire::{Container, ContainerStatus, PodStatus};
use crate::api::{Pod, seconds};
use crate::runtime::{self, ContainerState as Stage};
use crate::sim::Instant;

const SCHEDULED: &str = "PodScheduled";
/// The conditions that a kubelet decides on.
const OWN: [&str; 7] = [
    RESIZE_PENDING,
    RESIZE_UNDER_WAY,
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    SCHEDULED,
];
const RESIZE_PENDING: &str = "PodResizePending";
const RESIZE_UNDER_WAY: &str = "PodResizeInProgress";

/// Why a kubelet ends a pod by itself: reason and message.
pub(super) type Failure = (&'static str, &'static str);

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
    /// Why the kubelet itself ends the pod.
    pub failure: Option<Failure>,
    pub resize: &'a Resize,
}

/// The status to report, and its phase. What others wrote into the pod's status stays.
pub(super) fn pod_status(seen: &Seen<'_>) -> (PodStatus, PodPhase) {
    let pod = seen.pod;
    let old = &*pod.status;
    let init_count = pod.spec.init_containers.as_ref().map_or(0, Vec::len);
    let count = pod.spec.containers.len();
    let waiting = if init_count > 0 { "PodInitializing" } else { "ContainerCreating" };
    let mut statuses: Vec<ContainerStatus> = specs(pod, seen.records)
        .zip(seen.records)
        .map(|(spec, record)| container_status(seen, spec, record, waiting))
        .collect();
    let was = old.phase.as_deref().and_then(PodPhase::parse).filter(|was| was.is_terminal());
    let mut phase = was.unwrap_or_else(|| pod_phase(&pod.spec, &statuses, seen.over));
    if seen.over && !phase.is_terminal() {
        statuses.iter_mut().skip(init_count).take(count).for_each(presume_lost);
        phase = PodPhase::Failed;
    }
    if seen.failure.is_some() {
        phase = PodPhase::Failed;
    }
    let conditions = conditions(seen, &statuses, phase);
    let mut regular = statuses.split_off(init_count.min(statuses.len()));
    let ephemeral = regular.split_off(count.min(regular.len()));
    let host = seen.node_ip.to_string();
    let ip = seen.pod_ip.map(|ip| ip.to_string());
    let status = PodStatus {
        phase: Some(phase.as_str().into()),
        reason: seen.failure.map(|(reason, _)| reason.into()).or_else(|| old.reason.clone()),
        message: seen.failure.map(|(_, message)| message.into()).or_else(|| old.message.clone()),
        conditions: Some(conditions),
        container_statuses: Some(regular),
        init_container_statuses: (init_count > 0).then_some(statuses),
        ephemeral_container_statuses: (!ephemeral.is_empty()).then_some(ephemeral),
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

/// The containers of a pod: those that prepare it, its own, and the ephemeral ones among `records`.
pub(super) fn specs<'a>(
    pod: &'a Pod,
    records: &'a [Record],
) -> impl Iterator<Item = &'a Container> {
    let ephemeral = records.iter().filter_map(|record| record.ephemeral.as_deref());
    pod.spec.init_containers.iter().flatten().chain(&pod.spec.containers).chain(ephemeral)
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
    let is_probed = !matches!(record.kind, Kind::Init | Kind::Ephemeral);
    let mut status = ContainerStatus {
        name: spec.name.clone(),
        image: spec.image.clone().unwrap_or_default(),
        state: Some(wait(waiting, None)),
        started: is_probed.then_some(false),
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
        status.resources = Some(record.resources().cloned().unwrap_or_default());
        if record.kind != Kind::Ephemeral {
            status.started = Some(now.state == Stage::Running);
        }
        status.ready = match record.kind {
            Kind::Init => now.state == Stage::Exited && now.exit_code == 0,
            Kind::Ephemeral => false,
            Kind::Sidecar | Kind::Regular => now.state == Stage::Running,
        };
    }
    if let Some(Cause { reason, message }) = record.cause.as_ref().filter(|_| !seen.over)
        && record.wants_start(spec, seen.pod)
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
    let at = |moment: Instant| seconds(moment.date(epoch));
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

fn conditions(seen: &Seen<'_>, statuses: &[ContainerStatus], phase: PodPhase) -> Vec<PodCondition> {
    let spec = &*seen.pod.spec;
    let old = seen.pod.status.conditions.as_deref().unwrap_or_default();
    let scheduled =
        PodCondition { type_: SCHEDULED.into(), status: "True".into(), ..PodCondition::default() };
    let mut all = vec![
        ready_to_start_containers(seen.sandbox_ready),
        initialized(spec, Some(statuses), phase),
        ready(spec, old, Some(statuses), phase),
        containers_ready(spec, Some(statuses), phase),
        scheduled,
    ];
    for condition in &mut all {
        condition.observed_generation = seen.pod.metadata.generation;
    }
    let mut resizes = resizes(seen.resize);
    resizes.append(&mut all);
    let mut all = resizes;
    for condition in &mut all {
        let mut same =
            old.iter().filter(|one| one.type_ == condition.type_ && one.status == condition.status);
        let since = same.next().and_then(|one| one.last_transition_time.clone());
        condition.last_transition_time = since.or_else(|| Some(seconds(seen.now)));
    }
    let others = old.iter().filter(|one| !OWN.contains(&one.type_.as_str()));
    all.extend(others.cloned());
    all
}

/// How the pod's resize stands: each is about a generation of its own.
fn resizes(resize: &Resize) -> Vec<PodCondition> {
    let condition = |kind: &str, observed_generation| PodCondition {
        type_: kind.into(),
        status: "True".into(),
        observed_generation,
        ..PodCondition::default()
    };
    let pending = resize.deferred.iter().map(|(why, generation)| PodCondition {
        reason: Some("Deferred".into()),
        message: Some(why.clone()),
        ..condition(RESIZE_PENDING, *generation)
    });
    let under_way =
        resize.under_way.map(|generation| condition(RESIZE_UNDER_WAY, Some(generation)));
    pending.chain(under_way).collect()
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
