//! Volumes, and how containers mount them.
//!
//! Of the disks of clouds and of far machines only that there is one is checked.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::env;
use super::report::{Report, text};
use crate::api::field::Path;
use crate::api::names;
use crate::api::quantity::Quantity;

/// The volumes of a Pod that are right, by name.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Volume>;

const MANY: &str = "may not specify more than 1 volume type";
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const TWICE: &str = "conflicting duplicate paths";

/// Checks the volumes and returns those that containers can mount.
pub(super) fn check<'a>(
    out: &mut Report,
    volumes: Option<&'a [Volume]>,
    pod: Option<&ObjectMeta>,
    path: &Path,
) -> Volumes<'a> {
    let mut right = Volumes::new();
    let pod = pod.map_or("", |pod| text(&pod.name));
    let volumes = volumes.unwrap_or_default();
    let own_claims: Vec<String> = volumes
        .iter()
        .filter(|volume| volume.ephemeral.is_some() && !pod.is_empty())
        .map(|volume| format!("{pod}-{}", volume.name))
        .collect();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let name = volume.name.as_str();
        let mut own = Report::default();
        source(&mut own, volume, pod, &path);
        if name.is_empty() {
            own.required(&path.child("name"), "");
        } else {
            own.words(&path.child("name"), name, names::dns1123_label(name));
        }
        if right.contains_key(name) {
            own.duplicate(&path.child("name"), name);
        }
        if own.is_empty() {
            right.insert(name, volume);
        }
        out.errors.append(&mut own.errors);
        let claim = volume.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.as_str());
        if let Some(claim) = claim.filter(|claim| own_claims.iter().any(|own| own == claim)) {
            let path = path.child("persistentVolumeClaim").child("claimName");
            let words = "must not reference a PVC that gets created for an ephemeral volume";
            out.invalid(&path, claim, words);
        }
    }
    right
}

/// Where the volume comes from: exactly one source.
fn source(out: &mut Report, volume: &Volume, pod: &str, path: &Path) {
    let mut sources = 0;
    for (field, is_set) in present(volume) {
        if !is_set {
            continue;
        }
        sources += 1;
        if sources > 1 {
            out.forbidden(&path.child(field), MANY);
        } else {
            details(out, volume, field, pod, path);
        }
    }
    if sources == 0 {
        out.required(path, "must specify a volume type");
    }
}

/// The sources in upstream's order, by the names its errors use.
fn present(volume: &Volume) -> [(&'static str, bool); 30] {
    [
        ("emptyDir", volume.empty_dir.is_some()),
        ("hostPath", volume.host_path.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("secret", volume.secret.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("persistentVolumeClaim", volume.persistent_volume_claim.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephFS", volume.cephfs.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("downwarAPI", volume.downward_api.is_some()),
        ("fc", volume.fc.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("configMap", volume.config_map.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("projected", volume.projected.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("csi", volume.csi.is_some()),
        ("ephemeral", volume.ephemeral.is_some()),
        ("image", volume.image.is_some()),
    ]
}

fn details(out: &mut Report, volume: &Volume, field: &'static str, pod: &str, path: &Path) {
    let own = path.child(if field == "downwarAPI" { "downwardAPI" } else { field });
    if let Some(source) = &volume.empty_dir
        && let Some(limit) = &source.size_limit
        && Quantity::parse(&limit.0).is_ok_and(|limit| limit.is_negative())
    {
        let words = "SizeLimit field must be a valid resource quantity";
        out.forbidden(&own.child("sizeLimit"), words);
    }
    match field {
        "hostPath" => host_path(out, volume, &own),
        "secret" => {
            let Some(source) = &volume.secret else { return };
            if text(&source.secret_name).is_empty() {
                out.required(&own.child("secretName"), "");
            }
            mode(out, source.default_mode, &own.child("defaultMode"));
            keys(out, source.items.as_deref(), &own.child("items"));
        }
        "configMap" => {
            let Some(source) = &volume.config_map else { return };
            if source.name.is_empty() {
                out.required(&own.child("name"), "");
            }
            mode(out, source.default_mode, &own.child("defaultMode"));
            keys(out, source.items.as_deref(), &own.child("items"));
        }
        "nfs" => {
            let Some(source) = &volume.nfs else { return };
            if source.server.is_empty() {
                out.required(&own.child("server"), "");
            }
            if source.path.is_empty() {
                out.required(&own.child("path"), "");
            }
            if !source.path.starts_with('/') {
                let words = "must be an absolute path";
                out.invalid(&own.child("path"), source.path.as_str(), words);
            }
        }
        "persistentVolumeClaim" => {
            let claim = volume.persistent_volume_claim.as_ref();
            if claim.is_some_and(|claim| claim.claim_name.is_empty()) {
                out.required(&own.child("claimName"), "");
            }
        }
        "downwarAPI" => {
            let Some(source) = &volume.downward_api else { return };
            mode(out, source.default_mode, &own.child("defaultMode"));
            for file in source.items.iter().flatten() {
                downward_file(out, file, &own);
            }
        }
        "projected" => {
            let Some(source) = &volume.projected else { return };
            mode(out, source.default_mode, &own.child("defaultMode"));
            projected(out, source, &own);
        }
        "csi" => {
            let driver = volume.csi.as_ref().map_or("", |source| source.driver.as_str());
            if driver.is_empty() {
                out.required(&own.child("driver"), "");
            }
        }
        "ephemeral" => ephemeral(out, volume, pod, path),
        "image" => image(out, volume, !pod.is_empty(), &own),
        _ => {}
    }
}

fn host_path(out: &mut Report, volume: &Volume, path: &Path) {
    let Some(source) = &volume.host_path else { return };
    if source.path.is_empty() {
        out.required(&path.child("path"), "");
        return;
    }
    no_backsteps(out, &source.path, &path.child("path"));
    if let Some(kind) = &source.type_ {
        let kinds = [
            "",
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket",
        ];
        out.supported(&path.child("type"), kind, &kinds);
    }
}

fn ephemeral(out: &mut Report, volume: &Volume, pod: &str, path: &Path) {
    let template =
        volume.ephemeral.as_ref().and_then(|source| source.volume_claim_template.as_ref());
    if template.is_none() {
        out.required(&path.child("ephemeral").child("volumeClaimTemplate"), "");
    }
    if !pod.is_empty() && !volume.name.is_empty() {
        let claim = format!("{pod}-{}", volume.name);
        for words in names::dns1123_subdomain(&claim) {
            let words = format!("PVC name {claim:?}: {words}");
            out.invalid(&path.child("name"), volume.name.as_str(), words);
        }
    }
}

fn image(out: &mut Report, volume: &Volume, is_pod: bool, path: &Path) {
    let Some(source) = &volume.image else { return };
    if is_pod && text(&source.reference).is_empty() {
        out.required(&path.child("reference"), "");
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    out.one_of(&path.child("pullPolicy"), text(&source.pull_policy), &policies);
}

fn mode(out: &mut Report, mode: Option<i32>, path: &Path) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        out.invalid(path, mode, MODE);
    }
}

fn keys(out: &mut Report, items: Option<&[KeyToPath]>, path: &Path) {
    for (index, item) in items.into_iter().flatten().enumerate() {
        let path = path.index(index);
        if item.key.is_empty() {
            out.required(&path.child("key"), "");
        }
        if item.path.is_empty() {
            out.required(&path.child("path"), "");
        }
        not_reserved(out, &item.path, &path.child("path"));
        mode(out, item.mode, &path.child("mode"));
    }
}

fn downward_file(out: &mut Report, file: &DownwardAPIVolumeFile, path: &Path) {
    if file.path.is_empty() {
        out.required(&path.child("path"), "");
    }
    not_reserved(out, &file.path, &path.child("path"));
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(selector), other) => {
            env::field_selector(out, selector, env::IN_FILES, &path.child("fieldRef"));
            if other.is_some() {
                let words = "fieldRef and resourceFieldRef can not be specified simultaneously";
                out.invalid(path, "resource", words);
            }
        }
        (None, Some(selector)) => {
            env::resource_selector(out, selector, true, &path.child("resourceFieldRef"));
        }
        (None, None) => out.required(path, "one of fieldRef and resourceFieldRef is required"),
    }
    mode(out, file.mode, &path.child("mode"));
}

fn projected(out: &mut Report, projection: &ProjectedVolumeSource, path: &Path) {
    let mut taken: Vec<String> = Vec::new();
    let mut take = |out: &mut Report, file: &str, shown: &str| {
        if file.is_empty() {
            return;
        }
        if taken.iter().any(|taken| taken == file) {
            out.invalid(path, Value::from(shown), TWICE);
        } else {
            taken.push(file.to_owned());
        }
    };
    for (index, source) in projection.sources.iter().flatten().enumerate() {
        let own = path.child("sources").index(index);
        let mut sources = 0;
        let maps = [
            ("secret", source.secret.as_ref().map(|own| (&own.name, own.items.as_deref()))),
            ("configMap", source.config_map.as_ref().map(|own| (&own.name, own.items.as_deref()))),
        ];
        for (field, name, items) in maps
            .into_iter()
            .filter_map(|(field, map)| map.map(|(name, items)| (field, name, items)))
        {
            sources += 1;
            let own = own.child(field);
            if name.is_empty() {
                out.required(&own.child("name"), "");
            }
            keys(out, items, &own.child("items"));
            items.into_iter().flatten().for_each(|item| take(out, &item.path, name));
        }
        if let Some(downward) = &source.downward_api {
            sources += 1;
            for file in downward.items.iter().flatten() {
                downward_file(out, file, &own.child("downwardAPI"));
                take(out, &file.path, &file.path);
            }
        }
        if let Some(token) = &source.service_account_token {
            sources += 1;
            let seconds = token.expiration_seconds.unwrap_or_default();
            let seconds_path = own.child("serviceAccountToken").child("expirationSeconds");
            if seconds < 600 {
                let words = "may not specify a duration less than 10 minutes";
                out.invalid(&seconds_path, seconds, words);
            }
            if seconds > 1 << 32 {
                let words = "may not specify a duration larger than 2^32 seconds";
                out.invalid(&seconds_path, seconds, words);
            }
            if token.path.is_empty() {
                out.required(&path.child("path"), "");
            } else {
                not_reserved(out, &token.path, &path.child("path"));
            }
        }
        sources += usize::from(source.cluster_trust_bundle.is_some());
        if sources > 1 {
            let words = "may not specify more than 1 volume type per source";
            out.forbidden(&own, words);
        }
    }
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
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    for (index, mount) in mounts.iter().enumerate() {
        let own = path.index(index);
        let (name, at) = (mount.name.as_str(), mount.mount_path.as_str());
        if name.is_empty() {
            out.required(&own.child("name"), "");
        }
        if !volumes.contains_key(name) {
            out.not_found(&own.child("name"), name);
        }
        if at.is_empty() {
            out.required(&own.child("mountPath"), "");
        }
        if mounts.iter().take(index).any(|earlier| earlier.mount_path == at) {
            out.invalid(&own.child("mountPath"), at, "must be unique");
        }
        if devices.iter().any(|device| device.name == name) {
            out.invalid(&own.child("name"), name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| device.device_path == at) {
            let words = "must not already exist as a path in volumeDevices";
            out.invalid(&own.child("mountPath"), at, words);
        }
        sub_paths(out, mount, volumes.get(name).copied(), &own, path);
        if let Some(propagation) = &mount.mount_propagation {
            mount_propagation(out, propagation, container, &path.child("mountPropagation"));
        }
        recursive_read_only(out, mount, &path.child("recursiveReadOnly"));
    }
}

/// The paths in errors of sub-paths lack the mount's index, as upstream's do.
fn sub_paths(
    out: &mut Report,
    mount: &VolumeMount,
    volume: Option<&Volume>,
    own: &Path,
    path: &Path,
) {
    let (sub, expression) = (text(&mount.sub_path), text(&mount.sub_path_expr));
    let image = volume.is_some_and(|volume| volume.image.is_some());
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
    let context = container.security_context.as_ref();
    let privileged = context.is_some_and(|context| context.privileged == Some(true));
    if propagation == "Bidirectional" && !privileged {
        let words = "Bidirectional mount propagation is available only to privileged containers";
        out.forbidden(path, words);
    }
}

fn recursive_read_only(out: &mut Report, mount: &VolumeMount, path: &Path) {
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                out.forbidden(path, "may only be specified when readOnly is true");
            }
            if !matches!(mount.mount_propagation.as_deref(), None | Some("None")) {
                let words = "may only be specified when mountPropagation is None or not specified";
                out.forbidden(path, words);
            }
        }
        Some(other) => out.supported(path, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

pub(super) fn devices(out: &mut Report, container: &Container, volumes: &Volumes<'_>, path: &Path) {
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    for (index, device) in devices.iter().enumerate() {
        let own = path.index(index);
        let (name, at) = (device.name.as_str(), device.device_path.as_str());
        let (name_path, at_path) = (own.child("name"), own.child("devicePath"));
        if name.is_empty() {
            out.required(&name_path, "");
        } else if devices.iter().take(index).any(|earlier| earlier.name == name) {
            out.invalid(&name_path, name, "must be unique");
        }
        match volumes.get(name) {
            None => out.not_found(&name_path, name),
            Some(volume)
                if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() =>
            {
                let words = "can only use volume source type of PersistentVolumeClaim or Ephemeral \
                             for block mode";
                out.invalid(&name_path, name, words);
            }
            Some(_) => {}
        }
        if at.is_empty() {
            out.required(&at_path, "");
        }
        if devices.iter().take(index).any(|earlier| earlier.device_path == at) {
            out.invalid(&at_path, at, "must be unique");
        }
        if at.split('/').any(|part| part == "..") {
            out.invalid(&at_path, at, "can not contain backsteps ('..')");
        }
        if mounts.iter().any(|mount| mount.name == name) {
            out.invalid(&name_path, name, "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|mount| mount.mount_path == at) {
            out.invalid(&at_path, at, "must not already exist as a path in volumeMounts");
        }
    }
}
