//! Watches over the API: how they end, and what a slow reader gets.

use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::api::request::RequestId;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::json;

const SECRETS: &str = "/api/v1/namespaces/default/secrets";

fn cluster() -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(Duration::from_secs(1));
    cluster
}

fn watch(cluster: &mut Cluster, query: &str) -> RequestId {
    let id = cluster.submit(&HttpCall::get(&format!("{SECRETS}?watch=true{query}")));
    cluster.run_for(Duration::from_secs(1));
    id
}

fn create(cluster: &mut Cluster, name: &str) {
    let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    cluster.submit(&HttpCall::new("POST", SECRETS, Some(body)));
}

#[test]
fn a_watch_lasts_as_long_as_it_is_to() {
    let mut cluster = cluster();
    let id = watch(&mut cluster, "&timeoutSeconds=10");
    create(&mut cluster, "one");
    cluster.run_for(Duration::from_secs(5));
    assert_eq!((cluster.lines(id, 0).count(), cluster.is_over(id, 1)), (1, false));
    cluster.run_for(Duration::from_secs(5));
    // Who has not read all yet still may.
    assert_eq!((cluster.is_over(id, 0), cluster.is_over(id, 1)), (false, true));
    create(&mut cluster, "two");
    cluster.run_for(Duration::from_secs(1));
    assert_eq!(cluster.lines(id, 0).count(), 1);
    assert_eq!(cluster.reply(id).map(|reply| reply.code), Some(200));
    let bad = watch(&mut cluster, "&timeoutSeconds=soon");
    assert_eq!(cluster.reply(bad).map(|reply| reply.code), Some(400));
}

#[test]
fn who_hangs_up_is_told_no_more() {
    let mut cluster = cluster();
    let (gone, stays) = (watch(&mut cluster, ""), watch(&mut cluster, ""));
    let before = cluster.apiserver().watchers();
    cluster.hang_up(gone);
    create(&mut cluster, "one");
    cluster.run_for(Duration::from_secs(1));
    assert_eq!(cluster.apiserver().watchers(), before - 1);
    assert_eq!((cluster.lines(gone, 0).count(), cluster.is_over(gone, 0)), (0, true));
    assert_eq!(cluster.lines(stays, 0).count(), 1);
}

#[test]
fn a_watch_goes_on_however_much_it_tells_but_not_for_who_is_far_behind() {
    let mut cluster = cluster();
    let id = watch(&mut cluster, "");
    let mut read = 0;
    for round in 0..11 {
        for number in 0..1_000 {
            create(&mut cluster, &format!("m-{round}-{number}"));
        }
        cluster.run_for(Duration::from_secs(10));
        read += cluster.lines(id, read).count();
    }
    assert_eq!((read, cluster.is_over(id, read)), (11_000, false));
    assert_eq!((cluster.lines(id, 0).count(), cluster.is_over(id, 0)), (0, true));
}

#[test]
fn watches_that_do_not_say_for_how_long_end_within_the_hour_and_components_watch_on() {
    let mut cluster = Cluster::new(&Setup::new(1, 2));
    cluster.run_for(Duration::from_secs(2));
    let before = cluster.apiserver().watchers();
    let id = watch(&mut cluster, "");
    cluster.run_for(Duration::from_mins(29));
    assert!(!cluster.is_over(id, 0));
    cluster.run_for(Duration::from_mins(31));
    assert!(cluster.is_over(id, 0));
    assert_eq!(cluster.apiserver().watchers(), before);
    let spec = json!({"containers": [{"name": "c", "image": "nginx"}]});
    let pod = json!({"metadata": {"name": "web"}, "spec": spec});
    cluster.submit(&HttpCall::new("POST", "/api/v1/namespaces/default/pods", Some(pod)));
    cluster.run_for(Duration::from_secs(20));
    let found = cluster.object(Kind::Pod, "default", "web").expect("the pod");
    assert_eq!(found.to_json()["status"]["phase"], "Running");
}

#[test]
fn the_old_paths_of_watches_are_served_still() {
    let mut cluster = cluster();
    let mut open = |path: &str| cluster.submit(&HttpCall::get(path));
    let all = open("/api/v1/watch/secrets?labelSelector=!none");
    let one = open("/api/v1/watch/namespaces/default/secrets/one");
    let grouped = open("/apis/apps/v1/watch/deployments");
    let bad =
        open("/api/v1/watch/namespaces/default/secrets/one?fieldSelector=metadata.name%3Dtwo");
    let part = open("/api/v1/watch/namespaces/default/pods/one/log");
    let delete =
        cluster.submit(&HttpCall::new("DELETE", "/api/v1/watch/namespaces/default/secrets", None));
    cluster.run_for(Duration::from_secs(1));
    create(&mut cluster, "one");
    create(&mut cluster, "two");
    cluster.run_for(Duration::from_secs(1));
    let of_default = |line: &String| line.contains(r#""namespace":"default""#);
    let names = |id| cluster.lines(id, 0).filter(of_default).count();
    assert_eq!((names(all), names(one), names(grouped)), (2, 1, 0));
    let code = |id| cluster.reply(id).map(|reply| reply.code);
    assert_eq!([all, one, grouped].map(code), [Some(200); 3]);
    assert_eq!([bad, part, delete].map(code), [Some(400), Some(404), Some(405)]);
}
