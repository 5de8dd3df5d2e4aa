//! What the page and the trace may see of a message, in words.
use std::rc::Rc;

use super::{Call, CallId, Compare, KeyRange, Op, Out, Put, Response, Revision, Txn, TxnOp};

/// What a call is about. A transaction that does one thing counts as that thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    Range,
    Put,
    Delete,
    Txn,
    Compact,
    Lease,
    Watch,
    Status,
}

impl CallKind {
    /// Its name, in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Txn => "txn",
            Self::Compact => "compact",
            Self::Lease => "lease",
            Self::Watch => "watch",
            Self::Status => "status",
        }
    }
}

impl<V> Call<V> {
    /// The call of the operation `op`.
    pub(in crate::apiserver) fn new(id: CallId, op: Op<V>) -> Self {
        Self { id, op: Rc::new(op) }
    }

    /// What its answer is known by.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// Whether it goes through the log and waits for the disk.
    pub fn is_write(&self) -> bool {
        self.op.is_write()
    }

    /// What it is about.
    pub fn kind(&self) -> CallKind {
        match &*self.op {
            Op::Range(_) => CallKind::Range,
            Op::Txn(txn) => match txn.only_op() {
                Some(TxnOp::Range(_)) => CallKind::Range,
                Some(TxnOp::Put(_)) => CallKind::Put,
                Some(TxnOp::DeleteRange(_)) => CallKind::Delete,
                None => CallKind::Txn,
            },
            Op::DeleteRange(_) => CallKind::Delete,
            Op::Compact(_) => CallKind::Compact,
            Op::LeaseGrant { .. } | Op::LeaseRevoke(_) | Op::LeaseKeepAlive(_) => CallKind::Lease,
            Op::WatchCreate(_) | Op::WatchCancel(_) | Op::WatchProgress => CallKind::Watch,
            Op::Status => CallKind::Status,
        }
    }

    /// The keys it reads, writes or watches; of a transaction, those of its first operation.
    pub fn keys(&self) -> Option<KeyRange> {
        match &*self.op {
            Op::Range(range) => Some(range.keys.clone()),
            Op::Txn(txn) => txn.success.first().map(|op| match op {
                TxnOp::Range(range) => range.keys.clone(),
                TxnOp::Put(put) => KeyRange::key(Rc::clone(&put.key)),
                TxnOp::DeleteRange(keys) => keys.clone(),
            }),
            Op::DeleteRange(keys) => Some(keys.clone()),
            Op::WatchCreate(create) => Some(create.keys.clone()),
            Op::Compact(_)
            | Op::LeaseGrant { .. }
            | Op::LeaseRevoke(_)
            | Op::LeaseKeepAlive(_)
            | Op::WatchCancel(_)
            | Op::WatchProgress
            | Op::Status => None,
        }
    }

    /// What must hold for it to be done, such as `mod_revision = 5`; a key is named only where it
    /// is not the one of [`Call::keys`].
    pub fn condition(&self) -> Option<String> {
        let keys = self.keys();
        let own = keys.as_ref().and_then(KeyRange::single);
        let words: Vec<String> = self
            .compares()
            .iter()
            .map(|compare| match own {
                Some(key) if *key == compare.key => compare.condition(),
                Some(_) | None => compare.to_string(),
            })
            .collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }

    /// The conditions of a transaction.
    pub fn compares(&self) -> &[Compare] {
        self.txn().map_or(&[], |txn| &txn.compare)
    }

    /// The first value it puts if its conditions hold.
    pub fn value(&self) -> Option<&V> {
        self.txn()?.success.iter().find_map(|op| match op {
            TxnOp::Put(Put { value, .. }) => Some(value),
            TxnOp::Range(_) | TxnOp::DeleteRange(_) => None,
        })
    }

    /// The whole in one line, such as `put /registry/pods/default/web if mod_revision = 5`.
    pub fn summary(&self) -> String {
        let mut words = match &*self.op {
            Op::Compact(at) => format!("compact {at}"),
            Op::LeaseGrant { ttl_seconds, .. } => format!("lease grant {ttl_seconds}s"),
            Op::LeaseRevoke(id) => format!("lease revoke {id}"),
            Op::LeaseKeepAlive(id) => format!("lease keep-alive {id}"),
            Op::WatchCancel(id) => format!("watch cancel {id}"),
            Op::WatchProgress => "watch progress".to_owned(),
            Op::Range(_) | Op::Txn(_) | Op::DeleteRange(_) | Op::WatchCreate(_) | Op::Status => {
                let kind = self.kind().as_str();
                self.keys().map_or_else(|| kind.to_owned(), |keys| format!("{kind} {keys}"))
            }
        };
        let revision = match &*self.op {
            Op::Range(range) => range.revision.map(|revision| format!(" at {revision}")),
            Op::WatchCreate(create) => create.start_revision.map(|from| format!(" from {from}")),
            Op::Txn(_)
            | Op::DeleteRange(_)
            | Op::Compact(_)
            | Op::LeaseGrant { .. }
            | Op::LeaseRevoke(_)
            | Op::LeaseKeepAlive(_)
            | Op::WatchCancel(_)
            | Op::WatchProgress
            | Op::Status => None,
        };
        words.extend(revision);
        words.extend(self.condition().map(|condition| format!(" if {condition}")));
        words
    }

    fn txn(&self) -> Option<&Txn<V>> {
        match &*self.op {
            Op::Txn(txn) => Some(txn),
            Op::Range(_)
            | Op::DeleteRange(_)
            | Op::Compact(_)
            | Op::LeaseGrant { .. }
            | Op::LeaseRevoke(_)
            | Op::LeaseKeepAlive(_)
            | Op::WatchCreate(_)
            | Op::WatchCancel(_)
            | Op::WatchProgress
            | Op::Status => None,
        }
    }
}

impl<V> Txn<V> {
    fn only_op(&self) -> Option<&TxnOp<V>> {
        match self.success.as_slice() {
            [op] => Some(op),
            _ => None,
        }
    }
}

impl<V> Out<V> {
    /// The call it answers; none for a watch message.
    pub fn answers(&self) -> Option<CallId> {
        match self {
            Self::Reply { id, .. } => Some(*id),
            Self::Watch { .. } | Self::Progress { .. } | Self::WatchCanceled { .. } => None,
        }
    }

    /// Where the store was as it was sent; none for an error.
    pub fn revision(&self) -> Option<Revision> {
        match self {
            Self::Reply { result, .. } => Some(result.as_ref().ok()?.revision()),
            Self::Watch { revision, .. }
            | Self::Progress { revision, .. }
            | Self::WatchCanceled { revision, .. } => Some(*revision),
        }
    }

    /// The whole in one line, such as `ok, revision 7` or etcd's words for an error.
    pub fn summary(&self) -> String {
        match self {
            Self::Reply { result: Ok(response), .. } => response.summary(),
            Self::Reply { result: Err(error), .. } => error.to_string(),
            Self::Watch { revision, events, .. } => match &**events {
                [event] => {
                    let verb = if event.change.key_value().is_some() { "PUT" } else { "DELETE" };
                    format!("{verb} {}, revision {revision}", event.change.key())
                }
                several => format!("{} events, revision {revision}", several.len()),
            },
            Self::Progress { revision, .. } => format!("progress, revision {revision}"),
            Self::WatchCanceled { compact_revision: Some(at), .. } => {
                format!("watch canceled, compacted at {at}")
            }
            Self::WatchCanceled { compact_revision: None, .. } => "watch canceled".to_owned(),
        }
    }
}

impl<V> Response<V> {
    /// Where the store was.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Range(response) => response.revision,
            Self::Txn(response) => response.revision,
            Self::DeleteRange { revision, .. }
            | Self::Compact { revision }
            | Self::LeaseGrant { revision, .. }
            | Self::LeaseRevoke { revision }
            | Self::LeaseKeepAlive { revision, .. }
            | Self::WatchCreate { revision, .. } => *revision,
            Self::Status(status) => status.revision,
        }
    }

    fn summary(&self) -> String {
        let revision = self.revision();
        match self {
            Self::Range(response) => format!("{} keys, revision {revision}", response.count),
            Self::Txn(response) if !response.succeeded => {
                format!("condition does not hold, revision {revision}")
            }
            Self::DeleteRange { deleted, .. } => format!("{deleted} deleted, revision {revision}"),
            Self::LeaseGrant { id, ttl_seconds, .. } => format!("lease {id} for {ttl_seconds}s"),
            Self::LeaseKeepAlive { id, ttl_seconds, .. } => {
                format!("lease {id} for {ttl_seconds}s more")
            }
            Self::WatchCreate { id, .. } => format!("watch {id} created, revision {revision}"),
            Self::Txn(_) | Self::Compact { .. } | Self::LeaseRevoke { .. } | Self::Status(_) => {
                format!("ok, revision {revision}")
            }
        }
    }
}
