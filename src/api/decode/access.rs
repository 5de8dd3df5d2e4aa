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
pub(super) enum Left<'de, I> {
    Parts(I),
    Nothing,
    /// One part that is a probe, as the whole has no parts.
    Probe(Option<&'de Value>),
}

impl<'de, I> Left<'de, I> {
    /// The fault of the whole having no parts; its type has no name yet.
    fn mismatch(&self, context: &mut Context<'de>) -> Fault {
        let value = if let Self::Probe(value) = self { *value } else { None };
        Source { value, context }.mismatch("")
    }
}

pub(super) struct Items<'de, 'c> {
    left: Left<'de, Enumerate<slice::Iter<'de, Value>>>,
    depth: usize,
    context: &'c mut Context<'de>,
}

impl<'de, 'c> Items<'de, 'c> {
    /// The items `left`, the first of which is next.
    pub fn new(
        left: Left<'de, Enumerate<slice::Iter<'de, Value>>>,
        context: &'c mut Context<'de>,
    ) -> Self {
        Self { left, depth: context.path.len(), context }
    }

    /// Whether what was visited was a list, not a probe.
    pub fn are_a_list(&self) -> bool {
        !matches!(self.left, Left::Probe(_))
    }

    /// The fault of no list, in whose type the name of the probed `item` stands.
    pub fn not_a_list(&mut self, item: Option<Fault>) -> Fault {
        self.context.path.truncate(self.depth);
        self.left.mismatch(self.context).of_whole(item, go_type::list)
    }

    fn next(&mut self) -> Option<Source<'de, '_>> {
        let (index, value) = match &mut self.left {
            Left::Parts(parts) => parts.next().map(|(index, value)| (index, Some(value)))?,
            Left::Nothing => return None,
            Left::Probe(_) => (0, None),
        };
        self.context.path.push(Step::Index(index));
        Some(Source { value, context: self.context })
    }
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(source) = self.next() else { return Ok(None) };
        let item = seed.deserialize(source)?;
        self.context.leave_step();
        Ok(Some(item))
    }
}

pub(super) struct Entries<'de, 'c> {
    left: Left<'de, map::Iter<'de>>,
    step: fn(&'de str) -> Step<'de>,
    /// The value of the key that was read last; none for a probe.
    value: Option<&'de Value>,
    depth: usize,
    pub context: &'c mut Context<'de>,
}

impl<'de, 'c> Entries<'de, 'c> {
    /// The entries `left`; a `step` is made of each key.
    pub fn new(
        left: Left<'de, map::Iter<'de>>,
        step: fn(&'de str) -> Step<'de>,
        context: &'c mut Context<'de>,
    ) -> Self {
        Self { left, step, value: None, depth: context.path.len(), context }
    }

    /// Whether what was visited was a map, not a probe.
    pub fn are_a_map(&self) -> bool {
        !matches!(self.left, Left::Probe(_))
    }

    /// The fault of no map, in whose type the name of the probed `value` stands.
    pub fn not_a_map(&mut self, value: Option<Fault>) -> Fault {
        self.context.path.truncate(self.depth);
        self.left.mismatch(self.context).of_whole(value, go_type::map)
    }

    fn next(&mut self) -> Option<&'de str> {
        let (key, value): (&str, _) = match &mut self.left {
            Left::Parts(parts) => parts.next().map(|(key, value)| (key.as_str(), Some(value)))?,
            Left::Nothing => return None,
            Left::Probe(_) => ("", None),
        };
        self.value = value;
        self.context.path.push((self.step)(key));
        Some(key)
    }
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
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
        self.context.leave_step();
        Ok(value)
    }
}
