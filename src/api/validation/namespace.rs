//! Namespaces.

use k8s_openapi::api::core::v1::Namespace;

use super::report::{Report, text};
use super::{Validate, meta};
use crate::api::field::{FieldError, Path};
use crate::api::names;

impl Validate for Namespace {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, false, names::dns1123_label);
        let path = Path::new("spec").child("finalizers");
        for name in self.spec.iter().filter_map(|spec| spec.finalizers.as_ref()).flatten() {
            out.words(&path, name, names::label_key(name));
            meta::standard_finalizer(&mut out, name, &path);
        }
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        out.errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        let path = Path::new("status").child("Phase");
        let phase = self.status.as_ref().map_or("", |status| text(&status.phase));
        match (&self.metadata.deletion_timestamp, phase) {
            (None, "Active") | (Some(_), "Terminating") => {}
            (None, phase) => {
                let words = "may only be 'Active' if `deletionTimestamp` is empty";
                out.invalid(&path, phase, words);
            }
            (Some(_), phase) => {
                let words = "may only be 'Terminating' if `deletionTimestamp` is not empty";
                out.invalid(&path, phase, words);
            }
        }
        out.errors
    }
}
