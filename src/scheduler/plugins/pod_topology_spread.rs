//! `PodTopologySpread`: about as many pods of a kind in each zone, on each node, or wherever.

use std::rc::Rc;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

use super::node_selector::Required;
use super::tolerations::{NO_EXECUTE, NO_SCHEDULE, tolerated};
use crate::api::labels::Selector;
use crate::api::{Document, Kind};
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Labels, MAX_NODE_SCORE, Plugin, PreFilter, Snapshot, Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::tally::Tally;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
const REQUIRED: &str = "DoNotSchedule";
const PREFERRED: &str = "ScheduleAnyway";
const MISMATCH: &str = "node(s) didn't match pod topology spread constraints";
const NO_LABEL: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";
/// The score of a node that has no part in the spreading.
const IGNORED: i64 = -1;

/// The plugin.
#[derive(Clone, Debug)]
pub struct PodTopologySpread {
    pub defaults: Defaults,
}

/// The constraints of pods that have none of their own.
#[derive(Clone, Debug)]
pub enum Defaults {
    /// Rather over zones and hosts.
    System,
    List(Vec<TopologySpreadConstraint>),
}

impl PodTopologySpread {
    /// As the default profile has it.
    pub const DEFAULT: Self = Self { defaults: Defaults::System };
}

/// A constraint, worked out for a pod.
#[derive(Clone, Debug)]
pub struct Constraint {
    pub max_skew: i64,
    pub topology_key: Rc<str>,
    pub selector: Selector,
    min_domains: usize,
    honors_affinity: bool,
    honors_taints: bool,
}

/// The constraints that must hold, with the pods that count for each value of their labels.
#[derive(Clone, Debug, Default)]
pub struct Spread(Vec<Counted>);

#[derive(Clone, Debug)]
struct Counted {
    constraint: Constraint,
    domains: Tally,
    /// Than which no domain has fewer.
    least: i64,
}

/// The constraints that should hold.
#[derive(Clone, Debug, Default)]
pub struct SpreadScores {
    constraints: Vec<Weighed>,
    /// Whether a node without all labels has no part.
    strict: bool,
}

#[derive(Clone, Debug)]
struct Weighed {
    constraint: Constraint,
    /// How many pods count for each value, but on hosts.
    domains: Tally,
    /// How many count on each host, if the domains are those.
    hosts: Option<Hosts>,
    /// Larger where there are many domains, since each has the fewer pods.
    weight: f64,
}

/// How many pods count on each host that was looked at.
#[derive(Clone, Debug, Default)]
struct Hosts {
    /// After which of its changes each was looked at, by the nodes' places.
    asked: Vec<u64>,
    /// None where it has not got the label.
    counts: Vec<Option<i64>>,
}

impl Hosts {
    /// Sees to it that the counts of `nodes` are known as far as they have places.
    fn update(&mut self, nodes: &[&NodeInfo], count: impl Fn(&NodeInfo) -> Option<i64>) {
        for node in nodes {
            let Some(at) = node.place else { continue };
            if at >= self.asked.len() {
                self.asked.resize(at + 1, 0);
                self.counts.resize(at + 1, None);
            }
            let slots = (self.asked.get_mut(at), self.counts.get_mut(at));
            if let (Some(asked), Some(own)) = slots
                && *asked != node.change
            {
                (*asked, *own) = (node.change, count(node));
            }
        }
    }

    /// The count of a node, asked only if it is not known of it as it is now.
    fn count(&self, node: &NodeInfo, ask: impl FnOnce() -> Option<i64>) -> Option<i64> {
        let known = node.place.filter(|at| self.asked.get(*at) == Some(&node.change));
        known.and_then(|at| self.counts.get(at).copied()).unwrap_or_else(ask)
    }
}

impl Constraint {
    fn new(constraint: &TopologySpreadConstraint, pod: &PodInfo, selector: Selector) -> Self {
        let policy = |policy: &Option<String>, default: bool| match policy.as_deref() {
            Some("Honor") => true,
            Some("Ignore") => false,
            Some(_) | None => default,
        };
        let own = constraint.label_selector.clone();
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        let mut own = own.filter(|_| !keys.is_empty());
        for key in keys {
            let value = pod.labels().and_then(|labels| labels.get(key));
            if let (Some(own), Some(value)) = (&mut own, value) {
                own.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
                    key: key.clone(),
                    operator: "In".to_owned(),
                    values: Some(vec![value.clone()]),
                });
            }
        }
        let selector = own
            .map_or(selector, |own| Selector::from_object(Some(&own)).unwrap_or(Selector::Nothing));
        Self {
            max_skew: constraint.max_skew.into(),
            topology_key: constraint.topology_key.as_str().into(),
            selector,
            min_domains: constraint
                .min_domains
                .and_then(|least| least.try_into().ok())
                .unwrap_or(1),
            honors_affinity: policy(&constraint.node_affinity_policy, true),
            honors_taints: policy(&constraint.node_taints_policy, false),
        }
    }

    /// Has its key where an equal one of `before` is, by which sums are found at once.
    fn share_key_of(&mut self, before: &Self) {
        if self.topology_key == before.topology_key {
            self.topology_key = Rc::clone(&before.topology_key);
        }
    }

    /// Whether pods on the node count, though the pod itself may not be able to run there.
    fn includes(&self, pod: &PodInfo, required: Option<&Required>, node: &NodeInfo) -> bool {
        let affine = || required.is_none_or(|required| required.matches(node));
        let tolerated = || {
            let taints = node.node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
            let tolerations = pod.pod.spec.tolerations.as_deref().unwrap_or_default();
            taints
                .filter(|taint| [NO_SCHEDULE, NO_EXECUTE].contains(&taint.effect.as_str()))
                .all(|taint| tolerated(taint, tolerations))
        };
        (!self.honors_affinity || affine()) && (!self.honors_taints || tolerated())
    }

    /// How many pods on the node count.
    fn count(&self, node: &NodeInfo, namespace: &str) -> i64 {
        if self.selector.is_everything() {
            return 0;
        }
        let counting = node.pods.iter().filter(|there| {
            there.pod.metadata.deletion_timestamp.is_none()
                && there.namespace() == namespace
                && self.selector.matches(there.labels())
        });
        i64::try_from(counting.count()).unwrap_or(i64::MAX)
    }

    /// The same where the node is a domain by itself; none if it has not got the label.
    fn count_on_host(&self, node: &NodeInfo, namespace: &str) -> Option<i64> {
        node.label(&self.topology_key).map(|_| self.count(node, namespace))
    }
}

impl PodTopologySpread {
    /// The constraints with a consequence that are in force for a pod: its own, or the default ones.
    pub fn constraints(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        consequence: &str,
    ) -> Vec<Constraint> {
        let own = pod.pod.spec.topology_spread_constraints.as_deref().unwrap_or_default();
        if !own.is_empty() {
            let own = own.iter().filter(|one| one.when_unsatisfiable == consequence);
            let worked_out = own.map(|one| {
                let selector = Selector::from_object(one.label_selector.as_ref());
                Constraint::new(one, pod, selector.unwrap_or(Selector::Nothing))
            });
            return worked_out.collect();
        }
        let system = [system_default(HOSTNAME, 3), system_default(ZONE, 5)];
        let defaults: &[TopologySpreadConstraint] = match &self.defaults {
            Defaults::System => &system,
            Defaults::List(list) => list,
        };
        let defaults = defaults.iter().filter(|one| one.when_unsatisfiable == consequence);
        let Some(selector) = default_selector(pod, cluster) else { return Vec::new() };
        defaults.map(|one| Constraint::new(one, pod, selector.clone())).collect()
    }
}

fn system_default(topology_key: &str, max_skew: i32) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: PREFERRED.to_owned(),
        ..TopologySpreadConstraint::default()
    }
}

/// What the services that have the pod and its controller select; none if that is nothing.
///
/// Mirrors: `plugins/helper/spread.go` `DefaultSelector`.
fn default_selector(pod: &PodInfo, cluster: &dyn Snapshot) -> Option<Selector> {
    let own = |kind| {
        let of_all = cluster.documents(kind);
        of_all.filter(|it| it.metadata.namespace.as_deref() == Some(pod.namespace()))
    };
    let mut labels = Labels::new();
    for service in own(Kind::Service) {
        let selector = service.at("spec").at("selector").labels();
        if !selector.is_empty() && Selector::from_labels(&selector).matches(pod.labels()) {
            labels.extend(selector);
        }
    }
    let owners = pod.pod.metadata.owners();
    let owner = owners.iter().find(|owner| owner.controller == Some(true));
    let selected_by = |kind: Kind| {
        let owner = owner.filter(|owner| {
            let resource = kind.resource();
            owner.kind == resource.name && owner.api_version == resource.api_version()
        })?;
        let named = |it: &&Document| it.metadata.name.as_deref() == Some(owner.name.as_str());
        own(kind).find(named).map(|it| it.at("spec").at("selector"))
    };
    if let Some(selector) = selected_by(Kind::ReplicationController) {
        labels.extend(selector.labels());
    }
    let selector = Selector::from_labels(&labels);
    let set = selected_by(Kind::ReplicaSet).or_else(|| selected_by(Kind::StatefulSet));
    let selector = match set {
        Some(set) => selector.and(&Selector::from_part(set)),
        None => selector,
    };
    (!selector.is_everything()).then_some(selector)
}

fn has_all_labels<'a>(node: &NodeInfo, mut keys: impl Iterator<Item = &'a Rc<str>>) -> bool {
    keys.all(|key| node.label(key).is_some())
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        state: &mut CycleState,
    ) -> PreFilter {
        let constraints = self.constraints(pod, cluster, REQUIRED);
        if constraints.is_empty() {
            return PreFilter::Skip;
        }
        let required = Required::of_pod(&pod.pod.spec);
        let mut known = std::mem::take(&mut state.spread.0).into_iter();
        let counted = |mut constraint: Constraint| {
            let known = known.next().map(|one| (one.constraint, one.domains));
            let domains = known.map(|(before, domains)| {
                constraint.share_key_of(&before);
                domains
            });
            Counted { constraint, domains: domains.unwrap_or_default(), least: 0 }
        };
        let mut spread: Vec<Counted> = constraints.into_iter().map(counted).collect();
        let keys: Vec<Rc<str>> =
            spread.iter().map(|one| Rc::clone(&one.constraint.topology_key)).collect();
        for Counted { constraint, domains, least } in &mut spread {
            domains.update(cluster, &|node, counts| {
                if has_all_labels(node, keys.iter())
                    && constraint.includes(pod, required.as_ref(), node)
                {
                    counts.add(&constraint.topology_key, constraint.count(node, pod.namespace()));
                }
            });
            let values = domains.values(&constraint.topology_key);
            let (count, fewest) = values.fold((0, None), |(count, fewest), (_, here)| {
                (count + 1, Some(fewest.map_or(here, |fewest: i64| fewest.min(here))))
            });
            if count >= constraint.min_domains {
                // Without any domain there is nothing to be more than.
                *least = fewest.unwrap_or(i64::from(i32::MAX));
            }
        }
        state.spread = Spread(spread);
        PreFilter::Run
    }

    fn filter(&self, pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        for Counted { constraint, domains, least } in &state.spread.0 {
            let Some(here) = domains.of(&constraint.topology_key, node) else {
                return Verdict::unresolvable(NO_LABEL);
            };
            let own = i64::from(constraint.selector.matches(pod.labels()));
            if here + own - least > constraint.max_skew {
                return Verdict::unschedulable(MISMATCH);
            }
        }
        Verdict::SUCCESS
    }

    /// Nodes that count for one domain and no other are of that domain.
    fn alike(&self, state: &CycleState, at: usize) -> Option<usize> {
        match state.spread.0.as_slice() {
            [one] => one.domains.place(at),
            _ => None,
        }
    }

    fn pre_score(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        nodes: &[&NodeInfo],
        state: &mut CycleState,
    ) -> Verdict {
        let constraints = self.constraints(pod, cluster, PREFERRED);
        if constraints.is_empty() {
            return Verdict::SKIP;
        }
        let own = pod.pod.spec.topology_spread_constraints.as_ref();
        let is_system = matches!(self.defaults, Defaults::System);
        let strict = own.is_some_and(|own| !own.is_empty()) || !is_system;
        let known = std::mem::take(&mut state.spread_scores);
        let mut scores = SpreadScores::new(constraints, strict, known);
        scores.count(pod, cluster, nodes);
        scores.weigh(pod, nodes);
        state.spread_scores = scores;
        Verdict::SUCCESS
    }

    #[expect(clippy::cast_possible_truncation, reason = "upstream rounds a float; it is small")]
    fn score(&self, pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let SpreadScores { constraints, strict } = &state.spread_scores;
        let mut sum = 0.0;
        for one in constraints {
            match one.count(pod, node) {
                Some(count) => sum += one.score(count),
                None if *strict => return IGNORED,
                None => {}
            }
        }
        sum.round() as i64
    }

    /// The fewer the better; a node without a part gets nothing.
    fn normalized(&self, raw: &[i64]) -> Option<Vec<i64>> {
        let counting = || raw.iter().copied().filter(|score| *score != IGNORED);
        let (least, most) = (counting().min().unwrap_or_default(), counting().max().unwrap_or(0));
        let scale = |score: &i64| match *score {
            IGNORED => 0,
            _ if most == 0 => MAX_NODE_SCORE,
            score => MAX_NODE_SCORE * (most + least - score) / most,
        };
        Some(raw.iter().map(scale).collect())
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{
            AssignedPodAdded, AssignedPodDeleted, AssignedPodLabels, NodeAdded, NodeDeleted,
            NodeLabels, NodeTaints, OwnLabels, OwnTolerations,
        };
        matches!(event, AssignedPodAdded | AssignedPodDeleted | AssignedPodLabels)
            || matches!(event, NodeAdded | NodeDeleted | NodeLabels | NodeTaints)
            || matches!(event, OwnLabels | OwnTolerations)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, cluster: &dyn Snapshot) -> bool {
        let constraints = self.constraints(pod, cluster, REQUIRED);
        let keys = || constraints.iter().map(|one| &one.topology_key);
        let labels = |node: &NodeInfo| has_all_labels(node, keys());
        let counts = |one: &Constraint, pod: &PodInfo| one.selector.matches(pod.labels());
        match about {
            About::Pod { old, new } => {
                let other = |it: &&PodInfo| it.uid != pod.uid && it.namespace() != pod.namespace();
                if old.as_ref().is_some_and(other) || new.as_ref().is_some_and(other) {
                    return false;
                }
                let (Some(old), Some(new)) = (old, new) else {
                    let one = old.or(*new);
                    return one.is_some_and(|it| constraints.iter().any(|own| counts(own, it)));
                };
                let tolerations = |pod: &PodInfo| pod.pod.spec.tolerations.clone();
                new.uid == pod.uid
                    && tolerations(old) != tolerations(new)
                    && constraints.iter().any(|one| one.honors_taints)
                    || constraints.iter().any(|one| counts(one, old) != counts(one, new))
            }
            About::Node { old: Some(old), new: Some(new) } => {
                let taints = |node: &NodeInfo| node.node.spec.clone().and_then(|spec| spec.taints);
                labels(old) != labels(new)
                    || labels(new)
                        && (keys().any(|key| old.label(key) != new.label(key))
                            || taints(old) != taints(new))
            }
            About::Node { old, new } => old.or(*new).is_some_and(labels),
            About::Document { .. } => true,
        }
    }
}

impl SpreadScores {
    /// `known` is what was counted for an equal pod.
    fn new(constraints: Vec<Constraint>, strict: bool, known: SpreadScores) -> Self {
        let mut known = known.constraints.into_iter();
        let weighed = |mut constraint: Constraint| {
            let known = known.next().map(|one| {
                constraint.share_key_of(&one.constraint);
                (one.domains, one.hosts)
            });
            let (domains, hosts) = known.unwrap_or_default();
            let is_of_hosts = &*constraint.topology_key == HOSTNAME;
            let hosts = is_of_hosts.then(|| hosts.unwrap_or_default());
            Weighed { constraint, domains, hosts, weight: 0.0 }
        };
        Self { constraints: constraints.into_iter().map(weighed).collect(), strict }
    }

    /// Weighs the constraints by how many domains the nodes that can take the pod are in.
    fn weigh(&mut self, pod: &PodInfo, nodes: &[&NodeInfo]) {
        let has_part = |node: &NodeInfo| {
            !self.strict || self.constraints.iter().all(|one| one.count(pod, node).is_some())
        };
        let mut taking_part = Vec::with_capacity(nodes.len());
        taking_part.extend(nodes.iter().filter(|node| has_part(node)));
        for one in &mut self.constraints {
            let key = &one.constraint.topology_key;
            let domains = match one.hosts {
                Some(_) => taking_part.len(),
                None => one.domains.distinct(key, &taking_part),
            };
            one.weight = (f64::from(u32::try_from(domains).unwrap_or(u32::MAX)) + 2.0).ln();
        }
    }

    /// Counts the pods of all nodes, by hosts those of `nodes` alone.
    fn count(&mut self, pod: &PodInfo, cluster: &dyn Snapshot, nodes: &[&NodeInfo]) {
        let required = Required::of_pod(&pod.pod.spec);
        let keys: Vec<Rc<str>> =
            self.constraints.iter().map(|one| Rc::clone(&one.constraint.topology_key)).collect();
        let strict = self.strict;
        for Weighed { constraint, domains, hosts, .. } in &mut self.constraints {
            if let Some(hosts) = hosts {
                hosts.update(nodes, |node| constraint.count_on_host(node, pod.namespace()));
                continue;
            }
            domains.update(cluster, &|node, counts| {
                if (!strict || has_all_labels(node, keys.iter()))
                    && constraint.includes(pod, required.as_ref(), node)
                {
                    counts.add(&constraint.topology_key, constraint.count(node, pod.namespace()));
                }
            });
        }
    }
}

impl Weighed {
    /// How many pods count in the node's domain; none if it has not got the label.
    fn count(&self, pod: &PodInfo, node: &NodeInfo) -> Option<i64> {
        match &self.hosts {
            Some(hosts) => {
                hosts.count(node, || self.constraint.count_on_host(node, pod.namespace()))
            }
            None => self.domains.of(&self.constraint.topology_key, node),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "upstream computes with floats; counts are small"
    )]
    fn score(&self, count: i64) -> f64 {
        count as f64 * self.weight + (self.constraint.max_skew - 1) as f64
    }
}

impl Spread {
    /// For each constraint its label, and how many pods count for each value.
    pub fn counts(&self) -> impl Iterator<Item = (&str, Vec<(&str, i64)>)> {
        self.0.iter().map(|one| {
            let key = &*one.constraint.topology_key;
            (key, one.domains.values(key).collect())
        })
    }
}
