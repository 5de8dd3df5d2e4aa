//! What is told of Pods, and of templates of them.
//!
//! Mirrors: `pkg/api/pod/warnings.go`.

use super::{Told, claim, each, files, renamed, requirement, whole_bytes};
use crate::api::document::Part;
use crate::api::field::Path;

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
/// Volumes that are no more, and since when; of a claim for the Pod that is not said.
const VOLUMES: [(&str, &str); 10] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("ephemeral", ""),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const BYTES: [&str; 2] = ["memory", "ephemeral-storage"];

/// A template, or a Pod, which has no path.
pub(super) fn template(out: &mut Told, template: Part<'_>, path: Option<&Path>) {
    let (spec, at) = (template.at("spec"), Path::below(path, "spec"));
    placement(out, spec, &at);
    let annotations = template.at("metadata").at("annotations");
    let annotations_path = Path::below(path, "metadata").child("annotations");
    let annotated = |out: &mut Told, key: &str, words: &str| {
        if annotations.at(key).is_there() {
            out.at(&annotations_path.key(key), words);
        }
    };
    for (key, words) in ANNOTATIONS {
        annotated(out, key, words);
    }
    each(out, spec, &at, "volumes", volume);
    spec.at("volumes").items().for_each(|volume| files::overlapping(out, volume));
    twice(out, spec, ("hostAliases", "ip"), &at);
    twice(out, spec, ("imagePullSecrets", "name"), &at);
    each(out, spec, &at, "imagePullSecrets", |out, secret, path| {
        if secret.at("name").text().is_empty() {
            out.at(&path.child("name"), "invalid empty name \"\"");
        }
    });
    for name in BYTES {
        whole_bytes(out, spec, "overhead", name, &at);
    }
    let of_pod = spec.at("securityContext");
    if !of_pod.at("seccompProfile").is_there() {
        annotated(out, "seccomp.security.alpha.kubernetes.io/pod", SECCOMP);
    }
    let mut ports = Vec::new();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for (index, container) in spec.at(list).items().enumerate() {
            let (name, own) = (container.at("name").text(), container.at("securityContext"));
            for (profile, prefix, words) in [
                ("seccompProfile", "seccomp.security.alpha", SECCOMP),
                ("appArmorProfile", "apparmor.security.beta", APPARMOR),
            ] {
                // For AppArmor the profile of the Pod will do.
                let of_all = words == APPARMOR && of_pod.at(profile).is_there();
                if !own.at(profile).is_there() && !of_all {
                    annotated(out, &format!("container.{prefix}.kubernetes.io/{name}"), words);
                }
            }
            let path = at.child(list).index(index);
            let (resources, of_resources) = (container.at("resources"), path.child("resources"));
            for name in BYTES {
                whole_bytes(out, resources, "limits", name, &of_resources);
                whole_bytes(out, resources, "requests", name, &of_resources);
            }
            variables(out, container.at("env"), &path.child("env"));
            let path = path.child("ports");
            let own = container.at("ports").items().enumerate();
            ports.extend(own.map(|(index, port)| Port::new(port, path.index(index))));
        }
    }
    of_ports(out, &ports);
    if spec.at("terminationGracePeriodSeconds").number().is_some_and(|seconds| seconds < 0) {
        let words = "must be >= 0; negative values are invalid and will be treated as 1";
        out.at(&at.child("terminationGracePeriodSeconds"), words);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (own, path) = (spec.at("affinity").at(kind), at.child("affinity").child(kind));
        each(out, own, &path, REQUIRED, selected);
        each(out, own, &path, PREFERRED, |out, term, path| {
            selected(out, term.at("podAffinityTerm"), &path.child("podAffinityTerm"));
        });
    }
}

/// What is said of nodes by labels that have other names now.
fn placement(out: &mut Told, spec: Part<'_>, path: &Path) {
    for (key, _) in spec.at("nodeSelector").entries() {
        renamed(out, key, "", &path.child("nodeSelector").key(key));
    }
    let own = spec.at("affinity").at("nodeAffinity");
    let at = path.child("affinity").child("nodeAffinity");
    each(out, own.at(REQUIRED), &at.child(REQUIRED), "nodeSelectorTerms", |out, term, path| {
        each(out, term, path, "matchExpressions", requirement);
    });
    each(out, own, &at, PREFERRED, |out, term, path| {
        let (term, path) = (term.at("preference"), path.child("preference"));
        each(out, term, &path, "matchExpressions", requirement);
    });
    each(out, spec, path, "topologySpreadConstraints", |out, constraint, path| {
        let key = constraint.at("topologyKey").text();
        renamed(out, key, key, &path.child("topologyKey"));
        selected(out, constraint, path);
    });
}

/// Without a selector nothing is found.
fn selected(out: &mut Told, term: Part<'_>, path: &Path) {
    if !term.at("labelSelector").is_there() {
        let words = "a null labelSelector results in matching no pod";
        out.at(&path.child("labelSelector"), words);
    }
}

fn volume(out: &mut Told, volume: Part<'_>, path: &Path) {
    for (field, words) in VOLUMES {
        if !volume.at(field).is_there() {
            continue;
        }
        if words.is_empty() {
            let template = volume.at(field).at("volumeClaimTemplate").at("spec");
            let path = path.child(field).child("volumeClaimTemplate").child("spec");
            claim(out, template, &path);
        } else {
            // Upstream writes this one otherwise than the field.
            let field = if field == "storageos" { "storageOS" } else { field };
            out.at(&path.child(field), words);
        }
    }
}

/// Items of a list that say the same; only the last of them stays when they are merged.
fn twice(out: &mut Told, spec: Part<'_>, (list, field): (&'static str, &'static str), path: &Path) {
    let texts: Vec<&str> = spec.at(list).items().map(|item| item.at(field).text()).collect();
    for (index, text) in texts.iter().enumerate() {
        if texts.iter().take(index).any(|earlier| earlier == text) {
            let path = path.child(list).index(index).child(field);
            out.at(&path, &format!("duplicate {field} {text:?}"));
        }
    }
}

/// Variables that are set again, other than by what they were before.
fn variables(out: &mut Told, variables: Part<'_>, path: &Path) {
    for (index, variable) in variables.items().enumerate() {
        let (name, value) = (variable.at("name").text(), variable.at("value").text());
        let mut earlier = variables.items().take(index);
        if !earlier.any(|earlier| earlier.at("name").text() == name) {
            continue;
        }
        let before = format!("$({name})");
        if variable.at("valueFrom").is_there() || value == before || !value.contains(&before) {
            let words = format!(
                "hides previous definition of {name:?}, which may be dropped when using apply"
            );
            out.at(&path.index(index), &words);
        }
    }
}

/// A port of a container, and where it is.
struct Port<'a> {
    name: &'a str,
    number: i64,
    protocol: &'a str,
    /// The node's port for it; 0 if there is none.
    of_node: i64,
    host_ip: &'a str,
    path: Path,
}

impl<'a> Port<'a> {
    fn new(port: Part<'a>, path: Path) -> Self {
        Self {
            name: port.at("name").text(),
            number: port.at("containerPort").number().unwrap_or_default(),
            protocol: port.at("protocol").text(),
            of_node: port.at("hostPort").number().unwrap_or_default(),
            host_ip: port.at("hostIP").text(),
            path,
        }
    }

    /// How the same port as an earlier one is in its way.
    fn clash(&self, other: &Self) -> Option<&'static str> {
        let one_of_any = self.host_ip.is_empty() != other.host_ip.is_empty();
        if self.number != other.number || self.protocol != other.protocol {
            None
        } else if self.host_ip == other.host_ip && self.of_node == other.of_node {
            Some("duplicate")
        } else if self.of_node == 0 || other.of_node == 0 {
            Some("overlapping")
        } else if self.of_node == other.of_node && one_of_any {
            Some("dangerously ambiguous")
        } else {
            None
        }
    }
}

/// Ports of all containers, which share one network.
fn of_ports(out: &mut Told, ports: &[Port<'_>]) {
    for (index, port) in ports.iter().enumerate() {
        let Port { name, number, protocol, host_ip, .. } = port;
        if !host_ip.is_empty() && port.of_node == 0 {
            let words = format!(
                "hostIP set without hostPort: {{Name:{name} HostPort:0 ContainerPort:{number} \
                 Protocol:{protocol} HostIP:{host_ip}}}"
            );
            out.at(&port.path, &words);
        }
        for other in ports.iter().take(index) {
            if let Some(clash) = port.clash(other) {
                out.at(&port.path, &format!("{clash} port definition with {}", other.path));
            }
        }
    }
    for (index, port) in ports.iter().enumerate().filter(|(_, port)| !port.name.is_empty()) {
        let name = port.name;
        if let Some(Port { path: first, .. }) = ports.iter().take(index).find(|it| it.name == name)
        {
            let words = format!(
                "duplicate port name {name:?} with {first}, services and probes that select ports \
                 by name will use {first}"
            );
            out.at(&port.path, &words);
        }
    }
}
