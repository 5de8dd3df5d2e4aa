//! Sizes, and values of one type as those of another.

use super::{Function, Meter, Of, Stop, Value, global, member, time};
use crate::api::text;

pub(super) const FUNCTIONS: &[Function] = &[
    global("size", &[Of::Text], Of::Int, size),
    global("size", &[Of::Bytes], Of::Int, size),
    global("size", &[Of::List(&Of::A)], Of::Int, size),
    global("size", &[Of::Map(&Of::A, &Of::B)], Of::Int, size),
    member("size", &[Of::Text], Of::Int, size),
    member("size", &[Of::Bytes], Of::Int, size),
    member("size", &[Of::List(&Of::A)], Of::Int, size),
    member("size", &[Of::Map(&Of::A, &Of::B)], Of::Int, size),
    global("dyn", &[Of::A], Of::Dyn, same),
    global("type", &[Of::A], Of::Type, |_, it| match it {
        [value] => Ok(Value::Type(value.type_name())),
        _ => Err(Stop::no_overload()),
    }),
    global("bool", &[Of::Bool], Of::Bool, same),
    global("bool", &[Of::Text], Of::Bool, |_, it| match it {
        [Value::Text(text)] => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(converts("string", "bool")),
        },
        _ => Err(Stop::no_overload()),
    }),
    global("int", &[Of::Int], Of::Int, same),
    global("int", &[Of::Uint], Of::Int, to_int),
    global("int", &[Of::Double], Of::Int, to_int),
    global("int", &[Of::Text], Of::Int, to_int),
    global("int", &[Of::Time], Of::Int, to_int),
    global("uint", &[Of::Uint], Of::Uint, same),
    global("uint", &[Of::Int], Of::Uint, to_uint),
    global("uint", &[Of::Double], Of::Uint, to_uint),
    global("uint", &[Of::Text], Of::Uint, to_uint),
    global("double", &[Of::Double], Of::Double, same),
    global("double", &[Of::Int], Of::Double, to_double),
    global("double", &[Of::Uint], Of::Double, to_double),
    global("double", &[Of::Text], Of::Double, to_double),
    global("string", &[Of::Text], Of::Text, same),
    global("string", &[Of::Bool], Of::Text, to_text),
    global("string", &[Of::Int], Of::Text, to_text),
    global("string", &[Of::Uint], Of::Text, to_text),
    global("string", &[Of::Double], Of::Text, to_text),
    global("string", &[Of::Bytes], Of::Text, to_text),
    global("string", &[Of::Time], Of::Text, to_text),
    global("string", &[Of::Span], Of::Text, to_text),
    global("string", &[Of::Named("net.IP")], Of::Text, to_text),
    global("string", &[Of::Named("net.CIDR")], Of::Text, to_text),
    global("bytes", &[Of::Bytes], Of::Bytes, same),
    global("bytes", &[Of::Text], Of::Bytes, |meter, it| match it {
        [Value::Text(text)] => {
            meter.read(text.len())?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        _ => Err(Stop::no_overload()),
    }),
];

fn same(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    it.first().cloned().ok_or_else(Stop::no_overload)
}

fn size(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    match it {
        [Value::Text(text)] => {
            meter.read(text.len())?;
            Ok(Value::count(text.chars().count()))
        }
        [other] => Ok(Value::count(other.size())),
        _ => Err(Stop::no_overload()),
    }
}

fn converts(from: &str, to: &str) -> Stop {
    Stop::failed(format!("type conversion error from '{from}' to '{to}'"))
}

#[expect(clippy::cast_possible_truncation, reason = "what does not fit is refused before")]
fn to_int(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let overflow = || Stop::failed("integer overflow");
    Ok(Value::Int(match it {
        [Value::Uint(number)] => i64::try_from(*number).ok().ok_or_else(overflow)?,
        [Value::Double(number)] if number.abs() < 9_223_372_036_854_775_807.0 => *number as i64,
        [Value::Double(_)] => return Err(overflow()),
        [Value::Text(text)] => text.parse().ok().ok_or_else(|| converts("string", "int"))?,
        [Value::Time(at)] => at.as_second(),
        _ => return Err(Stop::no_overload()),
    }))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what does not fit is refused before"
)]
fn to_uint(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let overflow = || Stop::failed("unsigned integer overflow");
    Ok(Value::Uint(match it {
        [Value::Int(number)] => u64::try_from(*number).ok().ok_or_else(overflow)?,
        [Value::Double(number)] if (0.0..18_446_744_073_709_551_615.0).contains(number) => {
            *number as u64
        }
        [Value::Double(_)] => return Err(overflow()),
        [Value::Text(text)] => text.parse().ok().ok_or_else(|| converts("string", "uint"))?,
        _ => return Err(Stop::no_overload()),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a double is asked for")]
fn to_double(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    Ok(Value::Double(match it {
        [Value::Int(number)] => *number as f64,
        [Value::Uint(number)] => *number as f64,
        [Value::Text(text)] => text::float(text).ok_or_else(|| converts("string", "double"))?,
        _ => return Err(Stop::no_overload()),
    }))
}

fn to_text(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [value] = it else { return Err(Stop::no_overload()) };
    meter.read(value.size())?;
    if let Value::Bytes(bytes) = value {
        let words = "invalid UTF-8 in bytes, cannot convert to string";
        let text = std::str::from_utf8(bytes).ok().ok_or_else(|| Stop::failed(words))?;
        return Ok(text.into());
    }
    Ok(shown(value).into())
}

/// The text of a value, as `string(x)` has it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => double(*number),
        Value::Time(at) => at.to_string(),
        Value::Span(span) => time::span_text(*span),
        Value::Ip(ip) => ip.to_string(),
        Value::Cidr(cidr) => cidr.to_string(),
        Value::Type(name) => (*name).to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bytes(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Optional(_)
        | Value::Quantity(_)
        | Value::Url(_)
        | Value::Format(_) => value.type_name().to_owned(),
    }
}

/// A double as Go prints it with as few digits as tell it.
fn double(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else if number != 0.0 && !(1e-4..1e21).contains(&number.abs()) {
        let text = format!("{number:e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, power) = match power.strip_prefix('-') {
            Some(power) => ('-', power),
            None => ('+', power),
        };
        format!("{digits}e{sign}{power:0>2}")
    } else {
        number.to_string()
    }
}
