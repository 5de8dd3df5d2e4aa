//! Cron jobs.
//!
//! Left out: whether a time zone is in the database of zones, which is not here; its name is checked.

use super::job::job_spec;
use super::{PLAIN, Rules, not_negative};
use crate::api::cron::Schedule;
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::validation::report::{Report, text};

pub(in super::super) const RULES: Rules = Rules {
    check,
    create: |out, new| {
        let name = text(&new.metadata.name);
        if name.len() > NAME_MAX {
            let path = Path::new("metadata").child("name");
            out.invalid(&path, name, "must be no more than 52 characters");
        }
        zones(out, new.at("spec"), Part::of(None));
    },
    change: |out, new, old| zones(out, new.at("spec"), old.at("spec")),
    ..PLAIN
};

/// What is left of a label for the name, once the time of the run is behind it.
const NAME_MAX: usize = 52;
const ZONE_PART_MAX: usize = 14;

fn check(out: &mut Report, job: &Document) {
    let (spec, path) = (job.at("spec"), Path::new("spec"));
    schedule(out, spec.at("schedule").text(), &path.child("schedule"));
    not_negative(out, spec, &["startingDeadlineSeconds"], &path);
    let policies = ["Allow", "Forbid", "Replace"];
    let policy = spec.at("concurrencyPolicy").text();
    out.one_of_at(&path, "concurrencyPolicy", policy, &policies);
    of_jobs(out, spec.at("jobTemplate").at("spec"), &path.child("jobTemplate").child("spec"));
    not_negative(out, spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &path);
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

fn schedule(out: &mut Report, schedule: &str, path: &Path) {
    if schedule.is_empty() {
        out.required(path, "");
    } else if let Err(error) = Schedule::parse(schedule) {
        out.invalid(path, schedule, error.to_string());
    }
}

/// The zone of its times; what was accepted `before` is not refused later.
fn zones(out: &mut Report, spec: Part<'_>, before: Part<'_>) {
    let (schedule, zone) = (spec.at("schedule").text(), spec.at("timeZone"));
    if schedule.contains("TZ") {
        let path = Path::new("spec").child("schedule");
        if !before.at("schedule").text().contains("TZ") {
            let words = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            out.invalid(&path, schedule, words);
        } else if zone.is_there() {
            let words = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
            out.invalid(&path, schedule, words);
        }
    }
    if zone.is_there() && zone.value() != before.at("timeZone").value() {
        time_zone(out, zone.text(), &Path::new("spec").child("timeZone"));
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
