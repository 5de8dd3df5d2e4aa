//! What volumes are made of, be they those of Pods or of the cluster.

use super::{descending, missing, no_backsteps};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::text::lower;
use crate::api::validation::meta::NameRule;
use crate::api::validation::report::Report;

/// Whose volume it is.
#[derive(Clone, Copy)]
pub enum Owner<'a> {
    /// That of a Pod, whose secrets are in its own namespace.
    Pod,
    /// That of the cluster which has this name; its secrets say in which namespace they are.
    Cluster(&'a str),
}

/// The fields of a source that must say something.
const MUST: &[(&str, &[&str])] = &[
    ("hostPath", &["path"]),
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("secret", &["secretName"]),
    ("configMap", &["name"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("glusterfs", &["endpoints", "path"]),
    ("nfs", &["server", "path"]),
    ("rbd", &["monitors", "image"]),
    ("cephfs", &["monitors"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("cinder", &["volumeID"]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("local", &["path"]),
    ("storageos", &["volumeName"]),
];

/// What may be said to be at the path of a host, sorted.
const HOST_PATHS: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];
const DRIVER_MAX: usize = 63;
const TENANT_MAX: usize = 64;
/// The name and the portal of a volume together, where it names who asks for it.
const PORTAL_MAX: usize = 64;
const PORTAL: &str = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 \
                      characters if iscsi.initiatorName is specified.";
const REGISTRY: &str = "must be a host:port pair or multiple pairs separated by commas";
const MANAGED_DISK: &str = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/\
                            microsoft.compute/disks/{disk-id}";
const BLOB_DISK: &str =
    "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

/// Checks the source called `field` of a volume, which is at `path`.
pub fn check(out: &mut Report, field: &'static str, source: Part<'_>, of: Owner<'_>, path: &Path) {
    // Upstream has another name for this one.
    let own = path.child(if field == "gcePersistentDisk" { "persistentDisk" } else { field });
    for (_, must) in MUST.iter().filter(|(name, _)| *name == field) {
        must.iter().for_each(|must| missing(out, source, must, &own));
    }
    let text = |field: &str| source.at(field).text();
    match field {
        "hostPath" | "local" => host_path(out, source, &own),
        "gitRepo" => descending(out, text("directory"), &own.child("directory")),
        "nfs" if !text("path").starts_with('/') => {
            out.invalid_at(&own, "path", text("path"), "must be an absolute path");
        }
        "gcePersistentDisk" | "awsElasticBlockStore" => in_byte(out, source, "partition", 1, &own),
        "glusterfs" => namespace_of_endpoints(out, source.at("endpointsNamespace"), &own),
        "flocker" => flocker(out, source, &own),
        "quobyte" => quobyte(out, source, &own),
        "iscsi" => iscsi(out, source, of, &own),
        "fc" => fibre_channel(out, source, &own),
        "flexVolume" => flex_options(out, source.at("options"), &own.child("options")),
        "azureFile" if source.at("secretNamespace").is_there() => {
            missing(out, source, "secretNamespace", &own);
        }
        "azureDisk" => azure_disk(out, source, &own),
        "storageos" => {
            for field in
                ["volumeName", "volumeNamespace"].into_iter().filter(|it| !text(it).is_empty())
            {
                out.words_at(&own, field, text(field), names::dns1123_label);
            }
            secret(out, source, of, &own);
        }
        "cinder" => secret(out, source, of, &own),
        "csi" => csi(out, source, of, &own),
        _ => {}
    }
}

/// A secret that has a name if it is there, and the namespace that it is in.
fn secret(out: &mut Report, source: Part<'_>, of: Owner<'_>, path: &Path) {
    let (own, path) = (source.at("secretRef"), path.child("secretRef"));
    if own.is_there() {
        missing(out, own, "name", &path);
        if matches!(of, Owner::Cluster(_)) {
            missing(out, own, "namespace", &path);
        }
    }
}

/// A number that fits into a byte; upstream says of some that they begin at one, but takes zero.
fn in_byte(out: &mut Report, part: Part<'_>, field: &'static str, low: i64, path: &Path) {
    let number = part.at(field).number().unwrap_or_default();
    if !names::in_range(number, 0, 255).is_empty() {
        out.each(&path.child(field), number, names::in_range(number, low, 255));
    }
}

fn host_path(out: &mut Report, source: Part<'_>, path: &Path) {
    let (at, kind) = (source.at("path").text(), source.at("type"));
    no_backsteps(out, at, &path.child("path"));
    if kind.is_there() && !at.is_empty() {
        out.supported_at(path, "type", kind.text(), &HOST_PATHS);
    }
}

fn namespace_of_endpoints(out: &mut Report, namespace: Part<'_>, path: &Path) {
    let path = path.child("endpointsNamespace");
    if !namespace.is_there() {
        return;
    }
    if namespace.text().is_empty() {
        let words = "if the endpointnamespace is set, it must be a valid namespace name";
        out.invalid(&path, "", words);
    } else {
        out.words(&path, namespace.text(), names::dns1123_label);
    }
}

fn flocker(out: &mut Report, source: Part<'_>, path: &Path) {
    let (name, id) = (source.at("datasetName").text(), source.at("datasetUUID").text());
    match (name.is_empty(), id.is_empty()) {
        (true, true) => out.required(path, "one of datasetName and datasetUUID is required"),
        (false, false) => {
            let words = "datasetName and datasetUUID can not be specified simultaneously";
            out.invalid(path, "resource", words);
        }
        (true, false) | (false, true) => {}
    }
    if name.contains('/') {
        out.invalid_at(path, "datasetName", name, "must not contain '/'");
    }
}

fn quobyte(out: &mut Report, source: Part<'_>, path: &Path) {
    let (registry, registry_path) = (source.at("registry").text(), path.child("registry"));
    if registry.is_empty() {
        out.required(&registry_path, REGISTRY);
    } else if source.at("tenant").text().len() > TENANT_MAX {
        let words = "must be a UUID and may not exceed a length of 64 characters";
        out.required_at(path, "tenant", words);
    } else {
        for _ in registry.split(',').filter(|pair| !is_host_and_port(pair)) {
            out.invalid(&registry_path, registry, REGISTRY);
        }
    }
    missing(out, source, "volume", path);
}

/// Whether a text is a host and a port; a host with colons is in brackets.
///
/// Mirrors: Go's `net.SplitHostPort`.
fn is_host_and_port(text: &str) -> bool {
    let (parts, colons) = match text.strip_prefix('[') {
        Some(rest) => (rest.split_once("]:"), true),
        None => (text.split_once(':'), false),
    };
    parts.is_some_and(|(host, port)| {
        !host.contains(['[', ']'])
            && !port.contains(['[', ']', ':'])
            && (colons || !host.contains(':'))
    })
}

fn iscsi(out: &mut Report, source: Part<'_>, of: Owner<'_>, path: &Path) {
    let text = |field: &str| source.at(field).text();
    let (initiator, portal) = (source.at("initiatorName"), text("targetPortal"));
    if let Owner::Cluster(name) = of
        && initiator.is_there()
    {
        portal_length(out, (name, portal), portal, &path.child("targetportal"));
    }
    // Of those of the cluster upstream says less.
    let unknown = match of {
        Owner::Pod => "must be valid format starting with iqn, eui, or naa",
        Owner::Cluster(_) => "must be valid format",
    };
    let qualified = |out: &mut Report, name: &str, path: &Path| {
        let words = match is_iscsi_name(name) {
            None => unknown,
            Some(false) => "must be valid format",
            Some(true) => return,
        };
        out.invalid(path, name, words);
    };
    if !text("iqn").is_empty() {
        qualified(out, text("iqn"), &path.child("iqn"));
    }
    in_byte(out, source, "lun", 0, path);
    let secret = source.at("secretRef");
    let chap = ["chapAuthDiscovery", "chapAuthSession"];
    if chap.iter().any(|field| source.at(field).is_true()) && !secret.is_there() {
        out.required_at(path, "secretRef", "");
    }
    if matches!(of, Owner::Cluster(_)) && secret.is_there() {
        missing(out, secret, "name", &path.child("secretRef"));
    }
    if initiator.is_there() {
        qualified(out, initiator.text(), &path.child("initiatorname"));
    }
}

/// Who asks for a volume is told its name and its portal, which have little room.
pub(super) fn portal_length(
    out: &mut Report,
    (name, portal): (&str, &str),
    shown: &str,
    path: &Path,
) {
    if name.len() + ":".len() + portal.len() > PORTAL_MAX {
        out.invalid(path, shown, PORTAL);
    }
}

/// Whether a name has the form that its beginning promises, if it is one of the known.
fn is_iscsi_name(name: &str) -> Option<bool> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fixed = |rest: &str, length: usize| {
        let mut letters = rest.chars();
        letters.next();
        let letters = letters.as_str();
        letters.len() == length && letters.as_bytes().iter().all(is_letter)
    };
    // `2015-02.example.com:storage.disk2`
    let qualified = |text: &str| {
        let (Some((date, rest)), Some((_, own))) = (text.split_once('.'), text.split_once(':'))
        else {
            return false;
        };
        let domain = rest.split(':').next().unwrap_or_default();
        let is_date = date.len() == 7
            && date
                .split_once('-')
                .is_some_and(|(year, month)| year.len() == 4 && digits(year) && digits(month));
        is_date
            && !domain.is_empty()
            && domain.bytes().all(|byte| is_letter(&byte) || b"-.".contains(&byte))
            && !own.is_empty()
            && !own.contains(|c: char| ",;*&$|\t\n\x0c\r ".contains(c))
    };
    match name.split_at_checked(3)? {
        ("iqn", _) => {
            let mut rests = name.match_indices("iqn.").map(|(at, iqn)| at + iqn.len());
            Some(rests.any(|at| name.get(at..).is_some_and(qualified)))
        }
        ("eui", rest) => Some(fixed(rest, 16)),
        ("naa", rest) => Some(fixed(rest, 32)),
        _ => None,
    }
}

fn fibre_channel(out: &mut Report, source: Part<'_>, path: &Path) {
    let (targets, path_of_targets) = (source.at("targetWWNs"), path.child("targetWWNs"));
    match (targets.is_empty(), source.at("wwids").is_empty()) {
        (true, true) => {
            out.required(&path_of_targets, "must specify either targetWWNs or wwids, but not both");
        }
        (false, false) => {
            let words = "targetWWNs and wwids can not be specified simultaneously";
            out.invalid(&path_of_targets, targets.value().clone(), words);
        }
        (true, false) | (false, true) => {}
    }
    if targets.is_empty() {
        return;
    }
    if source.at("lun").is_there() {
        in_byte(out, source, "lun", 0, path);
    } else {
        out.required_at(path, "lun", "lun is required if targetWWNs is specified");
    }
}

fn flex_options(out: &mut Report, options: Part<'_>, path: &Path) {
    for (key, _) in options.entries() {
        let namespace = lower(key.split('/').next().unwrap_or_default());
        let is_of = |domain: &str| {
            namespace
                .strip_suffix(domain)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if is_of("kubernetes.io") || is_of("k8s.io") {
            let words = "kubernetes.io and k8s.io namespaces are reserved";
            out.invalid(&path.key(key), key, words);
        }
    }
}

fn azure_disk(out: &mut Report, source: Part<'_>, path: &Path) {
    let (kind, address) = (source.at("kind"), source.at("diskURI").text());
    for (field, supported) in [
        ("cachingMode", ["None", "ReadOnly", "ReadWrite"]),
        ("kind", ["Dedicated", "Managed", "Shared"]),
    ] {
        if source.at(field).is_there() {
            out.supported_at(path, field, source.at(field).text(), &supported);
        }
    }
    let (beginning, form) = match kind.text() {
        "Managed" => ("/subscriptions/", MANAGED_DISK),
        _ => ("https://", BLOB_DISK),
    };
    if kind.is_there() && !address.starts_with(beginning) {
        let path = path.child("diskURI");
        out.errors.push(FieldError::not_supported(&path, address, &[form]));
    }
}

fn csi(out: &mut Report, source: Part<'_>, of: Owner<'_>, path: &Path) {
    driver(out, source.at("driver").text(), &path.child("driver"));
    let Owner::Cluster(_) = of else {
        let (secret, field) = (source.at("nodePublishSecretRef"), "nodePublishSecretRef");
        let name = secret.at("name").text();
        if secret.is_there() && name.is_empty() {
            out.required(&path.child(field).child("name"), "");
        } else if secret.is_there() {
            out.words_at(path, "name", name, names::dns1123_subdomain);
        }
        return;
    };
    missing(out, source, "volumeHandle", path);
    for field in [
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ] {
        let (secret, path) = (source.at(field), path.child(field));
        if !secret.is_there() {
            continue;
        }
        let rules: [(_, NameRule); 2] =
            [("name", names::dns1123_subdomain), ("namespace", names::dns1123_label)];
        for (field, rule) in rules {
            let value = secret.at(field).text();
            if value.is_empty() {
                out.required_at(&path, field, "");
            } else {
                out.words_at(&path, field, value, rule);
            }
        }
    }
}

/// The name of a driver.
pub fn driver(out: &mut Report, driver: &str, path: &Path) {
    if driver.is_empty() {
        out.required(path, "");
        return;
    }
    if driver.len() > DRIVER_MAX {
        out.errors.push(FieldError::too_long(path, DRIVER_MAX));
    }
    out.each(path, driver, names::dns1123_subdomain(&lower(driver)));
}
