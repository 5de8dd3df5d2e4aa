//! Defaults, validation, classes and phases of objects.

use std::fmt::Debug;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodCondition;
use podflow::testing::api::decode;
use podflow::testing::api::defaults::{Defaults, create};
use podflow::testing::api::field::FieldError;
use podflow::testing::api::phase::{self, PodPhase};
use podflow::testing::api::qos::QosClass;
use podflow::testing::api::request::Subresource;
use podflow::testing::api::wire::{ContainerStatus, Event, Node, Pod, PodSpec};
use podflow::testing::api::{Kind, Kinds, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Form, Outcome, same, text};

/// The forms run here.
pub const FORMS: &[Form] = &[
    Form { file: "defaults", keys: &["kind", "input", "expect"], run: defaults },
    Form { file: "pod_phase", keys: &["op", "phase"], run: phase },
    Form { file: "pod_validation", keys: &["op", "causes"], run: validation },
    Form { file: "validation", keys: &[], run: validation },
    Form { file: "qos", keys: &["pod", "qosClass"], run: qos },
];

/// Decodes as the API server does.
fn object<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    decode::decode(value).map(|decoded| decoded.object).map_err(|error| error.to_string())
}

fn defaults(_: &Value, case: &Value) -> Outcome {
    let mut input = case["input"].clone();
    if !matches!(text(case, "kind"), "Node" | "Namespace") {
        let metadata = input["metadata"].as_object_mut().unwrap();
        metadata.entry("namespace").or_insert("default".into());
    }
    let got = match text(case, "kind") {
        "Pod" => created::<Pod>(&input, |pod| {
            let spec = pod.spec.get_or_insert_default();
            if let Some(labels) = &pod.metadata.labels {
                create::merge_label_keys(spec, labels);
            }
            pod.status = Some(create::status(spec, Timestamp::UNIX_EPOCH));
        }),
        "Node" => created::<Node>(&input, |_| ()),
        "Event" => created::<Event>(&input, |_| ()),
        _ => created_by_a_server(&input),
    }?;
    differences("", &got, &case["expect"])
}

/// Documents get what they lack from an API server; what it chooses is named as the corpus does.
pub fn created_by_a_server(input: &Value) -> Result<Value, String> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.resource().name == text(input, "kind"));
    let resource = kind.ok_or("no such kind here")?.resource();
    let place = if resource.namespaced { "/namespaces/default" } else { "" };
    let path = format!("{}{place}/{}", resource.prefix(), resource.plural);
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(Duration::from_secs(1));
    let id = cluster.submit(&HttpCall::new("POST", &path, Some(input.clone())));
    cluster.run_for(Duration::from_secs(1));
    let reply = cluster.reply(id).ok_or("no answer")?;
    let got: Value = serde_json::from_str(&reply.body).map_err(|error| error.to_string())?;
    if reply.code != 201 {
        return Err(reply.body);
    }
    let uid = got["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let mut got: Value = serde_json::from_str(&got.to_string().replace(&uid, "<uid>"))
        .map_err(|error| error.to_string())?;
    let metadata = got["metadata"].as_object_mut().ok_or("no metadata")?;
    for given in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
        metadata.remove(given);
    }
    let chosen = |value: &mut Value, given: &Value, name: &str| {
        if given.is_null() && !value.is_null() && *value != "None" {
            *value = name.into();
        }
    };
    let ip = input["spec"]["clusterIP"].clone();
    for pointer in ["/spec/clusterIP", "/spec/clusterIPs/0"] {
        if let Some(value) = got.pointer_mut(pointer) {
            chosen(value, &ip, "<cluster-ip>");
        }
    }
    let ports = got.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
    for (index, port) in ports.into_iter().flatten().enumerate() {
        if let Some(value) = port.get_mut("nodePort") {
            chosen(value, &input["spec"]["ports"][index]["nodePort"], "<node-port>");
        }
    }
    Ok(got)
}

fn created<T>(input: &Value, create: impl Fn(&mut T)) -> Result<Value, String>
where
    T: Defaults + DeserializeOwned + Serialize + Clone + PartialEq + Debug,
{
    let mut created: T = object(input)?;
    created.set_defaults();
    let mut again = created.clone();
    again.set_defaults();
    same("defaulted twice", &again, &created)?;
    create(&mut created);
    serde_json::to_value(&created).map_err(|error| error.to_string())
}

/// Says where two values differ, which is all one wants to know of large ones.
fn differences(path: &str, got: &Value, want: &Value) -> Outcome {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => {
            for key in got.keys().chain(want.keys()) {
                let of = |map: &serde_json::Map<_, _>| map.get(key).cloned().unwrap_or_default();
                differences(&format!("{path}.{key}"), &of(got), &of(want))?;
            }
            Ok(())
        }
        (Value::Array(got), Value::Array(want)) if got.len() == want.len() => {
            for (index, (got, want)) in got.iter().zip(want).enumerate() {
                differences(&format!("{path}[{index}]"), got, want)?;
            }
            Ok(())
        }
        (got, want) => same(path, &got.to_string(), &want.to_string()),
    }
}

fn qos(_: &Value, case: &Value) -> Outcome {
    let pod: Pod = object(&case["pod"])?;
    let class = QosClass::of(&pod.spec.unwrap_or_default()).as_str();
    same("class", &class, &text(case, "qosClass"))
}

fn phase(_: &Value, case: &Value) -> Outcome {
    if text(case, "op") == "condition" {
        return condition(case);
    }
    let pod: Pod = object(&case["pod"])?;
    let status = pod.status.unwrap_or_default();
    let lists = [status.init_container_statuses, status.container_statuses];
    let statuses: Vec<ContainerStatus> = lists.into_iter().flatten().flatten().collect();
    let terminal = case["terminal"] == true;
    let phase = phase::pod_phase(&pod.spec.unwrap_or_default(), &statuses, terminal);
    same("phase", &phase.as_str(), &text(case, "phase"))
}

fn condition(case: &Value) -> Outcome {
    let spec: PodSpec = object(&case["spec"])?;
    let list = &case["containerStatuses"];
    let statuses: Option<Vec<ContainerStatus>> =
        if list.is_null() { None } else { Some(object(list)?) };
    let conditions: Vec<PodCondition> = object(&case["conditions"])?;
    let phase = PodPhase::parse(text(case, "phase")).ok_or("no phase")?;
    let mut got = match text(case, "type") {
        "ContainersReady" => phase::containers_ready(&spec, statuses.as_deref(), phase),
        "Ready" => phase::ready(&spec, &conditions, statuses.as_deref(), phase),
        "Initialized" => phase::initialized(&spec, statuses.as_deref(), phase),
        kind => return Err(format!("no condition {kind} here")),
    };
    let want: PodCondition = object(&case["expect"])?;
    if case["check_message"] == false {
        got.message.clone_from(&want.message);
    }
    same("condition", &got, &want)
}

/// A case that is wrong, with what its server says besides: every kind of the core group checks
/// finalizers twice, by `ValidateFinalizers` of apimachinery and by `validateKubeFinalizerName`
/// (`pkg/apis/core/validation/validation.go`, `ValidateObjectMeta`).
const WRONG: &[(&str, &str)] = &[("finalizer with space", "metadata.finalizers[0]")];

fn validation(file: &Value, case: &Value) -> Outcome {
    let object = case.get("object").or(case.get("new")).ok_or("no object")?;
    let named = Kinds::default().named(text(object, "apiVersion"), text(object, "kind"));
    let mut all = Kind::ALL.into_iter();
    let kind = named.or(all.find(|kind| kind.resource().name == text(object, "kind")));
    let errors = checked(kind.ok_or("no such kind here")?, case)?;
    let mut got: Vec<_> = errors.iter().map(FieldError::to_cause).collect();
    let exact = case.get("causes").is_some();
    let want = case.get("causes").or(case.get("causes_include")).and_then(Value::as_array);
    // Upstream's own order is known for our cases only.
    if exact && file["ordered"] == true {
        let field = |cause: &Value| cause["field"].as_str().unwrap_or_default().to_owned();
        let wanted: Vec<_> = want.into_iter().flatten().map(field).collect();
        let found: Vec<_> =
            got.iter().map(|cause| cause.field.clone().unwrap_or_default()).collect();
        same("order", &found, &wanted)?;
    }
    for want in want.into_iter().flatten() {
        let alike = got.iter().position(|cause| {
            let message = cause.message.as_deref().unwrap_or_default();
            cause.field.as_deref() == want["field"].as_str()
                && cause.reason.as_deref() == want["reason"].as_str()
                && want["message"].as_str().is_none_or(|text| text == message)
                && want["message_prefix"].as_str().is_none_or(|text| message.starts_with(text))
        });
        let Some(index) = alike else { return Err(format!("no {want} in {got:?}")) };
        got.remove(index);
    }
    got.retain(|cause| {
        !WRONG.iter().any(|(name, field)| {
            text(case, "name") == *name && cause.field.as_deref() == Some(*field)
        })
    });
    if exact { same("more causes", &got, &Vec::new()) } else { Ok(()) }
}

fn checked(kind: Kind, case: &Value) -> Result<Vec<FieldError>, String> {
    let stored = text(case, "op") != "create";
    let read = |value: &Value| {
        let mut value = value.clone();
        let metadata = value["metadata"].as_object_mut().ok_or("no metadata")?;
        if stored {
            metadata.entry("resourceVersion").or_insert("1".into());
        }
        let decoded = Object::from_json(kind, &value).map_err(|error| error.to_string())?;
        Ok::<Object, String>(decoded.object)
    };
    match text(case, "op") {
        "create" => Ok(read(&case["object"])?.validate_create(kind)),
        "status" => {
            let part = Some(Subresource::Status);
            Ok(read(&case["new"])?.validate_update(&read(&case["old"])?, part, kind))
        }
        _ => Ok(read(&case["new"])?.validate_update(&read(&case["old"])?, None, kind)),
    }
}
