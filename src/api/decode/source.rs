//! The deserializer of values.
//!
//! One for every type, so that each type is compiled once. It keeps the path, which gives errors
//! their field, and notes the fields that a type does not know. What does not depend on the type is
//! in functions of its own: there are some hundred types with some thousand fields, and what stands
//! in a generic method is compiled for each. Nothing that it makes refers to the values, so that it
//! can be handed some that do not last.

use k8s_openapi::jiff::Timestamp;
use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{Deserializer, Visitor};
use serde_json::{Number, Value};

use super::absent::{is_absent, may_be_absent};
use super::access::{Entries, Items, Left};
use super::context::{Context, Fault, Known, Step, Struct};
use super::{go_type, table};
use crate::api::document::{Fields, Fragment};
use crate::api::quantity::Quantity;
use crate::api::text::go_json_type;

pub(super) struct Source<'de, 'c> {
    /// What is decoded. None is a probe: the type is asked what it is called, which it answers by an
    /// error.
    pub value: Option<&'de Value>,
    pub context: &'c mut Context<'de>,
}

/// The name of a type that was probed.
fn probed(name: impl Into<String>) -> Fault {
    Fault::mismatch("", name)
}

impl<'de, 'c> Source<'de, 'c> {
    /// The fault of this value not being of the type `wanted`.
    pub(super) fn mismatch(&self, wanted: &str) -> Fault {
        // Go tells the digits of a number only where the field is one, too.
        Fault::mismatch(self.value.map_or("", go_json_type), wanted)
    }

    /// Whether it is no value; only bytes are ever probed here.
    fn is_none(&self) -> Result<bool, Fault> {
        match self.value {
            Some(value) => {
                let (structure, field) = (self.context.structure(), self.context.field());
                let listed = || Fields::of(structure).get(field).map(|field| field.of);
                Ok(is_absent(structure, field, value) && may_be_absent(listed, field, value))
            }
            None => Err(probed(go_type::list("uint8"))),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, Fault> {
        match self.value {
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::Null) => Ok(false),
            _ => Err(self.mismatch("bool")),
        }
    }

    pub(super) fn text(&self) -> Result<&'de str, Fault> {
        match self.value {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Null) => Ok(""),
            _ => {
                let go = go_type::text(self.context.structure(), self.context.field());
                Err(self.mismatch(go))
            }
        }
    }

    /// An integer of the Go type `wanted`, zero for a null.
    pub(super) fn integer<T>(&self, wanted: &str) -> Result<T, Fault>
    where
        T: Default + TryFrom<i64> + TryFrom<u64>,
    {
        self.number(wanted, |number| {
            let signed = number.as_i64().and_then(|number| T::try_from(number).ok());
            signed.or_else(|| number.as_u64().and_then(|number| T::try_from(number).ok()))
        })
    }

    fn number<T: Default>(
        &self,
        wanted: &str,
        read: impl Fn(&Number) -> Option<T>,
    ) -> Result<T, Fault> {
        match self.value {
            Some(Value::Number(number)) => {
                read(number).ok_or_else(|| Fault::mismatch(format!("number {number}"), wanted))
            }
            Some(Value::Null) => Ok(T::default()),
            _ => Err(self.mismatch(wanted)),
        }
    }

    /// The canonical form of a quantity.
    pub(super) fn quantity(&self) -> Result<String, Fault> {
        let value = self.value.unwrap_or(&Value::Null);
        let text = value.as_str().map(|text| format!("\"{text}\""));
        let quantity = Quantity::from_json(&text.unwrap_or_else(|| value.to_string()));
        quantity
            .map(|quantity| quantity.to_string())
            .map_err(|error| Fault::other(error.to_string()))
    }

    /// Checks a wrapped value, which has a name and may have a form of its own.
    pub(super) fn check_form(&self, name: &'static str) -> Result<(), Fault> {
        let value = self.value.ok_or_else(|| probed(go_type::named(name)))?;
        match (name, value) {
            ("Time" | "MicroTime", Value::String(text)) if text.parse::<Timestamp>().is_err() => {
                Err(Fault::other(format!(
                    "parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \
                     \"{text}\" as \"2006\""
                )))
            }
            (_, _) => Ok(()),
        }
    }

    /// The list that it is; one probe if it is none.
    fn list(self) -> Items<'de, 'c> {
        let left = match self.value {
            Some(Value::Array(items)) => Left::Parts(items.iter().enumerate()),
            Some(Value::Null) => Left::Nothing,
            other => Left::Probe(other),
        };
        Items::new(left, self.context)
    }

    /// The map that it is; one probe if it is none.
    fn map(self) -> Entries<'de, 'c> {
        let left = match self.value {
            Some(Value::Object(entries)) => Left::Parts(entries.iter()),
            Some(Value::Null) => Left::Nothing,
            other => Left::Probe(other),
        };
        Entries::new(left, Step::Key, self.context)
    }

    /// The fields of a struct that it is, none for a null.
    fn structure(
        self,
        name: &'static str,
        fields: &'static [&'static str],
    ) -> Result<Entries<'de, 'c>, Fault> {
        let left = match self.value {
            Some(Value::Object(entries)) => Left::Parts(entries.iter()),
            Some(Value::Null) => Left::Nothing,
            _ => return Err(self.mismatch(&go_type::named(name))),
        };
        self.context.structs.push(Struct { name, fields: Known::Type(fields) });
        Ok(Entries::new(left, Step::Field, self.context))
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $go:literal;)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.integer($go)?)
        }
    )* };
}

impl<'de> Deserializer<'de> for Source<'_, '_> {
    type Error = Fault;

    integers! {
        deserialize_i8 visit_i8 "int8";
        deserialize_i16 visit_i16 "int16";
        deserialize_i32 visit_i32 "int32";
        deserialize_i64 visit_i64 "int64";
        deserialize_u8 visit_u8 "uint8";
        deserialize_u16 visit_u16 "uint16";
        deserialize_u32 visit_u32 "uint32";
        deserialize_u64 visit_u64 "uint64";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Some(Value::Number(number)) => {
                if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or_default())
                }
            }
            Some(Value::String(text)) => visitor.visit_str(text),
            Some(Value::Array(_)) => self.deserialize_seq(visitor),
            Some(Value::Object(_)) => self.deserialize_map(visitor),
            None => Err(probed("intstr.IntOrString")),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_bool(self.boolean()?)
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
        let text = self.text()?;
        visitor.visit_str(text).map_err(|fault: Fault| fault.of_text(text))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_none()? { visitor.visit_none() } else { visitor.visit_some(self) }
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
        if name == Fragment::NAME {
            let read = table::fragment(self)?;
            // What is to be said of it is said; this hands it over.
            let context = &mut Context::default();
            return visitor.visit_newtype_struct(Source { value: Some(&read), context });
        }
        self.check_form(name)?;
        if name == "Quantity" {
            return visitor.visit_newtype_struct(StringDeserializer::new(self.quantity()?));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let mut items = self.list();
        let list = visitor.visit_seq(&mut items);
        if items.are_a_list() { list } else { Err(items.not_a_list(list.err())) }
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
        let mut entries = self.map();
        let map = visitor.visit_map(&mut entries);
        if entries.are_a_map() { map } else { Err(entries.not_a_map(map.err())) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let mut entries = self.structure(name, fields)?;
        let object = visitor.visit_map(&mut entries)?;
        entries.context.leave_struct();
        Ok(object)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Some(Value::String(text)) => visitor.visit_enum(StrDeserializer::new(text)),
            _ => Err(self.mismatch(&go_type::named(name))),
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
