//! Which objects a quota is about.
//!
//! Mirrors: `podMatchesScopeFunc` of `pkg/quota/v1/evaluator/core/pods.go`.

use k8s_openapi::api::core::v1::PodAffinityTerm;

use crate::api::document::{Document, Part};
use crate::api::{Object, Pod};

/// Whether an object is one of those that a quota is about.
pub(super) fn covers(quota: &Document, object: &Object) -> bool {
    let spec = quota.at("spec");
    let expressions = || spec.at("scopeSelector").at("matchExpressions").items();
    let scoped = !spec.at("scopes").is_empty() || expressions().len() > 0;
    let Object::Pod(pod) = object else { return !scoped };
    spec.at("scopes").texts().all(|scope| is_in(pod, scope, Part::of(None)))
        && expressions().all(|expression| is_in(pod, expression.at("scopeName").text(), expression))
}

fn is_in(pod: &Pod, scope: &str, expression: Part<'_>) -> bool {
    let ends = pod.spec.active_deadline_seconds.is_some_and(|seconds| seconds >= 0);
    let best_effort = pod.status.qos_class.as_deref() == Some("BestEffort");
    match scope {
        "Terminating" => ends,
        "NotTerminating" => !ends,
        "BestEffort" => best_effort,
        "NotBestEffort" => !best_effort,
        "PriorityClass" => {
            let class = pod.spec.priority_class_name.as_deref().unwrap_or_default();
            let named = expression.at("values").texts().any(|value| value == class);
            match expression.at("operator").text() {
                "In" => named,
                "NotIn" => !named,
                "DoesNotExist" => class.is_empty(),
                _ => !class.is_empty(),
            }
        }
        "CrossNamespacePodAffinity" => crosses_namespaces(pod),
        _ => false,
    }
}

/// Whether its affinity looks into other namespaces.
fn crosses_namespaces(pod: &Pod) -> bool {
    let Some(affinity) = &pod.spec.affinity else { return false };
    let near = affinity.pod_affinity.as_ref();
    let near = near.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
    let far = affinity.pod_anti_affinity.as_ref();
    let far = far.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
    let elsewhere = |term: &PodAffinityTerm| {
        let named = term.namespaces.as_ref().is_some_and(|names| !names.is_empty());
        named || term.namespace_selector.is_some()
    };
    near.into_iter().chain(far).flatten().any(elsewhere)
}
