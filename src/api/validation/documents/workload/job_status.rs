//! The status of jobs: what it may say at once, and what it may become.
//!
//! Mirrors: `pkg/apis/batch/validation` `validateJobStatus`, `ValidateJobStatusUpdate`, and of
//! `pkg/registry/batch/job/strategy.go` `getStatusValidationOptions`: what a rule is about must have
//! changed, so that a job that was wrong before can still be written. Whether the lists of indexes can be
//! read is not checked.

use super::counts::Counts;
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::validation::report::{Report, Seen};

const COUNTS: [&str; 5] = ["active", "succeeded", "failed", "ready", "terminating"];

pub(super) fn check(out: &mut Report, new: &Document, old: &Document) {
    Counts::of(out, new, &COUNTS);
    uncounted(out, new.at("status").at("uncountedTerminatedPods"));
    let check = Check { spec: new.at("spec"), new: new.at("status"), old: old.at("status") };
    check.conditions(out);
    check.end(out);
    check.indexes(out);
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

    fn has_ended_or_come_back(&self) -> bool {
        is_finished(self.new) != is_finished(self.old)
    }

    /// Conditions that contradict each other, or lack the one that comes before.
    fn conditions(&self, out: &mut Report) {
        let is = |kind: &str| is(self.new, kind);
        let turned = |kinds: [&str; 2]| kinds.into_iter().any(|kind| self.turned(kind));
        let (complete, failed) = (is("Complete"), is("Failed"));
        let (met, failing) = (is("SuccessCriteriaMet"), is("FailureTarget"));
        for (wrong, words) in [
            (
                complete && failed && turned(["Complete", "Failed"]),
                "cannot set Complete=True and Failed=true conditions",
            ),
            (
                complete && failing && turned(["Complete", "FailureTarget"]),
                "cannot set Complete=True and FailureTarget=true conditions",
            ),
            (
                failed && !failing && turned(["Failed", "FailureTarget"]),
                "cannot set Failed=True condition without the FailureTarget=true condition",
            ),
            (
                complete && !met && turned(["Complete", "SuccessCriteriaMet"]),
                "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
            ),
            (met && failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
            (
                met && failing,
                "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
            ),
            (
                self.spec.at("successPolicy").is_there() && !met && complete,
                "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
            ),
        ] {
            if wrong {
                wrong_conditions(out, words);
            }
        }
    }

    /// What a job has at its end, and what it no longer has.
    fn end(&self, out: &mut Report) {
        let (complete, finished) = (is(self.new, "Complete"), is_finished(self.new));
        let (start, end) = (self.new.at("startTime"), self.new.at("completionTime"));
        if self.turned("Complete") || self.changed("completionTime") {
            if end.is_there() && !complete {
                let words = "cannot set completionTime when there is no Complete=True condition";
                out.invalid(&path("completionTime"), end.value().clone(), words);
            }
            if !end.is_there() && complete {
                let words = "completionTime is required for Complete jobs";
                out.required(&path("completionTime"), words);
            }
        }
        let moved = self.changed("startTime") || self.changed("completionTime");
        if moved && start.is_there() && end.is_there() && end.text() < start.text() {
            let words = "completionTime cannot be set before startTime";
            out.invalid(&path("completionTime"), end.value().clone(), words);
        }
        let about =
            |field: &str| finished && (self.has_ended_or_come_back() || self.changed(field));
        for field in ["active", "terminating"] {
            let value = count(self.new, field);
            if about(field) && value > 0 {
                out.invalid(&path(field), value, format!("{field}>0 is invalid for finished job"));
            }
        }
        if about("startTime") && !start.is_there() {
            out.required(&path("startTime"), "startTime is required for finished job");
        }
        let field = "uncountedTerminatedPods";
        let left = self.new.at(field);
        if about(field) && !(left.at("succeeded").is_empty() && left.at("failed").is_empty()) {
            let words = "uncountedTerminatedPods needs to be empty for finished job";
            out.invalid(&path(field), left.value().clone(), words);
        }
    }

    fn indexes(&self, out: &mut Report) {
        let (done, failed) = (self.new.at("completedIndexes"), self.new.at("failedIndexes"));
        let indexed = self.spec.at("completionMode").text() == "Indexed";
        if self.changed("completedIndexes") && !done.text().is_empty() && !indexed {
            let words = "cannot set non-empty completedIndexes when non-indexed completion mode";
            out.invalid(&path("completedIndexes"), done.text(), words);
        }
        let limited = self.spec.at("backoffLimitPerIndex").is_there();
        if self.changed("failedIndexes") && failed.is_there() && !limited {
            let words = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
            out.invalid(&path("failedIndexes"), failed.text(), words);
        }
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
