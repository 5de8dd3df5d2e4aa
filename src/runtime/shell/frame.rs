//! Where a machine stands in its script: one frame for each command that is not over.

use std::rc::Rc;

use super::ast::{Chain, Command, List, Pipeline};
use super::state::{Scope, State, Streams, Variable};
use crate::runtime::routine::Running;
use crate::sim::Instant;

/// A command under way. Those above it on the stack are parts of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Frame {
    List {
        list: List,
        next: usize,
    },
    /// `next` counts the first pipeline too.
    Chain {
        chain: Rc<Chain>,
        next: usize,
    },
    /// `carry` is what the stage before wrote.
    Pipeline {
        pipeline: Rc<Pipeline>,
        next: usize,
        carry: Option<String>,
    },
    /// Not expanded yet; `outputs` are those of its command substitutions so far.
    Command {
        command: Rc<Command>,
        outputs: Vec<String>,
    },
    If {
        command: Rc<Command>,
        arm: usize,
        testing: bool,
    },
    Loop {
        command: Rc<Command>,
        testing: bool,
        status: i32,
    },
    For {
        command: Rc<Command>,
        items: Rc<[String]>,
        next: usize,
    },
    /// Undoes a command's redirections and assignments.
    Restore {
        streams: Box<Streams>,
        variables: Option<Rc<Scope>>,
    },
    /// Undoes all that a subshell did.
    Subshell {
        saved: Box<State>,
        output: Output,
    },
    /// A function: its caller's parameters, and the variables that `local` hid.
    Call {
        parameters: Rc<[String]>,
        hidden: Vec<(String, Option<Variable>)>,
    },
    /// The input, line by line: what was read of a command that is not complete yet.
    Script {
        text: String,
        prompted: bool,
    },
    /// A command that waits for input, or for an answer.
    Reading(Vec<String>),
    /// A program in the foreground.
    Program(Running),
    /// `timeout`: what is above ends then.
    Deadline(Instant),
    /// `wait`, for one job or for all.
    Wait(Option<u32>),
    /// A trap's command; the status from before it comes back.
    Trap {
        status: i32,
    },
}

/// What becomes of a subshell's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// It goes where the shell's own goes.
    Shared,
    /// It is one of the outputs of the command below.
    Substitution,
    /// It is read by the next stage of the pipeline below.
    Pipe,
}

impl Frame {
    /// When it ends at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        if let Self::Deadline(end) = self { Some(*end) } else { None }
    }

    /// Where a function keeps the variables that its own hide.
    pub fn hidden(&mut self) -> Option<&mut Vec<(String, Option<Variable>)>> {
        if let Self::Call { hidden, .. } = self { Some(hidden) } else { None }
    }

    /// Whether the command on top decides only which way to go, so that `set -e` overlooks it.
    pub fn is_condition(&self) -> bool {
        match self {
            Self::Chain { chain, next } => *next <= chain.rest.len(),
            Self::Pipeline { pipeline, .. } => pipeline.negated,
            Self::If { testing, .. } | Self::Loop { testing, .. } => *testing,
            Self::List { .. }
            | Self::Command { .. }
            | Self::For { .. }
            | Self::Restore { .. }
            | Self::Subshell { .. }
            | Self::Call { .. }
            | Self::Script { .. }
            | Self::Reading(_)
            | Self::Program(_)
            | Self::Deadline(_)
            | Self::Wait(_)
            | Self::Trap { .. } => false,
        }
    }

    /// Whether nothing is left to do here once the command on top is over.
    pub fn is_at_its_end(&self) -> bool {
        match self {
            Self::List { list, next } => *next >= list.len(),
            Self::Chain { chain, next } => *next > chain.rest.len(),
            Self::Restore { .. } => true,
            Self::If { testing, .. } => !testing,
            Self::Pipeline { .. }
            | Self::Command { .. }
            | Self::Loop { .. }
            | Self::For { .. }
            | Self::Subshell { .. }
            | Self::Call { .. }
            | Self::Script { .. }
            | Self::Reading(_)
            | Self::Program(_)
            | Self::Deadline(_)
            | Self::Wait(_)
            | Self::Trap { .. } => false,
        }
    }
}
