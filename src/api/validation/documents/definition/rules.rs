//! The rules of a schema, in CEL: their form, and what they say.
//!
//! Mirrors: `ValidateCustomResourceDefinitionOpenAPISchema`.

use serde_json::{Map, Value};

use super::schema::EMBEDDED;
use crate::api::cel::Type;
use crate::api::custom::{RULES as EXPRESSIONS, Rule, field_path};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::validation::report::Report;

const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const LONGEST_MESSAGE: usize = 2048;

/// Whether the rules of `schema` have the form of some.
pub(super) fn forms(out: &mut Report, schema: Part<'_>, path: &Path) {
    for (index, rule) in schema.at(EXPRESSIONS).items().enumerate() {
        form(out, rule, schema, &path.child(EXPRESSIONS).index(index));
    }
}

/// Whether a rule has the form of one.
fn form(out: &mut Report, rule: Part<'_>, schema: Part<'_>, path: &Path) {
    let has_breaks = |text: &str| text.contains(['\n', '\r']);
    let (text, message) = (rule.at("rule").text().trim(), rule.at("message").text());
    let trimmed = message.trim();
    if text.is_empty() {
        out.required_at(path, "rule", "rule is not specified");
    } else if !message.is_empty() && trimmed.is_empty() {
        out.invalid_at(path, "message", message, "message must be non-empty if specified");
    } else if message.len() > LONGEST_MESSAGE {
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
        out.supported_at(path, "reason", rule.at("reason").text(), &REASONS);
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
    if let Err(why) = field_path(field, schema) {
        let words = ["fieldPath must be a valid path: ", &why].concat();
        out.invalid_at(path, "fieldPath", field, words);
    }
}

/// Whether the rules of a schema, and of what is in it, say something. Within `apart`, nothing can be
/// compared with what it was.
pub(super) fn programs(
    out: &mut Report,
    schema: Part<'_>,
    is_root: bool,
    path: &Path,
    apart: Option<&Path>,
) {
    let others = schema.at("additionalProperties");
    if others.value().is_object() {
        programs(out, others, false, &path.child("additionalProperties"), apart);
    }
    for (name, schema) in schema.at("properties").entries() {
        programs(out, schema, false, &path.child("properties").key(name), apart);
    }
    if schema.at("items").is_there() {
        let is_map = schema.at("x-kubernetes-list-type").text() == "map";
        let apart = if is_map { apart } else { apart.or(Some(path)) };
        programs(out, schema.at("items"), false, &path.child("items"), apart);
    }
    let (rules, path) = (schema.at(EXPRESSIONS), path.child(EXPRESSIONS));
    if rules.is_empty() {
        return;
    }
    let is_resource = is_root || schema.at(EMBEDDED).is_true();
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
