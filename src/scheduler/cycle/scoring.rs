//! How well the nodes suit a pod that can take it.

use super::Profile;
use super::looking::Feasible;
use crate::api::text::go_quote;
use crate::scheduler::cache::Cache;
use crate::scheduler::evaluations::Evaluations;
use crate::scheduler::framework::{Code, CycleState};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::profile::{Preparation, Weighted};
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
///
/// # Errors
///
/// A plugin cannot score, in upstream's words.
pub(super) fn score(
    profile: &Profile,
    pod: &PodInfo,
    cache: &Cache,
    state: &mut CycleState,
    nodes: &Feasible,
    evaluations: &mut Evaluations,
) -> Result<Vec<Column>, String> {
    if nodes.len() < 2 {
        return Ok(Vec::new());
    }
    if let Some((plugin, words)) = profile.score.iter().find_map(unprepared) {
        return Err(format!("running Score plugins: plugin {plugin} failed with: {words}"));
    }
    let mut able: Vec<&NodeInfo> = Vec::with_capacity(nodes.len());
    able.extend(nodes.iter().filter_map(|at| cache.nodes().get(*at)).map(|node| &**node));
    let scores = |one: &&Weighted, state: &mut CycleState| {
        let has_some = one.plugin.pre_score(pod, cache, &able, state).code != Code::Skip;
        has_some || one.prepared_by == Preparation::Itself
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
        let raw = if plugin.looks_at_node_only() {
            number += 1;
            one_if_equal(nodes.iter().map(|at| evaluations.scored(*at, number - 1)))
        } else if let Some(same) = plugin.same_score(state) {
            vec![same]
        } else {
            able.iter().map(|node| plugin.score(pod, state, node)).collect()
        };
        let normalized = plugin.normalized(&raw).filter(|normalized| *normalized != raw);
        Column { plugin: plugin.name(), weight: one.weight, raw, normalized }
    };
    Ok(plugins.iter().map(column).collect())
}

/// A plugin that cannot score, and why.
fn unprepared(one: &Weighted) -> Option<(String, &'static str)> {
    match one.prepared_by {
        Preparation::PreScore | Preparation::Itself => None,
        Preparation::Nobody(words) => Some((go_quote(one.plugin.name()), words)),
    }
}

/// All numbers, or the first alone if they are equal.
fn one_if_equal(numbers: impl Iterator<Item = i64> + Clone) -> Vec<i64> {
    let mut rest = numbers.clone();
    match rest.next() {
        Some(first) if rest.all(|other| other == first) => vec![first],
        Some(_) | None => numbers.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::one_if_equal;
    use crate::scheduler::Configuration;
    use crate::scheduler::framework::MAX_NODE_SCORE;

    #[test]
    fn one_number_stands_for_equal_ones() {
        let one = |numbers: &[i64]| one_if_equal(numbers.iter().copied());
        assert_eq!(one(&[7, 7, 7]), [7]);
        assert_eq!(one(&[7]), [7]);
        assert_eq!(one(&[7, 7, 8]), [7, 7, 8]);
        assert!(one(&[]).is_empty());
    }

    #[test]
    fn whoever_normalizes_one_for_equal_scores_does_the_same_as_for_all() {
        let profile = &Configuration::default().profiles[0];
        let plugins = || profile.score.iter().map(|one| &one.plugin);
        for plugin in plugins() {
            for score in [0, 1, 55, MAX_NODE_SCORE, 1_000] {
                let [alone, beside] = [&[score][..], &[score; 3]].map(|raw| plugin.normalized(raw));
                let repeated = alone.map(|alone| alone.repeat(3));
                assert_eq!(repeated, beside, "{} of {score}", plugin.name());
            }
        }
        assert!(plugins().any(|plugin| plugin.normalized(&[1]).is_some()));
    }
}
