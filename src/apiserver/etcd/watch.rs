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

/// One watch.
#[derive(Clone, Debug)]
pub(super) struct Watcher {
    id: WatchId,
    keys: KeyRange,
    /// The revision that it begins with.
    from: Revision,
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
        let from = match create.start_revision {
            Some(start) if start > Revision::default() => start,
            Some(_) | None => now.next(),
        };
        let progress = if create.progress_notify { Progress::Due } else { Progress::Unwanted };
        let WatchCreate { id, ref keys, prev_kv, .. } = *create;
        Self { id, keys: keys.clone(), from, prev_kv, progress }
    }

    pub(super) fn keys(&self) -> &KeyRange {
        &self.keys
    }

    pub(super) fn wants_progress(&self) -> bool {
        self.progress != Progress::Unwanted
    }

    /// Whether compaction has taken what the watch begins with.
    pub(super) fn is_compacted<V: Clone + 'static>(&self, store: &Store<V>) -> bool {
        self.from < store.compacted()
    }

    /// Tells what has happened `since`, from where the watch begins.
    pub(super) fn catch_up<V: Clone + 'static>(
        &mut self,
        store: &Store<V>,
        since: Revision,
        out: &mut Vec<Out<V>>,
    ) {
        let (head, from) = (store.revision(), since.max(self.from));
        if from > head {
            return;
        }
        let mut events = Vec::new();
        let mut revisions = 0;
        let mut last = Revision::default();
        for change in store.changes_since(from) {
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
