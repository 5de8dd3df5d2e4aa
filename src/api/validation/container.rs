//! Containers: main, init and ephemeral ones.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, ContainerRestartRule, EphemeralContainer,
};
use serde_json::Value;

use super::report::{Report, text};
use super::volume::Volumes;
use super::{env, pod, probe, resources, security, volume};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::phase::is_sidecar;
use crate::api::wire::PodSpec;

const RESTART_RULES_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;

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
            out.duplicate(&own.child("name"), container.name.as_str());
        }
        checks(out, container, around.spec, &own);
        restart_policy(out, container, &own);
    }
    host_port_conflicts(out, containers, path);
}

fn inits(out: &mut Report, around: &Around<'_>, path: &Path) {
    let inits = around.spec.init_containers.as_deref().unwrap_or_default();
    for (index, container) in inits.iter().enumerate() {
        let own = path.index(index);
        common(out, container, around, &own);
        restart_policy(out, container, &own);
        let earlier = inits.iter().take(index).filter(|earlier| !earlier.name.is_empty());
        let mut others = around.spec.containers.iter().chain(earlier);
        if others.any(|other| other.name == container.name) {
            out.duplicate(&own.child("name"), container.name.as_str());
        }
        host_port_conflicts(out, std::slice::from_ref(container), path);
        if is_sidecar(container) {
            checks(out, container, around.spec, &own);
            continue;
        }
        for (field, is_set) in [
            ("lifecycle", container.lifecycle.is_some()),
            ("livenessProbe", container.liveness_probe.is_some()),
            ("readinessProbe", container.readiness_probe.is_some()),
            ("startupProbe", container.startup_probe.is_some()),
        ] {
            if is_set {
                let words = "may not be set for init containers without restartPolicy=Always";
                out.forbidden(&own.child(field), words);
            }
        }
    }
}

fn ephemerals(out: &mut Report, around: &Around<'_>, path: &Path) {
    let ephemerals = around.spec.ephemeral_containers.as_deref().unwrap_or_default();
    let others = || {
        let inits = around.spec.init_containers.iter().flatten();
        around.spec.containers.iter().chain(inits).map(|container| &container.name)
    };
    for (index, ephemeral) in ephemerals.iter().enumerate() {
        let own = path.index(index);
        let container = as_container(ephemeral);
        common(out, &container, around, &own);
        pod::padded_image(out, text(&container.image), &own);
        let earlier = ephemerals.iter().take(index).map(|earlier| &earlier.name);
        if others().chain(earlier).any(|other| *other == ephemeral.name) {
            out.duplicate(&own.child("name"), ephemeral.name.as_str());
        }
        let target = text(&ephemeral.target_container_name);
        if !target.is_empty() && !others().any(|other| other == target) {
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
            out.forbidden(&path.child(field), words);
        }
    }
    for (index, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let path = path.child("volumeMounts").index(index);
        for (field, value) in
            [("subPath", text(&mount.sub_path)), ("subPathExpr", text(&mount.sub_path_expr))]
        {
            if !value.is_empty() {
                out.forbidden(&path.child(field), words);
            }
        }
    }
}

/// An ephemeral container has the fields of any other, and a target.
fn as_container(ephemeral: &EphemeralContainer) -> Container {
    let own = ephemeral.clone();
    Container {
        args: own.args,
        command: own.command,
        env: own.env,
        env_from: own.env_from,
        image: own.image,
        image_pull_policy: own.image_pull_policy,
        lifecycle: own.lifecycle,
        liveness_probe: own.liveness_probe,
        name: own.name,
        ports: own.ports,
        readiness_probe: own.readiness_probe,
        resize_policy: own.resize_policy,
        resources: own.resources,
        restart_policy: own.restart_policy,
        restart_policy_rules: own.restart_policy_rules,
        security_context: own.security_context,
        startup_probe: own.startup_probe,
        stdin: own.stdin,
        stdin_once: own.stdin_once,
        termination_message_path: own.termination_message_path,
        termination_message_policy: own.termination_message_policy,
        tty: own.tty,
        volume_devices: own.volume_devices,
        volume_mounts: own.volume_mounts,
        working_dir: own.working_dir,
    }
}

/// What holds for every container.
fn common(out: &mut Report, container: &Container, around: &Around<'_>, path: &Path) {
    let name = container.name.as_str();
    if name.is_empty() {
        out.required(&path.child("name"), "");
    } else {
        out.words(&path.child("name"), name, names::dns1123_label(name));
    }
    // Spaces around an image are let through in templates, where others stand for them.
    if text(&container.image).is_empty() {
        out.required(&path.child("image"), "");
    }
    let policies = ["File", "FallbackToLogsOnError"];
    let policy = text(&container.termination_message_policy);
    out.one_of(&path.child("terminationMessagePolicy"), policy, &policies);
    ports(out, container.ports.as_deref(), &path.child("ports"));
    env::variables(out, container.env.as_deref(), &path.child("env"));
    env::sources(out, container.env_from.as_deref(), &path.child("envFrom"));
    volume::mounts(out, container, around.volumes, &path.child("volumeMounts"));
    volume::devices(out, container, around.volumes, &path.child("volumeDevices"));
    let policies = ["Always", "IfNotPresent", "Never"];
    let policy = text(&container.image_pull_policy);
    out.one_of(&path.child("imagePullPolicy"), policy, &policies);
    if let Some(own) = &container.resources {
        let path = path.child("resources");
        resources::requirements(out, own, resources::Owner::Container, around.claims, &path);
    }
    let never = text(&around.spec.restart_policy) == "Never";
    resize_policy(out, container, never, &path.child("resizePolicy"));
    if let Some(own) = &container.security_context {
        let host_users = around.spec.host_users != Some(false);
        security::of_container(out, own, host_users, &path.child("securityContext"));
    }
}

/// What is for containers that go on running.
fn checks(out: &mut Report, container: &Container, spec: &PodSpec, path: &Path) {
    let grace = spec.termination_grace_period_seconds;
    if let Some(own) = &container.lifecycle {
        probe::lifecycle(out, own, grace, &path.child("lifecycle"));
    }
    probe::liveness(out, container.liveness_probe.as_ref(), grace, &path.child("livenessProbe"));
    probe::readiness(out, container.readiness_probe.as_ref(), grace, &path.child("readinessProbe"));
    probe::liveness(out, container.startup_probe.as_ref(), grace, &path.child("startupProbe"));
}

fn restart_policy(out: &mut Report, container: &Container, path: &Path) {
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    let Some(policy) = &container.restart_policy else {
        if !rules.is_empty() {
            let words = "must specify restartPolicy when restart rules are used";
            out.required(&path.child("restartPolicy"), words);
        }
        return;
    };
    out.supported(&path.child("restartPolicy"), policy, &["Always", "Never", "OnFailure"]);
    let path = path.child("restartPolicyRules");
    if rules.len() > RESTART_RULES_MAX {
        out.errors.push(FieldError::too_long(&path, RESTART_RULES_MAX));
    }
    for (index, rule) in rules.iter().enumerate() {
        restart_rule(out, rule, &path.index(index));
    }
}

fn restart_rule(out: &mut Report, rule: &ContainerRestartRule, path: &Path) {
    out.supported(&path.child("action"), &rule.action, &["Restart"]);
    let path = path.child("exitCodes");
    let Some(codes) = &rule.exit_codes else {
        out.required(&path, "must be specified");
        return;
    };
    out.supported(&path.child("operator"), &codes.operator, &["In", "NotIn"]);
    if codes.values.as_ref().is_some_and(|values| values.len() > EXIT_CODES_MAX) {
        out.errors.push(FieldError::too_long(&path.child("values"), EXIT_CODES_MAX));
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
                out.words(&path.child("name"), name, words);
            } else if seen.contains(&name) {
                out.duplicate(&path.child("name"), name);
            } else {
                seen.push(name);
            }
        }
        let number = i64::from(port.container_port);
        if number == 0 {
            out.required(&path.child("containerPort"), "");
        } else {
            out.number(&path.child("containerPort"), number, names::port_number(number));
        }
        let number = i64::from(port.host_port.unwrap_or_default());
        if number != 0 {
            out.number(&path.child("hostPort"), number, names::port_number(number));
        }
        out.one_of(&path.child("protocol"), text(&port.protocol), &["SCTP", "TCP", "UDP"]);
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

fn resize_policy(out: &mut Report, container: &Container, never: bool, path: &Path) {
    let policies = container.resize_policy.as_deref().unwrap_or_default();
    for (index, own) in policies.iter().enumerate() {
        if policies.iter().take(index).any(|earlier| earlier.resource_name == own.resource_name) {
            out.duplicate(&path.index(index), own.resource_name.as_str());
        }
        out.one_of(path, &own.resource_name, &["cpu", "memory"]);
        out.one_of(path, &own.restart_policy, &["NotRequired", "RestartContainer"]);
        if never && own.restart_policy != "NotRequired" {
            let words = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            out.invalid(path, Value::from(own.restart_policy.as_str()), words);
        }
    }
}
