//! Walks through objects, field by field: which there are, what differs, and how they are merged.
//!
//! Mirrors: `structured-merge-diff/typed` (`tofieldset.go`, `compare.go`, `merge.go`, `remove.go`).

use serde_json::{Map, Value};

use super::fields::Fields;
use super::place::Place;
use crate::sim::{SortedMap, SortedSet};

/// What differs between two objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    pub added: Fields,
    pub modified: Fields,
    pub removed: Fields,
}

impl Difference {
    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// Leaves out what is one step down.
    pub fn ignore(&mut self, step: Option<&str>) {
        for fields in [&mut self.added, &mut self.modified, &mut self.removed] {
            step.and_then(|step| fields.below.remove(step));
        }
    }

    fn put(&mut self, step: &str, below: Self) {
        self.added.put(step.into(), below.added);
        self.modified.put(step.into(), below.modified);
        self.removed.put(step.into(), below.removed);
    }
}

fn step(name: &str) -> Box<str> {
    ["f:", name].concat().into()
}

/// A value that has nothing in it: null, or an empty map.
fn is_hollow(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

/// All fields that `value` has.
pub fn fields_of(place: Place, value: &Value) -> Fields {
    let mut all = Fields::default();
    match value {
        Value::Object(map) if place.has_fields() => {
            for (name, value) in map {
                let mut below = fields_of(place.field(name), value);
                below.own |= is_hollow(value);
                all.put(step(name), below);
            }
        }
        Value::Array(items) if place.has_items() => {
            for item in items {
                let mut below = fields_of(place.item(), item);
                below.own = true;
                all.put(place.step_to(item), below);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => all.own = true,
    }
    all
}

/// What became of the parts of a value.
enum Parts<'a> {
    /// It has none that are owned by themselves, or neither side has any.
    Leaf,
    Fields(Option<&'a Map<String, Value>>, Option<&'a Map<String, Value>>),
    Items(&'a [Value], &'a [Value]),
}

fn parts<'a>(place: Place, old: Option<&'a Value>, new: Option<&'a Value>) -> Parts<'a> {
    let null = |value: Option<&Value>| value.is_none_or(Value::is_null);
    let map = |value: Option<&'a Value>| value.and_then(Value::as_object);
    let list = |value: Option<&'a Value>| value.and_then(Value::as_array);
    let (maps, lists) = ((map(old), map(new)), (list(old), list(new)));
    let filled = |map: Option<&Map<String, Value>>| map.is_some_and(|map| !map.is_empty());
    if place.has_fields()
        && (filled(maps.0) || filled(maps.1))
        && (maps.0.is_some() || null(old))
        && (maps.1.is_some() || null(new))
    {
        return Parts::Fields(maps.0, maps.1);
    }
    let items = |list: Option<&'a Vec<Value>>| list.map_or(&[][..], Vec::as_slice);
    let (before, after) = (items(lists.0), items(lists.1));
    if place.has_items()
        && !(before.is_empty() && after.is_empty())
        && (lists.0.is_some() || null(old))
        && (lists.1.is_some() || null(new))
    {
        return Parts::Items(before, after);
    }
    Parts::Leaf
}

/// What differs between `old` and `new`, of which one may not be there.
pub fn compare(place: Place, old: Option<&Value>, new: Option<&Value>) -> Difference {
    let mut difference = Difference::default();
    match parts(place, old, new) {
        Parts::Leaf => difference.modified.own = old.is_some() && new.is_some() && old != new,
        Parts::Fields(before, after) => {
            let names = before.into_iter().chain(after).flat_map(Map::keys);
            for name in names.collect::<SortedSet<&String>>().iter() {
                let (before, after) =
                    (before.and_then(|map| map.get(*name)), after.and_then(|map| map.get(*name)));
                difference.put(&step(name), compare(place.field(name), before, after));
            }
        }
        Parts::Items(before, after) => {
            let (before, after) = (index(place, before), index(place, after));
            let steps = before.keys().chain(after.keys());
            for step in steps.collect::<SortedSet<&Box<str>>>().iter() {
                let (before, after) = (before.get(*step).copied(), after.get(*step).copied());
                difference.put(step, compare(place.item(), before, after));
            }
        }
    }
    difference.added.own = old.is_none();
    difference.removed.own = new.is_none();
    difference
}

/// The items by what tells them apart; of equal ones the first.
fn index(place: Place, items: &[Value]) -> SortedMap<Box<str>, &Value> {
    let mut found = SortedMap::new();
    for item in items {
        found.or_insert_with(place.step_to(item), || item);
    }
    found
}

/// `live` with all that `config` says.
pub fn merge(place: Place, live: &Value, config: &Value) -> Value {
    match parts(place, Some(live), Some(config)) {
        Parts::Leaf => config.clone(),
        Parts::Fields(live, config) => {
            let mut merged = live.cloned().unwrap_or_default();
            for (name, value) in config.into_iter().flatten() {
                let value = match merged.get(name) {
                    Some(live) => merge(place.field(name), live, value),
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        Parts::Items(live, config) => merge_items(place, live, config).into(),
    }
}

/// The items of both lists: those of `config` in its order, and each that only `live` has behind the one
/// that it was behind.
fn merge_items(place: Place, live: &[Value], config: &[Value]) -> Vec<Value> {
    let (old, new) = (index(place, live), index(place, config));
    let mut merged = Vec::new();
    let mut left = live.iter().map(|item| (place.step_to(item), item)).peekable();
    for item in config {
        let step = place.step_to(item);
        let shared = old.contains_key(&step);
        // What stands before the same item in the live list comes before it here.
        while let Some((next, only)) = left.peek() {
            let is_kept = !new.contains_key(next);
            if !is_kept && shared && *next == step {
                left.next();
                break;
            }
            if !is_kept && !shared {
                break;
            }
            if is_kept {
                merged.push((*only).clone());
            }
            left.next();
        }
        merged.push(match old.get(&step) {
            Some(live) => merge(place.item(), live, item),
            None => item.clone(),
        });
    }
    merged.extend(left.filter(|(step, _)| !new.contains_key(step)).map(|(_, item)| item.clone()));
    merged
}

/// `value` without the fields in `gone`; none if nothing is left.
pub fn remove(place: Place, value: &Value, gone: &Fields) -> Option<Value> {
    match value {
        Value::Object(map) if place.has_fields() => {
            // Put in one by one: to collect them would compile a sort of its own.
            let mut kept = Map::new();
            for (name, value) in map {
                let gone = gone.below.get(&*step(name));
                if let Some(rest) = rest(place.field(name), value, gone) {
                    kept.insert(name.clone(), rest);
                }
            }
            (!kept.is_empty() || map.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) if place.has_items() => {
            let kept: Vec<Value> = items
                .iter()
                .filter_map(|item| rest(place.item(), item, gone.below.get(&*place.step_to(item))))
                .collect();
            (!kept.is_empty() || items.is_empty()).then_some(Value::Array(kept))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => Some(value.clone()),
    }
}

fn rest(place: Place, value: &Value, gone: Option<&Fields>) -> Option<Value> {
    match gone {
        None => Some(value.clone()),
        Some(gone) if gone.own => None,
        Some(gone) => remove(place, value, gone),
    }
}
