//! A set of an object's fields, as `managedFields` writes it.
//!
//! Mirrors: `structured-merge-diff/fieldpath/set.go` and `serialize.go`. There a set has members and
//! children apart; here a field knows whether it is a member itself, which is how it is written, too.

use serde_json::Value;

use crate::sim::SortedMap;

/// Fields of an object: whether the one at hand belongs to the set, and which below it do.
///
/// A step down is named as `FieldsV1` does: `f:name` of a map, `k:{"name":"web"}` of a list whose items
/// have keys, `v:"text"` of a list that is a set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    pub own: bool,
    pub below: SortedMap<Box<str>, Fields>,
}

impl Fields {
    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        !self.own && self.below.is_empty()
    }

    /// Adds what is one step down, unless that is nothing.
    pub fn put(&mut self, step: Box<str>, below: Self) {
        if !below.is_empty() {
            self.below.insert(step, below);
        }
    }

    /// Adds all that is in `other`.
    pub fn add(&mut self, other: &Self) {
        self.own |= other.own;
        for (step, below) in &other.below {
            self.below.or_default(step.clone()).add(below);
        }
    }

    /// Takes out all that is in `other`.
    pub fn take_out(&mut self, other: &Self) {
        self.own &= !other.own;
        self.below.retain(|step, below| {
            if let Some(other) = other.below.get(step) {
                below.take_out(other);
            }
            !below.is_empty()
        });
    }

    /// What is in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        let mut both = Self { own: self.own && other.own, below: SortedMap::new() };
        for (step, below) in &self.below {
            if let Some(other) = other.below.get(step) {
                both.put(step.clone(), below.common(other));
            }
        }
        both
    }

    /// The same with each named field a member that has members below it, so that it goes with the last
    /// of them.
    #[must_use]
    pub fn with_parents(&self) -> Self {
        let mut whole = self.clone();
        whole.add_parents();
        whole
    }

    fn add_parents(&mut self) {
        for (step, below) in self.below.iter_mut() {
            below.own |= step.starts_with("f:");
            below.add_parents();
        }
    }

    /// Reads `FieldsV1`; what is no such thing is no fields.
    pub fn of_json(fields: &Value) -> Self {
        let mut read = Self::default();
        let Some(map) = fields.as_object() else { return read };
        for (step, below) in map {
            if step == "." {
                read.own = true;
                continue;
            }
            let mut below = Self::of_json(below);
            below.own |= below.below.is_empty();
            read.below.insert(step.as_str().into(), below);
        }
        read
    }

    /// Writes `FieldsV1`, as the text of its JSON.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        text.push('{');
        if self.own && !self.below.is_empty() {
            text.push_str("\".\":{}");
        }
        for (step, below) in &self.below {
            if !text.ends_with('{') {
                text.push(',');
            }
            if step.contains(['"', '\\']) {
                text.push_str(&Value::from(&**step).to_string());
            } else {
                text.extend(["\"", step, "\""]);
            }
            text.push(':');
            below.write(text);
        }
        text.push('}');
    }

    /// The members as upstream words them, such as `.spec.containers[name="web"].image`: at each field
    /// first the members right below it.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, path: &str, paths: &mut Vec<String>) {
        let members = self.below.iter().filter(|(_, below)| below.own);
        paths.extend(members.map(|(step, _)| [path, &words(step)].concat()));
        for (step, below) in &self.below {
            below.collect(&[path, &words(step)].concat(), paths);
        }
    }
}

/// One step as a path has it.
fn words(step: &str) -> String {
    match step.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("v", value)) => format!("[={value}]"),
        Some(("k", key)) => {
            let key: Value = serde_json::from_str(key).unwrap_or_default();
            let key = key.as_object().into_iter().flatten();
            let parts: Vec<_> = key.map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", parts.join(","))
        }
        Some((_, index)) => format!("[{index}]"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json_of(fields: &Fields) -> Value {
        serde_json::from_str(&fields.to_text()).unwrap()
    }

    fn fields(value: &Value) -> Fields {
        Fields::of_json(value)
    }

    #[test]
    fn what_is_read_is_written_again() {
        let written = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}}}},
        });
        assert_eq!(json_of(&fields(&written)), written);
        assert_eq!(
            fields(&written).paths(),
            [
                ".metadata.labels",
                ".metadata.labels.app",
                ".spec.containers[name=\"web\"]",
                ".spec.containers[name=\"web\"].image",
            ]
        );
    }

    #[test]
    fn sets_are_added_and_taken_out() {
        let (one, two) =
            (json!({"f:a": {".": {}, "f:b": {}}}), json!({"f:a": {"f:b": {}, "f:c": {}}}));
        let mut all = fields(&one);
        all.add(&fields(&two));
        assert_eq!(json_of(&all), json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}}));
        all.take_out(&fields(&one));
        assert_eq!(json_of(&all), json!({"f:a": {"f:c": {}}}));
        assert_eq!(json_of(&fields(&one).common(&fields(&two))), json!({"f:a": {"f:b": {}}}));
        all.take_out(&fields(&two));
        assert!(all.is_empty());
    }
}
