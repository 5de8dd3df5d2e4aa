//! The plugins, one file each.
//!
//! Mirrors: `pkg/scheduler/framework/plugins`.

mod balanced_allocation;
mod fit;
mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
pub mod node_selector;
mod node_unschedulable;
mod pod_topology_spread;
mod scheduling_gates;
mod shape;
mod taint_toleration;
mod tolerations;
mod volumes;

pub use balanced_allocation::BalancedAllocation;
pub use fit::{Fit, Strategy, Weight};
pub use image_locality::{ImageLocality, Images, has_image, normalized_name, size_on};
pub use inter_pod_affinity::{Affinity, AffinityScores, InterPodAffinity, Terms};
pub use node_affinity::NodeAffinity;
pub use node_name::NodeName;
pub use node_ports::NodePorts;
pub use node_unschedulable::NodeUnschedulable;
pub use pod_topology_spread::{Defaults, PodTopologySpread, Spread, SpreadScores};
pub use scheduling_gates::SchedulingGates;
pub use shape::{Point, Shape};
pub use taint_toleration::{TaintToleration, untolerated};
pub use volumes::{
    FullNodes, NodeVolumeLimits, VolumeBinding, VolumeRestrictions, VolumeZone, Volumes, Zones,
};

use super::framework::{ClusterEvent, Plugin};

/// Whether a refusal by the plugin called `name` is worth another try after `event`, which does not depend on
/// its arguments. Of a plugin that is not one of these nothing is known, and so it is.
pub fn wakes(name: &str, event: ClusterEvent) -> bool {
    const ALL: &[&dyn Plugin] = &[
        &NodeUnschedulable,
        &NodeName,
        &TaintToleration,
        &NodeAffinity { added: None },
        &NodePorts,
        &Fit::DEFAULT,
        &PodTopologySpread::DEFAULT,
        &InterPodAffinity::DEFAULT,
        &VolumeRestrictions,
        &NodeVolumeLimits,
        &VolumeBinding { timeout: VolumeBinding::TIMEOUT, shape: Shape(Vec::new()) },
        &VolumeZone,
    ];
    let known = ALL.iter().find(|plugin| plugin.name() == name);
    known.is_none_or(|plugin| plugin.wakes_on(event))
}
