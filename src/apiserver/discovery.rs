//! The documents that are no resources: the version, the health and what is served.
//!
//! Mirrors: `apiserver/pkg/endpoints/discovery`, the aggregated form among it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIResource, APIResourceList};
use serde_json::{Value, json};

use super::openapi;
use crate::api::representation::Representation;
use crate::api::request::{Document, JSON};
use crate::api::reviews::{REVIEWS, Review};
use crate::api::to_json;
use crate::api::{Kind, Kinds, ResourceType};
use crate::sim::sort;

const TEXT: &str = "text/plain; charset=utf-8";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// What can be done with the objects of every kind.
const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The document at `path`, which is no resource's, of a server of these `kinds`.
pub(super) fn document(kinds: &Kinds, path: &str, wanted: Representation) -> Option<Document> {
    let json = |body| Some(Document { code: 200, media: JSON, body });
    let (path, verbose) = path.strip_suffix("?verbose").map_or((path, false), |path| (path, true));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (parts.as_slice(), wanted) {
        ([], _) => Some(Document { code: 200, media: JSON, body: paths(kinds) }),
        ([end @ ("healthz" | "livez" | "readyz"), checks @ ..], _) => {
            let body = health(end, &checks.join("/"), verbose)?;
            Some(Document { code: 200, media: TEXT, body: body.into() })
        }
        (["openapi", ..], _) => openapi::document(kinds, &parts).and_then(json),
        (["version"], _) => json(version()),
        (["api"], Representation::Discovery) => Some(aggregated(kinds, str::is_empty)),
        (["apis"], Representation::Discovery) => Some(aggregated(kinds, |group| !group.is_empty())),
        (["api"], _) => json(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [
                {"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"},
            ],
        })),
        (["apis"], _) => {
            let groups = groups(kinds).into_iter().filter(|group| !group.is_empty());
            let groups: Vec<Value> = groups.map(|name| group(kinds, name)).collect();
            json(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        (["api", version], _) => resources(kinds, "", version).and_then(json),
        (["apis", name], _) => {
            let name = groups(kinds).into_iter().find(|group| group == name)?;
            let mut group = group(kinds, name);
            let fields = group.as_object_mut()?;
            fields.insert("kind".to_owned(), "APIGroup".into());
            fields.insert("apiVersion".to_owned(), "v1".into());
            json(group)
        }
        (["apis", group, version], _) => resources(kinds, group, version).and_then(json),
        _ => None,
    }
}

/// What is said of a path at which there is nothing: below the groups that, elsewhere what there is.
pub(super) fn nothing(kinds: &Kinds, path: &str) -> Document {
    if path.starts_with("/api/") || path.starts_with("/apis/") {
        return Document { code: 404, media: TEXT, body: "404 page not found\n".into() };
    }
    Document { code: 404, media: JSON, body: paths(kinds) }
}

/// What can be checked of the server's health.
const CHECKS: [&str; 6] = [
    "ping",
    "log",
    "etcd",
    "informer-sync",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
];

/// What is told at an end of health: of all checks, or of one.
///
/// Mirrors: `apiserver/pkg/server/healthz`.
fn health(end: &str, check: &str, verbose: bool) -> Option<String> {
    // Informers count for whether it is ready, not for whether it lives.
    let counts = |name: &&str| end == "readyz" || *name != "informer-sync";
    let mut checks = CHECKS.into_iter().filter(counts);
    if !check.is_empty() {
        return checks.any(|name| name == check).then(|| "ok".to_owned());
    }
    if !verbose {
        return Some("ok".to_owned());
    }
    let told = checks.map(|name| format!("[+]{name} ok"));
    let lines: Vec<String> = told.chain([format!("{end} check passed\n")]).collect();
    Some(lines.join("\n"))
}

/// The paths at which there is something.
fn paths(kinds: &Kinds) -> Value {
    let mut paths: Vec<String> =
        ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]
            .map(str::to_owned)
            .into();
    for group in groups(kinds).into_iter().filter(|group| !group.is_empty()) {
        paths.push(format!("/apis/{group}"));
        paths.extend(
            versions(kinds, group).iter().map(|version| format!("/apis/{group}/{version}")),
        );
    }
    paths.push("/api/v1".to_owned());
    for end in ["healthz", "livez", "readyz"] {
        let checks = CHECKS.iter().filter(|check| health(end, check, false).is_some());
        paths.extend(checks.map(|check| format!("/{end}/{check}")));
    }
    sort::by(&mut paths, Ord::cmp);
    json!({"paths": paths})
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "37",
        "emulationMajor": "1", "emulationMinor": "37",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "36",
        "gitVersion": "v1.37.0", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "", "compiler": "",
        "platform": "linux/amd64",
    })
}

/// In which order clients look for a kind that several groups have.
///
/// Mirrors: `apiVersionPriorities` of `pkg/controlplane/apiserver/aggregator.go`.
const PRIORITIES: [&str; 15] = [
    "",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
];

/// The groups, each once.
fn groups(kinds: &Kinds) -> Vec<&'static str> {
    let served = |group: &&str| {
        kinds.resources().any(|resource| resource.group == *group)
            || REVIEWS.iter().any(|review| review.group == *group)
    };
    let mut seen: Vec<&str> = PRIORITIES.into_iter().filter(served).collect();
    for resource in kinds.resources() {
        if !seen.contains(&resource.group) {
            seen.push(resource.group);
        }
    }
    for review in &REVIEWS {
        if !seen.contains(&review.group) {
            seen.push(review.group);
        }
    }
    seen
}

/// The versions of a group, the preferred one first.
fn versions(kinds: &Kinds, group: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> = Vec::new();
    for resource in kinds.resources().filter(|resource| resource.group == group) {
        if !versions.contains(&resource.version) {
            versions.push(resource.version);
        }
    }
    if versions.is_empty() && REVIEWS.iter().any(|review| review.group == group) {
        versions.push("v1");
    }
    versions
}

/// The reviews of a version of a group.
fn reviews<'a>(
    group: &'a str,
    version: &'a str,
) -> impl Iterator<Item = &'static Review> + use<'a> {
    REVIEWS.iter().filter(move |review| review.group == group && version == "v1")
}

/// What can be done with a resource.
fn verbs(resource: &ResourceType) -> impl Iterator<Item = &'static str> + use<> {
    // All namespaces at once are deleted by nobody.
    let all_at_once = *resource != *Kind::Namespace.resource();
    VERBS.into_iter().filter(move |verb| all_at_once || *verb != "deletecollection")
}

fn group(kinds: &Kinds, name: &str) -> Value {
    let version =
        |version: &str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let versions: Vec<Value> = versions(kinds, name).into_iter().map(version).collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

fn of_version<'a>(
    kinds: &'a Kinds,
    group: &'a str,
    version: &'a str,
) -> impl Iterator<Item = &'static ResourceType> + use<'a> {
    let resources = kinds.resources();
    resources.filter(move |resource| resource.group == group && resource.version == version)
}

/// What can be done with a part of an object, and as which kind it is written.
struct Part {
    verbs: &'static [&'static str],
    group: &'static str,
    version: &'static str,
    kind: &'static str,
}

impl Part {
    fn of(resource: &ResourceType, part: &str) -> Self {
        let ResourceType { group, version, name: kind, .. } = *resource;
        match part {
            "scale" => Self {
                verbs: &["get", "patch", "update"],
                group: "autoscaling",
                version: "v1",
                kind: "Scale",
            },
            "log" => Self { verbs: &["get"], group, version, kind },
            "exec" => Self { verbs: &["create", "get"], group, version, kind: "PodExecOptions" },
            "attach" => {
                Self { verbs: &["create", "get"], group, version, kind: "PodAttachOptions" }
            }
            "portforward" => {
                Self { verbs: &["create", "get"], group, version, kind: "PodPortForwardOptions" }
            }
            "finalize" => Self { verbs: &["update"], group, version, kind },
            "eviction" => {
                Self { verbs: &["create"], group: "policy", version: "v1", kind: "Eviction" }
            }
            "token" => Self {
                verbs: &["create"],
                group: "authentication.k8s.io",
                version: "v1",
                kind: "TokenRequest",
            },
            "binding" => Self { verbs: &["create"], group: "", version: "v1", kind: "Binding" },
            _ => Self { verbs: &["get", "patch", "update"], group, version, kind },
        }
    }
}

/// `APIResourceList`: the resources of one version of one group, with their parts.
fn resources(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let mut listed: Vec<APIResource> = Vec::new();
    for resource in of_version(kinds, group, version) {
        let texts = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
            (!texts.is_empty()).then_some(texts)
        };
        listed.push(APIResource {
            name: resource.plural.to_owned(),
            singular_name: resource.singular(),
            namespaced: resource.namespaced,
            kind: resource.name.to_owned(),
            verbs: verbs(resource).map(str::to_owned).collect(),
            short_names: texts(resource.short_names),
            categories: texts(resource.categories),
            ..APIResource::default()
        });
        for name in resource.subresources {
            let part = Part::of(resource, name);
            let foreign = part.group != group || part.version != version;
            listed.push(APIResource {
                name: format!("{}/{name}", resource.plural),
                namespaced: resource.namespaced,
                kind: part.kind.to_owned(),
                verbs: part.verbs.iter().map(|&verb| verb.to_owned()).collect(),
                group: (foreign && !part.group.is_empty()).then(|| part.group.to_owned()),
                version: foreign.then(|| part.version.to_owned()),
                ..APIResource::default()
            });
        }
    }
    listed.extend(reviews(group, version).map(|review| APIResource {
        name: review.plural.to_owned(),
        singular_name: review.name.to_ascii_lowercase(),
        namespaced: review.namespaced,
        kind: review.name.to_owned(),
        verbs: vec!["create".to_owned()],
        ..APIResource::default()
    }));
    sort::by(&mut listed, |one, other| one.name.cmp(&other.name));
    let group_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let list = APIResourceList { group_version, resources: listed };
    let mut body = to_json(&list);
    // The core group is older than the version of these lists.
    if let Some(body) = body.as_object_mut().filter(|_| group.is_empty()) {
        body.remove("apiVersion");
    }
    (!list.resources.is_empty()).then_some(body)
}

/// `APIGroupDiscoveryList`: all that the `wanted` groups have, in one document.
fn aggregated(kinds: &Kinds, wanted: fn(&str) -> bool) -> Document {
    let items: Vec<Value> = groups(kinds)
        .into_iter()
        .filter(|group| wanted(group))
        .map(|group| {
            let of = |version: &&str| {
                let kept = of_version(kinds, group, version).map(discovered);
                let asked = reviews(group, version).map(discovered_review);
                let resources: Vec<Value> = kept.chain(asked).collect();
                json!({"version": version, "freshness": "Current", "resources": resources})
            };
            let versions: Vec<Value> = versions(kinds, group).iter().map(of).collect();
            json!({
                "metadata": {"name": group, "creationTimestamp": null}, "versions": versions,
            })
        })
        .collect();
    let body = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {}, "items": items,
    });
    Document { code: 200, media: AGGREGATED, body }
}

fn discovered(resource: &ResourceType) -> Value {
    let parts = resource.subresources.iter().map(|name| {
        let Part { verbs, group, version, kind } = Part::of(resource, name);
        json!({
            "subresource": name, "verbs": verbs,
            "responseKind": {"group": group, "version": version, "kind": kind},
        })
    });
    json!({
        "resource": resource.plural,
        "responseKind": {
            "group": resource.group, "version": resource.version, "kind": resource.name,
        },
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular(),
        "verbs": verbs(resource).collect::<Vec<_>>(),
        "shortNames": resource.short_names,
        "categories": resource.categories,
        "subresources": parts.collect::<Vec<_>>(),
    })
}

fn discovered_review(review: &Review) -> Value {
    json!({
        "resource": review.plural,
        "responseKind": {"group": review.group, "version": "v1", "kind": review.name},
        "scope": if review.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": review.name.to_ascii_lowercase(),
        "verbs": ["create"],
    })
}
