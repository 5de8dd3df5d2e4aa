//! The store and the server by behaviour, and against a naive model.
mod leases;
mod model;
mod ranges;
mod server;
mod store;

use std::rc::Rc;

use super::{
    Call, CallId, Compare, Etcd, EtcdError, Event, Instant, KeyRange, KeyValue, LeaseId, Op, Out,
    Put, Range, Response, Revision, Store, Txn, TxnOp, TxnResponse, WatchCreate, WatchId,
};

const START: Instant = Instant::from_micros(0);

fn rev(number: u64) -> Revision {
    Revision::new(number)
}

fn put(key: &str, value: u32) -> TxnOp<u32> {
    TxnOp::Put(Put { key: key.into(), value, lease: None })
}

fn leased(key: &str, lease: LeaseId) -> TxnOp<u32> {
    TxnOp::Put(Put { key: key.into(), value: 0, lease: Some(lease) })
}

fn delete(keys: KeyRange) -> TxnOp<u32> {
    TxnOp::DeleteRange(keys)
}

fn always(success: Vec<TxnOp<u32>>) -> Txn<u32> {
    Txn { compare: Vec::new(), success, failure: Vec::new() }
}

/// What the API server does to an object: `op` if the key is still at `mod_revision`, else read it.
fn guarded(key: &str, mod_revision: u64, op: TxnOp<u32>) -> Txn<u32> {
    Txn {
        compare: vec![Compare::mod_revision_is(key, rev(mod_revision))],
        success: vec![op],
        failure: vec![TxnOp::Range(Range::latest(KeyRange::key(key)))],
    }
}

fn run(store: &mut Store<u32>, ops: Vec<TxnOp<u32>>) -> TxnResponse<u32> {
    store.txn(&always(ops)).expect("the transaction is in order")
}

/// `(key, value, create_revision, mod_revision, version)`, short enough to compare in a line.
type Row = (String, u32, u64, u64, u64);

fn row(kv: &Rc<KeyValue<u32>>) -> Row {
    let (created, changed) = (kv.create_revision.get(), kv.mod_revision.get());
    (kv.key.to_string(), kv.value, created, changed, kv.version)
}

fn rows(store: &Store<u32>, keys: KeyRange, at: Option<u64>) -> Vec<Row> {
    let range = Range { revision: at.map(rev), ..Range::latest(keys) };
    store.range(&range).expect("the revision is there").kvs.iter().map(row).collect()
}

/// What a watch said, one line an event: `PUT a=1 @2`, `DELETE a @3 was 1`.
fn lines(events: &[Event<u32>]) -> Vec<String> {
    let line = |event: &Event<u32>| {
        let change = &event.change;
        let (key, at) = (change.key(), change.mod_revision());
        let was = event.prev_kv.as_ref().map_or(String::new(), |kv| format!(" was {}", kv.value));
        match change.key_value() {
            Some(kv) => format!("PUT {key}={} @{at}{was}", kv.value),
            None => format!("DELETE {key} @{at}{was}"),
        }
    };
    events.iter().map(line).collect()
}

/// Sends `op` and returns the answer.
fn ask(etcd: &mut Etcd<u32>, now: Instant, op: Op<u32>) -> Result<Response<u32>, EtcdError> {
    let out = etcd.handle(now, Call::new(CallId::new(1), op));
    let Some(Out::Reply { result, .. }) = out.first() else { panic!("no reply: {out:?}") };
    result.clone()
}
