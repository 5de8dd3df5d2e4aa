//! Deployments, replica sets, stateful sets, daemon sets, jobs and what they share.
//!
//! Mirrors: `pkg/apis/{apps,batch,core}/validation/validation.go`.

mod counts;
mod cron_job;
mod daemon_set;
mod deployment;
mod indexes;
mod job;
mod job_status;
mod replica_set;
mod smaller;
mod stateful_set;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::{PLAIN, Rules};
use crate::api::decode::decode;
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::labels::Selector;
use crate::api::names;
use crate::api::validation::report::{Report, text};
use crate::api::validation::{pod_spec, selector};
use crate::api::wire::PodTemplateSpec;

pub(super) use cron_job::RULES as CRON_JOB;
pub(super) use daemon_set::RULES as DAEMON_SET;
pub(super) use deployment::RULES as DEPLOYMENT;
pub(super) use job::RULES as JOB;
pub(super) use replica_set::{REPLICA_SET, REPLICATION_CONTROLLER};
pub(super) use smaller::{CONTROLLER_REVISION, POD_TEMPLATE};
pub(super) use stateful_set::RULES as STATEFUL_SET;

/// The selector that a part is, if it is there; none finds nothing.
fn selector_of(part: Part<'_>) -> Option<LabelSelector> {
    decode(part.value()).ok().map(|decoded| decoded.object).filter(|_| part.is_there())
}

/// The template of Pods that a part is.
fn template_of(part: Part<'_>) -> PodTemplateSpec {
    decode(part.value()).map(|decoded| decoded.object).unwrap_or_default()
}

/// Checks that a field of the spec is as it was.
fn same(out: &mut Report, field: &'static str, new: Part<'_>, old: Part<'_>) {
    out.immutable(&Path::new("spec").child(field), new.at(field).value(), old.at(field).value());
}

/// Checks that none of these fields of a part is below zero.
pub(super) fn not_negative(out: &mut Report, part: Part<'_>, fields: &[&'static str], path: &Path) {
    for field in fields {
        out.not_negative(&path.child(*field), part.at(field).number().unwrap_or_default());
    }
}

/// The selector of an object of `kind`, which must not be empty.
fn own_selector(out: &mut Report, part: Part<'_>, kind: &str, path: &Path) {
    let Some(own) = selector_of(part) else {
        out.required(path, "");
        return;
    };
    selector::label_selector(out, Some(&own), path);
    if part.at("matchLabels").is_empty() && part.at("matchExpressions").is_empty() {
        out.invalid_object(path, &own, &format!("empty selector is invalid for {kind}"));
    }
}

/// A template of Pods that are always restarted.
fn of_replicas(out: &mut Report, part: Part<'_>, selector: Option<&LabelSelector>, path: &Path) {
    template_for(out, part, selector, "ReplicaSet", path);
}

/// A template of Pods that `selector` finds, and that are restarted for ever.
fn template_for(
    out: &mut Report,
    part: Part<'_>,
    selector: Option<&LabelSelector>,
    kind: &str,
    path: &Path,
) {
    let template = template_of(part);
    matches_template(out, part, selector, path);
    pod_spec::template(out, &template, path);
    always_restarted(out, &template, kind, path);
}

/// The Pods of `kind` are restarted for ever.
fn always_restarted(out: &mut Report, template: &PodTemplateSpec, kind: &str, path: &Path) {
    let spec = template.spec.as_ref();
    let path = path.child("spec");
    let policy = spec.map_or("", |spec| text(&spec.restart_policy));
    out.supported_at(&path, "restartPolicy", policy, &["Always"]);
    if spec.is_some_and(|spec| spec.active_deadline_seconds.is_some()) {
        let words = format!("activeDeadlineSeconds in {kind} is not Supported");
        out.forbidden_at(&path, "activeDeadlineSeconds", words);
    }
}

fn matches_template(
    out: &mut Report,
    part: Part<'_>,
    selector: Option<&LabelSelector>,
    path: &Path,
) {
    let template = template_of(part);
    let labels = template.metadata.as_ref().and_then(|metadata| metadata.labels.as_deref());
    let matches = Selector::from_object(selector)
        .is_ok_and(|selector| selector.is_everything() || selector.matches(labels));
    if !matches {
        let path = path.child("metadata").child("labels");
        let words = "`selector` does not match template `labels`";
        match labels {
            Some(labels) => out.invalid_object(&path, &labels, words),
            None => out.invalid_nil(&path, words),
        }
    }
}

/// A number, or a share; nothing is none of them.
pub(super) fn int_or_percent(out: &mut Report, part: Part<'_>, path: &Path) {
    match part.value().as_str() {
        Some(text) => out.words(path, text, names::percent),
        None => out.not_negative(path, part.number().unwrap_or_default()),
    }
}

/// How many, or how many of a hundred.
fn number(part: Part<'_>) -> i64 {
    let percent = part.text().strip_suffix('%').and_then(|digits| digits.parse().ok());
    part.number().or(percent).unwrap_or_default()
}

/// The value as an error shows it; nothing is zero.
fn shown(part: Part<'_>) -> Value {
    if part.is_there() { part.value().clone() } else { 0.into() }
}

pub(super) fn is_over_100(part: Part<'_>) -> bool {
    part.value().is_string() && number(part) > 100
}
