//! Which nodes a pod asks for: its `nodeSelector` and the terms of its node affinity.
//!
//! Mirrors: `component-helpers/scheduling/corev1/nodeaffinity`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1 as core;

use crate::api::labels::{Labels, Operator, Requirement, Selector};
use crate::api::wire::PodSpec;
use crate::scheduler::node_info::NodeInfo;
use crate::sim::sort;

const NAME_FIELD: &str = "metadata.name";
const IN: &str = "In";
const NOT_IN: &str = "NotIn";

/// What a node must be like.
#[derive(Clone, Debug, Default)]
pub struct Required {
    labels: Option<Selector>,
    /// One of them has to hold.
    terms: Option<Vec<Term>>,
}

/// What a node had better be like: terms with weights.
#[derive(Clone, Debug, Default)]
pub struct Preferred(Vec<(i64, Term)>);

/// All of its requirements have to hold; `None` where one of them is malformed or there is none.
#[derive(Clone, Debug)]
struct Term(Option<Vec<Need>>);

#[derive(Clone, Debug)]
enum Need {
    Label(Requirement),
    Name { is: bool, value: String },
}

impl Required {
    /// What a pod requires; `None` where it requires nothing.
    pub fn of_pod(spec: &PodSpec) -> Option<Self> {
        let terms = required(spec.affinity.as_ref()).map(terms);
        let labels = spec.node_selector.as_ref().map(Selector::from_labels);
        (terms.is_some() || labels.is_some()).then_some(Self { labels, terms })
    }

    /// What a selector requires.
    pub fn of_selector(selector: &core::NodeSelector) -> Self {
        Self { labels: None, terms: Some(terms(selector)) }
    }

    /// Whether the node is like that.
    pub fn matches(&self, node: &NodeInfo) -> bool {
        let labels = node.node.metadata.labels.as_ref();
        self.labels.as_ref().is_none_or(|selector| selector.matches(labels))
            && self.terms.as_ref().is_none_or(|terms| terms.iter().any(|term| term.matches(node)))
    }
}

impl Preferred {
    /// What these terms prefer.
    pub fn new(terms: &[core::PreferredSchedulingTerm]) -> Self {
        let weighted = terms.iter().filter(|term| term.weight != 0);
        Self(weighted.map(|term| (term.weight.into(), Term::new(&term.preference))).collect())
    }

    /// The sum of the weights of the terms that hold.
    pub fn score(&self, node: &NodeInfo) -> i64 {
        self.0.iter().filter(|(_, term)| term.matches(node)).map(|(weight, _)| weight).sum()
    }
}

/// The required terms of a pod's node affinity.
pub fn required(affinity: Option<&core::Affinity>) -> Option<&core::NodeSelector> {
    affinity?.node_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.as_ref()
}

/// The preferred terms of a pod's node affinity.
pub fn preferred(affinity: Option<&core::Affinity>) -> Option<&[core::PreferredSchedulingTerm]> {
    let affinity = affinity?.node_affinity.as_ref()?;
    affinity.preferred_during_scheduling_ignored_during_execution.as_deref()
}

/// The nodes that the terms name; `None` if they leave any other open.
pub fn names(selector: &core::NodeSelector) -> Option<BTreeSet<String>> {
    let mut names = None;
    for term in &selector.node_selector_terms {
        let fields = term.match_fields.iter().flatten();
        let by_name = fields.filter(|need| need.key == NAME_FIELD && need.operator == IN);
        let sets = by_name.map(|need| sort::set(need.values.iter().flatten().cloned()));
        let all: BTreeSet<String> = sets.reduce(|all: BTreeSet<_>, one| &all & &one)?;
        names.get_or_insert_with(BTreeSet::new).extend(all);
    }
    names
}

fn terms(selector: &core::NodeSelector) -> Vec<Term> {
    selector.node_selector_terms.iter().map(Term::new).collect()
}

impl Term {
    fn new(term: &core::NodeSelectorTerm) -> Self {
        let labels = term.match_expressions.iter().flatten().map(label);
        let fields = term.match_fields.iter().flatten().map(field);
        let needs: Option<Vec<Need>> = labels.chain(fields).collect();
        Self(needs.filter(|needs| !needs.is_empty()))
    }

    fn matches(&self, node: &NodeInfo) -> bool {
        const NO_LABELS: &Labels = &Labels::new();
        let Some(needs) = &self.0 else { return false };
        let labels = node.node.metadata.labels.as_ref().unwrap_or(NO_LABELS);
        needs.iter().all(|need| match need {
            Need::Label(requirement) => requirement.matches(labels),
            Need::Name { is, value } => (**value == *node.name) == *is,
        })
    }
}

fn label(need: &core::NodeSelectorRequirement) -> Option<Need> {
    let operator = match need.operator.as_str() {
        IN => Operator::In,
        NOT_IN => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::GreaterThan,
        "Lt" => Operator::LessThan,
        _ => return None,
    };
    let values = need.values.clone().unwrap_or_default();
    Requirement::new(&need.key, operator, values, None).ok().map(Need::Label)
}

fn field(need: &core::NodeSelectorRequirement) -> Option<Need> {
    let is = match need.operator.as_str() {
        IN => true,
        NOT_IN => false,
        _ => return None,
    };
    match need.values.as_deref() {
        Some([value]) if need.key == NAME_FIELD => Some(Need::Name { is, value: value.clone() }),
        Some(_) | None => None,
    }
}
