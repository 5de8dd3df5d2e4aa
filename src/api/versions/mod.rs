//! Second forms of kinds that are always there: the same objects in another group or version.
//!
//! What is stored has one form ([`Kind::stored`]); a second one is made of it, and becomes it again, where
//! objects come in and go out, as JSON.

mod autoscaler;
mod event;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::Kind;

type Fields = Map<String, Value>;

/// How objects become those of the stored form, and how they become those of the second one.
struct Turns {
    stored: fn(&mut Fields),
    second: fn(&mut Fields),
}

const FORMS: [(Kind, Turns); 2] = [
    (Kind::EventOfEvents, Turns { stored: event::to_core, second: event::from_core }),
    (
        Kind::HorizontalPodAutoscalerV1,
        Turns { stored: autoscaler::to_v2, second: autoscaler::from_v2 },
    ),
];

/// An object that came as `kind`, a second form, in the form that is stored.
pub fn to_stored(kind: Kind, object: Value) -> Value {
    turned(object, kind, kind.stored(), |turns| turns.stored)
}

/// A stored object in the form of `kind`, a second one.
pub fn from_stored(kind: Kind, object: Value) -> Value {
    turned(object, kind, kind, |turns| turns.second)
}

fn turned(mut object: Value, form: Kind, to: Kind, way: fn(&Turns) -> fn(&mut Fields)) -> Value {
    if let (Some(fields), Some((_, turns))) =
        (object.as_object_mut(), FORMS.iter().find(|(own, _)| *own == form))
    {
        way(turns)(fields);
        fields.insert("apiVersion".to_owned(), to.resource().api_version().into());
    }
    object
}

/// Moves what stands at one name to another.
fn rename(fields: &mut Fields, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}
