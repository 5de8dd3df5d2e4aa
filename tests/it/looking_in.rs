//! `pods/ephemeralcontainers`: containers that come to a Pod that runs, to look into it.

use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn send(cluster: &mut Cluster, call: &HttpCall) -> (u16, Value) {
    let id = cluster.submit(call);
    cluster.run_for(Duration::from_secs(10));
    let reply = cluster.reply(id).expect("an answer");
    (reply.code, serde_json::from_str(&reply.body).unwrap_or(reply.body.into()))
}

fn container(name: &str, image: &str, script: &str) -> Value {
    json!({"name": name, "image": image, "command": ["sh", "-c", script]})
}

/// A cluster in which a Pod of these containers runs.
fn cluster(spec: &Value) -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(5));
    let pod = json!({"metadata": {"name": "p"}, "spec": spec});
    send(&mut cluster, &HttpCall::new("POST", PODS, Some(pod)));
    cluster.run_for(Duration::from_mins(1));
    cluster
}

fn add(cluster: &mut Cluster, ephemeral: &[Value]) -> (u16, Value) {
    let patch = json!({"spec": {"ephemeralContainers": ephemeral}});
    send(cluster, &HttpCall::strategic_patch(&format!("{PODS}/p/ephemeralcontainers"), patch))
}

fn pod(cluster: &Cluster) -> Value {
    cluster.object(Kind::Pod, "default", "p").expect("a Pod").to_json()
}

#[test]
fn an_ephemeral_container_starts_once_and_stays() {
    let mut cluster = cluster(&json!({"containers": [container("c", "nginx", "sleep 9999")]}));
    let debugger = container("debugger", "busybox", "echo looking; sleep 60; exit 3");
    let (code, answer) = add(&mut cluster, &[debugger]);
    assert_eq!((code, &answer["metadata"]["generation"]), (200, &json!(2)));
    let own = &answer["spec"]["ephemeralContainers"][0];
    assert_eq!(own["terminationMessagePolicy"], "File", "it has its defaults");
    let statuses = pod(&cluster)["status"]["ephemeralContainerStatuses"].clone();
    let status = &statuses[0];
    assert_eq!((&status["name"], &status["ready"]), (&json!("debugger"), &json!(false)));
    assert!(status["state"]["running"]["startedAt"].is_string(), "{status}");
    assert_eq!((&status["resources"], status.get("started")), (&json!({}), None));
    let log = send(&mut cluster, &HttpCall::get(&format!("{PODS}/p/log?container=debugger")));
    assert_eq!(log, (200, json!("looking\n")));
    let told = cluster.objects(Kind::Event).into_iter().map(|event| event.to_json());
    let told = told.filter(|event| {
        event["involvedObject"]["fieldPath"] == "spec.ephemeralContainers{debugger}"
    });
    let reasons: Vec<Value> = told.map(|event| event["reason"].clone()).collect();
    assert_eq!(json!(reasons), json!(["Pulling", "Pulled", "Created", "Started"]));
    // Others restart; this one does not, and the Pod goes on.
    cluster.run_for(Duration::from_mins(3));
    let now = pod(&cluster);
    let status = &now["status"]["ephemeralContainerStatuses"][0];
    let (ended, restarts) = (&status["state"]["terminated"]["exitCode"], &status["restartCount"]);
    assert_eq!(
        (ended, restarts, &now["status"]["phase"]),
        (&json!(3), &json!(0), &json!("Running"))
    );
    assert_eq!(now["status"]["containerStatuses"].as_array().map(Vec::len), Some(1));
    let (code, read) = send(&mut cluster, &HttpCall::get(&format!("{PODS}/p/ephemeralcontainers")));
    assert_eq!((code, &read["spec"]["ephemeralContainers"][0]["name"]), (200, &json!("debugger")));
    // The Pod ends with it.
    send(&mut cluster, &HttpCall::new("DELETE", &format!("{PODS}/p?gracePeriodSeconds=1"), None));
    assert!(cluster.object(Kind::Pod, "default", "p").is_none());
}

#[test]
fn it_does_not_wait_for_the_init_containers() {
    let inits = [container("first", "busybox", "sleep 9999")];
    let spec = json!({"initContainers": inits, "containers": [container("c", "nginx", "sleep 1")]});
    let mut cluster = cluster(&spec);
    add(&mut cluster, &[container("debugger", "busybox", "sleep 9999")]);
    let now = pod(&cluster);
    assert!(now["status"]["ephemeralContainerStatuses"][0]["state"]["running"].is_object());
    assert_eq!(now["status"]["phase"], "Pending");
}

#[test]
fn ephemeral_containers_are_neither_changed_nor_removed() {
    let mut cluster = cluster(&json!({"containers": [container("c", "nginx", "sleep 9999")]}));
    assert_eq!(add(&mut cluster, &[container("debugger", "busybox", "sleep 9999")]).0, 200);
    let put = |cluster: &mut Cluster, change: &dyn Fn(&mut Value)| {
        let mut next = pod(cluster);
        change(&mut next);
        let path = format!("{PODS}/p/ephemeralcontainers");
        let (code, answer) = send(cluster, &HttpCall::new("PUT", &path, Some(next)));
        (code, answer["message"].as_str().unwrap_or_default().to_owned())
    };
    let why = "Pod \"p\" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers \"debugger\" may not be";
    let removed = put(&mut cluster, &|pod| pod["spec"]["ephemeralContainers"] = json!([]));
    assert_eq!(removed, (422, format!("{why} removed\n")));
    let (code, changed) =
        put(&mut cluster, &|pod| pod["spec"]["ephemeralContainers"][0]["image"] = "nginx".into());
    assert_eq!((code, changed.starts_with(&format!("{why} changed\n"))), (422, true), "{changed}");
    let (code, unknown) = put(&mut cluster, &|pod| {
        let other = json!({"name": "other", "image": "busybox", "targetContainerName": "none"});
        pod["spec"]["ephemeralContainers"].as_array_mut().unwrap().push(other);
    });
    let want = "Pod \"p\" is invalid: spec.ephemeralContainers[1].targetContainerName: Not found: \"none\"";
    assert_eq!((code, unknown.as_str()), (422, want));
    // All else in the body is left aside, and elsewhere they cannot be written.
    let left = put(&mut cluster, &|pod| {
        pod["metadata"]["labels"] = json!({"a": "b"});
        pod["spec"]["containers"][0]["image"] = "redis".into();
    });
    assert_eq!(left, (200, String::new()));
    let now = pod(&cluster);
    assert_eq!(now["metadata"]["labels"]["a"], Value::Null);
    assert_eq!(now["spec"]["containers"][0]["image"], "nginx");
    let patch = json!({"spec": {"ephemeralContainers": [{"name": "e", "image": "busybox"}]}});
    let (code, _) = send(&mut cluster, &HttpCall::strategic_patch(&format!("{PODS}/p"), patch));
    assert_eq!(code, 422);
}
