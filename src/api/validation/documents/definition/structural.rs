//! That a schema says of each field what it is.
//!
//! Mirrors: `ValidateStructural` of `apiextensions-apiserver/pkg/apiserver/schema`.

use serde_json::{Value, json};

use crate::api::custom::Pattern;
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::validation::report::Report;
use crate::sim::sort;

const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
/// What has no place in a part that only says what values may be, and what it must be to be structural.
const ONLY_OUTSIDE: [(&str, &str); 14] = [
    ("type", "empty"),
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    ("externalDocs", "undefined"),
    (PRESERVE, "false"),
    (EMBEDDED, "false"),
    (INT_OR_STRING, "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    ("x-kubernetes-validations", "empty"),
];

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Checks the schema of a version; what is wrong is told by its text, as upstream does.
pub(super) fn check(out: &mut Report, schema: Part<'_>, path: &Path) {
    let mut found = Report::default();
    invariants(&mut found, schema, Level::Root, path);
    complete(&mut found, schema, schema, path, path);
    sort::by_key(&mut found.errors, ToString::to_string);
    out.errors.append(&mut found.errors);
}

fn invariants(out: &mut Report, schema: Part<'_>, level: Level, path: &Path) {
    let (of, properties) = (schema.at("type").text(), schema.at("properties"));
    let is = |extension: &str| schema.at(extension).is_true();
    let (items, others) = (schema.at("items"), schema.at("additionalProperties"));
    if items.is_there() {
        invariants(out, items, Level::Item, &path.child("items"));
    } else if of == "array" {
        out.required_at(path, "items", "must be specified");
    }
    let path_of = |name: &str| path.child("properties").key(name);
    for (name, property) in properties.entries() {
        invariants(out, property, Level::Field, &path_of(name));
    }
    if others.is_there() && level == Level::Root {
        out.forbidden_at(path, "additionalProperties", "must not be used at the root");
    }
    if others.value().is_object() {
        invariants(out, others, Level::Field, &path.child("additionalProperties"));
    }
    for extension in [PRESERVE, EMBEDDED] {
        if is(INT_OR_STRING) && is(extension) {
            let words = "must be false if x-kubernetes-int-or-string is true";
            out.invalid_at(path, extension, true, words);
        }
    }
    let skip =
        (is_int_or_string(schema), schema.at("allOf").items().next().is_some_and(is_int_or_string));
    values(out, schema, skip, path);
    if is(EMBEDDED) && of != "object" {
        let words = "must be object if x-kubernetes-embedded-resource is true";
        match of {
            "" => out.required_at(path, "type", words),
            _ => out.invalid_at(path, "type", of, words),
        }
    } else if of.is_empty() && !is(INT_OR_STRING) && !is(PRESERVE) {
        let words = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        out.required_at(path, "type", words);
    }
    if is(EMBEDDED) && others.is_there() {
        let words = "must not be used if x-kubernetes-embedded-resource is set";
        out.forbidden_at(path, "additionalProperties", words);
    }
    if level == Level::Root && !of.is_empty() && of != "object" {
        out.invalid_at(path, "type", of, "must be object at the root");
    }
    if level == Level::Root || is(EMBEDDED) {
        for (name, wanted) in [("kind", "string"), ("apiVersion", "string"), ("metadata", "object")]
        {
            let (property, of) = (properties.at(name), properties.at(name).at("type").text());
            if property.is_there() && of != wanted {
                out.invalid_at(&path_of(name), "type", of, format!("must be {wanted}"));
            }
        }
    }
    if level == Level::Root && says_more_than_names(properties.at("metadata")) {
        let words = "must not specify anything other than name and generateName, but metadata is \
                     implicitly specified";
        out.forbidden(&path_of("metadata"), words);
    }
    if is(EMBEDDED) && !is(PRESERVE) && properties.is_empty() {
        let words = "must not be empty if x-kubernetes-embedded-resource is true without \
                     x-kubernetes-preserve-unknown-fields";
        out.required_at(path, "properties", words);
    }
}

/// Whether the schema of metadata is of more than their names.
fn says_more_than_names(metadata: Part<'_>) -> bool {
    metadata.entries().any(|(field, part)| match field {
        "type" | "default" => false,
        "properties" => part.entries().any(|(name, _)| !["name", "generateName"].contains(&name)),
        _ => part.is_there() && part.value() != &Value::Bool(false),
    })
}

fn is_int_or_string(schema: Part<'_>) -> bool {
    schema.at("anyOf").value() == &json!([{"type": "integer"}, {"type": "string"}])
}

/// What values may be; skipped are the ways to say that one is a number or a text.
fn values(out: &mut Report, schema: Part<'_>, skip: (bool, bool), path: &Path) {
    for list in ["anyOf", "allOf", "oneOf"] {
        for (index, one) in schema.at(list).items().enumerate() {
            if list != "anyOf" || !skip.0 {
                let skip = list == "allOf" && index == 0 && skip.1;
                nested(out, one, skip, &path.child(list).index(index));
            }
        }
    }
    nested(out, schema.at("not"), false, &path.child("not"));
    let pattern = schema.at("pattern").text();
    if let Err(why) = Pattern::parse(pattern) {
        let words = format!("must be a valid regular expression, but isn't: {why}");
        out.invalid_at(path, "pattern", pattern, words);
    }
}

fn nested(out: &mut Report, schema: Part<'_>, skip: bool, path: &Path) {
    if !schema.is_there() {
        return;
    }
    values(out, schema, (skip, false), path);
    nested(out, schema.at("items"), false, &path.child("items"));
    for (name, property) in schema.at("properties").entries() {
        nested(out, property, false, &path.child("properties").key(name));
    }
    for (field, must) in ONLY_OUTSIDE {
        let part = schema.at(field);
        let is_said = match must {
            "undefined" => part.is_there(),
            "false" => part.is_true(),
            _ => !part.is_empty() || !part.text().is_empty(),
        };
        if is_said {
            out.forbidden_at(path, field, format!("must be {must} to be structural"));
        }
    }
    if schema.at("properties").at("metadata").is_there() {
        let path = path.child("properties").key("metadata");
        out.forbidden(&path, "must not be specified in a nested context");
    }
}

/// That each field that `values` speak of is in the schema itself.
fn complete(out: &mut Report, values: Part<'_>, schema: Part<'_>, path: &Path, at: &Path) {
    complete_nested(out, values.at("not"), schema, path, &at.child("not"));
    for list in ["allOf", "anyOf", "oneOf"] {
        for (index, one) in values.at(list).items().enumerate() {
            complete_nested(out, one, schema, path, &at.child(list).index(index));
        }
    }
}

fn complete_nested(out: &mut Report, values: Part<'_>, schema: Part<'_>, path: &Path, at: &Path) {
    if !values.is_there() {
        return;
    }
    if !schema.is_there() {
        out.required(path, format!("because it is defined in {at}"));
        return;
    }
    complete(out, values, schema, path, at);
    let (items, items_at) = (path.child("items"), at.child("items"));
    complete_nested(out, values.at("items"), schema.at("items"), &items, &items_at);
    for (name, property) in values.at("properties").entries() {
        let own = schema.at("properties").at(name);
        let step = |path: &Path| path.child("properties").key(name);
        complete_nested(out, property, own, &step(path), &step(at));
    }
}
