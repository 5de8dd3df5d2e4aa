//! Field errors: what is wrong with which field of an object, in upstream's words.
//!
//! Mirrors: `apimachinery/pkg/util/validation/field`.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusCause;
use serde_json::Value;

use crate::api::text::{go_json, go_quote};

/// The way from an object's root to one of its fields, printed as `spec.containers[0].name`.
///
/// Cheap to clone and to extend; the text is made only when an error needs it.
#[derive(Clone, Debug)]
pub struct Path(Rc<Node>);

#[derive(Debug)]
struct Node {
    parent: Option<Path>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Name(Cow<'static, str>),
    Index(usize),
    Key(Box<str>),
}

impl Path {
    /// The path of a top-level field.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Rc::new(Node { parent: None, step: Step::Name(name.into()) }))
    }

    /// A field below another, or at the root.
    pub fn below(parent: Option<&Self>, name: &'static str) -> Self {
        parent.map_or_else(|| Self::new(name), |parent| parent.child(name))
    }

    /// The field `name` of this field's object.
    #[must_use]
    pub fn child(&self, name: impl Into<Cow<'static, str>>) -> Self {
        self.step(Step::Name(name.into()))
    }

    /// The item at `index` of this field's list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// The entry `key` of this field's map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.into()))
    }

    fn step(&self, step: Step) -> Self {
        Self(Rc::new(Node { parent: Some(self.clone()), step }))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = &self.0.parent {
            parent.fmt(f)?;
        }
        match &self.0.step {
            // Upstream takes a name that is empty for an index.
            Step::Name(name) if name.is_empty() => f.write_str("[]"),
            Step::Name(name) if self.0.parent.is_some() => write!(f, ".{name}"),
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

/// What sort of mistake a [`FieldError`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldErrorKind {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    Internal,
    TypeInvalid,
}

impl FieldErrorKind {
    /// The reason of the status cause, such as `FieldValueInvalid`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    /// The words a message begins with, such as `Invalid value`.
    fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }
}

/// One mistake in one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    pub kind: FieldErrorKind,
    /// The field's path as text; empty for the whole object.
    pub field: String,
    /// The value as sent; `None` where the message leaves it out.
    pub bad_value: Option<Value>,
    pub detail: String,
}

impl FieldError {
    fn new(
        kind: FieldErrorKind,
        path: &Path,
        bad_value: Option<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, field: path.to_string(), bad_value, detail: detail.into() }
    }

    /// The value is malformed or out of bounds.
    pub fn invalid(path: &Path, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Invalid, path, Some(value.into()), detail)
    }

    /// The value has another type than the schema says.
    pub fn type_invalid(path: &Path, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::TypeInvalid, path, Some(value.into()), detail)
    }

    /// The field must be set; `detail` may be empty.
    pub fn required(path: &Path, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Required, path, None, detail)
    }

    /// The value is none of the listed ones; they are shown in the order given.
    pub fn not_supported(path: &Path, value: impl Into<Value>, supported: &[&str]) -> Self {
        let quoted: Vec<String> = supported.iter().map(|value| go_quote(value)).collect();
        let detail = if quoted.is_empty() {
            String::new()
        } else {
            format!("supported values: {}", quoted.join(", "))
        };
        Self::new(FieldErrorKind::NotSupported, path, Some(value.into()), detail)
    }

    /// The value is well-formed, but may not be set now or by this user.
    pub fn forbidden(path: &Path, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Forbidden, path, None, detail)
    }

    /// The value must be unique and is there already.
    pub fn duplicate(path: &Path, value: impl Into<Value>) -> Self {
        Self::new(FieldErrorKind::Duplicate, path, Some(value.into()), "")
    }

    /// The value names something that does not exist.
    pub fn not_found(path: &Path, value: impl Into<Value>) -> Self {
        Self::new(FieldErrorKind::NotFound, path, Some(value.into()), "")
    }

    /// The text has more than `max_bytes` bytes.
    pub fn too_long(path: &Path, max_bytes: usize) -> Self {
        let detail = format!("may not be more than {max_bytes} bytes");
        Self::new(FieldErrorKind::TooLong, path, None, detail)
    }

    /// The list has `actual` items, more than `max`.
    pub fn too_many(path: &Path, actual: usize, max: usize) -> Self {
        let detail = format!("must have at most {max} items");
        Self::new(FieldErrorKind::TooMany, path, Some(actual.into()), detail)
    }

    /// Not the sender's fault.
    pub fn internal(path: &Path, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Internal, path, None, detail)
    }

    /// The message without the field.
    pub fn body(&self) -> String {
        let mut text = self.kind.words().to_owned();
        if let Some(value) = &self.bad_value {
            text.push_str(": ");
            text.push_str(&bad_value_text(value));
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }

    /// The cause that a `Status` reports for this error.
    pub fn to_cause(&self) -> StatusCause {
        StatusCause {
            field: Some(self.field.clone()).filter(|field| !field.is_empty()),
            message: Some(self.body()),
            reason: Some(self.kind.reason().to_owned()),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// Several errors in one line, each text once: `[a, b]`, or just `a`.
pub fn aggregate(errors: &[FieldError]) -> String {
    let mut texts: Vec<String> = Vec::with_capacity(errors.len());
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [only] => only.clone(),
        texts => format!("[{}]", texts.join(", ")),
    }
}

fn bad_value_text(value: &Value) -> String {
    match value {
        Value::String(text) => go_quote(text),
        // Upstream turns a nil into the word before it quotes.
        Value::Null => "\"null\"".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => go_json(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prints_like_upstream() {
        let path = Path::new("spec").child("containers").index(0).child("limits").key("a/b");
        assert_eq!(path.to_string(), "spec.containers[0].limits[a/b]");
    }

    #[test]
    fn each_kind_has_upstreams_words() {
        let path = Path::new("f");
        let cases = [
            (FieldError::invalid(&path, "x", "why"), "f: Invalid value: \"x\": why"),
            (FieldError::invalid(&path, 7, "why"), "f: Invalid value: 7: why"),
            (FieldError::invalid(&path, Value::Null, "why"), "f: Invalid value: \"null\": why"),
            (
                FieldError::invalid(&path, serde_json::json!({"a": "<b>"}), "why"),
                "f: Invalid value: {\"a\":\"\\u003cb\\u003e\"}: why",
            ),
            (FieldError::required(&path, ""), "f: Required value"),
            (FieldError::required(&path, "why"), "f: Required value: why"),
            (
                FieldError::not_supported(&path, "x", &["a", "b"]),
                "f: Unsupported value: \"x\": supported values: \"a\", \"b\"",
            ),
            (FieldError::not_supported(&path, "x", &[]), "f: Unsupported value: \"x\""),
            (FieldError::forbidden(&path, "why"), "f: Forbidden: why"),
            (FieldError::duplicate(&path, "x"), "f: Duplicate value: \"x\""),
            (FieldError::not_found(&path, "x"), "f: Not found: \"x\""),
            (FieldError::too_long(&path, 5), "f: Too long: may not be more than 5 bytes"),
            (FieldError::too_many(&path, 7, 5), "f: Too many: 7: must have at most 5 items"),
            (FieldError::internal(&path, "why"), "f: Internal error: why"),
            (FieldError::type_invalid(&path, true, "why"), "f: Invalid value: true: why"),
        ];
        for (error, text) in cases {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn an_aggregate_says_each_text_once() {
        let (a, b) = (Path::new("a"), Path::new("b"));
        let errors = [
            FieldError::required(&a, ""),
            FieldError::required(&a, ""),
            FieldError::required(&b, ""),
        ];
        assert_eq!(aggregate(&errors), "[a: Required value, b: Required value]");
        assert_eq!(aggregate(&errors[..2]), "a: Required value");
    }
}
