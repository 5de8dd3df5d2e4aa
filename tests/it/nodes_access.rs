//! What a node's kubelet may see and write when it comes through the secure door.

use std::time::Duration;

use podflow::testing::api::caller::Credentials;
use podflow::testing::cluster::{Cluster, HttpCall, HttpReply, Setup};
use serde_json::{Value, json};

use crate::server::Server;

const DEFAULT: &str = "/api/v1/namespaces/default";
const NODES: &str = "/api/v1/nodes";
const CSI_NODES: &str = "/apis/storage.k8s.io/v1/csinodes";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
const MIRROR: &str = "kubernetes.io/config.mirror";

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

/// Asks as node-1, and compares what is said after the name of what it is about; nothing if it may.
#[track_caller]
fn says(server: &mut Server, (method, path, body): (&str, &str, &Value), why: &str) {
    let reply = ask(server, method, path, body);
    if why.is_empty() {
        assert!((200..300).contains(&reply.code), "{method} {path}: {}", reply.body);
    } else {
        assert_eq!(reply.code, 403, "{method} {path}: {}", reply.body);
        let message = message(&reply);
        let said = message.split_once(" is forbidden: ").map(|(_, said)| said);
        assert_eq!(said, Some(why), "{method} {path}");
    }
}

#[test]
fn a_kubelet_writes_its_own_node_only() {
    let mut server = two_nodes();
    let (own, other) = (format!("{NODES}/node-1"), format!("{NODES}/node-2"));
    let label = |key: &str| json!({"metadata": {"labels": {key: "x"}}});
    let not_theirs = "node \"node-1\" is not allowed to modify node \"node-2\"";
    let taints = json!({"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}});
    let owned = json!({"metadata": {"ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u"},
    ]}});
    let named = |name: &str, key: &str| json!({"metadata": {"name": name, "labels": {key: "x"}}});
    for (call, why) in [
        (("PATCH", &*own, label("example.com/disk")), ""),
        (("PATCH", &own, label("node.kubernetes.io/speed")), ""),
        (("PATCH", &own, label("topology.kubernetes.io/zone")), ""),
        (
            ("PATCH", &own, label("node-role.kubernetes.io/master")),
            "is not allowed to modify labels: node-role.kubernetes.io/master",
        ),
        (
            ("PATCH", &own, label("a.node-restriction.kubernetes.io/b")),
            "is not allowed to modify labels: a.node-restriction.kubernetes.io/b",
        ),
        (
            ("PATCH", &format!("{own}/status"), label("x.k8s.io/y")),
            "is not allowed to modify labels: x.k8s.io/y",
        ),
        (("PATCH", &own, taints.clone()), "node \"node-1\" is not allowed to modify taints"),
        (
            ("PATCH", &format!("{own}/status"), taints),
            "node \"node-1\" is not allowed to modify taints",
        ),
        (("PATCH", &own, owned), "node \"node-1\" is not allowed to modify ownerReferences"),
        (("PATCH", &own, json!({"metadata": {"annotations": {"a": "b"}}})), ""),
        (("PATCH", &format!("{own}/status"), json!({"status": {"capacity": {"x.io/y": "1"}}})), ""),
        (("PATCH", &other, label("example.com/disk")), not_theirs),
        (("PATCH", &format!("{other}/status"), json!({"status": {}})), not_theirs),
        (
            ("DELETE", &own, Value::Null),
            "User \"system:node:node-1\" cannot delete resource \"nodes\" in API group \"\" at the \
             cluster scope",
        ),
        (
            ("POST", NODES, named("node-3", "a")),
            "node \"node-1\" is not allowed to modify node \"node-3\"",
        ),
        (
            ("POST", NODES, named("node-1", "x.k8s.io/y")),
            "node \"node-1\" is not allowed to set the following labels: x.k8s.io/y",
        ),
    ] {
        let (method, path, body) = &call;
        says(&mut server, (method, path, body), why);
    }
}

#[test]
fn a_kubelet_tells_of_its_own_drivers_only() {
    let mut server = two_nodes();
    let others = "can only access CSINode with the same name as the requesting node";
    let (all, own) = (CSI_NODES, format!("{CSI_NODES}/node-1"));
    let driver = json!({"name": "csi.example.com", "nodeID": "n"});
    let node = |name: &str| json!({"metadata": {"name": name}, "spec": {"drivers": [driver]}});
    says(&mut server, ("POST", all, &node("node-2")), others);
    says(&mut server, ("POST", all, &node("node-1")), "");
    // Its health is of a feature that is off.
    let health = json!({"status": {"storageHealth": [{"name": "csi.example.com"}]}});
    says(&mut server, ("PATCH", &own, &health), "");
    let stored = server.expect(200, "GET", &own, Value::Null);
    assert_eq!(stored.get("status"), None);
    says(&mut server, ("DELETE", &own, &Value::Null), "");
}

#[test]
fn a_kubelet_writes_its_own_lease_only() {
    let mut server = two_nodes();
    let others = "can only access node lease with the same name as the requesting node";
    let lease = |name: &str| json!({"metadata": {"name": name}});
    says(&mut server, ("POST", LEASES, &lease("node-2")), others);
    says(&mut server, ("DELETE", &format!("{LEASES}/node-1"), &Value::Null), "");
    says(&mut server, ("POST", LEASES, &lease("node-1")), "");
}

#[test]
fn a_kubelet_creates_mirror_pods_of_its_own_only() {
    let mut server = two_nodes();
    let uid = server.expect(200, "GET", &format!("{NODES}/node-1"), Value::Null);
    let uid = uid["metadata"]["uid"].clone();
    let owner = json!({
        "apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": uid, "controller": true,
    });
    let pod = json!({
        "metadata": {"name": "m", "annotations": {MIRROR: "x"}, "ownerReferences": [owner]},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "nginx"}]},
    });
    let with = |path: &str, value: Value| {
        let mut pod = pod.clone();
        *pod.pointer_mut(path).unwrap() = value;
        pod
    };
    let with_owner = |field: &str, value: Value| {
        let mut pod = pod.clone();
        pod["metadata"]["ownerReferences"][0][field] = value;
        pod
    };
    let volume = |source: Value| {
        let mut pod = pod.clone();
        pod["spec"]["volumes"] = json!([source]);
        pod["spec"]["volumes"][0]["name"] = "v".into();
        pod
    };
    let mut accounted = pod.clone();
    accounted["spec"]["serviceAccountName"] = "bot".into();
    let node = |what: &str| format!("node \"node-1\" {what}");
    let owner_is = node("can only create pods with an owner reference set to itself");
    for (body, why) in [
        (
            with("/metadata/annotations", json!({})),
            format!(
                "pod does not have \"{MIRROR}\" annotation, {}",
                node("can only create mirror pods")
            ),
        ),
        (
            with("/spec/nodeName", json!("node-2")),
            node("can only create pods with spec.nodeName set to itself"),
        ),
        (with("/metadata/ownerReferences", json!([])), owner_is.clone()),
        (with_owner("name", json!("node-2")), owner_is),
        (
            with_owner("controller", json!(false)),
            node("can only create pods with a controller owner reference set to itself"),
        ),
        (
            with_owner("blockOwnerDeletion", json!(true)),
            node("must not set blockOwnerDeletion on an owner reference"),
        ),
        (
            with_owner("uid", json!("other")),
            format!("node node-1 UID mismatch: expected {} got other", uid.as_str().unwrap()),
        ),
        (accounted, "a mirror pod may not reference service accounts".to_owned()),
        (
            volume(json!({"secret": {"secretName": "whole"}})),
            "a mirror pod may not reference secrets".to_owned(),
        ),
        (
            volume(json!({"configMap": {"name": "whole"}})),
            node("can not create pods that reference configmaps"),
        ),
        (
            volume(json!({"persistentVolumeClaim": {"claimName": "data"}})),
            node("can not create pods that reference persistentvolumeclaims"),
        ),
        (pod.clone(), String::new()),
    ] {
        says(&mut server, ("POST", &format!("{DEFAULT}/pods"), &body), &why);
    }
    let made = server.expect(200, "GET", &format!("{DEFAULT}/pods/m"), Value::Null);
    assert_eq!(made["spec"]["serviceAccountName"], Value::Null);
}

#[test]
fn a_kubelet_changes_only_pods_of_its_own() {
    let mut server = two_nodes();
    let (one, two) = (format!("{DEFAULT}/pods/one"), format!("{DEFAULT}/pods/two"));
    let eviction = |name: &str| json!({"metadata": {"name": name}});
    let status = json!({"status": {"message": "m"}});
    let labels = json!({"metadata": {"labels": {"app": "other"}}});
    for (call, why) in [
        (("PATCH", format!("{one}/status"), status.clone()), ""),
        (
            ("PATCH", format!("{two}/status"), status),
            "node \"node-1\" can only update pod status for pods with spec.nodeName set to itself",
        ),
        (
            ("PATCH", format!("{one}/status"), labels.clone()),
            "node \"node-1\" cannot update labels through pod status",
        ),
        (
            ("PATCH", one.clone(), labels),
            "User \"system:node:node-1\" cannot patch resource \"pods\" in API group \"\" in the \
             namespace \"default\"",
        ),
        (
            ("POST", format!("{two}/eviction"), eviction("two")),
            "node node-1 can only evict pods with spec.nodeName set to itself",
        ),
        (("POST", format!("{one}/eviction?dryRun=All"), eviction("one")), ""),
        (
            ("DELETE", two, Value::Null),
            "node \"node-1\" can only delete pods with spec.nodeName set to itself",
        ),
        (("DELETE", one, Value::Null), ""),
    ] {
        let (method, path, body) = &call;
        says(&mut server, (method, path, body), why);
    }
    let gone = format!("{DEFAULT}/pods/absent");
    let reply = ask(&mut server, "POST", &format!("{gone}/eviction"), &eviction("absent"));
    assert_eq!((reply.code, &*message(&reply)), (404, "pods \"absent\" not found"));
}

#[test]
fn what_roles_allow_a_kubelet_is_still_held_to_its_own() {
    let mut server = two_nodes();
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let binding = json!({
        "metadata": {"name": "too-much"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": "system:nodes"}],
    });
    server.expect(201, "POST", &format!("{rbac}/clusterrolebindings"), binding);
    let labels = json!({"metadata": {"labels": {"a": "b"}}});
    let binding = json!({"target": {"name": "node-1"}});
    for (call, why) in [
        (("GET", format!("{DEFAULT}/secrets/theirs"), Value::Null), ""),
        (
            ("PATCH", format!("{DEFAULT}/pods/one"), labels.clone()),
            "unexpected operation \"UPDATE\", node \"node-1\" can only create and delete mirror pods",
        ),
        (
            ("POST", format!("{DEFAULT}/pods/one/binding"), binding),
            "unexpected pod subresource \"binding\", only 'status' and 'eviction' are allowed",
        ),
        (
            ("PATCH", format!("{DEFAULT}/persistentvolumeclaims/loose"), labels.clone()),
            "may only update PVC status",
        ),
        (
            ("PATCH", format!("{DEFAULT}/persistentvolumeclaims/loose/status"), labels.clone()),
            "node \"node-1\" is not allowed to update fields other than status.capacity and \
             status.conditions",
        ),
        (
            (
                "PATCH",
                format!("{DEFAULT}/persistentvolumeclaims/loose/status"),
                json!({"status": {"capacity": {"storage": "2Gi"}}}),
            ),
            "",
        ),
        (
            ("DELETE", format!("{DEFAULT}/pods"), Value::Null),
            "node \"node-1\" can only delete pods with spec.nodeName set to itself",
        ),
        (("PATCH", format!("{DEFAULT}/configmaps/theirs"), labels), ""),
    ] {
        let (method, path, body) = &call;
        says(&mut server, (method, path, body), why);
    }
}

#[test]
fn a_kubelet_asks_for_tokens_that_end_with_its_pods() {
    let mut server = two_nodes();
    let uid = |server: &mut Server, name: &str| {
        let pod = server.expect(200, "GET", &format!("{DEFAULT}/pods/{name}"), Value::Null);
        pod["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    let (one, two) = (uid(&mut server, "one"), uid(&mut server, "two"));
    let path = format!("{DEFAULT}/serviceaccounts/bot/token");
    let bound = |name: &str, uid: &str| {
        json!({"spec": {"boundObjectRef": {
            "apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid,
        }}})
    };
    let heard = |audiences: Value| {
        let mut request = bound("one", &one);
        request["spec"]["audiences"] = audiences;
        request
    };
    for (body, why) in [
        (bound("one", &one), ""),
        (heard(json!(["vault"])), ""),
        (
            heard(json!(["bank"])),
            "audience \"bank\" not found in pod spec volume, system:node:node-1 is not authorized to \
             request tokens for this audience",
        ),
        (heard(json!(["vault", "bank"])), "node may only request 0 or 1 audiences"),
        (json!({"spec": {}}), "node requested token not bound to a pod"),
        (bound("one", ""), "node requested token with a pod binding without a uid"),
        (
            bound("one", "other"),
            "the UID in the bound object reference (other) does not match the UID in record. The \
             object might have been deleted and then recreated",
        ),
        (bound("two", &two), "node requested token bound to a pod scheduled on a different node"),
    ] {
        says(&mut server, ("POST", &path, &body), why);
    }
    let other = format!("{DEFAULT}/serviceaccounts/other/token");
    let reply = ask(&mut server, "POST", &other, &bound("one", &one));
    let none = "no relationship found between node 'node-1' and this object";
    assert!(message(&reply).ends_with(none), "{}", message(&reply));
}
