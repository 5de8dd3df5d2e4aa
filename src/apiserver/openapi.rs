//! `/openapi/v3`: which paths there are, and which parameters they take.
//!
//! Clients look here for what a server can do, as `kubectl apply` for `fieldValidation`. Left out: the
//! schemas of the types, which `kubectl explain` reads.
//!
//! Mirrors: `kube-openapi/pkg/handler3` and what `apiserver/pkg/endpoints/installer.go` writes.

use serde_json::{Map, Value, json};

use crate::api::{RESOURCES, ResourceType};

/// The parameters of each method.
const PARAMETERS: [(&str, &[&str]); 5] = [
    ("get", &["pretty"]),
    ("post", &["pretty", "dryRun", "fieldManager", "fieldValidation"]),
    ("put", &["pretty", "dryRun", "fieldManager", "fieldValidation"]),
    ("patch", &["pretty", "dryRun", "fieldManager", "fieldValidation", "force"]),
    ("delete", &["pretty", "dryRun", "gracePeriodSeconds", "propagationPolicy"]),
];

/// The document at `path`, given without its slashes at the ends and cut at the others.
pub(super) fn document(path: &[&str]) -> Option<Value> {
    match path {
        ["openapi", "v3"] => Some(root()),
        ["openapi", "v3", "api", version] => of_version("", version),
        ["openapi", "v3", "apis", group, version] => of_version(group, version),
        _ => None,
    }
}

fn root() -> Value {
    let mut paths = Map::new();
    for resource in RESOURCES {
        let path = resource.prefix();
        let url = format!("/openapi/v3{path}?hash=podflow");
        paths.insert(path.trim_start_matches('/').into(), json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

fn of_version(group: &str, version: &str) -> Option<Value> {
    let of = |resource: &&ResourceType| resource.group == group && resource.version == version;
    let mut all = Map::new();
    all.extend(RESOURCES.iter().filter(of).flat_map(paths));
    (!all.is_empty()).then(|| {
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": "v1.37.0"},
            "paths": all,
            "components": {"schemas": {}},
        })
    })
}

/// The paths of a resource: of all objects, of one, and of its parts.
fn paths(resource: &ResourceType) -> Vec<(String, Value)> {
    let place = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
    let all = format!("{}{place}/{}", resource.prefix(), resource.plural);
    let one = format!("{all}/{{name}}");
    let mut paths = vec![
        (all, operations(resource, &["get", "post", "delete"])),
        (one.clone(), operations(resource, &["get", "put", "patch", "delete"])),
    ];
    for part in resource.subresources {
        paths.push((format!("{one}/{part}"), operations(resource, &["get", "put", "patch"])));
    }
    paths
}

fn operations(resource: &ResourceType, methods: &[&str]) -> Value {
    let wanted = PARAMETERS.iter().filter(|(method, _)| methods.contains(method));
    let mut operations = Map::new();
    for (method, parameters) in wanted {
        let parameters = parameters.iter().map(|name| json!({"name": name, "in": "query"}));
        let operation = json!({
            "parameters": parameters.collect::<Vec<_>>(),
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-group-version-kind": {
                "group": resource.group, "version": resource.version, "kind": resource.name,
            },
        });
        operations.insert((*method).to_owned(), operation);
    }
    operations.into()
}
