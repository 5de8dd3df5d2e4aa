//! Bindings: what they want, and what they say of the Pod afterwards.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const OF_OLD: &str = "/api/v1/namespaces/default/bindings";
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";

struct Server(Cluster);

impl Server {
    fn new() -> Self {
        let mut cluster = Cluster::new(&Setup::new(1, 1));
        cluster.run_for(Duration::from_secs(3));
        Self(cluster)
    }

    fn ask(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let id = self.0.submit(&HttpCall::new(method, path, Some(body)));
        self.0.run_for(Duration::from_millis(50));
        let Some(reply) = self.0.reply(id) else { return (0, Value::Null) };
        (reply.code, serde_json::from_str(&reply.body).unwrap_or_default())
    }

    fn get(&mut self, pod: &str) -> Value {
        let id = self.0.submit(&HttpCall::get(&format!("{PODS}/{pod}")));
        self.0.run_for(Duration::from_millis(50));
        let reply = self.0.reply(id).map(|reply| reply.body).unwrap_or_default();
        serde_json::from_str(&reply).unwrap_or_default()
    }

    /// Creates a Pod that no scheduler looks at.
    fn pod(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let spec = json!({
            "schedulerName": "nobody", "containers": [{"name": "c", "image": "nginx"}],
        });
        let mut pod = json!({"metadata": {"name": name}, "spec": spec});
        change(&mut pod);
        let (code, made) = self.ask("POST", PODS, pod);
        assert_eq!(code, 201, "{made}");
    }

    fn bind(&mut self, pod: &str, metadata: &Value) -> (u16, String) {
        let target = json!({"kind": "Node", "name": "node-1"});
        let body = json!({"metadata": metadata, "target": target});
        let (code, said) = self.ask("POST", &format!("{PODS}/{pod}/binding"), body);
        let message = said.get("message").and_then(Value::as_str).unwrap_or_default();
        (code, message.to_owned())
    }
}

#[test]
fn a_pod_says_where_its_node_is() {
    let mut server = Server::new();
    server.pod("web", |pod| pod["metadata"]["labels"] = json!({"app": "web", ZONE: "elsewhere"}));
    assert_eq!(server.bind("web", &json!({"name": "web"})).0, 201);
    let there = json!({"app": "web", ZONE: "local-a", REGION: "local"});
    assert_eq!(server.get("web")["metadata"]["labels"], there);
    // Who is created on a node may know better.
    server.pod("own", |pod| {
        pod["metadata"]["labels"] = json!({ZONE: "elsewhere"});
        pod["spec"]["nodeName"] = json!("node-1");
    });
    let own = json!({ZONE: "elsewhere", REGION: "local"});
    assert_eq!(server.get("own")["metadata"]["labels"], own);
    server.pod("lost", |pod| pod["spec"]["nodeName"] = json!("node-9"));
    assert_eq!(server.get("lost")["metadata"]["labels"], Value::Null);
}

#[test]
fn a_binding_is_for_the_pod_in_its_path_once_that_is_not_gated() {
    let mut server = Server::new();
    server.pod("web", |pod| pod["spec"]["schedulingGates"] = json!([{"name": "example.com/a"}]));
    let conflict = "Operation cannot be fulfilled on pods/binding \"web\": pod web has non-empty \
                    .spec.schedulingGates";
    assert_eq!(server.bind("web", &json!({"name": "web"})), (409, conflict.to_owned()));
    server.pod("other", |_| ());
    let words = "name in URL does not match name in Binding object";
    for name in ["web", ""] {
        assert_eq!(server.bind("other", &json!({"name": name})), (400, words.to_owned()));
    }
    let words =
        "the namespace of the provided object does not match the namespace sent on the request";
    let elsewhere = json!({"name": "other", "namespace": "elsewhere"});
    assert_eq!(server.bind("other", &elsewhere), (400, words.to_owned()));
    assert_eq!(server.bind("other", &json!({"name": "other", "uid": ""})).0, 201);
}

#[test]
fn a_pod_gets_what_its_binding_says_beside_the_node() {
    let mut server = Server::new();
    server.pod("web", |pod| {
        pod["metadata"]["labels"] = json!({"app": "web", "tier": "front"});
        pod["metadata"]["annotations"] = json!({"a": "1", "b": "2"});
    });
    let metadata = json!({
        "name": "web", "namespace": "default",
        "annotations": {"b": "3", "c": "4"}, "labels": {"tier": "back", ZONE: "elsewhere"},
    });
    assert_eq!(server.bind("web", &metadata).0, 201);
    let pod = server.get("web");
    assert_eq!(pod["metadata"]["annotations"], json!({"a": "1", "b": "3", "c": "4"}));
    // Where the node is its labels know better.
    let labels = json!({"app": "web", "tier": "back", ZONE: "local-a", REGION: "local"});
    assert_eq!(pod["metadata"]["labels"], labels);
    // A target that does not say that it is a node is not looked at.
    server.pod("other", |_| ());
    let body = json!({"metadata": {"name": "other"}, "target": {"name": "node-1"}});
    assert_eq!(server.ask("POST", &format!("{PODS}/other/binding"), body).0, 201);
    assert_eq!(server.get("other")["metadata"].get("labels"), None);
}

#[test]
fn a_binding_can_mean_one_version_of_a_pod() {
    let mut server = Server::new();
    server.pod("web", |_| ());
    let version = server.get("web")["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let conflict = format!(
        "Operation cannot be fulfilled on pods \"web\": StorageError: invalid object, Code: 4, Key: \
         /registry/pods/default/web, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: \
         ResourceVersion in precondition: 1, ResourceVersion in object meta: {version}"
    );
    let other = json!({"name": "web", "resourceVersion": "1"});
    assert_eq!(server.bind("web", &other), (409, conflict));
    let same = json!({"name": "web", "resourceVersion": version});
    assert_eq!(server.bind("web", &same).0, 201);
}

#[test]
fn a_binding_can_be_tried() {
    let mut server = Server::new();
    server.pod("web", |_| ());
    let before = server.get("web");
    let target = json!({"kind": "Node", "name": "node-1"});
    let body = json!({"metadata": {"name": "web", "annotations": {"a": "b"}}, "target": target});
    for path in [format!("{PODS}/web/binding"), OF_OLD.to_owned()] {
        let (code, said) = server.ask("POST", &format!("{path}?dryRun=All"), body.clone());
        assert_eq!(
            (code, &said["kind"], &said["status"]),
            (201, &json!("Status"), &json!("Success"))
        );
        assert_eq!(server.get("web"), before);
        let (code, said) = server.ask("POST", &format!("{path}?dryRun=Some"), body.clone());
        assert_eq!(code, 422, "{said}");
    }
}

#[test]
fn pods_are_bound_where_they_were_bound_of_old() {
    let mut server = Server::new();
    server.pod("web", |_| ());
    let node = json!({"kind": "Node", "name": "node-1"});
    let mut bind = |metadata: Value, target: &Value| {
        let body = json!({"metadata": metadata, "target": target});
        let (code, said) = server.ask("POST", OF_OLD, body);
        (code, said["message"].as_str().unwrap_or_default().to_owned())
    };
    for (metadata, target, code, words) in [
        (json!({}), &node, 400, "Name parameter required."),
        (json!({"name": "gone"}), &node, 404, "pods \"gone\" not found"),
        (
            json!({"name": "web"}),
            &json!({"kind": "Pod", "name": "node-1"}),
            500,
            "target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\"",
        ),
        (json!({"name": "web"}), &node, 201, ""),
        (
            json!({"name": "web"}),
            &node,
            409,
            "Operation cannot be fulfilled on pods/binding \"web\": pod web is already assigned to \
             node \"node-1\"",
        ),
    ] {
        assert_eq!(bind(metadata, target), (code, words.to_owned()));
    }
    let pod = server.get("web");
    assert_eq!(pod["spec"]["nodeName"], "node-1");
    // Admission knows the path of today only.
    assert_eq!(pod["metadata"].get("labels"), None);
    assert_eq!(server.ask("GET", OF_OLD, Value::Null).0, 405);
    let (_, list) = server.ask("GET", "/api/v1", Value::Null);
    let all = list["resources"].as_array().unwrap();
    let bindings = all.iter().find(|resource| resource["name"] == "bindings");
    let told = json!({
        "name": "bindings", "singularName": "binding", "namespaced": true, "kind": "Binding",
        "verbs": ["create"],
    });
    assert_eq!(bindings, Some(&told));
}

#[test]
fn no_update_moves_a_pod() {
    let mut server = Server::new();
    server.pod("web", |_| ());
    let web = format!("{PODS}/web");
    let mut changed = server.get("web");
    changed["spec"]["nodeName"] = json!("node-1");
    let (code, said) = server.ask("PUT", &web, changed);
    let words = "spec: Forbidden: pod updates may not change fields other than";
    assert_eq!(code, 422, "{said}");
    assert!(said["message"].as_str().unwrap_or_default().contains(words), "{said}");
    assert_eq!(server.bind("web", &json!({"name": "web"})).0, 201);
    let mut changed = server.get("web");
    changed["spec"].as_object_mut().unwrap().remove("nodeName");
    assert_eq!(server.ask("PUT", &web, changed).0, 422);
    let mut same = server.get("web");
    same["metadata"]["labels"]["app"] = json!("web");
    assert_eq!(server.ask("PUT", &web, same).0, 200);
}

#[test]
fn a_status_keeps_what_who_writes_it_does_not_know() {
    let mut server = Server::new();
    server.pod("web", |_| ());
    let web = format!("{PODS}/web/status");
    let mut pod = server.get("web");
    pod["status"]["observedGeneration"] = json!(1);
    let condition = json!({"type": "Ready", "status": "False", "observedGeneration": 1});
    pod["status"]["conditions"] = json!([condition]);
    assert_eq!(server.ask("PUT", &web, pod).0, 200);
    let mut pod = server.get("web");
    pod["status"] =
        json!({"phase": "Pending", "conditions": [{"type": "Ready", "status": "True"}]});
    assert_eq!(server.ask("PUT", &web, pod).0, 200);
    let status = server.get("web")["status"].clone();
    assert_eq!(status["qosClass"], "BestEffort");
    assert_eq!(status["observedGeneration"], 1);
    let ready = json!({"type": "Ready", "status": "True", "observedGeneration": 1});
    assert_eq!(status["conditions"], json!([ready]));
}
