//! `ImageLocality`: nodes that have a pod's images already score higher, the more so the larger they are.
//!
//! Mirrors: `pkg/scheduler/framework/plugins/imagelocality`. All nodes share what an image counts for,
//! whatever size each of them says that it has.

use crate::scheduler::framework::{CycleState, MAX_NODE_SCORE, Plugin, Snapshot, Verdict};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

const MIB: i64 = 1 << 20;
/// Images below this make no difference.
const LEAST: i64 = 23 * MIB;
/// For each container, more than this makes no more difference.
const MOST_PER_CONTAINER: i64 = 1000 * MIB;

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct ImageLocality;

/// A pod's images.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// How many it asks for.
    count: usize,
    /// Those that any node has, with what each counts for.
    there: Vec<(String, i64)>,
}

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        "ImageLocality"
    }

    fn pre_score(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        _nodes: &[&NodeInfo],
        state: &mut CycleState,
    ) -> Verdict {
        let names = pod.images();
        let count = names.len();
        let there = names.into_iter().filter_map(|name| {
            let (having, all) = cluster.having(&name);
            let counts = || spread(cluster.size_of(&name), having, all);
            (having > 0).then(counts).map(|counts| (name, counts))
        });
        state.images = Images { count, there: there.collect() };
        Verdict::SUCCESS
    }

    /// No node has any of the images.
    fn same_score(&self, state: &CycleState) -> Option<i64> {
        state.images.there.is_empty().then_some(0)
    }

    fn score(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let Images { count, there } = &state.images;
        let here = there.iter().filter(|(name, _)| has_image(node, name));
        let sum: i64 = here.map(|(_, counts)| counts).sum();
        let most = MOST_PER_CONTAINER * i64::try_from(*count).unwrap_or(i64::MAX);
        if most <= LEAST {
            return 0;
        }
        MAX_NODE_SCORE * (sum.clamp(LEAST, most) - LEAST) / (most - LEAST)
    }
}

/// Counts an image for less if only few nodes have it, so that pods do not all go to one node.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "upstream computes with floats; sizes of images are far below 2^53"
)]
fn spread(size: i64, having: usize, all: usize) -> i64 {
    (size as f64 * (having as f64 / all as f64)) as i64
}

/// Whether the node has an image.
pub fn has_image(node: &NodeInfo, name: &str) -> bool {
    size_on(node, name).is_some()
}

/// How large the node says that an image is, if it has it.
pub fn size_on(node: &NodeInfo, name: &str) -> Option<i64> {
    let mut images = node.node.status.as_ref()?.images.iter().flatten();
    let image = images.find(|image| image.names.iter().flatten().any(|one| one == name))?;
    Some(image.size_bytes.unwrap_or_default())
}

/// An image's name as nodes report it: with the tag that it has by default.
pub fn normalized_name(name: &str) -> String {
    let tag_may_begin = name.rfind('/').map_or(0, |slash| slash + 1);
    let tagged = name.get(tag_may_begin..).is_some_and(|rest| rest.contains(':'));
    if tagged { name.to_owned() } else { format!("{name}:latest") }
}
