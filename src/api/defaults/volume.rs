//! Volumes of Pods, and of the kinds that have the same.

use serde_json::json;

use super::documents::{Fields, claim_spec, default_to, far_disks, found, part, structs};
use super::image;
use crate::api::document::Part;

/// Mode 0644 of the files.
const FILE_MODE: i32 = 0o644;

pub(super) fn set_defaults(volume: &mut Fields) {
    if volume.keys().all(|field| field == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["configMap", "downwardAPI", "projected", "secret"] {
        if let Some(source) = found(volume, source) {
            default_to(source, "defaultMode", FILE_MODE);
        }
    }
    found(volume, "downwardAPI").into_iter().for_each(files);
    if let Some(projected) = found(volume, "projected") {
        for source in structs(projected, "sources") {
            found(source, "downwardAPI").into_iter().for_each(files);
            if let Some(token) = found(source, "serviceAccountToken") {
                default_to(token, "expirationSeconds", 3_600);
            }
        }
    }
    if let Some(source) = found(volume, "image") {
        let reference = Part::of(source.get("reference")).text();
        let latest = image::tag(reference) == Some("latest");
        default_to(source, "pullPolicy", if latest { "Always" } else { "IfNotPresent" });
    }
    if let Some(source) = found(volume, "ephemeral")
        && let Some(template) = found(source, "volumeClaimTemplate")
    {
        part(template, "metadata");
        claim_spec(template);
    }
    far_disks(volume);
}

/// Files that show fields of the Pod.
fn files(source: &mut Fields) {
    structs(source, "items").for_each(shown);
}

/// What a file or a variable shows: a field of the Pod, or a resource of a container.
pub(super) fn shown(source: &mut Fields) {
    if let Some(selector) = found(source, "fieldRef") {
        default_to(selector, "apiVersion", "v1");
    }
    if let Some(selector) = found(source, "resourceFieldRef") {
        default_to(selector, "divisor", "0");
    }
}
