//! Recordings of a real cluster, replayed: the same requests at the same times, and per object the
//! same states in the same order, with the same reasons, messages and events.
//!
//! What differs on purpose between the recorded release and today's is listed in [`today`].

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use podflow::testing::api::request::Change;
use podflow::testing::cluster::{Cluster, HttpCall, Images, Setup};
use podflow::testing::runtime::{Catalogue, Timing};
use podflow::testing::sim::Instant;
use serde_json::{Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/corpus/golden");
/// The recorder found the nodes Ready.
const WARM_UP: Duration = Duration::from_secs(20);
/// How long the cluster goes on after the recording's last line.
const AFTER: Duration = Duration::from_secs(8);

#[test]
fn a_pod_runs() {
    replay("pod-run");
}

#[test]
fn an_impossible_request_waits() {
    replay("pod-impossible-cpu");
}

#[test]
fn a_node_selector_waits_for_a_label() {
    replay("pod-node-selector-none");
}

#[test]
fn a_taint_keeps_out_who_does_not_tolerate_it() {
    replay("taint-no-toleration");
}

#[test]
fn nodes_refuse_for_different_reasons() {
    replay("taint-mixed-reasons");
}

#[test]
fn a_cordoned_node_takes_no_pod() {
    replay("cordon");
}

#[test]
fn deletion_is_graceful() {
    replay("delete-grace");
}

#[test]
fn a_crashing_container_backs_off() {
    replay("crash-loop");
}

#[test]
fn a_finished_pod_succeeds_or_fails() {
    replay("pod-succeeds");
}

#[test]
fn an_image_that_cannot_be_pulled_backs_off() {
    replay("image-pull-backoff");
}

/// Per object, its states or its events as text, in order.
type Seen = BTreeMap<String, Vec<String>>;

fn replay(scenario: &str) {
    let lines = lines(scenario);
    let nodes = nodes();
    let setup = Setup { seed: 1, nodes };
    let images =
        Images { catalogue: Rc::new(Catalogue::scripted("nonexistent")), timing: Timing::INSTANT };
    let mut cluster = Cluster::with_runtime(&setup, &images);
    cluster.run_for(WARM_UP);
    let began = cluster.now();
    let watches = ["pods", "events"].map(|resource| {
        cluster.submit(&HttpCall::new("GET", &format!("/api/v1/{resource}?watch=true"), None))
    });
    let at = |line: &Value| began + Duration::from_secs_f64(line["t"].as_f64().unwrap());
    for request in lines.iter().filter(|line| line["kind"] == "request") {
        cluster.run_until(at(request));
        let mut path = request["path"].as_str().unwrap().to_owned();
        let mut body = request["body"].clone();
        if let Some(node) = body.pointer_mut("/spec/nodeName") {
            *node = json!(node.as_str().unwrap());
        }
        path.retain(|letter| letter != '\n');
        let content_type = request["contentType"].as_str().unwrap_or("application/json");
        let call = HttpCall {
            content_type: content_type.into(),
            ..HttpCall::new(
                request["method"].as_str().unwrap(),
                &path,
                (!body.is_null()).then_some(body),
            )
        };
        let id = cluster.submit(&call);
        cluster.run_for(Duration::from_millis(20));
        let answer = cluster.answer(id).unwrap_or_else(|| panic!("no answer to {path}"));
        let status = answer.code();
        assert_eq!(i64::from(status), request["status"].as_i64().unwrap(), "{path}: {answer:?}");
    }
    let last = lines.iter().map(&at).max().unwrap_or(Instant::ZERO);
    cluster.run_until(last + AFTER);

    let [pods, events] = watches.map(|watch| cluster.you().stream(watch));
    let ours = pods.filter_map(|event| {
        let object = event.change.object()?.to_json();
        let gone = matches!(event.change, Change::Deleted(_));
        Some((object, gone))
    });
    let recorded = lines.iter().filter(|line| line["resource"] == "pods");
    let recorded = recorded.map(|line| (line["object"].clone(), line["type"] == "DELETED"));
    compare(scenario, &states(recorded), &states(ours));

    let ours = events.filter_map(|event| Some(event.change.object()?.to_json()));
    compare_events(scenario, &event_lines(recorded_events(scenario)), &event_lines(ours));
}

fn lines(scenario: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{scenario}.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn recorded_events(scenario: &str) -> impl Iterator<Item = Value> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{scenario}.events.json")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(events) = file["events"].take() else { panic!("no events") };
    events.into_iter()
}

fn nodes() -> Vec<podflow::testing::api::wire::Node> {
    let text = std::fs::read_to_string(format!("{FOLDER}/cluster.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let nodes = file["nodes"].as_array().unwrap().iter().enumerate();
    let nodes = nodes.map(|(index, node)| {
        serde_json::from_value(json!({
            "metadata": {"name": node["metadata"]["name"], "labels": node["metadata"]["labels"]},
            "spec": {"podCIDR": format!("10.244.{index}.0/24"), "podCIDRs": [format!("10.244.{index}.0/24")]},
            "status": {"capacity": node["status"]["capacity"], "allocatable": node["status"]["allocatable"]},
        }))
        .unwrap()
    });
    nodes.collect()
}

/// The states of each pod, each once in a row.
fn states(watched: impl Iterator<Item = (Value, bool)>) -> Seen {
    let mut seen = Seen::new();
    for (pod, gone) in watched {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let state = if gone { "gone".to_owned() } else { state(&pod) };
        let states = seen.entry(name).or_default();
        if states.last() != Some(&state) {
            states.push(state);
        }
    }
    seen
}

/// What a person would say of a pod: all that does not name a moment, a node or an identity.
fn state(pod: &Value) -> String {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    let status = &pod["status"];
    if let Some(ended) = today::ended(pod) {
        return ended;
    }
    let mut words = vec![status["phase"].as_str().unwrap_or("-").to_owned()];
    if pod["spec"]["nodeName"].is_string() {
        words.push("bound".into());
    }
    if pod["metadata"]["deletionTimestamp"].is_string() {
        words.push("terminating".into());
    }
    let mut conditions: Vec<String> = list(&status["conditions"])
        .filter(|condition| !today::is_new_condition(condition))
        .map(|condition| {
            let part = |field: &str| condition[field].as_str().unwrap_or("-").to_owned();
            let message = today::message(&part("message"), uid);
            let (reason, message) =
                today::reason(status["phase"].as_str(), &part("reason"), &message);
            format!("{}={} {reason} {message}", part("type"), part("status"))
        })
        .collect();
    conditions.sort();
    words.extend(conditions);
    words.extend(list(&status["containerStatuses"]).map(|container| {
        let (kind, detail) = container["state"]
            .as_object()
            .and_then(|state| state.iter().next())
            .map_or(("-", &Value::Null), |(kind, detail)| (kind.as_str(), detail));
        let reason = detail["reason"].as_str().unwrap_or("-");
        let message = today::message(detail["message"].as_str().unwrap_or("-"), uid);
        let code = detail["exitCode"].as_i64().map_or_else(String::new, |code| code.to_string());
        let (ready, restarts) = (&container["ready"], &container["restartCount"]);
        format!("{kind} {reason} {message} {code} ready={ready} restarts={restarts}")
    }));
    words.join(" | ")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Each recorded state stands among ours, in that order; what ours has besides is explained.
fn compare(scenario: &str, recorded: &Seen, ours: &Seen) {
    for (name, recorded) in recorded {
        let ours = ours.get(name).map_or(&[] as &[String], Vec::as_slice);
        let mut rest = ours.iter();
        for state in recorded.iter().filter(|state| !today::is_a_race(state)) {
            let found = rest.by_ref().any(|our| our == state);
            assert!(
                found,
                "{scenario}: {name} is never, or too late,\n  {state}\nrecorded:\n  {}\nours:\n  {}",
                recorded.join("\n  "),
                ours.join("\n  ")
            );
        }
        for state in ours.iter().filter(|state| !recorded.contains(state)) {
            assert!(
                today::is_explained(state),
                "{scenario}: {name} was never recorded as\n  {state}\nrecorded:\n  {}\nours:\n  {}",
                recorded.join("\n  "),
                ours.join("\n  ")
            );
        }
    }
}

/// Each object's events, each text once; the scheduler's and the kubelet's apart. Each is a request
/// of its own, so that their order in the store is a race.
fn event_lines(events: impl Iterator<Item = Value>) -> Seen {
    let mut seen = Seen::new();
    for event in events {
        let about = &event["involvedObject"];
        if about["kind"] != "Pod" {
            continue;
        }
        let name = about["name"].as_str().unwrap();
        let uid = about["uid"].as_str().unwrap_or_default();
        let part = |field: &str| event[field].as_str().unwrap_or("-");
        let who = event["source"]["component"].as_str().unwrap_or(part("reportingComponent"));
        let message = today::message(part("message"), uid);
        let line = format!("{} {} {message}", part("type"), part("reason"));
        let lines = seen.entry(format!("{name} by {who}")).or_default();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    seen
}

fn compare_events(scenario: &str, recorded: &Seen, ours: &Seen) {
    for (about, recorded) in recorded {
        let sorted = |lines: &[String]| {
            let mut lines: Vec<String> =
                lines.iter().filter(|line| !today::is_a_race(line)).cloned().collect();
            lines.sort();
            lines
        };
        let ours = sorted(ours.get(about).map_or(&[], Vec::as_slice));
        assert_eq!(sorted(recorded), ours, "{scenario}: events of {about}, recorded against ours");
    }
}

/// What today's releases do otherwise than the recorded v1.20, each with its source.
mod today {
    use serde_json::Value;

    /// Conditions that 1.20 did not have (`PodReadyToStartContainers`: KEP-3085).
    pub fn is_new_condition(condition: &Value) -> bool {
        condition["type"] == "PodReadyToStartContainers"
    }

    /// A message in today's words, without what names an identity, a node or a span.
    pub fn message(text: &str, uid: &str) -> String {
        let mut text = text.to_owned();
        if !uid.is_empty() {
            text = text.replace(uid, "UID");
        }
        // scheduler/schedule_one.go: the failed plugins' words are followed by preemption's.
        if let Some((before, _)) = text.split_once(" preemption: ") {
            text = before.to_owned();
        }
        // plugins/tainttoleration: the taint is no longer named.
        while let Some((before, rest)) = text.split_once("had taint {") {
            let Some((_, after)) = rest.split_once("}, that the pod didn't tolerate") else {
                break;
            };
            text = format!("{before}had untolerated taint(s){after}");
        }
        // plugins/nodeaffinity: selector and affinity share one text.
        text = text.replace(
            "didn't match Pod's node affinity.",
            "didn't match Pod's node affinity/selector.",
        );
        text = text.replace(
            "didn't match Pod's node affinity,",
            "didn't match Pod's node affinity/selector,",
        );
        // kuberuntime_container.go: the container is named no more, or after a colon.
        for (reason, now) in
            [("Created container", "Container created"), ("Started container", "Container started")]
        {
            if text.starts_with(reason) {
                text = now.into();
            }
        }
        // images/image_manager.go: the span and the size vary.
        if let Some((before, _)) = text.split_once("\" in ")
            && text.starts_with("Successfully pulled image")
        {
            text = format!("{before}\"");
        }
        // containerd words a failed pull in its own way; the recording's runtime was a fake.
        if let Some((before, _)) = text.split_once("failed to pull and unpack image") {
            text = format!("{before}failed to pull");
        }
        // images/image_manager.go, since 1.32: the back-off repeats the last error.
        if let Some((before, _)) = text.split_once("\": ErrImagePull") {
            text = format!("{before}\"");
        }
        // Whether the image was there already hangs on what was recorded before.
        if text.starts_with("Container image")
            && let Some((before, _)) = text.split_once(" already present")
        {
            text = before.replacen("Container image", "Successfully pulled image", 1);
        }
        // kuberuntime_manager.go, since 1.26: the container and the pod are named.
        if text.starts_with("Back-off restarting failed container") {
            text = "Back-off restarting failed container".into();
        }
        // The node is one among equals.
        if let Some((before, _)) = text.split_once(" to hollow-node-") {
            text = before.to_owned();
        }
        text
    }

    /// A deleted pod whose containers have ended: since 1.27 its phase becomes Succeeded or Failed,
    /// with conditions to match (`getPhase`), where it stayed Running before.
    pub fn ended(pod: &Value) -> Option<String> {
        pod["metadata"]["deletionTimestamp"].as_str()?;
        let containers = pod["status"]["containerStatuses"].as_array()?;
        let codes: Option<Vec<i64>> = containers
            .iter()
            .map(|container| container["state"]["terminated"]["exitCode"].as_i64())
            .collect();
        Some(format!("terminating, its containers ended with {:?}", codes?))
    }

    /// A condition's reason and message (status/generate.go, since 1.27: a failed pod says so).
    pub fn reason(phase: Option<&str>, reason: &str, message: &str) -> (String, String) {
        if phase == Some("Failed") && reason == "ContainersNotReady" {
            return ("PodFailed".into(), "-".into());
        }
        (reason.into(), message.into())
    }

    /// A state that hung on who was faster: the recorded cluster's controller took a cordoned node's
    /// taint away a moment after the cordon itself; here both change at once. And whether an image
    /// is pulled hangs on what was recorded before.
    pub fn is_a_race(state: &str) -> bool {
        let pulling = state.starts_with("Normal Pulling") && !state.contains("nonexistent");
        let popped = state.contains("skip schedule deleting pod");
        pulling
            || popped
            || state.contains("1 node(s) had untolerated taint(s), 2 node(s) were unschedulable")
    }

    /// A state that the recorded kubelet, which looked at its runtime once a second, passed over, or
    /// one that comes after the recording ends.
    pub fn is_explained(state: &str) -> bool {
        let short_run = state.contains("running - -") && !state.contains("restarts=0");
        let later = state.contains("back-off 40s");
        short_run || later
    }
}
