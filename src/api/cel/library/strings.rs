//! What can be done with texts.
//!
//! Mirrors: CEL's standard library and the second version of its strings.

use super::values::shown;
use super::{Function, Meter, Of, Stop, Value, global, member, time};
use crate::api::text;

const TEXTS: Of = Of::List(&Of::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    member("contains", &[Of::Text, Of::Text], Of::Bool, |meter, it| {
        of_two(meter, it, |text, part| text.contains(part))
    }),
    member("startsWith", &[Of::Text, Of::Text], Of::Bool, |meter, it| {
        of_two(meter, it, |text, part| text.starts_with(part))
    }),
    member("endsWith", &[Of::Text, Of::Text], Of::Bool, |meter, it| {
        of_two(meter, it, |text, part| text.ends_with(part))
    }),
    member("charAt", &[Of::Text, Of::Int], Of::Text, char_at),
    member("indexOf", &[Of::Text, Of::Text], Of::Int, index_of),
    member("indexOf", &[Of::Text, Of::Text, Of::Int], Of::Int, index_of),
    member("lastIndexOf", &[Of::Text, Of::Text], Of::Int, last_index_of),
    member("lastIndexOf", &[Of::Text, Of::Text, Of::Int], Of::Int, last_index_of),
    member("join", &[TEXTS], Of::Text, join),
    member("join", &[TEXTS, Of::Text], Of::Text, join),
    member("lowerAscii", &[Of::Text], Of::Text, |meter, it| {
        of_one(meter, it, str::to_ascii_lowercase)
    }),
    member("upperAscii", &[Of::Text], Of::Text, |meter, it| {
        of_one(meter, it, str::to_ascii_uppercase)
    }),
    member("trim", &[Of::Text], Of::Text, |meter, it| {
        of_one(meter, it, |text| text.trim().to_owned())
    }),
    member("replace", &[Of::Text, Of::Text, Of::Text], Of::Text, replace),
    member("replace", &[Of::Text, Of::Text, Of::Text, Of::Int], Of::Text, replace),
    member("split", &[Of::Text, Of::Text], TEXTS, split),
    member("split", &[Of::Text, Of::Text, Of::Int], TEXTS, split),
    member("substring", &[Of::Text, Of::Int], Of::Text, substring),
    member("substring", &[Of::Text, Of::Int, Of::Int], Of::Text, substring),
    member("format", &[Of::Text, Of::List(&Of::Dyn)], Of::Text, format),
    global("strings.quote", &[Of::Text], Of::Text, |meter, it| of_one(meter, it, quote)),
];

fn of_one(meter: &mut Meter, it: &[Value], make: fn(&str) -> String) -> Result<Value, Stop> {
    let [Value::Text(text)] = it else { return Err(Stop::no_overload()) };
    meter.read(text.len())?;
    Ok(make(text).into())
}

fn of_two(meter: &mut Meter, it: &[Value], is: fn(&str, &str) -> bool) -> Result<Value, Stop> {
    let [Value::Text(text), Value::Text(part)] = it else { return Err(Stop::no_overload()) };
    meter.read(text.len() + part.len())?;
    Ok(Value::Bool(is(text, part)))
}

fn out_of_range(at: i64) -> Stop {
    Stop::failed(format!("index out of range: {at}"))
}

/// Where the letter of this number begins, if the text has so many, or ends there.
fn place(text: &str, at: i64) -> Result<usize, Stop> {
    let number = usize::try_from(at).ok().ok_or_else(|| out_of_range(at))?;
    let mut places = text.char_indices().map(|(place, _)| place).chain([text.len()]);
    places.nth(number).ok_or_else(|| out_of_range(at))
}

fn char_at(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [Value::Text(text), Value::Int(at)] = it else { return Err(Stop::no_overload()) };
    meter.read(text.len())?;
    let rest = text.get(place(text, *at)?..).unwrap_or_default();
    Ok(rest.chars().next().map(String::from).unwrap_or_default().into())
}

/// The number of the letter that begins at a place.
fn number(text: &str, place: usize) -> Value {
    Value::count(text.get(..place).unwrap_or_default().chars().count())
}

fn index_of(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (text, part, from) = match it {
        [Value::Text(text), Value::Text(part)] => (text, part, 0),
        [Value::Text(text), Value::Text(part), Value::Int(from)] => (text, part, *from),
        _ => return Err(Stop::no_overload()),
    };
    meter.read(text.len() + part.len())?;
    let from = place(text, from)?;
    let found = text.get(from..).unwrap_or_default().find(&**part);
    Ok(found.map_or(Value::Int(-1), |at| number(text, from + at)))
}

fn last_index_of(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (text, part, upto) = match it {
        [Value::Text(text), Value::Text(part)] => (text, part, None),
        [Value::Text(text), Value::Text(part), Value::Int(upto)] => (text, part, Some(*upto)),
        _ => return Err(Stop::no_overload()),
    };
    meter.read(text.len() + part.len())?;
    let within = match upto {
        None => &**text,
        Some(upto) => {
            let end = place(text, upto)?.saturating_add(part.len()).min(text.len());
            text.get(..end).unwrap_or(text)
        }
    };
    Ok(within.rfind(&**part).map_or(Value::Int(-1), |at| number(text, at)))
}

fn join(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (list, between) = match it {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::Text(between)] => (list, &**between),
        _ => return Err(Stop::no_overload()),
    };
    let mut joined = String::new();
    for (number, item) in list.items.iter().enumerate() {
        let text = item.text().ok_or_else(Stop::no_overload)?;
        meter.read((text.len() + between.len()) * 2)?;
        if number > 0 {
            joined.push_str(between);
        }
        joined.push_str(text);
    }
    Ok(joined.into())
}

fn replace(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (text, old, new, most) = match it {
        [Value::Text(text), Value::Text(old), Value::Text(new)] => (text, old, new, -1),
        [Value::Text(text), Value::Text(old), Value::Text(new), Value::Int(most)] => {
            (text, old, new, *most)
        }
        _ => return Err(Stop::no_overload()),
    };
    meter.read(text.len() * 2)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let count = text.matches(&**old).take(most).count();
    meter.read(new.len().saturating_mul(count))?;
    Ok(text.replacen(&**old, new, most).into())
}

fn split(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (text, by, most) = match it {
        [Value::Text(text), Value::Text(by)] => (text, by, -1),
        [Value::Text(text), Value::Text(by), Value::Int(most)] => (text, by, *most),
        _ => return Err(Stop::no_overload()),
    };
    meter.spend(text.len())?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let parts: Vec<Value> = if by.is_empty() {
        let mut rest = &**text;
        let mut parts = Vec::new();
        while let Some(letter) = rest.chars().next() {
            if parts.len() + 1 >= most {
                break;
            }
            let (one, after) = rest.split_at_checked(letter.len_utf8()).unwrap_or((rest, ""));
            parts.push(one.into());
            rest = after;
        }
        if !rest.is_empty() && most > 0 {
            parts.push(rest.into());
        }
        parts
    } else {
        text.splitn(most, &**by).map(Value::from).collect()
    };
    Ok(parts.into())
}

fn substring(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (text, from, end) = match it {
        [Value::Text(text), Value::Int(from)] => (text, *from, None),
        [Value::Text(text), Value::Int(from), Value::Int(end)] => (text, *from, Some(*end)),
        _ => return Err(Stop::no_overload()),
    };
    meter.read(text.len())?;
    let begin = place(text, from)?;
    let stop = end.map_or(Ok(text.len()), |end| place(text, end))?;
    if let Some(end) = end.filter(|end| from > *end) {
        return Err(Stop::failed(format!("invalid substring range. start: {from}, end: {end}")));
    }
    Ok(text.get(begin..stop).unwrap_or_default().into())
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

fn format(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [Value::Text(pattern), Value::List(list)] = it else { return Err(Stop::no_overload()) };
    let (mut out, mut items, mut number) = (String::new(), list.items.iter(), 0_usize);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        meter.read(1)?;
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut rest = letters.as_str();
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            letters = after.chars();
            continue;
        }
        let mut digits = None;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|it: char| !it.is_ascii_digit()).unwrap_or(after.len());
            let (given, after) = after.split_at_checked(end).unwrap_or((after, ""));
            let wrong = || Stop::failed("error during formatting: unable to parse precision");
            digits = Some(given.parse::<usize>().ok().filter(|it| *it <= 100).ok_or_else(wrong)?);
            rest = after;
        }
        letters = rest.chars();
        let Some(clause) = letters.next() else {
            return Err(Stop::failed("error during formatting: unexpected end of string"));
        };
        let item =
            items.next().ok_or_else(|| Stop::failed(format!("index {number} out of range")))?;
        number += 1;
        meter.spend(item.weight(1 << 21))?;
        out.push_str(&clause_of(clause, digits, item)?);
    }
    meter.read(out.len())?;
    Ok(out.into())
}

fn clause_of(clause: char, digits: Option<usize>, item: &Value) -> Result<String, Stop> {
    let wrong = |needs: &str| {
        let of = item.type_name();
        Stop::failed(format!("error during formatting: {needs}, was given {of}"))
    };
    let digits = digits.unwrap_or(6);
    Ok(match (clause, item) {
        ('s', item) => written(item),
        ('d', Value::Int(number)) => number.to_string(),
        ('d', Value::Uint(number)) => number.to_string(),
        ('d', Value::Double(number)) if number.fract() == 0.0 => number.to_string(),
        ('d', _) => return Err(wrong("decimal clause can only be used on integers")),
        ('f' | 'e', Value::Int(_) | Value::Uint(_) | Value::Double(_)) => {
            let number = text::float(&shown(item)).unwrap_or(f64::NAN);
            if clause == 'f' { format!("{number:.digits$}") } else { exponent(number, digits) }
        }
        ('f', _) => return Err(wrong("fixed-point clause can only be used on doubles")),
        ('e', _) => return Err(wrong("scientific clause can only be used on doubles")),
        ('b', Value::Int(number)) => signed(*number, &format!("{:b}", number.unsigned_abs())),
        ('b', Value::Uint(number)) => format!("{number:b}"),
        ('b', Value::Bool(truth)) => u8::from(*truth).to_string(),
        ('b', _) => return Err(wrong("only integers and bools can be formatted as binary")),
        ('o', Value::Int(number)) => signed(*number, &format!("{:o}", number.unsigned_abs())),
        ('o', Value::Uint(number)) => format!("{number:o}"),
        ('o', _) => return Err(wrong("octal clause can only be used on integers")),
        ('x' | 'X', item) => {
            let hex = match item {
                Value::Int(number) => signed(*number, &format!("{:x}", number.unsigned_abs())),
                Value::Uint(number) => format!("{number:x}"),
                Value::Text(text) => hex(text.as_bytes()),
                Value::Bytes(bytes) => hex(bytes),
                _ => {
                    let needs = "only integers, byte buffers, and strings can be formatted as hex";
                    return Err(wrong(needs));
                }
            };
            if clause == 'X' { hex.to_ascii_uppercase() } else { hex }
        }
        (other, _) => {
            let words =
                format!("error during formatting: unrecognized formatting clause \"{other}\"");
            return Err(Stop::failed(words));
        }
    })
}

fn signed(number: i64, digits: &str) -> String {
    if number < 0 { ["-", digits].concat() } else { digits.to_owned() }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from_digit(digit.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn exponent(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    match power.strip_prefix('-') {
        Some(power) => format!("{digits}e-{power:0>2}"),
        None => format!("{digits}e+{power:0>2}"),
    }
}

/// A value as `%s` writes it.
fn written(value: &Value) -> String {
    match value {
        Value::List(list) => {
            let items: Vec<String> = list.items.iter().map(quoted).collect();
            ["[", &items.join(", "), "]"].concat()
        }
        Value::Map(map) => {
            let entries = map.entries().iter();
            let entries = entries.map(|(key, value)| [quoted(key), quoted(value)].join(": "));
            ["{", &entries.collect::<Vec<_>>().join(", "), "}"].concat()
        }
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Span(span) => time::span_text(*span),
        other => shown(other),
    }
}

/// As it stands inside of a list or a map.
fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) => ["\"", text, "\""].concat(),
        other => written(other),
    }
}
