//! Replication controllers.

use k8s_openapi::api::core::v1::{ReplicationController, ReplicationControllerSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::counts::{Counts, Replicas};
use super::of_replicas;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::Report;
use crate::api::validation::{Validate, meta};

impl Validate for ReplicationController {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        check(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        check(&mut out, self);
        out.errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        let status = self.status.clone().unwrap_or_default();
        Counts::new(&mut out, "status").of_replicas(&Replicas {
            all: status.replicas,
            fully_labeled: status.fully_labeled_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
            observed_generation: status.observed_generation,
        });
        out.errors
    }
}

fn check(out: &mut Report, controller: &ReplicationController) {
    let none = ReplicationControllerSpec::default();
    let (spec, path) = (controller.spec.as_ref().unwrap_or(&none), Path::new("spec"));
    for (field, value) in [("minReadySeconds", spec.min_ready_seconds), ("replicas", spec.replicas)]
    {
        out.not_negative(&path.child(field), i64::from(value.unwrap_or_default()));
    }
    if spec.selector.as_ref().is_none_or(std::collections::BTreeMap::is_empty) {
        out.required(&path.child("selector"), "");
    }
    let selector =
        LabelSelector { match_labels: spec.selector.clone(), ..LabelSelector::default() };
    match &spec.template {
        Some(template) => of_replicas(out, template, &selector, &path.child("template")),
        None => out.required(&path.child("template"), ""),
    }
}
