//! Bodies in Kubernetes' protobuf, as Go clients send them: read into the JSON that they stand for.
//!
//! `kubectl create` and `kubectl auth can-i` speak nothing else. Answers need no such thing: a client that
//! sends protobuf takes JSON, too. The messages' fields stand in `protobuf.txt`, which a test writes from
//! the bindings of `k8s-pb` and the schemas of `k8s-openapi`, and compares with them.
//!
//! Mirrors: `apimachinery/pkg/runtime/serializer/protobuf`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::strtime;
use serde_json::{Map, Value, json};

/// What comes before the message that says what is in it.
const MAGIC: &[u8] = b"k8s\0";
/// Messages in messages; no object of the API has as many.
const DEEPEST: usize = 100;

const TABLE: &str = include_str!("protobuf.txt");

/// The fields of each message, by their numbers: the name in JSON, and the type.
type Fields = BTreeMap<u64, (&'static str, &'static str)>;

static MESSAGES: LazyLock<BTreeMap<&str, Fields>> = LazyLock::new(|| {
    let field = |field: &'static str| {
        let (name, rest) = field.split_once('=')?;
        let (number, of) = rest.split_once(':')?;
        Some((number.parse().ok()?, (name, of)))
    };
    let message = |line: &'static str| {
        let (name, fields) = line.split_once(": ")?;
        Some((name, fields.split(' ').filter_map(field).collect()))
    };
    TABLE.lines().filter_map(message).collect()
});

/// The object in `body`; none if it is not protobuf, or of no type that is known.
pub fn to_json(body: &[u8]) -> Option<Value> {
    let (mut api_version, mut kind, mut raw) = ("", "", &[][..]);
    for field in Wire(body.strip_prefix(MAGIC)?) {
        match field? {
            (1, Content::Bytes(meta)) => {
                for field in Wire(meta) {
                    match field? {
                        (1, Content::Bytes(text)) => api_version = utf8(text)?,
                        (2, Content::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Content::Bytes(object)) => raw = object,
            _ => {}
        }
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let package = group.split('.').next().unwrap_or_default();
    let message = match kind {
        "DeleteOptions" => "meta.v1.DeleteOptions".to_owned(),
        _ => format!("{package}.{version}.{kind}"),
    };
    let mut object = message_of(&message, raw, DEEPEST)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Some(object.into())
}

fn message_of(name: &str, bytes: &[u8], depth: usize) -> Option<Map<String, Value>> {
    let fields = MESSAGES.get(name)?;
    let depth = depth.checked_sub(1)?;
    let mut object = Map::new();
    for field in Wire(bytes) {
        let (number, content) = field?;
        // What is newer than the table is left out, as upstream does.
        let Some((name, of)) = fields.get(&number) else { continue };
        if let Some(of) = of.strip_prefix("{}") {
            let entries = object.entry(*name).or_insert_with(|| json!({}));
            let (key, value) = entry(of, content.bytes()?, depth)?;
            entries.as_object_mut()?.insert(key, value);
        } else if let Some(of) = of.strip_prefix("[]") {
            let items = object.entry(*name).or_insert_with(|| json!([]));
            items.as_array_mut()?.push(value(of, content, depth)?);
        } else if name.is_empty() {
            // JSON has these fields without the message around them.
            object.extend(message_of(of, content.bytes()?, depth)?);
        } else {
            object.insert((*name).to_owned(), value(of, content, depth)?);
        }
    }
    Some(object)
}

fn entry(of: &str, bytes: &[u8], depth: usize) -> Option<(String, Value)> {
    let (mut key, mut content) = ("", Content::Bytes(&[]));
    for field in Wire(bytes) {
        match field? {
            (1, text) => key = utf8(text.bytes()?)?,
            (2, found) => content = found,
            _ => {}
        }
    }
    Some((key.to_owned(), value(of, content, depth)?))
}

/// A value of the type that the table calls `of`.
fn value(of: &str, content: Content<'_>, depth: usize) -> Option<Value> {
    Some(match of {
        "bool" => (content.number()? != 0).into(),
        "int" => content.number()?.into(),
        "double" => f64::from_bits(content.number()?.cast_unsigned()).into(),
        "string" => utf8(content.bytes()?)?.into(),
        "bytes" => STANDARD.encode(content.bytes()?).into(),
        "quantity" => text_at(1, content.bytes()?)?.into(),
        "time" => time(content.bytes()?, "%Y-%m-%dT%H:%M:%SZ")?,
        "microtime" => time(content.bytes()?, "%Y-%m-%dT%H:%M:%S%.6fZ")?,
        "intorstring" => int_or_string(content.bytes()?)?,
        "raw" => serde_json::from_str(text_at(1, content.bytes()?)?).unwrap_or(Value::Null),
        "items" => {
            let texts = Wire(content.bytes()?).map(|field| utf8(field?.1.bytes()?));
            texts.collect::<Option<Vec<_>>>()?.into()
        }
        message => message_of(message, content.bytes()?, depth)?.into(),
    })
}

/// A moment; null if the message is empty, which is how Go writes one that is not set.
fn time(bytes: &[u8], format: &str) -> Option<Value> {
    if bytes.is_empty() {
        return Some(Value::Null);
    }
    let seconds = number_at(1, bytes)?;
    let nanos = i32::try_from(number_at(2, bytes)?).ok()?;
    let at = Timestamp::new(seconds, nanos).ok()?;
    Some(strtime::format(format, at).ok()?.into())
}

fn int_or_string(bytes: &[u8]) -> Option<Value> {
    Some(match number_at(1, bytes)? {
        0 => number_at(2, bytes)?.into(),
        _ => text_at(3, bytes)?.into(),
    })
}

fn number_at(number: u64, bytes: &[u8]) -> Option<i64> {
    let mut found = 0;
    for field in Wire(bytes) {
        match field? {
            (own, content) if own == number => found = content.number()?,
            _ => {}
        }
    }
    Some(found)
}

fn text_at(number: u64, bytes: &[u8]) -> Option<&str> {
    let mut found = "";
    for field in Wire(bytes) {
        match field? {
            (own, content) if own == number => found = utf8(content.bytes()?)?,
            _ => {}
        }
    }
    Some(found)
}

fn utf8(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What a field holds, as it travels.
#[derive(Clone, Copy)]
enum Content<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

impl<'a> Content<'a> {
    fn number(self) -> Option<i64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    fn bytes(self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// The fields of a message, each with its number; `None` where it breaks off, or makes no sense.
struct Wire<'a>(&'a [u8]);

impl<'a> Iterator for Wire<'a> {
    type Item = Option<(u64, Content<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Wire<'a> {
    fn field(&mut self) -> Option<(u64, Content<'a>)> {
        let tag = self.varint()?;
        let content = match tag & 7 {
            0 => Content::Number(self.varint()?.cast_signed()),
            1 => Content::Number(i64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = self.varint()?.try_into().ok()?;
                Content::Bytes(self.take(length)?)
            }
            5 => Content::Number(i32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            _ => return None,
        };
        Some((tag >> 3, content))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}
