//! Deployments, replica sets, stateful sets, daemon sets, jobs and what they share.

mod counts;
mod cron_job;
mod daemon_set;
mod deployment;
mod job;
mod replica_set;
mod replication_controller;
mod revision;
mod stateful_set;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::report::{Report, text};
use super::{pod_spec, selector};
use crate::api::field::Path;
use crate::api::labels::Selector;
use crate::api::names;

pub(super) fn own_selector(out: &mut Report, own: &LabelSelector, kind: &str, path: &Path) {
    selector::label_selector(out, Some(own), path);
    let none = own.match_labels.as_ref().is_none_or(std::collections::BTreeMap::is_empty)
        && own.match_expressions.as_ref().is_none_or(Vec::is_empty);
    if none {
        let words = format!("empty selector is invalid for {kind}");
        out.invalid_object(path, own, &words);
    }
}

/// A template of Pods that are always restarted.
pub(super) fn of_replicas(
    out: &mut Report,
    template: &PodTemplateSpec,
    selector: &LabelSelector,
    path: &Path,
) {
    matches_template(out, template, selector, path);
    pod_spec::template(out, template, path);
    always_restarted(out, template, "ReplicaSet", path);
}

/// The Pods of `kind` are restarted for ever.
pub(super) fn always_restarted(
    out: &mut Report,
    template: &PodTemplateSpec,
    kind: &str,
    path: &Path,
) {
    let spec = template.spec.as_ref();
    let path = path.child("spec");
    let policy = spec.map_or("", |spec| text(&spec.restart_policy));
    out.supported(&path.child("restartPolicy"), policy, &["Always"]);
    if spec.is_some_and(|spec| spec.active_deadline_seconds.is_some()) {
        let words = format!("activeDeadlineSeconds in {kind} is not Supported");
        out.forbidden(&path.child("activeDeadlineSeconds"), words);
    }
}

pub(super) fn matches_template(
    out: &mut Report,
    template: &PodTemplateSpec,
    selector: &LabelSelector,
    path: &Path,
) {
    let labels = template.metadata.as_ref().and_then(|metadata| metadata.labels.as_ref());
    let matches = Selector::from_object(Some(selector))
        .is_ok_and(|selector| selector.is_everything() || selector.matches(labels));
    if !matches {
        let path = path.child("metadata").child("labels");
        let words = "`selector` does not match template `labels`";
        out.invalid_object(&path, &labels, words);
    }
}

pub(super) fn int_or_percent(out: &mut Report, value: &IntOrString, path: &Path) {
    match value {
        IntOrString::Int(number) => out.not_negative(path, i64::from(*number)),
        IntOrString::String(text) => out.words(path, text, names::percent(text)),
    }
}

pub(super) fn number(value: &IntOrString) -> i64 {
    match value {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(text) => {
            text.strip_suffix('%').and_then(|digits| digits.parse().ok()).unwrap_or_default()
        }
    }
}
