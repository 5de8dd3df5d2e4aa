//! A field of a type that is kept as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Part;

/// What a type has in a field, kept as the JSON that it is on the wire.
///
/// Types inside of types are as dear as kinds. What the engine reads now and then only is read by the
/// table of fields, as documents are: the decoder looks up there what the field holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fragment(Value);

/// A struct without fields.
impl Default for Fragment {
    fn default() -> Self {
        Self(Map::new().into())
    }
}

impl Fragment {
    /// What the decoder knows it by.
    pub const NAME: &'static str = "Fragment";

    /// That of a value which the type of the field would give.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The part that it is; an absent one if there is none.
    pub fn part(fragment: &Option<Self>) -> Part<'_> {
        Part::of(fragment.as_ref().map(|fragment| &fragment.0))
    }

    /// Its value, to change.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}
