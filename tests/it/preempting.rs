//! Important pods take the room of less important ones, many at a time.

use std::time::Duration;

use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const NODES: usize = 20;

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
    const PODS: &str = "/api/v1/namespaces/default/pods";
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
