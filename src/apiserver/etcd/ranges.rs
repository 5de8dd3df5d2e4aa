//! Which watches a key concerns.
use super::{KeyRange, WatchId};

/// The ranges that are watched, by where they begin: most keys lie in one of many, which is found
/// without asking them all.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges(Vec<Watched>);

#[derive(Clone, Debug)]
struct Watched {
    id: WatchId,
    keys: KeyRange,
    /// Of this range and those before it, the one that ends last.
    furthest: KeyRange,
}

impl Ranges {
    /// Those of all watches that are open.
    pub(super) fn new<'a>(watched: impl Iterator<Item = (WatchId, &'a KeyRange)>) -> Self {
        let mut sorted: Vec<_> = watched.collect();
        crate::sim::sort::by(&mut sorted, |(_, one), (_, other)| one.start().cmp(other.start()));
        let mut ranges: Vec<Watched> = Vec::with_capacity(sorted.len());
        for (id, keys) in sorted {
            let before = ranges.last().map(|last| &last.furthest);
            let furthest = before.filter(|before| before.ends_after(keys)).unwrap_or(keys).clone();
            ranges.push(Watched { id, keys: keys.clone(), furthest });
        }
        Self(ranges)
    }

    /// The watches whose range has `key` in it, in no order.
    pub(super) fn having<'a>(&'a self, key: &'a str) -> impl Iterator<Item = WatchId> + 'a {
        let begun = self.0.partition_point(|watched| &**watched.keys.start() <= key);
        let begun = self.0.get(..begun).unwrap_or_default().iter().rev();
        begun
            .take_while(|watched| !watched.furthest.ends_before(key))
            .filter(|watched| !watched.keys.ends_before(key))
            .map(|watched| watched.id)
    }
}
