//! Expressions in CEL, the language of rules: what they say, what they may cost, and what comes out.
//!
//! The crate `cel` reads them. What they mean is here, since Kubernetes knows the types of what it hands
//! to an expression, refuses what does not fit before anything is evaluated, and lets none take long.
//!
//! Mirrors: `apiserver/pkg/cel` and what it uses of `cel-go`. Left out: the estimate of what a rule may
//! cost at worst, by which upstream refuses some; here an evaluation that costs too much ends.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is done takes values of a few types, and whatever else there is does not fit"
)]

mod check;
mod cidr;
mod eval;
mod function;
mod library;
mod meter;
mod parse;
mod types;
mod url;
mod value;

use std::rc::Rc;

pub use meter::{Meter, OF_OBJECT, Stop};
pub use types::{Type, identity, untyped};
pub use value::{Identity, Value};

/// An expression that can be evaluated.
#[derive(Debug)]
pub struct Program {
    node: eval::Node,
    of: Type,
    uses: Vec<Rc<str>>,
}

impl Program {
    /// Reads an expression that may speak of `variables`.
    ///
    /// # Errors
    ///
    /// It is none, in upstream's words.
    pub fn compile(source: &str, variables: &[(&str, Type)]) -> Result<Self, String> {
        check::compile(source, variables)
    }

    /// The type of what comes out.
    pub fn of(&self) -> &Type {
        &self.of
    }

    /// Whether it speaks of a variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.uses.iter().any(|own| **own == *variable)
    }

    /// What comes out for these variables.
    ///
    /// # Errors
    ///
    /// There is no such thing, or it costs too much.
    pub fn eval(&self, variables: &[(&str, Value)], meter: &mut Meter) -> Result<Value, Stop> {
        eval::run(&self.node, variables, meter)
    }
}

#[cfg(test)]
mod tests;
