//! The engine's benches: `cargo xtask bench [filter]`.
//!
//! Each prints one line of JSON a result:
//! `{"bench":"…","where":"native","value":1.5,"unit":"s"}`. The same bench in the page, under the same
//! name, stands in `tests/browser/bench.mjs`.

#![expect(clippy::print_stdout, reason = "printing is how a bench reports")]
#![expect(clippy::disallowed_types, reason = "a bench measures real time, not the engine's")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

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
    // Shapes of upstream's `scheduler_perf`.
    Bench {
        name: "basic-5000-nodes",
        unit: "pods/s",
        measure: || scheduled(&[], 10_000, |_| json!({})),
    },
    Bench {
        name: "node-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            scheduled(&[], 5_000, |_| {
                json!({"affinity": {"nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                        {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["zone-0", "zone-1"]}]},
                    ]},
                }}})
            })
        },
    },
    Bench {
        name: "topology-spreading-5000-nodes",
        unit: "pods/s",
        measure: || {
            scheduled(&[], 5_000, |_| {
                json!({"topologySpreadConstraints": [{
                    "maxSkew": 5, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": {"color": "blue"}},
                }]})
            })
        },
    },
    Bench {
        name: "pod-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            scheduled(&[], 2_000, |_| {
                json!({"affinity": {"podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [near(ZONE)],
                }}})
            })
        },
    },
    Bench {
        name: "pod-anti-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            scheduled(&[], 1_000, |_| {
                json!({"affinity": {"podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [near("kubernetes.io/hostname")],
                }}})
            })
        },
    },
    Bench {
        name: "preferred-pod-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            scheduled(&[], 2_000, |_| {
                json!({"affinity": {"podAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 1, "podAffinityTerm": near("kubernetes.io/hostname")},
                    ],
                }}})
            })
        },
    },
    Bench {
        name: "default-spreading-5000-nodes",
        unit: "pods/s",
        measure: || {
            let spec = json!({"selector": {"color": "blue"}, "ports": [{"port": 80}]});
            let service = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "blue"}, "spec": spec,
            });
            scheduled(&[("services", service)], 5_000, |_| json!({}))
        },
    },
    Bench {
        name: "unschedulable-5000-nodes",
        unit: "pods/s",
        measure: || {
            let container = |number: u32| {
                json!({
                    "name": format!("c{number}"), "image": "registry.k8s.io/pause:3.10",
                    "resources": {"requests": {"cpu": "9", "memory": "500Mi"}},
                })
            };
            let large = |number: u32| {
                let pod = json!({
                    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("large-{number}")},
                    "spec": {"containers": [container(number)]},
                });
                ("pods", pod)
            };
            scheduled(&(0..200).map(large).collect::<Vec<_>>(), 5_000, |_| json!({}))
        },
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
fn steady(measure: fn() -> f64) -> f64 {
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

const ZONE: &str = "topology.kubernetes.io/zone";

/// A term of affinity to the bench's own pods.
fn near(topology_key: &str) -> Value {
    json!({"topologyKey": topology_key, "labelSelector": {"matchLabels": {"color": "blue"}}})
}

/// Pods a second from their creation to the event of their binding, on 5,000 nodes without kubelets, as in
/// upstream's `scheduler_perf`; `before` is there already, each under the name of its resource, and `more`
/// is what the spec of each pod has besides a container.
fn scheduled(before: &[(&str, Value)], pods: usize, more: fn(usize) -> Value) -> f64 {
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(Duration::from_secs(1));
    for number in 0..5_000 {
        let capacity = json!({"cpu": "4", "memory": "32Gi", "pods": "110"});
        let node = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {
                "name": format!("node-{number}"),
                "labels": {
                    "kubernetes.io/hostname": format!("node-{number}"),
                    ZONE: format!("zone-{}", number % 3),
                },
            },
            "status": {
                "capacity": capacity, "allocatable": capacity,
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            },
        });
        cluster.submit(&HttpCall::new("POST", "/api/v1/nodes", Some(node)));
    }
    while cluster.scheduler().cache().nodes().len() < 5_000 {
        cluster.run_for(Duration::from_millis(100));
    }
    for (resource, object) in before {
        let path = format!("/api/v1/namespaces/default/{resource}");
        cluster.submit(&HttpCall::new("POST", &path, Some(object.clone())));
    }
    cluster.run_for(Duration::from_secs(5));
    let begin = Instant::now();
    for number in 0..pods {
        let mut spec = json!({"containers": [{
            "name": "pause", "image": "registry.k8s.io/pause:3.10",
            "resources": {"requests": {"cpu": "100m", "memory": "500Mi"}},
        }]});
        if let (Value::Object(spec), Value::Object(more)) = (&mut spec, more(number)) {
            spec.extend(more);
        }
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "spec": spec,
            "metadata": {"name": format!("pod-{number}"), "labels": {"color": "blue"}},
        });
        cluster.submit(&HttpCall::new("POST", "/api/v1/namespaces/default/pods", Some(pod)));
    }
    let bound = |cluster: &Cluster| {
        let nodes = cluster.scheduler().cache().nodes().iter();
        nodes.flat_map(|node| &node.pods).count()
    };
    while bound(&cluster) < pods {
        cluster.run_for(Duration::from_millis(500));
    }
    count(pods as u64) / begin.elapsed().as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}

fn main() {
    // Cargo adds options of its own; what remains is the filter.
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with("--")).unwrap_or_default();
    for bench in BENCHES.iter().filter(|bench| bench.name.contains(&filter)) {
        let (name, unit, value) = (bench.name, bench.unit, (bench.measure)());
        println!(r#"{{"bench":"{name}","where":"native","value":{value},"unit":"{unit}"}}"#);
    }
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
