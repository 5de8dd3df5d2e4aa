//! The scheduler's plugins, its queue's order and its search.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use podflow::testing::api::labels::Selector;
use podflow::testing::api::{Document, Kind, Pod, wire};
use podflow::testing::scheduler::cache::Cache;
use podflow::testing::scheduler::cycle::{self, Attempt, Rotation};
use podflow::testing::scheduler::evaluations::Evaluations;
use podflow::testing::scheduler::framework::{
    About, Code, CycleState, Labels, Plugin, PreBind, PreFilter, Reserved, Snapshot, Verdict,
};
use podflow::testing::scheduler::node_info::{NodeInfo, PodInfo};
use podflow::testing::scheduler::plugins::{Point, SchedulingGates, Shape, normalized_name};
use podflow::testing::scheduler::preemption::{Limits, Preemption, eligible};
use podflow::testing::scheduler::profile::Profile;
use podflow::testing::scheduler::{Configuration, args, queue, resources};
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
    form("nodevolumelimits", plugin),
    form("volumebinding", plugin),
    form("volumebinding_prebind", pre_bind),
    form("volumerestrictions", plugin),
    form("hints", hint),
    form("args_validation", invalid_args),
    form("noderesources_fit", plugin),
    form("noderesources_least_allocated", plugin),
    form("noderesources_most_allocated", plugin),
    form("noderesources_balanced_allocation", plugin),
    form("noderesources_balanced_allocation_legacy", older_formula),
    form("noderesources_args_validation", invalid_args),
    form("noderesources_nonzero_requests", non_zero_requests),
    form("num_feasible_nodes", enough_nodes),
    form("node_search_rotation", rotation),
    form("noderesources_requested_to_capacity_ratio", plugin),
    form("noderesources_shape_function", shape),
    form("imagelocality", plugin),
    form("imagelocality_names", image_name),
    form("interpodaffinity", plugin),
    form("podtopologyspread", plugin),
    form("podtopologyspread_defaults", spread_defaults),
    form("defaultpreemption", preemption),
    form("defaultpreemption_eligibility", eligibility),
    form("queuesort_prioritysort", queue_sort),
    form("schedulinggates", gates),
];

fn pod(value: &Value) -> Result<Rc<PodInfo>, String> {
    let pod: wire::Pod = read(value)?;
    Ok(Rc::new(PodInfo::new(Rc::new(Pod::from(pod)))))
}

/// A cluster as a case has it.
#[derive(Default)]
struct World {
    nodes: BTreeMap<String, NodeInfo>,
    namespaces: BTreeMap<String, Labels>,
    documents: Vec<Rc<Document>>,
}

impl World {
    fn of(case: &Value) -> Result<Self, String> {
        let list = |key: &str| case[key].as_array().cloned().unwrap_or_default();
        let mut namespaces = BTreeMap::new();
        for value in list("namespaces") {
            let namespace: core::Namespace = read(&value)?;
            let name = namespace.metadata.name.unwrap_or_default();
            namespaces.insert(name, namespace.metadata.labels.unwrap_or_default());
        }
        let kinds = [
            ("services", Kind::Service),
            ("pdbs", Kind::PodDisruptionBudget),
            ("claims", Kind::PersistentVolumeClaim),
            ("volumes", Kind::PersistentVolume),
            ("classes", Kind::StorageClass),
            ("csi_nodes", Kind::CSINode),
            ("drivers", Kind::CSIDriver),
            ("capacities", Kind::CSIStorageCapacity),
            ("attachments", Kind::VolumeAttachment),
        ];
        let of_kind = |(key, kind)| list(key).into_iter().map(move |it| document(kind, &it));
        let documents = kinds.into_iter().flat_map(of_kind).collect::<Result<_, _>>()?;
        Ok(Self { nodes: nodes(case)?, namespaces, documents })
    }
}

impl Snapshot for World {
    fn nodes(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
        Box::new(self.nodes.values())
    }

    fn namespace(&self, name: &str) -> Option<&Labels> {
        self.namespaces.get(name)
    }

    fn documents(&self, kind: Kind) -> Box<dyn Iterator<Item = &Document> + '_> {
        Box::new(self.documents.iter().map(|it| &**it).filter(move |it| it.kind() == kind))
    }
}

fn document(kind: Kind, value: &Value) -> Result<Rc<Document>, String> {
    let read = Document::from_json(kind, value).map_err(|error| error.to_string())?;
    Ok(Rc::new(read.object))
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
    args::plugin(name, args).map_err(|error| error.to_string())
}

fn invalid_args(file: &Value, case: &Value) -> Outcome {
    let of = if case["plugin"].is_string() { case } else { file };
    let mistakes = args::mistakes(text(of, "plugin"), &case["args"]);
    let mistakes = mistakes.map_err(|error| error.to_string())?;
    let got: Vec<String> = mistakes.iter().map(|mistake| mistake.field.clone()).collect();
    same("fields", &got, &read(&case["expect"]["invalid_fields"])?)
}

fn corners_of(value: &Value, times: i64) -> Result<Shape, String> {
    let corner = |corner: &Value| {
        Ok(Point {
            utilization: read(&corner["utilization"])?,
            score: read::<i64>(&corner["score"])? * times,
        })
    };
    let corners = value.as_array().into_iter().flatten();
    Ok(Shape(corners.map(corner).collect::<Result<_, String>>()?))
}

fn spread_defaults(_: &Value, case: &Value) -> Outcome {
    let (pod, world) = (pod(&case["pod"])?, World::of(case)?);
    let plugin = args::spreading(&case["args"]).map_err(|error| error.to_string())?;
    if let Some(want) = case["expect"].get("prefilter") {
        let first = plugin.pre_filter(&pod, &world, &mut CycleState::default());
        return same("prefilter", &(first == PreFilter::Skip), &(want == "Skip"));
    }
    let got = plugin.constraints(&pod, &world, "DoNotSchedule");
    let want = case["expect"]["hard_constraints"].as_array().ok_or("no constraints")?;
    same("how many", &got.len(), &want.len())?;
    for (got, want) in got.iter().zip(want) {
        same("skew", &Some(got.max_skew), &want["maxSkew"].as_i64())?;
        same("key", &&*got.topology_key, &text(want, "topologyKey"))?;
        let selector = Selector::from_object(Some(&read(&want["labelSelector"])?));
        same("selector", &got.selector, &selector.map_err(|error| error.to_string())?)?;
    }
    Ok(())
}

fn shape(_: &Value, case: &Value) -> Outcome {
    let shape = corners_of(&case["shape"], 1)?;
    for point in case["expect"]["points"].as_array().into_iter().flatten() {
        let at: i64 = read(&point["utilization"])?;
        same(&format!("at {at}"), &shape.score(at), &read(&point["score"])?)?;
    }
    Ok(())
}

fn image_name(_: &Value, case: &Value) -> Outcome {
    let got = normalized_name(text(case, "image"));
    same("name", &got.as_str(), &text(&case["expect"], "normalized"))
}

fn plugin(file: &Value, case: &Value) -> Outcome {
    let (pod, world) = (pod(&case["pod"])?, World::of(case)?);
    let plugin = named(text(file, "plugin"), &case["args"])?;
    let expect = &case["expect"];
    let mut state = CycleState::default();
    let first = plugin.pre_filter(&pod, &world, &mut state);
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
        let node = world.nodes.get(name).ok_or("no such node")?;
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
    for (key, want) in expect["match_counts"].as_object().into_iter().flatten() {
        let got: Vec<_> = state.spread.counts().filter(|(of, _)| of == key).collect();
        let want: BTreeMap<String, i64> = read(want)?;
        let want: Vec<(&str, i64)> =
            want.iter().map(|(value, count)| (value.as_str(), *count)).collect();
        if !got.iter().any(|(_, counts)| *counts == want) {
            return Err(format!("counts of {key}: got {got:?}, want {want:?}"));
        }
    }
    scores(&*plugin, &pod, &world, case, state)
}

fn pre_bind(file: &Value, case: &Value) -> Outcome {
    let (pod, world) = (pod(&file["pod"])?, World::of(case)?);
    let plugin = named("VolumeBinding", &Value::Null)?;
    let documents = |key: &str, kind| {
        let list = case["written"][key].as_array().into_iter().flatten();
        list.map(move |value| document(kind, value))
    };
    let volumes = documents("volumes", Kind::PersistentVolume);
    let claims = documents("claims", Kind::PersistentVolumeClaim);
    let written = volumes.chain(claims).collect::<Result<Vec<_>, _>>()?;
    let reserved = Reserved {
        node_name: "a",
        node: world.nodes.get("a"),
        is_wanted: case["pod_is_gone"].is_null(),
        documents: &written,
        waited: Duration::from_secs(case["waited_seconds"].as_u64().unwrap_or(1)),
    };
    let got = match plugin.pre_bind(&pod, &reserved, &world) {
        PreBind::Done => "done".to_owned(),
        PreBind::Wait => "waits".to_owned(),
        PreBind::Failed(why) => why,
    };
    same("before the binding", &got.as_str(), &text(case, "want"))
}

fn hint(_: &Value, case: &Value) -> Outcome {
    let (pod, world) = (pod(&case["pod"])?, World::default());
    let plugin = named(text(case, "plugin"), &case["args"])?;
    let node = |value: &Value| -> Result<Option<NodeInfo>, String> {
        let node: Option<_> = read(value)?;
        Ok(node.map(|node| NodeInfo::new(Rc::new(node))))
    };
    let other = |value: &Value| {
        if value.is_null() { Ok(None) } else { self::pod(value).map(Some) }
    };
    let of_kind = |value: &Value| {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.resource().name == text(&case["document"], "kind"));
        let kind = kind.ok_or("no such kind")?;
        if value.is_null() { Ok(None) } else { document(kind, value).map(Some) }
    };
    let got = if let Some(about) = case.get("node") {
        let (old, new) = (node(&about["old"])?, node(&about["new"])?);
        plugin.hint(&pod, &About::Node { old: old.as_ref(), new: new.as_ref() }, &world)
    } else if let Some(about) = case.get("other") {
        let (old, new) = (other(&about["old"])?, other(&about["new"])?);
        plugin.hint(&pod, &About::Pod { old: old.as_deref(), new: new.as_deref() }, &world)
    } else {
        let about = &case["document"];
        let (old, new): (Option<Rc<Document>>, _) =
            (of_kind(&about["old"])?, of_kind(&about["new"])?);
        plugin.hint(&pod, &About::Document { old: old.as_deref(), new: new.as_deref() }, &world)
    };
    same("worth another try", &got, &read(&case["want"])?)
}

/// The scores after they were normalised; `state` is what was worked out before.
fn scores(
    plugin: &dyn Plugin,
    pod: &PodInfo,
    world: &World,
    case: &Value,
    mut state: CycleState,
) -> Outcome {
    let expect = &case["expect"];
    if expect.get("scores").is_none() && expect.get("prescore").is_none() {
        return Ok(());
    }
    let candidates: Option<BTreeSet<String>> = read(&case["candidate_nodes"])?;
    let chosen = world.nodes.iter().filter(|(name, _)| {
        candidates.as_ref().is_none_or(|candidates| candidates.contains(*name))
    });
    let (names, nodes): (Vec<&String>, Vec<&NodeInfo>) = chosen.unzip();
    let before = plugin.pre_score(pod, world, &nodes, &mut state);
    if let Some(want) = expect.get("prescore") {
        same("prescore", &verdict_json(&before)["code"], want)?;
    }
    let Some(want) = expect.get("scores") else { return Ok(()) };
    let raw: Vec<i64> = match before.code {
        Code::Skip => vec![0; nodes.len()],
        Code::Success | Code::Unschedulable | Code::UnschedulableAndUnresolvable | Code::Error => {
            nodes.iter().map(|node| plugin.score(pod, &state, node)).collect()
        }
    };
    let normalized = before.is_success().then(|| plugin.normalized(&raw)).flatten();
    let scores = normalized.unwrap_or(raw);
    let got: BTreeMap<String, i64> = names.into_iter().cloned().zip(scores).collect();
    same("scores", &got, &read(want)?)
}

fn verdict_json(verdict: &Verdict) -> Value {
    let code = match verdict.code {
        Code::Success => "Success",
        Code::Skip => "Skip",
        Code::Unschedulable => "Unschedulable",
        Code::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
        Code::Error => "Error",
    };
    serde_json::json!({ "code": code, "reasons": verdict.reasons })
}

/// The formula of these cases gave way to a newer one; only what both skip still holds.
fn older_formula(file: &Value, case: &Value) -> Outcome {
    if case["expect"].get("prescore").is_some() { plugin(file, case) } else { Ok(()) }
}

fn non_zero_requests(_: &Value, case: &Value) -> Outcome {
    let got = resources::non_zero_requests(&pod(&case["pod"])?.pod);
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
        let mut node = podflow::testing::api::wire::Node::default();
        node.metadata.name = Some(format!("node{number}").into());
        node.status = Some(read(&serde_json::json!({ "allocatable": { "pods": "110" } }))?);
        cache.put_node(&Rc::new(node));
    }
    let percentage = size(case, "percentage_of_nodes_to_score")?;
    let profile = Profile { percentage, ..(*Configuration::default().profiles[0]).clone() };
    let mut rotation = Rotation::default();
    let pod = Rc::new(PodInfo::new(Rc::default()));
    let (mut known, mut rng) = (Evaluations::default(), Rng::new(1));
    let starts: Vec<usize> = read(&case["expect"]["next_start_index"])?;
    for want in starts {
        let now = jiff::Timestamp::MAX;
        let attempt = Attempt { profile: &profile, pod: &pod, now, most: usize::MAX };
        let outcome = cycle::schedule(attempt, &cache, &mut rotation, &mut known, &mut rng);
        same("nodes", &outcome.feasible, &size(&case["expect"], "num_nodes")?)?;
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
    let got = SchedulingGates.pre_enqueue(&pod(&case["pod"])?.pod);
    let reasons = &case["expect"]["pre_enqueue"]["reasons"];
    let want: Option<Vec<String>> = read(reasons)?;
    let reasons: Vec<String> = got.reasons.iter().map(ToString::to_string).collect();
    same("gates", &(!got.is_success()).then_some(reasons), &want)
}

/// The statuses that a case gives its nodes; all are worth a try where it gives none.
fn worth_a_try<'a>(case: &Value, world: &'a World) -> Vec<&'a NodeInfo> {
    let said = |node: &NodeInfo| {
        let statuses = &case["node_statuses"];
        statuses.is_null() || statuses[&*node.name] == "Unschedulable"
    };
    world.nodes.values().filter(|node| said(node)).collect()
}

fn preemption(_: &Value, case: &Value) -> Outcome {
    let (pod, world) = (pod(&case["pod"])?, World::of(case)?);
    let names: Vec<String> = read(&case["filters"])?;
    let filters: Vec<Rc<dyn Plugin>> = names
        .iter()
        .map(|name| named(name, &Value::Null).map(Into::into))
        .collect::<Result<_, _>>()?;
    let asked: Vec<&dyn Plugin> = filters.iter().map(|plugin| &**plugin).collect();
    let preemption =
        Preemption { pod: &pod, cluster: &world, filters: &asked, now: jiff::Timestamp::MAX };
    let limits = args::limits(&case["args"]).map_err(|error| error.to_string())?;
    let nodes = worth_a_try(case, &world);
    let (offset, limits) = match case["offset"].as_u64() {
        Some(offset) => (usize::try_from(offset).map_err(|error| error.to_string())?, limits),
        None => (0, Limits { absolute: nodes.len(), ..limits }),
    };
    let (candidates, refused) = preemption.candidates(&nodes, offset, limits);
    let names = |victims: &[Rc<PodInfo>]| -> BTreeSet<String> {
        victims
            .iter()
            .filter_map(|victim| victim.pod.metadata.name.as_deref())
            .map(str::to_owned)
            .collect()
    };
    let expect = &case["expect"];
    if let Some(want) = expect["candidates"].as_object() {
        let got: BTreeSet<String> = candidates.iter().map(|one| one.node.to_string()).collect();
        same("nodes", &got, &want.keys().cloned().collect())?;
        for candidate in &candidates {
            let want = &want[&*candidate.node];
            same("victims", &names(&candidate.victims), &read(&want["victims"])?)?;
            same(
                "violations",
                &Some(candidate.violations as u64),
                &want["num_pdb_violations"].as_u64(),
            )?;
        }
    }
    if let Some(want) = expect["status"]["message"].as_str() {
        let got = cycle::preemption_failed(world.nodes.len(), &refused);
        same("message", &got.as_str(), &want)?;
    }
    let best = preemption.best(candidates);
    let node = best.as_ref().map(|best| best.node.to_string());
    if let Some(any) = expect.get("chosen_node_any_of") {
        let any: Vec<String> = read(any)?;
        return same("one of", &node.is_some_and(|node| any.contains(&node)), &true);
    }
    if let Some(want) = expect.get("chosen_node") {
        same("node", &node.as_deref(), &want.as_str())?;
    }
    if let (Some(best), Some(want)) = (&best, expect.get("victims")) {
        same("victims", &names(&best.victims), &read(want)?)?;
    }
    Ok(())
}

fn eligibility(_: &Value, case: &Value) -> Outcome {
    let (pod, world) = (pod(&case["pod"])?, World::of(case)?);
    let said = match text(case, "nominated_node_status") {
        "UnschedulableAndUnresolvable" => Some(Code::UnschedulableAndUnresolvable),
        "Unschedulable" => Some(Code::Unschedulable),
        _ => None,
    };
    let nominated = pod.pod.status.nominated_node_name.as_ref();
    let nominated = nominated.and_then(|name| world.nodes.get(name)).map(|node| (node, said));
    let got = eligible(&pod, nominated).is_ok();
    same("eligible", &Some(got), &case["expect"]["eligible"].as_bool())
}
