//! `NodeResourcesBalancedAllocation`: rather a node whose resources the pod evens out.

use std::borrow::Cow;

use super::fit::{CPU_AND_MEMORY, Weight, capacity};
use crate::scheduler::framework::{CycleState, MAX_NODE_SCORE, Plugin, Snapshot, Verdict};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

/// The plugin.
#[derive(Clone, Debug)]
pub struct BalancedAllocation {
    pub resources: Cow<'static, [Weight]>,
}

impl BalancedAllocation {
    /// As the default profile has it.
    pub const DEFAULT: Self = Self { resources: Cow::Borrowed(CPU_AND_MEMORY) };
}

impl Plugin for BalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    /// A pod that asks for nothing evens out nothing.
    fn pre_score(
        &self,
        pod: &PodInfo,
        _cluster: &dyn Snapshot,
        _nodes: &[&NodeInfo],
        _state: &mut CycleState,
    ) -> Verdict {
        if self.resources.iter().all(|(name, _)| pod.requests.get(name) == 0) {
            return Verdict::SKIP;
        }
        Verdict::SUCCESS
    }

    /// From 50 by half of what the pod does to the balance.
    fn score(&self, pod: &PodInfo, _state: &CycleState, node: &NodeInfo) -> i64 {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for (name, _) in &*self.resources {
            let asked = pod.requests.get(name);
            let Some(whole) = capacity(node, name, asked) else { continue };
            let used = node.requested.get(name);
            with.push(fraction(used + asked, whole));
            without.push(fraction(used, whole));
        }
        let half = MAX_NODE_SCORE / 2;
        half + (half + balance(&with) - balance(&without)) / 2
    }
}

#[expect(clippy::cast_precision_loss, reason = "upstream compares these fractions as floats")]
fn fraction(used: i64, whole: i64) -> f64 {
    (used as f64 / whole as f64).min(1.0)
}

/// The best score less the standard deviation of the fractions.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "upstream computes with floats; the result is from 0 to 100"
)]
fn balance(fractions: &[f64]) -> i64 {
    let deviation = match fractions {
        [] | [_] => 0.0,
        [one, two] => ((one - two) / 2.0).abs(),
        many => {
            let count = many.len() as f64;
            let mean = many.iter().sum::<f64>() / count;
            let squares: f64 = many.iter().map(|one| (one - mean) * (one - mean)).sum();
            (squares / count).sqrt()
        }
    };
    ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
}
