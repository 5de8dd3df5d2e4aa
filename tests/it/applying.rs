//! Server-side apply and the owners of fields, over the API of a whole cluster.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, HttpReply, Setup};
use serde_json::{Value, json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn cluster() -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(Duration::from_secs(1));
    cluster
}

fn send(cluster: &mut Cluster, call: &HttpCall) -> (u16, Value) {
    let id = cluster.submit(call);
    cluster.run_for(Duration::from_secs(1));
    let reply = cluster.reply(id);
    reply
        .map(|HttpReply { code, body, .. }| (code, serde_json::from_str(&body).unwrap_or_default()))
        .unwrap_or_default()
}

fn apply(cluster: &mut Cluster, query: &str, data: &str) -> (u16, Value) {
    let call = HttpCall {
        content_type: "application/apply-patch+yaml".into(),
        ..HttpCall::new("PATCH", &format!("{MAPS}/m{query}"), None)
    };
    let yaml = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata: {data}\n");
    send(cluster, &call.with_text(&yaml))
}

fn owners(object: &Value) -> Vec<String> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let text = |entry: &Value, key: &str| {
        entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let words = |entry| format!("{} {}", text(entry, "operation"), text(entry, "manager"));
    entries.into_iter().flatten().map(words).collect()
}

#[test]
fn what_is_applied_is_created_changed_and_left_alone() {
    let mut cluster = cluster();
    let (code, made) = apply(&mut cluster, "?fieldManager=me", "{k: v}");
    assert_eq!((code, owners(&made)), (201, vec!["Apply me".to_owned()]));
    let (code, same) = apply(&mut cluster, "?fieldManager=me", "{k: v}");
    assert_eq!(code, 200);
    assert_eq!(same["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    let (_, changed) = apply(&mut cluster, "?fieldManager=me", "{l: w}");
    assert_eq!(changed["data"], json!({"l": "w"}));
    let fields = json!({"f:data": {"f:l": {}}});
    assert_eq!(changed["metadata"]["managedFields"][0]["fieldsV1"], fields);
}

#[test]
fn a_write_from_outside_is_put_down_to_who_sent_it() {
    let mut cluster = cluster();
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "v"}});
    let path = format!("{MAPS}?fieldManager=kubectl-create");
    let (_, made) = send(&mut cluster, &HttpCall::new("POST", &path, Some(body.clone())));
    assert_eq!(owners(&made), ["Update kubectl-create"]);
    // To put the same again changes nothing, not even who owns it.
    let (_, same) =
        send(&mut cluster, &HttpCall::new("PUT", &format!("{MAPS}/m?fieldManager=x"), Some(body)));
    assert_eq!(same["metadata"], made["metadata"]);
    let (code, refused) = apply(&mut cluster, "?fieldManager=me", "{k: w}");
    assert_eq!(code, 409);
    let words = refused["message"].as_str().unwrap_or_default();
    assert!(words.starts_with(
        "Apply failed with 1 conflict: conflict with \"kubectl-create\" using v1 at "
    ));
    let (_, forced) = apply(&mut cluster, "?fieldManager=me&force=true", "{k: w}");
    assert_eq!(forced["data"]["k"], "w");
    // What is left to it is that there is data at all.
    let [mine, theirs] = [0, 1].map(|at| &forced["metadata"]["managedFields"][at]["fieldsV1"]);
    assert_eq!((mine, theirs), (&json!({"f:data": {"f:k": {}}}), &json!({"f:data": {}})));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let mut cluster = cluster();
    let (code, refused) = apply(&mut cluster, "", "{}");
    assert_eq!(code, 422);
    assert_eq!(
        refused["message"],
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
    );
    let (code, _) = apply(&mut cluster, "?fieldManager=me", "{k: 1}\nspec: {}");
    assert_eq!(code, 500);
    let mut call = HttpCall::strategic_patch(&format!("{MAPS}/m?force=true"), json!({}));
    assert_eq!(send(&mut cluster, &call).0, 422);
    call.path = format!("{MAPS}/m?fieldManager={}", "x".repeat(129)).into();
    assert_eq!(send(&mut cluster, &call).0, 422);
}

#[test]
fn what_is_applied_dry_is_not_kept() {
    let mut cluster = cluster();
    let (code, _) = apply(&mut cluster, "?fieldManager=me&dryRun=All", "{k: v}");
    assert_eq!(code, 201);
    assert_eq!(send(&mut cluster, &HttpCall::get(&format!("{MAPS}/m"))).0, 404);
}
