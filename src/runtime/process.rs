//! A process of a container, whatever it is.

use super::routine::{Ports, Progress, Running};
use super::shell::Session;
use super::signal::Signal;
use super::surroundings::Surroundings;

/// A process under way.
#[derive(Clone, Debug, PartialEq)]
pub enum Process {
    Routine(Running),
    Shell(Box<Session>),
}

impl Process {
    /// Runs as far as it can go at `around.now`.
    pub fn run(&mut self, around: &mut Surroundings<'_>) -> Progress {
        match self {
            Self::Routine(routine) => routine.run(around),
            Self::Shell(session) => session.run(around),
        }
    }

    /// Hands it a signal; says whether it may now have something to do. As the first process of
    /// its container it only notices the signals that it handles.
    pub fn signal(&mut self, signal: Signal) -> bool {
        match self {
            Self::Routine(routine) => routine.handle(signal),
            Self::Shell(session) => session.signal(signal),
        }
    }

    /// The ports that are open, if it serves.
    pub fn ports(&self) -> Option<&Ports> {
        match self {
            Self::Routine(routine) => routine.ports(),
            Self::Shell(session) => session.ports(),
        }
    }

    /// Whether it needs a container's files.
    pub fn uses_files(&self) -> bool {
        match self {
            Self::Routine(_) => false,
            Self::Shell(_) => true,
        }
    }
}
