//! The parts of a Pod that are written by themselves while it runs.
//!
//! Mirrors: `ValidatePodEphemeralContainersUpdate` and `ValidatePodResize`.

use serde_json::Value;

use super::annotations;
use super::meta;
use super::pod::{PodParts, difference, metadata_and_spec};
use super::report::{Report, text};
use crate::api::document::Fragment;
use crate::api::field::{FieldError, Path};
use crate::api::phase::is_sidecar;
use crate::api::qos::QosClass;
use crate::api::to_json;
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
    let is_whole = |pod: &PodParts<'_>| {
        let lists = pod.spec.resources.iter().flat_map(|own| [&own.requests, &own.limits]);
        lists.flatten().any(|list| !list.is_empty())
    };
    if is_whole(old) || is_whole(new) {
        let words = "resize of pods with pod-level resources is forbidden when \
                     InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled";
        out.forbidden(&Path::new(""), words);
        return out.errors;
    }
    containers_resized(&mut out, &new.spec, &old.spec);
    let volumes = |pod: &PodParts<'_>| Fragment::part(&pod.spec.volumes).value().clone();
    if volumes(new) != volumes(old) {
        let words = "volumes are immutable on resize when \
                     InPlacePodVerticalScalingMemoryBackedVolumes feature gate is disabled";
        out.forbidden_at(&path, "volumes", words);
    }
    out.errors
}

fn containers_resized(out: &mut Report, new: &PodSpec, old: &PodSpec) {
    let path = Path::new("spec");
    let (inits, before) = (inits(new), inits(old));
    let lists =
        [("containers", &*new.containers, &*old.containers), ("initContainers", inits, before)];
    let mut in_order = true;
    for (field, new, old) in lists {
        let path = path.child(field);
        if new.len() != old.len() {
            in_order = false;
            out.forbidden(&path, format!("{field} may not be added or removed on resize"));
            continue;
        }
        for (index, _) in new.iter().zip(old).enumerate().filter(|(_, (a, b))| a.name != b.name) {
            in_order = false;
            let words = format!("{field} may not be renamed or reordered on resize");
            out.forbidden_at(&path.index(index), "name", words);
        }
    }
    if !in_order {
        return;
    }
    let init_path = path.child("initContainers");
    let inits = || inits.iter().zip(before).enumerate();
    let mains = || new.containers.iter().zip(&old.containers).enumerate();
    for (index, pair) in inits().filter(|(_, (_, old))| is_sidecar(old)) {
        removals(out, pair, &init_path.index(index));
    }
    for (index, pair) in mains() {
        removals(out, pair, &path.child("containers").index(index));
    }
    for (_, (new, old)) in mains() {
        if changes_more(new, old) {
            out.forbidden(&path, "only cpu and memory resources are mutable");
        }
    }
    for (index, (new, old)) in inits() {
        if is_sidecar(new) && changes_more(new, old) {
            let words = "only cpu and memory resources for init or sidecar containers are mutable";
            out.forbidden(&init_path.index(index), words);
        } else if !is_sidecar(new) && new != old {
            out.forbidden(&path, "resources for non-sidecar init containers are immutable");
        }
    }
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
    let path = path.child("resources");
    let [new, old] = [new, old].map(|container| {
        let own = container.resources.as_ref();
        [own.and_then(|own| own.requests.as_ref()), own.and_then(|own| own.limits.as_ref())]
    });
    let words = [
        ("requests", "resource requests cannot be removed"),
        ("limits", "resource limits cannot be removed"),
    ];
    for ((field, words), (new, old)) in words.into_iter().zip(new.into_iter().zip(old)) {
        let stays = |name: &String| new.is_some_and(|new| new.contains_key(name));
        if old.into_iter().flatten().any(|(name, _)| !stays(name)) {
            out.forbidden_at(&path, field, words);
        }
    }
}

/// Whether a container changes in more than the amounts that can be resized.
fn changes_more(new: &Container, old: &Container) -> bool {
    let (mut new, mut old) = (to_json(new), to_json(old));
    for list in ["requests", "limits"] {
        for container in [&mut new, &mut old] {
            let own = container.get_mut("resources").and_then(Value::as_object_mut);
            let Some(own) = own else { continue };
            let amounts = own.get_mut(list).and_then(Value::as_object_mut);
            let stays = amounts.is_some_and(|amounts| {
                amounts.retain(|name, _| !RESIZED.contains(&&**name));
                !amounts.is_empty()
            });
            if !stays {
                own.remove(list);
            }
        }
    }
    new != old
}
