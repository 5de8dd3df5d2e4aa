//! One change a node, and none where one is not enough.

use serde_json::{Value, json};

use super::*;
use crate::api::decode::decode;
use crate::scheduler::Configuration;

fn pod(spec: Value) -> PodInfo {
    let mut spec = spec;
    if spec["containers"].is_null() {
        spec["containers"] = json!([{"name": "a", "resources": {"requests": spec["requests"]}}]);
    }
    let wire = json!({"metadata": {"name": "p", "namespace": "default", "uid": "p"}, "spec": spec});
    let wire: crate::api::wire::Pod = decode(&wire).unwrap().object;
    PodInfo::new(Rc::new(Pod::from(wire)))
}

fn cache(nodes: &[(Value, Value)]) -> Cache {
    let mut cache = Cache::default();
    for (index, (spec, labels)) in nodes.iter().enumerate() {
        let node = json!({
            "metadata": {"name": format!("n{index}"), "labels": labels},
            "spec": spec,
            "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"}},
        });
        cache.put_node(&Rc::new(decode::<Node>(&node).unwrap().object));
    }
    cache
}

fn said(pod: &PodInfo, cache: &Cache) -> Vec<String> {
    let said =
        helps(&Configuration::default().profiles[0], pod, cache, 10).into_iter().map(|help| {
            match help.change {
                Change::AskFor(asks) => {
                    let asks: Vec<String> =
                        asks.into_iter().map(|(name, text)| format!("{name}≤{text}")).collect();
                    format!("{} {}", help.node, asks.join(" "))
                }
                Change::Tolerate(taints) => format!("{} tolerate {}", help.node, taints.join(" ")),
                Change::Uncordon => format!("{} uncordon", help.node),
                Change::Label(labels) => format!("{} label {labels:?}", help.node),
            }
        });
    said.collect()
}

#[test]
fn each_node_says_what_it_takes() {
    let plain = || (json!({}), json!({}));
    let cordoned = || {
        let taint = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
        (json!({"unschedulable": true, "taints": [taint]}), json!({}))
    };
    let tainted = || {
        let taint = json!({"key": "gpu", "value": "yes", "effect": "NoSchedule"});
        (json!({"taints": [taint]}), json!({}))
    };
    let greedy = pod(json!({"requests": {"cpu": "3", "memory": "1Gi"}}));
    assert_eq!(said(&greedy, &cache(&[plain(), cordoned(), tainted()])), ["n0 cpu≤2"]);
    let very = pod(json!({"requests": {"cpu": "2500m", "memory": "5Gi"}}));
    assert_eq!(said(&very, &cache(&[plain()])), ["n0 cpu≤2 memory≤4Gi"]);
    let small = pod(json!({"requests": {"cpu": "1"}}));
    assert_eq!(
        said(&small, &cache(&[cordoned(), tainted()])),
        ["n0 uncordon", "n1 tolerate gpu=yes:NoSchedule"]
    );
    let choosy = pod(json!({"requests": {"cpu": "1"}, "nodeSelector": {"disk": "ssd"}}));
    let labelled = (json!({}), json!({"disk": "hdd"}));
    assert_eq!(
        said(&choosy, &cache(&[plain(), labelled, tainted()])),
        ["n0 label [(\"disk\", \"ssd\")]", "n1 label [(\"disk\", \"ssd\")]"]
    );
}

#[test]
fn what_is_taken_counts() {
    let mut cache = cache(&[(json!({}), json!({}))]);
    let other = pod(json!({"requests": {"cpu": "1250m"}}));
    let there = Pod { node_name: Some("n0".into()), ..Pod::clone(&other.pod) };
    let mut there = PodInfo::new(Rc::new(there));
    there.uid = "other".into();
    cache.put_pod(&Rc::new(there), &"n0".into());
    assert_eq!(said(&pod(json!({"requests": {"cpu": "1"}})), &cache), ["n0 cpu≤750m"]);
}
