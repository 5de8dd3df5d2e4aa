//! The engine's benches: `cargo xtask bench [filter]`.
//!
//! Each prints one line of JSON a result:
//! `{"bench":"…","where":"native","value":1.5,"unit":"s"}`, with the `floor` that upstream's own CI demands
//! of the same. The same bench in the page, under the same name, stands in `tests/browser/bench.mjs`.

#![expect(clippy::print_stdout, reason = "printing is how a bench reports")]
#![expect(clippy::disallowed_types, reason = "a bench measures real time, not the engine's")]

mod api;
mod shapes;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::json;

use crate::shapes::Shapes;

/// What the example takes, too: most of the engine's time goes into small objects.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A bench: what it is called and how it measures.
struct Bench {
    name: &'static str,
    unit: &'static str,
    measure: fn() -> f64,
}

const BENCHES: &[Bench] = &[
    Bench {
        // The scale of everything else: how fast this machine is just now.
        name: "machine",
        unit: "ns/step",
        measure: || per_iteration(10_000_000, |step| step.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1),
    },
    Bench { name: "pods-1000-nodes-10", unit: "s", measure: || thousand_pods().0 },
    Bench {
        name: "cluster-messages",
        unit: "messages/s",
        measure: || steady(|| thousand_pods().1),
    },
    Bench { name: "heartbeats-100-nodes", unit: "messages/s", measure: || steady(heartbeats) },
    // The API server alone.
    Bench { name: "api-creates", unit: "pods/s", measure: || steady(api::creates) },
    Bench { name: "api-creates-json", unit: "pods/s", measure: || steady(api::creates_of_json) },
    Bench { name: "api-gets", unit: "pods/s", measure: || steady(api::gets) },
    Bench {
        name: "api-changes-1-watcher",
        unit: "changes/s",
        measure: || steady(|| api::changes_heard(1)),
    },
    Bench {
        name: "api-changes-1000-watchers",
        unit: "changes/s",
        measure: || steady(|| api::changes_heard(1000)),
    },
];

/// Seconds until 1,000 Pods run on 10 nodes, and the messages a second that it took.
fn thousand_pods() -> (f64, f64) {
    let mut cluster = Cluster::new(&Setup::new(1, 10));
    cluster.run_for(Duration::from_secs(5));
    let before = cluster.trace().end();
    let begin = Instant::now();
    for number in 0..1000 {
        let body = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("web-{number}")},
            "spec": {"containers": [{
                "name": "main", "image": "nginx",
                "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
            }]},
        });
        let path = "/api/v1/namespaces/default/pods";
        cluster.submit(&HttpCall::new("POST", path, Some(body)));
    }
    let running = |cluster: &Cluster| {
        let pods = cluster.objects(Kind::Pod);
        pods.iter()
            .filter(|pod| matches!(pod, Object::Pod(pod) if pod.status.pod_ip.is_some()))
            .count()
    };
    while running(&cluster) < 1000 {
        cluster.run_for(Duration::from_millis(500));
    }
    let seconds = begin.elapsed().as_secs_f64();
    (seconds, count(cluster.trace().end() - before) / seconds)
}

/// The median of several runs in memory that an earlier one has made ready: the first to touch a page
/// waits for the kernel to clear it, which says nothing of the engine.
fn steady(measure: impl Fn() -> f64) -> f64 {
    measure();
    let mut runs = [(); 5].map(|()| measure());
    runs.sort_by(f64::total_cmp);
    let [.., median, _, _] = runs;
    median
}

/// Messages a second of 100 idle nodes, once the trace is full: from then on as much is freed as is
/// made.
fn heartbeats() -> f64 {
    let mut cluster = Cluster::new(&Setup::new(1, 100));
    while cluster.trace().first() == 0 {
        cluster.run_for(Duration::from_mins(1));
    }
    let (before, begin) = (cluster.trace().end(), Instant::now());
    cluster.run_for(Duration::from_mins(30));
    count(cluster.trace().end() - before) / begin.elapsed().as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds options of its own; what remains is the filter.
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with("--")).unwrap_or_default();
    for bench in BENCHES.iter().filter(|bench| bench.name.contains(&filter)) {
        let result = json!({
            "bench": bench.name, "where": "native", "value": (bench.measure)(), "unit": bench.unit,
        });
        println!("{result}");
    }
    let shapes = Shapes::read()?;
    for shape in &shapes.shapes {
        let name = format!("scheduler-{}", shape.name);
        if name.contains(&filter) {
            let value = shapes.measure(shape);
            println!(
                "{}",
                json!({
                    "bench": name, "where": "native", "value": value, "unit": "pods/s", "floor": shape.floor,
                })
            );
        }
    }
    Ok(())
}

/// Nanoseconds for one of `count` steps, each of which takes the result of the one before.
fn per_iteration(count: u32, step: impl Fn(u64) -> u64) -> f64 {
    let begin = Instant::now();
    let mut value = 1;
    for _ in 0..count {
        value = step(black_box(value));
    }
    black_box(value);
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}
