//! Ranges of keys: one, those with a prefix, or a span.
use std::fmt;
use std::ops::Bound;
use std::rc::Rc;

/// A set of neighbouring keys, `[start, end)` as on etcd's wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    start: Rc<str>,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// `start` alone.
    Start,
    Before(Rc<str>),
    Never,
}

impl KeyRange {
    /// One key.
    pub fn key(key: impl Into<Rc<str>>) -> Self {
        Self { start: key.into(), end: End::Start }
    }

    /// Every key that begins with `prefix`; of an empty one, all keys.
    pub fn prefix(prefix: impl Into<Rc<str>>) -> Self {
        let start = prefix.into();
        let end = end_of_prefix(&start);
        Self { start, end }
    }

    /// The keys that begin with `prefix`, from `start` on: the rest of a list read in pages.
    pub fn prefix_from(prefix: &str, start: impl Into<Rc<str>>) -> Self {
        Self { start: start.into(), end: end_of_prefix(prefix) }
    }

    /// The keys from `start` up to, but not including, `end`.
    pub fn span(start: impl Into<Rc<str>>, end: impl Into<Rc<str>>) -> Self {
        Self { start: start.into(), end: End::Before(end.into()) }
    }

    /// Where it begins.
    pub fn start(&self) -> &Rc<str> {
        &self.start
    }

    /// The key, if the range is of one key.
    pub fn single(&self) -> Option<&Rc<str>> {
        match self.end {
            End::Start => Some(&self.start),
            End::Before(_) | End::Never => None,
        }
    }

    /// Whether `key` lies in it.
    pub fn contains(&self, key: &str) -> bool {
        match &self.end {
            End::Start => key == &*self.start,
            End::Before(end) => &*self.start <= key && key < &**end,
            End::Never => &*self.start <= key,
        }
    }

    /// Whether it ends before `key`, wherever it begins.
    pub(super) fn ends_before(&self, key: &str) -> bool {
        match &self.end {
            End::Start => &*self.start < key,
            End::Before(end) => &**end <= key,
            End::Never => false,
        }
    }

    /// Whether it goes on where `other` has ended.
    pub(super) fn ends_after(&self, other: &Self) -> bool {
        match &other.end {
            End::Start => !self.ends_before(&other.start),
            End::Before(end) => !self.ends_before(end),
            End::Never => self.end == End::Never,
        }
    }

    /// Whether no key can lie in it.
    pub fn is_empty(&self) -> bool {
        match &self.end {
            End::Start | End::Never => false,
            End::Before(end) => self.start >= *end,
        }
    }

    /// Whether etcd takes it for a request without a key: an empty key, except as "all keys".
    pub(super) fn lacks_key(&self) -> bool {
        match self.end {
            End::Start | End::Before(_) => self.start.is_empty(),
            End::Never => false,
        }
    }

    pub(super) fn bounds(&self) -> (Bound<&str>, Bound<&str>) {
        let end = match &self.end {
            End::Start => Bound::Included(&*self.start),
            End::Before(end) => Bound::Excluded(&**end),
            End::Never => Bound::Unbounded,
        };
        (Bound::Included(&*self.start), end)
    }
}

impl fmt::Display for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.end {
            End::Start => f.write_str(&self.start),
            end if *end == end_of_prefix(&self.start) => write!(f, "{}*", self.start),
            End::Before(end) => write!(f, "{}..{end}", self.start),
            End::Never => write!(f, "{}..", self.start),
        }
    }
}

/// The first key after all that begin with `prefix`: its last character one higher, where that
/// exists.
fn end_of_prefix(prefix: &str) -> End {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(higher) = (last..=char::MAX).nth(1) {
            chars.push(higher);
            return End::Before(chars.into_iter().collect::<String>().into());
        }
    }
    End::Never
}
