//! `VolumeRestrictions`: a disk that only one can write to, and a claim that only one pod may use.
//!
//! Mirrors: `pkg/scheduler/framework/plugins/volumerestrictions`.

use k8s_openapi::api::core::v1::Volume;

use super::{claim, mounts, name};
use crate::api::Pod;
use crate::scheduler::framework::{ClusterEvent, CycleState, Plugin, PreFilter, Snapshot, Verdict};
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
        for mount in mounts(&pod.pod).filter(|mount| !mount.ephemeral) {
            let claim = match claim(cluster, pod, &mount.name) {
                Ok(claim) => claim,
                Err(missing) => return PreFilter::Reject(missing),
            };
            let alone = claim.at("spec").at("accessModes").texts().any(|mode| mode == ONE_POD);
            let used = |there: &PodInfo| {
                there.namespace() == pod.namespace()
                    && mounts(&there.pod).any(|mount| mount.name == name(claim))
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
        let taken = |disk: &Volume| {
            let mut there = node.pods.iter().flat_map(|there| disks(&there.pod));
            there.any(|other| conflicts(disk, other))
        };
        if disks(&pod.pod).any(taken) {
            return Verdict::unschedulable("node(s) had no available disk");
        }
        if state.claims_in_use > 0 {
            return Verdict::unschedulable(
                "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod \
                 access mode",
            );
        }
        Verdict::SUCCESS
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{AssignedPodDeleted, ClaimChanged, NodeAdded};
        matches!(event, AssignedPodDeleted | ClaimChanged | NodeAdded)
    }
}

/// The volumes of a pod that others may not have at the same time.
fn disks(pod: &Pod) -> impl Iterator<Item = &Volume> {
    pod.spec.volumes.iter().flatten().filter(|volume| {
        volume.gce_persistent_disk.is_some()
            || volume.aws_elastic_block_store.is_some()
            || volume.rbd.is_some()
            || volume.iscsi.is_some()
    })
}

/// Whether both volumes are one disk that is not only read by both.
fn conflicts(one: &Volume, other: &Volume) -> bool {
    let written = |one: Option<bool>, other: Option<bool>| one != Some(true) || other != Some(true);
    if let (Some(one), Some(other)) = (&one.gce_persistent_disk, &other.gce_persistent_disk)
        && one.pd_name == other.pd_name
        && written(one.read_only, other.read_only)
    {
        return true;
    }
    if let (Some(one), Some(other)) = (&one.aws_elastic_block_store, &other.aws_elastic_block_store)
        && one.volume_id == other.volume_id
    {
        return true;
    }
    if let (Some(one), Some(other)) = (&one.iscsi, &other.iscsi)
        && one.iqn == other.iqn
        && written(one.read_only, other.read_only)
    {
        return true;
    }
    if let (Some(one), Some(other)) = (&one.rbd, &other.rbd) {
        return one.monitors.iter().any(|monitor| other.monitors.contains(monitor))
            && one.pool == other.pool
            && one.image == other.image
            && written(one.read_only, other.read_only);
    }
    false
}
