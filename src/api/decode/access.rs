//! What a deserializer hands to the visitors of lists and maps.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::Value;

use super::typed::{Context, Fault, Input, Source, Step};

pub(super) struct Items<'de, 'c> {
    pub left: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
    pub context: &'c mut Context,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((index, value)) = self.left.next() else { return Ok(None) };
        self.context.path.push(Step::Index(index));
        let item =
            seed.deserialize(Source { value: Input::Value(value), context: self.context })?;
        self.context.path.pop();
        Ok(Some(item))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

pub(super) struct Entries<'de, 'c> {
    pub left: serde_json::map::Iter<'de>,
    pub step: fn(String) -> Step,
    pub value: Option<&'de Value>,
    pub context: &'c mut Context,
}

impl<'de> MapAccess<'de> for Entries<'de, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((key, value)) = self.left.next() else { return Ok(None) };
        self.value = Some(value);
        self.context.path.push((self.step)(key.clone()));
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let value = self.value.take().map_or(Input::Value(&Value::Null), Input::Value);
        let value = seed.deserialize(Source { value, context: self.context })?;
        self.context.path.pop();
        Ok(value)
    }
}

/// A map without entries, for a null.
pub(super) struct NoEntries;

impl<'de> MapAccess<'de> for NoEntries {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, _: S) -> Result<Option<S::Value>, Fault> {
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, _: S) -> Result<S::Value, Fault> {
        Err(Fault::Other("a map without entries has no value".to_owned()))
    }
}

/// A list or map of one part that is [`Input::Probe`].
pub(super) struct Probing<'c> {
    pub context: &'c mut Context,
}

impl<'de> SeqAccess<'de> for Probing<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        seed.deserialize(Source { value: Input::Probe, context: self.context }).map(Some)
    }
}

impl<'de> MapAccess<'de> for Probing<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        seed.deserialize(StrDeserializer::new("")).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(Source { value: Input::Probe, context: self.context })
    }
}
