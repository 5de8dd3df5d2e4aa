//! `DefaultPreemption`: which pods have to go, and from which node, so that a more important one can run.
//!
//! Mirrors: `pkg/scheduler/framework/preemption` and `plugins/defaultpreemption`. Where upstream tells
//! its plugins of each pod that is put back, here they look at the node anew.

use std::cmp::Reverse;
use std::rc::Rc;

use jiff::Timestamp;

use super::framework::{Code, CycleState, Labels, Plugin, PreFilter, Snapshot, Verdict};
use super::node_info::{NodeInfo, PodInfo};
use crate::api::document::Part;
use crate::api::labels::Selector;
use crate::api::words::{DISRUPTION_TARGET, TRUE};
use crate::api::{Document, Kind};
use crate::sim::sort;

/// The reason of the condition that a victim gets.
pub const BY_SCHEDULER: &str = "PreemptionByScheduler";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";
const NEVER: &str = "Never";

/// How many nodes are tried.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub percentage: usize,
    pub absolute: usize,
}

impl Limits {
    /// As the default profile has it.
    pub const DEFAULT: Self = Self { percentage: 10, absolute: 100 };

    /// How many nodes that can be had are enough, of so many that are worth a try.
    pub fn enough(self, nodes: usize) -> usize {
        (nodes * self.percentage / 100).max(self.absolute).min(nodes)
    }
}

/// A node that could be had, and what it would cost.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub node: Rc<str>,
    /// The most important first.
    pub victims: Vec<Rc<PodInfo>>,
    /// How many of them a disruption budget protects.
    pub violations: usize,
    /// What it is compared by.
    pub cost: Cost,
}

/// What nodes that could be had are compared by, worked out once: many are compared each time.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub violations: usize,
    victims: usize,
    /// The highest priority of a victim.
    highest: i64,
    /// The sum of the priorities, shifted so that more victims of negative priority are not better than
    /// fewer.
    sum: i64,
    /// When the first of the most important victims started, of those that have.
    started: Option<Timestamp>,
    /// Whether one of those has not.
    is_new: bool,
}

impl Candidate {
    /// A node that can be had if these pods go, the most important first; the budgets of so many of them are
    /// spent.
    pub fn new(node: Rc<str>, victims: Vec<Rc<PodInfo>>, violations: usize) -> Self {
        let priorities = || victims.iter().map(|victim| i64::from(priority(victim)));
        let highest = priorities().next().unwrap_or(i64::MIN);
        let sum = priorities().map(|one| one + i64::from(i32::MAX) + 1).sum();
        let important = victims.iter().filter(|victim| i64::from(priority(victim)) == highest);
        let starts = || important.clone().map(|victim| start(victim));
        let (started, is_new) = (starts().flatten().min(), starts().any(|start| start.is_none()));
        let count = victims.len();
        let cost = Cost { violations, victims: count, highest, sum, started, is_new };
        Self { node, victims, violations, cost }
    }
}

/// When a pod started; none if it has not.
fn start(pod: &PodInfo) -> Option<Timestamp> {
    pod.pod.status.start_time.as_ref().map(|time| time.0)
}

/// What a preemption is decided on.
pub struct Preemption<'a> {
    pub pod: &'a PodInfo,
    pub cluster: &'a dyn Snapshot,
    /// Those that have something to say in this cycle.
    pub filters: &'a [&'a dyn Plugin],
    /// The moment at which a pod without a start is taken to have started.
    pub now: Timestamp,
}

/// The cluster with another version of one node.
pub(super) struct Overlay<'a> {
    pub below: &'a dyn Snapshot,
    pub node: NodeInfo,
}

impl Snapshot for Overlay<'_> {
    fn nodes(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
        Box::new(
            self.below.nodes().map(
                |node| {
                    if self.node.name == node.name { &self.node } else { node }
                },
            ),
        )
    }

    fn nodes_with_terms(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
        let others = self.below.nodes_with_terms().filter(|node| node.name != self.node.name);
        Box::new(others.chain(Some(&self.node).filter(|node| node.has_terms())))
    }

    fn having(&self, image: &str) -> (usize, usize) {
        self.below.having(image)
    }

    fn size_of(&self, image: &str) -> i64 {
        self.below.size_of(image)
    }

    fn namespace(&self, name: &str) -> Option<&Labels> {
        self.below.namespace(name)
    }

    fn documents(&self, kind: Kind) -> Box<dyn Iterator<Item = &Document> + '_> {
        self.below.documents(kind)
    }

    fn document(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Document> {
        self.below.document(kind, namespace, name)
    }
}

/// A pod's priority.
pub fn priority(pod: &PodInfo) -> i32 {
    pod.pod.spec.priority.unwrap_or_default()
}

/// Whether a pod may preempt others now; `nominated` is the node that it waits for, with what its
/// filters said of it this time.
///
/// # Errors
///
/// Says why not.
pub fn eligible(
    pod: &PodInfo,
    nominated: Option<(&NodeInfo, Option<Code>)>,
) -> Result<(), &'static str> {
    if pod.pod.spec.preemption_policy.as_deref() == Some(NEVER) {
        return Err("not eligible due to preemptionPolicy=Never.");
    }
    let Some((node, said)) = nominated else { return Ok(()) };
    if said == Some(Code::UnschedulableAndUnresolvable) {
        return Ok(());
    }
    let making_room =
        |there: &Rc<PodInfo>| priority(there) < priority(pod) && is_terminating_for_another(there);
    if node.pods.iter().any(making_room) {
        return Err("not eligible due to a terminating pod on the nominated node.");
    }
    Ok(())
}

fn is_terminating_for_another(pod: &PodInfo) -> bool {
    let mut conditions = pod.pod.status.conditions.iter().flatten();
    let target = conditions.find(|condition| condition.type_ == DISRUPTION_TARGET);
    pod.pod.metadata.deletion_timestamp.is_some()
        && target.is_some_and(|target| {
            target.status == TRUE && target.reason.as_deref() == Some(BY_SCHEDULER)
        })
}

impl Preemption<'_> {
    /// Tries the nodes from `offset` on, until enough can be had. The second is why the others cannot.
    pub fn candidates(
        &self,
        nodes: &[&NodeInfo],
        offset: usize,
        limits: Limits,
    ) -> (Vec<Candidate>, Vec<Rc<Verdict>>) {
        let violations =
            |node: &&NodeInfo| self.victims(node).ok().map(|candidate| candidate.violations);
        let (nodes, refused) = Self::among(nodes, offset, limits, violations);
        let refused = refused.into_iter().filter_map(|node| self.victims(node).err());
        let candidates = nodes.into_iter().filter_map(|node| self.victims(node).ok());
        (candidates.collect(), refused.map(Rc::new).collect())
    }

    /// As [`Preemption::candidates`], with `violations` telling how many protected pods would have to leave
    /// a node; none if nobody's leaving helps.
    pub(super) fn among<N: Copy>(
        nodes: &[N],
        offset: usize,
        limits: Limits,
        mut violations: impl FnMut(&N) -> Option<usize>,
    ) -> (Vec<N>, Vec<N>) {
        let enough = limits.enough(nodes.len());
        let (mut harmless, mut violating) = (Vec::new(), Vec::new());
        let mut refused = Vec::new();
        let from = offset.checked_rem(nodes.len()).unwrap_or_default();
        let (before, after) = nodes.split_at(from);
        for node in after.iter().chain(before) {
            match violations(node) {
                Some(violations) => {
                    let list = if violations == 0 { &mut harmless } else { &mut violating };
                    if list.len() < enough {
                        list.push(*node);
                    }
                    if !harmless.is_empty() && harmless.len() + violating.len() >= enough {
                        break;
                    }
                }
                None => refused.push(*node),
            }
        }
        harmless.append(&mut violating);
        (harmless, refused)
    }

    /// Whether a pod less important than this one is on the node.
    pub fn has_victims(&self, node: &NodeInfo) -> bool {
        node.pods.iter().any(|there| priority(there) < priority(self.pod))
    }

    /// The fewest and least important pods that have to leave a node.
    ///
    /// # Errors
    ///
    /// Not even without all less important pods is there room, or there is with all of them.
    pub fn victims(&self, node: &NodeInfo) -> Result<Candidate, Verdict> {
        let own = priority(self.pod);
        let mut possible: Vec<Rc<PodInfo>> =
            node.pods.iter().filter(|there| priority(there) < own).map(Rc::clone).collect();
        if possible.is_empty() {
            return Err(Verdict::unresolvable(NO_VICTIMS));
        }
        let mut left = node.clone();
        for there in &possible {
            left.remove(&there.uid);
        }
        let verdict = self.fits(&left);
        if !verdict.is_success() {
            return Err(verdict);
        }
        sort::by_key(&mut possible, |there| self.importance(there));
        let (protected, free) = self.by_budget(&possible);
        let (mut victims, mut violations) = (Vec::new(), 0);
        for (there, is_protected) in protected
            .iter()
            .map(|there| (there, true))
            .chain(free.iter().map(|there| (there, false)))
        {
            let mut with = left.clone();
            with.add(Rc::clone(there));
            if self.fits(&with).is_success() {
                left = with;
            } else {
                violations += usize::from(is_protected);
                victims.push(Rc::clone(there));
            }
        }
        if victims.is_empty() {
            // Whatever keeps the pod from this node, it is none of the pods there.
            let reason = format!("expected at least one victim pod on node {:?}", node.name);
            return Err(Verdict::unresolvable(reason));
        }
        sort::by_key(&mut victims, |there| self.importance(there));
        Ok(Candidate::new(Rc::clone(&node.name), victims, violations))
    }

    /// Whether the pod fits the node as it would be then, also with the pods that room is made for there.
    fn fits(&self, node: &NodeInfo) -> Verdict {
        match node.with_promised(self.pod).map(|with| self.fits_as_is(with)) {
            Some(refused) if !refused.is_success() => refused,
            Some(_) | None => self.fits_as_is(node.clone()),
        }
    }

    fn fits_as_is(&self, node: NodeInfo) -> Verdict {
        let overlay = Overlay { below: self.cluster, node };
        let mut state = CycleState::default();
        for plugin in self.filters {
            match plugin.pre_filter(self.pod, &overlay, &mut state) {
                PreFilter::Skip => continue,
                PreFilter::Reject(verdict) => return verdict,
                PreFilter::Run | PreFilter::Nodes(_) => {}
            }
            let verdict = plugin.filter(self.pod, &state, &overlay.node);
            if !verdict.is_success() {
                return verdict;
            }
        }
        Verdict::SUCCESS
    }

    /// The order of pods, the most important first: by priority, then by how long they have run.
    fn importance(&self, pod: &PodInfo) -> (Reverse<i32>, Timestamp) {
        (Reverse(priority(pod)), start(pod).unwrap_or(self.now))
    }

    /// The pods that a budget protects, once those before them are gone, and the rest.
    fn by_budget(&self, pods: &[Rc<PodInfo>]) -> (Vec<Rc<PodInfo>>, Vec<Rc<PodInfo>>) {
        let budgets = self.cluster.documents(Kind::PodDisruptionBudget).map(Budget::new);
        let mut budgets: Vec<Budget<'_>> = budgets.collect();
        pods.iter().map(Rc::clone).partition(|pod| {
            // The first budget that a pod violates is enough: those after it do not count the pod.
            let mut of_pod = budgets.iter_mut().filter(|budget| budget.protects(pod));
            of_pod.any(|budget| {
                budget.allowed -= 1;
                budget.allowed < 0
            })
        })
    }

    /// The candidate that costs the least: of the best by each measure in turn the first.
    pub fn best(&self, candidates: Vec<Candidate>) -> Option<Candidate> {
        candidates.into_iter().min_by_key(|candidate| self.price(candidate.cost))
    }

    /// What it costs to have a node: the less the better.
    pub(super) fn price(&self, cost: Cost) -> impl Ord + use<> {
        let starts = cost.started.into_iter().chain(cost.is_new.then_some(self.now));
        let earliest = starts.min();
        (cost.violations, cost.highest, cost.sum, cost.victims, Reverse(earliest))
    }
}

/// A disruption budget.
struct Budget<'a> {
    namespace: &'a str,
    selector: Selector,
    /// How many more pods can go.
    allowed: i64,
    /// The pods that are counted as gone, by name.
    disrupted: Part<'a>,
}

impl<'a> Budget<'a> {
    fn new(budget: &'a Document) -> Self {
        let status = budget.at("status");
        Self {
            namespace: budget.metadata.namespace.as_deref().unwrap_or_default(),
            selector: Selector::from_part(budget.at("spec").at("selector")),
            allowed: status.at("disruptionsAllowed").number().unwrap_or_default(),
            disrupted: status.at("disruptedPods"),
        }
    }

    /// Whether it counts the pod, and does not count it as gone already.
    fn protects(&self, pod: &PodInfo) -> bool {
        let name = pod.pod.metadata.name.as_deref().unwrap_or_default();
        self.namespace == pod.namespace()
            && pod.labels().is_some_and(|labels| !labels.is_empty())
            && !self.selector.is_everything()
            && self.selector.matches(pod.labels())
            && !self.disrupted.at(name).is_there()
    }
}
