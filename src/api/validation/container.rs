//! Containers: main, init and ephemeral ones.

use k8s_openapi::api::core::v1::ContainerPort;

use super::report::{Report, text};
use super::volume::Volumes;
use super::{env, pod, probe, resources, security, volume};
use crate::api::decode::decode;
use crate::api::document::{Fragment, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::phase::is_sidecar;
use crate::api::wire::{Container, PodSpec};

const RESTART_RULES_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;

/// The signals of Linux, sorted.
const SIGNALS: &str = "SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO \
SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGRTMAX SIGRTMAX-1 SIGRTMAX-10 SIGRTMAX-11 \
SIGRTMAX-12 SIGRTMAX-13 SIGRTMAX-14 SIGRTMAX-2 SIGRTMAX-3 SIGRTMAX-4 SIGRTMAX-5 SIGRTMAX-6 SIGRTMAX-7 \
SIGRTMAX-8 SIGRTMAX-9 SIGRTMIN SIGRTMIN+1 SIGRTMIN+10 SIGRTMIN+11 SIGRTMIN+12 SIGRTMIN+13 SIGRTMIN+14 \
SIGRTMIN+15 SIGRTMIN+2 SIGRTMIN+3 SIGRTMIN+4 SIGRTMIN+5 SIGRTMIN+6 SIGRTMIN+7 SIGRTMIN+8 SIGRTMIN+9 \
SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 \
SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ";

/// What the checks of one container need to know of its Pod.
struct Around<'a> {
    spec: &'a PodSpec,
    volumes: &'a Volumes<'a>,
    claims: &'a [&'a str],
}

/// All containers of a Pod.
pub(super) fn all(
    out: &mut Report,
    spec: &PodSpec,
    volumes: &Volumes<'_>,
    claims: &[&str],
    path: &Path,
) {
    let around = Around { spec, volumes, claims };
    mains(out, &around, &path.child("containers"));
    inits(out, &around, &path.child("initContainers"));
    ephemerals(out, &around, &path.child("ephemeralContainers"));
}

fn mains(out: &mut Report, around: &Around<'_>, path: &Path) {
    let containers = &around.spec.containers;
    if containers.is_empty() {
        out.required(path, "");
        return;
    }
    for (index, container) in containers.iter().enumerate() {
        let own = path.index(index);
        common(out, container, around, &own);
        if containers.iter().take(index).any(|earlier| earlier.name == container.name) {
            out.duplicate_at(&own, "name", container.name.as_str());
        }
        checks(out, container, around.spec, &own);
        restart_policy(out, container, true, &own);
    }
    host_port_conflicts(out, containers, path);
}

fn inits(out: &mut Report, around: &Around<'_>, path: &Path) {
    let inits = around.spec.init_containers.as_deref().unwrap_or_default();
    for (index, container) in inits.iter().enumerate() {
        let own = path.index(index);
        common(out, container, around, &own);
        restart_policy(out, container, false, &own);
        let earlier = inits.iter().take(index).filter(|earlier| !earlier.name.is_empty());
        let mut others = around.spec.containers.iter().chain(earlier);
        if others.any(|other| other.name == container.name) {
            out.duplicate_at(&own, "name", container.name.as_str());
        }
        host_port_conflicts(out, std::slice::from_ref(container), path);
        if is_sidecar(container) {
            checks(out, container, around.spec, &own);
            continue;
        }
        not_for_init(out, container, &own);
    }
}

/// An init container that ends is neither watched nor started again for a resize.
fn not_for_init(out: &mut Report, container: &Container, path: &Path) {
    for (field, is_set) in [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ] {
        if is_set {
            let words = "may not be set for init containers without restartPolicy=Always";
            out.forbidden_at(path, field, words);
        }
    }
    for (index, own) in Fragment::part(&container.resize_policy).items().enumerate() {
        if own.at("restartPolicy").text() == "RestartContainer" {
            let path = path.child("resizePolicy").index(index).child("restartPolicy");
            let words = "must not be set to 'RestartContainer' for non-sidecar initContainers";
            out.invalid(&path, "RestartContainer", words);
        }
    }
}

fn ephemerals(out: &mut Report, around: &Around<'_>, path: &Path) {
    let ephemerals = Fragment::part(&around.spec.ephemeral_containers);
    let is_other = |name: &str| {
        let inits = around.spec.init_containers.iter().flatten();
        around.spec.containers.iter().chain(inits).any(|container| container.name == name)
    };
    for (index, ephemeral) in ephemerals.items().enumerate() {
        let own = path.index(index);
        // It has the fields of any other, and a target.
        let container: Container =
            decode(ephemeral.value()).map(|decoded| decoded.object).unwrap_or_default();
        common(out, &container, around, &own);
        pod::padded_image(out, text(&container.image), &own);
        let name = container.name.as_str();
        let mut earlier = ephemerals.items().take(index);
        if is_other(name) || earlier.any(|earlier| earlier.at("name").text() == name) {
            out.duplicate_at(&own, "name", name);
        }
        let target = ephemeral.at("targetContainerName").text();
        if !target.is_empty() && !is_other(target) {
            out.not_found(&own.child("targetContainerName"), target);
        }
        not_for_ephemeral(out, &container, &own);
    }
}

/// Nothing may depend on an ephemeral container.
fn not_for_ephemeral(out: &mut Report, container: &Container, path: &Path) {
    let words = "cannot be set for an Ephemeral Container";
    let none = k8s_openapi::api::core::v1::ResourceRequirements::default();
    for (field, is_set) in [
        ("ports", container.ports.is_some()),
        ("resources", container.resources.as_ref().is_some_and(|own| *own != none)),
        ("resizePolicy", container.resize_policy.is_some()),
        ("restartPolicy", container.restart_policy.is_some()),
        ("restartPolicyRules", container.restart_policy_rules.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
    ] {
        if is_set {
            out.forbidden_at(path, field, words);
        }
    }
    for (index, mount) in Fragment::part(&container.volume_mounts).items().enumerate() {
        let path = path.child("volumeMounts").index(index);
        for field in ["subPath", "subPathExpr"] {
            if !mount.at(field).text().is_empty() {
                out.forbidden_at(&path, field, words);
            }
        }
    }
}

/// What holds for every container.
fn common(out: &mut Report, container: &Container, around: &Around<'_>, path: &Path) {
    let name = container.name.as_str();
    if name.is_empty() {
        out.required_at(path, "name", "");
    } else {
        out.words_at(path, "name", name, names::dns1123_label);
    }
    // Spaces around an image are let through in templates, where others stand for them.
    if text(&container.image).is_empty() {
        out.required_at(path, "image", "");
    }
    let policies = ["File", "FallbackToLogsOnError"];
    let policy = text(&container.termination_message_policy);
    out.one_of_at(path, "terminationMessagePolicy", policy, &policies);
    ports(out, container.ports.as_deref(), &path.child("ports"));
    env::variables(out, Fragment::part(&container.env), &path.child("env"));
    env::sources(out, Fragment::part(&container.env_from), &path.child("envFrom"));
    volume::mounts(out, container, around.volumes, &path.child("volumeMounts"));
    volume::devices(out, container, around.volumes, &path.child("volumeDevices"));
    let policies = ["Always", "IfNotPresent", "Never"];
    let policy = text(&container.image_pull_policy);
    out.one_of_at(path, "imagePullPolicy", policy, &policies);
    if let Some(own) = &container.resources {
        let path = path.child("resources");
        resources::requirements(out, own, resources::Owner::Container, around.claims, &path);
    }
    let never = text(&around.spec.restart_policy) == "Never";
    resize_policy(
        out,
        Fragment::part(&container.resize_policy),
        never,
        &path.child("resizePolicy"),
    );
    let own = Fragment::part(&container.security_context);
    if own.is_there() {
        let host_users = around.spec.host_users != Some(false);
        security::of_container(out, own, host_users, &path.child("securityContext"));
    }
}

/// What is for containers that go on running.
fn checks(out: &mut Report, container: &Container, spec: &PodSpec, path: &Path) {
    let grace = spec.termination_grace_period_seconds;
    let part = Fragment::part;
    let lifecycle = part(&container.lifecycle);
    let lifecycle_path = path.child("lifecycle");
    probe::lifecycle(out, lifecycle, grace, &lifecycle_path);
    let signal = lifecycle.at("stopSignal");
    if signal.is_there() {
        stop_signal(out, signal.text(), part(&spec.os), &lifecycle_path.child("stopSignal"));
    }
    probe::liveness(out, part(&container.liveness_probe), grace, &path.child("livenessProbe"));
    probe::readiness(out, part(&container.readiness_probe), grace, &path.child("readinessProbe"));
    probe::liveness(out, part(&container.startup_probe), grace, &path.child("startupProbe"));
}

/// Of a main container the rules are checked even if nothing says what they are exceptions from.
fn restart_policy(out: &mut Report, container: &Container, is_main: bool, path: &Path) {
    let (rules, policy_path) =
        (Fragment::part(&container.restart_policy_rules), path.child("restartPolicy"));
    if let Some(policy) = &container.restart_policy {
        out.supported(&policy_path, policy, &["Always", "Never", "OnFailure"]);
    } else {
        if !rules.is_empty() {
            let words = "must specify restartPolicy when restart rules are used";
            out.required(&policy_path, words);
        }
        if !is_main {
            return;
        }
    }
    let path = path.child("restartPolicyRules");
    if rules.len() > RESTART_RULES_MAX {
        out.errors.push(FieldError::too_many(&path, rules.len(), RESTART_RULES_MAX));
    }
    for (index, rule) in rules.items().enumerate() {
        restart_rule(out, rule, &path.index(index));
    }
}

fn restart_rule(out: &mut Report, rule: Part<'_>, path: &Path) {
    let actions = ["Restart", "RestartAllContainers"];
    out.supported_at(path, "action", rule.at("action").text(), &actions);
    let (codes, path) = (rule.at("exitCodes"), path.child("exitCodes"));
    if !codes.is_there() {
        out.required(&path, "must be specified");
        return;
    }
    out.supported_at(&path, "operator", codes.at("operator").text(), &["In", "NotIn"]);
    let values = codes.at("values").len();
    if values > EXIT_CODES_MAX {
        out.errors.push(FieldError::too_many(&path.child("values"), values, EXIT_CODES_MAX));
    }
}

/// The signal that ends a container, one that its system knows.
fn stop_signal(out: &mut Report, signal: &str, system: Part<'_>, path: &Path) {
    if !system.is_there() {
        out.forbidden(path, "may not be set for containers with empty `spec.os.name`");
    }
    match system.at("name").text() {
        "windows" => out.supported(path, signal, &["SIGKILL", "SIGTERM"]),
        "linux" => {
            let known: Vec<&str> = SIGNALS.split_ascii_whitespace().collect();
            out.supported(path, signal, &known);
        }
        _ => {}
    }
}

fn ports(out: &mut Report, ports: Option<&[ContainerPort]>, path: &Path) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, port) in ports.into_iter().flatten().enumerate() {
        let path = path.index(index);
        let name = text(&port.name);
        if !name.is_empty() {
            let words = names::port_name(name);
            if !words.is_empty() {
                out.each(&path.child("name"), name, words);
            } else if seen.contains(&name) {
                out.duplicate_at(&path, "name", name);
            } else {
                seen.push(name);
            }
        }
        let number = i64::from(port.container_port);
        if number == 0 {
            out.required_at(&path, "containerPort", "");
        } else {
            out.number_at(&path, "containerPort", number, names::port_number);
        }
        let number = i64::from(port.host_port.unwrap_or_default());
        if number != 0 {
            out.number_at(&path, "hostPort", number, names::port_number);
        }
        out.one_of_at(&path, "protocol", text(&port.protocol), &["SCTP", "TCP", "UDP"]);
    }
}

fn host_port_conflicts(out: &mut Report, containers: &[Container], path: &Path) {
    let mut seen: Vec<String> = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        for (port_index, port) in container.ports.iter().flatten().enumerate() {
            let host_port = port.host_port.unwrap_or_default();
            if host_port == 0 {
                continue;
            }
            let taken = format!("{}/{}/{host_port}", text(&port.protocol), text(&port.host_ip));
            if seen.contains(&taken) {
                let path = path.index(index).child("ports").index(port_index).child("hostPort");
                out.duplicate(&path, taken);
            } else {
                seen.push(taken);
            }
        }
    }
}

fn resize_policy(out: &mut Report, policies: Part<'_>, never: bool, path: &Path) {
    for (index, own) in policies.items().enumerate() {
        let (resource, policy) = (own.at("resourceName").text(), own.at("restartPolicy").text());
        let mut earlier = policies.items().take(index);
        if earlier.any(|earlier| earlier.at("resourceName").text() == resource) {
            out.duplicate(&path.index(index), resource);
        }
        out.one_of(path, resource, &["cpu", "memory"]);
        out.one_of(path, policy, &["NotRequired", "RestartContainer"]);
        if never && policy != "NotRequired" {
            let words = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            out.invalid(path, policy, words);
        }
    }
}
