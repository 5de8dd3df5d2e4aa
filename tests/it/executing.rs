//! `pods/exec`: a command in a container, from you through the API server and the kubelet to the runtime.

use std::time::Duration;

use podflow::testing::api::caller::Credentials;
use podflow::testing::api::request::RequestId;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn shell(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "busybox", "command": ["sh", "-c", script]})
}

/// A cluster in which a Pod called `p` of these containers has had a minute.
fn cluster(spec: &Value) -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(5));
    create(&mut cluster, PODS, "Pod", "p", json!({"spec": spec}));
    cluster.run_for(Duration::from_mins(1));
    cluster
}

fn create(cluster: &mut Cluster, path: &str, kind: &str, name: &str, mut object: Value) {
    let is_role = kind.starts_with("Role");
    let version = if is_role { "rbac.authorization.k8s.io/v1" } else { "v1" };
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    object["metadata"] = json!({"name": name});
    cluster.submit(&HttpCall::new("POST", path, Some(object)));
}

fn call(query: &str) -> HttpCall {
    let path = format!("{PODS}/p/exec?stdout=true&stderr=true&{query}");
    HttpCall { upgrade: Some("websocket".into()), ..HttpCall::get(&path) }
}

/// What comes of a call: its code, and either the messages by their channels or why it is refused.
fn sent(cluster: &mut Cluster, call: &HttpCall) -> (u16, Vec<String>) {
    let id = cluster.submit(call);
    cluster.run_for(Duration::from_secs(1));
    let reply = cluster.reply(id).expect("an answer");
    if reply.code == 101 {
        return (101, told(cluster, id));
    }
    let status: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    (reply.code, vec![status["message"].as_str().unwrap_or_default().to_owned()])
}

/// The messages so far, the number of the channel in front; of a failure, its words and reason.
fn told(cluster: &Cluster, id: RequestId) -> Vec<String> {
    let message = |text: String| {
        let (channel, text) = text.split_at(1);
        let channel = channel.as_bytes()[0];
        let status: Value = serde_json::from_str(text).unwrap_or_default();
        match (channel, &status["status"], &status["details"]["causes"][0]["reason"]) {
            (3, Value::String(done), _) if done == "Success" => "3 Success".to_owned(),
            (3, _, Value::String(reason)) => {
                let code = &status["details"]["causes"][0]["message"];
                format!("3 {} {reason} {code}", status["reason"])
            }
            (3, ..) => format!("3 {}", status["message"]),
            _ => format!("{channel} {text}"),
        }
    };
    cluster.lines(id, 0).map(message).collect()
}

fn run(cluster: &mut Cluster, query: &str) -> (u16, Vec<String>) {
    sent(cluster, &call(query))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_command_writes_to_both_streams_and_ends_with_its_code() {
    let mut cluster = cluster(&json!({"containers": [shell("c", "sleep 999")]}));
    let all = "command=sh&command=-c&command=echo+out;+printf+more;+echo+err+>%262;+exit+3";
    let end = "3 \"NonZeroExitCode\" ExitCode \"3\"";
    let want = texts(&["1 out\nmore", "2 err\n", end]);
    assert_eq!(run(&mut cluster, all), (101, want));
    // A terminal has one stream only, and its line ends.
    let want = texts(&["1 out\r\nmoreerr\r\n", end]);
    assert_eq!(run(&mut cluster, &format!("{all}&tty=true&container=c")), (101, want));
    let path = format!("{PODS}/p/exec?stdout=1&{all}");
    let post = HttpCall { method: "POST".into(), path: path.into(), ..call("") };
    assert_eq!(sent(&mut cluster, &post), (101, texts(&["1 out\nmore", end])));
    assert_eq!(run(&mut cluster, "command=true"), (101, texts(&["3 Success"])));
    let log = cluster.log();
    assert!(log.contains("GET /exec/default/p/c?command=sh&command=-c&command=echo%20out%3B"));
    assert!(log.contains("101 streaming"));
    let id = cluster.submit(&HttpCall::get("/api/v1"));
    cluster.run_for(Duration::from_secs(1));
    let listed: Value = serde_json::from_str(&cluster.reply(id).unwrap().body).unwrap();
    let exec = listed["resources"].as_array().unwrap().iter().find(|it| it["name"] == "pods/exec");
    let want = json!({
        "name": "pods/exec", "singularName": "", "namespaced": true, "kind": "PodExecOptions",
        "verbs": ["create", "get"],
    });
    assert_eq!(exec, Some(&want));
}

#[test]
fn output_comes_as_it_is_written_to_who_hears_it() {
    let mut cluster = cluster(&json!({"containers": [shell("c", "sleep 999")]}));
    let slow = call("command=sh&command=-c&command=echo+a;sleep+60;echo+b;sleep+60;echo+c>/tmp/c");
    let (stays, goes) = (cluster.submit(&slow), cluster.submit(&slow));
    cluster.run_for(Duration::from_secs(10));
    assert_eq!(told(&cluster, stays), texts(&["1 a\n"]));
    assert!(cluster.is_settled(), "a command keeps nobody else at work");
    cluster.hang_up(goes);
    cluster.run_for(Duration::from_mins(1));
    assert_eq!(told(&cluster, stays), texts(&["1 a\n", "1 b\n"]));
    assert!(!cluster.is_over(stays, 2));
    cluster.run_for(Duration::from_mins(1));
    assert_eq!(told(&cluster, stays), texts(&["1 a\n", "1 b\n", "3 Success"]));
    assert_eq!((cluster.is_over(stays, 3), told(&cluster, goes).len()), (true, 0));
    assert_eq!(run(&mut cluster, "command=cat&command=/tmp/c").1[0], "1 c\n");
}

#[test]
fn a_command_that_cannot_run_is_told_why() {
    let containers = json!([shell("a", "sleep 999"), shell("b", "true")]);
    let mut cluster = cluster(&json!({
        "restartPolicy": "Never", "initContainers": [shell("i", "true")], "containers": containers,
    }));
    let refused = |words: &str| (400, vec![words.to_owned()]);
    let told =
        |words: &str| (101, vec![format!("3 {:?}", format!("Internal error occurred: {words}"))]);
    let of_container = |name: &str| {
        told(&format!("unable to upgrade connection: container not found (\"{name}\")"))
    };
    for (query, want) in [
        (
            "command=ls",
            refused("a container name must be specified for pod p, choose one of: [i a b]"),
        ),
        ("command=ls&container=z", refused("container z is not valid for pod p")),
        ("command=ls&container=b", of_container("b")),
        ("command=ls&container=i", of_container("i")),
        (
            "command=nosuch&container=a",
            told(
                "Internal error occurred: error executing command in container: failed to exec in \
                 container: failed to start exec: OCI runtime exec failed: exec failed: unable to \
                 start container process: exec: \"nosuch\": executable file not found in $PATH",
            ),
        ),
    ] {
        assert_eq!(run(&mut cluster, query), want, "{query}");
    }
    let path = format!("{PODS}/p/exec?container=a&command=ls");
    let nothing = HttpCall { path: path.into(), ..call("") };
    let why = "unable to upgrade connection: you must specify at least 1 of stdin, stdout, stderr";
    assert_eq!(sent(&mut cluster, &nothing), told(why));
    for (protocol, want) in [
        (None, "Upgrade request required"),
        (Some("spdy/3.1"), "exec speaks websocket only, and was asked to speak spdy/3.1"),
    ] {
        let upgrade = protocol.map(Into::into);
        let other = HttpCall { upgrade, ..call("command=ls&container=a") };
        assert_eq!(sent(&mut cluster, &other), refused(want));
    }
    let path = format!("{PODS}/q/exec?command=ls");
    let gone = HttpCall { path: path.into(), ..call("") };
    assert_eq!(sent(&mut cluster, &gone), (404, vec!["pods \"q\" not found".to_owned()]));
    create(
        &mut cluster,
        PODS,
        "Pod",
        "q",
        json!({"spec": {
            "nodeSelector": {"no": "where"}, "containers": [shell("c", "true")],
        }}),
    );
    cluster.run_for(Duration::from_secs(1));
    assert_eq!(sent(&mut cluster, &gone), refused("pod q does not have a host assigned"));
}

#[test]
fn who_only_reads_runs_no_commands() {
    let mut cluster = cluster(&json!({"containers": [shell("c", "sleep 999")]}));
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    for (name, verbs) in [("reader", vec!["get"]), ("runner", vec!["get", "create"])] {
        let allowed = json!([{"apiGroups": [""], "resources": ["pods/exec"], "verbs": verbs}]);
        create(&mut cluster, &format!("{roles}/roles"), "Role", name, json!({"rules": allowed}));
        let binding = json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
        });
        create(&mut cluster, &format!("{roles}/rolebindings"), "RoleBinding", name, binding);
    }
    cluster.run_for(Duration::from_secs(1));
    let mut by = |name: &str| {
        let who = Credentials::of_headers(Some("Bearer admin"), Some(name), []);
        let call = HttpCall { credentials: Some(who.into()), ..call("command=true") };
        sent(&mut cluster, &call)
    };
    assert_eq!(by("reader"), (403, vec!["pods \"p\" is forbidden: ".to_owned()]));
    assert_eq!(by("runner"), (101, texts(&["3 Success"])));
    assert_eq!(by("nobody").0, 403);
}
