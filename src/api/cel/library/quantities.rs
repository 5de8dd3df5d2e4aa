//! Quantities, such as `500m` and `2Gi`.
//!
//! Mirrors: `quantity.go` of `apiserver/pkg/cel/library`.

use std::rc::Rc;

use super::{Function, Meter, Of, Stop, Value, global, member};
use crate::api::quantity::{Format, Quantity};

const QUANTITY: Of = Of::Named("kubernetes.Quantity");
const TWO: &[Of] = &[QUANTITY, QUANTITY];

pub(super) const FUNCTIONS: &[Function] = &[
    global("quantity", &[Of::Text], QUANTITY, |meter, it| {
        let [Value::Text(text)] = it else { return Err(Stop::no_overload()) };
        meter.read(text.len())?;
        match Quantity::parse(text) {
            Ok(quantity) => Ok(Value::Quantity(Rc::new(quantity))),
            Err(why) => Err(Stop::failed(why.to_string())),
        }
    }),
    global("isQuantity", &[Of::Text], Of::Bool, |meter, it| {
        let [Value::Text(text)] = it else { return Err(Stop::no_overload()) };
        meter.read(text.len())?;
        Ok(Value::Bool(Quantity::parse(text).is_ok()))
    }),
    member("sign", &[QUANTITY], Of::Int, |_, it| {
        of(it, |quantity| {
            let (number, _) = quantity.unscaled();
            Ok(Value::Int(i64::try_from(number.signum()).unwrap_or_default()))
        })
    }),
    member("isInteger", &[QUANTITY], Of::Bool, |_, it| {
        of(it, |quantity| Ok(Value::Bool(integer(quantity).is_some())))
    }),
    member("asInteger", &[QUANTITY], Of::Int, |_, it| {
        of(it, |quantity| {
            let words = "cannot convert value to integer";
            integer(quantity).map(Value::Int).ok_or_else(|| Stop::failed(words))
        })
    }),
    member("asApproximateFloat", &[QUANTITY], Of::Double, |_, it| {
        of(it, |quantity| Ok(Value::Double(quantity.to_f64())))
    }),
    member("isGreaterThan", TWO, Of::Bool, |_, it| {
        of_two(it, |one, two| Value::Bool(one.cmp(two).is_gt()))
    }),
    member("isLessThan", TWO, Of::Bool, |_, it| {
        of_two(it, |one, two| Value::Bool(one.cmp(two).is_lt()))
    }),
    member("compareTo", TWO, Of::Int, |_, it| {
        of_two(it, |one, two| Value::Int(one.cmp(two) as i64))
    }),
    member("add", TWO, QUANTITY, plus),
    member("add", &[QUANTITY, Of::Int], QUANTITY, plus),
    member("sub", TWO, QUANTITY, minus),
    member("sub", &[QUANTITY, Of::Int], QUANTITY, minus),
];

/// Its whole units, if it has nothing but those.
fn integer(quantity: &Quantity) -> Option<i64> {
    let whole = Quantity::new(quantity.value(), quantity.format());
    (whole == *quantity).then(|| quantity.value())
}

fn of(it: &[Value], of: fn(&Quantity) -> Result<Value, Stop>) -> Result<Value, Stop> {
    let [Value::Quantity(quantity)] = it else { return Err(Stop::no_overload()) };
    of(quantity)
}

fn of_two(it: &[Value], of: fn(&Quantity, &Quantity) -> Value) -> Result<Value, Stop> {
    let [Value::Quantity(one), Value::Quantity(two)] = it else { return Err(Stop::no_overload()) };
    Ok(of(one, two))
}

fn both(it: &[Value]) -> Result<(Quantity, Quantity), Stop> {
    match it {
        [Value::Quantity(one), Value::Quantity(two)] => {
            Ok((Quantity::clone(one), Quantity::clone(two)))
        }
        [Value::Quantity(one), Value::Int(two)] => {
            Ok((Quantity::clone(one), Quantity::new(*two, Format::DecimalSi)))
        }
        _ => Err(Stop::no_overload()),
    }
}

fn plus(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (mut one, two) = both(it)?;
    one.add(&two);
    Ok(Value::Quantity(Rc::new(one)))
}

fn minus(_: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let (mut one, two) = both(it)?;
    one.sub(&two);
    Ok(Value::Quantity(Rc::new(one)))
}
