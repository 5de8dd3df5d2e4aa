//! Pods: created, updated, their status reported, bound to a node.

use std::borrow::Cow;

use k8s_openapi::api::core::v1 as core;
use serde_json::Value;

pub use super::pod_status::status_update;
use super::report::{Report, text};
use super::{Validate, affinity, annotations, meta, pod_parts, pod_spec};
use crate::api::document::{Fragment, Part};
use crate::api::field::{FieldError, Path};
use crate::api::request::Subresource;
use crate::api::to_json;
use crate::api::wire::{self, PodSpec, PodStatus};
use crate::api::{self, ObjectMeta, names};

/// What may change in the spec of a Pod, as the refusal of all else lists it.
const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,\
                         `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                         existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to \
                         be set to 1 if it was previously negative)";

/// The parts of a Pod, wherever they are kept.
#[derive(Clone, Debug)]
pub struct PodParts<'a> {
    pub metadata: &'a ObjectMeta,
    /// Its own `node_name` counts only where [`PodParts::node_name`] is empty.
    pub spec: Cow<'a, PodSpec>,
    pub node_name: &'a str,
    pub status: Cow<'a, PodStatus>,
}

impl<'a> From<&'a wire::Pod> for PodParts<'a> {
    fn from(pod: &'a wire::Pod) -> Self {
        let spec = pod.spec.as_ref();
        Self {
            metadata: &pod.metadata,
            node_name: spec.map_or("", |spec| text(&spec.node_name)),
            spec: spec.map_or_else(|| Cow::Owned(PodSpec::default()), Cow::Borrowed),
            status: pod
                .status
                .as_ref()
                .map_or_else(|| Cow::Owned(PodStatus::default()), Cow::Borrowed),
        }
    }
}

impl<'a> From<&'a api::Pod> for PodParts<'a> {
    fn from(pod: &'a api::Pod) -> Self {
        Self {
            metadata: &pod.metadata,
            spec: Cow::Borrowed(&pod.spec),
            node_name: pod.node_name.as_deref().unwrap_or_default(),
            status: Cow::Borrowed(&pod.status),
        }
    }
}

impl Validate for wire::Pod {
    fn validate_create(&self) -> Vec<FieldError> {
        create(&self.into())
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        update(&self.into(), &old.into())
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        status_update(&self.into(), &old.into())
    }
}

impl Validate for api::Pod {
    fn validate_create(&self) -> Vec<FieldError> {
        create(&self.into())
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        update(&self.into(), &old.into())
    }

    fn validate_part_update(&self, old: &Self, part: Subresource) -> Vec<FieldError> {
        let check = if part == Subresource::Status {
            status_update
        } else if part == Subresource::EphemeralContainers {
            pod_parts::ephemeral_containers
        } else if part == Subresource::Resize {
            pod_parts::resize
        } else {
            update
        };
        check(&self.into(), &old.into())
    }
}

/// What is wrong with a new Pod.
pub fn create(pod: &PodParts<'_>) -> Vec<FieldError> {
    let mut out = Report::default();
    metadata_and_spec(&mut out, pod);
    let path = Path::new("spec");
    if !Fragment::part(&pod.spec.ephemeral_containers).is_empty() {
        out.forbidden_at(&path, "ephemeralContainers", "cannot be set on create");
    }
    if !pod.node_name.is_empty() && is_gated(&pod.spec) {
        let words = "cannot be set until all schedulingGates have been cleared";
        out.forbidden_at(&path, "nodeName", words);
    }
    annotations::agree_with_fields(&mut out, pod);
    out.errors
}

/// The same of one that has no annotations, and of whose spec it is known that nothing is wrong with it.
pub fn create_with_known_spec(pod: &PodParts<'_>) -> Vec<FieldError> {
    let mut out = Report::default();
    meta::create(&mut out, pod.metadata, true, names::dns1123_subdomain);
    out.errors
}

fn is_gated(spec: &PodSpec) -> bool {
    spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty())
}

pub(super) fn metadata_and_spec(out: &mut Report, pod: &PodParts<'_>) {
    meta::create(out, pod.metadata, true, names::dns1123_subdomain);
    let annotations = pod.metadata.annotations.as_deref();
    let path = &Path::new("metadata").child("annotations");
    annotations::own(out, annotations, &pod.spec, pod.node_name, path);
    let path = Path::new("spec");
    let of_pod = pod_spec::Context { pod: Some(pod.metadata), node_name: pod.node_name };
    pod_spec::check(out, &pod.spec, &of_pod, &path);
    // What templates are spared for old times' sake.
    if text(&pod.spec.service_account_name).is_empty() {
        token_without_account(out, &pod.spec, &path.child("volumes"));
    }
    for (field, list) in [
        ("containers", Some(&pod.spec.containers)),
        ("initContainers", pod.spec.init_containers.as_ref()),
    ] {
        for (index, container) in list.into_iter().flatten().enumerate() {
            padded_image(out, text(&container.image), &path.child(field).index(index));
        }
    }
}

fn token_without_account(out: &mut Report, spec: &PodSpec, path: &Path) {
    for (index, volume) in Fragment::part(&spec.volumes).items().enumerate() {
        let sources = volume.at("projected").at("sources");
        for (source, projection) in sources.items().enumerate() {
            if projection.at("serviceAccountToken").is_there() {
                let path = path.index(index).child("projected").child("sources").index(source);
                let words = "must not be specified when serviceAccountName is not set";
                out.forbidden_at(&path, "serviceAccountToken", words);
            }
        }
    }
}

pub(super) fn padded_image(out: &mut Report, image: &str, path: &Path) {
    if image.trim() != image {
        let words = "must not have leading or trailing whitespace";
        out.invalid_at(path, "image", image, words);
    }
}

/// What is wrong with a Pod that takes the place of `old`.
pub fn update(new: &PodParts<'_>, old: &PodParts<'_>) -> Vec<FieldError> {
    let mut out = Report::default();
    meta::update(&mut out, new.metadata, old.metadata);
    metadata_and_spec(&mut out, new);
    annotations::changes(&mut out, new, old);
    spec_changes(&mut out, new, old);
    out.errors
}

fn spec_changes(out: &mut Report, new: &PodParts<'_>, old: &PodParts<'_>) {
    let path = Path::new("spec");
    for (field, new, old) in [
        ("containers", Some(&new.spec.containers), Some(&old.spec.containers)),
        ("initContainers", new.spec.init_containers.as_ref(), old.spec.init_containers.as_ref()),
    ] {
        let (new, old) = (new.map_or(&[][..], |list| list), old.map_or(&[][..], |list| list));
        let path = path.child(field);
        if new.len() != old.len() {
            out.forbidden(&path, "pod updates may not add or remove containers");
            return;
        }
        for (index, container) in new.iter().enumerate() {
            let image = text(&container.image);
            if image.is_empty() {
                out.required(&path.index(index).child("image"), "");
            }
            padded_image(out, image, &path.index(index));
        }
    }
    if !deadline_change(out, &new.spec, &old.spec, &path.child("activeDeadlineSeconds")) {
        return;
    }
    toleration_changes(out, &new.spec, &old.spec, &path.child("tolerations"));
    gate_changes(out, &new.spec, &old.spec, &path.child("schedulingGates"));
    let mut rest = as_before_where_allowed(&new.spec, &old.spec);
    if is_gated(&old.spec) {
        placement_of_gated(out, &mut rest, &old.spec, &path);
    }
    let mut before = PodSpec::clone(&old.spec);
    before.node_name = Some(old.node_name.to_owned()).filter(|name| !name.is_empty());
    rest.node_name = Some(new.node_name.to_owned()).filter(|name| !name.is_empty());
    if rest != before {
        let changes = differences(&before, &rest);
        let words = format!("pod updates may not change fields other than {UPDATABLE}\n{changes}");
        out.forbidden(&path, words);
    }
}

/// Whether the rest of the update is still worth a look.
fn deadline_change(out: &mut Report, new: &PodSpec, old: &PodSpec, path: &Path) -> bool {
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            out.each(path, new, names::in_range(new, 0, i64::from(i32::MAX)));
            false
        }
        (Some(new), Some(old)) if old < new => {
            out.invalid(path, new, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            let words = "must not update from a positive integer to nil value";
            out.invalid(path, Value::Null, words);
            true
        }
        (Some(_) | None, _) => true,
    }
}

fn toleration_changes(out: &mut Report, new: &PodSpec, old: &PodSpec, path: &Path) {
    let tolerations = new.tolerations.as_deref().unwrap_or_default();
    let kept = old.tolerations.iter().flatten().all(|old| {
        tolerations.iter().any(|new| {
            let tolerates_as_long =
                core::Toleration { toleration_seconds: new.toleration_seconds, ..old.clone() };
            tolerates_as_long == *new
        })
    });
    if kept {
        affinity::tolerations(out, tolerations, path);
    } else {
        let words = "existing toleration can not be modified except its tolerationSeconds";
        out.forbidden(path, words);
    }
}

fn gate_changes(out: &mut Report, new: &PodSpec, old: &PodSpec, path: &Path) {
    let known = |name: &str| old.scheduling_gates.iter().flatten().any(|gate| gate.name == name);
    for (index, gate) in new.scheduling_gates.iter().flatten().enumerate() {
        if !known(&gate.name) {
            let words =
                format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            out.forbidden(&path.index(index).child("name"), words);
        }
    }
}

/// The new spec with all that may change as it was: a difference that is left is one too many.
fn as_before_where_allowed(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let mut spec = new.clone();
    for (container, old) in spec.containers.iter_mut().zip(&old.containers) {
        container.image.clone_from(&old.image);
    }
    let inits = spec.init_containers.iter_mut().flatten();
    for (container, old) in inits.zip(old.init_containers.iter().flatten()) {
        container.image.clone_from(&old.image);
    }
    spec.active_deadline_seconds = old.active_deadline_seconds;
    spec.scheduling_gates.clone_from(&old.scheduling_gates);
    spec.tolerations.clone_from(&old.tolerations);
    let was_negative = old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0);
    if was_negative && spec.termination_grace_period_seconds == Some(1) {
        spec.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    spec
}

/// Nobody has placed a gated Pod yet, so that where it may run can still be narrowed.
fn placement_of_gated(out: &mut Report, rest: &mut PodSpec, old: &PodSpec, path: &Path) {
    let selector = rest.node_selector.take();
    let kept = old.node_selector.iter().flatten().all(|(key, value)| {
        selector.as_ref().and_then(|selector| selector.get(key)) == Some(value)
    });
    if !kept {
        let words = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        out.invalid_object(&path.child("nodeSelector"), &selector, words);
    }
    rest.node_selector.clone_from(&old.node_selector);
    let before = old.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let after = rest.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    if before == after {
        return;
    }
    let path = path.child("affinity").child("nodeAffinity");
    narrowed(out, after, before, &path.child("requiredDuringSchedulingIgnoredDuringExecution"));
    let others = |affinity: &core::Affinity| {
        affinity.pod_affinity.is_some() || affinity.pod_anti_affinity.is_some()
    };
    match (&mut rest.affinity, before) {
        (None, None) => {}
        (None, Some(before)) => {
            rest.affinity = Some(core::Affinity {
                node_affinity: Some(before.clone()),
                ..core::Affinity::default()
            });
        }
        (Some(affinity), _) if old.affinity.is_none() && !others(affinity) => rest.affinity = None,
        (Some(affinity), before) => affinity.node_affinity = before.cloned(),
    }
}

fn narrowed(
    out: &mut Report,
    new: Option<&core::NodeAffinity>,
    old: Option<&core::NodeAffinity>,
    path: &Path,
) {
    let terms = |affinity: Option<&core::NodeAffinity>| {
        let required = affinity
            .and_then(|own| own.required_during_scheduling_ignored_during_execution.as_ref());
        required.map(|selector| selector.node_selector_terms.clone()).unwrap_or_default()
    };
    let (new, old, path) = (terms(new), terms(old), path.child("nodeSelectorTerms"));
    if !old.is_empty() && new.len() != old.len() {
        let words = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        out.invalid_object(&path, &new, words);
        return;
    }
    for (index, (new, old)) in new.iter().zip(&old).enumerate() {
        if !only_adds(new, old) {
            let words = "only additions are allowed (no mutations or deletions)";
            out.invalid_object(&path.index(index), new, words);
        }
    }
}

fn only_adds(new: &core::NodeSelectorTerm, old: &core::NodeSelectorTerm) -> bool {
    type Requirements = Option<Vec<core::NodeSelectorRequirement>>;
    let list = |list: &Requirements| list.clone().unwrap_or_default();
    let (expressions, before) = (list(&new.match_expressions), list(&old.match_expressions));
    let (fields, fields_before) = (list(&new.match_fields), list(&old.match_fields));
    // An empty term matches nothing, which anything added would change.
    if before.is_empty() && fields_before.is_empty() {
        return expressions.is_empty() && fields.is_empty();
    }
    expressions.starts_with(&before) && fields.starts_with(&fields_before)
}

/// The fields that differ, one a line, as they were and as they are.
fn differences(old: &PodSpec, new: &PodSpec) -> String {
    let value = |spec: &PodSpec| to_json(spec);
    let mut lines = Vec::new();
    difference("spec", &value(old), &value(new), &mut lines);
    lines.join("\n")
}

pub(super) fn difference(path: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::Object(old), Value::Object(new)) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
                let (old, new) = (of(old).unwrap_or_default(), of(new).unwrap_or_default());
                difference(&format!("{path}.{key}"), &old, &new, lines);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                difference(&format!("{path}[{index}]"), old, new, lines);
            }
        }
        (old, new) => {
            for (sign, value) in [("-", old), ("+", new)] {
                if !value.is_null() {
                    lines.push(format!("{sign} {path}: {value}"));
                }
            }
        }
    }
}

/// What is wrong with the binding of a Pod to a node.
///
/// Mirrors: `ValidatePodBinding`.
pub fn binding(binding: Part<'_>) -> Vec<FieldError> {
    let mut out = Report::default();
    let (target, path) = (binding.at("target"), Path::new("target"));
    let (kind, name) = (target.at("kind").text(), target.at("name").text());
    if !matches!(kind, "" | "Node") {
        out.supported_at(&path, "kind", kind, &["Node", "<empty>"]);
    }
    if name.is_empty() {
        out.required_at(&path, "name", "");
    } else if matches!(kind, "" | "Node") {
        out.words_at(&path, "name", name, names::dns1123_subdomain);
    }
    out.errors
}
