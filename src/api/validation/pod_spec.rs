//! The spec of a Pod or of a template.
//!
//! Left out: Windows.

use k8s_openapi::api::core::v1::{PodDNSConfig, PodResourceClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::report::{Report, text};
use super::{affinity, container, meta, pod, resources, security, volume};
use crate::api::document::Fragment;
use crate::api::field::Path;
use crate::api::names;
use crate::api::wire::{PodSpec, PodTemplateSpec};

/// libc's limits for resolving names.
const NAMESERVERS_MAX: usize = 3;
const SEARCHES_MAX: usize = 32;
const SEARCH_CHARACTERS_MAX: usize = 2_048;

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
    let annotations = metadata.annotations.as_ref();
    let node_name = text(&spec.node_name);
    meta::labels(out, metadata.labels.as_ref(), &path.child("labels"));
    meta::annotations(out, annotations, &path.child("annotations"));
    pod::own_annotations(out, annotations, node_name, &path.child("annotations"));
    let path = path.child("spec");
    check(out, spec, &Context { pod: None, node_name }, &path);
    if spec.ephemeral_containers.as_ref().is_some_and(|list| !list.is_empty()) {
        let words = "ephemeral containers not allowed in pod template";
        out.forbidden(&path.child("ephemeralContainers"), words);
    }
}

pub(super) fn check(out: &mut Report, spec: &PodSpec, of: &Context<'_>, path: &Path) {
    if spec.termination_grace_period_seconds.is_none() {
        out.required(&path.child("terminationGracePeriodSeconds"), "");
    }
    let volumes = volume::check(out, Fragment::part(&spec.volumes), of.pod, &path.child("volumes"));
    let claims: Vec<&str> =
        spec.resource_claims.iter().flatten().map(|claim| claim.name.as_str()).collect();
    resource_claims(out, spec.resource_claims.as_deref(), &path.child("resourceClaims"));
    container::all(out, spec, &volumes, &claims, path);
    if let Some(own) = &spec.resources {
        resources::of_pod(out, spec, own, &claims, &path.child("resources"));
    }
    host_ports(out, spec, of.pod.is_some(), &path.child("containers"));
    let policies = ["Always", "OnFailure", "Never"];
    out.one_of(&path.child("restartPolicy"), text(&spec.restart_policy), &policies);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    out.one_of(&path.child("dnsPolicy"), text(&spec.dns_policy), &policies);
    meta::labels(out, spec.node_selector.as_ref(), &path.child("nodeSelector"));
    security::of_pod(out, spec, path);
    if let Some(own) = &spec.affinity {
        affinity::affinity(out, own, &path.child("affinity"));
    }
    dns(out, spec, &path.child("dnsConfig"));
    let gates = path.child("readinessGates");
    for (index, gate) in spec.readiness_gates.iter().flatten().enumerate() {
        let kind = gate.condition_type.as_str();
        out.words(&gates.index(index).child("conditionType"), kind, names::label_key(kind));
    }
    scheduling_gates(out, spec, &path.child("schedulingGates"));
    let constraints = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    affinity::spread(out, constraints, &path.child("topologySpreadConstraints"));
    host_users(out, spec, path);
    plain_fields(out, spec, of.node_name, path);
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
            out.words(&path.child(field), value, rule(value));
        }
    }
    if let Some(seconds) = spec.active_deadline_seconds {
        let words = names::in_range(seconds, 1, i64::from(i32::MAX));
        out.number(&path.child("activeDeadlineSeconds"), seconds, words);
    }
    for (field, value) in [("hostname", text(&spec.hostname)), ("subdomain", text(&spec.subdomain))]
    {
        if !value.is_empty() {
            out.words(&path.child(field), value, label(value));
        }
    }
    let tolerations = spec.tolerations.as_deref().unwrap_or_default();
    affinity::tolerations(out, tolerations, &path.child("tolerations"));
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let path = path.child("hostAliases").index(index);
        out.errors.extend(names::ip(&path.child("ip"), &alias.ip));
        for (index, host) in alias.hostnames.iter().flatten().enumerate() {
            out.words(&path.child("hostnames").index(index), host, name(host));
        }
    }
    let class = text(&spec.priority_class_name);
    if !class.is_empty() {
        out.words(&path.child("priorityClassName"), class, name(class));
    }
    if let Some(class) = &spec.runtime_class_name {
        out.words(&path.child("runtimeClassName"), class, name(class));
    }
    if let Some(policy) = &spec.preemption_policy {
        let policies = ["PreemptLowerPriority", "Never"];
        out.one_of(&path.child("preemptionPolicy"), policy, &policies);
    }
    let overhead = spec.overhead.as_ref();
    resources::list(
        out,
        overhead,
        resources::Owner::Container,
        &path.child("overhead").child("limits"),
    );
    if let Some(os) = &spec.os {
        let path = path.child("os");
        if os.name.is_empty() {
            out.required(&path.child("name"), "cannot be empty");
        } else {
            out.supported(&path, &os.name, &["linux", "windows"]);
        }
    }
}

fn resource_claims(out: &mut Report, claims: Option<&[PodResourceClaim]>, path: &Path) {
    let claims = claims.unwrap_or_default();
    for (index, claim) in claims.iter().enumerate() {
        let path = path.index(index);
        let name = claim.name.as_str();
        if name.is_empty() {
            out.required(&path.child("name"), "");
        } else if claims.iter().take(index).any(|earlier| earlier.name == name) {
            out.duplicate(&path.child("name"), name);
        } else {
            out.words(&path.child("name"), name, names::dns1123_label(name));
        }
        let (own, template) = (&claim.resource_claim_name, &claim.resource_claim_template_name);
        if own.is_some() && template.is_some() {
            let words = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be \
                         specified";
            out.invalid_object(&path, claim, words);
        }
        if own.is_none() && template.is_none() {
            let words = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
            out.invalid_object(&path, claim, words);
        }
        for (field, name) in [("resourceClaimName", own), ("resourceClaimTemplateName", template)] {
            if let Some(name) = name {
                out.words(&path.child(field), name, names::dns1123_subdomain(name));
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
    let none = PodDNSConfig::default();
    let own = spec.dns_config.as_ref();
    if text(&spec.dns_policy) == "None" {
        if own.is_none() {
            out.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if own.is_none_or(|own| own.nameservers.as_ref().is_none_or(Vec::is_empty)) {
            let words = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            out.required(&path.child("nameservers"), words);
            return;
        }
    }
    let own = own.unwrap_or(&none);
    let servers = own.nameservers.as_deref().unwrap_or_default();
    if servers.len() > NAMESERVERS_MAX {
        let words = format!("must not have more than {NAMESERVERS_MAX} nameservers");
        out.invalid_object(&path.child("nameservers"), &servers, &words);
    }
    for (index, server) in servers.iter().enumerate() {
        out.errors.extend(names::ip(&path.child("nameservers").index(index), server));
    }
    let searches = own.searches.as_deref().unwrap_or_default();
    let searches_path = path.child("searches");
    if searches.len() > SEARCHES_MAX {
        let words = format!("must not have more than {SEARCHES_MAX} search paths");
        out.invalid_object(&searches_path, &searches, &words);
    }
    if searches.join(" ").len() > SEARCH_CHARACTERS_MAX {
        let words = format!(
            "must not have more than {SEARCH_CHARACTERS_MAX} characters (including spaces) in the \
             search list"
        );
        out.invalid_object(&searches_path, &searches, &words);
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        // Underscores are let through here, as resolvers do.
        let words = names::dns1123_subdomain(&search.replace('_', "-a"));
        out.words(&searches_path.index(index), search, words);
    }
    for (index, option) in own.options.iter().flatten().enumerate() {
        if text(&option.name).is_empty() {
            out.required(&path.child("options").index(index), "must not be empty");
        }
    }
}

fn scheduling_gates(out: &mut Report, spec: &PodSpec, path: &Path) {
    let gates = spec.scheduling_gates.as_deref().unwrap_or_default();
    for (index, gate) in gates.iter().enumerate() {
        out.words(&path.index(index), &gate.name, names::label_key(&gate.name));
        if gates.iter().take(index).any(|earlier| earlier.name == gate.name) {
            out.duplicate(&path.index(index), gate.name.as_str());
        }
    }
}

/// Users of its own go with no other namespace of the host.
fn host_users(out: &mut Report, spec: &PodSpec, path: &Path) {
    if spec.host_users != Some(false) {
        return;
    }
    for (field, shared) in
        [("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)]
    {
        if shared == Some(true) {
            out.forbidden(&path.child(field), "when `pod.Spec.HostUsers` is false");
        }
    }
}
