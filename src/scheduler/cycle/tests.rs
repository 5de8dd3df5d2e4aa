//! What is remembered from one cycle to the next changes nothing of what is decided.

use crate::api::wire::Node;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::{Kind, Object, Resource as _};
use crate::scheduler::Configuration;
use crate::sim::Rng;

/// What happens to a cluster.
#[derive(Clone, Debug)]
enum Happens {
    /// A pod of one of the templates comes, and is put where the cycle decides.
    Pod(usize),
    /// A node comes, or its labels change: its number and its zone.
    Node(u8, u8),
    NodeGone(u8),
    PodGone(usize),
    /// A pod that room was made for is tried again.
    Again(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (0..TEMPLATES).prop_map(Happens::Pod),
        2 => (0..6u8, 0..3u8).prop_map(|(node, zone)| Happens::Node(node, zone)),
        1 => (0..6u8).prop_map(Happens::NodeGone),
        1 => (0..40usize).prop_map(Happens::PodGone),
        1 => (0..40usize).prop_map(Happens::Again),
    ]
}

const TEMPLATES: usize = 7;

/// One pod of a template: plain, spread over zones, near, far, one that prefers, and two that are
/// important, of which one is spread as well.
fn pod(number: usize, template: usize) -> Rc<PodInfo> {
    let labels = json!({"app": format!("app-{template}")});
    let near = |key: &str| json!({"topologyKey": key, "labelSelector": {"matchLabels": labels}});
    let zone = "topology.kubernetes.io/zone";
    let spread = |when: &str| {
        json!([{
            "maxSkew": 1, "topologyKey": zone, "whenUnsatisfiable": when,
            "labelSelector": {"matchLabels": labels},
        }])
    };
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let (affinity, constraints) = match template {
        1 | 6 => (json!(null), spread("DoNotSchedule")),
        2 => (json!({"podAffinity": {required: [near(zone)]}}), json!(null)),
        3 => {
            (json!({"podAntiAffinity": {required: [near("kubernetes.io/hostname")]}}), json!(null))
        }
        4 => {
            let preferred = json!([{"weight": 7, "podAffinityTerm": near(zone)}]);
            let rule = "preferredDuringSchedulingIgnoredDuringExecution";
            (json!({"podAffinity": {rule: preferred}}), spread("ScheduleAnyway"))
        }
        _ => (json!(null), json!(null)),
    };
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("pod-{number}"), "namespace": "default", "labels": labels,
            "uid": format!("uid-{number}"),
        },
        "spec": {
            "affinity": affinity, "topologySpreadConstraints": constraints,
            "priority": if template >= 5 { 10 } else { 0 },
            "containers": [{"name": "c", "resources": {"requests": {
                "cpu": if template >= 5 { "3" } else { "1" }, "memory": "1Gi",
            }}}],
        },
    });
    let object = Object::from_json(Kind::Pod, &object).unwrap().object;
    Rc::new(PodInfo::new(Rc::clone(crate::api::Pod::unwrap(&object).unwrap())))
}

fn node(number: u8, zone: u8) -> Rc<Node> {
    let name = format!("node-{number}");
    let object = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": format!("zone-{zone}"),
        }},
        "status": {"allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"}},
    });
    let object = Object::from_json(Kind::Node, &object).unwrap().object;
    Rc::clone(Node::unwrap(&object).unwrap())
}

/// What people see of a decision, and who has to go.
fn told(outcome: &Outcome) -> String {
    let nodes: Vec<_> = outcome.nodes.iter().collect();
    let result = outcome.result.as_ref().map_err(|failure| {
        let preempt = failure.candidates.first();
        let victims = preempt.iter().flat_map(|them| &them.victims).map(|pod| &pod.uid);
        (&failure.message, preempt.map(|them| &them.node), victims.collect::<Vec<_>>())
    });
    format!("{nodes:?} {result:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn a_cycle_that_remembers_decides_as_one_that_does_not(
        story in prop::collection::vec(happens(), 1..60),
    ) {
        let mut cache = Cache::default();
        let mut remembered = Evaluations::default();
        let (mut rng, mut rotation) = (Rng::new(1), Rotation::default());
        let now = Timestamp::UNIX_EPOCH;
        let profile = &Configuration::default().profiles[0];
        let mut waiting: Vec<Rc<PodInfo>> = Vec::new();
        for (number, happens) in story.into_iter().enumerate() {
            let tried = match happens {
                Happens::Node(number, zone) => {
                    cache.put_node(&node(number, zone));
                    None
                }
                Happens::NodeGone(number) => {
                    cache.remove_node(&format!("node-{number}"));
                    None
                }
                Happens::PodGone(number) => {
                    cache.remove_pod(&format!("uid-{number}"));
                    None
                }
                Happens::Pod(template) => Some(pod(number, template)),
                Happens::Again(one) => {
                    let one = one.checked_rem(waiting.len());
                    one.map(|one| waiting.swap_remove(one))
                }
            };
            if let Some(pod) = tried {
                cache.settle();
                let (mut other_rng, mut other_rotation) = (rng.clone(), rotation.clone());
                let attempt = Attempt { profile, pod: &pod, now, most: usize::MAX };
                let fresh = schedule(
                    attempt, &cache, &mut other_rotation, &mut Evaluations::default(), &mut other_rng,
                );
                let outcome = schedule(attempt, &cache, &mut rotation, &mut remembered, &mut rng);
                prop_assert_eq!(told(&outcome), told(&fresh));
                prop_assert_eq!(other_rng.below(1000), rng.clone().below(1000));
                match outcome.result {
                    Ok(node) => cache.assume(&pod, &node),
                    Err(Failure { candidates, .. }) if !candidates.is_empty() => {
                        let preempt = &candidates[0];
                        cache.nominate(&pod, &preempt.node);
                        // One goes at once, the others when the story has it so.
                        if let Some(victim) = preempt.victims.first() {
                            cache.remove_pod(&victim.uid);
                        }
                        waiting.push(pod);
                    }
                    Err(_) => {}
                }
            }
            for node in cache.nodes() {
                prop_assert!(node.requested.milli_cpu <= node.allocatable.milli_cpu, "{}", node.name);
                let anti = node.pods.iter().filter(|pod| pod.labels().is_some_and(|labels| {
                    labels.get("app").is_some_and(|app| app == "app-3")
                }));
                prop_assert!(anti.count() <= 1, "two that want to be apart are on {}", node.name);
            }
        }
    }
}

#[test]
fn the_node_that_a_pod_waits_for_comes_first() {
    let mut cache = Cache::default();
    for number in 0..3 {
        cache.put_node(&node(number, number));
    }
    let waiting = |number, node: &str| {
        let mut info = PodInfo::clone(&pod(number, 0));
        let pod = Rc::make_mut(&mut info.pod);
        Rc::make_mut(&mut pod.status).nominated_node_name = Some(node.to_owned());
        Rc::new(info)
    };
    let profile = &Configuration::default().profiles[0];
    let mut rotation = Rotation::default();
    let mut decide = |pod: &Rc<PodInfo>, cache: &Cache| {
        let (mut rng, now) = (Rng::new(1), Timestamp::UNIX_EPOCH);
        let evaluations = &mut Evaluations::default();
        let attempt = Attempt { profile, pod, now, most: usize::MAX };
        schedule(attempt, cache, &mut rotation, evaluations, &mut rng)
    };
    // Fuller than the others, but it was emptied for this one.
    cache.assume(&pod(0, 0), &"node-2".into());
    let outcome = decide(&waiting(1, "node-2"), &cache);
    assert_eq!(outcome.result.unwrap(), "node-2".into());
    assert_eq!(outcome.nodes.len(), 1);
    // Without room there, or when it is gone, every node is looked at.
    for number in 2..5 {
        cache.assume(&pod(number, 0), &"node-2".into());
    }
    for gone in ["node-2", "node-9"] {
        let outcome = decide(&waiting(5, gone), &cache);
        assert_ne!(outcome.result.unwrap(), "node-2".into());
        assert_eq!(outcome.nodes.len(), 3);
    }
}
