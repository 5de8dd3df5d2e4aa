//! Replica sets.

use k8s_openapi::api::apps::v1::ReplicaSet;

use super::counts::{Counts, Replicas};
use super::{of_replicas, own_selector};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::Report;
use crate::api::validation::{Validate, meta};

impl Validate for ReplicaSet {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        replica_set(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        replica_set(&mut out, self);
        let path = Path::new("spec").child("selector");
        out.immutable(&path, &self.spec.selector, &old.spec.selector);
        out.errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        let status = self.status.clone().unwrap_or_default();
        let mut counts = Counts::new(&mut out, "status");
        counts.of_replicas(&Replicas {
            all: status.replicas,
            fully_labeled: status.fully_labeled_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
            observed_generation: status.observed_generation,
        });
        out.errors
    }
}

fn replica_set(out: &mut Report, set: &ReplicaSet) {
    let (spec, path) = (&set.spec, Path::new("spec"));
    for (field, value) in [("replicas", spec.replicas), ("minReadySeconds", spec.min_ready_seconds)]
    {
        out.not_negative(&path.child(field), i64::from(value.unwrap_or_default()));
    }
    own_selector(out, &spec.selector, "deployment", &path.child("selector"));
    match &spec.template {
        Some(template) => of_replicas(out, template, &spec.selector, &path.child("template")),
        None => out.required(&path.child("template"), ""),
    }
}
