//! The spec of a Pod or of a template.

use super::report::{Report, text};
use super::{affinity, annotations, container, env, meta, resources, security, volume, windows};
use crate::api::ObjectMeta;
use crate::api::document::{Fragment, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::wire::{Container, PodSpec, PodTemplateSpec};

/// libc's limits for resolving names.
const NAMESERVERS_MAX: usize = 3;
const SEARCHES_MAX: usize = 32;
const SEARCH_CHARACTERS_MAX: usize = 2_048;
/// Linux's limit for the name of a host.
const HOSTNAME_MAX: usize = 64;
const WITHOUT_HOST_USERS: &str = "when `hostUsers` is false";

/// What a spec belongs to.
pub(super) struct Context<'a> {
    /// None in a template, which is spared some rules.
    pub pod: Option<&'a ObjectMeta>,
    pub node_name: &'a str,
}

/// A template of Pods.
pub(super) fn template(out: &mut Report, template: &PodTemplateSpec, path: &Path) {
    let none = (ObjectMeta::default(), PodSpec::default());
    let metadata = template.metadata.as_ref().unwrap_or(&none.0);
    let spec = template.spec.as_ref().unwrap_or(&none.1);
    let own = metadata.annotations.as_deref();
    let node_name = text(&spec.node_name);
    meta::labels(out, metadata.labels.as_deref(), &path.child("labels"));
    meta::annotations(out, own, &path.child("annotations"));
    annotations::own(out, own, spec, node_name, &path.child("annotations"));
    let path = path.child("spec");
    check(out, spec, &Context { pod: None, node_name }, &path);
    if !Fragment::part(&spec.ephemeral_containers).is_empty() {
        let words = "ephemeral containers not allowed in pod template";
        out.forbidden_at(&path, "ephemeralContainers", words);
    }
}

pub(super) fn check(out: &mut Report, spec: &PodSpec, of: &Context<'_>, path: &Path) {
    if spec.termination_grace_period_seconds.is_none() {
        out.required_at(path, "terminationGracePeriodSeconds", "");
    }
    let volumes = volume::check(out, Fragment::part(&spec.volumes), of.pod, &path.child("volumes"));
    let claimed = Fragment::part(&spec.resource_claims);
    let claims: Vec<&str> = claimed.items().map(|claim| claim.at("name").text()).collect();
    resource_claims(out, claimed, &path.child("resourceClaims"));
    container::all(out, spec, &volumes, &claims, path);
    if let Some(own) = &spec.resources {
        resources::of_pod(out, spec, own, &claims, &path.child("resources"));
    }
    host_ports(out, spec, of.pod.is_some(), &path.child("containers"));
    let policies = ["Always", "OnFailure", "Never"];
    out.one_of_at(path, "restartPolicy", text(&spec.restart_policy), &policies);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    out.one_of_at(path, "dnsPolicy", text(&spec.dns_policy), &policies);
    meta::labels(out, spec.node_selector.as_ref(), &path.child("nodeSelector"));
    security::of_pod(out, spec, path);
    if let Some(own) = &spec.affinity {
        affinity::affinity(out, own, &path.child("affinity"));
    }
    dns(out, spec, &path.child("dnsConfig"));
    let gates = path.child("readinessGates");
    for (index, gate) in Fragment::part(&spec.readiness_gates).items().enumerate() {
        let kind = gate.at("conditionType").text();
        out.words(&gates.index(index).child("conditionType"), kind, names::label_key);
    }
    scheduling_gates(out, spec, &path.child("schedulingGates"));
    let constraints = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    affinity::spread(out, constraints, &path.child("topologySpreadConstraints"));
    windows::host_process(out, spec, path);
    host_users(out, spec, path);
    hostname_override(out, spec, &path.child("hostnameOverride"));
    plain_fields(out, spec, of.node_name, path);
    env::files(out, spec, path);
}

/// Fields that stand for themselves.
fn plain_fields(out: &mut Report, spec: &PodSpec, node_name: &str, path: &Path) {
    type Rule = fn(&str) -> Vec<String>;
    let name: Rule = names::dns1123_subdomain;
    let label: Rule = names::dns1123_label;
    for (field, value, rule) in [
        ("serviceAccountName", text(&spec.service_account_name), name),
        ("nodeName", node_name, name),
    ] {
        if !value.is_empty() {
            out.words_at(path, field, value, rule);
        }
    }
    if let Some(seconds) = spec.active_deadline_seconds {
        let words = names::in_range(seconds, 1, i64::from(i32::MAX));
        out.each(&path.child("activeDeadlineSeconds"), seconds, words);
    }
    for (field, value) in [("hostname", text(&spec.hostname)), ("subdomain", text(&spec.subdomain))]
    {
        if !value.is_empty() {
            out.words_at(path, field, value, label);
        }
    }
    let tolerations = spec.tolerations.as_deref().unwrap_or_default();
    affinity::tolerations(out, tolerations, &path.child("tolerations"));
    for (index, alias) in Fragment::part(&spec.host_aliases).items().enumerate() {
        let path = path.child("hostAliases").index(index);
        out.errors.extend(names::ip(&path.child("ip"), alias.at("ip").text()));
        for (index, host) in alias.at("hostnames").texts().enumerate() {
            out.words(&path.child("hostnames").index(index), host, name);
        }
    }
    let class = text(&spec.priority_class_name);
    if !class.is_empty() {
        out.words_at(path, "priorityClassName", class, name);
    }
    if let Some(class) = &spec.runtime_class_name {
        out.words_at(path, "runtimeClassName", class, name);
    }
    if let Some(policy) = &spec.preemption_policy {
        let policies = ["PreemptLowerPriority", "Never"];
        out.one_of_at(path, "preemptionPolicy", policy, &policies);
    }
    resources::overhead(out, spec.overhead.clone(), &path.child("overhead"));
    let os = Fragment::part(&spec.os);
    if os.is_there() {
        let (own, name) = (path.child("os"), os.at("name").text());
        match name {
            "" => out.required_at(&own, "name", ""),
            "linux" | "windows" => windows::of_system(out, spec, name, path),
            other => out.supported(&own, other, &["linux", "windows"]),
        }
    }
}

/// Calls `visit` with the name, the security context and its path of each container, whatever its
/// sort.
pub(super) fn each_security_context(
    spec: &PodSpec,
    path: &Path,
    mut visit: impl FnMut(&str, Part<'_>, &Path),
) {
    each(spec, ("securityContext", |container| &container.security_context), path, &mut visit);
}

/// As [`each_security_context`], of the field that has a name on the wire and `of` finds.
pub(super) fn each(
    spec: &PodSpec,
    (name, of): (&'static str, fn(&Container) -> &Option<Fragment>),
    path: &Path,
    visit: &mut dyn FnMut(&str, Part<'_>, &Path),
) {
    let own = |list: &'static str, index: usize| path.child(list).index(index).child(name);
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    for (list, containers) in [("initContainers", inits), ("containers", &spec.containers)] {
        for (index, container) in containers.iter().enumerate() {
            visit(&container.name, Fragment::part(of(container)), &own(list, index));
        }
    }
    let ephemerals = Fragment::part(&spec.ephemeral_containers);
    for (index, container) in ephemerals.items().enumerate() {
        let path = own("ephemeralContainers", index);
        visit(container.at("name").text(), container.at(name), &path);
    }
}

fn resource_claims(out: &mut Report, claims: Part<'_>, path: &Path) {
    for (index, claim) in claims.items().enumerate() {
        let path = path.index(index);
        let name = claim.at("name").text();
        let mut earlier = claims.items().take(index);
        if name.is_empty() {
            out.required_at(&path, "name", "");
        } else if earlier.any(|earlier| earlier.at("name").text() == name) {
            out.duplicate_at(&path, "name", name);
        } else {
            out.words_at(&path, "name", name, names::dns1123_label);
        }
        let fields = ["resourceClaimName", "resourceClaimTemplateName"];
        let words = match fields.iter().filter(|field| claim.at(field).is_there()).count() {
            0 => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            1 => "",
            _ => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            }
        };
        if !words.is_empty() {
            out.invalid(&path, claim.value().clone(), words);
        }
        for field in fields {
            let name = claim.at(field);
            if name.is_there() {
                out.words_at(&path, field, name.text(), names::dns1123_subdomain);
            }
        }
    }
}

/// On the node's network, a container's ports are those of the node; in a template they may still
/// be left open.
fn host_ports(out: &mut Report, spec: &PodSpec, is_pod: bool, path: &Path) {
    if spec.host_network != Some(true) {
        return;
    }
    for (index, container) in spec.containers.iter().enumerate() {
        for (port_index, port) in container.ports.iter().flatten().enumerate() {
            let host_port = port.host_port.unwrap_or_default();
            if (is_pod || host_port != 0) && host_port != port.container_port {
                let path = path.index(index).child("ports").index(port_index).child("hostPort");
                let words = "must match `containerPort` when `hostNetwork` is true";
                out.invalid(&path, host_port, words);
            }
        }
    }
}

fn dns(out: &mut Report, spec: &PodSpec, path: &Path) {
    let own = Fragment::part(&spec.dns_config);
    let (servers, searches) = (own.at("nameservers"), own.at("searches"));
    if text(&spec.dns_policy) == "None" {
        if !own.is_there() {
            out.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if servers.is_empty() {
            let words = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            out.required_at(path, "nameservers", words);
            return;
        }
    }
    if servers.len() > NAMESERVERS_MAX {
        let words = format!("must not have more than {NAMESERVERS_MAX} nameservers");
        out.invalid_at(path, "nameservers", servers.value().clone(), words);
    }
    for (index, server) in servers.texts().enumerate() {
        out.errors.extend(names::ip(&path.child("nameservers").index(index), server));
    }
    let searches_path = path.child("searches");
    if searches.len() > SEARCHES_MAX {
        let words = format!("must not have more than {SEARCHES_MAX} search paths");
        out.invalid(&searches_path, searches.value().clone(), words);
    }
    let characters: usize = searches.texts().map(|search| search.len() + " ".len()).sum();
    if characters > SEARCH_CHARACTERS_MAX + " ".len() {
        let words = format!(
            "must not have more than {SEARCH_CHARACTERS_MAX} characters (including spaces) in the \
             search list"
        );
        out.invalid(&searches_path, searches.value().clone(), words);
    }
    for (index, search) in searches.texts().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        out.words(&searches_path.index(index), search, names::search_path);
    }
    for (index, option) in own.at("options").items().enumerate() {
        if option.at("name").text().is_empty() {
            out.required(&path.child("options").index(index), "must not be empty");
        }
    }
}

fn scheduling_gates(out: &mut Report, spec: &PodSpec, path: &Path) {
    let gates = spec.scheduling_gates.as_deref().unwrap_or_default();
    for (index, gate) in gates.iter().enumerate() {
        out.words(&path.index(index), &gate.name, names::label_key);
        if gates.iter().take(index).any(|earlier| earlier.name == gate.name) {
            out.duplicate(&path.index(index), gate.name.as_str());
        }
    }
}

/// The name of the host that a Pod sees instead of its own.
fn hostname_override(out: &mut Report, spec: &PodSpec, path: &Path) {
    let Some(name) = &spec.hostname_override else { return };
    for (field, is_set) in
        [("setHostnameAsFQDN", spec.set_hostname_as_fqdn), ("hostNetwork", spec.host_network)]
    {
        if is_set == Some(true) {
            out.forbidden(path, format!("may not be specified when {field} is true"));
        }
    }
    if name.len() > HOSTNAME_MAX {
        out.errors.push(FieldError::too_long(path, HOSTNAME_MAX));
    }
    out.words(path, name, names::dns1123_subdomain);
}

/// Users of its own go with no other namespace of the host, and not with devices, whose owners stay.
fn host_users(out: &mut Report, spec: &PodSpec, path: &Path) {
    if spec.host_users != Some(false) {
        return;
    }
    for (field, shared) in
        [("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)]
    {
        if shared == Some(true) {
            out.forbidden_at(path, field, WITHOUT_HOST_USERS);
        }
    }
    each(
        spec,
        ("volumeDevices", |container| &container.volume_devices),
        path,
        &mut |_, devices, path| {
            if !devices.is_empty() {
                out.forbidden(path, WITHOUT_HOST_USERS);
            }
        },
    );
}
