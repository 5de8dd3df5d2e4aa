//! Columns and cells, and the cells that many kinds share.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use serde_json::Value;

use crate::api::ObjectMeta;
use crate::api::decode::decode;
use crate::api::document::Part;
use crate::api::duration;
use crate::api::labels::Selector;

/// What a cell shows when there is nothing to show.
pub(super) const NONE: &str = "<none>";

/// What a cell shows when nobody knows.
pub(super) const UNKNOWN: &str = "<unknown>";

/// A column of a Table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// The schema's type of its cells: `string`, `integer`, `boolean` or `date`.
    pub kind: &'static str,
    /// `name` where the cells are the objects' names, else empty.
    pub format: &'static str,
    pub description: &'static str,
    /// 0 for the columns that are always shown.
    pub priority: i32,
}

impl Column {
    pub(in crate::api) const NAME: Self = Self {
        name: "Name",
        kind: "string",
        format: "name",
        description: "Name must be unique within a namespace.",
        priority: 0,
    };

    pub(in crate::api) const AGE: Self = Self::text(
        "Age",
        "CreationTimestamp is a timestamp representing the server time when this object was created.",
    );

    pub(super) const CONTAINERS: Self =
        Self::text("Containers", "Names of each container in the template.").wide();

    pub(super) const IMAGES: Self =
        Self::text("Images", "Images referenced by each container in the template.").wide();

    pub(super) const fn text(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: "string", format: "", description, priority: 0 }
    }

    pub(super) const fn number(name: &'static str, description: &'static str) -> Self {
        Self { kind: "integer", ..Self::text(name, description) }
    }

    pub(super) const fn truth(name: &'static str, description: &'static str) -> Self {
        Self { kind: "boolean", ..Self::text(name, description) }
    }

    pub(super) const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }
}

/// A cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(i64),
    Truth(bool),
    /// There is nothing to show, which a client writes in its own way.
    Nothing,
}

impl Cell {
    /// The cell as a person reads it.
    pub fn show(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
            Self::Nothing => NONE.to_owned(),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Option<i32>> for Cell {
    fn from(number: Option<i32>) -> Self {
        number.unwrap_or_default().into()
    }
}

impl From<&Cell> for Value {
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Text(text) => text.as_str().into(),
            Cell::Number(number) => (*number).into(),
            Cell::Truth(truth) => (*truth).into(),
            Cell::Nothing => Self::Null,
        }
    }
}

pub(super) fn name(meta: &ObjectMeta) -> Cell {
    meta.name.as_deref().unwrap_or_default().into()
}

/// A field's text; the empty one if it is not set.
pub(super) fn text(field: Option<&String>) -> Cell {
    field.cloned().unwrap_or_default().into()
}

/// A field's text, or `otherwise` where there is none.
pub(super) fn text_or(field: Option<&str>, otherwise: &str) -> Cell {
    field.filter(|text| !text.is_empty()).unwrap_or(otherwise).into()
}

pub(super) fn age(meta: &ObjectMeta, now: Timestamp) -> Cell {
    since(meta.creation_timestamp.as_ref(), now)
}

pub(super) fn since(time: Option<&Time>, now: Timestamp) -> Cell {
    duration::age(time.map(|time| time.0), now).into()
}

/// A selector's canonical text, or that it has none.
pub(super) fn selector_of(part: Part<'_>) -> Cell {
    text_or(Some(&bare_selector_of(part)), NONE)
}

/// A selector's canonical text.
pub(super) fn bare_selector_of(part: Part<'_>) -> String {
    let decoded = decode::<LabelSelector>(part.value()).ok().filter(|_| part.is_there());
    match Selector::from_object(decoded.as_ref().map(|decoded| &decoded.object)) {
        Ok(selector) => selector.to_string(),
        Err(_) => "<error>".to_owned(),
    }
}
