//! The status of jobs: what it may say at once, and what it may become.
//!
//! Mirrors: `pkg/apis/batch/validation` `validateJobStatus`, `ValidateJobStatusUpdate`, and of
//! `pkg/registry/batch/job/strategy.go` `getStatusValidationOptions`: what a rule is about must have
//! changed, so that a job that was wrong before can still be written.

use super::counts::Counts;
use super::indexes::{common_index, indexes_in};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::validation::report::{Report, Seen};

const COUNTS: [&str; 5] = ["active", "succeeded", "failed", "ready", "terminating"];

pub(super) fn check(out: &mut Report, new: &Document, old: &Document) {
    Counts::of(out, new, &COUNTS);
    uncounted(out, new.at("status").at("uncountedTerminatedPods"));
    let check = Check { spec: new.at("spec"), new: new.at("status"), old: old.at("status") };
    check.contradictions(out);
    check.end(out);
    check.lacks(out);
    check.left(out);
    check.indexes(out);
    check.pods(out);
    check.success(out);
    check.steps(out);
}

/// Pods that have ended, each of which is there once.
fn uncounted(out: &mut Report, pods: Part<'_>) {
    let mut seen = Seen::default();
    for field in ["succeeded", "failed"] {
        let path = path("uncountedTerminatedPods").child(field);
        for (index, uid) in pods.at(field).texts().enumerate() {
            if uid.is_empty() {
                out.invalid(&path.index(index), uid, "must not be empty");
            } else if !seen.is_new(uid) {
                out.duplicate(&path.index(index), uid);
            }
        }
    }
}

fn path(field: &'static str) -> Path {
    Path::new("status").child(field)
}

/// Of conditions no value is shown.
fn wrong_conditions(out: &mut Report, words: impl Into<String>) {
    let error = FieldError::invalid(&path("conditions"), "", words);
    out.errors.push(FieldError { bad_value: None, ..error });
}

fn is(status: Part<'_>, kind: &str) -> bool {
    let mut conditions = status.at("conditions").items();
    conditions.any(|it| it.at("type").text() == kind && it.at("status").text() == "True")
}

fn is_finished(status: Part<'_>) -> bool {
    is(status, "Complete") || is(status, "Failed")
}

fn count(status: Part<'_>, field: &str) -> i64 {
    status.at(field).number().unwrap_or_default()
}

struct Check<'a> {
    spec: Part<'a>,
    new: Part<'a>,
    old: Part<'a>,
}

impl Check<'_> {
    fn turned(&self, kind: &str) -> bool {
        is(self.new, kind) != is(self.old, kind)
    }

    fn changed(&self, field: &str) -> bool {
        self.new.at(field).value() != self.old.at(field).value()
    }

    /// What a job cannot be at once.
    fn contradictions(&self, out: &mut Report) {
        let turned = |kind: &str| self.turned("Complete") || self.turned(kind);
        for kind in ["Failed", "FailureTarget"] {
            if is(self.new, "Complete") && is(self.new, kind) && turned(kind) {
                let words = format!("cannot set Complete=True and {kind}=true conditions");
                wrong_conditions(out, words);
            }
        }
    }

    /// A condition without the one that comes before it.
    fn lacks(&self, out: &mut Report) {
        for (kind, before) in [("Failed", "FailureTarget"), ("Complete", "SuccessCriteriaMet")] {
            let lacks = is(self.new, kind) && !is(self.new, before);
            if lacks && (self.turned(kind) || self.turned(before)) {
                wrong_conditions(
                    out,
                    format!("cannot set {kind}=True condition without the {before}=true condition"),
                );
            }
        }
    }

    /// What goes with having succeeded.
    fn success(&self, out: &mut Report) {
        let met = is(self.new, "SuccessCriteriaMet");
        for kind in ["Failed", "FailureTarget"] {
            if met && is(self.new, kind) {
                let words =
                    format!("cannot set SuccessCriteriaMet=True and {kind}=true conditions");
                wrong_conditions(out, words);
            }
        }
        if self.spec.at("successPolicy").is_there() && !met && is(self.new, "Complete") {
            let words = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
            wrong_conditions(out, words);
        }
    }

    /// When a job has completed.
    fn end(&self, out: &mut Report) {
        let complete = is(self.new, "Complete");
        let (start, end) = (self.new.at("startTime"), self.new.at("completionTime"));
        let path = path("completionTime");
        if self.turned("Complete") || self.changed("completionTime") {
            if end.is_there() && !complete {
                let words = "cannot set completionTime when there is no Complete=True condition";
                out.invalid(&path, end.value().clone(), words);
            }
            if !end.is_there() && complete {
                out.required(&path, "completionTime is required for Complete jobs");
            }
        }
        let moved = self.changed("startTime") || self.changed("completionTime");
        if moved && start.is_there() && end.is_there() && end.text() < start.text() {
            let words = "completionTime cannot be set before startTime";
            out.invalid(&path, end.value().clone(), words);
        }
    }

    /// Whether a finished job is to be asked about this field.
    fn at_its_end(&self, field: &str) -> bool {
        let finished = is_finished(self.new);
        finished && (finished != is_finished(self.old) || self.changed(field))
    }

    fn none_left(&self, out: &mut Report, field: &'static str) {
        let value = count(self.new, field);
        if value > 0 && self.at_its_end(field) {
            out.invalid(&path(field), value, format!("{field}>0 is invalid for finished job"));
        }
    }

    /// What a finished job has, and what it no longer has.
    fn left(&self, out: &mut Report) {
        self.none_left(out, "active");
        if self.at_its_end("startTime") && !self.new.at("startTime").is_there() {
            out.required(&path("startTime"), "startTime is required for finished job");
        }
        let field = "uncountedTerminatedPods";
        let left = self.new.at(field);
        let some = !(left.at("succeeded").is_empty() && left.at("failed").is_empty());
        if some && self.at_its_end(field) {
            let words = "uncountedTerminatedPods needs to be empty for finished job";
            out.invalid(&path(field), left.value().clone(), words);
        }
    }

    fn indexes(&self, out: &mut Report) {
        let [done, failed] = ["completedIndexes", "failedIndexes"];
        let (done_changed, failed_changed) = (self.changed(done), self.changed(failed));
        let limited = self.spec.at("backoffLimitPerIndex").is_there();
        let completions = self.spec.at("completions").number();
        for (field, is_read) in [(done, done_changed), (failed, failed_changed && limited)] {
            let list = self.new.at(field).text();
            let read = completions.filter(|_| is_read).map(|most| indexes_in(list, most));
            if let Some(Err(why)) = read {
                out.invalid(&path(field), list, format!("error parsing {field}: {why}"));
            }
        }
        let (done, failed) = (self.new.at(done), self.new.at(failed));
        let indexed = self.spec.at("completionMode").text() == "Indexed";
        if done_changed && !done.text().is_empty() && !indexed {
            let words = "cannot set non-empty completedIndexes when non-indexed completion mode";
            out.invalid(&path("completedIndexes"), done.text(), words);
        }
        let path = path("failedIndexes");
        if failed_changed && failed.is_there() && !limited {
            let words = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
            out.invalid(&path, failed.text(), words);
        }
        let both = completions.filter(|_| done_changed || failed_changed);
        let common = both.and_then(|most| common_index(done.text(), failed.text(), most));
        if let Some(index) = common {
            let words = format!("failedIndexes and completedIndexes overlap at index: {index}");
            out.invalid(&path, failed.text(), words);
        }
    }

    /// How many Pods of one sort there may be.
    fn pods(&self, out: &mut Report) {
        self.none_left(out, "terminating");
        let (ready, active) = (count(self.new, "ready"), count(self.new, "active"));
        if (self.changed("ready") || self.changed("active")) && ready > active {
            out.invalid(&path("ready"), ready, "cannot set more ready pods than active");
        }
    }

    /// What may not be taken back.
    fn steps(&self, out: &mut Report) {
        let lost = |kind: &str| is(self.old, kind) && !is(self.new, kind);
        for kind in ["Failed", "Complete", "FailureTarget"] {
            if lost(kind) {
                wrong_conditions(out, format!("cannot disable the terminal {kind}=True condition"));
            }
        }
        // An indexed job can be made smaller with what has succeeded of it.
        let [completions, parallelism] =
            ["completions", "parallelism"].map(|field| self.spec.at(field).value());
        let shrinks =
            self.spec.at("completionMode").text() == "Indexed" && completions == parallelism;
        for field in ["failed", "succeeded"] {
            let value = count(self.new, field);
            if value < count(self.old, field) && !(field == "succeeded" && shrinks) {
                out.invalid(&path(field), value, format!("cannot decrease the {field} counter"));
            }
        }
        let (now, before) = (self.new.at("completionTime"), self.old.at("completionTime"));
        if now.is_there() && before.is_there() && now.value() != before.value() {
            let words = "completionTime cannot be mutated";
            out.invalid(&path("completionTime"), now.value().clone(), words);
        }
        let suspended = self.spec.at("suspend").is_true();
        if self.old.at("startTime").is_there() && self.changed("startTime") && !suspended {
            let words = "startTime cannot be removed for unsuspended job";
            out.required(&path("startTime"), words);
        }
        if lost("SuccessCriteriaMet") {
            wrong_conditions(out, "cannot disable the SuccessCriteriaMet=True condition");
        }
        if is(self.old, "Complete")
            && self.turned("SuccessCriteriaMet")
            && !lost("SuccessCriteriaMet")
        {
            let words = "cannot set SuccessCriteriaMet=True for Job already has Complete=true \
                         conditions";
            wrong_conditions(out, words);
        }
    }
}
