//! `NodeVolumeLimits`: a node gets no more volumes of a driver than its `CSINode` says it can have, and
//! none of a driver that has to be there first and is not.
//!
//! Mirrors: `pkg/scheduler/framework/plugins/nodevolumelimits`.

use super::built_in::BuiltIn;
use super::{claim, class, mounts, name, named, volume_name, volumes};
use crate::api::{Document, Kind, Pod};
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Plugin, PreFilter, Reason, Snapshot, Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::sim::{SortedMap, SortedSet};

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct NodeVolumeLimits;

/// The nodes that cannot have the volumes of a pod beside their own, and why.
#[derive(Clone, Debug, Default)]
pub struct FullNodes {
    /// One of its claims is not there, so that no node will do.
    missing: Option<Verdict>,
    nodes: SortedMap<String, Reason>,
}

/// Stands between a driver and its name for a volume; neither has a line break in it.
const BETWEEN: char = '\n';

/// What was built in, too, and whose volumes are never counted.
const UNCOUNTED: [&str; 2] = ["kubernetes.io/azure-file", "kubernetes.io/vsphere-volume"];

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
        if !has_counted(&pod.pod) {
            return PreFilter::Skip;
        }
        state.full_nodes = FullNodes::of(pod, cluster);
        PreFilter::Run
    }

    fn filter(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        if let Some(missing) = &state.full_nodes.missing {
            return missing.clone();
        }
        match state.full_nodes.nodes.get(&*node.name) {
            Some(reason) => Verdict::unschedulable(reason.clone()),
            None => Verdict::SUCCESS,
        }
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{
            AssignedPodDeleted, AttachmentDeleted, ClaimAdded, DriversChanged, DriversOfNode,
        };
        matches!(event, AssignedPodDeleted | AttachmentDeleted | ClaimAdded)
            || matches!(event, DriversChanged | DriversOfNode)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        match about {
            About::Pod { old: Some(gone), new: None } => has_counted(&gone.pod),
            About::Document { old: Some(old), new: Some(new) } => {
                raises_limits(old, new) || adds_driver(old, new)
            }
            About::Document { old: Some(gone), new: None } => {
                let attacher = gone.at("spec").at("attacher").text();
                named(&pod.pod).next().is_some()
                    || inline(&pod.pod).any(|(built_in, _)| built_in.driver == attacher)
            }
            About::Document { old: None, new: Some(new) } => {
                new.kind() == Kind::CSINode || super::mounts_claim(&pod.pod, new)
            }
            About::Pod { .. } | About::Node { .. } | About::Document { .. } => true,
        }
    }
}

/// Whether a pod has volumes that may count.
fn has_counted(pod: &Pod) -> bool {
    mounts(pod).next().is_some() || inline(pod).next().is_some()
}

/// What was built in and is a volume of the pod without a claim, and its disk.
fn inline(pod: &Pod) -> impl Iterator<Item = (&'static BuiltIn, String)> {
    volumes(pod).filter_map(|volume| {
        let built_in = BuiltIn::of(volume)?;
        Some((built_in, built_in.handle(volume, "")))
    })
}

impl FullNodes {
    /// Those for a pod. Few have volumes that count, so that this comes later to the page.
    #[inline(never)]
    fn of(pod: &PodInfo, cluster: &dyn Snapshot) -> Self {
        for mount in mounts(&pod.pod) {
            if let Err(missing) = claim(cluster, pod, &mount.name) {
                let (namespace, words) = (pod.namespace(), missing.reasons.concat());
                let words = format!("looking up PVC {namespace}/{}: {words}", mount.name);
                let missing = Some(Verdict::unresolvable(words));
                return Self { missing, ..Self::default() };
            }
        }
        let mut picky = cluster.documents(Kind::CSIDriver).filter(|driver| must_be_there(driver));
        if picky.next().is_none() && cluster.documents(Kind::CSINode).next().is_none() {
            return Self::default();
        }
        let attachments = Attachments::of(cluster);
        let why = |node: &NodeInfo| why_not(pod, node, cluster, &attachments);
        let full = cluster.nodes().filter_map(|node| Some((node.name.to_string(), why(node)?)));
        Self { missing: None, nodes: full.collect() }
    }
}

/// The volumes that are attached to nodes, by node.
#[derive(Default)]
struct Attachments<'a>(SortedMap<&'a str, Vec<String>>);

impl<'a> Attachments<'a> {
    fn of(cluster: &'a dyn Snapshot) -> Self {
        let mut all = Self::default();
        for attachment in cluster.documents(Kind::VolumeAttachment) {
            let spec = attachment.at("spec");
            let (attacher, name) =
                (spec.at("attacher").text(), spec.at("source").at("persistentVolumeName").text());
            let volume = cluster.document(Kind::PersistentVolume, "", name);
            let csi = volume.map(|volume| volume.at("spec").at("csi"));
            if let Some(csi) = csi.filter(|csi| csi.is_there() && !attacher.is_empty()) {
                let handle = csi.at("volumeHandle").text();
                let on_node = all.0.or_default(spec.at("nodeName").text());
                on_node.push(format!("{attacher}{BETWEEN}{handle}"));
            }
        }
        all
    }
}

/// The driver of a volume.
fn driver_of(volume: &str) -> &str {
    volume.split_once(BETWEEN).map_or("", |(driver, _)| driver)
}

/// Why a node cannot have the volumes of a pod: a driver is missing, or there is no room for all that is
/// new. What is there already takes no more.
fn why_not(
    pod: &PodInfo,
    node: &NodeInfo,
    cluster: &dyn Snapshot,
    attachments: &Attachments<'_>,
) -> Option<Reason> {
    let csi_node = cluster.document(Kind::CSINode, "", &node.name);
    let wanted: SortedSet<String> = counted(pod, csi_node, cluster).collect();
    let drivers = || csi_node.map(|it| it.at("spec").at("drivers").items()).into_iter().flatten();
    let is_missing = |driver: &&str| {
        let asked = cluster.document(Kind::CSIDriver, "", driver);
        asked.is_some_and(must_be_there) && !drivers().any(|own| own.at("name").text() == *driver)
    };
    if let Some(driver) = wanted.iter().map(|volume| driver_of(volume)).find(is_missing) {
        return Some(format!("{driver} CSI driver is not installed on the node").into());
    }
    let limits = csi_node.map(limits_of).into_iter().flatten();
    let limits = limits.filter(|(driver, _)| wanted.iter().any(|it| driver_of(it) == *driver));
    let limits: Vec<(&str, i64)> = limits.collect();
    if limits.is_empty() {
        return None;
    }
    let there: SortedSet<String> =
        node.pods.iter().flat_map(|there| counted(there, csi_node, cluster)).collect();
    let attached = attachments.0.get(&*node.name).into_iter().flatten();
    let attached: SortedSet<&String> = attached.filter(|it| !there.contains(*it)).collect();
    let is_full = limits.into_iter().any(|(driver, most)| {
        let of = |volume: &String| driver_of(volume) == driver;
        let new = wanted.iter().filter(|it| of(it) && !there.contains(*it)).count();
        let own = there.iter().filter(|it| of(it)).count();
        let all = own + attached.iter().filter(|it| of(it)).count() + new;
        new > 0 && i64::try_from(all).is_ok_and(|all| all > most)
    });
    is_full.then(|| "node(s) exceed max volume count".into())
}

/// Whether a driver wants to be on a node before pods are that use it.
fn must_be_there(driver: &Document) -> bool {
    driver.at("spec").at("preventPodSchedulingIfMissing").is_true()
}

/// How many volumes of each driver a node can have, by its `CSINode`; of those that say.
fn limits_of(csi_node: &Document) -> impl Iterator<Item = (&str, i64)> {
    let drivers = csi_node.at("spec").at("drivers").items();
    drivers.filter_map(|driver| {
        Some((driver.at("name").text(), driver.at("allocatable").at("count").number()?))
    })
}

/// Whether a node can have more volumes of a driver than it could.
fn raises_limits(old: &Document, new: &Document) -> bool {
    limits_of(new).any(|(driver, most)| {
        let before = limits_of(old).find(|(own, _)| *own == driver);
        most > before.map_or(0, |(_, most)| most)
    })
}

/// Whether a node has a driver that it had not.
fn adds_driver(old: &Document, new: &Document) -> bool {
    let drivers = |csi_node: &Document, name: &str| {
        let mut drivers = csi_node.at("spec").at("drivers").items();
        drivers.any(|driver| driver.at("name").text() == name)
    };
    let mut names = new.at("spec").at("drivers").items().map(|driver| driver.at("name").text());
    names.any(|name| !drivers(old, name))
}

/// The volumes of a pod that count on a node, each after its driver. What is missing does not.
fn counted<'a>(
    pod: &'a PodInfo,
    csi_node: Option<&'a Document>,
    cluster: &'a dyn Snapshot,
) -> impl Iterator<Item = String> + 'a {
    let claims = mounts(&pod.pod).filter_map(|mount| claim(cluster, pod, &mount.name).ok());
    let behind = claims.filter_map(move |claim| attached(claim, csi_node, cluster));
    let own = inline(&pod.pod).filter(move |_| is_migrated(csi_node));
    behind.chain(own.map(|(built_in, disk)| format!("{}{BETWEEN}{disk}", built_in.driver)))
}

/// Whether drivers have taken over what was built in, on a node. Where volumes are counted that is so as soon
/// as it is known which drivers there are, whatever these say that they have taken over.
///
/// Mirrors: `isCSIMigrationOn` of `nodevolumelimits/utils.go`.
fn is_migrated(csi_node: Option<&Document>) -> bool {
    csi_node.is_some()
}

/// The volume behind a claim, or that is to be made for it, after its driver; none if no driver is
/// asked for it.
fn attached(
    claim: &Document,
    csi_node: Option<&Document>,
    cluster: &dyn Snapshot,
) -> Option<String> {
    let volume = Some(volume_name(claim)).filter(|name| !name.is_empty());
    let volume = volume.and_then(|name| cluster.document(Kind::PersistentVolume, "", name));
    let (driver, volume) = if let Some(volume) = volume {
        let (spec, csi) = (volume.at("spec"), volume.at("spec").at("csi"));
        if csi.is_there() {
            (csi.at("driver").text(), csi.at("volumeHandle").text().to_owned())
        } else {
            let labels = volume.metadata.labels.as_deref();
            let zone = labels
                .and_then(|labels| super::zone::ZONES.iter().find_map(|label| labels.get(*label)));
            let built_in = BuiltIn::of(spec)?;
            let driver = if is_migrated(csi_node) { built_in.driver } else { "" };
            (driver, built_in.handle(spec, zone.map_or("", String::as_str)))
        }
    } else {
        let class = cluster.document(Kind::StorageClass, "", class(claim))?;
        let provisioner = class.at("provisioner").text();
        let driver = match BuiltIn::named(provisioner) {
            Some(built_in) if is_migrated(csi_node) => built_in.driver,
            None if !UNCOUNTED.contains(&provisioner) => provisioner,
            Some(_) | None => "",
        };
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        // No driver has a line break in its own names.
        (driver, format!("{BETWEEN}{namespace}/{}", name(claim)))
    };
    let both = !driver.is_empty() && !volume.is_empty();
    both.then(|| format!("{driver}{BETWEEN}{volume}"))
}
