//! The parts of a Pod that are written by themselves while it runs.
//!
//! Mirrors: `ValidatePodEphemeralContainersUpdate` and `ValidatePodResize`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::annotations;
use super::meta;
use super::pod::{PodParts, difference, metadata_and_spec};
use super::report::{Report, text};
use crate::api::document::Fragment;
use crate::api::field::{FieldError, Path};
use crate::api::phase::is_sidecar;
use crate::api::qos::QosClass;
use crate::api::wire::{Container, PodSpec};
use crate::api::words::MIRROR;

/// What can be resized.
const RESIZED: [&str; 2] = ["cpu", "memory"];

/// What is wrong with a Pod whose ephemeral containers take the place of those of `old`.
pub(super) fn ephemeral_containers(new: &PodParts<'_>, old: &PodParts<'_>) -> Vec<FieldError> {
    if is_static(old) {
        return never("static pods do not support ephemeral containers");
    }
    let mut out = Report::default();
    meta::update(&mut out, new.metadata, old.metadata);
    metadata_and_spec(&mut out, new);
    annotations::changes(&mut out, new, old);
    let path = Path::new("spec").child("ephemeralContainers");
    let list = |pod: &PodParts<'_>| Fragment::part(&pod.spec.ephemeral_containers).value().clone();
    let (new, old) = (list(new), list(old));
    for container in old.as_array().into_iter().flatten() {
        let name = &container["name"];
        // A patch does not keep the order.
        match new.as_array().into_iter().flatten().find(|new| new["name"] == *name) {
            None => {
                let words = format!("existing ephemeral containers {name} may not be removed\n");
                out.forbidden(&path, words);
            }
            Some(new) if new != container => {
                let mut lines = Vec::new();
                difference("", container, new, &mut lines);
                let words = format!("existing ephemeral containers {name} may not be changed\n");
                out.forbidden(&path, words + &lines.join("\n"));
            }
            Some(_) => {}
        }
    }
    out.errors
}

/// What is wrong with a Pod whose resources take the place of those of `old`.
pub(super) fn resize(new: &PodParts<'_>, old: &PodParts<'_>) -> Vec<FieldError> {
    let is_whole = |pod: &PodParts<'_>| {
        let lists = pod.spec.resources.iter().flat_map(|own| [&own.requests, &own.limits]);
        lists.flatten().any(|list| !list.is_empty())
    };
    if is_whole(old) || is_whole(new) {
        return never("pods with pod-level resources cannot be resized");
    }
    if is_static(old) {
        return never("static pods cannot be resized");
    }
    if Fragment::part(&old.spec.os).at("name").text() == "windows" {
        return never("windows pods cannot be resized");
    }
    let mut out = Report::default();
    meta::update(&mut out, new.metadata, old.metadata);
    metadata_and_spec(&mut out, new);
    let path = Path::new("spec");
    let class = text(&old.status.qos_class);
    if QosClass::of(&new.spec).as_str() != class {
        out.invalid(&path, class, "Pod QOS Class may not change as a result of resizing");
    }
    let mut running = old.status.container_statuses.iter().flatten();
    let running =
        running.find(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()));
    if running.is_some_and(|status| status.resources.is_none()) {
        out.forbidden(&path, "Pod running on node without support for resize");
    }
    let (inits, before) = (inits(&new.spec), inits(&old.spec));
    if inits.len() != before.len() || new.spec.containers.len() != old.spec.containers.len() {
        out.forbidden(&path.child("containers"), "pod updates may not add or remove containers");
        return out.errors;
    }
    let sidecars = inits.iter().zip(before).enumerate().filter(|(_, (_, old))| is_sidecar(old));
    let own = path.child("initContainers");
    sidecars.for_each(|(index, pair)| removals(&mut out, pair, &own.index(index)));
    let mains = || new.spec.containers.iter().zip(&old.spec.containers);
    let own = path.child("containers");
    mains().enumerate().for_each(|(index, pair)| removals(&mut out, pair, &own.index(index)));
    for (new, old) in mains() {
        if resized_to(new, old) != *old {
            out.forbidden(&path, "only cpu and memory resources are mutable");
        }
    }
    for (new, old) in inits.iter().zip(before) {
        if is_sidecar(new) && resized_to(new, old) != *old {
            out.forbidden(
                &path,
                "only cpu and memory resources for sidecar containers are mutable",
            );
        } else if !is_sidecar(new) && new != old {
            out.forbidden(&path, "resources for non-sidecar init containers are immutable");
        }
    }
    out.errors
}

fn never(why: &str) -> Vec<FieldError> {
    vec![FieldError::forbidden(&Path::new(""), why)]
}

fn is_static(pod: &PodParts<'_>) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(MIRROR))
}

fn inits(spec: &PodSpec) -> &[Container] {
    spec.init_containers.as_deref().unwrap_or_default()
}

/// What was asked for stays asked for.
fn removals(out: &mut Report, (new, old): (&Container, &Container), path: &Path) {
    let none = ResourceRequirements::default();
    let own = |container: &Container| container.resources.clone().unwrap_or_else(|| none.clone());
    let (new, old, path) = (own(new), own(old), path.child("resources"));
    for (field, new, old, words) in [
        ("requests", new.requests, old.requests, "resource requests cannot be removed"),
        ("limits", new.limits, old.limits, "resource limits cannot be removed"),
    ] {
        let new = new.unwrap_or_default();
        if old.iter().flatten().any(|(name, _)| !new.contains_key(name)) {
            out.forbidden(&path.child(field), words);
        }
    }
}

/// `new` with as much as `old` of what can be resized: a difference that is left is one too many.
fn resized_to(new: &Container, old: &Container) -> Container {
    type List = Option<BTreeMap<String, Quantity>>;
    let (now, then) = (new.resources.as_ref(), old.resources.as_ref());
    let list = |of: fn(&ResourceRequirements) -> &List| -> List {
        let mut list = now.and_then(|own| of(own).clone()).unwrap_or_default();
        let then = then.and_then(|own| of(own).as_ref())?;
        for name in RESIZED {
            list.remove(name);
            list.extend(then.get_key_value(name).map(|(name, much)| (name.clone(), much.clone())));
        }
        Some(list)
    };
    let (limits, requests) = (list(|own| &own.limits), list(|own| &own.requests));
    let resources = Some(ResourceRequirements { limits, requests, claims: None });
    Container { resources, ..new.clone() }
}
