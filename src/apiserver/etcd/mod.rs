//! etcd as the API server sees it: every key at every revision, transactions, leases and watches.
//!
//! Private to the API server, so that the compiler keeps everybody else away from the store. Plain
//! data on virtual time: [`Etcd::handle`] takes one call and returns what it sends in answer, and a
//! clone shares all keys and values with its original.
//!
//! Mirrors: etcd 3.6, `server/storage/mvcc`, `server/lease` and `server/etcdserver/txn`, in what the
//! API server uses. Left out: Raft, the disk and its quota, authentication, nested transactions,
//! compares of values, sorted ranges, and watchers that read too slowly (the links hold messages).
mod call;

mod history;
mod keys;
mod leases;
mod look;
mod ranges;
mod server;
mod store;
mod txn;
mod types;
mod watch;

#[cfg(test)]
mod tests;

pub use crate::sim::Instant;
pub use call::{Call, CallId, Op, Out, Response, Status, WatchCreate};
pub use keys::KeyRange;
pub use leases::LeaseId;
#[cfg(test)]
pub use look::CallKind;
pub use server::Etcd;
pub use store::{Sizes, Store};
pub use txn::{Compare, Put, Txn, TxnOp, TxnOpResponse, TxnResponse};
#[cfg(test)]
pub use txn::{Relation, Target};
pub use types::{Change, EtcdError, Event, KeyValue, Range, RangeResponse, Revision};
pub use watch::WatchId;
