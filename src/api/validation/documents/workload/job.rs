//! Jobs.
//!
//! Left out: the rules of success policies.

use super::counts::Counts;
use super::{PLAIN, Rules, matches_template, not_negative, same, selector_of, template_of};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{pod_spec, selector};

/// How many Pods with an index may run at once.
const INDEXES_MAX: i64 = 100_000;
const RULES_MAX: usize = 20;
const CODES_MAX: usize = 255;
const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

pub(in super::super) const RULES: Rules = Rules {
    check,
    change,
    status: |out, new, _old| {
        Counts::of(out, new, &["active", "succeeded", "failed", "ready", "terminating"]);
    },
    ..PLAIN
};

fn change(out: &mut Report, new: &Document, old: &Document) {
    let (new, old) = (new.at("spec"), old.at("spec"));
    let indexed = new.at("completionMode").text() == "Indexed";
    if !indexed || new.at("completions").value() != new.at("parallelism").value() {
        same(out, "completions", new, old);
    }
    same(out, "selector", new, old);
    if !old.at("suspend").is_true() {
        same(out, "template", new, old);
    }
    same(out, "completionMode", new, old);
    same(out, "podFailurePolicy", new, old);
}

fn check(out: &mut Report, job: &Document) {
    let (spec, path) = (job.at("spec"), Path::new("spec"));
    let selector_path = path.child("selector");
    if let Some(own) = selector_of(spec.at("selector")) {
        selector::label_selector(out, Some(&own), &selector_path);
        matches_template(out, spec.at("template"), Some(&own), &path.child("template"));
    } else if spec.at("manualSelector").is_true() {
        out.required(&selector_path, "");
    }
    job_spec(out, spec, &path);
}

/// The spec of a job, or of the jobs of a cron job.
pub(super) fn job_spec(out: &mut Report, spec: Part<'_>, path: &Path) {
    let numbers = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    not_negative(out, spec, &numbers, path);
    let mode = spec.at("completionMode");
    if mode.is_there() {
        out.supported(&path.child("completionMode"), mode.text(), &["Indexed", "NonIndexed"]);
    }
    indexed(out, spec, path);
    let (replaced, failure) = (spec.at("podReplacementPolicy"), spec.at("podFailurePolicy"));
    if replaced.is_there() {
        let policies: &[_] =
            if failure.is_there() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        out.supported(&path.child("podReplacementPolicy"), replaced.text(), policies);
    }
    let rules = path.child("podFailurePolicy").child("rules");
    if failure.at("rules").len() > RULES_MAX {
        let error = FieldError::too_many(&rules, failure.at("rules").len(), RULES_MAX);
        out.errors.push(error);
    }
    for (index, rule) in failure.at("rules").items().enumerate() {
        failure_rule(out, spec, rule, &rules.index(index));
    }
    let (template, template_path) = (template_of(spec.at("template")), path.child("template"));
    pod_spec::template(out, &template, &template_path);
    let policy = template.spec.as_ref().map_or("", |pod| text(&pod.restart_policy));
    let policy_path = template_path.child("spec").child("restartPolicy");
    match policy {
        // Always may be but the default, so that it was not chosen.
        "" | "Always" => out.required(&policy_path, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if failure.is_there() => {
            let words = "only \"Never\" is supported when podFailurePolicy is specified";
            out.invalid(&policy_path, policy, words);
        }
        policy => out.supported(&policy_path, policy, &["OnFailure", "Never"]),
    }
}

/// What goes only with Pods that have an index, and how many of them there may be.
fn indexed(out: &mut Report, spec: Part<'_>, path: &Path) {
    let number = |field: &str| spec.at(field).number();
    let (completions, failed) = (number("completions"), number("maxFailedIndexes"));
    if spec.at("completionMode").text() == "Indexed" {
        if completions.is_none() {
            out.required(&path.child("completions"), "when completion mode is Indexed");
        }
        if let Some(parallelism) = number("parallelism").filter(|it| *it > INDEXES_MAX) {
            let words = format!(
                "must be less than or equal to {INDEXES_MAX} when completion mode is Indexed"
            );
            out.invalid(&path.child("parallelism"), parallelism, words);
        }
        if let (Some(failed), Some(completions)) = (failed, completions)
            && failed > completions
        {
            let words = "must be less than or equal to completions";
            out.invalid(&path.child("maxFailedIndexes"), failed, words);
        }
    } else {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(number) = number(field) {
                out.invalid(&path.child(field), number, "requires indexed completion mode");
            }
        }
    }
    if failed.is_some() && number("backoffLimitPerIndex").is_none() {
        out.required(&path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
}

/// One rule of what a failed Pod means.
fn failure_rule(out: &mut Report, spec: Part<'_>, rule: Part<'_>, path: &Path) {
    one_of(out, rule.at("action").text(), &ACTIONS, &path.child("action"));
    if rule.at("action").text() == "FailIndex" && !spec.at("backoffLimitPerIndex").is_there() {
        let words = "requires the backoffLimitPerIndex to be set";
        out.invalid(&path.child("action"), "FailIndex", words);
    }
    let (codes, conditions) = (rule.at("onExitCodes"), rule.at("onPodConditions"));
    if codes.is_there() {
        exit_codes(out, spec, codes, &path.child("onExitCodes"));
    }
    for (index, pattern) in conditions.items().enumerate() {
        let path = path.child("onPodConditions").index(index);
        let (kind, status) = (pattern.at("type").text(), pattern.at("status").text());
        out.words(&path.child("type"), kind, names::label_key(kind));
        one_of(out, status, &["False", "True", "Unknown"], &path.child("status"));
    }
    let words = match (codes.is_there(), conditions.is_empty()) {
        (true, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (false, true) => "specifying one of OnExitCodes and OnPodConditions is required",
        (true, true) | (false, false) => return,
    };
    let error = FieldError::invalid(path, "", words);
    out.errors.push(FieldError { bad_value: None, ..error });
}

fn exit_codes(out: &mut Report, spec: Part<'_>, codes: Part<'_>, path: &Path) {
    let operator = codes.at("operator").text();
    one_of(out, operator, &["In", "NotIn"], &path.child("operator"));
    let container = codes.at("containerName");
    let pod = spec.at("template").at("spec");
    let mut all =
        ["containers", "initContainers"].into_iter().flat_map(|list| pod.at(list).items());
    if container.is_there() && !all.any(|own| own.at("name").text() == container.text()) {
        let words = "must be one of the container or initContainer names in the pod template";
        out.invalid(&path.child("containerName"), container.text(), words);
    }
    let (values, path) = (codes.at("values"), path.child("values"));
    let numbers: Vec<i64> = values.items().filter_map(Part::number).collect();
    if numbers.is_empty() {
        out.invalid(&path, numbers.clone(), "at least one value is required");
    } else if numbers.len() > CODES_MAX {
        out.errors.push(FieldError::too_many(&path, numbers.len(), CODES_MAX));
    }
    for (index, number) in numbers.iter().enumerate() {
        let path = path.index(index);
        if operator == "In" && *number == 0 {
            out.invalid(&path, 0, "must not be 0 for the In operator");
        }
        if numbers.iter().take(index).any(|earlier| earlier == number) {
            out.duplicate(&path, *number);
        }
    }
    if !numbers.is_sorted() {
        out.invalid(&path, numbers, "must be ordered");
    }
}

/// As [`Report::one_of`], but an empty value is told what it may be.
fn one_of(out: &mut Report, value: &str, supported: &[&str], path: &Path) {
    if value.is_empty() {
        let quoted: Vec<String> = supported.iter().map(|one| format!("{one:?}")).collect();
        out.required(path, format!("valid values: [{}]", quoted.join(" ")));
    } else {
        out.supported(path, value, supported);
    }
}
