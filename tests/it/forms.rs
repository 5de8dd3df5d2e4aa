//! Kinds that are served in two forms: whatever was written in one can be read in the other.

use podflow::testing::cluster::HttpCall;
use serde_json::{Value, json};

use crate::server::Server;

const CORE: &str = "/api/v1/namespaces/default/events";
const OWN: &str = "/apis/events.k8s.io/v1/namespaces/default/events";
const V1: &str = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
const V2: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";

fn event() -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"},
        "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Tested", "note": "it began",
        "reason": "Began", "type": "Normal", "reportingController": "example.com/tests",
        "reportingInstance": "one",
        "regarding": {"apiVersion": "v1", "kind": "Pod", "name": "a", "namespace": "default"},
    })
}

#[test]
fn an_event_is_the_same_in_both_groups() {
    let mut server = Server::new();
    let made = server.expect(201, "POST", OWN, event());
    assert_eq!(made["apiVersion"], "events.k8s.io/v1");
    assert_eq!(made["note"], "it began");
    let core = server.expect(200, "GET", &format!("{CORE}/e"), Value::Null);
    assert_eq!(core["apiVersion"], "v1");
    assert_eq!(core["message"], "it began");
    assert_eq!(core["involvedObject"]["name"], "a");
    assert_eq!(core["metadata"]["uid"], made["metadata"]["uid"]);
    let list = server.expect(200, "GET", &format!("{OWN}?resourceVersion=0"), Value::Null);
    assert_eq!(list["kind"], "EventList");
    assert_eq!(list["apiVersion"], "events.k8s.io/v1");
    assert_eq!(list["items"][0]["regarding"]["name"], "a");
    assert_eq!(list["items"][0].get("involvedObject"), None);
}

#[test]
fn a_core_event_is_read_in_its_own_group() {
    let mut server = Server::new();
    let old = json!({
        "metadata": {"name": "old"}, "message": "again", "reason": "Again", "count": 3,
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": "default"},
        "source": {"component": "kubelet"}, "lastTimestamp": "2026-01-01T00:00:00Z",
    });
    server.expect(201, "POST", CORE, old);
    let own = server.expect(200, "GET", &format!("{OWN}/old"), Value::Null);
    assert_eq!(own["deprecatedCount"], 3);
    assert_eq!(own["deprecatedSource"], json!({"component": "kubelet"}));
    assert_eq!(own["eventTime"], Value::Null);
}

#[test]
fn a_patch_speaks_of_the_fields_of_its_form() {
    let mut server = Server::new();
    server.expect(201, "POST", OWN, event());
    let mut patch = |patch: Value| {
        let mut call = HttpCall::new("PATCH", &format!("{OWN}/e"), Some(patch));
        call.content_type = "application/strategic-merge-patch+json".into();
        server.send(&call)
    };
    let series = json!({"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"});
    let reply = patch(json!({"series": series}));
    assert_eq!(reply.code, 200, "{}", reply.body);
    // In its own group only the series of an event may change.
    let reply = patch(json!({"note": "something else"}));
    assert_eq!(reply.code, 422, "{}", reply.body);
    let why = "message: Invalid value: \\\"something else\\\": field is immutable";
    assert!(reply.body.contains(why), "{}", reply.body);
    let core = server.expect(200, "GET", &format!("{CORE}/e"), Value::Null);
    assert_eq!(core["series"]["count"], 2);
}

#[test]
fn an_event_of_its_own_group_must_say_more() {
    let mut server = Server::new();
    let sent = json!({
        "metadata": {"name": "e"}, "deprecatedCount": 2, "series": {"count": 1},
        "regarding": {"kind": "Pod", "name": "a", "namespace": "default"},
    });
    let refused = server.expect(422, "POST", OWN, sent);
    let fields = refused["details"]["causes"].as_array().unwrap().iter();
    let fields: Vec<&str> = fields.filter_map(|cause| cause["field"].as_str()).collect();
    assert_eq!(fields, ["series.count", "series.lastObservedTime", "eventTime", "type", "count"],);
    assert_eq!(refused["details"]["kind"], "Event");
}

#[test]
fn a_watch_tells_in_the_form_that_was_asked_for() {
    let mut server = Server::new();
    let watch = server.0.submit(&HttpCall::get(&format!("{OWN}?watch=1")));
    let metadata = json!({"name": "core"});
    let of = json!({"kind": "Pod", "name": "a", "namespace": "default"});
    let core = json!({"metadata": metadata, "involvedObject": of, "message": "there"});
    server.expect(201, "POST", CORE, core);
    let line = server.0.lines(watch, 0).next().expect("an event of the watch");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["type"], "ADDED");
    assert_eq!(line["object"]["apiVersion"], "events.k8s.io/v1");
    assert_eq!(line["object"]["note"], "there");
}

#[test]
fn both_forms_have_the_same_table() {
    let mut server = Server::new();
    server.expect(201, "POST", OWN, event());
    let mut table = |path: &str| {
        let mut call = HttpCall::get(path);
        call.accept = "application/json;as=Table;v=v1;g=meta.k8s.io".into();
        let reply: Value = serde_json::from_str(&server.send(&call).body).unwrap();
        (reply["columnDefinitions"].clone(), reply["rows"][0]["cells"].clone())
    };
    let (core, own) = (table(CORE), table(OWN));
    assert_eq!(core.0, own.0);
    assert_eq!(core.1.as_array().map(Vec::len), own.1.as_array().map(Vec::len));
    assert_eq!(own.1[2], "Began");
}

#[test]
fn unknown_fields_and_wrong_types_are_those_of_the_form() {
    let mut server = Server::new();
    let mut wrong = event();
    wrong["message"] = json!("of the other form");
    let path = format!("{OWN}?fieldValidation=Strict");
    let refused = server.expect(400, "POST", &path, wrong);
    assert!(refused["message"].as_str().unwrap().ends_with("unknown field \"message\""));
    let refused = server.expect(
        400,
        "POST",
        V1,
        json!({"metadata": {"name": "a"}, "spec": {"targetCPUUtilizationPercentage": "60"}}),
    );
    let told = refused["message"].as_str().unwrap();
    assert!(
        told.ends_with("of type int32") && told.contains("targetCPUUtilizationPercentage"),
        "{told}"
    );
}

#[test]
fn an_autoscaler_keeps_in_one_version_what_the_other_says() {
    let mut server = Server::new();
    let target = json!({"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"});
    let sent = json!({
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 60},
    });
    server.expect(201, "POST", V1, sent);
    let share = "/spec/metrics/0/resource/target/averageUtilization";
    let v2 = server.expect(200, "GET", &format!("{V2}/a"), Value::Null);
    assert_eq!(v2.pointer(share), Some(&json!(60)));
    let mut v1 = server.expect(200, "GET", &format!("{V1}/a"), Value::Null);
    v1["spec"]["targetCPUUtilizationPercentage"] = json!(70);
    server.expect(200, "PUT", &format!("{V1}/a"), v1);
    let v2 = server.expect(200, "GET", &format!("{V2}/a"), Value::Null);
    assert_eq!(v2.pointer(share), Some(&json!(70)));
}

#[test]
fn a_version_is_applied_as_what_is_stored() {
    let mut server = Server::new();
    let target = json!({"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"});
    let sent = json!({
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": target},
    });
    for (most, code) in [(3, 201), (4, 200)] {
        let mut sent = sent.clone();
        sent["spec"]["maxReplicas"] = json!(most);
        let path = format!("{V1}/a?fieldManager=me");
        let mut call = HttpCall::new("PATCH", &path, Some(sent));
        call.content_type = "application/apply-patch+yaml".into();
        let reply = server.send(&call);
        assert_eq!(reply.code, code, "{}", reply.body);
        let answered: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(answered["apiVersion"], "autoscaling/v1");
        assert_eq!(answered["spec"]["maxReplicas"], most);
    }
}

#[test]
fn both_forms_are_discovered() {
    let mut server = Server::new();
    let groups = server.expect(200, "GET", "/apis", Value::Null);
    let group = |name: &str| {
        let mut groups = groups["groups"].as_array().into_iter().flatten();
        groups.find(|group| group["name"] == name).cloned().unwrap_or_default()
    };
    let scaling = group("autoscaling");
    assert_eq!(scaling["preferredVersion"]["version"], "v2");
    assert_eq!(scaling["versions"].as_array().map(Vec::len), Some(2));
    assert_eq!(group("events.k8s.io")["preferredVersion"]["version"], "v1");
    let resources = server.expect(200, "GET", "/apis/events.k8s.io/v1", Value::Null);
    assert_eq!(resources["resources"][0]["kind"], "Event");
}
