//! Who writes roles and bindings gives no more than they have; roles made of others follow these.

use podflow::testing::api::caller::Credentials;
use podflow::testing::cluster::HttpCall;
use serde_json::{Value, json};

use super::access::{Door, RBAC, passing_for};

fn bob() -> Credentials {
    passing_for("bob", &[])
}

fn rule(resource: &str, verbs: &[&str]) -> Value {
    let (group, resource) = resource.split_once(':').unwrap_or(("", resource));
    json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
}

fn role(name: &str, rules: &[Value]) -> Value {
    json!({"metadata": {"name": name}, "rules": rules})
}

fn binding(name: &str, role: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"}],
    })
}

/// A cluster in which bob may write roles and bindings and read pods, all in the default namespace.
fn with_bob() -> Door {
    let mut door = Door::new();
    let own = [
        rule("rbac.authorization.k8s.io:roles", &["create", "update", "get"]),
        rule("rbac.authorization.k8s.io:rolebindings", &["create"]),
        rule("pods", &["get", "list"]),
    ];
    door.create(&format!("{RBAC}/clusterroles"), role("bobs", &own));
    door.create(&format!("{RBAC}/clusterroles"), role("reads", &[rule("pods", &["get"])]));
    door.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding("bobs", "bobs"));
    door
}

fn roles() -> String {
    format!("{RBAC}/namespaces/default/roles")
}

fn post(door: &mut Door, path: &str, body: Value) -> (u16, String) {
    door.ask(Some(bob()), &HttpCall::new("POST", path, Some(body)))
}

#[test]
fn a_role_gives_what_its_writer_has_and_no_more() {
    let mut door = with_bob();
    assert_eq!(post(&mut door, &roles(), role("same", &[rule("pods", &["list", "get"])])).0, 201);
    let more = [
        rule("pods", &["get", "delete", "create"]),
        rule("pods/log", &["get"]),
        json!({"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"], "verbs": ["*"]}),
    ];
    let (code, message) = post(&mut door, &roles(), role("more", &more));
    assert_eq!(code, 403);
    assert_eq!(
        message,
        "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"bob\" \
         (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n\
         {APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"delete\" \"create\"]}\n\
         {APIGroups:[\"\"], Resources:[\"pods/log\"], Verbs:[\"get\"]}\n\
         {APIGroups:[\"apps\"], Resources:[\"deployments\"], ResourceNames:[\"web\"], Verbs:[\"*\"]}"
    );
    // What is there can be kept, but not widened.
    let path = format!("{}/same", roles());
    let body = role("same", &[rule("pods", &["get"]), rule("secrets", &["get"])]);
    let (code, message) = door.ask(Some(bob()), &HttpCall::new("PUT", &path, Some(body)));
    assert!(code == 403 && message.contains("Resources:[\"secrets\"]"), "{code} {message}");
    // Who may escalate may.
    let own = json!({"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["escalate"]});
    door.create(&format!("{RBAC}/clusterroles"), role("escalates", &[own]));
    door.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding("up", "escalates"));
    assert_eq!(post(&mut door, &roles(), role("more", &more)).0, 201);
}

#[test]
fn only_who_may_everything_makes_a_role_of_others() {
    let mut door = Door::new();
    let own = [rule("rbac.authorization.k8s.io:clusterroles", &["create"])];
    door.create(&format!("{RBAC}/clusterroles"), role("writes", &own));
    door.create(&format!("{RBAC}/clusterrolebindings"), binding("writes", "writes"));
    let mut made = role("made", &[]);
    made["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]});
    let path = format!("{RBAC}/clusterroles");
    let (code, message) = post(&mut door, &path, made.clone());
    assert_eq!(
        (code, &*message),
        (
            403,
            "clusterroles.rbac.authorization.k8s.io \"made\" is forbidden: must have cluster-admin \
             privileges to use the aggregationRule"
        )
    );
    door.create(&format!("{RBAC}/clusterrolebindings"), binding("all", "cluster-admin"));
    assert_eq!(post(&mut door, &path, made).0, 201);
}

#[test]
fn a_binding_gives_what_its_writer_has_and_no_more() {
    let mut door = with_bob();
    let bindings = format!("{RBAC}/namespaces/default/rolebindings");
    assert_eq!(post(&mut door, &bindings, binding("reads", "reads")).0, 201);
    let (code, message) = post(&mut door, &bindings, binding("edits", "edit"));
    assert_eq!(code, 403);
    assert!(
        message.starts_with(
            "rolebindings.rbac.authorization.k8s.io \"edits\" is forbidden: user \"bob\""
        ),
        "{message}"
    );
    let (code, message) = post(&mut door, &bindings, binding("none", "none"));
    assert_eq!(
        (code, &*message),
        (404, "clusterroles.rbac.authorization.k8s.io \"none\" not found")
    );
    let own = json!({
        "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"],
        "resourceNames": ["edit"], "verbs": ["bind"],
    });
    door.create(&format!("{RBAC}/clusterroles"), role("binds", &[own]));
    door.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding("up", "binds"));
    assert_eq!(post(&mut door, &bindings, binding("edits", "edit")).0, 201);
}

#[test]
fn a_role_made_of_others_follows_them() {
    let mut door = Door::new();
    let all = format!("{RBAC}/clusterroles");
    let mut part = role("part", &[rule("example.com:crontabs", &["get"])]);
    part["metadata"]["labels"] = json!({"rbac.authorization.k8s.io/aggregate-to-view": "true"});
    door.create(&all, part);
    door.create(&format!("{RBAC}/clusterrolebindings"), binding("views", "view"));
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let may = |door: &mut Door| {
        let wish = json!({"group": "example.com", "resource": "crontabs", "verb": "get"});
        let body = json!({"spec": {"user": "bob", "resourceAttributes": wish}});
        door.body(&HttpCall::new("POST", path, Some(body)))["status"]["allowed"].clone()
    };
    assert_eq!(may(&mut door), true);
    door.ask(None, &HttpCall::new("DELETE", &format!("{all}/part"), None));
    assert_eq!(may(&mut door), false);
}

#[test]
fn a_review_within_a_namespace_is_of_that_namespace() {
    let mut door = with_bob();
    let path = "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews";
    let ask = |namespace: &str| {
        let wish = json!({"namespace": namespace, "resource": "pods", "verb": "list"});
        let spec = json!({"user": "bob", "resourceAttributes": wish});
        HttpCall::new(
            "POST",
            path,
            Some(json!({"metadata": {"namespace": "default"}, "spec": spec})),
        )
    };
    let found = door.body(&ask("default"));
    assert_eq!(
        (&found["kind"], &found["status"]["allowed"]),
        (&json!("LocalSubjectAccessReview"), &json!(true))
    );
    let (code, message) = door.ask(None, &ask("other"));
    assert_eq!(code, 422);
    assert_eq!(
        message,
        "LocalSubjectAccessReview.authorization.k8s.io \"\" is invalid: \
         spec.resourceAttributes.namespace: Invalid value: \"other\": must match metadata.namespace"
    );
    let wrong = path.replace("/namespaces/default", "");
    assert_eq!(door.ask(None, &HttpCall::new("POST", &wrong, Some(json!({})))).0, 404);
}

#[test]
fn the_role_of_nodes_is_there_and_nobody_has_it() {
    let mut door = Door::new();
    let mut get =
        |kind: &str| door.body(&HttpCall::new("GET", &format!("{RBAC}/{kind}/system:node"), None));
    let bound = get("clusterrolebindings");
    assert_eq!(bound["subjects"], Value::Null);
    assert_eq!(bound["roleRef"]["name"], "system:node");
    let tokens = rule("serviceaccounts/token", &["create"]);
    let rules = &get("clusterroles")["rules"];
    assert!(rules.as_array().is_some_and(|rules| rules.contains(&tokens)), "{rules}");
}
