//! What the store keeps and what it answers: revisions, key-values, changes, ranges and errors.
use std::fmt;
use std::rc::Rc;

use super::{KeyRange, LeaseId};

/// A moment in the store's life: one counter over all keys, one step for each transaction that
/// changes something. A fresh store is at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// The revision called `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The revision before this one.
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key and its value at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue<V> {
    pub key: Rc<str>,
    pub value: V,
    /// When the key last came into being; a deletion and a new put start it again.
    pub create_revision: Revision,
    pub mod_revision: Revision,
    /// How often the key was written since `create_revision`, from 1.
    pub version: u64,
    /// The lease whose end deletes the key.
    pub lease: Option<LeaseId>,
}

/// One step in the life of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<V> {
    Put(Rc<KeyValue<V>>),
    /// The tombstone of a key.
    Delete {
        key: Rc<str>,
        mod_revision: Revision,
    },
}

impl<V> Change<V> {
    /// The key that changed.
    pub fn key(&self) -> &Rc<str> {
        match self {
            Self::Put(kv) => &kv.key,
            Self::Delete { key, .. } => key,
        }
    }

    /// The revision of the transaction that changed it.
    pub fn mod_revision(&self) -> Revision {
        match self {
            Self::Put(kv) => kv.mod_revision,
            Self::Delete { mod_revision, .. } => *mod_revision,
        }
    }

    /// What was put; nothing for a deletion.
    pub fn key_value(&self) -> Option<&Rc<KeyValue<V>>> {
        match self {
            Self::Put(kv) => Some(kv),
            Self::Delete { .. } => None,
        }
    }

    /// Whether this put brought the key into being.
    pub fn is_create(&self) -> bool {
        self.key_value().is_some_and(|kv| kv.create_revision == kv.mod_revision)
    }
}

/// A change as a watch tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<V> {
    pub change: Change<V>,
    /// The key just before the change, where the watch asked for it and compaction has left it.
    pub prev_kv: Option<Rc<KeyValue<V>>>,
}

/// A request to read keys, in the order of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    pub keys: KeyRange,
    /// The revision to read at; `None`, or 0 as on the wire, reads the latest.
    pub revision: Option<Revision>,
    /// The most key-values to return; `None`, or 0 as on the wire, returns all.
    pub limit: Option<usize>,
    /// Return the count alone.
    pub count_only: bool,
}

impl Range {
    /// All of `keys` at the latest revision.
    pub fn latest(keys: KeyRange) -> Self {
        Self { keys, revision: None, limit: None, count_only: false }
    }

    pub(super) fn past(&self) -> Option<Revision> {
        self.revision.filter(|revision| *revision > Revision::default())
    }
}

/// The answer to a [`Range`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeResponse<V> {
    /// The store's revision when it answered, even where it read at an older one.
    pub revision: Revision,
    pub kvs: Rc<[Rc<KeyValue<V>>]>,
    /// Whether the limit held some back.
    pub more: bool,
    /// How many keys there are in the range, whatever the limit.
    pub count: usize,
}

/// Why etcd refused, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EtcdError {
    #[error("etcdserver: key is not provided")]
    EmptyKey,
    #[error("etcdserver: too many operations in txn request")]
    TooManyOps,
    #[error("etcdserver: duplicate key given in txn request")]
    DuplicateKey,
    /// List again: what was asked for is forgotten.
    #[error("etcdserver: mvcc: required revision has been compacted")]
    Compacted,
    #[error("etcdserver: mvcc: required revision is a future revision")]
    FutureRevision,
    #[error("etcdserver: requested lease not found")]
    LeaseNotFound,
    #[error("etcdserver: lease already exists")]
    LeaseExists,
    #[error("etcdserver: too large lease TTL")]
    LeaseTtlTooLarge,
    #[error("mvcc: watcher range is empty")]
    EmptyWatchRange,
    #[error("mvcc: duplicate watch ID provided on the WatchStream")]
    DuplicateWatchId,
}
