//! Evictions: deletes that ask the disruption budgets.

use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::cluster::{Cluster, HttpCall, HttpReply, Setup};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(1);
const PODS: &str = "/api/v1/namespaces/default/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

fn send(cluster: &mut Cluster, call: &HttpCall) -> HttpReply {
    let id = cluster.submit(call);
    cluster.run_for(SOON);
    cluster.reply(id).expect("an answer")
}

fn post(cluster: &mut Cluster, path: &str, body: &Value) -> HttpReply {
    send(cluster, &HttpCall::new("POST", path, Some(body.clone())))
}

/// A cluster in which a pod runs.
fn with_pod(name: &str) -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(3));
    pod(&mut cluster, name);
    cluster
}

fn pod(cluster: &mut Cluster, name: &str) {
    // It takes all the time that it is given.
    let command = ["sh", "-c", "trap '' TERM; sleep 1000"];
    let spec = json!({"containers": [{"name": "main", "image": "busybox", "command": command}]});
    let metadata = json!({"name": name, "labels": {"app": "web"}});
    post(cluster, PODS, &json!({"metadata": metadata, "spec": spec}));
    cluster.run_for(Duration::from_secs(20));
}

/// A budget, and what somebody has counted for it.
fn budget(cluster: &mut Cluster, name: &str, status: &Value) {
    let spec = json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}});
    post(cluster, BUDGETS, &json!({"metadata": {"name": name}, "spec": spec}));
    let patch = json!({"status": status});
    send(cluster, &HttpCall::strategic_patch(&format!("{BUDGETS}/{name}/status"), patch));
}

fn evict(cluster: &mut Cluster, name: &str, options: &Value) -> (u16, Value) {
    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name},
        "deleteOptions": options,
    });
    let reply = post(cluster, &format!("{PODS}/{name}/eviction"), &eviction);
    (reply.code, serde_json::from_str(&reply.body).expect("JSON"))
}

fn counts(allowed: i64, healthy: i64, desired: i64) -> Value {
    json!({
        "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": healthy,
        "desiredHealthy": desired, "expectedPods": healthy,
    })
}

fn condition(cluster: &Cluster, pod: &str, of: &str) -> Option<Value> {
    let pod = cluster.object(Kind::Pod, "default", pod)?.to_json();
    let conditions = pod["status"]["conditions"].as_array()?.clone();
    conditions.into_iter().find(|condition| condition["type"] == of)
}

#[test]
fn a_pod_that_nothing_protects_is_told_why_and_goes_with_its_grace() {
    let mut cluster = with_pod("web");
    let (code, answer) = evict(&mut cluster, "web", &Value::Null);
    assert_eq!((code, &answer["status"]), (201, &json!("Success")));
    let told = condition(&cluster, "web", "DisruptionTarget").expect("the condition");
    assert_eq!(
        (&told["status"], &told["reason"]),
        (&json!("True"), &json!("EvictionByEvictionAPI"))
    );
    assert_eq!(told["message"], "Eviction API: evicting");
    let pod = cluster.object(Kind::Pod, "default", "web").expect("the pod").to_json();
    assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 30);
    cluster.run_for(Duration::from_secs(40));
    assert!(cluster.object(Kind::Pod, "default", "web").is_none());
    let (code, answer) = evict(&mut cluster, "web", &Value::Null);
    assert_eq!((code, &answer["message"]), (404, &json!("pods \"web\" not found")));
}

#[test]
fn a_pod_that_goes_already_is_told_why_and_goes_sooner() {
    let mut cluster = with_pod("web");
    // A budget that allows nothing has nothing to say any more.
    budget(&mut cluster, "guard", &counts(0, 3, 3));
    let id = cluster.submit(&HttpCall::new("DELETE", &format!("{PODS}/web"), None));
    cluster.run_for(Duration::from_millis(100));
    assert_eq!(cluster.reply(id).map(|reply| reply.code), Some(200));
    assert!(condition(&cluster, "web", "DisruptionTarget").is_none());
    let (code, answer) = evict(&mut cluster, "web", &json!({"gracePeriodSeconds": 20}));
    assert_eq!((code, &answer["status"]), (201, &json!("Success")));
    let told = condition(&cluster, "web", "DisruptionTarget").expect("the condition");
    assert_eq!(told["reason"], "EvictionByEvictionAPI");
    let pod = cluster.object(Kind::Pod, "default", "web").expect("the pod").to_json();
    assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 20);
}

#[test]
fn the_options_of_an_eviction_are_those_of_the_delete() {
    let mut cluster = with_pod("web");
    let (code, _) = evict(&mut cluster, "web", &json!({"dryRun": ["All"]}));
    assert_eq!(code, 201);
    assert!(condition(&cluster, "web", "DisruptionTarget").is_none());
    for dry in [json!(["All"]), json!([])] {
        let options = json!({"preconditions": {"uid": "other"}, "dryRun": dry});
        let (code, answer) = evict(&mut cluster, "web", &options);
        assert_eq!((code, &answer["reason"]), (409, &json!("Conflict")));
        assert!(condition(&cluster, "web", "DisruptionTarget").is_none(), "another one was meant");
    }
    let pod = cluster.object(Kind::Pod, "default", "web").expect("the pod").to_json();
    let version = &pod["metadata"]["resourceVersion"];
    let options = json!({"preconditions": {"resourceVersion": version}});
    let (code, answer) = evict(&mut cluster, "web", &options);
    assert_eq!(code, 201, "{answer}");
    let (code, _) = evict(&mut cluster, "web", &json!({"gracePeriodSeconds": 0}));
    assert_eq!(code, 201);
    assert!(cluster.object(Kind::Pod, "default", "web").is_none());
}

#[test]
fn a_budget_refuses_in_upstreams_words() {
    let failed = |reason: &str| {
        let condition = json!({
            "type": "DisruptionAllowed", "status": "False", "reason": reason, "message": "hoge",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let mut status = counts(0, 4, 3);
        status["conditions"] = json!([condition]);
        status
    };
    let mut stale = counts(1, 2, 1);
    stale["observedGeneration"] = 0.into();
    let cannot = "Cannot evict pod as it would violate the pod's disruption budget.";
    for (status, code, message, cause) in [
        (stale, 429, cannot, "The disruption budget guard is still being processed by the server."),
        (
            counts(0, 3, 3),
            429,
            cannot,
            "The disruption budget guard needs 3 healthy pods and has 3 currently",
        ),
        (
            counts(0, 4, 3),
            429,
            cannot,
            "The disruption budget guard does not allow evicting pods currently",
        ),
        (
            failed("SyncFailed"),
            429,
            cannot,
            "The disruption budget guard does not allow evicting pods currently because it failed sync: hoge",
        ),
        (
            failed("bar"),
            429,
            cannot,
            "The disruption budget guard does not allow evicting pods currently (bar): hoge",
        ),
    ] {
        let mut cluster = with_pod("web");
        budget(&mut cluster, "guard", &status);
        let (got, answer) = evict(&mut cluster, "web", &Value::Null);
        assert_eq!((got, &answer["message"]), (code, &json!(message)), "{status}");
        let told = &answer["details"]["causes"][0];
        assert_eq!(
            (&told["reason"], &told["message"]),
            (&json!("DisruptionBudget"), &json!(cause))
        );
        assert!(condition(&cluster, "web", "DisruptionTarget").is_none());
    }
}

#[test]
fn who_has_to_wait_is_told_how_long() {
    let mut cluster = with_pod("web");
    budget(&mut cluster, "guard", &json!({}));
    let eviction = json!({"metadata": {"name": "web"}});
    let reply = post(&mut cluster, &format!("{PODS}/web/eviction"), &eviction);
    assert_eq!(reply.code, 429);
    assert!(reply.headers.contains(&("Retry-After", "10".to_owned())), "{:?}", reply.headers);
}

#[test]
fn a_budget_is_charged_for_each_pod_and_never_twice_for_one_disruption() {
    let mut cluster = with_pod("a");
    for name in ["b", "c"] {
        pod(&mut cluster, name);
    }
    budget(&mut cluster, "guard", &counts(2, 3, 1));
    // All at the same moment: each has to see what the others have spent.
    let ids: Vec<_> = ["a", "b", "c"]
        .map(|name| {
            let eviction = json!({"metadata": {"name": name}});
            let path = format!("{PODS}/{name}/eviction");
            cluster.submit(&HttpCall::new("POST", &path, Some(eviction)))
        })
        .into();
    cluster.run_for(SOON);
    let mut codes: Vec<u16> =
        ids.iter().filter_map(|id| cluster.reply(*id)).map(|reply| reply.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [201, 201, 429]);
    let guard = cluster.object(Kind::PodDisruptionBudget, "default", "guard").unwrap().to_json();
    assert_eq!(guard["status"]["disruptionsAllowed"], 0);
    assert_eq!(guard["status"]["disruptedPods"].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(guard["status"]["conditions"][0]["reason"], "InsufficientPods");
}

#[test]
fn pods_that_do_not_serve_cost_a_budget_nothing() {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(3));
    let spec =
        json!({"containers": [{"name": "main", "image": "nginx"}], "nodeSelector": {"no": "node"}});
    let metadata = json!({"name": "waits", "labels": {"app": "web"}});
    post(&mut cluster, PODS, &json!({"metadata": metadata, "spec": spec}));
    budget(&mut cluster, "guard", &counts(0, 0, 1));
    assert_eq!(evict(&mut cluster, "waits", &Value::Null).0, 201);
    assert!(cluster.object(Kind::Pod, "default", "waits").is_none());
}

#[test]
fn an_eviction_has_to_name_its_pod_and_one_budget() {
    let mut cluster = with_pod("web");
    let other = json!({"metadata": {"name": "other"}});
    let reply = post(&mut cluster, &format!("{PODS}/web/eviction"), &other);
    assert_eq!(reply.code, 400);
    assert!(reply.body.contains("name in URL does not match name in Eviction object"));
    budget(&mut cluster, "one", &counts(1, 2, 1));
    budget(&mut cluster, "two", &counts(1, 2, 1));
    let (code, answer) = evict(&mut cluster, "web", &Value::Null);
    let words = "This pod has more than one PodDisruptionBudget, which the eviction subresource does \
                 not support.";
    assert_eq!((code, &answer["message"]), (500, &json!(words)));
}
