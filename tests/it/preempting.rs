//! Important pods take the room of less important ones, many at a time.

use std::time::Duration;

use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const NODES: usize = 20;
const PODS: &str = "/api/v1/namespaces/default/pods";

fn post(cluster: &mut Cluster, path: &str, object: Value) {
    cluster.submit(&HttpCall::new("POST", path, Some(object)));
}

fn pod(name: &str, cpu: &str, class: &str) -> Value {
    let container = json!({
        "name": "main", "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"cpu": cpu}},
    });
    let spec = json!({
        "terminationGracePeriodSeconds": 0, "priorityClassName": class, "containers": [container],
    });
    json!({"metadata": {"name": name}, "spec": spec})
}

#[test]
fn as_many_as_there_are_nodes_get_one_each() {
    let mut cluster = Cluster::new(&Setup::new(1, NODES));
    cluster.run_for(Duration::from_secs(3));
    for (name, value) in [("high", 10), ("low", 1)] {
        let class = json!({"metadata": {"name": name}, "value": value});
        post(&mut cluster, "/apis/scheduling.k8s.io/v1/priorityclasses", class);
    }
    cluster.run_for(Duration::from_secs(1));
    for number in 0..4 * NODES {
        post(&mut cluster, PODS, pod(&format!("low-{number}"), "900m", "low"));
    }
    cluster.run_for(Duration::from_mins(1));
    for number in 0..NODES {
        post(&mut cluster, PODS, pod(&format!("high-{number}"), "3", "high"));
    }
    cluster.run_for(Duration::from_mins(1));
    let pods = cluster.objects(Kind::Pod);
    let placed = pods.iter().filter(|pod| {
        let Object::Pod(pod) = pod else { return false };
        pod.metadata.name.as_deref().is_some_and(|name| name.starts_with("high"))
            && pod.node_name.is_some()
    });
    let placed = placed.count();
    assert_eq!(placed, NODES);
}

/// The node that a pod waits for, as its status has it.
fn nominated(cluster: &Cluster, pod: &str) -> Value {
    let pod = cluster.object(Kind::Pod, "default", pod).expect(pod).to_json();
    pod["status"]["nominatedNodeName"].clone()
}

/// A cluster of one node with a pod of little importance that takes a minute to go.
fn with_a_slow_victim() -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(3));
    for (name, value) in [("low", 1), ("middle", 5), ("high", 10)] {
        let class = json!({"metadata": {"name": name}, "value": value});
        post(&mut cluster, "/apis/scheduling.k8s.io/v1/priorityclasses", class);
    }
    cluster.run_for(Duration::from_secs(1));
    let mut victim = pod("victim", "3", "low");
    victim["spec"]["terminationGracePeriodSeconds"] = json!(60);
    victim["spec"]["containers"][0]["image"] = json!("busybox");
    victim["spec"]["containers"][0]["command"] = json!(["sleep", "3600"]);
    post(&mut cluster, PODS, victim);
    cluster.run_for(Duration::from_secs(20));
    cluster
}

#[test]
fn a_more_important_pod_takes_a_node_that_another_waits_for() {
    let mut cluster = with_a_slow_victim();
    let more = pod("beside", "900m", "low");
    post(&mut cluster, PODS, more);
    cluster.run_for(Duration::from_secs(10));
    post(&mut cluster, PODS, pod("middle", "3", "middle"));
    cluster.run_for(Duration::from_secs(5));
    assert_eq!(nominated(&cluster, "middle"), "node-1");
    // It needs all of the node, so another victim is told to go.
    post(&mut cluster, PODS, pod("high", "3900m", "high"));
    cluster.run_for(Duration::from_secs(5));
    assert_eq!(nominated(&cluster, "high"), "node-1");
    assert_eq!(nominated(&cluster, "middle"), Value::Null);
    cluster.run_for(Duration::from_mins(2));
    let high = cluster.object(Kind::Pod, "default", "high").expect("high").to_json();
    assert_eq!(high["spec"]["nodeName"], "node-1");
    assert_eq!(nominated(&cluster, "high"), Value::Null, "it waits no more");
}

#[test]
fn a_pod_for_which_there_is_no_room_to_be_made_waits_for_no_node() {
    let mut cluster = with_a_slow_victim();
    post(&mut cluster, PODS, pod("high", "3", "high"));
    cluster.run_for(Duration::from_secs(5));
    assert_eq!(nominated(&cluster, "high"), "node-1");
    // The node is lost to it, whoever goes.
    let cordon = json!({"spec": {"unschedulable": true}});
    cluster.submit(&HttpCall::strategic_patch("/api/v1/nodes/node-1", cordon));
    cluster.run_for(Duration::from_mins(2));
    assert_eq!(nominated(&cluster, "high"), Value::Null);
}
