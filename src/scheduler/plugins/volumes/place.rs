//! Where volumes are.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::NodeSelector;

use super::built_in::BuiltIn;
use super::name;
use crate::api::decode::decode;
use crate::api::{Document, Kind};
use crate::scheduler::framework::Snapshot;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::plugins::node_selector::Required;

/// The nodes that have a volume.
#[derive(Clone, Debug)]
pub struct Place(Option<Required>);

/// The nodes that have the volume of a claim that is bound.
///
/// Mirrors: `checkBoundClaims` and `tryTranslatePVToCSI` of `volumebinding/binder.go`.
#[derive(Clone, Debug)]
pub struct Bound {
    place: Place,
    /// The nodes on which a driver has taken it over, and what it asks of these.
    migrated: Option<(BTreeSet<String>, Place)>,
}

impl Place {
    /// Where `volume` is, by its node affinity.
    pub fn of(volume: &Document) -> Self {
        required(volume).into()
    }

    /// Where `volume` is by what a node with this `CSINode` knows of it.
    ///
    /// Mirrors: `tryTranslatePVToCSI` of `volumebinding/binder.go`.
    pub fn on(volume: &Document, csi_node: Option<&Document>) -> Self {
        match BuiltIn::of(volume.at("spec")).filter(|built_in| built_in.is_migrated(csi_node)) {
            Some(built_in) => built_in.place(volume, required(volume)).into(),
            None => Self::of(volume),
        }
    }

    /// Whether `node` has the volume, which is read off its labels alone: by name a volume is nowhere.
    ///
    /// Mirrors: `CheckNodeAffinity` of `component-helpers/storage/volume`.
    pub fn has(&self, node: &NodeInfo) -> bool {
        self.0.as_ref().is_none_or(|required| required.matches_labels(node))
    }
}

impl From<Option<NodeSelector>> for Place {
    fn from(required: Option<NodeSelector>) -> Self {
        Self(required.map(|required| Required::of_selector(&required)))
    }
}

impl Bound {
    /// Where `volume` is, on nodes with its driver by what that knows.
    pub fn of(volume: &Document, cluster: &dyn Snapshot) -> Self {
        let migrated = BuiltIn::of(volume.at("spec")).and_then(|built_in| {
            let nodes = cluster.documents(Kind::CSINode);
            let nodes = nodes.filter(|csi_node| built_in.is_migrated(Some(csi_node)));
            let nodes: BTreeSet<String> = nodes.map(|csi_node| name(csi_node).to_owned()).collect();
            let place = || built_in.place(volume, required(volume)).into();
            (!nodes.is_empty()).then(|| (nodes, place()))
        });
        Self { place: Place::of(volume), migrated }
    }

    /// Whether `node` has the volume.
    pub fn has(&self, node: &NodeInfo) -> bool {
        let migrated = self.migrated.as_ref().filter(|(nodes, _)| nodes.contains(&*node.name));
        migrated.map_or(&self.place, |(_, place)| place).has(node)
    }
}

/// What a volume asks of nodes.
fn required(volume: &Document) -> Option<NodeSelector> {
    let required = volume.at("spec").at("nodeAffinity").at("required");
    let selector = || decode::<NodeSelector>(required.value()).ok();
    let selector = if required.is_there() { selector() } else { None };
    selector.map(|selector| selector.object)
}
