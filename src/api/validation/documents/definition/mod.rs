//! Definitions of kinds.
//!
//! What all versions have in common is checked once, and has the path of the older form, as upstream's own
//! form of a definition has it. Left out: the details of webhooks, which nobody calls here.
//!
//! Mirrors: `apiextensions-apiserver/pkg/apis/apiextensions/validation`.

mod rules;
mod schema;
mod structural;

use serde_json::Value;

use super::{PLAIN, Rules};
use crate::api::custom::Definition;
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::text::lower;
use crate::api::validation::IMMUTABLE;
use crate::api::validation::report::{Report, Seen};

pub(super) const RULES: Rules =
    Rules { check: definition, change, status: |out, new, _| accepted_names(out, new), ..PLAIN };

const SELECTABLE_MAX: usize = 8;
const WARNING_MAX: usize = 256;
const APPROVED: &str = "api-approved.kubernetes.io";
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

fn change(out: &mut Report, new: &Document, old: &Document) {
    let at = |document: &Document, names: &[&str]| {
        let part = names.iter().fold(document.at("spec"), |part, name| part.at(name));
        part.text().to_owned()
    };
    let established = Definition::of(old).is("Established");
    let kept: [(&[&'static str], bool); 4] = [
        (&["scope"], established),
        (&["names", "kind"], established),
        (&["group"], true),
        (&["names", "plural"], true),
    ];
    for (names, must) in kept {
        let (new, old) = (at(new, names), at(old, names));
        if must && new != old {
            let path = names.iter().fold(Path::new("spec"), |path, name| path.child(*name));
            out.invalid(&path, new, IMMUTABLE);
        }
    }
    accepted_names(out, new);
    stored_versions(out, new);
    approval(out, new, Some(old));
    preserves(out, new, Some(old));
}

fn accepted_names(out: &mut Report, new: &Document) {
    let path = Path::new("status").child("acceptedNames");
    names_of(out, new.at("status").at("acceptedNames"), &path);
}

/// Objects may be stored in each version that ever was the one to store.
fn stored_versions(out: &mut Report, new: &Document) {
    let versions = || new.at("spec").at("versions").items();
    let path = Path::new("status").child("storedVersions");
    for (index, stored) in new.at("status").at("storedVersions").texts().enumerate() {
        if !versions().any(|version| version.at("name").text() == stored) {
            let words = format!(
                "missing from spec.versions; {stored} was previously a storage version, and must \
                 remain in spec.versions until a storage migration ensures no data remains persisted \
                 in {stored} and removes {stored} from status.storedVersions"
            );
            out.invalid(&path.index(index), stored, words);
        }
    }
}

/// Groups of the community want to know who has looked at the kind.
fn approval(out: &mut Report, new: &Document, old: Option<&Document>) {
    let group = new.at("spec").at("group").text();
    let of = |domain: &str| {
        group.strip_suffix(domain).is_some_and(|it| it.is_empty() || it.ends_with('.'))
    };
    if !of("k8s.io") && !of("kubernetes.io") {
        return;
    }
    let said = |of: &Document| -> String {
        let annotations = of.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(APPROVED)).cloned().unwrap_or_default()
    };
    let state = |said: &str| {
        let is_url = said.split_once("://").is_some_and(|(scheme, rest)| {
            !scheme.is_empty() && !rest.is_empty() && !rest.starts_with('/')
        });
        (said.is_empty(), said.starts_with("unapproved"), is_url)
    };
    let (now, see) = (said(new), "see https://github.com/kubernetes/enhancements/pull/1111");
    if old.is_some_and(|old| state(&said(old)) == state(&now)) {
        return;
    }
    let path = Path::new("metadata").child("annotations").key(APPROVED);
    match state(&now) {
        (true, ..) => {
            let words =
                format!("protected groups must have approval annotation {APPROVED:?}, {see}");
            out.required(&path, words);
        }
        (false, false, false) => {
            let words = format!(
                "protected groups must have approval annotation {APPROVED:?} with either a URL or a \
                 reason starting with \"unapproved\", {see}"
            );
            out.invalid(&path, now, words);
        }
        (false, ..) => {}
    }
}

fn preserves(out: &mut Report, new: &Document, old: Option<&Document>) {
    let is = |of: &Document| of.at("spec").at("preserveUnknownFields").is_true();
    if is(new) && !old.is_some_and(is) {
        let words = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
                     spec.versions[*].schema instead";
        out.invalid(&Path::new("spec").child("preserveUnknownFields"), true, words);
    }
}

fn definition(out: &mut Report, document: &Document, old: Option<&Document>) {
    let (spec, path) = (document.at("spec"), &Path::new("spec"));
    let (group, own_names) = (spec.at("group").text(), spec.at("names"));
    let wanted = format!("{}.{group}", own_names.at("plural").text());
    let name = document.metadata.name.as_deref().unwrap_or_default();
    if name != wanted && old.is_none() {
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
    out.one_of_at(path, "scope", spec.at("scope").text(), &["Cluster", "Namespaced"]);
    let common = Common::of(spec.at("versions"));
    versions(out, spec.at("versions"), &common, &path.child("versions"));
    let names_path = path.child("names");
    for field in ["plural", "singular", "kind", "listKind"] {
        if own_names.at(field).text().is_empty() {
            out.required_at(&names_path, field, "");
        }
    }
    names_of(out, own_names, &names_path);
    let has_status = spec.at("versions").items().any(has_status);
    let own_schema = common.schema.at("openAPIV3Schema");
    if own_schema.is_there() {
        let path = path.child("validation").child("openAPIV3Schema");
        schema::check(out, own_schema, has_status, &path);
    }
    subresources(out, common.subresources, &path.child("subresources"));
    columns(out, common.columns, &path.child("additionalPrinterColumns"));
    selectable(out, common.selectable, own_schema, &path.child("selectableFields"));
    conversion(out, spec.at("conversion"), &path.child("conversion"));
    if old.is_none() {
        approval(out, document, None);
        preserves(out, document, None);
    }
}

/// What all versions have alike; the rest is absent.
struct Common<'a> {
    schema: Part<'a>,
    subresources: Part<'a>,
    columns: Part<'a>,
    selectable: Part<'a>,
}

impl<'a> Common<'a> {
    fn of(versions: Part<'a>) -> Self {
        let alike = |field: &str| {
            let mut all = versions.items().map(|version| version.at(field));
            let first = all.next().unwrap_or(Part::of(None));
            if all.all(|it| it.value() == first.value()) { first } else { Part::of(None) }
        };
        Self {
            schema: alike("schema"),
            subresources: alike("subresources"),
            columns: alike("additionalPrinterColumns"),
            selectable: alike("selectableFields"),
        }
    }
}

fn has_status(version: Part<'_>) -> bool {
    version.at("subresources").at("status").is_there()
}

fn versions(out: &mut Report, versions: Part<'_>, common: &Common<'_>, path: &Path) {
    for (index, version) in versions.items().enumerate() {
        if !version.at("schema").at("openAPIV3Schema").is_there() {
            let path = path.index(index).child("schema");
            out.required_at(&path, "openAPIV3Schema", "schemas are required");
        }
    }
    let (mut seen, mut is_unique) = (Seen::default(), true);
    for (index, version) in versions.items().enumerate() {
        let (name, path) = (version.at("name").text(), path.index(index));
        is_unique &= seen.is_new(name);
        let wrong = names::dns1035_label(name);
        if !wrong.is_empty() {
            out.invalid_at(&path, "name", name, wrong.join(","));
        }
        deprecation(out, version, &path.child("deprecationWarning"));
        let own_schema = version.at("schema").at("openAPIV3Schema");
        if own_schema.is_there() && !common.schema.is_there() {
            let path = path.child("schema").child("openAPIV3Schema");
            schema::check(out, own_schema, has_status(version), &path);
        }
        if !common.subresources.is_there() {
            subresources(out, version.at("subresources"), &path.child("subresources"));
        }
        if !common.columns.is_there() {
            let own = version.at("additionalPrinterColumns");
            columns(out, own, &path.child("additionalPrinterColumns"));
        }
        if !common.selectable.is_there() {
            let own = version.at("selectableFields");
            selectable(out, own, own_schema, &path.child("selectableFields"));
        }
    }
    if !is_unique {
        out.invalid(path, versions.value().clone(), "must contain unique version names");
    }
    if versions.items().filter(|version| version.at("storage").is_true()).count() != 1 {
        let words = "must have exactly one version marked as storage version";
        out.invalid(path, versions.value().clone(), words);
    }
}

fn deprecation(out: &mut Report, version: Part<'_>, path: &Path) {
    let warning = version.at("deprecationWarning");
    if !warning.is_there() {
        return;
    }
    let text = warning.text();
    if !version.at("deprecated").is_true() {
        out.invalid(path, text, "can only be set for deprecated versions");
        return;
    }
    if text.len() > WARNING_MAX {
        out.invalid(path, text, format!("must be <= {WARNING_MAX} characters long"));
    }
    if text.is_empty() {
        out.invalid(path, text, "must not be an empty string");
    }
    if let Some((at, _)) = text.char_indices().find(|(_, c)| c.is_control()) {
        let words = format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {at}"
        );
        out.invalid(path, text, words);
    }
}

fn names_of(out: &mut Report, names: Part<'_>, path: &Path) {
    let label = |out: &mut Report, path: &Path, name: &str| {
        let wrong = names::dns1035_label(name);
        if !wrong.is_empty() {
            out.invalid(path, name, wrong.join(","));
        }
    };
    for field in ["plural", "singular"] {
        let name = names.at(field).text();
        if !name.is_empty() {
            label(out, &path.child(field), name);
        }
    }
    for field in ["kind", "listKind"] {
        let name = names.at(field).text();
        let wrong = names::dns1035_label(&lower(name));
        if !name.is_empty() && !wrong.is_empty() {
            let words = "may have mixed case, but should otherwise match: ";
            out.invalid_at(path, field, name, words.to_owned() + &wrong.join(","));
        }
    }
    let several = |out: &mut Report, field: &'static str| {
        for (index, name) in names.at(field).texts().enumerate() {
            label(out, &path.child(field).index(index), name);
        }
    };
    several(out, "shortNames");
    let list = names.at("listKind").text();
    if !list.is_empty() && names.at("kind").text() == list {
        out.invalid_at(path, "listKind", list, "kind and listKind may not be the same");
    }
    several(out, "categories");
}

fn columns(out: &mut Report, columns: Part<'_>, path: &Path) {
    for (index, column) in columns.items().enumerate() {
        let path = path.index(index);
        if column.at("name").text().is_empty() {
            out.required_at(&path, "name", "");
        }
        let words = |known: &[&str]| format!("must be one of {}", known.join(","));
        let (of, format) = (column.at("type").text(), column.at("format").text());
        if of.is_empty() {
            out.required_at(&path, "type", words(&COLUMN_TYPES));
        } else if !COLUMN_TYPES.contains(&of) {
            out.invalid_at(&path, "type", of, words(&COLUMN_TYPES));
        }
        if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
            out.invalid_at(&path, "format", format, words(&COLUMN_FORMATS));
        }
        simple_path(out, column.at("jsonPath").text(), &[], &path.child("JSONPath"));
    }
}

/// A path that begins with a dot, below one of the roots if there are some.
fn simple_path(out: &mut Report, text: &str, roots: &[&str], path: &Path) {
    if text.is_empty() {
        out.required(path, "");
    } else if !text.starts_with('.') {
        out.invalid(path, text, "must be a simple json path starting with .");
    } else if let [first, others @ ..] = roots
        && !roots.iter().any(|root| text.strip_prefix(root).is_some_and(|it| it.starts_with('.')))
    {
        let words = match others {
            [] => format!("should be a json path under {first}"),
            [second, ..] => format!("should be a json path under either {first} or {second}"),
        };
        out.invalid(path, text, words);
    }
}

fn subresources(out: &mut Report, subresources: Part<'_>, path: &Path) {
    let (scale, path) = (subresources.at("scale"), path.child("scale"));
    if !scale.is_there() {
        return;
    }
    for (field, root) in [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")] {
        simple_path(out, scale.at(field).text(), &[root], &path.child(field));
    }
    let selector = scale.at("labelSelectorPath").text();
    if !selector.is_empty() {
        simple_path(out, selector, &[".spec", ".status"], &path.child("labelSelectorPath"));
    }
}

/// The fields by which objects can be chosen.
fn selectable(out: &mut Report, fields: Part<'_>, schema: Part<'_>, path: &Path) {
    let mut seen = Seen::default();
    let mut count = 0;
    for (index, field) in fields.items().enumerate() {
        let (json_path, path) = (field.at("jsonPath").text(), path.index(index).child("jsonPath"));
        if json_path.is_empty() {
            out.required(&path, "");
            continue;
        }
        let steps = json_path.split('.').skip(1);
        let found = steps.clone().fold(schema, |schema, name| schema.at("properties").at(name));
        if !json_path.starts_with('.') || !found.is_there() {
            let words = "is an invalid path: does not refer to a valid field";
            out.invalid(&path, json_path, words);
            continue;
        }
        if steps.clone().next() == Some("metadata") {
            out.invalid(&path, json_path, "must not point to fields in metadata");
        }
        if !["string", "boolean", "integer"].contains(&found.at("type").text()) {
            let words = "must point to a field of type string, boolean or integer. Enum string \
                         fields and strings with formats are allowed.";
            out.invalid(&path, json_path, words);
        }
        if seen.is_new(json_path) {
            count += 1;
        } else {
            out.duplicate(&path, json_path);
        }
    }
    if count > SELECTABLE_MAX {
        out.errors.push(FieldError::too_many(path, count, SELECTABLE_MAX));
    }
}

/// How objects change from one version to another.
fn conversion(out: &mut Report, conversion: Part<'_>, path: &Path) {
    if !conversion.is_there() {
        return;
    }
    let (strategy, hook) = (conversion.at("strategy").text(), conversion.at("webhook"));
    out.one_of_at(path, "strategy", strategy, &["None", "Webhook"]);
    let (client, client_path) = (hook.at("clientConfig"), path.child("webhookClientConfig"));
    let (reviews, reviews_path) =
        (hook.at("conversionReviewVersions"), path.child("conversionReviewVersions"));
    if strategy != "Webhook" {
        let words = "should not be set when strategy is not set to Webhook";
        for (part, path) in [(client, client_path), (reviews, reviews_path)] {
            if part.is_there() && part.value() != &Value::Array(Vec::new()) {
                out.forbidden(&path, words);
            }
        }
        return;
    }
    if !client.is_there() {
        out.required(&client_path, "required when strategy is set to Webhook");
    } else if client.at("url").is_there() == client.at("service").is_there() {
        out.required(&client_path, "exactly one of url or service is required");
    }
    if reviews.is_empty() {
        out.required(&reviews_path, "");
        return;
    }
    let mut seen = Seen::default();
    for (index, version) in reviews.texts().enumerate() {
        let path = reviews_path.index(index);
        if seen.is_new(version) {
            out.words(&path, version, names::dns1035_label);
        } else {
            out.invalid(&path, version, "duplicate version");
        }
    }
    if !reviews.texts().any(|version| ["v1", "v1beta1"].contains(&version)) {
        let words = "must include at least one of v1, v1beta1";
        out.invalid(&reviews_path, reviews.value().clone(), words);
    }
}
