//! Deployments, replica sets and jobs.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStrategy, ReplicaSet};
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::report::{Report, text};
use super::{Validate, meta, pod_spec, selector};
use crate::api::field::{FieldError, Path};
use crate::api::labels::Selector;
use crate::api::names;

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

fn own_selector(out: &mut Report, own: &LabelSelector, kind: &str, path: &Path) {
    selector::label_selector(out, Some(own), path);
    let none = own.match_labels.as_ref().is_none_or(std::collections::BTreeMap::is_empty)
        && own.match_expressions.as_ref().is_none_or(Vec::is_empty);
    if none {
        let words = format!("empty selector is invalid for {kind}");
        out.invalid_object(path, own, &words);
    }
}

/// A template of Pods that are always restarted.
fn of_replicas(
    out: &mut Report,
    template: &PodTemplateSpec,
    selector: &LabelSelector,
    path: &Path,
) {
    matches_template(out, template, selector, path);
    pod_spec::template(out, template, path);
    let spec = template.spec.as_ref();
    let path = path.child("spec");
    let policy = spec.map_or("", |spec| text(&spec.restart_policy));
    out.supported(&path.child("restartPolicy"), policy, &["Always"]);
    if spec.is_some_and(|spec| spec.active_deadline_seconds.is_some()) {
        let words = "activeDeadlineSeconds in ReplicaSet is not Supported";
        out.forbidden(&path.child("activeDeadlineSeconds"), words);
    }
}

fn matches_template(
    out: &mut Report,
    template: &PodTemplateSpec,
    selector: &LabelSelector,
    path: &Path,
) {
    let labels = template.metadata.as_ref().and_then(|metadata| metadata.labels.as_ref());
    let matches = Selector::from_object(Some(selector))
        .is_ok_and(|selector| selector.is_everything() || selector.matches(labels));
    if !matches {
        let path = path.child("metadata").child("labels");
        let words = "`selector` does not match template `labels`";
        out.invalid_object(&path, &labels, words);
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
            let value = serde_json::to_value(strategy).unwrap_or_default();
            let supported = ["Recreate", "RollingUpdate"];
            out.errors.push(FieldError::not_supported(path, value, &supported));
        }
    }
}

fn int_or_percent(out: &mut Report, value: &IntOrString, path: &Path) {
    match value {
        IntOrString::Int(number) => out.not_negative(path, i64::from(*number)),
        IntOrString::String(text) => out.words(path, text, names::percent(text)),
    }
}

fn number(value: &IntOrString) -> i64 {
    match value {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(text) => {
            text.strip_suffix('%').and_then(|digits| digits.parse().ok()).unwrap_or_default()
        }
    }
}

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

impl Validate for Job {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        job(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        job(&mut out, self);
        let path = Path::new("spec");
        let none = JobSpec::default();
        let (new, old) = (self.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
        if new.completion_mode.as_deref() != Some("Indexed") || new.completions != new.parallelism {
            out.immutable(&path.child("completions"), &new.completions, &old.completions);
        }
        out.immutable(&path.child("selector"), &new.selector, &old.selector);
        if old.suspend != Some(true) {
            out.immutable(&path.child("template"), &new.template, &old.template);
        }
        let mode = path.child("completionMode");
        out.immutable(&mode, &new.completion_mode, &old.completion_mode);
        let policy = path.child("podFailurePolicy");
        out.immutable(&policy, &new.pod_failure_policy, &old.pod_failure_policy);
        out.errors
    }
}

fn job(out: &mut Report, job: &Job) {
    let none = JobSpec::default();
    let (spec, path) = (job.spec.as_ref().unwrap_or(&none), Path::new("spec"));
    for (field, value) in [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ] {
        out.not_negative(&path.child(field), value.unwrap_or_default());
    }
    if let Some(mode) = &spec.completion_mode {
        out.supported(&path.child("completionMode"), mode, &["Indexed", "NonIndexed"]);
        if mode == "Indexed" && spec.completions.is_none() {
            let words = "when completion mode is Indexed";
            out.required(&path.child("completions"), words);
        }
    }
    if let Some(policy) = &spec.pod_replacement_policy {
        let policies = ["Failed", "TerminatingOrFailed"];
        out.supported(&path.child("podReplacementPolicy"), policy, &policies);
    }
    let template_path = path.child("template");
    if let Some(own) = &spec.selector {
        selector::label_selector(out, Some(own), &path.child("selector"));
        matches_template(out, &spec.template, own, &template_path);
    } else if spec.manual_selector == Some(true) {
        out.required(&path.child("selector"), "");
    }
    pod_spec::template(out, &spec.template, &template_path);
    let pod = spec.template.spec.as_ref();
    let policy = pod.map_or("", |pod| text(&pod.restart_policy));
    let policy_path = template_path.child("spec").child("restartPolicy");
    match policy {
        // Always may be but the default, so that it was not chosen.
        "" | "Always" => out.required(&policy_path, "valid values: \"OnFailure\", \"Never\""),
        policy => out.supported(&policy_path, policy, &["OnFailure", "Never"]),
    }
    if spec.pod_failure_policy.is_some() && policy != "Never" {
        let words = "only \"Never\" is supported when podFailurePolicy is specified";
        out.invalid(&policy_path, policy, words);
    }
}
