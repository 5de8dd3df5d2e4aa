//! The documents that are no resources: the version, the health and what is served.

use serde_json::{Value, json};

use crate::api::RESOURCES;

/// The documents that are no resources.
pub(super) fn document(path: &str) -> Option<Value> {
    let resources = |group: &str| -> Vec<Value> {
        RESOURCES
            .iter()
            .filter(|resource| resource.group == group)
            .map(|resource| {
                json!({
                    "name": resource.plural, "singularName": resource.singular(),
                    "namespaced": resource.namespaced, "kind": resource.name,
                    "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
                    "shortNames": resource.short_names, "categories": resource.categories,
                })
            })
            .collect()
    };
    Some(match path.trim_end_matches('/') {
        "/version" => json!({
            "major": "1", "minor": "37", "gitVersion": "v1.37.0", "gitTreeState": "clean",
            "platform": "linux/amd64",
        }),
        "/healthz" | "/livez" | "/readyz" => json!("ok"),
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
        "/apis" => json!({
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": [{
                "name": "coordination.k8s.io",
                "versions": [{"groupVersion": "coordination.k8s.io/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "coordination.k8s.io/v1", "version": "v1"},
            }],
        }),
        "/api/v1" => json!({
            "kind": "APIResourceList", "groupVersion": "v1", "resources": resources(""),
        }),
        "/apis/coordination.k8s.io/v1" => json!({
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": "coordination.k8s.io/v1", "resources": resources("coordination.k8s.io"),
        }),
        _ => return None,
    })
}
