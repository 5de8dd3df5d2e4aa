//! Jobs.
//!
//! Left out: the rules of pod failure and success policies.

use k8s_openapi::api::batch::v1::{Job, JobSpec};

use super::counts::Counts;
use super::matches_template;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{Validate, meta, pod_spec, selector};

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

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        let status = self.status.clone().unwrap_or_default();
        let mut counts = Counts::new(&mut out, "status");
        counts.not_negative("active", status.active);
        counts.not_negative("succeeded", status.succeeded);
        counts.not_negative("failed", status.failed);
        counts.not_negative("ready", status.ready);
        counts.not_negative("terminating", status.terminating);
        out.errors
    }
}

fn job(out: &mut Report, job: &Job) {
    let none = JobSpec::default();
    let (spec, path) = (job.spec.as_ref().unwrap_or(&none), Path::new("spec"));
    let selector_path = path.child("selector");
    if let Some(own) = &spec.selector {
        selector::label_selector(out, Some(own), &selector_path);
        matches_template(out, &spec.template, own, &path.child("template"));
    } else if spec.manual_selector == Some(true) {
        out.required(&selector_path, "");
    }
    job_spec(out, spec, &path);
}

/// The spec of a job, or of the jobs of a cron job.
pub(super) fn job_spec(out: &mut Report, spec: &JobSpec, path: &Path) {
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
