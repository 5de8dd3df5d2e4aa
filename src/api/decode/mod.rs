//! From text to objects: YAML or JSON to values with their places, values to typed objects.
//!
//! YAML is read by the rules that kubectl has (`sigs.k8s.io/yaml`: YAML 1.1 scalars, JSON's data
//! model); typed objects by those of the API server (`sigs.k8s.io/json`: case matters, unknown
//! fields are listed, a null is as good as absent).

mod absent;
mod access;
mod context;
mod document;
mod duplicates;
mod go_type;
mod json;
mod place;
mod scalar;
mod source;
mod suggest;
mod table;
#[cfg(test)]
mod tests;
mod typed;
mod yaml;

pub use document::{Document, Limits, Manifests, read};
pub use duplicates::{duplicate_fields, has_duplicate_fields, place_of_field};
pub use place::{Mark, Place};
pub use suggest::nearest;
pub use table::{OF_EVERY_KIND, decode_custom, decode_document};
pub use typed::{Decoded, TypeError, UnknownField, decode, strict_error};

/// Text that is no YAML, or more than is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{mark}: {message}")]
pub struct SyntaxError {
    pub mark: Mark,
    pub message: String,
}

impl SyntaxError {
    fn new(mark: Mark, message: impl Into<String>) -> Self {
        Self { mark, message: message.into() }
    }

    /// The error as kubectl words it.
    pub fn as_kubectl(&self) -> String {
        format!("error converting YAML to JSON: yaml: line {}: {}", self.mark.line, self.message)
    }
}
