//! The plugins, one file each, and the table of those that run.
//!
//! Mirrors: `pkg/scheduler/framework/plugins` and the default profile's order and weights.

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
mod shape;
mod taint_toleration;
mod tolerations;

pub use balanced_allocation::BalancedAllocation;
pub use fit::{Fit, Strategy, Weight};
pub use image_locality::{ImageLocality, Images, has_image, normalized_name};
pub use inter_pod_affinity::{Affinity, AffinityScores, InterPodAffinity, Terms};
pub use node_affinity::NodeAffinity;
pub use node_name::NodeName;
pub use node_ports::NodePorts;
pub use node_unschedulable::NodeUnschedulable;
pub use pod_topology_spread::{Defaults, PodTopologySpread, Spread, SpreadScores};
pub use shape::{Point, Shape};
pub use taint_toleration::{TaintToleration, untolerated};

use super::framework::Plugin;

/// A plugin and how much its scores count.
#[derive(Clone, Copy)]
pub struct Weighted {
    pub plugin: &'static dyn Plugin,
    pub weight: i64,
}

const fn weighted(plugin: &'static dyn Plugin, weight: i64) -> Weighted {
    Weighted { plugin, weight }
}

/// The plugins of the default profile, in the order in which they are asked.
pub const DEFAULT: &[Weighted] = &[
    weighted(&NodeUnschedulable, 0),
    weighted(&NodeName, 0),
    weighted(&TaintToleration, 3),
    weighted(&NodeAffinity { added: None }, 2),
    weighted(&NodePorts, 0),
    weighted(&Fit::DEFAULT, 1),
    weighted(&PodTopologySpread::DEFAULT, 2),
    weighted(&InterPodAffinity::DEFAULT, 2),
    weighted(&BalancedAllocation::DEFAULT, 1),
    weighted(&ImageLocality, 1),
];
