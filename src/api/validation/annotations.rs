//! Annotations that mean something for a Pod.
//!
//! Profiles were annotations before they were fields; who still sets both must say the same.

use std::collections::BTreeMap;

use super::pod::PodParts;
use super::pod_spec::each_security_context;
use super::report::Report;
use super::volume;
use crate::api::document::{Fragment, Part};
use crate::api::field::Path;
use crate::api::wire::PodSpec;
use crate::api::words::MIRROR;

type Annotations = BTreeMap<String, String>;

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_OF_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const LOCAL: &str = "localhost/";

/// A sort of profiles.
struct Profiles {
    /// What comes before the container's name.
    prefix: &'static str,
    field: &'static str,
    what: &'static str,
    /// What stands for the runtime's own.
    runtime: &'static [&'static str],
}

const SECCOMP: Profiles = Profiles {
    prefix: "container.seccomp.security.alpha.kubernetes.io/",
    field: "seccompProfile",
    what: "seccomp",
    runtime: &["runtime/default", "docker/default"],
};
const APP_ARMOR: Profiles = Profiles {
    prefix: "container.apparmor.security.beta.kubernetes.io/",
    field: "appArmorProfile",
    what: "apparmor",
    runtime: &["runtime/default"],
};

/// The annotations by themselves.
pub(super) fn own(
    out: &mut Report,
    annotations: Option<&Annotations>,
    spec: &PodSpec,
    node_name: &str,
    path: &Path,
) {
    for (key, value) in annotations.into_iter().flatten() {
        let value = value.as_str();
        let own = path.key(key);
        if key == MIRROR && node_name.is_empty() {
            let words = "must set spec.nodeName if mirror pod annotation is set";
            out.invalid(&own, value, words);
        } else if key == DELETION_COST {
            // Neither a plus nor zeros in front, as they would come back in another form.
            let plain = !value.starts_with('+') && (value == "0" || !value.starts_with('0'));
            if !plain || value.parse::<i32>().is_err() {
                out.invalid(&own, value, "must be a 32bit integer");
            }
        } else if key == SECCOMP_OF_POD || key.starts_with(SECCOMP.prefix) {
            if let Some(local) = value.strip_prefix(LOCAL) {
                volume::descending(out, local, &path.child(key.clone()));
            } else if value != "unconfined" && !SECCOMP.runtime.contains(&value) {
                out.invalid(&path.child(key.clone()), value, "must be a valid seccomp profile");
            }
        } else if let Some(container) = key.strip_prefix(APP_ARMOR.prefix) {
            let mut found = false;
            let at = Path::new("spec");
            each_security_context(spec, &at, |name, _, _| found = found || name == container);
            if !found {
                out.invalid(&own, container, "container not found");
            }
            let known = ["", "unconfined"].contains(&value) || APP_ARMOR.runtime.contains(&value);
            if !known && !value.starts_with(LOCAL) {
                out.invalid(&own, value, format!("invalid AppArmor profile name: {value:?}"));
            }
        }
    }
}

/// Those of a new Pod against the fields that took their place.
pub(super) fn agree_with_fields(out: &mut Report, pod: &PodParts<'_>) {
    let Some(annotations) = &pod.metadata.annotations else { return };
    let of_pod = Fragment::part(&pod.spec.security_context);
    let path = Path::new("spec");
    let own = path.child("securityContext");
    one_agrees(out, annotations.get(SECCOMP_OF_POD), of_pod, &SECCOMP, &own);
    let is_windows = Fragment::part(&pod.spec.os).at("name").text() == "windows";
    each_security_context(&pod.spec, &path, |name, own, path| {
        let annotation = |sort: &Profiles| annotations.get(&format!("{}{name}", sort.prefix));
        one_agrees(out, annotation(&SECCOMP), own, &SECCOMP, path);
        // A container without an AppArmor profile has that of its Pod.
        let own = if own.at(APP_ARMOR.field).is_there() { own } else { of_pod };
        let annotation = annotation(&APP_ARMOR).filter(|_| !is_windows);
        one_agrees(out, annotation, own, &APP_ARMOR, path);
    });
}

fn one_agrees(
    out: &mut Report,
    annotation: Option<&String>,
    context: Part<'_>,
    sort: &Profiles,
    path: &Path,
) {
    let (Some(annotation), profile) = (annotation, context.at(sort.field)) else { return };
    let local = annotation.strip_prefix(LOCAL);
    let (same, field, what) = match (profile.at("type").text(), local) {
        ("Unconfined", _) => (annotation == "unconfined", "type", "type"),
        ("RuntimeDefault", _) => (sort.runtime.contains(&annotation.as_str()), "type", "type"),
        ("Localhost", None) => (false, "type", "type"),
        ("Localhost", Some(local)) => {
            (profile.at("localhostProfile").text() == local, "localhostProfile", "profile")
        }
        _ => return,
    };
    if !same {
        let words = format!("{} {what} in annotation and field must match", sort.what);
        out.forbidden(&path.child(sort.field).child(field), words);
    }
}

/// What an update may not do to them.
pub(super) fn changes(out: &mut Report, new: &PodParts<'_>, old: &PodParts<'_>) {
    let path = Path::new("metadata").child("annotations");
    let mirror = |pod: &PodParts<'_>| {
        pod.metadata.annotations.as_deref().and_then(|annotations| annotations.get(MIRROR).cloned())
    };
    match (mirror(new), mirror(old)) {
        (new, Some(old)) if new.as_ref() != Some(&old) => {
            out.forbidden(&path.key(MIRROR), "may not remove or update mirror pod annotation");
        }
        (Some(_), None) => out.forbidden(&path.key(MIRROR), "may not add mirror pod annotation"),
        (Some(_) | None, _) => {}
    }
    own(out, new.metadata.annotations.as_deref(), &new.spec, new.node_name, &path);
}
