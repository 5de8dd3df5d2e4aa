//! A scheduler that is configured otherwise, in a whole cluster.

use std::rc::Rc;
use std::time::Duration;

use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use podflow::testing::recording::Session;
use podflow::testing::scheduler::{Configuration, ConfigurationError};
use podflow::testing::sim::Instant;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(5);

/// One profile packs nodes full, the other is the usual one.
fn packing() -> Result<Rc<Configuration>, ConfigurationError> {
    let source = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"schedulerName": "default-scheduler"}, {
            "schedulerName": "packing",
            "plugins": {"score": {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeResourcesFit"}]}},
            "pluginConfig": [{
                "name": "NodeResourcesFit",
                "args": {"scoringStrategy": {
                    "type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}],
                }},
            }],
        }],
    });
    Configuration::read(&source).map(Rc::new)
}

fn pod(name: &str, scheduler: &str) -> HttpCall {
    let container = json!({
        "name": "main", "image": "nginx", "resources": {"requests": {"cpu": "500m"}},
    });
    let spec = json!({"schedulerName": scheduler, "containers": [container]});
    let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
    HttpCall::new("POST", "/api/v1/namespaces/default/pods", Some(body))
}

fn node_of(cluster: &Cluster, name: &str) -> Option<String> {
    let pod = cluster.object(Kind::Pod, "default", name)?.to_json();
    pod.pointer("/spec/nodeName")?.as_str().map(str::to_owned)
}

#[test]
fn each_pod_is_placed_by_the_profile_that_it_names() {
    let mut session = Session::new(Setup::new(1, 3));
    session.run_for(SOON);
    session.submit(pod("early", "packing"));
    session.run_for(SOON);
    assert_eq!(node_of(session.cluster(), "early"), None, "nobody has that name yet");

    session.configure_scheduler(packing().unwrap());
    session.run_for(SOON);
    let full = node_of(session.cluster(), "early").expect("placed once there is such a profile");
    for name in ["a", "b", "c"] {
        session.submit(pod(name, "packing"));
        session.run_for(SOON);
        assert_eq!(node_of(session.cluster(), name).as_ref(), Some(&full), "{name}");
    }
    session.submit(pod("usual", "default-scheduler"));
    session.run_for(SOON);
    assert_ne!(node_of(session.cluster(), "usual"), Some(full));

    let events: Vec<Value> =
        session.cluster().objects(Kind::Event).iter().map(Object::to_json).collect();
    for (name, by) in [("early", "packing"), ("usual", "default-scheduler")] {
        let scheduled = events.iter().find(|event| {
            event["reason"] == "Scheduled" && event["involvedObject"]["name"] == name
        });
        assert_eq!(scheduled.unwrap()["reportingComponent"], by);
    }

    // Back in time, the scheduler is as it was, and comes to be configured again.
    let (end, log) = (session.now(), session.cluster().log());
    session.seek(Instant::ZERO + SOON);
    assert_eq!(session.cluster().scheduler().configuration().profiles.len(), 1);
    session.seek(end);
    assert_eq!(session.cluster().log(), log);
}

#[test]
fn a_scheduler_that_starts_again_takes_up_what_waits() {
    let mut cluster = Cluster::new(&Setup::new(1, 2));
    cluster.run_for(SOON);
    for number in 0..30 {
        cluster.submit(&pod(&format!("web-{number}"), "default-scheduler"));
    }
    let placed = |cluster: &Cluster| {
        (0..30).filter(|number| node_of(cluster, &format!("web-{number}")).is_some()).count()
    };
    // In the middle of its work, with bindings on their way.
    while placed(&cluster) < 3 {
        cluster.run_for(Duration::from_millis(1));
    }
    assert!(placed(&cluster) < 14);
    cluster.configure_scheduler(&Rc::default());
    cluster.run_for(SOON);
    // Two nodes of four CPUs, and no pod twice.
    assert_eq!(placed(&cluster), 16);
    assert_eq!(cluster.scheduler().pending().count(), 14);
}
