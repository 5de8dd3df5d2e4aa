//! `/openapi/v3`: which paths there are, and which parameters they take.
//!
//! Clients look here for what a server can do, as `kubectl apply` for `fieldValidation`. Left out: the
//! schemas of types that are always there, which `kubectl explain` reads; a server of them adds them.
//!
//! Mirrors: `kube-openapi/pkg/handler3` and what `apiserver/pkg/endpoints/installer.go` writes.

use serde_json::{Map, Value, json};

use crate::api::{Kind, Kinds, ResourceType};

/// The parameters of each method.
const PARAMETERS: [(&str, &[&str]); 5] = [
    ("get", &["pretty"]),
    ("post", &["pretty", "dryRun", "fieldManager", "fieldValidation"]),
    ("put", &["pretty", "dryRun", "fieldManager", "fieldValidation"]),
    ("patch", &["pretty", "dryRun", "fieldManager", "fieldValidation", "force"]),
    ("delete", &["pretty", "dryRun", "gracePeriodSeconds", "propagationPolicy"]),
];

/// The document at `path`, given without its slashes at the ends and cut at the others.
pub(super) fn document(kinds: &Kinds, path: &[&str]) -> Option<Value> {
    match path {
        ["openapi", "v3"] => Some(root(kinds)),
        ["openapi", "v3", "api", version] => of_version(kinds, "", version),
        ["openapi", "v3", "apis", group, version] => of_version(kinds, group, version),
        _ => None,
    }
}

fn root(kinds: &Kinds) -> Value {
    let mut paths = Map::new();
    for resource in kinds.resources() {
        let path = resource.prefix();
        let url = format!("/openapi/v3{path}?hash=podflow");
        paths.insert(path.trim_start_matches('/').into(), json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

fn of_version(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let of =
        |resource: &&'static ResourceType| resource.group == group && resource.version == version;
    let mut all = Map::new();
    all.extend(kinds.resources().filter(of).flat_map(paths));
    let defined = kinds.defined().iter().filter(|kind| of(&kind.resource()));
    let mut schemas = Map::new();
    for (name, schema) in defined.filter_map(|kind| schema(*kind)) {
        schemas.insert(name, schema);
    }
    (!all.is_empty()).then(|| {
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": "v1.37.0"},
            "paths": all,
            "components": {"schemas": schemas},
        })
    })
}

/// The schema of a defined kind, and its name: as of a type in a package that is called like the group.
fn schema(kind: Kind) -> Option<(String, Value)> {
    let ResourceType { group, version, name, .. } = *kind.resource();
    let mut package: Vec<&str> = group.rsplit('.').collect();
    package.extend([version, name]);
    let mut schema = kind.custom()?.schema().source().clone();
    let fields = schema.as_object_mut()?;
    let of = json!([{"group": group, "version": version, "kind": name}]);
    fields.insert("x-kubernetes-group-version-kind".to_owned(), of);
    let properties = fields.entry("properties").or_insert_with(|| json!({})).as_object_mut()?;
    for text in ["apiVersion", "kind"] {
        properties.insert(text.to_owned(), json!({"type": "string"}));
    }
    let meta = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    properties.insert("metadata".to_owned(), json!({"$ref": meta}));
    Some((package.join("."), schema))
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
