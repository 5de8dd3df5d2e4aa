//! Cron jobs.
//!
//! Left out: whether a time zone is in the database of zones, which is not here; its name is checked.

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec};

use super::job::job_spec;
use crate::api::cron::Schedule;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{Validate, meta};

/// What is left of a label for the name, once the time of the run is behind it.
const NAME_MAX: usize = 52;
const ZONE_PART_MAX: usize = 14;

impl Validate for CronJob {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        let zone = self.spec.time_zone.as_deref();
        check(&mut out, &self.spec, zone, false);
        let name = text(&self.metadata.name);
        if name.len() > NAME_MAX {
            let path = Path::new("metadata").child("name");
            out.invalid(&path, name, "must be no more than 52 characters");
        }
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        // What was once accepted is not refused now.
        let (new, old) = (&self.spec, &old.spec);
        let zone = new.time_zone.as_deref().filter(|_| new.time_zone != old.time_zone);
        check(&mut out, new, zone, old.schedule.contains("TZ"));
        out.errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        out.errors
    }
}

fn check(out: &mut Report, spec: &CronJobSpec, new_zone: Option<&str>, zone_in_schedule: bool) {
    let path = Path::new("spec");
    schedule(out, spec, zone_in_schedule, &path.child("schedule"));
    let deadline = spec.starting_deadline_seconds.unwrap_or_default();
    out.not_negative(&path.child("startingDeadlineSeconds"), deadline);
    if let Some(zone) = new_zone {
        time_zone(out, zone, &path.child("timeZone"));
    }
    let policies = ["Allow", "Forbid", "Replace"];
    let policy = text(&spec.concurrency_policy);
    out.one_of(&path.child("concurrencyPolicy"), policy, &policies);
    if let Some(job) = &spec.job_template.spec {
        let path = path.child("jobTemplate").child("spec");
        job_spec(out, job, &path);
        if let Some(selector) = &job.selector {
            let words = "`selector` will be auto-generated";
            out.invalid_object(&path.child("selector"), selector, words);
        }
        if job.manual_selector == Some(true) {
            let path = path.child("manualSelector");
            out.errors.push(FieldError::not_supported(&path, true, &["nil", "false"]));
        }
    }
    for (field, limit) in [
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ] {
        out.not_negative(&path.child(field), i64::from(limit.unwrap_or_default()));
    }
}

fn schedule(out: &mut Report, spec: &CronJobSpec, zone_allowed: bool, path: &Path) {
    let schedule = spec.schedule.as_str();
    if schedule.is_empty() {
        out.required(path, "");
        return;
    }
    if let Err(error) = Schedule::parse(schedule) {
        out.invalid(path, schedule, error.to_string());
    }
    if schedule.contains("TZ") {
        if spec.time_zone.is_some() {
            let words = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
            out.invalid(path, schedule, words);
        } else if !zone_allowed {
            let words = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            out.invalid(path, schedule, words);
        }
    }
}

fn time_zone(out: &mut Report, zone: &str, path: &Path) {
    if zone.is_empty() {
        out.invalid(path, zone, "timeZone must be nil or non-empty string");
        return;
    }
    let is_part = |part: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_+".contains(c);
        (1..=ZONE_PART_MAX).contains(&part.len())
            && part.chars().all(fits)
            && !part.starts_with('-')
            && part != "."
            && part != ".."
    };
    if !zone.split('/').all(is_part) {
        out.invalid(path, zone, format!("unknown time zone {zone}"));
    } else if zone.eq_ignore_ascii_case("Local") {
        let words = "timeZone must be an explicit time zone as defined in \
                     https://www.iana.org/time-zones";
        out.invalid(path, zone, words);
    }
}
