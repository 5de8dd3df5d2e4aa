//! kube-rs: typed objects, patches, pages, watches and controllers.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use kube::api::{
    Api, DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams, WatchEvent,
    WatchParams,
};
use kube::runtime::controller::Action;
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{Controller, WatchStreamExt as _, reflector, watcher};
use kube::{Client, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client;

pub(super) type Done = Result<(), Box<dyn Error>>;

/// Runs a session; one that hangs fails.
pub(super) fn session(what: impl Future<Output = Done>) -> Done {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(Duration::from_mins(1), what).await? })
}

pub(super) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Box<dyn Error>> {
    Ok(serde_json::from_value(value)?)
}

fn map(name: &str, value: &str) -> Result<ConfigMap, Box<dyn Error>> {
    typed(json!({"metadata": {"name": name, "labels": {"test": "yes"}}, "data": {"k": value}}))
}

fn pod(script: &str) -> Result<Pod, Box<dyn Error>> {
    typed(json!({
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", script]}]},
    }))
}

fn data(map: &ConfigMap) -> Vec<(String, String)> {
    map.data.clone().unwrap_or_default().into_iter().collect()
}

/// Why it was refused: code and reason.
pub(super) fn refusal<T>(result: Result<T, kube::Error>) -> Option<(u16, String)> {
    match result {
        Err(kube::Error::Api(status)) => Some((status.code, status.reason.clone())),
        _ => None,
    }
}

#[test]
fn objects_are_created_read_replaced_and_deleted() -> Done {
    session(async {
        let maps: Api<ConfigMap> = Api::default_namespaced(client(0)?);
        let made = maps.create(&PostParams::default(), &map("m", "1")?).await?;
        assert!(made.uid().is_some() && made.creation_timestamp().is_some());
        let again = maps.create(&PostParams::default(), &map("m", "1")?).await;
        assert_eq!(refusal(again), Some((409, "AlreadyExists".into())));

        let mut next = maps.get("m").await?;
        next.data = Some(BTreeMap::from([("k".into(), "2".into())]));
        let replaced = maps.replace("m", &PostParams::default(), &next).await?;
        assert_eq!(data(&replaced), [("k".into(), "2".into())]);
        let stale = maps.replace("m", &PostParams::default(), &next).await;
        assert_eq!(refusal(stale), Some((409, "Conflict".into())));

        maps.delete("m", &DeleteParams::default()).await?;
        assert_eq!(maps.get_opt("m").await?, None);
        assert_eq!(refusal(maps.get("m").await), Some((404, "NotFound".into())));
        Ok(())
    })
}

#[test]
fn every_kind_of_patch_is_taken() -> Done {
    session(async {
        let client = client(0)?;
        let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
        maps.create(&PostParams::default(), &map("m", "1")?).await?;
        let params = PatchParams::default();
        let merged = maps.patch("m", &params, &Patch::Merge(json!({"data": {"l": "2"}}))).await?;
        assert_eq!(data(&merged), [("k".into(), "1".into()), ("l".into(), "2".into())]);

        let deployments: Api<Deployment> = Api::default_namespaced(client);
        let apply = PatchParams::apply("one").validation_strict();
        let config = |image: &str, replicas: i32| {
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
                "spec": {
                    "replicas": replicas, "selector": {"matchLabels": {"a": "b"}},
                    "template": {
                        "metadata": {"labels": {"a": "b"}},
                        "spec": {"containers": [{"name": "c", "image": image}]},
                    },
                },
            })
        };
        let made = deployments.patch("d", &apply, &Patch::Apply(config("one", 1))).await?;
        let owner = made.managed_fields().first().and_then(|entry| entry.manager.clone());
        assert_eq!(owner.as_deref(), Some("one"));
        let other = PatchParams::apply("two");
        let conflict = deployments.patch("d", &other, &Patch::Apply(config("two", 1))).await;
        assert_eq!(refusal(conflict), Some((409, "Conflict".into())));
        let forced =
            deployments.patch("d", &other.force(), &Patch::Apply(config("two", 1))).await?;
        let images = |made: &Deployment| -> Vec<Option<String>> {
            let spec = made.spec.template.spec.iter();
            spec.flat_map(|spec| &spec.containers).map(|own| own.image.clone()).collect()
        };
        assert_eq!(images(&forced), [Some("two".into())]);

        let more = json!({"spec": {"template": {"spec": {"containers": [{"name": "d", "image": "three"}]}}}});
        let both = deployments.patch("d", &params, &Patch::Strategic(more)).await?;
        assert_eq!(images(&both).len(), 2);
        let scaled = Patch::Merge(json!({"spec": {"replicas": 4}}));
        let scale = deployments.patch_scale("d", &params, &scaled).await?;
        assert_eq!(scale.spec.and_then(|spec| spec.replicas), Some(4));
        Ok(())
    })
}

#[test]
fn lists_come_in_pages_and_by_selector() -> Done {
    session(async {
        let maps: Api<ConfigMap> = Api::default_namespaced(client(0)?);
        for number in 0..5 {
            maps.create(&PostParams::default(), &map(&format!("m{number}"), "1")?).await?;
        }
        let mut params = ListParams::default().labels("test=yes").limit(2);
        let mut pages = Vec::new();
        loop {
            let page = maps.list(&params).await?;
            pages.push(page.items.len());
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break,
            }
        }
        assert_eq!(pages, [2, 2, 1]);
        assert_eq!(
            maps.list_metadata(&ListParams::default().fields("metadata.name=m3"))
                .await?
                .items
                .len(),
            1
        );
        maps.delete_collection(&DeleteParams::default(), &ListParams::default().labels("test=yes"))
            .await?;
        assert!(maps.list(&ListParams::default().labels("test")).await?.items.is_empty());
        Ok(())
    })
}

#[test]
fn watches_tell_what_happens_and_end() -> Done {
    session(async {
        let maps: Api<ConfigMap> = Api::default_namespaced(client(0)?);
        let since = maps.list(&ListParams::default()).await?.metadata.resource_version;
        maps.create(&PostParams::default(), &map("m", "1")?).await?;
        maps.patch("m", &PatchParams::default(), &Patch::Merge(json!({"data": {"k": "2"}})))
            .await?;
        maps.delete("m", &DeleteParams::default()).await?;
        let params = WatchParams::default().labels("test=yes").timeout(20);
        let events = maps.watch(&params, since.as_deref().unwrap_or_default()).await?;
        let told: Vec<&str> = events
            .map_ok(|event| match event {
                WatchEvent::Added(_) => "added",
                WatchEvent::Modified(_) => "modified",
                WatchEvent::Deleted(_) => "deleted",
                WatchEvent::Bookmark(_) | WatchEvent::Error(_) => "other",
            })
            .try_collect()
            .await?;
        assert_eq!(told, ["added", "modified", "deleted"]);
        Ok(())
    })
}

#[test]
fn a_pod_runs_tells_and_ends() -> Done {
    session(async {
        let client = client(2)?;
        let pods: Api<Pod> = Api::default_namespaced(client.clone());
        pods.create(&PostParams::default(), &pod("echo hello; sleep 600")?).await?;
        await_condition(pods.clone(), "p", conditions::is_pod_running()).await?;
        assert_eq!(pods.logs("p", &LogParams::default()).await?, "hello\n");
        let node = pods.get("p").await?.spec.and_then(|spec| spec.node_name).unwrap_or_default();
        let nodes: Api<Node> = Api::all(client);
        nodes.cordon(&node).await?;
        assert_eq!(nodes.get(&node).await?.spec.and_then(|spec| spec.unschedulable), Some(true));
        let uid = pods.get("p").await?.uid().unwrap_or_default();
        pods.delete("p", &DeleteParams::default().grace_period(1)).await?;
        await_condition(pods, "p", conditions::is_deleted(&uid)).await?;
        Ok(())
    })
}

#[test]
fn a_reflector_has_what_the_server_has() -> Done {
    session(async {
        let maps: Api<ConfigMap> = Api::default_namespaced(client(0)?);
        maps.create(&PostParams::default(), &map("before", "1")?).await?;
        for streams in [false, true] {
            let config = watcher::Config::default().labels("test=yes");
            let config = if streams { config.streaming_lists() } else { config };
            let (reader, writer) = reflector::store();
            let stream =
                reflector::reflector(writer, watcher(maps.clone(), config)).applied_objects();
            let mut stream = std::pin::pin!(stream);
            let first = stream.try_next().await?.map(|map| map.name_any());
            assert_eq!(first.as_deref(), Some("before"));
            let name = format!("later-{streams}");
            maps.create(&PostParams::default(), &map(&name, "1")?).await?;
            while stream.try_next().await?.is_some_and(|map| map.name_any() != name) {}
            assert!(reader.state().iter().any(|map| map.name_any() == name));
        }
        Ok(())
    })
}

/// Copies `data.k` into an annotation.
async fn reconcile(map: Arc<ConfigMap>, client: Arc<Client>) -> Result<Action, kube::Error> {
    let maps: Api<ConfigMap> = Api::default_namespaced(Client::clone(&client));
    let value = map.data.as_ref().and_then(|data| data.get("k")).cloned();
    let patch = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"annotations": {"seen": value}},
    });
    maps.patch(&map.name_any(), &PatchParams::apply("copier"), &Patch::Apply(patch)).await?;
    Ok(Action::await_change())
}

#[test]
fn a_controller_reconciles() -> Done {
    session(async {
        let client = client(0)?;
        let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
        maps.create(&PostParams::default(), &map("m", "value")?).await?;
        let config = watcher::Config::default().labels("test=yes");
        let failed = |_: Arc<ConfigMap>, _: &kube::Error, _: Arc<Client>| {
            Action::requeue(Duration::from_secs(1))
        };
        let controller =
            Controller::new(maps.clone(), config).run(reconcile, failed, Arc::new(client));
        let mut runs = std::pin::pin!(controller);
        runs.try_next().await?;
        let seen = maps.get("m").await?.annotations().get("seen").cloned();
        assert_eq!(seen.as_deref(), Some("value"));
        Ok(())
    })
}

#[test]
fn discovery_finds_what_is_served() -> Done {
    session(async {
        let client = client(0)?;
        let found = kube::discovery::Discovery::new(client.clone()).run().await?;
        let apps = found.get("apps").ok_or("no group apps")?;
        let kinds: Vec<String> =
            apps.recommended_resources().into_iter().map(|(kind, _)| kind.kind).collect();
        assert!(kinds.contains(&"Deployment".to_owned()), "{kinds:?}");
        assert!(client.apiserver_version().await?.git_version.starts_with("v1."));
        Ok(())
    })
}
