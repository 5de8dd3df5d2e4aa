//! Values to typed objects, as the API server decodes them.
//!
//! One deserializer for every type, so that each type is compiled once. It keeps the path, which
//! gives errors their field, and notes the fields that a type does not know.
//!
//! Mirrors: `sigs.k8s.io/json`, `apimachinery/pkg/runtime` `strictDecodingError`.

use std::iter::Enumerate;
use std::{fmt, slice};

use k8s_openapi::jiff::Timestamp;
use serde::de::{
    DeserializeOwned, Deserializer, Error, Expected, IntoDeserializer as _, Unexpected, Visitor,
};
use serde_json::{Number, Value, map};

use super::absent::is_absent;
use super::access::{Entries, Items, Left};
use super::go_type;
use crate::api::quantity::Quantity;

/// Upstream lists no more unknown fields than this.
const MOST_UNKNOWN: usize = 100;

/// A typed object and what of the text has no place in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    pub object: T,
    /// In the order of the text as upstream sees it: keys are sorted.
    pub unknown: Vec<UnknownField>,
}

/// A field that the type does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// As upstream prints it: `spec.containers[0].foo`.
    pub path: String,
    pub name: String,
    /// The fields that the type has; [`super::nearest`] finds the one that was meant.
    pub known: &'static [&'static str],
}

/// A value that does not fit its field; the object cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeError {
    /// The field's path, with the indices of lists.
    pub path: String,
    /// In the words of Go's decoder.
    pub message: String,
}

/// Decodes a typed object.
///
/// # Errors
///
/// A value has the wrong type. As upstream, only the first such value is reported.
pub fn decode<T: DeserializeOwned>(value: &Value) -> Result<Decoded<T>, TypeError> {
    let mut context = Context::default();
    match T::deserialize(Source { value: Input::Value(value), context: &mut context }) {
        Ok(object) => Ok(Decoded { object, unknown: context.unknown }),
        Err(fault) => Err(context.type_error(fault)),
    }
}

/// What the API server answers to unknown fields when they are refused.
pub fn strict_error(unknown: &[UnknownField]) -> Option<String> {
    let fields: Vec<String> =
        unknown.iter().map(|field| format!("unknown field \"{}\"", field.path)).collect();
    (!fields.is_empty()).then(|| format!("strict decoding error: {}", fields.join(", ")))
}

/// Where the decoder is; after a mistake it stays as it was there.
#[derive(Default)]
pub(super) struct Context {
    pub path: Vec<Step>,
    structs: Vec<Struct>,
    unknown: Vec<UnknownField>,
}

pub(super) enum Step {
    /// The field of a struct.
    Field(String),
    /// The key of a map, which Go's errors leave out.
    Key(String),
    Index(usize),
}

#[derive(Clone, Copy)]
struct Struct {
    name: &'static str,
    fields: &'static [&'static str],
}

impl Context {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Field(key) | Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Field(key) | Step::Key(key) => path.extend([".", key]),
                Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        path
    }

    fn structure(&self) -> &'static str {
        self.structs.last().map_or("", |structure| structure.name)
    }

    fn field(&self) -> &str {
        match self.path.last() {
            Some(Step::Field(key) | Step::Key(key)) => key,
            Some(Step::Index(_)) | None => "",
        }
    }

    fn note_unknown(&mut self) {
        let known = self.structs.last().map_or(&[][..], |structure| structure.fields);
        if self.unknown.len() < MOST_UNKNOWN {
            let (path, name) = (self.path(), self.field().to_owned());
            self.unknown.push(UnknownField { path, name, known });
        }
    }

    fn type_error(&self, fault: Fault) -> TypeError {
        let message = match fault {
            Fault::Other(message) => message,
            Fault::Type { value, wanted } => {
                let keys = self.path.iter().filter_map(|step| match step {
                    Step::Field(key) => Some(key.as_str()),
                    Step::Key(_) | Step::Index(_) => None,
                });
                let fields: Vec<&str> = keys.collect();
                let target = match self.structs.last() {
                    Some(Struct { name, .. }) => {
                        format!("Go struct field {name}.{}", fields.join("."))
                    }
                    None => "Go value".to_owned(),
                };
                format!("json: cannot unmarshal {value} into {target} of type {wanted}")
            }
        };
        TypeError { path: self.path(), message }
    }
}

/// Why decoding stopped.
#[derive(Debug)]
pub(super) enum Fault {
    Type { value: String, wanted: String },
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { value, wanted } => write!(f, "cannot unmarshal {value} into {wanted}"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<M: fmt::Display>(message: M) -> Self {
        Self::Other(in_go_words(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = match expected.to_string().as_str() {
            // Its own decoder tries text, then a number.
            "IntOrString" => "int32".to_owned(),
            name => go_type::named(name),
        };
        Self::Type { value: go_type::value(&found), wanted }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        if matches!(found, Unexpected::Signed(_) | Unexpected::Unsigned(_)) {
            return Self::Type { value: go_type::value(&found), wanted: "int32".to_owned() };
        }
        Self::Other(format!("{found} is not {expected}"))
    }
}

/// The errors of base64 as Go words them.
fn in_go_words(message: String) -> String {
    if !message.starts_with("Invalid ") {
        return message;
    }
    let offset = message
        .rsplit_once("offset ")
        .and_then(|(_, rest)| rest.trim_end_matches('.').parse::<usize>().ok());
    offset.map_or(message, |offset| format!("illegal base64 data at input byte {offset}"))
}

/// What is decoded.
pub(super) enum Input<'de> {
    Value(&'de Value),
    /// A text made here: a quantity in its canonical form.
    Text(String),
    /// Nothing: the type is asked what it is called, which it answers by an error.
    Probe,
}

pub(super) struct Source<'de, 'c> {
    pub value: Input<'de>,
    pub context: &'c mut Context,
}

/// The name of a type that was probed.
fn probed(name: String) -> Fault {
    Fault::Type { value: String::new(), wanted: name }
}

impl<'de> Source<'de, '_> {
    /// The fault of this value not being of the type `wanted`.
    fn mismatch(&self, wanted: impl Into<String>) -> Fault {
        let value = match &self.value {
            Input::Value(value) => match value {
                Value::Null => "null".to_owned(),
                Value::Bool(_) => "bool".to_owned(),
                // Go tells the digits only where the field is a number, too.
                Value::Number(_) => "number".to_owned(),
                Value::String(_) => "string".to_owned(),
                Value::Array(_) => "array".to_owned(),
                Value::Object(_) => "object".to_owned(),
            },
            Input::Text(_) => "string".to_owned(),
            Input::Probe => String::new(),
        };
        Fault::Type { value, wanted: wanted.into() }
    }

    /// The fields of a struct, none for a null.
    fn fields(&self, name: &str) -> Result<Left<map::Iter<'de>>, Fault> {
        match self.value {
            Input::Value(Value::Object(entries)) => Ok(Left::Parts(entries.iter())),
            Input::Value(Value::Null) => Ok(Left::Nothing),
            Input::Value(_) | Input::Text(_) | Input::Probe => {
                Err(self.mismatch(go_type::named(name)))
            }
        }
    }

    /// The number of a field of the Go type `wanted`, zero for a null.
    fn number<T>(&self, wanted: &str, read: impl Fn(&Number) -> Option<T>) -> Result<T, Fault>
    where
        T: Default,
    {
        match &self.value {
            Input::Value(Value::Number(number)) => read(number).ok_or_else(|| Fault::Type {
                value: format!("number {number}"),
                wanted: wanted.to_owned(),
            }),
            Input::Value(Value::Null) => Ok(T::default()),
            Input::Value(_) | Input::Text(_) | Input::Probe => Err(self.mismatch(wanted)),
        }
    }

    /// A wrapped text that has a form of its own.
    fn check_form(&self, name: &str) -> Result<Option<String>, Fault> {
        let Input::Value(value) = self.value else { return Ok(None) };
        match (name, value) {
            ("Quantity", _) => {
                let text = value.as_str().map(|text| format!("\"{text}\""));
                let quantity = Quantity::from_json(&text.unwrap_or_else(|| value.to_string()));
                quantity.map(|quantity| Some(quantity.to_string())).map_err(Fault::custom)
            }
            ("Time" | "MicroTime", Value::String(text)) => match text.parse::<Timestamp>() {
                Ok(_) => Ok(None),
                Err(_) => Err(Fault::Other(format!(
                    "parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \
                     \"{text}\" as \"2006\""
                ))),
            },
            (_, _) => Ok(None),
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $go:literal;)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let read = |number: &Number| {
                let signed = number.as_i64().and_then(|number| <$type>::try_from(number).ok());
                signed.or_else(|| number.as_u64().and_then(|number| <$type>::try_from(number).ok()))
            };
            visitor.$visit(self.number($go, read)?)
        }
    )* };
}

impl<'de> Deserializer<'de> for Source<'de, '_> {
    type Error = Fault;

    numbers! {
        deserialize_i8 visit_i8 i8, "int8";
        deserialize_i16 visit_i16 i16, "int16";
        deserialize_i32 visit_i32 i32, "int32";
        deserialize_i64 visit_i64 i64, "int64";
        deserialize_u8 visit_u8 u8, "uint8";
        deserialize_u16 visit_u16 u16, "uint16";
        deserialize_u32 visit_u32 u32, "uint32";
        deserialize_u64 visit_u64 u64, "uint64";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Input::Value(Value::Null) => visitor.visit_unit(),
            Input::Value(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Input::Value(Value::Number(number)) => {
                if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or_default())
                }
            }
            Input::Value(Value::String(text)) => visitor.visit_borrowed_str(text),
            Input::Value(Value::Array(items)) => visit_list(parts(items), self.context, visitor),
            Input::Value(Value::Object(entries)) => {
                visit_map(Left::Parts(entries.iter()), Step::Key, self.context, visitor)
            }
            Input::Text(text) => visitor.visit_string(text),
            Input::Probe => Err(probed("intstr.IntOrString".to_owned())),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Input::Value(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Input::Value(Value::Null) => visitor.visit_bool(false),
            Input::Value(_) | Input::Text(_) | Input::Probe => Err(self.mismatch("bool")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_f64(self.number("float64", Number::as_f64)?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Input::Value(Value::String(text)) => visitor.visit_borrowed_str(text),
            Input::Value(Value::Null) => visitor.visit_borrowed_str(""),
            Input::Text(text) => visitor.visit_string(text),
            Input::Value(_) | Input::Probe => {
                let go = go_type::text(self.context.structure(), self.context.field());
                Err(self.mismatch(go))
            }
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Input::Value(value)
                if is_absent(self.context.structure(), self.context.field(), value) =>
            {
                visitor.visit_none()
            }
            // The only type that asks so for itself is the one of bytes.
            Input::Probe => Err(probed(go_type::list("uint8"))),
            Input::Value(_) | Input::Text(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Input::Probe = self.value {
            return Err(probed(go_type::named(name)));
        }
        let value = match self.check_form(name)? {
            Some(text) => Input::Text(text),
            None => self.value,
        };
        visitor.visit_newtype_struct(Source { value, context: self.context })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Input::Value(Value::Array(items)) => visit_list(parts(items), self.context, visitor),
            Input::Value(Value::Null) => visit_list(Left::Nothing, self.context, visitor),
            Input::Value(_) | Input::Text(_) | Input::Probe => {
                let mismatch = self.mismatch("");
                let depth = self.context.path.len();
                let item = visit_list(Left::Probe, self.context, visitor);
                self.context.path.truncate(depth);
                Err(of_parts(mismatch, item.err(), go_type::list))
            }
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Input::Value(Value::Object(entries)) => {
                visit_map(Left::Parts(entries.iter()), Step::Key, self.context, visitor)
            }
            Input::Value(Value::Null) => visit_map(Left::Nothing, Step::Key, self.context, visitor),
            Input::Value(_) | Input::Text(_) | Input::Probe => {
                let mismatch = self.mismatch("");
                let depth = self.context.path.len();
                let value = visit_map(Left::Probe, Step::Key, self.context, visitor);
                self.context.path.truncate(depth);
                Err(of_parts(mismatch, value.err(), go_type::map))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let left = self.fields(name)?;
        self.context.structs.push(Struct { name, fields });
        let object = visit_map(left, Step::Field, self.context, visitor)?;
        self.context.structs.pop();
        Ok(object)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Input::Value(Value::String(text)) => {
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            Input::Value(_) | Input::Text(_) | Input::Probe => {
                Err(self.mismatch(go_type::named(name)))
            }
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.context.note_unknown();
        visitor.visit_unit()
    }
}

/// The fault of a whole, whose type has the name of its probed parts in it.
fn of_parts(mismatch: Fault, part: Option<Fault>, whole: fn(&str) -> String) -> Fault {
    match (mismatch, part) {
        (Fault::Type { value, .. }, Some(Fault::Type { wanted, .. })) => {
            Fault::Type { value, wanted: whole(&wanted) }
        }
        (mismatch, _) => mismatch,
    }
}

fn parts(items: &[Value]) -> Left<Enumerate<slice::Iter<'_, Value>>> {
    Left::Parts(items.iter().enumerate())
}

fn visit_list<'de, V: Visitor<'de>>(
    left: Left<Enumerate<slice::Iter<'de, Value>>>,
    context: &mut Context,
    visitor: V,
) -> Result<V::Value, Fault> {
    visitor.visit_seq(Items { left, context })
}

fn visit_map<'de, V: Visitor<'de>>(
    left: Left<map::Iter<'de>>,
    step: fn(String) -> Step,
    context: &mut Context,
    visitor: V,
) -> Result<V::Value, Fault> {
    visitor.visit_map(Entries { left, step, value: None, context })
}
