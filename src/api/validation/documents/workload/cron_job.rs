//! Cron jobs.
//!
//! Left out: whether a time zone is in the database of zones, which is not here; its name is checked.

use super::job::job_spec;
use super::{PLAIN, Rules, not_negative};
use crate::api::cron::Schedule;
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::validation::report::{Report, text};

pub(in super::super) const RULES: Rules = Rules { check, ..PLAIN };

/// What is left of a label for the name, once the time of the run is behind it.
const NAME_MAX: usize = 52;
const ZONE_PART_MAX: usize = 14;

fn check(out: &mut Report, job: &Document, old: Option<&Document>) {
    let (spec, path) = (job.at("spec"), Path::new("spec"));
    let before = old.map_or(Part::of(None), |old| old.at("spec"));
    schedule(out, spec, before, &path.child("schedule"));
    not_negative(out, spec, &["startingDeadlineSeconds"], &path);
    // What was accepted before is not refused later.
    let zone = spec.at("timeZone");
    if zone.is_there() && zone.value() != before.at("timeZone").value() {
        time_zone(out, zone.text(), &path.child("timeZone"));
    }
    let policies = ["Allow", "Forbid", "Replace"];
    let policy = spec.at("concurrencyPolicy").text();
    out.one_of_at(&path, "concurrencyPolicy", policy, &policies);
    of_jobs(out, spec.at("jobTemplate").at("spec"), &path.child("jobTemplate").child("spec"));
    not_negative(out, spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &path);
    let name = text(&job.metadata.name);
    if old.is_none() && name.len() > NAME_MAX {
        let path = Path::new("metadata").child("name");
        out.invalid(&path, name, "must be no more than 52 characters");
    }
}

fn of_jobs(out: &mut Report, job: Part<'_>, path: &Path) {
    job_spec(out, job, path);
    let selector = job.at("selector");
    if selector.is_there() {
        let words = "`selector` will be auto-generated";
        out.invalid_at(path, "selector", selector.value().clone(), words);
    }
    if job.at("manualSelector").is_true() {
        let path = path.child("manualSelector");
        out.errors.push(FieldError::not_supported(&path, true, &["nil", "false"]));
    }
}

fn schedule(out: &mut Report, spec: Part<'_>, before: Part<'_>, path: &Path) {
    let schedule = spec.at("schedule").text();
    if schedule.is_empty() {
        out.required(path, "");
        return;
    }
    if let Err(error) = Schedule::parse(schedule) {
        out.invalid(path, schedule, error.to_string());
    }
    if schedule.contains("TZ") {
        if !before.at("schedule").text().contains("TZ") {
            let words = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            out.invalid(path, schedule, words);
        } else if spec.at("timeZone").is_there() {
            let words = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
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
    let is_local = zone.eq_ignore_ascii_case("Local");
    if is_local {
        let words = "timeZone must be an explicit time zone as defined in \
                     https://www.iana.org/time-zones";
        out.invalid(path, zone, words);
    }
    if is_local && zone != "Local" || !zone.split('/').all(is_part) {
        out.invalid(path, zone, format!("unknown time zone {zone}"));
    }
}
