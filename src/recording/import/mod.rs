//! A cluster that somebody has somewhere else, made from what `kubectl get` tells of it.
//!
//! Its nodes become nodes, its objects are created again, and Pods that were on a node are there again.
//! What a server has written is left out, since the one here writes it anew; so are the values of
//! Secrets, and all that tells of them.

use std::time::Duration;

use crate::api::wire::Node;
use serde_json::{Map, Value, json};

use super::Session;
use crate::api::decode::{Document, decode};
use crate::api::document::Part;
use crate::api::request::{RequestId, Target};
use crate::api::{Kind, Kinds};
use crate::cluster::{HttpCall, MOST_NODES, Setup, pod_cidr};
use crate::sim::{Instant, SortedMap, SortedSet, sort};

/// When the nodes are Ready and the rest is created.
const READY: Instant = Instant::from_micros(5_000_000);
/// So long, of the cluster's time, answers are waited for.
const PATIENCE: Duration = Duration::from_mins(10);
/// Within this the scheduler has had a look at the Pods that wait.
const SETTLED: Duration = Duration::from_secs(2);
/// So many objects are created at once.
const AT_ONCE: usize = 1_000;
/// As many refusals are told.
const MOST_REFUSED: usize = 20;

/// Kinds that whoever made them makes again.
const MADE_AGAIN: [Kind; 4] = [Kind::Event, Kind::Lease, Kind::Endpoints, Kind::EndpointSlice];
/// What of an object's metadata only a server writes, and what would keep a made one from going.
const WRITTEN: [&str; 10] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The taints that tell of a node's condition, which it has no longer.
const OF_CONDITIONS: &str = "node.kubernetes.io/";

/// What is to become the cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    nodes: Vec<Node>,
    /// In stages, each of which stands on what was made before.
    stages: [Vec<HttpCall>; 5],
    pub summary: Summary,
}

/// What an import holds, and what it leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub nodes: usize,
    /// Pods with a node.
    pub placed: usize,
    /// Pods without.
    pub pending: usize,
    pub others: usize,
    /// Secrets, whose values are left out.
    pub secrets: usize,
    /// What is left out, each with how often: kinds that are not served here, Pods that are done.
    pub left_out: Vec<(String, usize)>,
}

/// Why manifests cannot become the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("there are more than the {MOST_NODES} nodes that a cluster can have")]
    TooManyNodes,
}

/// An imported cluster.
#[derive(Debug)]
pub struct Imported {
    pub session: Session,
    /// What the API server has refused and why, of which only the first are told.
    pub refused: Vec<String>,
    /// How many those are in all.
    pub refusals: usize,
}

/// Whether documents were read from a cluster with nodes, not written by hand.
pub fn is_cluster(documents: &[Document]) -> bool {
    documents.iter().any(|document| {
        let (object, uid) = (Part::of(Some(&document.value)), "uid");
        kind_of(object) == Some(Kind::Node)
            && object.at("metadata").at(uid).is_there()
            && object.at("status").at("allocatable").is_there()
    })
}

fn kind_of(object: Part<'_>) -> Option<Kind> {
    Kinds::default().named(object.at("apiVersion").text(), object.at("kind").text())
}

fn name_of(object: Part<'_>) -> &str {
    object.at("metadata").at("name").text()
}

impl Import {
    /// Reads the objects of a cluster.
    ///
    /// # Errors
    ///
    /// There are more nodes than a cluster can have.
    pub fn of(documents: &[Document]) -> Result<Self, ImportError> {
        let mut left_out: SortedMap<String, usize> = SortedMap::new();
        let mut reader = Reader::default();
        for document in documents {
            let object = Part::of(Some(&document.value));
            match kind_of(object) {
                Some(Kind::Node) => reader.node(object),
                Some(kind) => reader.sort_in(kind, object, &mut left_out),
                None => *left_out.or_default(object.at("kind").text().to_owned()) += 1,
            }
        }
        if reader.nodes.len() > MOST_NODES {
            return Err(ImportError::TooManyNodes);
        }
        Ok(reader.finished(left_out))
    }

    /// The cluster, with everything created and answered.
    pub fn start(&self, seed: u64) -> Imported {
        let setup = Setup { seed, nodes: self.nodes.clone() };
        let mut session = Session::new(setup);
        session.run_until(READY);
        let (mut refused, mut refusals) = (Vec::new(), 0);
        let mut refuse = |errors: Vec<String>| {
            refusals += errors.len();
            let room = MOST_REFUSED.saturating_sub(refused.len());
            refused.extend(errors.into_iter().take(room));
        };
        refuse(self.absent(&session));
        for calls in self.stages.iter().flat_map(|stage| stage.chunks(AT_ONCE)) {
            refuse(submit_all(&mut session, calls));
        }
        session.run_for(SETTLED);
        Imported { session, refused, refusals }
    }
}

impl Import {
    /// The nodes that are not there, although their kubelets have run for a while.
    fn absent(&self, session: &Session) -> Vec<String> {
        let names = self.nodes.iter().filter_map(|node| node.metadata.name.as_deref());
        let absent = names.filter(|name| session.cluster().object(Kind::Node, "", name).is_none());
        absent.map(|name| format!("Node {name}: the API server takes it from no kubelet")).collect()
    }
}

/// Sends the calls, waits for the answers, and gives back those that are refusals.
fn submit_all(session: &mut Session, calls: &[HttpCall]) -> Vec<String> {
    let ids: Vec<RequestId> = calls.iter().map(|call| session.submit(call.clone())).collect();
    let end = session.now() + PATIENCE;
    let is_answered =
        |session: &Session| ids.iter().all(|id| session.cluster().answer(*id).is_some());
    while !is_answered(session) && session.now() < end {
        session.run_for(Duration::from_millis(20));
    }
    let answers = ids.iter().map(|id| session.cluster().answer(*id));
    let refusals = answers.zip(calls).filter_map(|(answer, call)| {
        let error = answer?.result.as_ref().err()?;
        Some(format!("{} {}: {}", call.method, call.path, error.message))
    });
    refusals.collect()
}

/// The objects of a cluster as they are read.
#[derive(Default)]
struct Reader<'a> {
    nodes: Vec<Node>,
    names: SortedSet<&'a str>,
    accounts: SortedSet<(&'a str, &'a str)>,
    /// Classes of priority and of runtimes.
    classes: SortedSet<(Kind, &'a str)>,
    others: Vec<(Kind, Part<'a>)>,
    pods: Vec<Part<'a>>,
    secrets: usize,
}

impl<'a> Reader<'a> {
    fn node(&mut self, object: Part<'a>) {
        if !self.names.insert(name_of(object)) {
            return;
        }
        let mut metadata = bare_metadata(object);
        metadata.remove("ownerReferences");
        let taints = object.at("spec").at("taints").items().map(|taint| taint.value().clone());
        let lasting = |taint: &Value| {
            let key = Part::of(Some(taint)).at("key").text().to_owned();
            !key.starts_with(OF_CONDITIONS)
        };
        let cidr = pod_cidr(self.nodes.len());
        let status = object.at("status");
        let node = json!({
            "metadata": metadata,
            "spec": {
                "podCIDR": cidr, "podCIDRs": [cidr],
                "providerID": object.at("spec").at("providerID").value(),
                "unschedulable": object.at("spec").at("unschedulable").value(),
                "taints": taints.filter(lasting).collect::<Vec<_>>(),
            },
            "status": {
                "allocatable": status.at("allocatable").value(),
                "capacity": status.at("capacity").value(),
            },
        });
        self.nodes.extend(decode(&node).map(|decoded| decoded.object));
    }

    fn sort_in(&mut self, kind: Kind, object: Part<'a>, left_out: &mut SortedMap<String, usize>) {
        let metadata = object.at("metadata");
        let namespace = metadata.at("namespace").text();
        if kind == Kind::Pod {
            let phase = object.at("status").at("phase").text();
            if ["Succeeded", "Failed"].contains(&phase) {
                *left_out.or_default(format!("Pod ({phase})")) += 1;
            } else {
                self.pods.push(object);
            }
            return;
        }
        let own = metadata.at("labels").at("kubernetes.io/bootstrapping").is_there()
            || kind == Kind::PriorityClass && name_of(object).starts_with("system-")
            || kind == Kind::Service && (namespace, name_of(object)) == ("default", "kubernetes")
            || kind == Kind::Namespace && is_there_already(name_of(object));
        if MADE_AGAIN.contains(&kind.stored()) || own {
            return;
        }
        if kind == Kind::ServiceAccount {
            self.accounts.insert((namespace, name_of(object)));
        } else if [Kind::PriorityClass, Kind::RuntimeClass].contains(&kind) {
            self.classes.insert((kind, name_of(object)));
        } else if kind == Kind::Secret {
            self.secrets += 1;
        }
        self.others.push((kind, object));
    }

    fn finished(mut self, mut left_out: SortedMap<String, usize>) -> Import {
        let mut stages: [Vec<HttpCall>; 5] = Default::default();
        let [namespaces, classes, others, statuses, pods] = &mut stages;
        classes.extend(self.missing_classes());
        for (kind, object) in &self.others {
            let stage = if *kind == Kind::Namespace {
                &mut *namespaces
            } else if [Kind::PriorityClass, Kind::RuntimeClass, Kind::ServiceAccount].contains(kind)
            {
                &mut *classes
            } else {
                &mut *others
            };
            stage.push(post(*kind, *object, other(*kind, *object)));
            statuses.extend(status(*kind, *object));
        }
        // Those that have a place keep it: nobody is placed before.
        sort::by_key(&mut self.pods, |pod| {
            (!is_placed(*pod), pod.at("metadata").at("creationTimestamp").text())
        });
        let (mut placed, mut pending) = (0, 0);
        for pod in &self.pods {
            let node = pod.at("spec").at("nodeName").text();
            if !node.is_empty() && !self.names.contains(node) {
                *left_out.or_default("Pod (its node is not there)".to_owned()) += 1;
                continue;
            }
            *(if node.is_empty() { &mut pending } else { &mut placed }) += 1;
            pods.push(post(Kind::Pod, *pod, self.pod(*pod)));
        }
        let summary = Summary {
            nodes: self.nodes.len(),
            placed,
            pending,
            others: self.others.len(),
            secrets: self.secrets,
            left_out: left_out.into_iter().collect(),
        };
        Import { nodes: self.nodes, stages, summary }
    }

    /// The classes that Pods name and that are not among the objects: their Pods tell what they say.
    fn missing_classes(&self) -> impl Iterator<Item = HttpCall> + use<> {
        let mut missing: SortedMap<(Kind, String), Value> = SortedMap::new();
        for spec in self.pods.iter().map(|pod| pod.at("spec")) {
            let (priority, runtime) = ("priorityClassName", "runtimeClassName");
            let (priority, runtime) = (spec.at(priority).text(), spec.at(runtime).text());
            if !priority.starts_with("system-") {
                let value = spec.at("priority").number().unwrap_or_default();
                let class = json!({"metadata": {"name": priority}, "value": value});
                missing.insert((Kind::PriorityClass, priority.to_owned()), class);
            }
            let overhead = json!({"podFixed": spec.at("overhead").value()});
            // By which handler they ran there nobody says, nor does it matter here.
            let class = json!({
                "metadata": {"name": runtime}, "handler": "unknown", "overhead": overhead,
            });
            missing.insert((Kind::RuntimeClass, runtime.to_owned()), class);
        }
        let is_there =
            |kind: Kind, name: &str| name.is_empty() || self.classes.contains(&(kind, name));
        missing.retain(|(kind, name), _| !is_there(*kind, name));
        let call = |((kind, _), class): ((Kind, String), Value)| {
            HttpCall::new("POST", &Target::collection(kind, None).to_string(), Some(class))
        };
        missing.into_iter().map(call)
    }

    fn pod(&self, pod: Part<'_>) -> Map<String, Value> {
        let mut made = bare(pod);
        let Some(spec) = made.get_mut("spec").and_then(Value::as_object_mut) else { return made };
        // Made again from the classes.
        for field in
            ["ephemeralContainers", "overhead", "preemptionPolicy", "priority", "serviceAccount"]
        {
            spec.remove(field);
        }
        let namespace = pod.at("metadata").at("namespace").text();
        let account = pod.at("spec").at("serviceAccountName").text();
        if !self.accounts.contains(&(namespace, account)) {
            spec.remove("serviceAccountName");
        }
        made
    }
}

fn is_placed(pod: Part<'_>) -> bool {
    !pod.at("spec").at("nodeName").text().is_empty()
}

fn is_there_already(namespace: &str) -> bool {
    ["default", "kube-node-lease", "kube-public", "kube-system"].contains(&namespace)
}

/// An object that is neither a node nor a Pod, to be made.
fn other(kind: Kind, object: Part<'_>) -> Map<String, Value> {
    let mut made = bare(object);
    if kind == Kind::Secret {
        made.remove("stringData");
        if let Some(data) = made.get_mut("data").and_then(Value::as_object_mut) {
            data.values_mut().for_each(|value| *value = "".into());
        }
        // Other types want values of a form.
        made.insert("type".to_owned(), "Opaque".into());
    }
    let spec = made.get_mut("spec").and_then(Value::as_object_mut);
    if let Some(spec) = spec.filter(|_| kind == Kind::Service)
        && spec.get("clusterIP") != Some(&json!("None"))
    {
        // Addresses are of that cluster's own range.
        for field in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
            spec.remove(field);
        }
    }
    made
}

/// The status of an object, where it is kept: what disruptions a budget allows is what preemption goes
/// by, and nobody here counts it or attaches volumes.
fn status(kind: Kind, object: Part<'_>) -> Option<HttpCall> {
    let mut status = object.at("status").value().clone();
    let is_kept = [Kind::PodDisruptionBudget, Kind::VolumeAttachment].contains(&kind);
    status.as_object_mut().filter(|_| is_kept)?.remove("observedGeneration");
    let path = [&path_of(kind, object), "/", name_of(object), "/status"].concat();
    Some(HttpCall::strategic_patch(&path, json!({"status": status})))
}

fn post(kind: Kind, object: Part<'_>, made: Map<String, Value>) -> HttpCall {
    HttpCall::new("POST", &path_of(kind, object), Some(made.into()))
}

fn path_of(kind: Kind, object: Part<'_>) -> String {
    let namespace = object.at("metadata").at("namespace").text();
    let namespace = if namespace.is_empty() { "default" } else { namespace };
    Target::collection(kind, kind.resource().namespaced.then_some(namespace)).to_string()
}

/// An object without its status and what a server has written.
fn bare(object: Part<'_>) -> Map<String, Value> {
    let mut made = object.value().as_object().cloned().unwrap_or_default();
    made.remove("status");
    made.insert("metadata".to_owned(), bare_metadata(object).into());
    made
}

fn bare_metadata(object: Part<'_>) -> Map<String, Value> {
    let mut metadata = object.at("metadata").value().as_object().cloned().unwrap_or_default();
    metadata.retain(|field, _| !WRITTEN.contains(&field.as_str()));
    // It repeats the object as it was applied, and with it the values of a Secret.
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(APPLIED);
    }
    metadata
}

#[cfg(test)]
mod tests;
