//! Fields that a JSON text has twice.
//!
//! Mirrors: `sigs.k8s.io/json`, which tells of them where fields are validated strictly.

use std::ops::Range;

use serde_json::Value;

/// Whether a valid JSON text has a field more than once, of which `read` is what was made: then that has fewer
/// than stand in the text.
pub fn has_duplicate_fields(json: &str, read: &Value) -> bool {
    let (bytes, mut at, mut written) = (json.as_bytes(), 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_text(bytes, at),
            b':' => written += 1,
            _ => {}
        }
        at += 1;
    }
    written > count(read)
}

/// How many fields there are in a value, whichever objects they are in.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.len() + fields.values().map(count).sum::<usize>(),
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Where in the text of an object the value of its field `name` stands, if it is written there without
/// escapes and is an object, too. What is no JSON has it anywhere, or nowhere.
pub fn place_of_field(json: &str, name: &str) -> Option<Range<usize>> {
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut begin) = (0, 0_usize, None);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = end_of_text(bytes, at);
                let is_it = depth == 1 && begin.is_none() && json.get(at + 1..end) == Some(name);
                at = end;
                if is_it {
                    let after = json.get(end + 1..)?.trim_ascii_start();
                    let value = after.strip_prefix(':').map(str::trim_ascii_start);
                    if let Some(value) = value.filter(|value| value.starts_with('{')) {
                        begin = Some(json.len() - value.len());
                    }
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if let (1, b'}', Some(begin)) = (depth, *byte, begin) {
            return Some(begin..at);
        }
    }
    None
}

/// A map or a list that is not over yet.
enum Open {
    Map { keys: Vec<String>, key: String, wants_key: bool },
    List { index: usize },
}

/// The paths of the fields that a valid JSON text has more than once, such as `spec.containers[0].name`.
pub fn duplicate_fields(json: &str) -> Vec<String> {
    let (bytes, mut at) = (json.as_bytes(), 0);
    let (mut open, mut found): (Vec<Open>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(byte) = bytes.get(at) {
        match (byte, open.last_mut()) {
            (b'{', _) => {
                let (keys, key) = (Vec::new(), String::new());
                open.push(Open::Map { keys, key, wants_key: true });
            }
            (b'[', _) => open.push(Open::List { index: 0 }),
            (b'}' | b']', _) => {
                open.pop();
            }
            (b',', Some(Open::Map { wants_key, .. })) => *wants_key = true,
            (b',', Some(Open::List { index })) => *index += 1,
            (b'"', top) => {
                let end = end_of_text(bytes, at);
                if let Some(Open::Map { keys, key, wants_key: wants @ true }) = top {
                    *wants = false;
                    let text = json.get(at..=end).unwrap_or_default();
                    *key = serde_json::from_str(text).unwrap_or_default();
                    let key = key.clone();
                    if !keys.contains(&key) {
                        keys.push(key);
                    } else if let path = path_of(&open)
                        && !found.contains(&path)
                    {
                        found.push(path);
                    }
                }
                at = end;
            }
            (_, _) => {}
        }
        at += 1;
    }
    found
}

/// Where the text that begins at `start` ends.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    while let Some(byte) = bytes.get(end).filter(|byte| **byte != b'"') {
        end += if *byte == b'\\' { 2 } else { 1 };
    }
    end
}

fn path_of(open: &[Open]) -> String {
    let steps = open.iter().enumerate().map(|(depth, level)| match level {
        Open::Map { key, .. } if depth == 0 => key.clone(),
        Open::Map { key, .. } => format!(".{key}"),
        Open::List { index } => format!("[{index}]"),
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_twice_is_told_once_with_its_path() {
        for (json, want) in [
            (r#"{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": "b,\"a\":"}]}"#, &[][..]),
            (r#"{"a": 1, "a": 2, "a": 3}"#, &["a"]),
            (r#"{"a": {"b": 1, "b": {"c": 1, "c": 1}}}"#, &["a.b", "a.b.c"]),
            (r#"{"a": "\":", "b": {"\\": ":"}}"#, &[]),
            (r#"{"a": [1, {"b": [], "b": []}], "\u0061": 1}"#, &["a[1].b", "a"]),
        ] {
            assert_eq!(duplicate_fields(json), want, "{json}");
            let read = serde_json::from_str(json).unwrap();
            assert_eq!(has_duplicate_fields(json, &read), !want.is_empty(), "{json}");
        }
    }
}
