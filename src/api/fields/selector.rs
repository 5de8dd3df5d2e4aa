//! Field selectors: how they are written, read and asked.

use std::borrow::Cow;
use std::fmt;

use crate::sim::sort;

/// Why a text is no field selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldSelectorError {
    #[error("invalid selector: '{selector}'; can't understand '{term}'")]
    Term { selector: String, term: String },
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    // Upstream prints the character's number.
    #[error("invalid field selector: unescaped character in value: {}", u32::from(*.0))]
    Unescaped(char),
}

/// How a term compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOperator {
    Equals,
    NotEquals,
}

impl FieldOperator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::NotEquals => "!=",
        }
    }
}

/// One term: a field that must, or must not, have a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    pub field: String,
    pub operator: FieldOperator,
    pub value: String,
}

/// What objects must be like in their fields; all terms must hold, none means all objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<FieldTerm>,
}

impl FieldSelector {
    /// Selects every object.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Selects the objects whose `field` is `value`.
    pub fn equals(field: &str, value: &str) -> Self {
        let operator = FieldOperator::Equals;
        Self {
            terms: vec![FieldTerm { field: field.to_owned(), operator, value: value.to_owned() }],
        }
    }

    /// Reads a selector; the terms are put in the order of their texts.
    ///
    /// # Errors
    ///
    /// A term has no operator, or its value is not escaped as it should be.
    pub fn parse(selector: &str) -> Result<Self, FieldSelectorError> {
        let mut parts = split_terms(selector);
        sort::by(&mut parts, Ord::cmp);
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let terms = parts.map(|part| {
            let Some((field, operator, value)) = split_term(part) else {
                let (selector, term) = (selector.to_owned(), part.to_owned());
                return Err(FieldSelectorError::Term { selector, term });
            };
            let value = unescape(value)?.into_owned();
            let operator = match operator {
                "!=" => FieldOperator::NotEquals,
                _ => FieldOperator::Equals,
            };
            Ok(FieldTerm { field: field.to_owned(), operator, value })
        });
        Ok(Self { terms: terms.collect::<Result<_, _>>()? })
    }

    /// The terms in order.
    pub fn terms(&self) -> &[FieldTerm] {
        &self.terms
    }

    /// Whether every object is selected.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether an object is selected whose fields `get` tells; a field it lacks is the empty text.
    pub fn matches<'a>(&self, get: impl Fn(&str) -> Option<Cow<'a, str>>) -> bool {
        self.terms.iter().all(|term| {
            let equal = get(&term.field).unwrap_or_default() == term.value;
            match term.operator {
                FieldOperator::Equals => equal,
                FieldOperator::NotEquals => !equal,
            }
        })
    }

    /// The one value that `field` must have, if the selector asks for one.
    pub fn required_value(&self, field: &str) -> Option<&str> {
        let asks =
            |term: &&FieldTerm| term.field == field && term.operator == FieldOperator::Equals;
        self.terms.iter().find(asks).map(|term| term.value.as_str())
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, FieldTerm { field, operator, value }) in self.terms.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{field}{}{}", operator.symbol(), escape(value))?;
        }
        Ok(())
    }
}

/// The terms of a selector, cut at the commas that are not escaped.
pub fn split_terms(selector: &str) -> Vec<&str> {
    if selector.is_empty() {
        return Vec::new();
    }
    let mut escaped = false;
    let at_comma = |c: char| {
        let cut = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        cut
    };
    selector.split(at_comma).collect()
}

/// A term's field, operator and still escaped value, cut at the first operator.
pub fn split_term(term: &str) -> Option<(&str, &'static str, &str)> {
    term.char_indices().find_map(|(index, _)| {
        let (field, rest) = term.split_at(index);
        ["!=", "==", "="]
            .into_iter()
            .find_map(|operator| Some((field, operator, rest.strip_prefix(operator)?)))
    })
}

/// `value` as it is written in a selector.
pub fn escape(value: &str) -> Cow<'_, str> {
    const SPECIAL: [char; 3] = ['\\', ',', '='];
    if !value.contains(SPECIAL) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 4);
    for c in value.chars() {
        if SPECIAL.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    Cow::Owned(out)
}

/// The value that `escaped` stands for.
///
/// # Errors
///
/// A backslash stands before anything but `\`, `,` and `=`, or one of the latter without one.
pub fn unescape(escaped: &str) -> Result<Cow<'_, str>, FieldSelectorError> {
    if !escaped.contains(['\\', ',', '=']) {
        return Ok(Cow::Borrowed(escaped));
    }
    let mut out = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                Some(c) => return Err(FieldSelectorError::Escape(format!("\\{c}"))),
                None => return Err(FieldSelectorError::Escape("\\".to_owned())),
            },
            ',' | '=' => return Err(FieldSelectorError::Unescaped(c)),
            c => out.push(c),
        }
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(value in "[a,=\\\\é]{0,8}", other in "[b,=\\\\]{0,4}") {
            let escaped = escape(&value);
            prop_assert_eq!(unescape(&escaped).unwrap(), value.as_str());
            let text = format!("x={},y!={}", escape(&value), escape(&other));
            let selector = FieldSelector::parse(&text).unwrap();
            prop_assert_eq!(selector.required_value("x"), Some(value.as_str()));
            prop_assert_eq!(selector.to_string(), text);
        }
    }

    #[test]
    fn errors_say_what_upstream_says() {
        for (selector, message) in [
            ("x=a,b", "invalid selector: 'x=a,b'; can't understand 'b'"),
            ("x=\\a", "invalid field selector: invalid escape sequence: \\a"),
            ("x=a=b", "invalid field selector: unescaped character in value: 61"),
        ] {
            assert_eq!(FieldSelector::parse(selector).unwrap_err().to_string(), message);
        }
    }
}
