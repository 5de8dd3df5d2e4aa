//! `VolumeRestrictions`: a disk that only one can write to, and a claim that only one pod may use.
//!
//! Mirrors: `pkg/scheduler/framework/plugins/volumerestrictions`.

use super::{claim, name, named, volumes};
use crate::api::Pod;
use crate::api::document::Part;
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Plugin, PreFilter, Snapshot, Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

const ONE_POD: &str = "ReadWriteOncePod";

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct VolumeRestrictions;

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        "VolumeRestrictions"
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        state: &mut CycleState,
    ) -> PreFilter {
        state.claims_in_use = 0;
        for mount in named(&pod.pod) {
            let claim = match claim(cluster, pod, &mount.name) {
                Ok(claim) => claim,
                Err(missing) => return PreFilter::Reject(missing),
            };
            let alone = claim.at("spec").at("accessModes").texts().any(|mode| mode == ONE_POD);
            let used = |there: &PodInfo| {
                there.namespace() == pod.namespace()
                    && named(&there.pod).any(|mount| mount.name == name(claim))
            };
            if alone && cluster.nodes().any(|node| node.pods.iter().any(|there| used(there))) {
                state.claims_in_use += 1;
            }
        }
        if state.claims_in_use == 0 && disks(&pod.pod).next().is_none() {
            return PreFilter::Skip;
        }
        PreFilter::Run
    }

    fn filter(&self, pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        if node.pods.iter().any(|there| has_disk_of(there, pod)) {
            return Verdict::unschedulable("node(s) had no available disk");
        }
        if state.claims_in_use > 0 {
            return Verdict::unschedulable(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode \
                 already in-use by another pod",
            );
        }
        Verdict::SUCCESS
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{AssignedPodDeleted, ClaimAdded, NodeAdded};
        matches!(event, AssignedPodDeleted | ClaimAdded | NodeAdded)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        let claims = |pod: &PodInfo| -> Vec<String> {
            named(&pod.pod).map(|mount| mount.name.into_owned()).collect()
        };
        match about {
            About::Pod { old: Some(gone), new: None } => {
                let own = claims(pod);
                gone.namespace() == pod.namespace()
                    && (has_disk_of(gone, pod) || claims(gone).iter().any(|it| own.contains(it)))
            }
            About::Document { new: Some(claim), .. } => {
                claim.metadata.namespace.as_deref() == Some(pod.namespace())
                    && claims(pod).iter().any(|own| own == name(claim))
            }
            About::Pod { .. } | About::Node { .. } | About::Document { .. } => true,
        }
    }
}

/// What is one disk for all who name it so, by its source and the fields that are its name.
const DISKS: [(&str, &[&str]); 4] = [
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("iscsi", &["iqn"]),
    ("rbd", &["pool", "image"]),
];

/// The volumes of a pod that others may not have at the same time.
fn disks(pod: &Pod) -> impl Iterator<Item = Part<'_>> {
    volumes(pod).filter(|volume| DISKS.iter().any(|(source, _)| volume.at(source).is_there()))
}

/// Whether a pod has a disk that the other wants for itself.
fn has_disk_of(there: &PodInfo, pod: &PodInfo) -> bool {
    disks(&pod.pod).any(|disk| disks(&there.pod).any(|other| conflicts(disk, other)))
}

/// Whether both volumes are one disk that is not only read by both.
fn conflicts(one: Part<'_>, other: Part<'_>) -> bool {
    DISKS.iter().any(|(source, names)| {
        let (one, other) = (one.at(source), other.at(source));
        let same = |name: &&str| one.at(name).value() == other.at(name).value();
        let monitor = |monitor: &str| other.at("monitors").texts().any(|own| own == monitor);
        one.is_there()
            && other.is_there()
            && names.iter().all(same)
            && (*source != "rbd" || one.at("monitors").texts().any(monitor))
            // Two may only read one disk, but for those of Amazon.
            && (*source == "awsElasticBlockStore"
                || !one.at("readOnly").is_true()
                || !other.at("readOnly").is_true())
    })
}
