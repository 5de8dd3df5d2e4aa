//! From typed objects to JSON.
//!
//! It makes what `serde_json::to_value` makes. It is ours for the page's sake: it writes into a place
//! that is there already, so that each of some thousand fields hands back one byte, and what does not
//! depend on a field's type is compiled once. Its error keeps no words, so that those of every library
//! beneath stay out of the page: the API's own types have text keys only, and nothing of theirs fails.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Serializer};
use serde_json::{Map, Number, Value};

/// The JSON of an object or a part of one; null if it has no form in JSON.
pub fn to_json(value: &(impl Serialize + ?Sized)) -> Value {
    let mut json = Value::Null;
    match value.serialize(Place(&mut json)) {
        Ok(()) => json,
        Err(Unfit) => Value::Null,
    }
}

/// The JSON object of `entries`, which become part of it; `json!` would copy each.
pub fn json_object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    fn fill(entries: &mut dyn Iterator<Item = (&str, Value)>) -> Value {
        let mut object = Map::new();
        for (name, value) in entries {
            object.insert(name.to_owned(), value);
        }
        object.into()
    }
    fill(&mut entries.into_iter())
}

/// A value that has no form in JSON.
#[derive(Debug)]
struct Unfit;

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be written as JSON")
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Where a value is written.
struct Place<'a>(&'a mut Value);

/// A list that grows.
struct Items<'a> {
    items: &'a mut Vec<Value>,
}

/// An object that grows, and the key whose value comes next.
struct Entries<'a> {
    entries: &'a mut Map<String, Value>,
    key: String,
}

impl<'a> Place<'a> {
    fn put(self, value: impl Into<Value>) {
        *self.0 = value.into();
    }

    fn list(self) -> Result<Items<'a>, Unfit> {
        *self.0 = Value::Array(Vec::new());
        self.0.as_array_mut().map(|items| Items { items }).ok_or(Unfit)
    }

    fn object(self) -> Result<Entries<'a>, Unfit> {
        *self.0 = Value::Object(Map::new());
        let entries = self.0.as_object_mut().ok_or(Unfit)?;
        Ok(Entries { entries, key: String::new() })
    }

    /// The place of a variant's value: `{"variant": …}`.
    fn variant(self, name: &str) -> Result<Place<'a>, Unfit> {
        let Entries { entries, .. } = self.object()?;
        Ok(Place(entries.entry(name).or_insert(Value::Null)))
    }
}

impl Items<'_> {
    fn next(&mut self) -> Result<Place<'_>, Unfit> {
        self.items.push(Value::Null);
        self.items.last_mut().map(Place).ok_or(Unfit)
    }
}

impl Entries<'_> {
    fn at(&mut self, key: &str) -> Place<'_> {
        Place(self.entries.entry(key).or_insert(Value::Null))
    }
}

macro_rules! plain {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), Unfit> {
            self.put(value);
            Ok(())
        })*
    };
}

impl<'a> Serializer for Place<'a> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Entries<'a>;
    type SerializeStructVariant = Entries<'a>;

    plain! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_str: &str,
        serialize_bytes: &[u8],
    }

    fn serialize_f32(self, value: f32) -> Result<(), Unfit> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unfit> {
        self.put(Number::from_f64(value).map_or(Value::Null, Value::Number));
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Unfit> {
        self.put(value.to_string());
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unfit> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unfit> {
        self.put(Value::Null);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unfit> {
        self.put(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Unfit> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Unfit> {
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Unfit> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'a>, Unfit> {
        self.variant(variant)?.list()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'a>, Unfit> {
        self.object()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'a>, Unfit> {
        self.object()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'a>, Unfit> {
        self.variant(variant)?.object()
    }
}

macro_rules! lists {
    ($($trait:ident $method:ident,)*) => { $(
        impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Unfit;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
                value.serialize(self.next()?)
            }

            fn end(self) -> Result<(), Unfit> {
                Ok(())
            }
        }
    )* };
}

lists! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! structs {
    ($($trait:ident,)*) => { $(
        impl ser::$trait for Entries<'_> {
            type Ok = ();
            type Error = Unfit;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Unfit> {
                value.serialize(self.at(key))
            }

            fn end(self) -> Result<(), Unfit> {
                Ok(())
            }
        }
    )* };
}

structs! {
    SerializeStruct,
    SerializeStructVariant,
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        match to_json(key) {
            Value::String(key) => self.key = key,
            Value::Number(number) => self.key = number.to_string(),
            Value::Bool(flag) => self.key = flag.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return Err(Unfit),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let key = std::mem::take(&mut self.key);
        value.serialize(self.at(&key))
    }

    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    enum Any {
        Unit,
        New(u8),
        Tuple(u8, char),
        Struct { a: Option<u8> },
    }

    #[derive(Serialize)]
    struct Whole {
        any: [Any; 4],
        numbers: (i64, u64, f32, f64),
        map: BTreeMap<u16, bool>,
        text: Option<&'static str>,
        bytes: Vec<u8>,
        unit: (),
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
    }

    #[test]
    fn it_makes_what_serde_json_makes() {
        let whole = Whole {
            any: [Any::Unit, Any::New(1), Any::Tuple(2, 'c'), Any::Struct { a: Some(3) }],
            numbers: (i64::MIN, u64::MAX, 0.5, f64::NAN),
            map: BTreeMap::from([(7, true)]),
            text: Some("t"),
            bytes: vec![1, 2],
            unit: (),
            left_out: None,
        };
        assert_eq!(to_json(&whole), serde_json::to_value(&whole).unwrap());
    }

    #[test]
    fn what_has_no_form_in_json_is_nothing() {
        assert_eq!(to_json(&BTreeMap::from([((), 1)])), json!(null));
    }
}
