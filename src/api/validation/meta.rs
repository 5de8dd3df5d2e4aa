//! Metadata: names, labels, annotations, owners, finalizers.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::report::{Report, text};
use crate::api::ObjectMeta;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::text::lower;
use crate::sim::sort;

/// All annotations together, keys and values.
const ANNOTATIONS_MAX: usize = 256 << 10;

/// The finalizers that need no domain before them.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// A rule for the names of a kind.
pub(super) type NameRule = fn(&str) -> Vec<String>;

/// Checks the metadata of a new object.
pub(super) fn create(out: &mut Report, meta: &ObjectMeta, namespaced: bool, rule: NameRule) {
    any_create(out, meta, namespaced, rule);
    finalizers_by_name(out, meta);
}

/// Checks the metadata of an object that takes the place of another.
pub(super) fn update(out: &mut Report, new: &ObjectMeta, old: &ObjectMeta) {
    any_update(out, new, old);
    finalizers_by_name(out, new);
}

/// As [`create`], of any kind: those that are not Kubernetes' own may have finalizers of any name.
pub(super) fn any_create(out: &mut Report, meta: &ObjectMeta, namespaced: bool, rule: NameRule) {
    let path = &Path::new("metadata");
    let generate_name = text(&meta.generate_name);
    if !generate_name.is_empty() {
        // What is generated goes behind it, so that it may end with a dash; as upstream, what stands
        // before the dash is not looked at, either.
        let mut start = generate_name.strip_suffix('-').unwrap_or_default().chars();
        let name = match start.next_back() {
            Some(last) if last.is_ascii() => format!("{}a", start.as_str()),
            Some(_) | None => generate_name.to_owned(),
        };
        out.each(&path.child("generateName"), generate_name, rule(&name));
    }
    let name = text(&meta.name);
    if name.is_empty() {
        out.required_at(path, "name", "name or generateName is required");
    } else {
        out.words_at(path, "name", name, rule);
    }
    let namespace = text(&meta.namespace);
    match (namespaced, namespace.is_empty()) {
        (true, true) => out.required_at(path, "namespace", ""),
        (true, false) => {
            out.words_at(path, "namespace", namespace, names::dns1123_label);
        }
        (false, false) => out.forbidden_at(path, "namespace", "not allowed on this type"),
        (false, true) => {}
    }
    out.not_negative(&path.child("generation"), meta.generation.unwrap_or_default());
    common(out, meta, path);
    let finalizers = meta.finalizers.as_deref().unwrap_or_default();
    let finalizers_path = &path.child("finalizers");
    for name in finalizers {
        out.words(finalizers_path, name, names::label_key);
    }
    let both = ["orphan", "foregroundDeletion"];
    if both.iter().all(|name| finalizers.iter().any(|finalizer| finalizer == name)) {
        let words = "finalizer orphan and foregroundDeletion cannot be both set";
        out.invalid_object(finalizers_path, &finalizers, words);
    }
}

/// As [`update`], of any kind.
pub(super) fn any_update(out: &mut Report, new: &ObjectMeta, old: &ObjectMeta) {
    let path = &Path::new("metadata");
    let finalizers_path = &path.child("finalizers");
    let finalizers = new.finalizers.as_deref().unwrap_or_default();
    if old.deletion_timestamp.is_some() {
        no_new_finalizers(out, finalizers, old.finalizers.as_deref(), finalizers_path);
    }
    if text(&new.resource_version).is_empty() {
        out.invalid_at(path, "resourceVersion", "", "must be specified for an update");
    }
    let (generation, before) = (new.generation.unwrap_or_default(), old.generation);
    if generation < before.unwrap_or_default() {
        out.invalid_at(path, "generation", generation, "must not be decremented");
    }
    for (field, new, old) in [
        ("name", &new.name, &old.name),
        ("namespace", &new.namespace, &old.namespace),
        ("uid", &new.uid, &old.uid),
    ] {
        out.immutable(&path.child(field), &text(new), &text(old));
    }
    for (field, new, old) in [
        ("creationTimestamp", &new.creation_timestamp, &old.creation_timestamp),
        ("deletionTimestamp", &new.deletion_timestamp, &old.deletion_timestamp),
    ] {
        out.immutable(&path.child(field), new, old);
    }
    let (grace, before) = (new.deletion_grace_period_seconds, old.deletion_grace_period_seconds);
    out.immutable(&path.child("deletionGracePeriodSeconds"), &grace, &before);
    common(out, new, path);
}

fn common(out: &mut Report, meta: &ObjectMeta, path: &Path) {
    labels(out, meta.labels.as_deref(), &path.child("labels"));
    annotations(out, meta.annotations.as_deref(), &path.child("annotations"));
    owners(out, meta.owners(), &path.child("ownerReferences"));
}

/// Labels, by their keys and values; all errors are those of the whole map.
pub(super) fn labels(out: &mut Report, labels: Option<&BTreeMap<String, String>>, path: &Path) {
    for (key, value) in labels.into_iter().flatten() {
        out.words(path, key, names::label_key);
        out.words(path, value, names::label_value);
    }
}

/// Annotations: keys like those of labels whatever their case, and a limit for all together.
pub(super) fn annotations(
    out: &mut Report,
    annotations: Option<&BTreeMap<String, String>>,
    path: &Path,
) {
    let Some(annotations) = annotations else { return };
    for key in annotations.keys() {
        out.each(path, key.as_str(), names::label_key(&lower(key)));
    }
    annotations_size(out, annotations, path);
}

/// The limit for all annotations together.
pub(super) fn annotations_size(
    out: &mut Report,
    annotations: &BTreeMap<String, String>,
    path: &Path,
) {
    if annotations.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
        > ANNOTATIONS_MAX
    {
        out.errors.push(FieldError::too_long(path, ANNOTATIONS_MAX));
    }
}

fn owners(out: &mut Report, owners: &[OwnerReference], path: &Path) {
    let mut controller: Option<String> = None;
    for owner in owners {
        let version = owner.api_version.rsplit('/').next().unwrap_or_default();
        if version.is_empty() || owner.api_version.matches('/').count() > 1 {
            let path = path.child("apiVersion");
            out.invalid(&path, owner.api_version.as_str(), "version must not be empty");
        }
        for (field, value) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
            if value.is_empty() {
                out.invalid_at(path, field, "", "must not be empty");
            }
        }
        if owner.api_version == "v1" && owner.kind == "Event" {
            let words = "/v1, Kind=Event is disallowed from being an owner";
            out.invalid_object(path, owner, words);
        }
        if owner.controller == Some(true) {
            let this = format!("{}/{}", owner.kind, owner.name);
            match &controller {
                None => controller = Some(this),
                Some(first) => {
                    let words = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in \
                         references for {first} and {this}"
                    );
                    out.invalid_object(path, &owners, &words);
                }
            }
        }
    }
}

/// A name without a domain must be one of Kubernetes' own.
fn finalizers_by_name(out: &mut Report, meta: &ObjectMeta) {
    let path = Path::new("metadata").child("finalizers");
    for (index, name) in meta.finalizers.iter().flatten().enumerate() {
        standard_finalizer(out, name, &path.index(index));
    }
}

pub(super) fn standard_finalizer(out: &mut Report, name: &str, path: &Path) {
    if !name.contains('/') && !STANDARD_FINALIZERS.contains(&name) {
        let words = "name is neither a standard finalizer name nor is it fully qualified";
        out.invalid(path, name, words);
    }
}

fn no_new_finalizers(out: &mut Report, new: &[String], old: Option<&[String]>, path: &Path) {
    let old = old.unwrap_or_default();
    let mut added: Vec<&str> =
        new.iter().filter(|name| !old.contains(name)).map(String::as_str).collect();
    sort::by(&mut added, Ord::cmp);
    added.dedup();
    if !added.is_empty() {
        let listed: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
        out.forbidden(
            path,
            format!(
                "no new finalizers can be added if the object is being deleted, found new \
                 finalizers []string{{{}}}",
                listed.join(", ")
            ),
        );
    }
}
