//! `pods/log`: from you through the API server to the kubelet, which reads what the runtime kept.

use std::time::Duration;

use podflow::testing::api::request::RequestId;
use podflow::testing::cluster::{Cluster, HttpCall, HttpReply, Setup};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

/// A cluster in which these containers have had a minute.
fn cluster(containers: &Value) -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(5));
    create(&mut cluster, "p", &json!({"containers": containers}));
    cluster.run_for(Duration::from_mins(1));
    cluster
}

fn create(cluster: &mut Cluster, name: &str, spec: &Value) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
    cluster.submit(&HttpCall::new("POST", PODS, Some(pod)));
}

fn get(cluster: &mut Cluster, path: &str) -> HttpReply {
    let id = cluster.submit(&HttpCall::get(&format!("{PODS}/{path}")));
    cluster.run_for(Duration::from_secs(1));
    let none = HttpReply { code: 0, content_type: "", headers: Vec::new(), body: String::new() };
    cluster.reply(id).unwrap_or(none)
}

/// Why it is refused.
fn refusal(reply: &HttpReply) -> (u16, String) {
    let status: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let message = status.get("message").and_then(Value::as_str);
    (reply.code, message.unwrap_or_default().to_owned())
}

fn shell(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "busybox", "command": ["sh", "-c", script]})
}

#[test]
fn what_a_container_wrote_is_read() {
    let mut cluster =
        cluster(&json!([shell("c", "echo one; sleep 20; echo two; echo three; sleep 999")]));
    let all = get(&mut cluster, "p/log");
    assert_eq!((all.code, all.content_type, &*all.body), (200, "text/plain", "one\ntwo\nthree\n"));
    assert_eq!(get(&mut cluster, "p/log?tailLines=1").body, "three\n");
    assert_eq!(get(&mut cluster, "p/log?limitBytes=5").body, "one\nt");
    assert_eq!(get(&mut cluster, "p/log?sinceSeconds=50&container=c").body, "two\nthree\n");
    let stamped = get(&mut cluster, "p/log?timestamps=true&tailLines=1").body;
    let (at, line) = stamped.split_once(' ').unwrap_or_default();
    assert!(at.starts_with("2026-01-01T00:00:") && at.ends_with('Z') && at.len() == 30, "{at}");
    assert_eq!(line, "three\n");
    // The kubelet was asked, and asked its runtime.
    let log = cluster.log();
    assert!(log.contains("apiserver -> kubelet-1"));
    assert!(log.contains("GET /containerLogs/default/p/c?tailLines=1"));
}

/// The pieces that a followed log has come in so far, and whether that is all.
fn told(cluster: &Cluster, id: RequestId) -> (Vec<String>, bool) {
    let pieces: Vec<String> = cluster.lines(id, 0).collect();
    let is_over = cluster.is_over(id, pieces.len());
    (pieces, is_over)
}

#[test]
fn a_followed_log_goes_on_until_the_container_ends() {
    let script = "echo one; sleep 65; echo two; sleep 10; echo three; printf four";
    let mut cluster = cluster(&json!([shell("c", script)]));
    let follow = |cluster: &mut Cluster, query: &str| {
        let id = cluster.submit(&HttpCall::get(&format!("{PODS}/p/log?follow=true{query}")));
        cluster.run_for(Duration::from_secs(1));
        id
    };
    let all = follow(&mut cluster, "");
    let head = cluster.reply(all).unwrap();
    assert_eq!((head.code, head.content_type, &*head.body), (200, "text/plain", ""));
    assert_eq!(told(&cluster, all), (vec!["one\n".to_owned()], false));
    let new = follow(&mut cluster, "&tailLines=0");
    assert_eq!((cluster.reply(new).unwrap().code, told(&cluster, new)), (200, (vec![], false)));
    let short = follow(&mut cluster, "&limitBytes=7&sinceSeconds=100");
    let stamped = follow(&mut cluster, "&timestamps=true&sinceSeconds=1");
    let gone = follow(&mut cluster, "");
    assert!(cluster.is_settled(), "who follows keeps nobody at work");
    cluster.hang_up(gone);
    cluster.run_for(Duration::from_secs(8));
    assert_eq!(told(&cluster, all).0, ["one\n", "two\n"]);
    assert_eq!(told(&cluster, short), (vec!["one\n".to_owned(), "two".to_owned()], true));
    assert_eq!(told(&cluster, stamped).0.len(), 1);
    assert!(told(&cluster, stamped).0[0].ends_with("Z two\n"));
    cluster.run_for(Duration::from_secs(10));
    let rest = ["two\n", "three\n", "four"].map(str::to_owned).to_vec();
    assert_eq!(told(&cluster, new), (rest, true));
    assert!(told(&cluster, all).1);
    assert_eq!(told(&cluster, gone), (vec![], true));
    // The kubelet was told of the one who went, and its runtime, too.
    let log = cluster.log();
    assert_eq!(log.matches(" HUNG UP").count(), 1);
    assert_eq!(log.matches(" Cancel\n").count(), 2);
}

#[test]
fn a_followed_log_of_a_container_that_has_ended_ends() {
    let mut cluster = cluster(&json!([shell("c", "echo $RANDOM; sleep 5; exit 1")]));
    let path = format!("{PODS}/p/log?follow=true&previous=true");
    let id = cluster.submit(&HttpCall::get(&path));
    cluster.run_for(Duration::from_secs(1));
    let (pieces, is_over) = told(&cluster, id);
    assert_eq!((pieces.concat(), is_over), (get(&mut cluster, "p/log?previous=true").body, true));
    let refused = get(&mut cluster, "p/log?follow=true&container=z");
    assert_eq!(refusal(&refused), (400, "container z is not valid for pod p".to_owned()));
}

#[test]
fn a_followed_log_ends_with_its_pod() {
    let mut cluster = cluster(&json!([shell("c", "echo one; sleep 999")]));
    let id = cluster.submit(&HttpCall::get(&format!("{PODS}/p/log?follow=true")));
    // It may last longer than the server waits for the first answer.
    cluster.run_for(Duration::from_mins(2));
    assert_eq!(told(&cluster, id), (vec!["one\n".to_owned()], false));
    cluster.submit(&HttpCall::new("DELETE", &format!("{PODS}/p"), None));
    cluster.run_for(Duration::from_mins(1));
    assert_eq!(told(&cluster, id), (vec!["one\n".to_owned()], true));
}

#[test]
fn the_log_of_the_container_before_is_kept() {
    let mut cluster = cluster(&json!([shell("c", "echo $RANDOM; sleep 5; exit 1")]));
    let (now, before) = (get(&mut cluster, "p/log"), get(&mut cluster, "p/log?previous=true"));
    assert_eq!((now.code, before.code), (200, 200));
    assert!(!before.body.is_empty());
}

#[test]
fn a_container_that_has_no_log_is_told_why() {
    let mut cluster = cluster(&json!([
        shell("a", "sleep 999"), {"name": "b", "image": "nothing.invalid/there"},
    ]));
    let cases = [
        ("p/log", "a container name must be specified for pod p, choose one of: [a b]"),
        ("p/log?container=z", "container z is not valid for pod p"),
        (
            "p/log?container=a&previous=true",
            "previous terminated container \"a\" in pod \"p\" not found",
        ),
        (
            "p/log?container=b",
            "container \"b\" in pod \"p\" is waiting to start: trying and failing to pull image",
        ),
    ];
    for (path, words) in cases {
        assert_eq!(refusal(&get(&mut cluster, path)), (400, words.to_owned()), "{path}");
    }
    let bad = get(&mut cluster, "p/log?container=a&tailLines=-1");
    let words = "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or \
                 equal to 0";
    assert_eq!(refusal(&bad), (422, words.to_owned()));
    assert_eq!(refusal(&get(&mut cluster, "q/log")), (404, "pods \"q\" not found".to_owned()));
}

#[test]
fn a_pod_that_nobody_runs_has_nothing_to_say() {
    let mut cluster = cluster(&json!([shell("c", "sleep 999")]));
    create(
        &mut cluster,
        "waits",
        &json!({"nodeSelector": {"no": "where"}, "containers": [shell("c", "true")]}),
    );
    create(&mut cluster, "lost", &json!({"nodeName": "gone", "containers": [shell("c", "true")]}));
    cluster.run_for(Duration::from_secs(1));
    let none = get(&mut cluster, "waits/log");
    assert_eq!((none.code, &*none.body), (204, ""));
    assert_eq!(
        refusal(&get(&mut cluster, "lost/log")),
        (404, "nodes \"gone\" not found".to_owned())
    );
    // A Node without a machine never answers, and the one who asks is told so.
    let machineless = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gone"}});
    cluster.submit(&HttpCall::new("POST", "/api/v1/nodes", Some(machineless)));
    cluster.run_for(Duration::from_secs(1));
    let id = cluster.submit(&HttpCall::get(&format!("{PODS}/lost/log")));
    cluster.run_for(Duration::from_secs(29));
    assert_eq!(cluster.reply(id), None);
    cluster.run_for(Duration::from_secs(2));
    assert_eq!(cluster.reply(id).map(|reply| reply.code), Some(500));
}
