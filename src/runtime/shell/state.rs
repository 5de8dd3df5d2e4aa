//! What a shell knows: variables, functions, directory, options, streams.

use std::rc::Rc;

use super::arith::{self, Variables};
use super::ast::Command;
use super::session::Dialect;
use crate::runtime::cri::Stream;
use crate::sim::SortedMap;

/// A longer value is refused.
pub const MAX_VALUE: usize = 64 * 1024;

/// A shell's variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    pub value: String,
    pub exported: bool,
}

/// By name.
pub type Scope = SortedMap<String, Variable>;

/// Where a stream of output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The container's log.
    Log(Stream),
    /// The end of a file.
    File(Rc<str>),
    Null,
    /// One of the machine's buffers, for `$(…)` and `|`.
    Capture(usize),
}

/// What is read: a text and how far it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub text: Rc<String>,
    pub at: usize,
    /// Whether it is what the machine is sent while it runs.
    pub live: bool,
    /// Whether somebody has read it to its end.
    pub was_read: bool,
}

impl Source {
    /// At the beginning of `text`.
    pub fn of(text: impl Into<Rc<String>>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Reads it to its end.
    pub fn take(&mut self) -> String {
        let rest = self.rest().to_owned();
        (self.at, self.was_read) = (self.text.len(), true);
        rest
    }

    /// All that was not read yet.
    pub fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

/// The three standard streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streams {
    pub input: Source,
    pub output: Sink,
    pub error: Sink,
}

/// All that a subshell gets a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub variables: Rc<Scope>,
    pub functions: Rc<SortedMap<String, Rc<Command>>>,
    /// `$1` and so on.
    pub parameters: Rc<[String]>,
    pub directory: String,
    pub streams: Streams,
    /// By signal's name, or `EXIT`; an empty command ignores the signal.
    pub traps: Rc<SortedMap<String, String>>,
    pub status: i32,
    /// `$!`
    pub last_job: Option<u32>,
    /// `set -e`, `-u`, `-x`.
    pub exit_on_error: bool,
    pub unset_is_error: bool,
    pub trace: bool,
    pub dialect: Dialect,
}

impl State {
    /// With exported variables and output to the log.
    pub fn new(environment: &[(String, String)], directory: &str, dialect: Dialect) -> Self {
        let exported = |(name, value): &(String, String)| {
            (name.clone(), Variable { value: value.clone(), exported: true })
        };
        Self {
            variables: Rc::new(environment.iter().map(exported).collect()),
            functions: Rc::default(),
            parameters: Rc::from([]),
            directory: directory.to_owned(),
            streams: Streams {
                input: Source::default(),
                output: Sink::Log(Stream::Stdout),
                error: Sink::Log(Stream::Stderr),
            },
            traps: Rc::default(),
            status: 0,
            last_job: None,
            exit_on_error: false,
            unset_is_error: false,
            trace: false,
            dialect,
        }
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|variable| variable.value.as_str())
    }

    /// Gives a variable a value; whether it is exported stays.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let mut value = value.into();
        if value.len() > MAX_VALUE {
            let end = (0..=MAX_VALUE).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
            value.truncate(end);
        }
        Rc::make_mut(&mut self.variables).or_default(name.to_owned()).value = value;
    }

    /// The exported variables, as a program sees them.
    pub fn environment(&self) -> Vec<(String, String)> {
        let exported = self.variables.iter().filter(|(_, variable)| variable.exported);
        exported.map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }

    /// `path` seen from the current directory, without `.` and `..`.
    pub fn resolve(&self, path: &str) -> String {
        let whole = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.directory)
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in whole.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }
}

impl Variables for State {
    fn get(&self, name: &str) -> i64 {
        let value = State::get(self, name).map_or("", str::trim);
        match value.strip_prefix('-') {
            Some(positive) => arith::number(positive).map_or(0, i64::wrapping_neg),
            None => arith::number(value).unwrap_or(0),
        }
    }

    fn set(&mut self, name: &str, value: i64) {
        State::set(self, name, value.to_string());
    }
}
