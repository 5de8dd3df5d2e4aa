//! Leases.
//!
//! Mirrors: `pkg/apis/coordination/validation`.

use super::{PLAIN, Rules};
use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::names;
use crate::api::validation::NEGATIVE;
use crate::api::validation::report::Report;

pub(super) const RULES: Rules = Rules { check: spec, ..PLAIN };

fn spec(out: &mut Report, lease: &Document) {
    let (spec, path) = (lease.at("spec"), Path::new("spec"));
    if let Some(seconds) = spec.at("leaseDurationSeconds").number().filter(|it| *it <= 0) {
        out.invalid(&path.child("leaseDurationSeconds"), seconds, "must be greater than 0");
    }
    if let Some(transitions) = spec.at("leaseTransitions").number().filter(|it| *it < 0) {
        out.invalid(&path.child("leaseTransitions"), transitions, NEGATIVE);
    }
    let strategy = spec.at("strategy");
    if strategy.is_there() {
        // The field's name stands there twice upstream, too.
        let path = path.child("strategy").child("strategy");
        let strategy = strategy.text();
        if strategy.contains('/') {
            out.words(&path, strategy, names::label_key(strategy));
        } else {
            out.supported(&path, strategy, &["OldestEmulationVersion"]);
        }
    }
    if !spec.at("preferredHolder").text().is_empty() && strategy.text().is_empty() {
        let words = "may only be specified if `strategy` is defined";
        out.forbidden(&path.child("preferredHolder"), words);
    }
}
