//! The etcd server: calls in, answers and watch messages out.
use std::time::Duration;

use super::ranges::Ranges;
use super::watch::Watcher;
use super::{
    Call, EtcdError, Instant, Op, Out, Response, Revision, Status, Store, WatchCreate, WatchId,
};
use crate::sim::{SortedMap, sort};

/// The release this one behaves like.
const VERSION: &str = "3.6.5";
/// How often an idle watch is told the revision: what kubeadm sets with
/// `--watch-progress-notify-interval`.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// One etcd member that is a cluster by itself. A clone is cheap and independent.
///
/// Calls take no time here; who wires it adds what [`Op::is_write`] costs.
#[derive(Clone, Debug)]
pub struct Etcd<V: Clone + 'static> {
    store: Store<V>,
    watchers: SortedMap<WatchId, Watcher>,
    ranges: Ranges,
    /// The revision that all watches have been told of, but for the new ones.
    told: Revision,
    /// The watches that have been told nothing yet.
    new: Vec<WatchId>,
    /// When idle watches are told the revision next; none while nobody wants to know.
    next_progress: Option<Instant>,
}

impl<V: Clone + 'static> Default for Etcd<V> {
    fn default() -> Self {
        let store = Store::default();
        let told = store.revision();
        Self {
            store,
            watchers: SortedMap::new(),
            ranges: Ranges::default(),
            told,
            new: Vec::new(),
            next_progress: None,
        }
    }
}

impl<V: Clone + 'static> Etcd<V> {
    /// The store, to look at.
    pub fn store(&self) -> &Store<V> {
        &self.store
    }

    /// How many watches are open.
    pub fn watch_count(&self) -> usize {
        self.watchers.len()
    }

    /// Answers one call; what it changes is told to the watches right behind the answer.
    pub fn handle(&mut self, now: Instant, call: Call<V>) -> Vec<Out<V>> {
        let Call { id, op } = call;
        let store = &mut self.store;
        let result = match &*op {
            Op::Range(range) => store.range(range).map(Response::Range),
            Op::Txn(txn) => store.txn(txn).map(Response::Txn),
            Op::DeleteRange(keys) => store
                .delete_range(keys)
                .map(|deleted| Response::DeleteRange { revision: store.revision(), deleted }),
            Op::Compact(at) => {
                store.compact(*at).map(|()| Response::Compact { revision: store.revision() })
            }
            &Op::LeaseGrant { id, ttl_seconds } => {
                let revision = store.revision();
                store
                    .lease_grant(id, ttl_seconds, now)
                    .map(|(id, ttl_seconds)| Response::LeaseGrant { revision, id, ttl_seconds })
            }
            &Op::LeaseRevoke(id) => store
                .lease_revoke(id)
                .map(|()| Response::LeaseRevoke { revision: store.revision() }),
            &Op::LeaseKeepAlive(id) => {
                let ttl_seconds = store.lease_keep_alive(id, now).unwrap_or(0);
                Ok(Response::LeaseKeepAlive { revision: store.revision(), id, ttl_seconds })
            }
            Op::WatchCreate(create) => self.watch(now, create),
            Op::WatchCancel(id) => return self.cancel(*id),
            Op::WatchProgress => {
                return vec![Out::Progress { id: None, revision: store.revision() }];
            }
            Op::Status => Ok(Response::Status(self.status())),
        };
        // Most changes concern one watch.
        let mut out = Vec::with_capacity(2);
        out.push(Out::Reply { id, result });
        self.tell_watches(&mut out);
        out
    }

    /// When [`Etcd::on_timer`] has something to do next: a lease ends or progress is to be told.
    pub fn next_timer(&self) -> Option<Instant> {
        let lease = self.store.next_lease_end().map(|(end, _)| end);
        lease.into_iter().chain(self.next_progress).min()
    }

    /// Does what is due: ends leases, each at its own revision, and tells idle watches the revision.
    pub fn on_timer(&mut self, now: Instant) -> Vec<Out<V>> {
        let mut out = Vec::new();
        while let Some((end, id)) = self.store.next_lease_end() {
            if end > now || self.store.lease_revoke(id).is_err() {
                break;
            }
            self.tell_watches(&mut out);
        }
        if self.next_progress.is_some_and(|due| due <= now) {
            for watcher in self.watchers.values_mut() {
                watcher.tick(self.store.revision(), &mut out);
            }
            let wanted = self.watchers.values().any(Watcher::wants_progress);
            self.next_progress = wanted.then(|| now + PROGRESS_INTERVAL);
        }
        out
    }

    fn watch(&mut self, now: Instant, create: &WatchCreate) -> Result<Response<V>, EtcdError> {
        if create.keys.is_empty() {
            return Err(EtcdError::EmptyWatchRange);
        }
        if self.watchers.contains_key(&create.id) {
            return Err(EtcdError::DuplicateWatchId);
        }
        if create.progress_notify && self.next_progress.is_none() {
            self.next_progress = Some(now + PROGRESS_INTERVAL);
        }
        let revision = self.store.revision();
        self.watchers.insert(create.id, Watcher::new(create, revision));
        self.new.push(create.id);
        self.find_ranges();
        Ok(Response::WatchCreate { revision, id: create.id })
    }

    fn cancel(&mut self, id: WatchId) -> Vec<Out<V>> {
        let revision = self.store.revision();
        let canceled = Out::WatchCanceled { id, revision, compact_revision: None };
        let was_there = self.watchers.remove(&id).is_some();
        self.find_ranges();
        was_there.then_some(canceled).into_iter().collect()
    }

    fn find_ranges(&mut self) {
        self.ranges = Ranges::new(self.watchers.iter().map(|(id, watcher)| (*id, watcher.keys())));
    }

    /// Tells every watch what it does not know yet, and ends those that can no longer be told.
    fn tell_watches(&mut self, out: &mut Vec<Out<V>>) {
        let store = &self.store;
        let (since, revision) = (self.told.next(), store.revision());
        self.told = revision;
        if !self.new.is_empty() {
            let new = std::mem::take(&mut self.new);
            self.tell_all(&new, since, out);
        } else if since > revision {
            // Nothing has changed.
        } else if let Some(newest) = store.newest_change().filter(|it| it.mod_revision() == since) {
            let mut concerned: Vec<WatchId> = self.ranges.having(newest.key()).collect();
            sort::by(&mut concerned, Ord::cmp);
            for id in concerned {
                if let Some(watcher) = self.watchers.get_mut(&id) {
                    watcher.catch_up(store, since, out);
                }
            }
        } else {
            self.tell_all(&[], since, out);
        }
    }

    /// Tells all watches what has happened `since`, and those that are `new` what they have asked for.
    fn tell_all(&mut self, new: &[WatchId], since: Revision, out: &mut Vec<Out<V>>) {
        let (store, before) = (&self.store, self.watchers.len());
        self.watchers.retain(|&id, watcher| {
            let is_new = new.contains(&id);
            if is_new && watcher.is_compacted(store) {
                let (revision, compact_revision) = (store.revision(), Some(store.compacted()));
                out.push(Out::WatchCanceled { id, revision, compact_revision });
                return false;
            }
            watcher.catch_up(store, if is_new { Revision::default() } else { since }, out);
            true
        });
        if self.watchers.len() < before {
            self.find_ranges();
        }
    }

    fn status(&self) -> Status {
        Status {
            version: VERSION,
            revision: self.store.revision(),
            compacted: self.store.compacted(),
            sizes: self.store.sizes(),
        }
    }
}
