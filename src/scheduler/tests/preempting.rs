//! Pods that have others go.

use super::*;
use crate::api::words::DISRUPTION_TARGET;

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
fn a_victim_that_has_been_told_why_is_not_told_again() {
    let (mut world, [mut a, _]) = making_room();
    let why = world.sent.iter().rev().find_map(|request| {
        let Payload::Patch(patch) = &request.payload else { return None };
        let Patch::PodCondition { condition: Some(condition), .. } = patch else { return None };
        (condition.type_ == DISRUPTION_TARGET).then(|| json!(condition))
    });
    world.answer_told(FINE);
    a["metadata"]["resourceVersion"] = json!("2");
    a["status"] = json!({"conditions": [why]});
    world.watch(Kind::Pod, Change::Modified { object: pod(a), before: None });
    world.answer_told(Err(Rc::new(StatusError::bad_request("no"))));
    world.run(MOMENT);
    assert_eq!(world.told(), ["PATCH a", "DELETE a", "DELETE a"]);
}

#[test]
fn what_a_plugin_skips_in_a_cycle_it_does_not_look_at_where_room_is_made() {
    let mut node = node_json("node-1", "2");
    node["metadata"]["labels"] = json!({"kubernetes.io/hostname": "node-1"});
    let mut there = pod_json("there", "1");
    there["spec"]["nodeName"] = json!("node-1");
    // It waits for the node, and wants no other there; nobody who is there wants anything.
    let mut holder = pod_json("holder", "1");
    holder["spec"]["priority"] = json!(1000);
    holder["spec"]["preemptionPolicy"] = json!("Never");
    holder["spec"]["nodeSelector"] = json!({"disk": "ssd"});
    holder["status"] = json!({"nominatedNodeName": "node-1"});
    let selector = json!({"matchLabels": {"app": "web"}});
    holder["spec"]["affinity"] = json!({"podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution":
            [{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}],
    }});
    let mut web = pod_json("web", "1");
    web["metadata"]["labels"] = json!({"app": "web"});
    web["spec"]["priority"] = json!(1000);
    let mut world = World::new(&[node], &[there, holder, web]);
    world.run(MOMENT);
    assert_eq!(world.told().last().map(String::as_str), Some("PATCH there"));
}

#[test]
fn the_node_that_a_pod_waits_for_is_looked_at_even_if_it_is_not_among_those_it_wants() {
    let mut web = pod_json("web", "1");
    web["spec"]["affinity"] = json!({"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-9"]}]},
        ]},
    }});
    let refused = |web: &Value| {
        let mut world = World::new(
            &["node-1", "node-2"].map(|it| node_json(it, "2")),
            std::slice::from_ref(web),
        );
        world.run(MOMENT);
        let message = world.messages()[0].to_owned();
        message.split_once(" preemption: ").unwrap().0.to_owned()
    };
    let absent = "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity].";
    assert_eq!(refused(&web), absent);
    web["status"] = json!({"nominatedNodeName": "node-1"});
    let said = "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 \
                node(s) didn't satisfy plugin(s) [NodeAffinity].";
    assert_eq!(refused(&web), said);
}

#[test]
fn a_victim_that_is_gone_already_needs_no_event() {
    let (mut world, _) = making_room();
    world.answer_told(Err(Rc::new(StatusError::not_found(GroupResource::new("", "pods"), "a"))));
    assert_eq!(world.told(), ["PATCH a", "PATCH b"]);
    assert_eq!(world.messages().len(), 1);
}

#[test]
fn a_pod_that_is_held_back_tries_again_after_five_minutes() {
    let (mut world, [a, mut b]) = making_room();
    world.answer_told(FINE);
    world.watch(Kind::Pod, Change::Deleted(pod(a)));
    for _ in 0..3 {
        world.answer_told(FINE);
    }
    assert_eq!(world.scheduler.pending().next().unwrap().place, Place::Held);
    b["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.watch(Kind::Pod, Change::Modified { object: pod(b), before: None });
    world.watch(Kind::Node, Change::Added(node(node_json("node-2", "2"))));
    world.run(Duration::from_mins(5));
    assert_eq!(decisions(&world), 1, "what it is held back by knows nothing of nodes");
    world.run(Duration::from_secs(31));
    assert_eq!(decisions(&world), 2);
}

#[test]
fn of_pods_that_are_as_important_the_one_that_started_last_goes() {
    let there = |name: &str, node: &str| {
        let mut pod = pod_json(name, "1");
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    for (first, second, goes) in [("10", "20", "b"), ("20", "10", "a")] {
        let pods = [there("a", "node-1"), there("b", "node-2")];
        let nodes = [node_json("node-1", "1"), node_json("node-2", "1")];
        let mut world = World::new(&nodes, &pods);
        // Their kubelets tell it later.
        for (mut started, minute) in pods.into_iter().zip([first, second]) {
            started["metadata"]["resourceVersion"] = json!("2");
            started["status"] = json!({"startTime": format!("2026-01-01T00:{minute}:00Z")});
            world.watch(Kind::Pod, Change::Modified { object: pod(started), before: None });
        }
        let mut urgent = pod_json("web", "1");
        urgent["spec"]["priority"] = json!(1000);
        world.watch(Kind::Pod, Change::Added(pod(urgent)));
        world.run(MOMENT);
        assert_eq!(world.told(), [format!("PATCH {goes}")]);
    }
}

#[test]
fn the_event_of_a_victim_has_to_do_with_the_pod_that_it_makes_room_for() {
    let (mut world, _) = making_room();
    world.answer_told(FINE);
    world.answer_told(FINE);
    let events = world.sent.iter().filter_map(|request| {
        let Payload::Object(Object::Event(event)) = &request.payload else { return None };
        Some(event)
    });
    let told: Vec<_> = events
        .map(|event| {
            let related = event.related.as_ref().and_then(|related| related.name.as_deref());
            (event.reason.as_deref(), event.involved_object.name.as_deref(), related)
        })
        .collect();
    let expected = [
        (Some("FailedScheduling"), Some("web"), None),
        (Some("Preempted"), Some("a"), Some("web")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn where_no_plugin_makes_room_a_pod_that_fits_nowhere_waits_for_no_node() {
    let configuration = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": {"postFilter": {"disabled": [{"name": "*"}]}}}],
    });
    let configuration = Rc::new(Configuration::read(&configuration).unwrap());
    for (cpu, selector) in [("3", json!({})), ("1", json!({"disk": "ssd"}))] {
        let mut web = pod_json("web", cpu);
        web["spec"]["nodeSelector"] = selector;
        web["status"] = json!({"nominatedNodeName": "node-1"});
        let nodes = [node_json("node-1", "2")];
        let mut world = World::configured(Rc::clone(&configuration), &nodes, &[web], &[]);
        world.run(MOMENT);
        let nominated = world.sent.iter().find_map(|request| {
            let Payload::Patch(Patch::PodCondition { nominated, .. }) = &request.payload else {
                return None;
            };
            Some(nominated.clone())
        });
        assert_eq!(nominated, Some(Some("".into())), "{cpu}");
        assert!(world.scheduler.cache().node("node-1").unwrap().promised.is_empty());
    }
}

#[test]
fn what_a_pod_has_against_others_holds_where_room_is_made_for_it() {
    let near = |term: &str| {
        let selector = json!({"matchLabels": {"app": "holder"}});
        let term_of = json!([{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}]);
        json!({term: {"requiredDuringSchedulingIgnoredDuringExecution": term_of}})
    };
    for (affinity, bound) in [(near("podAntiAffinity"), 0), (json!({}), 1)] {
        let mut node = node_json("node-1", "4");
        node["metadata"]["labels"] = json!({"kubernetes.io/hostname": "node-1"});
        // It waits for the node, and cannot come yet.
        let mut holder = pod_json("holder", "1");
        holder["metadata"]["labels"] = json!({"app": "holder"});
        holder["spec"]["priority"] = json!(10);
        holder["spec"]["preemptionPolicy"] = json!("Never");
        holder["spec"]["nodeSelector"] = json!({"disk": "ssd"});
        holder["status"] = json!({"nominatedNodeName": "node-1"});
        let mut web = pod_json("web", "1");
        web["spec"]["affinity"] = affinity;
        let mut world = World::new(&[node], &[holder, web]);
        world.run(MOMENT);
        assert_eq!(world.bindings().len(), bound);
    }
}
