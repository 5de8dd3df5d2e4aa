//! The engine's benches: `cargo xtask bench [filter]`.
//!
//! Each prints one line of JSON a result:
//! `{"bench":"…","where":"native","value":1.5,"unit":"s"}`. The same bench in the page, under the same
//! name, stands in `tests/browser/bench.mjs`.

#![expect(clippy::print_stdout, reason = "printing is how a bench reports")]
#![expect(clippy::disallowed_types, reason = "a bench measures real time, not the engine's")]

mod api;

use std::hint::black_box;
use std::iter;
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
    // Shapes of upstream's `scheduler_perf`.
    Bench {
        name: "basic-5000-nodes",
        unit: "pods/s",
        measure: || Shape { pods: 10_000, ..Shape::default() }.measure(),
    },
    Bench {
        name: "node-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            let more = |_| {
                json!({"affinity": {"nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                        {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["zone-0", "zone-1"]}]},
                    ]},
                }}})
            };
            Shape { pods: 5_000, more, ..Shape::default() }.measure()
        },
    },
    Bench {
        name: "topology-spreading-5000-nodes",
        unit: "pods/s",
        measure: || {
            let more = |_| {
                json!({"topologySpreadConstraints": [{
                    "maxSkew": 5, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": {"color": "blue"}},
                }]})
            };
            Shape { pods: 5_000, more, ..Shape::default() }.measure()
        },
    },
    Bench {
        name: "pod-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            let more = |_| {
                json!({"affinity": {"podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [near(ZONE)],
                }}})
            };
            Shape { pods: 2_000, more, ..Shape::default() }.measure()
        },
    },
    Bench {
        name: "pod-anti-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            let more = |_| {
                json!({"affinity": {"podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [near("kubernetes.io/hostname")],
                }}})
            };
            Shape { pods: 1_000, more, ..Shape::default() }.measure()
        },
    },
    Bench {
        name: "preferred-pod-affinity-5000-nodes",
        unit: "pods/s",
        measure: || {
            let more = |_| {
                json!({"affinity": {"podAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 1, "podAffinityTerm": near("kubernetes.io/hostname")},
                    ],
                }}})
            };
            Shape { pods: 2_000, more, ..Shape::default() }.measure()
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
            Shape { before: vec![("services", service)], ..Shape::default() }.measure()
        },
    },
    Bench {
        name: "unschedulable-5000-nodes",
        unit: "pods/s",
        measure: || {
            let large = |number| ("pods", pod(&format!("large-{number}"), "none", "9", json!({})));
            Shape { before: (0..200).map(large).collect(), ..Shape::default() }.measure()
        },
    },
    Bench {
        name: "preemption-5000-nodes",
        unit: "pods/s",
        measure: || {
            // Four on each node leave no room for one of the important ones.
            let class = json!({"metadata": {"name": "high"}, "value": 10});
            let small = |number| ("pods", pod(&format!("low-{number}"), "none", "900m", json!({})));
            let before = iter::once(("priorityclasses", class)).chain((0..20_000).map(small));
            let more = |_| {
                json!({"priorityClassName": "high", "containers": [{
                    "name": "pause", "image": "registry.k8s.io/pause:3.10",
                    "resources": {"requests": {"cpu": "3", "memory": "500Mi"}},
                }]})
            };
            Shape { before: before.collect(), more, ..Shape::default() }.measure()
        },
    },
    Bench {
        name: "mixed-churn-5000-nodes",
        unit: "pods/s",
        measure: || Shape { pods: 10_000, churn: true, ..Shape::default() }.measure(),
    },
    Bench {
        name: "daemonset-15000-nodes",
        unit: "pods/s",
        measure: || {
            let own = node("own", "zone-0", "90000");
            let more = |_| {
                let fields = json!({"key": "metadata.name", "operator": "In", "values": ["own"]});
                json!({
                    "containers": [{"name": "pause", "image": "registry.k8s.io/pause:3.10"}],
                    "affinity": {"nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                            {"matchFields": [fields]},
                        ]},
                    }},
                })
            };
            let before = vec![("nodes", own)];
            Shape { nodes: 15_000, pods: 10_000, before, more, ..Shape::default() }.measure()
        },
    },
    Bench {
        // The largest cluster that upstream supports, filled.
        name: "fill-5000-nodes-150000-pods",
        unit: "pods/s",
        measure: || Shape { pods: 150_000, ..Shape::default() }.run(),
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

/// A workload of upstream's `scheduler_perf`.
struct Shape {
    nodes: usize,
    /// The Pods that are counted; the spec of each has what `more` says besides a container.
    pods: usize,
    more: fn(usize) -> Value,
    /// What is there before, by the names of the resources.
    before: Vec<(&'static str, Value)>,
    /// Whether a Node, a Service and a Pod that fits nowhere come and go each second.
    churn: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { nodes: 5_000, pods: 5_000, more: |_| json!({}), before: Vec::new(), churn: false }
    }
}

impl Shape {
    /// Pods a second from their creation to the event of their binding, on nodes without kubelets.
    fn measure(self) -> f64 {
        // The first to touch memory waits for the kernel to clear it, as in `steady`.
        self.run();
        self.run()
    }

    fn run(&self) -> f64 {
        let mut cluster = Cluster::new(&Setup::new(1, 0));
        cluster.run_for(Duration::from_secs(1));
        for number in 0..self.nodes {
            let name = format!("node-{number}");
            post(&mut cluster, "nodes", node(&name, &format!("zone-{}", number % 3), "110"));
        }
        while cluster.scheduler().cache().nodes().len() < self.nodes {
            cluster.run_for(Duration::from_millis(100));
        }
        for (resource, object) in &self.before {
            post(&mut cluster, resource, object.clone());
        }
        cluster.run_for(Duration::from_secs(5));
        while cluster.scheduler().active().next().is_some() {
            cluster.run_for(Duration::from_secs(1));
        }
        let begin = Instant::now();
        for number in 0..self.pods {
            let pod = pod(&format!("pod-{number}"), "blue", "100m", (self.more)(number));
            post(&mut cluster, "pods", pod);
        }
        // Asked of the API server: nodes that go take their Pods out of the scheduler's sight.
        let is_bound = |object: &&Object| {
            let Object::Pod(pod) = object else { return false };
            let labels = pod.metadata.labels.as_ref();
            pod.node_name.is_some()
                && labels.and_then(|own| own.get("color")).is_some_and(|color| color == "blue")
        };
        let bound = |cluster: &Cluster| cluster.objects(Kind::Pod).iter().filter(is_bound).count();
        let mut round = 0;
        while bound(&cluster) < self.pods {
            if self.churn && round % 2 == 0 {
                stir(&mut cluster, round / 2);
            }
            round += 1;
            cluster.run_for(Duration::from_millis(500));
        }
        count(self.pods as u64) / begin.elapsed().as_secs_f64()
    }
}

/// Takes away what came last, and brings something new.
fn stir(cluster: &mut Cluster, round: usize) {
    for resource in ["nodes", "services", "pods"] {
        if let Some(last) = round.checked_sub(1) {
            let path = format!("{}/churn-{last}", path(resource));
            cluster.submit(&HttpCall::new("DELETE", &path, None));
        }
    }
    let name = format!("churn-{round}");
    post(cluster, "nodes", node(&name, "zone-0", "110"));
    let spec = json!({"selector": {"app": "foo"}, "ports": [{"port": 8080}]});
    let service = json!({"metadata": {"name": name}, "spec": spec});
    post(cluster, "services", service);
    post(cluster, "pods", pod(&name, "none", "9", json!({})));
}

fn node(name: &str, zone: &str, pods: &str) -> Value {
    let capacity = json!({"cpu": "4", "memory": "32Gi", "pods": pods});
    json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, ZONE: zone}},
        "status": {
            "capacity": capacity, "allocatable": capacity,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    })
}

fn pod(name: &str, color: &str, cpu: &str, more: Value) -> Value {
    let mut spec = json!({
        "terminationGracePeriodSeconds": 0,
        "containers": [{
            "name": "pause", "image": "registry.k8s.io/pause:3.10",
            "resources": {"requests": {"cpu": cpu, "memory": "500Mi"}},
        }],
    });
    if let (Value::Object(spec), Value::Object(more)) = (&mut spec, more) {
        spec.extend(more);
    }
    json!({"metadata": {"name": name, "labels": {"color": color}}, "spec": spec})
}

fn path(resource: &str) -> String {
    match resource {
        "nodes" => "/api/v1/nodes".to_owned(),
        "priorityclasses" => "/apis/scheduling.k8s.io/v1/priorityclasses".to_owned(),
        _ => format!("/api/v1/namespaces/default/{resource}"),
    }
}

fn post(cluster: &mut Cluster, resource: &str, object: Value) {
    cluster.submit(&HttpCall::new("POST", &path(resource), Some(object)));
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
