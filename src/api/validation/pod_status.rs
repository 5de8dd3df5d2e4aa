//! The status of a Pod, as the kubelet reports it.

use std::net::IpAddr;

use serde_json::Value;

use super::pod::PodParts;
use super::report::{Report, text};
use super::{annotations, meta};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::phase::is_sidecar;
use crate::api::wire::ContainerStatus;

/// What is wrong with a Pod whose status takes the place of that of `old`.
pub fn status_update(new: &PodParts<'_>, old: &PodParts<'_>) -> Vec<FieldError> {
    let mut out = Report::default();
    meta::update(&mut out, new.metadata, old.metadata);
    annotations::changes(&mut out, new, old);
    let path = Path::new("status");
    let conditions = path.child("conditions");
    for (index, condition) in new.status.conditions.iter().flatten().enumerate() {
        let (kind, path) = (condition.type_.as_str(), conditions.index(index));
        generation(&mut out, condition.observed_generation, &path);
        if !matches!(kind, "PodScheduled" | "Ready" | "Initialized") {
            out.words_at(&path, "Type", kind, names::label_key);
        }
    }
    if new.node_name != old.node_name {
        out.forbidden_at(&path, "nodeName", "may not be changed directly");
    }
    let nominated = text(&new.status.nominated_node_name);
    if nominated != text(&old.status.nominated_node_name) && !nominated.is_empty() {
        out.words_at(&path, "nominatedNodeName", nominated, names::dns1123_subdomain);
        if !old.node_name.is_empty() {
            let words = "may not be set on pods that are already bound to a node";
            out.forbidden_at(&path, "nominatedNodeName", words);
        }
    }
    generation(&mut out, new.status.observed_generation, &path);
    out.immutable(
        &path.child("qosClass"),
        &text(&new.status.qos_class),
        &text(&old.status.qos_class),
    );
    container_states(&mut out, new, old, &path);
    let ips: Vec<&str> =
        new.status.pod_ips.iter().flatten().map(|pod_ip| pod_ip.ip.as_str()).collect();
    addresses(&mut out, &ips, &path.child("podIPs"));
    let ips: Vec<&str> =
        new.status.host_ips.iter().flatten().map(|host_ip| host_ip.ip.as_str()).collect();
    if let Some(first) = ips.first()
        && text(&new.status.host_ip) != *first
    {
        let path = path.child("hostIPs").index(0).child("ip");
        out.invalid(&path, *first, "must be equal to `hostIP`");
    }
    addresses(&mut out, &ips, &path.child("hostIPs"));
    out.errors
}

/// Which version of the spec a status, or a condition, is about.
fn generation(out: &mut Report, generation: Option<i64>, path: &Path) {
    if let Some(generation) = generation.filter(|generation| *generation < 0) {
        let path = path.child("observedGeneration");
        out.invalid(&path, generation, "must be a non-negative integer");
    }
}

/// What has ended for good stays ended.
fn container_states(out: &mut Report, new: &PodParts<'_>, old: &PodParts<'_>, path: &Path) {
    let policy = text(&old.spec.restart_policy);
    let sidecar = |name: &str| {
        let inits = old.spec.init_containers.iter().flatten();
        inits.into_iter().any(|container| container.name == name && is_sidecar(container))
    };
    let own_policy = |name: &str| {
        let all = old.spec.containers.iter().chain(old.spec.init_containers.iter().flatten());
        all.into_iter().find(|container| container.name == name)
    };
    let ends = |status: &ContainerStatus, ephemeral: bool| {
        let ended = status.state.as_ref().and_then(|state| state.terminated.as_ref());
        let Some(ended) = ended else { return false };
        if ephemeral {
            return true;
        }
        match own_policy(&status.name) {
            Some(container) if container.restart_policy.is_some() => {
                !sidecar(&status.name)
                    && !crate::api::phase::should_restart(container, &old.spec, ended.exit_code)
            }
            Some(_) | None => policy != "Always" && (ended.exit_code == 0 || policy != "OnFailure"),
        }
    };
    for (field, new, old) in [
        ("containerStatuses", &new.status.container_statuses, &old.status.container_statuses),
        (
            "initContainerStatuses",
            &new.status.init_container_statuses,
            &old.status.init_container_statuses,
        ),
        (
            "ephemeralContainerStatuses",
            &new.status.ephemeral_container_statuses,
            &old.status.ephemeral_container_statuses,
        ),
    ] {
        let ephemeral = field == "ephemeralContainerStatuses";
        for (index, old) in old.iter().flatten().enumerate().filter(|(_, old)| ends(old, ephemeral))
        {
            let runs = |status: &&ContainerStatus| {
                let state = status.state.as_ref();
                status.name == old.name && state.is_none_or(|state| state.terminated.is_none())
            };
            for _ in new.iter().flatten().filter(runs) {
                let words = "may not be transitioned to non-terminated state";
                out.forbidden(&path.child(field).index(index).child("state"), words);
            }
        }
    }
}

/// At most one address of each family.
fn addresses(out: &mut Report, ips: &[&str], path: &Path) {
    for (index, ip) in ips.iter().enumerate() {
        out.errors.extend(names::ip(&path.index(index), ip));
    }
    let families: Vec<bool> = ips
        .iter()
        .filter_map(|ip| names::parse_ip(ip))
        .map(|ip| matches!(ip, IpAddr::V6(_)))
        .collect();
    if ips.len() > 1 && (ips.len() > 2 || families.first() == families.last()) {
        let list: Vec<Value> = ips.iter().map(|ip| serde_json::json!({ "ip": ip })).collect();
        out.invalid(path, list, "may specify no more than one IP for each IP family");
    }
}
