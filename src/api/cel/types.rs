//! The types of values, as far as they are known before anything is evaluated.

use std::fmt;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::value::{Identity, List, Map, Value};
use crate::api::document::Part;
use crate::api::duration::from_go;

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Of any type; what it is shows when it is evaluated.
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Time,
    Span,
    List(Rc<Type>),
    Map(Rc<Type>, Rc<Type>),
    Optional(Rc<Type>),
    /// The type of types.
    Type,
    Object(Rc<Fields>),
    /// One of the types of Kubernetes' own, by its name.
    Named(&'static str),
}

/// The fields of an object.
#[derive(Debug, Default)]
pub struct Fields {
    pub fields: Vec<Field>,
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || self.fields.len() == other.fields.len()
                && self
                    .fields
                    .iter()
                    .zip(&other.fields)
                    .all(|(one, two)| one.name == two.name && one.of == two.of)
    }
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub raw: String,
    /// Its name in expressions.
    pub name: Rc<str>,
    pub of: Type,
    pub identity: Identity,
}

impl Fields {
    /// The field that expressions call `name`.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| *field.name == *name)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Dyn => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Time => "timestamp",
            Self::Span => "duration",
            Self::Type => "type",
            Self::Object(_) => "object",
            Self::Named(name) => name,
            Self::List(of) => return write!(f, "list({of})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Optional(of) => return write!(f, "optional_type({of})"),
        };
        f.write_str(name)
    }
}

impl Type {
    /// A list of `of`.
    pub fn list(of: Self) -> Self {
        Self::List(Rc::new(of))
    }

    /// A map from texts to `of`.
    pub fn map(of: Self) -> Self {
        Self::Map(Rc::new(Self::Text), Rc::new(of))
    }

    /// An optional `of`.
    pub fn optional(of: Self) -> Self {
        Self::Optional(Rc::new(of))
    }

    /// An object that has `fields`.
    pub fn object(fields: Vec<(&str, Self)>) -> Self {
        let field = |(name, of): (&str, Self)| Field {
            raw: name.to_owned(),
            name: name.into(),
            of,
            identity: Identity::Place,
        };
        Self::Object(Rc::new(Fields { fields: fields.into_iter().map(field).collect() }))
    }

    /// Whether a value of this type may stand where one of `other` is asked for.
    pub fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn, _)
            | (_, Self::Dyn)
            | (Self::Null, Self::Object(_) | Self::Time | Self::Span | Self::Named(_))
            | (Self::Object(_) | Self::Time | Self::Span | Self::Named(_), Self::Null) => true,
            (Self::List(one), Self::List(two)) | (Self::Optional(one), Self::Optional(two)) => {
                one.fits(two)
            }
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.fits(other_key) && value.fits(other_value)
            }
            (one, two) => one == two,
        }
    }

    /// The type of what a schema describes; none if expressions have no access to it.
    ///
    /// Mirrors: `SchemaDeclType` of `apiserver/pkg/cel/common/schemas.go`.
    pub fn of_schema(schema: Part<'_>, is_resource: bool) -> Option<Self> {
        if schema.at("x-kubernetes-int-or-string").is_true() {
            return Some(Self::Dyn);
        }
        let is_embedded = schema.at("x-kubernetes-embedded-resource").is_true();
        Some(match schema.at("type").text() {
            "array" => Self::list(Self::of_schema(schema.at("items"), false)?),
            "object" => {
                let others = schema.at("additionalProperties");
                if others.value().is_object() {
                    return Some(Self::map(Self::of_schema(others, false)?));
                }
                Self::Object(Rc::new(Fields::of_schema(schema, is_resource || is_embedded)))
            }
            "string" => match schema.at("format").text() {
                "byte" => Self::Bytes,
                "duration" => Self::Span,
                "date" | "date-time" => Self::Time,
                _ => Self::Text,
            },
            "boolean" => Self::Bool,
            "number" => Self::Double,
            "integer" => Self::Int,
            _ => return None,
        })
    }

    /// The value that `json` is, as this type has it.
    ///
    /// Mirrors: `UnstructuredToVal` of `apiserver/pkg/cel/common/values.go`.
    pub fn value(&self, json: &Json, identity: &Identity) -> Value {
        match (self, json) {
            (Self::Object(fields), Json::Object(object)) => fields.value(object),
            (Self::Map(_, of), Json::Object(object)) => {
                let entries = object.iter();
                let entries = entries.map(|(key, value)| (key.as_str().into(), of.plain(value)));
                Value::Map(Rc::new(Map::new(entries.collect())))
            }
            (Self::List(of), Json::Array(items)) => {
                let items = items.iter().map(|item| of.plain(item)).collect();
                Value::List(Rc::new(List { items, identity: identity.clone() }))
            }
            (Self::Double, Json::Number(number)) => {
                Value::Double(number.as_f64().unwrap_or_default())
            }
            (Self::Int, Json::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Value::Int(number),
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a whole number, checked before"
                )]
                (None, Some(number)) => Value::Int(number as i64),
                (None, None) => Value::Null,
            },
            (Self::Time, Json::String(text)) => match text.parse() {
                Ok(at) => Value::Time(at),
                Err(_) => match text.parse::<Date>().map(|day| day.to_zoned(TimeZone::UTC)) {
                    Ok(Ok(day)) => Value::Time(day.timestamp()),
                    Ok(Err(_)) | Err(_) => text.as_str().into(),
                },
            },
            (Self::Span, Json::String(text)) => {
                from_go(text).map_or_else(|_| text.as_str().into(), Value::Span)
            }
            (Self::Bytes, Json::String(text)) => match STANDARD.decode(text) {
                Ok(bytes) => Value::Bytes(bytes.into()),
                Err(_) => text.as_str().into(),
            },
            (_, json) => untyped(json),
        }
    }

    fn plain(&self, json: &Json) -> Value {
        self.value(json, &Identity::Place)
    }
}

/// The value that `json` is when nothing is known of it.
pub fn untyped(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(untyped).collect::<Vec<_>>().into(),
        Json::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| (key.as_str().into(), untyped(value)));
            Value::Map(Rc::new(Map::new(entries.collect())))
        }
    }
}

impl Fields {
    fn of_schema(schema: Part<'_>, is_resource: bool) -> Self {
        let mut fields = Vec::new();
        for (raw, schema) in schema.at("properties").entries() {
            if is_resource && OF_RESOURCES.contains(&raw) {
                continue;
            }
            if let Some((name, of)) = escape(raw).zip(Type::of_schema(schema, false)) {
                let identity = identity(schema);
                fields.push(Field { raw: raw.to_owned(), name: name.into(), of, identity });
            }
        }
        if is_resource {
            let metadata = Type::object(vec![("name", Type::Text), ("generateName", Type::Text)]);
            for (raw, of) in OF_RESOURCES.into_iter().zip([Type::Text, Type::Text, metadata]) {
                let identity = Identity::Place;
                fields.push(Field { raw: raw.to_owned(), name: raw.into(), of, identity });
            }
        }
        Self { fields }
    }

    fn value(&self, object: &serde_json::Map<String, Json>) -> Value {
        let mut entries = Vec::new();
        for field in &self.fields {
            if let Some(value) = object.get(&field.raw) {
                let key = Value::Text(Rc::clone(&field.name));
                entries.push((key, field.of.value(value, &field.identity)));
            }
        }
        Value::Map(Rc::new(Map::new(entries)))
    }
}

/// What expressions see of every resource, whatever its schema says.
const OF_RESOURCES: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// What makes two items of a list the same.
pub fn identity(schema: Part<'_>) -> Identity {
    match schema.at("x-kubernetes-list-type").text() {
        "set" => Identity::Value,
        "map" => {
            let keys = schema.at("x-kubernetes-list-map-keys");
            Identity::Fields(keys.texts().filter_map(escape).map(Rc::from).collect())
        }
        _ => Identity::Place,
    }
}

/// Words that have a meaning of their own in expressions.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The name of a field in expressions; none if it cannot be said there.
///
/// Mirrors: `apiserver/pkg/cel/escaping.go`.
pub fn escape(raw: &str) -> Option<String> {
    if RESERVED.contains(&raw) {
        return Some(["__", raw, "__"].concat());
    }
    if raw.chars().next()?.is_ascii_digit() {
        return None;
    }
    let escaped = raw.replace("__", "__underscores__").replace('.', "__dot__");
    let escaped = escaped.replace('-', "__dash__").replace('/', "__slash__");
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    escaped.chars().all(is_name).then_some(escaped)
}
