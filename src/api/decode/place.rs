//! Where in a text the parts of a document stand.

use std::fmt;

use crate::sim::SortedMap;

/// A position in a text; both numbers begin at one, and columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub line: usize,
    pub column: usize,
}

impl Mark {
    /// The beginning of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// This position in a text that itself begins at `start` of a longer one.
    pub(super) fn after(self, start: Self) -> Self {
        let column = if self.line == 1 { start.column + self.column - 1 } else { self.column };
        Self { line: start.line + self.line - 1, column }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Where a value stands, where its key does, and the same of all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// None for a whole document and for the items of a list.
    pub key: Option<Mark>,
    pub value: Mark,
    inside: Inside,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Inside {
    Scalar,
    List(Vec<Place>),
    Map(SortedMap<String, Place>),
}

impl Place {
    pub(super) fn scalar(value: Mark) -> Self {
        Self { key: None, value, inside: Inside::Scalar }
    }

    pub(super) fn list(value: Mark, items: Vec<Self>) -> Self {
        Self { key: None, value, inside: Inside::List(items) }
    }

    pub(super) fn map(value: Mark, entries: SortedMap<String, Self>) -> Self {
        Self { key: None, value, inside: Inside::Map(entries) }
    }

    /// This place in a text that itself begins at `start` of a longer one.
    pub(super) fn after(self, start: Mark) -> Self {
        let inside = match self.inside {
            Inside::Scalar => Inside::Scalar,
            Inside::List(items) => {
                Inside::List(items.into_iter().map(|item| item.after(start)).collect())
            }
            Inside::Map(entries) => {
                let moved = entries.into_iter().map(|(key, place)| (key, place.after(start)));
                Inside::Map(moved.collect())
            }
        };
        let key = self.key.map(|key| key.after(start));
        Self { key, value: self.value.after(start), inside }
    }

    /// The entries of a map; none of anything else.
    pub(super) fn into_entries(self) -> SortedMap<String, Self> {
        match self.inside {
            Inside::Map(entries) => entries,
            Inside::Scalar | Inside::List(_) => SortedMap::new(),
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn into_items(self) -> Vec<Self> {
        match self.inside {
            Inside::List(items) => items,
            Inside::Scalar | Inside::Map(_) => Vec::new(),
        }
    }

    /// The place of the field at `path`, such as `spec.containers[0].image` or `limits[cpu]`.
    pub fn get(&self, path: &str) -> Option<&Self> {
        let (place, rest) = self.walk(path);
        rest.is_empty().then_some(place)
    }

    /// As [`Place::get`]; of a field that the text does not have, the nearest one around it.
    pub fn nearest(&self, path: &str) -> &Self {
        self.walk(path).0
    }

    /// Where an editor should point for this place: at the key if there is one.
    pub fn mark(&self) -> Mark {
        self.key.unwrap_or(self.value)
    }

    /// The deepest place on the way along `path`, and what is left of it there.
    fn walk<'a>(&self, path: &'a str) -> (&Self, &'a str) {
        let (mut place, mut rest) = (self, path);
        while let Some((next, left)) = place.step(rest) {
            (place, rest) = (next, left);
        }
        (place, rest)
    }

    fn step<'a>(&self, path: &'a str) -> Option<(&Self, &'a str)> {
        match &self.inside {
            Inside::Scalar => None,
            Inside::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                Some((items.get(index.parse::<usize>().ok()?)?, rest))
            }
            // A key may have dots and brackets in it, so that the longest fit is the right one.
            Inside::Map(entries) => {
                let fits = entries.iter().filter_map(|(key, place)| {
                    after_key(path, key).map(|rest| (key.len(), place, rest))
                });
                fits.max_by_key(|fit| fit.0).map(|(_, place, rest)| (place, rest))
            }
        }
    }
}

/// What follows `key` if `path` begins with it: as `key`, `.key` or `[key]`.
fn after_key<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    if let Some(rest) = path.strip_prefix('[') {
        return rest.strip_prefix(key)?.strip_prefix(']');
    }
    let rest = path.strip_prefix('.').unwrap_or(path).strip_prefix(key)?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}
