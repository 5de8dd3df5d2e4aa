//! JSON patch, with the liberties of the library that the API server uses.
//!
//! They are: a negative index counts from the end, a missing member is as good as a null one where
//! it is read or replaced, and a missing value is a null. What it says of a mistake differs with the
//! operation.
//!
//! Mirrors: `gopkg.in/evanphx/json-patch.v4`.

use serde_json::{Map, Value};

use super::PatchError;
use crate::api::text::{go_json_type, go_quote};

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
        return Err(PatchError::NotAPatch(cannot_be_read(patch, "Patch")));
    };
    if let Some(other) = operations.iter().find(|it| !it.is_object() && !it.is_null()) {
        return Err(PatchError::NotAPatch(cannot_be_read(other, "Operation")));
    }
    if operations.len() > MAX_OPERATIONS {
        let words = format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        );
        return Err(PatchError::TooMany(words));
    }
    let mut copied = 0;
    operations
        .iter()
        .try_for_each(|operation| apply(document, operation, &mut copied))
        .map_err(PatchError::Refused)
}

/// As Go words it.
fn cannot_be_read(value: &Value, of: &str) -> String {
    let found = go_json_type(value);
    format!("json: cannot unmarshal {found} into Go value of type jsonpatch.{of}")
}

/// Applies one operation; `copied` is how many bytes all have copied.
fn apply(document: &mut Value, operation: &Value, copied: &mut usize) -> Result<(), String> {
    let text = |member: &str| operation.get(member).and_then(Value::as_str);
    let kind = text("op").unwrap_or("unknown");
    if !matches!(kind, "add" | "remove" | "replace" | "move" | "copy" | "test") {
        return Err(format!("Unexpected kind: {kind}"));
    }
    let pointer = |member: &str| {
        text(member).ok_or_else(|| {
            let why = match (kind, member) {
                ("add" | "remove" | "copy", "path") => "",
                (_, "path") => "operation missing path field: ",
                _ => "operation, missing from field: ",
            };
            missing(&format!("{kind} operation failed to decode {member}: {why}"))
        })
    };
    let value = || operation.get("value").cloned().unwrap_or_default();
    let in_path = |path: &str, why: &str| format!("error in {kind} for path: '{path}': {why}");
    let no_path = |doc: &str, path: &str| {
        missing(&format!("{kind} operation does not apply: {doc} path: {path}: "))
    };
    match kind {
        "add" => {
            let path = pointer("path")?;
            if path.is_empty() {
                return put(document, value());
            }
            let place = Place::of(document, path);
            let place = place.ok_or_else(|| no_path("doc is missing", &quoted(path)))?;
            place.add(value()).map_err(|why| in_path(path, &why))
        }
        "remove" => {
            let path = pointer("path")?;
            let place = Place::of(document, path);
            let place = place.ok_or_else(|| no_path("doc is missing", &quoted(path)))?;
            place.remove().map(drop).map_err(|why| in_path(path, &why))
        }
        "replace" => {
            let path = pointer("path")?;
            if path.is_empty() {
                return put(document, value());
            }
            let place = Place::of(document, path).ok_or_else(|| no_path("doc is missing", path))?;
            let why = || {
                missing(&format!("replace operation does not apply: doc is missing key: {path}: "))
            };
            place.replace(value()).ok_or_else(why)
        }
        "test" => {
            let path = pointer("path")?;
            let found = if path.is_empty() {
                document.clone()
            } else {
                let place = Place::of(document, path).ok_or_else(|| no_path("is missing", path))?;
                place.get().map_err(|why| in_path(path, &why))?
            };
            if Some(&found) == operation.get("value") {
                Ok(())
            } else {
                Err(format!("testing value {path} failed: test failed"))
            }
        }
        _ => {
            let from = pointer("from")?;
            let place = Place::of(document, from);
            let place = place.ok_or_else(|| no_path("doc is missing from", from))?;
            let value = if kind == "move" {
                let key = place.key.clone();
                place.remove().map_err(|why| in_path(&key, &why))?
            } else {
                place.get().map_err(|why| format!("error in copy for from: '{from}': {why}"))?
            };
            let path = pointer("path")?;
            let place = Place::of(document, path);
            let place = place.ok_or_else(|| no_path("doc is missing destination", path))?;
            if kind == "move" {
                return place.add(value).map_err(|why| in_path(path, &why));
            }
            *copied += value.to_string().len();
            if *copied > MAX_COPIED {
                return Err(format!(
                    "Unable to complete the copy, the accumulated size increase of copy is {copied}, \
                     exceeding the limit {MAX_COPIED}"
                ));
            }
            place.add(value).map_err(|why| format!("error while adding value during copy: {why}"))
        }
    }
}

fn missing(what: &str) -> String {
    format!("{what}missing value")
}

/// The path as it was sent, between quotes.
fn quoted(path: &str) -> String {
    format!("\"{path}\"")
}

/// Puts a document in the place of the whole.
fn put(document: &mut Value, value: Value) -> Result<(), String> {
    if !value.is_object() && !value.is_array() {
        return Err(cannot_be_read(&value, "partialDoc"));
    }
    *document = value;
    Ok(())
}

/// What has members.
enum Parent<'a> {
    Map(&'a mut Map<String, Value>),
    List(&'a mut Vec<Value>),
}

/// What a path points at, which may not be there yet.
struct Place<'a> {
    parent: Parent<'a>,
    key: String,
}

impl<'a> Place<'a> {
    /// None if nothing is there that could have it.
    fn of(document: &'a mut Value, path: &str) -> Option<Self> {
        let (before, key) = path.rsplit_once('/')?;
        let mut here = document;
        for step in before.split('/').skip(1) {
            let key = unescape(step);
            here = match here {
                Value::Object(map) => map.get_mut(&key)?,
                Value::Array(list) => {
                    let index = index(&key, list.len()).ok()?;
                    list.get_mut(index)?
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
        }
        let parent = match here {
            Value::Object(map) => Parent::Map(map),
            Value::Array(list) => Parent::List(list),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        };
        Some(Self { parent, key: unescape(key) })
    }

    fn get(self) -> Result<Value, String> {
        let found = match self.parent {
            Parent::Map(map) => map.get(&self.key),
            Parent::List(list) => list.get(index(&self.key, list.len())?),
        };
        Ok(found.cloned().unwrap_or_default())
    }

    fn add(self, value: Value) -> Result<(), String> {
        match self.parent {
            Parent::Map(map) => {
                map.insert(self.key, value);
            }
            Parent::List(list) if self.key == "-" => list.push(value),
            Parent::List(list) => {
                let not_an_index = |why: String| match self.key.parse::<i64>() {
                    Ok(_) => why,
                    Err(_) => format!("value was not a proper array index: '{}': {why}", self.key),
                };
                let index = index(&self.key, list.len() + 1).map_err(not_an_index)?;
                list.insert(index, value);
            }
        }
        Ok(())
    }

    /// None if it is an item that is not there.
    fn replace(self, value: Value) -> Option<()> {
        match self.parent {
            Parent::Map(map) => {
                map.insert(self.key, value);
            }
            Parent::List(list) => {
                let index = index(&self.key, list.len()).ok()?;
                *list.get_mut(index)? = value;
            }
        }
        Some(())
    }

    fn remove(self) -> Result<Value, String> {
        match self.parent {
            Parent::Map(map) => map.remove(&self.key).ok_or_else(|| {
                missing(&format!("Unable to remove nonexistent key: {}: ", self.key))
            }),
            Parent::List(list) => {
                let index = index(&self.key, list.len())?;
                Ok(list.remove(index))
            }
        }
    }
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// An index below `length`; a negative one counts from there.
fn index(key: &str, length: usize) -> Result<usize, String> {
    let number = key
        .parse::<i64>()
        .map_err(|_error| format!("strconv.Atoi: parsing {}: invalid syntax", go_quote(key)))?;
    let index = match usize::try_from(number) {
        Ok(index) => Some(index),
        Err(_) => usize::try_from(number.unsigned_abs())
            .ok()
            .and_then(|distance| length.checked_sub(distance)),
    };
    index.filter(|index| *index < length).ok_or_else(|| {
        format!("Unable to access invalid index: {number}: invalid index referenced")
    })
}
