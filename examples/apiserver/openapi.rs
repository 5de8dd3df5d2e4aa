//! The schemas in `/openapi/v3`, which `kubectl explain` reads.
//!
//! The engine knows the paths and their parameters; the descriptions of all fields weigh more than the
//! whole page, so they are added here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::schemas::Schemas;

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let mut schemas = Schemas::new();
    schemas.types.values_mut().for_each(lead_to_components);
    schemas
});

/// The answer `body` to a `GET` of `path`, with the schemas that belong in it.
pub fn with_schemas(path: &str, body: Vec<u8>) -> Vec<u8> {
    let path = path.split('?').next().unwrap_or_default();
    let Some(of) = path.strip_prefix("/openapi/v3/") else { return body };
    let Ok(mut document) = serde_json::from_slice::<Value>(&body) else { return body };
    let (group, version) = of.trim_start_matches("apis/").split_once('/').unwrap_or_default();
    let group = if group == "api" { "" } else { group };
    if let Some(schemas) = document.pointer_mut("/components/schemas") {
        *schemas = of_version(group, version, schemas);
    }
    document.to_string().into_bytes()
}

/// The kinds of a version of a group, besides those that were `defined`, and all types that stand in
/// them.
fn of_version(group: &str, version: &str, defined: &Value) -> Value {
    let mut todo = BTreeSet::new();
    led_to(defined, &mut todo);
    let mut found = defined.as_object().cloned().unwrap_or_default();
    for kind in SCHEMAS.kinds.iter().filter(|it| it.group == group && it.version == version) {
        let Some(Value::Object(schema)) = SCHEMAS.types.get(&kind.name) else { continue };
        let mut schema = schema.clone();
        let of = json!([{"group": kind.group, "version": kind.version, "kind": kind.own}]);
        schema.insert("x-kubernetes-group-version-kind".to_owned(), of);
        let schema = schema.into();
        led_to(&schema, &mut todo);
        found.insert(kind.name.clone(), schema);
    }
    while let Some(name) = todo.pop_first() {
        if let Some(schema) = SCHEMAS.types.get(&name).filter(|_| !found.contains_key(&name)) {
            led_to(schema, &mut todo);
            found.insert(name, schema.clone());
        }
    }
    found.into()
}

const COMPONENTS: &str = "#/components/schemas/";

/// Turns references to definitions of a JSON schema into such to the components of a document.
fn lead_to_components(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get_mut("$ref") {
                let name = to.rsplit('/').next().unwrap_or_default();
                *to = format!("{COMPONENTS}{name}");
            }
            fields.values_mut().for_each(lead_to_components);
        }
        Value::Array(items) => items.iter_mut().for_each(lead_to_components),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds the types that a schema leads to.
fn led_to(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let to = fields.get("$ref").and_then(Value::as_str);
            names.extend(to.and_then(|to| to.strip_prefix(COMPONENTS)).map(str::to_owned));
            fields.values().for_each(|part| led_to(part, names));
        }
        Value::Array(items) => items.iter().for_each(|part| led_to(part, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
