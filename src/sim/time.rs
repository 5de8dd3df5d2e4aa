//! Virtual time: moments in microseconds since the cluster began.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A moment of virtual time, in microseconds since the cluster began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The beginning.
    pub const ZERO: Self = Self(0);
    /// The end of time; never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after the beginning.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the beginning.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time since `earlier`; zero if that is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// What a clock shows that showed `epoch` at the beginning; `epoch` again beyond the calendar's end.
    pub fn date(self, epoch: Timestamp) -> Timestamp {
        let since = SignedDuration::from_micros(i64::try_from(self.0).unwrap_or(i64::MAX));
        epoch.checked_add(since).unwrap_or(epoch)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates: what lies beyond the end of time never comes.
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Instant {
    /// Hours, minutes, seconds and microseconds, as `00:00:12.482013`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000_000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{:06}", seconds % 60, self.0 % 1_000_000)
    }
}
