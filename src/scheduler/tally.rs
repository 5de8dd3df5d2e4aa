//! Sums over all nodes by the value of a label, brought up to date by the nodes that have changed.

use std::rc::Rc;

use super::framework::Snapshot;
use super::node_info::NodeInfo;
use crate::sim::SortedMap;

/// The change of a node that was not asked yet.
const NEVER: u64 = u64::MAX;
/// How many nodes are compared at once.
const CHUNK: usize = 64;

/// What nodes count for, summed up by label and value. A cycle for a pod equal to the last one finds
/// the sums as they were, and asks only the nodes that have changed since.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// After which of its changes each node was asked, by the nodes' places.
    asked: Vec<u64>,
    /// What each node counts for.
    nodes: Vec<Vec<Count>>,
    sums: Sums,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    /// The place of the sum.
    at: usize,
    amount: i64,
}

/// The sums, by their places: nodes know theirs, and need no look at their labels.
#[derive(Clone, Debug, Default)]
struct Sums {
    all: Vec<Sum>,
    places: SortedMap<Rc<str>, SortedMap<Rc<str>, usize>>,
    /// The places of sums that no node counts for any more.
    free: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
struct Sum {
    key: Rc<str>,
    value: Rc<str>,
    amount: i64,
    nodes: usize,
}

/// What one node counts for.
pub struct Counts<'a> {
    node: &'a NodeInfo,
    sums: &'a mut Sums,
    all: Vec<Count>,
}

impl Counts<'_> {
    /// Counts for the node's value of a label; for nothing if it has none.
    pub fn add(&mut self, key: &Rc<str>, amount: i64) {
        let Some(value) = self.node.label(key) else { return };
        let at = self.sums.place(key, value);
        match self.all.iter_mut().find(|count| count.at == at) {
            Some(count) => count.amount += amount,
            None => self.all.push(Count { at, amount }),
        }
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
    }

    /// Makes room for so many nodes; what the others counted for is taken out.
    fn resize(&mut self, nodes: usize) {
        for gone in self.nodes.drain(nodes.min(self.nodes.len())..) {
            self.sums.take_out(&gone);
        }
        self.nodes.resize(nodes, Vec::new());
        self.asked.resize(nodes, NEVER);
    }

    fn ask(&mut self, at: usize, node: &NodeInfo, ask: &dyn Fn(&NodeInfo, &mut Counts<'_>)) {
        let mut counts = Counts { node, sums: &mut self.sums, all: Vec::new() };
        ask(node, &mut counts);
        let new = counts.all;
        self.sums.put_in(&new);
        if let (Some(asked), Some(counts)) = (self.asked.get_mut(at), self.nodes.get_mut(at)) {
            *asked = node.change;
            self.sums.take_out(&std::mem::replace(counts, new));
        }
    }

    /// The sum for a value of a label.
    pub fn sum(&self, key: &str, value: &str) -> i64 {
        let place = self.sums.places.get(key).and_then(|values| values.get(value));
        place.map_or(0, |at| self.sums.amount(*at))
    }

    /// The place of the one sum that the node at `at` counts for; none if there is none, or are more.
    pub fn place(&self, at: usize) -> Option<usize> {
        match self.nodes.get(at)?.as_slice() {
            [one] => Some(one.at),
            _ => None,
        }
    }

    /// The values of a label that nodes count for, each with its sum.
    pub fn values(&self, key: &str) -> impl Iterator<Item = (&str, i64)> {
        let values = self.sums.places.get(key).into_iter().flat_map(SortedMap::iter);
        values.map(|(value, at)| (&**value, self.sums.amount(*at)))
    }

    /// The sum of all that counts on a node.
    pub fn on(&self, node: &NodeInfo) -> i64 {
        let places = self.sums.places.iter();
        let here = places.filter_map(|(key, values)| values.get(node.label(key)?));
        here.map(|at| self.sums.amount(*at)).sum()
    }

    /// Whether no node counts for anything.
    pub fn is_empty(&self) -> bool {
        self.sums.places.is_empty()
    }
}

impl Sums {
    fn amount(&self, at: usize) -> i64 {
        self.all.get(at).map_or(0, |sum| sum.amount)
    }

    /// The place of the sum for a value of a label, which is made if there is none.
    fn place(&mut self, key: &Rc<str>, value: &str) -> usize {
        let values = self.places.or_default(Rc::clone(key));
        if let Some(at) = values.get(value) {
            return *at;
        }
        let value: Rc<str> = value.into();
        let at = self.free.pop().unwrap_or(self.all.len());
        values.insert(Rc::clone(&value), at);
        let sum = Sum { key: Rc::clone(key), value, amount: 0, nodes: 0 };
        match self.all.get_mut(at) {
            Some(old) => *old = sum,
            None => self.all.push(sum),
        }
        at
    }

    fn put_in(&mut self, counts: &[Count]) {
        for count in counts {
            if let Some(sum) = self.all.get_mut(count.at) {
                sum.amount += count.amount;
                sum.nodes += 1;
            }
        }
    }

    fn take_out(&mut self, counts: &[Count]) {
        for count in counts {
            let Some(sum) = self.all.get_mut(count.at) else { continue };
            sum.amount -= count.amount;
            sum.nodes -= 1;
            if sum.nodes > 0 {
                continue;
            }
            self.free.push(count.at);
            if let Some(values) = self.places.get_mut(&sum.key) {
                values.remove(&sum.value);
                if values.is_empty() {
                    self.places.remove(&sum.key);
                }
            }
        }
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
                    let place = kept.place(at).unwrap();
                    let sum = kept.sum("zone", node.label("zone").unwrap());
                    prop_assert_eq!(kept.sums.amount(place), sum);
                }
                prop_assert!(kept.values("zone").eq(fresh.values("zone")));
                prop_assert_eq!(kept.is_empty(), fresh.is_empty());
            }
        }
    }
}
