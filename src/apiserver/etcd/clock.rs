//! The moment a call is handled, until the simulation lends its own.
use std::ops::Add;
use std::time::Duration;

/// A moment of virtual time, in microseconds since the cluster began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The moment `micros` microseconds after the beginning.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates: what lies beyond the end of time never comes.
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}
