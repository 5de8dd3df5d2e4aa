//! Where a real scheduler placed the Pods of random clusters: the same nodes can take a Pod, and each
//! plugin gives them the same scores, step by step.
//!
//! Each recording is replayed with the placements of the recorder, so that one difference does not
//! bring others. What today's release decides differently is not compared:
//!
//! - `NodeResourcesBalancedAllocation`: its formula has changed;
//! - `ImageLocality`: it counted only the nodes known when a node came, and a Pod's images are now
//!   held against their number;
//! - `InterPodAffinity`: its range always began or ended at 0, by which ours are scaled here;
//! - `PodTopologySpread`: it cut fractions off that are now rounded, so that only the order is compared
//!   where the scores differ;
//! - `PodTopologySpread` of a Pod that chooses nodes by their labels: Pods on the other nodes of a zone
//!   counted, which they no longer do, so that such a Pod is not compared;
//! - `NodePreferAvoidPods`: it is gone;
//! - a plugin with nothing to say of a Pod is skipped; then it gave every node the same;
//! - messages: preemption now has its say in them, and affinity and taints have other words.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::rc::Rc;

use podflow::testing::api::{Pod, wire};
use podflow::testing::scheduler::Configuration;
use podflow::testing::scheduler::cache::Cache;
use podflow::testing::scheduler::cycle::{self, Attempt, Rotation};
use podflow::testing::scheduler::evaluations::Evaluations;
use podflow::testing::scheduler::node_info::PodInfo;
use podflow::testing::scheduler::profile::Profile;
use podflow::testing::sim::Rng;
use serde_json::Value;

const AFFINITY: &str = "InterPodAffinity";
const SPREAD: &str = "PodTopologySpread";

/// The plugins whose scores are compared: their names then and now, and their weights then.
const PLUGINS: [(&str, &str, i64); 5] = [
    ("NodeResourcesLeastAllocated", "NodeResourcesFit", 1),
    (AFFINITY, AFFINITY, 1),
    ("NodeAffinity", "NodeAffinity", 1),
    (SPREAD, SPREAD, 2),
    ("TaintToleration", "TaintToleration", 1),
];

#[test]
fn the_same_nodes_can_take_a_pod_and_score_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/placements");
    let mut differences = Vec::new();
    let mut steps = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let recording: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for run in recording["runs"].as_array().unwrap() {
            let run = run.as_array().unwrap();
            steps += run.len();
            let found = replay(&recording, run);
            differences.extend(found.into_iter().map(|difference| format!("{name} {difference}")));
        }
    }
    assert!(steps > 500);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

fn replay(recording: &Value, run: &[Value]) -> Vec<String> {
    let mut cluster = Cache::default();
    for node in recording["nodes"].as_array().unwrap() {
        cluster.put_node(&Rc::new(serde_json::from_value(node.clone()).unwrap()));
    }
    let pods = recording["pods"].as_array().unwrap().iter();
    let pods: BTreeMap<&str, Rc<PodInfo>> =
        pods.map(|pod| (pod["metadata"]["name"].as_str().unwrap(), read(pod))).collect();
    let order: Vec<&str> = texts(&recording["nodeOrder"]);
    let mut differences = Vec::new();
    for step in run {
        let name = step["pod"].as_str().unwrap();
        for victim in texts(&step["victims"]) {
            cluster.remove_pod(&pods[victim].uid);
        }
        let difference = compare(&pods[name], &cluster, step, &order);
        differences.extend(difference.map(|difference| format!("{name}: {difference}")));
        if let Some(node) = step["node"].as_str() {
            cluster.put_pod(&pods[name], &node.into());
        }
    }
    differences
}

fn compare(pod: &Rc<PodInfo>, cluster: &Cache, step: &Value, order: &[&str]) -> Option<String> {
    let profile = Profile { percentage: 100, ..(*Configuration::default().profiles[0]).clone() };
    let mut rotation = Rotation::default();
    let (mut known, mut rng) = (Evaluations::default(), Rng::new(1));
    let now = jiff::Timestamp::MAX;
    let attempt = Attempt { profile: &profile, pod, now, most: usize::MAX };
    let outcome = cycle::schedule(attempt, cluster, &mut rotation, &mut known, &mut rng);
    let verdicts: Vec<_> = outcome.nodes.iter().collect();
    let feasible = verdicts.iter().filter(|node| node.filtered_by.is_none());
    let feasible: BTreeSet<&str> = feasible.map(|node| &*node.node).collect();
    if counted_otherwise(pod) {
        return None;
    }
    let wanted: BTreeSet<&str> = texts(&step["feasible"]).into_iter().collect();
    if feasible != wanted {
        return Some(format!("feasible {feasible:?}, recorded {wanted:?}"));
    }
    let with_scores = step["scored"].as_bool().unwrap_or(false);
    for (then, now, weight) in PLUGINS.into_iter().filter(|_| with_scores) {
        let (mut got, mut recorded) = (Vec::new(), Vec::new());
        for (at, node) in order.iter().enumerate().filter(|(_, node)| feasible.contains(*node)) {
            let verdict = verdicts.iter().find(|verdict| &*verdict.node == *node)?;
            let score = verdict.scores.iter().find(|score| score.plugin == now);
            got.extend(score.map(|score| (score.raw, score.normalized)));
            recorded.push(step["plugins"][then][at].as_i64().unwrap_or(0) / weight);
        }
        let scores = if now == AFFINITY { from_zero(&got) } else { normalized(&got) };
        let as_one = got.is_empty() && recorded.iter().all(|score| Some(score) == recorded.first());
        let alike = now == SPREAD && same_order(&scores, &recorded);
        if scores != recorded && !as_one && !alike {
            return Some(format!("{now} gives {scores:?}, recorded {recorded:?}"));
        }
    }
    None
}

/// Whether a Pod both spreads and has nodes chosen by their labels.
fn counted_otherwise(pod: &PodInfo) -> bool {
    let spec = &pod.pod.spec;
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let chooses = spec.node_selector.is_some()
        || affinity
            .is_some_and(|own| own.required_during_scheduling_ignored_during_execution.is_some());
    chooses && spec.topology_spread_constraints.is_some()
}

/// Whether no node is better than another in one list and worse in the other.
fn same_order(one: &[i64], other: &[i64]) -> bool {
    let pairs = || one.iter().zip(other);
    pairs().all(|(a, b)| pairs().all(|(c, d)| (a - c).signum() * (b - d).signum() >= 0))
}

fn normalized(scores: &[(i64, i64)]) -> Vec<i64> {
    scores.iter().map(|(_, normalized)| *normalized).collect()
}

/// The scores of affinity as they were normalised then.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as upstream did")]
fn from_zero(scores: &[(i64, i64)]) -> Vec<i64> {
    let raw = || scores.iter().map(|(raw, _)| *raw);
    let (least, most) = (raw().min().unwrap_or(0).min(0), raw().max().unwrap_or(0).max(0));
    let scaled = |raw: i64| (100.0 * ((raw - least) as f64 / (most - least) as f64)) as i64;
    raw().map(|raw| if most > least { scaled(raw) } else { 0 }).collect()
}

fn read(pod: &Value) -> Rc<PodInfo> {
    let mut pod: wire::Pod = serde_json::from_value(pod.clone()).unwrap();
    pod.metadata.namespace.get_or_insert_with(|| "default".into());
    Rc::new(PodInfo::new(Rc::new(Pod::from(pod))))
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
