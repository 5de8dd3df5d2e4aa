//! How long the runtime's work takes.

use std::time::Duration;

use crate::sim::Rng;

/// A length of time between `least` and `least + spread`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub least: Duration,
    pub spread: Duration,
}

impl Span {
    const fn millis(least: u64, most: u64) -> Self {
        Self {
            least: Duration::from_millis(least),
            spread: Duration::from_millis(most.saturating_sub(least)),
        }
    }

    /// One such length.
    pub fn draw(self, rng: &mut Rng) -> Duration {
        let spread = u64::try_from(self.spread.as_micros()).unwrap_or(u64::MAX);
        if spread == 0 {
            return self.least;
        }
        self.least + Duration::from_micros(rng.below(spread))
    }
}

/// The cost of each kind of call; the default is a machine of today with SSDs and a good line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    pub run_pod_sandbox: Span,
    pub stop_pod_sandbox: Span,
    pub create_container: Span,
    pub start_container: Span,
    pub remove: Span,
    /// Calls that only look.
    pub query: Span,
    /// Until a registry has said whether it has an image.
    pub resolve_image: Span,
    /// For each layer, whatever its size.
    pub layer: Span,
    /// Download and unpacking together, in bytes a second; 0 takes no time.
    pub bandwidth: u64,
}

impl Timing {
    /// Everything happens at once.
    pub const INSTANT: Self = Self {
        run_pod_sandbox: Span::millis(0, 0),
        stop_pod_sandbox: Span::millis(0, 0),
        create_container: Span::millis(0, 0),
        start_container: Span::millis(0, 0),
        remove: Span::millis(0, 0),
        query: Span::millis(0, 0),
        resolve_image: Span::millis(0, 0),
        layer: Span::millis(0, 0),
        bandwidth: 0,
    };

    /// The time to bring an image's layers.
    pub fn pull(&self, size: u64, layers: u32, rng: &mut Rng) -> Duration {
        let mut length = Duration::ZERO;
        for _ in 0..layers {
            length += self.layer.draw(rng);
        }
        if self.bandwidth == 0 {
            return length;
        }
        // The line is up to a fifth slower or faster than on average.
        let percent = 80 + rng.below(41);
        let micros = u128::from(size) * 100_000_000 / u128::from(self.bandwidth * percent);
        length + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            run_pod_sandbox: Span::millis(150, 400),
            stop_pod_sandbox: Span::millis(40, 120),
            create_container: Span::millis(30, 80),
            start_container: Span::millis(50, 150),
            remove: Span::millis(10, 40),
            query: Span::millis(0, 1),
            resolve_image: Span::millis(400, 900),
            layer: Span::millis(20, 60),
            bandwidth: 50_000_000,
        }
    }
}
