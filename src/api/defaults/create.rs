//! What a Pod's create step does once, after defaulting: its status begins anew, and label keys become
//! part of the selectors that they belong to.
//!
//! Mirrors: `PrepareForCreate` of `pkg/registry/core/pod/strategy.go`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Affinity, PodAffinityTerm, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::api::qos::QosClass;
use crate::api::seconds;
use crate::api::wire::{PodSpec, PodStatus};

type Labels = BTreeMap<String, String>;

/// The status with which a new Pod begins, whatever was sent: pending, and said to be gated if it is.
pub fn status(spec: &PodSpec, now: Timestamp) -> PodStatus {
    let is_gated = spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty());
    let gated = || PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "False".to_owned(),
        reason: Some("SchedulingGated".to_owned()),
        message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
        last_transition_time: Some(seconds(now)),
        ..PodCondition::default()
    };
    PodStatus {
        phase: Some("Pending".to_owned()),
        qos_class: Some(QosClass::of(spec).as_str().to_owned()),
        conditions: is_gated.then(|| vec![gated()]),
        ..PodStatus::default()
    }
}

/// Adds to each selector what the keys beside it say of the Pod's own labels: the same value as the Pod
/// has, or another; whether that changes anything. Without a selector, or where the Pod has no such label,
/// keys say nothing.
pub fn merge_label_keys(spec: &mut PodSpec, labels: &Labels) -> bool {
    let mut merged = false;
    let mut merge = |selector: &mut LabelSelector, keys: &Option<Vec<String>>, operator: &str| {
        let keys = keys.iter().flatten().filter_map(|key| labels.get_key_value(key));
        let said = keys.map(|(key, value)| LabelSelectorRequirement {
            key: key.clone(),
            operator: operator.to_owned(),
            values: Some(vec![value.clone()]),
        });
        let said: Vec<_> = said.collect();
        if !said.is_empty() {
            selector.match_expressions.get_or_insert_default().extend(said);
            merged = true;
        }
    };
    for term in spec.affinity.iter_mut().flat_map(terms) {
        if let Some(selector) = &mut term.label_selector {
            merge(selector, &term.match_label_keys, "In");
            merge(selector, &term.mismatch_label_keys, "NotIn");
        }
    }
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        if let Some(selector) = &mut constraint.label_selector {
            merge(selector, &constraint.match_label_keys, "In");
        }
    }
    merged
}

/// Every term of affinity to other Pods, or of anti-affinity.
fn terms(affinity: &mut Affinity) -> impl Iterator<Item = &mut PodAffinityTerm> {
    let near = affinity.pod_affinity.iter_mut().flat_map(|near| {
        let preferred = &mut near.preferred_during_scheduling_ignored_during_execution;
        let required = &mut near.required_during_scheduling_ignored_during_execution;
        let preferred = preferred.iter_mut().flatten().map(|term| &mut term.pod_affinity_term);
        preferred.chain(required.iter_mut().flatten())
    });
    let apart = affinity.pod_anti_affinity.iter_mut().flat_map(|apart| {
        let preferred = &mut apart.preferred_during_scheduling_ignored_during_execution;
        let required = &mut apart.required_during_scheduling_ignored_during_execution;
        let preferred = preferred.iter_mut().flatten().map(|term| &mut term.pod_affinity_term);
        preferred.chain(required.iter_mut().flatten())
    });
    near.chain(apart)
}
