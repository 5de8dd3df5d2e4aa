//! YAML to values: the events of the parser put together, with anchors, merge keys and bounds.

use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;

use serde_json::{Map, Value};
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

use super::document::{Document, Limits};
use super::place::{Mark, Place};
use super::{SyntaxError, scalar};
use crate::sim::SortedMap;

/// Reads the documents of `text` into `into`, the empty ones left out, up to the first mistake.
pub(super) fn read(
    text: &str,
    limits: Limits,
    into: &mut Vec<Document>,
) -> Result<(), SyntaxError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::new(limits);
    loop {
        let (event, marker) = parser.next_token().map_err(|error| in_plain_words(&error))?;
        let mark = mark(marker);
        match event {
            Event::StreamEnd => return Ok(()),
            Event::Nothing | Event::StreamStart => {}
            Event::DocumentStart => builder = builder.next_document(),
            Event::DocumentEnd => {
                let Some(node) = builder.root.take().filter(|node| !node.value.is_null()) else {
                    continue;
                };
                if into.len() >= limits.documents {
                    let most = limits.documents;
                    let words = format!("more than {most} documents in one text");
                    return Err(SyntaxError::new(node.place.value, words));
                }
                into.push(Document { value: node.value, place: node.place });
            }
            Event::Alias(anchor) => {
                let node = builder.alias(anchor, mark)?;
                builder.put(node, mark)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar(text, style, tag.as_ref(), mark)?;
                builder.anchored(anchor, node, mark)?;
            }
            Event::SequenceStart(anchor, _) => builder.open(Frame::list(anchor, mark))?,
            Event::MappingStart(anchor, _) => builder.open(Frame::map(anchor, mark))?,
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
        }
    }
}

/// A value and where it stands.
#[derive(Clone)]
struct Node {
    value: Value,
    place: Place,
    /// A plain `<<`, which as a key is no key.
    merges: bool,
}

/// A list or a map whose end has not come yet.
struct Frame {
    anchor: usize,
    start: Mark,
    kind: FrameKind,
}

enum FrameKind {
    List { items: Vec<Value>, places: Vec<Place> },
    Map(MapFrame),
}

#[derive(Default)]
struct MapFrame {
    entries: Map<String, Value>,
    places: SortedMap<String, Place>,
    /// The key whose value comes next.
    key: Option<Key>,
    /// What merge keys bring in, the more important first.
    merged: Vec<(Map<String, Value>, SortedMap<String, Place>)>,
}

enum Key {
    Named(String, Mark),
    Merge(Mark),
}

impl Frame {
    fn list(anchor: usize, start: Mark) -> Self {
        let kind = FrameKind::List { items: Vec::new(), places: Vec::new() };
        Self { anchor, start, kind }
    }

    fn map(anchor: usize, start: Mark) -> Self {
        Self { anchor, start, kind: FrameKind::Map(MapFrame::default()) }
    }
}

/// A document in the making.
struct Builder {
    limits: Limits,
    open: Vec<Frame>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Rc<Node>>,
    /// How many bytes copies of anchored values may still take, in the whole text.
    copies: usize,
}

impl Builder {
    fn new(limits: Limits) -> Self {
        let (open, anchors) = (Vec::new(), BTreeMap::new());
        Self { limits, open, root: None, anchors, copies: limits.copies }
    }

    fn next_document(self) -> Self {
        Self { copies: self.copies, ..Self::new(self.limits) }
    }

    fn open(&mut self, frame: Frame) -> Result<(), SyntaxError> {
        if self.open.len() >= self.limits.depth {
            let words = format!("nested deeper than {} levels", self.limits.depth);
            return Err(SyntaxError::new(frame.start, words));
        }
        if let Some(Frame { kind: FrameKind::Map(map), .. }) = self.open.last()
            && map.key.is_none()
        {
            return Err(SyntaxError::new(frame.start, "a key must be a text, not a list or a map"));
        }
        self.open.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        let Some(Frame { anchor, start, kind }) = self.open.pop() else { return Ok(()) };
        let node = match kind {
            FrameKind::List { items, places } => Node {
                value: Value::Array(items),
                place: Place::list(start, places),
                merges: false,
            },
            FrameKind::Map(map) => map.finish(start),
        };
        self.anchored(anchor, node, start)
    }

    /// Keeps the node if it has an anchor, and puts it where it belongs.
    fn anchored(&mut self, anchor: usize, node: Node, mark: Mark) -> Result<(), SyntaxError> {
        if anchor > 0 {
            self.pay(&node.value, mark)?;
            self.anchors.insert(anchor, Rc::new(node.clone()));
        }
        self.put(node, mark)
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<Node, SyntaxError> {
        let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
            let words = "this alias stands inside its own anchor, or in another document";
            return Err(SyntaxError::new(mark, words));
        };
        self.pay(&node.value, mark)?;
        let mut node = Node::clone(&node);
        node.place.value = mark;
        Ok(node)
    }

    /// Charges for a copy of `value`, so that a few aliases of aliases cannot fill the memory.
    fn pay(&mut self, value: &Value, mark: Mark) -> Result<(), SyntaxError> {
        let left = self.copies.checked_sub(size(value));
        self.copies =
            left.ok_or_else(|| SyntaxError::new(mark, "document contains excessive aliasing"))?;
        Ok(())
    }

    fn put(&mut self, node: Node, mark: Mark) -> Result<(), SyntaxError> {
        match self.open.last_mut().map(|frame| &mut frame.kind) {
            None => self.root = Some(node),
            Some(FrameKind::List { items, places }) => {
                items.push(node.value);
                places.push(node.place);
            }
            Some(FrameKind::Map(map)) => map.put(node, mark)?,
        }
        Ok(())
    }
}

/// The value of a scalar, by its style and its tag.
fn scalar(
    text: String,
    style: TScalarStyle,
    tag: Option<&Tag>,
    mark: Mark,
) -> Result<Node, SyntaxError> {
    let plain = style == TScalarStyle::Plain;
    let merges = plain && text == "<<";
    let value = if plain || tag.is_some() {
        let tag = tag.map(|tag| (tag.handle.as_str(), tag.suffix.as_str()));
        scalar::resolve(&text, plain, tag)
            .map_err(|error| SyntaxError::new(mark, error.to_string()))?
    } else {
        Value::String(text)
    };
    Ok(Node { value, place: Place::scalar(mark), merges })
}

impl MapFrame {
    fn put(&mut self, node: Node, mark: Mark) -> Result<(), SyntaxError> {
        match self.key.take() {
            None => {
                self.key = Some(if node.merges {
                    Key::Merge(mark)
                } else {
                    let words = "a key must be a text, not empty, a list or a map";
                    let name = scalar::key(node.value);
                    Key::Named(name.ok_or_else(|| SyntaxError::new(mark, words))?, mark)
                });
            }
            Some(Key::Merge(at)) => self.merge(node, at)?,
            Some(Key::Named(name, at)) => {
                if self.entries.contains_key(&name) {
                    let words = format!("key {name:?} already set in map");
                    return Err(SyntaxError::new(at, words));
                }
                let mut place = node.place;
                place.key = Some(at);
                self.places.insert(name.clone(), place);
                self.entries.insert(name, node.value);
            }
        }
        Ok(())
    }

    fn merge(&mut self, node: Node, at: Mark) -> Result<(), SyntaxError> {
        let no_map =
            || SyntaxError::new(at, "map merge requires map or sequence of maps as the value");
        match node.value {
            Value::Object(entries) => self.merged.push((entries, node.place.into_entries())),
            Value::Array(items) => {
                for (item, place) in items.into_iter().zip(node.place.into_items()) {
                    let Value::Object(entries) = item else { return Err(no_map()) };
                    self.merged.push((entries, place.into_entries()));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(no_map());
            }
        }
        Ok(())
    }

    /// The map: its own keys first, then what was merged in, the first to name a key wins.
    fn finish(mut self, start: Mark) -> Node {
        // The parser says of a block map where its first ':' is.
        let first = self.places.values().filter_map(|place| place.key).min();
        let start = first.map_or(start, |key| key.min(start));
        for (entries, mut places) in mem::take(&mut self.merged) {
            for (name, value) in entries {
                if self.entries.contains_key(&name) {
                    continue;
                }
                if let Some(place) = places.remove(&name) {
                    self.places.insert(name.clone(), place);
                }
                self.entries.insert(name, value);
            }
        }
        Node {
            value: Value::Object(self.entries),
            place: Place::map(start, self.places),
            merges: false,
        }
    }
}

/// About how many bytes a copy of the value and of its places takes.
fn size(value: &Value) -> usize {
    const NODE: usize = 128;
    NODE + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.iter().map(|(key, value)| key.len() + size(value)).sum(),
    }
}

/// The parser counts lines from one and columns from zero.
fn mark(marker: Marker) -> Mark {
    Mark { line: marker.line().max(1), column: marker.col() + 1 }
}

/// The parser's errors that people meet, by their words, with what to look for.
const EXPLAINED: &[(&str, &str)] = &[
    ("tab", "found a tab that indents or separates: YAML wants spaces"),
    (
        "mapping values are not allowed",
        "mapping values are not allowed in this context: is the line indented like its \
         neighbours, and is a text with \": \" in it quoted?",
    ),
    (
        "did not find expected key",
        "did not find expected key: is the line indented like its neighbours?",
    ),
    (
        "did not find expected '-' indicator",
        "did not find expected '-' indicator: is the line indented like the other items?",
    ),
    ("simple key expect", "could not find expected ':' after a key"),
    (
        "found unexpected end of stream",
        "found unexpected end of stream: the quote that begins here has no end",
    ),
    (
        "expected ',' or '}'",
        "did not find expected ',' or '}': the map that begins with '{' goes wrong here",
    ),
    (
        "expected ',' or ']'",
        "did not find expected ',' or ']': the list that begins with '[' goes wrong here",
    ),
    ("unexpected character", "found character that cannot start any token: put the text in quotes"),
    ("unknown anchor", "unknown anchor: an alias (*name) needs its anchor (&name) before it"),
    ("invalid indentation", "the line is indented less than what it belongs to"),
    ("recursion limit", "nested too deeply"),
];

fn in_plain_words(error: &ScanError) -> SyntaxError {
    let info = error.info();
    let words = EXPLAINED.iter().find(|(part, _)| info.contains(part)).map(|(_, words)| *words);
    SyntaxError::new(mark(*error.marker()), words.unwrap_or(info))
}
