//! Pods and nodes are read as the types of `k8s-openapi` would read them: those are the naive model.

use k8s_openapi::api::coordination::v1 as coordination;
use k8s_openapi::api::core::v1 as core;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Event, Lease, Node, Pod};
use crate::api::decode::{TypeError, UnknownField, decode};
use crate::api::document::Fields;
use crate::api::{Kind, Object, managed, to_json};

/// Something that fits the type `of` of the table.
fn example(of: &'static str) -> Value {
    if let Some(item) = of.strip_prefix("[]") {
        return json!([example(item), example(item)]);
    }
    if let Some(item) = of.strip_prefix("{}") {
        return json!({"key": example(item)});
    }
    match of {
        "string" => "text".into(),
        "bool" => true.into(),
        "int32" | "int64" | "intorstring" => 7.into(),
        "quantity" => "1024Mi".into(),
        "time" | "microtime" => "2026-02-03T04:05:06Z".into(),
        "meta" => json!({"name": "a", "labels": {"b": "c"}}),
        _ => Fields::of(of).iter().map(|field| (field.name, example(field.of))).collect(),
    }
}

/// Values of which one place is looked at, most of which do not fit there.
fn variants(of: &'static str) -> Vec<Value> {
    let odd = [5, -1, 3_000_000_000_i64].map(Value::from).into_iter();
    let mut all: Vec<Value> =
        odd.chain([json!(1.5), json!("x"), json!(""), json!(true), json!(false)]).collect();
    all.extend([Value::Null, json!([]), json!({}), json!([1]), json!({"odd": 1}), example(of)]);
    if let Some(item) = of.strip_prefix("[]") {
        all.extend(variants(item).into_iter().map(|item| json!([item])));
    } else if let Some(item) = of.strip_prefix("{}") {
        all.extend(variants(item).into_iter().map(|item| json!({"key": item})));
    } else {
        for field in Fields::of(of).iter() {
            all.extend(variants(field.of).into_iter().map(|value| json!({field.name: value})));
        }
    }
    all
}

/// What is read of a Pod, with what has no place in it, or why it cannot be read.
fn read<P: DeserializeOwned + Serialize>(
    pod: &Value,
) -> Result<(Value, Vec<UnknownField>), TypeError> {
    let decoded = decode::<P>(pod)?;
    Ok((lists(to_json(&decoded.object)), decoded.unknown))
}

/// The table tells a list that must be there and is not from an empty one, as Go does.
fn lists(value: Value) -> Value {
    match value {
        Value::Null => json!([]),
        Value::Array(items) => items.into_iter().map(lists).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, it)| (key, lists(it))).collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[test]
fn fragments_are_read_as_their_types_would_be() {
    for field in Fields::of("PodSpec").iter() {
        for value in variants(field.of) {
            let pod = json!({"spec": {field.name: value}});
            assert_eq!(read::<Pod>(&pod), read::<core::Pod>(&pod), "{pod}");
        }
    }
    for (part, of) in [("spec", "NodeSpec"), ("status", "NodeStatus")] {
        for field in Fields::of(of).iter() {
            for value in variants(field.of) {
                let node = json!({part: {field.name: value}});
                assert_eq!(read::<Node>(&node), read::<core::Node>(&node), "{node}");
            }
        }
    }
    for field in Fields::of("PodStatus").iter() {
        for value in variants(field.of) {
            let pod = json!({"status": {field.name: value}});
            assert_eq!(read::<Pod>(&pod), read::<core::Pod>(&pod), "{pod}");
        }
    }
    for field in Fields::of("ContainerStatus").iter() {
        for value in variants(field.of) {
            let pod = json!({"status": {"containerStatuses": [{}, {field.name: value}]}});
            assert_eq!(read::<Pod>(&pod), read::<core::Pod>(&pod), "{pod}");
        }
    }
    for field in Fields::of("Container").iter() {
        for value in variants(field.of) {
            let pod = json!({"spec": {"containers": [{}, {field.name: value}]}});
            assert_eq!(read::<Pod>(&pod), read::<core::Pod>(&pod), "{pod}");
        }
    }
}

/// The fields of metadata, of the items of its lists, and of events, by their types.
const META: &[(&str, &str)] = &[
    ("annotations", "{}string"),
    ("creationTimestamp", "time"),
    ("deletionGracePeriodSeconds", "int64"),
    ("deletionTimestamp", "time"),
    ("finalizers", "[]string"),
    ("generateName", "string"),
    ("generation", "int64"),
    ("labels", "{}string"),
    ("managedFields", "[]any"),
    ("name", "string"),
    ("namespace", "string"),
    ("ownerReferences", "[]any"),
    ("resourceVersion", "string"),
    ("selfLink", "string"),
    ("uid", "string"),
];
const MANAGER: &[(&str, &str)] = &[
    ("apiVersion", "string"),
    ("fieldsType", "string"),
    ("fieldsV1", "any"),
    ("manager", "string"),
    ("operation", "string"),
    ("subresource", "string"),
    ("time", "time"),
];
const EVENT: &[(&str, &str)] = &[
    ("action", "string"),
    ("count", "int32"),
    ("eventTime", "microtime"),
    ("firstTimestamp", "time"),
    ("involvedObject", "any"),
    ("lastTimestamp", "time"),
    ("message", "string"),
    ("reason", "string"),
    ("related", "any"),
    ("reportingComponent", "string"),
    ("reportingInstance", "string"),
    ("series", "any"),
    ("source", "any"),
    ("type", "string"),
];
const LEASE: &[(&str, &str)] = &[
    ("acquireTime", "microtime"),
    ("holderIdentity", "string"),
    ("leaseDurationSeconds", "int32"),
    ("leaseTransitions", "int32"),
    ("preferredHolder", "string"),
    ("renewTime", "microtime"),
    ("strategy", "string"),
];

/// As [`read`], with the fields that somebody owns as what they say.
fn unpacked(event: &Value) -> Result<(Value, Vec<UnknownField>), TypeError> {
    let (mut json, unknown) = read::<Event>(event)?;
    managed::unpack(&mut json);
    Ok((json, unknown))
}

#[test]
fn events_and_their_metadata_are_read_as_their_types_would_be() {
    let same = |event: Value| assert_eq!(unpacked(&event), read::<core::Event>(&event), "{event}");
    for (name, of) in META {
        for value in variants(of) {
            same(json!({"metadata": {*name: value}}));
        }
    }
    for (name, of) in MANAGER {
        let entry = |value| json!({"metadata": {"managedFields": [{}, {*name: value}]}});
        for value in variants(of) {
            same(entry(value));
        }
    }
    // Go takes no empty text and no empty list for an object, and neither do we; the model does.
    let is_empty = |value: &Value| value == "" || *value == json!([]);
    let is_fair = |(name, value): (&str, &Value)| name != "involvedObject" || !is_empty(value);
    for (name, of) in EVENT {
        let values = variants(of).into_iter().filter(|value| is_fair((name, value)));
        values.for_each(|value| same(json!({*name: value})));
    }
    same(json!({"metadata": {"managedFields": [{"fieldsV1": {"f:spec": {"f:a": {}}}}]}}));
}

#[test]
fn leases_are_read_as_their_types_would_be() {
    // A spec is always there in Go.
    let with_spec = |(mut lease, unknown): (Value, _)| {
        lease.as_object_mut().unwrap().entry("spec").or_insert_with(|| json!({}));
        (lease, unknown)
    };
    for (name, of) in LEASE {
        for value in variants(of) {
            let lease = json!({"spec": {*name: value}});
            let model = read::<coordination::Lease>(&lease).map(with_spec);
            assert_eq!(read::<Lease>(&lease), model, "{lease}");
        }
    }
    let odd = json!({"spec": {"odd": 1}, "odd": 1});
    let (ours, theirs) = (read::<Lease>(&odd), read::<coordination::Lease>(&odd));
    let known = |read: Result<(Value, Vec<UnknownField>), TypeError>| -> Vec<Vec<&str>> {
        read.unwrap().1.iter().map(|field| in_order(&field.known)).collect()
    };
    assert_eq!(known(ours), known(theirs));
}

#[test]
fn types_have_the_fields_of_their_models() {
    let odd = json!({
        "spec": {"containers": [{"odd": 1}], "odd": 1},
        "status": {"containerStatuses": [{"odd": 1}], "odd": 1},
        "odd": 1,
    });
    let (ours, theirs) = (read::<Pod>(&odd).unwrap().1, read::<core::Pod>(&odd).unwrap().1);
    let sorted = |fields: &[UnknownField]| -> Vec<Vec<&str>> {
        fields.iter().map(|field| in_order(&field.known)).collect()
    };
    assert_eq!(sorted(&ours), sorted(&theirs));
    let odd = json!({"spec": {"odd": 1}, "status": {"odd": 1}, "odd": 1});
    let (ours, theirs) = (read::<Node>(&odd).unwrap().1, read::<core::Node>(&odd).unwrap().1);
    assert_eq!(sorted(&ours), sorted(&theirs));
    let odd = json!({"metadata": {"odd": 1, "managedFields": [{"odd": 1}]}, "odd": 1});
    let (ours, theirs) = (read::<Event>(&odd).unwrap().1, read::<core::Event>(&odd).unwrap().1);
    assert_eq!(sorted(&ours), sorted(&theirs));
}

fn in_order(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

#[test]
fn templates_hold_the_same_fragments() {
    let deployment = |volume: Value| json!({"spec": {"template": {"spec": {"volumes": [{"name": "a"}, volume]}}}});
    let read = |volume| Object::from_json(Kind::Deployment, &deployment(volume));
    let unknown = |volume: Value| read(volume).unwrap().unknown[0].path.clone();
    let place = "spec.template.spec.volumes[1]";
    assert_eq!(unknown(json!({"tmpfs": {}})), format!("{place}.tmpfs"));
    assert_eq!(unknown(json!({"secret": {"a": 1}})), format!("{place}.secret.a"));
    let error = read(json!({"secret": {"items": [{"mode": "x"}]}})).unwrap_err();
    assert_eq!(error.path, format!("{place}.secret.items[0].mode"));
    assert_eq!(
        error.message,
        "json: cannot unmarshal string into Go struct field \
         KeyToPath.spec.template.spec.volumes.secret.items.mode of type int32"
    );
    let filled = read(json!({"name": "b", "image": {"reference": "a"}})).unwrap().object.to_json();
    assert_eq!(
        filled["spec"]["template"]["spec"]["volumes"],
        json!([
            {"name": "a", "emptyDir": {}},
            {"name": "b", "image": {"reference": "a", "pullPolicy": "Always"}},
        ])
    );
}
