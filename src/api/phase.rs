//! The phase of a Pod and the conditions that its kubelet reports, from what its containers do.
//!
//! Mirrors: `pkg/kubelet/kubelet_pods.go` `getPhase`, `pkg/kubelet/status/generate.go`.

use std::fmt;

use k8s_openapi::api::core::v1::PodCondition;

use super::document::{Fragment, Part};
use super::text::go_quote;
use super::wire::{Container, PodSpec};
use crate::api::wire::ContainerStatus;

/// Where a Pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodPhase {
    Pending,
    Running,
    Succeeded,
    Failed,
    /// Its node has not been heard of.
    Unknown,
}

impl PodPhase {
    /// Every phase.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Unknown];

    /// The phase as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    /// Reads a phase; none for a text that is none, such as the empty one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text)
    }

    /// Whether the Pod will never run again.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Pending | Self::Running | Self::Unknown => false,
        }
    }
}

impl fmt::Display for PodPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a container is, as the phase sees it.
#[derive(Clone, Copy)]
enum Progress {
    /// Nothing is known of it.
    Unknown,
    /// It has not been started yet.
    Waiting,
    Running,
    /// It ended, and is there still.
    Ended(i32),
    /// It ended and waits to be started again.
    BackOff(i32),
}

impl Progress {
    fn of(status: Option<&ContainerStatus>) -> Self {
        let Some(state) = status.and_then(|status| status.state.as_ref()) else {
            return Self::Unknown;
        };
        if state.running.is_some() {
            return Self::Running;
        }
        if let Some(ended) = &state.terminated {
            return Self::Ended(ended.exit_code);
        }
        let last = status.and_then(|status| status.last_state.as_ref()?.terminated.as_ref());
        match (&state.waiting, last) {
            (Some(_), Some(ended)) => Self::BackOff(ended.exit_code),
            (Some(_), None) => Self::Waiting,
            (None, _) => Self::Unknown,
        }
    }
}

/// The phase of a Pod by its containers' statuses, those of init containers among them.
///
/// `terminal` says that the kubelet has decided to start nothing of it any more.
pub fn pod_phase(spec: &PodSpec, statuses: &[ContainerStatus], terminal: bool) -> PodPhase {
    let mut count = Count::default();
    for container in spec.init_containers.iter().flatten() {
        let status = find(statuses, &container.name);
        if is_sidecar(container) {
            count.sidecar(status);
        } else {
            count.init(container, spec, Progress::of(status));
        }
    }
    for container in &spec.containers {
        count.main(container, spec, Progress::of(find(statuses, &container.name)));
    }
    if count.init_failed {
        return PodPhase::Failed;
    }
    // Sidecars that start again later do not put a Pod back into pending.
    let initializing = count.sidecars_pending > 0 && !any_main_started(spec, statuses);
    if count.init_pending > 0 || initializing || count.waiting > 0 || count.unknown > 0 {
        PodPhase::Pending
    } else if count.running > 0 {
        PodPhase::Running
    } else if count.stopped == 0 {
        PodPhase::Pending
    } else {
        count.after_the_end(spec, terminal)
    }
}

/// What the containers of a Pod are at.
#[derive(Default)]
struct Count {
    init_pending: usize,
    /// An init container failed and will not be tried again.
    init_failed: bool,
    sidecars_pending: usize,
    unknown: usize,
    waiting: usize,
    running: usize,
    stopped: usize,
    succeeded: usize,
    /// A container that ended is to run again, by its own policy.
    restarts: bool,
}

impl Count {
    fn init(&mut self, container: &Container, spec: &PodSpec, progress: Progress) {
        match progress {
            Progress::Unknown | Progress::Waiting | Progress::Running => self.init_pending += 1,
            Progress::Ended(code) | Progress::BackOff(code) => {
                self.init_failed |= code != 0 && !should_restart(container, spec, code);
            }
        }
    }

    fn sidecar(&mut self, status: Option<&ContainerStatus>) {
        match (Progress::of(status), status) {
            (Progress::Unknown, None) => self.unknown += 1,
            (Progress::Unknown, Some(_)) => {
                self.sidecars_pending += 1;
                self.unknown += 1;
            }
            (Progress::Waiting, _) => {
                self.sidecars_pending += 1;
                self.waiting += 1;
            }
            (Progress::Running, status) => {
                let started = status.is_some_and(|status| status.started == Some(true));
                self.sidecars_pending += usize::from(!started);
                self.running += 1;
            }
            (Progress::Ended(_) | Progress::BackOff(_), _) => {}
        }
    }

    fn main(&mut self, container: &Container, spec: &PodSpec, progress: Progress) {
        match progress {
            Progress::Unknown => self.unknown += 1,
            Progress::Waiting => self.waiting += 1,
            Progress::Running => self.running += 1,
            Progress::Ended(code) | Progress::BackOff(code) => {
                self.stopped += 1;
                self.succeeded += usize::from(matches!(progress, Progress::Ended(0)));
                let own_policy = container.restart_policy.is_some();
                self.restarts |= own_policy && should_restart(container, spec, code);
            }
        }
    }

    /// The phase when nothing runs and nothing is still to be started for the first time.
    fn after_the_end(&self, spec: &PodSpec, terminal: bool) -> PodPhase {
        let all_succeeded = self.stopped == self.succeeded;
        let policy = spec.restart_policy.as_deref();
        if terminal {
            return if all_succeeded { PodPhase::Succeeded } else { PodPhase::Failed };
        }
        if self.restarts || policy == Some("Always") {
            PodPhase::Running
        } else if all_succeeded {
            PodPhase::Succeeded
        } else if policy == Some("Never") {
            PodPhase::Failed
        } else {
            PodPhase::Running
        }
    }
}

/// Whether a container that ended with `exit_code` is to be started again: by its own rules, its
/// own policy, or that of its Pod.
pub fn should_restart(container: &Container, spec: &PodSpec, exit_code: i32) -> bool {
    let policy = match container.restart_policy.as_deref() {
        Some(own) => {
            let mut rules = Fragment::part(&container.restart_policy_rules).items();
            if rules.any(|rule| applies(rule, exit_code)) {
                return true;
            }
            own
        }
        None => spec.restart_policy.as_deref().unwrap_or("Always"),
    };
    match policy {
        "Always" => true,
        "OnFailure" => exit_code != 0,
        _ => false,
    }
}

fn applies(rule: Part<'_>, exit_code: i32) -> bool {
    let codes = rule.at("exitCodes");
    let listed = codes.at("values").items().any(|code| code.number() == Some(exit_code.into()));
    match codes.at("operator").text() {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    }
}

/// Whether an init container goes on running beside the others.
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn find<'a>(statuses: &'a [ContainerStatus], name: &str) -> Option<&'a ContainerStatus> {
    statuses.iter().find(|status| status.name == name)
}

fn any_main_started(spec: &PodSpec, statuses: &[ContainerStatus]) -> bool {
    let started = |status: &ContainerStatus| match Progress::of(Some(status)) {
        Progress::Running | Progress::Ended(_) => true,
        Progress::Unknown | Progress::Waiting | Progress::BackOff(_) => false,
    };
    let mut of_main = spec.containers.iter().filter_map(|main| find(statuses, &main.name));
    of_main.any(started)
}

/// `ContainersReady`: every container and sidecar is ready. No statuses at all is `None`.
///
/// Here and below, the caller sets the times and the observed generation.
pub fn containers_ready(
    spec: &PodSpec,
    statuses: Option<&[ContainerStatus]>,
    phase: PodPhase,
) -> PodCondition {
    let kind = "ContainersReady";
    let Some(statuses) = statuses else { return no_statuses(kind) };
    let (mut unknown, mut unready) = (Vec::new(), Vec::new());
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    for container in sidecars.chain(&spec.containers) {
        match find(statuses, &container.name) {
            None => unknown.push(container.name.as_str()),
            Some(status) if !status.ready => unready.push(container.name.as_str()),
            Some(_) => {}
        }
    }
    if phase == PodPhase::Succeeded && unknown.is_empty() {
        return condition(kind, false, "PodCompleted", String::new());
    }
    if phase == PodPhase::Failed {
        return condition(kind, false, "PodFailed", String::new());
    }
    let message = lists(&[("unknown", unknown), ("unready", unready)]);
    if message.is_empty() {
        condition(kind, true, "", message)
    } else {
        condition(kind, false, "ContainersNotReady", message)
    }
}

/// `Ready`: the containers are, and so say all readiness gates.
pub fn ready(
    spec: &PodSpec,
    conditions: &[PodCondition],
    statuses: Option<&[ContainerStatus]>,
    phase: PodPhase,
) -> PodCondition {
    let kind = "Ready";
    let containers = containers_ready(spec, statuses, phase);
    if containers.status != "True" {
        return PodCondition { type_: kind.to_owned(), ..containers };
    }
    let gates = Fragment::part(&spec.readiness_gates).items();
    let gates = gates.map(|gate| gate.at("conditionType").text());
    let closed = gates.filter_map(|gate| {
        let quoted = go_quote(gate);
        match conditions.iter().find(|condition| condition.type_ == gate) {
            None => Some(format!(
                "corresponding condition of pod readiness gate {quoted} does not exist."
            )),
            Some(condition) if condition.status != "True" => Some(format!(
                "the status of pod readiness gate {quoted} is not \"True\", but {}",
                condition.status
            )),
            Some(_) => None,
        }
    });
    let message = closed.collect::<Vec<_>>().join(", ");
    if message.is_empty() {
        condition(kind, true, "", message)
    } else {
        condition(kind, false, "ReadinessGatesNotReady", message)
    }
}

/// `Initialized`: every init container has done its part.
pub fn initialized(
    spec: &PodSpec,
    statuses: Option<&[ContainerStatus]>,
    phase: PodPhase,
) -> PodCondition {
    let kind = "Initialized";
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    if statuses.is_none() && !inits.is_empty() {
        return no_statuses(kind);
    }
    let statuses = statuses.unwrap_or_default();
    let (mut unknown, mut incomplete) = (Vec::new(), Vec::new());
    for container in inits {
        let Some(status) = find(statuses, &container.name) else {
            unknown.push(container.name.as_str());
            continue;
        };
        let done = if is_sidecar(container) { status.started == Some(true) } else { status.ready };
        if !done {
            incomplete.push(container.name.as_str());
        }
    }
    if phase == PodPhase::Succeeded && unknown.is_empty() {
        return condition(kind, true, "PodCompleted", String::new());
    }
    let message = lists(&[("unknown", unknown), ("incomplete", incomplete)]);
    if message.is_empty() || any_main_started(spec, statuses) {
        condition(kind, true, "", String::new())
    } else {
        condition(kind, false, "ContainersNotInitialized", message)
    }
}

/// `PodReadyToStartContainers`: its sandbox is there, with a network.
pub fn ready_to_start_containers(sandbox_is_ready: bool) -> PodCondition {
    condition("PodReadyToStartContainers", sandbox_is_ready, "", String::new())
}

fn condition(kind: &str, holds: bool, reason: &str, message: String) -> PodCondition {
    PodCondition {
        type_: kind.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        message: Some(message).filter(|message| !message.is_empty()),
        ..PodCondition::default()
    }
}

fn no_statuses(kind: &str) -> PodCondition {
    condition(kind, false, "UnknownContainerStatuses", String::new())
}

/// The containers by what is wrong with their status, as Go prints lists.
fn lists(lists: &[(&str, Vec<&str>)]) -> String {
    let some = lists.iter().filter(|(_, names)| !names.is_empty());
    let texts =
        some.map(|(what, names)| format!("containers with {what} status: [{}]", names.join(" ")));
    texts.collect::<Vec<_>>().join(", ")
}
