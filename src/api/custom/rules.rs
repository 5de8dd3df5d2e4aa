//! The rules of a custom kind: expressions that have to hold of each of its objects.
//!
//! Mirrors: `apiextensions-apiserver/pkg/apiserver/schema/cel`.

use serde_json::Value as Json;

use super::schema::path;
use crate::api::cel::{Identity, Meter, OF_OBJECT, Program, Stop, Type, Value, identity};
use crate::api::document::Part;
use crate::api::field::FieldError;

/// Where the rules of a schema stand in it.
pub const RULES: &str = "x-kubernetes-validations";
/// The longest text that a message may become.
const LONGEST_MESSAGE: usize = 5 * 1024;

/// The rules of a schema, and of what is in it.
#[derive(Debug)]
pub struct Rules {
    own: Vec<Rule>,
    items: Option<Box<Rules>>,
    others: Option<Box<Rules>>,
    fields: Vec<(String, Rules)>,
    all: Vec<Rules>,
    of: Type,
    /// What its schema says that it is.
    kind: String,
    identity: Identity,
    /// The fields that tell the items of a list apart, if it is a list of maps.
    keys: Vec<String>,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    pub program: Result<Program, String>,
    pub message_program: Option<Result<Program, String>>,
    text: String,
    message: String,
    message_expression: String,
    reason: String,
    field: String,
    old_is_optional: bool,
}

impl Rule {
    /// Reads a rule of what is of a type.
    pub fn read(rule: Part<'_>, of: &Type, schema: Part<'_>) -> Self {
        let old_is_optional = rule.at("optionalOldSelf").is_true();
        let old = if old_is_optional { Type::optional(of.clone()) } else { of.clone() };
        let variables = [("self", of.clone()), ("oldSelf", old)];
        let compile = |text: &str, wanted: &Type, words: &str| {
            let program = Program::compile(text, &variables);
            let program = program.map_err(|words| ["compilation failed: ", &words].concat())?;
            if program.of() == wanted { Ok(program) } else { Err(words.to_owned()) }
        };
        let text = rule.at("rule").text();
        let program = compile(text, &Type::Bool, "cel expression must evaluate to a bool");
        let expression = rule.at("messageExpression").text().trim();
        let message_program = (!expression.is_empty()).then(|| {
            let words = "messageExpression must evaluate to a string";
            compile(expression, &Type::Text, words).map_err(|words| {
                words.replacen("compilation failed", "messageExpression compilation failed", 1)
            })
        });
        Self {
            program,
            message_program,
            text: text.trim().to_owned(),
            message: rule.at("message").text().trim().to_owned(),
            message_expression: expression.to_owned(),
            reason: rule.at("reason").text().to_owned(),
            field: field_path(rule.at("fieldPath").text(), schema).unwrap_or_default(),
            old_is_optional,
        }
    }

    /// Whether it compares with what there was.
    pub fn uses_old(&self) -> bool {
        self.program.as_ref().is_ok_and(|program| program.uses("oldSelf"))
    }

    /// How errors call it.
    fn name(&self) -> &str {
        if self.message.is_empty() { &self.text } else { &self.message }
    }
}

impl Rules {
    /// The rules of a schema; none if there are none in all of it.
    pub fn of(schema: Part<'_>) -> Option<Self> {
        Self::read(schema, schema, true)
    }

    /// The rules that `rules` has for what `schema` describes.
    fn read(rules: Part<'_>, schema: Part<'_>, is_resource: bool) -> Option<Self> {
        let is_embedded = |part: Part<'_>| part.at("x-kubernetes-embedded-resource").is_true();
        let below = |name: &str| {
            let (rules, schema) = (rules.at(name), schema.at(name));
            let both = rules.value().is_object() && schema.value().is_object();
            both.then(|| Self::read(rules, schema, is_embedded(schema))).flatten().map(Box::new)
        };
        let (items, others) = (below("items"), below("additionalProperties"));
        let mut fields = Vec::new();
        for (name, rules) in rules.at("properties").entries() {
            let schema = schema.at("properties").at(name);
            if let Some(rules) = Self::read(rules, schema, is_embedded(schema)) {
                fields.push((name.to_owned(), rules));
            }
        }
        let all = rules.at("allOf").items();
        let all: Vec<Self> =
            all.filter_map(|rules| Self::read(rules, schema, is_resource)).collect();
        let own = rules.at(RULES);
        if own.is_empty()
            && items.is_none()
            && others.is_none()
            && fields.is_empty()
            && all.is_empty()
        {
            return None;
        }
        let of = Type::of_schema(schema, is_resource)?;
        let own = own.items().map(|rule| Rule::read(rule, &of, schema)).collect();
        let is_map = schema.at("x-kubernetes-list-type").text() == "map";
        let keys = schema.at("x-kubernetes-list-map-keys").texts();
        let keys = if is_map { keys.map(ToOwned::to_owned).collect() } else { Vec::new() };
        let kind = schema.at("type").text().to_owned();
        Some(Self { own, items, others, fields, all, of, kind, identity: identity(schema), keys })
    }

    /// What of an object breaks them.
    pub fn check(&self, new: &Json, old: Option<&Json>) -> Vec<FieldError> {
        let mut found = Found { errors: Vec::new(), left: OF_OBJECT };
        let was = Was { old, counterpart: old, is_same: false };
        // What costs too much says so among the errors.
        let _: Option<()> = self.each("", new, was, &mut found);
        found.errors
    }

    /// Nothing once no more rules may be looked at.
    fn each(&self, at: &str, new: &Json, was: Was<'_>, found: &mut Found) -> Option<()> {
        if new.is_null() {
            return Some(());
        }
        self.rules(at, new, was, found)?;
        for all in &self.all {
            all.each(at, new, Was { counterpart: None, ..was }, found)?;
        }
        match new {
            Json::Array(items) => self.each_item(at, items, was, found),
            Json::Object(fields) => {
                for (name, value) in fields {
                    let is_root = at.is_empty() && matches!(name.as_str(), "apiVersion" | "kind");
                    if let Some(others) = &self.others {
                        others.each(&format!("{at}[{name}]"), value, was.at(name, new), found)?;
                    }
                    if let Some((_, rules)) = self.fields.iter().find(|(own, _)| own == name) {
                        let at =
                            if at.is_empty() { name.clone() } else { [at, ".", name].concat() };
                        let was = was.at(name, new);
                        let was = if is_root {
                            Was { counterpart: None, is_same: false, ..was }
                        } else {
                            was
                        };
                        rules.each(&at, value, was, found)?;
                    }
                }
                Some(())
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Some(()),
        }
    }

    fn each_item(&self, at: &str, items: &[Json], was: Was<'_>, found: &mut Found) -> Option<()> {
        let Some(rules) = &self.items else { return Some(()) };
        for (number, item) in items.iter().enumerate() {
            let was_it = |list: &'_ Json| -> Option<usize> {
                let mut olds = list.as_array().filter(|_| !self.keys.is_empty())?.iter();
                olds.position(|old| self.keys.iter().all(|key| old.get(key) == item.get(key)))
            };
            let old = was.old.and_then(|list| list.get(was_it(list)?));
            let counterpart = was.counterpart.and_then(|list| list.get(was_it(list)?));
            let is_same = was.counterpart.map_or(was.is_same, |own| {
                own.as_array().is_some_and(|own| own.as_slice() == items)
            });
            rules.each(
                &format!("{at}[{number}]"),
                item,
                Was { old, counterpart, is_same },
                found,
            )?;
        }
        Some(())
    }

    fn rules(&self, at: &str, new: &Json, was: Was<'_>, found: &mut Found) -> Option<()> {
        if self.own.is_empty() {
            return Some(());
        }
        let value = self.of.value(new, &self.identity);
        let old = was.old.filter(|old| !old.is_null());
        let old = old.map(|old| self.of.value(old, &self.identity));
        for rule in &self.own {
            let Ok(program) = &rule.program else {
                let why = rule.program.as_ref().err().map_or("", String::as_str);
                found.invalid(at, &self.kind, ["rule compile error: ", why].concat());
                continue;
            };
            let uses_old = program.uses("oldSelf");
            if uses_old && old.is_none() && !rule.old_is_optional {
                continue;
            }
            let mut variables = vec![("self", value.clone())];
            if rule.old_is_optional {
                variables.push(("oldSelf", Value::optional(old.clone())));
            } else {
                variables.extend(old.clone().map(|old| ("oldSelf", old)));
            }
            if found.left == 0 {
                found.ran_out(at, &self.kind);
                return None;
            }
            let mut meter = Meter::default();
            let outcome = program.eval(&variables, &mut meter);
            let Some(left) = found.left.checked_sub(meter.spent()) else {
                found.ran_out(at, &self.kind);
                return None;
            };
            found.left = left;
            match outcome {
                Ok(Value::Bool(true)) => {}
                Ok(_) => {
                    let is_kept = !uses_old && was.is_same(new);
                    self.broken(at, rule, &variables, found, is_kept)?;
                }
                Err(stop) => {
                    let (name, words) = (rule.name(), stop.words());
                    let is_last = stop == Stop::Cost;
                    let words = if is_last {
                        format!(
                            "'{words}': no further validation rules will be run due to call cost \
                             exceeds limit for rule: {name}"
                        )
                    } else if words.starts_with("no such overload") {
                        format!(
                            "'{words}': call arguments did not match a supported operator, function \
                             or macro signature for rule: {name}"
                        )
                    } else {
                        format!("{words} evaluating rule: {name}")
                    };
                    found.invalid(at, &self.kind, words);
                    if is_last {
                        return None;
                    }
                }
            }
        }
        Some(())
    }

    /// Tells of a rule that does not hold, unless it did not hold before either.
    fn broken(
        &self,
        at: &str,
        rule: &Rule,
        variables: &[(&str, Value)],
        found: &mut Found,
        is_kept: bool,
    ) -> Option<()> {
        let place = match (at, rule.field.as_str()) {
            (at, "") => at.to_owned(),
            ("", field) => field.to_owned(),
            (at, field) => [at, ".", field].concat(),
        };
        let mut detail = if rule.message.is_empty() {
            ["failed rule: ", &rule.text].concat()
        } else {
            rule.message.clone()
        };
        if let Some(Ok(program)) = &rule.message_program {
            let mut meter = Meter::default();
            let told = program.eval(variables, &mut meter);
            let given = &rule.message_expression;
            let Some(left) = found.left.checked_sub(meter.spent()) else {
                let words = "messageExpression evaluation failed due to running out of cost \
                             budget, no further validation rules will be run";
                found.invalid(&place, &self.kind, words.to_owned());
                return None;
            };
            found.left = left;
            match told {
                Ok(Value::Text(text)) => {
                    let text = text.trim();
                    let fits = !text.is_empty() && text.len() <= LONGEST_MESSAGE;
                    if fits && !text.contains('\n') {
                        text.clone_into(&mut detail);
                    }
                }
                Err(Stop::Cost) => {
                    let words = format!(
                        "no further validation rules will be run due to call cost exceeds limit \
                         for messageExpression: {given:?}"
                    );
                    found.invalid(&place, &self.kind, words);
                    return None;
                }
                // Then the message is what it is without it.
                Ok(_) | Err(Stop::Failed(_)) => {}
            }
        }
        if is_kept {
            return Some(());
        }
        let (field, kind) = (path(&place), self.kind.as_str());
        found.errors.push(match rule.reason.as_str() {
            "FieldValueForbidden" => FieldError::forbidden(&field, detail),
            "FieldValueRequired" => FieldError::required(&field, detail),
            "FieldValueDuplicate" => FieldError::duplicate(&field, kind),
            _ => FieldError::invalid(&field, kind, detail),
        });
        Some(())
    }
}

/// What there was before.
#[derive(Clone, Copy)]
struct Was<'a> {
    /// In the same place, for rules that compare.
    old: Option<&'a Json>,
    /// In the same place, to see whether anything changed.
    counterpart: Option<&'a Json>,
    /// Whether the nearest value that has a counterpart is as it was.
    is_same: bool,
}

impl Was<'_> {
    /// What the field `name` of `new` was.
    fn at(self, name: &str, new: &Json) -> Self {
        Self {
            old: self.old.and_then(|old| old.get(name)),
            counterpart: self.counterpart.and_then(|own| own.get(name)),
            is_same: self.counterpart.map_or(self.is_same, |own| own == new),
        }
    }

    fn is_same(self, new: &Json) -> bool {
        self.counterpart.map_or(self.is_same, |own| own == new)
    }
}

struct Found {
    errors: Vec<FieldError>,
    /// What all rules together may still cost.
    left: u64,
}

impl Found {
    fn invalid(&mut self, at: &str, kind: &str, words: String) {
        self.errors.push(FieldError::invalid(&path(at), kind, words));
    }

    fn ran_out(&mut self, at: &str, kind: &str) {
        let words = "validation failed due to running out of cost budget, no further validation \
                     rules will be run";
        self.invalid(at, kind, words.to_owned());
    }
}

/// The field that a path from `schema` leads to, as errors have it.
///
/// # Errors
///
/// It leads nowhere, in upstream's words.
///
/// Mirrors: `ValidFieldPath`.
pub fn field_path(text: &str, schema: Part<'_>) -> Result<String, String> {
    const END: &str = "unexpected end of JSON path";
    let (mut rest, mut schema, mut found) = (text, schema, String::new());
    while let Some(sign) = rest.chars().next() {
        rest = rest.get(sign.len_utf8()..).unwrap_or_default();
        let name = match sign {
            '.' => {
                let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
                let (name, after) = rest.split_at_checked(end).ok_or(END)?;
                if name.is_empty() {
                    return Err(END.to_owned());
                }
                rest = after;
                name.to_owned()
            }
            '[' => {
                let quoted = rest.strip_prefix('\'').ok_or_else(|| {
                    let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
                    ["expected single quoted string but got ", rest.get(..end).unwrap_or("")]
                        .concat()
                })?;
                let (name, after) = quoted.split_once('\'').ok_or(END)?;
                rest = after.strip_prefix(']').ok_or(END)?;
                name.replace("\\\\", "\\")
            }
            other => {
                let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
                let token = rest.get(..end).unwrap_or_default();
                return Err(format!("expected [ or . but got: {other}{token}"));
            }
        };
        let nowhere = || "does not refer to a valid field".to_owned();
        let others = schema.at("additionalProperties");
        if schema.at("properties").is_there() {
            schema = schema.at("properties").at(&name);
            if !schema.is_there() {
                return Err(nowhere());
            }
            if !found.is_empty() {
                found.push('.');
            }
            found.push_str(&name);
        } else if others.value().is_object() {
            schema = others;
            found.push_str(&["[", &name, "]"].concat());
        } else {
            return Err(nowhere());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is said of an object that takes the place of another.
    fn told(schema: &Json, new: &Json, old: Option<&Json>) -> Vec<String> {
        let rules = Rules::of(Part::of(Some(schema))).unwrap();
        rules.check(new, old).iter().map(ToString::to_string).collect()
    }

    fn schema(properties: &Json, rules: &Json) -> Json {
        json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": properties, RULES: rules},
        }})
    }

    #[test]
    fn a_rule_that_does_not_hold_is_told_as_it_wants() {
        let numbers = json!({"least": {"type": "integer"}, "most": {"type": "integer"}});
        let object = json!({"spec": {"least": 3, "most": 1}});
        for (rule, words) in [
            (
                json!({"rule": "self.least <= self.most"}),
                "spec: Invalid value: \"object\": failed rule: self.least <= self.most",
            ),
            (
                json!({"rule": "self.least <= self.most", "message": " too much "}),
                "spec: Invalid value: \"object\": too much",
            ),
            (
                json!({
                    "rule": "self.least <= self.most", "message": "x",
                    "messageExpression": "'at most %d'.format([self.most])",
                }),
                "spec: Invalid value: \"object\": at most 1",
            ),
            (
                json!({
                    "rule": "self.least <= self.most", "message": "x",
                    "messageExpression": "[''][self.most]",
                }),
                "spec: Invalid value: \"object\": x",
            ),
            (
                json!({
                    "rule": "self.least <= self.most", "message": "no", "fieldPath": ".most",
                    "reason": "FieldValueForbidden",
                }),
                "spec.most: Forbidden: no",
            ),
            (
                json!({"rule": "self.least <= self.most", "reason": "FieldValueRequired"}),
                "spec: Required value: failed rule: self.least <= self.most",
            ),
            (
                json!({"rule": "self.least <= self.most", "reason": "FieldValueDuplicate"}),
                "spec: Duplicate value: \"object\"",
            ),
            (
                json!({"rule": "self.least / (self.most - 1) > 0", "message": "m"}),
                "spec: Invalid value: \"object\": division by zero evaluating rule: m",
            ),
        ] {
            let schema = schema(&numbers, &json!([rule]));
            assert_eq!(told(&schema, &object, None), [words], "{rule}");
        }
    }

    #[test]
    fn rules_stand_wherever_there_is_a_type() {
        let positive = json!([{"rule": "self > 0", "message": "p"}]);
        let schema = schema(
            &json!({
                "list": {"type": "array", "items": {"type": "integer", RULES: positive}},
                "map": {"type": "object", "additionalProperties": {"type": "integer", RULES: positive}},
                "port": {"x-kubernetes-int-or-string": true,
                         RULES: [{"rule": "self == 'http' || self == 80", "message": "q"}]},
                "when": {"type": "string", "format": "duration",
                         RULES: [{"rule": "self < duration('1h')", "message": "d"}]},
                "a-b": {"type": "string"},
                "namespace": {"type": "string"},
            }),
            &json!([
                {"rule": "!has(self.a__dash__b) || self.a__dash__b != 'x'", "message": "dash"},
                {"rule": "!has(self.__namespace__) || self.__namespace__ != 'x'", "message": "word"},
            ]),
        );
        let object = json!({"spec": {
            "list": [1, 0], "map": {"a": 1, "b": 0}, "port": 81, "when": "2h", "a-b": "x",
            "namespace": "x",
        }});
        assert_eq!(
            told(&schema, &object, None),
            [
                "spec: Invalid value: \"object\": dash",
                "spec: Invalid value: \"object\": word",
                "spec.list[1]: Invalid value: \"integer\": p",
                "spec.map[b]: Invalid value: \"integer\": p",
                "spec.port: Invalid value: \"\": q",
                "spec.when: Invalid value: \"string\": d",
            ]
        );
        let root = json!({"type": "object", RULES: [{"rule": "self.metadata.name.size() < 3"}]});
        assert_eq!(
            told(&root, &json!({"metadata": {"name": "long"}}), None),
            ["<nil>: Invalid value: \"object\": failed rule: self.metadata.name.size() < 3"]
        );
    }

    #[test]
    fn what_compares_waits_for_something_to_compare_with() {
        let schema = schema(
            &json!({
                "size": {"type": "integer", RULES: [{"rule": "self >= oldSelf", "message": "grow"}]},
                "name": {"type": "string", RULES: [{
                    "rule": "!oldSelf.hasValue() || self == oldSelf.value()",
                    "optionalOldSelf": true, "message": "kept",
                }]},
                "ports": {
                    "type": "array", "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
                        RULES: [{"rule": "self.port == oldSelf.port", "message": "same port"}],
                    },
                },
            }),
            &json!([{"rule": "!has(oldSelf.name) || has(self.name)", "message": "named"}]),
        );
        let old = json!({"spec": {
            "size": 3, "name": "a", "ports": [{"name": "x", "port": 1}, {"name": "y", "port": 2}],
        }});
        assert_eq!(told(&schema, &old, None), Vec::<String>::new());
        assert_eq!(told(&schema, &old, Some(&old)), Vec::<String>::new());
        let new = json!({"spec": {
            "size": 2, "name": "b",
            "ports": [{"name": "y", "port": 3}, {"name": "x", "port": 1}, {"name": "z", "port": 9}],
        }});
        assert_eq!(
            told(&schema, &new, Some(&old)),
            [
                "spec.name: Invalid value: \"string\": kept",
                "spec.ports[0]: Invalid value: \"object\": same port",
                "spec.size: Invalid value: \"integer\": grow",
            ]
        );
        let unnamed = json!({"spec": {"size": 3}});
        assert_eq!(told(&schema, &unnamed, Some(&old)), ["spec: Invalid value: \"object\": named"]);
    }

    #[test]
    fn what_was_wrong_before_may_stay() {
        let positive = json!([{"rule": "self > 0", "message": "p"}]);
        let schema = schema(
            &json!({
                "size": {"type": "integer", RULES: positive},
                "other": {"type": "integer", RULES: positive},
                "list": {"type": "array", "items": {"type": "integer", RULES: positive}},
            }),
            &json!([]),
        );
        let old = json!({"spec": {"size": 0, "other": 1, "list": [0]}});
        let new = json!({"spec": {"size": 0, "other": 0, "list": [0]}});
        assert_eq!(told(&schema, &new, Some(&old)), ["spec.other: Invalid value: \"integer\": p"]);
        let new = json!({"spec": {"size": 0, "other": 1, "list": [0, 0]}});
        assert_eq!(told(&schema, &new, Some(&old)).len(), 2);
    }

    #[test]
    fn lists_are_compared_as_their_schema_says() {
        let schema = schema(
            &json!({
                "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "map": {
                    "type": "array", "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    "items": {"type": "object", "properties": {
                        "k": {"type": "string"}, "v": {"type": "integer"},
                    }},
                },
            }),
            &json!([
                {"rule": "self.set == ['b', 'a']"},
                {"rule": "self.set + ['a', 'c'] == ['a', 'b', 'c']"},
                {"rule": "(self.map + self.map).size() == 2"},
                {"rule": "self.set == oldSelf.set && self.map == oldSelf.map"},
            ]),
        );
        let one =
            json!({"spec": {"set": ["a", "b"], "map": [{"k": "x", "v": 1}, {"k": "y", "v": 2}]}});
        let two =
            json!({"spec": {"set": ["b", "a"], "map": [{"k": "y", "v": 2}, {"k": "x", "v": 1}]}});
        assert_eq!(told(&schema, &one, Some(&two)), Vec::<String>::new());
    }

    #[test]
    fn paths_lead_to_fields() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "object", "properties": {"b-c": {"type": "string"}}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
        }});
        let part = Part::of(Some(&schema));
        for (path, found) in [
            (".a", Ok("a")),
            (".a['b-c']", Ok("a.b-c")),
            (".map.x", Ok("map[x]")),
            (".map['x.y']", Ok("map[x.y]")),
            (".b", Err("does not refer to a valid field")),
            ("a", Err("expected [ or . but got: a")),
            (".", Err("unexpected end of JSON path")),
            (".a[0]", Err("expected single quoted string but got 0")),
        ] {
            let found = found.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(field_path(path, part), found, "{path}");
        }
    }
}
