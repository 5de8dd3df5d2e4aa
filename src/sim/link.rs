//! Links: how long a message travels, and that none overtakes another of its stream.

use super::sorted::SortedMap;
use std::time::Duration;

use super::{Instant, Rng};

/// How long messages take: at least `base`, and up to `jitter` more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    pub base: Duration,
    pub jitter: Duration,
}

impl Latency {
    /// From microseconds.
    pub const fn micros(base: u64, jitter: u64) -> Self {
        Self { base: Duration::from_micros(base), jitter: Duration::from_micros(jitter) }
    }
}

/// The directed links between addresses of type `A`.
#[derive(Clone, Debug)]
pub struct Links<A> {
    last_arrival: SortedMap<(A, A), Instant>,
}

impl<A: Copy + Ord> Links<A> {
    /// When a message sent now arrives: never before an earlier one of the same link.
    pub fn arrival(
        &mut self,
        (from, to): (A, A),
        latency: Latency,
        sent: Instant,
        rng: &mut Rng,
    ) -> Instant {
        let travels = sent + latency.base + rng.span_below(latency.jitter);
        let last = self.last_arrival.or_default((from, to));
        *last = travels.max(*last);
        *last
    }
}

impl<A> Default for Links<A> {
    fn default() -> Self {
        Self { last_arrival: SortedMap::new() }
    }
}
