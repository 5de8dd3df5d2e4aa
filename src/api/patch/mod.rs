//! Changes to objects, in the four forms that the API takes them, as values.
//!
//! - JSON patch (RFC 6902): operations on paths; [`json_patch`].
//! - Merge patch (RFC 7396): a partial object; [`merge_patch`].
//! - Strategic merge patch: a partial object whose lists are merged by key; [`strategic_merge`].
//! - What `kubectl apply` sends: [`two_way`] and [`three_way`] find the strategic merge patch.

mod diff;
mod json;
mod lists;
mod schema;
mod strategic;

use serde_json::Value;

pub use diff::{three_way, two_way};
pub use json::{MAX_OPERATIONS, json_patch};
pub use schema::{BUILT_IN, Field, Schema, Strategy, Types};
pub use strategic::strategic_merge;

/// A patch that does not fit, or is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// A JSON patch is no list.
    #[error("{0}")]
    NotAPatch(String),
    /// A JSON patch cannot be applied.
    #[error("{0}")]
    Refused(String),
    /// A JSON patch has too many operations.
    #[error("{0}")]
    TooMany(String),
    /// A strategic merge patch has a directive that is malformed.
    #[error("{0}")]
    BadDirective(String),
    /// A strategic merge patch does not fit what it is applied to, which upstream has no code for.
    #[error("{0}")]
    Odd(String),
    /// An item of a merged list cannot be told from others.
    #[error("map: {map} does not contain declared merge key: {key}")]
    NoMergeKey { map: String, key: String },
    /// The items of a merged list are lists, or a union has what it does not retain.
    #[error("{0}")]
    BadList(String),
}

/// Applies a merge patch: a null deletes, an object is merged, all else replaces. What is put where there
/// was no object has no nulls in its maps.
pub fn merge_patch(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(&key);
                } else {
                    merge_patch(target.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (target, mut patch) => {
            if !target.is_object() {
                drop_nulls(&mut patch);
            }
            *target = patch;
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
