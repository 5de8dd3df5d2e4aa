//! The structural schema of a custom kind: what its objects may hold, must hold, and hold by default.
//!
//! A schema is read where it stands in its definition: it is asked when somebody writes, not often.
//!
//! Mirrors: `apiextensions-apiserver/pkg/apiserver/{schema,validation}` and `kube-openapi/pkg/validation`.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::pattern::Pattern;
use crate::api::decode::{OF_EVERY_KIND, UnknownField};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::names::parse_ip;

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";

/// The schema of a value.
#[derive(Clone, Copy, Debug)]
pub struct Schema<'a>(Part<'a>);

impl<'a> Schema<'a> {
    /// The schema that stands at `part`.
    pub fn at(part: Part<'a>) -> Self {
        Self(part)
    }

    /// As it stands in its definition.
    pub fn source(self) -> &'a Value {
        self.0.value()
    }

    fn parts(self, name: &str) -> impl Iterator<Item = Schema<'a>> + use<'a> {
        self.0.at(name).items().map(Self)
    }

    /// The schema of the items of a list.
    #[must_use]
    pub fn items(self) -> Self {
        Self(self.0.at("items"))
    }

    /// The schema of a field; none if there is none of that name.
    pub fn field(self, name: &str) -> Option<Self> {
        let property = self.0.at("properties").at(name);
        let other = self.0.at("additionalProperties");
        if property.is_there() {
            Some(Self(property))
        } else {
            (other.value().is_object() || other.is_true()).then_some(Self(other))
        }
    }

    /// Takes out the fields that have no place in it, and tells of them.
    pub fn prune(self, object: &mut Map<String, Value>) -> Vec<UnknownField> {
        let mut unknown = Vec::new();
        self.prune_fields(object, true, "", &mut unknown);
        unknown
    }

    fn prune_fields(
        self,
        object: &mut Map<String, Value>,
        is_object: bool,
        at: &str,
        unknown: &mut Vec<UnknownField>,
    ) {
        let preserves = self.0.at(PRESERVE).is_true();
        object.retain(|name, value| {
            if is_object && OF_EVERY_KIND.contains(&name.as_str()) {
                return true;
            }
            let path = if at.is_empty() { name.clone() } else { [at, ".", name].concat() };
            match self.field(name) {
                Some(schema) => schema.prune_value(value, &path, unknown),
                None if preserves => {}
                None => {
                    unknown.push(UnknownField { path, name: name.clone(), known: Vec::new() });
                    return false;
                }
            }
            true
        });
    }

    fn prune_value(self, value: &mut Value, at: &str, unknown: &mut Vec<UnknownField>) {
        match value {
            Value::Object(fields) => {
                self.prune_fields(fields, self.0.at(EMBEDDED).is_true(), at, unknown);
            }
            Value::Array(items) => {
                let schema = self.items();
                for (index, item) in items.iter_mut().enumerate() {
                    schema.prune_value(item, &format!("{at}[{index}]"), unknown);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether a value has fields that have no place in it.
    pub fn has_more(self, value: &Value) -> bool {
        let mut unknown = Vec::new();
        self.prune_value(&mut value.clone(), "", &mut unknown);
        !unknown.is_empty()
    }

    /// Fills in what was left open.
    pub fn default_fields(self, object: &mut Map<String, Value>) {
        for (name, schema) in self.0.at("properties").entries() {
            let default = schema.at("default");
            let is_open = match object.get(name) {
                None => true,
                Some(value) => value.is_null() && !schema.at("nullable").is_true(),
            };
            if default.is_there() && is_open {
                object.insert(name.to_owned(), default.value().clone());
            }
        }
        for (name, value) in object {
            if let Some(schema) = self.field(name) {
                schema.default_value(value);
            }
        }
    }

    fn default_value(self, value: &mut Value) {
        match value {
            Value::Object(fields) => self.default_fields(fields),
            Value::Array(items) => {
                let schema = self.items();
                for item in items {
                    schema.default_value(item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// What is wrong with a value; `at` is its path, empty for a whole object.
    pub fn check(self, value: &Value, at: &str) -> Vec<FieldError> {
        let mut found = Found { errors: Vec::new() };
        self.check_value(value, at, &mut found);
        found.errors
    }

    fn types(self) -> Vec<&'a str> {
        if self.0.at(INT_OR_STRING).is_true() {
            return vec!["integer", "string"];
        }
        Some(self.0.at("type").text()).filter(|of| !of.is_empty()).into_iter().collect()
    }

    fn check_value(self, value: &Value, at: &str, found: &mut Found) {
        if value.is_null() && self.0.at("nullable").is_true() {
            return;
        }
        let types = self.types();
        if !types.is_empty() && !types.iter().any(|of| is_of(value, of)) {
            let words = format!("must be of type {}: {:?}", types.join(","), type_of(value));
            found.wrong_type(at, type_of(value), &words);
            return;
        }
        self.check_combinations(value, at, found);
        match value {
            Value::String(text) => self.check_text(text, at, found),
            Value::Number(number) => {
                self.check_number(number.as_f64().unwrap_or_default(), value, at, found);
            }
            Value::Array(items) => self.check_list(items, at, found),
            Value::Null | Value::Bool(_) | Value::Object(_) => {}
        }
        let allowed = self.0.at("enum");
        if allowed.is_there() && !allowed.items().any(|one| one.value() == value) {
            let text = |one: Part<'_>| match one.value().as_str() {
                Some(text) => text.to_owned(),
                None => one.value().to_string(),
            };
            let allowed: Vec<String> = allowed.items().map(text).collect();
            let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
            found.errors.push(FieldError::not_supported(&path(at), value.clone(), &allowed));
        }
        if let Value::Object(fields) = value {
            self.check_fields(fields, at, found);
        }
    }

    fn check_combinations(self, value: &Value, at: &str, found: &mut Found) {
        let wrong = |schema: Self| schema.check(value, at);
        let fails = |name: &str| -> Vec<Vec<FieldError>> { self.parts(name).map(wrong).collect() };
        let fewest =
            |of: Vec<Vec<FieldError>>| of.into_iter().min_by_key(Vec::len).unwrap_or_default();
        for errors in fails("allOf") {
            found.errors.extend(errors);
        }
        let any = fails("anyOf");
        if !any.is_empty() && any.iter().all(|errors| !errors.is_empty()) {
            found.combined(format!("{at:?} must validate at least one schema (anyOf)"));
            found.errors.extend(fewest(any));
        }
        let one = fails("oneOf");
        if !one.is_empty() {
            let must = format!("{at:?} must validate one and only one schema (oneOf). Found");
            match one.iter().filter(|errors| errors.is_empty()).count() {
                0 => {
                    found.combined(format!("{must} none valid"));
                    found.errors.extend(fewest(one));
                }
                1 => {}
                several => found.combined(format!("{must} {several} valid alternatives")),
            }
        }
        let not = self.0.at("not");
        if not.is_there() && wrong(Self(not)).is_empty() {
            found.combined(format!("{at:?} must not validate the schema (not)"));
        }
    }

    fn limit(self, name: &str) -> Option<usize> {
        self.0.at(name).number().and_then(|limit| usize::try_from(limit).ok())
    }

    fn check_text(self, text: &str, at: &str, found: &mut Found) {
        let length = text.chars().count();
        if let Some(most) = self.limit("maxLength").filter(|most| length > *most) {
            found.errors.push(FieldError::too_long(&path(at), most));
        }
        if let Some(least) = self.limit("minLength").filter(|least| length < *least) {
            found.invalid(at, text, &format!("should be at least {least} chars long"));
        }
        let pattern = self.0.at("pattern").text();
        if !pattern.is_empty() && Pattern::parse(pattern).is_ok_and(|read| !read.is_in(text)) {
            found.invalid(at, text, &format!("should match '{pattern}'"));
        }
        let format = self.0.at("format").text();
        if !has_format(text, format) {
            found.wrong_type(at, text, &format!("must be of type {format}: {text:?}"));
        }
    }

    fn check_number(self, number: f64, value: &Value, at: &str, found: &mut Found) {
        let is = |name: &str| self.0.at(name).is_true();
        let mut check = |name: &str, fails: fn(f64, f64) -> bool, words: &str| {
            let bound = self.0.at(name).value();
            if bound.as_f64().is_some_and(|bound| fails(number, bound)) {
                found.invalid(at, value.clone(), &format!("should be {words} {bound}"));
            }
        };
        if is("exclusiveMaximum") {
            check("maximum", |number, most| number >= most, "less than");
        } else {
            check("maximum", |number, most| number > most, "less than or equal to");
        }
        if is("exclusiveMinimum") {
            check("minimum", |number, least| number <= least, "greater than");
        } else {
            check("minimum", |number, least| number < least, "greater than or equal to");
        }
        check("multipleOf", |number, factor| number % factor != 0.0, "a multiple of");
    }

    fn check_list(self, items: &[Value], at: &str, found: &mut Found) {
        if let Some(most) = self.limit("maxItems").filter(|most| items.len() > *most) {
            found.errors.push(FieldError::too_many(&path(at), items.len(), most));
        }
        if let Some(least) = self.limit("minItems").filter(|least| items.len() < *least) {
            found.invalid(at, items.len(), &format!("should have at least {least} items"));
        }
        let schema = self.items();
        for (index, item) in items.iter().enumerate() {
            schema.check_value(item, &format!("{at}[{index}]"), found);
        }
        self.check_unique(items, at, found);
    }

    /// Of a set and of a list of maps no two items are the same.
    ///
    /// Mirrors: `apiextensions-apiserver/pkg/apiserver/schema/listtype`.
    fn check_unique(self, items: &[Value], at: &str, found: &mut Found) {
        let keys = self.0.at("x-kubernetes-list-map-keys");
        let of_keys = |item: &Value| {
            let mut parts = Map::new();
            for name in keys.texts() {
                if let Some(part) = item.get(name) {
                    parts.insert(name.to_owned(), part.clone());
                }
            }
            parts
        };
        let key = |item: &Value| match self.0.at("x-kubernetes-list-type").text() {
            "set" => Some(item.clone()),
            "map" => Some(of_keys(item).into()),
            _ => None,
        };
        let mut seen: Vec<Value> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(key) = key(item) else { return };
            if seen.contains(&key) {
                let at = format!("{at}[{index}]");
                found.errors.push(FieldError::duplicate(&path(&at), key));
            } else {
                seen.push(key);
            }
        }
    }

    fn check_fields(self, fields: &Map<String, Value>, at: &str, found: &mut Found) {
        let below =
            |name: &str| if at.is_empty() { name.to_owned() } else { [at, ".", name].concat() };
        if let Some(most) = self.limit("maxProperties").filter(|most| fields.len() > *most) {
            found.errors.push(FieldError::too_many(&path(at), fields.len(), most));
        }
        if let Some(least) = self.limit("minProperties").filter(|least| fields.len() < *least) {
            found.invalid(at, fields.len(), &format!("should have at least {least} properties"));
        }
        for name in self.0.at("required").texts().filter(|name| !fields.contains_key(*name)) {
            found.errors.push(FieldError::required(&path(&below(name)), ""));
        }
        for (name, value) in fields {
            if let Some(schema) = self.field(name) {
                schema.check_value(value, &below(name), found);
            }
        }
    }
}

/// The mistakes found so far.
struct Found {
    errors: Vec<FieldError>,
}

impl Found {
    fn invalid(&mut self, at: &str, value: impl Into<Value>, words: &str) {
        let words = [at, " in body ", words].concat();
        self.errors.push(FieldError::invalid(&path(at), value, words));
    }

    fn wrong_type(&mut self, at: &str, value: impl Into<Value>, words: &str) {
        let words = [at, " in body ", words].concat();
        self.errors.push(FieldError::type_invalid(&path(at), value, words));
    }

    /// Of several schemas together: upstream does not say which field that is.
    fn combined(&mut self, words: String) {
        self.errors.push(FieldError::invalid(&path(""), "", words));
    }
}

/// The path as errors have it; upstream's of a whole object is not there.
pub(super) fn path(at: &str) -> Path {
    Path::new(if at.is_empty() { "<nil>".to_owned() } else { at.to_owned() })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_of(value: &Value, of: &str) -> bool {
    let own = type_of(value);
    own == of
        || of == "number" && own == "integer"
        || of == "integer" && value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// Whether a text has the form that is asked for; forms that are not known are not looked at.
///
/// Mirrors: `kube-openapi/pkg/validation/strfmt`.
fn has_format(text: &str, format: &str) -> bool {
    match format {
        "date-time" => text.parse::<Timestamp>().is_ok(),
        "date" => text.parse::<Date>().is_ok(),
        "ipv4" => parse_ip(text).is_some() && text.contains('.'),
        "ipv6" => parse_ip(text).is_some() && text.contains(':'),
        "uuid" => {
            let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
            let rest = text.bytes().filter(|byte| !byte.is_ascii_hexdigit());
            digits == 32 && rest.clone().count() <= 4 && rest.clone().all(|byte| byte == b'-')
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "properties": {"spec": {
            "type": "object", "required": ["schedule"],
            "properties": {
                "schedule": {"type": "string", "pattern": "^\\d+$", "minLength": 2, "maxLength": 4},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
                "colour": {"type": "string", "enum": ["red", "blue"]},
                "share": {"type": "number", "exclusiveMaximum": true, "maximum": 1, "multipleOf": 0.25},
                "hosts": {"type": "array", "maxItems": 2, "x-kubernetes-list-type": "set",
                          "items": {"type": "string"}},
                "ports": {"type": "array", "x-kubernetes-list-type": "map",
                          "x-kubernetes-list-map-keys": ["port"],
                          "items": {"type": "object", "properties": {
                              "port": {"type": "integer"}, "name": {"type": "string", "default": "web"},
                          }}},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "any": {"type": "object", PRESERVE: true},
                "most": {INT_OR_STRING: true},
                "until": {"type": "string", "format": "date-time", "nullable": true},
                "either": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                           "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
            },
        }}})
    }

    fn wrong(spec: &Value) -> Vec<String> {
        let (schema, object) = (schema(), json!({"spec": spec}));
        let errors = Schema::at(Part::of(Some(&schema))).check(&object, "");
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_has_no_place_is_taken_out_and_told() {
        let schema = schema();
        let mut object = json!({
            "apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "status": {"a": 1},
            "spec": {"schedule": "12", "nothing": 1, "any": {"what": "ever"},
                     "ports": [{"port": 1, "kind": 2}], "labels": {"a": "b"}},
        });
        let unknown = Schema::at(Part::of(Some(&schema))).prune(object.as_object_mut().unwrap());
        let paths: Vec<&str> = unknown.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["spec.nothing", "spec.ports[0].kind", "status"]);
        assert_eq!(
            object,
            json!({
                "apiVersion": "v1", "kind": "X", "metadata": {"name": "x"},
                "spec": {"schedule": "12", "any": {"what": "ever"}, "ports": [{"port": 1}],
                         "labels": {"a": "b"}},
            })
        );
    }

    #[test]
    fn what_is_open_is_filled_in() {
        let schema = schema();
        let mut object = json!({"spec": {"replicas": null, "ports": [{"port": 1}], "until": null}});
        Schema::at(Part::of(Some(&schema))).default_fields(object.as_object_mut().unwrap());
        assert_eq!(
            object,
            json!({
                "spec": {"replicas": 1, "ports": [{"port": 1, "name": "web"}], "until": null},
            })
        );
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn every_mistake_is_found_in_upstreams_words() {
        let good = json!({
            "schedule": "12", "replicas": 3, "colour": "red", "share": 0.5, "hosts": ["a", "b"],
            "most": "50%", "until": null, "either": {"a": "x"}, "labels": {"a": "b"},
        });
        assert_eq!(wrong(&good), Vec::<String>::new());
        for (spec, wanted) in [
            (json!({}), &["spec.schedule: Required value"][..]),
            (
                json!("x"),
                &[
                    "spec: Invalid value: \"string\": spec in body must be of type object: \"string\"",
                ],
            ),
            (
                json!({"schedule": "abcde"}),
                &[
                    "spec.schedule: Too long: may not be more than 4 bytes",
                    "spec.schedule: Invalid value: \"abcde\": spec.schedule in body should match '^\\d+$'",
                ],
            ),
            (
                json!({"schedule": "1"}),
                &[
                    "spec.schedule: Invalid value: \"1\": spec.schedule in body should be at least 2 chars long",
                ],
            ),
            (
                json!({"schedule": "12", "replicas": "three"}),
                &[
                    "spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type \
                 integer: \"string\"",
                ],
            ),
            (
                json!({"schedule": "12", "replicas": 11}),
                &[
                    "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10",
                ],
            ),
            (
                json!({"schedule": "12", "replicas": 0}),
                &[
                    "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
                ],
            ),
            (
                json!({"schedule": "12", "colour": "green"}),
                &["spec.colour: Unsupported value: \"green\": supported values: \"red\", \"blue\""],
            ),
            (
                json!({"schedule": "12", "share": 1}),
                &["spec.share: Invalid value: 1: spec.share in body should be less than 1"],
            ),
            (
                json!({"schedule": "12", "share": 0.3}),
                &[
                    "spec.share: Invalid value: 0.3: spec.share in body should be a multiple of 0.25",
                ],
            ),
            (
                json!({"schedule": "12", "hosts": ["a", "a", "b"]}),
                &[
                    "spec.hosts: Too many: 3: must have at most 2 items",
                    "spec.hosts[1]: Duplicate value: \"a\"",
                ],
            ),
            (
                json!({"schedule": "12", "ports": [{"port": 1}, {"port": 1, "name": "x"}]}),
                &["spec.ports[1]: Duplicate value: {\"port\":1}"],
            ),
            (
                json!({"schedule": "12", "most": true}),
                &["spec.most: Invalid value: \"boolean\": spec.most in body must be of type \
                 integer,string: \"boolean\""],
            ),
            (
                json!({"schedule": "12", "until": "soon"}),
                &[
                    "spec.until: Invalid value: \"soon\": spec.until in body must be of type date-time: \"soon\"",
                ],
            ),
            (
                json!({"schedule": "12", "either": {}}),
                &[
                    "<nil>: Invalid value: \"\": \"spec.either\" must validate one and only one schema \
                 (oneOf). Found none valid",
                    "spec.either.a: Required value",
                ],
            ),
            (
                json!({"schedule": "12", "either": {"a": "", "b": ""}}),
                &[
                    "<nil>: Invalid value: \"\": \"spec.either\" must validate one and only one schema \
                 (oneOf). Found 2 valid alternatives",
                ],
            ),
            (
                json!({"schedule": "12", "labels": {"a": 1}}),
                &[
                    "spec.labels.a: Invalid value: \"integer\": spec.labels.a in body must be of type \
                 string: \"integer\"",
                ],
            ),
        ] {
            assert_eq!(wrong(&spec), wanted, "{spec}");
        }
    }
}
