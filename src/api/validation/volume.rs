//! Volumes, and how containers mount them.
//!
//! Left out: the finer rules of sources that only one vendor's driver reads.

use super::documents::{HOST_PATHS, claim_spec, driver, must_name};
use super::report::{Report, text};
use super::{env, meta};
use crate::api::ObjectMeta;
use crate::api::document::{Fragment, Part};
use crate::api::field::Path;
use crate::api::names;
use crate::api::quantity::Quantity;
use crate::api::wire::Container;

/// The volumes of a Pod that are right.
pub(super) struct Volumes<'a>(Vec<Part<'a>>);

const MANY: &str = "may not specify more than 1 volume type";
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const TWICE: &str = "conflicting duplicate paths";

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
        source(&mut own, volume, pod, &path);
        if name.is_empty() {
            own.required(&path.child("name"), "");
        } else {
            own.words(&path.child("name"), name, names::dns1123_label(name));
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
fn source(out: &mut Report, volume: Part<'_>, pod: &str, path: &Path) {
    let mut found = false;
    for field in SOURCES.iter().filter(|source| volume.at(source).is_there()) {
        if found {
            // Upstream names these two otherwise than they are written.
            let name = match *field {
                "cephfs" => "cephFS",
                "downwardAPI" => "downwarAPI",
                field => field,
            };
            out.forbidden(&path.child(name), MANY);
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
    let (source, own) = (volume.at(field), path.child(field));
    // A handle is what only the volume of a claim has.
    for must in must_name(field).iter().filter(|must| **must != "volumeHandle") {
        missing(out, source, must, &own);
    }
    match field {
        "emptyDir" => {
            let limit = source.at("sizeLimit").quantity();
            if limit.as_ref().is_some_and(Quantity::is_negative) {
                let words = "SizeLimit field must be a valid resource quantity";
                out.forbidden(&own.child("sizeLimit"), words);
            }
        }
        "hostPath" => host_path(out, source, &own),
        "secret" => {
            missing(out, source, "secretName", &own);
            mode(out, source.at("defaultMode"), &own.child("defaultMode"));
            keys(out, source.at("items"), &own.child("items"));
        }
        "configMap" => {
            missing(out, source, "name", &own);
            mode(out, source.at("defaultMode"), &own.child("defaultMode"));
            keys(out, source.at("items"), &own.child("items"));
        }
        "nfs" => {
            let at = source.at("path").text();
            if !at.starts_with('/') {
                out.invalid(&own.child("path"), at, "must be an absolute path");
            }
        }
        "persistentVolumeClaim" => missing(out, source, "claimName", &own),
        "downwardAPI" => {
            mode(out, source.at("defaultMode"), &own.child("defaultMode"));
            source.at("items").items().for_each(|file| downward_file(out, file, &own));
        }
        "projected" => {
            mode(out, source.at("defaultMode"), &own.child("defaultMode"));
            projected(out, source, &own);
        }
        "csi" => {
            driver(out, source.at("driver").text(), &own.child("driver"));
            secret(out, source, "nodePublishSecretRef", &own);
        }
        "cinder" | "storageos" => secret(out, source, "secretRef", &own),
        "gcePersistentDisk" | "awsElasticBlockStore" => in_byte(out, source, "partition", 1, &own),
        "gitRepo" => {
            missing(out, source, "repository", &own);
            descending(out, source.at("directory").text(), &own.child("directory"));
        }
        "iscsi" => {
            in_byte(out, source, "lun", 0, &own);
            let chap = ["chapAuthDiscovery", "chapAuthSession"];
            if chap.iter().any(|field| source.at(field).is_true()) {
                missing(out, source, "secretRef", &own);
            }
        }
        "ephemeral" => ephemeral(out, volume, pod, path),
        "image" => image(out, source, !pod.is_empty(), &own),
        _ => {}
    }
}

/// A field that must say something.
fn missing(out: &mut Report, part: Part<'_>, field: &'static str, path: &Path) {
    if part.at(field).text().is_empty() && part.at(field).is_empty() {
        out.required(&path.child(field), "");
    }
}

/// A secret that has a name if it is there.
fn secret(out: &mut Report, part: Part<'_>, field: &'static str, path: &Path) {
    if part.at(field).is_there() {
        missing(out, part.at(field), "name", &path.child(field));
    }
}

/// A number that fits into a byte; upstream says of some that they begin at one, but takes zero.
fn in_byte(out: &mut Report, part: Part<'_>, field: &'static str, low: i64, path: &Path) {
    let number = part.at(field).number().unwrap_or_default();
    if !names::in_range(number, 0, 255).is_empty() {
        out.number(&path.child(field), number, names::in_range(number, low, 255));
    }
}

fn host_path(out: &mut Report, source: Part<'_>, path: &Path) {
    let at = source.at("path").text();
    if at.is_empty() {
        return;
    }
    no_backsteps(out, at, &path.child("path"));
    let kind = source.at("type");
    if kind.is_there() {
        out.supported(&path.child("type"), kind.text(), &HOST_PATHS);
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
            out.invalid(&path.child("name"), name, words);
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
    out.one_of(&path.child("pullPolicy"), source.at("pullPolicy").text(), &policies);
}

fn mode(out: &mut Report, mode: Part<'_>, path: &Path) {
    if let Some(mode) = mode.number().filter(|mode| !(0..=0o777).contains(mode)) {
        out.invalid(path, mode, MODE);
    }
}

fn keys(out: &mut Report, items: Part<'_>, path: &Path) {
    for (index, item) in items.items().enumerate() {
        let path = path.index(index);
        missing(out, item, "key", &path);
        missing(out, item, "path", &path);
        not_reserved(out, item.at("path").text(), &path.child("path"));
        mode(out, item.at("mode"), &path.child("mode"));
    }
}

fn downward_file(out: &mut Report, file: Part<'_>, path: &Path) {
    missing(out, file, "path", path);
    not_reserved(out, file.at("path").text(), &path.child("path"));
    let (field, resource) = (file.at("fieldRef"), file.at("resourceFieldRef"));
    if field.is_there() {
        env::field_selector(out, field, env::IN_FILES, &path.child("fieldRef"));
        if resource.is_there() {
            let words = "fieldRef and resourceFieldRef can not be specified simultaneously";
            out.invalid(path, "resource", words);
        }
    } else if resource.is_there() {
        env::resource_selector(out, resource, true, &path.child("resourceFieldRef"));
    } else {
        out.required(path, "one of fieldRef and resourceFieldRef is required");
    }
    mode(out, file.at("mode"), &path.child("mode"));
}

fn projected<'a>(out: &mut Report, projection: Part<'a>, path: &Path) {
    let mut files: Vec<&str> = Vec::new();
    let mut take = |out: &mut Report, file: &'a str, shown: &str| {
        if files.contains(&file) {
            out.invalid(path, shown, TWICE);
        } else if !file.is_empty() {
            files.push(file);
        }
    };
    for (index, source) in projection.at("sources").items().enumerate() {
        let own = path.child("sources").index(index);
        for field in ["secret", "configMap"] {
            let (map, own) = (source.at(field), own.child(field));
            if map.is_there() {
                missing(out, map, "name", &own);
                keys(out, map.at("items"), &own.child("items"));
                let name = map.at("name").text();
                map.at("items").items().for_each(|item| take(out, item.at("path").text(), name));
            }
        }
        for file in source.at("downwardAPI").at("items").items() {
            let at = file.at("path").text();
            downward_file(out, file, &own.child("downwardAPI"));
            take(out, at, at);
        }
        let token = source.at("serviceAccountToken");
        if token.is_there() {
            projected_token(out, token, &own, path);
        }
        let known =
            ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"];
        if known.iter().filter(|field| source.at(field).is_there()).count() > 1 {
            let words = "may not specify more than 1 volume type per source";
            out.forbidden(&own, words);
        }
    }
}

/// The path in errors of its own path lacks the source, as upstream's does.
fn projected_token(out: &mut Report, token: Part<'_>, own: &Path, path: &Path) {
    let seconds = token.at("expirationSeconds").number().unwrap_or_default();
    let seconds_path = own.child("serviceAccountToken").child("expirationSeconds");
    if seconds < 600 {
        let words = "may not specify a duration less than 10 minutes";
        out.invalid(&seconds_path, seconds, words);
    }
    if seconds > 1 << 32 {
        let words = "may not specify a duration larger than 2^32 seconds";
        out.invalid(&seconds_path, seconds, words);
    }
    missing(out, token, "path", path);
    not_reserved(out, token.at("path").text(), &path.child("path"));
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

fn not_reserved(out: &mut Report, value: &str, path: &Path) {
    descending(out, value, path);
    if value.starts_with("..") && !value.starts_with("../") {
        out.invalid(path, value, "must not start with '..'");
    }
}

pub(super) fn mounts(out: &mut Report, container: &Container, volumes: &Volumes<'_>, path: &Path) {
    let devices = Fragment::part(&container.volume_devices);
    let mounts = Fragment::part(&container.volume_mounts);
    for (index, mount) in mounts.items().enumerate() {
        let own = path.index(index);
        let (name, at) = (mount.at("name").text(), mount.at("mountPath").text());
        missing(out, mount, "name", &own);
        if volumes.get(name).is_none() {
            out.not_found(&own.child("name"), name);
        }
        missing(out, mount, "mountPath", &own);
        if is_in(mounts.items().take(index), "mountPath", at) {
            out.invalid(&own.child("mountPath"), at, "must be unique");
        }
        if is_in(devices.items(), "name", name) {
            out.invalid(&own.child("name"), name, "must not already exist in volumeDevices");
        }
        if is_in(devices.items(), "devicePath", at) {
            let words = "must not already exist as a path in volumeDevices";
            out.invalid(&own.child("mountPath"), at, words);
        }
        sub_paths(out, mount, volumes.get(name), &own, path);
        if mount.at("mountPropagation").is_there() {
            let propagation = mount.at("mountPropagation").text();
            mount_propagation(out, propagation, container, &path.child("mountPropagation"));
        }
        recursive_read_only(out, mount, &path.child("recursiveReadOnly"));
    }
}

/// Whether a field of one of the parts is `text`.
fn is_in<'a>(mut parts: impl Iterator<Item = Part<'a>>, field: &str, text: &str) -> bool {
    parts.any(|part| part.at(field).text() == text)
}

/// The paths in errors of sub-paths lack the mount's index, as upstream's do.
fn sub_paths(out: &mut Report, mount: Part<'_>, volume: Option<Part<'_>>, own: &Path, path: &Path) {
    let (sub, expression) = (mount.at("subPath").text(), mount.at("subPathExpr").text());
    let image = volume.is_some_and(|volume| volume.at("image").is_there());
    for (field, value) in [("subPath", sub), ("subPathExpr", expression)] {
        if image && !value.is_empty() {
            out.invalid(&own.child(field), value, "not allowed in image volume sources");
        }
    }
    if !sub.is_empty() {
        descending(out, sub, &path.child("subPath"));
    }
    if !expression.is_empty() {
        if !sub.is_empty() {
            let words = "subPathExpr and subPath are mutually exclusive";
            out.invalid(&own.child("subPathExpr"), expression, words);
        }
        descending(out, expression, &path.child("subPathExpr"));
    }
}

fn mount_propagation(out: &mut Report, propagation: &str, container: &Container, path: &Path) {
    out.supported(path, propagation, &["Bidirectional", "HostToContainer", "None"]);
    let privileged = Fragment::part(&container.security_context).at("privileged").is_true();
    if propagation == "Bidirectional" && !privileged {
        let words = "Bidirectional mount propagation is available only to privileged containers";
        out.forbidden(path, words);
    }
}

fn recursive_read_only(out: &mut Report, mount: Part<'_>, path: &Path) {
    let (mode, propagation) = (mount.at("recursiveReadOnly"), mount.at("mountPropagation"));
    match mode.text() {
        "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.at("readOnly").is_true() {
                out.forbidden(path, "may only be specified when readOnly is true");
            }
            if propagation.is_there() && propagation.text() != "None" {
                let words = "may only be specified when mountPropagation is None or not specified";
                out.forbidden(path, words);
            }
        }
        _ if !mode.is_there() => {}
        other => out.supported(path, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

pub(super) fn devices(out: &mut Report, container: &Container, volumes: &Volumes<'_>, path: &Path) {
    let devices = Fragment::part(&container.volume_devices);
    let mounts = Fragment::part(&container.volume_mounts);
    for (index, device) in devices.items().enumerate() {
        let own = path.index(index);
        let (name, at) = (device.at("name").text(), device.at("devicePath").text());
        let (name_path, at_path) = (own.child("name"), own.child("devicePath"));
        let earlier = || devices.items().take(index);
        if name.is_empty() {
            out.required(&name_path, "");
        } else if is_in(earlier(), "name", name) {
            out.invalid(&name_path, name, "must be unique");
        }
        match volumes.get(name) {
            None => out.not_found(&name_path, name),
            Some(volume)
                if !volume.at("persistentVolumeClaim").is_there()
                    && !volume.at("ephemeral").is_there() =>
            {
                let words = "can only use volume source type of PersistentVolumeClaim or Ephemeral \
                             for block mode";
                out.invalid(&name_path, name, words);
            }
            Some(_) => {}
        }
        missing(out, device, "devicePath", &own);
        if is_in(earlier(), "devicePath", at) {
            out.invalid(&at_path, at, "must be unique");
        }
        if at.split('/').any(|part| part == "..") {
            out.invalid(&at_path, at, "can not contain backsteps ('..')");
        }
        if is_in(mounts.items(), "name", name) {
            out.invalid(&name_path, name, "must not already exist in volumeMounts");
        }
        if is_in(mounts.items(), "mountPath", at) {
            out.invalid(&at_path, at, "must not already exist as a path in volumeMounts");
        }
    }
}
