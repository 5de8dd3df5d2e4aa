//! Sorting, and collections that are filled without it.
//!
//! The standard library compiles its sorts anew for each type and each order, at some four
//! kilobytes each, and collects a map by sorting first. The page sorts short lists in many places,
//! so here one sort serves them all; what is generic is only the comparison and the exchange.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Sorts `items` by `compare`; those that are equal keep their order.
pub fn by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = order(items.len(), &mut |one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        (_, _) => Ordering::Equal,
    });
    put_in(order, &mut |one, other| items.swap(one, other));
}

/// Sorts `items` by a key of theirs; those with equal keys keep their order.
pub fn by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    by(items, |one, other| key(one).cmp(&key(other)));
}

/// A map of `entries`, of equal keys the last.
pub fn map<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in entries {
        map.insert(key, value);
    }
    map
}

/// A set of `items`.
pub fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for item in items {
        set.insert(item);
    }
    set
}

/// The places of `len` items in the order that they are to have.
fn order(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}

/// Moves each item to where `order` has its place, by exchanges along the cycles.
fn put_in(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut place = start;
        while let Some(from) = order.get_mut(place) {
            let from = std::mem::replace(from, place);
            if from == start || from == place {
                break;
            }
            swap(place, from);
            place = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Rng;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut rng = Rng::new(1);
        for len in 0..200 {
            let items: Vec<(u64, usize)> = (0..len).map(|at| (rng.below(20), at)).collect();
            let (mut ours, mut theirs) = (items.clone(), items);
            by_key(&mut ours, |(key, _)| *key);
            theirs.sort_by_key(|(key, _)| *key);
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn the_last_of_equal_keys_stays() {
        assert_eq!(map([(2, "a"), (1, "b"), (2, "c")]), BTreeMap::from([(1, "b"), (2, "c")]));
        assert_eq!(set([2, 1, 2]), BTreeSet::from([1, 2]));
    }
}
