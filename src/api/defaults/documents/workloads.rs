//! The defaults of the kinds with templates of Pods.
//!
//! Mirrors: `pkg/apis/{apps,batch,core}/v1/defaults.go`.

use serde_json::{Value, json};

use super::{Fields, default_to, found, part, structs};
use crate::api::ObjectMeta;
use crate::api::decode::decode;
use crate::api::defaults::Defaults;
use crate::api::document::Part;
use crate::api::to_json;
use crate::api::wire::PodTemplateSpec;

const ROLLING_UPDATE: &str = "RollingUpdate";

/// Fills in what a template of Pods, which is made if it is not there, leaves open.
fn template(fields: &mut Fields, name: &str) {
    let template = fields.entry(name).or_insert_with(|| json!({}));
    if let Ok(decoded) = decode::<PodTemplateSpec>(template) {
        let mut object = decoded.object;
        object.set_defaults();
        *template = to_json(&object);
    }
}

/// A status, in which these numbers are always there.
fn status(fields: &mut Fields, numbers: &[&str]) {
    if let Some(status) = part(fields, "status") {
        for number in numbers {
            status.entry(*number).or_insert_with(|| 0.into());
        }
    }
}

/// How Pods are replaced; `how` tells it of a rolling update.
fn strategy(spec: &mut Fields, name: &str, how: [(&str, Value); 2]) {
    let Some(strategy) = part(spec, name) else { return };
    default_to(strategy, "type", ROLLING_UPDATE);
    if Part::of(strategy.get("type")).text() != ROLLING_UPDATE {
        return;
    }
    if let Some(update) = part(strategy, "rollingUpdate") {
        for (field, value) in how {
            update.entry(field).or_insert(value);
        }
    }
}

pub(super) fn deployment(fields: &mut Fields) {
    status(fields, &[]);
    let Some(spec) = part(fields, "spec") else { return };
    default_to(spec, "replicas", 1);
    let quarter = || Value::from("25%");
    strategy(spec, "strategy", [("maxUnavailable", quarter()), ("maxSurge", quarter())]);
    default_to(spec, "revisionHistoryLimit", 10);
    default_to(spec, "progressDeadlineSeconds", 600);
    template(spec, "template");
}

pub(super) fn replica_set(fields: &mut Fields) {
    status(fields, &["replicas"]);
    let Some(spec) = part(fields, "spec") else { return };
    default_to(spec, "replicas", 1);
    template(spec, "template");
}

pub(super) fn daemon_set(fields: &mut Fields) {
    let numbers =
        ["currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"];
    status(fields, &numbers);
    let Some(spec) = part(fields, "spec") else { return };
    strategy(spec, "updateStrategy", [("maxUnavailable", 1.into()), ("maxSurge", 0.into())]);
    default_to(spec, "revisionHistoryLimit", 10);
    template(spec, "template");
}

pub(super) fn stateful_set(fields: &mut Fields) {
    status(fields, &["replicas", "availableReplicas"]);
    let Some(spec) = part(fields, "spec") else { return };
    default_to(spec, "podManagementPolicy", "OrderedReady");
    if let Some(strategy) = part(spec, "updateStrategy") {
        if Part::of(strategy.get("type")).text().is_empty() {
            strategy.insert("type".to_owned(), ROLLING_UPDATE.into());
            part(strategy, "rollingUpdate");
        }
        let rolling = Part::of(strategy.get("type")).text() == ROLLING_UPDATE;
        let update = strategy.get_mut("rollingUpdate").filter(|_| rolling);
        if let Some(update) = update.and_then(Value::as_object_mut) {
            update.entry("partition").or_insert_with(|| 0.into());
        }
    }
    if let Some(claims) = part(spec, "persistentVolumeClaimRetentionPolicy") {
        default_to(claims, "whenDeleted", "Retain");
        default_to(claims, "whenScaled", "Retain");
    }
    default_to(spec, "replicas", 1);
    default_to(spec, "revisionHistoryLimit", 10);
    template(spec, "template");
    for claim in structs(spec, "volumeClaimTemplates") {
        claim.insert("apiVersion".to_owned(), "v1".into());
        claim.insert("kind".to_owned(), "PersistentVolumeClaim".into());
        super::persistent_volume_claim(claim);
    }
}

pub(super) fn job(fields: &mut Fields) {
    status(fields, &[]);
    let Some(spec) = part(fields, "spec") else { return };
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        spec.insert("completions".to_owned(), 1.into());
    }
    default_to(spec, "parallelism", 1);
    let per_index = spec.contains_key("backoffLimitPerIndex");
    default_to(spec, "backoffLimit", if per_index { i32::MAX } else { 6 });
    default_to(spec, "completionMode", "NonIndexed");
    default_to(spec, "suspend", false);
    let replaced = if failure_policy(spec) { "Failed" } else { "TerminatingOrFailed" };
    default_to(spec, "podReplacementPolicy", replaced);
    template(spec, "template");
}

/// Completes the policy of failures; whether there is one.
fn failure_policy(spec: &mut Fields) -> bool {
    let Some(policy) = found(spec, "podFailurePolicy") else { return false };
    for rule in structs(policy, "rules") {
        structs(rule, "onPodConditions").for_each(|pattern| default_to(pattern, "status", "True"));
    }
    true
}

pub(super) fn cron_job(fields: &mut Fields) {
    status(fields, &[]);
    let Some(spec) = part(fields, "spec") else { return };
    default_to(spec, "concurrencyPolicy", "Allow");
    default_to(spec, "suspend", false);
    default_to(spec, "successfulJobsHistoryLimit", 3);
    default_to(spec, "failedJobsHistoryLimit", 1);
    let Some(of_jobs) = part(spec, "jobTemplate") else { return };
    part(of_jobs, "metadata");
    // Of the job itself only its parts: the rest is defaulted when a Job is made of it.
    if let Some(job) = part(of_jobs, "spec") {
        failure_policy(job);
        template(job, "template");
    }
}

pub(super) fn pod_template(fields: &mut Fields) {
    template(fields, "template");
}

/// Without a selector it selects the labels of its template.
pub(super) fn replication_controller(fields: &mut Fields) {
    status(fields, &["replicas"]);
    let Some(spec) = part(fields, "spec") else { return };
    let labels = Part::of(spec.get("template")).at("metadata").at("labels").value().clone();
    if Part::of(spec.get("selector")).is_empty() && !labels.is_null() {
        spec.insert("selector".to_owned(), labels);
    }
    default_to(spec, "replicas", 1);
    if spec.contains_key("template") {
        template(spec, "template");
    }
}

/// Gives an object without labels those of its template.
pub(super) fn labels_of_template(metadata: &mut ObjectMeta, fields: &Fields) {
    if metadata.labels.as_ref().is_none_or(|labels| labels.is_empty()) {
        let template = Part::of(fields.get("spec")).at("template");
        let decoded = decode::<ObjectMeta>(template.at("metadata").value());
        metadata.labels = decoded.ok().and_then(|decoded| decoded.object.labels);
    }
}
