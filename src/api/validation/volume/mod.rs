//! Volumes, and how containers mount them.

mod files;
mod mounts;
mod projected;
mod source;

pub(super) use mounts::{devices, mounts};
pub(super) use source::{Owner, check as source, driver};

use super::documents::claim_spec;
use super::meta;
use super::report::{Report, text};
use crate::api::ObjectMeta;
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::names;
use crate::api::quantity::Quantity;

/// The volumes of a Pod that are right.
pub(super) struct Volumes<'a>(Vec<Part<'a>>);

pub(super) const MANY: &str = "may not specify more than 1 volume type";

/// What a volume can be made of, in the order in which upstream looks.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

impl<'a> Volumes<'a> {
    /// The volume called `name`.
    fn get(&self, name: &str) -> Option<Part<'a>> {
        self.0.iter().copied().find(|volume| volume.at("name").text() == name)
    }
}

/// Checks the volumes and returns those that containers can mount.
pub(super) fn check<'a>(
    out: &mut Report,
    volumes: Part<'a>,
    pod: Option<&ObjectMeta>,
    path: &Path,
) -> Volumes<'a> {
    let mut right = Volumes(Vec::new());
    let pod = pod.map_or("", |pod| text(&pod.name));
    let is_own_claim = |claim: &str| {
        let own = |volume: Part<'_>| {
            volume.at("ephemeral").is_there()
                && claim.strip_prefix(pod).and_then(|rest| rest.strip_prefix('-'))
                    == Some(volume.at("name").text())
        };
        !pod.is_empty() && volumes.items().any(own)
    };
    for (index, volume) in volumes.items().enumerate() {
        let path = path.index(index);
        let name = volume.at("name").text();
        let mut own = Report::default();
        one_source(&mut own, volume, pod, &path);
        if name.is_empty() {
            own.required(&path.child("name"), "");
        } else {
            own.words(&path.child("name"), name, names::dns1123_label);
        }
        if right.get(name).is_some() {
            own.duplicate(&path.child("name"), name);
        }
        if own.is_empty() {
            right.0.push(volume);
        }
        out.errors.append(&mut own.errors);
        let claim = volume.at("persistentVolumeClaim");
        let name = claim.at("claimName").text();
        if claim.is_there() && is_own_claim(name) {
            let path = path.child("persistentVolumeClaim").child("claimName");
            let words = "must not reference a PVC that gets created for an ephemeral volume";
            out.invalid(&path, name, words);
        }
    }
    right
}

/// Where the volume comes from: exactly one source.
fn one_source(out: &mut Report, volume: Part<'_>, pod: &str, path: &Path) {
    let mut found = false;
    for field in SOURCES.iter().filter(|source| volume.at(source).is_there()) {
        if found {
            // Upstream names these two otherwise than they are written.
            let name = match *field {
                "cephfs" => "cephFS",
                "downwardAPI" => "downwarAPI",
                field => field,
            };
            out.forbidden_at(path, name, MANY);
        } else {
            details(out, volume, field, pod, path);
        }
        found = true;
    }
    if !found {
        out.required(path, "must specify a volume type");
    }
}

fn details(out: &mut Report, volume: Part<'_>, field: &'static str, pod: &str, path: &Path) {
    let part = volume.at(field);
    source(out, field, part, Owner::Pod, path);
    let own = path.child(field);
    match field {
        "emptyDir" => {
            let limit = part.at("sizeLimit").quantity();
            if limit.as_ref().is_some_and(Quantity::is_negative) {
                let words = "SizeLimit field must be a valid resource quantity";
                out.forbidden_at(&own, "sizeLimit", words);
            }
        }
        "configMap" | "downwardAPI" | "projected" | "secret" => {
            files::mode(out, part.at("defaultMode"), &own.child("defaultMode"));
            let items = part.at("items").items();
            match field {
                "downwardAPI" => items.for_each(|file| files::shown(out, file, &own)),
                "projected" => projected::check(out, part, &own),
                _ => items.enumerate().for_each(|(index, item)| {
                    files::key_to_path(out, item, &own.child("items").index(index));
                }),
            }
        }
        "iscsi" if part.at("initiatorName").is_there() => {
            let name = volume.at("name").text();
            let portal = (name, part.at("targetPortal").text());
            source::portal_length(out, portal, name, &path.child("name"));
        }
        "ephemeral" => ephemeral(out, volume, pod, path),
        "image" => image(out, part, !pod.is_empty(), &own),
        _ => {}
    }
}

/// A field that must say something.
fn missing(out: &mut Report, part: Part<'_>, field: &'static str, path: &Path) {
    if part.at(field).text().is_empty() && part.at(field).is_empty() {
        out.required_at(path, field, "");
    }
}

fn ephemeral(out: &mut Report, volume: Part<'_>, pod: &str, path: &Path) {
    let template = volume.at("ephemeral").at("volumeClaimTemplate");
    let template_path = path.child("ephemeral").child("volumeClaimTemplate");
    if template.is_there() {
        claim_metadata(out, template.at("metadata"), &template_path.child("metadata"));
        claim_spec(out, template.at("spec"), &template_path.child("spec"));
    } else {
        out.required(&template_path, "");
    }
    let name = volume.at("name").text();
    if !pod.is_empty() && !name.is_empty() {
        let claim = format!("{pod}-{name}");
        for words in names::dns1123_subdomain(&claim) {
            let words = format!("PVC name {claim:?}: {words}");
            out.invalid_at(path, "name", name, words);
        }
    }
}

/// The Pod gives the claim its name and all else but these two.
fn claim_metadata(out: &mut Report, metadata: Part<'_>, path: &Path) {
    let map = |field: &str| metadata.at(field).labels();
    meta::annotations(out, Some(&map("annotations")), &path.child("annotations"));
    meta::labels(out, Some(&map("labels")), &path.child("labels"));
    for (field, value) in metadata.entries() {
        let is_set = !value.text().is_empty() || value.number().is_some() || !value.is_empty();
        if is_set && !["annotations", "labels"].contains(&field) {
            out.forbidden(&path.child(field.to_owned()), "cannot be set");
        }
    }
}

fn image(out: &mut Report, source: Part<'_>, is_pod: bool, path: &Path) {
    if is_pod {
        missing(out, source, "reference", path);
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    out.one_of_at(path, "pullPolicy", source.at("pullPolicy").text(), &policies);
}

/// A path inside, that does not climb out again.
pub(super) fn descending(out: &mut Report, value: &str, path: &Path) {
    if value.starts_with('/') {
        out.invalid(path, value, "must be a relative path");
    }
    no_backsteps(out, value, path);
}

fn no_backsteps(out: &mut Report, value: &str, path: &Path) {
    if value.split('/').any(|part| part == "..") {
        out.invalid(path, value, "must not contain '..'");
    }
}
