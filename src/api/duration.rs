//! How long ago, in the few characters of a table's cell.
//!
//! Mirrors: `apimachinery/pkg/util/duration` and the printers' `translateTimestampSince`.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

/// What a table shows where a time was never set.
pub const UNKNOWN: &str = "<unknown>";

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// A duration in one or two units, such as `3m10s`; kubectl's ages.
///
/// A clock that is a second behind is forgiven.
pub fn human(duration: SignedDuration) -> String {
    // Whole seconds, cut towards zero as Go does, so that a little less than two seconds is one.
    let seconds = duration.as_secs();
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(seconds, MINUTE, 'm', 1, 's'),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two(seconds, HOUR, 'h', MINUTE, 'm'),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two(seconds, DAY, 'd', HOUR, 'h'),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => two(seconds, YEAR, 'y', DAY, 'd'),
        252_288_000.. => format!("{}y", seconds / YEAR),
    }
}

/// A duration in one unit, such as `3m`.
pub fn short(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / MINUTE),
        3_600..86_400 => format!("{}h", seconds / HOUR),
        86_400..31_536_000 => format!("{}d", seconds / DAY),
        31_536_000.. => format!("{}y", seconds / YEAR),
    }
}

/// The age of something that began at `since`, as a table shows it.
pub fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    since.map_or_else(|| UNKNOWN.to_owned(), |since| human(now.duration_since(since)))
}

/// `seconds` in a `large` unit and, unless it is none, what is left in a `small` one.
fn two(seconds: i64, large: i64, large_name: char, small: i64, small_name: char) -> String {
    let mut text = format!("{}{large_name}", seconds / large);
    let rest = seconds % large / small;
    if rest != 0 {
        let written = write!(text, "{rest}{small_name}");
        debug_assert!(written.is_ok(), "writing into a String cannot fail");
    }
    text
}
