//! How long ago, in the few characters of a table's cell, and spans of time as Go writes them.
//!
//! Mirrors: `apimachinery/pkg/util/duration`, the printers' `translateTimestampSince` and Go's `time`.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use crate::api::text::go_quote;

/// What a table shows where a time was never set.
pub const UNKNOWN: &str = "<unknown>";

/// In nanoseconds.
const SECOND: i128 = 1_000_000_000;
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

/// The span that a text is: `1h30m`, `-1.5s`, `100ms`.
///
/// # Errors
///
/// What Go says of a text that is none.
pub fn from_go(text: &str) -> Result<SignedDuration, String> {
    let invalid = || format!("time: invalid duration {}", go_quote(text));
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let split = |text, is_inside: fn(char) -> bool| {
        let end = |text: &str| text.find(|letter| !is_inside(letter)).unwrap_or(text.len());
        str::split_at(text, end(text))
    };
    let is_digit: fn(char) -> bool = |letter| letter.is_ascii_digit();
    let mut nanos = 0_i128;
    while !rest.is_empty() {
        let (whole, after) = split(rest, is_digit);
        let (part, after) = match after.strip_prefix('.') {
            Some(after) => split(after, is_digit),
            None => ("", after),
        };
        if whole.is_empty() && part.is_empty() {
            return Err(invalid());
        }
        let (name, after) = split(after, |letter| letter != '.' && !letter.is_ascii_digit());
        let unit = match name {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            "" => return Err(format!("time: missing unit in duration {}", go_quote(text))),
            _ => {
                let (name, text) = (go_quote(name), go_quote(text));
                return Err(format!("time: unknown unit {name} in duration {text}"));
            }
        };
        let more = of_units(whole, part, unit).ok_or_else(invalid)?;
        nanos = nanos.checked_add(more).ok_or_else(invalid)?;
        rest = after;
    }
    let nanos = i64::try_from(if is_negative { -nanos } else { nanos }).ok();
    nanos.map(SignedDuration::from_nanos).ok_or_else(invalid)
}

/// So many units of so many nanoseconds, with what stands after the point.
fn of_units(whole: &str, part: &str, unit: i128) -> Option<i128> {
    if whole.len() > 18 {
        return None;
    }
    let mut sum = if whole.is_empty() { 0 } else { whole.parse::<i128>().ok()? * unit };
    let mut scale = unit;
    for digit in part.chars() {
        scale /= 10;
        sum += i128::from(digit.to_digit(10)?) * scale;
    }
    Some(sum)
}

/// A span as Go prints it: `1h30m0s`, `-1.5s`, `100ms`.
pub fn to_go(span: SignedDuration) -> String {
    let nanos = span.as_nanos();
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.abs();
    let (seconds, below) = (nanos / SECOND, nanos % SECOND);
    let with_part = |whole: i128, part: i128, digits: usize| {
        let part = format!("{part:0digits$}");
        match part.trim_end_matches('0') {
            "" => whole.to_string(),
            part => format!("{whole}.{part}"),
        }
    };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = || with_part(seconds % 60, below, 9);
    match nanos {
        0 => "0s".to_owned(),
        1..1000 => format!("{sign}{nanos}ns"),
        1000..1_000_000 => format!("{sign}{}\u{b5}s", with_part(nanos / 1000, nanos % 1000, 3)),
        1_000_000..SECOND => {
            format!("{sign}{}ms", with_part(nanos / 1_000_000, nanos % 1_000_000, 6))
        }
        _ if hours > 0 => format!("{sign}{hours}h{minutes}m{}s", rest()),
        _ if minutes > 0 => format!("{sign}{minutes}m{}s", rest()),
        _ => format!("{sign}{}s", rest()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_printed_as_go_does() {
        let cases = [
            ("0", "0s"),
            ("0s", "0s"),
            ("15s", "15s"),
            ("+1.5s", "1.5s"),
            ("-.5m", "-30s"),
            ("90m", "1h30m0s"),
            ("1h15m30.918s", "1h15m30.918s"),
            ("1m1ms", "1m0.001s"),
            ("1500us", "1.5ms"),
            ("1500ns", "1.5\u{b5}s"),
            ("2.9ns", "2ns"),
        ];
        for (text, printed) in cases {
            assert_eq!(from_go(text).map(to_go).as_deref(), Ok(printed), "{text}");
        }
        let wrong = [
            ("", "time: invalid duration \"\""),
            ("-", "time: invalid duration \"-\""),
            ("soon", "time: invalid duration \"soon\""),
            (".s", "time: invalid duration \".s\""),
            ("99999999999999999999s", "time: invalid duration \"99999999999999999999s\""),
            ("2562048h", "time: invalid duration \"2562048h\""),
            ("15", "time: missing unit in duration \"15\""),
            ("1.2.3s", "time: missing unit in duration \"1.2.3s\""),
            ("1h5", "time: missing unit in duration \"1h5\""),
            ("3d", "time: unknown unit \"d\" in duration \"3d\""),
        ];
        for (text, words) in wrong {
            assert_eq!(from_go(text).unwrap_err(), words);
        }
    }
}
