//! What a cluster begins with.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::api::ObjectMeta;
use crate::api::wire::{Node, NodeSpec, NodeStatus};

/// The most nodes of one cluster: the most that Kubernetes itself supports.
pub const MOST_NODES: usize = 5_000;

/// 2026-01-01T00:00:00Z: the date at which every cluster begins, so that time stamps are the same in
/// every replay.
pub fn epoch() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or_default()
}

/// A cluster's seed and nodes; with the inputs, all that a replay needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    pub seed: u64,
    pub nodes: Vec<Node>,
}

impl Setup {
    /// `count` nodes alike: 4 CPUs, 8 GiB and 110 Pods each, in three zones.
    pub fn new(seed: u64, count: usize) -> Self {
        Self { seed, nodes: (1..=count.min(MOST_NODES)).map(node).collect() }
    }
}

/// The address of the node numbered `index` from 0.
pub(super) fn node_ip(index: usize) -> Ipv4Addr {
    let low = u8::try_from(index % 250).unwrap_or(0);
    let high = u8::try_from(index / 250).unwrap_or(u8::MAX);
    Ipv4Addr::new(192, 168, high, low.saturating_add(2))
}

/// The Pods' addresses on the node numbered `index` from 0: of `10.224.0.0/11`, which has enough for all, beginning
/// with `10.244.0.0`, where small clusters usually have theirs.
pub fn pod_cidr(index: usize) -> String {
    format!("10.{}.{}.0/24", 224 + (20 + index / 256) % 32, index % 256)
}

fn node(number: usize) -> Node {
    let name = format!("node-{number}");
    let zone = ["a", "b", "c"].into_iter().cycle().nth(number - 1).unwrap_or("a");
    let labels = [
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/hostname", &name),
        ("kubernetes.io/os", "linux"),
        ("topology.kubernetes.io/region", "local"),
        ("topology.kubernetes.io/zone", &format!("local-{zone}")),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let capacity: BTreeMap<String, Quantity> =
        [("cpu", "4"), ("ephemeral-storage", "64Gi"), ("memory", "8Gi"), ("pods", "110")]
            .map(|(resource, amount)| (resource.to_owned(), Quantity(amount.to_owned())))
            .into();
    let cidr = pod_cidr(number - 1);
    Node {
        metadata: ObjectMeta {
            labels: Some(Rc::new(labels.into())),
            name: Some(name.into()),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec {
            pod_cidr: Some(cidr.clone()),
            pod_cidrs: Some(vec![cidr]),
            ..NodeSpec::default()
        }),
        status: Some(Rc::new(NodeStatus {
            allocatable: Some(capacity.clone()),
            capacity: Some(capacity),
            ..NodeStatus::default()
        })),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_node_of_the_largest_cluster_has_addresses_of_its_own() {
        let ips: BTreeSet<Ipv4Addr> = (0..MOST_NODES).map(node_ip).collect();
        assert_eq!(ips.len(), MOST_NODES);
        let first = |index| pod_cidr(index).strip_suffix("/24").unwrap().parse().unwrap();
        let cidrs: BTreeSet<Ipv4Addr> = (0..MOST_NODES).map(first).collect();
        assert_eq!(cidrs.len(), MOST_NODES);
        assert!(cidrs.iter().all(|cidr| matches!(cidr.octets(), [10, 224..=255, _, 0])));
        assert_eq!(pod_cidr(0), "10.244.0.0/24");
    }
}
