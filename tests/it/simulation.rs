//! Whole clusters on virtual time.

use std::rc::Rc;
use std::time::Duration;

use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use podflow::testing::recording::Session;
use podflow::testing::sim::Instant;
use serde_json::{Value, json};

/// When the nodes of a small cluster are Ready.
const READY: Duration = Duration::from_secs(5);

fn pod(name: &str, image: &str) -> HttpCall {
    let body = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{
            "name": "main", "image": image,
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        }]},
    });
    HttpCall::new("POST", "/api/v1/namespaces/default/pods", Some(body))
}

fn phases(cluster: &Cluster) -> Vec<String> {
    let pods = cluster.objects(Kind::Pod).into_iter();
    pods.map(|pod| pod.to_json()["status"]["phase"].as_str().unwrap_or("-").to_owned()).collect()
}

#[test]
fn a_pod_goes_all_the_way_to_running() {
    let mut cluster = Cluster::new(&Setup::new(1, 3));
    cluster.run_for(READY);
    let id = cluster.submit(&pod("web", "nginx:1.14.2"));
    cluster.run_for(Duration::from_secs(20));
    let answer = cluster.answer(id).expect("an answer");
    assert_eq!(answer.code(), 201, "{answer:?}");
    let Some(Object::Pod(pod)) = cluster.object(Kind::Pod, "default", "web") else {
        panic!("no pod; the log:\n{}", cluster.log());
    };
    let wire: Value = serde_json::to_value(pod.to_wire()).unwrap();
    assert_eq!(wire["status"]["phase"], "Running", "{wire:#}");
    assert!(wire["spec"]["nodeName"].is_string());
    assert!(wire["status"]["podIP"].as_str().is_some_and(|ip| ip.starts_with("10.244.")));
    let ready = wire["status"]["conditions"].as_array().unwrap().iter();
    assert!(ready.clone().any(|c| c["type"] == "Ready" && c["status"] == "True"));
}

#[test]
fn a_pod_of_higher_priority_gets_the_place_of_another() {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(READY);
    let node = cluster.objects(Kind::Node)[0].to_json();
    let all = &node["status"]["allocatable"]["cpu"];
    let filling = |name: &str| {
        let mut call = pod(name, "nginx");
        let body = Rc::make_mut(call.body.as_mut().unwrap());
        body["spec"]["containers"][0]["resources"]["requests"]["cpu"] = all.clone();
        call
    };
    cluster.submit(&filling("humble"));
    cluster.run_for(Duration::from_secs(20));
    assert_eq!(phases(&cluster), ["Running"]);

    let mut urgent = filling("urgent");
    let spec = &mut Rc::make_mut(urgent.body.as_mut().unwrap())["spec"];
    spec["priorityClassName"] = json!("system-cluster-critical");
    spec["priority"] = json!(2_000_000_000);
    cluster.submit(&urgent);
    let seen = |cluster: &Cluster, name: &str| {
        cluster.object(Kind::Pod, "default", name).map(|pod| pod.to_json())
    };
    let is_going = |cluster: &Cluster| {
        seen(cluster, "humble").unwrap()["metadata"]["deletionTimestamp"].is_string()
    };
    while !is_going(&cluster) {
        assert!(cluster.now() < Instant::from_micros(60_000_000), "{}", cluster.log());
        cluster.run_for(Duration::from_millis(1));
    }
    let waiting = seen(&cluster, "urgent").unwrap();
    assert_eq!(waiting["status"]["nominatedNodeName"], node["metadata"]["name"], "{waiting:#}");
    let victim = seen(&cluster, "humble").unwrap();
    let mut conditions = victim["status"]["conditions"].as_array().unwrap().iter();
    let target = conditions.find(|one| one["type"] == "DisruptionTarget");
    let target = target.unwrap_or_else(|| panic!("{victim:#}"));
    assert_eq!(target["reason"], "PreemptionByScheduler");

    cluster.run_for(Duration::from_mins(1));
    assert!(seen(&cluster, "humble").is_none());
    assert_eq!(phases(&cluster), ["Running"]);
    let events = cluster.objects(Kind::Event).into_iter().map(|event| event.to_json());
    let preempted: Vec<Value> = events.filter(|event| event["reason"] == "Preempted").collect();
    let uid = waiting["metadata"]["uid"].as_str().unwrap();
    let node = node["metadata"]["name"].as_str().unwrap();
    let words = format!("Preempted by pod {uid} on node {node}");
    assert_eq!(preempted.len(), 1);
    assert_eq!(preempted[0]["message"], words.as_str());
}

#[test]
fn the_nodes_become_ready_and_stay_so() {
    let mut cluster = Cluster::new(&Setup::new(1, 3));
    for span in [5, 600] {
        cluster.run_for(Duration::from_secs(span));
        let nodes = cluster.objects(Kind::Node);
        assert_eq!(nodes.len(), 3);
        for node in nodes {
            let node = node.to_json();
            let conditions = node["status"]["conditions"].as_array().unwrap();
            let ready = conditions.iter().find(|c| c["type"] == "Ready").unwrap();
            assert_eq!(ready["status"], "True");
            assert!(node["spec"]["taints"].as_array().is_none_or(Vec::is_empty), "{node:#}");
        }
    }
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = |seed| {
        let mut cluster = Cluster::new(&Setup::new(seed, 3));
        cluster.run_for(READY);
        for number in 0..20 {
            cluster.submit(&pod(&format!("web-{number}"), "nginx"));
            cluster.run_for(Duration::from_millis(70));
        }
        cluster.run_for(Duration::from_secs(30));
        cluster.log()
    };
    let log = run(7);
    assert!(log.lines().count() > 1000);
    assert_eq!(log, run(7));
    assert_ne!(log, run(8));
}

#[test]
fn a_seek_lands_in_the_very_past_that_was() {
    let mut session = Session::new(Setup::new(3, 3));
    session.run_for(READY);
    session.submit(pod("web", "nginx"));
    session.run_for(Duration::from_millis(350));
    let (moment, log) = (session.now(), session.cluster().log());
    session.run_for(Duration::from_mins(1));
    let (end, end_log) = (session.now(), session.cluster().log());

    session.seek(moment);
    assert_eq!(session.now(), moment);
    assert_eq!(session.cluster().log(), log);
    session.seek(end);
    assert_eq!(session.cluster().log(), end_log);
    session.seek(Instant::ZERO);
    session.seek(end);
    assert_eq!(session.cluster().log(), end_log);
}

#[test]
fn what_a_decision_leaves_out_of_many_nodes_is_worked_out_again() {
    let mut session = Session::new(Setup::new(1, 300));
    session.run_until(Instant::from_micros(5_000_000));
    session.submit(pod("first", "nginx"));
    session.run_for(Duration::from_secs(3));
    session.submit(pod("second", "nginx"));
    session.run_for(Duration::from_mins(1));
    for name in ["first", "second"] {
        let told = Rc::clone(session.cluster().decision("default", name).unwrap());
        assert!(told.nodes.len() < 130, "{}", told.nodes.len());
        let full = session.in_full(&told).unwrap();
        assert_eq!((full.nodes.len(), full.feasible), (144, 144));
        assert_eq!((&full.chosen, full.tied, full.at), (&told.chosen, told.tied, told.at));
        let mut some = told.nodes.iter();
        assert!(some.all(|verdict| full.nodes.iter().any(|one| one == verdict)));
    }
    // Of a past that is not this one nothing is told.
    let told = Rc::clone(session.cluster().decision("default", "second").unwrap());
    session.seek(Instant::from_micros(6_000_000));
    session.submit(pod("third", "nginx"));
    session.run_for(Duration::from_secs(5));
    assert!(session.in_full(&told).is_none());
}

#[test]
fn acting_in_the_past_forks() {
    let mut session = Session::new(Setup::new(3, 3));
    session.run_for(READY);
    let moment = session.now();
    session.submit(pod("first", "nginx"));
    session.run_for(Duration::from_secs(10));
    session.seek(Instant::from_micros(moment.as_micros() - 1));
    assert!(session.in_the_past());
    session.submit(pod("second", "nginx"));
    assert!(!session.in_the_past());
    session.run_for(Duration::from_secs(10));
    let names: Vec<String> =
        session.cluster().objects(Kind::Pod).iter().map(|pod| pod.name().to_owned()).collect();
    assert_eq!(names, ["second"]);
    assert_eq!(session.recording().inputs.len(), 1);
}

#[test]
fn a_thousand_pods_run_on_ten_nodes() {
    let mut cluster = Cluster::new(&Setup::new(1, 10));
    cluster.run_for(READY);
    for number in 0..1000 {
        cluster.submit(&pod(&format!("web-{number}"), "nginx"));
    }
    cluster.run_for(Duration::from_mins(2));
    let phases = phases(&cluster);
    assert_eq!(phases.len(), 1000);
    assert!(phases.iter().all(|phase| phase == "Running"), "{phases:?}");
}

#[test]
fn causes_lead_back_to_what_you_did() {
    let mut cluster = Cluster::new(&Setup::new(1, 3));
    cluster.run_for(READY);
    let before = cluster.trace().end();
    cluster.submit(&pod("web", "nginx"));
    cluster.run_for(Duration::from_secs(5));
    let trace = cluster.trace();
    let binding = trace
        .from(before)
        .find(|message| message.body.label().ends_with("/pods/web/binding"))
        .expect("a binding");
    let mut id = binding.id;
    while let Some(cause) = trace.get(id).and_then(|message| message.cause) {
        id = cause;
    }
    assert_eq!(id, before, "the chain of causes begins with the request");
}

#[test]
fn bad_requests_are_refused_and_change_nothing() {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(READY);
    let path = "/api/v1/namespaces/default/pods";
    let cases = [
        // A body need not say its kind.
        ("POST", path, json!({}), 422),
        ("POST", path, json!([]), 400),
        (
            "POST",
            path,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A b"}}),
            422,
        ),
        (
            "POST",
            "/api/v1/namespaces/nowhere/pods",
            pod("x", "y").body.unwrap().as_ref().clone(),
            404,
        ),
        ("GET", "/api/v1/namespaces/default/pods/none", Value::Null, 404),
        ("GET", "/api/v1/no-such-kind", Value::Null, 404),
    ];
    for (method, path, body, code) in cases {
        let id = cluster.submit(&HttpCall::new(method, path, (!body.is_null()).then_some(body)));
        cluster.run_for(Duration::from_millis(100));
        let answer = cluster.answer(id).expect("an answer");
        assert_eq!(answer.code(), code, "{method} {path}: {}", answer.body());
        assert_eq!(answer.body()["status"], "Failure");
    }
    assert!(cluster.objects(Kind::Pod).is_empty());
}

#[test]
fn without_a_node_a_pod_is_tried_ever_more_rarely() {
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(READY);
    cluster.submit(&pod("web", "nginx"));
    cluster.run_for(Duration::from_secs(20));
    let tries = cluster.scheduler().decisions("default", "web").len();
    assert_eq!(tries, 5, "after about 0, 1, 3, 7 and 15 seconds");
}
