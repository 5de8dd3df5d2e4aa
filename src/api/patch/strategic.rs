//! Applying a strategic merge patch.
//!
//! Mirrors: `apimachinery/pkg/util/strategicpatch` `mergeMap`.

use serde_json::{Map, Value};

use super::PatchError;
use super::lists::{
    PATCH, are_maps, as_map, deduplicate, deletes, key_of, position, sort_by, weave,
};
use super::schema::{Field, Schema, Strategy};
use crate::api::text::go_syntax;

pub(super) const DELETE_FROM: &str = "$deleteFromPrimitiveList";
pub(super) const ORDER: &str = "$setElementOrder";
pub(super) const RETAIN: &str = "$retainKeys";

type Object = Map<String, Value>;

/// Applies `patch` to an object of the type `of`, such as `core.Pod`.
///
/// # Errors
///
/// A directive of the patch makes no sense, or an item of a merged list has no key.
pub fn strategic_merge(
    object: Value,
    patch: Value,
    schema: &dyn Schema,
    of: &str,
) -> Result<Value, PatchError> {
    let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
        return Err(PatchError::BadDirective("a patch and its object are maps".to_owned()));
    };
    Merge { schema, applies: true }.maps(object, patch, of).map(Value::Object)
}

/// How two maps are merged.
#[derive(Clone, Copy)]
pub(super) struct Merge<'a> {
    pub schema: &'a dyn Schema,
    /// Whether a patch is applied to an object. Else it is merged into another patch, and the
    /// directives and nulls of both are kept.
    pub applies: bool,
}

impl Merge<'_> {
    pub(super) fn maps(
        self,
        object: Object,
        mut patch: Object,
        of: &str,
    ) -> Result<Object, PatchError> {
        let directive = patch.remove(PATCH);
        match directive.as_ref().map(|directive| directive.as_str().unwrap_or_default()) {
            None => {}
            Some("replace") => return Ok(patch),
            Some("delete") => return Ok(Object::new()),
            Some(other) => {
                let other = other.to_owned();
                patch.extend(directive.map(|directive| (PATCH.to_owned(), directive)));
                return Err(unknown(&other, &Value::Object(patch)));
            }
        }
        let mut object = object;
        self.retain_keys(&mut object, &mut patch)?;
        self.ordered_lists(&mut object, &mut patch, of)?;
        for (key, value) in patch {
            self.member(&mut object, key, value, of)?;
        }
        Ok(object)
    }

    fn member(
        self,
        object: &mut Object,
        key: String,
        value: Value,
        of: &str,
    ) -> Result<(), PatchError> {
        let mut deletes = false;
        let key = match directed(&key, DELETE_FROM)? {
            Some(_) if !self.applies => {
                object.insert(key, value);
                return Ok(());
            }
            Some(list) => {
                deletes = true;
                list.to_owned()
            }
            None => key,
        };
        if value.is_null() {
            object.remove(&key);
            if self.applies {
                return Ok(());
            }
        }
        let field = self.schema.field(of, &key);
        let is_replaced = field.strategy == Strategy::Replace;
        let own = object.remove(&key);
        let merged = match (own, value) {
            (Some(Value::Object(_)), Value::Object(value)) if is_replaced => {
                Some(Value::Object(value))
            }
            (Some(Value::Object(own)), Value::Object(value)) => {
                Some(Value::Object(self.maps(own, value, field.of)?))
            }
            (Some(Value::Array(mut own)), Value::Array(value)) => {
                let merges = field.strategy == Strategy::Merge || deletes;
                let list =
                    if merges { self.lists(&mut own, value, &field, deletes)? } else { value };
                Some(Value::Array(list))
            }
            (own, _) if deletes => own,
            (_, mut value) => {
                if self.applies {
                    discard_nulls(&mut value);
                }
                without_directives(value)
            }
        };
        if let Some(merged) = merged {
            object.insert(key, merged);
        }
        Ok(())
    }

    /// Clears what a union does not name.
    fn retain_keys(self, object: &mut Object, patch: &mut Object) -> Result<(), PatchError> {
        let Some(retained) = patch.remove(RETAIN) else { return Ok(()) };
        if !self.applies {
            let own = object.entry(RETAIN).or_insert_with(|| retained.clone());
            let words = "two patches retain different keys of one map";
            return if *own == retained { Ok(()) } else { Err(bad(words)) };
        }
        let words = "invalid patch format of retainKeys";
        let Value::Array(retained) = retained else { return Err(bad(words)) };
        let is_retained = |key: &str| retained.iter().any(|name| name == key);
        let is_named = |(key, value): (&String, &Value)| {
            let directive = key.starts_with(DELETE_FROM) || key.starts_with(ORDER);
            value.is_null() || directive || is_retained(key)
        };
        if !patch.iter().all(is_named) {
            let words = "patch content doesn't match retainKeys list";
            return Err(PatchError::BadList(words.to_owned()));
        }
        object.retain(|key, _| is_retained(key));
        Ok(())
    }

    /// Merges each list that has an order given, so that it ends up in that order.
    fn ordered_lists(
        self,
        object: &mut Object,
        patch: &mut Object,
        of: &str,
    ) -> Result<(), PatchError> {
        let directives: Vec<String> =
            patch.keys().filter(|key| key.starts_with(ORDER)).cloned().collect();
        for directive in directives {
            let Some(Value::Array(order)) = patch.remove(&directive) else {
                return Err(bad("invalid patch format of setElementOrder list"));
            };
            if !self.applies {
                let own = object.entry(&directive).or_insert_with(|| order.clone().into());
                if own.as_array() != Some(&order) {
                    return Err(bad("invalid patch format of setElementOrder list"));
                }
            }
            let Some(key) = directed(&directive, ORDER)? else { continue };
            let field = self.schema.field(of, key);
            let (own, value) = (taken(object, key)?, taken(patch, key)?);
            fits_order(value.as_deref().unwrap_or_default(), &order, field.key)?;
            let Some(value) = value else {
                let Some(own) = own else { continue };
                are_maps(&[&own])?;
                let list = in_order(own.clone(), &order, &own, field.key)?;
                object.insert(key.to_owned(), Value::Array(list));
                continue;
            };
            are_maps(&[own.as_deref().unwrap_or_default(), &value])?;
            let is_new = own.is_none();
            let mut live = own.unwrap_or_default();
            let merged = if is_new {
                value.into_iter().filter_map(without_directives).collect()
            } else if field.strategy == Strategy::Merge {
                self.lists(&mut live, value, &field, false)?
            } else {
                value
            };
            let list = in_order(merged, &order, &live, field.key)?;
            object.insert(key.to_owned(), Value::Array(list));
        }
        Ok(())
    }

    /// The items of both lists. `own` is left as upstream leaves its array: new items stand where
    /// deleted ones made room, and with an order given, that is seen.
    fn lists(
        self,
        own: &mut Vec<Value>,
        patch: Vec<Value>,
        field: &Field<'_>,
        deletes: bool,
    ) -> Result<Vec<Value>, PatchError> {
        if own.is_empty() && patch.is_empty() {
            return Ok(Vec::new());
        }
        if !are_maps(&[own, &patch])? {
            if self.applies && deletes {
                return Ok(own.iter().filter(|item| !patch.contains(item)).cloned().collect());
            }
            let mut merged = own.clone();
            merged.extend(patch.iter().cloned());
            deduplicate(&mut merged);
            return in_order(merged, &patch, own, field.key);
        }
        if field.key.is_empty() {
            return Err(odd("cannot merge lists without merge key"));
        }
        // What is merged has lost its directives, so the patch is compared without them.
        let (kept, patch) = directives(own.clone(), patch, field.key)?;
        let mut merged = kept.clone();
        for item in &patch {
            key_of(item, field.key)?;
            merged.iter().try_for_each(|item| as_map(item).map(drop))?;
            let alike = position(&merged, item, field.key).and_then(|at| merged.get_mut(at));
            match (alike, item) {
                (Some(slot), Value::Object(item)) => {
                    let Value::Object(own) = slot.take() else { continue };
                    *slot = Value::Object(self.maps(own, item.clone(), field.of)?);
                }
                (_, item) => merged.push(item.clone()),
            }
        }
        *own = merged.iter().take(own.len()).cloned().collect();
        in_order(merged, &patch, &kept, field.key)
    }
}

/// Drops the nulls in what is a new one: they delete nothing.
fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(discard_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is new, without the directives in it; nothing if it is one itself.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => None,
        Value::Object(map) => {
            let members = map.into_iter();
            let kept = members.filter_map(|(key, value)| Some((key, without_directives(value)?)));
            let mut object = Map::new();
            object.extend(kept);
            Some(Value::Object(object))
        }
        Value::Array(list) => {
            Some(Value::Array(list.into_iter().filter_map(without_directives).collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value),
    }
}

/// Follows the directives in a list of maps: deletes from the own items, or drops them all.
fn directives(
    mut own: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let mut rest = Vec::with_capacity(patch.len());
    let mut replaces = false;
    for item in patch {
        let Some(directive) = as_map(&item)?.get(PATCH) else {
            rest.push(item);
            continue;
        };
        match directive.as_str().unwrap_or_default() {
            "delete" => {
                let value = key_of(&item, key)?;
                own.iter().try_for_each(|item| as_map(item).map(drop))?;
                own.retain(|item| item.get(key) != Some(value));
            }
            "replace" => replaces = true,
            "merge" => return Err(odd("merging lists cannot yet be specified in the patch")),
            other => return Err(unknown(other, &item)),
        }
    }
    Ok(if replaces { (rest, Vec::new()) } else { (own, rest) })
}

/// Puts the items that `order` names in that order, and the others where they were in `live`.
fn in_order(
    list: Vec<Value>,
    order: &[Value],
    live: &[Value],
    key: &str,
) -> Result<Vec<Value>, PatchError> {
    if !key.is_empty() {
        list.iter().try_for_each(|item| key_of(item, key).map(drop))?;
    }
    let (named, others): (Vec<_>, Vec<_>) =
        list.into_iter().partition(|item| position(order, item, key).is_some());
    let named = sort_by(named, order, key)?;
    let others = sort_by(others, live, key)?;
    Ok(weave(others, named, live, key))
}

/// Checks that a list has its items in the order given for it.
fn fits_order(list: &[Value], order: &[Value], key: &str) -> Result<(), PatchError> {
    if list.is_empty() || order.is_empty() {
        return Ok(());
    }
    let same = |item: &Value, other: &Value| -> Result<bool, PatchError> {
        if key.is_empty() {
            return Ok(item == other);
        }
        Ok(key_of(item, key)? == key_of(other, key)?)
    };
    let mut items = list.iter().filter(|item| key.is_empty() || !deletes(item)).peekable();
    let mut order_left = order.iter();
    while let Some(item) = items.peek() {
        if item.get(PATCH).is_some() {
            items.next();
            continue;
        }
        let Some(next) = order_left.next() else {
            let (list, order) = (Value::from(list), Value::from(order));
            let words = "the order in patch list:";
            return Err(odd(&format!("{words}\n{list}\n doesn't match {ORDER} list:\n{order}")));
        };
        if same(item, next)? {
            items.next();
        }
    }
    Ok(())
}

/// Takes a list out of a map.
fn taken(map: &mut Object, key: &str) -> Result<Option<Vec<Value>>, PatchError> {
    match map.remove(key) {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(other) => Err(odd(&format!("expected a list in {key}, but got {other}"))),
    }
}

/// The list that a directive such as `$setElementOrder/ports` is about.
fn directed<'a>(key: &'a str, prefix: &str) -> Result<Option<&'a str>, PatchError> {
    let Some(rest) = key.strip_prefix(prefix) else { return Ok(None) };
    let list = rest.strip_prefix('/');
    let what = if prefix == ORDER { "setElementOrder" } else { "primitive" };
    list.map(Some).ok_or_else(|| bad(&format!("invalid patch format of {what} list")))
}

fn bad(words: &str) -> PatchError {
    PatchError::BadDirective(words.to_owned())
}

fn odd(words: &str) -> PatchError {
    PatchError::Odd(words.to_owned())
}

fn unknown(directive: &str, map: &Value) -> PatchError {
    odd(&format!("unknown patch type: {directive} in map: {}", go_syntax(map)))
}
