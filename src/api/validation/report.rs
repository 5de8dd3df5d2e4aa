//! The mistakes found so far, with the short ways to add one.

use std::ops::Deref;

use serde::Serialize;
use serde_json::Value;

use crate::api::field::{FieldError, Path};
use crate::api::to_json;
use crate::sim::SortedMap;

/// Collects field errors in the order in which upstream would report them.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub errors: Vec<FieldError>,
}

impl Report {
    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    pub(super) fn invalid(
        &mut self,
        path: &Path,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) {
        self.errors.push(FieldError::invalid(path, value, detail));
    }

    /// A whole object as the bad value.
    pub(super) fn invalid_object(&mut self, path: &Path, value: &impl Serialize, detail: &str) {
        // The API's own types have text keys only, so this cannot fail.
        self.invalid(path, to_json(value), detail);
    }

    /// One error for each of the messages of a rule.
    pub(super) fn words(&mut self, path: &Path, value: &str, words: Vec<String>) {
        self.errors.extend(words.into_iter().map(|word| FieldError::invalid(path, value, word)));
    }

    /// As [`Report::words`], of a number.
    pub(super) fn number(&mut self, path: &Path, value: i64, words: Vec<String>) {
        self.errors.extend(words.into_iter().map(|word| FieldError::invalid(path, value, word)));
    }

    pub(super) fn required(&mut self, path: &Path, detail: impl Into<String>) {
        self.errors.push(FieldError::required(path, detail));
    }

    pub(super) fn forbidden(&mut self, path: &Path, detail: impl Into<String>) {
        self.errors.push(FieldError::forbidden(path, detail));
    }

    pub(super) fn duplicate(&mut self, path: &Path, value: impl Into<Value>) {
        self.errors.push(FieldError::duplicate(path, value));
    }

    pub(super) fn not_found(&mut self, path: &Path, value: &str) {
        self.errors.push(FieldError::not_found(path, value));
    }

    /// Checks that `value` is one of `supported`; an empty one is missing.
    pub(super) fn one_of(&mut self, path: &Path, value: &str, supported: &[&str]) {
        if value.is_empty() {
            self.required(path, "");
        } else {
            self.supported(path, value, supported);
        }
    }

    /// Checks that `value` is one of `supported`, and so not empty.
    pub(super) fn supported(&mut self, path: &Path, value: &str, supported: &[&str]) {
        if !supported.contains(&value) {
            self.errors.push(FieldError::not_supported(path, value, supported));
        }
    }

    pub(super) fn not_negative(&mut self, path: &Path, value: i64) {
        if value < 0 {
            self.invalid(path, value, super::NEGATIVE);
        }
    }

    /// Checks that a field is as it was.
    pub(super) fn immutable<T: Serialize + PartialEq>(&mut self, path: &Path, new: &T, old: &T) {
        if new != old {
            self.invalid_object(path, new, super::IMMUTABLE);
        }
    }
}

/// What was met before.
#[derive(Debug, Default)]
pub(super) struct Seen(SortedMap<String, ()>);

impl Seen {
    /// Whether `what` is met for the first time.
    pub(super) fn is_new(&mut self, what: impl Into<String>) -> bool {
        self.0.insert(what.into(), ()).is_none()
    }
}

/// A text that may be absent, which is the same as empty upstream.
#[expect(clippy::ref_option, reason = "the fields of the wire types are options")]
pub(super) fn text<T: Deref<Target = str>>(value: &Option<T>) -> &str {
    value.as_deref().unwrap_or_default()
}
