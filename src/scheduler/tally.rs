//! Sums over all nodes by the value of a label, brought up to date by the nodes that have changed.

use std::rc::Rc;

use super::framework::Snapshot;
use super::node_info::NodeInfo;
use crate::sim::{SortedMap, SortedSet};

/// The change of a node that was not asked yet.
const NEVER: u64 = u64::MAX;
/// How many nodes are compared at once.
const CHUNK: usize = 64;
/// The domain of a node that has not got the label.
const NOWHERE: usize = usize::MAX;

/// What nodes count for, summed up by label and value. A cycle for a pod equal to the last one finds
/// the sums as they were, and asks only the nodes that have changed since.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// After which of its changes each node was asked, by the nodes' places.
    asked: Vec<u64>,
    /// What each node counts for.
    nodes: Vec<Vec<Count>>,
    /// The labels that nodes have counted by, few at a time.
    topologies: Vec<Topology>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    /// The place of the label among those that nodes have counted by.
    topology: usize,
    domain: usize,
    amount: i64,
}

/// The sums for the values of one label. It is known of each node which of them is its own: to ask for that
/// is no look at texts.
#[derive(Clone, Debug)]
struct Topology {
    key: Rc<str>,
    /// The place of each node's domain, by the nodes' places.
    of_nodes: Vec<usize>,
    domains: Vec<Domain>,
    /// The place of the domain of each value.
    values: SortedMap<Rc<str>, usize>,
    /// The places of domains that have no nodes any more.
    free: Vec<usize>,
}

/// The nodes with one value of a label.
#[derive(Clone, Debug, Default)]
struct Domain {
    value: Rc<str>,
    amount: i64,
    /// How many nodes count for it.
    counting: usize,
    nodes: usize,
}

/// What one node counts for.
pub struct Counts<'a> {
    at: usize,
    node: &'a NodeInfo,
    topologies: &'a mut Vec<Topology>,
    all: Vec<Count>,
}

impl Counts<'_> {
    /// Counts for the node's value of a label; for nothing if it has none.
    pub fn add(&mut self, key: &Rc<str>, amount: i64) {
        let Some((topology, domain)) = self.find(key) else { return };
        let mut known = self.all.iter_mut();
        match known.find(|count| (count.topology, count.domain) == (topology, domain)) {
            Some(count) => count.amount += amount,
            None => self.all.push(Count { topology, domain, amount }),
        }
    }

    fn find(&mut self, key: &Rc<str>) -> Option<(usize, usize)> {
        let at = self.topologies.iter().position(|topology| topology.key == *key);
        let at = at.unwrap_or_else(|| {
            self.topologies.push(Topology::new(Rc::clone(key)));
            self.topologies.len() - 1
        });
        let topology = self.topologies.get_mut(at)?;
        let domain = match topology.of_nodes.get(self.at) {
            Some(domain) => *domain,
            None => self.node.label(key).map_or(NOWHERE, |value| topology.place(value)),
        };
        (domain != NOWHERE).then_some((at, domain))
    }
}

impl Tally {
    /// Asks what each node counts for, if it has changed since it was last asked.
    pub fn update(&mut self, cluster: &dyn Snapshot, ask: &dyn Fn(&NodeInfo, &mut Counts<'_>)) {
        let Some((nodes, latest)) = cluster.places() else {
            let nodes: Vec<&NodeInfo> = cluster.nodes().collect();
            self.resize(nodes.len());
            for (at, node) in nodes.into_iter().enumerate() {
                if self.asked.get(at).is_none_or(|asked| *asked != node.change) {
                    self.ask(at, node, ask);
                }
            }
            self.complete(cluster);
            return;
        };
        self.resize(nodes.len());
        // Few have changed, and to compare many numbers at once is quick.
        let chunks = self.asked.chunks(CHUNK).zip(latest.chunks(CHUNK)).enumerate();
        let changed = chunks.filter(|(_, (asked, latest))| asked != latest);
        for chunk in changed.map(|(number, _)| number * CHUNK).collect::<Vec<usize>>() {
            for (at, node) in nodes.iter().enumerate().skip(chunk).take(CHUNK) {
                if self.asked.get(at) != latest.get(at) {
                    self.ask(at, node, ask);
                }
            }
        }
        self.complete(cluster);
    }

    /// Makes room for so many nodes; what the others counted for is taken out.
    fn resize(&mut self, nodes: usize) {
        for gone in self.nodes.drain(nodes.min(self.nodes.len())..) {
            take_out(&mut self.topologies, &gone);
        }
        self.nodes.resize(nodes, Vec::new());
        self.asked.resize(nodes, NEVER);
        for topology in &mut self.topologies {
            while topology.of_nodes.len() > nodes {
                let domain = topology.of_nodes.pop().unwrap_or(NOWHERE);
                topology.leave(domain);
            }
            topology.of_nodes.resize(nodes, NOWHERE);
        }
    }

    fn ask(&mut self, at: usize, node: &NodeInfo, ask: &dyn Fn(&NodeInfo, &mut Counts<'_>)) {
        for topology in &mut self.topologies {
            topology.join(at, node);
        }
        let topologies = &mut self.topologies;
        let mut counts = Counts { at, node, topologies, all: Vec::new() };
        ask(node, &mut counts);
        let new = counts.all;
        for count in &new {
            let topology = self.topologies.get_mut(count.topology);
            if let Some(domain) = topology.and_then(|it| it.domains.get_mut(count.domain)) {
                domain.amount += count.amount;
                domain.counting += 1;
            }
        }
        if let (Some(asked), Some(counts)) = (self.asked.get_mut(at), self.nodes.get_mut(at)) {
            *asked = node.change;
            let old = std::mem::replace(counts, new);
            take_out(&mut self.topologies, &old);
        }
    }

    /// Finds every node's domain by the labels that nodes count by for the first time.
    fn complete(&mut self, cluster: &dyn Snapshot) {
        let count = self.nodes.len();
        for topology in self.topologies.iter_mut().filter(|it| it.of_nodes.len() < count) {
            topology.of_nodes.resize(count, NOWHERE);
            for (at, node) in cluster.nodes().enumerate() {
                topology.join(at, node);
            }
        }
    }

    fn topology(&self, key: &str) -> Option<&Topology> {
        let is_same = |own: &str| std::ptr::eq(own, key) || own == key;
        self.topologies.iter().find(|topology| is_same(&topology.key))
    }

    /// The sum for the node's value of a label; none if it has not got the label.
    pub fn of(&self, key: &str, node: &NodeInfo) -> Option<i64> {
        let Some(topology) = self.topology(key) else { return node.label(key).map(|_| 0) };
        match node.place {
            Some(_) => topology.domain(node).map(|domain| domain.amount),
            None => node.label(key).map(|_| topology.sum(node)),
        }
    }

    /// The place of the one sum that the node at `at` counts for; none if there is none, or are more.
    pub fn place(&self, at: usize) -> Option<usize> {
        match self.nodes.get(at)?.as_slice() {
            [one] => Some(one.domain),
            _ => None,
        }
    }

    /// The values of a label that nodes count for, each with its sum.
    pub fn values(&self, key: &str) -> impl Iterator<Item = (&str, i64)> {
        let topology = self.topology(key).into_iter();
        let domains =
            topology.flat_map(|it| it.values.values().filter_map(|at| it.domains.get(*at)));
        let counting = domains.filter(|domain| domain.counting > 0);
        counting.map(|domain| (&*domain.value, domain.amount))
    }

    /// How many different values of a label nodes have; to have none is one, too.
    pub fn distinct(&self, key: &str, nodes: &[&NodeInfo]) -> usize {
        let topology = self.topology(key);
        let own = |node: &&NodeInfo| topology?.of_nodes.get(node.place?).copied();
        let Some(places) = nodes.iter().map(own).collect::<Option<Vec<usize>>>() else {
            let values = nodes.iter().map(|node| node.label(key).unwrap_or_default());
            return values.collect::<SortedSet<_>>().len();
        };
        let most = topology.map_or(0, |topology| topology.domains.len());
        let mut seen = vec![false; most + 1];
        for place in places {
            if let Some(seen) = seen.get_mut(place.min(most)) {
                *seen = true;
            }
        }
        seen.into_iter().filter(|seen| *seen).count()
    }

    /// The sum of all that counts on a node.
    pub fn on(&self, node: &NodeInfo) -> i64 {
        self.topologies.iter().map(|topology| topology.sum(node)).sum()
    }

    /// Whether no node counts for anything.
    pub fn is_empty(&self) -> bool {
        self.topologies.iter().flat_map(|it| &it.domains).all(|domain| domain.counting == 0)
    }
}

/// A node counts for this no more.
fn take_out(topologies: &mut [Topology], counts: &[Count]) {
    for count in counts {
        let Some(topology) = topologies.get_mut(count.topology) else { continue };
        if let Some(domain) = topology.domains.get_mut(count.domain) {
            domain.amount -= count.amount;
            domain.counting -= 1;
        }
        topology.free_if_unused(count.domain);
    }
}

impl Topology {
    fn new(key: Rc<str>) -> Self {
        let (of_nodes, domains, free) = (Vec::new(), Vec::new(), Vec::new());
        Self { key, of_nodes, domains, values: SortedMap::new(), free }
    }

    /// The place of the domain of a value, which is made if there is none.
    fn place(&mut self, value: &str) -> usize {
        if let Some(at) = self.values.get(value) {
            return *at;
        }
        let value: Rc<str> = value.into();
        let at = self.free.pop().unwrap_or(self.domains.len());
        self.values.insert(Rc::clone(&value), at);
        let domain = Domain { value, ..Domain::default() };
        match self.domains.get_mut(at) {
            Some(old) => *old = domain,
            None => self.domains.push(domain),
        }
        at
    }

    /// Puts the node at `at` into its domain. Before all nodes are put into theirs, that waits.
    fn join(&mut self, at: usize, node: &NodeInfo) {
        let Some(old) = self.of_nodes.get(at).copied() else { return };
        let value = node.label(&self.key);
        if self.domains.get(old).map(|domain| &*domain.value) == value {
            return;
        }
        let new = value.map_or(NOWHERE, |value| self.place(value));
        if let Some(domain) = self.domains.get_mut(new) {
            domain.nodes += 1;
        }
        if let Some(own) = self.of_nodes.get_mut(at) {
            *own = new;
        }
        self.leave(old);
    }

    /// One node less is in a domain.
    fn leave(&mut self, domain: usize) {
        if let Some(domain) = self.domains.get_mut(domain) {
            domain.nodes -= 1;
        }
        self.free_if_unused(domain);
    }

    fn free_if_unused(&mut self, at: usize) {
        let Some(domain) = self.domains.get(at) else { return };
        if domain.nodes == 0 && domain.counting == 0 {
            self.values.remove(&domain.value);
            self.free.push(at);
        }
    }

    fn domain(&self, node: &NodeInfo) -> Option<&Domain> {
        let at = match node.place {
            Some(at) => self.of_nodes.get(at),
            None => self.values.get(node.label(&self.key)?),
        };
        self.domains.get(*at?)
    }

    fn sum(&self, node: &NodeInfo) -> i64 {
        self.domain(node).map_or(0, |domain| domain.amount)
    }
}

#[cfg(test)]
mod tests {
    use crate::api::wire::Node;
    use proptest::prelude::*;

    use super::*;
    use crate::scheduler::framework::Labels;

    fn node(zone: u8, change: u64) -> NodeInfo {
        let mut node = Node::default();
        let labels = [("zone".to_owned(), format!("z{zone}"))];
        node.metadata.labels = Some(Rc::new(labels.into()));
        NodeInfo { change, ..NodeInfo::new(Rc::new(node)) }
    }

    /// What knows of no places, or of as many as there are nodes.
    struct Nodes(Vec<Rc<NodeInfo>>, Option<Vec<u64>>);

    impl Snapshot for Nodes {
        fn nodes(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
            Box::new(self.0.iter().map(|node| &**node))
        }

        fn places(&self) -> Option<(&[Rc<NodeInfo>], &[u64])> {
            Some((&self.0, self.1.as_deref()?))
        }

        fn namespace(&self, _name: &str) -> Option<&Labels> {
            None
        }
    }

    proptest! {
        /// Nodes come, go, and change their label and what they count for.
        #[test]
        fn it_is_as_if_made_anew(rounds in prop::collection::vec(
            prop::collection::vec((0..4u8, 0..20u64), 0..8), 1..6,
        )) {
            let key: Rc<str> = "zone".into();
            let (mut kept, mut also) = (Tally::default(), Tally::default());
            for round in rounds {
                // Equal numbers stand for nodes that did not change.
                let nodes: Vec<Rc<NodeInfo>> = round
                    .iter()
                    .map(|(zone, change)| Rc::new(node(*zone, change * 4 + u64::from(*zone))))
                    .collect();
                let changes = nodes.iter().map(|node| node.change).collect();
                let with_places = Nodes(nodes.clone(), Some(changes));
                let nodes = Nodes(nodes, None);
                let ask = |node: &NodeInfo, counts: &mut Counts<'_>| {
                    counts.add(&key, i64::try_from(node.change).unwrap());
                };
                let mut fresh = Tally::default();
                kept.update(&nodes, &ask);
                fresh.update(&nodes, &ask);
                let mut placed = Tally::default();
                placed.update(&with_places, &ask);
                prop_assert!(placed.values("zone").eq(fresh.values("zone")));
                also.update(&with_places, &ask);
                prop_assert!(also.values("zone").eq(fresh.values("zone")));
                for (at, node) in nodes.0.iter().enumerate() {
                    let zone = kept.values("zone").find(|(zone, _)| node.label("zone") == Some(zone));
                    let sum = zone.map(|(_, sum)| sum);
                    let place = kept.place(at).unwrap();
                    prop_assert_eq!(Some(kept.topologies[0].domains[place].amount), sum);
                    prop_assert_eq!(kept.of("zone", node), sum);
                    prop_assert_eq!(kept.on(node), sum.unwrap());
                    let placed = NodeInfo { place: Some(at), ..NodeInfo::clone(node) };
                    prop_assert_eq!(kept.of("zone", &placed), sum);
                    prop_assert_eq!(kept.on(&placed), sum.unwrap());
                    prop_assert_eq!(kept.of("rack", &placed), None);
                }
                prop_assert!(kept.values("zone").eq(fresh.values("zone")));
                prop_assert_eq!(kept.is_empty(), fresh.is_empty());
            }
        }
    }
}
