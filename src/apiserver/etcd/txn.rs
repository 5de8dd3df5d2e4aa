//! Transactions: compare, then one of two lists of operations, at one revision.
//!
//! Mirrors: etcd `server/etcdserver/api/v3rpc/key.go` (the checks) and
//! `server/etcdserver/txn/txn.go`.
use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use super::{EtcdError, KeyRange, KeyValue, LeaseId, Range, RangeResponse, Revision};

/// The most compares, and the most operations in either list (etcd's `--max-txn-ops`).
const MAX_OPS: usize = 128;

/// If all of `compare` hold, do `success`, else `failure`; nobody sees a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txn<V> {
    pub compare: Vec<Compare>,
    pub success: Vec<TxnOp<V>>,
    pub failure: Vec<TxnOp<V>>,
}

/// One operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnOp<V> {
    Range(Range),
    Put(Put<V>),
    DeleteRange(KeyRange),
}

/// A key to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put<V> {
    pub key: Rc<str>,
    pub value: V,
    /// Replaces the lease the key had; `None` detaches it.
    pub lease: Option<LeaseId>,
}

/// The answer to a [`Txn`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnResponse<V> {
    /// The transaction's own revision, or the store's if it changed nothing.
    pub revision: Revision,
    /// Whether the compares held.
    pub succeeded: bool,
    /// One for each operation done, in order.
    pub responses: Rc<[TxnOpResponse<V>]>,
}

/// The answer to a [`TxnOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnOpResponse<V> {
    Range(RangeResponse<V>),
    Put,
    DeleteRange { deleted: usize },
}

/// A condition on a key. One that does not exist has 0 everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    pub key: Rc<str>,
    pub relation: Relation,
    pub target: Target,
}

/// How the stored number must stand to the given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equal,
    Greater,
    Less,
    NotEqual,
}

/// Which number of the key to compare, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Version(u64),
    CreateRevision(Revision),
    ModRevision(Revision),
}

impl Compare {
    /// Whether the key is still as it was written at `revision`; with 0, whether it does not exist.
    pub fn mod_revision_is(key: impl Into<Rc<str>>, revision: Revision) -> Self {
        let target = Target::ModRevision(revision);
        Self { key: key.into(), relation: Relation::Equal, target }
    }

    /// Whether it holds of the key's state.
    pub(super) fn holds<V>(&self, kv: Option<&KeyValue<V>>) -> bool {
        let number = |of: fn(&KeyValue<V>) -> Revision| kv.map_or(Revision::default(), of);
        let ordering = match self.target {
            Target::Version(given) => kv.map_or(0, |kv| kv.version).cmp(&given),
            Target::CreateRevision(given) => number(|kv| kv.create_revision).cmp(&given),
            Target::ModRevision(given) => number(|kv| kv.mod_revision).cmp(&given),
        };
        match self.relation {
            Relation::Equal => ordering == Ordering::Equal,
            Relation::Greater => ordering == Ordering::Greater,
            Relation::Less => ordering == Ordering::Less,
            Relation::NotEqual => ordering != Ordering::Equal,
        }
    }

    /// The condition without the key, such as `mod_revision = 5`.
    pub fn condition(&self) -> String {
        let relation = match self.relation {
            Relation::Equal => "=",
            Relation::Greater => ">",
            Relation::Less => "<",
            Relation::NotEqual => "!=",
        };
        let (name, given) = match self.target {
            Target::Version(given) => ("version", given),
            Target::CreateRevision(given) => ("create_revision", given.get()),
            Target::ModRevision(given) => ("mod_revision", given.get()),
        };
        format!("{name} {relation} {given}")
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.condition(), self.key)
    }
}

impl<V> TxnOp<V> {
    /// Whether it changes anything by its nature.
    pub fn is_write(&self) -> bool {
        match self {
            Self::Put(_) | Self::DeleteRange(_) => true,
            Self::Range(_) => false,
        }
    }
}

impl<V> Txn<V> {
    /// Whether either list can write; such a transaction goes through the log and the disk.
    pub fn is_write(&self) -> bool {
        self.success.iter().chain(&self.failure).any(TxnOp::is_write)
    }

    /// What etcd refuses before it looks at the store.
    pub(super) fn check(&self) -> Result<(), EtcdError> {
        let longest = self.compare.len().max(self.success.len()).max(self.failure.len());
        if longest > MAX_OPS {
            return Err(EtcdError::TooManyOps);
        }
        let keyless = self.compare.iter().any(|compare| compare.key.is_empty())
            || self.success.iter().chain(&self.failure).any(|op| match op {
                TxnOp::Range(range) => range.keys.lacks_key(),
                TxnOp::Put(put) => put.key.is_empty(),
                TxnOp::DeleteRange(keys) => keys.lacks_key(),
            });
        if keyless {
            return Err(EtcdError::EmptyKey);
        }
        check_overlaps(&self.success)?;
        check_overlaps(&self.failure)
    }
}

/// No key may be put twice, or put and deleted: the result would hang on the order.
fn check_overlaps<V>(ops: &[TxnOp<V>]) -> Result<(), EtcdError> {
    for (index, op) in ops.iter().enumerate() {
        let TxnOp::Put(put) = op else { continue };
        let overlaps = ops.iter().enumerate().any(|(other, op)| match op {
            TxnOp::Put(second) => other > index && second.key == put.key,
            TxnOp::DeleteRange(keys) => keys.contains(&put.key),
            TxnOp::Range(_) => false,
        });
        if overlaps {
            return Err(EtcdError::DuplicateKey);
        }
    }
    Ok(())
}
