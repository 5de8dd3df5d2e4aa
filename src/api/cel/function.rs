//! What a function is: its name, what it takes and gives, and what it does.

use std::rc::Rc;

use super::meter::{Meter, Stop};
use super::types::Type;
use super::value::Value;

/// A function for arguments of certain types; there may be others of the same name.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    /// Whether the first argument stands before its name, and a point.
    pub is_member: bool,
    pub takes: &'static [Of],
    pub gives: Of,
    pub run: fn(&mut Meter, &[Value]) -> Result<Value, Stop>,
}

/// A type as a function names it.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Time,
    Span,
    Type,
    Named(&'static str),
    List(&'static Of),
    Map(&'static Of, &'static Of),
    Optional(&'static Of),
    /// Any type, which is the same wherever the function names it.
    A,
    /// Another one.
    B,
}

/// What [`Of::A`] and [`Of::B`] are in a call.
#[derive(Debug, Default)]
pub struct Bound {
    a: Option<Type>,
    b: Option<Type>,
}

impl Function {
    /// The type of its result for arguments of these types; none if it does not take them.
    pub fn result(&self, arguments: &[Type]) -> Option<Type> {
        let mut bound = Bound::default();
        let mut pairs = self.takes.iter().zip(arguments);
        let fits = self.takes.len() == arguments.len()
            && pairs.all(|(of, argument)| of.takes(argument, &mut bound));
        fits.then(|| self.gives.bound(&bound))
    }

    /// Whether it takes these values.
    pub fn takes(&self, values: &[Value]) -> bool {
        self.takes.len() == values.len()
            && self.takes.iter().zip(values).all(|(of, value)| of.takes_value(value))
    }
}

impl Of {
    fn takes(self, given: &Type, bound: &mut Bound) -> bool {
        match (self, given) {
            (Self::A, given) => Self::bind(&mut bound.a, given),
            (Self::B, given) => Self::bind(&mut bound.b, given),
            (Self::Dyn, _) | (_, Type::Dyn) => true,
            (Self::List(of), Type::List(given)) | (Self::Optional(of), Type::Optional(given)) => {
                of.takes(given, bound)
            }
            (Self::Map(key, value), Type::Map(given, held)) => {
                key.takes(given, bound) && value.takes(held, bound)
            }
            (of, given) => {
                of.bound(bound).fits(given) && !matches!(of, Self::List(_) | Self::Map(..))
            }
        }
    }

    fn bind(slot: &mut Option<Type>, given: &Type) -> bool {
        match slot {
            None => {
                *slot = Some(given.clone());
                true
            }
            Some(own) => {
                let fits = own.fits(given);
                if *own == Type::Null {
                    *own = given.clone();
                } else if is_open(own) || *given == Type::Dyn {
                    // What is known least is what is known of both.
                    *own = if is_open(given) { Type::Dyn } else { given.clone() };
                }
                fits
            }
        }
    }

    /// The type that it is, once what is open in it is known.
    fn bound(self, bound: &Bound) -> Type {
        match self {
            Self::Dyn => Type::Dyn,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::Text => Type::Text,
            Self::Bytes => Type::Bytes,
            Self::Time => Type::Time,
            Self::Span => Type::Span,
            Self::Type => Type::Type,
            Self::Named(name) => Type::Named(name),
            Self::List(of) => Type::list(of.bound(bound)),
            Self::Map(key, value) => {
                Type::Map(Rc::new(key.bound(bound)), Rc::new(value.bound(bound)))
            }
            Self::Optional(of) => Type::optional(of.bound(bound)),
            Self::A => bound.a.clone().unwrap_or(Type::Dyn),
            Self::B => bound.b.clone().unwrap_or(Type::Dyn),
        }
    }

    fn takes_value(self, value: &Value) -> bool {
        match self {
            Self::Dyn | Self::A | Self::B => true,
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::Int => matches!(value, Value::Int(_)),
            Self::Uint => matches!(value, Value::Uint(_)),
            Self::Double => matches!(value, Value::Double(_)),
            Self::Text => matches!(value, Value::Text(_)),
            Self::Bytes => matches!(value, Value::Bytes(_)),
            Self::Time => matches!(value, Value::Time(_)),
            Self::Span => matches!(value, Value::Span(_)),
            Self::Type => matches!(value, Value::Type(_)),
            Self::Named(name) => value.type_name() == name,
            Self::List(of) => match value {
                Value::List(list) => list.items.iter().all(|item| of.takes_value(item)),
                _ => false,
            },
            Self::Map(..) => matches!(value, Value::Map(_)),
            Self::Optional(of) => match value {
                Value::Optional(held) => held.as_ref().is_none_or(|held| of.takes_value(held)),
                _ => false,
            },
        }
    }
}

/// Whether there is something in it that is not known.
fn is_open(of: &Type) -> bool {
    match of {
        Type::Dyn => true,
        Type::List(of) | Type::Optional(of) => is_open(of),
        Type::Map(key, value) => is_open(key) || is_open(value),
        _ => false,
    }
}
