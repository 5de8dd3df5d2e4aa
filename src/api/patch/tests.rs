//! Patches against naive models, and found patches against what they should make.

use proptest::prelude::{Just, ProptestConfig, Strategy as _, any, proptest};
use proptest::{collection, prop_assert_eq, prop_oneof};
use serde_json::{Map, Value, json};

use super::{
    BUILT_IN, MAX_OPERATIONS, json_patch, merge_patch, strategic_merge, three_way, two_way,
};

fn pod(containers: &Value) -> Value {
    json!({"metadata": {"name": "p"}, "spec": {"containers": containers}})
}

#[test]
fn apply_deletes_only_what_it_had_made() {
    let original = pod(&json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]));
    let modified = pod(&json!([{"name": "a", "image": "2"}]));
    let current = pod(&json!([
        {"name": "injected", "image": "x"},
        {"name": "a", "image": "1", "tty": true},
        {"name": "b", "image": "1"},
    ]));
    let patch = three_way(&original, &modified, &current, &BUILT_IN, "core.Pod").unwrap();
    assert_eq!(
        patch,
        json!({"spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}],
        }})
    );
    let result = strategic_merge(current, patch, &BUILT_IN, "core.Pod").unwrap();
    assert_eq!(
        result,
        pod(&json!([{"name": "injected", "image": "x"}, {"name": "a", "image": "2", "tty": true}]))
    );
}

#[test]
fn a_union_lists_the_keys_it_keeps() {
    let strategy = |strategy: Value| json!({"spec": {"strategy": strategy}});
    let original = strategy(json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}));
    let modified = strategy(json!({"type": "Recreate"}));
    let patch = two_way(&original, &modified, &BUILT_IN, "apps.Deployment").unwrap();
    assert_eq!(
        patch,
        strategy(json!({"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": null}))
    );
    assert_eq!(strategic_merge(original, patch, &BUILT_IN, "apps.Deployment").unwrap(), modified);
}

#[test]
fn errors_say_what_is_wrong() {
    let mut document = json!({"a": [1]});
    for (patch, want) in [
        (
            json!([{"op": "add", "path": "/b/c", "value": 1}]),
            "add operation does not apply: doc is missing path: \"/b/c\": missing value",
        ),
        (
            json!([{"op": "remove", "path": "/b"}]),
            "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
        ),
        (
            json!([{"op": "test", "path": "/a/0", "value": 2}]),
            "testing value /a/0 failed: test failed",
        ),
        (
            json!([{"op": "add", "path": "/a/7", "value": 2}]),
            "error in add for path: '/a/7': Unable to access invalid index: 7: invalid index \
             referenced",
        ),
        (json!([{"op": "jump", "path": "/a"}]), "Unexpected kind: jump"),
        (json!([{"path": "/a"}]), "Unexpected kind: unknown"),
        (json!(["add"]), "json: cannot unmarshal string into Go value of type jsonpatch.Operation"),
        (
            json!([{"op": "replace", "path": "/b/c"}]),
            "replace operation does not apply: doc is missing path: /b/c: missing value",
        ),
        (
            json!([{"op": "replace", "path": "/a/7"}]),
            "replace operation does not apply: doc is missing key: /a/7: missing value",
        ),
        (
            json!([{"op": "replace"}]),
            "replace operation failed to decode path: operation missing path field: missing value",
        ),
        (
            json!([{"op": "add", "path": "/a/b"}]),
            "error in add for path: '/a/b': value was not a proper array index: 'b': strconv.Atoi: \
             parsing \"b\": invalid syntax",
        ),
        (
            json!([{"op": "add", "path": "", "value": 1}]),
            "json: cannot unmarshal number into Go value of type jsonpatch.partialDoc",
        ),
        (
            json!([{"op": "test", "path": "/b/c"}]),
            "test operation does not apply: is missing path: /b/c: missing value",
        ),
        (
            json!([{"op": "move", "path": "/a/0", "from": "/a/1"}]),
            "error in move for path: '1': Unable to access invalid index: 1: invalid index referenced",
        ),
        (
            json!([{"op": "move", "path": "/b/c", "from": "/a/0"}]),
            "move operation does not apply: doc is missing destination path: /b/c: missing value",
        ),
        (
            json!([{"op": "copy", "path": "/a/0"}]),
            "copy operation failed to decode from: operation, missing from field: missing value",
        ),
        (
            json!([{"op": "copy", "path": "/a/9", "from": "/a"}]),
            "error while adding value during copy: Unable to access invalid index: 9: invalid index \
             referenced",
        ),
    ] {
        assert_eq!(json_patch(&mut document, &patch).unwrap_err().to_string(), want);
    }
    let patch = json!({"spec": {"containers": [{"image": "x"}]}});
    assert_eq!(
        strategic_merge(pod(&json!([{"name": "a"}])), patch, &BUILT_IN, "core.Pod")
            .unwrap_err()
            .to_string(),
        "map: map[image:x] does not contain declared merge key: name"
    );
}

fn value() -> impl proptest::strategy::Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_u8).prop_map(Value::from),
        "[ab]".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// RFC 7396, section 2, word by word, but that what is put where there was no object has no nulls in it.
fn naive_merge(target: Value, patch: &Value) -> Value {
    if let Value::Object(patch) = patch {
        let mut target = if let Value::Object(target) = target { target } else { Map::new() };
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                let own = target.get(name).cloned().unwrap_or_default();
                target.insert(name.clone(), naive_merge(own, value));
            }
        }
        Value::Object(target)
    } else if target.is_object() {
        patch.clone()
    } else {
        without_nulls(patch)
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let there = map.iter().filter(|(_, value)| !value.is_null());
            there.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// A Pod whose containers have names of their own.
fn some_pod() -> impl proptest::strategy::Strategy<Value = Value> {
    let container = ("[xyz]", collection::vec(1..4_u16, 0..3));
    let containers = collection::btree_map("[a-e]", container, 0..5);
    let finalizers = collection::btree_set("[a-d]", 0..4);
    (containers, finalizers, any::<bool>()).prop_map(|(containers, finalizers, reversed)| {
        let mut containers: Vec<Value> = containers
            .into_iter()
            .map(|(name, (image, mut ports))| {
                ports.dedup();
                ports.sort_unstable();
                ports.dedup();
                let ports: Vec<Value> =
                    ports.into_iter().map(|port| json!({"containerPort": port})).collect();
                json!({"name": name, "image": image, "ports": ports})
            })
            .collect();
        if reversed {
            containers.reverse();
        }
        let finalizers: Vec<String> = finalizers.into_iter().collect();
        json!({"metadata": {"finalizers": finalizers}, "spec": {"containers": containers}})
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_merge_patch_does_what_the_rfc_says(target in value(), patch in value()) {
        let mut got = target.clone();
        merge_patch(&mut got, patch.clone());
        prop_assert_eq!(got, naive_merge(target, &patch));
    }

    #[test]
    fn the_found_patch_makes_the_one_of_the_other(one in some_pod(), other in some_pod()) {
        let patch = two_way(&one, &other, &BUILT_IN, "core.Pod").unwrap();
        let got = strategic_merge(one.clone(), patch, &BUILT_IN, "core.Pod").unwrap();
        prop_assert_eq!(&got, &other);
        // Nobody else has changed it, so that apply finds as much.
        let patch = three_way(&one, &other, &one, &BUILT_IN, "core.Pod").unwrap();
        prop_assert_eq!(strategic_merge(one, patch, &BUILT_IN, "core.Pod").unwrap(), other);
    }

    #[test]
    fn no_patch_can_break_anything(mut target in value(), patch in value()) {
        // Refusing is fine.
        drop(json_patch(&mut target, &patch));
        drop(strategic_merge(target, patch, &BUILT_IN, "core.Pod"));
    }
}

#[test]
fn a_json_patch_neither_does_nor_copies_without_end() {
    let many = vec![json!({"op": "test", "path": "/a", "value": 1}); MAX_OPERATIONS + 1];
    let refused = json_patch(&mut json!({"a": 1}), &many.into()).unwrap_err().to_string();
    let words = "The allowed maximum operations in a JSON patch is 10000, got 10001";
    assert_eq!(refused, words);
    // Each copies all that the one before it has made.
    let doubled = vec![json!({"op": "copy", "from": "/a", "path": "/a/-"}); 40];
    let mut document = json!({"a": ["some text that is copied"]});
    let refused = json_patch(&mut document, &doubled.into()).unwrap_err().to_string();
    assert!(refused.ends_with("exceeding the limit 3145728"), "{refused}");
    assert!(document.to_string().len() < 8 << 20);
}
