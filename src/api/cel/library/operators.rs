//! What operators do.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Function, Meter, Of, Run, Stop, Value, global};

pub(super) const FUNCTIONS: &[Function] = &[
    global("!_", &[Of::Bool], Of::Bool, |_, it| match it {
        [Value::Bool(truth)] => Ok(Value::Bool(!truth)),
        _ => Err(Stop::no_overload()),
    }),
    global("-_", &[Of::Int], Of::Int, negate),
    global("-_", &[Of::Double], Of::Double, negate),
    global("_==_", &[Of::A, Of::A], Of::Bool, |meter, it| Ok(Value::Bool(is_equal(meter, it)?))),
    global("_!=_", &[Of::A, Of::A], Of::Bool, |meter, it| Ok(Value::Bool(!is_equal(meter, it)?))),
    global("@in", &[Of::A, Of::List(&Of::A)], Of::Bool, is_in),
    global("@in", &[Of::A, Of::Map(&Of::A, &Of::B)], Of::Bool, is_in),
    global("_[_]", &[Of::List(&Of::A), Of::Int], Of::A, item),
    global("_[_]", &[Of::Map(&Of::A, &Of::B), Of::A], Of::B, item),
    global("_+_", &[Of::Int, Of::Int], Of::Int, plus),
    global("_+_", &[Of::Uint, Of::Uint], Of::Uint, plus),
    global("_+_", &[Of::Double, Of::Double], Of::Double, plus),
    global("_+_", &[Of::Text, Of::Text], Of::Text, plus),
    global("_+_", &[Of::Bytes, Of::Bytes], Of::Bytes, plus),
    global("_+_", &[Of::List(&Of::A), Of::List(&Of::A)], Of::List(&Of::A), plus),
    global("_+_", &[Of::Span, Of::Span], Of::Span, plus),
    global("_+_", &[Of::Time, Of::Span], Of::Time, plus),
    global("_+_", &[Of::Span, Of::Time], Of::Time, plus),
    global("_-_", &[Of::Int, Of::Int], Of::Int, minus),
    global("_-_", &[Of::Uint, Of::Uint], Of::Uint, minus),
    global("_-_", &[Of::Double, Of::Double], Of::Double, minus),
    global("_-_", &[Of::Span, Of::Span], Of::Span, minus),
    global("_-_", &[Of::Time, Of::Span], Of::Time, minus),
    global("_-_", &[Of::Time, Of::Time], Of::Span, minus),
    global("_*_", &[Of::Int, Of::Int], Of::Int, times),
    global("_*_", &[Of::Uint, Of::Uint], Of::Uint, times),
    global("_*_", &[Of::Double, Of::Double], Of::Double, times),
    global("_/_", &[Of::Int, Of::Int], Of::Int, by),
    global("_/_", &[Of::Uint, Of::Uint], Of::Uint, by),
    global("_/_", &[Of::Double, Of::Double], Of::Double, by),
    global("_%_", &[Of::Int, Of::Int], Of::Int, rest),
    global("_%_", &[Of::Uint, Of::Uint], Of::Uint, rest),
];

/// What a comparison says of an order.
pub fn comparison(operator: &str) -> Option<fn(Ordering) -> bool> {
    Some(match operator {
        "_<_" => Ordering::is_lt,
        "_<=_" => Ordering::is_le,
        "_>_" => Ordering::is_gt,
        "_>=_" => Ordering::is_ge,
        _ => return None,
    })
}

/// Which types can be compared.
pub const COMPARED: &[Function] = &[
    compared(&[Of::Bool, Of::Bool]),
    compared(&[Of::Int, Of::Int]),
    compared(&[Of::Int, Of::Uint]),
    compared(&[Of::Int, Of::Double]),
    compared(&[Of::Uint, Of::Uint]),
    compared(&[Of::Uint, Of::Int]),
    compared(&[Of::Uint, Of::Double]),
    compared(&[Of::Double, Of::Double]),
    compared(&[Of::Double, Of::Int]),
    compared(&[Of::Double, Of::Uint]),
    compared(&[Of::Text, Of::Text]),
    compared(&[Of::Bytes, Of::Bytes]),
    compared(&[Of::Time, Of::Time]),
    compared(&[Of::Span, Of::Span]),
];

const fn compared(takes: &'static [Of]) -> Function {
    const NONE: Run = |_, _| Err(Stop::no_overload());
    global("_<_", takes, Of::Bool, NONE)
}

/// The order of two values.
///
/// # Errors
///
/// They have none.
pub fn order(meter: &mut Meter, one: &Value, other: &Value) -> Result<Ordering, Stop> {
    meter.read(one.size().min(other.size()))?;
    match (one, other) {
        // Not a number is neither more nor less than anything.
        (Value::Double(number), _) | (_, Value::Double(number)) if number.is_nan() => {
            Err(Stop::failed("NaN values cannot be ordered"))
        }
        _ => one.compare(other).ok_or_else(Stop::no_overload),
    }
}

fn is_equal(meter: &mut Meter, it: &[Value]) -> Result<bool, Stop> {
    let [one, other] = it else { return Err(Stop::no_overload()) };
    equal(meter, one, other)
}

/// Whether two values are equal.
///
/// # Errors
///
/// Looking at them costs too much.
pub fn equal(meter: &mut Meter, one: &Value, other: &Value) -> Result<bool, Stop> {
    const MOST: usize = 1 << 21;
    let (own, others) = (one.weight(MOST), other.weight(MOST));
    let is_keyed = |value: &Value| {
        matches!(value, Value::List(list)
            if !matches!(list.identity, crate::api::cel::value::Identity::Place))
    };
    let cost = if is_keyed(one) { own.saturating_mul(others) } else { own.min(others) };
    meter.spend(cost)?;
    Ok(one.equals(other))
}

fn is_in(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    match it {
        [value, Value::List(list)] => {
            for item in &list.items {
                if equal(meter, value, item)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        [key, Value::Map(map)] => Ok(Value::Bool(map.get(key).is_some())),
        _ => Err(Stop::no_overload()),
    }
}

fn item(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    match it {
        [Value::List(list), Value::Int(at)] => {
            let found = usize::try_from(*at).ok().and_then(|at| list.items.get(at));
            found.cloned().ok_or_else(|| Stop::failed(format!("index out of bounds: {at}")))
        }
        [Value::Map(map), key] => map
            .get(key)
            .cloned()
            .ok_or_else(|| Stop::failed(["no such key: ", &super::values::shown(key)].concat())),
        _ => Err(Stop::no_overload()),
    }
}

fn overflow<T>(of: &str, value: Option<T>) -> Result<T, Stop> {
    value.ok_or_else(|| Stop::failed([of, " overflow"].concat()))
}

fn negate(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    match it {
        [Value::Int(number)] => overflow("integer", number.checked_neg()).map(Value::Int),
        [Value::Double(number)] => Ok(Value::Double(-number)),
        _ => Err(Stop::no_overload()),
    }
}

fn plus(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [one, other] = it else { return Err(Stop::no_overload()) };
    Ok(match (one, other) {
        (Value::Int(one), Value::Int(two)) => {
            Value::Int(overflow("integer", one.checked_add(*two))?)
        }
        (Value::Uint(one), Value::Uint(two)) => {
            Value::Uint(overflow("unsigned integer", one.checked_add(*two))?)
        }
        (Value::Double(one), Value::Double(two)) => Value::Double(one + two),
        (Value::Text(one), Value::Text(two)) => {
            meter.read(one.len() + two.len())?;
            [&**one, &**two].concat().into()
        }
        (Value::Bytes(one), Value::Bytes(two)) => {
            meter.read(one.len() + two.len())?;
            Value::Bytes([&**one, &**two].concat().into())
        }
        (Value::List(one), Value::List(two)) => {
            let is_plain = matches!(one.identity, crate::api::cel::value::Identity::Place);
            let (own, others) = (one.items.len(), two.items.len());
            meter.spend(if is_plain { own + others } else { own.saturating_mul(others) })?;
            Value::List(Rc::new(one.plus(two)))
        }
        (Value::Span(one), Value::Span(two)) => {
            Value::Span(overflow("integer", one.checked_add(*two))?)
        }
        (Value::Time(at), Value::Span(span)) | (Value::Span(span), Value::Time(at)) => {
            Value::Time(overflow("timestamp", at.checked_add(*span).ok())?)
        }
        _ => return Err(Stop::no_overload()),
    })
}

fn minus(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [one, other] = it else { return Err(Stop::no_overload()) };
    Ok(match (one, other) {
        (Value::Int(one), Value::Int(two)) => {
            Value::Int(overflow("integer", one.checked_sub(*two))?)
        }
        (Value::Uint(one), Value::Uint(two)) => {
            Value::Uint(overflow("unsigned integer", one.checked_sub(*two))?)
        }
        (Value::Double(one), Value::Double(two)) => Value::Double(one - two),
        (Value::Span(one), Value::Span(two)) => {
            Value::Span(overflow("integer", one.checked_sub(*two))?)
        }
        (Value::Time(at), Value::Span(span)) => {
            Value::Time(overflow("timestamp", at.checked_sub(*span).ok())?)
        }
        (Value::Time(one), Value::Time(two)) => Value::Span(one.duration_since(*two)),
        _ => return Err(Stop::no_overload()),
    })
}

fn times(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [one, other] = it else { return Err(Stop::no_overload()) };
    Ok(match (one, other) {
        (Value::Int(one), Value::Int(two)) => {
            Value::Int(overflow("integer", one.checked_mul(*two))?)
        }
        (Value::Uint(one), Value::Uint(two)) => {
            Value::Uint(overflow("unsigned integer", one.checked_mul(*two))?)
        }
        (Value::Double(one), Value::Double(two)) => Value::Double(one * two),
        _ => return Err(Stop::no_overload()),
    })
}

fn by(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [one, other] = it else { return Err(Stop::no_overload()) };
    Ok(match (one, other) {
        (_, Value::Int(0) | Value::Uint(0)) => return Err(Stop::failed("division by zero")),
        (Value::Int(one), Value::Int(two)) => {
            Value::Int(overflow("integer", one.checked_div(*two))?)
        }
        (Value::Uint(one), Value::Uint(two)) => {
            Value::Uint(overflow("unsigned integer", one.checked_div(*two))?)
        }
        (Value::Double(one), Value::Double(two)) => Value::Double(one / two),
        _ => return Err(Stop::no_overload()),
    })
}

fn rest(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [one, other] = it else { return Err(Stop::no_overload()) };
    Ok(match (one, other) {
        (_, Value::Int(0) | Value::Uint(0)) => return Err(Stop::failed("modulus by zero")),
        (Value::Int(one), Value::Int(two)) => {
            Value::Int(overflow("integer", one.checked_rem(*two))?)
        }
        (Value::Uint(one), Value::Uint(two)) => {
            Value::Uint(overflow("unsigned integer", one.checked_rem(*two))?)
        }
        _ => return Err(Stop::no_overload()),
    })
}
