//! The order in which nodes are looked at: one of each zone after the other, so that zones fill evenly where
//! not all nodes are looked at.
//!
//! Mirrors: `pkg/scheduler/backend/cache/node_tree.go` and the list that `cache.go` makes of it.

use std::rc::Rc;

use crate::api::wire::Node;

/// The zones in the order in which they came to be, each with the names of its nodes in theirs.
#[derive(Clone, Debug, Default)]
pub(super) struct Zones {
    zones: Vec<(Zone, Vec<Rc<str>>)>,
    /// Whether a node has gone to another zone, so that the nodes of a zone may stand in another order than
    /// they have come in.
    mixed: bool,
}

/// A region and a zone; neither where a node says nothing.
type Zone = [Option<Rc<str>>; 2];

/// The zone of a node, by older labels if it has them.
fn zone(node: &Node) -> Zone {
    let label = |names: [&str; 2]| {
        let labels = node.metadata.labels.as_deref()?;
        let value = names.into_iter().find_map(|name| labels.get(name))?;
        (!value.is_empty()).then(|| value.as_str().into())
    };
    [
        label(["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"]),
        label(["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"]),
    ]
}

impl Zones {
    /// Takes in a node.
    pub fn add(&mut self, node: &Node, name: &Rc<str>) {
        let zone = zone(node);
        match self.zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, names)) => names.push(Rc::clone(name)),
            None => self.zones.push((zone, vec![Rc::clone(name)])),
        }
    }

    /// Forgets a node, and its zone if it was the last one there.
    pub fn remove(&mut self, node: &Node, name: &str) {
        let zone = zone(node);
        let Some(at) = self.zones.iter().position(|(known, _)| *known == zone) else { return };
        let Some((_, names)) = self.zones.get_mut(at) else { return };
        names.retain(|known| **known != *name);
        if names.is_empty() {
            self.zones.remove(at);
        }
    }

    /// Whether a node has gone to another zone.
    pub fn differ(old: &Node, new: &Node) -> bool {
        old.metadata.labels != new.metadata.labels && zone(old) != zone(new)
    }

    /// Takes in that a node has gone to another zone.
    pub fn go(&mut self, old: &Node, new: &Node, name: &Rc<str>) {
        self.remove(old, name);
        self.add(new, name);
        self.mixed = true;
    }

    /// The order in which nodes are looked at, each being at the place that `place` tells; none if they are
    /// looked at by their places.
    pub fn order(&self, place: impl Fn(&str) -> Option<usize>) -> Option<Order> {
        if self.zones.len() < 2 && !self.mixed {
            return None;
        }
        let most = self.zones.iter().map(|(_, names)| names.len()).max().unwrap_or_default();
        let rounds = (0..most)
            .flat_map(|round| self.zones.iter().filter_map(move |(_, names)| names.get(round)));
        let places: Vec<usize> = rounds.filter_map(|name| place(name)).collect();
        let mut turns = vec![0; places.len()];
        for (turn, at) in places.iter().enumerate() {
            if let Some(slot) = turns.get_mut(*at) {
                *slot = turn;
            }
        }
        Some(Order { places, turns })
    }
}

/// In which turn each node is looked at, where that is not by their places in the cache.
#[derive(Debug)]
pub struct Order {
    /// The place of the node whose turn it is.
    places: Vec<usize>,
    /// The turn of the node at a place.
    turns: Vec<usize>,
}

impl Order {
    /// The place of the node whose turn is the one of that number.
    pub fn place(&self, turn: usize) -> Option<usize> {
        self.places.get(turn).copied()
    }

    /// The number of the turn of the node at a place.
    pub fn turn(&self, at: usize) -> Option<usize> {
        self.turns.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Kind, Object, Resource as _};
    use crate::scheduler::cache::Cache;

    const ZONE: &str = "topology.kubernetes.io/zone";

    fn node(name: &str, labels: &[(&str, &str)]) -> Rc<Node> {
        let labels: serde_json::Map<_, _> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let json = json!({"metadata": {"name": name, "labels": labels}});
        let object = Object::from_json(Kind::Node, &json).unwrap().object;
        Rc::clone(Node::unwrap(&object).unwrap())
    }

    /// The names of the nodes in their order, and whether it is that of their places.
    fn told(cache: &mut Cache) -> (String, bool) {
        cache.settle();
        let names = cache.names();
        let order = cache.order();
        let places: Vec<usize> = (0..names.len())
            .map(|turn| order.map_or(turn, |order| order.place(turn).unwrap()))
            .collect();
        for (turn, at) in places.iter().enumerate() {
            assert_eq!(order.map_or(turn, |order| order.turn(*at).unwrap()), turn);
        }
        let names: Vec<&str> = places.iter().map(|at| &*names[*at]).collect();
        (names.join(" "), order.is_none())
    }

    #[test]
    fn one_node_of_each_zone_comes_after_the_other() {
        let mut cache = Cache::default();
        for (name, zone) in [("a", "x"), ("b", "x"), ("c", "y"), ("d", "z"), ("e", "x"), ("f", "y")]
        {
            cache.put_node(&node(name, &[(ZONE, zone)]));
        }
        assert_eq!(told(&mut cache), ("a c d b f e".into(), false));
        // A zone keeps its turn while it has nodes.
        cache.remove_node("a");
        assert_eq!(told(&mut cache), ("b c d e f".into(), false));
        cache.remove_node("c");
        cache.remove_node("f");
        cache.put_node(&node("g", &[(ZONE, "y")]));
        assert_eq!(told(&mut cache), ("b d g e".into(), false));
        for gone in ["d", "g"] {
            cache.remove_node(gone);
        }
        assert_eq!(told(&mut cache), ("b e".into(), true));
    }

    #[test]
    fn nodes_that_say_nothing_come_in_the_order_of_their_places() {
        let mut cache = Cache::default();
        for name in ["a", "b", "c"] {
            cache.put_node(&node(name, &[]));
        }
        assert_eq!(told(&mut cache), ("a b c".into(), true));
        cache.remove_node("b");
        assert_eq!(told(&mut cache), ("a c".into(), true));
    }

    #[test]
    fn a_node_that_goes_to_another_zone_has_another_turn_when_one_comes_or_goes() {
        let mut cache = Cache::default();
        for (name, zone) in [("a", "x"), ("b", "x"), ("c", "y")] {
            cache.put_node(&node(name, &[(ZONE, zone)]));
        }
        assert_eq!(told(&mut cache), ("a c b".into(), false));
        cache.put_node(&node("a", &[(ZONE, "y")]));
        assert_eq!(told(&mut cache), ("a c b".into(), false));
        cache.put_node(&node("d", &[(ZONE, "x")]));
        assert_eq!(told(&mut cache), ("b c d a".into(), false));
    }

    #[test]
    fn a_zone_is_one_of_its_region_and_older_labels_come_first() {
        let mut cache = Cache::default();
        let region = "topology.kubernetes.io/region";
        let old = "failure-domain.beta.kubernetes.io/zone";
        for (name, labels) in [
            ("a", &[(ZONE, "x"), (region, "north")][..]),
            ("b", &[(ZONE, "x"), (region, "north")]),
            ("c", &[(ZONE, "x"), (region, "south")]),
            ("d", &[(ZONE, "y"), (region, "south"), (old, "x")]),
            ("e", &[(region, "south")]),
        ] {
            cache.put_node(&node(name, labels));
        }
        assert_eq!(told(&mut cache), ("a c e b d".into(), false));
    }
}
