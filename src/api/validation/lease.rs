//! Leases.
//!
//! Mirrors: `pkg/apis/coordination/validation`.

use super::report::{Report, text};
use super::{NEGATIVE, Validate, meta};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::types::Lease;

impl Validate for Lease {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::any_create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        spec(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::any_update(&mut out, &self.metadata, &old.metadata);
        spec(&mut out, self);
        out.errors
    }
}

fn spec(out: &mut Report, lease: &Lease) {
    let (spec, path) = (&lease.spec, Path::new("spec"));
    if let Some(seconds) = spec.lease_duration_seconds.filter(|it| *it <= 0) {
        out.invalid_at(&path, "leaseDurationSeconds", seconds, "must be greater than 0");
    }
    if let Some(transitions) = spec.lease_transitions.filter(|it| *it < 0) {
        out.invalid_at(&path, "leaseTransitions", transitions, NEGATIVE);
    }
    if let Some(strategy) = spec.strategy.as_deref() {
        // The field's name stands there twice upstream, too.
        let path = path.child("strategy").child("strategy");
        if strategy.contains('/') {
            out.words(&path, strategy, names::label_key);
        } else {
            out.supported(&path, strategy, &["OldestEmulationVersion"]);
        }
    }
    if !text(&spec.preferred_holder).is_empty() && text(&spec.strategy).is_empty() {
        let words = "may only be specified if `strategy` is defined";
        out.forbidden_at(&path, "preferredHolder", words);
    }
}
