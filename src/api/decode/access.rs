//! What a deserializer hands to the visitors of lists and maps.
//!
//! One type for each, whatever there is to visit: every visitor is compiled once for each type of
//! access, and there are hundreds of visitors.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::{Value, map};

use super::typed::{Context, Fault, Input, Source, Step};

/// What there is to visit.
pub(super) enum Left<I> {
    Parts(I),
    Nothing,
    /// One part that is [`Input::Probe`].
    Probe,
}

pub(super) struct Items<'de, 'c> {
    pub left: Left<std::iter::Enumerate<std::slice::Iter<'de, Value>>>,
    pub context: &'c mut Context,
}

impl<'de> Items<'de, '_> {
    fn next(&mut self) -> Option<Input<'de>> {
        match &mut self.left {
            Left::Parts(parts) => {
                let (index, value) = parts.next()?;
                self.context.path.push(Step::Index(index));
                Some(Input::Value(value))
            }
            Left::Nothing => None,
            Left::Probe => {
                self.context.path.push(Step::Index(0));
                Some(Input::Probe)
            }
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(value) = self.next() else { return Ok(None) };
        let item = seed.deserialize(Source { value, context: self.context })?;
        self.context.path.pop();
        Ok(Some(item))
    }

    fn size_hint(&self) -> Option<usize> {
        match &self.left {
            Left::Parts(parts) => Some(parts.len()),
            Left::Nothing | Left::Probe => None,
        }
    }
}

pub(super) struct Entries<'de, 'c> {
    pub left: Left<map::Iter<'de>>,
    pub step: fn(String) -> Step,
    pub value: Option<&'de Value>,
    pub context: &'c mut Context,
}

impl<'de> Entries<'de, '_> {
    fn next(&mut self) -> Option<&'de str> {
        let (key, value): (&str, _) = match &mut self.left {
            Left::Parts(parts) => parts.next().map(|(key, value)| (key.as_str(), Some(value)))?,
            Left::Nothing => return None,
            Left::Probe => ("", None),
        };
        self.value = value;
        self.context.path.push((self.step)(key.to_owned()));
        Some(key)
    }

    fn value(&mut self) -> Input<'de> {
        match self.left {
            Left::Probe => Input::Probe,
            Left::Parts(_) | Left::Nothing => {
                self.value.take().map_or(Input::Value(&Value::Null), Input::Value)
            }
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(key) = self.next() else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let value = self.value();
        let value = seed.deserialize(Source { value, context: self.context })?;
        self.context.path.pop();
        Ok(value)
    }
}
