//! Leases: a time to live, and the keys that die with it.
//!
//! Mirrors: etcd `server/lease/lessor.go`; the checkpoints of the remaining time and the limit on
//! revocations per second are left out, and a lease ends at its moment, not up to half a second late.
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::{EtcdError, Instant};
use crate::sim::{SortedMap, SortedSet};

/// The shortest time to live, in seconds; shorter wishes are raised to it. etcd derives it from its
/// election timeout (10 ticks of 100 ms, by half more, rounded up).
pub(super) const MIN_TTL_SECONDS: u64 = 2;
/// The longest time to live, in seconds.
pub(super) const MAX_TTL_SECONDS: u64 = 9_000_000_000;

/// Names a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(u64);

impl LeaseId {
    /// The lease called `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for LeaseId {
    /// As `etcdctl` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One lease.
#[derive(Clone, Debug)]
pub struct Lease {
    pub ttl_seconds: u64,
    pub expires: Instant,
    /// Shared with the checkpoints.
    keys: Rc<BTreeSet<Rc<str>>>,
}

impl Lease {
    /// The keys that are deleted when it ends, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Rc<str>> {
        self.keys.iter()
    }
}

/// All leases.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    /// There are few: many objects share one.
    by_id: SortedMap<LeaseId, Lease>,
    /// The same leases, the first to end first.
    by_end: SortedSet<(Instant, LeaseId)>,
    last_id: u64,
}

impl Leases {
    pub(super) fn get(&self, id: LeaseId) -> Option<&Lease> {
        self.by_id.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (LeaseId, &Lease)> {
        self.by_id.iter().map(|(id, lease)| (*id, lease))
    }

    /// Grants a lease under `id`, or under one that is free.
    pub(super) fn grant(
        &mut self,
        id: Option<LeaseId>,
        ttl_seconds: u64,
        now: Instant,
    ) -> Result<(LeaseId, u64), EtcdError> {
        if ttl_seconds > MAX_TTL_SECONDS {
            return Err(EtcdError::LeaseTtlTooLarge);
        }
        let id = id.unwrap_or_else(|| self.free_id());
        if self.by_id.contains_key(&id) {
            return Err(EtcdError::LeaseExists);
        }
        let ttl_seconds = ttl_seconds.max(MIN_TTL_SECONDS);
        let expires = now + Duration::from_secs(ttl_seconds);
        self.by_id.insert(id, Lease { ttl_seconds, expires, keys: Rc::default() });
        self.by_end.insert((expires, id));
        Ok((id, ttl_seconds))
    }

    fn free_id(&mut self) -> LeaseId {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            let id = LeaseId(self.last_id);
            if !self.by_id.contains_key(&id) {
                return id;
            }
        }
    }

    /// Starts the lease's time again and returns its length in seconds.
    pub(super) fn renew(&mut self, id: LeaseId, now: Instant) -> Result<u64, EtcdError> {
        let lease = self.by_id.get_mut(&id).ok_or(EtcdError::LeaseNotFound)?;
        // One that is over waits for its revocation and cannot be saved.
        if lease.expires <= now {
            return Err(EtcdError::LeaseNotFound);
        }
        self.by_end.remove(&(lease.expires, id));
        lease.expires = now + Duration::from_secs(lease.ttl_seconds);
        self.by_end.insert((lease.expires, id));
        Ok(lease.ttl_seconds)
    }

    pub(super) fn remove(&mut self, id: LeaseId) -> Option<Lease> {
        let lease = self.by_id.remove(&id)?;
        self.by_end.remove(&(lease.expires, id));
        Some(lease)
    }

    /// Moves `key` from one lease to another; a lease that is gone is passed over.
    pub(super) fn move_key(&mut self, key: &Rc<str>, from: Option<LeaseId>, to: Option<LeaseId>) {
        if from == to {
            return;
        }
        if let Some(lease) = from.and_then(|id| self.by_id.get_mut(&id)) {
            Rc::make_mut(&mut lease.keys).remove(&**key);
        }
        if let Some(lease) = to.and_then(|id| self.by_id.get_mut(&id)) {
            Rc::make_mut(&mut lease.keys).insert(Rc::clone(key));
        }
    }

    /// The next to end.
    pub(super) fn first_to_end(&self) -> Option<(Instant, LeaseId)> {
        self.by_end.first().copied()
    }
}
