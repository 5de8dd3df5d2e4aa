//! Rows of volumes, of claims, of their classes, of drivers on nodes, and of quotas.

use jiff::Timestamp;

use super::cell::{NONE, age, name, text_or};
use super::{Cell, Column};
use crate::api::document::{Document, Part};

const UNSET: &str = "<unset>";
const DEFAULT: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];
/// The annotation that once said the class of a volume or a claim.
pub const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// The columns of persistent volumes.
pub const PERSISTENT_VOLUME: &[Column] = &[
    Column::NAME,
    Column::text(
        "Capacity",
        "capacity is the description of the persistent volume's resources and capacity.",
    ),
    Column::text("Access Modes", "accessModes contains all ways the volume can be mounted."),
    Column::text(
        "Reclaim Policy",
        "persistentVolumeReclaimPolicy defines what happens to a persistent volume when released \
         from its claim.",
    ),
    Column::text(
        "Status",
        "phase indicates if a volume is available, bound to a claim, or released by a claim.",
    ),
    Column::text(
        "Claim",
        "claimRef is part of a bi-directional binding between PersistentVolume and \
         PersistentVolumeClaim.",
    ),
    Column::text(
        "StorageClass",
        "StorageClass of the pv, empty value means that this volume does not belong to any \
         StorageClass.",
    ),
    Column::text("VolumeAttributesClass", "Name of VolumeAttributesClass of the pv."),
    Column::text(
        "Reason",
        "reason is a brief CamelCase string that describes any failure and is meant for machine \
         parsing and tidy display in the CLI.",
    ),
    Column::AGE,
    Column::text(
        "VolumeMode",
        "volumeMode defines if a volume is intended to be used with a formatted filesystem or to \
         remain in raw block state.",
    )
    .wide(),
];

/// The row of a persistent volume.
pub fn persistent_volume(volume: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status, claim) =
        (volume.at("spec"), volume.at("status"), volume.at("spec").at("claimRef"));
    let claim = if claim.is_there() {
        format!("{}/{}", claim.at("namespace").text(), claim.at("name").text())
    } else {
        String::new()
    };
    vec![
        name(&volume.metadata),
        size(spec),
        modes(spec.at("accessModes")).into(),
        spec.at("persistentVolumeReclaimPolicy").text().into(),
        phase(volume).into(),
        claim.into(),
        class(volume).into(),
        text_or(Some(spec.at("volumeAttributesClassName").text()), UNSET),
        status.at("reason").text().into(),
        age(&volume.metadata, now),
        text_or(Some(spec.at("volumeMode").text()), UNSET),
    ]
}

/// The columns of claims.
pub const PERSISTENT_VOLUME_CLAIM: &[Column] = &[
    Column::NAME,
    Column::text("Status", "phase represents the current phase of PersistentVolumeClaim."),
    Column::text(
        "Volume",
        "volumeName is the binding reference to the PersistentVolume backing this claim.",
    ),
    Column::text("Capacity", "capacity represents the actual resources of the underlying volume."),
    Column::text(
        "Access Modes",
        "accessModes contains the actual access modes the volume backing the PVC has.",
    ),
    Column::text("StorageClass", "StorageClass of the pvc"),
    Column::text("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
    Column::AGE,
    Column::text("VolumeMode", "volumeMode defines what type of volume is required by the claim.")
        .wide(),
];

/// The row of a claim.
pub fn persistent_volume_claim(claim: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status) = (claim.at("spec"), claim.at("status"));
    let volume = spec.at("volumeName").text();
    // What the volume has, once there is one.
    let (size, of_volume) =
        if volume.is_empty() { ("".into(), Part::of(None)) } else { (size(status), status) };
    vec![
        name(&claim.metadata),
        phase(claim).into(),
        volume.into(),
        size,
        modes(of_volume.at("accessModes")).into(),
        class(claim).into(),
        text_or(Some(spec.at("volumeAttributesClassName").text()), UNSET),
        age(&claim.metadata, now),
        text_or(Some(spec.at("volumeMode").text()), UNSET),
    ]
}

/// How much can be stored.
fn size(of: Part<'_>) -> Cell {
    text_or(Some(of.at("capacity").at("storage").text()), "0")
}

fn phase(object: &Document) -> &str {
    match object.metadata.deletion_timestamp {
        Some(_) => "Terminating",
        None => object.at("status").at("phase").text(),
    }
}

/// The name of its class; an annotation once said it.
fn class(object: &Document) -> &str {
    let annotations = object.metadata.annotations.as_ref();
    let annotated = annotations.and_then(|all| all.get(BETA_CLASS)).map(String::as_str);
    annotated.unwrap_or_else(|| object.at("spec").at("storageClassName").text())
}

fn modes(modes: Part<'_>) -> String {
    let short = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let there = short.iter().filter(|(long, _)| modes.texts().any(|mode| mode == *long));
    there.map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

/// The columns of storage classes.
pub const STORAGE_CLASS: &[Column] = &[
    Column::NAME,
    Column::text("Provisioner", "provisioner indicates the type of the provisioner."),
    Column::text(
        "ReclaimPolicy",
        "reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of \
         this storage class.",
    ),
    Column::text(
        "VolumeBindingMode",
        "volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.",
    ),
    Column::text(
        "AllowVolumeExpansion",
        "allowVolumeExpansion shows whether the storage class allow volume expand.",
    ),
    Column::AGE,
];

/// The row of a storage class.
pub fn storage_class(class: &Document, now: Timestamp) -> Vec<Cell> {
    let mark = if is_default(class) { " (default)" } else { "" };
    let name = class.metadata.name.as_deref().unwrap_or_default();
    vec![
        format!("{name}{mark}").into(),
        class.at("provisioner").text().into(),
        text_or(Some(class.at("reclaimPolicy").text()), "Delete"),
        text_or(Some(class.at("volumeBindingMode").text()), "Immediate"),
        Cell::Truth(class.at("allowVolumeExpansion").is_true()),
        age(&class.metadata, now),
    ]
}

/// The columns of what drivers tell of a node.
pub const CSI_NODE: &[Column] = &[
    Column::NAME,
    Column::number("Drivers", "Drivers indicates the number of CSI drivers registered on the node"),
    Column::AGE,
];

/// The row of what drivers tell of a node.
pub fn csi_node(node: &Document, now: Timestamp) -> Vec<Cell> {
    let drivers = i32::try_from(node.at("spec").at("drivers").len()).unwrap_or(i32::MAX);
    vec![name(&node.metadata), drivers.into(), age(&node.metadata, now)]
}

/// The columns of drivers.
pub const CSI_DRIVER: &[Column] = &[
    Column::NAME,
    Column::truth(
        "AttachRequired",
        "attachRequired indicates this CSI volume driver requires an attach operation (because it \
         implements the CSI ControllerPublishVolume() method), and that the Kubernetes attach \
         detach controller should call the attach volume interface which checks the \
         volumeattachment status and waits until the volume is attached before proceeding to \
         mounting.",
    ),
    Column::truth(
        "PodInfoOnMount",
        "podInfoOnMount indicates this CSI volume driver requires additional pod information (like \
         podName, podUID, etc.) during mount operations, if set to true.",
    ),
    Column::truth(
        "StorageCapacity",
        "storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the \
         storage capacity that the driver deployment will report by creating CSIStorageCapacity \
         objects with capacity information, if set to true.",
    ),
    Column::text(
        "TokenRequests",
        "tokenRequests indicates the CSI driver needs pods' service account tokens it is mounting \
         volume for to do necessary authentication.",
    ),
    Column::truth(
        "RequiresRepublish",
        "requiresRepublish indicates the CSI driver wants `NodePublishVolume` being periodically \
         called to reflect any possible change in the mounted volume.",
    ),
    Column::text(
        "Modes",
        "volumeLifecycleModes defines what kind of volumes this CSI volume driver supports.",
    ),
    Column::AGE,
];

/// The row of a driver.
pub fn csi_driver(driver: &Document, now: Timestamp) -> Vec<Cell> {
    let spec = driver.at("spec");
    let is = |field: &str| Cell::Truth(spec.at(field).is_true());
    let requests = spec.at("tokenRequests");
    let listed = |texts: &mut dyn Iterator<Item = &str>| texts.collect::<Vec<_>>().join(",");
    let audiences = listed(&mut requests.items().map(|one| one.at("audience").text()));
    let modes = listed(&mut spec.at("volumeLifecycleModes").texts());
    vec![
        name(&driver.metadata),
        is("attachRequired"),
        is("podInfoOnMount"),
        is("storageCapacity"),
        if requests.is_there() { audiences.into() } else { UNSET.into() },
        is("requiresRepublish"),
        text_or(Some(&modes), NONE),
        age(&driver.metadata, now),
    ]
}

/// The columns of what room drivers tell of.
pub const STORAGE_CAPACITY: &[Column] = &[
    Column::NAME,
    Column::text(
        "StorageClassName",
        "storageClassName represents the name of the StorageClass that the reported capacity \
         applies to.",
    ),
    Column::text(
        "Capacity",
        "capacity is the value reported by the CSI driver in its GetCapacityResponse for a \
         GetCapacityRequest with topology and parameters that match the previous fields.",
    ),
];

/// The row of what room a driver tells of.
pub fn storage_capacity(capacity: &Document, _now: Timestamp) -> Vec<Cell> {
    let amount = capacity.at("capacity").text();
    let class = capacity.at("storageClassName").text();
    vec![name(&capacity.metadata), class.into(), text_or(Some(amount), UNSET)]
}

/// The columns of volumes on nodes.
pub const VOLUME_ATTACHMENT: &[Column] = &[
    Column::NAME,
    Column {
        format: "name",
        ..Column::text(
            "Attacher",
            "attacher indicates the name of the volume driver that MUST handle this request.",
        )
    },
    Column::text(
        "PV",
        "persistentVolumeName represents the name of the persistent volume to attach.",
    ),
    Column::text("Node", "nodeName represents the node that the volume should be attached to."),
    Column::truth("Attached", "attached indicates the volume is successfully attached."),
    Column::AGE,
];

/// The row of a volume on a node.
pub fn volume_attachment(attachment: &Document, now: Timestamp) -> Vec<Cell> {
    let spec = attachment.at("spec");
    vec![
        name(&attachment.metadata),
        spec.at("attacher").text().into(),
        spec.at("source").at("persistentVolumeName").text().into(),
        spec.at("nodeName").text().into(),
        Cell::Truth(attachment.at("status").at("attached").is_true()),
        age(&attachment.metadata, now),
    ]
}

/// Whether claims that name no class have this one.
pub fn is_default(class: &Document) -> bool {
    let annotations = class.metadata.annotations.as_ref();
    DEFAULT
        .iter()
        .any(|key| annotations.and_then(|all| all.get(*key)).is_some_and(|it| it == "true"))
}

/// The columns of quotas.
pub const RESOURCE_QUOTA: &[Column] = &[
    Column::NAME,
    Column::text(
        "Request",
        "Request represents a minimum amount of cpu/memory that a container may consume.",
    ),
    Column::text(
        "Limit",
        "Limits control the maximum amount of cpu/memory that a container may use independent of \
         contention on the node.",
    ),
    Column::AGE,
];

/// The row of a quota.
pub fn resource_quota(quota: &Document, now: Timestamp) -> Vec<Cell> {
    let status = quota.at("status");
    let shown = |limits: bool| {
        let hard = status.at("hard").entries();
        let hard = hard.filter(|(name, _)| name.starts_with("limits.") == limits);
        let shown = hard.map(|(name, hard)| {
            let used = status.at("used").at(name);
            let used = if used.is_there() { used.text() } else { "0" };
            format!("{name}: {used}/{}", hard.text())
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    vec![name(&quota.metadata), shown(false).into(), shown(true).into(), age(&quota.metadata, now)]
}
