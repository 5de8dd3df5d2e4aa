//! Objects that need no type of their own: kept as the JSON that they are on the wire.
//!
//! Each type of the API costs the page some four kilobytes, most of it the code that reads one from
//! JSON. A kind that the engine keeps, checks and shows, and reads at most now and then, is a document: a
//! table of fields ([`Fields`]), generated from the same types and compared with them by a test, says
//! what it may hold, and what is done with it reads it through [`Part`].

mod fields;
mod fragment;
mod part;

use std::rc::Rc;

use serde_json::{Map, Value};

pub use fields::{Field, Fields};
pub use fragment::Fragment;
pub use part::Part;

use super::decode::{Decoded, TypeError, decode_custom, decode_document};
use super::{Kind, Object, defaults, to_json};
use crate::api::ObjectMeta;

/// An object without a type of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    kind: Kind,
    pub metadata: ObjectMeta,
    /// All but `apiVersion`, `kind` and `metadata`; shared between versions.
    fields: Rc<Map<String, Value>>,
}

impl From<Document> for Object {
    fn from(document: Document) -> Self {
        Self::Document(Rc::new(document))
    }
}

impl Document {
    /// One that has nothing but its metadata.
    pub fn new(kind: Kind, metadata: ObjectMeta) -> Self {
        Self { kind, metadata, fields: Rc::default() }
    }

    /// Reads a document of `kind` from the wire, and fills in its defaults.
    ///
    /// # Errors
    ///
    /// A value has the wrong type.
    pub fn from_json(kind: Kind, value: &Value) -> Result<Decoded<Self>, TypeError> {
        let mut decoded = Self::as_sent(kind, value)?;
        decoded.object.set_defaults();
        Ok(decoded)
    }

    /// As [`Document::from_json`], without defaults.
    ///
    /// # Errors
    ///
    /// A value has the wrong type.
    pub fn as_sent(kind: Kind, value: &Value) -> Result<Decoded<Self>, TypeError> {
        let resource = kind.resource();
        let Decoded { object: (metadata, fields), unknown } = match kind.custom() {
            Some(custom) => {
                let mut decoded = decode_custom(value)?;
                let (_, fields) = &mut decoded.object;
                decoded.unknown.extend(custom.schema().prune(fields));
                decoded
            }
            None => decode_document(Fields::name_of(resource.name, resource.version), value)?,
        };
        Ok(Decoded { object: Self { kind, metadata, fields: Rc::new(fields) }, unknown })
    }

    /// The object on the wire.
    pub fn to_json(&self) -> Value {
        let mut json = Map::clone(&self.fields);
        json.insert("apiVersion".to_owned(), self.kind.resource().api_version().into());
        json.insert("kind".to_owned(), self.kind.resource().name.into());
        json.insert("metadata".to_owned(), to_json(&self.metadata));
        json.into()
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The same object in another version of its kind.
    #[must_use]
    pub fn as_kind(&self, kind: Kind) -> Self {
        Self { kind, ..self.clone() }
    }

    /// One of its fields; an absent part if it has none of that name.
    pub fn at(&self, field: &str) -> Part<'_> {
        Part::of(self.fields.get(field))
    }

    /// Its fields, to change.
    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        Rc::make_mut(&mut self.fields)
    }

    /// Takes a field from another version of it.
    pub fn take(&mut self, field: &str, from: &Self) {
        if self.fields.get(field) == from.fields.get(field) {
            return;
        }
        match from.fields.get(field) {
            Some(value) => self.fields_mut().insert(field.to_owned(), value.clone()),
            None => self.fields_mut().remove(field),
        };
    }

    /// Whether any of its fields but `one` is not as in another version.
    pub fn differs(&self, other: &Self, one: &str) -> bool {
        let of = |document: &Self| document.fields.keys().filter(|key| *key != one).count();
        of(self) != of(other)
            || self
                .fields
                .iter()
                .any(|(key, value)| key != one && other.fields.get(key) != Some(value))
    }

    /// Sets its status to what a new object has.
    pub fn forget_status(&mut self) {
        self.fields_mut().remove("status");
        self.set_defaults();
    }

    /// Fills in every choice that is open.
    pub fn set_defaults(&mut self) {
        let fields = Rc::make_mut(&mut self.fields);
        match self.kind.custom() {
            Some(custom) => custom.schema().default_fields(fields),
            None => defaults::document(self.kind, &mut self.metadata, fields),
        }
    }
}
