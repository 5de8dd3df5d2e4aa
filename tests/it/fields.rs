//! The table of fields of the kinds that the engine keeps as documents is that of their types.
//!
//! `PODFLOW_WRITE=1` writes it anew, as after a new release of the types.

use std::collections::BTreeMap;

use k8s_openapi::api::{autoscaling, core, discovery, networking, policy, storage};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/document/fields.txt");

/// What the table has no lines for: the decoder knows these by name.
const KNOWN: &[(&str, &str)] = &[
    ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "meta"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", "time"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", "microtime"),
    ("io.k8s.apimachinery.pkg.api.resource.Quantity", "quantity"),
    ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "intorstring"),
];

const PARTS_OF_METADATA: &[&str] = &["FieldsV1", "ManagedFieldsEntry", "OwnerReference"];

fn generator() -> SchemaGenerator {
    let mut all = SchemaGenerator::default();
    add::<core::v1::Service>(&mut all);
    add::<core::v1::Endpoints>(&mut all);
    add::<core::v1::PersistentVolume>(&mut all);
    add::<core::v1::PersistentVolumeClaim>(&mut all);
    add::<core::v1::ResourceQuota>(&mut all);
    add::<core::v1::LimitRange>(&mut all);
    add::<autoscaling::v2::HorizontalPodAutoscaler>(&mut all);
    add::<discovery::v1::EndpointSlice>(&mut all);
    add::<networking::v1::Ingress>(&mut all);
    add::<networking::v1::IngressClass>(&mut all);
    add::<networking::v1::NetworkPolicy>(&mut all);
    add::<policy::v1::PodDisruptionBudget>(&mut all);
    add::<storage::v1::StorageClass>(&mut all);
    all
}

fn add<T: JsonSchema>(all: &mut SchemaGenerator) {
    all.subschema_for::<T>();
}

/// The name of a type: without its package, but with a version that is not the first.
fn short(name: &str) -> String {
    let mut parts = name.rsplit('.');
    let (own, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if version == "v1" { own.to_owned() } else { format!("{version}.{own}") }
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, short)| *short)
}

/// How the table writes the type of a field.
fn written(schema: &Value) -> String {
    if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
        let name = to.rsplit('/').next().unwrap_or_default();
        return known(name).map_or_else(|| short(name), str::to_owned);
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("type"), text("format")) {
        ("array", _) => format!("[]{}", written(schema.get("items").unwrap_or(&Value::Null))),
        ("object", _) => {
            format!("{{}}{}", written(schema.get("additionalProperties").unwrap_or(&Value::Null)))
        }
        ("string", "byte") => "bytes".to_owned(),
        ("string", _) => "string".to_owned(),
        ("boolean", _) => "bool".to_owned(),
        ("integer", format) => format.to_owned(),
        (_, _) => "any".to_owned(),
    }
}

fn table() -> String {
    let mut all = generator();
    let mut lines = BTreeMap::new();
    for (name, schema) in all.take_definitions(true) {
        if known(&name).is_some() || PARTS_OF_METADATA.contains(&short(&name).as_str()) {
            continue;
        }
        let required = schema.get("required").and_then(Value::as_array);
        let fields = schema.get("properties").and_then(Value::as_object);
        let is_object = fields.is_some_and(|fields| fields.contains_key("metadata"));
        let mut line = format!("{}:", short(&name));
        for (field, of) in fields.into_iter().flatten() {
            // The engine keeps these beside the fields.
            if is_object && ["apiVersion", "kind", "metadata"].contains(&field.as_str()) {
                continue;
            }
            let required = required.is_some_and(|names| names.iter().any(|name| name == field));
            let mark = if required { "!" } else { "" };
            line.extend([" ", field, "=", &written(of), mark]);
        }
        lines.insert(short(&name), line);
    }
    lines.into_values().fold(String::new(), |text, line| text + &line + "\n")
}

#[test]
fn the_table_of_fields_is_that_of_the_types() {
    let table = table();
    if std::env::var_os("PODFLOW_WRITE").is_some() {
        std::fs::write(FILE, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), table);
}
