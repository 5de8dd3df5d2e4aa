//! What a program sees of the container around it.

use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;

use super::cri::Stream;
use super::log::Log;
use super::shell::Files;
use super::signal::Signal;
use crate::sim::Instant;

/// Lent to a program while it runs.
#[derive(Debug)]
pub struct Surroundings<'a> {
    pub now: Instant,
    /// What the wall clock says at [`Instant::ZERO`].
    pub epoch: Timestamp,
    pub log: &'a mut Log,
    pub files: &'a mut Files,
    pub hostname: &'a str,
    pub ip: Option<Ipv4Addr>,
    /// In bytes; `None` is no limit.
    pub memory_limit: Option<u64>,
    /// Signals that the program sends to the container's first process.
    pub to_init: &'a mut Vec<Signal>,
    pub network: &'a mut Endpoint,
}

/// A container's side of the network, once it has to do with it.
pub type Endpoint = Option<Rc<Traffic>>;

/// What a container has had to do with the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many connections it has accepted.
    pub accepted: u64,
    /// Whether its programs ask something that nobody has answered yet.
    pub asks: bool,
    pub fetches: Vec<Fetch>,
}

/// What a program asks of a server in its pod. Once that has answered, the program begins anew, and finds
/// the answer to the same request here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The address that it asks from.
    pub client: Ipv4Addr,
    pub port: u16,
    pub request: String,
    pub answer: Fetched,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Nothing yet.
    ToCome,
    /// Nobody listens there.
    Refused,
    Bytes(Vec<u8>),
}

impl Surroundings<'_> {
    /// The same, writing to another log.
    pub fn with_log<'b>(&'b mut self, log: &'b mut Log) -> Surroundings<'b> {
        Surroundings {
            now: self.now,
            epoch: self.epoch,
            log,
            files: self.files,
            hostname: self.hostname,
            ip: self.ip,
            memory_limit: self.memory_limit,
            to_init: self.to_init,
            network: self.network,
        }
    }

    /// Writes to the container's log.
    pub fn print(&mut self, stream: Stream, text: &str) {
        self.log.write(self.now, stream, text);
    }

    /// The time of day in `format` (as of strftime); nothing if the format is not understood.
    pub fn stamp(&self, format: &str) -> String {
        if format.is_empty() {
            String::new()
        } else {
            date(format, self.wall_clock()).unwrap_or_default()
        }
    }

    /// The time of day.
    pub fn wall_clock(&self) -> Timestamp {
        self.now.date(self.epoch)
    }
}

/// A date in `format` (as of strftime), in UTC, where every clock of the cluster runs; `None` if the
/// format is not understood.
pub fn date(format: &str, at: Timestamp) -> Option<String> {
    // A timestamp has an offset, but no zone that could be named.
    let named = format.split("%%").map(|part| part.replace("%Z", "UTC"));
    jiff::fmt::strtime::format(named.collect::<Vec<_>>().join("%%"), at).ok()
}
