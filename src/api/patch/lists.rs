//! Lists whose items are told apart by a key, or by themselves.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::PatchError;
use crate::api::text::go_syntax;
use crate::sim::sort;

/// What says of a map that it is a directive.
pub(super) const PATCH: &str = "$patch";

/// The map that an item of a merged list must be.
pub(super) fn as_map(item: &Value) -> Result<&Map<String, Value>, PatchError> {
    item.as_object().ok_or_else(|| {
        PatchError::Odd(format!("expected a map in a list that is merged by key, but got {item}"))
    })
}

/// The value of an item's key.
pub(super) fn key_of<'a>(item: &'a Value, key: &str) -> Result<&'a Value, PatchError> {
    as_map(item)?
        .get(key)
        .ok_or_else(|| PatchError::NoMergeKey { map: go_syntax(item), key: key.to_owned() })
}

/// By what an item is told apart; `key` is empty for items that are no maps.
fn identity<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    if key.is_empty() { Some(item) } else { item.get(key) }
}

pub(super) fn position(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    let wanted = identity(item, key);
    list.iter().position(|other| identity(other, key) == wanted)
}

/// A scalar as Go prints it, which is how scalars are ordered.
pub(super) fn printed(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether the items are maps; all must be alike, and none a list.
pub(super) fn are_maps(lists: &[&[Value]]) -> Result<bool, PatchError> {
    let mut items = lists.iter().copied().flatten();
    let Some(first) = items.next() else {
        return Err(PatchError::Odd("no elements in any of the given slices".to_owned()));
    };
    if first.is_array() {
        return Err(PatchError::BadList("lists of lists are not supported".to_owned()));
    }
    if items.any(|item| std::mem::discriminant(item) != std::mem::discriminant(first)) {
        return Err(PatchError::Odd("list element types are not identical".to_owned()));
    }
    Ok(first.is_object())
}

/// Whether an item asks for its like to be deleted.
pub(super) fn deletes(item: &Value) -> bool {
    item.get(PATCH).and_then(Value::as_str) == Some("delete")
}

/// Sorts a list by another one; deletions go last.
pub(super) fn sort_by(
    list: Vec<Value>,
    order: &[Value],
    key: &str,
) -> Result<Vec<Value>, PatchError> {
    if !key.is_empty() {
        list.iter().chain(order).try_for_each(|item| key_of(item, key).map(drop))?;
    }
    let (deletions, kept): (Vec<_>, Vec<_>) =
        list.into_iter().partition(|item| !key.is_empty() && deletes(item));
    let mut ranked: Vec<(Option<usize>, Value)> =
        kept.into_iter().map(|item| (position(order, &item, key), item)).collect();
    if ranked.iter().all(|(rank, _)| rank.is_some()) {
        sort::by_key(&mut ranked, |(rank, _)| *rank);
    } else {
        insertion_sort(&mut ranked);
    }
    Ok(ranked.into_iter().map(|(_, item)| item).chain(deletions).collect())
}

/// Go's stable sort of short lists, with upstream's odd comparison: an item without a rank comes
/// before every item that stands before it. Only so does its order come out the same.
fn insertion_sort(items: &mut [(Option<usize>, Value)]) {
    for end in 1..items.len() {
        for at in (1..=end).rev() {
            let ranks = (items.get(at).map(|item| item.0), items.get(at - 1).map(|item| item.0));
            let less = match ranks {
                (Some(Some(this)), Some(Some(before))) => this < before,
                _ => true,
            };
            if !less {
                break;
            }
            items.swap(at, at - 1);
        }
    }
}

/// Weaves `left` into `right`, each in its own order; between them `order` decides where it can.
pub(super) fn weave(left: Vec<Value>, right: Vec<Value>, order: &[Value], key: &str) -> Vec<Value> {
    let mut woven = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let left_first = match (left.peek(), right.peek()) {
            (None, None) => return woven,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(one), Some(other)) => {
                let ranks = (position(order, one, key), position(order, other, key));
                matches!(ranks, (Some(one), Some(other)) if one < other)
            }
        };
        woven.extend(if left_first { left.next() } else { right.next() });
    }
}

/// Leaves each scalar once; the last one fills the gap, as upstream does it.
pub(super) fn deduplicate(list: &mut Vec<Value>) {
    let mut first = 0;
    while first < list.len() {
        let mut next = first + 1;
        while next < list.len() {
            if list.get(first) == list.get(next) {
                list.swap_remove(next);
            } else {
                next += 1;
            }
        }
        first += 1;
    }
}

/// The order of two scalars.
pub(super) fn compare(one: &Value, other: &Value) -> Ordering {
    printed(one).cmp(&printed(other))
}
