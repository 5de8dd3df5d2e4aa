//! Jobs.
//!
//! Left out: the rules of pod failure and success policies.

use super::counts::Counts;
use super::{PLAIN, Rules, matches_template, not_negative, same, selector_of, template_of};
use crate::api::document::{Document, Part};
use crate::api::field::Path;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{pod_spec, selector};

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
    if spec.at("selector").is_there() {
        let own = selector_of(spec.at("selector"));
        selector::label_selector(out, Some(&own), &selector_path);
        matches_template(out, spec.at("template"), &own, &path.child("template"));
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
        if mode.text() == "Indexed" && !spec.at("completions").is_there() {
            let words = "when completion mode is Indexed";
            out.required(&path.child("completions"), words);
        }
    }
    let replaced = spec.at("podReplacementPolicy");
    if replaced.is_there() {
        let policies = ["Failed", "TerminatingOrFailed"];
        out.supported(&path.child("podReplacementPolicy"), replaced.text(), &policies);
    }
    let (template, template_path) = (template_of(spec.at("template")), path.child("template"));
    pod_spec::template(out, &template, &template_path);
    let policy = template.spec.as_ref().map_or("", |pod| text(&pod.restart_policy));
    let policy_path = template_path.child("spec").child("restartPolicy");
    match policy {
        // Always may be but the default, so that it was not chosen.
        "" | "Always" => out.required(&policy_path, "valid values: \"OnFailure\", \"Never\""),
        policy => out.supported(&policy_path, policy, &["OnFailure", "Never"]),
    }
    if spec.at("podFailurePolicy").is_there() && policy != "Never" {
        let words = "only \"Never\" is supported when podFailurePolicy is specified";
        out.invalid(&policy_path, policy, words);
    }
}
