//! One scheduling cycle: which nodes can take a pod, and which of them is best.
//!
//! Mirrors: `pkg/scheduler/schedule_one.go`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;

use super::cache::Cache;
use super::decision::{NODES, NodeVerdict, Score};
use super::evaluations::{Evaluations, Refusal};
use super::framework::{Code, CycleState, Plugin, PreFilter, Snapshot, Verdict};
use super::node_info::{NodeInfo, PodInfo};
use super::preemption::{Candidate, Limits, Overlay, Preemption, eligible, shared};
use super::profile::{Profile, Weighted};
use crate::api::Document;
use crate::sim::{Rng, SortedMap, SortedSet, sort};

/// A search never stops before it has found this many nodes.
const LEAST_FEASIBLE: usize = 100;
/// Of very many nodes at least this percentage is looked for.
const LEAST_PERCENTAGE: usize = 5;

/// How a cycle came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was said of the nodes that were looked at; of very many only the first are told of, and the
    /// chosen one.
    pub nodes: Vec<NodeVerdict>,
    /// How many of those that were looked at can take the pod.
    pub feasible: usize,
    /// How many cannot.
    pub refused: usize,
    /// How many nodes had the best score.
    pub tied: usize,
    /// What is to be written before the pod is bound.
    pub reserved: Vec<Document>,
    pub result: Result<Rc<str>, Failure>,
}

/// Why no node takes the pod.
#[derive(Clone, Debug)]
pub struct Failure {
    pub message: String,
    pub refused_by: Rc<[&'static str]>,
    /// The node that can be had if these pods go.
    pub preempt: Option<Rc<Candidate>>,
}

/// How many nodes that can take a pod are enough; a `percentage` of 0 adapts to their number.
pub fn enough_nodes(percentage: usize, nodes: usize) -> usize {
    if nodes < LEAST_FEASIBLE || percentage >= 100 {
        return nodes;
    }
    let percentage = match percentage {
        0 => 50usize.saturating_sub(nodes / 125).max(LEAST_PERCENTAGE),
        set => set,
    };
    (nodes * percentage / 100).max(LEAST_FEASIBLE)
}

/// Where searches begin, so that all nodes get their turn.
#[derive(Clone, Debug, Default)]
pub struct Rotation {
    pub start: usize,
}

/// What stops a search before it begins, and what narrows it.
struct Search<'p> {
    state: CycleState,
    filters: Vec<&'p dyn Plugin>,
    names: Option<BTreeSet<String>>,
    narrowed_by: Vec<&'static str>,
}

/// Looks for a node for `pod`, as `profile` says.
pub fn schedule(
    profile: &Profile,
    pod: &Rc<PodInfo>,
    cache: &Cache,
    rotation: &mut Rotation,
    evaluations: &mut Evaluations,
    rng: &mut Rng,
    now: Timestamp,
) -> Outcome {
    let fail = |message: String, refused_by: Rc<[_]>, nodes| Outcome {
        nodes,
        feasible: 0,
        refused: 0,
        tied: 0,
        reserved: Vec::new(),
        result: Err(Failure { message, refused_by, preempt: None }),
    };
    let count = cache.nodes().len();
    if count == 0 {
        let message = "no nodes available to schedule pods".to_owned();
        return fail(message, Rc::default(), Vec::new());
    }
    let mut search = match prepare(profile, pod, cache, evaluations.begin(pod, cache)) {
        Ok(search) => search,
        Err((plugin, verdict)) => {
            let reasons = verdict.reasons.join(", ");
            let mut message = format!("0/{count} nodes are available: {reasons}.");
            if profile.preemption.is_some() {
                let why = match eligible(pod, None) {
                    Ok(()) => preemption_failed(count, &[]),
                    Err(why) => format!("preemption: {why}"),
                };
                message = format!("{message} {why}");
            }
            return fail(message, Rc::new([plugin]), Vec::new());
        }
    };
    let nominated = nominated(pod, cache);
    let (feasible, refused) = match nominated {
        Some(at) => look_at_nominated(pod, &search, cache, at, evaluations),
        None => None,
    }
    .unwrap_or_else(|| look(profile, pod, &search, cache, rotation, evaluations));
    if feasible.is_empty() {
        let (mut message, refused_by) = diagnose(count, &search, &refused);
        let limits = profile.preemption;
        let known = search.filters.iter().all(|plugin| plugin.looks_at_node_only());
        let known = known.then_some(&mut *evaluations);
        let preemption = Preemption { pod, cluster: cache, filters: &profile.filter, now };
        let preempt =
            limits.map(|limits| preempt(&preemption, cache, limits, &refused, known, rng));
        let preempt = match preempt.transpose() {
            Ok(candidate) => candidate,
            Err(why) => {
                message = format!("{message} {why}");
                None
            }
        };
        evaluations.keep(search.state);
        let result = Err(Failure { message, refused_by, preempt });
        let count = refused.len();
        let nodes = told(cache, refused, NODES).collect();
        let reserved = Vec::new();
        return Outcome { nodes, feasible: 0, refused: count, tied: 0, reserved, result };
    }
    let columns = score(profile, pod, cache, &mut search.state, &feasible, evaluations);
    let totals = totals(&columns, feasible.len());
    let best = totals.iter().copied().max();
    let winners: Vec<usize> =
        (0..totals.len()).filter(|at| totals.get(*at).copied() == best).collect();
    let tied = winners.len();
    let pick = if tied > 1 { rng.below(tied as u64) } else { 0 };
    let chosen =
        winners.get(usize::try_from(pick).unwrap_or_default()).copied().unwrap_or_default();
    let shown = feasible.iter().enumerate().filter(|(at, _)| *at < NODES || *at == chosen);
    let mut latest: Rc<[Score]> = Rc::default();
    let mut verdicts: Vec<NodeVerdict> = shown
        .filter_map(|(at, place)| {
            let scores = || columns.iter().map(|column| column.of(at));
            if !latest.iter().copied().eq(scores()) {
                latest = scores().collect();
            }
            Some(NodeVerdict {
                node: Rc::clone(&cache.nodes().get(*place)?.name),
                filtered_by: None,
                scores: Rc::clone(&latest),
                total: totals.get(at).copied().unwrap_or_default(),
            })
        })
        .collect();
    let (can, cannot) = (feasible.len(), refused.len());
    let room = NODES.saturating_sub(verdicts.len());
    verdicts.extend(told(cache, refused, room));
    let node = feasible.get(chosen).and_then(|place| cache.nodes().get(*place));
    let reservers =
        node.into_iter().flat_map(|node| profile.reserve.iter().map(move |it| (it, node)));
    let reserved =
        reservers.flat_map(|(plugin, node)| plugin.reserve(&search.state, node)).collect();
    evaluations.keep(search.state);
    let result = Ok(node.map(|node| Rc::clone(&node.name)).unwrap_or_default());
    Outcome { nodes: verdicts, feasible: can, refused: cannot, tied, reserved, result }
}

/// Whether every plugin of the profile lets `pod` onto `node`, which may be another than the one of
/// that name in the cluster.
pub fn fits(profile: &Profile, pod: &PodInfo, node: &NodeInfo, cache: &Cache) -> bool {
    let cluster = Overlay { below: cache, node: node.clone() };
    prepare(profile, pod, &cluster, CycleState::default()).is_ok_and(|search| {
        let is_named = search.names.as_ref().is_none_or(|names| names.contains(&*node.name));
        is_named && first_refusal(pod, &search, &search.filters, node).is_none()
    })
}

fn prepare<'p>(
    profile: &'p Profile,
    pod: &PodInfo,
    cluster: &dyn Snapshot,
    state: CycleState,
) -> Result<Search<'p>, (&'static str, Verdict)> {
    let mut search = Search { state, filters: Vec::new(), names: None, narrowed_by: Vec::new() };
    let mut skipped = Vec::new();
    for plugin in &profile.pre_filter {
        match plugin.pre_filter(pod, cluster, &mut search.state) {
            PreFilter::Skip => skipped.push(plugin.name()),
            PreFilter::Run => {}
            PreFilter::Nodes(names) => {
                search.narrowed_by.push(plugin.name());
                search.names = Some(match search.names.take() {
                    Some(narrow) => &narrow & &names,
                    None => names,
                });
            }
            PreFilter::Reject(verdict) => return Err((plugin.name(), verdict)),
        }
    }
    let filters = profile.filter.iter().map(|plugin| &**plugin);
    search.filters = filters.filter(|plugin| !skipped.contains(&plugin.name())).collect();
    Ok(search)
}

/// The places in the cache of nodes that can take a pod.
type Feasible = Vec<usize>;
/// The places of those that cannot, and why.
type Refused = Vec<(usize, Refusal)>;

/// What the page is told of the first `most` nodes that were refused.
fn told(cache: &Cache, refused: Refused, most: usize) -> impl Iterator<Item = NodeVerdict> {
    refused.into_iter().take(most).filter_map(|(at, refusal)| {
        Some(NodeVerdict {
            node: Rc::clone(&cache.nodes().get(at)?.name),
            filtered_by: Some(refusal),
            scores: Rc::default(),
            total: 0,
        })
    })
}

/// What the filters say of one node after the other.
struct Look<'a> {
    pod: &'a PodInfo,
    search: &'a Search<'a>,
    /// The first filters, up to one that looks further: what these say is remembered.
    local: &'a [&'a dyn Plugin],
    further: &'a [&'a dyn Plugin],
    /// The place of the node that it is promised room on.
    promised: Option<usize>,
    evaluations: &'a mut Evaluations,
    feasible: Feasible,
    refused: Refused,
}

impl<'a> Look<'a> {
    fn new(
        pod: &'a PodInfo,
        search: &'a Search<'_>,
        cache: &Cache,
        evaluations: &'a mut Evaluations,
    ) -> Self {
        let local = search.filters.iter().take_while(|plugin| plugin.looks_at_node_only()).count();
        let (local, further) = search.filters.split_at(local);
        let (feasible, refused) = (Vec::new(), Vec::new());
        let promised = cache.promised_to(&pod.uid);
        Self { pod, search, local, further, promised, evaluations, feasible, refused }
    }

    /// Asks of the node at `at`, whose last change is the one of that number.
    fn ask(&mut self, at: usize, change: u64, node: &NodeInfo) {
        let Self { pod, search, .. } = *self;
        // Room that was made for a more important pod is not for this one.
        let refused_by = |filters: &[&dyn Plugin]| {
            let with = node.with_promised(pod);
            let with = with.and_then(|node| first_refusal(pod, search, filters, &node));
            with.or_else(|| first_refusal(pod, search, filters, node))
        };
        // Where it is promised room itself, the answer is its own.
        let refusal = if self.promised == Some(at) {
            self.evaluations.share(refused_by(self.local))
        } else {
            self.evaluations.refusal(at, change, || refused_by(self.local))
        };
        let refusal = refusal.or_else(|| self.evaluations.share(refused_by(self.further)));
        match refusal {
            None => self.feasible.push(at),
            Some(refusal) => self.refused.push((at, refusal)),
        }
    }
}

/// The place of the node that a pod waits for.
fn nominated(pod: &PodInfo, cache: &Cache) -> Option<usize> {
    cache.position(pod.pod.status.nominated_node_name.as_deref()?)
}

/// The node at `at` alone, if it can take the pod that waits for it.
fn look_at_nominated(
    pod: &PodInfo,
    search: &Search<'_>,
    cache: &Cache,
    at: usize,
    evaluations: &mut Evaluations,
) -> Option<(Feasible, Refused)> {
    let mut look = Look::new(pod, search, cache, evaluations);
    let node = cache.nodes().get(at)?;
    look.ask(at, node.change, node);
    (!look.feasible.is_empty()).then_some((look.feasible, look.refused))
}

/// The nodes that can take the pod, and those of the others that were looked at.
fn look(
    profile: &Profile,
    pod: &PodInfo,
    search: &Search<'_>,
    cache: &Cache,
    rotation: &mut Rotation,
    evaluations: &mut Evaluations,
) -> (Feasible, Refused) {
    let mut look = Look::new(pod, search, cache, evaluations);
    let nodes = cache.nodes();
    if let Some(names) = &search.names {
        for at in names.iter().filter_map(|name| cache.position(name)) {
            if let Some(node) = nodes.get(at) {
                look.ask(at, node.change, node);
            }
        }
        return (look.feasible, look.refused);
    }
    let enough = enough_nodes(profile.percentage, nodes.len());
    let from = rotation.start % nodes.len().max(1);
    let mut looked = 0;
    let known = nodes.iter().zip(cache.last_changes()).enumerate();
    for (at, (node, change)) in known.clone().skip(from).chain(known.take(from)) {
        looked += 1;
        look.ask(at, *change, node);
        if look.feasible.len() >= enough {
            break;
        }
    }
    rotation.start = (from + looked) % nodes.len().max(1);
    (look.feasible, look.refused)
}

fn first_refusal(
    pod: &PodInfo,
    search: &Search<'_>,
    filters: &[&dyn Plugin],
    node: &NodeInfo,
) -> Option<(&'static str, Verdict)> {
    filters.iter().find_map(|plugin| {
        let verdict = plugin.filter(pod, &search.state, node);
        (!verdict.is_success()).then(|| (plugin.name(), verdict))
    })
}

/// What one plugin gave each node that can take the pod.
struct Column {
    plugin: &'static str,
    weight: i64,
    raw: Vec<i64>,
    normalized: Vec<i64>,
}

impl Column {
    fn of(&self, at: usize) -> Score {
        let number = |numbers: &[i64]| numbers.get(at).copied().unwrap_or_default();
        let normalized = number(&self.normalized);
        let weighted = normalized * self.weight;
        Score { plugin: self.plugin, raw: number(&self.raw), normalized, weighted }
    }
}

/// The weighted sums of `count` nodes.
fn totals(columns: &[Column], count: usize) -> Vec<i64> {
    let mut totals = vec![0; count];
    for column in columns {
        for (total, score) in totals.iter_mut().zip(&column.normalized) {
            *total += score * column.weight;
        }
    }
    totals
}

/// The scores by plugin, in the order of the plugins; none where there is nothing to choose.
fn score(
    profile: &Profile,
    pod: &PodInfo,
    cache: &Cache,
    state: &mut CycleState,
    nodes: &Feasible,
    evaluations: &mut Evaluations,
) -> Vec<Column> {
    if nodes.len() < 2 {
        return Vec::new();
    }
    let able: Vec<&NodeInfo> =
        nodes.iter().filter_map(|at| cache.nodes().get(*at)).map(|node| &**node).collect();
    let scores = |one: &&Weighted, state: &mut CycleState| {
        one.plugin.pre_score(pod, cache, &able, state).code != Code::Skip
    };
    let plugins: Vec<&Weighted> = profile.score.iter().filter(|one| scores(one, state)).collect();
    let column = |one: &&Weighted| Column {
        plugin: one.plugin.name(),
        weight: one.weight,
        raw: Vec::with_capacity(nodes.len()),
        normalized: Vec::new(),
    };
    let mut columns: Vec<Column> = plugins.iter().map(column).collect();
    let is_local = |one: &&&Weighted| one.plugin.looks_at_node_only();
    let local = || plugins.iter().filter(is_local);
    evaluations.score_by(local().map(|one| one.plugin.name()));
    for (at, node) in nodes.iter().zip(&able) {
        let ask = |scores: &mut [i64]| {
            for (score, one) in scores.iter_mut().zip(local()) {
                *score = one.plugin.score(pod, state, node);
            }
        };
        let change = cache.last_changes().get(*at).copied().unwrap_or_default();
        let mut known = evaluations.scores(*at, change, ask).iter().copied();
        for (one, column) in plugins.iter().zip(&mut columns) {
            let known = if is_local(&one) { known.next() } else { None };
            column.raw.push(known.unwrap_or_else(|| one.plugin.score(pod, state, node)));
        }
    }
    for (one, column) in plugins.iter().zip(&mut columns) {
        column.normalized.clone_from(&column.raw);
        one.plugin.normalize(&mut column.normalized);
    }
    columns
}

/// Why no node can take the pod, in upstream's words, and whose refusals those are.
fn diagnose(
    count: usize,
    search: &Search<'_>,
    refused: &[(usize, Refusal)],
) -> (String, Rc<[&'static str]>) {
    let mut reasons: SortedMap<Cow<'_, str>, usize> = SortedMap::new();
    let mut plugins: SortedSet<&'static str> = search.narrowed_by.iter().copied().collect();
    // Nodes refused alike share what was said.
    for alike in refused.chunk_by(|(_, one), (_, next)| Rc::ptr_eq(one, next)) {
        let Some((_, refusal)) = alike.first() else { continue };
        let (plugin, verdict) = &**refusal;
        plugins.insert(plugin);
        for reason in &verdict.reasons {
            *reasons.or_default(Cow::Borrowed(&**reason)) += alike.len();
        }
    }
    let absent = count.saturating_sub(refused.len());
    if absent > 0 {
        let by = search.narrowed_by.join(" ");
        let reason = format!("node(s) didn't satisfy plugin(s) [{by}]");
        reasons.insert(Cow::Owned(reason), absent);
    }
    let message = format!("0/{count} nodes are available: {}.", histogram(&reasons));
    (message, plugins.into_iter().collect())
}

/// Looks for pods that have to go, so that the pod can run.
fn preempt(
    preemption: &Preemption<'_>,
    cache: &Cache,
    limits: Limits,
    refused: &[(usize, Refusal)],
    mut known: Option<&mut Evaluations>,
    rng: &mut Rng,
) -> Result<Rc<Candidate>, String> {
    let pod = preemption.pod;
    let nominated = nominated(pod, cache).and_then(|at| {
        let said = refused.iter().find(|(refused, _)| *refused == at);
        Some((&**cache.nodes().get(at)?, said.map(|(_, refusal)| refusal.1.code)))
    });
    eligible(pod, nominated).map_err(|why| format!("preemption: {why}"))?;
    let resolvable = refused.iter().filter(|(_, refusal)| refusal.1.code == Code::Unschedulable);
    let nodes: Vec<(usize, &NodeInfo)> =
        resolvable.filter_map(|(at, _)| Some((*at, &**cache.nodes().get(*at)?))).collect();
    // Without anybody less important there is nothing to choose, nor any chance in it.
    let offset = if nodes.iter().any(|(_, node)| preemption.has_victims(node)) {
        usize::try_from(rng.below(nodes.len() as u64)).unwrap_or_default()
    } else {
        0
    };
    let promised = cache.promised_to(&pod.uid);
    let victims = |(at, node): &(usize, &NodeInfo)| {
        let ask = || shared(preemption.victims(node));
        // What is promised to this very pod there is no obstacle to it, but to its equals.
        match known.as_mut().filter(|_| promised != Some(*at)) {
            Some(known) => known.victims(*at, node, ask),
            None => ask(),
        }
    };
    let (candidates, failed) = Preemption::among(&nodes, offset, limits, victims);
    preemption.best(candidates).ok_or_else(|| preemption_failed(cache.nodes().len(), &failed))
}

/// Why preemption found no node of `count`; `refused` is said of those that were worth a try.
pub fn preemption_failed(count: usize, refused: &[Rc<Verdict>]) -> String {
    let mut reasons: SortedMap<Cow<'_, str>, usize> = SortedMap::new();
    // Most nodes are like the one before.
    for alike in refused.chunk_by(|one, next| one.reasons == next.reasons) {
        for reason in alike.first().into_iter().flat_map(|verdict| &verdict.reasons) {
            *reasons.or_default(Cow::Borrowed(&**reason)) += alike.len();
        }
    }
    if count > refused.len() {
        reasons.insert("Preemption is not helpful for scheduling".into(), count - refused.len());
    }
    format!("preemption: 0/{count} nodes are available: {}.", histogram(&reasons))
}

/// `1 this, 2 that`, sorted as texts.
fn histogram(reasons: &SortedMap<Cow<'_, str>, usize>) -> String {
    let mut parts: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    sort::by(&mut parts, Ord::cmp);
    parts.join(", ")
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
