//! What a YAML scalar means: `yes` is true, `010` is eight, a date is text.
//!
//! Mirrors: `sigs.k8s.io/yaml/goyaml.v2` `resolve.go` and what becomes of its results as JSON.

use serde_json::{Number, Value};

/// The prefix of the tags that YAML itself defines.
const YAML_TAG: &str = "tag:yaml.org,2002:";

/// A scalar that has no form in JSON, or not the one its tag asks for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScalarError {
    #[error("json: unsupported value: {0}")]
    NotFinite(&'static str),
    #[error("cannot decode !!{found} `{text}` as a !!{wanted}")]
    Tag { found: &'static str, text: String, wanted: String },
    #[error("!!binary value contains invalid base64 data")]
    Binary,
}

/// What a scalar without quotes and tag may be.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Null,
    Bool(bool),
    Number(Number),
    NotFinite(&'static str),
    Text,
}

/// The value of a scalar: `plain` if it has no quotes, `tag` without the handle `!!` resolved.
pub(super) fn resolve(
    text: &str,
    plain: bool,
    tag: Option<(&str, &str)>,
) -> Result<Value, ScalarError> {
    let tag = match tag {
        None if plain => return of_plain(text),
        None => return Ok(Value::from(text)),
        Some((YAML_TAG, tag)) => tag,
        Some((handle, suffix)) => match handle.strip_prefix(YAML_TAG) {
            Some(tag) if suffix.is_empty() => tag,
            Some(_) | None => suffix.strip_prefix(YAML_TAG).unwrap_or("str"),
        },
    };
    let fail =
        |found| Err(ScalarError::Tag { found, text: text.to_owned(), wanted: tag.to_owned() });
    match (tag, meaning(text)) {
        ("null", Plain::Null) => Ok(Value::Null),
        ("bool", Plain::Bool(value)) => Ok(Value::Bool(value)),
        ("int", Plain::Number(value)) if !value.is_f64() => Ok(Value::Number(value)),
        ("float", Plain::Number(value)) => Ok(Value::Number(value)),
        ("float", Plain::NotFinite(which)) => Err(ScalarError::NotFinite(which)),
        ("null" | "bool" | "int" | "float", found) => fail(found.tag()),
        ("binary", _) => base64(text).map(Value::String).ok_or(ScalarError::Binary),
        (_, _) => Ok(Value::from(text)),
    }
}

fn of_plain(text: &str) -> Result<Value, ScalarError> {
    Ok(match meaning(text) {
        Plain::Null => Value::Null,
        Plain::Bool(value) => Value::Bool(value),
        Plain::Number(value) => Value::Number(value),
        Plain::NotFinite(which) => return Err(ScalarError::NotFinite(which)),
        Plain::Text => Value::from(text),
    })
}

impl Plain {
    fn tag(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(number) if number.is_f64() => "float",
            Self::Number(_) => "int",
            Self::NotFinite(_) => "float",
            Self::Text => "str",
        }
    }
}

fn meaning(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Plain::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Plain::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Plain::NotFinite("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Plain::NotFinite("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => Plain::NotFinite("-Inf"),
        _ => number(text).map_or(Plain::Text, Plain::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    match text.bytes().next()? {
        b'.' if is_float(text) => float(text),
        b'0'..=b'9' | b'+' | b'-' => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| is_float(&digits).then(|| float(&digits)).flatten())
        }
        _ => None,
    }
}

/// A whole number in any of Go's notations: `12`, `0x1F`, `0b11`, `0o17`, `017`.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefix = digits.get(..2).unwrap_or_default();
    let (radix, digits) = match prefix {
        "0x" | "0X" => (16, digits.get(2..)?),
        "0o" | "0O" => (8, digits.get(2..)?),
        "0b" | "0B" => (2, digits.get(2..)?),
        _ if prefix.starts_with('0') && digits.len() > 1 => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    match u64::from_str_radix(digits, radix) {
        Ok(value) if !negative => Some(value.into()),
        Ok(value) => match 0_i64.checked_sub_unsigned(value) {
            Some(value) => Some(value.into()),
            None => float_of_digits(digits, radix, negative),
        },
        // Larger than 64 bits: JSON readers make a float of it.
        Err(_) => float_of_digits(digits, radix, negative),
    }
}

fn float_of_digits(digits: &str, radix: u32, negative: bool) -> Option<Number> {
    let value = digits
        .chars()
        .filter_map(|digit| digit.to_digit(radix))
        .fold(0.0, |sum, digit| f64::from(digit) + sum * f64::from(radix));
    Number::from_f64(if negative { -value } else { value })
}

/// Whether the text is a decimal fraction, with or without an exponent.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let signless = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    mantissa && exponent.is_none_or(signless)
}

/// The number; a whole one is an integer, as Go writes `1.0` as `1`.
fn float(text: &str) -> Option<Number> {
    /// 2^63, exactly.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let value = crate::api::text::float(text).filter(|value| value.is_finite())?;
    if value.fract() == 0.0 && value.abs() < BEYOND {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range, so exact")]
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}

/// A map key, which JSON wants as text; none for a null.
pub(super) fn key(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Text from base64, line breaks aside.
fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    let body = text.trim_end().trim_end_matches('=');
    for byte in body.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_follow_yaml_1_1() {
        for (text, value) in [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("y", json!(true)),
            ("~", Value::Null),
            ("", Value::Null),
            ("nUll", json!("nUll")),
            ("010", json!(8)),
            ("0o17", json!(15)),
            ("08", json!(8)),
            ("09.5", json!(9.5)),
            ("1_000", json!(1000)),
            ("0x1F", json!(31)),
            ("-0b11", json!(-3)),
            ("+12", json!(12)),
            ("1e3", json!(1000)),
            ("1.0", json!(1)),
            (".5", json!(0.5)),
            ("1.", json!(1)),
            ("1e400", json!("1e400")),
            ("1.2.3", json!("1.2.3")),
            ("-", json!("-")),
            ("0x", json!("0x")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("2001-12-14", json!("2001-12-14")),
            ("2001-12-14T21:59:43Z", json!("2001-12-14T21:59:43Z")),
            ("12:30", json!("12:30")),
            ("100m", json!("100m")),
            ("_1", json!("_1")),
            (".", json!(".")),
        ] {
            assert_eq!(resolve(text, true, None), Ok(value), "{text:?}");
            assert_eq!(resolve(text, false, None), Ok(Value::from(text)), "{text:?}");
        }
        assert_eq!(resolve(".inf", true, None), Err(ScalarError::NotFinite("+Inf")));
    }

    #[test]
    fn a_tag_says_what_a_scalar_is() {
        let tagged = |text, tag| resolve(text, true, Some((YAML_TAG, tag)));
        assert_eq!(tagged("12", "str"), Ok(json!("12")));
        assert_eq!(resolve("3", false, Some((YAML_TAG, "int"))), Ok(json!(3)));
        assert_eq!(tagged("3", "float"), Ok(json!(3)));
        assert_eq!(tagged("aGk=", "binary"), Ok(json!("hi")));
        assert_eq!(
            tagged("x", "int").unwrap_err().to_string(),
            "cannot decode !!str `x` as a !!int"
        );
        assert_eq!(resolve("12", true, Some(("!", "mine"))), Ok(json!("12")));
    }
}
