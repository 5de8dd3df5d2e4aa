//! Maps from texts that are cheap to clone.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Bound;
use std::rc::Rc;

use imbl::GenericOrdMap;
use imbl::shared_ptr::RcK;

use super::text::Text;

/// A persistent map from texts: a clone shares everything, and the two go their own ways from there.
///
/// Such a tree is nine kilobytes of code for each type of values, so one tree of values of any type is
/// in all of them, and knows what it was given.
pub struct TextMap<V> {
    entries: GenericOrdMap<Text, Rc<dyn Any>, RcK>,
    of: PhantomData<V>,
}

impl<V> Clone for TextMap<V> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), of: PhantomData }
    }
}

impl<V> Default for TextMap<V> {
    fn default() -> Self {
        Self { entries: GenericOrdMap::new(), of: PhantomData }
    }
}

impl<V: fmt::Debug + 'static> fmt::Debug for TextMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V: 'static> TextMap<V> {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)?.downcast_ref()
    }

    /// Puts `value` in, in the place of what `key` had.
    pub fn insert(&mut self, key: Rc<str>, value: V) {
        self.entries.insert(key.into(), Rc::new(value));
    }

    /// All entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Rc<str>, &V)> {
        self.range((Bound::Unbounded, Bound::Unbounded))
    }

    /// The entries whose keys are within `bounds`.
    pub fn range(
        &self,
        bounds: (Bound<&str>, Bound<&str>),
    ) -> impl Iterator<Item = (&Rc<str>, &V)> {
        let entries = self.entries.range::<_, str>(bounds);
        entries.filter_map(|(key, value)| Some((key.shared(), value.downcast_ref()?)))
    }
}

impl<V: Clone + 'static> TextMap<V> {
    /// The value of `key`, to change; copied first if another map shares it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let value = self.entries.get_mut(key)?;
        if Rc::get_mut(value).is_none() {
            *value = Rc::new(V::clone(value.downcast_ref()?));
        }
        Rc::get_mut(value)?.downcast_mut()
    }

    /// Takes out `key` and its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key)?.downcast().ok().map(Rc::unwrap_or_clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_goes_its_own_way() {
        let mut map = TextMap::default();
        for (key, value) in [("b", 2), ("a", 1), ("c", 3)] {
            map.insert(key.into(), vec![value]);
        }
        let mut other = map.clone();
        other.get_mut("a").unwrap().push(10);
        assert_eq!(other.remove("b"), Some(vec![2]));
        assert_eq!(other.remove("b"), None);
        let listed = |map: &TextMap<Vec<i32>>| -> Vec<Vec<i32>> {
            map.iter().map(|(_, value)| value.clone()).collect()
        };
        assert_eq!(listed(&map), [[1], [2], [3]]);
        assert_eq!(listed(&other), [vec![1, 10], vec![3]]);
        let from_b = (Bound::Included("b"), Bound::Excluded("c"));
        assert_eq!(map.range(from_b).map(|(key, _)| &**key).collect::<Vec<_>>(), ["b"]);
    }
}
