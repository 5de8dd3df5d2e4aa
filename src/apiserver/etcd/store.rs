//! The multi-version store: every key at every revision since the last compaction.
//!
//! Mirrors: etcd `server/storage/mvcc/kvstore.go` and `kvstore_txn.go`; the index and the values are
//! one map, and a log of all changes replays the past to watches.
use std::rc::Rc;

use super::history::History;
use super::leases::{Lease, Leases};
use super::{
    Change, EtcdError, Instant, KeyRange, KeyValue, LeaseId, Put, Range, RangeResponse, Revision,
    Txn, TxnOp, TxnOpResponse, TxnResponse,
};
use crate::sim::{Chunks, TextMap};

/// Keys, values, their past and their leases.
///
/// A clone costs O(1) and shares everything; the two go their own ways from there.
#[derive(Clone, Debug)]
pub struct Store<V: Clone + 'static> {
    /// Also the deleted keys, until compaction has passed their tombstones.
    keys: TextMap<History<V>>,
    /// All changes, in order; from the one numbered `log_begin` on they are at `compacted` or later.
    log: Chunks<Change<V>>,
    log_begin: u64,
    live: usize,
    versions: usize,
    revision: Revision,
    /// Reads below it fail; 0 before the first compaction.
    compacted: Revision,
    leases: Leases,
}

/// How much the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Keys that exist now.
    pub keys: usize,
    /// Versions of all keys, tombstones included.
    pub versions: usize,
    /// Changes a watch can still replay.
    pub log: usize,
    pub leases: usize,
}

impl<V: Clone + 'static> Default for Store<V> {
    fn default() -> Self {
        Self {
            keys: TextMap::default(),
            log: Chunks::default(),
            log_begin: 0,
            live: 0,
            versions: 0,
            revision: Revision::new(1),
            compacted: Revision::default(),
            leases: Leases::default(),
        }
    }
}

/// Reading.
impl<V: Clone + 'static> Store<V> {
    /// The revision of the last transaction that changed something; 1 in a fresh store.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The revision of the last compaction, 0 before the first.
    pub fn compacted(&self) -> Revision {
        self.compacted
    }

    /// Reads keys, now or at an earlier revision. Cost: the keys in the range, whatever the limit,
    /// since all are counted.
    ///
    /// # Errors
    ///
    /// [`EtcdError::EmptyKey`]; [`EtcdError::FutureRevision`] and [`EtcdError::Compacted`] if the
    /// revision is not between the last compaction and now.
    pub fn range(&self, range: &Range) -> Result<RangeResponse<V>, EtcdError> {
        if range.keys.lacks_key() {
            return Err(EtcdError::EmptyKey);
        }
        self.check_revision(range.past())?;
        Ok(self.read(range, self.revision))
    }

    /// The key as it was at `revision`; nothing if that is compacted or to come.
    pub fn get_at(&self, key: &str, revision: Revision) -> Option<&Rc<KeyValue<V>>> {
        self.check_revision(Some(revision)).ok()?;
        self.keys.get(key)?.at(revision)
    }

    /// What is left of a key's past, oldest first; its last change may be a tombstone.
    pub fn history(&self, key: &str) -> &[Change<V>] {
        self.keys.get(key).map_or(&[], |history| history.changes())
    }

    /// The keys in `keys` as they are now, in order.
    pub fn live(&self, keys: &KeyRange) -> impl Iterator<Item = &Rc<KeyValue<V>>> {
        self.histories(keys).filter_map(History::latest)
    }

    /// All changes at `from` and later that compaction has left, in order.
    pub fn changes_since(&self, from: Revision) -> impl Iterator<Item = &Change<V>> {
        (self.first_change_at(from)..self.log.end()).filter_map(|number| self.log.get(number))
    }

    /// The leases and their keys.
    pub fn leases(&self) -> impl Iterator<Item = (LeaseId, &Lease)> {
        self.leases.iter()
    }

    /// How much there is of everything.
    pub fn sizes(&self) -> Sizes {
        let leases = self.leases.iter().count();
        let log = usize::try_from(self.log.end() - self.log_begin).unwrap_or_default();
        Sizes { keys: self.live, versions: self.versions, log, leases }
    }

    fn check_revision(&self, revision: Option<Revision>) -> Result<(), EtcdError> {
        match revision {
            Some(asked) if asked > self.revision => Err(EtcdError::FutureRevision),
            Some(asked) if asked < self.compacted => Err(EtcdError::Compacted),
            Some(_) | None => Ok(()),
        }
    }

    /// The answer to a range that has been checked, from a store that is at `head`.
    fn read(&self, range: &Range, head: Revision) -> RangeResponse<V> {
        let limit = range.limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let (mut kvs, mut more, mut count) = (Vec::new(), false, 0);
        for history in self.histories(&range.keys) {
            let kv = match range.past() {
                Some(revision) => history.at(revision),
                None => history.latest(),
            };
            let Some(kv) = kv else { continue };
            count += 1;
            if range.count_only {
                continue;
            }
            if kvs.len() < limit {
                kvs.push(Rc::clone(kv));
            } else {
                more = true;
            }
        }
        RangeResponse { revision: head, kvs: kvs.into(), more, count }
    }

    fn histories(&self, keys: &KeyRange) -> impl Iterator<Item = &History<V>> {
        let single = keys.single().and_then(|key| self.keys.get(key));
        let several = (keys.single().is_none() && !keys.is_empty())
            .then(|| self.keys.range(keys.bounds()).map(|(_, history)| history));
        single.into_iter().chain(several.into_iter().flatten())
    }

    /// The newest change, if it is the only one of its revision.
    pub(super) fn newest_change(&self) -> Option<&Change<V>> {
        let mut newest = (self.log_begin..self.log.end()).rev().map(|number| self.log.get(number));
        let (last, before) = (newest.next()??, newest.next().flatten());
        let alone = before.is_none_or(|before| before.mod_revision() < last.mod_revision());
        (alone && last.mod_revision() == self.revision()).then_some(last)
    }

    /// The number in the log of the first change at `revision` or later.
    fn first_change_at(&self, revision: Revision) -> u64 {
        let is_before = |number| {
            self.log.get(number).is_some_and(|change: &Change<V>| change.mod_revision() < revision)
        };
        let (mut low, mut high) = (self.log_begin, self.log.end());
        // Nearly every search is a watch that asks for the one newest change.
        if let Some(number) = (low..high).rev().take(2).find(|number| is_before(*number)) {
            return number + 1;
        }
        while low < high {
            let middle = low.midpoint(high);
            if is_before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// Writing.
impl<V: Clone + 'static> Store<V> {
    /// Does one of the transaction's lists, at one revision.
    ///
    /// # Errors
    ///
    /// [`EtcdError::EmptyKey`], [`EtcdError::TooManyOps`], [`EtcdError::DuplicateKey`]; and of the
    /// list to be done, [`EtcdError::FutureRevision`], [`EtcdError::Compacted`] for a range and
    /// [`EtcdError::LeaseNotFound`] for a put. Nothing changes then.
    pub fn txn(&mut self, txn: &Txn<V>) -> Result<TxnResponse<V>, EtcdError> {
        txn.check()?;
        // A key that was just looked for in vain need not be looked for again to be put in.
        let mut unknown = None;
        let succeeded = txn.compare.iter().all(|compare| {
            let history = self.keys.get(&compare.key);
            if history.is_none() {
                unknown = Some(&compare.key);
            }
            compare.holds(history.and_then(History::latest).map(|kv| &**kv))
        });
        let ops = if succeeded { &txn.success } else { &txn.failure };
        for op in ops {
            match op {
                TxnOp::Range(range) => self.check_revision(range.past())?,
                TxnOp::Put(put) => self.check_lease(put.lease)?,
                TxnOp::DeleteRange(_) => {}
            }
        }
        let at = self.revision.next();
        let responses = ops
            .iter()
            .map(|op| match op {
                TxnOp::Range(range) => TxnOpResponse::Range(self.read(range, self.head(at))),
                TxnOp::Put(put) => {
                    let is_known = unknown.take_if(|key| **key == put.key).is_none();
                    self.put_at(at, put, is_known);
                    TxnOpResponse::Put
                }
                TxnOp::DeleteRange(keys) => {
                    TxnOpResponse::DeleteRange { deleted: self.delete_at(at, keys) }
                }
            })
            .collect();
        self.revision = self.head(at);
        Ok(TxnResponse { revision: self.revision, succeeded, responses })
    }

    /// Deletes all of `keys` at one revision and says how many there were.
    ///
    /// # Errors
    ///
    /// [`EtcdError::EmptyKey`].
    pub fn delete_range(&mut self, keys: &KeyRange) -> Result<usize, EtcdError> {
        if keys.lacks_key() {
            return Err(EtcdError::EmptyKey);
        }
        let at = self.revision.next();
        let deleted = self.delete_at(at, keys);
        self.revision = self.head(at);
        Ok(deleted)
    }

    /// Forgets every version that was replaced at or before `at`, and the tombstones before it.
    ///
    /// Reads and watches below `at` fail from now on. Cost: the changes since the last compaction.
    ///
    /// # Errors
    ///
    /// [`EtcdError::FutureRevision`]; [`EtcdError::Compacted`] if that is done already. Nothing
    /// changes then.
    pub fn compact(&mut self, at: Revision) -> Result<(), EtcdError> {
        if at <= self.compacted {
            return Err(EtcdError::Compacted);
        }
        if at > self.revision {
            return Err(EtcdError::FutureRevision);
        }
        self.compacted = at;
        // Only a key that changed up to here can have a version to lose.
        let passed = self.first_change_at(at.next());
        for number in self.log_begin..passed {
            if let Some(key) = self.log.get(number).map(|change| Rc::clone(change.key())) {
                self.compact_key(&key, at);
            }
        }
        self.log_begin = self.first_change_at(at);
        self.log.forget_before(self.log_begin);
        Ok(())
    }

    fn compact_key(&mut self, key: &Rc<str>, at: Revision) {
        let Some(history) = self.keys.get(key) else { return };
        let drop = history.compactable(at);
        if drop == 0 {
            return;
        }
        self.versions = self.versions.saturating_sub(drop);
        if drop == history.len() {
            self.keys.remove(key);
        } else if let Some(history) = self.keys.get_mut(key) {
            history.drop_oldest(drop);
        }
    }

    /// Where the store is while the transaction for `at` runs: there, once it changed something.
    fn head(&self, at: Revision) -> Revision {
        let newest = self.log.end().checked_sub(1).and_then(|number| self.log.get(number));
        let wrote = newest.is_some_and(|change| change.mod_revision() == at);
        if wrote { at } else { self.revision }
    }

    /// Puts a key in; unless it `is_known` there is nothing of it.
    fn put_at(&mut self, at: Revision, put: &Put<V>, is_known: bool) {
        let history = if is_known { self.keys.get_mut(&put.key) } else { None };
        let before = history.as_ref().and_then(|history| history.latest());
        self.live += usize::from(before.is_none());
        let (key, create_revision, version, old_lease) = match before {
            Some(kv) => (Rc::clone(&kv.key), kv.create_revision, kv.version, kv.lease),
            None => (Rc::clone(&put.key), at, 0, None),
        };
        self.leases.move_key(&key, old_lease, put.lease);
        let kv = KeyValue {
            key: Rc::clone(&key),
            value: put.value.clone(),
            create_revision,
            mod_revision: at,
            version: version + 1,
            lease: put.lease,
        };
        let change = Change::Put(Rc::new(kv));
        self.versions += 1;
        self.log.push(change.clone());
        match history {
            Some(history) => history.push(change),
            None => self.keys.insert(key, History::new(change)),
        }
    }

    fn delete_at(&mut self, at: Revision, keys: &KeyRange) -> usize {
        if let Some(key) = keys.single() {
            return usize::from(self.delete_key(at, key));
        }
        let doomed: Vec<_> = self.live(keys).map(|kv| Rc::clone(&kv.key)).collect();
        doomed.into_iter().filter(|key| self.delete_key(at, key)).count()
    }

    /// Deletes one key; whether it was there.
    fn delete_key(&mut self, at: Revision, key: &str) -> bool {
        let Some(history) = self.keys.get_mut(key) else { return false };
        let Some((key, lease)) = history.latest().map(|kv| (Rc::clone(&kv.key), kv.lease)) else {
            return false;
        };
        self.leases.move_key(&key, lease, None);
        self.live = self.live.saturating_sub(1);
        self.versions += 1;
        let change = Change::Delete { key, mod_revision: at };
        self.log.push(change.clone());
        history.push(change);
        true
    }
}

/// Leases.
impl<V: Clone + 'static> Store<V> {
    /// Grants a lease of at least `ttl_seconds`, under `id` or a free one; returns both.
    ///
    /// # Errors
    ///
    /// [`EtcdError::LeaseTtlTooLarge`], [`EtcdError::LeaseExists`].
    pub fn lease_grant(
        &mut self,
        id: Option<LeaseId>,
        ttl_seconds: u64,
        now: Instant,
    ) -> Result<(LeaseId, u64), EtcdError> {
        self.leases.grant(id, ttl_seconds, now)
    }

    /// Ends a lease and deletes its keys, at one revision.
    ///
    /// # Errors
    ///
    /// [`EtcdError::LeaseNotFound`].
    pub fn lease_revoke(&mut self, id: LeaseId) -> Result<(), EtcdError> {
        let lease = self.leases.remove(id).ok_or(EtcdError::LeaseNotFound)?;
        let at = self.revision.next();
        for key in lease.keys() {
            self.delete_at(at, &KeyRange::key(Rc::clone(key)));
        }
        self.revision = self.head(at);
        Ok(())
    }

    /// Starts a lease's time again; returns its length in seconds.
    ///
    /// # Errors
    ///
    /// [`EtcdError::LeaseNotFound`], also for one that is over and waits to be revoked.
    pub fn lease_keep_alive(&mut self, id: LeaseId, now: Instant) -> Result<u64, EtcdError> {
        self.leases.renew(id, now)
    }

    /// The next lease to end, and when.
    pub fn next_lease_end(&self) -> Option<(Instant, LeaseId)> {
        self.leases.first_to_end()
    }

    fn check_lease(&self, lease: Option<LeaseId>) -> Result<(), EtcdError> {
        match lease {
            Some(id) if self.leases.get(id).is_none() => Err(EtcdError::LeaseNotFound),
            Some(_) | None => Ok(()),
        }
    }
}
