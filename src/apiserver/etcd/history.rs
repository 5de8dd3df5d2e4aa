//! One key through the revisions.
//!
//! Mirrors: etcd `server/storage/mvcc/key_index.go`; a generation ends at a tombstone in the same
//! list, and the values lie beside their revisions.
use std::rc::Rc;

use super::{Change, KeyValue, Revision};

/// What happened to a key since the last compaction, oldest first; never empty.
#[derive(Clone, Debug)]
pub(super) struct History<V> {
    changes: Vec<Change<V>>,
}

impl<V: Clone + 'static> History<V> {
    pub(super) fn new(first: Change<V>) -> Self {
        Self { changes: vec![first] }
    }

    /// Appends a change that is newer than all others.
    pub(super) fn push(&mut self, change: Change<V>) {
        self.changes.push(change);
    }

    /// The key now, unless it is deleted.
    pub(super) fn latest(&self) -> Option<&Rc<KeyValue<V>>> {
        self.changes.last()?.key_value()
    }

    /// The key as it was at `revision`, if it was there.
    pub(super) fn at(&self, revision: Revision) -> Option<&Rc<KeyValue<V>>> {
        let later = self.changes.partition_point(|change| change.mod_revision() <= revision);
        self.changes.get(later.checked_sub(1)?)?.key_value()
    }

    pub(super) fn changes(&self) -> &[Change<V>] {
        &self.changes
    }

    /// How many changes a compaction at `at` would drop: all that a later one at or before `at`
    /// replaced, and a tombstone before `at`.
    pub(super) fn compactable(&self, at: Revision) -> usize {
        let Some(last) =
            self.changes.partition_point(|change| change.mod_revision() <= at).checked_sub(1)
        else {
            return 0;
        };
        match self.changes.get(last) {
            // A tombstone at `at` itself stays once more: a watch may still begin there.
            Some(Change::Delete { mod_revision, .. }) if *mod_revision < at => last + 1,
            Some(Change::Delete { .. } | Change::Put(_)) | None => last,
        }
    }

    /// Drops the oldest `count` changes, but the newest of all.
    pub(super) fn drop_oldest(&mut self, count: usize) {
        self.changes.drain(..count.min(self.changes.len().saturating_sub(1)));
    }

    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }
}
