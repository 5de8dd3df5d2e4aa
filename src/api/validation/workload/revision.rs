//! Controller revisions.

use k8s_openapi::api::apps::v1::ControllerRevision;

use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::Report;
use crate::api::validation::{Validate, meta};

impl Validate for ControllerRevision {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        check(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        check(&mut out, self);
        out.immutable(&Path::new("data"), &self.data, &old.data);
        out.errors
    }
}

fn check(out: &mut Report, revision: &ControllerRevision) {
    meta::create(out, &revision.metadata, true, names::dns1123_subdomain);
    if revision.data.0.is_null() {
        out.required(&Path::new("data"), "data is mandatory");
    }
    out.not_negative(&Path::new("revision"), revision.revision.unwrap_or_default());
}
