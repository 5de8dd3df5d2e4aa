//! The table of the messages' fields: numbers from the bindings of `k8s-pb`, names from the schemas of
//! `k8s-openapi`.
//!
//! `PODFLOW_WRITE=1` writes it anew, as after a new release of either.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use super::schemas::Schemas;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/apiserver/protobuf.txt");

/// What the decoder knows by name.
const KNOWN: &[(&str, &str)] = &[
    ("meta.v1.Time", "time"),
    ("meta.v1.MicroTime", "microtime"),
    ("meta.v1.FieldsV1", "raw"),
    ("resource.Quantity", "quantity"),
    ("intstr.IntOrString", "intorstring"),
    ("runtime.RawExtension", "raw"),
];

/// Fields that are younger than the bindings: they are left out of what comes as protobuf.
const NEWER: &[&str] = &[
    "attestations",
    "bindMountOptions",
    "defaultUser",
    "evictionResponders",
    "healthStatus",
    "message",
    "mode",
    "nodeAllocatableResourceClaimStatuses",
    "observedGeneration",
    "podPreemptionPolicy",
    "preventPodSchedulingIfMissing",
    "protocol",
    "runningInUserNamespace",
    "scheduling",
    "schedulingGroup",
    "status",
    "user",
    "volumeHealth",
    "volumeStatus",
];

/// `core.v1.Pod` of `io.k8s.api.core.v1.Pod`.
fn short(name: &str) -> String {
    let name = name.strip_prefix("io.k8s.").unwrap_or(name);
    let packages = [
        "apimachinery.pkg.apis.",
        "apimachinery.pkg.api.",
        "apimachinery.pkg.util.",
        "apimachinery.pkg.",
        "api.",
    ];
    packages.iter().find_map(|package| name.strip_prefix(package)).unwrap_or(name).to_owned()
}

/// The name of the type that a schema leads to.
fn led_to(schema: &Value) -> Option<String> {
    schema.get("$ref")?.as_str()?.rsplit('/').next().map(short)
}

/// How the table writes the type of a field.
fn written(schema: &Value, is_repeated: bool) -> String {
    if let Some(name) = led_to(schema) {
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        return known.map_or(name, |(_, own)| (*own).to_owned());
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    let of = |key: &str| schema.get(key).unwrap_or(&Value::Null);
    match (text("type"), text("format")) {
        ("array", _) if is_repeated => format!("[]{}", written(of("items"), false)),
        // A list in a map has a message of its own.
        ("array", _) => "items".to_owned(),
        ("object", _) => format!("{{}}{}", written(of("additionalProperties"), false)),
        ("string", "byte") => "bytes".to_owned(),
        ("string", _) => "string".to_owned(),
        ("boolean", _) => "bool".to_owned(),
        ("integer", _) => "int".to_owned(),
        ("number", _) => "double".to_owned(),
        (_, _) => "raw".to_owned(),
    }
}

/// A field of a message: its number, whether it is repeated, and its type in small letters.
type Field = (u64, bool, String);

/// Messages by package and name in small letters, their fields by name in small letters.
type Messages = BTreeMap<String, BTreeMap<String, Field>>;

/// The messages of the bindings.
fn bindings() -> Messages {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // What other platforms need was perhaps never fetched.
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo tells of packages");
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.find(|package| package["name"] == "k8s-pb").expect("k8s-pb is among them");
    let manifest = found["manifest_path"].as_str().expect("a path");
    let source = manifest.strip_suffix("Cargo.toml").expect("a manifest").to_owned() + "src/";
    let mut messages = BTreeMap::new();
    for package in [
        "api/apps/v1",
        "api/authentication/v1",
        "api/authorization/v1",
        "api/autoscaling/v1",
        "api/autoscaling/v2",
        "api/batch/v1",
        "api/coordination/v1",
        "api/core/v1",
        "api/discovery/v1",
        "api/events/v1",
        "api/networking/v1",
        "api/node/v1",
        "api/policy/v1",
        "api/rbac/v1",
        "api/scheduling/v1",
        "api/storage/v1",
        "apimachinery/pkg/apis/meta/v1",
    ] {
        let text = fs::read_to_string(format!("{source}{package}/mod.rs")).expect(package);
        let package = short(&format!("io.k8s.{}", package.replace('/', ".")));
        read(&text, &package, &mut messages);
    }
    messages
}

fn read(text: &str, package: &str, messages: &mut Messages) {
    let (mut current, mut field) = (String::new(), None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("pub struct ") {
            current = format!("{package}.{}", name.trim_end_matches([' ', '{'])).to_lowercase();
        } else if let Some(attribute) = line.strip_prefix("#[prost(") {
            let (_, tag) = attribute.split_once("tag = \"").unwrap_or_default();
            let tag = tag.split('"').next().and_then(|tag| tag.parse().ok());
            field = tag.map(|tag| (tag, attribute.contains("repeated")));
        } else if let Some((name, of)) = line.strip_prefix("pub ").and_then(|it| it.split_once(':'))
        {
            let name = name.trim_start_matches("r#").replace('_', "").to_lowercase();
            let fields = messages.entry(current.clone()).or_default();
            let of = of.trim_end_matches([',', '>']).rsplit(['<', ' ', ':']).next();
            let of = format!("{package}.{}", of.unwrap_or_default()).to_lowercase();
            fields.extend(field.take().map(|(number, repeated)| (name, (number, repeated, of))));
        }
    }
}

fn table() -> String {
    let Schemas { kinds, types } = Schemas::new();
    let types: BTreeMap<String, Value> =
        types.into_iter().map(|(name, schema)| (short(&name), schema)).collect();
    let mut todo: Vec<String> = kinds.iter().map(|kind| short(&kind.name)).collect();
    let messages = bindings();
    let (mut lines, mut missing) = (BTreeMap::new(), BTreeSet::new());
    let mut seen = BTreeSet::new();
    while let Some(name) = todo.pop() {
        let is_known = KNOWN.iter().any(|(known, _)| *known == name);
        if is_known || !seen.insert(name.clone()) || lines.contains_key(&name) {
            continue;
        }
        let schema = types.get(&name).unwrap_or_else(|| panic!("{name}"));
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut properties: BTreeMap<&str, &Value> =
            properties.into_iter().flatten().map(|(name, of)| (name.as_str(), of)).collect();
        for of in properties.values() {
            let part = of.get("items").or(of.get("additionalProperties")).unwrap_or(of);
            todo.extend(led_to(part));
        }
        if !messages.contains_key(&name.to_lowercase()) {
            continue; // All of it is younger, or nobody sends it so: definitions come as JSON.
        }
        add(name, &mut properties, &messages, &mut lines);
        // The envelope says what an object is.
        let left = properties.keys().filter(|field| !["apiVersion", "kind"].contains(*field));
        missing.extend(left.map(|field| (*field).to_owned()));
    }
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), NEWER);
    lines.into_values().fold(String::new(), |text, line| text + &line + "\n")
}

/// Adds the line of a message, and takes the fields that it has from `properties`.
fn add(
    name: String,
    properties: &mut BTreeMap<&str, &Value>,
    messages: &Messages,
    lines: &mut BTreeMap<String, String>,
) {
    let fields = messages.get(&name.to_lowercase()).unwrap_or_else(|| panic!("{name}"));
    let mut line = format!("{name}:");
    let known: BTreeSet<String> = properties.keys().map(|own| own.to_lowercase()).collect();
    properties.retain(|property, of| {
        let Some((number, repeated, _)) = fields.get(&property.to_lowercase()) else { return true };
        line.extend([" ", property, "=", &number.to_string(), ":", &written(of, *repeated)]);
        false
    });
    // What is left stands in messages of their own, which JSON does not know of.
    for (_, (number, _, of)) in fields.iter().filter(|(field, _)| !known.contains(*field)) {
        let is_there = |field: &String| properties.keys().any(|own| own.to_lowercase() == *field);
        if messages.get(of).is_some_and(|inner| inner.keys().any(is_there)) {
            line.extend([" =", &number.to_string(), ":", of]);
            add(of.clone(), properties, messages, lines);
        }
    }
    lines.insert(name, line);
}

#[test]
fn the_table_of_messages_is_that_of_the_bindings() {
    let table = table();
    if env::var_os("PODFLOW_WRITE").is_some() {
        fs::write(FILE, &table).unwrap();
    }
    assert!(fs::read_to_string(FILE).unwrap() == table, "examples/apiserver/protobuf.txt is old");
}
