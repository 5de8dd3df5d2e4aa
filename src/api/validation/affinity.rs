//! Where a Pod wants to run: affinity, tolerations, spreading.

use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, PodAffinityTerm, Toleration, TopologySpreadConstraint,
    WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::NOT_POSITIVE;
use super::report::{Report, text};
use super::selector::{label_selector, node_selector, node_selector_term};
use crate::api::field::Path;
use crate::api::names;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const TAINT_EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const NO_SELECTOR: &str = "must not be specified when labelSelector is not set";

pub(super) fn affinity(out: &mut Report, affinity: &Affinity, path: &Path) {
    if let Some(own) = &affinity.node_affinity {
        node_affinity(out, own, &path.child("nodeAffinity"));
    }
    if let Some(own) = &affinity.pod_affinity {
        let (required, preferred) = (
            own.required_during_scheduling_ignored_during_execution.as_deref(),
            own.preferred_during_scheduling_ignored_during_execution.as_deref(),
        );
        pod_affinity(out, required, preferred, &path.child("podAffinity"));
    }
    if let Some(own) = &affinity.pod_anti_affinity {
        let (required, preferred) = (
            own.required_during_scheduling_ignored_during_execution.as_deref(),
            own.preferred_during_scheduling_ignored_during_execution.as_deref(),
        );
        pod_affinity(out, required, preferred, &path.child("podAntiAffinity"));
    }
}

pub(super) fn node_affinity(out: &mut Report, affinity: &NodeAffinity, path: &Path) {
    if let Some(selector) = &affinity.required_during_scheduling_ignored_during_execution {
        node_selector(out, selector, &path.child(REQUIRED));
    }
    let path = path.child(PREFERRED);
    let terms = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
    for (index, term) in terms.enumerate() {
        let path = path.index(index);
        weight(out, term.weight, &path);
        node_selector_term(out, &term.preference, false, &path.child("preference"));
    }
}

fn weight(out: &mut Report, weight: i32, path: &Path) {
    if !(1..=100).contains(&weight) {
        out.invalid_at(path, "weight", weight, "must be in the range 1-100");
    }
}

fn pod_affinity(
    out: &mut Report,
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    path: &Path,
) {
    for (index, term) in required.into_iter().flatten().enumerate() {
        pod_affinity_term(out, term, &path.child(REQUIRED).index(index));
    }
    for (index, term) in preferred.into_iter().flatten().enumerate() {
        let path = path.child(PREFERRED).index(index);
        weight(out, term.weight, &path);
        pod_affinity_term(out, &term.pod_affinity_term, &path.child("podAffinityTerm"));
    }
}

fn pod_affinity_term(out: &mut Report, term: &PodAffinityTerm, path: &Path) {
    let selector = term.label_selector.as_ref();
    label_selector(out, selector, &path.child("labelSelector"));
    label_selector(out, term.namespace_selector.as_ref(), &path.child("namespaceSelector"));
    for name in term.namespaces.iter().flatten() {
        out.words_at(path, "namespace", name, names::dns1123_label);
    }
    let matched = term.match_label_keys.as_deref().unwrap_or_default();
    let mismatched = term.mismatch_label_keys.as_deref().unwrap_or_default();
    let matched_path = path.child("matchLabelKeys");
    label_keys(out, matched, selector, &matched_path);
    label_keys(out, mismatched, selector, &path.child("mismatchLabelKeys"));
    if let Some(selector) = selector {
        named_twice(out, matched, selector, path);
    }
    for (index, key) in matched.iter().enumerate().filter(|(_, key)| mismatched.contains(key)) {
        let words = "exists in both matchLabelKeys and mismatchLabelKeys";
        out.invalid(&matched_path.index(index), key.as_str(), words);
    }
    let topology = &path.child("topologyKey");
    if term.topology_key.is_empty() {
        out.required(topology, "can not be empty");
    }
    out.words(topology, &term.topology_key, names::label_key);
}

fn label_keys(out: &mut Report, keys: &[String], selector: Option<&LabelSelector>, path: &Path) {
    if keys.is_empty() {
        return;
    }
    if selector.is_none() {
        out.forbidden(path, NO_SELECTOR);
        return;
    }
    for (index, key) in keys.iter().enumerate() {
        out.words(&path.index(index), key, names::label_key);
    }
}

/// The server itself adds an expression for each key, so that one more is somebody else's.
fn named_twice(out: &mut Report, keys: &[String], selector: &LabelSelector, path: &Path) {
    let mut seen: Vec<&String> =
        selector.match_labels.iter().flatten().map(|(key, _)| key).collect();
    for requirement in selector.match_expressions.iter().flatten() {
        let key = &requirement.key;
        let index = keys.iter().rposition(|named| named == key);
        if let Some(index) = index.filter(|_| seen.contains(&key)) {
            let words = "exists in both matchLabelKeys and labelSelector";
            out.invalid(&path.index(index), key.as_str(), words);
        }
        seen.push(key);
    }
}

pub(super) fn tolerations(out: &mut Report, tolerations: &[Toleration], path: &Path) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = path.index(index);
        let operator_path = path.child("operator");
        let (key, operator) = (text(&toleration.key), text(&toleration.operator));
        let (value, effect) = (text(&toleration.value), text(&toleration.effect));
        if !key.is_empty() {
            out.words_at(&path, "key", key, names::label_key);
        } else if operator != "Exists" {
            let words = "operator must be Exists when `key` is empty, which means \"match all \
                         values and all keys\"";
            out.invalid(&operator_path, operator, words);
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            let words = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            out.invalid_at(&path, "effect", effect, words);
        }
        match operator {
            "Equal" | "" => {
                let words = names::label_value(value);
                if !words.is_empty() {
                    out.invalid(&operator_path, value, words.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                let words = "value must be empty when `operator` is 'Exists'";
                out.invalid(&operator_path, value, words);
            }
            // `Gt` and `Lt` belong to a feature that is off by default (`TaintTolerationComparisonOperators`).
            _ => out.supported(&operator_path, operator, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            out.supported_at(&path, "effect", effect, &TAINT_EFFECTS);
        }
    }
}

/// The effect of a taint, which a node must name.
pub(super) fn taint_effect(out: &mut Report, effect: &str, path: &Path) {
    out.one_of(path, effect, &TAINT_EFFECTS);
}

pub(super) fn spread(out: &mut Report, constraints: &[TopologySpreadConstraint], path: &Path) {
    for (index, constraint) in constraints.iter().enumerate() {
        let path = path.index(index);
        let (key, action) = (&constraint.topology_key, constraint.when_unsatisfiable.as_str());
        if constraint.max_skew <= 0 {
            out.invalid_at(&path, "maxSkew", constraint.max_skew, NOT_POSITIVE);
        }
        if key.is_empty() {
            out.required_at(&path, "topologyKey", "can not be empty");
        }
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        out.supported_at(&path, "whenUnsatisfiable", action, &actions);
        let mut later = constraints.iter().skip(index + 1);
        if later.any(|other| other.topology_key == *key && other.when_unsatisfiable == action) {
            let path = path.child("{topologyKey, whenUnsatisfiable}");
            out.duplicate(&path, format!("{{{key}, {action}}}"));
        }
        min_domains(out, constraint, &path.child("minDomains"));
        for (field, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if let Some(policy) = policy {
                out.supported_at(&path, field, policy, &["Honor", "Ignore"]);
            }
        }
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        let selector = constraint.label_selector.as_ref();
        label_keys(out, keys, selector, &path.child("matchLabelKeys"));
        if let Some(selector) = selector {
            named_twice(out, keys, selector, &path);
        }
        label_selector(out, selector, &path.child("labelSelector"));
    }
}

fn min_domains(out: &mut Report, constraint: &TopologySpreadConstraint, path: &Path) {
    let Some(domains) = constraint.min_domains else { return };
    if domains <= 0 {
        out.invalid(path, domains, NOT_POSITIVE);
    }
    let action = &constraint.when_unsatisfiable;
    if action != "DoNotSchedule" {
        let words =
            format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        out.invalid(path, domains, words);
    }
}
