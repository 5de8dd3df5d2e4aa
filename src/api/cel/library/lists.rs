//! What can be done with lists, and with lists as sets.
//!
//! Mirrors: `lists.go` of `apiserver/pkg/cel/library`, and CEL's sets.

use std::cmp::Ordering;

use super::operators::{equal, order};
use super::{Function, Meter, Of, Stop, Value, global, member};

const TWO: &[Of] = &[Of::List(&Of::A), Of::List(&Of::A)];

pub(super) const FUNCTIONS: &[Function] = &[
    member("isSorted", &[Of::List(&Of::Int)], Of::Bool, is_sorted),
    member("isSorted", &[Of::List(&Of::Uint)], Of::Bool, is_sorted),
    member("isSorted", &[Of::List(&Of::Double)], Of::Bool, is_sorted),
    member("isSorted", &[Of::List(&Of::Bool)], Of::Bool, is_sorted),
    member("isSorted", &[Of::List(&Of::Span)], Of::Bool, is_sorted),
    member("isSorted", &[Of::List(&Of::Time)], Of::Bool, is_sorted),
    member("isSorted", &[Of::List(&Of::Text)], Of::Bool, is_sorted),
    member("isSorted", &[Of::List(&Of::Bytes)], Of::Bool, is_sorted),
    member("sum", &[Of::List(&Of::Int)], Of::Int, sum),
    member("sum", &[Of::List(&Of::Uint)], Of::Uint, sum),
    member("sum", &[Of::List(&Of::Double)], Of::Double, sum),
    member("sum", &[Of::List(&Of::Span)], Of::Span, sum),
    member("max", &[Of::List(&Of::Int)], Of::Int, max),
    member("max", &[Of::List(&Of::Uint)], Of::Uint, max),
    member("max", &[Of::List(&Of::Double)], Of::Double, max),
    member("max", &[Of::List(&Of::Bool)], Of::Bool, max),
    member("max", &[Of::List(&Of::Span)], Of::Span, max),
    member("max", &[Of::List(&Of::Time)], Of::Time, max),
    member("max", &[Of::List(&Of::Text)], Of::Text, max),
    member("max", &[Of::List(&Of::Bytes)], Of::Bytes, max),
    member("min", &[Of::List(&Of::Int)], Of::Int, min),
    member("min", &[Of::List(&Of::Uint)], Of::Uint, min),
    member("min", &[Of::List(&Of::Double)], Of::Double, min),
    member("min", &[Of::List(&Of::Bool)], Of::Bool, min),
    member("min", &[Of::List(&Of::Span)], Of::Span, min),
    member("min", &[Of::List(&Of::Time)], Of::Time, min),
    member("min", &[Of::List(&Of::Text)], Of::Text, min),
    member("min", &[Of::List(&Of::Bytes)], Of::Bytes, min),
    member("indexOf", &[Of::List(&Of::A), Of::A], Of::Int, |meter, it| index_of(meter, it, false)),
    member("lastIndexOf", &[Of::List(&Of::A), Of::A], Of::Int, |meter, it| {
        index_of(meter, it, true)
    }),
    global("sets.contains", TWO, Of::Bool, |meter, it| match it {
        [one, two] => Ok(Value::Bool(has_all(meter, one, two)?)),
        _ => Err(Stop::no_overload()),
    }),
    global("sets.equivalent", TWO, Of::Bool, |meter, it| match it {
        [one, two] => Ok(Value::Bool(has_all(meter, one, two)? && has_all(meter, two, one)?)),
        _ => Err(Stop::no_overload()),
    }),
    global("sets.intersects", TWO, Of::Bool, |meter, it| {
        let [Value::List(one), Value::List(two)] = it else { return Err(Stop::no_overload()) };
        for item in &one.items {
            if has(meter, &two.items, item)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
];

fn items(it: &[Value]) -> Result<&[Value], Stop> {
    match it.first() {
        Some(Value::List(list)) => Ok(&list.items),
        Some(_) | None => Err(Stop::no_overload()),
    }
}

fn is_sorted(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    for pair in items(it)?.windows(2) {
        let [one, two] = pair else { continue };
        meter.spend(1)?;
        if order(meter, one, two)?.is_gt() {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn sum(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let mut items = items(it)?.iter();
    let Some(first) = items.next() else { return Ok(Value::Int(0)) };
    let mut sum = first.clone();
    let add = super::named("_+_", false).next().ok_or_else(Stop::no_overload)?.run;
    for item in items {
        meter.spend(1)?;
        sum = add(meter, &[sum, item.clone()])?;
    }
    Ok(sum)
}

fn max(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    extreme(meter, it, "max", Ordering::is_gt)
}

fn min(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    extreme(meter, it, "min", Ordering::is_lt)
}

fn extreme(
    meter: &mut Meter,
    it: &[Value],
    name: &str,
    is_better: fn(Ordering) -> bool,
) -> Result<Value, Stop> {
    let mut items = items(it)?.iter();
    let none = || Stop::failed([name, " called on empty list"].concat());
    let mut best = items.next().ok_or_else(none)?;
    for item in items {
        meter.spend(1)?;
        if is_better(order(meter, item, best)?) {
            best = item;
        }
    }
    Ok(best.clone())
}

fn index_of(meter: &mut Meter, it: &[Value], from_end: bool) -> Result<Value, Stop> {
    let [_, wanted] = it else { return Err(Stop::no_overload()) };
    let mut found = None;
    for (number, item) in items(it)?.iter().enumerate() {
        meter.spend(1)?;
        if equal(meter, item, wanted)? {
            found = Some(number);
            if !from_end {
                break;
            }
        }
    }
    Ok(found.map_or(Value::Int(-1), Value::count))
}

fn has(meter: &mut Meter, items: &[Value], wanted: &Value) -> Result<bool, Stop> {
    for item in items {
        if equal(meter, item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_all(meter: &mut Meter, list: &Value, wanted: &Value) -> Result<bool, Stop> {
    let (Value::List(list), Value::List(wanted)) = (list, wanted) else {
        return Err(Stop::no_overload());
    };
    for item in &wanted.items {
        if !has(meter, &list.items, item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
