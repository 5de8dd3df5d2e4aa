//! What one label must be like.

use std::fmt;

use serde_json::Value;

use super::Labels;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::sim::sort;

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    In,
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    GreaterThan,
    LessThan,
    Exists,
    DoesNotExist,
}

impl Operator {
    /// Upstream's order, in which messages list them.
    const ALL: [Self; 9] = [
        Self::In,
        Self::NotIn,
        Self::Equals,
        Self::DoubleEquals,
        Self::NotEquals,
        Self::GreaterThan,
        Self::LessThan,
        Self::Exists,
        Self::DoesNotExist,
    ];

    /// Upstream's name, which is not always the sign a selector is written with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::NotIn => "notin",
            Self::Equals => "=",
            Self::DoubleEquals => "==",
            Self::NotEquals => "!=",
            Self::GreaterThan => "gt",
            Self::LessThan => "lt",
            Self::Exists => "exists",
            Self::DoesNotExist => "!",
        }
    }
}

/// What one label must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

impl Requirement {
    /// A requirement that is known to be sound.
    ///
    /// # Errors
    ///
    /// The key or a value is malformed, or the operator takes another number of values; `path` is
    /// where the requirement stands, if it is part of an object.
    pub fn new(
        key: &str,
        operator: Operator,
        values: Vec<String>,
        path: Option<&Path>,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        check_key(key, &Path::below(path, "key"), &mut errors);
        let values_path = Path::below(path, "values");
        let mut count_must_be = |holds: bool, words: &str| {
            if !holds {
                let values = values.iter().cloned().map(Value::String).collect::<Vec<_>>();
                errors.push(FieldError::invalid(&values_path, values, words));
            }
        };
        match operator {
            Operator::In | Operator::NotIn => count_must_be(
                !values.is_empty(),
                "for 'in', 'notin' operators, values set can't be empty",
            ),
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals => count_must_be(
                values.len() == 1,
                "exact-match compatibility requires one single value",
            ),
            Operator::Exists | Operator::DoesNotExist => count_must_be(
                values.is_empty(),
                "values set must be empty for exists and does not exist",
            ),
            Operator::GreaterThan | Operator::LessThan => {
                count_must_be(
                    values.len() == 1,
                    "for 'Gt', 'Lt' operators, exactly one value is required",
                );
                for (index, value) in values.iter().enumerate() {
                    if value.parse::<i64>().is_err() {
                        let words = "for 'Gt', 'Lt' operators, the value must be an integer";
                        let path = values_path.index(index);
                        errors.push(FieldError::invalid(&path, value.as_str(), words));
                    }
                }
            }
        }
        for (index, value) in values.iter().enumerate() {
            let wrong = names::label_value(value);
            if !wrong.is_empty() {
                let path = values_path.index(index).key(key);
                errors.push(FieldError::invalid(&path, value.as_str(), wrong.join("; ")));
            }
        }
        if errors.is_empty() {
            Ok(Self { key: key.to_owned(), operator, values })
        } else {
            Err(errors)
        }
    }

    /// The label `key` must be `value`; both are taken to be valid.
    pub(super) fn equals(key: &str, value: &str) -> Self {
        let (key, values) = (key.to_owned(), vec![value.to_owned()]);
        Self { key, operator: Operator::Equals, values }
    }

    /// A requirement whose operator is still a text.
    ///
    /// # Errors
    ///
    /// As [`Requirement::new`], or the operator is unknown.
    pub fn from_text(
        key: &str,
        operator: &str,
        values: Vec<String>,
        path: Option<&Path>,
    ) -> Result<Self, Vec<FieldError>> {
        let known = Operator::ALL.into_iter().find(|known| known.as_str() == operator);
        let Some(known) = known else {
            let supported = Operator::ALL.map(Operator::as_str);
            let path = Path::below(path, "operator");
            return Err(vec![FieldError::not_supported(&path, operator, &supported)]);
        };
        Self::new(key, known, values, path)
    }

    /// The label's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How the label is compared.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What the label is compared with, in the order given.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether an object with these labels is as required. Allocates nothing.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => {
                value.is_some_and(|value| self.values.contains(value))
            }
            Operator::NotIn | Operator::NotEquals => {
                value.is_none_or(|value| !self.values.contains(value))
            }
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => self.compare(value).is_some_and(|(is, than)| is > than),
            Operator::LessThan => self.compare(value).is_some_and(|(is, than)| is < than),
        }
    }

    /// The label's number and the required one, if both are numbers.
    fn compare(&self, value: Option<&String>) -> Option<(i64, i64)> {
        let [than] = self.values.as_slice() else {
            return None;
        };
        Some((value?.parse().ok()?, than.parse().ok()?))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let mut sorted: Vec<&str> = self.values.iter().map(String::as_str).collect();
        sort::by(&mut sorted, Ord::cmp);
        let values = sorted.join(",");
        match self.operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
        }
    }
}

pub(super) fn check_key(key: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let wrong = names::label_key(key);
    if !wrong.is_empty() {
        errors.push(FieldError::invalid(path, key, wrong.join("; ")));
    }
}
