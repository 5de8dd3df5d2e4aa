//! JSON patch, with the liberties of the library that the API server uses.
//!
//! They are: a negative index counts from the end, a missing member is as good as a null one where
//! it is read or replaced, and a missing value is a null.
//!
//! Mirrors: `gopkg.in/evanphx/json-patch.v4`.

use serde_json::{Map, Value};

use super::PatchError;
use crate::api::text::go_json_type;

/// The API server takes no more operations in one patch.
pub const MAX_OPERATIONS: usize = 10_000;

/// Nor more copies than these bytes of JSON: copies of copies double with each.
const MAX_COPIED: usize = 3 << 20;

/// Applies the operations in turn; after an error the document is as far as they came.
///
/// # Errors
///
/// An operation is malformed, points at nothing, or is a test that fails.
pub fn json_patch(document: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Array(operations) = patch else {
        return Err(PatchError::NotAPatch(not_a_list(patch)));
    };
    if operations.len() > MAX_OPERATIONS {
        let words = format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        );
        return Err(PatchError::TooMany(words));
    }
    let mut copied = 0;
    operations.iter().try_for_each(|operation| apply(document, operation, &mut copied))
}

/// As Go words it.
fn not_a_list(patch: &Value) -> String {
    let found = go_json_type(patch);
    format!("json: cannot unmarshal {found} into Go value of type jsonpatch.Patch")
}

/// Applies one operation; `copied` is how many bytes all have copied.
fn apply(document: &mut Value, operation: &Value, copied: &mut usize) -> Result<(), PatchError> {
    let kind = operation.get("op").and_then(Value::as_str).unwrap_or_default();
    if !matches!(kind, "add" | "remove" | "replace" | "move" | "copy" | "test") {
        return Err(PatchError::BadOperation(format!("Unexpected kind: {kind}")));
    }
    let pointer = |member: &str| {
        let text = operation.get(member).and_then(Value::as_str);
        text.ok_or_else(|| {
            let words = format!("{kind} operation failed to decode {member}");
            PatchError::Missing(words)
        })
    };
    let value = || operation.get("value").cloned().unwrap_or_default();
    let path = pointer("path")?;
    match kind {
        "add" => add(document, kind, path, value()),
        "remove" => remove(document, kind, path).map(drop),
        "replace" => replace(document, path, value()),
        "move" => {
            let moved = remove(document, kind, pointer("from")?)?;
            add(document, kind, path, moved)
        }
        "copy" => {
            let copy = read(document, kind, pointer("from")?)?;
            *copied += copy.to_string().len();
            if *copied > MAX_COPIED {
                return Err(PatchError::TooMuch { copied: *copied, limit: MAX_COPIED });
            }
            add(document, kind, path, copy)
        }
        _ => test(document, path, operation.get("value")),
    }
}

fn test(document: &Value, path: &str, wanted: Option<&Value>) -> Result<(), PatchError> {
    let found =
        if path.is_empty() { document.clone() } else { read(&mut document.clone(), "test", path)? };
    if Some(&found) == wanted { Ok(()) } else { Err(PatchError::TestFailed(path.to_owned())) }
}

fn add(document: &mut Value, kind: &str, path: &str, value: Value) -> Result<(), PatchError> {
    if path.is_empty() {
        *document = value;
        return Ok(());
    }
    match parent(document, kind, path)? {
        (Parent::Map(map), key) => {
            map.insert(key, value);
        }
        (Parent::List(list), key) if key == "-" => list.push(value),
        (Parent::List(list), key) => {
            let index = index(&key, list.len() + 1)?;
            list.insert(index, value);
        }
    }
    Ok(())
}

fn remove(document: &mut Value, kind: &str, path: &str) -> Result<Value, PatchError> {
    match parent(document, kind, path)? {
        (Parent::Map(map), key) => map.remove(&key).ok_or_else(|| {
            let words = format!("Unable to remove nonexistent key: {key}");
            PatchError::Missing(format!("error in {kind} for path: '{path}': {words}"))
        }),
        (Parent::List(list), key) => {
            let index = index(&key, list.len())?;
            Ok(list.remove(index))
        }
    }
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    if path.is_empty() {
        *document = value;
        return Ok(());
    }
    match parent(document, "replace", path)? {
        (Parent::Map(map), key) => {
            map.insert(key, value);
        }
        (Parent::List(list), key) => {
            let index = index(&key, list.len())?;
            if let Some(item) = list.get_mut(index) {
                *item = value;
            }
        }
    }
    Ok(())
}

fn read(document: &mut Value, kind: &str, path: &str) -> Result<Value, PatchError> {
    match parent(document, kind, path)? {
        (Parent::Map(map), key) => Ok(map.get(&key).cloned().unwrap_or_default()),
        (Parent::List(list), key) => {
            let index = index(&key, list.len())?;
            Ok(list.get(index).cloned().unwrap_or_default())
        }
    }
}

/// What has members.
enum Parent<'a> {
    Map(&'a mut Map<String, Value>),
    List(&'a mut Vec<Value>),
}

/// The value that holds what `path` points at, and its key there.
fn parent<'a>(
    document: &'a mut Value,
    kind: &str,
    path: &str,
) -> Result<(Parent<'a>, String), PatchError> {
    let missing = || {
        PatchError::Missing(format!(
            "{kind} operation does not apply: doc is missing path: {path:?}"
        ))
    };
    let (before, key_text) = path.rsplit_once('/').ok_or_else(missing)?;
    let mut here = document;
    for step in before.split('/').skip(1) {
        let key = unescape(step);
        here = match here {
            Value::Object(map) => map.get_mut(&key),
            Value::Array(list) => {
                let index = index(&key, list.len()).ok();
                index.and_then(|index| list.get_mut(index))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
        .ok_or_else(missing)?;
    }
    let parent = match here {
        Value::Object(map) => Parent::Map(map),
        Value::Array(list) => Parent::List(list),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(missing());
        }
    };
    Ok((parent, unescape(key_text)))
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// An index below `length`; a negative one counts from there.
fn index(key: &str, length: usize) -> Result<usize, PatchError> {
    let number = key.parse::<i64>().map_err(|_error| {
        PatchError::BadOperation(format!("value was not a proper array index: '{key}'"))
    })?;
    let index = match usize::try_from(number) {
        Ok(index) => Some(index),
        Err(_) => usize::try_from(number.unsigned_abs())
            .ok()
            .and_then(|distance| length.checked_sub(distance)),
    };
    index.filter(|index| *index < length).ok_or_else(|| {
        let words = format!("Unable to access invalid index: {number}");
        PatchError::BadOperation(format!("{words}: invalid array index"))
    })
}
