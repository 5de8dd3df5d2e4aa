//! Which nodes a pod asks for: its `nodeSelector` and the terms of its node affinity.
//!
//! Mirrors: `component-helpers/scheduling/corev1/nodeaffinity`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1 as core;

use crate::api::field::{FieldError, Path};
use crate::api::labels::{Labels, Operator, Requirement, Selector};
use crate::api::wire::PodSpec;
use crate::scheduler::node_info::NodeInfo;
use crate::sim::sort;

const NAME_FIELD: &str = "metadata.name";
const IN: &str = "In";
const NOT_IN: &str = "NotIn";
const OPERATORS: [(&str, Operator); 6] = [
    (IN, Operator::In),
    (NOT_IN, Operator::NotIn),
    ("Exists", Operator::Exists),
    ("DoesNotExist", Operator::DoesNotExist),
    ("Gt", Operator::GreaterThan),
    ("Lt", Operator::LessThan),
];

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
    Field { is_name: bool, is: bool, value: String },
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
        self.matches_named(&node.name, node)
    }

    /// Whether a node without a name and with the labels of this one is like that.
    pub fn matches_labels(&self, node: &NodeInfo) -> bool {
        self.matches_named("", node)
    }

    fn matches_named(&self, name: &str, node: &NodeInfo) -> bool {
        let labels = node.node.metadata.labels.as_deref();
        let holds = |term: &Term| term.matches(name, labels);
        self.labels.as_ref().is_none_or(|selector| selector.matches(labels))
            && self.terms.as_ref().is_none_or(|terms| terms.iter().any(holds))
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
        let labels = node.node.metadata.labels.as_deref();
        let holding = self.0.iter().filter(|(_, term)| term.matches(&node.name, labels));
        holding.map(|(weight, _)| weight).sum()
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

/// What is wrong with the terms of a node affinity at `path`. Unlike the API server, this says nothing of
/// fields that no node has, of weights, or of terms that hold nowhere.
pub fn mistakes(affinity: &core::NodeAffinity, path: &Path) -> Vec<FieldError> {
    let required = affinity.required_during_scheduling_ignored_during_execution.iter();
    let required = required.flat_map(|selector| selector.node_selector_terms.iter().enumerate());
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
    let preferred = preferred.enumerate().filter(|(_, term)| term.weight != 0);
    let required_path =
        path.child("requiredDuringSchedulingIgnoredDuringExecution").child("nodeSelectorTerms");
    let preferred_path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    let required = required.map(|(index, term)| (required_path.index(index), term));
    let preferred = preferred.map(|(index, term)| (preferred_path.index(index), &term.preference));
    let read = |(path, term): (Path, &core::NodeSelectorTerm)| needs(term, Some(&path)).err();
    required.chain(preferred).filter_map(read).flatten().collect()
}

impl Term {
    fn new(term: &core::NodeSelectorTerm) -> Self {
        Self(needs(term, None).ok().filter(|needs| !needs.is_empty()))
    }

    fn matches(&self, name: &str, labels: Option<&Labels>) -> bool {
        const NO_LABELS: &Labels = &Labels::new();
        let Some(needs) = &self.0 else { return false };
        let labels = labels.unwrap_or(NO_LABELS);
        needs.iter().all(|need| match need {
            Need::Label(requirement) => requirement.matches(labels),
            Need::Field { is_name, is, value } => {
                let own = if *is_name { name } else { "" };
                (**value == *own) == *is
            }
        })
    }
}

/// The requirements of a term, or all that is wrong with them.
fn needs(term: &core::NodeSelectorTerm, path: Option<&Path>) -> Result<Vec<Need>, Vec<FieldError>> {
    type Read = fn(&core::NodeSelectorRequirement, Option<&Path>) -> Result<Need, Vec<FieldError>>;
    let lists: [(_, _, Read); 2] = [
        ("matchExpressions", &term.match_expressions, label),
        ("matchFields", &term.match_fields, field),
    ];
    let (mut needs, mut wrong) = (Vec::new(), Vec::new());
    for (name, list, read) in lists {
        for (index, need) in list.iter().flatten().enumerate() {
            let path = path.map(|path| path.child(name).index(index));
            match read(need, path.as_ref()) {
                Ok(need) => needs.push(need),
                Err(errors) => wrong.extend(errors),
            }
        }
    }
    if wrong.is_empty() { Ok(needs) } else { Err(wrong) }
}

fn label(
    need: &core::NodeSelectorRequirement,
    path: Option<&Path>,
) -> Result<Need, Vec<FieldError>> {
    let Some((_, operator)) = OPERATORS.iter().find(|(name, _)| *name == need.operator) else {
        return Err(unknown_operator(need, path, &OPERATORS.map(|(name, _)| name)));
    };
    let values = need.values.clone().unwrap_or_default();
    Requirement::new(&need.key, *operator, values, path).map(Need::Label)
}

fn field(
    need: &core::NodeSelectorRequirement,
    path: Option<&Path>,
) -> Result<Need, Vec<FieldError>> {
    if ![IN, NOT_IN].contains(&need.operator.as_str()) {
        return Err(unknown_operator(need, path, &[IN, NOT_IN]));
    }
    match need.values.as_deref() {
        Some([value]) => Ok(Need::Field {
            is_name: need.key == NAME_FIELD,
            is: need.operator == IN,
            value: value.clone(),
        }),
        values => {
            let (path, values) = (Path::below(path, "values"), values.unwrap_or_default());
            Err(vec![FieldError::invalid(&path, values, "must have one element")])
        }
    }
}

fn unknown_operator(
    need: &core::NodeSelectorRequirement,
    path: Option<&Path>,
    known: &[&str],
) -> Vec<FieldError> {
    let path = Path::below(path, "operator");
    vec![FieldError::not_supported(&path, need.operator.as_str(), known)]
}
