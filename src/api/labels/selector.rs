//! What objects must be like in their labels.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{Labels, Operator, Requirement, SelectorError, parse};
use crate::api::decode::decode;
use crate::api::document::Part;
use crate::api::field::{FieldError, aggregate};
use crate::api::text::go_quote;
use crate::sim::sort;

/// What objects must be like in their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Selects no object at all.
    Nothing,
    /// Selects the objects that are as every requirement says; they are sorted by key.
    All(Vec<Requirement>),
}

impl Selector {
    /// Selects every object.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Reads a selector.
    ///
    /// # Errors
    ///
    /// The text has another grammar, or a requirement is malformed.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        parse::requirements(text).map(Self::sorted)
    }

    /// Selects the objects that have exactly these values, which are taken to be valid.
    pub fn from_labels(labels: &Labels) -> Self {
        let requirements = labels.iter().map(|(key, value)| Requirement::equals(key, value));
        Self::All(requirements.collect())
    }

    /// What a `LabelSelector` object means: nothing when there is none, everything when it is empty.
    ///
    /// # Errors
    ///
    /// A label or an expression in it is malformed.
    pub fn from_object(object: Option<&LabelSelector>) -> Result<Self, SelectorError> {
        let Some(object) = object else {
            return Ok(Self::Nothing);
        };
        let sound = |requirement: Result<Requirement, Vec<FieldError>>| {
            requirement.map_err(|errors| SelectorError(aggregate(&errors)))
        };
        let mut requirements = Vec::new();
        for (key, value) in object.match_labels.iter().flatten() {
            let requirement = Requirement::new(key, Operator::Equals, vec![value.clone()], None);
            requirements.push(sound(requirement)?);
        }
        for expression in object.match_expressions.iter().flatten() {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    let words = "is not a valid label selector operator";
                    return Err(SelectorError(format!("{} {words}", go_quote(other))));
                }
            };
            let values = expression.values.clone().unwrap_or_default();
            requirements.push(sound(Requirement::new(&expression.key, operator, values, None))?);
        }
        Ok(Self::sorted(requirements))
    }

    /// What a `LabelSelector` in a document means; nothing if it is malformed.
    pub fn from_part(part: Part<'_>) -> Self {
        let object = decode::<LabelSelector>(part.value()).ok().filter(|_| part.is_there());
        let selector = object.map(|decoded| Self::from_object(Some(&decoded.object)));
        selector.and_then(Result::ok).unwrap_or(Self::Nothing)
    }

    /// This selector and the requirements of another, which selects something.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        if let Self::All(requirements) = &mut self {
            requirements.extend_from_slice(other.requirements());
            return Self::sorted(std::mem::take(requirements));
        }
        self
    }

    /// Whether an object with these labels is selected. Allocates nothing.
    pub fn matches(&self, labels: Option<&Labels>) -> bool {
        const NONE: &Labels = &Labels::new();
        match self {
            Self::Nothing => false,
            Self::All(requirements) => {
                let labels = labels.unwrap_or(NONE);
                requirements.iter().all(|requirement| requirement.matches(labels))
            }
        }
    }

    /// The requirements, sorted by key; none for [`Selector::Nothing`], too.
    pub fn requirements(&self) -> &[Requirement] {
        match self {
            Self::Nothing => &[],
            Self::All(requirements) => requirements,
        }
    }

    /// Whether every object is selected.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(requirements) if requirements.is_empty())
    }

    /// The one value that the label `key` must have, if the selector asks for one.
    pub fn required_value(&self, key: &str) -> Option<&str> {
        let requirement =
            self.requirements().iter().find(|requirement| requirement.key() == key)?;
        let exact = match requirement.operator() {
            Operator::In | Operator::Equals | Operator::DoubleEquals => true,
            Operator::NotIn
            | Operator::NotEquals
            | Operator::GreaterThan
            | Operator::LessThan
            | Operator::Exists
            | Operator::DoesNotExist => false,
        };
        match requirement.values() {
            [value] if exact => Some(value),
            _ => None,
        }
    }

    fn sorted(mut requirements: Vec<Requirement>) -> Self {
        sort::by(&mut requirements, |a, b| a.key().cmp(b.key()));
        Self::All(requirements)
    }
}

impl fmt::Display for Selector {
    /// The canonical text; that of [`Selector::Nothing`] is empty, as upstream's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_canonical_text_means_the_same(
            terms in prop::collection::vec(
                "!?[a-c]|[a-c](=|==|!=)[a-z0-9]?|[a-c] (in|notin) \\((,?[x-z]){0,3}\\)|[a-c][<>][0-9]",
                0..4,
            ),
            labels: std::collections::BTreeMap<bool, u8>,
        ) {
            let selector = Selector::parse(&terms.join(", ")).unwrap();
            let again = Selector::parse(&selector.to_string()).unwrap();
            prop_assert_eq!(&again, &selector);
            let labels = labels.iter().map(|(key, value)| {
                (if *key { "a" } else { "b" }.to_owned(), (value % 12).to_string())
            });
            let labels: Labels = labels.collect();
            let mut each = terms.iter().map(|term| Selector::parse(term).unwrap());
            let all = each.all(|one| one.matches(Some(&labels)));
            prop_assert_eq!(selector.matches(Some(&labels)), all);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "[a-c!=<>(), \\tin/é-]{0,20}") {
            let parsed = Selector::parse(&text).map(|selector| selector.to_string());
            prop_assert!(parsed.is_ok() || parsed.is_err_and(|error| !error.to_string().is_empty()));
        }
    }
}
