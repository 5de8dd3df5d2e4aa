//! How well the nodes suit a pod that can take it.

use super::Profile;
use super::looking::Feasible;
use crate::scheduler::cache::Cache;
use crate::scheduler::evaluations::Evaluations;
use crate::scheduler::framework::{Code, CycleState};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::profile::Weighted;
use crate::scheduler::told::Column;

/// The weighted sums of `count` nodes.
pub(super) fn totals(columns: &[Column], count: usize) -> Vec<i64> {
    let mut totals = vec![0; count];
    for column in columns {
        let (weight, normalized) = (column.weight, column.normalized());
        if let [same] = normalized {
            for total in &mut totals {
                *total += same * weight;
            }
            continue;
        }
        for (total, score) in totals.iter_mut().zip(normalized) {
            *total += score * weight;
        }
    }
    totals
}

/// The scores by plugin, in the order of the plugins; none where there is nothing to choose.
pub(super) fn score(
    profile: &Profile,
    pod: &PodInfo,
    cache: &Cache,
    state: &mut CycleState,
    nodes: &Feasible,
    evaluations: &mut Evaluations,
) -> Vec<Column> {
    if nodes.len() < 2 {
        return Vec::new();
    }
    let mut able: Vec<&NodeInfo> = Vec::with_capacity(nodes.len());
    able.extend(nodes.iter().filter_map(|at| cache.nodes().get(*at)).map(|node| &**node));
    let scores = |one: &&Weighted, state: &mut CycleState| {
        one.plugin.pre_score(pod, cache, &able, state).code != Code::Skip
    };
    let plugins: Vec<&Weighted> = profile.score.iter().filter(|one| scores(one, state)).collect();
    let local = || plugins.iter().filter(|one| one.plugin.looks_at_node_only());
    evaluations.score_by(local().map(|one| one.plugin.name()));
    for (at, node) in nodes.iter().zip(&able) {
        let change = cache.last_changes().get(*at).copied().unwrap_or_default();
        evaluations.score(*at, change, |scores| {
            for (score, one) in scores.iter_mut().zip(local()) {
                *score = one.plugin.score(pod, state, node);
            }
        });
    }
    let mut number = 0;
    let column = |one: &&Weighted| {
        let plugin = &one.plugin;
        let raw: Vec<i64> = if plugin.looks_at_node_only() {
            number += 1;
            nodes.iter().map(|at| evaluations.scored(*at, number - 1)).collect()
        } else if let Some(same) = plugin.same_score(state) {
            vec![same]
        } else {
            able.iter().map(|node| plugin.score(pod, state, node)).collect()
        };
        let mut normalized = raw.clone();
        plugin.normalize(&mut normalized);
        let normalized = Some(normalized).filter(|normalized| *normalized != raw);
        Column { plugin: plugin.name(), weight: one.weight, raw, normalized }
    };
    plugins.iter().map(column).collect()
}
