//! Watches: the past replayed, then the present as it happens.
//!
//! Mirrors: etcd `server/storage/mvcc/watchable_store.go` and
//! `server/etcdserver/api/v3rpc/watch.go`; a watch from the past catches up at once, and none falls
//! behind, since the links hold what is under way.
use std::fmt;
use std::rc::Rc;

use super::{Change, Event, KeyRange, Out, Revision, Store, WatchCreate};

/// The most revisions of the past in one message.
const MAX_REVISIONS_PER_MESSAGE: usize = 1000;

/// Names a watch; the client chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchId(u64);

impl WatchId {
    /// The watch numbered `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// As a number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for WatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One watch that has been told everything before `next`.
#[derive(Clone, Debug)]
pub(super) struct Watcher {
    id: WatchId,
    keys: KeyRange,
    next: Revision,
    prev_kv: bool,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Unwanted,
    Due,
    /// An event since the last tick has told as much.
    Told,
}

impl Watcher {
    /// A watch that begins where `create` says, in a store that is at `now`.
    pub(super) fn new(create: &WatchCreate, now: Revision) -> Self {
        let next = match create.start_revision {
            Some(start) if start > Revision::default() => start,
            Some(_) | None => now.next(),
        };
        let progress = if create.progress_notify { Progress::Due } else { Progress::Unwanted };
        let WatchCreate { id, ref keys, prev_kv, .. } = *create;
        Self { id, keys: keys.clone(), next, prev_kv, progress }
    }

    pub(super) fn wants_progress(&self) -> bool {
        self.progress != Progress::Unwanted
    }

    /// Whether compaction has taken what the watch is yet to be told.
    pub(super) fn is_compacted<V: Clone + 'static>(&self, store: &Store<V>) -> bool {
        self.next < store.compacted()
    }

    /// Passes over the `newest` change if it is all that the watch does not know, and none of its
    /// business: so it is with nearly every watch at nearly every change.
    pub(super) fn skips<V: Clone + 'static>(&mut self, newest: &Change<V>) -> bool {
        let skips = self.next == newest.mod_revision() && !self.keys.contains(newest.key());
        if skips {
            self.next = self.next.next();
        }
        skips
    }

    /// Tells all that the watch does not know yet.
    pub(super) fn catch_up<V: Clone + 'static>(&mut self, store: &Store<V>, out: &mut Vec<Out<V>>) {
        let head = store.revision();
        if self.next > head {
            return;
        }
        let mut events = Vec::new();
        let mut revisions = 0;
        let mut last = Revision::default();
        for change in store.changes_since(self.next) {
            if !self.keys.contains(change.key()) {
                continue;
            }
            if change.mod_revision() > last {
                last = change.mod_revision();
                if revisions == MAX_REVISIONS_PER_MESSAGE {
                    out.push(self.message(head, std::mem::take(&mut events)));
                    revisions = 0;
                }
                revisions += 1;
            }
            events.push(self.event(store, change));
        }
        if !events.is_empty() {
            out.push(self.message(head, events));
            if self.progress == Progress::Due {
                self.progress = Progress::Told;
            }
        }
        self.next = head.next();
    }

    /// Another interval is over: tells the revision unless an event did.
    pub(super) fn tick<V>(&mut self, now: Revision, out: &mut Vec<Out<V>>) {
        match self.progress {
            Progress::Unwanted => {}
            Progress::Due => out.push(Out::Progress { id: Some(self.id), revision: now }),
            Progress::Told => self.progress = Progress::Due,
        }
    }

    fn message<V>(&self, revision: Revision, events: Vec<Event<V>>) -> Out<V> {
        Out::Watch { id: self.id, revision, events: events.into() }
    }

    fn event<V: Clone + 'static>(&self, store: &Store<V>, change: &Change<V>) -> Event<V> {
        let asked = self.prev_kv && !change.is_create();
        let prev_kv = asked
            .then(|| store.get_at(change.key(), change.mod_revision().previous()))
            .flatten()
            .map(Rc::clone);
        Event { change: change.clone(), prev_kv }
    }
}
