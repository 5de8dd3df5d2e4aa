//! Objects as YAML, laid out as kubectl does: keys in order, lists not indented.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The value as YAML.
pub fn write(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => map(&mut text, fields, 0),
        Value::Array(items) if !items.is_empty() => list(&mut text, items, 0),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            text.push_str(&scalar(value));
            text.push('\n');
        }
    }
    text
}

/// An object as kubectl shows it: without the record of who manages which field.
pub fn object(value: &Value) -> String {
    let mut value = value.clone();
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    write(&value)
}

fn map(text: &mut String, fields: &Map<String, Value>, depth: usize) {
    for (at, (key, value)) in fields.iter().enumerate() {
        // The first key of an item stands behind its dash.
        if at > 0 || !text.ends_with("- ") {
            text.push_str(&"  ".repeat(depth));
        }
        text.push_str(&plain(key));
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                map(text, inner, depth + 1);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                list(text, items, depth);
            }
            Value::String(lines) if lines.contains('\n') => block(text, lines, depth + 1),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => line(text, &scalar(value)),
        }
    }
}

fn list(text: &mut String, items: &[Value], depth: usize) {
    for item in items {
        text.push_str(&"  ".repeat(depth));
        text.push_str("- ");
        match item {
            Value::Object(fields) if !fields.is_empty() => map(text, fields, depth + 1),
            Value::Array(inner) if !inner.is_empty() => {
                text.pop();
                text.push('\n');
                list(text, inner, depth + 1);
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                text.push_str(&scalar(item));
                text.push('\n');
            }
        }
    }
}

fn line(text: &mut String, value: &str) {
    text.push(' ');
    text.push_str(value);
    text.push('\n');
}

fn block(text: &mut String, lines: &str, depth: usize) {
    text.push_str(if lines.ends_with('\n') { " |\n" } else { " |-\n" });
    for part in lines.lines() {
        // Writing to a string cannot fail.
        writeln!(text, "{}{part}", "  ".repeat(depth)).unwrap_or_default();
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => plain(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// The text bare if it then still reads as the same text, else in quotes.
fn plain(text: &str) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "~", "<<", "="];
    let special = |c: char| "-?:,[]{}#&*!|>'\"%@` ".contains(c);
    let number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '.'))
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_hexdigit() || "+-._:xXoTZ".contains(c));
    let quoted = text.is_empty()
        || number
        || text.starts_with(special)
            && !text.starts_with(|c| c == '-' && text.len() > 1 && !text.starts_with("- "))
        || text.ends_with([' ', ':'])
        || text.contains(": ")
        || text.contains(" #")
        || text.chars().any(char::is_control)
        || words.contains(&text.to_ascii_lowercase().as_str());
    if quoted { Value::from(text).to_string() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::decode::{Limits, read};

    #[test]
    fn what_is_written_reads_as_the_same_value() {
        let value = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "labels": {}, "annotations": {"on": "yes", "n": "012"}},
            "spec": {"containers": [{"args": ["-c", "echo a: b # c", "", "- x", "null"], "stdin": true}],
                     "tolerations": [[1, 2], []]},
            "status": {"message": "one\ntwo\n", "startTime": "2026-01-01T00:00:00Z", "n": 1.5},
        });
        let text = write(&value);
        let back = read(&text, Limits::default());
        assert_eq!(back.error, None, "{text}");
        assert_eq!(back.documents.first().map(|document| &document.value), Some(&value), "{text}");
    }

    #[test]
    fn lists_stand_under_their_key() {
        let value = json!({"metadata": {"name": "web", "managedFields": []}, "spec": {"containers": [{"image": "nginx", "name": "web"}]}});
        let want =
            "metadata:\n  name: web\nspec:\n  containers:\n  - image: nginx\n    name: web\n";
        assert_eq!(object(&value), want);
    }
}
