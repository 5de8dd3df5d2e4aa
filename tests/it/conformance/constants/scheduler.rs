//! What one sees of the scheduler's queue and scores.

use std::time::Duration;

use podflow::testing::scheduler::Place;
use serde_json::json;

use super::asking::{Asked, Growth, PODS, rounded, seconds};
use super::{Probe, Seen};

pub const PROBES: &[Probe] = &[
    ("scheduler.podInitialBackoff", || Ok(seconds(waits()?.first))),
    ("scheduler.podMaxBackoff", || Ok(seconds(waits()?.most))),
    ("scheduler.maxInUnschedulableQueue", longest_stay),
    ("scheduler.hardPodAffinityWeight", weight_of_required_affinity),
];

/// How long a Pod is held back after each try, where there is no node to try.
fn waits() -> Result<Growth, String> {
    let mut server = Asked::with_nodes(0);
    server.pod("web", "nginx", &[])?;
    let (mut waits, mut seen) = (Vec::new(), 0);
    for _ in 0..600 {
        server.0.run_for(Duration::from_millis(100));
        let Some(waiting) = server.0.scheduler().pending().next() else { continue };
        if let Place::Backoff(until) | Place::ErrorBackoff(until) = waiting.place
            && waiting.attempts > seen
        {
            seen = waiting.attempts;
            waits.push(rounded(until.since(waiting.since)));
        }
    }
    // It is not tried before that is over.
    let tries = server.0.scheduler().decisions("default", "web");
    let last: Vec<Duration> = tries.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    if last.iter().rev().zip(waits.iter().rev().skip(1)).any(|(gap, wait)| gap < wait) {
        return Err(format!("tried after {last:?}, though it waits for {waits:?}"));
    }
    Growth::of(&waits)
}

/// How long a Pod is left alone that fits nowhere while nothing happens. Those that are due are taken up
/// twice a minute, so Pods come at many moments: one of them is looked at as soon as it may be.
fn longest_stay() -> Seen {
    let mut server = Asked::with_nodes(1);
    let names: Vec<String> = (0..60).map(|number| format!("p{number}")).collect();
    for name in &names {
        let requests = json!({"requests": {"cpu": "1000"}});
        let spec = json!({"containers": [{"name": "c", "image": "a", "resources": requests}]});
        server.post(PODS, json!({"metadata": {"name": name}, "spec": spec}))?.made()?;
        server.0.run_for(Duration::from_millis(650));
    }
    server.0.run_for(Duration::from_mins(10));
    let stays = names.iter().filter_map(|name| {
        let [first, second, ..] = server.0.scheduler().decisions("default", name) else {
            return None;
        };
        Some(second.at.since(first.at))
    });
    let shortest = stays.min().ok_or("no Pod is tried again")?;
    Ok(json!(shortest.as_secs()))
}

/// What a node scores more with one Pod on it that requires to be beside Pods such as the one that
/// comes, which itself wishes nothing.
fn weight_of_required_affinity() -> Seen {
    let mut server = Asked::with_nodes(2);
    let selector = json!({"matchLabels": {"app": "web"}});
    let term = json!({"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"});
    let affinity =
        json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    for (name, affinity) in [("first", affinity), ("second", json!(null))] {
        let containers = json!([{"name": "c", "image": "nginx"}]);
        let metadata = json!({"name": name, "labels": {"app": "web"}});
        let spec = json!({"containers": containers, "affinity": affinity});
        server.post(PODS, json!({"metadata": metadata, "spec": spec}))?.made()?;
        server.0.run_for(Duration::from_secs(5));
    }
    let beside = server.get(&format!("{PODS}/first"))?["spec"]["nodeName"].clone();
    let decision = server.0.decision("default", "second").ok_or("nothing was decided")?;
    let raw = |is_beside: bool| {
        let mut nodes = decision.nodes.iter().filter(|node| (beside == *node.node) == is_beside);
        let node = nodes.next()?;
        let mut scores = node.scores.iter();
        scores.find(|score| score.plugin == "InterPodAffinity").map(|score| score.raw)
    };
    match (raw(true), raw(false)) {
        (Some(there), Some(elsewhere)) => Ok(json!(there - elsewhere)),
        scores => Err(format!("nothing was scored: {scores:?}")),
    }
}
