//! What one sees of a kubelet's own affairs: its lease, and what it reports of its node.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::asking::{Asked, rounded, seconds};
use super::{Probe, Seen};

pub const PROBES: &[Probe] = &[
    ("kubelet.nodeLeaseDurationSeconds", || Ok(lease()?["spec"]["leaseDurationSeconds"].clone())),
    ("kubelet.nodeLeaseRenewInterval", || Ok(seconds(renewal()?))),
    ("kubelet.leaseRenewFraction", || {
        let holds = lease()?["spec"]["leaseDurationSeconds"].as_f64().ok_or("no duration")?;
        Ok(json!(renewal()?.as_secs_f64() / holds))
    }),
    ("namespace.nodeLease", || Ok(lease()?["metadata"]["namespace"].clone())),
];

const LEASES: &str = "/apis/coordination.k8s.io/v1/leases";

/// The lease of the only node, wherever it is.
fn lease() -> Seen {
    let leases = Asked::with_nodes(1).get(LEASES)?;
    let mut all = leases["items"].as_array().into_iter().flatten();
    let own = all.find(|lease| lease["spec"]["holderIdentity"] == "node-1");
    own.cloned().ok_or_else(|| format!("no lease of the node: {leases}"))
}

/// The time between two renewals.
fn renewal() -> Result<Duration, String> {
    let mut server = Asked::with_nodes(1);
    let watch = server.watch(LEASES);
    server.0.run_for(Duration::from_mins(2));
    let renewed = server.told(watch, 0).into_iter().map(|line| {
        let time = line["object"]["spec"]["renewTime"].as_str().unwrap_or_default().to_owned();
        time.parse::<Timestamp>().map_err(|error| error.to_string())
    });
    let renewed = renewed.collect::<Result<Vec<_>, _>>()?;
    let mut gaps = BTreeMap::new();
    for pair in renewed.windows(2) {
        let gap = Duration::try_from(pair[1].duration_since(pair[0]));
        *gaps.entry(rounded(gap.map_err(|error| error.to_string())?)).or_insert(0) += 1;
    }
    match gaps.into_iter().collect::<Vec<_>>()[..] {
        [(gap, times)] if times > 5 => Ok(gap),
        ref other => Err(format!("not one interval: {other:?}")),
    }
}
