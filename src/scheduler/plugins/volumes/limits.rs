//! `NodeVolumeLimits`: a node gets no more volumes of a driver than its `CSINode` says it can have.
//!
//! Mirrors: `pkg/scheduler/framework/plugins/nodevolumelimits/csi.go`. Left out: volumes of what was
//! built into Kubernetes before there were drivers, and what is attached though no pod on the node
//! mounts it, since there are no `VolumeAttachment`s here.

use super::{claim, class, mounts, name, volume_name};
use crate::api::{Document, Kind};
use crate::scheduler::framework::{ClusterEvent, CycleState, Plugin, PreFilter, Snapshot, Verdict};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::sim::SortedSet;

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct NodeVolumeLimits;

/// The nodes that cannot have the volumes of a pod beside their own.
#[derive(Clone, Debug, Default)]
pub struct FullNodes {
    /// One of its claims is not there, so that no node will do.
    missing: Option<Verdict>,
    nodes: SortedSet<String>,
}

/// Stands between a driver and its name for a volume; neither has a line break in it.
const BETWEEN: char = '\n';

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        "NodeVolumeLimits"
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        state: &mut CycleState,
    ) -> PreFilter {
        if mounts(&pod.pod).next().is_none() {
            return PreFilter::Skip;
        }
        state.full_nodes = FullNodes::of(pod, cluster);
        PreFilter::Run
    }

    fn filter(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        if let Some(missing) = &state.full_nodes.missing {
            return missing.clone();
        }
        if state.full_nodes.nodes.contains(&*node.name) {
            return Verdict::unschedulable("node(s) exceed max volume count");
        }
        Verdict::SUCCESS
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{AssignedPodDeleted, ClaimChanged, VolumeLimits};
        matches!(event, AssignedPodDeleted | ClaimChanged | VolumeLimits)
    }
}

impl FullNodes {
    fn of(pod: &PodInfo, cluster: &dyn Snapshot) -> Self {
        let mut wanted = SortedSet::default();
        for mount in mounts(&pod.pod) {
            match claim(cluster, pod, &mount.name) {
                Ok(claim) => wanted.extend(attached(claim, cluster)),
                Err(missing) => {
                    let (namespace, words) = (pod.namespace(), missing.reasons.concat());
                    let words = format!("looking up PVC {namespace}/{}: {words}", mount.name);
                    let missing = Some(Verdict::unresolvable(words));
                    return Self { missing, ..Self::default() };
                }
            }
        }
        if wanted.is_empty() || cluster.documents(Kind::CSINode).next().is_none() {
            return Self::default();
        }
        let full = cluster.nodes().filter(|node| is_full(node, &wanted, cluster));
        Self { missing: None, nodes: full.map(|node| node.name.to_string()).collect() }
    }
}

/// The driver of a volume.
fn driver_of(volume: &str) -> &str {
    volume.split_once(BETWEEN).map_or("", |(driver, _)| driver)
}

/// Whether a node has not room for all that is wanted. What is there already takes no more.
fn is_full(node: &NodeInfo, wanted: &SortedSet<String>, cluster: &dyn Snapshot) -> bool {
    let Some(limits) = cluster.document(Kind::CSINode, "", &node.name) else { return false };
    let limits =
        limits_of(limits).filter(|(driver, _)| wanted.iter().any(|it| driver_of(it) == *driver));
    let limits: Vec<(&str, i64)> = limits.collect();
    if limits.is_empty() {
        return false;
    }
    let claims = node.pods.iter().flat_map(|there| {
        mounts(&there.pod).filter_map(|mount| claim(cluster, there, &mount.name).ok())
    });
    let there: SortedSet<String> = claims.filter_map(|claim| attached(claim, cluster)).collect();
    limits.into_iter().any(|(driver, most)| {
        let of = |volume: &&String| driver_of(volume) == driver;
        let new = wanted.iter().filter(of).filter(|volume| !there.contains(*volume)).count();
        let all = there.iter().filter(of).count() + new;
        new > 0 && i64::try_from(all).is_ok_and(|all| all > most)
    })
}

/// How many volumes of each driver a node can have, by its `CSINode`; of those that say.
fn limits_of(csi_node: &Document) -> impl Iterator<Item = (&str, i64)> {
    let drivers = csi_node.at("spec").at("drivers").items();
    drivers.filter_map(|driver| {
        Some((driver.at("name").text(), driver.at("allocatable").at("count").number()?))
    })
}

/// Whether a node can have more volumes of a driver than it could.
pub fn raises_limits(old: &Document, new: &Document) -> bool {
    limits_of(new).any(|(driver, most)| {
        let before = limits_of(old).find(|(own, _)| *own == driver);
        most > before.map_or(0, |(_, most)| most)
    })
}

/// The volume behind a claim, or that is to be made for it, after its driver; none if no driver is
/// asked for it.
fn attached(claim: &Document, cluster: &dyn Snapshot) -> Option<String> {
    let volume = Some(volume_name(claim)).filter(|name| !name.is_empty());
    let volume = volume.and_then(|name| cluster.document(Kind::PersistentVolume, "", name));
    let (driver, volume) = if let Some(volume) = volume {
        let csi = volume.at("spec").at("csi");
        (csi.at("driver").text(), csi.at("volumeHandle").text().to_owned())
    } else {
        let class = cluster.document(Kind::StorageClass, "", class(claim))?;
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        // No driver has a line break in its own names.
        (class.at("provisioner").text(), format!("{BETWEEN}{namespace}/{}", name(claim)))
    };
    let both = !driver.is_empty() && !volume.is_empty();
    both.then(|| format!("{driver}{BETWEEN}{volume}"))
}
