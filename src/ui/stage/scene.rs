//! What is on the stage at a moment: read off the cluster, drawn elsewhere.

use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;

use super::super::narration::{Weight, weight};
use crate::api::Pod;
use crate::api::columns::pod::{Summary, summary};
use crate::api::phase::PodPhase;
use crate::api::quantity::Quantity;
use crate::api::wire::{Container, Node, NodeStatus, PodSpec};
use crate::cluster::{Address, BodyKind, Cluster};
use crate::sim::sort;

/// The parts that stay while messages fly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    pub revision: u64,
    /// How many nodes have a kubelet: the first.
    pub kubelets: usize,
    pub nodes: Rc<[NodeView]>,
    /// In the order of their keys.
    pub pods: Rc<[Rc<PodView>]>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    pub name: Rc<str>,
    pub ready: bool,
    pub schedulable: bool,
    /// How many Pods it has.
    pub pods: u32,
    /// In thousandths of a core.
    pub cpu: Share,
    /// In bytes.
    pub memory: Share,
}

/// How much of something is asked for, and of how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub requested: i128,
    pub allocatable: i64,
}

/// A Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodView {
    /// Under which the API server has it.
    pub key: Rc<str>,
    pub uid: Rc<str>,
    pub namespace: Rc<str>,
    pub name: Rc<str>,
    /// The number of its node.
    pub node: Option<u32>,
    pub look: Look,
    /// What kubectl says in its STATUS column.
    pub status: Rc<str>,
    /// What it takes of its node: thousandths of a core, and bytes.
    pub takes: (i64, i64),
}

/// What a Pod looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// No node yet.
    Waiting,
    /// Bound, and not yet running.
    Starting,
    Running,
    Ready,
    Done,
    /// Failed, or something keeps it from running.
    Trouble,
    Terminating,
}

impl Look {
    /// Its name, as the style sheets know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Done => "done",
            Self::Trouble => "trouble",
            Self::Terminating => "terminating",
        }
    }
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Flight {
    pub id: u64,
    pub from: Address,
    pub to: Address,
    /// How much of the way lies behind it.
    pub fraction: f64,
    pub kind: BodyKind,
    pub label: String,
    pub told: bool,
}

/// The most flights that are drawn at once.
const MOST_FLIGHTS: usize = 96;

/// The messages on their way, oldest first.
pub fn flights(cluster: &Cluster) -> Rc<[Flight]> {
    let now = cluster.now();
    let worth = |message| weight(message, cluster.trace());
    let mut flying: Vec<_> =
        cluster.in_flight().filter(|message| worth(message) > Weight::Silent).collect();
    sort::by_key(&mut flying, |message| message.id);
    let flights = flying.into_iter().take(MOST_FLIGHTS).map(|message| {
        let whole = message.arrives.since(message.sent).as_secs_f64();
        let gone = now.since(message.sent).as_secs_f64();
        Flight {
            id: message.id,
            from: message.from,
            to: message.to,
            fraction: if whole > 0.0 { (gone / whole).clamp(0.0, 1.0) } else { 1.0 },
            kind: message.body.kind(),
            label: short(&message.body.label()),
            told: worth(message) == Weight::Told,
        }
    });
    flights.collect()
}

/// A label without the part of a path that every path begins with.
fn short(label: &str) -> String {
    let label = label.split('?').next().unwrap_or(label);
    match label.split_once(" /api/v1/namespaces/") {
        Some((method, path)) => {
            let path = path.split_once('/').map_or(path, |(_, rest)| rest);
            format!("{method} …/{path}")
        }
        None => label.to_owned(),
    }
}

impl NodeView {
    /// A node that has not registered yet.
    pub fn new(name: Rc<str>) -> Self {
        let (cpu, memory) = (Share::default(), Share::default());
        Self { name, ready: false, schedulable: true, pods: 0, cpu, memory }
    }

    /// Shows what `node` says; its Pods stay.
    pub fn register(&mut self, node: &Node) {
        let status = node.status.as_deref();
        self.ready = status.is_some_and(NodeStatus::is_ready);
        self.schedulable =
            !node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default();
        let allocatable = status.and_then(|status| status.allocatable.as_ref());
        self.cpu.allocatable = milli(allocatable, "cpu");
        self.memory.allocatable = whole(allocatable, "memory");
    }

    /// Its object is gone; its Pods stay.
    pub fn unregister(&mut self) {
        self.register(&Node::default());
    }

    /// Has one Pod more.
    pub fn carry(&mut self, pod: &PodView) {
        let (cpu, memory) = pod.takes;
        self.pods += 1;
        self.cpu.requested += i128::from(cpu);
        self.memory.requested += i128::from(memory);
    }

    /// Has one Pod less.
    pub fn lose(&mut self, pod: &PodView) {
        let (cpu, memory) = pod.takes;
        self.pods = self.pods.saturating_sub(1);
        self.cpu.requested -= i128::from(cpu);
        self.memory.requested -= i128::from(memory);
    }
}

impl PodView {
    /// The Pod under `key`, on the node of a number.
    pub fn new(key: Rc<str>, pod: &Pod, node: Option<u32>) -> Self {
        let (namespace, name) = pod.key();
        let summary = summary(&pod.metadata, &pod.spec, &pod.status);
        let look = look(pod, &summary);
        Self {
            key,
            uid: pod.metadata.uid.as_deref().unwrap_or(name).into(),
            namespace: namespace.into(),
            name: name.into(),
            node,
            look,
            status: summary.reason.into(),
            takes: if look == Look::Done { (0, 0) } else { requests(&pod.spec) },
        }
    }
}

fn look(pod: &Pod, summary: &Summary) -> Look {
    let started = pod
        .status
        .container_statuses
        .iter()
        .flatten()
        .any(|container| container.state.as_ref().is_some_and(|state| state.running.is_some()));
    match pod.status.phase.as_deref().and_then(PodPhase::parse) {
        _ if pod.metadata.deletion_timestamp.is_some() => Look::Terminating,
        Some(PodPhase::Succeeded) => Look::Done,
        Some(PodPhase::Failed) => Look::Trouble,
        _ if pod.node_name.is_none() => Look::Waiting,
        _ if is_trouble(&summary.reason) => Look::Trouble,
        Some(PodPhase::Running) if summary.ready == summary.containers => Look::Ready,
        Some(PodPhase::Running) if started => Look::Running,
        Some(PodPhase::Running | PodPhase::Pending | PodPhase::Unknown) | None => Look::Starting,
    }
}

/// The reasons that kubectl shows for a Pod that cannot run all have one of these endings.
fn is_trouble(reason: &str) -> bool {
    ["BackOff", "Error", "Err", "OOMKilled", "Evicted", "ErrImageNeverPull", "InvalidImageName"]
        .iter()
        .any(|ending| reason.ends_with(ending))
        || reason.starts_with("ErrImage")
}

/// What the scheduler counts for the containers of a Pod: thousandths of a core, and bytes.
fn requests(spec: &PodSpec) -> (i64, i64) {
    let requests = |container: &Container| {
        let requests = container.resources.as_ref().and_then(|all| all.requests.as_ref());
        (milli(requests, "cpu"), whole(requests, "memory"))
    };
    spec.containers.iter().map(requests).fold((0, 0), |(cpu, memory), (more, bytes)| {
        (cpu.saturating_add(more), memory.saturating_add(bytes))
    })
}

fn quantity(amounts: Option<&BTreeMap<String, Amount>>, resource: &str) -> Option<Quantity> {
    Quantity::parse(&amounts?.get(resource)?.0).ok()
}

fn milli(amounts: Option<&BTreeMap<String, Amount>>, resource: &str) -> i64 {
    quantity(amounts, resource).map_or(0, |quantity| quantity.milli_value())
}

fn whole(amounts: Option<&BTreeMap<String, Amount>>, resource: &str) -> i64 {
    quantity(amounts, resource).map_or(0, |quantity| quantity.value())
}

impl Share {
    /// The part that is asked for, from 0 to 1.
    pub fn fraction(self) -> f64 {
        let whole = i128::from(self.allocatable);
        let [requested, allocatable] = [self.requested, whole].map(|amount| {
            // Rounded to a bar's width; 2^32 is enough for it.
            let scaled = amount / (whole / i128::from(u32::MAX) + 1);
            f64::from(u32::try_from(scaled).unwrap_or_default())
        });
        if allocatable > 0.0 { (requested / allocatable).clamp(0.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn look(status: &serde_json::Value, node: Option<&str>) -> Look {
        let pod = json!({"metadata": {"name": "web"}, "spec": {
            "nodeName": node, "containers": [{"name": "web"}]}, "status": status});
        let pod: crate::api::wire::Pod = serde_json::from_value(pod).unwrap();
        PodView::new("default/web".into(), &Pod::from(pod), None).look
    }

    #[test]
    fn a_pod_looks_like_its_state() {
        assert_eq!(look(&json!({"phase": "Pending"}), None), Look::Waiting);
        assert_eq!(look(&json!({"phase": "Pending"}), Some("node-1")), Look::Starting);
        assert_eq!(look(&json!({"phase": "Succeeded"}), Some("node-1")), Look::Done);
        assert_eq!(look(&json!({"phase": "Failed"}), Some("node-1")), Look::Trouble);
        let container = |state, ready| {
            json!({"phase": "Running", "containerStatuses": [{"name": "web", "ready": ready,
                "restartCount": 0, "image": "web", "imageID": "", "state": state}]})
        };
        let running = json!({"running": {}});
        assert_eq!(look(&container(running.clone(), true), Some("node-1")), Look::Ready);
        assert_eq!(look(&container(running, false), Some("node-1")), Look::Running);
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        assert_eq!(look(&container(waiting, false), Some("node-1")), Look::Trouble);
    }

    #[test]
    fn a_share_is_a_part_of_one() {
        let share = |requested, allocatable| Share { requested, allocatable }.fraction();
        assert!((share(250, 1000) - 0.25).abs() < 1e-6);
        assert!((share(64 << 20, 8 << 30) - 1.0 / 128.0).abs() < 1e-3);
        assert!(share(5, 0).abs() < 1e-9);
        assert!((share(9, 3) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_label_loses_what_all_paths_have() {
        assert_eq!(
            short("POST /api/v1/namespaces/default/pods/web/binding"),
            "POST …/pods/web/binding"
        );
        assert_eq!(short("GET /version?timeout=3s"), "GET /version");
    }
}
