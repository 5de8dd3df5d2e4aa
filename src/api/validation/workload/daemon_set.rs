//! Daemon sets.

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetUpdateStrategy, RollingUpdateDaemonSet};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::counts::Counts;
use super::{always_restarted, int_or_percent, matches_template, number, own_selector};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::to_json;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{Validate, meta, pod_spec};

impl Validate for DaemonSet {
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
        let path = Path::new("spec").child("selector");
        out.immutable(&path, &self.spec.selector, &old.spec.selector);
        out.errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        let new = self.status.clone().unwrap_or_default();
        let old = old.status.as_ref().and_then(|status| status.collision_count);
        let mut counts = Counts::new(&mut out, "status");
        counts.not_negative("currentNumberScheduled", Some(new.current_number_scheduled));
        counts.not_negative("numberMisscheduled", Some(new.number_misscheduled));
        counts.not_negative("desiredNumberScheduled", Some(new.desired_number_scheduled));
        counts.not_negative("numberReady", Some(new.number_ready));
        counts.not_negative("observedGeneration", new.observed_generation);
        counts.not_negative("updatedNumberScheduled", new.updated_number_scheduled);
        counts.not_negative("numberAvailable", new.number_available);
        counts.not_negative("numberUnavailable", new.number_unavailable);
        counts.not_negative("collisionCount", new.collision_count);
        counts.not_decremented("collisionCount", new.collision_count, old);
        out.errors
    }
}

fn check(out: &mut Report, set: &DaemonSet) {
    let (spec, path) = (&set.spec, Path::new("spec"));
    own_selector(out, &spec.selector, "daemonset", &path.child("selector"));
    let template = path.child("template");
    matches_template(out, &spec.template, &spec.selector, &template);
    pod_spec::template(out, &spec.template, &template);
    always_restarted(out, &spec.template, "DaemonSet", &template);
    let ready = spec.min_ready_seconds.unwrap_or_default();
    out.not_negative(&path.child("minReadySeconds"), i64::from(ready));
    let none = DaemonSetUpdateStrategy::default();
    let strategy = spec.update_strategy.as_ref().unwrap_or(&none);
    update_strategy(out, strategy, &path.child("updateStrategy"));
    let history = spec.revision_history_limit.unwrap_or_default();
    out.not_negative(&path.child("revisionHistoryLimit"), i64::from(history));
}

fn update_strategy(out: &mut Report, strategy: &DaemonSetUpdateStrategy, path: &Path) {
    let update_path = path.child("rollingUpdate");
    match (text(&strategy.type_), &strategy.rolling_update) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => out.required(&update_path, ""),
        ("RollingUpdate", Some(update)) => rolling_update(out, update, &update_path),
        (_, _) => {
            let value = to_json(strategy);
            let supported = ["OnDelete", "RollingUpdate"];
            out.errors.push(FieldError::not_supported(path, value, &supported));
        }
    }
}

/// Either an old Pod goes first or a new one comes first, never both.
fn rolling_update(out: &mut Report, update: &RollingUpdateDaemonSet, path: &Path) {
    let none = IntOrString::default();
    let unavailable = update.max_unavailable.as_ref().unwrap_or(&none);
    let surge = update.max_surge.as_ref().unwrap_or(&none);
    let (unavailable_path, surge_path) = (path.child("maxUnavailable"), path.child("maxSurge"));
    let both = [(unavailable, &unavailable_path), (surge, &surge_path)];
    for (value, path) in both {
        int_or_percent(out, value, path);
    }
    for (value, path) in both {
        if matches!(value, IntOrString::String(_)) && number(value) > 100 {
            out.invalid_object(path, value, "must not be greater than 100%");
        }
    }
    match (number(unavailable) != 0, number(surge) != 0) {
        (true, true) => {
            let words = "may not be set when maxUnavailable is non-zero";
            out.invalid_object(&surge_path, surge, words);
        }
        (false, false) => out.required(&unavailable_path, "cannot be 0 when maxSurge is 0"),
        (true, false) | (false, true) => {}
    }
}
