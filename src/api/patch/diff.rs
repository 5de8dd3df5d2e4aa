//! Finding a strategic merge patch: what `kubectl apply` and `kubectl edit` send.
//!
//! Mirrors: `apimachinery/pkg/util/strategicpatch` `diffMaps`, `CreateThreeWayMergePatch`.

use serde_json::{Map, Value, json};

use super::PatchError;
use super::lists::{PATCH, are_maps, compare, key_of, printed, sort_by};
use super::schema::{Schema, Strategy};
use super::strategic::{DELETE_FROM, Merge, ORDER, RETAIN};
use crate::sim::sort;

type Object = Map<String, Value>;

/// The patch that makes `modified` of `original`, both of the type `of`.
///
/// # Errors
///
/// An item of a merged list has no key, or items are of several types.
pub fn two_way(
    original: &Value,
    modified: &Value,
    schema: &dyn Schema,
    of: &str,
) -> Result<Value, PatchError> {
    let diff = Diff { schema, changes: true, deletions: true, retains: false };
    diff.maps(object(original)?, object(modified)?, of).map(Value::Object)
}

/// The patch that makes `modified` of `current`, but deletes only what was in `original`.
///
/// # Errors
///
/// As [`two_way`].
pub fn three_way(
    original: &Value,
    modified: &Value,
    current: &Value,
    schema: &dyn Schema,
    of: &str,
) -> Result<Value, PatchError> {
    let (original, modified) = (object(original)?, object(modified)?);
    let changes = Diff { schema, changes: true, deletions: false, retains: false };
    let delta = changes.maps(object(current)?, modified, of)?;
    let deletions = Diff { schema, changes: false, deletions: true, retains: false };
    let deleted = deletions.maps(original, modified, of)?;
    Merge { schema, applies: false }.maps(deleted, delta, of).map(Value::Object)
}

fn object(value: &Value) -> Result<&Object, PatchError> {
    let words = || PatchError::BadDirective("only maps can be compared".to_owned());
    value.as_object().ok_or_else(words)
}

/// Which differences are wanted.
#[derive(Clone, Copy)]
struct Diff<'a> {
    schema: &'a dyn Schema,
    /// What is new or other.
    changes: bool,
    /// What is gone.
    deletions: bool,
    /// Whether the map is a union, whose keys the patch lists.
    retains: bool,
}

impl Diff<'_> {
    fn maps(self, original: &Object, modified: &Object, of: &str) -> Result<Object, PatchError> {
        let mut patch = Object::new();
        for (key, value) in modified {
            let Some(own) = original.get(key) else {
                if self.changes {
                    patch.insert(key.clone(), value.clone());
                }
                continue;
            };
            self.member(&mut patch, key, own, value, of)?;
        }
        for key in original.keys().filter(|key| self.deletions && !modified.contains_key(*key)) {
            patch.insert(key.clone(), Value::Null);
        }
        if self.retains {
            let mut kept: Vec<Value> = modified
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, _)| Value::from(key.as_str()))
                .collect();
            let clears =
                original.iter().any(|(key, value)| !value.is_null() && !modified.contains_key(key));
            if !kept.is_empty() && (!patch.is_empty() || clears) {
                sort::by(&mut kept, compare);
                patch.insert(RETAIN.to_owned(), Value::Array(kept));
            }
        }
        Ok(patch)
    }

    fn member(
        self,
        patch: &mut Object,
        key: &str,
        original: &Value,
        modified: &Value,
        of: &str,
    ) -> Result<(), PatchError> {
        let field = self.schema.field(of, key);
        let inside = Self { retains: field.retain_keys, ..self };
        match (original, modified) {
            (Value::Object(own), Value::Object(value)) if field.strategy != Strategy::Replace => {
                let changes = inside.maps(own, value, field.of)?;
                if !changes.is_empty() {
                    patch.insert(key.to_owned(), Value::Object(changes));
                }
            }
            (Value::Array(own), Value::Array(value)) if field.strategy == Strategy::Merge => {
                let lists = inside.lists(own, value, field.of, field.key)?;
                for (name, list) in [
                    (key.to_owned(), lists.patch),
                    (format!("{DELETE_FROM}/{key}"), lists.deletions),
                    (format!("{ORDER}/{key}"), lists.order),
                ] {
                    if !list.is_empty() {
                        patch.insert(name, Value::Array(list));
                    }
                }
            }
            (own, value) if own != value && self.changes => {
                patch.insert(key.to_owned(), value.clone());
            }
            (_, _) => {}
        }
        Ok(())
    }

    fn lists(
        self,
        original: &[Value],
        modified: &[Value],
        of: &str,
        key: &str,
    ) -> Result<Lists, PatchError> {
        if original.is_empty() {
            let patch = if self.changes { modified.to_vec() } else { Vec::new() };
            return Ok(Lists { patch, ..Lists::default() });
        }
        if !are_maps(&[original, modified])? {
            return self.scalars(original, modified);
        }
        let (changes, deletions) = self.items(original, modified, of, key)?;
        let mut patch = sort_by(changes, modified, key)?;
        let same_order = original.len() == modified.len()
            && original.iter().zip(modified).all(|(one, other)| one.get(key) == other.get(key));
        patch.extend(deletions);
        let ordered = (self.changes && !same_order)
            || (!patch.is_empty() && (self.changes || self.deletions));
        let order = if ordered {
            let keys = modified.iter().map(|item| Ok(json!({ key: key_of(item, key)? })));
            keys.collect::<Result<_, PatchError>>()?
        } else {
            Vec::new()
        };
        Ok(Lists { patch, deletions: Vec::new(), order })
    }

    fn scalars(self, original: &[Value], modified: &[Value]) -> Result<Lists, PatchError> {
        let sorted = |list: &[Value]| {
            let mut list = list.to_vec();
            sort::by(&mut list, compare);
            list
        };
        let (added, mut deletions) = differences(sorted(original), sorted(modified));
        super::lists::deduplicate(&mut deletions);
        let patch = if self.changes { sort_by(added, modified, "")? } else { Vec::new() };
        if !self.deletions {
            deletions.clear();
        }
        let ordered = !deletions.is_empty() || (self.changes && original != modified);
        let order = if ordered { modified.to_vec() } else { Vec::new() };
        Ok(Lists { patch, deletions, order })
    }

    /// What changes in a list of maps: items that are new or other, and directives to delete.
    fn items(
        self,
        original: &[Value],
        modified: &[Value],
        of: &str,
        key: &str,
    ) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
        let sorted = |list: &[Value]| -> Result<Vec<(String, Value)>, PatchError> {
            let named = list.iter().map(|item| Ok((printed(key_of(item, key)?), item.clone())));
            let mut list = named.collect::<Result<Vec<_>, PatchError>>()?;
            sort::by(&mut list, |one, other| one.0.cmp(&other.0));
            Ok(list)
        };
        let (mut changes, mut deletions) = (Vec::new(), Vec::new());
        let mut own = sorted(original)?.into_iter().peekable();
        let mut new = sorted(modified)?.into_iter().peekable();
        loop {
            let order = match (own.peek(), new.peek()) {
                (None, None) => return Ok((changes, deletions)),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(own), Some(new)) => own.0.cmp(&new.0),
            };
            let own = if order.is_le() { own.next() } else { None };
            let new = if order.is_ge() { new.next() } else { None };
            match (own, new) {
                (Some((_, Value::Object(own))), Some((_, Value::Object(new)))) => {
                    let mut change = self.maps(&own, &new, of)?;
                    if !change.is_empty() {
                        change.insert(key.to_owned(), new.get(key).cloned().unwrap_or_default());
                        changes.push(Value::Object(change));
                    }
                }
                (None, Some((_, new))) if self.changes => changes.push(new),
                (Some((_, own)), None) if self.deletions => {
                    deletions.push(json!({ key: key_of(&own, key)?, PATCH: "delete" }));
                }
                (_, _) => {}
            }
        }
    }
}

/// What a list of a patch is made of.
#[derive(Default)]
struct Lists {
    patch: Vec<Value>,
    deletions: Vec<Value>,
    order: Vec<Value>,
}

/// What only the second and only the first of two sorted lists has.
fn differences(original: Vec<Value>, modified: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let (mut added, mut deleted) = (Vec::new(), Vec::new());
    let (mut own, mut new) = (original.into_iter().peekable(), modified.into_iter().peekable());
    loop {
        let order = match (own.peek(), new.peek()) {
            (None, None) => return (added, deleted),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(own), Some(new)) => compare(own, new),
        };
        let own = if order.is_le() { own.next() } else { None };
        let new = if order.is_ge() { new.next() } else { None };
        if order.is_lt() {
            deleted.extend(own);
        } else if order.is_gt() {
            added.extend(new);
        }
    }
}
