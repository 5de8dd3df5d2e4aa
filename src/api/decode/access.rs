//! What the deserializer hands to the visitors of lists and maps.
//!
//! One type for each, whatever there is to visit: every visitor is compiled once for each type of
//! access, and there are hundreds of visitors.

use std::iter::Enumerate;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::{Value, map};

use super::context::{Context, Fault, Step};
use super::go_type;
use super::source::Source;

/// What there is to visit.
pub(super) enum Left<I> {
    Parts(I),
    Nothing,
    /// One part that is a probe.
    Probe,
}

pub(super) struct Items<'de, 'c> {
    left: Left<Enumerate<slice::Iter<'de, Value>>>,
    /// What is wrong if this is no list at all.
    pub fault: Option<Fault>,
    depth: usize,
    context: &'c mut Context<'de>,
}

impl<'de, 'c> Items<'de, 'c> {
    pub fn new(
        left: Left<Enumerate<slice::Iter<'de, Value>>>,
        fault: Option<Fault>,
        context: &'c mut Context<'de>,
    ) -> Self {
        Self { left, fault, depth: context.path.len(), context }
    }

    /// The fault of no list, in whose type the name of the probed `item` stands.
    pub fn not_a_list(&mut self, fault: Fault, item: Option<Fault>) -> Fault {
        self.context.path.truncate(self.depth);
        fault.of_whole(item, go_type::list)
    }

    /// The next item; none within: a probe.
    fn next(&mut self) -> Option<Option<&'de Value>> {
        let (index, value) = match &mut self.left {
            Left::Parts(parts) => parts.next().map(|(index, value)| (index, Some(value)))?,
            Left::Nothing => return None,
            Left::Probe => (0, None),
        };
        self.context.path.push(Step::Index(index));
        Some(value)
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
    left: Left<map::Iter<'de>>,
    step: fn(&'de str) -> Step<'de>,
    /// The value of the key that was read last; none for a probe.
    value: Option<&'de Value>,
    /// What is wrong if this is no map at all.
    pub fault: Option<Fault>,
    depth: usize,
    pub context: &'c mut Context<'de>,
}

impl<'de, 'c> Entries<'de, 'c> {
    pub fn new(
        left: Left<map::Iter<'de>>,
        step: fn(&'de str) -> Step<'de>,
        fault: Option<Fault>,
        context: &'c mut Context<'de>,
    ) -> Self {
        Self { left, step, value: None, fault, depth: context.path.len(), context }
    }

    /// The fault of no map, in whose type the name of the probed `value` stands.
    pub fn not_a_map(&mut self, fault: Fault, value: Option<Fault>) -> Fault {
        self.context.path.truncate(self.depth);
        fault.of_whole(value, go_type::map)
    }

    fn next(&mut self) -> Option<&'de str> {
        let (key, value): (&str, _) = match &mut self.left {
            Left::Parts(parts) => parts.next().map(|(key, value)| (key.as_str(), Some(value)))?,
            Left::Nothing => return None,
            Left::Probe => ("", None),
        };
        self.value = value;
        self.context.path.push((self.step)(key));
        Some(key)
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
        let value = seed.deserialize(Source { value: self.value, context: self.context })?;
        self.context.path.pop();
        Ok(value)
    }
}
