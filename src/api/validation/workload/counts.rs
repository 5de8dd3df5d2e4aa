//! The numbers in a status.

use crate::api::field::Path;
use crate::api::validation::report::Report;

/// Checks the numbers under one field.
pub(super) struct Counts<'a> {
    out: &'a mut Report,
    path: Path,
}

/// The numbers that the status of a replica set and of a replication controller have.
pub(super) struct Replicas {
    pub all: i32,
    pub fully_labeled: Option<i32>,
    pub ready: Option<i32>,
    pub available: Option<i32>,
    pub observed_generation: Option<i64>,
}

impl<'a> Counts<'a> {
    pub(super) fn new(out: &'a mut Report, field: &'static str) -> Self {
        Self { out, path: Path::new(field) }
    }

    /// Returns the number, which is 0 where there is none.
    pub(super) fn not_negative(
        &mut self,
        field: &'static str,
        value: Option<impl Into<i64>>,
    ) -> i64 {
        let value = value.map(Into::into).unwrap_or_default();
        self.out.not_negative(&self.path.child(field), value);
        value
    }

    pub(super) fn at_most(&mut self, field: &'static str, value: i64, limit: i64, of: &str) {
        if value > limit {
            self.out.invalid(
                &self.path.child(field),
                value,
                format!("cannot be greater than {of}"),
            );
        }
    }

    pub(super) fn not_decremented(
        &mut self,
        field: &'static str,
        new: Option<i32>,
        old: Option<i32>,
    ) {
        if let Some(old) = old
            && new.unwrap_or_default() < old
        {
            let value = new.unwrap_or_default();
            self.out.invalid(&self.path.child(field), value, "cannot be decremented");
        }
    }

    pub(super) fn of_replicas(&mut self, status: &Replicas) {
        let replicas = self.not_negative("replicas", Some(status.all));
        let labeled = self.not_negative("fullyLabeledReplicas", status.fully_labeled);
        let ready = self.not_negative("readyReplicas", status.ready);
        let available = self.not_negative("availableReplicas", status.available);
        self.not_negative("observedGeneration", status.observed_generation);
        self.at_most("fullyLabeledReplicas", labeled, replicas, "status.replicas");
        self.at_most("readyReplicas", ready, replicas, "status.replicas");
        self.at_most("availableReplicas", available, replicas, "status.replicas");
        self.at_most("availableReplicas", available, ready, "readyReplicas");
    }
}
