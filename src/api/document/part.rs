//! A part of a document, read without knowing whether it is there.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use crate::api::quantity::Quantity;
use crate::sim::sort;

const ABSENT: &Value = &Value::Null;

/// A value in a document. What is absent has no parts, no text and no items, so that a path can be
/// followed to its end before anybody asks.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a>(&'a Value);

impl<'a> Part<'a> {
    /// The part that `value` is, or an absent one.
    pub fn of(value: Option<&'a Value>) -> Self {
        Self(value.unwrap_or(ABSENT))
    }

    /// The field called `name`.
    #[must_use]
    pub fn at(self, name: &str) -> Self {
        Self::of(self.0.get(name))
    }

    /// Whether there is something.
    pub fn is_there(self) -> bool {
        !self.0.is_null()
    }

    /// Its value; null if it is absent.
    pub fn value(self) -> &'a Value {
        self.0
    }

    /// Its text; empty if it is absent.
    pub fn text(self) -> &'a str {
        self.0.as_str().unwrap_or_default()
    }

    /// The bytes that its text stands for; none if it is not base64.
    pub fn bytes(self) -> Vec<u8> {
        STANDARD.decode(self.text()).unwrap_or_default()
    }

    /// Its number, if it is one.
    pub fn number(self) -> Option<i64> {
        self.0.as_i64()
    }

    /// Its amount, if it is one.
    pub fn quantity(self) -> Option<Quantity> {
        self.0.as_str().and_then(|text| Quantity::parse(text).ok())
    }

    /// Its moment, if it is one.
    pub fn time(self) -> Option<Timestamp> {
        self.0.as_str().and_then(|text| text.parse().ok())
    }

    /// Whether it is true.
    pub fn is_true(self) -> bool {
        self.0 == &Value::Bool(true)
    }

    /// The items of a list.
    pub fn items(self) -> impl DoubleEndedIterator<Item = Part<'a>> + ExactSizeIterator {
        self.0.as_array().map_or(&[][..], Vec::as_slice).iter().map(Part)
    }

    /// The texts of a list.
    pub fn texts(self) -> impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator {
        self.items().map(Part::text)
    }

    /// The entries of a map, by key.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Part<'a>)> {
        self.0.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), Part(value)))
    }

    /// The texts of a map, by key.
    pub fn labels(self) -> BTreeMap<String, String> {
        sort::map(self.entries().map(|(key, value)| (key.to_owned(), value.text().to_owned())))
    }

    /// How many items or entries it has.
    pub fn len(self) -> usize {
        match self.0 {
            Value::Array(items) => items.len(),
            Value::Object(entries) => entries.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }

    /// Whether it has no items or entries.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}
