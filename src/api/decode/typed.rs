//! Values to typed objects, as the API server decodes them.
//!
//! Mirrors: `sigs.k8s.io/json`, `apimachinery/pkg/runtime` `strictDecodingError`.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::context::Context;
use super::source::Source;

/// A typed object and what of the text has no place in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    pub object: T,
    /// In the order of the text as upstream sees it: keys are sorted.
    pub unknown: Vec<UnknownField>,
}

/// A field that the type does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// As upstream prints it: `spec.containers[0].foo`.
    pub path: String,
    pub name: String,
    /// The fields that the type has; [`super::nearest`] finds the one that was meant.
    pub known: Vec<&'static str>,
}

/// A value that does not fit its field; the object cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeError {
    /// The field's path, with the indices of lists.
    pub path: String,
    /// In the words of Go's decoder.
    pub message: String,
}

/// Decodes a typed object.
///
/// # Errors
///
/// A value has the wrong type. As upstream, only the first such value is reported.
pub fn decode<T: DeserializeOwned>(value: &Value) -> Result<Decoded<T>, TypeError> {
    let mut context = Context::default();
    match T::deserialize(Source { value: Some(value), context: &mut context }) {
        Ok(object) => Ok(Decoded { object, unknown: context.unknown() }),
        Err(fault) => Err(context.type_error(fault)),
    }
}

/// What the API server answers to unknown fields when they are refused.
pub fn strict_error(unknown: &[UnknownField]) -> Option<String> {
    let fields: Vec<String> =
        unknown.iter().map(|field| format!("unknown field \"{}\"", field.path)).collect();
    (!fields.is_empty()).then(|| format!("strict decoding error: {}", fields.join(", ")))
}
