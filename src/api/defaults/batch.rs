//! Jobs and `CronJobs`.

use k8s_openapi::api::batch::v1::{CronJob, Job};

use super::{Defaults, default_to};

impl Defaults for Job {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        if spec.completions.is_none() && spec.parallelism.is_none() {
            spec.completions = Some(1);
        }
        default_to(&mut spec.parallelism, 1);
        let per_index = spec.backoff_limit_per_index.is_some();
        default_to(&mut spec.backoff_limit, if per_index { i32::MAX } else { 6 });
        default_to(&mut spec.completion_mode, "NonIndexed");
        default_to(&mut spec.suspend, false);
        for rule in spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules) {
            for pattern in rule.on_pod_conditions.iter_mut().flatten() {
                default_to(&mut pattern.status, "True");
            }
        }
        let fails_by_policy = spec.pod_failure_policy.is_some();
        let replaced = if fails_by_policy { "Failed" } else { "TerminatingOrFailed" };
        default_to(&mut spec.pod_replacement_policy, replaced);
        spec.template.set_defaults();
        if self.metadata.labels.as_ref().is_none_or(std::collections::BTreeMap::is_empty) {
            let template = spec.template.metadata.as_ref();
            self.metadata.labels = template.and_then(|template| template.labels.clone());
        }
        self.status.get_or_insert_default();
    }
}

impl Defaults for CronJob {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        default_to(&mut spec.concurrency_policy, "Allow");
        default_to(&mut spec.suspend, false);
        default_to(&mut spec.successful_jobs_history_limit, 3);
        default_to(&mut spec.failed_jobs_history_limit, 1);
        spec.job_template.metadata.get_or_insert_default();
        // Of the job itself only the Pods: the rest is defaulted when a Job is made of it.
        spec.job_template.spec.get_or_insert_default().template.set_defaults();
        self.status.get_or_insert_default();
    }
}
