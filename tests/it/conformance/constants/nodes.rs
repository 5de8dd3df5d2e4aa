//! What one sees in the status of a Node.

use std::cell::OnceCell;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::asking::{Asked, seconds};
use super::{Probe, Seen};

pub const PROBES: &[Probe] = &[
    ("kubelet.maxPods", most_pods),
    ("kubelet.nodeStatusReportFrequency", || Ok(seconds(longest_silence()?))),
    ("kubelet.nodeStatusUpdateFrequency", || Ok(seconds(Pulling::shared()?.between_reports))),
    ("kubelet.nodeStatusMaxImages", || Ok(json!(Pulling::shared()?.listed))),
];

const NODE: &str = "/api/v1/nodes/node-1";

fn most_pods() -> Seen {
    let node = Asked::with_nodes(1).get(NODE)?;
    let pods = node["status"]["capacity"]["pods"].as_str().unwrap_or_default();
    pods.parse::<u32>().map(|pods| json!(pods)).map_err(|error| format!("{error}: {node}"))
}

/// When the kubelet last said that the node is well.
fn heartbeat(node: &Value) -> Result<Timestamp, String> {
    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == "Ready");
    let time = ready.next().and_then(|ready| ready["lastHeartbeatTime"].as_str());
    time.unwrap_or_default().parse().map_err(|error| format!("{error}: {node}"))
}

/// The times between the reports that a watch tells of; all must be the same.
fn between_reports(told: &[Value]) -> Result<Duration, String> {
    let heartbeats = told.iter().map(|line| heartbeat(&line["object"]));
    let mut heartbeats = heartbeats.collect::<Result<Vec<_>, _>>()?;
    heartbeats.dedup();
    let mut gaps: Vec<i64> =
        heartbeats.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
    gaps.dedup();
    match gaps[..] {
        [gap] => u64::try_from(gap).map(Duration::from_secs).map_err(|error| error.to_string()),
        _ => Err(format!("reports are {gaps:?} seconds apart")),
    }
}

/// How long a kubelet says nothing of a node of which there is nothing new.
fn longest_silence() -> Result<Duration, String> {
    let mut server = Asked::with_nodes(1);
    let watch = server.watch("/api/v1/nodes");
    server.0.run_for(Duration::from_mins(16));
    between_reports(&server.told(watch, 0))
}

/// What is seen while more and more images are pulled.
#[derive(Clone, Copy)]
struct Pulling {
    between_reports: Duration,
    listed: usize,
}

impl Pulling {
    fn shared() -> Result<Self, String> {
        thread_local! {
            static SEEN: OnceCell<Result<Pulling, String>> = const { OnceCell::new() };
        }
        SEEN.with(|seen| seen.get_or_init(Self::see).clone())
    }

    /// A new image each second, so that there is always something new to say.
    fn see() -> Result<Self, String> {
        const IMAGES: usize = 100;
        let mut server = Asked::with_quick_node();
        server.pod("first", "app-first", &[])?;
        server.0.run_for(Duration::from_secs(15));
        let watch = server.watch("/api/v1/nodes");
        for number in 0..IMAGES {
            server.pod(&format!("p{number}"), &format!("app-{number}"), &[])?;
            server.0.run_for(Duration::from_millis(900));
        }
        let told = server.told(watch, 0);
        let between_reports = between_reports(&told)?;
        server.0.run_for(Duration::from_secs(15));
        let node = server.get(NODE)?;
        let listed = node["status"]["images"].as_array().map_or(0, Vec::len);
        if listed < IMAGES {
            Ok(Self { between_reports, listed })
        } else {
            Err(format!("all {listed} images are listed"))
        }
    }
}
