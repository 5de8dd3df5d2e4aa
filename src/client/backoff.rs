//! Exponential back-off by key.

use std::time::Duration;

use crate::sim::{Instant, SortedMap};

/// How long to wait after each failure of a key: doubling from `first` to `most`, forgotten after
/// twice `most` without a failure.
///
/// Mirrors: `client-go/util/flowcontrol/backoff.go`.
#[derive(Clone, Debug)]
pub struct Backoff<K> {
    first: Duration,
    most: Duration,
    entries: SortedMap<K, (Duration, Instant)>,
}

impl<K: Ord + Clone> Backoff<K> {
    /// No key has failed yet.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, entries: SortedMap::new() }
    }

    /// Notes that `key` failed now, and returns how long to wait.
    pub fn failed(&mut self, key: &K, now: Instant) -> Duration {
        let wait = match self.entries.get(key) {
            Some((wait, at)) if now.since(*at) <= self.most * 2 => (*wait * 2).min(self.most),
            Some(_) | None => self.first,
        };
        self.entries.insert(key.clone(), (wait, now));
        wait
    }

    /// How long `key` still has to wait; zero if it need not.
    pub fn remaining(&self, key: &K, now: Instant) -> Duration {
        self.entries.get(key).map_or(Duration::ZERO, |(wait, at)| (*at + *wait).since(now))
    }

    /// The wait that `key` was last given.
    pub fn current(&self, key: &K) -> Option<Duration> {
        self.entries.get(key).map(|(wait, _)| *wait)
    }

    /// Forgets `key`.
    pub fn reset(&mut self, key: &K) {
        self.entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_are_forgotten_in_time() {
        let mut backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(35));
        let at = |seconds: u64| Instant::from_micros(seconds * 1_000_000);
        let waits: Vec<u64> = [0, 20, 60, 100, 300]
            .map(|second| backoff.failed(&"web", at(second)).as_secs())
            .to_vec();
        assert_eq!(waits, [10, 20, 35, 35, 10]);
        assert_eq!(backoff.remaining(&"web", at(304)).as_secs(), 6);
    }
}
