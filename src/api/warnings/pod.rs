//! What is told of Pods, and of templates of them.
//!
//! Mirrors: `pkg/api/pod/warnings.go`.

use super::{Told, address, claim, files, replaced, selector_term, whole_bytes};
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::names;

const ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];
/// The backslashes are upstream's.
const SECCOMP: &str = r#"non-functional in v1.27+; use the \"seccompProfile\" field instead"#;
const APPARMOR: &str = r#"deprecated since v1.30; use the \"appArmorProfile\" field instead"#;
/// Volumes that are no more: since when they were to go, and since when they are gone.
const VOLUMES: [(&str, &str); 10] = [
    ("photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    ("gitRepo", "v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "v1.16, non-functional in v1.22+"),
    ("flocker", "v1.22, non-functional in v1.25+"),
    ("storageos", "v1.22, non-functional in v1.25+"),
    ("quobyte", "v1.22, non-functional in v1.25+"),
    ("glusterfs", "v1.25, non-functional in v1.26+"),
    ("ephemeral", ""),
    ("cephfs", "v1.28, non-functional in v1.31+"),
    ("rbd", "v1.28, non-functional in v1.31+"),
];
const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

/// A template, or a Pod, which has no path.
pub(super) fn template(out: &mut Told, template: Part<'_>, path: Option<&Path>) {
    let (spec, at) = (template.at("spec"), Path::below(path, "spec"));
    let annotations = template.at("metadata").at("annotations");
    let annotations_path = Path::below(path, "metadata").child("annotations");
    let annotated = |out: &mut Told, key: &str, words: &str| {
        if annotations.at(key).is_there() {
            out.at(&annotations_path.key(key), words);
        }
    };
    placement(out, spec, &at);
    for (key, words) in ANNOTATIONS {
        annotated(out, key, words);
    }
    volumes(out, spec.at("volumes"), &at.child("volumes"));
    twice(out, spec, ("hostAliases", "ip"), &at);
    twice(out, spec, ("imagePullSecrets", "name"), &at);
    for (index, secret) in spec.at("imagePullSecrets").items().enumerate() {
        if secret.at("name").text().is_empty() {
            let path = at.child("imagePullSecrets").index(index).child("name");
            out.at(&path, "invalid empty name \"\"");
        }
    }
    for name in ["memory", "ephemeral-storage"] {
        whole_bytes(out, spec.at("overhead"), name, &at.child("overhead"));
    }
    let of_pod = spec.at("securityContext");
    if !of_pod.at("seccompProfile").is_there() {
        annotated(out, "seccomp.security.alpha.kubernetes.io/pod", SECCOMP);
    }
    let mut all = Vec::new();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for (index, container) in spec.at(list).items().enumerate() {
            all.push((container, at.child(list).index(index)));
        }
    }
    for (container, path) in &all {
        let name = container.at("name").text();
        let own = container.at("securityContext");
        let lacks = |field: &str| !own.at(field).is_there();
        if lacks("seccompProfile") {
            let key = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
            annotated(out, &key, SECCOMP);
        }
        if lacks("appArmorProfile") && !of_pod.at("appArmorProfile").is_there() {
            let key = format!("container.apparmor.security.beta.kubernetes.io/{name}");
            annotated(out, &key, APPARMOR);
        }
        for name in ["memory", "ephemeral-storage"] {
            for list in ["limits", "requests"] {
                let amounts = container.at("resources").at(list);
                whole_bytes(out, amounts, name, &path.child("resources").child(list));
            }
        }
        variables(out, container.at("env"), &path.child("env"));
    }
    ports(out, &all);
    if spec.at("terminationGracePeriodSeconds").number() < Some(0)
        && spec.at("terminationGracePeriodSeconds").is_there()
    {
        let words = "must be >= 0; negative values are invalid and will be treated as 1";
        out.at(&at.child("terminationGracePeriodSeconds"), words);
    }
    affinity(out, spec.at("affinity"), &at.child("affinity"));
    let servers = at.child("dnsConfig").child("nameservers");
    for (index, server) in spec.at("dnsConfig").at("nameservers").texts().enumerate() {
        address(out, server, &servers.index(index));
    }
    for (index, alias) in spec.at("hostAliases").items().enumerate() {
        let path = at.child("hostAliases").index(index).child("ip");
        address(out, alias.at("ip").text(), &path);
    }
}

/// What is said of nodes by labels that have other names now.
fn placement(out: &mut Told, spec: Part<'_>, path: &Path) {
    for (key, _) in spec.at("nodeSelector").entries() {
        if let Some(words) = replaced(key) {
            out.at(&path.child("nodeSelector").key(key), &words);
        }
    }
    let affinity = spec.at("affinity").at("nodeAffinity");
    let path_of_affinity = path.child("affinity").child("nodeAffinity");
    let [required, preferred] = [
        "requiredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
    ]
    .map(|field| (affinity.at(field), path_of_affinity.child(field)));
    for (index, term) in required.0.at("nodeSelectorTerms").items().enumerate() {
        selector_term(out, term, &required.1.child("nodeSelectorTerms").index(index));
    }
    for (index, term) in preferred.0.items().enumerate() {
        let (term, path) = (term.at("preference"), preferred.1.index(index).child("preference"));
        selector_term(out, term, &path);
        for (index, requirement) in term.at("matchExpressions").items().enumerate() {
            let path = path.child("matchExpressions").index(index).child("values");
            for (index, value) in requirement.at("values").texts().enumerate() {
                for words in names::label_value(value) {
                    out.at(&path.index(index), &format!("{value} is invalid, {words}"));
                }
            }
        }
    }
    for (index, constraint) in spec.at("topologySpreadConstraints").items().enumerate() {
        let path = path.child("topologySpreadConstraints").index(index);
        let key = constraint.at("topologyKey").text();
        if let Some(words) = replaced(key) {
            out.at(&path.child("topologyKey"), &format!("{key} is {words}"));
        }
        if !constraint.at("labelSelector").is_there() {
            out.at(&path.child("labelSelector"), NO_SELECTOR);
        }
    }
}

fn volumes(out: &mut Told, volumes: Part<'_>, path: &Path) {
    for (index, volume) in volumes.items().enumerate() {
        for (field, words) in VOLUMES {
            let (source, path) = (volume.at(field), path.index(index));
            if !source.is_there() {
                continue;
            }
            let template = source.at("volumeClaimTemplate");
            let of_template = path.child(field).child("volumeClaimTemplate").child("spec");
            claim(out, template.at("spec"), &of_template);
            if !words.is_empty() {
                // Upstream writes this one otherwise than the field.
                let field = if field == "storageos" { "storageOS" } else { field };
                out.at(&path.child(field), &format!("deprecated in {words}"));
            }
        }
    }
    volumes.items().for_each(|volume| files::overlapping(out, volume));
}

/// Items of a list that say the same; only the last of them stays when they are merged.
fn twice(out: &mut Told, spec: Part<'_>, (list, field): (&'static str, &'static str), path: &Path) {
    let items = spec.at(list);
    for (index, item) in items.items().enumerate() {
        let own = item.at(field).text();
        if items.items().take(index).any(|earlier| earlier.at(field).text() == own) {
            let path = path.child(list).index(index).child(field);
            out.at(&path, &format!("duplicate {field} {own:?}"));
        }
    }
}

/// Variables that are set again, other than by what they were before.
fn variables(out: &mut Told, variables: Part<'_>, path: &Path) {
    for (index, variable) in variables.items().enumerate() {
        let (name, value) = (variable.at("name").text(), variable.at("value").text());
        let before = format!("$({name})");
        let keeps =
            !variable.at("valueFrom").is_there() && value != before && value.contains(&before);
        let mut earlier = variables.items().take(index);
        if !keeps && earlier.any(|earlier| earlier.at("name").text() == name) {
            let words = "which may be dropped when using apply";
            out.at(&path.index(index), &format!("hides previous definition of {name:?}, {words}"));
        }
    }
}

/// Ports of all containers, which share one network.
fn ports(out: &mut Told, containers: &[(Part<'_>, Path)]) {
    let mut earlier: Vec<(Part<'_>, Path)> = Vec::new();
    for (container, path) in containers {
        for (index, port) in container.at("ports").items().enumerate() {
            let path = path.child("ports").index(index);
            let number = |port: Part<'_>, field: &str| port.at(field).number().unwrap_or_default();
            let of_host =
                |port: Part<'_>| (port.at("hostIP").text().to_owned(), number(port, "hostPort"));
            let (ip, host_port) = of_host(port);
            let protocol = port.at("protocol").text();
            if !ip.is_empty() && host_port == 0 {
                let shown = format!(
                    "{{Name:{} HostPort:0 ContainerPort:{} Protocol:{protocol} HostIP:{ip}}}",
                    port.at("name").text(),
                    number(port, "containerPort"),
                );
                out.at(&path, &format!("hostIP set without hostPort: {shown}"));
            }
            for (other, its) in &earlier {
                if number(*other, "containerPort") != number(port, "containerPort")
                    || other.at("protocol").text() != protocol
                {
                    continue;
                }
                let (other_ip, other_port) = of_host(*other);
                let what = if (&other_ip, other_port) == (&ip, host_port) {
                    "duplicate"
                } else if host_port == 0 || other_port == 0 {
                    "overlapping"
                } else if host_port == other_port && ip.is_empty() != other_ip.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                out.at(&path, &format!("{what} port definition with {its}"));
            }
            earlier.push((port, path));
        }
    }
    for (index, (port, path)) in earlier.iter().enumerate() {
        let name = port.at("name").text();
        let mut before = earlier.iter().take(index);
        let first = before.find(|(other, _)| other.at("name").text() == name);
        if let Some((_, first)) = first.filter(|_| !name.is_empty()) {
            let words = format!(
                "duplicate port name {name:?} with {first}, services and probes that select ports by \
                 name will use {first}"
            );
            out.at(path, &words);
        }
    }
}

/// Terms about other Pods that find none.
fn affinity(out: &mut Told, affinity: Part<'_>, path: &Path) {
    for kind in ["podAffinity", "podAntiAffinity"] {
        for (field, inner) in [
            ("requiredDuringSchedulingIgnoredDuringExecution", None),
            ("preferredDuringSchedulingIgnoredDuringExecution", Some("podAffinityTerm")),
        ] {
            for (index, term) in affinity.at(kind).at(field).items().enumerate() {
                let path = path.child(kind).child(field).index(index);
                let (term, path) = match inner {
                    Some(inner) => (term.at(inner), path.child(inner)),
                    None => (term, path),
                };
                if !term.at("labelSelector").is_there() {
                    out.at(&path.child("labelSelector"), NO_SELECTOR);
                }
            }
        }
    }
}
