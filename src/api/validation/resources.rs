//! Requests and limits.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ResourceClaim, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as WireQuantity;

use super::NEGATIVE;
use super::report::{Report, text};
use crate::api::defaults;
use crate::api::document::Fragment;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::quantity::Quantity;
use crate::api::wire::PodSpec;

type ResourceList = BTreeMap<String, WireQuantity>;

const HUGE_PAGES: &str = "hugepages-";
const NOT_INTEGER: &str = "must be an integer";

/// What a container may ask for without naming a domain.
const OF_CONTAINERS: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];

/// Resources that quotas count, which have no domain either.
const STANDARD: [&str; 20] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

/// Resources that are counted in whole numbers.
const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Whose resources are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Container,
    Pod,
    Quota,
    /// A limit of what is no Pod.
    Any,
}

/// Requests and limits of a container or of a whole Pod.
pub(super) fn requirements(
    out: &mut Report,
    own: &ResourceRequirements,
    owner: Owner,
    pod_claims: &[&str],
    path: &Path,
) {
    let (limits, requests) = (path.child("limits"), path.child("requests"));
    list(out, own.limits.as_ref(), owner, &limits);
    for (name, wire) in own.requests.iter().flatten() {
        one(out, name, wire, owner, &requests.key(name));
        let limit = own.limits.as_ref().and_then(|limits| limits.get(name));
        within_limit(out, name, wire, limit, (&requests, &limits));
    }
    let lists = [&own.limits, &own.requests].into_iter().flatten();
    let names: Vec<&String> = lists.flat_map(BTreeMap::keys).collect();
    let compute = names.iter().any(|name| matches!(name.as_str(), "cpu" | "memory"));
    if !compute && names.iter().any(|name| name.starts_with(HUGE_PAGES)) {
        out.forbidden(path, "HugePages require cpu or memory");
    }
    claims(out, own.claims.as_deref().unwrap_or_default(), pod_claims, &path.child("claims"));
}

/// A list of resources by itself.
pub(super) fn list(out: &mut Report, list: Option<&ResourceList>, owner: Owner, path: &Path) {
    for (name, wire) in list.into_iter().flatten() {
        one(out, name, wire, owner, &path.key(name));
    }
}

/// What it takes to run a Pod besides its containers, which upstream reads as limits of a container.
pub(super) fn overhead(out: &mut Report, list: Option<ResourceList>, path: &Path) {
    let own = ResourceRequirements { limits: list, ..ResourceRequirements::default() };
    requirements(out, &own, Owner::Container, &[], path);
}

fn one(out: &mut Report, name: &str, wire: &WireQuantity, owner: Owner, path: &Path) {
    resource_name(out, name, owner, path);
    quantity(out, name, wire, path);
    if let Some(size) = name.strip_prefix(HUGE_PAGES)
        && !divides(size, &wire.0)
    {
        let words = format!("{} is not positive integer multiple of {name}", wire.0);
        out.invalid(path, wire.0.as_str(), words);
    }
}

fn divides(size: &str, amount: &str) -> bool {
    let (Ok(size), Ok(amount)) = (Quantity::parse(size), Quantity::parse(amount)) else {
        return false;
    };
    let (size, amount) = (size.value(), amount.value());
    size > 0 && amount >= 0 && amount % size == 0
}

/// An amount: never negative, and whole where a part of it makes no sense.
pub(super) fn quantity(out: &mut Report, name: &str, wire: &WireQuantity, path: &Path) {
    amount(out, name, &wire.0, path);
}

/// As [`quantity`], of an amount's text.
pub(super) fn amount(out: &mut Report, name: &str, text: &str, path: &Path) {
    let Ok(quantity) = Quantity::parse(text) else { return };
    if quantity.is_negative() {
        out.invalid(path, text, NEGATIVE);
    }
    let whole = is_extended(name) || COUNTED.contains(&name);
    if whole && quantity.milli_value() % 1_000 != 0 {
        out.invalid(path, text, NOT_INTEGER);
    }
}

fn within_limit(
    out: &mut Report,
    name: &str,
    request: &WireQuantity,
    limit: Option<&WireQuantity>,
    (requests, limits): (&Path, &Path),
) {
    let Some(limit) = limit else {
        if !overcommits(name) {
            out.required(limits, "Limit must be set for non overcommitable resources");
        }
        return;
    };
    let (Ok(asked), Ok(most)) = (Quantity::parse(&request.0), Quantity::parse(&limit.0)) else {
        return;
    };
    if asked != most && !overcommits(name) {
        let words = format!("must be equal to {name} limit of {}", limit.0);
        out.invalid(requests, request.0.as_str(), words);
    } else if asked > most {
        let words = format!("must be less than or equal to {name} limit of {}", limit.0);
        out.invalid(requests, request.0.as_str(), words);
    }
}

pub(super) fn resource_name(out: &mut Report, name: &str, owner: Owner, path: &Path) {
    let words = names::label_key(name);
    if !words.is_empty() {
        out.each(path, name, words);
        return;
    }
    let qualified = name.contains('/');
    let huge = name.starts_with(HUGE_PAGES) || name.starts_with("requests.hugepages-");
    if !qualified && !huge && !STANDARD.contains(&name) {
        out.invalid(path, name, "must be a standard resource type or fully qualified");
        if owner == Owner::Pod {
            return;
        }
    }
    match owner {
        Owner::Pod if !huge && !matches!(name, "cpu" | "memory") => {
            let supported = ["cpu", "hugepages-", "memory"];
            out.errors.push(FieldError::not_supported(path, name, &supported));
        }
        Owner::Container if !qualified && !huge && !OF_CONTAINERS.contains(&name) => {
            out.invalid(path, name, "must be a standard resource for containers");
        }
        Owner::Container if !is_native(name) && !is_extended(name) => {
            out.invalid(path, name, "doesn't follow extended resource name standard");
        }
        Owner::Quota if !qualified && !huge && (name == "storage" || !STANDARD.contains(&name)) => {
            out.invalid(path, name, "must be a standard resource for quota");
        }
        Owner::Pod | Owner::Container | Owner::Quota | Owner::Any => {}
    }
}

/// Kubernetes' own, by having no domain or its.
pub fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether a resource is somebody else's, such as `example.com/gpu`.
pub fn is_extended(name: &str) -> bool {
    let quota = format!("requests.{name}");
    !is_native(name) && !name.starts_with("requests.") && names::label_key(&quota).is_empty()
}

pub(super) fn overcommits(name: &str) -> bool {
    is_native(name) && !name.starts_with(HUGE_PAGES)
}

fn claims(out: &mut Report, claims: &[ResourceClaim], of_pod: &[&str], path: &Path) {
    let mut seen: Vec<String> = Vec::new();
    for (index, claim) in claims.iter().enumerate() {
        let (path, name, request) = (path.index(index), &claim.name, text(&claim.request));
        if name.is_empty() {
            out.required(&path, "");
            continue;
        }
        if !request.is_empty() {
            out.words_at(&path, "request", request, names::dns1123_label);
        }
        let key = if request.is_empty() { name.clone() } else { format!("{name}/{request}") };
        if seen.contains(name) {
            out.duplicate(&path, name.as_str());
        } else if seen.contains(&key) {
            out.duplicate(&path, key.as_str());
        } else {
            let of_this = |seen: &&String| seen.split('/').next() == Some(name);
            let parts = if request.is_empty() { seen.iter().filter(of_this).count() } else { 0 };
            (0..parts).for_each(|_| out.duplicate(&path, name.as_str()));
            seen.push(key);
        }
        if !of_pod.contains(&name.as_str()) {
            let mut error = FieldError::not_found(&path, name.as_str());
            error.detail = match of_pod {
                [] => "must be one of the names in pod.spec.resourceClaims which is empty".into(),
                names => {
                    let names = names.join(", ");
                    format!("must be one of the names in pod.spec.resourceClaims: {names}")
                }
            };
            out.errors.push(error);
        }
    }
}

/// Resources of a Pod as a whole, against those of its containers.
pub(super) fn of_pod(
    out: &mut Report,
    spec: &PodSpec,
    own: &ResourceRequirements,
    pod_claims: &[&str],
    path: &Path,
) {
    if Fragment::part(&spec.os).at("name").text() == "windows" {
        out.forbidden(path, "may not be set for a windows pod");
        return;
    }
    if own.claims.is_some() {
        let words = "claims may not be set for Resources at pod-level";
        out.forbidden_at(path, "claims", words);
    }
    requirements(out, own, Owner::Pod, pod_claims, path);
    // Of what is asked for more than is limited only huge pages matter, which nobody shares.
    for (field, list, total, of) in [
        ("requests", &own.requests, defaults::container_requests(spec), ""),
        ("limits", &own.limits, defaults::container_limits(spec), HUGE_PAGES),
    ] {
        for (name, needed) in total.into_iter().filter(|(name, _)| name.starts_with(of)) {
            let Some(own) = list.as_ref().and_then(|list| list.get(&name)) else { continue };
            if Quantity::parse(&own.0).is_ok_and(|own| needed > own) {
                let words = format!(
                    "must be greater than or equal to aggregate container {field} of {needed}"
                );
                out.invalid(&path.child(field).key(&name), own.0.as_str(), words);
            }
        }
    }
    for (index, container) in spec.containers.iter().enumerate() {
        let limits = container.resources.iter().filter_map(|own| own.limits.as_ref()).flatten();
        for (name, wire) in limits {
            let most = own.limits.as_ref().and_then(|limits| limits.get(name));
            let Some(most) = most else { continue };
            let (Ok(limit), Ok(bound)) = (Quantity::parse(&wire.0), Quantity::parse(&most.0))
            else {
                continue;
            };
            if limit > bound {
                let path = path.child("containers").index(index).key(name).child("limits");
                let words = format!("must be less than or equal to pod limits of {}", most.0);
                out.invalid(&path, wire.0.as_str(), words);
            }
        }
    }
}
