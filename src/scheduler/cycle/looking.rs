//! Which nodes can take a pod, and why the others cannot.

use super::{Profile, Rotation, Search, enough_nodes};
use crate::scheduler::cache::Cache;
use crate::scheduler::evaluations::Evaluations;
use crate::scheduler::framework::{CycleState, Plugin, PreFilter, Verdict};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::preemption::Overlay;

/// The places in the cache of nodes that can take a pod.
pub(super) type Feasible = Vec<usize>;
/// The places of those that cannot, with the numbers of their refusals.
pub(super) type Refused = Vec<(usize, usize)>;

/// Numbers of nodes that are alike up to here are remembered.
const MOST_ALIKE: usize = 1000;

/// What was said of nodes that are alike.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// Nobody has asked.
    Nothing,
    Fits,
    Refused(usize),
}

/// What the filters say of one node after the other.
struct Look<'a> {
    pod: &'a PodInfo,
    search: &'a Search<'a>,
    cache: &'a Cache,
    /// The first filters, up to one that looks further: what these say is remembered.
    local: &'a [&'a dyn Plugin],
    further: &'a [&'a dyn Plugin],
    /// What the one filter that looks further said of nodes that are alike, by their number.
    alike: Vec<Said>,
    /// The place of the node that it is promised room on.
    promised: Option<usize>,
    evaluations: &'a mut Evaluations,
}

impl<'a> Look<'a> {
    fn new(
        pod: &'a PodInfo,
        search: &'a Search<'_>,
        cache: &'a Cache,
        evaluations: &'a mut Evaluations,
    ) -> Self {
        let local = search.filters.iter().take_while(|plugin| plugin.looks_at_node_only()).count();
        let (local, further) = search.filters.split_at(local);
        let (alike, promised) = (Vec::new(), cache.promised_to(&pod.uid));
        Self { pod, search, cache, local, further, alike, promised, evaluations }
    }

    /// The number of the refusal of the node at `at`, whose last change is the one of that number; none if
    /// it can take the pod.
    fn ask(&mut self, at: usize, change: u64) -> Option<usize> {
        let local = self.local;
        let refusal = if self.promised == Some(at) {
            // Where it is promised room itself, the answer is its own.
            let refusal = self.refused_by(local, at);
            self.evaluations.share(refusal)
        } else {
            let Self { pod, search, cache, .. } = *self;
            let ask = || refused_by(pod, search, cache, local, at);
            self.evaluations.refusal(at, change, ask)
        };
        refusal.or_else(|| self.ask_further(at))
    }

    /// Asks the filters that look further.
    fn ask_further(&mut self, at: usize) -> Option<usize> {
        let further = self.further;
        let number = match further {
            [] => return None,
            // What is promised makes a node unlike others.
            [_] if self.cache.nodes().get(at).is_some_and(|node| !node.promised.is_empty()) => None,
            [one] => one.alike(&self.search.state, at).filter(|number| *number < MOST_ALIKE),
            _ => None,
        };
        let Some(number) = number else {
            let refusal = self.refused_by(further, at);
            return self.evaluations.share(refusal);
        };
        match self.alike.get(number) {
            Some(Said::Fits) => return None,
            Some(Said::Refused(refusal)) => return Some(*refusal),
            Some(Said::Nothing) | None => {}
        }
        let refusal = self.refused_by(further, at);
        let refusal = self.evaluations.share(refusal);
        self.alike.resize(self.alike.len().max(number + 1), Said::Nothing);
        if let Some(known) = self.alike.get_mut(number) {
            *known = refusal.map_or(Said::Fits, Said::Refused);
        }
        refusal
    }

    fn refused_by(&self, filters: &[&dyn Plugin], at: usize) -> Option<(&'static str, Verdict)> {
        refused_by(self.pod, self.search, self.cache, filters, at)
    }
}

/// Who refuses the node at `at`, and why. Room that was made there for a more important pod is not for
/// this one, and what such a pod has against others counts as if it ran there.
fn refused_by(
    pod: &PodInfo,
    search: &Search<'_>,
    cache: &Cache,
    filters: &[&dyn Plugin],
    at: usize,
) -> Option<(&'static str, Verdict)> {
    let node = cache.nodes().get(at)?;
    let with = node.with_promised(pod);
    let with = with.and_then(|node| refused_with_promised(pod, search, cache, filters, node));
    with.or_else(|| first_refusal(pod, search, filters, node))
}

fn refused_with_promised(
    pod: &PodInfo,
    search: &Search<'_>,
    cache: &Cache,
    filters: &[&dyn Plugin],
    node: NodeInfo,
) -> Option<(&'static str, Verdict)> {
    let cluster = Overlay { below: cache, node };
    filters.iter().find_map(|plugin| {
        let verdict = if plugin.looks_at_node_only() {
            plugin.filter(pod, &search.state, &cluster.node)
        } else {
            // It has counted the pods that are there, and counts these with them.
            let mut state = CycleState::default();
            match plugin.pre_filter(pod, &cluster, &mut state) {
                PreFilter::Skip => return None,
                PreFilter::Reject(verdict) => verdict,
                PreFilter::Run | PreFilter::Nodes(_) => plugin.filter(pod, &state, &cluster.node),
            }
        };
        (!verdict.is_success()).then(|| (plugin.name(), verdict))
    })
}

/// The place of the node that a pod waits for.
pub(super) fn nominated(pod: &PodInfo, cache: &Cache) -> Option<usize> {
    cache.position(pod.pod.status.nominated_node_name.as_deref()?)
}

/// The nodes that can take the pod, and those of the others that were looked at. If it waits for a node that
/// can, no other is looked at.
pub(super) fn look(
    profile: &Profile,
    pod: &PodInfo,
    search: &Search<'_>,
    cache: &Cache,
    rotation: &mut Rotation,
    evaluations: &mut Evaluations,
) -> (Feasible, Refused) {
    let mut aside = None;
    if let Some(at) = nominated(pod, cache) {
        let change = cache.last_changes().get(at).copied().unwrap_or_default();
        match Look::new(pod, search, cache, evaluations).ask(at, change) {
            None => return (vec![at], Vec::new()),
            Some(refusal) => aside = Some((at, refusal)),
        }
    }
    let (feasible, mut refused) = look_around(profile, pod, search, cache, rotation, evaluations);
    // What was said of it counts, even if it is none of those that were to be looked at.
    refused.extend(aside.filter(|(at, _)| {
        let name = cache.nodes().get(*at).map(|node| &*node.name).unwrap_or_default();
        search.names.as_ref().is_some_and(|names| !names.contains(name))
    }));
    (feasible, refused)
}

/// As [`look`], of all nodes.
fn look_around(
    profile: &Profile,
    pod: &PodInfo,
    search: &Search<'_>,
    cache: &Cache,
    rotation: &mut Rotation,
    evaluations: &mut Evaluations,
) -> (Feasible, Refused) {
    let (changes, order) = (cache.last_changes(), cache.order());
    if let Some(refused) = look_again(pod, search, cache, rotation, evaluations) {
        return (Vec::new(), refused);
    }
    let (mut feasible, mut refused) = evaluations.room();
    let mut look = Look::new(pod, search, cache, evaluations);
    let named = search.names.as_ref().map(|names| {
        let places = names.iter().filter_map(|name| cache.position(name));
        places.filter(|at| *at < changes.len()).collect::<Vec<usize>>()
    });
    let count = named.as_ref().map_or(changes.len(), Vec::len);
    let enough = match enough_nodes(profile.percentage, count) {
        // Where nobody says which is the better one the first is as good as any.
        _ if profile.score.is_empty() => 1,
        enough => enough,
    };
    let (from, mut looked) = (rotation.start % count.max(1), 0);
    for number in (from..count).chain(0..from) {
        let at = match (&named, order) {
            (Some(places), _) => places.get(number).copied(),
            (None, Some(order)) => order.place(number),
            (None, None) => Some(number),
        };
        let Some((at, change)) = at.and_then(|at| Some((at, *changes.get(at)?))) else { continue };
        looked += 1;
        match look.ask(at, change) {
            None => feasible.push(at),
            Some(refusal) => refused.push((at, refusal)),
        }
        if feasible.len() >= enough {
            break;
        }
    }
    // All nodes move on by as many as were looked at, of whichever.
    rotation.start = (rotation.start + looked) % changes.len().max(1);
    (feasible, refused)
}

/// As [`look`], if an equal pod fitted nowhere and this one does not either: only nodes that have changed are
/// asked. None if a node can take it, or if nothing is known.
fn look_again(
    pod: &PodInfo,
    search: &Search<'_>,
    cache: &Cache,
    rotation: &Rotation,
    evaluations: &mut Evaluations,
) -> Option<Refused> {
    let changes = cache.last_changes();
    let from = rotation.start.checked_rem(changes.len())?;
    if search.names.is_some() || !search.looks_at_nodes_only() {
        return None;
    }
    let mut stale = evaluations.all_refused(from, cache.order(), changes)?;
    let mut look = Look::new(pod, search, cache, evaluations);
    stale.extend(look.promised);
    for at in stale {
        let refusal = look.ask(at, *changes.get(at)?);
        look.evaluations.put_in_all(at, refusal);
        refusal?;
    }
    Some(evaluations.take_all())
}

pub(super) fn first_refusal(
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
