//! What travels in connections to ports of a Pod.
//!
//! Mirrors: the streams of the kubelet's `portforward`.

use std::rc::Rc;

/// A piece of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// Its number in a port forward.
    pub connection: u32,
    pub piece: Piece,
}

/// What travels in it, either way.
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
