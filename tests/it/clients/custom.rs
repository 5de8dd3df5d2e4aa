//! kube-rs and a kind of its user's own: a controller that counts.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::controller::Action;
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{Controller, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::json;

use super::client;
use super::kube_rs::{Done, refusal, session, typed};

const NAME: &str = "tallies.example.com";

fn tallies() -> ApiResource {
    ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk("example.com", "v1", "Tally"),
        "tallies",
    )
}

/// Defines the kind, and waits until it is served.
async fn define(client: &Client) -> Done {
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {"type": "object", "required": ["of"], "properties": {
                "of": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            }},
            "status": {"type": "object", "properties": {"sum": {"type": "integer"}}},
        },
    });
    let definition: CustomResourceDefinition = typed(json!({
        "metadata": {"name": NAME},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "tallies", "singular": "tally", "kind": "Tally"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}},
            }],
        },
    }))?;
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    definitions.create(&PostParams::default(), &definition).await?;
    await_condition(definitions, NAME, conditions::is_crd_established()).await?;
    Ok(())
}

fn tally(name: &str, of: &[i64]) -> DynamicObject {
    DynamicObject::new(name, &tallies()).data(json!({"spec": {"of": of}}))
}

/// Writes the sum into the status.
async fn reconcile(tally: Arc<DynamicObject>, client: Arc<Client>) -> Result<Action, kube::Error> {
    let all: Api<DynamicObject> = Api::default_namespaced_with(Client::clone(&client), &tallies());
    let of = tally.data.pointer("/spec/of").and_then(|of| of.as_array());
    let sum: i64 = of.into_iter().flatten().filter_map(serde_json::Value::as_i64).sum();
    let patch = Patch::Merge(json!({"status": {"sum": sum}}));
    all.patch_status(&tally.name_any(), &PatchParams::default(), &patch).await?;
    Ok(Action::await_change())
}

#[test]
fn a_controller_of_a_kind_of_its_own_reconciles() -> Done {
    session(async {
        let client = client(0)?;
        define(&client).await?;
        let all: Api<DynamicObject> = Api::default_namespaced_with(client.clone(), &tallies());
        let wrong = all.create(&PostParams::default(), &tally("wrong", &[-1])).await;
        assert_eq!(refusal(wrong), Some((422, "Invalid".into())));
        all.create(&PostParams::default(), &tally("three", &[1, 2])).await?;
        let failed = |_: Arc<DynamicObject>, _: &kube::Error, _: Arc<Client>| {
            Action::requeue(Duration::from_secs(1))
        };
        let controller = Controller::new_with(all.clone(), watcher::Config::default(), tallies());
        let runs = controller.run(reconcile, failed, Arc::new(client));
        let mut runs = std::pin::pin!(runs);
        runs.try_next().await?;
        let three = all.get("three").await?;
        assert_eq!(three.data.pointer("/status/sum"), Some(&json!(3)));
        assert_eq!(three.metadata.generation, Some(1));
        assert_eq!(all.list(&ListParams::default()).await?.items.len(), 1);
        Ok(())
    })
}
