//! The scheduler's plugins, its queue's order and its search.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use k8s_openapi::api::core::v1 as core;
use podflow::testing::api::Pod;
use podflow::testing::scheduler::cache::Cache;
use podflow::testing::scheduler::cycle::{self, Rotation};
use podflow::testing::scheduler::framework::{Code, CycleState, Plugin, PreFilter, Verdict};
use podflow::testing::scheduler::node_info::{NodeInfo, PodInfo};
use podflow::testing::scheduler::plugins::{
    BalancedAllocation, Fit, NodeAffinity, NodeName, NodePorts, NodeUnschedulable, Strategy,
    TaintToleration, Weight,
};
use podflow::testing::scheduler::{queue, resources};
use podflow::testing::sim::{Instant, Rng};
use serde_json::Value;

use super::{Form, Outcome, Run, read, same, text};

const fn form(file: &'static str, run: Run) -> Form {
    Form { file, keys: &[], run }
}

pub static FORMS: &[Form] = &[
    form("nodename", plugin),
    form("nodeunschedulable", plugin),
    form("tainttoleration", plugin),
    form("nodeaffinity", plugin),
    form("nodeports", plugin),
    form("noderesources_fit", plugin),
    form("noderesources_least_allocated", plugin),
    form("noderesources_most_allocated", plugin),
    form("noderesources_balanced_allocation", plugin),
    form("noderesources_balanced_allocation_legacy", older_formula),
    form("noderesources_nonzero_requests", non_zero_requests),
    form("num_feasible_nodes", enough_nodes),
    form("node_search_rotation", rotation),
    form("queuesort_prioritysort", queue_sort),
    form("schedulinggates", gates),
];

fn pod(value: &Value) -> Result<Rc<PodInfo>, String> {
    let pod: core::Pod = read(value)?;
    Ok(Rc::new(PodInfo::new(Rc::new(Pod::from(pod)))))
}

/// The nodes of a case with the pods on them.
fn nodes(case: &Value) -> Result<BTreeMap<String, NodeInfo>, String> {
    let mut nodes = BTreeMap::new();
    for value in case["nodes"].as_array().into_iter().flatten() {
        let info = NodeInfo::new(Rc::new(read(value)?));
        nodes.insert(info.name.to_string(), info);
    }
    for value in case["existing_pods"].as_array().into_iter().flatten() {
        let pod = pod(value)?;
        let node = pod.pod.node_name.as_deref().unwrap_or_default();
        nodes.get_mut(node).ok_or("a pod on no node")?.add(pod);
    }
    Ok(nodes)
}

fn named(name: &str, args: &Value) -> Result<Box<dyn Plugin>, String> {
    let weights = |list: &Value| -> Cow<'static, [Weight]> {
        let list = list.as_array().into_iter().flatten();
        let weight = |one: &Value| (text(one, "name").to_owned().into(), one["weight"].as_i64());
        list.map(weight).map(|(name, weight)| (name, weight.unwrap_or(1))).collect()
    };
    Ok(match name {
        "NodeName" => Box::new(NodeName),
        "NodeUnschedulable" => Box::new(NodeUnschedulable),
        "TaintToleration" => Box::new(TaintToleration),
        "NodePorts" => Box::new(NodePorts),
        "NodeAffinity" => Box::new(NodeAffinity { added: read(&args["addedAffinity"])? }),
        "NodeResourcesFit" => {
            let strategy = &args["scoringStrategy"];
            let ignored: Option<Vec<String>> = read(&args["ignoredResources"])?;
            let mut fit = Fit { ignored: ignored.unwrap_or_default().into(), ..Fit::DEFAULT };
            if strategy.is_object() {
                fit.resources = weights(&strategy["resources"]);
            }
            if text(strategy, "type") == "MostAllocated" {
                fit.strategy = Strategy::MostAllocated;
            }
            Box::new(fit)
        }
        "NodeResourcesBalancedAllocation" => {
            Box::new(BalancedAllocation { resources: weights(&args["resources"]) })
        }
        other => return Err(format!("no such plugin: {other}")),
    })
}

fn plugin(file: &Value, case: &Value) -> Outcome {
    let (pod, nodes) = (pod(&case["pod"])?, nodes(case)?);
    let plugin = named(text(file, "plugin"), &case["args"])?;
    let expect = &case["expect"];
    let mut state = CycleState::default();
    let first = plugin.pre_filter(&pod, &mut state);
    if let Some(want) = expect.get("prefilter") {
        let got = match &first {
            PreFilter::Skip => "Skip".into(),
            PreFilter::Reject(verdict) => verdict_json(verdict),
            PreFilter::Run | PreFilter::Nodes(_) => Value::Null,
        };
        same("prefilter", &got, want)?;
    }
    if let Some(want) = expect.get("prefilter_nodes") {
        same("prefilter nodes", &first, &PreFilter::Nodes(read(want)?))?;
    }
    for (name, want) in expect["filter"].as_object().into_iter().flatten() {
        let node = nodes.get(name).ok_or("no such node")?;
        let got = match &first {
            PreFilter::Skip => Verdict::SUCCESS,
            PreFilter::Run | PreFilter::Nodes(_) | PreFilter::Reject(_) => {
                plugin.filter(&pod, &state, node)
            }
        };
        let reasons = |value: &Value| -> Result<BTreeSet<String>, String> {
            Ok(read::<Option<_>>(&value["reasons"])?.unwrap_or_default())
        };
        let got = verdict_json(&got);
        same(name, &got["code"], &want["code"])?;
        same(name, &reasons(&got)?, &reasons(want)?)?;
    }
    scores(&*plugin, &pod, &nodes, case)
}

/// The scores after they were normalised.
fn scores(
    plugin: &dyn Plugin,
    pod: &PodInfo,
    nodes: &BTreeMap<String, NodeInfo>,
    case: &Value,
) -> Outcome {
    let expect = &case["expect"];
    let mut state = CycleState::default();
    let before = plugin.pre_score(pod, &mut state);
    if let Some(want) = expect.get("prescore") {
        same("prescore", &verdict_json(&before)["code"], want)?;
    }
    let Some(want) = expect.get("scores") else { return Ok(()) };
    let candidates: Option<BTreeSet<String>> = read(&case["candidate_nodes"])?;
    let chosen = nodes.iter().filter(|(name, _)| {
        candidates.as_ref().is_none_or(|candidates| candidates.contains(*name))
    });
    let (names, nodes): (Vec<&String>, Vec<&NodeInfo>) = chosen.unzip();
    let mut scores: Vec<i64> = match before.code {
        Code::Skip => vec![0; nodes.len()],
        Code::Success | Code::Unschedulable | Code::UnschedulableAndUnresolvable => {
            nodes.iter().map(|node| plugin.score(pod, &state, node)).collect()
        }
    };
    if before.is_success() {
        plugin.normalize(&mut scores);
    }
    let got: BTreeMap<String, i64> = names.into_iter().cloned().zip(scores).collect();
    same("scores", &got, &read(want)?)
}

fn verdict_json(verdict: &Verdict) -> Value {
    let code = match verdict.code {
        Code::Success => "Success",
        Code::Skip => "Skip",
        Code::Unschedulable => "Unschedulable",
        Code::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
    };
    serde_json::json!({ "code": code, "reasons": verdict.reasons })
}

/// The formula of these cases gave way to a newer one; only what both skip still holds.
fn older_formula(file: &Value, case: &Value) -> Outcome {
    if case["expect"].get("prescore").is_some() { plugin(file, case) } else { Ok(()) }
}

fn non_zero_requests(_: &Value, case: &Value) -> Outcome {
    let got = resources::non_zero_requests(&pod(&case["pod"])?.pod.spec);
    let want = &case["expect"]["nonzero_requests"];
    same("cpu", &Some(got.milli_cpu), &want["cpu_milli"].as_i64())?;
    same("memory", &Some(got.memory), &want["memory"].as_i64())
}

fn size(case: &Value, key: &str) -> Result<usize, String> {
    read(&case[key])
}

fn enough_nodes(_: &Value, case: &Value) -> Outcome {
    let (percentage, nodes) =
        (size(case, "percentage_of_nodes_to_score")?, size(case, "num_all_nodes")?);
    let want = size(&case["expect"], "num_nodes")?;
    same("nodes", &cycle::enough_nodes(percentage, nodes), &want)
}

fn rotation(_: &Value, case: &Value) -> Outcome {
    let mut cache = Cache::default();
    for number in 0..size(case, "num_all_nodes")? {
        let mut node = core::Node::default();
        node.metadata.name = Some(format!("node{number}"));
        node.status = Some(read(&serde_json::json!({ "allocatable": { "pods": "110" } }))?);
        cache.put_node(&Rc::new(node));
    }
    let percentage = size(case, "percentage_of_nodes_to_score")?;
    let mut rotation = Rotation { start: 0, percentage };
    let pod = PodInfo::new(Rc::default());
    let mut rng = Rng::new(1);
    let starts: Vec<usize> = read(&case["expect"]["next_start_index"])?;
    for want in starts {
        let outcome = cycle::schedule(&pod, &cache, &mut rotation, &mut rng);
        same("nodes", &outcome.nodes.len(), &size(&case["expect"], "num_nodes")?)?;
        same("next start", &rotation.start, &want)?;
    }
    Ok(())
}

fn queue_sort(_: &Value, case: &Value) -> Outcome {
    let order = |side: &Value| -> Result<_, String> {
        let at: jiff::Timestamp = read(&side["queued_at"])?;
        let micros = u64::try_from(at.as_microsecond()).map_err(|error| error.to_string())?;
        Ok(queue::order(&pod(&side["pod"])?.pod, Instant::from_micros(micros)))
    };
    let got = order(&case["p1"])? < order(&case["p2"])?;
    same("p1 before p2", &Some(got), &case["expect"]["p1_before_p2"].as_bool())
}

fn gates(_: &Value, case: &Value) -> Outcome {
    let got = queue::gates(&pod(&case["pod"])?.pod);
    let reasons = &case["expect"]["pre_enqueue"]["reasons"];
    let want: Option<Vec<String>> = read(reasons)?;
    same("gates", &got.map(|reason| vec![reason]), &want)
}
