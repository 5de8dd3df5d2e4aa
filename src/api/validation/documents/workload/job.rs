//! Jobs.

use serde_json::Value;

use super::indexes::indexes_in;
use super::{
    PLAIN, Rules, job_status, matches_template, not_negative, same, selector_of, template_of,
};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{IMMUTABLE, pod_spec, selector};

/// How many Pods with an index may run at once.
const INDEXES_MAX: i64 = 100_000;
const RULES_MAX: usize = 20;
const CODES_MAX: usize = 255;
const INDEXES_TEXT_MAX: usize = 64 << 10;
/// With more completions than this, less may fail and run at once.
const MANY_COMPLETIONS: i64 = 100_000;
const OF_MANY_MAX: i64 = 10_000;
const MANAGER_MAX: usize = 63;
/// What of the template may still change before the job has ever started.
const SCHEDULING: [&str; 6] = [
    "/spec/affinity/nodeAffinity",
    "/spec/nodeSelector",
    "/spec/tolerations",
    "/spec/schedulingGates",
    "/metadata/annotations",
    "/metadata/labels",
];
const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

pub(in super::super) const RULES: Rules =
    Rules { check, change, status: job_status::check, ..PLAIN };

fn change(out: &mut Report, new: &Document, old: &Document) {
    let has_started = old.at("status").at("startTime").is_there();
    let (new, old) = (new.at("spec"), old.at("spec"));
    let path = Path::new("spec");
    let completions = new.at("completions");
    if new.at("completionMode").text() != "Indexed" {
        same(out, "completions", new, old);
    } else if completions.is_there()
        && completions.value() != old.at("completions").value()
        && completions.value() != new.at("parallelism").value()
    {
        let words = "can only be modified in tandem with spec.parallelism";
        out.invalid_at(&path, "completions", completions.value().clone(), words);
    }
    same(out, "selector", new, old);
    let waits = old.at("suspend").is_true() && !has_started;
    let fixed = |spec: Part<'_>| {
        let mut template = spec.at("template").value().clone();
        if waits {
            for pointer in SCHEDULING {
                take(&mut template, pointer);
            }
        }
        template
    };
    if fixed(new) != fixed(old) {
        out.invalid_at(&path, "template", new.at("template").value().clone(), IMMUTABLE);
    }
    same(out, "completionMode", new, old);
    for field in ["podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        same(out, field, new, old);
    }
}

/// Takes what is at a pointer out of a value, and what has nothing else in it.
fn take(value: &mut Value, pointer: &str) {
    let Some((parent, field)) = pointer.rsplit_once('/') else { return };
    let Some(Value::Object(fields)) = value.pointer_mut(parent) else { return };
    fields.remove(field);
    if fields.is_empty() {
        take(value, parent);
    }
}

fn check(out: &mut Report, job: &Document, old: Option<&Document>) {
    let (spec, path) = (job.at("spec"), Path::new("spec"));
    job_spec(out, spec, &path);
    let selector_path = path.child("selector");
    if let Some(own) = selector_of(spec.at("selector")) {
        selector::label_selector(out, Some(&own), &selector_path);
        matches_template(out, spec.at("template"), Some(&own), &path.child("template"));
    } else if spec.at("manualSelector").is_true() {
        out.required(&selector_path, "");
    }
    let completions = spec.at("completions").number().filter(|completions| *completions > 0);
    if old.is_none()
        && spec.at("completionMode").text() == "Indexed"
        && let Some(completions) = completions
    {
        // The last of its Pods has the longest name, which is that of a host.
        let name = text(&job.metadata.name);
        let last = format!("{name}-{}", completions - 1);
        if !names::dns1123_label(&last).is_empty() {
            let words = format!("will not able to create pod with invalid DNS label: {last}");
            out.invalid(&Path::new("metadata").child("name"), name, words);
        }
    }
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
    if spec.at("maxFailedIndexes").is_there() && !spec.at("backoffLimitPerIndex").is_there() {
        out.required_at(path, "backoffLimitPerIndex", "when maxFailedIndexes is specified");
    }
    let manager = spec.at("managedBy");
    if manager.is_there() {
        let (path, manager) = (path.child("managedBy"), manager.text());
        out.errors.extend(names::domain_prefixed_path(&path, manager));
        if manager.len() > MANAGER_MAX {
            out.errors.push(FieldError::too_long(&path, MANAGER_MAX));
        }
    }
    let mode = spec.at("completionMode");
    if mode.is_there() {
        out.supported_at(path, "completionMode", mode.text(), &["NonIndexed", "Indexed"]);
    }
    indexed(out, spec, path);
    let (replaced, failure) = (spec.at("podReplacementPolicy"), spec.at("podFailurePolicy"));
    let rules = path.child("podFailurePolicy").child("rules");
    if failure.at("rules").len() > RULES_MAX {
        let error = FieldError::too_many(&rules, failure.at("rules").len(), RULES_MAX);
        out.errors.push(error);
    }
    for (index, rule) in failure.at("rules").items().enumerate() {
        failure_rule(out, spec, rule, &rules.index(index));
    }
    success_policy(out, spec, &path.child("successPolicy"));
    if replaced.is_there() {
        let policies: &[_] =
            if failure.is_there() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        out.supported_at(path, "podReplacementPolicy", replaced.text(), policies);
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
            out.required_at(path, "completions", "when completion mode is Indexed");
        }
        if let Some(parallelism) = number("parallelism").filter(|it| *it > INDEXES_MAX) {
            let words = format!(
                "must be less than or equal to {INDEXES_MAX} when completion mode is Indexed"
            );
            out.invalid_at(path, "parallelism", parallelism, words);
        }
        if let (Some(failed), Some(completions)) = (failed, completions)
            && failed > completions
        {
            let words = "must be less than or equal to completions";
            out.invalid_at(path, "maxFailedIndexes", failed, words);
        }
        if let Some(failed) = failed.filter(|failed| *failed > INDEXES_MAX) {
            let words = format!("must be less than or equal to {INDEXES_MAX}");
            out.invalid_at(path, "maxFailedIndexes", failed, words);
        }
        if completions > Some(MANY_COMPLETIONS) && spec.at("backoffLimitPerIndex").is_there() {
            of_many(out, spec, path);
        }
    } else if ["", "NonIndexed"].contains(&spec.at("completionMode").text()) {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(number) = number(field) {
                out.invalid_at(path, field, number, "requires indexed completion mode");
            }
        }
    }
}

/// With very many completions the status must still have room for what failed.
fn of_many(out: &mut Report, spec: Part<'_>, path: &Path) {
    if !spec.at("maxFailedIndexes").is_there() {
        let words = format!("must be specified when completions is above {MANY_COMPLETIONS}");
        out.required_at(path, "maxFailedIndexes", words);
    }
    for field in ["parallelism", "maxFailedIndexes"] {
        let number = spec.at(field).number();
        if let Some(number) = number.filter(|number| *number > OF_MANY_MAX) {
            let words = format!(
                "must be less than or equal to {OF_MANY_MAX} when completions are above \
                 {MANY_COMPLETIONS} and used with backoff limit per index"
            );
            out.invalid_at(path, field, number, words);
        }
    }
}

/// When a job has succeeded before all of its Pods have.
fn success_policy(out: &mut Report, spec: Part<'_>, path: &Path) {
    let policy = spec.at("successPolicy");
    if !policy.is_there() {
        return;
    }
    if spec.at("completionMode").text() != "Indexed" {
        out.invalid(path, policy.value().clone(), "requires indexed completion mode");
        return;
    }
    let (rules, path) = (policy.at("rules"), path.child("rules"));
    if rules.is_empty() {
        let words = "at least one rules must be specified when the successPolicy is specified";
        out.required(&path, words);
    }
    if rules.len() > RULES_MAX {
        out.errors.push(FieldError::too_many(&path, rules.len(), RULES_MAX));
    }
    // That there are none is told before.
    let completions = spec.at("completions").number().unwrap_or(i64::MAX);
    for (index, rule) in rules.items().enumerate() {
        success_rule(out, rule, completions, &path.index(index));
    }
}

fn success_rule(out: &mut Report, rule: Part<'_>, completions: i64, path: &Path) {
    let (indexes, count) = (rule.at("succeededIndexes"), rule.at("succeededCount").number());
    if !indexes.is_there() && count.is_none() {
        let words = "at least one of succeededCount or succeededIndexes must be specified";
        out.required(path, words);
    }
    let mut listed = 0;
    if indexes.is_there() {
        let path = path.child("succeededIndexes");
        if indexes.text().len() > INDEXES_TEXT_MAX {
            out.errors.push(FieldError::too_long(&path, INDEXES_TEXT_MAX));
        }
        match indexes_in(indexes.text(), completions) {
            Ok(total) => listed = total,
            Err(why) => {
                let words = format!("error parsing succeededIndexes: {why}");
                out.invalid(&path, indexes.text(), words);
            }
        }
    }
    let Some(count) = count else { return };
    let path = path.child("succeededCount");
    out.not_negative(&path, count);
    for (most, what, is_known) in [
        (completions, "the number of specified completions", true),
        (
            listed,
            "the number of indexes in the specified succeededIndexes field",
            indexes.is_there(),
        ),
    ] {
        if is_known && count > most {
            out.invalid(&path, count, format!("must be less than or equal to {most} ({what})"));
        }
    }
}

/// One rule of what a failed Pod means.
fn failure_rule(out: &mut Report, spec: Part<'_>, rule: Part<'_>, path: &Path) {
    one_of(out, rule.at("action").text(), &ACTIONS, &path.child("action"));
    if rule.at("action").text() == "FailIndex" && !spec.at("backoffLimitPerIndex").is_there() {
        let words = "requires the backoffLimitPerIndex to be set";
        out.invalid_at(path, "action", "FailIndex", words);
    }
    let (codes, conditions) = (rule.at("onExitCodes"), rule.at("onPodConditions"));
    if codes.is_there() {
        exit_codes(out, spec, codes, &path.child("onExitCodes"));
    }
    if conditions.len() > RULES_MAX {
        let path = path.child("onPodConditions");
        out.errors.push(FieldError::too_many(&path, conditions.len(), RULES_MAX));
    }
    for (index, pattern) in conditions.items().enumerate() {
        let path = path.child("onPodConditions").index(index);
        let (kind, status) = (pattern.at("type").text(), pattern.at("status").text());
        out.words_at(&path, "type", kind, names::label_key);
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
        out.invalid_at(path, "containerName", container.text(), words);
    }
    let (values, path) = (codes.at("values"), path.child("values"));
    let numbers: Vec<i64> = values.items().filter_map(Part::number).collect();
    if !values.is_there() {
        out.invalid_nil(&path, "at least one value is required");
    } else if numbers.is_empty() {
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
