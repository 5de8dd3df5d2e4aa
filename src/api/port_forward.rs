//! Connections to ports of a Pod: the query of `pods/portforward`, and what travels in them.
//!
//! Mirrors: `PodPortForwardOptions` of `k8s.io/api/core/v1`.

use std::rc::Rc;

use super::route::Query;
use super::status::StatusError;

/// `v1.PodPortForwardOptions`, and how the answer is to be streamed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortForwardOptions {
    /// Those to which there is a connection from the beginning, of which a web socket has no others.
    pub ports: Vec<u16>,
    /// The header `Upgrade`, in small letters.
    pub upgrade: Option<Rc<str>>,
}

/// What travels in a connection, either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Somebody connects to this port.
    Open(u16),
    Bytes(Rc<[u8]>),
    /// Nothing more comes from this side.
    End,
    /// There is no such connection, for this reason.
    Error(Rc<str>),
}

impl PortForwardOptions {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// 400 for what is no port.
    ///
    /// Mirrors: `Convert_Slice_string_To_Slice_int32` of `apimachinery/pkg/apis/meta/v1`.
    pub(super) fn parse(query: &Query) -> Result<Self, StatusError> {
        let mut ports = Vec::new();
        for text in query.all("ports").flat_map(|text| text.split(',')) {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            ports.push(text.parse().ok().filter(|_| is_number).ok_or_else(|| {
                let why = if is_number { "value out of range" } else { "invalid syntax" };
                StatusError::bad_request(format!(
                    "cannot convert to []int32: strconv.ParseUint: parsing {text:?}: {why}"
                ))
            })?);
        }
        Ok(Self { ports, upgrade: None })
    }

    /// Its ports as a query has them.
    pub fn list(&self) -> String {
        self.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
    }
}

impl Piece {
    /// As somebody reads it.
    pub fn text(&self) -> String {
        match self {
            Self::Open(port) => format!("connect to {port}"),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::End => String::new(),
            Self::Error(why) => why.to_string(),
        }
    }
}
