//! A process of a container, whatever it is.

use super::routine::{Ports, Progress, Running};
use super::shell::{Machine, Session};
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

    /// Lets it be sent something; `is_terminal` says that a person types it.
    pub fn open_input(&mut self, is_terminal: bool) {
        self.main(|main| main.open_input(is_terminal));
    }

    /// Sends it something.
    pub fn type_in(&mut self, text: &str) {
        self.main(|main| main.type_in(text));
    }

    /// Nothing more is sent.
    pub fn end_input(&mut self) {
        self.main(Machine::end_input);
    }

    /// Somebody at its terminal has had enough.
    pub fn interrupt(&mut self) {
        match self {
            Self::Routine(routine) => {
                routine.handle(Signal::Int);
            }
            Self::Shell(session) => session.main().interrupt(),
        }
    }

    /// What hears its input; other programs do not listen.
    fn main(&mut self, act: impl FnOnce(&mut Machine)) {
        match self {
            Self::Routine(_) => {}
            Self::Shell(session) => act(session.main()),
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
