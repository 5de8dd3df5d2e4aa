//! Values that may not be there.

use super::{Function, Meter, Of, Stop, Value, global, member};

const MAYBE: Of = Of::Optional(&Of::A);

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.of", &[Of::A], MAYBE, |_, it| match it {
        [value] => Ok(Value::optional(Some(value.clone()))),
        _ => Err(Stop::no_overload()),
    }),
    global("optional.none", &[], Of::Optional(&Of::Dyn), |_, _| Ok(Value::optional(None))),
    global("optional.ofNonZeroValue", &[Of::A], MAYBE, |_, it| match it {
        [value] => Ok(Value::optional(Some(value.clone()).filter(|value| !is_zero(value)))),
        _ => Err(Stop::no_overload()),
    }),
    member("hasValue", &[MAYBE], Of::Bool, |_, it| match it {
        [Value::Optional(held)] => Ok(Value::Bool(held.is_some())),
        _ => Err(Stop::no_overload()),
    }),
    member("value", &[MAYBE], Of::A, |_, it| match it {
        [Value::Optional(Some(held))] => Ok(Value::clone(held)),
        [Value::Optional(None)] => Err(Stop::failed("optional.none() dereference")),
        _ => Err(Stop::no_overload()),
    }),
    member("or", &[MAYBE, MAYBE], MAYBE, |_, it| match it {
        [Value::Optional(None), other] => Ok(other.clone()),
        [own, _] => Ok(own.clone()),
        _ => Err(Stop::no_overload()),
    }),
    member("orValue", &[MAYBE, Of::A], Of::A, |_, it| match it {
        [Value::Optional(None), other] => Ok(other.clone()),
        [Value::Optional(Some(held)), _] => Ok(Value::clone(held)),
        _ => Err(Stop::no_overload()),
    }),
    global("_[?_]", &[Of::List(&Of::A), Of::Int], MAYBE, item),
    global("_[?_]", &[Of::Map(&Of::A, &Of::B), Of::A], Of::Optional(&Of::B), item),
    global("_[?_]", &[Of::Optional(&Of::List(&Of::A)), Of::Int], MAYBE, item),
    global("_[?_]", &[Of::Optional(&Of::Map(&Of::A, &Of::B)), Of::A], Of::Optional(&Of::B), item),
    global("_[_]", &[Of::Optional(&Of::List(&Of::A)), Of::Int], MAYBE, item),
    global("_[_]", &[Of::Optional(&Of::Map(&Of::A, &Of::B)), Of::A], Of::Optional(&Of::B), item),
];

/// An item that may not be there.
fn item(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [of, at] = it else { return Err(Stop::no_overload()) };
    let of = match of {
        Value::Optional(None) => return Ok(Value::optional(None)),
        Value::Optional(Some(held)) => held,
        other => other,
    };
    Ok(Value::optional(match (of, at) {
        (Value::List(list), Value::Int(at)) => {
            usize::try_from(*at).ok().and_then(|at| list.items.get(at)).cloned()
        }
        (Value::Map(map), key) => map.get(key).cloned(),
        _ => return Err(Stop::no_overload()),
    }))
}

/// Whether it is what a value of its type is when nothing is said.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Optional(None) => true,
        Value::Bool(truth) => !truth,
        Value::Int(number) => *number == 0,
        Value::Uint(number) => *number == 0,
        Value::Double(number) => *number == 0.0,
        Value::Text(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(list) => list.items.is_empty(),
        Value::Map(map) => map.entries().is_empty(),
        Value::Span(span) => span.is_zero(),
        Value::Optional(Some(_))
        | Value::Time(_)
        | Value::Type(_)
        | Value::Quantity(_)
        | Value::Ip(_)
        | Value::Cidr(_)
        | Value::Url(_)
        | Value::Format(_) => false,
    }
}
