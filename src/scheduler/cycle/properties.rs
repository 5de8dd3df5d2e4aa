//! What holds whatever happens, by models that are slow and obvious.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::{Kind, Object, Pod, Resource as _};
use crate::scheduler::Configuration;
use crate::scheduler::preemption::priority;
use crate::sim::Rng;

const ZONE: &str = "topology.kubernetes.io/zone";
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn info(object: &Value) -> Rc<PodInfo> {
    let object = Object::from_json(Kind::Pod, object).unwrap().object;
    Rc::new(PodInfo::new(Rc::clone(Pod::unwrap(&object).unwrap())))
}

fn pod(number: usize, milli_cpu: u64, priority: i32, more: &Value) -> Rc<PodInfo> {
    let mut spec = json!({
        "priority": priority,
        "containers": [{"name": "c", "resources": {"requests": {"cpu": format!("{milli_cpu}m")}}}],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    info(&json!({
        "apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {
            "name": format!("pod-{number}"), "namespace": "default", "uid": format!("uid-{number}"),
            "labels": {"app": "a"},
        },
    }))
}

fn put_node(cache: &mut Cache, number: usize, zone: usize) {
    let name = format!("node-{number}");
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, ZONE: format!("zone-{zone}"),
        }},
        "status": {
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "6"},
            "images": [{"names": [format!("image-{zone}")], "sizeBytes": 1}],
        },
    });
    let object = Object::from_json(Kind::Node, &node).unwrap().object;
    cache.put_node(crate::api::wire::Node::unwrap(&object).unwrap());
}

fn decide(cache: &Cache, pod: &Rc<PodInfo>) -> Outcome {
    let profile = &Configuration::default().profiles[0];
    let (mut rotation, mut known) = (Rotation::default(), Evaluations::default());
    let attempt = Attempt { profile, pod, now: NOW, most: usize::MAX };
    schedule(attempt, cache, &mut rotation, &mut known, &mut Rng::new(1))
}

/// How many pods there are in each zone that has a node.
fn by_zone(cache: &Cache) -> BTreeMap<String, usize> {
    let mut zones = BTreeMap::new();
    for node in cache.nodes() {
        *zones.entry(node.label(ZONE).unwrap_or_default().to_owned()).or_insert(0) +=
            node.pods.len();
    }
    zones
}

proptest! {
    #[test]
    fn no_placement_makes_a_zone_fuller_than_the_constraint_allows(
        zones in prop::collection::vec(0..4usize, 1..9), skew in 1..4usize, pods in 1..30usize,
    ) {
        let mut cache = Cache::default();
        for (number, zone) in zones.into_iter().enumerate() {
            put_node(&mut cache, number, zone);
        }
        let constraint = json!({"topologySpreadConstraints": [{
            "maxSkew": skew, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "a"}},
        }]});
        for number in 0..pods {
            let pod = pod(number, 100, 0, &constraint);
            let before = by_zone(&cache);
            let outcome = decide(&cache, &pod);
            let least = before.values().min().copied().unwrap_or_default();
            let may = |node: &NodeInfo| {
                let here = before[node.label(ZONE).unwrap()];
                here + 1 - least <= skew && node.pods.len() < 6
            };
            match outcome.result {
                Ok(name) => {
                    let node = cache.node(&name).unwrap();
                    prop_assert!(may(node), "{name} of {before:?}");
                    cache.assume(&pod, &name);
                }
                Err(failure) => {
                    prop_assert!(!cache.nodes().iter().any(|node| may(node)), "{}", failure.message);
                }
            }
        }
    }

    #[test]
    fn who_wants_company_gets_it_unless_first(
        zones in prop::collection::vec(0..4usize, 1..9), pods in 1..20usize,
    ) {
        let mut cache = Cache::default();
        for (number, zone) in zones.into_iter().enumerate() {
            put_node(&mut cache, number, zone);
        }
        let affinity = json!({"affinity": {"podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": "a"}}},
            ],
        }}});
        for number in 0..pods {
            let pod = pod(number, 100, 0, &affinity);
            if let Ok(name) = decide(&cache, &pod).result {
                cache.assume(&pod, &name);
            }
        }
        let inhabited = by_zone(&cache).into_values().filter(|pods| *pods > 0);
        prop_assert_eq!(inhabited.count(), 1, "all are where the first one is");
    }

    #[test]
    fn preemption_takes_the_less_important_and_no_more_than_it_must(
        there in prop::collection::vec((0..4usize, 200..2500u64, -2..4i32), 0..24),
        wanted in 500..4000u64, own in -1..5i32,
    ) {
        let mut cache = Cache::default();
        (0..4).for_each(|number| put_node(&mut cache, number, number));
        for (number, (node, milli_cpu, importance)) in there.into_iter().enumerate() {
            let node = format!("node-{node}");
            let pod = pod(number, milli_cpu, importance, &Value::Null);
            let room = cache.node(&node).unwrap();
            let free = room.allocatable.milli_cpu - room.requested.milli_cpu;
            if pod.requests.milli_cpu <= free && room.pods.len() < 6 {
                cache.put_pod(&pod, &node.into());
            }
        }
        let urgent = pod(99, wanted, own, &Value::Null);
        let outcome = decide(&cache, &urgent);
        let can_be_had = cache.nodes().iter().any(|node| {
            let left: i64 = node.pods.iter()
                .filter(|pod| priority(pod) >= own)
                .map(|pod| pod.requests.milli_cpu)
                .sum();
            left + urgent.requests.milli_cpu <= node.allocatable.milli_cpu
        });
        let Err(failure) = outcome.result else { return Ok(()) };
        prop_assert_eq!(!failure.candidates.is_empty(), can_be_had, "{}", failure.message);
        let Some(preempt) = failure.candidates.first() else { return Ok(()) };
        let Candidate { node, victims, .. } = &**preempt;
        prop_assert!(victims.iter().all(|victim| priority(victim) < own));
        let mut without = NodeInfo::clone(cache.node(node).unwrap());
        for victim in victims {
            without.remove(&victim.uid);
        }
        let profile = &Configuration::default().profiles[0];
        prop_assert!(fits(profile, &urgent, &without, &cache));
        for victim in victims {
            let mut with = without.clone();
            with.add(Rc::clone(victim));
            prop_assert!(!fits(profile, &urgent, &with, &cache), "{:?} need not go", victim.uid);
        }
    }

    #[test]
    fn the_cache_is_what_one_built_anew_would_be(
        story in prop::collection::vec((0..7u8, 0..6usize, 0..12usize), 0..80),
    ) {
        let mut cache = Cache::default();
        let mut nodes: BTreeMap<usize, usize> = BTreeMap::new();
        let mut pods: BTreeMap<usize, (usize, u64)> = BTreeMap::new();
        for (what, node, number) in story {
            match what {
                0 | 1 => {
                    put_node(&mut cache, node, number % 3);
                    nodes.insert(node, number % 3);
                }
                2 => {
                    cache.remove_node(&format!("node-{node}"));
                    nodes.remove(&node);
                }
                3 => {
                    cache.remove_pod(&format!("uid-{number}"));
                    pods.remove(&number);
                }
                _ => {
                    let milli_cpu = 100 * (1 + number as u64);
                    let pod = pod(number, milli_cpu, 0, &Value::Null);
                    cache.put_pod(&pod, &format!("node-{node}").into());
                    pods.insert(number, (node, milli_cpu));
                }
            }
        }
        prop_assert_eq!(cache.nodes().len(), nodes.len());
        prop_assert!(cache.nodes().iter().map(|node| &node.name).eq(cache.names().iter()));
        for (node, zone) in &nodes {
            let name = format!("node-{node}");
            let known = cache.node(&name).unwrap();
            prop_assert_eq!(&*cache.nodes()[cache.position(&name).unwrap()].name, name.as_str());
            let mut uids: Vec<String> = known.pods.iter().map(|pod| pod.uid.to_string()).collect();
            uids.sort();
            let on_it = || pods.iter().filter(|(_, (place, _))| place == node);
            let mut wanted: Vec<String> = on_it().map(|(it, _)| format!("uid-{it}")).collect();
            wanted.sort();
            prop_assert_eq!(uids, wanted);
            let sum: u64 = on_it().map(|(_, (_, milli_cpu))| milli_cpu).sum();
            prop_assert_eq!(known.requested.milli_cpu, i64::try_from(sum).unwrap());
            let having = nodes.values().filter(|other| *other == zone).count();
            prop_assert_eq!(cache.having(&format!("image-{zone}")), (having, nodes.len()));
        }
    }
}
