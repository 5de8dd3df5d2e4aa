//! Pods that wait for something to happen, and what happens.

use super::*;

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

/// The default profile without these at a point.
fn without(point: &str, names: &[&str]) -> Rc<Configuration> {
    let disabled: Value = names.iter().map(|name| json!({"name": name})).collect();
    let configuration = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": {point: {"disabled": disabled}}}],
    });
    Rc::new(Configuration::read(&configuration).unwrap())
}

#[test]
fn a_plugin_that_nobody_prepares_fails_and_the_pod_is_tried_again() {
    let cases = [
        (
            "preFilter",
            "NodeResourcesFit",
            "running \"NodeResourcesFit\" filter plugin: error reading \
            \"PreFilterNodeResourcesFit\" from cycleState: not found",
        ),
        ("preFilter", "VolumeBinding", "running \"VolumeBinding\" filter plugin: not found"),
        (
            "preFilter",
            "*",
            "running \"NodePorts\" filter plugin: reading \"PreFilterNodePorts\" from \
            cycleState: not found",
        ),
        (
            "preScore",
            "*",
            "running Score plugins: plugin \"TaintToleration\" failed with: failed to read \
            \"PreScoreTaintToleration\" from cycleState: not found",
        ),
    ];
    for (point, name, words) in cases {
        let nodes = ["node-1", "node-2"].map(|name| node_json(name, "2"));
        let configuration = without(point, &[name]);
        let mut world = World::configured(configuration, &nodes, &[pod_json("web", "1")], &[]);
        world.run(MOMENT);
        assert_eq!(world.messages(), [words]);
        let Payload::Patch(Patch::PodCondition { condition, .. }) =
            &world.sent.iter().find(|request| request.verb == Verb::Patch).unwrap().payload
        else {
            panic!("patch")
        };
        assert_eq!(condition.as_ref().unwrap().reason.as_deref(), Some("SchedulerError"));
        world.run(Duration::from_secs(3));
        assert_eq!(decisions(&world), 2, "{point} {name}");
    }
}

#[test]
fn some_plugins_prepare_themselves() {
    let mut web = pod_json("web", "1");
    web["spec"]["nodeSelector"] = json!({"disk": "ssd"});
    let mut nodes = ["node-1", "node-2"].map(|name| node_json(name, "2"));
    nodes[1]["metadata"]["labels"] = json!({"disk": "ssd"});
    for (point, names) in [
        ("preFilter", &["NodeAffinity", "VolumeZone"][..]),
        ("preScore", &["NodeResourcesFit", "NodeResourcesBalancedAllocation", "NodeAffinity"]),
    ] {
        let mut world = World::configured(without(point, names), &nodes, &[web.clone()], &[]);
        world.run(MOMENT);
        assert_eq!(world.bindings()[0].1, "node-2", "{point}");
    }
    let scores = |configuration| {
        let pods = [pod_json("web", "1")];
        let mut world = World::configured(configuration, &nodes, &pods, &[]);
        world.run(MOMENT);
        scores_of(&world, "NodeAffinity")
    };
    assert_eq!(scores(Rc::default()), []);
    let none = ["node-1", "node-2"].map(|name| (name.to_owned(), 0));
    assert_eq!(scores(without("preScore", &["NodeAffinity"])), none);
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
    // All of a second are over once that is.
    let mut queue = queued(900, 100);
    queue.flush_backoff(later(1999));
    assert_eq!(queue.active().count(), 0);
    queue.flush_backoff(later(2000));
    assert_eq!(queue.active().count(), 2);
}

#[test]
fn a_pod_that_may_be_helped_waits_for_the_second_in_which_its_back_off_ends_to_be_over() {
    let later = |millis| Instant::ZERO + Duration::from_millis(millis);
    for (helped, is_active) in [(1_900, false), (2_000, true)] {
        let mut queue = Queue::new(Backoff::default());
        let Object::Pod(pod) = pod(pod_json("web", "1")) else { panic!("a pod") };
        queue.put(Rc::new(PodInfo::new(pod)), false, later(900), |_, _, _| true);
        let popped = queue.pop().unwrap();
        queue.unschedulable(popped, later(900), Rc::new(["NodeResourcesFit"]));
        queue.on_event(ClusterEvent::NodeAdded, later(helped), |_, _| true);
        assert_eq!(queue.active().count() == 1, is_active, "{helped}");
    }
}

#[test]
fn the_nomination_of_another_schedulers_pod_wakes_nobody() {
    for (scheduler, tries) in [("another", 1), ("default-scheduler", 2)] {
        let mut holder = pod_json("holder", "2");
        holder["spec"]["schedulerName"] = json!(scheduler);
        holder["spec"]["nodeSelector"] = json!({"disk": "ssd"});
        holder["spec"]["preemptionPolicy"] = json!("Never");
        holder["status"] = json!({"nominatedNodeName": "node-1"});
        let pods = [holder.clone(), pod_json("web", "3")];
        let mut world = World::new(&[node_json("node-1", "2")], &pods);
        world.run(Duration::from_secs(20));
        world.watch(Kind::Pod, Change::Deleted(pod(holder)));
        world.run(Duration::from_secs(2));
        assert_eq!(decisions(&world), tries, "{scheduler}");
    }
}

#[test]
fn a_pod_that_goes_before_it_is_bound_leaves_its_room_at_once() {
    let pods = [pod_json("first", "2"), pod_json("web", "2")];
    let mut world = World::new(&[node_json("node-1", "2")], &pods);
    world.run(Duration::from_secs(20));
    assert_eq!((world.bindings().len(), decisions(&world)), (1, 1));
    let mut going = pod_json("first", "2");
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    for version in ["2", "3"] {
        going["metadata"]["resourceVersion"] = json!(version);
        let object = pod(going.clone());
        world.watch(Kind::Pod, Change::Modified { object, before: None });
    }
    world.run(Duration::from_secs(2));
    assert_eq!((world.bindings().len(), decisions(&world)), (2, 2));
    let skipped = world.messages().iter().any(|words| words.starts_with("skip schedule"));
    assert!(!skipped, "it is not tried a second time");
}
