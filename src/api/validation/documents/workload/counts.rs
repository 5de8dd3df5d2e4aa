//! The numbers in a status.

use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::validation::report::Report;

/// Checks the numbers in the status of a document.
pub(super) struct Counts<'a> {
    out: &'a mut Report,
    new: &'a Document,
    path: Path,
}

impl<'a> Counts<'a> {
    /// Those of `new`, none of which is below zero.
    pub(super) fn of(out: &'a mut Report, new: &'a Document, fields: &[&'static str]) -> Self {
        let path = Path::new("status");
        super::not_negative(out, new.at("status"), fields, &path);
        Self { out, new, path }
    }

    fn number(&self, field: &str) -> i64 {
        self.new.at("status").at(field).number().unwrap_or_default()
    }

    /// Checks that each of `fields` is no more than `limit`, which is called `of`.
    pub(super) fn at_most(&mut self, fields: &[&'static str], limit: &str, of: &str) {
        for field in fields {
            let value = self.number(field);
            if value > self.number(limit) {
                let words = format!("cannot be greater than {of}");
                self.out.invalid(&self.path.child(*field), value, words);
            }
        }
    }

    /// Checks that the count of collisions has not gone down.
    pub(super) fn collisions_since(&mut self, old: &Document) {
        let (field, value) = ("collisionCount", self.number("collisionCount"));
        if old.at("status").at(field).number().is_some_and(|old| value < old) {
            self.out.invalid(&self.path.child(field), value, "cannot be decremented");
        }
    }
}
