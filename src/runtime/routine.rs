//! A program whose course is known beforehand: lines, pauses, an end, and what signals do to it.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use super::cri::Stream;
use super::signal::Signal;
use super::surroundings::Surroundings;
use super::web::Web;
use crate::sim::Instant;

/// One thing that a program does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Writes `text`, where `{ip}` is the pod's address, and a line end; before it the time, if
    /// `stamp` (as of strftime) is not empty.
    Print {
        stream: Stream,
        stamp: &'static str,
        text: Cow<'static, str>,
    },
    Wait(Duration),
    /// Takes memory. The kernel kills a container that takes more than its limit.
    Allocate(u64),
    /// Works until a signal comes.
    Serve,
    Exit(i32),
}

/// Where a program accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    These(Vec<u16>),
    /// This one, and there a web server answers.
    Web(u16, Web),
    /// Nobody knows what the program is, so every port is believed to be its own.
    Any,
}

/// A program as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    pub actions: Vec<Action>,
    /// The signals that the program handles and what it does then.
    pub handlers: Vec<(Signal, Vec<Action>)>,
    /// Open while it serves.
    pub ports: Ports,
}

impl Routine {
    /// Ends at once.
    pub fn exit(code: i32) -> Self {
        Self {
            actions: vec![Action::Exit(code)],
            handlers: Vec::new(),
            ports: Ports::These(vec![]),
        }
    }
}

/// How a program stands after it ran as far as it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Sleeping(Instant),
    /// Nothing happens until a signal comes.
    Idle,
    Exited(i32),
    /// The kernel ended it: it took more memory than the container may.
    OutOfMemory,
}

/// A routine under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    routine: Rc<Routine>,
    /// Index of the handler that runs, if one does.
    handler: Option<usize>,
    next: usize,
    wake: Option<Instant>,
}

impl Running {
    /// At its first action.
    pub fn new(routine: Rc<Routine>) -> Self {
        Self { routine, handler: None, next: 0, wake: None }
    }

    /// Does what is due.
    pub fn run(&mut self, around: &mut Surroundings<'_>) -> Progress {
        if let Some(wake) = self.wake.filter(|wake| *wake > around.now) {
            return Progress::Sleeping(wake);
        }
        self.wake = None;
        while let Some(action) = self.action() {
            match action {
                Action::Print { stream, stamp, text } => {
                    let line = format!("{}{text}\n", around.stamp(stamp));
                    let ip = around.ip.map_or_else(String::new, |ip| ip.to_string());
                    around.print(*stream, &line.replace("{ip}", &ip));
                }
                Action::Wait(length) => {
                    let wake = around.now + *length;
                    self.wake = Some(wake);
                    self.next += 1;
                    return Progress::Sleeping(wake);
                }
                Action::Allocate(bytes) if around.memory_limit.is_some_and(|max| *bytes > max) => {
                    return Progress::OutOfMemory;
                }
                Action::Allocate(_) => {}
                Action::Serve => return Progress::Idle,
                Action::Exit(code) => return Progress::Exited(*code),
            }
            self.next += 1;
        }
        Progress::Exited(0)
    }

    /// Whether the program handles `signal`; if so it turns to that.
    pub fn handle(&mut self, signal: Signal) -> bool {
        let handlers = &self.routine.handlers;
        let Some(handler) = handlers.iter().position(|(handled, _)| *handled == signal) else {
            return false;
        };
        if self.handler != Some(handler) {
            (self.handler, self.next, self.wake) = (Some(handler), 0, None);
        }
        true
    }

    /// The open ports; none before it serves or once it stops.
    pub fn ports(&self) -> Option<&Ports> {
        matches!(self.action(), Some(Action::Serve)).then_some(&self.routine.ports)
    }

    fn action(&self) -> Option<&Action> {
        let actions = match self.handler {
            None => &self.routine.actions,
            Some(handler) => self.routine.handlers.get(handler).map(|(_, actions)| actions)?,
        };
        actions.get(self.next)
    }
}
