//! Volumes of Pods.

use k8s_openapi::api::core::v1::{ProjectedVolumeSource, Volume, VolumeProjection};

use super::core::claim_spec;
use super::{default_to, image, pod};

/// Mode 0644 of the files.
const FILE_MODE: i32 = 0o644;

pub(super) fn set_defaults(volume: &mut Volume) {
    if *volume == (Volume { name: volume.name.clone(), ..Volume::default() }) {
        volume.empty_dir = Some(k8s_openapi::api::core::v1::EmptyDirVolumeSource::default());
    }
    if let Some(source) = &mut volume.secret {
        default_to(&mut source.default_mode, FILE_MODE);
    }
    if let Some(source) = &mut volume.config_map {
        default_to(&mut source.default_mode, FILE_MODE);
    }
    if let Some(source) = &mut volume.downward_api {
        default_to(&mut source.default_mode, FILE_MODE);
        for file in source.items.iter_mut().flatten() {
            file.field_ref.iter_mut().for_each(pod::field);
            file.resource_field_ref.iter_mut().for_each(pod::divisor);
        }
    }
    volume.projected.iter_mut().for_each(projected);
    if let Some(source) = &mut volume.host_path {
        default_to(&mut source.type_, "");
    }
    if let Some(source) = &mut volume.image {
        let latest = image::tag(source.reference.as_deref().unwrap_or_default()) == Some("latest");
        default_to(&mut source.pull_policy, if latest { "Always" } else { "IfNotPresent" });
    }
    if let Some(template) =
        volume.ephemeral.as_mut().and_then(|source| source.volume_claim_template.as_mut())
    {
        template.metadata.get_or_insert_default();
        claim_spec(&mut template.spec);
    }
    far_sources(volume);
}

fn projected(source: &mut ProjectedVolumeSource) {
    default_to(&mut source.default_mode, FILE_MODE);
    for VolumeProjection { downward_api, service_account_token, .. } in
        source.sources.iter_mut().flatten()
    {
        for file in downward_api.iter_mut().filter_map(|source| source.items.as_mut()).flatten() {
            file.field_ref.iter_mut().for_each(pod::field);
            file.resource_field_ref.iter_mut().for_each(pod::divisor);
        }
        if let Some(token) = service_account_token {
            default_to(&mut token.expiration_seconds, 3_600);
        }
    }
}

/// Disks of other machines.
fn far_sources(volume: &mut Volume) {
    if let Some(source) = &mut volume.iscsi {
        default_to(&mut source.iscsi_interface, "default");
    }
    if let Some(source) = &mut volume.rbd {
        default_to(&mut source.pool, "rbd");
        default_to(&mut source.user, "admin");
        default_to(&mut source.keyring, "/etc/ceph/keyring");
    }
    if let Some(source) = &mut volume.azure_disk {
        default_to(&mut source.caching_mode, "ReadWrite");
        default_to(&mut source.fs_type, "ext4");
        default_to(&mut source.read_only, false);
        default_to(&mut source.kind, "Shared");
    }
    if let Some(source) = &mut volume.scale_io {
        default_to(&mut source.storage_mode, "ThinProvisioned");
        default_to(&mut source.fs_type, "xfs");
    }
}
