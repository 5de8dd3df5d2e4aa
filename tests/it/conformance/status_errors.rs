//! `status_errors.json`: requests to an API server, and what it answers.

use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::api::caller::Credentials;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

use super::{Form, Outcome, same, text};

pub const FORMS: &[Form] =
    &[Form { file: "status_errors", keys: &["request", "http"], run: answers }];

/// A cluster without nodes, so that nobody changes what a case has made.
fn answers(_: &Value, case: &Value) -> Outcome {
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
    if text(case, "setup").starts_with("a CustomResourceDefinition ") {
        define(&mut cluster, text(case, "setup"))?;
    }
    if text(case, "setup").starts_with("every generated name exists ") {
        given.push(take_names(&mut cluster, request, text(case, "setup"))?);
    }
    if text(case, "setup").starts_with("the oldest remembered event ") {
        given.push(forget(&mut cluster, text(case, "setup"))?);
    }
    if text(case, "setup").starts_with("ResourceQuota ") {
        fill(&mut cluster, text(case, "setup"))?;
    }
    if let Some(rest) = text(case, "setup").strip_prefix("namespace ")
        && rest.contains("terminat")
    {
        let name = rest.split(' ').next().unwrap_or_default();
        let ending = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
            "status": {"phase": "Terminating"},
        });
        exist(&mut cluster, &ending)?;
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
        match want.as_str() {
            Some(want) => same(name, &got.contains(&want), &true)?,
            // All of them, in their order.
            None => same(name, &json!(got), want)?,
        }
    }
    if let Some(want) = case.get("watch_event") {
        let mut line = cluster.lines(id, 0).next().unwrap_or_default();
        for (got, want) in &given {
            line = line.replace(got, want);
        }
        same("more lines", &cluster.is_over(id, 1), &true)?;
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

/// Defines a kind: `a CustomResourceDefinition widgets.example.com exists`.
fn define(cluster: &mut Cluster, setup: &str) -> Outcome {
    let name = setup.split(' ').nth(2).unwrap_or_default();
    let (plural, group) = name.split_once('.').ok_or("no group")?;
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": group, "scope": "Namespaced", "versions": [version],
            "names": {"plural": plural, "kind": "Thing"},
        },
    });
    exist(cluster, &definition).map(|_| ())
}

/// How many names a server tries.
const TRIES: usize = 8;

/// Makes Pods of all the names that the server will try: `every generated name exists (p-abcde is the
/// last one tried)`. Returns the last of them, and what it is called there.
///
/// A copy of the cluster tells which names it makes once as many Pods were made as names are tried.
fn take_names(
    cluster: &mut Cluster,
    request: &Value,
    setup: &str,
) -> Result<(String, String), String> {
    let called = setup.split(['(', ' ']).find(|word| word.starts_with("p-")).ok_or("no name")?;
    let make = |cluster: &mut Cluster, query: &str, metadata: Value| {
        let mut pod = request["body"].clone();
        pod["metadata"] = metadata;
        // Nobody tells anything of it, which would make another event.
        pod["spec"]["schedulerName"] = "nobody".into();
        let path = format!("{}{query}", text(request, "path"));
        let id = cluster.submit(&HttpCall::new("POST", &path, Some(pod)));
        cluster.run_for(Duration::from_millis(100));
        let reply = cluster.reply(id).ok_or("no answer")?;
        same("made", &reply.code, &201).map_err(|why| format!("{why}: {}", reply.body))?;
        let made: Value = serde_json::from_str(&reply.body).map_err(|error| error.to_string())?;
        Ok::<String, String>(text(&made["metadata"], "name").to_owned())
    };
    let mut copy = cluster.clone();
    for number in 0..TRIES {
        make(&mut copy, "", json!({"name": format!("made-{number}")}))?;
    }
    let wanted = &request["body"]["metadata"];
    let names = (0..TRIES).map(|_| make(&mut copy, "?dryRun=All", wanted.clone()));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    for name in &names {
        make(cluster, "", json!({"name": name}))?;
    }
    let last = names.last().cloned().ok_or("no names")?;
    Ok((last, called.to_owned()))
}

/// Changes Pods until the server no longer remembers the first change: `the oldest remembered event has
/// version 101, so 100 is the oldest usable one`. Returns the oldest version that a watch may begin
/// with, and what it is there, both as messages have them.
fn forget(cluster: &mut Cluster, setup: &str) -> Result<(String, String), String> {
    const PODS: &str = "/api/v1/namespaces/default/pods";
    let usable = setup.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok()).nth(1);
    let begins = |cluster: &mut Cluster, version: u64| {
        let path = format!("{PODS}?watch=1&resourceVersion={version}");
        let id = cluster.submit(&HttpCall::get(&path));
        cluster.run_for(Duration::from_millis(20));
        let refused = cluster.lines(id, 0).next().is_some_and(|line| line.contains("too old"));
        cluster.hang_up(id);
        !refused
    };
    let names: Vec<String> = (0..200).map(|number| format!("p{number}")).collect();
    for name in &names {
        let spec = json!({"nodeName": "nobodys", "containers": [{"name": "c", "image": "a"}]});
        let pod = json!({"metadata": {"name": name}, "spec": spec});
        cluster.submit(&HttpCall::new("POST", PODS, Some(pod)));
    }
    cluster.run_for(Duration::from_secs(1));
    // A Pod that no kubelet stops is asked to end ever sooner.
    for grace in (1..1_000_000).rev() {
        if grace % 10 == 0 && !begins(cluster, 1) {
            break;
        }
        for name in &names {
            let path = format!("{PODS}/{name}?gracePeriodSeconds={grace}");
            cluster.submit(&HttpCall::new("DELETE", &path, None));
        }
        cluster.run_for(Duration::from_millis(50));
    }
    let (mut refused, mut begun) = (1, cluster.revision());
    while begun - refused > 1 {
        let middle = refused + (begun - refused) / 2;
        if begins(cluster, middle) { begun = middle } else { refused = middle }
    }
    let told = |version: u64| format!("({version})");
    Ok((told(begun), told(usable.ok_or("no version")?)))
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
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
    let place = format!("/namespaces/{namespace}");
    let place = if resource.namespaced { &*place } else { "" };
    if resource.namespaced && namespace != "default" {
        // It may well be there.
        let named =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        cluster.submit(&HttpCall::new("POST", "/api/v1/namespaces", Some(named)));
        cluster.run_for(Duration::from_secs(1));
    }
    let path = format!("{}{place}/{}", resource.prefix(), resource.plural);
    let mut object = object.clone();
    let node = object["spec"].as_object_mut().and_then(|spec| spec.remove("nodeName"));
    let ends = object["status"]["phase"] == "Terminating"
        || !object["metadata"]["deletionTimestamp"].is_null();
    if ends && object["metadata"]["finalizers"].is_null() {
        // Something must hold it.
        object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    }
    let metadata = object["metadata"].as_object_mut().ok_or("no metadata")?;
    metadata.remove("deletionTimestamp");
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
    if ends {
        cluster.submit(&HttpCall::new("DELETE", &format!("{path}/{name}"), None));
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
