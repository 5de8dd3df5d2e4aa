//! What one sees of containers that end again and again.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::Duration;

use podflow::testing::cluster::Body;
use podflow::testing::runtime::{ContainerEventType, Outcome};
use serde_json::{Value, json};

use super::asking::{Asked, Growth, PODS, go_duration, longest_span, seconds};
use super::{Probe, Seen};

pub const PROBES: &[Probe] = &[
    ("containerRestart.backOff.initial", || Ok(seconds(waits()?.first))),
    ("containerRestart.backOff.max", || Ok(seconds(waits()?.most))),
    ("containerRestart.backOff.factor", || Ok(json!(waits()?.factor))),
    ("containerRestart.backOff.resetAfter", forgotten_after),
    ("kubelet.minDeadContainersPerPod", dead_containers),
];

/// The back-offs of a container that ends at once, as its status tells of them.
fn waits() -> Result<Growth, String> {
    thread_local! {
        static SEEN: OnceCell<Result<Vec<Duration>, String>> = const { OnceCell::new() };
    }
    let waits = SEEN.with(|seen| seen.get_or_init(told_waits).clone());
    Growth::of(&waits?)
}

fn told_waits() -> Result<Vec<Duration>, String> {
    let mut server = Asked::with_quick_node();
    let watch = server.watch(PODS);
    server.pod("crash", "app", &["fake-exit=1".to_owned()])?;
    server.0.run_for(Duration::from_mins(45));
    let mut waits = BTreeMap::new();
    for line in server.told(watch, 0) {
        let status = &line["object"]["status"]["containerStatuses"][0];
        if let (Some(restarts), Some(wait)) = (status["restartCount"].as_u64(), wait_of(status)) {
            waits.insert(restarts, wait?);
        }
    }
    Ok(waits.into_values().collect())
}

/// The back-off that a container is said to be in.
fn wait_of(status: &Value) -> Option<Result<Duration, String>> {
    let message = status["state"]["waiting"]["message"].as_str()?;
    let (wait, _) = message.strip_prefix("back-off ")?.split_once(" restarting")?;
    Some(go_duration(wait))
}

/// A container that runs longer than this each time is started again at once, every time.
fn forgotten_after() -> Seen {
    longest_span(who_waits).map(seconds)
}

/// Whether containers that run so long before they fail have to wait for a restart.
fn who_waits(runs: &[Duration]) -> Result<Vec<bool>, String> {
    let mut server = Asked::with_quick_node();
    let watch = server.watch("/api/v1/events?timeoutSeconds=86400");
    for (number, run) in runs.iter().enumerate() {
        let after = format!("fake-after={}ms", run.as_millis());
        server.pod(&format!("p{number}"), "app", &["fake-exit=1".to_owned(), after])?;
    }
    let longest = runs.iter().max().copied().unwrap_or_default();
    server.0.run_for(longest * 2 + Duration::from_secs(30));
    let told = server.told(watch, 0);
    let waits = |number: usize| {
        told.iter().any(|line| {
            let event = &line["object"];
            event["reason"] == "BackOff"
                && event["involvedObject"]["name"] == format!("p{number}").as_str()
        })
    };
    Ok((0..runs.len()).map(waits).collect())
}

/// How many dead containers are kept beside one that runs, after some restarts.
fn dead_containers() -> Seen {
    let mut server = Asked::with_quick_node();
    let arguments = ["fake-exit=1", "fake-after=5s"].map(str::to_owned);
    server.pod("crash", "app", &arguments)?;
    server.0.run_for(Duration::from_mins(5));
    let (mut dead, mut kept) = (0_u32, Vec::new());
    for message in server.0.trace().from(0) {
        let Body::CriOutcome(Outcome::Happened(event)) = &message.body else { continue };
        if event.container_id == event.pod_sandbox_id {
            continue;
        }
        match event.kind {
            ContainerEventType::Stopped => {
                kept.push(dead);
                dead += 1;
            }
            ContainerEventType::Deleted => dead -= 1,
            ContainerEventType::Created | ContainerEventType::Started => {}
        }
    }
    match kept[..] {
        [.., before, last] if before == last && kept.len() > 3 => Ok(json!(last)),
        _ => Err(format!("dead ones beside each: {kept:?}")),
    }
}
