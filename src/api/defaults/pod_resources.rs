//! Resources of a Pod as a whole, completed from those of its containers.
//!
//! Mirrors: `defaultHugePagePodLimits`, `defaultPodRequests`, `defaultPodLimits` and
//! `k8s.io/component-helpers/resource`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as WireQuantity;

use super::ResourceList;
use crate::api::quantity::Quantity;
use crate::api::wire::{Container, PodSpec};
use crate::sim::SortedMap;

const HUGE_PAGES: &str = "hugepages-";

/// Completes the resources of the Pod, if it states any.
pub(super) fn set_defaults(spec: &mut PodSpec) {
    let Some(mut own) = spec.resources.take() else { return };
    if !is_empty(own.limits.as_ref()) || !is_empty(own.requests.as_ref()) {
        huge_page_limits(&mut own, spec);
    }
    if !is_empty(own.limits.as_ref()) {
        requests(&mut own, spec);
    }
    if is_empty(own.limits.as_ref()) && own.requests.iter().flatten().any(|(name, _)| whole(name)) {
        limits(&mut own, spec);
    }
    spec.resources = Some(own);
}

fn is_empty(list: Option<&ResourceList>) -> bool {
    list.is_none_or(BTreeMap::is_empty)
}

/// Whether a Pod as a whole may ask for this resource.
fn whole(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with(HUGE_PAGES)
}

/// Huge pages are never promised twice.
fn overcommits(name: &str) -> bool {
    !name.starts_with(HUGE_PAGES)
}

fn huge_page_limits(own: &mut ResourceRequirements, spec: &PodSpec) {
    for (name, total) in total(spec, |resources| resources.limits.as_ref()) {
        let asked = own.requests.as_ref().is_some_and(|requests| requests.contains_key(&name));
        if name.starts_with(HUGE_PAGES) && !asked {
            put(&mut own.limits, name, &total);
        }
    }
}

fn requests(own: &mut ResourceRequirements, spec: &PodSpec) {
    for (name, total) in total(spec, |resources| resources.requests.as_ref()) {
        if whole(&name) && overcommits(&name) {
            put(&mut own.requests, name, &total);
        }
    }
    for (name, limit) in own.limits.iter().flatten().filter(|(name, _)| whole(name)) {
        let requests = own.requests.get_or_insert_default();
        requests.entry(name.clone()).or_insert_with(|| limit.clone());
    }
}

fn limits(own: &mut ResourceRequirements, spec: &PodSpec) {
    for (name, total) in total(spec, |resources| resources.limits.as_ref()) {
        let limited = |container: &Container| {
            let limits = container.resources.as_ref().and_then(|own| own.limits.as_ref());
            limits.is_some_and(|limits| limits.contains_key(&name))
        };
        let mut all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        if whole(&name) && overcommits(&name) && all.all(limited) {
            put(&mut own.limits, name, &total);
        }
    }
}

fn put(list: &mut Option<ResourceList>, name: String, quantity: &Quantity) {
    let list = list.get_or_insert_default();
    list.entry(name).or_insert_with(|| WireQuantity(quantity.to_string()));
}

/// What the Pod says of itself as a whole, and of other resources what its containers need together.
pub(super) fn whole_or_total(
    spec: &PodSpec,
    list: fn(&ResourceRequirements) -> Option<&ResourceList>,
) -> SortedMap<String, Quantity> {
    let mut needed = total(spec, list);
    let own = spec.resources.as_ref().and_then(list).into_iter().flatten();
    for (name, wire) in own.filter(|(name, _)| whole(name)) {
        if let Ok(quantity) = Quantity::parse(&wire.0) {
            needed.insert(name.clone(), quantity);
        }
    }
    needed
}

/// What the containers need together: those that stay add up, and an init container that ends
/// needs its own beside the sidecars before it.
pub(super) fn total(
    spec: &PodSpec,
    list: fn(&ResourceRequirements) -> Option<&ResourceList>,
) -> SortedMap<String, Quantity> {
    let of = |container: &Container| -> SortedMap<String, Quantity> {
        let list = container.resources.as_ref().and_then(list).into_iter().flatten();
        let read = |(name, wire): (&String, &WireQuantity)| {
            Some((name.clone(), Quantity::parse(&wire.0).ok()?))
        };
        list.filter_map(read).collect()
    };
    let (mut sum, mut sidecars, mut peak) = (SortedMap::new(), SortedMap::new(), SortedMap::new());
    for container in &spec.containers {
        add(&mut sum, &of(container));
    }
    for container in spec.init_containers.iter().flatten() {
        let mut needed = of(container);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut sum, &needed);
            add(&mut sidecars, &needed);
            needed.clone_from(&sidecars);
        } else {
            add(&mut needed, &sidecars);
        }
        at_least(&mut peak, needed);
    }
    at_least(&mut sum, peak);
    sum
}

fn add(sum: &mut SortedMap<String, Quantity>, more: &SortedMap<String, Quantity>) {
    for (name, quantity) in more {
        match sum.get_mut(name) {
            Some(sum) => sum.add(quantity),
            None => drop(sum.insert(name.clone(), quantity.clone())),
        }
    }
}

fn at_least(list: &mut SortedMap<String, Quantity>, others: SortedMap<String, Quantity>) {
    for (name, quantity) in others {
        if list.get(&name).is_none_or(|own| *own < quantity) {
            list.insert(name, quantity);
        }
    }
}
