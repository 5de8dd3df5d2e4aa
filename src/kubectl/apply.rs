//! `kubectl apply`, on the client's side: what to send so that an object becomes what a manifest says.
//!
//! Mirrors: `kubectl/pkg/cmd/apply` and `kubectl/pkg/util/apply.go`.

use serde_json::{Value, json};

use crate::api::Kind;
use crate::api::managed::LAST_APPLIED;
use crate::api::patch::{BUILT_IN, PatchError, three_way};

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Apply {
    /// POST of the object.
    Create(Value),
    /// PATCH, as a strategic merge patch.
    Patch(Value),
    /// Nothing: the object is so already.
    Unchanged,
}

/// Compares a manifest with the object as it is; none if there is none.
///
/// # Errors
///
/// The items of a list cannot be told apart; see [`PatchError`].
pub fn apply(kind: Kind, manifest: &Value, live: Option<&Value>) -> Result<Apply, PatchError> {
    let modified = annotated(kind, manifest);
    let Some(live) = live else { return Ok(Apply::Create(modified)) };
    let last = live.pointer("/metadata/annotations").and_then(|all| all.get(LAST_APPLIED));
    let original = last.and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let original = original.unwrap_or_else(|| json!({}));
    let of = kind.resource().go_type();
    let patch = three_way(&original, &modified, live, &BUILT_IN, &of)?;
    let nothing = patch.as_object().is_none_or(serde_json::Map::is_empty);
    Ok(if nothing { Apply::Unchanged } else { Apply::Patch(patch) })
}

/// The manifest with itself as an annotation.
fn annotated(kind: Kind, manifest: &Value) -> Value {
    let mut object = manifest.clone();
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return object;
    };
    if kind.resource().namespaced {
        metadata.entry("namespace").or_insert_with(|| "default".into());
    }
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.remove(LAST_APPLIED);
    }
    let text = format!("{object}\n");
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.insert(LAST_APPLIED.to_owned(), text.into());
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"x": "1"}},
            "spec": {"containers": [{"name": "a", "image": "nginx"}]},
        })
    }

    #[test]
    fn what_is_not_there_is_created_with_a_note_of_itself() {
        let Ok(Apply::Create(created)) = apply(Kind::Pod, &manifest(), None) else {
            panic!("nothing to create")
        };
        assert_eq!(created["metadata"]["namespace"], "default");
        assert_eq!(
            created["metadata"]["annotations"][LAST_APPLIED],
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"annotations\":{},\
             \"labels\":{\"x\":\"1\"},\"name\":\"a\",\"namespace\":\"default\"},\
             \"spec\":{\"containers\":[{\"image\":\"nginx\",\"name\":\"a\"}]}}\n"
        );
    }

    #[test]
    fn what_was_taken_out_is_deleted_and_what_others_added_stays() {
        let Ok(Apply::Create(mut live)) = apply(Kind::Pod, &manifest(), None) else {
            panic!("nothing to create")
        };
        assert_eq!(apply(Kind::Pod, &manifest(), Some(&live)), Ok(Apply::Unchanged));
        live["metadata"]["labels"]["theirs"] = "2".into();
        live["spec"]["nodeName"] = "node-1".into();
        let mut changed = manifest();
        changed["metadata"]["labels"] = json!({"y": "2"});
        changed["spec"]["containers"][0]["image"] = "nginx:2".into();
        let Ok(Apply::Patch(patch)) = apply(Kind::Pod, &changed, Some(&live)) else {
            panic!("nothing to patch")
        };
        assert_eq!(patch["metadata"]["labels"], json!({"x": null, "y": "2"}));
        let containers = &patch["spec"]["containers"];
        assert_eq!(*containers, json!([{"name": "a", "image": "nginx:2"}]));
        assert_eq!(patch["spec"].get("nodeName"), None);
    }
}
