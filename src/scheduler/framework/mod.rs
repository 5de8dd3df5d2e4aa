//! What a plugin is, and what it can say.
//!
//! Mirrors: `pkg/scheduler/framework`.

mod waiting;

pub use waiting::{Denied, Permit, WaitingPod, WaitingPods};

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;
use std::{fmt, iter};

use super::node_info::{NodeInfo, PodInfo};
use super::plugins::node_selector::{Preferred, Required};
use super::plugins::{
    Affinity, AffinityScores, FullNodes, Images, Spread, SpreadScores, Volumes, Zones, has_image,
    size_on,
};
use crate::api::{Document, Kind, Pod};

/// The labels of an object.
pub type Labels = BTreeMap<String, String>;

/// The best a node can score with one plugin.
pub const MAX_NODE_SCORE: i64 = 100;

/// Why not, in upstream's words.
pub type Reason = Cow<'static, str>;

/// How an extension point came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Success,
    /// Nothing to do for this pod.
    Skip,
    /// Not here, unless pods leave the node.
    Unschedulable,
    /// Not here, whoever leaves.
    UnschedulableAndUnresolvable,
    /// The plugin could not tell, which ends the cycle.
    Error,
}

/// How an extension point came out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub code: Code,
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// All is well.
    pub const SUCCESS: Self = Self { code: Code::Success, reasons: Vec::new() };
    /// Nothing to do for this pod.
    pub const SKIP: Self = Self { code: Code::Skip, reasons: Vec::new() };

    /// Not here, unless pods leave the node.
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Self { code: Code::Unschedulable, reasons: vec![reason.into()] }
    }

    /// Not here, whoever leaves.
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Self { code: Code::UnschedulableAndUnresolvable, reasons: vec![reason.into()] }
    }

    /// The plugin cannot tell, in upstream's words.
    pub fn error(reason: impl Into<Reason>) -> Self {
        Self { code: Code::Error, reasons: vec![reason.into()] }
    }

    /// Whether all is well.
    pub fn is_success(&self) -> bool {
        self.code == Code::Success
    }
}

/// What a plugin says before any node is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreFilter {
    /// Look at every node.
    Run,
    /// The plugin's filter need not run.
    Skip,
    /// Only these nodes can do.
    Nodes(BTreeSet<String>),
    /// No node can do.
    Reject(Verdict),
}

/// What was reserved for a pod on a node.
#[derive(Clone, Copy, Debug)]
pub struct Reserved<'a> {
    pub node_name: &'a str,
    /// None once it is gone.
    pub node: Option<&'a NodeInfo>,
    /// Whether there is a pod of that name still.
    pub is_wanted: bool,
    /// As it was stored when it was written.
    pub documents: &'a [Rc<Document>],
    /// How long ago that was.
    pub waited: Duration,
}

/// How far what a plugin has reserved has come, before the pod is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreBind {
    Done,
    Wait,
    /// It will not be, in upstream's words.
    Failed(String),
}

/// What plugins work out once for a pod and use for every node.
#[derive(Clone, Debug, Default)]
pub struct CycleState {
    /// None where nobody has worked it out.
    pub required: Option<Required>,
    pub preferred: Preferred,
    pub images: Images,
    pub spread: Spread,
    pub spread_scores: SpreadScores,
    pub affinity: Affinity,
    pub affinity_scores: AffinityScores,
    pub volumes: Volumes,
    pub zones: Zones,
    pub full_nodes: FullNodes,
    /// How many of the pod's claims only one pod may use, and another does.
    pub claims_in_use: usize,
}

/// The cluster as a cycle finds it.
pub trait Snapshot {
    /// Every node.
    fn nodes(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_>;

    /// Every node with the number of its last change, each at its place; none where nodes have no places.
    fn places(&self) -> Option<(&[Rc<NodeInfo>], &[u64])> {
        None
    }

    /// The nodes with pods that have terms of affinity.
    fn nodes_with_terms(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
        Box::new(self.nodes().filter(|node| node.has_terms()))
    }

    /// How many nodes have an image, and how many nodes there are.
    fn having(&self, image: &str) -> (usize, usize) {
        let (having, all): (Vec<_>, Vec<_>) = self.nodes().partition(|node| has_image(node, image));
        (having.len(), having.len() + all.len())
    }

    /// How large an image is, as the first node said that had it: others may say something else.
    fn size_of(&self, image: &str) -> i64 {
        self.nodes().find_map(|node| size_on(node, image)).unwrap_or_default()
    }

    /// The labels of a namespace; none if it is not known.
    fn namespace(&self, name: &str) -> Option<&Labels>;

    /// The documents of a kind, of all namespaces.
    fn documents(&self, _kind: Kind) -> Box<dyn Iterator<Item = &Document> + '_> {
        Box::new(iter::empty())
    }

    /// One document; its namespace is empty if its kind has none.
    fn document(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Document> {
        let mut documents = self.documents(kind);
        documents.find(|document| {
            let metadata = &document.metadata;
            metadata.namespace.as_deref().unwrap_or_default() == namespace
                && metadata.name.as_deref() == Some(name)
        })
    }
}

/// What happened in the cluster that may help a pod that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterEvent {
    NodeAdded,
    NodeAllocatable,
    NodeLabels,
    /// Its taints, or whether it takes pods at all.
    NodeTaints,
    NodeDeleted,
    AssignedPodAdded,
    AssignedPodLabels,
    /// A pod on a node asks for less, or is done with being given less.
    AssignedPodShrunk,
    AssignedPodDeleted,
    /// The labels of the pod that waits have changed.
    OwnLabels,
    OwnTolerations,
    /// The pod that waits asks for less.
    OwnShrunk,
    NamespaceLabels,
    ClaimAdded,
    ClaimUpdated,
    /// A volume came or has changed.
    VolumeChanged,
    StorageClassAdded,
    StorageClassUpdated,
    /// It is known which drivers a node has.
    DriversOfNode,
    /// The drivers of a node have changed.
    DriversChanged,
    DriverUpdated,
    /// How much room there is came to be known, or has changed.
    CapacityChanged,
    AttachmentDeleted,
}

/// What an event is about: before and after, as far as there is such.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    Node { old: Option<&'a NodeInfo>, new: Option<&'a NodeInfo> },
    Pod { old: Option<&'a PodInfo>, new: Option<&'a PodInfo> },
    Document { old: Option<&'a Document>, new: Option<&'a Document> },
}

impl fmt::Debug for dyn Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A part of the policy. Every extension point has a default that holds no opinion. It keeps nothing between
/// calls: clusters are forked and taken back in time, and all of them share it.
pub trait Plugin {
    /// Its name in a scheduler's configuration.
    fn name(&self) -> &'static str;

    /// Whether what it says of a node depends on nothing but the pod and the node.
    fn looks_at_node_only(&self) -> bool {
        false
    }

    /// Whether the pod may come into the queue; asked of each version of it until it may.
    fn pre_enqueue(&self, _pod: &Pod) -> Verdict {
        Verdict::SUCCESS
    }

    /// Before the nodes are looked at.
    fn pre_filter(
        &self,
        _pod: &PodInfo,
        _cluster: &dyn Snapshot,
        _state: &mut CycleState,
    ) -> PreFilter {
        PreFilter::Run
    }

    /// Whether the pod can run on the node.
    fn filter(&self, _pod: &PodInfo, _state: &CycleState, _node: &NodeInfo) -> Verdict {
        Verdict::SUCCESS
    }

    /// A number that nodes share of which its filter says the same in this cycle, for the node at `at`;
    /// none where each has to be asked.
    fn alike(&self, _state: &CycleState, _at: usize) -> Option<usize> {
        None
    }

    /// Before the nodes that can do are scored; skips where the plugin has no scores to give.
    fn pre_score(
        &self,
        _pod: &PodInfo,
        _cluster: &dyn Snapshot,
        _nodes: &[&NodeInfo],
        _state: &mut CycleState,
    ) -> Verdict {
        Verdict::SKIP
    }

    /// How well the node suits the pod, on any scale that `normalized` can read.
    fn score(&self, _pod: &PodInfo, _state: &CycleState, _node: &NodeInfo) -> i64 {
        0
    }

    /// The score of every node, where it is the same for all of them.
    fn same_score(&self, _state: &CycleState) -> Option<i64> {
        None
    }

    /// The scores of all nodes as they count, from 0 to [`MAX_NODE_SCORE`]: equal ones for equal ones. None
    /// where they are on that scale already.
    fn normalized(&self, _raw: &[i64]) -> Option<Vec<i64>> {
        None
    }

    /// What has to be written before the pod is bound to the node that was chosen: objects as they are to
    /// be. They are taken to be so at once, and no more if the pod is not bound after all.
    fn reserve(&self, _state: &CycleState, _node: &NodeInfo) -> Vec<Document> {
        Vec::new()
    }

    /// Whether the pod may be bound to the node that was chosen, where room is kept for it. Of the pods that
    /// are `waiting` it may allow or refuse some with it.
    fn permit(
        &self,
        _pod: &PodInfo,
        _node: &str,
        _cluster: &dyn Snapshot,
        _waiting: &mut WaitingPods,
    ) -> Permit {
        Permit::Allowed
    }

    /// The pod is not bound to that node after all, and what was reserved for it is given back.
    fn unreserve(&self, _pod: &PodInfo, _node: &str, _waiting: &mut WaitingPods) {}

    /// Whether the pod can be bound, once all that was reserved for it has been written. `cluster` is as
    /// it is stored, as far as that is known: what is only taken to be so is not so there.
    fn pre_bind(
        &self,
        _pod: &PodInfo,
        _reserved: &Reserved<'_>,
        _cluster: &dyn Snapshot,
    ) -> PreBind {
        PreBind::Done
    }

    /// The pod is bound to the node.
    fn post_bind(&self, _pod: &PodInfo, _node: &str, _waiting: &mut WaitingPods) {}

    /// Whether `event` may help a pod that this plugin refused.
    fn wakes_on(&self, _event: ClusterEvent) -> bool {
        false
    }

    /// Whether a pod that it refused is worth another try after an event of those that may help, which is
    /// `about` this. An update of the pod itself is about that pod.
    fn hint(&self, _pod: &PodInfo, _about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        true
    }
}

/// The scores so scaled that the highest is [`MAX_NODE_SCORE`]; `reverse` turns them round.
///
/// Mirrors: `plugins/helper/normalize_score.go`.
pub fn normalized(raw: &[i64], reverse: bool) -> Vec<i64> {
    let most = raw.iter().copied().max().unwrap_or(0).max(0);
    let scale = |score: &i64| {
        let scaled = (MAX_NODE_SCORE * score).checked_div(most).unwrap_or(0);
        if reverse { MAX_NODE_SCORE - scaled } else { scaled }
    };
    raw.iter().map(scale).collect()
}
