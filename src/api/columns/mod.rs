//! The cells of a Table, as the API server's printers make them for `kubectl get`.
//!
//! One file per group of kinds; in each, a kind has its columns and a function that makes a row from
//! an object's parts. A row always has all cells; a client shows those of priority 0 unless asked
//! for the wide table.
//!
//! Mirrors: `pkg/printers/internalversion/printers.go`. Descriptions taken from a field's
//! documentation end after its first sentence.

mod cell;
mod documents;
mod kinds;
mod network;
pub mod node;
pub mod objects;
pub mod pod;
mod rbac;
pub mod service;
pub mod storage;
pub mod workloads;

use jiff::Timestamp;

pub use cell::{Cell, Column};
pub use documents::row as document;

use super::Kind;
use crate::api::ObjectMeta;

/// Kinds that `kubectl get` shows in a table.
pub trait Printed {
    /// The table's columns, with those of the wide table.
    const COLUMNS: &'static [Column];
    /// The cells of one object at the time `now`, one for each column.
    fn row(&self, now: Timestamp) -> Vec<Cell>;
}

impl Kind {
    /// The columns of its table.
    pub fn columns(self) -> &'static [Column] {
        each_kind!(self.stored(), T => T::COLUMNS, kind => documents::columns(kind))
    }
}

/// The columns of a kind that has no printer of its own.
pub const OTHER: &[Column] =
    &[Column::NAME, Column { kind: "date", ..Column::text("Created At", Column::AGE.description) }];

/// The row of an object whose kind has no printer of its own.
pub fn other(meta: &ObjectMeta) -> Vec<Cell> {
    let created = meta.creation_timestamp.as_ref().map(|time| time.0.to_string());
    vec![cell::name(meta), created.unwrap_or_default().into()]
}
