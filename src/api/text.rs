//! Texts as Go prints them, for messages that must read as upstream's.

use std::fmt::Write as _;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
