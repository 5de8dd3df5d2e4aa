//! What the inspector shows of what is selected.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::json;

use super::super::state::Selection;
use super::date;
use super::journey::{Step, journey};
use super::logs::{ContainerLog, logs};
use super::message::{Link, Opened, open};
use super::why::Why;
use crate::api::columns::pod::summary;
use crate::api::types::Event;
use crate::api::wire::Node;
use crate::api::{Kind, Object, Pod, Resource as _, duration, yaml};
use crate::cluster::{Address, Cluster, Message};
use crate::scheduler::framework::Plugin;
use crate::sim::sort;

/// As many events are listed, the newest.
const MOST_EVENTS: usize = 50;
/// As many messages of a component are listed.
const MOST_SAID: usize = 20;
/// How far back they are looked for.
const REACH: u64 = 2_000;

/// What is selected, opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Inspected {
    Nothing,
    /// It was there, or is not there yet.
    Gone {
        what: String,
    },
    Pod(Rc<PodView>),
    Node(Rc<NodeView>),
    Other(Rc<OtherView>),
    Message(Rc<Opened>),
    Component(Rc<ComponentView>),
}

/// A Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodView {
    pub namespace: String,
    pub name: String,
    /// As `kubectl get pods` has it.
    pub status: String,
    pub node: Option<Rc<str>>,
    pub steps: Vec<Step>,
    pub why: Option<Why>,
    pub conditions: Vec<ConditionRow>,
    pub events: Vec<EventRow>,
    pub logs: Vec<ContainerLog>,
    pub yaml: String,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    pub name: String,
    pub is_ready: bool,
    pub is_cordoned: bool,
    pub conditions: Vec<ConditionRow>,
    /// Resource, capacity, allocatable.
    pub capacity: Vec<[String; 3]>,
    /// Namespace, name, status.
    pub pods: Vec<[Rc<str>; 3]>,
    pub events: Vec<EventRow>,
    pub yaml: String,
}

/// An object of another kind.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherView {
    pub title: String,
    pub yaml: String,
}

/// A component and what it last said and heard.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentView {
    pub address: Address,
    /// Of the scheduler: the profiles that it runs, as YAML.
    pub profiles: Option<String>,
    pub said: Vec<Link>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionRow {
    pub name: String,
    pub status: String,
    pub reason: String,
    pub message: String,
}

/// An event as `kubectl describe` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    pub is_warning: bool,
    pub reason: String,
    pub age: String,
    pub from: String,
    pub message: String,
}

/// Opens what is selected.
pub fn inspect(cluster: &Cluster, selection: Option<&Selection>) -> Inspected {
    match selection {
        None => Inspected::Nothing,
        Some(Selection::Object { kind, namespace, name }) => {
            object(cluster, *kind, namespace, name)
        }
        Some(Selection::Message(id)) => match open(cluster.trace(), *id) {
            Some(opened) => Inspected::Message(Rc::new(opened)),
            None => Inspected::Gone { what: format!("#{id}") },
        },
        Some(Selection::Component(address)) => component(cluster, *address),
    }
}

fn object(cluster: &Cluster, kind: Kind, namespace: &str, name: &str) -> Inspected {
    match cluster.object(kind, namespace, name) {
        Some(Object::Pod(pod)) => Inspected::Pod(Rc::new(pod_view(cluster, &pod))),
        Some(Object::Node(node)) => Inspected::Node(Rc::new(node_view(cluster, &node))),
        Some(other) => Inspected::Other(Rc::new(OtherView {
            title: format!("{}/{name}", kind.resource().singular()),
            yaml: yaml::object(&other.to_json()),
        })),
        None => Inspected::Gone { what: format!("{}/{name}", kind.resource().singular()) },
    }
}

fn component(cluster: &Cluster, address: Address) -> Inspected {
    if let Address::Kubelet(number) | Address::Runtime(number) = address {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(name) = cluster.node_names().nth(number)
            && let Some(Object::Node(node)) = cluster.object(Kind::Node, "", name)
        {
            return Inspected::Node(Rc::new(node_view(cluster, &node)));
        }
    }
    let trace = cluster.trace();
    let start = trace.end().saturating_sub(REACH).max(trace.first());
    let newest = (start..trace.end()).rev().filter_map(|id| trace.get(id));
    let mine = newest.filter(|message| is_of(message, address) && !message.body.is_heartbeat());
    let said =
        mine.take(MOST_SAID).map(|message| Link { id: message.id, label: message.body.label() });
    let said = said.collect();
    let profiles = (address == Address::Scheduler).then(|| profiles(cluster));
    Inspected::Component(Rc::new(ComponentView { address, profiles, said }))
}

/// What runs at each extension point, by profile.
fn profiles(cluster: &Cluster) -> String {
    let all = cluster.scheduler().configuration().profiles.iter().map(|profile| {
        let names = |plugins: &[Rc<dyn Plugin>]| -> Vec<&str> {
            plugins.iter().map(|plugin| plugin.name()).collect()
        };
        let score = profile.score.iter().map(|it| json!({it.plugin.name(): it.weight}));
        json!({&*profile.name: {
            "preEnqueue": names(&profile.pre_enqueue),
            "preFilter": names(&profile.pre_filter),
            "filter": names(&profile.filter),
            "preemption": profile.preemption.is_some(),
            "score": score.collect::<Vec<_>>(),
            "reserve": names(&profile.reserve),
            "preBind": names(&profile.pre_bind),
        }})
    });
    yaml::object(&all.collect())
}

fn is_of(message: &Message, address: Address) -> bool {
    message.from == address || message.to == address
}

fn pod_view(cluster: &Cluster, pod: &Pod) -> PodView {
    let (namespace, name) = pod.key();
    let status = summary(&pod.metadata, &pod.spec, &pod.status).reason;
    let conditions = pod.status.conditions.iter().flatten().map(|condition| ConditionRow {
        name: condition.type_.clone(),
        status: condition.status.clone(),
        reason: condition.reason.clone().unwrap_or_default(),
        message: condition.message.clone().unwrap_or_default(),
    });
    PodView {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        status,
        node: pod.node_name.clone(),
        steps: journey(cluster.trace(), namespace, name, Some(pod)),
        why: Why::of(cluster, pod),
        conditions: conditions.collect(),
        events: events(cluster, Kind::Pod, namespace, name),
        logs: logs(cluster, pod),
        yaml: yaml::object(&Object::Pod(Rc::new(pod.clone())).to_json()),
    }
}

fn node_view(cluster: &Cluster, node: &Rc<Node>) -> NodeView {
    let name = node.metadata.name.as_deref().unwrap_or_default().to_owned();
    let status = node.status.as_deref().cloned().unwrap_or_default();
    let conditions: Vec<ConditionRow> = status
        .conditions
        .into_iter()
        .flatten()
        .map(|condition| ConditionRow {
            name: condition.type_,
            status: condition.status,
            reason: condition.reason.unwrap_or_default(),
            message: condition.message.unwrap_or_default(),
        })
        .collect();
    let allocatable = status.allocatable.unwrap_or_default();
    let capacity = status.capacity.into_iter().flatten().map(|(resource, amount)| {
        let free = allocatable.get(&resource).map(|free| free.0.clone()).unwrap_or_default();
        [resource, amount.0, free]
    });
    let pods = cluster.objects(Kind::Pod).into_iter().filter_map(|object| {
        let Object::Pod(pod) = object else { return None };
        let here = pod.node_name.as_deref() == Some(&name);
        here.then(|| {
            let (namespace, name) = pod.key();
            let status = summary(&pod.metadata, &pod.spec, &pod.status).reason;
            [namespace.into(), name.into(), status.into()]
        })
    });
    NodeView {
        is_ready: conditions.iter().any(|one| {
            one.name == crate::api::words::READY && one.status == crate::api::words::TRUE
        }),
        is_cordoned: node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default(),
        capacity: capacity.collect(),
        pods: pods.collect(),
        events: events(cluster, Kind::Node, "", &name),
        yaml: yaml::object(&Object::Node(Rc::clone(node)).to_json()),
        conditions,
        name,
    }
}

fn events(cluster: &Cluster, kind: Kind, namespace: &str, name: &str) -> Vec<EventRow> {
    let now = date(cluster.now());
    let all = cluster.objects(Kind::Event);
    let mut mine: Vec<&Rc<Event>> = all
        .iter()
        .filter_map(Event::unwrap)
        .filter(|event| {
            let about = &event.involved_object;
            about.kind.as_deref() == Some(kind.resource().name)
                && about.name.as_deref() == Some(name)
                && about.namespace.as_deref().unwrap_or_default() == namespace
        })
        .collect();
    // Kubelets' clocks know whole seconds only; within one, what was written first comes first.
    sort::by_key(&mut mine, |event| {
        let version = event.metadata.resource_version.as_deref();
        let version = version.and_then(|version| version.parse::<u64>().ok());
        (when(event).map(Timestamp::as_second), version)
    });
    let skipped = mine.len().saturating_sub(MOST_EVENTS);
    mine.into_iter().skip(skipped).map(|event| event_row(event, now)).collect()
}

fn when(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let last = series.map(|time| time.0).or(event.last_timestamp.as_ref().map(|time| time.0));
    last.or(event.event_time.as_ref().map(|time| time.0))
}

fn event_row(event: &Event, now: Timestamp) -> EventRow {
    let reporter = event.source.as_ref().and_then(|source| source.component.clone());
    let reporter = reporter.or_else(|| event.reporting_component.clone());
    let age = duration::age(when(event), now);
    let count = event.series.as_ref().map_or(event.count, |series| series.count);
    let age = match count {
        Some(count) if count > 1 => {
            let first = event.first_timestamp.as_ref().map(|time| time.0);
            let first = first.or(event.event_time.as_ref().map(|time| time.0));
            format!("{age} (x{count} over {})", duration::age(first, now))
        }
        Some(_) | None => age,
    };
    EventRow {
        is_warning: event.type_.as_deref() == Some("Warning"),
        reason: event.reason.clone().unwrap_or_default(),
        age,
        from: reporter.unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
    }
}
