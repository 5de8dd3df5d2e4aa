//! Claims of storage: the class that they have if they name none.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

fn create(cluster: &mut Cluster, path: &str, body: &Value) -> Value {
    let id = cluster.submit(&HttpCall::new("POST", path, Some(body.clone())));
    cluster.run_for(Duration::from_secs(2));
    let reply = cluster.reply(id).map(|reply| reply.body).unwrap_or_default();
    serde_json::from_str(&reply).unwrap_or_default()
}

#[test]
fn a_claim_without_a_class_has_the_newest_of_the_default_ones() {
    const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";
    const CLAIMS: &str = "/api/v1/namespaces/default/persistentvolumeclaims";
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(Duration::from_secs(1));
    let claim = |name: &str, class: Value| {
        let spec = json!({
            "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "resources": {"requests": {"storage": "1Gi"}},
        });
        json!({"metadata": {"name": name}, "spec": spec})
    };
    let made = create(&mut cluster, CLAIMS, &claim("a", Value::Null));
    assert!(made["spec"]["storageClassName"].is_null(), "{made}");
    for (name, default) in [("old", "true"), ("new", "true"), ("other", "false")] {
        let annotations = json!({"storageclass.kubernetes.io/is-default-class": default});
        let class = json!({
            "metadata": {"name": name, "annotations": annotations}, "provisioner": "example.com/d",
        });
        assert_eq!(create(&mut cluster, CLASSES, &class)["reclaimPolicy"], "Delete");
    }
    let made = create(&mut cluster, CLAIMS, &claim("b", Value::Null));
    assert_eq!(made["spec"]["storageClassName"], "new");
    // An empty name is a choice, too.
    let made = create(&mut cluster, CLAIMS, &claim("c", json!("")));
    assert_eq!(made["spec"]["storageClassName"], "");
}
