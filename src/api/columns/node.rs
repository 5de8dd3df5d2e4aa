//! Rows of nodes.

use jiff::Timestamp;

use super::cell::{NONE, UNKNOWN, age, name, text_or};
use super::{Cell, Column};
use crate::api::ObjectMeta;
use crate::api::document::Fragment;
use crate::api::wire::{NodeSpec, NodeStatus};
use crate::sim::SortedSet;

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const ROLE_LABEL: &str = "kubernetes.io/role";

/// The columns of nodes.
pub const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Status", "The status of the node"),
    Column::text("Roles", "The roles of the node"),
    Column::AGE,
    Column::text("Version", "Kubelet Version reported by the node."),
    Column::text("Internal-IP", "List of addresses reachable to the node.").wide(),
    Column::text("External-IP", "List of addresses reachable to the node.").wide(),
    Column::text(
        "OS-Image",
        "OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).",
    )
    .wide(),
    Column::text(
        "Kernel-Version",
        "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).",
    )
    .wide(),
    Column::text(
        "Container-Runtime",
        "ContainerRuntime Version reported by the node through runtime remote API (e.g. \
         containerd://1.4.2).",
    )
    .wide(),
];

/// The row of a node.
pub fn row(meta: &ObjectMeta, spec: &NodeSpec, status: &NodeStatus, now: Timestamp) -> Vec<Cell> {
    let info = Fragment::part(&status.node_info);
    let told = |field: &str| info.is_there().then(|| info.at(field).text());
    vec![
        name(meta),
        state(spec, status).into(),
        text_or(Some(&roles(meta)), NONE),
        age(meta, now),
        text_or(told("kubeletVersion"), ""),
        address(status, "InternalIP"),
        address(status, "ExternalIP"),
        text_or(told("osImage"), UNKNOWN),
        text_or(told("kernelVersion"), UNKNOWN),
        text_or(told("containerRuntimeVersion"), UNKNOWN),
    ]
}

fn state(spec: &NodeSpec, status: &NodeStatus) -> String {
    let mut conditions = status.conditions.iter().flatten().rev();
    let ready = conditions.find(|condition| condition.type_ == "Ready");
    let mut state = match ready.map(|condition| condition.status == "True") {
        Some(true) => "Ready".to_owned(),
        Some(false) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if spec.unschedulable == Some(true) {
        state.push_str(",SchedulingDisabled");
    }
    state
}

/// The node's roles, sorted, with commas between.
fn roles(meta: &ObjectMeta) -> String {
    let of_label = |(key, value): (&'_ String, &'_ String)| match key.strip_prefix(ROLE_PREFIX) {
        Some(role) => role.to_owned(),
        None if key == ROLE_LABEL => value.clone(),
        None => String::new(),
    };
    let roles =
        meta.labels.iter().flat_map(|all| all.iter()).map(of_label).filter(|role| !role.is_empty());
    let roles: SortedSet<String> = roles.collect();
    roles.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

fn address(status: &NodeStatus, kind: &str) -> Cell {
    let address = status.addresses.iter().flatten().find(|address| address.type_ == kind);
    text_or(address.map(|address| address.address.as_str()), NONE)
}
