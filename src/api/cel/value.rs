//! What expressions compute with.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::cidr::Cidr;
use super::url::Url;
use crate::api::quantity::Quantity;
use crate::sim::sort;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    Time(Timestamp),
    Span(SignedDuration),
    List(Rc<List>),
    Map(Rc<Map>),
    Optional(Option<Rc<Value>>),
    /// The type of a value, by its name.
    Type(&'static str),
    Quantity(Rc<Quantity>),
    Ip(IpAddr),
    Cidr(Cidr),
    Url(Rc<Url>),
    /// A form of texts, by its name.
    Format(&'static str),
}

/// A list, and what makes two of its items the same.
#[derive(Debug, Default)]
pub struct List {
    pub items: Vec<Value>,
    pub identity: Identity,
}

/// When two items of a list are the same.
#[derive(Clone, Debug, Default)]
pub enum Identity {
    /// When they stand in the same place.
    #[default]
    Place,
    /// When they are equal.
    Value,
    /// When these fields of theirs are equal.
    Fields(Rc<[Rc<str>]>),
}

/// A map, or an object; its entries are in the order of their keys.
#[derive(Debug, Default)]
pub struct Map {
    entries: Vec<(Value, Value)>,
}

impl Map {
    /// A map of `entries`; of those with the same key one stays.
    pub fn new(mut entries: Vec<(Value, Value)>) -> Self {
        sort::by(&mut entries, |one, other| by_key(&one.0, &other.0));
        entries.dedup_by(|one, other| by_key(&one.0, &other.0).is_eq());
        Self { entries }
    }

    /// The value at `key`.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        let at = self.entries.binary_search_by(|(own, _)| by_key(own, key)).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// The value of the field `name`.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let order = |own: &Value| match own {
            Value::Text(own) => (**own).cmp(name),
            other => by_key(other, &Value::from("")),
        };
        let at = self.entries.binary_search_by(|(own, _)| order(own)).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// Its keys and values.
    pub fn entries(&self) -> &[(Value, Value)] {
        &self.entries
    }
}

/// How keys are put in order: numbers of all types by what they are, then texts.
fn by_key(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Bool(_) => 0,
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => 1,
        Value::Text(_) => 2,
        Value::Null
        | Value::Bytes(_)
        | Value::Time(_)
        | Value::Span(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Optional(_)
        | Value::Type(_)
        | Value::Quantity(_)
        | Value::Ip(_)
        | Value::Cidr(_)
        | Value::Url(_)
        | Value::Format(_) => 3,
    };
    rank(one).cmp(&rank(other)).then_with(|| one.compare(other).unwrap_or(Ordering::Equal))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(Rc::new(List { items, identity: Identity::Place }))
    }
}

impl Value {
    /// An optional value.
    pub fn optional(value: Option<Self>) -> Self {
        Self::Optional(value.map(Rc::new))
    }

    /// What has a size, as an integer.
    pub fn count(size: usize) -> Self {
        Self::Int(i64::try_from(size).unwrap_or(i64::MAX))
    }

    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The name of its type, as `type(x)` has it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Time(_) => "google.protobuf.Timestamp",
            Self::Span(_) => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }

    /// Whether both are the same value, at the cost of looking at each of their parts.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) | (Self::Optional(None), Self::Optional(None)) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Text(one), Self::Text(two)) => one == two,
            (Self::Bytes(one), Self::Bytes(two)) => one == two,
            (Self::Time(one), Self::Time(two)) => one == two,
            (Self::Span(one), Self::Span(two)) => one == two,
            (Self::Optional(Some(one)), Self::Optional(Some(two))) => one.equals(two),
            (Self::Type(one), Self::Type(two)) | (Self::Format(one), Self::Format(two)) => {
                one == two
            }
            (Self::Quantity(one), Self::Quantity(two)) => one == two,
            (Self::Ip(one), Self::Ip(two)) => one == two,
            (Self::Cidr(one), Self::Cidr(two)) => one == two,
            (Self::Url(one), Self::Url(two)) => one == two,
            (Self::List(one), Self::List(two)) => one.equals(two),
            (Self::Map(one), Self::Map(two)) => {
                one.entries.len() == two.entries.len()
                    && one
                        .entries
                        .iter()
                        .all(|(key, value)| two.get(key).is_some_and(|other| value.equals(other)))
            }
            _ => self.numbers(other).is_some_and(Ordering::is_eq),
        }
    }

    /// Which one comes first, if that can be said.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Self::Bool(two)) => Some(one.cmp(two)),
            (Self::Text(one), Self::Text(two)) => Some(one.cmp(two)),
            (Self::Bytes(one), Self::Bytes(two)) => Some(one.cmp(two)),
            (Self::Time(one), Self::Time(two)) => Some(one.cmp(two)),
            (Self::Span(one), Self::Span(two)) => Some(one.cmp(two)),
            _ => self.numbers(other),
        }
    }

    /// The order of two numbers, of whatever types.
    fn numbers(&self, other: &Self) -> Option<Ordering> {
        #[expect(clippy::cast_precision_loss, reason = "near to a double only that matters")]
        let double = |value: &Self| match value {
            Self::Int(number) => Some(*number as f64),
            Self::Uint(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        };
        let whole = |value: &Self| match value {
            Self::Int(number) => Some(i128::from(*number)),
            Self::Uint(number) => Some(i128::from(*number)),
            _ => None,
        };
        match (whole(self), whole(other)) {
            (Some(one), Some(two)) => Some(one.cmp(&two)),
            _ => double(self)?.partial_cmp(&double(other)?),
        }
    }

    /// How large it is, as costs are counted: bytes of a text, items of a list.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(list) => list.items.len(),
            Self::Map(map) => map.entries.len(),
            _ => 1,
        }
    }

    /// How much there is to look at in all of it, up to `most`.
    pub fn weight(&self, most: usize) -> usize {
        let mut sum = 1_usize;
        let mut add = |value: &Self| {
            if sum < most {
                sum = sum.saturating_add(value.weight(most - sum));
            }
        };
        match self {
            Self::Text(text) => return text.len() / 10 + 1,
            Self::Bytes(bytes) => return bytes.len() / 10 + 1,
            Self::List(list) => list.items.iter().for_each(add),
            Self::Map(map) => map.entries.iter().for_each(|(_, value)| add(value)),
            Self::Optional(Some(value)) => add(value),
            _ => {}
        }
        sum
    }
}

impl List {
    /// Whether both hold the same items.
    fn equals(&self, other: &Self) -> bool {
        if self.items.len() != other.items.len() {
            return false;
        }
        let (mut own, mut theirs) = (self.items.iter(), other.items.iter());
        match &self.identity {
            Identity::Place => own.zip(theirs).all(|(one, two)| one.equals(two)),
            Identity::Value | Identity::Fields(_) => {
                own.all(|item| other.items.iter().any(|other| item.equals(other)))
                    && theirs.all(|item| self.items.iter().any(|other| item.equals(other)))
            }
        }
    }

    /// The list that `other` is added to.
    ///
    /// Mirrors: `common.UnstructuredToVal`'s lists of `apiserver/pkg/cel/common/values.go`.
    pub fn plus(&self, other: &Self) -> Self {
        let mut items = self.items.clone();
        for item in &other.items {
            let same = match &self.identity {
                Identity::Place => None,
                Identity::Value => items.iter_mut().find(|own| own.equals(item)),
                Identity::Fields(names) => items.iter_mut().find(|own| have_same(own, item, names)),
            };
            match same {
                Some(own) => *own = item.clone(),
                None => items.push(item.clone()),
            }
        }
        Self { items, identity: self.identity.clone() }
    }
}

/// Whether both have the same values in the fields of these names.
fn have_same(one: &Value, other: &Value, names: &[Rc<str>]) -> bool {
    let (Value::Map(one), Value::Map(other)) = (one, other) else { return false };
    names.iter().all(|name| match (one.field(name), other.field(name)) {
        (Some(one), Some(other)) => one.equals(other),
        (one, other) => one.is_none() && other.is_none(),
    })
}
