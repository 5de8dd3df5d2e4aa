//! The scheduler in a world of one: what is delivered to it, and what it asks for.

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
fn a_pod_that_fits_nowhere_says_why_and_waits_for_an_event() {
    let mut tainted = node_json("node-2", "4");
    tainted["spec"] = json!({ "taints": [{ "key": "a", "effect": "NoSchedule" }] });
    let mut other = node_json("node-3", "4");
    other["spec"] = tainted["spec"].clone();
    let mut world =
        World::new(&[node_json("node-1", "1"), tainted, other], &[pod_json("web", "2")]);
    world.run(MOMENT);
    let words = "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). \
                 preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    assert_eq!(world.messages(), [words]);
    let patch = world.sent.iter().find(|request| request.verb == Verb::Patch).unwrap();
    let status = Target::named(Kind::Pod, "default", "web").part(Subresource::Status);
    assert_eq!(patch.target, status);
    let Payload::Patch(Patch::PodCondition { condition, .. }) = &patch.payload else {
        panic!("patch")
    };
    let condition = condition.as_ref().unwrap();
    assert_eq!(condition.reason.as_deref(), Some("Unschedulable"));
    assert_eq!(condition.message.as_deref(), Some(words));

    world.run(Duration::from_secs(20));
    assert_eq!(world.messages().len(), 1, "nothing happened that could help");
    world.watch(Kind::Node, Change::Added(node(node_json("node-4", "2"))));
    world.run(MOMENT);
    assert_eq!(world.bindings()[0].1, "node-4");
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
fn after_five_minutes_a_pod_is_tried_again_without_any_event() {
    let mut world = World::new(&[node_json("node-1", "1")], &[pod_json("web", "2")]);
    world.run(Duration::from_mins(5));
    assert_eq!(world.scheduler.decisions("default", "web").len(), 1);
    world.run(Duration::from_secs(31));
    assert_eq!(world.scheduler.decisions("default", "web").len(), 2);
    let patches = world
        .sent
        .iter()
        .filter(|request| matches!(request.payload, Payload::Patch(Patch::PodCondition { .. })));
    assert_eq!(patches.count(), 2, "nobody stored the first one");
}

#[test]
fn a_pod_waits_for_its_gates() {
    let mut gated = pod_json("web", "1");
    gated["spec"]["schedulingGates"] = json!([{ "name": "example.com/gate" }]);
    let mut world = World::new(&[node_json("node-1", "2")], &[gated]);
    world.run(Duration::from_mins(1));
    assert!(world.bindings().is_empty());
    let object = pod(pod_json("web", "1"));
    world.watch(Kind::Pod, Change::Modified { object, before: None });
    world.run(MOMENT);
    assert_eq!(world.bindings().len(), 1);
}

#[test]
fn a_pod_that_leaves_makes_room() {
    let mut placed = pod_json("old", "2");
    placed["spec"]["nodeName"] = json!("node-1");
    let mut world =
        World::new(&[node_json("node-1", "2")], &[placed.clone(), pod_json("web", "1")]);
    world.run(MOMENT);
    let words = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are \
                 available: 1 No preemption victims found for incoming pod.";
    assert_eq!(world.messages(), [words]);
    world.watch(Kind::Pod, Change::Deleted(pod(placed)));
    world.run(Duration::from_secs(2));
    assert_eq!(world.bindings().len(), 1);
}

#[test]
fn who_waits_for_a_node_no_longer_makes_room_for_pods_that_are_no_more_important() {
    let waiting = |node: Value| {
        let mut holder = pod_json("holder", "2");
        holder["spec"]["priority"] = json!(10);
        holder["spec"]["preemptionPolicy"] = json!("Never");
        holder["spec"]["nodeSelector"] = json!({"disk": "ssd"});
        holder["status"] = json!({"nominatedNodeName": node});
        holder
    };
    let mut changed = waiting(json!("node-2"));
    changed["metadata"]["resourceVersion"] = json!("2");
    let object = pod(changed);
    for change in
        [Change::Modified { object, before: None }, Change::Deleted(pod(waiting(json!("node-1"))))]
    {
        let mut top = pod_json("top", "3");
        top["spec"]["priority"] = json!(11);
        let pods = [waiting(json!("node-1")), pod_json("low", "1"), top];
        let mut world = World::new(&[node_json("node-1", "2")], &pods);
        let tried = |world: &World, name: &str| world.scheduler.decisions("default", name).len();
        world.run(Duration::from_secs(20));
        assert_eq!((tried(&world, "low"), tried(&world, "top")), (1, 1));
        world.watch(Kind::Pod, change);
        world.run(Duration::from_secs(2));
        assert_eq!((tried(&world, "low"), tried(&world, "top")), (2, 1));
        assert_eq!(world.bindings().len(), 1);
    }
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

#[test]
fn of_back_offs_that_end_in_the_same_second_the_more_important_pod_is_the_first() {
    let later = |millis| Instant::ZERO + Duration::from_millis(millis);
    let queued = |high: u64, low: u64| {
        let mut queue = Queue::new(Backoff::default());
        for (name, priority, at) in [("low", 0, low), ("high", 9, high)] {
            let mut value = pod_json(name, "1");
            value["spec"]["priority"] = json!(priority);
            let Object::Pod(pod) = pod(value) else { panic!("a pod") };
            queue.put(Rc::new(PodInfo::new(pod)), false, later(at), |_, _, _| true);
            let popped = queue.pop().unwrap();
            queue.unschedulable(popped, later(at), Rc::new(["NodeResourcesFit"]));
        }
        queue.on_event(ClusterEvent::NodeAdded, later(950), |_, _| true);
        assert_eq!(queue.active().count(), 0);
        queue
    };
    let names = |mut queue: Queue| -> Vec<Rc<str>> {
        std::iter::from_fn(|| queue.pop()).map(|queued| Rc::clone(&queued.info.uid)).collect()
    };
    assert_eq!(names(queued(900, 100))[..], ["high".into(), "low".into()]);
    assert_eq!(names(queued(1000, 100))[..], ["low".into(), "high".into()]);
    // All of a second are over once it has begun.
    let mut queue = queued(900, 100);
    queue.flush_backoff(later(999));
    assert_eq!(queue.active().count(), 0);
    queue.flush_backoff(later(1000));
    assert_eq!(queue.active().count(), 2);
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

#[test]
fn preemption_spares_the_pods_that_a_budget_protects() {
    let nodes = [node_json("node-1", "1"), node_json("node-2", "1")];
    let there = |name: &str, node: &str| {
        let mut pod = pod_json(name, "1");
        pod["metadata"]["labels"] = json!({ "app": name });
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    let mut urgent = pod_json("web", "1");
    urgent["spec"]["priority"] = json!(1000);
    let pods = [there("a", "node-1"), there("b", "node-2"), urgent];
    for (protected, goes) in [("a", "b"), ("b", "a")] {
        let budget = json!({
            "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": protected } } },
            "status": { "disruptionsAllowed": 0 },
        });
        let budget = document(Kind::PodDisruptionBudget, "budget", &budget);
        let mut world = World::with_documents(&nodes, &pods, &[budget]);
        world.run(MOMENT);
        assert_eq!(world.told(), [format!("PATCH {goes}")]);
    }
}

/// A node with the pods `a` and `b`, of which both have to go for `web`; `a` is told so.
fn making_room() -> (World, [Value; 2]) {
    let there = ["a", "b"].map(|name| {
        let mut pod = pod_json(name, "1");
        pod["spec"]["nodeName"] = json!("node-1");
        pod
    });
    let mut urgent = pod_json("web", "2");
    urgent["spec"]["priority"] = json!(1000);
    let pods = [there[0].clone(), there[1].clone(), urgent];
    let mut world = World::new(&[node_json("node-1", "2")], &pods);
    world.run(MOMENT);
    (world, there)
}

fn decisions(world: &World) -> usize {
    world.scheduler.decisions("default", "web").len()
}

const FINE: Result<Answer, Rc<StatusError>> = Ok(Answer::Success { code: 200 });

#[test]
fn a_pod_is_held_back_while_its_victims_are_told_to_go() {
    let (mut world, [a, b]) = making_room();
    assert_eq!(world.told(), ["PATCH a"], "the last one waits for the others");
    world.answer_told(FINE);
    assert_eq!(world.told(), ["PATCH a", "DELETE a"], "first why, then that");
    world.watch(Kind::Pod, Change::Deleted(pod(a)));
    world.run(Duration::from_secs(5));
    assert_eq!(decisions(&world), 1, "there is no room yet");
    assert_eq!(world.scheduler.pending().next().unwrap().place, Place::Held);
    let preempted = "Preempted by pod web on node node-1";
    assert_eq!(world.messages().iter().filter(|words| **words == preempted).count(), 0);
    world.answer_told(FINE);
    assert_eq!(world.messages().iter().filter(|words| **words == preempted).count(), 1);
    assert_eq!(world.told().last().unwrap(), "PATCH b");
    world.answer_told(FINE);
    assert_eq!(world.told().last().unwrap(), "DELETE b");
    // Another node would not do: what it is held back by knows only of pods that leave.
    world.watch(Kind::Node, Change::Added(node(node_json("node-2", "2"))));
    world.run(Duration::from_secs(1));
    assert_eq!(decisions(&world), 1);
    world.watch(Kind::Pod, Change::Deleted(pod(b)));
    world.run(MOMENT);
    assert_eq!(decisions(&world), 2, "the answer need not have come");
    assert_eq!(world.bindings().len(), 1);
}

#[test]
fn once_the_last_victim_is_going_any_that_is_gone_lets_the_pod_try() {
    let (mut world, [a, mut b]) = making_room();
    for _ in 0..3 {
        world.answer_told(FINE);
    }
    b["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.watch(Kind::Pod, Change::Modified { object: pod(b), before: None });
    world.watch(Kind::Pod, Change::Deleted(pod(a)));
    world.run(Duration::from_secs(2));
    assert_eq!(decisions(&world), 2);
}

#[test]
fn a_pod_whose_victims_cannot_be_told_is_tried_at_once() {
    let (mut world, _) = making_room();
    world.answer_told(Err(Rc::new(StatusError::bad_request("no"))));
    world.run(MOMENT);
    assert_eq!(decisions(&world), 2);
    assert_eq!(world.told(), ["PATCH a", "PATCH a"]);
}

#[test]
fn a_victim_that_is_gone_already_needs_no_event() {
    let (mut world, _) = making_room();
    world.answer_told(Err(Rc::new(StatusError::not_found(GroupResource::new("", "pods"), "a"))));
    assert_eq!(world.told(), ["PATCH a", "PATCH b"]);
    assert_eq!(world.messages().len(), 1);
}
