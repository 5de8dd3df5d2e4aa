//! The functions that expressions may call.
//!
//! Mirrors: CEL's standard library, its strings and sets, and `apiserver/pkg/cel/library`. Left out: the
//! authorizer, versions (`semver`), and comprehensions with two variables.

mod formats;
mod lists;
mod net;
mod operators;
mod optionals;
mod quantities;
mod regex;
mod strings;
pub(super) mod time;
mod values;

pub(super) use operators::{COMPARED, comparison, order};

use super::function::{Function, Of};
use super::meter::{Meter, Stop};
use super::value::Value;

/// What a function does.
type Run = fn(&mut Meter, &[Value]) -> Result<Value, Stop>;

const TABLES: [&[Function]; 10] = [
    operators::FUNCTIONS,
    values::FUNCTIONS,
    strings::FUNCTIONS,
    lists::FUNCTIONS,
    time::FUNCTIONS,
    optionals::FUNCTIONS,
    regex::FUNCTIONS,
    net::FUNCTIONS,
    quantities::FUNCTIONS,
    formats::FUNCTIONS,
];

/// The functions of a name.
pub(super) fn named(name: &str, is_member: bool) -> impl Iterator<Item = &'static Function> {
    let all = TABLES.into_iter().flatten();
    all.filter(move |it| it.is_member == is_member && it.name == name)
}

/// A function that stands alone.
const fn global(name: &'static str, takes: &'static [Of], gives: Of, run: Run) -> Function {
    Function { name, is_member: false, takes, gives, run }
}

/// A function of its first argument.
const fn member(name: &'static str, takes: &'static [Of], gives: Of, run: Run) -> Function {
    Function { name, is_member: true, takes, gives, run }
}
