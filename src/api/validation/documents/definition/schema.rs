//! The schema of a version: what it may say at all, whatever it is made of.
//!
//! Mirrors: `validateCustomResourceDefinitionValidation` and
//! `ValidateCustomResourceDefinitionOpenAPISchema`; of `pkg/apiserver/schema/defaulting` `ValidateDefaults`.

use serde_json::Value;

use super::{rules, structural};
use crate::api::custom::{RULES as EXPRESSIONS, Schema};
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::validation::report::{Report, Seen};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// What has no place in a structural schema.
const UNSUPPORTED: [&str; 6] =
    ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];
const LIST: &str = "x-kubernetes-list-type";
const MAP: &str = "x-kubernetes-map-type";
const KEYS: &str = "x-kubernetes-list-map-keys";
pub(super) const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
/// What may stand at the root beside a status, which is checked by itself, by the names of upstream's type.
const AT_ROOT: [(&str, &str); 22] = [
    ("description", "Description"),
    ("type", "Type"),
    ("format", "Format"),
    ("title", "Title"),
    ("maximum", "Maximum"),
    ("exclusiveMaximum", "ExclusiveMaximum"),
    ("minimum", "Minimum"),
    ("exclusiveMinimum", "ExclusiveMinimum"),
    ("maxLength", "MaxLength"),
    ("minLength", "MinLength"),
    ("pattern", "Pattern"),
    ("maxItems", "MaxItems"),
    ("minItems", "MinItems"),
    ("uniqueItems", "UniqueItems"),
    ("multipleOf", "MultipleOf"),
    ("required", "Required"),
    ("items", "Items"),
    ("properties", "Properties"),
    ("externalDocs", "ExternalDocs"),
    ("example", "Example"),
    (PRESERVE, "XPreserveUnknownFields"),
    (EXPRESSIONS, "XValidations"),
];

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    is_root: bool,
    /// Inside of metadata, or of what tells a kind.
    in_meta: bool,
    /// Why there may be no default.
    no_default: Option<&'a str>,
}

/// How a schema is found in another.
#[derive(Clone, Copy)]
enum Step<'a> {
    Others,
    Property(&'a str),
    Other,
}

/// Checks the schema of a version, which has a status of its own or not.
pub(super) fn check(out: &mut Report, schema: Part<'_>, has_status: bool, path: &Path) {
    let before = out.errors.len();
    if has_status {
        beside_status(out, schema, path);
    }
    if schema.at("nullable").is_true() {
        out.forbidden_at(path, "nullable", "nullable cannot be true at the root");
    }
    if is_plain(schema) {
        let before = out.errors.len();
        structural::check(out, schema, path);
        if out.errors.len() == before {
            defaults(out, schema, path);
        }
    }
    open_api(out, schema, Place { is_root: true, in_meta: false, no_default: None }, path);
    if out.errors.len() == before {
        rules::programs(out, schema, true, path, None);
    }
}

fn beside_status(out: &mut Report, schema: Part<'_>, path: &Path) {
    let of = schema.at("type").text();
    let is_said = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    };
    let is_known = |name: &str| AT_ROOT.iter().any(|(known, _)| *known == name);
    if !of.is_empty() && of != "object" {
        let words = "only \"object\" is allowed as the type at the root of the schema if the status \
                     subresource is enabled";
        out.invalid_at(path, "type", of, words);
    } else if schema.entries().any(|(name, part)| !is_known(name) && is_said(part.value())) {
        let words = format!(
            "only [{}] fields are allowed at the root of the schema if the status subresource is enabled",
            AT_ROOT.map(|(_, name)| name).join(" ")
        );
        out.invalid(path, schema.value().clone(), words);
    }
}

/// The schemas below one.
fn each_below<'a>(schema: Part<'a>, path: &Path, visit: &mut dyn FnMut(Part<'a>, Step<'a>, &Path)) {
    let others = schema.at("additionalProperties");
    if others.value().is_object() {
        visit(others, Step::Others, &path.child("additionalProperties"));
    }
    for (name, property) in schema.at("properties").entries() {
        visit(property, Step::Property(name), &path.child("properties").key(name));
    }
    if schema.at("not").is_there() {
        visit(schema.at("not"), Step::Other, &path.child("not"));
    }
    for list in ["allOf", "oneOf", "anyOf"] {
        for (index, one) in schema.at(list).items().enumerate() {
            visit(one, Step::Other, &path.child(list).index(index));
        }
    }
    for (name, definition) in schema.at("definitions").entries() {
        visit(definition, Step::Other, &path.child("definitions").key(name));
    }
    let items = schema.at("items");
    if items.value().is_object() {
        visit(items, Step::Other, &path.child("items"));
    }
    for (index, one) in items.items().enumerate() {
        visit(one, Step::Other, &path.child("items").index(index));
    }
}

/// Whether it can be read as a structural schema at all.
fn is_plain(schema: Part<'_>) -> bool {
    let mut is_plain_below = true;
    each_below(schema, &Path::new(""), &mut |below, _, _| is_plain_below &= is_plain(below));
    is_plain_below
        && !UNSUPPORTED.iter().any(|field| schema.at(field).is_there())
        && !schema.at("items").value().is_array()
        && schema.at("type").text() != "null"
}

/// That what fields have by default is what they may have.
fn defaults(out: &mut Report, schema: Part<'_>, path: &Path) {
    let (default, own) = (schema.at("default"), path.child("default"));
    if default.is_there() {
        let read = Schema::at(schema);
        if read.has_more(default.value()) {
            out.invalid(&own, default.value().clone(), "must not have unknown fields");
        }
        let errors = read.check(default.value(), "");
        out.errors.extend(errors.into_iter().map(|mut error| {
            error.field = match &*error.field {
                "<nil>" => own.to_string(),
                field => own.child(field.to_owned()).to_string(),
            };
            error
        }));
    }
    each_below(schema, path, &mut |below, _, path| defaults(out, below, path));
}

fn open_api(out: &mut Report, schema: Part<'_>, place: Place<'_>, path: &Path) {
    of_version_three(out, schema, place, path);
    if schema.at("uniqueItems").is_true() {
        let words =
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        out.forbidden_at(path, "uniqueItems", words);
    }
    let others = schema.at("additionalProperties");
    if others.is_there() && !others.is_true() && !schema.at("properties").is_empty() {
        let words = "additionalProperties and properties are mutual exclusive";
        out.forbidden_at(path, "additionalProperties", words);
    }
    let is_object = place.is_root || schema.at(EMBEDDED).is_true();
    each_below(schema, path, &mut |below, step, path| {
        let (mut place, is_root) = (Place { is_root: false, ..place }, place.is_root);
        let why;
        match step {
            Step::Others if place.in_meta => {
                place.no_default = Some("inside additionalProperties applying to object metadata");
            }
            Step::Property(name @ ("metadata" | "kind" | "apiVersion")) if is_object => {
                place.in_meta = true;
                why = format!("in top-level {name}");
                if is_root {
                    place.no_default = Some(&why);
                }
            }
            Step::Others | Step::Property(_) | Step::Other => {}
        }
        open_api(out, below, place, path);
    });
    if schema.at(PRESERVE).value() == &Value::Bool(false) {
        out.invalid_at(path, PRESERVE, false, "must be true or undefined");
    }
    lists_and_maps(out, schema, path);
    rules::forms(out, schema, path);
}

fn of_version_three(out: &mut Report, schema: Part<'_>, place: Place<'_>, path: &Path) {
    let of = schema.at("type").text();
    if !of.is_empty() {
        out.supported_at(path, "type", of, &TYPES);
    }
    if let Some(why) = place.no_default.filter(|_| schema.at("default").is_there()) {
        out.forbidden_at(path, "default", format!("must not be set {why}"));
    }
    for field in UNSUPPORTED {
        if schema.at(field).is_there() {
            out.forbidden_at(path, field, format!("{field} is not supported"));
        }
    }
    if of == "null" {
        let words = "type cannot be set to null, use nullable as an alternative";
        out.forbidden_at(path, "type", words);
    }
    if schema.at("items").items().len() > 0 {
        out.forbidden_at(path, "items", "items must be a schema object and not an array");
    }
    if place.in_meta && schema.at(EMBEDDED).is_true() {
        out.forbidden_at(path, EMBEDDED, "must not be used inside of resource meta");
    }
}

/// How lists and maps are put together.
fn lists_and_maps(out: &mut Report, schema: Part<'_>, path: &Path) {
    let of_type = |out: &mut Report, extension: &str, wanted: &str| {
        let of = schema.at("type").text();
        let words = format!("must be {wanted} if {extension} is specified");
        match of {
            _ if !schema.at(extension).is_there() || of == wanted => return true,
            "" => out.required_at(path, "type", words),
            _ => out.invalid_at(path, "type", of, words),
        }
        false
    };
    let (list, map) = (schema.at(LIST), schema.at(MAP));
    let (items, items_path) = (schema.at("items"), path.child("items"));
    of_type(out, MAP, "object");
    if map.is_there() {
        out.supported_at(path, MAP, map.text(), &["atomic", "granular"]);
    }
    if of_type(out, LIST, "array") && list.text() == "set" {
        let (inner, must) = match items.at("type").text() {
            "array" => (LIST, items.at(LIST).is_there()),
            "object" => (MAP, true),
            _ => (MAP, false),
        };
        if must && items.at(inner).text() != "atomic" {
            let words = "must be atomic as item of a list with x-kubernetes-list-type=set";
            out.invalid_at(&items_path, inner, items.at(LIST).value().clone(), words);
        }
    }
    if list.is_there() {
        out.supported_at(path, LIST, list.text(), &["atomic", "set", "map"]);
    }
    let keys = schema.at(KEYS);
    let words = "must be map if x-kubernetes-list-map-keys is non-empty";
    match list.text() {
        _ if keys.is_empty() => {}
        "map" => {}
        "" if !list.is_there() => out.required_at(path, LIST, words),
        other => out.invalid_at(path, LIST, other, words),
    }
    if list.text() == "map" {
        list_of_maps(out, keys, items, path);
    }
    if ["map", "set"].contains(&list.text()) && items.at("nullable").is_true() {
        let words = format!("cannot be nullable when {LIST} is {}", list.text());
        out.forbidden_at(&items_path, "nullable", words);
    }
    let properties = items_path.child("properties");
    for key in keys.texts().filter(|_| list.text() == "map") {
        let (property, path) = (items.at("properties").at(key), properties.key(key));
        let this = "this property is in x-kubernetes-list-map-keys, so it";
        if !property.is_there() {
            continue;
        }
        let is_required = items.at("required").texts().any(|required| required == key);
        if !is_required && !property.at("default").is_there() {
            let words = format!("{this} must have a default or be a required property");
            out.required_at(&path, "default", words);
        }
        if property.at("nullable").is_true() {
            out.forbidden_at(&path, "nullable", format!("{this} cannot be nullable"));
        }
    }
}

fn list_of_maps(out: &mut Report, keys: Part<'_>, items: Part<'_>, path: &Path) {
    if keys.is_empty() {
        out.required_at(path, KEYS, "must not be empty if x-kubernetes-list-type is map");
    }
    let (of, path_of_items) = (items.at("type").text(), path.child("items"));
    if !items.is_there() {
        out.required(&path_of_items, "must have a schema if x-kubernetes-list-type is map");
    } else if items.value().is_array() {
        let words = "must only have a single schema if x-kubernetes-list-type is map";
        out.invalid(&path_of_items, items.value().clone(), words);
    } else if of != "object" {
        let words = "must be object if parent array's x-kubernetes-list-type is map";
        out.invalid_at(&path_of_items, "type", of, words);
    } else {
        let mut seen = Seen::default();
        for key in keys.texts() {
            let property = items.at("properties").at(key);
            if ["array", "object"].contains(&property.at("type").text()) {
                let path = path_of_items.child("properties").key(key);
                let words = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                out.invalid_at(&path, "type", of, words);
            } else if !property.is_there() {
                let words = "entries must all be names of item properties";
                out.invalid_at(path, KEYS, keys.value().clone(), words);
            }
            if !seen.is_new(key) {
                let words = "must not contain duplicate entries";
                out.invalid_at(path, KEYS, keys.value().clone(), words);
            }
        }
    }
}
