//! What differs between two versions of an object, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sim::sort;

/// A field that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    pub path: String,
    /// `None` if it was not there.
    pub before: Option<String>,
    /// `None` if it is gone.
    pub after: Option<String>,
}

/// The fields that differ, by path. What every write changes is left out.
pub fn between(before: &Value, after: &Value) -> Vec<FieldChange> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    flatten("", before, &mut old);
    flatten("", after, &mut new);
    let gone = old.iter().filter(|(path, _)| !new.contains_key(*path)).map(|(path, value)| {
        FieldChange { path: path.clone(), before: Some(value.clone()), after: None }
    });
    let other = new.iter().filter_map(|(path, value)| {
        let before = old.get(path).cloned();
        (before.as_ref() != Some(value)).then(|| FieldChange {
            path: path.clone(),
            before,
            after: Some(value.clone()),
        })
    });
    let mut changes: Vec<FieldChange> = gone.chain(other).collect();
    changes.retain(|change| {
        change.path != "metadata.resourceVersion"
            && !change.path.starts_with("metadata.managedFields")
    });
    sort::by(&mut changes, |one, two| one.path.cmp(&two.path));
    changes
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{name}"), field, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{path}[{}]", key_of(item, index)), item, into);
            }
        }
        Value::String(text) => {
            into.insert(path.to_owned(), text.clone());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            into.insert(path.to_owned(), value.to_string());
        }
    }
}

/// Conditions go by their type and containers by their name, so that a new one moves no other.
fn key_of(item: &Value, index: usize) -> String {
    let named = item.get("type").or_else(|| item.get("name")).and_then(Value::as_str);
    named.map_or_else(|| index.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"metadata": {"resourceVersion": "5"}, "spec": {"a": 1, "gone": true},
            "status": {"conditions": [{"type": "Ready", "status": "False"}]}});
        let after = json!({"metadata": {"resourceVersion": "6"}, "spec": {"a": 1, "nodeName": "n"},
            "status": {"conditions": [{"type": "New", "status": "True"}, {"type": "Ready", "status": "True"}]}});
        let said: Vec<_> = between(&before, &after)
            .into_iter()
            .map(|change| {
                (change.path, change.before.unwrap_or_default(), change.after.unwrap_or_default())
            })
            .collect();
        let want = [
            ("spec.gone", "true", ""),
            ("spec.nodeName", "", "n"),
            ("status.conditions[New].status", "", "True"),
            ("status.conditions[New].type", "", "New"),
            ("status.conditions[Ready].status", "False", "True"),
        ]
        .map(|(path, before, after)| (path.to_owned(), before.to_owned(), after.to_owned()));
        assert_eq!(said, want);
    }
}
