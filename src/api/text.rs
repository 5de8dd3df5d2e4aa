//! Texts as Go prints them, for messages that must read as upstream's.

use std::fmt::Write as _;
use std::num::{IntErrorKind, ParseIntError};
use std::time::Duration;

use serde_json::Value;

/// `text` in double quotes, as Go's `%q` writes it.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(c),
            c if !is_printable(c) => push_escape(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `text` in small letters, as Go's `strings.ToLower` makes it, as far as names of objects go: of the letters
/// beyond ASCII only the two whose small ones are ASCII. The standard library's tables of all the others weigh
/// some twenty kilobytes, and no name may hold one.
pub fn lower(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        '\u{130}' => 'i',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    });
    letters.collect()
}

/// Why a text is no JSON, as Go words it.
pub fn go_json_error(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Err(error) if error.is_eof() => "unexpected end of JSON input".to_owned(),
        Err(error) => {
            let at = error.column().saturating_sub(1);
            let found = text.lines().nth(error.line().saturating_sub(1));
            let found = found.and_then(|line| line.chars().nth(at)).unwrap_or('?');
            format!("invalid character '{found}' looking for beginning of value")
        }
        Ok(_) => String::new(),
    }
}

/// So much of a body that cannot be read is told.
const TOLD: usize = 30;

/// The beginning of a body that cannot be read: as it is if it may be JSON, else in hexadecimal digits.
///
/// Mirrors: `summarizeData` of `apiserver/pkg/endpoints/handlers/rest.go`.
pub fn summary(body: &[u8]) -> String {
    let told = body.get(..TOLD);
    let more = if told.is_some() && body.len() > TOLD { " ..." } else { "" };
    let told = told.unwrap_or(body);
    match told.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(told)),
        Some(_) => {
            let mut text = String::with_capacity(2 * told.len() + more.len());
            for byte in told {
                // Writing to a string cannot fail.
                write!(text, "{byte:02x}").unwrap_or_default();
            }
            text + more
        }
    }
}

/// `value` as Go's `json.Marshal` writes it: compact, with `<`, `>` and `&` escaped.
pub fn go_json(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            // Outside of strings JSON has none of these, so each may be escaped where it stands.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => push_escape(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// Close to Go's `unicode.IsPrint`: letters, marks, numbers, symbols; no white space but the blank.
fn is_printable(c: char) -> bool {
    // Rust's escaping knows the same tables; a mark counts as printable only after another letter.
    let mut text = String::from("a");
    text.push(c);
    text.escape_debug().nth(1) != Some('\\')
}

fn push_escape(out: &mut String, c: char) {
    let code = u32::from(c);
    // Writing into a String cannot fail.
    let written = match code {
        0..=0x1f | 0x7f if c.is_ascii_control() => write!(out, "\\x{code:02x}"),
        0..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    debug_assert!(written.is_ok());
}

/// As Go prints a value that came from JSON.
pub fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| format!("{key}:{}", go_syntax(value));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// What Go's JSON decoder calls a value of this type.
pub fn go_json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The whole number that a text is.
///
/// # Errors
///
/// What Go says of a text that is none, or too large.
pub fn integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|error: ParseIntError| {
        let too_large =
            matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        let why = if too_large { "value out of range" } else { "invalid syntax" };
        format!("strconv.ParseInt: parsing {}: {why}", go_quote(text))
    })
}

/// The whole number that a text is, which has no sign.
///
/// # Errors
///
/// What Go says of a text that is none, or too large.
pub fn unsigned(text: &str) -> Result<u64, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or_else(|| {
        let why = if is_number { "value out of range" } else { "invalid syntax" };
        format!("strconv.ParseUint: parsing {}: {why}", go_quote(text))
    })
}

/// The number that `text` writes in decimal digits, with a sign, a point and an exponent if it likes.
/// What has up to fifteen digits is as exact as can be, the rest to some parts in 2^52: the standard
/// library's way to be exact for every text weighs more than the page has to spare.
pub fn float(text: &str) -> Option<f64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars().chain(part.chars()) {
        // Exact for as long as it is below 2^53.
        number = number * 10.0 + f64::from(digit.to_digit(10)?);
    }
    let scale = exponent.saturating_sub(i32::try_from(part.len()).ok()?);
    let value = scaled(number, scale);
    Some(if negative { -value } else { value })
}

/// `value` with so many digits after the point. Rounded as it is held, for what is small enough to be
/// looked at: a value beyond 64 bits is cut to those.
pub fn fixed(value: f64, digits: usize) -> String {
    let scale = (0..digits).fold(1_u32, |scale, _| scale.saturating_mul(10));
    #[expect(clippy::cast_possible_truncation, reason = "what is beyond is cut to what there is")]
    let rounded = (value * f64::from(scale)).round() as i64;
    let sign = if rounded < 0 { "-" } else { "" };
    let (rounded, scale) = (rounded.unsigned_abs(), u64::from(scale));
    let (whole, part) = (rounded / scale, rounded % scale);
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:0digits$}") }
}

/// `number` times ten to `power`; one step and so one rounding where the step is exact itself.
fn scaled(number: f64, power: i32) -> f64 {
    const LARGEST_EXACT: i32 = 22;
    let (mut value, mut left) = (number, power);
    while left != 0 && value != 0.0 && value.is_finite() {
        let step = left.clamp(-LARGEST_EXACT, LARGEST_EXACT);
        let ten = (0..step.abs()).fold(1.0, |ten, _| ten * 10.0);
        value = if step < 0 { value / ten } else { value * ten };
        left -= step;
    }
    value
}

/// A duration as Go writes it, to the millisecond: `1.2s`, `350ms`, `1m3s`.
pub fn go_duration(span: Duration) -> String {
    let millis = span.as_millis();
    if millis == 0 {
        return "0s".into();
    }
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let seconds = format!("{}.{:03}", rest / 1000, rest % 1000);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    match minutes {
        0 => format!("{seconds}s"),
        1..60 => format!("{minutes}m{seconds}s"),
        _ => format!("{}h{}m{seconds}s", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_names_become_small_as_in_go() {
        assert_eq!(lower("Example.COM/My-Key_9"), "example.com/my-key_9");
        // Go's, which makes one letter of each; the standard library makes two of the second.
        assert_eq!(lower("\u{212a}\u{130}"), "ki");
    }

    #[test]
    fn fixed_digits_are_those_of_the_standard_library() {
        for value in [0.0, 1.0, -1.0, 0.04, 0.06, -0.7, 12.34567, 99.96, -250.05, 1e9, 2.0 / 3.0] {
            assert_eq!(fixed(value, 0), format!("{value:.0}"), "{value}");
            assert_eq!(fixed(value, 1), format!("{value:.1}"), "{value}");
            assert_eq!(fixed(value, 6), format!("{value:.6}"), "{value}");
        }
        assert_eq!(fixed(f64::NAN, 1), "0.0");
        assert_eq!(fixed(f64::INFINITY, 0), i64::MAX.to_string());
    }

    #[test]
    fn quotes_as_go_does() {
        for (text, quoted) in [
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\u{0}\u{1}\n\t\u{7f}", r#""\x00\x01\n\t\x7f""#),
            ("é日", "\"é日\""),
            ("\u{a0}\u{200b}\u{feff}", r#""\u00a0\u200b\ufeff""#),
            ("'", "\"'\""),
        ] {
            assert_eq!(go_quote(text), quoted);
        }
    }

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them() {
        for text in [
            "0",
            "1",
            "0.1",
            ".5",
            "5.",
            "+1.5",
            "-2.25",
            "1e3",
            "1E-3",
            "2.5e+2",
            "123456789.012345",
            "0.000001",
            "1e22",
            "9007199254740991",
            "1e-22",
            "-0",
            "1e400",
            "1e-400",
            "0e9999999",
        ] {
            assert_eq!(float(text), text.parse().ok(), "{text}");
        }
        for text in [
            "",
            ".",
            "-",
            "e5",
            "1e",
            "1e+",
            "0x10",
            "1_000",
            "inf",
            "nan",
            "1.2.3",
            " 1",
            "1e99999999999",
        ] {
            assert_eq!(float(text), None, "{text}");
        }
        let near: f64 = "1.2345678901234567e-300".parse().unwrap();
        assert!((float("1.2345678901234567e-300").unwrap() / near - 1.0).abs() < 1e-14);
    }

    #[test]
    fn durations_are_written_as_in_go() {
        for (millis, want) in
            [(0, "0s"), (350, "350ms"), (1200, "1.2s"), (2000, "2s"), (63_045, "1m3.045s")]
        {
            assert_eq!(go_duration(Duration::from_millis(millis)), want);
        }
    }
}
