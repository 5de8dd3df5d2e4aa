//! Rows of pods.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodCondition;

use super::cell::{NONE, age, name, text_or};
use super::{Cell, Column};
use crate::api::ObjectMeta;
use crate::api::document::Fragment;
use crate::api::duration;
use crate::api::wire::{Container, ContainerStatus, PodSpec, PodStatus};

/// The columns of pods.
pub const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Ready", "The aggregate readiness state of this pod for accepting traffic."),
    Column::text("Status", "The aggregate status of the containers in this pod."),
    Column::text(
        "Restarts",
        "The number of times the containers in this pod have been restarted and when the last \
         container in this pod has restarted.",
    ),
    Column::AGE,
    Column::text("IP", "podIP address allocated to the pod.").wide(),
    Column::text("Node", "NodeName indicates in which node this pod is scheduled.").wide(),
    Column::text(
        "Nominated Node",
        "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot \
         be scheduled right away as preemption victims receive their graceful termination periods.",
    )
    .wide(),
    Column::text(
        "Readiness Gates",
        "If specified, all readiness gates will be evaluated for pod readiness.",
    )
    .wide(),
];

/// The row of a pod.
pub fn row(
    meta: &ObjectMeta,
    spec: &PodSpec,
    node_name: Option<&str>,
    status: &PodStatus,
    now: Timestamp,
) -> Vec<Cell> {
    let summary = summary(meta, spec, status);
    let ip = status.pod_ips.iter().flatten().next().map(|ip| ip.ip.as_str());
    vec![
        name(meta),
        format!("{}/{}", summary.ready, summary.containers).into(),
        Cell::Text(summary.reason),
        summary.restarts.show(now).into(),
        age(meta, now),
        text_or(ip, NONE),
        text_or(node_name, NONE),
        text_or(status.nominated_node_name.as_deref(), NONE),
        readiness_gates(spec, status),
    ]
}

/// The condition of a finished pod's row, by which clients may hide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    pub reason: &'static str,
    pub message: &'static str,
}

impl Completed {
    /// The condition's type.
    pub const TYPE: &'static str = "Completed";

    /// The condition of a pod that is in a final phase.
    pub fn of(status: &PodStatus) -> Option<Self> {
        match status.phase.as_deref() {
            Some("Succeeded") => {
                Some(Self { reason: "Succeeded", message: "The pod has completed successfully." })
            }
            Some("Failed") => Some(Self { reason: "Failed", message: "The pod failed." }),
            Some(_) | None => None,
        }
    }
}

/// A pod in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many containers are ready.
    pub ready: usize,
    /// How many containers there are: main ones and sidecars.
    pub containers: usize,
    /// The most telling reason for the state it is in, such as `CrashLoopBackOff`.
    pub reason: String,
    pub restarts: Restarts,
}

/// How often containers started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restarts {
    pub count: i32,
    /// When the last one before had ended, if that is known.
    pub last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, status: &ContainerStatus) {
        self.count = self.count.saturating_add(status.restart_count);
        let ended = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
        let finished = ended.and_then(|ended| ended.finished_at.as_ref());
        self.last = self.last.max(finished.map(|time| time.0));
    }

    fn show(self, now: Timestamp) -> String {
        match self.last.filter(|_| self.count != 0) {
            Some(last) => format!("{} ({} ago)", self.count, duration::age(Some(last), now)),
            None => self.count.to_string(),
        }
    }
}

/// Sums up a pod.
pub fn summary(meta: &ObjectMeta, spec: &PodSpec, status: &PodStatus) -> Summary {
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let sidecars = init.iter().filter(|container| is_sidecar(container)).count();
    let mut summary = Summary {
        ready: 0,
        containers: spec.containers.len() + sidecars,
        reason: reason_of_pod(status).to_owned(),
        restarts: Restarts::default(),
    };
    let sidecar_restarts = summary.add_init_containers(init, status);
    let initializing = sidecar_restarts.initializing;
    if !initializing || has_condition(status, "Initialized") {
        // What happened before the main containers ran no longer matters.
        summary.restarts = sidecar_restarts.restarts;
        summary.add_main_containers(status);
    }
    if meta.deletion_timestamp.is_some() {
        let finished = Completed::of(status).is_some();
        if status.reason.as_deref() == Some("NodeLost") {
            "Unknown".clone_into(&mut summary.reason);
        } else if !finished {
            "Terminating".clone_into(&mut summary.reason);
        }
    }
    summary
}

/// What looking at the init containers tells about the main ones.
struct Initialization {
    initializing: bool,
    /// The restarts of sidecars alone.
    restarts: Restarts,
}

impl Summary {
    fn add_init_containers(&mut self, init: &[Container], status: &PodStatus) -> Initialization {
        let mut sidecars = Restarts::default();
        for (index, container) in status.init_container_statuses.iter().flatten().enumerate() {
            self.restarts.add(container);
            let sidecar = init.iter().any(|c| c.name == container.name && is_sidecar(c));
            if sidecar {
                sidecars.add(container);
            }
            let state = container.state.as_ref();
            let terminated = state.and_then(|state| state.terminated.as_ref());
            if terminated.is_some_and(|ended| ended.exit_code == 0) {
                continue;
            }
            if sidecar && container.started == Some(true) {
                self.ready += usize::from(container.ready);
                continue;
            }
            let waiting = state.and_then(|state| state.waiting.as_ref());
            let waiting = waiting.and_then(|waiting| waiting.reason.as_deref());
            self.reason = if let Some(reason) = reason_of_end(container) {
                format!("Init:{reason}")
            } else if let Some(reason) = waiting.filter(|r| !matches!(*r, "" | "PodInitializing")) {
                format!("Init:{reason}")
            } else {
                format!("Init:{index}/{}", init.len())
            };
            return Initialization { initializing: true, restarts: sidecars };
        }
        Initialization { initializing: false, restarts: sidecars }
    }

    fn add_main_containers(&mut self, status: &PodStatus) {
        let mut any_running = false;
        // From the last to the first, so that the first one's reason is the one that stays.
        for container in status.container_statuses.iter().flatten().rev() {
            self.restarts.add(container);
            let state = container.state.as_ref();
            let waiting = state.and_then(|state| state.waiting.as_ref());
            let waiting = waiting.and_then(|waiting| waiting.reason.as_ref());
            if let Some(reason) = waiting.filter(|reason| !reason.is_empty()) {
                self.reason.clone_from(reason);
            } else if let Some(reason) = reason_of_end(container) {
                self.reason = reason;
            } else if container.ready && state.is_some_and(|state| state.running.is_some()) {
                any_running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && any_running {
            let word = if has_condition(status, "Ready") { "Running" } else { "NotReady" };
            word.clone_into(&mut self.reason);
        }
    }
}

fn reason_of_pod(status: &PodStatus) -> &str {
    let gated = |condition: &PodCondition| {
        condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("SchedulingGated")
    };
    if status.conditions.iter().flatten().any(gated) {
        return "SchedulingGated";
    }
    let reason = status.reason.as_deref().filter(|reason| !reason.is_empty());
    reason.or(status.phase.as_deref()).unwrap_or_default()
}

/// Why a container ended, if it has.
fn reason_of_end(container: &ContainerStatus) -> Option<String> {
    let ended = container.state.as_ref()?.terminated.as_ref()?;
    let reason = ended.reason.as_ref().filter(|reason| !reason.is_empty());
    Some(match (reason, ended.signal.unwrap_or_default()) {
        (Some(reason), _) => reason.clone(),
        (None, 0) => format!("ExitCode:{}", ended.exit_code),
        (None, signal) => format!("Signal:{signal}"),
    })
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn has_condition(status: &PodStatus, kind: &str) -> bool {
    let is_true = |c: &PodCondition| c.type_ == kind && c.status == "True";
    status.conditions.iter().flatten().any(is_true)
}

fn readiness_gates(spec: &PodSpec, status: &PodStatus) -> Cell {
    let gates = Fragment::part(&spec.readiness_gates);
    if gates.is_empty() {
        return NONE.into();
    }
    let conditions = || status.conditions.iter().flatten();
    let open = gates.items().filter(|gate| {
        let kind = gate.at("conditionType").text();
        let condition = conditions().find(|condition| condition.type_ == kind);
        condition.is_some_and(|condition| condition.status == "True")
    });
    format!("{}/{}", open.count(), gates.len()).into()
}
