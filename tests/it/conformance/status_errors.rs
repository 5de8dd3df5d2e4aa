//! `status_errors.json`: requests to an API server, and what it answers.

use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::api::caller::Credentials;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

use super::{Form, NOT_THERE, Outcome, same, text};

pub const FORMS: &[Form] =
    &[Form { file: "status_errors", keys: &["request", "http"], run: answers }];

/// Cases that do not hold yet, with what is missing. One that holds must leave the list.
const ABSENT: &[(&str, &[&str])] = &[
    ("kinds that are not served", &["strategic merge patch of a custom resource"]),
    (
        "a store of that age or with those names, which a case cannot set up",
        &["watch from a forgotten version", "generated name taken, all tries used"],
    ),
];

fn answers(_: &Value, case: &Value) -> Outcome {
    let name = text(case, "name");
    let absent = ABSENT.iter().find(|(_, names)| names.contains(&name));
    match (check(case), absent) {
        (Ok(()), Some((what, _))) => Err(format!("it holds, though there is no: {what}")),
        (Err(_), Some((what, _))) => Err(format!("{NOT_THERE}{what}")),
        (outcome, None) => outcome,
    }
}

/// A cluster without nodes, so that nobody changes what a case has made.
fn check(case: &Value) -> Outcome {
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(Duration::from_secs(1));
    // What the server gives an object, and what the case has in its place.
    let mut given: Vec<(String, String)> = Vec::new();
    for object in case["exist"].as_array().into_iter().flatten() {
        given.extend(exist(&mut cluster, object)?);
    }
    if text(case, "setup") == "the newest version is 100" {
        age(&mut cluster, 100);
    }
    let request = &case["request"];
    if text(case, "setup").starts_with("ResourceQuota ") {
        fill(&mut cluster, text(case, "setup"))?;
    }
    if text(case, "setup").contains(" owns .") {
        own(&mut cluster, request, text(case, "setup"))?;
    }
    let mut call = HttpCall::new(text(request, "method"), text(request, "path"), None);
    let header = |name: &str| request["headers"][name].as_str();
    if let Some(kind) = header("Content-Type") {
        call.content_type = kind.into();
    }
    call.accept = header("Accept").unwrap_or_default().into();
    if let Some(user) = request["user"].as_str() {
        // The administrator may pass for anybody, who has no rights by that.
        let shown = Credentials::of_headers(Some("Bearer admin"), Some(user), []);
        call.credentials = Some(shown.into());
    }
    if let Some(raw) = request["raw_body"].as_str() {
        call = call.with_text(raw);
    } else if text(case, "setup").starts_with("a body of more than") {
        let value = "x".repeat(3 << 20);
        let body = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": value},
        });
        call = call.with_text(&body.to_string());
    } else if !request["body"].is_null() {
        call = call.with_text(&request["body"].to_string());
    }
    let id = cluster.submit(&call);
    cluster.run_for(Duration::from_secs(5));
    let mut reply = cluster.reply(id).ok_or("no answer")?;
    for (got, want) in &given {
        reply.body = reply.body.replace(got, want);
    }
    same("code", &Some(u64::from(reply.code)), &case["http"].as_u64())
        .map_err(|why| format!("{why}: {}", reply.body))?;
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_else(|_| json!(reply.body));
    if let Some(want) = case.get("status") {
        same("status", &body, want)?;
    }
    if let Some(want) = case["text"].as_str() {
        same("text", &reply.body.as_str(), &want)?;
    }
    for key in case["body_has_keys"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap_or_default();
        same(key, &body.get(key).is_some(), &true)?;
    }
    for (name, want) in case["response_headers"].as_object().into_iter().flatten() {
        let got: Vec<&str> =
            reply.headers.iter().filter(|(key, _)| key == name).map(|(_, it)| &**it).collect();
        same(name, &got.contains(&want.as_str().unwrap_or_default()), &true)?;
    }
    if let Some(want) = case.get("watch_event") {
        let line = cluster.lines(id, 0).next().unwrap_or_default();
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        same("event", &line, want)?;
    }
    matches(&body, &case["status_match"])
}

/// Makes a quota and the pods that use it up: `ResourceQuota q: hard pods=2, used pods=2`.
fn fill(cluster: &mut Cluster, setup: &str) -> Outcome {
    let after = |words: &str| {
        let rest = setup.split(words).nth(1).unwrap_or_default();
        rest.split([':', ',', ' ']).next().unwrap_or_default()
    };
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": after("ResourceQuota ")},
        "spec": {"hard": {"pods": after("hard pods=")}},
    });
    exist(cluster, &quota)?;
    for number in 0..after("used pods=").parse().map_err(|_error| "no number")? {
        let name = format!("filler-{number}");
        let spec = json!({"containers": [{"name": "c", "image": "nginx:1"}]});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec,
        });
        exist(cluster, &pod)?;
    }
    Ok(())
}

/// Makes what the request is about, with one field in the hands of a manager: such as `manager "x" (operation
/// Apply) owns .data.k with another value`.
fn own(cluster: &mut Cluster, request: &Value, setup: &str) -> Outcome {
    let quoted = setup.split('"').nth(1).ok_or("no manager")?;
    let operation = setup.split("operation ").nth(1).ok_or("no operation")?;
    let operation: String = operation.chars().take_while(char::is_ascii_alphabetic).collect();
    let field = setup.split(" owns .").nth(1).and_then(|rest| rest.split(' ').next());
    let steps: Vec<&str> = field.ok_or("no field")?.split('.').collect();
    let mut object = request["body"].clone();
    if object["kind"] == "Deployment" {
        let labels = json!({"app": "d"});
        object["spec"]["selector"] = json!({"matchLabels": labels});
        object["spec"]["template"] = json!({
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
        });
    }
    let place = object.pointer_mut(&format!("/{}", steps.join("/"))).ok_or("no such field")?;
    *place = if place.is_number() { json!(1) } else { json!("another") };
    exist(cluster, &object)?;
    let fields =
        steps.iter().rev().fold(json!({}), |below, step| json!({format!("f:{step}"): below}));
    let entry = json!({
        "manager": quoted, "operation": operation, "apiVersion": object["apiVersion"],
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    });
    let path = text(request, "path").split('?').next().unwrap_or_default();
    let owned = json!({"metadata": {"managedFields": [entry]}});
    let mut call = HttpCall::new("PATCH", path, Some(owned));
    call.content_type = "application/merge-patch+json".into();
    let id = cluster.submit(&call);
    cluster.run_for(Duration::from_secs(1));
    same("owned", &cluster.reply(id).map(|reply| reply.code), &Some(200))
}

/// Writes until the store is at that revision.
fn age(cluster: &mut Cluster, revision: u64) {
    while cluster.apiserver().revision() < revision {
        let name = format!("filler-{}", cluster.apiserver().revision());
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        let path = "/api/v1/namespaces/kube-public/configmaps";
        cluster.submit(&HttpCall::new("POST", path, Some(body)));
        cluster.run_for(Duration::from_millis(200));
    }
}

fn matches(body: &Value, want: &Value) -> Outcome {
    let message = text(body, "message");
    for key in ["code", "reason"] {
        if let Some(want) = want.get(key) {
            same(key, &body[key], want)?;
        }
    }
    for (key, want) in want["details"].as_object().into_iter().flatten() {
        same(key, &body["details"][key], want)?;
    }
    let says = |key: &str, test: fn(&str, &str) -> bool| match want[key].as_str() {
        Some(part) if !test(message, part) => Err(format!("{key} {part:?} not in {message:?}")),
        Some(_) | None => Ok(()),
    };
    says("message_prefix", |message, part| message.starts_with(part))?;
    says("message_suffix", |message, part| message.ends_with(part))?;
    let contained = &want["message_contains"];
    let many = contained.as_array().into_iter().flatten();
    for part in many.chain([contained]).filter_map(Value::as_str) {
        same(part, &message.contains(part), &true)?;
    }
    let causes = body["details"]["causes"].as_array();
    let fields: Vec<&Value> = causes.into_iter().flatten().map(|cause| &cause["field"]).collect();
    for field in want["cause_fields"].as_array().into_iter().flatten() {
        same(&field.to_string(), &fields.contains(&field), &true)?;
    }
    Ok(())
}

/// Creates an object as it is to be found; a pod on a node is bound to it.
fn exist(cluster: &mut Cluster, object: &Value) -> Result<Vec<(String, String)>, String> {
    let kind = text(object, "kind");
    let found = Kind::ALL.into_iter().find(|known| known.resource().name == kind);
    let found = found.ok_or_else(|| format!("{kind} is not served"))?;
    let resource = found.resource();
    let place = if resource.namespaced { "/namespaces/default" } else { "" };
    let path = format!("{}{place}/{}", resource.prefix(), resource.plural);
    let mut object = object.clone();
    let node = object["spec"].as_object_mut().and_then(|spec| spec.remove("nodeName"));
    let metadata = object["metadata"].as_object_mut().ok_or("no metadata")?;
    let theirs = ["uid", "resourceVersion"].map(|key| (key, metadata.remove(key)));
    let name = metadata["name"].as_str().unwrap_or_default().to_owned();
    let id = cluster.submit(&HttpCall::new("POST", &path, Some(object)));
    cluster.run_for(Duration::from_secs(1));
    let made = cluster.reply(id).ok_or("no answer")?;
    same("made", &made.code, &201).map_err(|why| format!("{why}: {}", made.body))?;
    if let Some(node) = node.filter(|_| found == Kind::Pod) {
        let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"kind": "Node", "name": node}});
        cluster.submit(&HttpCall::new("POST", &format!("{path}/{name}/binding"), Some(binding)));
        cluster.run_for(Duration::from_secs(1));
    }
    // By now the scheduler has said something of a pod, so that it is of another version.
    let id = cluster.submit(&HttpCall::get(&format!("{path}/{name}")));
    cluster.run_for(Duration::from_secs(1));
    let made = cluster.reply(id).ok_or("no answer")?;
    let made: Value = serde_json::from_str(&made.body).map_err(|error| error.to_string())?;
    let given = theirs.into_iter().filter_map(|(key, theirs)| {
        // A version is too short to be found by itself, but is told in brackets.
        let told = |text: &str| {
            if key == "uid" { text.to_owned() } else { format!("record ({text})") }
        };
        Some((told(made["metadata"][key].as_str()?), told(theirs?.as_str()?)))
    });
    Ok(given.collect())
}
