//! Definitions of kinds.
//!
//! Mirrors: `apiextensions-apiserver/pkg/apis/apiextensions/validation` and
//! `pkg/apiserver/schema/validation.go`, as far as people meet it: names, versions, and that a schema is
//! structural.

use serde_json::{Map, Value};

use super::{PLAIN, Rules};
use crate::api::cel::Type;
use crate::api::custom::{JsonPath, Pattern, RULES as EXPRESSIONS, Rule, field_path};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::IMMUTABLE;
use crate::api::validation::report::{Report, Seen};

pub(super) const RULES: Rules = Rules {
    check: definition,
    change: |out, new, old| {
        let (spec, path) = (Path::new("spec"), |part: &Document, names: &[&str]| {
            let part = names.iter().fold(part.at("spec"), |part, name| part.at(name));
            part.text().to_owned()
        });
        let established = crate::api::custom::Definition::of(old).is("Established");
        let kept: [(&[&str], bool); 4] = [
            (&["scope"], established),
            (&["names", "kind"], established),
            (&["group"], true),
            (&["names", "plural"], true),
        ];
        for (names, must) in kept {
            let (new, old) = (path(new, names), path(old, names));
            if must && new != old {
                let path = names.iter().fold(spec.clone(), |path, name| path.child(*name));
                out.invalid(&path, new, IMMUTABLE);
            }
        }
    },
    ..PLAIN
};

fn definition(out: &mut Report, document: &Document) {
    let (spec, path) = (document.at("spec"), Path::new("spec"));
    let (group, names_part) = (spec.at("group").text(), spec.at("names"));
    let wanted = format!("{}.{group}", names_part.at("plural").text());
    let name = document.metadata.name.as_deref().unwrap_or_default();
    if name != wanted {
        let words = "must be spec.names.plural+\".\"+spec.group";
        out.invalid(&Path::new("metadata").child("name"), name, words);
    }
    let group_path = path.child("group");
    if group.is_empty() {
        out.required(&group_path, "");
    } else if let wrong @ [_, ..] = &*names::dns1123_subdomain(group) {
        out.invalid(&group_path, group, wrong.join(","));
    } else if !group.contains('.') {
        out.invalid(&group_path, group, "should be a domain with at least one dot");
    }
    out.one_of_at(&path, "scope", spec.at("scope").text(), &["Cluster", "Namespaced"]);
    versions(out, spec.at("versions"), &path.child("versions"));
    names_of(out, names_part, &path.child("names"));
}

fn versions(out: &mut Report, versions: Part<'_>, path: &Path) {
    let (mut seen, mut is_unique) = (Seen::default(), true);
    for (index, version) in versions.items().enumerate() {
        let (name, path) = (version.at("name").text(), path.index(index));
        is_unique &= seen.is_new(name);
        let wrong = names::dns1035_label(name);
        if !wrong.is_empty() {
            out.invalid_at(&path, "name", name, wrong.join(","));
        }
        let schema_path = path.child("schema").child("openAPIV3Schema");
        let schema = version.at("schema").at("openAPIV3Schema");
        if schema.is_there() {
            let before = out.errors.len();
            structural(out, schema, Level::Root, &schema_path);
            if out.errors.len() == before {
                each_rule(out, schema, Level::Root, &schema_path, None);
            }
        } else {
            out.required(&schema_path, "schemas are required");
        }
        columns(
            out,
            version.at("additionalPrinterColumns"),
            &path.child("additionalPrinterColumns"),
        );
        scale(
            out,
            version.at("subresources").at("scale"),
            &path.child("subresources").child("scale"),
        );
    }
    if !is_unique {
        out.invalid(path, versions.value().clone(), "must contain unique version names");
    }
    if versions.items().filter(|version| version.at("storage").is_true()).count() != 1 {
        let words = "must have exactly one version marked as storage version";
        out.invalid(path, versions.value().clone(), words);
    }
}

fn names_of(out: &mut Report, names: Part<'_>, path: &Path) {
    for field in ["plural", "singular", "kind", "listKind"] {
        if names.at(field).text().is_empty() {
            out.required_at(path, field, "");
        }
    }
    let label = |out: &mut Report, path: &Path, name: &str| {
        let wrong = names::dns1035_label(name);
        if !name.is_empty() && !wrong.is_empty() {
            out.invalid(path, name, wrong.join(","));
        }
    };
    for field in ["plural", "singular"] {
        label(out, &path.child(field), names.at(field).text());
    }
    for field in ["kind", "listKind"] {
        let name = names.at(field).text();
        let wrong = names::dns1035_label(&name.to_lowercase());
        if !name.is_empty() && !wrong.is_empty() {
            let words = "may have mixed case, but should otherwise match: ";
            out.invalid_at(path, field, name, words.to_owned() + &wrong.join(","));
        }
    }
    for field in ["shortNames", "categories"] {
        for (index, name) in names.at(field).texts().enumerate() {
            label(out, &path.child(field).index(index), name);
        }
    }
    let list = names.at("listKind").text();
    if !list.is_empty() && names.at("kind").text() == list {
        out.invalid_at(path, "listKind", list, "kind and listKind may not be the same");
    }
}

fn columns(out: &mut Report, columns: Part<'_>, path: &Path) {
    for (index, column) in columns.items().enumerate() {
        let path = path.index(index);
        if column.at("name").text().is_empty() {
            out.required_at(&path, "name", "");
        }
        let types = ["boolean", "date", "integer", "number", "string"];
        if column.at("type").text().is_empty() {
            let words = format!("must be one of {}", types.join(","));
            out.required_at(&path, "type", words);
        } else {
            out.supported_at(&path, "type", column.at("type").text(), &types);
        }
        let json_path = column.at("jsonPath").text();
        if json_path.is_empty() {
            out.required_at(&path, "jsonPath", "");
        } else if let Err(why) = JsonPath::parse(json_path) {
            out.invalid_at(&path, "jsonPath", json_path, why);
        }
    }
}

fn scale(out: &mut Report, scale: Part<'_>, path: &Path) {
    if !scale.is_there() {
        return;
    }
    for (field, root) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
        let (text, path) = (scale.at(field).text(), path.child(field));
        if text.is_empty() {
            out.required(&path, "");
        } else if JsonPath::parse(text).ok().and_then(|read| read.fields().map(|_| ())).is_none() {
            out.invalid(&path, text, "should be a simple json path");
        } else if !text.starts_with(root) {
            out.invalid(
                &path,
                text,
                format!("should be a json path under {}", root.trim_end_matches('.')),
            );
        }
    }
}

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";

/// Whether a schema says of each field what it is.
///
/// Mirrors: `ValidateStructural`.
fn structural(out: &mut Report, schema: Part<'_>, level: Level, path: &Path) {
    let of = schema.at("type").text();
    let is = |extension: &str| schema.at(extension).is_true();
    if of == "array" && !schema.at("items").is_there() {
        out.required_at(path, "items", "must be specified");
    }
    if of.is_empty() && !is(INT_OR_STRING) && !is(PRESERVE) {
        let words = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        out.required_at(path, "type", words);
    }
    let types = ["array", "boolean", "integer", "number", "object", "string"];
    if !of.is_empty() {
        out.supported_at(path, "type", of, &types);
    }
    if level == Level::Root && !of.is_empty() && of != "object" {
        out.invalid_at(path, "type", of, "must be object at the root");
    }
    if is(EMBEDDED) && of != "object" {
        let words = "must be object if x-kubernetes-embedded-resource is true";
        out.invalid_at(path, "type", of, words);
    }
    if is(INT_OR_STRING) && is(PRESERVE) {
        let words = "must be false if x-kubernetes-int-or-string is true";
        out.invalid_at(path, PRESERVE, true, words);
    }
    if schema.at("uniqueItems").is_true() {
        let words =
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        out.forbidden_at(path, "uniqueItems", words);
    }
    let pattern = schema.at("pattern").text();
    if let Err(why) = Pattern::parse(pattern) {
        let words = format!("must be a valid regular expression, but isn't: {why}");
        out.invalid_at(path, "pattern", pattern, words);
    }
    for (index, rule) in schema.at(EXPRESSIONS).items().enumerate() {
        rule_form(out, rule, schema, &path.child(EXPRESSIONS).index(index));
    }
    let others = schema.at("additionalProperties");
    if others.is_there() && level == Level::Root {
        out.forbidden_at(path, "additionalProperties", "must not be used at the root");
    }
    if others.is_there() && !schema.at("properties").is_empty() {
        let words = "additionalProperties and properties are mutual exclusive";
        out.forbidden_at(path, "additionalProperties", words);
    }
    if others.value().is_object() {
        structural(out, others, Level::Field, &path.child("additionalProperties"));
    }
    if schema.at("items").is_there() {
        structural(out, schema.at("items"), Level::Item, &path.child("items"));
    }
    for (name, schema) in schema.at("properties").entries() {
        // What metadata are is known.
        if level != Level::Root || name != "metadata" {
            structural(out, schema, Level::Field, &path.child("properties").key(name));
        }
    }
}

/// Whether a rule has the form of one.
fn rule_form(out: &mut Report, rule: Part<'_>, schema: Part<'_>, path: &Path) {
    let has_breaks = |text: &str| text.contains(['\n', '\r']);
    let (text, message) = (rule.at("rule").text().trim(), rule.at("message").text());
    let trimmed = message.trim();
    if text.is_empty() {
        out.required_at(path, "rule", "rule is not specified");
    } else if !message.is_empty() && trimmed.is_empty() {
        out.invalid_at(path, "message", message, "message must be non-empty if specified");
    } else if message.len() > 2048 {
        let begin: String = message.chars().take(10).collect();
        let words = "message must have a maximum length of 2048 characters";
        out.invalid_at(path, "message", begin + "...", words);
    } else if has_breaks(trimmed) {
        out.invalid_at(path, "message", message, "message must not contain line breaks");
    } else if has_breaks(text) && trimmed.is_empty() {
        let words = "message must be specified if rule contains line breaks";
        out.required_at(path, "message", words);
    }
    let expression = rule.at("messageExpression").text();
    if !expression.is_empty() && expression.trim().is_empty() {
        let words = "messageExpression must be non-empty if specified";
        out.required_at(path, "messageExpression", words);
    }
    if rule.at("reason").is_there() {
        let reasons = [
            "FieldValueDuplicate",
            "FieldValueForbidden",
            "FieldValueInvalid",
            "FieldValueRequired",
        ];
        out.supported_at(path, "reason", rule.at("reason").text(), &reasons);
    }
    let field = rule.at("fieldPath").text();
    if field.is_empty() {
        return;
    }
    if field.trim().is_empty() {
        out.invalid_at(path, "fieldPath", field, "fieldPath must be non-empty if specified");
    }
    if has_breaks(field) {
        out.invalid_at(path, "fieldPath", field, "fieldPath must not contain line breaks");
    }
    if field_path(field, schema).is_err() {
        out.invalid_at(path, "fieldPath", field, "fieldPath must be a valid path");
    }
}

/// Whether the rules of a schema, and of what is in it, say something. Within `apart`, nothing can be
/// compared with what it was.
fn each_rule(out: &mut Report, schema: Part<'_>, level: Level, path: &Path, apart: Option<&Path>) {
    let others = schema.at("additionalProperties");
    if others.value().is_object() {
        each_rule(out, others, Level::Field, &path.child("additionalProperties"), apart);
    }
    for (name, schema) in schema.at("properties").entries() {
        each_rule(out, schema, Level::Field, &path.child("properties").key(name), apart);
    }
    if schema.at("items").is_there() {
        let is_map = schema.at("x-kubernetes-list-type").text() == "map";
        let apart = if is_map { apart } else { apart.or(Some(path)) };
        each_rule(out, schema.at("items"), Level::Item, &path.child("items"), apart);
    }
    let (rules, path) = (schema.at(EXPRESSIONS), path.child(EXPRESSIONS));
    if rules.is_empty() {
        return;
    }
    let is_resource = level == Level::Root || schema.at(EMBEDDED).is_true();
    let Some(of) = Type::of_schema(schema, is_resource) else {
        let words =
            "internal error: failed to retrieve type information for x-kubernetes-validations";
        out.errors.push(FieldError::internal(&path, words));
        return;
    };
    for (index, given) in rules.items().enumerate() {
        let (rule, path) = (Rule::read(given, &of, schema), path.index(index));
        if let Err(words) = &rule.program {
            out.invalid_at(&path, "rule", as_upstream(given), words);
        }
        if let Some(Err(words)) = &rule.message_program {
            out.invalid_at(&path, "messageExpression", as_upstream(given), words);
        }
        let optional = given.at("optionalOldSelf");
        if rule.uses_old() {
            if let Some(apart) = apart {
                let words = format!(
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within {apart}"
                );
                out.invalid_at(&path, "rule", given.at("rule").text(), words);
            }
        } else if optional.is_there() && rule.program.is_ok() {
            let words = "may not be set if oldSelf is not used in rule";
            out.invalid_at(&path, "optionalOldSelf", optional.value().clone(), words);
        }
    }
}

/// A rule as upstream shows it in errors.
fn as_upstream(rule: Part<'_>) -> Value {
    let mut shown = Map::new();
    for (own, name) in [
        ("Rule", "rule"),
        ("Message", "message"),
        ("MessageExpression", "messageExpression"),
        ("FieldPath", "fieldPath"),
    ] {
        shown.insert(own.to_owned(), rule.at(name).text().into());
    }
    for (own, name) in [("Reason", "reason"), ("OptionalOldSelf", "optionalOldSelf")] {
        shown.insert(own.to_owned(), rule.at(name).value().clone());
    }
    shown.into()
}
