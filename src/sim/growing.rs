//! Maps whose keys only grow, such as what was asked by its number.

use std::collections::VecDeque;

/// A map into which keys come in their order, and from which they go in almost that order: both cost
/// nothing that grows with its size, as it would with a sorted list.
#[derive(Clone, Debug)]
pub struct GrowingMap<K, V> {
    /// What was taken out leaves its key until those before it are gone, too.
    entries: VecDeque<(K, Option<V>)>,
    len: usize,
}

impl<K, V> Default for GrowingMap<K, V> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), len: 0 }
    }
}

impl<K: Ord + Copy, V> GrowingMap<K, V> {
    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().filter_map(|(_, value)| value.as_ref())
    }

    /// The value of `key`.
    pub fn get(&self, key: K) -> Option<&V> {
        let at = self.find(key).ok()?;
        self.entries.get(at)?.1.as_ref()
    }

    /// Puts a value in; a key that is not greater than all others is only slower.
    pub fn insert(&mut self, key: K, value: V) {
        let entry = (key, Some(value));
        match self.find(key) {
            Ok(at) => {
                if let Some(old) = self.entries.get_mut(at) {
                    self.len += usize::from(old.1.is_none());
                    *old = entry;
                }
            }
            Err(at) => {
                self.len += 1;
                self.entries.insert(at, entry);
            }
        }
    }

    /// Takes the value of `key` out.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let at = self.find(key).ok()?;
        let value = self.entries.get_mut(at)?.1.take()?;
        self.len -= 1;
        while matches!(self.entries.front(), Some((_, None))) {
            self.entries.pop_front();
        }
        // One that never goes must not keep all that came after it.
        if self.entries.len() > 2 * self.len + 64 {
            self.entries.retain(|(_, value)| value.is_some());
        }
        Some(value)
    }

    /// Takes out the value of the lowest key.
    pub fn pop_first(&mut self) -> Option<V> {
        let first = self.entries.front()?.0;
        self.remove(first)
    }

    fn find(&self, key: K) -> Result<usize, usize> {
        match self.entries.back() {
            Some((last, _)) if *last < key => Err(self.entries.len()),
            _ => self.entries.binary_search_by(|(own, _)| own.cmp(&key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_holds(steps in prop::collection::vec((0..3u8, 0..200u64), 0..400)) {
            let (mut map, mut model) = (GrowingMap::default(), BTreeMap::new());
            for (step, key) in steps {
                match step {
                    0 => {
                        map.insert(key, key);
                        model.insert(key, key);
                    }
                    1 => prop_assert_eq!(map.remove(key), model.remove(&key)),
                    _ => prop_assert_eq!(map.pop_first(), model.pop_first().map(|(_, value)| value)),
                }
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.get(key), model.get(&key));
            }
            prop_assert!(map.values().eq(model.values()));
        }
    }
}
