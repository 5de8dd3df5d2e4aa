//! The schedules of cron jobs: five fields, or a word such as `@hourly`.
//!
//! Mirrors: `ParseStandard` of `robfig/cron/v3`, with its words.

use std::num::IntErrorKind;

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScheduleError(String);

/// When something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At the times that all fields allow.
    At(Fields),
    /// Again and again, this many seconds apart.
    Every(u64),
}

/// What each field of a schedule allows: bit `n` stands for the value `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    pub minute: u64,
    pub hour: u64,
    pub day_of_month: u64,
    pub month: u64,
    pub day_of_week: u64,
}

/// The values that a field may have, and the names of some.
struct Bounds {
    min: u32,
    max: u32,
    /// The first is the name of `min`.
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds =
    Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// Every value, which in a day's field means that the other one decides.
const ALL: u64 = 1 << 63;

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let text = if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
            let (_, rest) = text
                .split_once(' ')
                .ok_or_else(|| ScheduleError(format!("provided bad location {text}")))?;
            rest.trim()
        } else {
            text
        };
        if text.starts_with('@') {
            return descriptor(text);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = fields.as_slice() else {
            return Err(ScheduleError(format!(
                "expected exactly 5 fields, found {}: [{}]",
                fields.len(),
                fields.join(" ")
            )));
        };
        Ok(Self::At(Fields {
            minute: field(minute, &MINUTES)?,
            hour: field(hour, &HOURS)?,
            day_of_month: field(day_of_month, &DAYS)?,
            month: field(month, &MONTHS)?,
            day_of_week: field(day_of_week, &WEEKDAYS)?,
        }))
    }
}

fn descriptor(text: &str) -> Result<Schedule, ScheduleError> {
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            return match text.strip_prefix("@every ") {
                Some(duration) => every(text, duration),
                None => Err(ScheduleError(format!("unrecognized descriptor: {text}"))),
            };
        }
    };
    Schedule::parse(fields)
}

/// A duration as Go writes it, in whole seconds and at least one.
fn every(text: &str, duration: &str) -> Result<Schedule, ScheduleError> {
    let wrong = |why: String| ScheduleError(format!("failed to parse duration {text}: {why}"));
    let invalid = || wrong(format!("time: invalid duration \"{duration}\""));
    let mut seconds = 0.0;
    let mut rest = duration;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(|| wrong(format!("time: missing unit in duration \"{duration}\"")))?;
        let (number, tail) = rest.split_at(end);
        let number = super::text::float(number).ok_or_else(invalid)?;
        let units = [
            ("ns", 1e-9),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("ms", 1e-3),
            ("s", 1.0),
            ("m", 60.0),
            ("h", 3600.0),
        ];
        let (scale, tail) = units
            .into_iter()
            .find_map(|(unit, scale)| Some((scale, tail.strip_prefix(unit)?)))
            .ok_or_else(invalid)?;
        seconds += number * scale;
        rest = tail;
    }
    if duration.is_empty() {
        return Err(invalid());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there is no sign, and what does not fit becomes the greatest that does"
    )]
    let whole = seconds as u64;
    Ok(Schedule::Every(whole.max(1)))
}

fn field(text: &str, bounds: &Bounds) -> Result<u64, ScheduleError> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts.map(|part| range(part, bounds)).try_fold(0, |all, bits| Ok(all | bits?))
}

/// `*`, `5`, `1-5`, `*/15`, `1-30/5` or `5/10`.
fn range(text: &str, bounds: &Bounds) -> Result<u64, ScheduleError> {
    let wrong = |why: String| ScheduleError(format!("{why}: {text}"));
    let (span, step) = match text.split('/').collect::<Vec<_>>().as_slice() {
        [span] => (*span, None),
        [span, step] => (*span, Some(number(step)?)),
        _ => return Err(wrong("too many slashes".into())),
    };
    let ends: Vec<&str> = span.split('-').collect();
    let (start, end, mut extra) = match ends.as_slice() {
        ["*" | "?", ..] => (bounds.min, bounds.max, ALL),
        [one] => {
            let start = value(one, bounds)?;
            // `5/10` goes on to the end.
            (start, if step.is_some() { bounds.max } else { start }, 0)
        }
        [start, end] => (value(start, bounds)?, value(end, bounds)?, 0),
        _ => return Err(wrong("too many hyphens".into())),
    };
    let step = step.unwrap_or(1);
    if step > 1 {
        extra = 0;
    }
    let Bounds { min, max, .. } = bounds;
    if start < *min {
        return Err(wrong(format!("beginning of range ({start}) below minimum ({min})")));
    }
    if end > *max {
        return Err(wrong(format!("end of range ({end}) above maximum ({max})")));
    }
    if start > end {
        return Err(wrong(format!("beginning of range ({start}) beyond end of range ({end})")));
    }
    let Some(every) = usize::try_from(step).ok().filter(|step| *step > 0) else {
        return Err(wrong("step of range should be a positive number".into()));
    };
    Ok((start..=end).step_by(every).fold(extra, |bits, value| bits | 1 << value))
}

fn value(text: &str, bounds: &Bounds) -> Result<u32, ScheduleError> {
    let lower = text.to_ascii_lowercase();
    match (bounds.min..).zip(bounds.names).find(|(_, name)| **name == lower) {
        Some((value, _)) => Ok(value),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, ScheduleError> {
    let wrong = |why: &str| {
        ScheduleError(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing \"{text}\": {why}"
        ))
    };
    match text.parse::<i64>() {
        Ok(number) if number < 0 => {
            Err(ScheduleError(format!("negative number ({number}) not allowed: {text}")))
        }
        Ok(number) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        Err(error) => Err(match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => wrong("value out of range"),
            IntErrorKind::Empty | IntErrorKind::InvalidDigit | IntErrorKind::Zero | _ => {
                wrong("invalid syntax")
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(values: impl IntoIterator<Item = u32>) -> u64 {
        values.into_iter().fold(0, |bits, value| bits | 1 << value)
    }

    #[test]
    fn fields_allow_what_they_say() {
        for (text, bounds, expected) in [
            ("5", &MINUTES, bits([5])),
            ("0,15,30", &MINUTES, bits([0, 15, 30])),
            ("5-6", &MINUTES, bits([5, 6])),
            ("5-8/2", &MINUTES, bits([5, 7])),
            ("5/20", &MINUTES, bits([5, 25, 45])),
            ("*/10", &HOURS, bits([0, 10, 20])),
            ("*", &WEEKDAYS, bits(0..=6) | ALL),
            ("mon-FRI", &WEEKDAYS, bits(1..=5)),
            ("jan,dec", &MONTHS, bits([1, 12])),
        ] {
            assert_eq!(field(text, bounds), Ok(expected), "{text}");
        }
    }

    #[test]
    fn words_stand_for_fields() {
        assert_eq!(Schedule::parse("@hourly"), Schedule::parse("0 * * * *"));
        assert_eq!(Schedule::parse("TZ=UTC @daily"), Schedule::parse("0 0 * * *"));
        assert_eq!(Schedule::parse("@every 1h30m"), Ok(Schedule::Every(5400)));
    }

    #[test]
    fn errors_say_what_cron_says() {
        for (text, message) in [
            ("", "expected exactly 5 fields, found 0: []"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            (
                "x * * * *",
                "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            ("@often", "unrecognized descriptor: @often"),
            ("@every x", "failed to parse duration @every x: time: invalid duration \"x\""),
        ] {
            assert_eq!(Schedule::parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
