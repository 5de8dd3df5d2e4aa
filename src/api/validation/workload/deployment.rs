//! Deployments.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, DeploymentStrategy};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::counts::Counts;
use super::{int_or_percent, number, of_replicas, own_selector};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::to_json;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{Validate, meta};

impl Validate for Deployment {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        deployment(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        deployment(&mut out, self);
        let path = Path::new("spec").child("selector");
        out.immutable(&path, &self.spec.selector, &old.spec.selector);
        out.errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        let none = DeploymentStatus::default();
        let (new, old) =
            (self.status.as_ref().unwrap_or(&none), old.status.as_ref().unwrap_or(&none));
        let mut counts = Counts::new(&mut out, "status");
        counts.not_negative("observedGeneration", new.observed_generation);
        let replicas = counts.not_negative("replicas", new.replicas);
        let updated = counts.not_negative("updatedReplicas", new.updated_replicas);
        let ready = counts.not_negative("readyReplicas", new.ready_replicas);
        let available = counts.not_negative("availableReplicas", new.available_replicas);
        counts.not_negative("unavailableReplicas", new.unavailable_replicas);
        counts.not_negative("terminatingReplicas", new.terminating_replicas);
        counts.not_negative("collisionCount", new.collision_count);
        counts.at_most("updatedReplicas", updated, replicas, "status.replicas");
        counts.at_most("readyReplicas", ready, replicas, "status.replicas");
        counts.at_most("availableReplicas", available, replicas, "status.replicas");
        counts.at_most("availableReplicas", available, ready, "readyReplicas");
        counts.not_decremented("collisionCount", new.collision_count, old.collision_count);
        out.errors
    }
}

fn deployment(out: &mut Report, deployment: &Deployment) {
    let (spec, path) = (&deployment.spec, Path::new("spec"));
    let replicas = spec.replicas.unwrap_or_default();
    out.not_negative(&path.child("replicas"), i64::from(replicas));
    own_selector(out, &spec.selector, "deployment", &path.child("selector"));
    of_replicas(out, &spec.template, &spec.selector, &path.child("template"));
    let none = DeploymentStrategy::default();
    strategy(out, spec.strategy.as_ref().unwrap_or(&none), &path.child("strategy"));
    let ready = spec.min_ready_seconds.unwrap_or_default();
    for (field, value) in [
        ("minReadySeconds", ready),
        ("revisionHistoryLimit", spec.revision_history_limit.unwrap_or_default()),
        ("progressDeadlineSeconds", spec.progress_deadline_seconds.unwrap_or_default()),
    ] {
        out.not_negative(&path.child(field), i64::from(value));
    }
    if let Some(deadline) = spec.progress_deadline_seconds.filter(|deadline| *deadline <= ready) {
        let path = path.child("progressDeadlineSeconds");
        out.invalid(&path, deadline, "must be greater than minReadySeconds");
    }
}

fn strategy(out: &mut Report, strategy: &DeploymentStrategy, path: &Path) {
    let update_path = path.child("rollingUpdate");
    match (text(&strategy.type_), &strategy.rolling_update) {
        ("Recreate", Some(_)) => {
            let words = "may not be specified when strategy `type` is 'Recreate'";
            out.forbidden(&update_path, words);
        }
        ("Recreate", None) => {}
        ("RollingUpdate", None) => {
            out.required(&update_path, "this should be defaulted and never be nil");
        }
        ("RollingUpdate", Some(update)) => {
            let none = IntOrString::default();
            let unavailable = update.max_unavailable.as_ref().unwrap_or(&none);
            let surge = update.max_surge.as_ref().unwrap_or(&none);
            let path = update_path.child("maxUnavailable");
            int_or_percent(out, unavailable, &path);
            int_or_percent(out, surge, &update_path.child("maxSurge"));
            if number(unavailable) == 0 && number(surge) == 0 {
                out.invalid_object(&path, unavailable, "may not be 0 when `maxSurge` is 0");
            }
            if matches!(unavailable, IntOrString::String(_)) && number(unavailable) > 100 {
                out.invalid_object(&path, unavailable, "must not be greater than 100%");
            }
        }
        (_, _) => {
            let value = to_json(strategy);
            let supported = ["Recreate", "RollingUpdate"];
            out.errors.push(FieldError::not_supported(path, value, &supported));
        }
    }
}
