//! What a node's kubelet may see when it comes through the secure door.

use std::time::Duration;

use podflow::testing::api::caller::Credentials;
use podflow::testing::cluster::{Cluster, HttpCall, HttpReply, Setup};
use serde_json::{Value, json};

use crate::server::Server;

const DEFAULT: &str = "/api/v1/namespaces/default";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

/// Two nodes, with a Pod on each that refers to much of what there is.
fn two_nodes() -> Server {
    let mut cluster = Cluster::new(&Setup::new(1, 2));
    cluster.run_for(Duration::from_secs(5));
    let mut server = Server(cluster);
    for name in ["pulled", "whole", "one-variable", "all-variables", "of-volume", "part", "theirs"]
    {
        make(&mut server, "secrets", json!({"metadata": {"name": name}}));
        make(&mut server, "configmaps", json!({"metadata": {"name": name}}));
    }
    for name in ["bot", "other"] {
        make(&mut server, "serviceaccounts", json!({"metadata": {"name": name}}));
    }
    let spec = json!({
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        "volumeName": "disk", "storageClassName": "",
    });
    for name in ["data", "loose"] {
        make(
            &mut server,
            "persistentvolumeclaims",
            json!({"metadata": {"name": name}, "spec": spec}),
        );
        let volume = json!({
            "metadata": {"name": format!("disk-{name}")},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
                "claimRef": {"namespace": "default", "name": name},
                "csi": {
                    "driver": "d.example.com", "volumeHandle": "h",
                    "nodePublishSecretRef": {"namespace": "default", "name": format!("of-{name}")},
                    "controllerPublishSecretRef": {"namespace": "default", "name": "of-driver"},
                },
            },
        });
        server.expect(201, "POST", "/api/v1/persistentvolumes", volume);
    }
    for name in ["of-data", "of-loose", "of-driver"] {
        make(&mut server, "secrets", json!({"metadata": {"name": name}}));
    }
    let env = |key: &str, from: &str| {
        json!({
            "env": [{"name": "A", "valueFrom": {key: {"name": "one-variable", "key": "k", "optional": true}}}],
            "envFrom": [{from: {"name": "all-variables", "optional": true}}],
        })
    };
    let mut containers = [env("secretKeyRef", "secretRef"), env("configMapKeyRef", "configMapRef")];
    for (index, container) in containers.iter_mut().enumerate() {
        container["name"] = format!("c{index}").into();
        container["image"] = "nginx".into();
    }
    let part = json!({"name": "part", "optional": true});
    let one = json!({
        "metadata": {"name": "one", "labels": {"app": "one"}},
        "spec": {
            "nodeName": "node-1", "serviceAccountName": "bot", "containers": containers,
            "imagePullSecrets": [{"name": "pulled"}],
            "volumes": [
                {"name": "s", "secret": {"secretName": "whole", "optional": true}},
                {"name": "c", "configMap": {"name": "whole", "optional": true}},
                {"name": "p", "projected": {"sources": [
                    {"secret": part}, {"configMap": part},
                    {"serviceAccountToken": {"path": "t", "audience": "vault"}},
                ]}},
                {"name": "d", "persistentVolumeClaim": {"claimName": "data"}},
                {"name": "f", "flexVolume": {
                    "driver": "d.example.com/f", "secretRef": {"name": "of-volume"},
                }},
            ],
        },
    });
    make(&mut server, "pods", one);
    let two = json!({
        "metadata": {"name": "two"},
        "spec": {
            "nodeName": "node-2", "containers": [{"name": "main", "image": "nginx"}],
            "volumes": [{"name": "s", "secret": {"secretName": "theirs"}}],
        },
    });
    make(&mut server, "pods", two);
    server
}

#[track_caller]
fn make(server: &mut Server, plural: &str, body: Value) {
    server.expect(201, "POST", &format!("{DEFAULT}/{plural}"), body);
}

fn kubelet(node: &str) -> Credentials {
    let name = format!("system:node:{node}");
    Credentials::of_headers(Some("Bearer admin"), Some(&name), ["system:nodes"])
}

fn ask(server: &mut Server, method: &str, path: &str, body: &Value) -> HttpReply {
    ask_as(server, kubelet("node-1"), method, path, body)
}

fn ask_as(
    server: &mut Server,
    shown: Credentials,
    method: &str,
    path: &str,
    body: &Value,
) -> HttpReply {
    let body = Some(body.clone()).filter(|body| !body.is_null());
    let call = match method {
        "PATCH" => HttpCall::strategic_patch(path, body.unwrap_or_default()),
        _ => HttpCall::new(method, path, body),
    };
    server.send(&HttpCall { credentials: Some(shown.into()), ..call })
}

fn message(reply: &HttpReply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    body["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_kubelet_sees_what_its_pods_have_to_do_with() {
    let mut server = two_nodes();
    let none = "no relationship found between node 'node-1' and this object";
    let mut cases = Vec::new();
    for kind in ["secrets", "configmaps"] {
        for name in ["whole", "one-variable", "all-variables", "part"] {
            cases.push((format!("{DEFAULT}/{kind}/{name}"), None));
        }
        for name in ["theirs", "absent"] {
            cases.push((format!("{DEFAULT}/{kind}/{name}"), Some(none.to_owned())));
        }
    }
    for (path, why) in [
        ("secrets/pulled", None),
        ("secrets/of-volume", None),
        ("secrets/of-data", None),
        ("configmaps/pulled", Some(none)),
        ("configmaps/of-volume", Some(none)),
        ("secrets/of-loose", Some(none)),
        ("secrets/of-driver", Some(none)),
        ("secrets", Some("No Object name found")),
        ("secrets?fieldSelector=metadata.name%3Dwhole", None),
        ("secrets?fieldSelector=metadata.name%3Dtheirs&watch=1", Some(none)),
        ("persistentvolumeclaims/data", None),
        ("persistentvolumeclaims/loose", Some(none)),
        ("persistentvolumeclaims", Some("can only get individual resources of this type")),
        ("persistentvolumeclaims/data/status", Some("can only get/update/patch this type")),
        ("serviceaccounts/bot", None),
        ("serviceaccounts/other", Some(none)),
        ("pods/one", None),
        ("pods/two", Some(none)),
        ("pods/one/log?container=c0", Some("")),
        ("pods", Some("can only list/watch pods with spec.nodeName field selector")),
        ("services", None),
        ("endpoints", Some("")),
        ("replicationcontrollers", Some("")),
    ] {
        cases.push((format!("{DEFAULT}/{path}"), why.map(str::to_owned)));
    }
    for (path, why) in [
        ("/api/v1/secrets", Some("can only read namespaced object of this type")),
        ("/api/v1/persistentvolumes/disk-data", None),
        ("/api/v1/persistentvolumes/disk-loose", Some(none)),
        ("/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1", None),
        (
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-2",
            Some("can only list/watch pods with spec.nodeName field selector"),
        ),
        ("/api/v1/nodes/node-1", None),
        (
            "/api/v1/nodes/node-2",
            Some("node 'node-1' cannot read 'node-2', only its own Node object"),
        ),
        ("/api/v1/nodes", Some("node 'node-1' cannot read all nodes, only its own Node object")),
        ("/api/v1/nodes?fieldSelector=metadata.name%3Dnode-1", None),
        (
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/node-1",
            Some("can only access leases in the \"kube-node-lease\" system namespace"),
        ),
        ("/api", None),
    ] {
        cases.push((path.to_owned(), why.map(str::to_owned)));
    }
    let others = "can only access node lease with the same name as the requesting node";
    cases.push((format!("{LEASES}/node-1"), None));
    cases.push((format!("{LEASES}/node-2"), Some(others.to_owned())));
    let all = "can only get, create, update, patch, or delete a node lease";
    cases.push((LEASES.to_owned(), Some(all.to_owned())));
    for (path, why) in cases {
        let reply = ask(&mut server, "GET", &path, &Value::Null);
        let message = message(&reply);
        match why.as_deref() {
            None => assert_eq!(reply.code, 200, "{path}: {message}"),
            Some(why) => {
                assert_eq!(reply.code, 403, "{path}: {message}");
                let tail = if why.is_empty() { "\"default\"" } else { &format!(": {why}") };
                assert!(message.ends_with(tail), "{path}: {message}");
            }
        }
    }
    let reply = ask(&mut server, "GET", &format!("{DEFAULT}/secrets/theirs"), &Value::Null);
    assert_eq!(
        message(&reply),
        "secrets \"theirs\" is forbidden: User \"system:node:node-1\" cannot get resource \
         \"secrets\" in API group \"\" in the namespace \"default\": no relationship found between \
         node 'node-1' and this object"
    );
}

#[test]
fn only_the_group_makes_a_kubelet() {
    let mut server = two_nodes();
    let path = format!("{DEFAULT}/secrets/whole");
    for (name, groups, why) in [
        ("system:node:node-1", vec!["others"], "in the namespace \"default\""),
        ("node-1", vec!["system:nodes"], "in the namespace \"default\""),
        ("system:node:", vec!["system:nodes"], "unknown node for user \"system:node:\""),
    ] {
        let shown = Credentials::of_headers(Some("Bearer admin"), Some(name), groups);
        let reply = ask_as(&mut server, shown, "GET", &path, &Value::Null);
        assert_eq!(reply.code, 403, "{name}");
        assert!(message(&reply).ends_with(why), "{name}: {}", message(&reply));
    }
}

#[test]
fn reviews_say_the_same_of_kubelets() {
    let mut server = two_nodes();
    let api = "/apis/authorization.k8s.io/v1";
    let pods =
        |selector: Value| json!({"verb": "list", "resource": "pods", "fieldSelector": selector});
    let is = |node: &str| json!([{"key": "spec.nodeName", "operator": "In", "values": [node]}]);
    let secret = |name: &str| json!({"verb": "get", "resource": "secrets", "namespace": "default", "name": name});
    let none = "no relationship found between node 'node-1' and this object";
    let all = "can only list/watch pods with spec.nodeName field selector";
    for (asked, why) in [
        (secret("whole"), None),
        (secret("theirs"), Some(none)),
        (pods(json!({"rawSelector": "spec.nodeName=node-1"})), None),
        (pods(json!({"requirements": is("node-1")})), None),
        (pods(json!({"requirements": is("node-2")})), Some(all)),
        (pods(Value::Null), Some(all)),
    ] {
        let status = match why {
            None => json!({"allowed": true}),
            Some(why) => json!({"allowed": false, "reason": why}),
        };
        let own = json!({"spec": {"resourceAttributes": asked}});
        let reply = ask(&mut server, "POST", &format!("{api}/selfsubjectaccessreviews"), &own);
        assert_eq!(reply.code, 201, "{}", reply.body);
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(body["status"], status, "{asked}");
        let mut other = own;
        other["spec"]["user"] = "system:node:node-1".into();
        other["spec"]["groups"] = json!(["system:nodes"]);
        let path = format!("{api}/subjectaccessreviews");
        assert_eq!(server.expect(201, "POST", &path, other)["status"], status, "{asked}");
    }
    let rules = json!({"spec": {"namespace": "default"}});
    let reply = ask(&mut server, "POST", &format!("{api}/selfsubjectrulesreviews"), &rules);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["status"]["incomplete"], true);
    assert_eq!(
        body["status"]["evaluationError"],
        "node authorizer does not support user rule resolution"
    );
}
