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

    /// As [`Report::invalid`], of a list or a map that is not there.
    pub(super) fn invalid_nil(&mut self, path: &Path, detail: &str) {
        let error = FieldError::invalid(path, "", format!("null: {detail}"));
        self.errors.push(FieldError { bad_value: None, ..error });
    }

    /// A whole object as the bad value.
    pub(super) fn invalid_object(&mut self, path: &Path, value: &impl Serialize, detail: &str) {
        // The API's own types have text keys only, so this cannot fail.
        self.invalid(path, to_json(value), detail);
    }

    /// One error for each of the messages of a rule.
    pub(super) fn each(&mut self, path: &Path, value: impl Into<Value>, words: Vec<String>) {
        let value = value.into();
        let errors = words.into_iter().map(|word| FieldError::invalid(path, value.clone(), word));
        self.errors.extend(errors);
    }

    /// What a rule says of a text.
    pub(super) fn words(&mut self, path: &Path, value: &str, rule: fn(&str) -> Vec<String>) {
        self.each(path, value, rule(value));
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

    /// As [`Report::invalid`], of a field below `path`.
    pub(super) fn invalid_at(
        &mut self,
        path: &Path,
        field: &'static str,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) {
        self.invalid(&path.child(field), value, detail);
    }

    /// As [`Report::words`], of a field below `path`.
    pub(super) fn words_at(
        &mut self,
        path: &Path,
        field: &'static str,
        value: &str,
        rule: fn(&str) -> Vec<String>,
    ) {
        self.words(&path.child(field), value, rule);
    }

    /// As [`Report::words_at`], of a number.
    pub(super) fn number_at(
        &mut self,
        path: &Path,
        field: &'static str,
        value: i64,
        rule: fn(i64) -> Vec<String>,
    ) {
        self.each(&path.child(field), value, rule(value));
    }

    /// As [`Report::required`], of a field below `path`.
    pub(super) fn required_at(
        &mut self,
        path: &Path,
        field: &'static str,
        detail: impl Into<String>,
    ) {
        self.required(&path.child(field), detail);
    }

    /// As [`Report::forbidden`], of a field below `path`.
    pub(super) fn forbidden_at(
        &mut self,
        path: &Path,
        field: &'static str,
        detail: impl Into<String>,
    ) {
        self.forbidden(&path.child(field), detail);
    }

    /// As [`Report::duplicate`], of a field below `path`.
    pub(super) fn duplicate_at(
        &mut self,
        path: &Path,
        field: &'static str,
        value: impl Into<Value>,
    ) {
        self.duplicate(&path.child(field), value);
    }

    /// As [`Report::one_of`], of a field below `path`.
    pub(super) fn one_of_at(
        &mut self,
        path: &Path,
        field: &'static str,
        value: &str,
        supported: &[&str],
    ) {
        self.one_of(&path.child(field), value, supported);
    }

    /// As [`Report::supported`], of a field below `path`.
    pub(super) fn supported_at(
        &mut self,
        path: &Path,
        field: &'static str,
        value: &str,
        supported: &[&str],
    ) {
        self.supported(&path.child(field), value, supported);
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
