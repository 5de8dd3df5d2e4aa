//! What travels between the API server and etcd.
//!
//! Anybody may look at a message (the trace and the page do); only the API server makes a call.
use std::rc::Rc;

use super::{
    EtcdError, Event, KeyRange, LeaseId, Range, RangeResponse, Revision, Sizes, Txn, TxnResponse,
    WatchId,
};

/// Names a call, so that its answer can be told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(u64);

impl CallId {
    /// The call numbered `number` by the client.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<V> {
    pub(in crate::apiserver) id: CallId,
    /// Shared with who only looks at it.
    pub(in crate::apiserver) op: Rc<Op<V>>,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op<V> {
    Range(Range),
    Txn(Txn<V>),
    DeleteRange(KeyRange),
    Compact(Revision),
    /// `id`: `None` leaves the choice to etcd.
    LeaseGrant {
        id: Option<LeaseId>,
        ttl_seconds: u64,
    },
    LeaseRevoke(LeaseId),
    LeaseKeepAlive(LeaseId),
    WatchCreate(WatchCreate),
    /// Answered by [`Out::WatchCanceled`]; not at all if there is no such watch.
    WatchCancel(WatchId),
    /// Answered by one [`Out::Progress`] for all watches.
    WatchProgress,
    Status,
}

impl<V> Op<V> {
    /// Whether it goes through the log and waits for the disk.
    pub fn is_write(&self) -> bool {
        match self {
            Self::Txn(txn) => txn.is_write(),
            Self::DeleteRange(_)
            | Self::Compact(_)
            | Self::LeaseGrant { .. }
            | Self::LeaseRevoke(_) => true,
            Self::Range(_)
            | Self::LeaseKeepAlive(_)
            | Self::WatchCreate(_)
            | Self::WatchCancel(_)
            | Self::WatchProgress
            | Self::Status => false,
        }
    }
}

/// A request to be told of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchCreate {
    pub id: WatchId,
    pub keys: KeyRange,
    /// The first revision to tell of; `None` begins with the next. One that has passed is replayed.
    pub start_revision: Option<Revision>,
    /// Tell each event with the key as it was before.
    pub prev_kv: bool,
    /// Tell the revision from time to time while nothing happens.
    pub progress_notify: bool,
}

/// What etcd sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out<V> {
    Reply {
        id: CallId,
        result: Result<Response<V>, EtcdError>,
    },
    /// Changes, in order; all of one revision stand in one message.
    Watch {
        id: WatchId,
        /// The store's revision as the message was made; after it, nothing older comes.
        revision: Revision,
        events: Rc<[Event<V>]>,
    },
    /// The watch has been told all up to `revision`; without `id`, every watch has.
    Progress {
        id: Option<WatchId>,
        revision: Revision,
    },
    WatchCanceled {
        id: WatchId,
        revision: Revision,
        /// The last compaction, if it took what the watch wanted to know.
        compact_revision: Option<Revision>,
    },
}

/// The answer to an [`Op`]; `revision` is where the store is then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response<V> {
    Range(RangeResponse<V>),
    Txn(TxnResponse<V>),
    DeleteRange {
        revision: Revision,
        deleted: usize,
    },
    Compact {
        revision: Revision,
    },
    LeaseGrant {
        revision: Revision,
        id: LeaseId,
        ttl_seconds: u64,
    },
    LeaseRevoke {
        revision: Revision,
    },
    /// `ttl_seconds` is 0 if there is no such lease; that is no error.
    LeaseKeepAlive {
        revision: Revision,
        id: LeaseId,
        ttl_seconds: u64,
    },
    WatchCreate {
        revision: Revision,
        id: WatchId,
    },
    Status(Status),
}

/// How etcd is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    pub version: &'static str,
    pub revision: Revision,
    pub compacted: Revision,
    pub sizes: Sizes,
}
