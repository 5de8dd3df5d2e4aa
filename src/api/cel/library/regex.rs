//! Patterns in texts.
//!
//! Mirrors: `regex.go` of `apiserver/pkg/cel/library`.

use super::{Function, Meter, Of, Stop, Value, global, member};
use crate::api::custom::Pattern;

const TWO: &[Of] = &[Of::Text, Of::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    global("matches", TWO, Of::Bool, matches),
    member("matches", TWO, Of::Bool, matches),
    member("find", TWO, Of::Text, |meter, it| {
        let found = find(meter, it, 1)?;
        Ok(found.first().map_or_else(|| "".into(), |text| Value::from(*text)))
    }),
    member("findAll", TWO, Of::List(&Of::Text), |meter, it| Ok(all(find(meter, it, usize::MAX)?))),
    member("findAll", &[Of::Text, Of::Text, Of::Int], Of::List(&Of::Text), |meter, it| {
        let [_, _, Value::Int(most)] = it else { return Err(Stop::no_overload()) };
        Ok(all(find(meter, it, usize::try_from(*most).unwrap_or(usize::MAX))?))
    }),
];

fn all(found: Vec<&str>) -> Value {
    found.into_iter().map(Value::from).collect::<Vec<_>>().into()
}

/// Reads a pattern, and counts what it costs to look for it in a text.
fn pattern(meter: &mut Meter, text: &str, pattern: &str) -> Result<Pattern, Stop> {
    let cost = (text.len() + 1).div_ceil(10).saturating_mul(pattern.len().div_ceil(4));
    meter.spend(cost.saturating_add(pattern.len()))?;
    let read = Pattern::parse(pattern).map_err(Stop::Failed)?;
    // A short pattern may have many steps.
    meter.spend(text.len().saturating_add(1).saturating_mul(read.steps()) / 64)?;
    Ok(read)
}

fn matches(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [Value::Text(text), Value::Text(wanted)] = it else { return Err(Stop::no_overload()) };
    Ok(Value::Bool(pattern(meter, text, wanted)?.is_in(text)))
}

/// The parts of a text that a pattern matches, one after the other.
fn find<'t>(meter: &mut Meter, it: &'t [Value], most: usize) -> Result<Vec<&'t str>, Stop> {
    let [Value::Text(text), Value::Text(wanted), ..] = it else { return Err(Stop::no_overload()) };
    let read = pattern(meter, text, wanted)?;
    let (mut found, mut from) = (Vec::new(), 0);
    while found.len() < most
        && let Some((begin, end)) = read.find(text, from)
    {
        meter.spend((text.len() + 1).saturating_mul(read.steps()) / 64 + 1)?;
        found.push(text.get(begin..end).unwrap_or_default());
        let rest = text.get(end..).unwrap_or_default();
        from = if end > begin { end } else { end + rest.chars().next().map_or(1, char::len_utf8) };
    }
    Ok(found)
}
