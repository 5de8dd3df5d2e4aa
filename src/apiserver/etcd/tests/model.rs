//! The store against a naive twin that copies everything at every revision.
use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Key, then `(value, create_revision, mod_revision, version)`.
type State = BTreeMap<String, (u32, u64, u64, u64)>;

/// Every state there was, by revision.
struct Naive {
    states: Vec<State>,
    compacted: usize,
}

#[derive(Clone, Debug)]
enum Step {
    /// Writes and deletions of several keys at once, if the first key is as old as is claimed.
    Txn {
        stale: bool,
        puts: Vec<(String, u32)>,
        deleted: Option<String>,
    },
    DeletePrefix(String),
    /// Compacts this far on the way from the last compaction to now, in hundredths.
    Compact(usize),
}

impl Naive {
    fn new() -> Self {
        Self { states: vec![State::new(), State::new()], compacted: 0 }
    }

    fn revision(&self) -> usize {
        self.states.len() - 1
    }

    fn now(&self) -> &State {
        self.states.last().expect("there is always one")
    }

    fn mod_revision(&self, key: &str) -> u64 {
        self.now().get(key).map_or(0, |(_, _, changed, _)| *changed)
    }

    fn way_to_now(&self, hundredths: usize) -> usize {
        self.compacted + (self.revision() - self.compacted) * hundredths / 100
    }

    fn change(&mut self, puts: &[(String, u32)], is_deleted: impl Fn(&str) -> bool) {
        let mut state = self.now().clone();
        let at = self.states.len() as u64;
        state.retain(|key, _| !is_deleted(key));
        for (key, value) in puts {
            let (created, version) = state.get(key).map_or((at, 0), |old| (old.1, old.3));
            state.insert(key.clone(), (*value, created, at, version + 1));
        }
        if state != *self.now() {
            self.states.push(state);
        }
    }
}

fn key() -> impl Strategy<Value = String> {
    // A few keys that are written again and again, and enough others for a tree of some depth.
    prop_oneof![2 => "[ab]/[a-e]", 1 => "[ab]/[a-z]{2}"]
}

fn step() -> impl Strategy<Value = Step> {
    let puts = vec((key(), any::<u32>()), 0..4).prop_map(|mut puts| {
        puts.sort();
        puts.dedup_by(|a, b| a.0 == b.0);
        puts
    });
    prop_oneof![
        8 => (any::<bool>(), puts, prop::option::of(key())).prop_map(|(stale, puts, deleted)| {
            let deleted = deleted.filter(|key| puts.iter().all(|(put, _)| put != key));
            Step::Txn { stale: stale && !puts.is_empty(), puts, deleted }
        }),
        1 => "[ab]/".prop_map(Step::DeletePrefix),
        1 => (1_usize..=100).prop_map(Step::Compact),
    ]
}

impl Step {
    fn op(&self, naive: &Naive) -> Op<u32> {
        match self {
            Self::Txn { stale, puts, deleted } => {
                let mut ops: Vec<_> = puts.iter().map(|(key, value)| put(key, *value)).collect();
                ops.extend(deleted.iter().map(|key| delete(KeyRange::key(key.as_str()))));
                let compare = puts.first().map(|(key, _)| {
                    let revision = naive.mod_revision(key) + u64::from(*stale);
                    Compare::mod_revision_is(key.as_str(), rev(revision))
                });
                Op::Txn(Txn { compare: compare.into_iter().collect(), ..always(ops) })
            }
            Self::DeletePrefix(prefix) => Op::DeleteRange(KeyRange::prefix(prefix.as_str())),
            Self::Compact(hundredths) => Op::Compact(rev(naive.way_to_now(*hundredths) as u64)),
        }
    }
}

/// Takes the step in both and returns what etcd sends.
fn take(step: &Step, etcd: &mut Etcd<u32>, naive: &mut Naive) -> Vec<Out<u32>> {
    let out = etcd.handle(START, Call::new(CallId::new(1), step.op(naive)));
    let Some(Out::Reply { result, .. }) = out.first() else { panic!("no reply: {out:?}") };
    match step {
        Step::Txn { stale, puts, deleted } => {
            let Ok(Response::Txn(response)) = result else { panic!("refused: {result:?}") };
            assert_eq!(response.succeeded, !*stale);
            if !*stale {
                naive.change(puts, |key| deleted.as_deref() == Some(key));
            }
        }
        Step::DeletePrefix(prefix) => naive.change(&[], |key| key.starts_with(prefix)),
        Step::Compact(hundredths) => {
            let at = naive.way_to_now(*hundredths);
            let refused = (at == naive.compacted).then_some(EtcdError::Compacted);
            assert_eq!(result.as_ref().err(), refused.as_ref());
            naive.compacted = at;
        }
    }
    assert_eq!(etcd.store().revision(), rev(naive.revision() as u64));
    out
}

fn lived(steps: &[Step]) -> (Etcd<u32>, Naive) {
    let (mut etcd, mut naive) = (Etcd::default(), Naive::new());
    for step in steps {
        take(step, &mut etcd, &mut naive);
    }
    (etcd, naive)
}

/// The state that `store` shows at a revision.
fn shown(store: &Store<u32>, revision: usize) -> Result<State, EtcdError> {
    let revision = Some(rev(revision as u64));
    let response = store.range(&Range { revision, ..Range::latest(KeyRange::prefix("")) })?;
    Ok(response.kvs.iter().map(row).map(|(k, v, c, m, n)| (k, (v, c, m, n))).collect())
}

fn apply(state: &mut State, events: &[Event<u32>]) {
    for event in events {
        let key = event.change.key().to_string();
        match event.change.key_value().map(row) {
            Some((key, v, c, m, n)) => state.insert(key, (v, c, m, n)),
            None => state.remove(&key),
        };
    }
}

proptest! {
    #[test]
    fn every_revision_reads_as_it_was_until_it_is_compacted(steps in vec(step(), 1..60)) {
        let (etcd, naive) = lived(&steps);
        let store = etcd.store();
        for (revision, state) in naive.states.iter().enumerate().skip(1) {
            let want = if revision < naive.compacted {
                Err(EtcdError::Compacted)
            } else {
                Ok(state.clone())
            };
            prop_assert_eq!(shown(store, revision), want);
        }
        prop_assert_eq!(shown(store, naive.revision() + 1), Err(EtcdError::FutureRevision));
        prop_assert_eq!(store.sizes().keys, naive.now().len());
        let keys: BTreeSet<_> = naive.states.iter().flat_map(State::keys).collect();
        let versions: usize = keys.into_iter().map(|key| store.history(key).len()).sum();
        prop_assert_eq!(store.sizes().versions, versions);
    }

    #[test]
    fn pages_of_a_prefix_make_the_whole(
        steps in vec(step(), 1..40), limit in 1_usize..5, prefix in "[ab]/",
    ) {
        let (etcd, _) = lived(&steps);
        let store = etcd.store();
        let whole: Vec<_> = store.live(&KeyRange::prefix(prefix.as_str())).map(row).collect();
        let (mut pages, mut keys) = (Vec::new(), KeyRange::prefix(prefix.as_str()));
        loop {
            let range = Range { limit: Some(limit), ..Range::latest(keys) };
            let page = store.range(&range).unwrap();
            prop_assert_eq!(page.count, whole.len() - pages.len());
            pages.extend(page.kvs.iter().map(row));
            let Some(last) = page.kvs.last().filter(|_| page.more) else { break };
            keys = KeyRange::prefix_from(&prefix, format!("{}\0", last.key));
        }
        prop_assert_eq!(pages, whole);
    }

    #[test]
    fn a_list_and_the_watch_from_it_make_the_present(
        before in vec(step(), 0..30), between in vec(step(), 0..10), after in vec(step(), 0..30),
        prefix in "([ab]/)?",
    ) {
        let (mut etcd, mut naive) = lived(&before);
        let keys = KeyRange::prefix(prefix.as_str());
        let list = etcd.store().range(&Range::latest(keys.clone())).unwrap();
        let mut state: State =
            list.kvs.iter().map(row).map(|(k, v, c, m, n)| (k, (v, c, m, n))).collect();
        for step in &between {
            take(step, &mut etcd, &mut naive);
        }
        let create = WatchCreate {
            id: WatchId::new(1),
            keys: keys.clone(),
            start_revision: Some(list.revision.next()),
            prev_kv: false,
            progress_notify: false,
        };
        let mut out = etcd.handle(START, Call::new(CallId::new(1), Op::WatchCreate(create)));
        for step in &after {
            out.extend(take(step, &mut etcd, &mut naive));
        }
        let mut seen = list.revision;
        for out in out {
            match out {
                Out::Reply { .. } | Out::Progress { .. } => {}
                Out::Watch { events, .. } => {
                    for event in events.iter() {
                        prop_assert!(event.change.mod_revision() >= seen, "out of order");
                        seen = event.change.mod_revision();
                    }
                    apply(&mut state, &events);
                }
                Out::WatchCanceled { compact_revision, .. } => {
                    prop_assert!(compact_revision > Some(list.revision.next()));
                    return Ok(());
                }
            }
        }
        let present: State = naive.now().clone().into_iter()
            .filter(|(key, _)| keys.contains(key)).collect();
        prop_assert_eq!(state, present);
    }
}
