//! A small shell: POSIX syntax, the common commands, on virtual time.
//!
//! A script is parsed once into shared nodes ([`ast`]); a [`Machine`] walks them with a stack of
//! frames, so that it can stop anywhere, sleep, be signalled, be cloned, and go on. A [`Session`]
//! holds a shell and its background jobs.
//!
//! Left out: job control, editing of lines, arrays, aliases, `getopts`, and streams above 2. The stages of a pipeline
//! run one after the other, so that a writer without end fills the pipe and is told it is broken.

mod arith;
mod ast;
mod builtins;
mod commands;
mod control;
mod dispatch;
mod expand;
mod files;
mod foreground;
mod frame;
mod glob;
mod input;
mod machine;
mod network;
mod parser;
mod redirect;
mod session;
mod state;
mod test;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub use files::{Entry, Files};
pub use machine::Machine;
pub use session::{Dialect, Session};
pub use state::State;
