//! A pod that is tried without being created.

use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::cluster::{Cluster, HttpCall, Setup, Untried};
use serde_json::{Value, json};

fn cluster() -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 3));
    cluster.run_for(Duration::from_secs(5));
    cluster
}

fn pod(name: &str, cpu: &str) -> Value {
    let container =
        json!({"name": "main", "image": "nginx", "resources": {"requests": {"cpu": cpu}}});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [container]},
    })
}

#[test]
fn it_is_decided_as_it_would_be_and_nothing_has_happened() {
    let mut cluster = cluster();
    let (log, now) = (cluster.log(), cluster.now());
    let trial = cluster.what_if(&pod("web", "1")).unwrap();
    assert_eq!(trial.decision.nodes.len(), 3);
    assert_eq!((cluster.log(), cluster.now()), (log, now));
    assert!(cluster.objects(Kind::Pod).is_empty());

    let path = "/api/v1/namespaces/default/pods";
    cluster.submit(&HttpCall::new("POST", path, Some(pod("web", "1"))));
    cluster.run_for(Duration::from_secs(5));
    let real = cluster.decision("default", "web").unwrap();
    assert_eq!(real.nodes, trial.decision.nodes);
    assert_eq!(real.chosen, trial.decision.chosen);
    // The name is taken now; another of its kind is tried all the same.
    let again = cluster.what_if(&pod("web", "1")).unwrap();
    assert!(again.decision.chosen.is_some() && again.decision.pod.1.starts_with("web-"));
    let hopeless = cluster.what_if(&pod("big", "64")).unwrap();
    let words = hopeless.decision.message.as_deref().unwrap();
    assert!(words.starts_with("0/3 nodes are available: 3 Insufficient cpu."), "{words}");
}

#[test]
fn it_tells_of_every_node_that_was_looked_at() {
    let mut cluster = Cluster::new(&Setup::new(1, 300));
    cluster.run_for(Duration::from_secs(5));
    let trial = cluster.what_if(&pod("web", "1")).unwrap();
    assert_eq!((trial.decision.nodes.len(), trial.decision.feasible), (144, 144));
}

#[test]
fn what_the_scheduler_has_no_say_in_says_so() {
    let cluster = cluster();
    let why = |change: fn(&mut Value)| {
        let mut pod = pod("web", "1");
        change(&mut pod);
        cluster.what_if(&pod).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let said = why(|pod| pod["spec"]["schedulerName"] = json!("mine"));
    assert_eq!(said, "no scheduler here has the name \"mine\"");
    let said = why(|pod| pod["spec"]["schedulingGates"] = json!([{"name": "example.com/a"}]));
    assert_eq!(said, "waiting for scheduling gates: [example.com/a]");
    let said = why(|pod| pod["spec"]["nodeName"] = json!("node-1"));
    assert_eq!(said, "it names its node itself, so no scheduler is asked");
    let said = why(|pod| pod["kind"] = json!("Service"));
    assert_eq!(said, "only a Pod can be tried");
    let said = why(|pod| pod["spec"]["containers"] = json!([]));
    assert_eq!(said, "Pod \"web\" is invalid: spec.containers: Required value");
    let mut refused = pod("web", "1");
    refused["metadata"]["namespace"] = json!("nowhere");
    let refused = cluster.what_if(&refused);
    assert!(matches!(refused, Err(Untried::Refused(response)) if response.code() == 404));
}
