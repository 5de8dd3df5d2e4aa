//! The scheduler in a world of one: what is delivered to it, and what it asks for.

mod permitting;
mod preempting;
mod waiting;

use std::time::Duration;

use serde_json::{Value, json};

use super::framework::ClusterEvent;
use super::queue::Backoff;
use super::*;
use crate::api::request::{
    Answer, Change, Patch, Payload, Response, Subresource, Target, Verb, WatchEvent,
};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Kind, Object, wire};
use crate::sim::{Effect, Instant, Rng};

mod binding;

/// A scheduler, its clock, its timers and what it has sent.
struct World {
    scheduler: Scheduler,
    now: Instant,
    rng: Rng,
    timers: Vec<(Instant, Timer)>,
    sent: Vec<Request>,
}

impl World {
    /// With all informers watching these objects.
    fn new(nodes: &[Value], pods: &[Value]) -> Self {
        Self::with_documents(nodes, pods, &[])
    }

    fn with_documents(nodes: &[Value], pods: &[Value], documents: &[Object]) -> Self {
        Self::configured(Rc::default(), nodes, pods, documents)
    }

    fn configured(
        configuration: Rc<Configuration>,
        nodes: &[Value],
        pods: &[Value],
        documents: &[Object],
    ) -> Self {
        let mut world = Self {
            scheduler: Scheduler::new(Timestamp::UNIX_EPOCH, configuration),
            now: Instant::ZERO,
            rng: Rng::new(7),
            timers: Vec::new(),
            sent: Vec::new(),
        };
        world.tell(Event::Started);
        for request in std::mem::take(&mut world.sent) {
            let kind = request.target.kind().unwrap();
            let items = if kind == Kind::Node {
                nodes.iter().cloned().map(node).collect()
            } else if kind == Kind::Pod {
                pods.iter().cloned().map(pod).collect()
            } else {
                documents.iter().filter(|it| it.kind() == kind).cloned().collect()
            };
            world.answer(
                request.id,
                Ok(Answer::List { kind, items, resource_version: 1, rest: None }),
            );
        }
        world
    }

    fn tell(&mut self, event: Event<Scheduler>) {
        let mut outbox = Vec::new();
        let mut ctx = Ctx { now: self.now, rng: &mut self.rng, outbox: &mut outbox };
        self.scheduler.handle(&mut ctx, event);
        for effect in outbox {
            match effect {
                Effect::Send { body, .. } => self.sent.push(body),
                Effect::Timer { after, timer } => self.timers.push((self.now + after, timer)),
            }
        }
    }

    fn answer(&mut self, id: RequestId, result: Result<Answer, Rc<StatusError>>) {
        self.tell(Event::Message(Incoming::Response(Rc::new(Response::new(id, result)))));
    }

    fn watch(&mut self, kind: Kind, change: Change) {
        let opened =
            |request: &&Request| request.verb == Verb::Watch && request.target.kind() == Some(kind);
        let watch = self.sent.iter().find(opened).unwrap().id;
        self.tell(Event::Message(Incoming::Watch(WatchEvent { watch, change })));
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.timers.sort_by_key(|(at, _)| *at);
            match self.timers.first().copied() {
                Some((at, timer)) if at <= end => {
                    self.timers.remove(0);
                    self.now = at;
                    self.tell(Event::Timer(timer));
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn bindings(&self) -> Vec<(String, &str, RequestId)> {
        let found = self.sent.iter().filter_map(|request| {
            let Payload::Binding { node, .. } = &request.payload else { return None };
            Some((request.target.to_string(), &**node, request.id))
        });
        found.collect()
    }

    /// What pods other than `web` are told, as `PATCH a`.
    fn told(&self) -> Vec<String> {
        let told = self.sent.iter().filter_map(|request| {
            let path = request.target.to_string();
            let pod = path.strip_prefix("/api/v1/namespaces/default/pods/")?;
            let verbs = [(Verb::Patch, "PATCH"), (Verb::Delete, "DELETE")];
            let (_, verb) = verbs.into_iter().find(|(verb, _)| *verb == request.verb)?;
            let pod = pod.strip_suffix("/status").unwrap_or(pod);
            (pod != "web").then(|| format!("{verb} {pod}"))
        });
        told.collect()
    }

    /// Answers the last request of those that pods other than `web` were told.
    fn answer_told(&mut self, result: Result<Answer, Rc<StatusError>>) {
        let is_of = |request: &&Request| {
            let is_web = request.target.to_string().contains("/web/");
            request.verb == Verb::Delete || request.verb == Verb::Patch && !is_web
        };
        let id = self.sent.iter().rfind(is_of).unwrap().id;
        self.answer(id, result);
    }

    fn messages(&self) -> Vec<&str> {
        let events = self.sent.iter().filter_map(|request| {
            let Payload::Object(Object::Event(event)) = &request.payload else { return None };
            event.message.as_deref()
        });
        events.collect()
    }
}

fn node(value: Value) -> Object {
    Object::Node(Rc::new(serde_json::from_value(value).unwrap()))
}

fn pod(value: Value) -> Object {
    let pod: wire::Pod = serde_json::from_value(value).unwrap();
    Object::Pod(Rc::new(pod.into()))
}

fn node_json(name: &str, cpu: &str) -> Value {
    json!({
        "metadata": { "name": name, "resourceVersion": "1" },
        "status": { "allocatable": { "cpu": cpu, "memory": "4Gi", "pods": "110" } },
    })
}

fn pod_json(name: &str, cpu: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "default", "uid": name, "resourceVersion": "1" },
        "spec": { "containers": [
            { "name": "c", "resources": { "requests": { "cpu": cpu } } },
        ] },
    })
}

/// How often `web` was tried.
fn decisions(world: &World) -> usize {
    world.scheduler.decisions("default", "web").len()
}

const MOMENT: Duration = Duration::from_millis(5);

#[test]
fn a_pod_is_bound_and_the_event_tells() {
    let mut world = World::new(&[node_json("node-1", "2")], &[pod_json("web", "1")]);
    assert!(world.bindings().is_empty(), "a cycle takes time");
    world.run(MOMENT);
    let path = "/api/v1/namespaces/default/pods/web/binding";
    let [(target, chosen, id)] = &world.bindings()[..] else { panic!("one binding") };
    assert_eq!((target.as_str(), *chosen), (path, "node-1"));
    let id = *id;
    world.answer(id, Ok(Answer::Success { code: 201 }));
    assert_eq!(world.messages(), ["Successfully assigned default/web to node-1"]);
    let decision = world.scheduler.decision("default", "web").unwrap();
    assert_eq!(decision.chosen.as_deref(), Some("node-1"));
}

#[test]
fn an_assumed_pod_takes_room_before_it_is_confirmed() {
    let pods = [pod_json("one", "1"), pod_json("two", "1")];
    let nodes = [node_json("node-1", "1"), node_json("node-2", "1")];
    let mut world = World::new(&nodes, &pods);
    world.run(MOMENT);
    let mut chosen: Vec<&str> = world.bindings().into_iter().map(|(_, node, _)| node).collect();
    chosen.sort_unstable();
    assert_eq!(chosen, ["node-1", "node-2"]);
}

#[test]
fn a_binding_that_fails_is_tried_again_after_a_while() {
    let mut world = World::new(&[node_json("node-1", "2")], &[pod_json("web", "1")]);
    world.run(MOMENT);
    let id = world.bindings()[0].2;
    world.answer(id, Err(Rc::new(StatusError::bad_request("no"))));
    let words = "running Bind plugin \"DefaultBinder\": no";
    assert_eq!(world.messages(), [words]);
    assert_eq!(world.scheduler.cache().node("node-1").unwrap().pods.len(), 0);
    world.run(Duration::from_millis(500));
    assert_eq!(world.bindings().len(), 1);
    world.run(Duration::from_secs(3));
    assert_eq!(world.bindings().len(), 2);
}

#[test]
fn the_first_of_the_queue_is_the_one_of_highest_priority() {
    let mut urgent = pod_json("z", "1");
    urgent["spec"]["priority"] = json!(1000);
    let mut world = World::new(&[node_json("node-1", "4")], &[pod_json("a", "1"), urgent]);
    world.run(MOMENT);
    assert!(world.bindings()[0].0.contains("/z/"), "{:?}", world.bindings());
}

#[test]
fn the_search_among_very_many_nodes_stops_early_and_ties_are_broken_by_the_seed() {
    let nodes: Vec<Value> =
        (0..1000).map(|number| node_json(&format!("node-{number}"), "2")).collect();
    let mut world = World::new(&nodes, &[pod_json("web", "1")]);
    world.run(MOMENT);
    let decision = Rc::clone(world.scheduler.decision("default", "web").unwrap());
    assert_eq!(decision.tied, 420);
    assert!(decision.nodes.len() <= 257, "of many nodes only the first are kept");
    assert!(decision.nodes.iter().any(|one| Some(&one.node) == decision.chosen.as_ref()));
    let mut again = World::new(&nodes, &[pod_json("web", "1")]);
    again.run(MOMENT);
    assert_eq!(again.scheduler.decision("default", "web").unwrap().chosen, decision.chosen);
}

#[test]
fn a_search_begins_after_the_nodes_that_the_last_one_has_looked_at() {
    let nodes: Vec<Value> = (100..250).map(|number| node_json(&number.to_string(), "2")).collect();
    let mut pinned = pod_json("a", "1");
    pinned["spec"]["affinity"] = json!({"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["200"]}]},
        ]},
    }});
    let mut world = World::new(&nodes, &[pinned, pod_json("b", "1"), pod_json("c", "1")]);
    world.run(MOMENT);
    let looked_at = |pod: &str| {
        let decision = world.scheduler.decision("default", pod).unwrap();
        let numbers = decision.nodes.iter().map(|one| one.node.parse().unwrap());
        let mut numbers: Vec<usize> = numbers.collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(looked_at("a"), [200], "others are not looked at");
    assert_eq!(looked_at("b"), (101..201).collect::<Vec<_>>());
    assert_eq!(looked_at("c"), (100..151).chain(201..250).collect::<Vec<_>>());
}

#[test]
fn where_not_all_nodes_are_looked_at_zones_take_turns() {
    let nodes: Vec<Value> = (0..300)
        .map(|number| {
            let mut node = node_json(&format!("{}-{number}", number / 100), "2");
            let zone = format!("zone-{}", number / 100);
            node["metadata"]["labels"] = json!({"topology.kubernetes.io/zone": zone});
            node
        })
        .collect();
    let mut world = World::new(&nodes, &[pod_json("web", "1")]);
    world.run(MOMENT);
    let decision = world.scheduler.decision("default", "web").unwrap();
    let of_zone = |zone: &str| {
        let nodes = decision.nodes.iter();
        nodes.filter(|one| one.node.starts_with(zone)).count()
    };
    assert_eq!(decision.feasible, 144);
    assert_eq!(["0-", "1-", "2-"].map(of_zone), [43, 43, 42], "of the first that are told");
}

#[test]
fn where_no_plugin_scores_the_first_node_that_fits_is_the_one() {
    let enabled = ["PrioritySort", "NodeUnschedulable", "DefaultBinder"];
    let configuration = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": {"multiPoint": {
            "disabled": [{"name": "*"}],
            "enabled": enabled.iter().map(|name| json!({"name": name})).collect::<Value>(),
        }}}],
    });
    let configuration = Configuration::read(&configuration).unwrap();
    let nodes = ["a", "b", "c"].map(|name| node_json(name, "2"));
    let pods = ["one", "two"].map(|name| pod_json(name, "1"));
    let mut world = World::configured(Rc::new(configuration), &nodes, &pods, &[]);
    world.run(MOMENT);
    let chosen = |name: &str| {
        let decision = world.scheduler.decision("default", name).unwrap();
        assert_eq!(decision.nodes.len(), 1, "no other is looked at");
        decision.chosen.clone().unwrap()
    };
    assert_eq!([chosen("one"), chosen("two")], ["a".into(), "b".into()]);
}

fn document(kind: Kind, name: &str, fields: &Value) -> Object {
    let mut json = fields.clone();
    json["metadata"] = json!({ "name": name, "namespace": "default", "resourceVersion": "1" });
    Object::from_json(kind, &json).unwrap().object
}

/// What the plugin gave each node in the decision about the pod `web`, by node.
fn scores_of(world: &World, plugin: &str) -> Vec<(String, i64)> {
    let decision = world.scheduler.decision("default", "web").unwrap();
    let nodes = decision.nodes.iter().filter_map(|node| {
        let of_plugin = node.scores.iter().find(|score| score.plugin == plugin);
        of_plugin.map(|score| (node.node.to_string(), score.normalized))
    });
    nodes.collect()
}

#[test]
fn pods_of_one_service_or_controller_are_spread() {
    let labelled = |name: &str| {
        let mut pod = pod_json(name, "100m");
        pod["metadata"]["labels"] = json!({ "app": "web" });
        pod
    };
    let mut there = labelled("there");
    there["spec"]["nodeName"] = json!("node-1");
    let nodes = ["node-1", "node-2"].map(|name| {
        let mut node = node_json(name, "4");
        node["metadata"]["labels"] = json!({ "kubernetes.io/hostname": name });
        node
    });
    let decided = |pod: Value, documents: &[Object]| {
        let mut world = World::with_documents(&nodes, &[there.clone(), pod], documents);
        world.run(MOMENT);
        scores_of(&world, "PodTopologySpread")
    };
    assert_eq!(decided(labelled("web"), &[]), [], "nothing tells what belongs together");

    let apart = |scores: Vec<(String, i64)>| {
        let of = |node: &str| scores.iter().find(|(own, _)| own == node).unwrap().1;
        assert!(of("node-1") < of("node-2"), "{scores:?}");
    };
    let selector = json!({ "app": "web" });
    let service = document(Kind::Service, "web", &json!({ "spec": { "selector": selector } }));
    apart(decided(labelled("web"), std::slice::from_ref(&service)));
    let other = document(Kind::Service, "o", &json!({ "spec": { "selector": { "app": "o" } } }));
    assert_eq!(decided(labelled("web"), &[other]), []);

    let set = json!({ "spec": { "selector": { "matchLabels": selector } } });
    for (kind, fields) in [
        (Kind::ReplicaSet, &set),
        (Kind::StatefulSet, &set),
        (Kind::ReplicationController, &json!({ "spec": { "selector": selector } })),
    ] {
        let resource = kind.resource();
        let mut owned = labelled("web");
        owned["metadata"]["ownerReferences"] = json!([{
            "apiVersion": resource.api_version(), "kind": resource.name, "name": "owner",
            "uid": "u", "controller": true,
        }]);
        apart(decided(owned.clone(), &[document(kind, "owner", fields)]));
        assert_eq!(decided(owned, &[document(kind, "another", fields)]), []);
    }
}
