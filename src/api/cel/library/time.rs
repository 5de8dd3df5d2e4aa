//! Moments and spans of time.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Function, Meter, Of, Stop, Value, global, member};
use crate::api::duration::from_go;

pub(super) const FUNCTIONS: &[Function] = &[
    global("timestamp", &[Of::Time], Of::Time, as_it_is),
    global("timestamp", &[Of::Text], Of::Time, |_, it| match it {
        [Value::Text(text)] => text.parse().map(Value::Time).ok().ok_or_else(|| {
            Stop::failed("type conversion error from 'string' to 'google.protobuf.Timestamp'")
        }),
        _ => Err(Stop::no_overload()),
    }),
    global("timestamp", &[Of::Int], Of::Time, |_, it| match it {
        [Value::Int(second)] => match Timestamp::from_second(*second) {
            Ok(at) => Ok(Value::Time(at)),
            Err(_) => Err(Stop::failed("timestamp overflow")),
        },
        _ => Err(Stop::no_overload()),
    }),
    global("duration", &[Of::Span], Of::Span, as_it_is),
    global("duration", &[Of::Text], Of::Span, |_, it| match it {
        [Value::Text(text)] => from_go(text).ok().map(Value::Span).ok_or_else(|| {
            Stop::failed("type conversion error from 'string' to 'google.protobuf.Duration'")
        }),
        _ => Err(Stop::no_overload()),
    }),
    member("getFullYear", &[Of::Time], Of::Int, |_, it| part(it, |at| at.year().into())),
    member("getMonth", &[Of::Time], Of::Int, |_, it| part(it, |at| i64::from(at.month()) - 1)),
    member("getDayOfYear", &[Of::Time], Of::Int, |_, it| {
        part(it, |at| i64::from(at.day_of_year()) - 1)
    }),
    member("getDayOfMonth", &[Of::Time], Of::Int, |_, it| part(it, |at| i64::from(at.day()) - 1)),
    member("getDate", &[Of::Time], Of::Int, |_, it| part(it, |at| at.day().into())),
    member("getDayOfWeek", &[Of::Time], Of::Int, |_, it| part(it, day_of_week)),
    member("getHours", &[Of::Time], Of::Int, |_, it| part(it, |at| at.hour().into())),
    member("getMinutes", &[Of::Time], Of::Int, |_, it| part(it, |at| at.minute().into())),
    member("getSeconds", &[Of::Time], Of::Int, |_, it| part(it, |at| at.second().into())),
    member("getMilliseconds", &[Of::Time], Of::Int, |_, it| part(it, |at| at.millisecond().into())),
    member("getFullYear", IN_ZONE, Of::Int, |_, it| part(it, |at| at.year().into())),
    member("getMonth", IN_ZONE, Of::Int, |_, it| part(it, |at| i64::from(at.month()) - 1)),
    member("getDayOfYear", IN_ZONE, Of::Int, |_, it| {
        part(it, |at| i64::from(at.day_of_year()) - 1)
    }),
    member("getDayOfMonth", IN_ZONE, Of::Int, |_, it| part(it, |at| i64::from(at.day()) - 1)),
    member("getDate", IN_ZONE, Of::Int, |_, it| part(it, |at| at.day().into())),
    member("getDayOfWeek", IN_ZONE, Of::Int, |_, it| part(it, day_of_week)),
    member("getHours", IN_ZONE, Of::Int, |_, it| part(it, |at| at.hour().into())),
    member("getMinutes", IN_ZONE, Of::Int, |_, it| part(it, |at| at.minute().into())),
    member("getSeconds", IN_ZONE, Of::Int, |_, it| part(it, |at| at.second().into())),
    member("getMilliseconds", IN_ZONE, Of::Int, |_, it| part(it, |at| at.millisecond().into())),
    member("getHours", &[Of::Span], Of::Int, |_, it| length(it, 3_600_000)),
    member("getMinutes", &[Of::Span], Of::Int, |_, it| length(it, 60_000)),
    member("getSeconds", &[Of::Span], Of::Int, |_, it| length(it, 1000)),
    member("getMilliseconds", &[Of::Span], Of::Int, |_, it| length(it, 1)),
];

const IN_ZONE: &[Of] = &[Of::Time, Of::Text];

fn as_it_is(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    it.first().cloned().ok_or_else(Stop::no_overload)
}

fn day_of_week(at: &Zoned) -> i64 {
    at.weekday().to_sunday_zero_offset().into()
}

fn part(it: &[Value], of: fn(&Zoned) -> i64) -> Result<Value, Stop> {
    let (at, zone) = match it {
        [Value::Time(at)] => (at, TimeZone::UTC),
        [Value::Time(at), Value::Text(name)] => {
            let wrong = || Stop::failed(["unknown time zone ", name].concat());
            (at, zone(name).ok_or_else(wrong)?)
        }
        _ => return Err(Stop::no_overload()),
    };
    Ok(Value::Int(of(&at.to_zoned(zone))))
}

/// A zone by how far it is from UTC. There are no names of places here.
pub fn zone(name: &str) -> Option<TimeZone> {
    if matches!(name, "" | "UTC") {
        return Some(TimeZone::UTC);
    }
    let (sign, rest) = match name.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, name.strip_prefix('+').unwrap_or(name)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    if !(0..=23).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
    Some(TimeZone::fixed(offset))
}

fn length(it: &[Value], unit: i128) -> Result<Value, Stop> {
    let [Value::Span(span)] = it else { return Err(Stop::no_overload()) };
    let whole = span.as_nanos() / 1_000_000 / unit;
    Ok(Value::Int(i64::try_from(whole).unwrap_or(i64::MAX)))
}

/// A span in seconds, as `string(x)` has it: `5400s`.
pub fn span_text(span: SignedDuration) -> String {
    let nanos = span.as_nanos();
    let (whole, part) = (nanos.abs() / 1_000_000_000, nanos.abs() % 1_000_000_000);
    let sign = if nanos < 0 { "-" } else { "" };
    let part = format!("{part:09}");
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}s"),
        part => format!("{sign}{whole}.{part}s"),
    }
}
