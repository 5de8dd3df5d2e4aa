//! Stateful sets.

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};

use super::counts::Counts;
use super::{always_restarted, matches_template, own_selector};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{Validate, meta, pod_spec};

impl Validate for StatefulSet {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_label);
        check(&mut out, &self.spec);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        check(&mut out, &self.spec);
        if fixed(&self.spec) != fixed(&old.spec) {
            out.forbidden(
                &Path::new("spec"),
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', \
                 'template', 'updateStrategy', 'revisionHistoryLimit', \
                 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
            );
        }
        out.errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        let new = self.status.clone().unwrap_or_default();
        let before = old.status.as_ref().and_then(|status| status.collision_count);
        let mut counts = Counts::new(&mut out, "status");
        let replicas = counts.not_negative("replicas", Some(new.replicas));
        let ready = counts.not_negative("readyReplicas", new.ready_replicas);
        let current = counts.not_negative("currentReplicas", new.current_replicas);
        let updated = counts.not_negative("updatedReplicas", new.updated_replicas);
        let available = counts.not_negative("availableReplicas", new.available_replicas);
        counts.not_negative("observedGeneration", new.observed_generation);
        counts.not_negative("collisionCount", new.collision_count);
        counts.at_most("readyReplicas", ready, replicas, "status.replicas");
        counts.at_most("currentReplicas", current, replicas, "status.replicas");
        counts.at_most("updatedReplicas", updated, replicas, "status.replicas");
        counts.at_most("availableReplicas", available, replicas, "status.replicas");
        counts.at_most("availableReplicas", available, ready, "status.readyReplicas");
        counts.not_decremented("collisionCount", new.collision_count, before);
        meta::update(&mut out, &self.metadata, &old.metadata);
        out.errors
    }
}

/// What of the spec may never change.
fn fixed(spec: &StatefulSetSpec) -> impl PartialEq + '_ {
    (&spec.pod_management_policy, &spec.selector, &spec.service_name, &spec.volume_claim_templates)
}

fn check(out: &mut Report, spec: &StatefulSetSpec) {
    let path = &Path::new("spec");
    let policy_path = path.child("podManagementPolicy");
    match text(&spec.pod_management_policy) {
        "" => out.required(&policy_path, ""),
        "OrderedReady" | "Parallel" => {}
        policy => out.invalid(&policy_path, policy, "must be 'OrderedReady' or 'Parallel'"),
    }
    update_strategy(out, spec, &path.child("updateStrategy"));
    retention(out, spec, &path.child("persistentVolumeClaimRetentionPolicy"));
    let start = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start);
    for (path, value) in [
        (path.child("replicas"), spec.replicas),
        (path.child("minReadySeconds"), spec.min_ready_seconds),
        (path.child("ordinals").child("start"), start),
    ] {
        out.not_negative(&path, i64::from(value.unwrap_or_default()));
    }
    let service = text(&spec.service_name);
    if !service.is_empty() {
        out.words(&path.child("serviceName"), service, names::dns1123_label(service));
    }
    own_selector(out, &spec.selector, "statefulset", &path.child("selector"));
    let template = path.child("template");
    matches_template(out, &spec.template, &spec.selector, &template);
    pod_spec::template(out, &spec.template, &template);
    always_restarted(out, &spec.template, "StatefulSet", &template);
}

fn update_strategy(out: &mut Report, spec: &StatefulSetSpec, path: &Path) {
    let strategy = spec.update_strategy.as_ref();
    let update = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    match strategy.map_or("", |strategy| text(&strategy.type_)) {
        "" => out.required(path, ""),
        "OnDelete" => {
            if let Some(update) = update {
                let words = "only allowed for updateStrategy 'RollingUpdate'";
                out.invalid_object(&path.child("rollingUpdate"), update, words);
            }
        }
        "RollingUpdate" => {
            let partition = update.and_then(|update| update.partition).unwrap_or_default();
            let path = path.child("rollingUpdate").child("partition");
            out.not_negative(&path, i64::from(partition));
        }
        _ => out.invalid_object(path, &strategy, "must be 'RollingUpdate' or 'OnDelete'"),
    }
}

fn retention(out: &mut Report, spec: &StatefulSetSpec, path: &Path) {
    let Some(policy) = &spec.persistent_volume_claim_retention_policy else { return };
    for (field, value) in
        [("whenDeleted", &policy.when_deleted), ("whenScaled", &policy.when_scaled)]
    {
        out.supported(&path.child(field), text(value), &["Delete", "Retain"]);
    }
}
