//! Where the decoder is in a text, and why it stops there.

use std::fmt;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use serde::de::{Error, Expected, Unexpected};

use super::go_type;
use super::typed::{TypeError, UnknownField};
use crate::api::document::Fields;

/// Upstream lists no more unknown fields than this.
const MOST_UNKNOWN: usize = 100;

/// Where the decoder is; after a mistake it stays as it was there.
#[derive(Default)]
pub(super) struct Context<'de> {
    pub path: Vec<Step<'de>>,
    pub structs: Vec<Struct>,
    unknown: Vec<UnknownField>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'de> {
    /// The field of a struct.
    Field(&'de str),
    /// The key of a map, which Go's errors leave out.
    Key(&'de str),
    Index(usize),
}

#[derive(Clone, Copy)]
pub(super) struct Struct {
    pub name: &'static str,
    pub fields: Known,
}

/// The fields that a struct has.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// Those of a type.
    Type(&'static [&'static str]),
    /// Those of a line of the table of fields.
    Line(Fields),
}

impl Known {
    fn names(self) -> Vec<&'static str> {
        match self {
            Self::Type(names) => names.to_vec(),
            Self::Line(fields) => fields.iter().map(|field| field.name).collect(),
        }
    }
}

impl Context<'_> {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Field(key) | Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Field(key) | Step::Key(key) => path.extend([".", key]),
                Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        path
    }

    /// Back to where the last item or field began.
    pub fn leave_step(&mut self) {
        self.path.pop();
    }

    /// Back to the struct around the innermost.
    pub fn leave_struct(&mut self) {
        self.structs.pop();
    }

    /// The Go name of the innermost struct; empty outside of any.
    pub fn structure(&self) -> &'static str {
        self.structs.last().map_or("", |structure| structure.name)
    }

    /// The key that is being read; empty in a list.
    pub fn field(&self) -> &str {
        match self.path.last() {
            Some(Step::Field(key) | Step::Key(key)) => key,
            Some(Step::Index(_)) | None => "",
        }
    }

    /// Notes that the innermost struct does not have the field that is being read.
    pub fn note_unknown(&mut self) {
        let known = self.structs.last().map(|structure| structure.fields.names());
        let known = known.unwrap_or_default();
        if self.unknown.len() < MOST_UNKNOWN {
            let (path, name) = (self.path(), self.field().to_owned());
            self.unknown.push(UnknownField { path, name, known });
        }
    }

    /// The fields without a place, once all is read.
    pub fn unknown(self) -> Vec<UnknownField> {
        self.unknown
    }

    /// The error of stopping here for `fault`.
    pub fn type_error(&self, fault: Fault) -> TypeError {
        let message = match *fault.0 {
            Cause::Unfit => "it cannot be read".to_owned(),
            Cause::Other(message) => message,
            Cause::Type { value, wanted } => {
                let keys = self.path.iter().filter_map(|step| match step {
                    Step::Field(key) => Some(*key),
                    Step::Key(_) | Step::Index(_) => None,
                });
                let fields: Vec<&str> = keys.collect();
                let target = match self.structs.last() {
                    Some(Struct { name, .. }) => {
                        format!("Go struct field {name}.{}", fields.join("."))
                    }
                    None => "Go value".to_owned(),
                };
                format!("json: cannot unmarshal {value} into {target} of type {wanted}")
            }
        };
        TypeError { path: self.path(), message }
    }
}

/// Why decoding stopped. One word wide, as each of some thousand fields hands it on.
#[derive(Debug)]
pub(super) struct Fault(Box<Cause>);

#[derive(Debug)]
enum Cause {
    Type {
        value: String,
        wanted: String,
    },
    Other(String),
    /// The type has refused a text, by an error of its own.
    Unfit,
}

impl Fault {
    /// `value` is not of the type `wanted`; both in Go's words.
    pub fn mismatch(value: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self(Box::new(Cause::Type { value: value.into(), wanted: wanted.into() }))
    }

    /// A fault with a `message` that is whole as it is.
    pub fn other(message: String) -> Self {
        Self(Box::new(Cause::Other(message)))
    }

    /// The fault of a `text` that its type refused: only bytes do, other forms are checked before.
    pub fn of_text(self, text: &str) -> Self {
        match (&*self.0, STANDARD.decode(text)) {
            (Cause::Unfit, Err(error)) => {
                let offset = illegal_byte(text, &error);
                Self::other(format!("illegal base64 data at input byte {offset}"))
            }
            _ => self,
        }
    }

    /// The fault of a whole, whose type has the name of its `part` in it.
    pub fn of_whole(self, part: Option<Self>, whole: fn(&str) -> String) -> Self {
        match (*self.0, part.map(|part| *part.0)) {
            (Cause::Type { value, .. }, Some(Cause::Type { wanted, .. })) => {
                Self::mismatch(value, whole(&wanted))
            }
            (cause, _) => Self(Box::new(cause)),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Type { value, wanted } => write!(f, "cannot unmarshal {value} into {wanted}"),
            Cause::Other(message) => f.write_str(message),
            Cause::Unfit => f.write_str("cannot be read"),
        }
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    /// Leaves out what the type says: Go would say something else, and the words of all errors of
    /// all types, of which most cannot happen, are a weight that the page need not have.
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self(Box::new(Cause::Unfit))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = match expected.to_string().as_str() {
            // Its own decoder tries text, then a number.
            "IntOrString" => "int32".to_owned(),
            name => go_type::named(name),
        };
        Self::mismatch(go_type::value(&found), wanted)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        if matches!(found, Unexpected::Signed(_) | Unexpected::Unsigned(_)) {
            return Self::mismatch(go_type::value(&found), "int32");
        }
        Self::other(format!("{found} is not {expected}"))
    }
}

/// Where Go's decoder stops in `text`, which is no base64.
fn illegal_byte(text: &str, error: &DecodeError) -> usize {
    match *error {
        DecodeError::InvalidByte(offset, _)
        | DecodeError::InvalidLength(offset)
        | DecodeError::InvalidLastSymbol(offset, _) => offset,
        DecodeError::InvalidPadding if text.ends_with('=') => text.len(),
        DecodeError::InvalidPadding => text.len() / 4 * 4,
    }
}
