//! How containers mount volumes, as files or as devices.

use super::{Volumes, descending, missing};
use crate::api::document::{Fragment, Part};
use crate::api::field::Path;
use crate::api::validation::report::Report;
use crate::api::wire::Container;

/// The files that a container mounts, against the volumes that are right.
pub fn mounts(out: &mut Report, container: &Container, volumes: &Volumes<'_>, path: &Path) {
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
            out.invalid_at(&own, "mountPath", at, "must be unique");
        }
        if is_in(devices.items(), "name", name) {
            out.invalid_at(&own, "name", name, "must not already exist in volumeDevices");
        }
        if is_in(devices.items(), "devicePath", at) {
            let words = "must not already exist as a path in volumeDevices";
            out.invalid_at(&own, "mountPath", at, words);
        }
        sub_paths(out, mount, &own);
        if mount.at("mountPropagation").is_there() {
            let propagation = mount.at("mountPropagation").text();
            mount_propagation(out, propagation, container, &own.child("mountPropagation"));
        }
        recursive_read_only(out, mount, &own.child("recursiveReadOnly"));
    }
}

/// Whether a field of one of the parts is `text`.
fn is_in<'a>(mut parts: impl Iterator<Item = Part<'a>>, field: &str, text: &str) -> bool {
    parts.any(|part| part.at(field).text() == text)
}

fn sub_paths(out: &mut Report, mount: Part<'_>, path: &Path) {
    let (sub, expression) = (mount.at("subPath").text(), mount.at("subPathExpr").text());
    if !sub.is_empty() {
        descending(out, sub, &path.child("subPath"));
    }
    if !expression.is_empty() {
        if !sub.is_empty() {
            let words = "subPathExpr and subPath are mutually exclusive";
            out.invalid_at(path, "subPathExpr", expression, words);
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

/// The devices that a container mounts, against the volumes that are right.
pub fn devices(out: &mut Report, container: &Container, volumes: &Volumes<'_>, path: &Path) {
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
        let climbs = at.split('/').any(|part| part == "..");
        if !climbs && is_in(earlier(), "devicePath", at) {
            out.invalid(&at_path, at, "must be unique");
        }
        if climbs {
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
