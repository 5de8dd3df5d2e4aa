//! The grammar of label selectors.

use std::collections::BTreeSet;

use super::requirement::check_key;
use super::{Operator, Requirement, SelectorError};
use crate::api::field::{Path, aggregate};

/// The requirements that `text` lists, in its order.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    let mut parser = Parser { tokens: tokens(text), position: 0 };
    parser.requirements().map_err(SelectorError)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    End,
    Identifier,
    In,
    NotIn,
    Not,
    Comma,
    Open,
    Close,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while !rest.is_empty() {
        let symbol = [
            ("!=", Kind::NotEquals),
            ("==", Kind::DoubleEquals),
            ("=", Kind::Equals),
            ("!", Kind::Not),
            ("(", Kind::Open),
            (")", Kind::Close),
            (",", Kind::Comma),
            (">", Kind::Greater),
            ("<", Kind::Less),
        ]
        .into_iter()
        .find(|(text, _)| rest.starts_with(text));
        let (length, kind) = if let Some((text, kind)) = symbol {
            (text.len(), kind)
        } else {
            let length = rest.find(ends_word).unwrap_or(rest.len());
            let kind = match rest.get(..length) {
                Some("in") => Kind::In,
                Some("notin") => Kind::NotIn,
                Some(_) | None => Kind::Identifier,
            };
            (length, kind)
        };
        let (text, after) = rest.split_at(length);
        tokens.push(Token { kind, text });
        rest = after.trim_start_matches(is_blank);
    }
    tokens
}

fn starts_requirement(kind: Kind) -> bool {
    matches!(kind, Kind::Identifier | Kind::Not)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn ends_word(c: char) -> bool {
    is_blank(c) || matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
}

impl<'a> Parser<'a> {
    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            let Token { kind, text } = self.peek();
            if kind == Kind::End {
                return Ok(requirements);
            }
            if !starts_requirement(kind) {
                let words = "expected: !, identifier, or 'end of string'";
                return Err(format!("found '{text}', {words}"));
            }
            let requirement = self.requirement();
            let wrap = |error| format!("unable to parse requirement: {error}");
            requirements.push(requirement.map_err(wrap)?);
            let Token { kind, text } = self.next();
            if kind == Kind::End {
                return Ok(requirements);
            }
            if kind != Kind::Comma {
                return Err(format!("found '{text}', expected: ',' or 'end of string'"));
            }
            let Token { kind, text } = self.peek();
            if !starts_requirement(kind) {
                return Err(format!("found '{text}', expected: identifier after ','"));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.next();
        let not = token.kind == Kind::Not;
        if not {
            token = self.next();
        }
        if token.kind != Kind::Identifier {
            return Err(format!("found '{}', expected: identifier", token.text));
        }
        let key = token.text;
        let mut errors = Vec::new();
        // Here upstream has no path to name, and says so.
        check_key(key, &Path::new("<nil>"), &mut errors);
        if !errors.is_empty() {
            return Err(aggregate(&errors));
        }
        let (operator, values) = if not {
            // Whatever follows is left to the caller, who wants a comma or the end.
            (Operator::DoesNotExist, BTreeSet::new())
        } else if matches!(self.peek().kind, Kind::End | Kind::Comma) {
            (Operator::Exists, BTreeSet::new())
        } else {
            let operator = self.operator()?;
            let values = if matches!(operator, Operator::In | Operator::NotIn) {
                self.values()?
            } else {
                BTreeSet::from([self.exact_value()?])
            };
            (operator, values)
        };
        let values = values.into_iter().map(str::to_owned).collect();
        Requirement::new(key, operator, values, None).map_err(|errors| aggregate(&errors))
    }

    fn operator(&mut self) -> Result<Operator, String> {
        // The only place where `in` and `notin` are no identifiers.
        let token = self.tokens.get(self.position).copied().unwrap_or(END);
        self.position += 1;
        match token.kind {
            Kind::In => Ok(Operator::In),
            Kind::NotIn => Ok(Operator::NotIn),
            Kind::Equals => Ok(Operator::Equals),
            Kind::DoubleEquals => Ok(Operator::DoubleEquals),
            Kind::NotEquals => Ok(Operator::NotEquals),
            Kind::Greater => Ok(Operator::GreaterThan),
            Kind::Less => Ok(Operator::LessThan),
            Kind::End | Kind::Identifier | Kind::Not | Kind::Comma | Kind::Open | Kind::Close => {
                Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", token.text))
            }
        }
    }

    /// `(a,b)`; a value that is left out is the empty one.
    fn values(&mut self) -> Result<BTreeSet<&'a str>, String> {
        let open = self.next();
        if open.kind != Kind::Open {
            return Err(format!("found '{}' expected: '('", open.text));
        }
        let first = self.peek();
        if first.kind == Kind::Close {
            self.position += 1;
            return Ok(BTreeSet::from([""]));
        }
        if !matches!(first.kind, Kind::Identifier | Kind::Comma) {
            return Err(format!("found '{}', expected: ',', ')' or identifier", first.text));
        }
        self.value_list()
    }

    /// The values up to and with the closing parenthesis.
    fn value_list(&mut self) -> Result<BTreeSet<&'a str>, String> {
        let mut values = BTreeSet::new();
        loop {
            let token = self.next();
            let after = self.peek();
            if token.kind == Kind::Identifier {
                values.insert(token.text);
                if !matches!(after.kind, Kind::Comma | Kind::Close) {
                    return Err(format!("found '{}', expected: ',' or ')'", after.text));
                }
            } else if token.kind == Kind::Comma {
                if values.is_empty() || matches!(after.kind, Kind::Comma | Kind::Close) {
                    values.insert("");
                }
            } else {
                return Err(format!("found '{}', expected: ',', or identifier", token.text));
            }
            if after.kind == Kind::Close {
                break;
            }
        }
        self.position += 1;
        Ok(values)
    }

    fn exact_value(&mut self) -> Result<&'a str, String> {
        if matches!(self.peek().kind, Kind::End | Kind::Comma) {
            return Ok("");
        }
        match self.next() {
            Token { kind: Kind::Identifier, text } => Ok(text),
            Token { text, .. } => Err(format!("found '{text}', expected: identifier")),
        }
    }

    /// The token at hand; `in` and `notin` are identifiers.
    fn peek(&self) -> Token<'a> {
        let mut token = self.tokens.get(self.position).copied().unwrap_or(END);
        if matches!(token.kind, Kind::In | Kind::NotIn) {
            token.kind = Kind::Identifier;
        }
        token
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.position += 1;
        token
    }
}

const END: Token<'static> = Token { kind: Kind::End, text: "" };
