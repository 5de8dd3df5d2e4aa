//! Pods and nodes with what every cycle asks of them worked out beforehand.
//!
//! Mirrors: `NodeInfo` and `PodInfo` of `pkg/scheduler/framework/types.go`.

use std::rc::Rc;

use super::framework::Labels;
use super::plugins::{Terms, normalized_name};
use super::preemption::priority;
use super::resources::{self, Resources};
use crate::api::Pod;
use crate::api::document::Fragment;
use crate::api::wire::Node;

const ANY_ADDRESS: &str = "0.0.0.0";
const TCP: &str = "TCP";

/// A port of the node that a pod takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub address: Rc<str>,
    pub protocol: Rc<str>,
    pub port: i32,
}

impl HostPort {
    /// Whether both cannot be had on one node.
    pub fn conflicts(&self, other: &Self) -> bool {
        let meets = &*self.address == ANY_ADDRESS
            || &*other.address == ANY_ADDRESS
            || self.address == other.address;
        meets && self.port == other.port && self.protocol == other.protocol
    }
}

/// A pod with its requests and ports worked out.
#[derive(Clone, Debug)]
pub struct PodInfo {
    pub pod: Rc<Pod>,
    pub uid: Rc<str>,
    pub requests: Resources,
    /// Its requests with a least amount for each container, for scoring.
    pub non_zero: Resources,
    pub ports: Vec<HostPort>,
    /// Its affinities to other pods; none for most pods.
    pub terms: Option<Rc<Terms>>,
}

impl PodInfo {
    /// Works a pod out.
    pub fn new(pod: Rc<Pod>) -> Self {
        Self {
            uid: uid(&pod),
            requests: resources::requests(&pod),
            non_zero: resources::non_zero_requests(&pod),
            ports: host_ports(&pod),
            terms: Terms::of(&pod).map(Rc::new),
            pod,
        }
    }

    /// Works a pod out as another one, if it is of the same template and neither has run.
    pub fn like(other: &Self, pod: &Rc<Pod>) -> Self {
        let has_run = |pod: &Pod| {
            pod.status.container_statuses.is_some() || pod.status.init_container_statuses.is_some()
        };
        let is_alike = Rc::ptr_eq(&other.pod.spec, &pod.spec)
            && other.pod.metadata.namespace == pod.metadata.namespace
            && !has_run(&other.pod)
            && !has_run(pod);
        if !is_alike {
            return Self::new(Rc::clone(pod));
        }
        Self { uid: uid(pod), pod: Rc::clone(pod), ..other.clone() }
    }

    /// Whether no plugin can tell the pods apart by themselves.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.pod.has_spec_of(&other.pod)
            && self.namespace() == other.namespace()
            && self.labels() == other.labels()
            && self.pod.metadata.owner_references == other.pod.metadata.owner_references
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Its labels.
    pub fn labels(&self) -> Option<&Labels> {
        self.pod.metadata.labels.as_deref()
    }

    /// The images of its containers and of its volumes, as nodes name them.
    pub fn images(&self) -> Vec<String> {
        let spec = &self.pod.spec;
        let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
        let run = containers.map(|one| one.image.as_deref().unwrap_or_default());
        let volumes = Fragment::part(&spec.volumes).items().map(|volume| volume.at("image"));
        let mounted = volumes.filter(|image| image.is_there()).map(|it| it.at("reference").text());
        run.chain(mounted).map(normalized_name).collect()
    }
}

/// A pod's uid; its namespace and name where it has none.
pub fn uid(pod: &Pod) -> Rc<str> {
    if let Some(uid) = &pod.metadata.uid {
        return Rc::clone(uid);
    }
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    format!("{namespace}/{name}").into()
}

/// What a node has for pods.
pub fn allocatable(node: &Node) -> Option<&resources::List> {
    node.status.as_ref()?.allocatable.as_ref()
}

fn host_ports(pod: &Pod) -> Vec<HostPort> {
    let sidecars = pod.spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|container| resources::is_sidecar(container));
    let ports = sidecars.chain(&pod.spec.containers).flat_map(|one| one.ports.iter().flatten());
    let taken = ports.filter_map(|port| {
        let text = |text: &Option<String>, default: &str| {
            text.as_deref().filter(|text| !text.is_empty()).unwrap_or(default).into()
        };
        Some(HostPort {
            port: port.host_port.filter(|port| *port > 0)?,
            address: text(&port.host_ip, ANY_ADDRESS),
            protocol: text(&port.protocol, TCP),
        })
    });
    taken.collect()
}

/// A node, the pods on it and what they leave.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub node: Rc<Node>,
    pub name: Rc<str>,
    pub pods: Vec<Rc<PodInfo>>,
    /// The pods that room is made for here.
    pub promised: Vec<Rc<PodInfo>>,
    pub allocatable: Resources,
    pub requested: Resources,
    pub non_zero_requested: Resources,
    /// How many of its pods have terms of affinity.
    pub with_terms: usize,
    /// The number of its last change; no two changes of the cluster's nodes have the same.
    pub change: u64,
    /// Its place among all nodes; none if it stands alone.
    pub place: Option<usize>,
}

impl NodeInfo {
    /// The node with the pods on it that room is made for, as far as they are at least as important as
    /// `pod`; none if there are none.
    pub fn with_promised(&self, pod: &PodInfo) -> Option<Self> {
        let counts =
            |other: &&Rc<PodInfo>| other.uid != pod.uid && priority(other) >= priority(pod);
        let mut others = self.promised.iter().filter(counts).peekable();
        others.peek()?;
        let mut with = self.clone();
        others.for_each(|other| with.add(Rc::clone(other)));
        Some(with)
    }

    /// Whether one of its pods has terms of affinity.
    pub fn has_terms(&self) -> bool {
        self.with_terms > 0
    }

    /// The value of one of its labels.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.node.metadata.labels.as_deref()?.get(key).map(String::as_str)
    }

    /// A node without pods.
    pub fn new(node: Rc<Node>) -> Self {
        let mut info = Self {
            name: node.metadata.name.as_deref().unwrap_or_default().into(),
            node: Rc::default(),
            pods: Vec::new(),
            promised: Vec::new(),
            allocatable: Resources::default(),
            requested: Resources::default(),
            non_zero_requested: Resources::default(),
            with_terms: 0,
            change: 0,
            place: None,
        };
        info.set_node(node);
        info
    }

    /// Takes in a newer version of the node.
    pub fn set_node(&mut self, node: Rc<Node>) {
        let new = allocatable(&node);
        // Most changes of a node are its kubelet's reports, which leave this as it is.
        if new != allocatable(&self.node) {
            self.allocatable = new.map(Resources::from_list).unwrap_or_default();
        }
        self.node = node;
    }

    /// Puts a pod on the node.
    pub fn add(&mut self, pod: Rc<PodInfo>) {
        self.requested.add(&pod.requests, 1);
        self.non_zero_requested.add(&pod.non_zero, 1);
        self.with_terms += usize::from(pod.terms.is_some());
        self.pods.push(pod);
    }

    /// Takes a pod off the node.
    pub fn remove(&mut self, uid: &str) {
        // From the end: most that go have come lately, such as those that were only assumed to be here.
        if let Some(at) = self.pods.iter().rposition(|pod| &*pod.uid == uid) {
            let pod = self.pods.swap_remove(at);
            self.requested.add(&pod.requests, -1);
            self.non_zero_requested.add(&pod.non_zero, -1);
            self.with_terms -= usize::from(pod.terms.is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Kind, Object, Resource as _};

    #[test]
    fn pods_of_one_template_are_worked_out_alike() {
        let requests = json!({"cpu": "1", "memory": "1Gi", "example.com/gpu": "2"});
        let near = json!({"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}});
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "one", "namespace": "default", "uid": "1"},
            "spec": {
                "affinity": {"podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [near],
                }},
                "containers": [{
                    "name": "c", "resources": {"requests": requests},
                    "ports": [{"containerPort": 80, "hostPort": 80}],
                }],
            },
            "status": {"containerStatuses": [{
                "name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                "allocatedResources": {"cpu": "3"},
            }]},
        });
        let object = Object::from_json(Kind::Pod, &object).unwrap().object;
        let has_run = Pod::unwrap(&object).unwrap();
        let new = Rc::new(Pod { status: Rc::default(), ..Pod::clone(has_run) });
        let mut second = Pod::clone(&new);
        second.metadata.uid = Some("2".into());
        let mut elsewhere = second.clone();
        elsewhere.metadata.namespace = Some("other".into());
        let mut changed = second.clone();
        Rc::make_mut(&mut changed.spec).containers.clear();
        let pods = [second, elsewhere, changed].map(Rc::new);
        let pods = [Rc::clone(has_run), new].into_iter().chain(pods);
        let pods: Vec<Rc<Pod>> = pods.collect();
        for one in &pods {
            for other in &pods {
                let alike = PodInfo::like(&PodInfo::new(Rc::clone(one)), other);
                let alone = PodInfo::new(Rc::clone(other));
                assert_eq!(format!("{alike:?}"), format!("{alone:?}"));
            }
        }
    }
}
