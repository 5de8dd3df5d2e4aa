//! What a kubelet says of its node.
//!
//! Mirrors: `pkg/kubelet/nodestatus/setters.go`.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{NodeAddress, NodeCondition};
use serde_json::json;

use crate::api::document::Fragment;
use crate::api::seconds;
use crate::api::wire::{Node, NodeStatus};

/// How often the status is worked out.
pub(super) const PERIOD: std::time::Duration = std::time::Duration::from_secs(10);
/// How long an unchanged status may go unreported.
pub(super) const REPORT: std::time::Duration = std::time::Duration::from_mins(5);

const VERSION: &str = "v1.37.0";

/// Each condition: type, status, reason, message, and the event that tells of it.
const CONDITIONS: [(&str, &str, &str, &str, &str); 4] = [
    (
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
        "NodeHasSufficientMemory",
    ),
    (
        "DiskPressure",
        "False",
        "KubeletHasNoDiskPressure",
        "kubelet has no disk pressure",
        "NodeHasNoDiskPressure",
    ),
    (
        "PIDPressure",
        "False",
        "KubeletHasSufficientPID",
        "kubelet has sufficient PID available",
        "NodeHasSufficientPID",
    ),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status", "NodeReady"),
];

/// The reasons of the events that go with the first status.
pub(super) fn first_events() -> impl Iterator<Item = &'static str> {
    CONDITIONS.iter().map(|(.., event)| *event)
}

/// The status of a node that is well: what the set-up declares, completed.
pub(super) fn node_status(
    declared: &Node,
    ip: Ipv4Addr,
    since: Timestamp,
    now: Timestamp,
) -> NodeStatus {
    let name = declared.metadata.name.as_deref().unwrap_or_default().to_owned();
    let address = |kind: &str, address: String| NodeAddress { type_: kind.into(), address };
    let condition =
        |(kind, status, reason, message, _): &(&str, &str, &str, &str, &str)| NodeCondition {
            type_: (*kind).into(),
            status: (*status).into(),
            reason: Some((*reason).into()),
            message: Some((*message).into()),
            last_heartbeat_time: Some(seconds(now)),
            last_transition_time: Some(seconds(since)),
        };
    let status = declared.status.as_ref();
    let capacity = status.and_then(|status| status.capacity.as_ref());
    let allocatable = status.and_then(|status| status.allocatable.as_ref());
    NodeStatus {
        allocatable: allocatable.or(capacity).cloned(),
        capacity: capacity.cloned(),
        conditions: Some(CONDITIONS.iter().map(condition).collect()),
        addresses: Some(vec![address("InternalIP", ip.to_string()), address("Hostname", name)]),
        daemon_endpoints: Some(Fragment::new(json!({"kubeletEndpoint": {"Port": 10250}}))),
        node_info: Some(Fragment::new(json!({
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "containerd://2.2.0",
            "kernelVersion": "6.12.0-amd64",
            "kubeProxyVersion": "",
            "kubeletVersion": VERSION,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 13 (trixie)",
            "systemUUID": "",
        }))),
        ..NodeStatus::default()
    }
}
