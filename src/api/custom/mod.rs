//! Kinds that objects of the API define: `CustomResourceDefinition`s.
//!
//! Mirrors: `apiextensions-apiserver`. Left out: conversion by webhooks.

mod json_path;
mod pattern;
mod rules;
mod schema;

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

pub use json_path::JsonPath;
pub use pattern::Pattern;
use rules::Rules;
pub use rules::{RULES, Rule, field_path};
pub use schema::Schema;

use super::columns::{Cell, Column};
use super::document::{Document, Part};
use super::duration;
use super::field::FieldError;
use super::{Kind, ResourceType};

/// A kind that was defined, in one of the versions in which it is served.
///
/// Two are equal if they are of one definition: its versions are forms of the same objects.
///
/// What a definition says of its kind is never freed, so that [`Kind`] is a small value that anybody can
/// copy; who serves kinds makes an equal one only once.
#[derive(Clone, Copy, Debug)]
pub struct Custom(&'static Served);

#[derive(Debug)]
struct Served {
    said: Said,
    /// The rules in its schema.
    rules: Option<Rules>,
}

/// What a definition says of its kind.
#[derive(Debug, PartialEq)]
struct Said {
    resource: ResourceType,
    columns: Vec<Column>,
    /// Where the cells of all columns but the first come from.
    paths: Vec<JsonPath>,
    schema: Value,
    scale: Option<Scale>,
}

/// Where the objects of a kind say how many Pods they want and have, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub wanted: JsonPath,
    pub there: JsonPath,
    /// The text of a selector.
    pub selector: Option<JsonPath>,
}

impl Custom {
    fn identity(self) -> (&'static str, &'static str) {
        (self.0.said.resource.group, self.0.said.resource.plural)
    }

    /// How it is served.
    pub const fn resource(self) -> &'static ResourceType {
        &self.0.said.resource
    }

    /// What its objects may hold.
    pub fn schema(self) -> Schema<'static> {
        Schema::at(Part::of(Some(&self.0.said.schema)))
    }

    /// What of one of its objects breaks a rule; `old` is what it is to take the place of.
    pub fn broken_rules(self, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
        self.0.rules.as_ref().map_or_else(Vec::new, |rules| rules.check(new, old))
    }

    /// Whether there are rules for its objects.
    pub fn has_rules(self) -> bool {
        self.0.rules.is_some()
    }

    /// Where its objects say how many Pods they want; none if they have no such part.
    pub fn scale(self) -> Option<&'static Scale> {
        self.0.said.scale.as_ref()
    }

    /// Whether both are the same version as the same definition has it, which is more than equal.
    pub fn is(self, other: Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }

    /// The columns of its table.
    pub fn columns(self) -> &'static [Column] {
        &self.0.said.columns
    }

    /// The row of one of its objects.
    ///
    /// Mirrors: `pkg/registry/customresource/tableconvertor`.
    pub fn row(self, document: &Document, now: Timestamp) -> Vec<Cell> {
        let object = document.to_json();
        let name = document.metadata.name.as_deref().unwrap_or_default();
        let others = self.0.said.columns.iter().skip(1).zip(&self.0.said.paths);
        let others = others.map(|(column, path)| cell(column.kind, path.find(&object), now));
        [name.into()].into_iter().chain(others).collect()
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Custom {}

impl PartialOrd for Custom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Custom {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

fn cell(kind: &str, found: Option<&Value>, now: Timestamp) -> Cell {
    let Some(value) = found else { return Cell::Nothing };
    match (kind, value) {
        ("string", Value::String(text)) => text.as_str().into(),
        ("string", value) => value.to_string().into(),
        ("integer" | "number", Value::Number(number)) => number.as_i64().map_or_else(
            || if kind == "number" { number.to_string().into() } else { Cell::Nothing },
            Cell::Number,
        ),
        ("boolean", Value::Bool(truth)) => Cell::Truth(*truth),
        ("date", Value::String(text)) => match text.parse() {
            Ok(at) => duration::age(Some(at), now).into(),
            Err(_) => "<invalid>".into(),
        },
        _ => Cell::Nothing,
    }
}

/// What a `CustomResourceDefinition` says.
#[derive(Clone, Copy, Debug)]
pub struct Definition<'a>(&'a Document);

impl<'a> Definition<'a> {
    /// What `document` says, which is one.
    pub fn of(document: &'a Document) -> Self {
        Self(document)
    }

    fn spec(self) -> Part<'a> {
        self.0.at("spec")
    }

    /// Its versions.
    pub fn versions(self) -> impl Iterator<Item = Part<'a>> {
        self.spec().at("versions").items()
    }

    /// The name of the version in which objects are stored.
    pub fn stored_version(self) -> &'a str {
        let stored = self.versions().find(|version| version.at("storage").is_true());
        stored.map_or("", |version| version.at("name").text())
    }

    /// Whether a condition of its status holds.
    pub fn is(self, condition: &str) -> bool {
        let mut conditions = self.0.at("status").at("conditions").items();
        conditions
            .any(|one| one.at("type").text() == condition && one.at("status").text() == "True")
    }

    /// Its kind in each version in which it is served, as long as it is; the preferred one first. What is
    /// `known` already is not made anew, and what is made is known from then on.
    pub fn kinds(self, known: &mut Vec<Kind>) -> Vec<Kind> {
        if !self.is("Established") {
            return Vec::new();
        }
        let mut served: Vec<Part<'_>> =
            self.versions().filter(|version| version.at("served").is_true()).collect();
        crate::sim::sort::by(&mut served, |one, other| {
            preference(one.at("name").text()).cmp(&preference(other.at("name").text()))
        });
        served.into_iter().map(|version| self.kind(version, known)).collect()
    }

    fn kind(self, version: Part<'_>, known: &mut Vec<Kind>) -> Kind {
        let names = self.spec().at("names");
        let accepted = self.0.at("status").at("acceptedNames");
        let group = kept(self.spec().at("group").text());
        let plural = kept(names.at("plural").text());
        let parts = version.at("subresources");
        let parts = ["status", "scale"].into_iter().filter(|name| parts.at(name).is_there());
        let resource = ResourceType {
            group,
            version: kept(version.at("name").text()),
            name: kept(names.at("kind").text()),
            plural,
            singular: kept(names.at("singular").text()),
            list: kept(names.at("listKind").text()),
            short_names: all_kept(accepted.at("shortNames")),
            namespaced: self.spec().at("scope").text() == "Namespaced",
            categories: all_kept(names.at("categories")),
            subresources: parts.collect::<Vec<_>>().leak(),
            storage: kept(&[group, "/", plural].concat()),
            form_of: None,
        };
        let (mut columns, mut paths) = (vec![Column::NAME], Vec::new());
        for column in version.at("additionalPrinterColumns").items() {
            if let Ok(path) = JsonPath::parse(column.at("jsonPath").text()) {
                columns.push(self::column(column));
                paths.push(path);
            }
        }
        if paths.is_empty() {
            columns.push(Column { kind: "date", ..Column::AGE });
            paths.extend(JsonPath::parse(".metadata.creationTimestamp"));
        }
        let schema = version.at("schema").at("openAPIV3Schema").value().clone();
        let scale = scale(version.at("subresources").at("scale"));
        let said = Said { resource, columns, paths, schema, scale };
        let is_same = |kind: &&Kind| kind.custom().is_some_and(|custom| custom.0.said == said);
        if let Some(same) = known.iter().find(is_same) {
            return *same;
        }
        let rules = Rules::of(Part::of(Some(&said.schema)));
        let kind = Kind::Custom(Custom(Box::leak(Box::new(Served { said, rules }))));
        known.push(kind);
        kind
    }
}

fn scale(part: Part<'_>) -> Option<Scale> {
    let path = |name: &str| JsonPath::parse(part.at(name).text()).ok();
    Some(Scale {
        wanted: path("specReplicasPath")?,
        there: path("statusReplicasPath")?,
        selector: path("labelSelectorPath"),
    })
}

fn column(column: Part<'_>) -> Column {
    let path = column.at("jsonPath").text();
    let description = match column.at("description").text() {
        "" => ["Custom resource definition column (in JSONPath format): ", path].concat(),
        given => given.to_owned(),
    };
    Column {
        name: kept(column.at("name").text()),
        kind: kept(column.at("type").text()),
        format: kept(column.at("format").text()),
        description: description.leak(),
        priority: column
            .at("priority")
            .number()
            .and_then(|it| it.try_into().ok())
            .unwrap_or_default(),
    }
}

fn kept(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn all_kept(texts: Part<'_>) -> &'static [&'static str] {
    texts.texts().map(kept).collect::<Vec<_>>().leak()
}

/// Where a version stands among others: `v2`, `v1`, `v1beta1`, `v1alpha1`, and then all else by name.
///
/// Mirrors: `CompareKubeAwareVersionStrings` of `apimachinery/pkg/version`.
fn preference(version: &str) -> impl Ord {
    let parts = || -> Option<(u8, u32, u32)> {
        let rest = version.strip_prefix('v')?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (major, rest) = rest.split_at_checked(end)?;
        let (stage, minor) = match rest {
            "" => (0, "0"),
            _ => rest
                .strip_prefix("beta")
                .map(|minor| (1, minor))
                .or_else(|| Some((2, rest.strip_prefix("alpha")?)))?,
        };
        Some((stage, u32::MAX - major.parse::<u32>().ok()?, u32::MAX - minor.parse::<u32>().ok()?))
    };
    (parts().unwrap_or((3, 0, 0)), version.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Kinds;

    #[test]
    fn versions_are_preferred_as_upstream_does() {
        let mut versions = ["foo10", "v1alpha1", "v2", "v1beta2", "v10", "v1", "foo1", "v1beta10"];
        versions.sort_by_key(|version| preference(version));
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v1beta10", "v1beta2", "v1alpha1", "foo1", "foo10"]
        );
    }

    #[test]
    fn versions_of_a_kind_are_equal_and_not_served_alike() {
        let kinds = |version: &str, known: &mut Vec<Kind>| {
            let definition = json!({
                "metadata": {"name": "tabs.example.com"},
                "spec": {
                    "group": "example.com", "scope": "Cluster",
                    "names": {"plural": "tabs", "kind": "Tab"},
                    "versions": [{"name": version, "served": true, "storage": true}],
                },
                "status": {"conditions": [{"type": "Established", "status": "True"}]},
            });
            let read = Document::from_json(Kind::CustomResourceDefinition, &definition).unwrap();
            Definition::of(&read.object).kinds(known)
        };
        let known = &mut Vec::new();
        let (one, again, two) = (kinds("v1", known), kinds("v1", known), kinds("v2", known));
        assert_eq!(one, two);
        assert_eq!(known.len(), 2);
        assert_eq!(Kinds::with(&one), Kinds::with(&again));
        assert_ne!(Kinds::with(&one), Kinds::with(&two));
    }
}
