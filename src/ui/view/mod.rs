//! What the panels show, worked out of the cluster: plain values, no markup.

pub mod changes;
mod cri;
pub mod inspect;
pub mod journey;
pub mod logs;
pub mod manifest;
pub mod message;
pub mod sending;
pub mod shade;
pub mod table;
pub mod timeline;
pub mod why;

use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::epoch;
use crate::sim::Instant;

/// Time to the thousandth of a second.
pub fn clock(now: Instant) -> String {
    let text = now.to_string();
    let end = text.len().saturating_sub(3);
    text.get(..end).map(str::to_owned).unwrap_or(text)
}

/// The date of a moment of virtual time.
pub fn date(at: Instant) -> Timestamp {
    at.date(epoch())
}

/// A span as a person reads it: `340 µs`, `4.2 ms`, `1.35 s`, `2 min 5 s`.
pub fn span(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => {
            format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000)
        }
        _ => format!("{} min {} s", span.as_secs() / 60, span.as_secs() % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short_and_say_their_unit() {
        let said = [340, 4_250, 87_000, 1_357_000, 125_000_000]
            .map(|micros| span(Duration::from_micros(micros)));
        assert_eq!(said, ["340 µs", "4.2 ms", "87 ms", "1.35 s", "2 min 5 s"]);
    }
}
