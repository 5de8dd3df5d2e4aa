//! `VolumeZone`: a pod goes where the volumes behind its claims are, by the volumes' labels.
//!
//! Mirrors: `pkg/scheduler/framework/plugins/volumezone`.

use super::{class, name, named, not_found, volume_name, waits};
use crate::api::{Document, Kind};
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Plugin, PreFilter, Snapshot, Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

pub(super) const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
pub(super) const BETA_REGION: &str = "failure-domain.beta.kubernetes.io/region";
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
pub(super) const REGION: &str = "topology.kubernetes.io/region";
/// The labels that name a zone.
pub(super) const ZONES: [&str; 2] = [ZONE, BETA_ZONE];
const LABELS: [&str; 4] = [BETA_ZONE, BETA_REGION, ZONE, REGION];

/// What stands between the zones of a volume that is in several.
const SEPARATOR: &str = "__";

/// The labels of a pod's volumes that say where they are: which, and the values that will do.
pub type Zones = Vec<(&'static str, Vec<String>)>;

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct VolumeZone;

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        state: &mut CycleState,
    ) -> PreFilter {
        match zones(pod, cluster) {
            Ok(zones) => state.zones = zones,
            Err(verdict) => return PreFilter::Reject(verdict),
        }
        if state.zones.is_empty() { PreFilter::Skip } else { PreFilter::Run }
    }

    fn filter(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        // A cluster of one zone may have no such labels at all.
        if LABELS.iter().all(|label| node.label(label).is_none()) {
            return Verdict::SUCCESS;
        }
        let is_in = |(label, values): &(&'static str, Vec<String>)| {
            let own = node.label(label).or_else(|| node.label(current(label)));
            own.is_some_and(|own| values.iter().any(|value| value == own))
        };
        if state.zones.iter().all(is_in) {
            return Verdict::SUCCESS;
        }
        Verdict::unresolvable("node(s) had no available volume zone")
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{
            ClaimAdded, ClaimUpdated, NodeAdded, NodeLabels, StorageClassAdded, VolumeChanged,
        };
        matches!(event, ClaimAdded | ClaimUpdated | NodeAdded | NodeLabels)
            || matches!(event, StorageClassAdded | VolumeChanged)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        let About::Document { old, new: Some(new) } = about else { return true };
        if new.kind() == Kind::StorageClass {
            return waits(new);
        }
        if new.kind() == Kind::PersistentVolumeClaim {
            return new.metadata.namespace.as_deref() == Some(pod.namespace())
                && named(&pod.pod).any(|mount| mount.name == name(new));
        }
        old.is_none_or(|old| places(old) != places(new))
    }
}

/// The label that has taken the place of a beta one.
fn current(label: &str) -> &str {
    match label {
        BETA_ZONE => ZONE,
        BETA_REGION => REGION,
        other => other,
    }
}

fn zones(pod: &PodInfo, cluster: &dyn Snapshot) -> Result<Zones, Verdict> {
    let mut zones = Zones::new();
    for mount in named(&pod.pod) {
        let claim = super::claim(cluster, pod, &mount.name)?;
        let volume = volume_name(claim);
        if volume.is_empty() {
            let class = class(claim);
            if class.is_empty() {
                let words = "PersistentVolumeClaim had no pv name and storageClass name";
                return Err(Verdict::unresolvable(words));
            }
            let found = cluster.document(Kind::StorageClass, "", class);
            if waits(found.ok_or_else(|| not_found(Kind::StorageClass, class))?) {
                continue;
            }
            return Err(Verdict::unresolvable("PersistentVolume had no name"));
        }
        let found = cluster.document(Kind::PersistentVolume, "", volume);
        zones.extend(places(found.ok_or_else(|| not_found(Kind::PersistentVolume, volume))?));
    }
    Ok(zones)
}

/// The zones in the label of a volume.
pub(super) fn listed(zones: &str) -> impl Iterator<Item = &str> {
    zones.split(SEPARATOR).map(str::trim)
}

/// Where a volume is, by its labels.
fn places(volume: &Document) -> Zones {
    let labels = volume.metadata.labels.as_ref();
    let mut places = Zones::new();
    for label in LABELS {
        let Some(value) = labels.and_then(|labels| labels.get(label)) else { continue };
        let values: Vec<String> = listed(value).map(str::to_owned).collect();
        // A list with a gap in it is no list.
        if values.iter().all(|value| !value.is_empty()) {
            places.push((label, values));
        }
    }
    places
}
