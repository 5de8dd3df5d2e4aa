//! Sums over all nodes by the value of a label, brought up to date by the nodes that have changed.

use std::rc::Rc;

use super::node_info::NodeInfo;
use crate::sim::SortedMap;

/// What nodes count for, summed up by label and value. A cycle for a pod equal to the last one finds
/// the sums as they were, and asks only the nodes that have changed since.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By the nodes' places.
    nodes: Vec<Seen>,
    sums: SortedMap<Rc<str>, SortedMap<Rc<str>, Sum>>,
}

/// What a node counted for, and after which of its changes; none before it was asked.
#[derive(Clone, Debug, Default)]
struct Seen {
    change: Option<u64>,
    counts: Vec<Count>,
}

#[derive(Clone, Debug)]
struct Count {
    key: Rc<str>,
    value: Rc<str>,
    amount: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    amount: i64,
    nodes: usize,
}

/// What one node counts for.
pub struct Counts<'a> {
    node: &'a NodeInfo,
    counts: Vec<Count>,
}

impl Counts<'_> {
    /// Counts for the node's value of a label; for nothing if it has none.
    pub fn add(&mut self, key: &Rc<str>, amount: i64) {
        let Some(value) = self.node.label(key) else { return };
        match self.counts.iter_mut().find(|count| count.key == *key) {
            Some(count) => count.amount += amount,
            None => self.counts.push(Count { key: Rc::clone(key), value: value.into(), amount }),
        }
    }
}

impl Tally {
    /// Asks what each node counts for, if it has changed since it was last asked.
    pub fn update<'a>(
        &mut self,
        nodes: impl Iterator<Item = &'a NodeInfo>,
        ask: impl Fn(&'a NodeInfo, &mut Counts<'a>),
    ) {
        let mut count = 0;
        for (at, node) in nodes.enumerate() {
            count = at + 1;
            if self.nodes.len() < count {
                self.nodes.push(Seen::default());
            }
            let Some(seen) = self.nodes.get_mut(at) else { continue };
            if seen.change == Some(node.change) {
                continue;
            }
            let mut counts = Counts { node, counts: Vec::new() };
            ask(node, &mut counts);
            let new = Seen { change: Some(node.change), counts: counts.counts };
            let old = std::mem::replace(seen, new);
            put(&mut self.sums, &old.counts, false);
            put(&mut self.sums, self.nodes.get(at).map_or(&[], |seen| &seen.counts), true);
        }
        for gone in self.nodes.drain(count..) {
            put(&mut self.sums, &gone.counts, false);
        }
    }

    /// The sum for a value of a label.
    pub fn sum(&self, key: &str, value: &str) -> i64 {
        let sum = self.sums.get(key).and_then(|values| values.get(value));
        sum.map_or(0, |sum| sum.amount)
    }

    /// The values of a label that nodes count for, each with its sum.
    pub fn values(&self, key: &str) -> impl Iterator<Item = (&str, i64)> {
        let values = self.sums.get(key).into_iter().flat_map(SortedMap::iter);
        values.map(|(value, sum)| (&**value, sum.amount))
    }

    /// The sum of all that counts on a node.
    pub fn on(&self, node: &NodeInfo) -> i64 {
        let here = self.sums.iter().filter_map(|(key, values)| values.get(node.label(key)?));
        here.map(|sum| sum.amount).sum()
    }

    /// Whether no node counts for anything.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }
}

/// Puts the counts of a node in, or takes them out.
fn put(sums: &mut SortedMap<Rc<str>, SortedMap<Rc<str>, Sum>>, counts: &[Count], come: bool) {
    for Count { key, value, amount } in counts {
        let values = sums.or_default(Rc::clone(key));
        let sum = values.or_default(Rc::clone(value));
        if come {
            sum.amount += amount;
            sum.nodes += 1;
            continue;
        }
        sum.amount -= amount;
        sum.nodes -= 1;
        if sum.nodes == 0 {
            values.remove(value);
            if values.is_empty() {
                sums.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::api::wire::Node;
    use proptest::prelude::*;

    use super::*;

    fn node(zone: u8, change: u64) -> NodeInfo {
        let mut node = Node::default();
        let labels = [("zone".to_owned(), format!("z{zone}"))];
        node.metadata.labels = Some(Rc::new(labels.into()));
        NodeInfo { change, ..NodeInfo::new(Rc::new(node)) }
    }

    proptest! {
        /// Nodes come, go, and change their label and what they count for.
        #[test]
        fn it_is_as_if_made_anew(rounds in prop::collection::vec(
            prop::collection::vec((0..4u8, 0..20u64), 0..8), 1..6,
        )) {
            let key: Rc<str> = "zone".into();
            let mut kept = Tally::default();
            for round in rounds {
                // Equal numbers stand for nodes that did not change.
                let nodes: Vec<NodeInfo> = round
                    .iter()
                    .map(|(zone, change)| node(*zone, change * 4 + u64::from(*zone)))
                    .collect();
                let ask = |node: &NodeInfo, counts: &mut Counts<'_>| {
                    counts.add(&key, i64::try_from(node.change).unwrap());
                };
                let mut fresh = Tally::default();
                kept.update(nodes.iter(), ask);
                fresh.update(nodes.iter(), ask);
                prop_assert!(kept.values("zone").eq(fresh.values("zone")));
                prop_assert_eq!(kept.is_empty(), fresh.is_empty());
            }
        }
    }
}
