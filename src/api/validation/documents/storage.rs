//! Persistent volumes, claims, storage classes and what drivers tell of nodes.
//!
//! Mirrors: `pkg/apis/core/validation/validation.go` and `pkg/apis/storage/validation/validation.go`.

use k8s_openapi::api::core::v1::NodeSelector;
use serde_json::{Value, json};

use super::{C, K, M, N, PLAIN, Rules, of_selector};
use crate::api::decode::decode;
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::text::lower;
use crate::api::validation::report::{Report, Seen, text};
use crate::api::validation::volume::{MANY, Owner, driver, source};
use crate::api::validation::{IMMUTABLE, NEGATIVE, NOT_POSITIVE, resources, selector};

pub(super) const VOLUME: Rules =
    Rules { check: volume, change: volume_changed, update: &[N, K, C], ..PLAIN };
pub(super) const CLAIM: Rules = Rules {
    check: claim,
    change: claim_changed,
    update: &[M, N, K, C],
    status: claim_status,
    ..PLAIN
};
pub(super) const CSI_NODE: Rules =
    Rules { check: csi_node, change: csi_node_changed, update: &[N, K, C], ..PLAIN };
pub(super) const CLASS: Rules =
    Rules { check: class, change: class_changed, update: &[M, C], ..PLAIN };

pub(super) const CSI_DRIVER: Rules =
    Rules { check: csi_driver, change: csi_driver_changed, update: &[N, K, C], ..PLAIN };
pub(super) const STORAGE_CAPACITY: Rules = Rules {
    check: storage_capacity,
    change: storage_capacity_changed,
    update: &[N, K, C],
    ..PLAIN
};
pub(super) const ATTACHMENT: Rules = Rules {
    check: attachment,
    change: attachment_changed,
    update: &[N, K, C],
    status: attachment_status,
    ..PLAIN
};

const RECLAIM_POLICY: &str = "persistentVolumeReclaimPolicy";
const ACCESS_MODES: [&str; 4] =
    ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// How far a claim may be on its way to another size.
const RESIZES: [&str; 5] = [
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
/// What a volume can be made of, in the order in which upstream looks.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

fn spec_path(field: &'static str) -> Path {
    Path::new("spec").child(field)
}

fn volume(out: &mut Report, volume: &Document, _old: Option<&Document>) {
    let spec = volume.at("spec");
    some_access_modes(out, spec, &Path::new("spec"));
    let (capacity, path) = (spec.at("capacity"), spec_path("capacity"));
    if capacity.is_empty() {
        out.required(&path, "");
    }
    if !capacity.at("storage").is_there() || capacity.len() > 1 {
        let shown = capacity.value().clone();
        out.errors.push(FieldError::not_supported(&path, shown, &["storage"]));
    }
    for (name, amount) in capacity.entries() {
        positive(out, amount, &path.key(name), true);
    }
    let policy = spec.at(RECLAIM_POLICY).text();
    if !policy.is_empty() {
        out.supported(&spec_path(RECLAIM_POLICY), policy, &["Delete", "Recycle", "Retain"]);
    }
    let affinity = spec.at("nodeAffinity");
    let required = affinity.at("required");
    if affinity.is_there() {
        let path = spec_path("nodeAffinity").child("required");
        match decode::<NodeSelector>(required.value()) {
            Ok(decoded) if required.is_there() => {
                selector::node_selector(out, &decoded.object, &path);
            }
            Ok(_) | Err(_) => out.required(&path, "must specify required node constraints"),
        }
    }
    sources(out, text(&volume.metadata.name), spec, &Path::new("spec"));
    let class = spec.at("storageClassName").text();
    if !class.is_empty() {
        out.words(&spec_path("storageClassName"), class, names::dns1123_subdomain);
    }
    mode(out, spec, &spec_path("volumeMode"));
    let (class, path) =
        (spec.at("volumeAttributesClassName"), spec_path("volumeAttributesClassName"));
    if class.is_there() {
        if class.text().is_empty() {
            out.required(&path, "an empty string is disallowed");
        } else {
            out.words(&path, class.text(), names::dns1123_subdomain);
        }
        if !spec.at("csi").is_there() {
            let words = "has to be specified when using volumeAttributesClassName";
            out.required(&spec_path("csi"), words);
        }
    }
}

/// What a volume asks for that is on a node though no object stands for it.
fn inline_volume(out: &mut Report, spec: Part<'_>, path: &Path) {
    let words = "may not be specified in the context of inline volumes";
    if spec.at("claimRef").is_there() {
        out.forbidden_at(path, "claimRef", words);
    }
    if !spec.at("capacity").is_empty() {
        out.forbidden_at(path, "capacity", words);
    }
    if !spec.at("csi").is_there() {
        out.required_at(path, "csi", "has to be specified in the context of inline volumes");
    }
    some_access_modes(out, spec, path);
    if !["", "Retain"].contains(&spec.at(RECLAIM_POLICY).text()) {
        let words = "may only be Retain in the context of inline volumes";
        out.forbidden_at(path, RECLAIM_POLICY, words);
    }
    if spec.at("nodeAffinity").is_there() {
        out.forbidden_at(path, "nodeAffinity", words);
    }
    sources(out, "", spec, path);
    if !spec.at("storageClassName").text().is_empty() {
        out.forbidden_at(path, "storageClassName", words);
    }
    if spec.at("volumeMode").is_there() && spec.at("volumeMode").text() != "Filesystem" {
        let words =
            "may not specify volumeMode other than Filesystem in the context of inline volumes";
        out.forbidden_at(path, "volumeMode", words);
    }
}

fn some_access_modes(out: &mut Report, spec: Part<'_>, path: &Path) {
    if spec.at("accessModes").is_empty() {
        out.required_at(path, "accessModes", "");
    }
    access_modes(out, spec, &path.child("accessModes"));
}

fn access_modes(out: &mut Report, spec: Part<'_>, path: &Path) {
    let modes = || spec.at("accessModes").texts();
    for mode in modes() {
        out.supported(path, mode, &ACCESS_MODES);
    }
    let alone = "ReadWriteOncePod";
    let others = modes().any(|mode| mode != alone && ACCESS_MODES.contains(&mode));
    if others && modes().any(|mode| mode == alone) {
        out.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}

fn mode(out: &mut Report, spec: Part<'_>, path: &Path) {
    if spec.at("volumeMode").is_there() {
        out.supported(path, spec.at("volumeMode").text(), &VOLUME_MODES);
    }
}

/// An amount of storage; of a negative one the capacity of a volume says a word more.
fn positive(out: &mut Report, amount: Part<'_>, path: &Path, basic: bool) {
    let Some(quantity) = amount.quantity() else { return };
    if basic && quantity.is_negative() {
        out.invalid(path, amount.text(), "must be a valid resource quantity");
    }
    if quantity.is_negative() || quantity.is_zero() {
        out.invalid(path, amount.text(), NOT_POSITIVE);
    }
}

/// What it is made of: one thing.
fn sources(out: &mut Report, name: &str, spec: Part<'_>, path: &Path) {
    let mut found = false;
    for field in SOURCES.into_iter().filter(|field| spec.at(field).is_there()) {
        if found && field != "flexVolume" {
            out.forbidden_at(path, if field == "cephfs" { "cephFS" } else { field }, MANY);
            continue;
        }
        found = true;
        source(out, field, spec.at(field), Owner::Cluster(name), path);
        if field == "local" && !spec.at("nodeAffinity").is_there() {
            out.required_at(path, "nodeAffinity", "Local volume requires node affinity");
        }
    }
    if !found {
        out.required(path, "must specify a volume type");
    }
    let (root, policy) = (spec.at("hostPath").at("path").text(), spec.at(RECLAIM_POLICY).text());
    if !root.is_empty() && root.chars().all(|c| c == '/') && policy == "Recycle" {
        let words = "may not be 'recycle' for a hostPath mount of '/'";
        out.forbidden_at(path, RECLAIM_POLICY, words);
    }
}

fn volume_changed(out: &mut Report, new: &Document, old: &Document) {
    let (new, old) = (new.at("spec"), old.at("spec"));
    let made_of = |spec: Part<'_>| {
        let mut parts: Vec<Value> =
            SOURCES.iter().map(|source| spec.at(source).value().clone()).collect();
        // A secret for growing may be named later.
        if !old.at("csi").at("controllerExpandSecretRef").is_there()
            && let Some(Value::Object(csi)) = parts.last_mut()
        {
            csi.remove("controllerExpandSecretRef");
        }
        parts
    };
    if made_of(new) != made_of(old) {
        // Upstream shows the difference of its own types besides.
        let words = "spec.persistentvolumesource is immutable after creation";
        out.forbidden(&spec_path("persistentvolumesource"), words);
    }
    out.immutable(
        &Path::new("volumeMode"),
        new.at("volumeMode").value(),
        old.at("volumeMode").value(),
    );
    let affinity = (new.at("nodeAffinity"), old.at("nodeAffinity"));
    if affinity.1.is_there() && affinity.0.value() != affinity.1.value() {
        let words = format!("{IMMUTABLE}, except for updating from beta label to GA");
        out.invalid(&Path::new("nodeAffinity"), affinity.0.value().clone(), words);
    }
    attributes(out, new, old);
}

fn attributes(out: &mut Report, new: Part<'_>, old: Part<'_>) {
    let class = "volumeAttributesClassName";
    if old.at(class).is_there() && !new.at(class).is_there() {
        out.forbidden(&spec_path(class), "update from non-nil value to nil is forbidden");
    }
}

fn claim(out: &mut Report, claim: &Document, _old: Option<&Document>) {
    claim_spec(out, claim.at("spec"), &Path::new("spec"));
}

/// What a claim asks for, be it one of its own or the template of one.
pub fn claim_spec(out: &mut Report, spec: Part<'_>, path: &Path) {
    if spec.at("accessModes").is_empty() {
        out.required_at(path, "accessModes", "at least 1 access mode is required");
    }
    of_selector(out, spec.at("selector"), &path.child("selector"));
    access_modes(out, spec, &path.child("accessModes"));
    let (wanted, storage) =
        (spec.at("resources").at("requests").at("storage"), path.child("resources").key("storage"));
    if wanted.is_there() {
        positive(out, wanted, &storage, false);
    } else {
        out.required(&storage, "");
    }
    let class = spec.at("storageClassName").text();
    if !class.is_empty() {
        out.words_at(path, "storageClassName", class, names::dns1123_subdomain);
    }
    mode(out, spec, &path.child("volumeMode"));
    let (source, reference) = (spec.at("dataSource"), spec.at("dataSourceRef"));
    for (part, field) in [(source, "dataSource"), (reference, "dataSourceRef")] {
        if part.is_there() {
            data_source(out, part, &path.child(field));
        }
    }
    if source.is_there() && reference.is_there() {
        let elsewhere = !reference.at("namespace").text().is_empty();
        let same = ["apiGroup", "kind", "name"]
            .iter()
            .all(|field| source.at(field).value() == reference.at(field).value());
        let words = match (elsewhere, same) {
            (true, _) => Some("may not be specified when dataSourceRef.namespace is specified"),
            (false, false) => Some("must match dataSourceRef"),
            (false, true) => None,
        };
        if let Some(words) = words {
            // Upstream shows the path itself, of which nothing is to be seen.
            out.invalid(path, json!({}), words);
        }
    }
    let class = spec.at("volumeAttributesClassName").text();
    if !class.is_empty() {
        out.words_at(path, "volumeAttributesClassName", class, names::dns1123_subdomain);
    }
}

fn data_source(out: &mut Report, source: Part<'_>, path: &Path) {
    for field in ["name", "kind"] {
        if source.at(field).text().is_empty() {
            out.required_at(path, field, "");
        }
    }
    let (group, kind) = (source.at("apiGroup").text(), source.at("kind").text());
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let words = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        out.invalid(path, kind, words);
    }
    if !group.is_empty() {
        out.words_at(path, "apiGroup", group, names::dns1123_subdomain);
    }
    let namespace = source.at("namespace").text();
    if !namespace.is_empty() {
        out.words_at(path, "namespace", namespace, names::dns1123_label);
    }
}

fn claim_changed(out: &mut Report, new: &Document, old: &Document) {
    let bound = new.at("status").at("phase").text() == "Bound";
    let fixed = |document: &Document| {
        let Some(spec) = document.at("spec").value().as_object() else { return Value::Null };
        let mut spec = spec.clone();
        let before = old.at("spec");
        // A volume may be named once, and so may a class, if it was not said that there is none.
        if before.at("volumeName").text().is_empty() {
            spec.remove("volumeName");
        }
        if !before.at("storageClassName").is_there() {
            spec.remove("storageClassName");
        }
        if bound {
            spec.remove("volumeAttributesClassName");
            let requests = spec.get_mut("resources").and_then(|it| it.get_mut("requests"));
            if let Some(Value::Object(requests)) = requests {
                requests.remove("storage");
            }
        }
        Value::Object(spec)
    };
    if fixed(new) != fixed(old) {
        // Upstream shows the difference of its own types besides.
        let words = "spec is immutable after creation except resources.requests and \
                     volumeAttributesClassName for bound claims";
        out.forbidden(&Path::new("spec"), words);
    }
    let storage =
        |claim: &Document| claim.at("spec").at("resources").at("requests").at("storage").quantity();
    if let (Some(now), Some(before)) = (storage(new), storage(old))
        && now < before
        && old.at("status").at("capacity").at("storage").quantity().is_some_and(|has| now <= has)
    {
        let path = spec_path("resources").child("requests").child("storage");
        out.forbidden(&path, "field can not be less than status.capacity");
    }
    let (now, before) = (new.at("spec"), old.at("spec"));
    out.immutable(
        &Path::new("volumeMode"),
        now.at("volumeMode").value(),
        before.at("volumeMode").value(),
    );
    attributes(out, now, before);
}

fn claim_status(out: &mut Report, new: &Document, _old: &Document) {
    let (status, path) = (new.at("status"), Path::new("status"));
    for (name, amount) in status.at("capacity").entries() {
        real_amount(out, amount, &path.child("capacity").key(name));
    }
    let told = path.child("allocatedResourceStatuses");
    for (name, state) in status.at("allocatedResourceStatuses").entries() {
        claimed(out, name, &told);
        if !RESIZES.contains(&state.text()) {
            out.errors.push(FieldError::not_supported(&told, name, &RESIZES));
        }
    }
    let amounts = path.child("allocatedResources");
    for (name, amount) in status.at("allocatedResources").entries() {
        if claimed(out, name, &amounts) {
            real_amount(out, amount, &amounts.key(name));
        }
    }
}

fn real_amount(out: &mut Report, amount: Part<'_>, path: &Path) {
    if amount.quantity().is_some_and(|amount| amount.is_negative()) {
        out.invalid(path, amount.text(), "must be a valid resource quantity");
    }
}

/// Whether a claim can have a resource of that name: of Kubernetes' own storage only.
fn claimed(out: &mut Report, name: &str, path: &Path) -> bool {
    let before = out.errors.len();
    out.words(path, name, names::label_key);
    if out.errors.len() == before && resources::is_native(name) {
        out.supported(path, name, &["storage"]);
    }
    out.errors.len() == before
}

fn csi_node(out: &mut Report, node: &Document, _old: Option<&Document>) {
    let mut names = Seen::default();
    for (index, one) in node.at("spec").at("drivers").items().enumerate() {
        let path = spec_path("drivers").index(index);
        let (name, id) = (one.at("name").text(), one.at("nodeID").text());
        driver(out, name, &path.child("name"));
        if id.is_empty() {
            out.required_at(&path, "nodeID", "");
        }
        if id.len() > 256 {
            out.invalid_at(&path, "nodeID", id, "must be 256 characters or less");
        }
        let count = one.at("allocatable").at("count").number();
        if let Some(count) = count.filter(|count| *count < 0) {
            out.invalid(&path.child("allocatable").child("count"), count, NEGATIVE);
        }
        if !names.is_new(name) {
            out.duplicate_at(&path, "name", name);
        }
        let mut keys = Seen::default();
        for key in one.at("topologyKeys").texts() {
            if key.is_empty() {
                out.required(&path, key);
            }
            if !keys.is_new(key) {
                out.duplicate(&path, key);
            }
            out.words(&path, key, names::label_key);
        }
    }
}

/// A driver may come and go; while it is there, only how many volumes it can attach may change.
fn csi_node_changed(out: &mut Report, new: &Document, old: &Document) {
    let drivers = |node: &Document| -> Vec<Value> {
        let drivers = node.at("spec").at("drivers").items().map(|it| it.value().clone());
        let fixed = drivers.map(|mut driver| {
            if let Value::Object(driver) = &mut driver {
                driver.remove("allocatable");
            }
            driver
        });
        fixed.collect()
    };
    let new = drivers(new);
    for old in drivers(old) {
        for new in new.iter().filter(|new| new.get("name") == old.get("name")) {
            out.immutable(&spec_path("drivers"), new, &old);
        }
    }
}

fn csi_driver(out: &mut Report, driver: &Document, _old: Option<&Document>) {
    let spec = driver.at("spec");
    // Those that are defaulted are there; the name of the first is upstream's.
    let must = [
        ("attachRequired", "attachedRequired"),
        ("podInfoOnMount", "podInfoOnMount"),
        ("storageCapacity", "storageCapacity"),
    ];
    for (field, shown) in must {
        if !spec.at(field).is_there() {
            out.required(&spec_path(shown), "");
        }
    }
    let policy = spec.at("fsGroupPolicy");
    if policy.is_there() {
        let known = ["File", "None", "ReadWriteOnceWithFSType"];
        out.supported(&spec_path("fsGroupPolicy"), policy.text(), &known);
    }
    token_requests(out, spec.at("tokenRequests"), &spec_path("tokenRequests"));
    for mode in spec.at("volumeLifecycleModes").texts() {
        out.supported(&spec_path("volumeLifecycleModes"), mode, &["Persistent", "Ephemeral"]);
    }
    if !spec.at("seLinuxMount").is_there() {
        out.required(&spec_path("seLinuxMount"), "");
    }
    let period = "nodeAllocatableUpdatePeriodSeconds";
    if let Some(seconds) = spec.at(period).number().filter(|seconds| *seconds < 10) {
        out.invalid(&spec_path(period), seconds, "must be greater than or equal to 10 seconds");
    }
    let (field, at) = ("serviceAccountTokenInSecrets", spec.at("serviceAccountTokenInSecrets"));
    if at.is_there() && spec.at("tokenRequests").is_empty() {
        let words = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
        out.invalid(&spec_path(field), at.value().clone(), words);
    }
}

/// The tokens that a driver asks for: one for each audience.
fn token_requests(out: &mut Report, requests: Part<'_>, path: &Path) {
    let mut audiences = Seen::default();
    for (index, request) in requests.items().enumerate() {
        let path = path.index(index);
        let audience = request.at("audience").text();
        if !audiences.is_new(audience) {
            out.duplicate_at(&path, "audience", audience);
            continue;
        }
        let seconds = request.at("expirationSeconds").number();
        let wrong = match seconds {
            Some(seconds) if seconds < 600 => "less than 10 minutes",
            Some(seconds) if seconds > 1 << 32 => "larger than 2^32 seconds",
            Some(_) | None => continue,
        };
        let words = format!("may not specify a duration {wrong}");
        out.invalid_at(&path, "expirationSeconds", seconds.unwrap_or_default(), &words);
    }
}

fn csi_driver_changed(out: &mut Report, new: &Document, old: &Document) {
    let (new, old) = (new.at("spec"), old.at("spec"));
    for (field, shown) in
        [("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")]
    {
        out.immutable(&spec_path(shown), new.at(field).value(), old.at(field).value());
    }
}

fn storage_capacity(out: &mut Report, capacity: &Document, _old: Option<&Document>) {
    of_selector(out, capacity.at("nodeTopology"), &Path::new("nodeTopology"));
    let class = capacity.at("storageClassName").text();
    out.words(&Path::new("storageClassName"), class, names::dns1123_subdomain);
    let amount = capacity.at("capacity");
    if amount.quantity().is_some_and(|amount| amount.is_negative()) {
        out.invalid(&Path::new("capacity"), amount.text(), NEGATIVE);
    }
}

fn storage_capacity_changed(out: &mut Report, new: &Document, old: &Document) {
    for field in ["nodeTopology", "storageClassName"] {
        out.immutable(&Path::new(field), new.at(field).value(), old.at(field).value());
    }
}

fn attachment(out: &mut Report, attachment: &Document, old: Option<&Document>) {
    let spec = attachment.at("spec");
    if spec.at("attacher").text().is_empty() {
        out.required(&spec_path("attacher"), "");
    }
    let (source, path) = (spec.at("source"), spec_path("source"));
    let (inline, volume) = (source.at("inlineVolumeSpec"), source.at(VOLUME_NAME));
    let one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (inline.is_there(), volume.is_there()) {
        (false, false) => out.required(&path, one),
        (true, true) => out.forbidden(&path, one),
        (false, true) if volume.text().is_empty() => {
            out.required_at(&path, VOLUME_NAME, "must specify non empty persistentVolumeName");
        }
        (false, true) => {}
        (true, false) => inline_volume(out, inline, &path.child("inlineVolumeSpec")),
    }
    out.words(&spec_path("nodeName"), spec.at("nodeName").text(), names::dns1123_subdomain);
    let (status, path) = (attachment.at("status"), Path::new("status"));
    let metadata = status.at("attachmentMetadata").entries();
    let size: usize = metadata.map(|(key, value)| key.len() + value.text().len()).sum();
    if size > 256 << 10 {
        out.errors.push(FieldError::too_long(&path.child("attachmentMetadata"), 256 << 10));
    }
    for field in ["attachError", "detachError"] {
        let (error, path) = (status.at(field), path.child(field));
        if error.at("message").text().len() > 1024 {
            // The number is that of the metadata upstream, too.
            out.errors.push(FieldError::too_long(&path.child("message"), 256 << 10));
        }
        if let Some(code) = error.at("errorCode").number().filter(|code| *code < 0) {
            out.invalid_at(&path, "errorCode", code, "must be between 0 and 2147483647, inclusive");
        }
    }
    if old.is_none() {
        new_attachment(out, attachment);
    }
}

const VOLUME_NAME: &str = "persistentVolumeName";

fn new_attachment(out: &mut Report, attachment: &Document) {
    let spec = attachment.at("spec");
    driver(out, spec.at("attacher").text(), &Path::new("spec.attacher"));
    let volume = spec.at("source").at(VOLUME_NAME);
    if volume.is_there() {
        let path = Path::new("spec.source.persistentVolumeName");
        out.words(&path, volume.text(), names::dns1123_subdomain);
    }
}

/// A status is checked with all that it is of.
fn attachment_status(out: &mut Report, new: &Document, old: &Document) {
    attachment(out, new, Some(old));
    attachment_changed(out, new, old);
}

/// What is attached where is asked for once and for all.
fn attachment_changed(out: &mut Report, new: &Document, old: &Document) {
    out.immutable(&Path::new("spec"), new.at("spec").value(), old.at("spec").value());
}

fn class(out: &mut Report, class: &Document, _old: Option<&Document>) {
    let provisioner = class.at("provisioner").text();
    let path = Path::new("provisioner");
    if provisioner.is_empty() {
        out.required(&path, "");
    } else {
        out.each(&path, provisioner, names::label_key(&lower(provisioner)));
    }
    let (parameters, path) = (class.at("parameters"), Path::new("parameters"));
    if parameters.len() > 512 {
        out.errors.push(FieldError::too_long(&path, 512));
    } else {
        let sizes = parameters.entries().map(|(key, value)| key.len() + value.text().len());
        if sizes.sum::<usize>() > 256 << 10 {
            out.errors.push(FieldError::too_long(&path, 256 << 10));
        }
        if parameters.entries().any(|(key, _)| key.is_empty()) {
            out.invalid(&path, "", "field can not be empty.");
        }
    }
    let policy = class.at("reclaimPolicy").text();
    out.one_of(&Path::new("reclaimPolicy"), policy, &["Delete", "Retain"]);
    let mode = class.at("volumeBindingMode").text();
    out.one_of(&Path::new("volumeBindingMode"), mode, &["Immediate", "WaitForFirstConsumer"]);
    topologies(out, class.at("allowedTopologies"), &Path::new("allowedTopologies"));
}

fn topologies(out: &mut Report, terms: Part<'_>, path: &Path) {
    for (index, term) in terms.items().enumerate() {
        let path = path.index(index).child("matchLabelExpressions");
        let mut keys = Seen::default();
        for (index, requirement) in term.at("matchLabelExpressions").items().enumerate() {
            let path = path.index(index);
            let key = requirement.at("key").text();
            if requirement.at("values").is_empty() {
                out.required_at(&path, "values", "");
            }
            let mut values = Seen::default();
            for (index, value) in requirement.at("values").texts().enumerate() {
                if !values.is_new(value) {
                    out.duplicate(&path.child("values").index(index), value);
                }
            }
            out.words_at(&path, "key", key, names::label_key);
            if !keys.is_new(key) {
                out.duplicate_at(&path, "key", key);
            }
        }
    }
}

fn class_changed(out: &mut Report, new: &Document, old: &Document) {
    for field in ["parameters", "provisioner"] {
        if new.at(field).value() != old.at(field).value() {
            out.forbidden(&Path::new(field), format!("updates to {field} are forbidden."));
        }
    }
    for field in ["reclaimPolicy", "volumeBindingMode"] {
        if new.at(field).value() != old.at(field).value() {
            let words = format!("updates to {field} are forbidden.");
            if field == "reclaimPolicy" {
                out.forbidden(&Path::new(field), words);
            } else {
                out.immutable(&Path::new(field), new.at(field).value(), old.at(field).value());
            }
        }
    }
}
