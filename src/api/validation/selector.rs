//! Label selectors and node selectors.

use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::meta;
use super::report::Report;
use crate::api::field::Path;
use crate::api::names;

const NO_VALUES: &str = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
const SOME_VALUES: &str = "must be specified when `operator` is 'In' or 'NotIn'";

/// A label selector; none is fine.
pub(super) fn label_selector(out: &mut Report, selector: Option<&LabelSelector>, path: &Path) {
    let Some(selector) = selector else { return };
    meta::labels(out, selector.match_labels.as_ref(), &path.child("matchLabels"));
    let path = path.child("matchExpressions");
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        let path = path.index(index);
        let values = requirement.values.as_deref().unwrap_or_default();
        let values_path = path.child("values");
        match requirement.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => out.required(&values_path, SOME_VALUES),
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                out.forbidden(&values_path, NO_VALUES);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            operator => {
                out.invalid_at(&path, "operator", operator, "not a valid selector operator");
            }
        }
        out.words_at(&path, "key", &requirement.key, names::label_key);
        for (index, value) in values.iter().enumerate() {
            out.words(&values_path.index(index), value, names::label_value);
        }
    }
}

/// The nodes that a Pod needs.
pub(super) fn node_selector(out: &mut Report, selector: &NodeSelector, path: &Path) {
    let path = path.child("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        out.required(&path, "must have at least one node selector term");
    }
    for (index, term) in selector.node_selector_terms.iter().enumerate() {
        node_selector_term(out, term, true, &path.index(index));
    }
}

/// One term; a wish may have values that no label can have.
pub(super) fn node_selector_term(
    out: &mut Report,
    term: &NodeSelectorTerm,
    check_values: bool,
    path: &Path,
) {
    let expressions = path.child("matchExpressions");
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        by_label(out, requirement, check_values, &expressions.index(index));
    }
    let fields = path.child("matchFields");
    for (index, requirement) in term.match_fields.iter().flatten().enumerate() {
        by_field(out, requirement, &fields.index(index));
    }
}

fn by_label(
    out: &mut Report,
    requirement: &NodeSelectorRequirement,
    check_values: bool,
    path: &Path,
) {
    let values = requirement.values.as_deref().unwrap_or_default();
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => out.required(&values_path, SOME_VALUES),
        "Exists" | "DoesNotExist" if !values.is_empty() => out.forbidden(&values_path, NO_VALUES),
        "Gt" | "Lt" if values.len() != 1 => out.required(
            &values_path,
            "must be specified single value when `operator` is 'Lt' or 'Gt'",
        ),
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        operator => {
            out.invalid_at(path, "operator", operator, "not a valid selector operator");
        }
    }
    out.words_at(path, "key", &requirement.key, names::label_key);
    for (index, value) in values.iter().enumerate().filter(|_| check_values) {
        out.words(&values_path.index(index), value, names::label_value);
    }
}

/// Of a node's fields only its name can be asked for, and only one.
fn by_field(out: &mut Report, requirement: &NodeSelectorRequirement, path: &Path) {
    let values = requirement.values.as_deref().unwrap_or_default();
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.len() != 1 => out.required_at(
            path,
            "values",
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
        "In" | "NotIn" => {}
        operator => {
            out.invalid_at(path, "operator", operator, "not a valid selector operator");
        }
    }
    if requirement.key != "metadata.name" {
        let key = requirement.key.as_str();
        out.invalid_at(path, "key", key, "not a valid field selector key");
        return;
    }
    for (index, value) in values.iter().enumerate() {
        out.words(&path.child("values").index(index), value, names::dns1123_subdomain);
    }
}
