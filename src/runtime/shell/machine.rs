//! One shell process: runs its script a step at a time on virtual time.
//!
//! Each command costs a little time, more once a hundred thousand ran without a pause, so that a busy loop
//! never holds up the engine; it only counts more slowly than in reality.

use std::rc::Rc;
use std::time::Duration;

use super::ast::{Command, Simple};
use super::expand::{Expansion, Stop};
use super::files::Files;
use super::frame::{Frame, Output};
use super::input::Input;
use super::redirect::targets;
use super::session::Jobs;
use super::state::{Sink, State};
use crate::runtime::catalogue::ImageEntry;
use crate::runtime::cri::Stream;
use crate::runtime::routine::Progress;
use crate::runtime::signal::Signal;
use crate::runtime::surroundings::Surroundings;
use crate::sim::Instant;

/// Frames above this are refused, as a function without end makes them.
const MAX_FRAMES: usize = 1_000;
/// Weight of the steps at one moment.
const STEPS: u32 = 500;

/// A shell process.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub(super) state: State,
    pub(super) frames: Vec<Frame>,
    pub(super) captures: Vec<String>,
    /// What it is sent while it runs, if somebody may.
    pub(super) input: Option<Input>,
    /// Traps to be run, by name.
    pending: Vec<String>,
    /// Time used up since it last slept.
    debt: Duration,
    /// Weight of the commands since it last slept.
    busy: u32,
    /// What it may still do at this moment.
    budget: u32,
    /// Not before then.
    wake: Option<Instant>,
    /// Whether it is the container's first process, whom signals that it does not handle spare.
    is_init: bool,
    exit_trap: bool,
    /// What it begins with, once it runs: as a shell, or as a command.
    start: Option<(bool, Vec<String>)>,
}

/// What a machine works in.
pub(super) struct World<'a, 'b> {
    pub around: &'a mut Surroundings<'b>,
    pub image: &'a Rc<ImageEntry>,
    pub jobs: &'a mut Jobs,
}

impl World<'_, '_> {
    /// The container's files.
    pub fn files(&mut self) -> &mut Files {
        self.around.files
    }
}

impl Machine {
    /// With nothing to do yet.
    pub fn new(state: State, is_init: bool) -> Self {
        Self {
            state,
            frames: Vec::new(),
            captures: Vec::new(),
            input: None,
            pending: Vec::new(),
            debt: Duration::ZERO,
            busy: 0,
            budget: 0,
            wake: None,
            is_init,
            exit_trap: false,
            start: None,
        }
    }

    /// Begins as `sh` with these arguments.
    pub fn with_shell(mut self, arguments: &[String]) -> Self {
        self.start = Some((true, arguments.to_vec()));
        self
    }

    /// Runs one command, taken as it is.
    pub fn with_command(mut self, words: &[String]) -> Self {
        self.start = Some((false, words.to_vec()));
        self
    }

    /// Goes on as far as it can.
    pub(super) fn run(&mut self, world: &mut World<'_, '_>) -> Progress {
        if let Some(wake) = self.wake.filter(|wake| *wake > world.around.now) {
            return Progress::Sleeping(wake);
        }
        self.wake = None;
        match self.start.take() {
            Some((true, arguments)) => self.invoke(&arguments, world),
            Some((false, words)) => self.external(&words, world),
            None => {}
        }
        let now = world.around.now;
        self.budget = STEPS;
        while self.budget > 0 {
            self.budget -= 1;
            match self.step(world) {
                None => {}
                // A pause counts as one only if it is longer than the work before it.
                Some(Progress::Sleeping(wake)) if wake <= now + self.debt => break,
                Some(Progress::Sleeping(wake)) => {
                    (self.debt, self.busy) = (Duration::ZERO, 0);
                    return Progress::Sleeping(wake);
                }
                Some(Progress::Idle) => {
                    (self.debt, self.busy) = (Duration::ZERO, 0);
                    return Progress::Idle;
                }
                Some(over @ (Progress::Exited(_) | Progress::OutOfMemory)) => return over,
            }
        }
        let wake = now + self.debt.max(Duration::from_micros(1));
        self.debt = Duration::ZERO;
        self.wake = Some(wake);
        Progress::Sleeping(wake)
    }

    /// Takes a signal; says whether it matters.
    pub(super) fn signal(&mut self, signal: Signal) -> bool {
        let name = format!("{signal:?}").to_ascii_uppercase();
        let trap = self.state.traps.get(&name).cloned();
        if trap.is_none() && self.is_init {
            let replaced = self.is_replaced();
            return match self.frames.last_mut() {
                Some(Frame::Program(program)) if replaced => program.handle(signal),
                Some(_) | None => false,
            };
        }
        match trap.as_deref() {
            Some("") => false,
            Some(_) => {
                self.pending.push(name);
                true
            }
            None if signal.ignored_by_default() => false,
            None => {
                self.die(signal.exit_code());
                true
            }
        }
    }

    /// Ends at once, without traps.
    pub(super) fn die(&mut self, status: i32) {
        self.frames.clear();
        self.pending.clear();
        self.wake = None;
        self.exit_trap = true;
        self.state.status = status;
    }

    /// The program in the foreground, if it took the shell's place, as the last command does.
    pub(super) fn program(&self) -> Option<&crate::runtime::routine::Running> {
        match self.frames.last() {
            Some(Frame::Program(program)) => Some(program),
            Some(_) | None => None,
        }
    }

    /// Forgets when it wanted to go on.
    pub(super) fn rest(&mut self) {
        self.wake = None;
    }

    fn is_replaced(&self) -> bool {
        let below = self.frames.len().saturating_sub(1);
        self.state.traps.is_empty() && self.frames.iter().take(below).all(Frame::is_at_its_end)
    }

    /// One step; something if the machine can do no more at this moment.
    fn step(&mut self, world: &mut World<'_, '_>) -> Option<Progress> {
        self.start_trap();
        let Some(top) = self.frames.last_mut() else { return self.end() };
        match top {
            Frame::List { list, next } => match list.get(*next).cloned() {
                Some(item) => {
                    *next += 1;
                    let chain = Frame::Chain { chain: item.chain, next: 0 };
                    if item.background { self.spawn(chain, world) } else { self.push(chain) }
                }
                None => self.drop_top(),
            },
            Frame::Chain { .. } => self.step_chain(),
            Frame::Pipeline { .. } => self.step_pipeline(),
            Frame::Command { command, outputs } => {
                let (command, outputs) = (Rc::clone(command), outputs.clone());
                self.step_command(&command, &outputs, world);
            }
            Frame::If { .. } => self.step_if(),
            Frame::Loop { .. } => self.step_loop(),
            Frame::For { .. } => self.step_for(),
            Frame::Restore { .. }
            | Frame::Subshell { .. }
            | Frame::Call { .. }
            | Frame::Deadline(_)
            | Frame::Trap { .. } => {
                let is_command = matches!(
                    top,
                    Frame::Subshell { output: Output::Shared, .. } | Frame::Call { .. }
                );
                self.drop_top();
                if is_command {
                    self.finish(self.state.status);
                }
            }
            Frame::Script { .. } => return self.step_script(world),
            Frame::Reading(_) => return self.step_reading(world),
            Frame::Program(_) => return self.step_program(world),
            Frame::Wait(pid) => {
                let pid = *pid;
                match world.jobs.status(pid) {
                    Some(status) => {
                        self.drop_top();
                        self.finish(status);
                    }
                    None => return Some(Progress::Idle),
                }
            }
        }
        None
    }

    fn end(&mut self) -> Option<Progress> {
        let trap = self.state.traps.get("EXIT").filter(|_| !self.exit_trap).cloned();
        self.exit_trap = true;
        match trap {
            Some(command) if !command.is_empty() => {
                self.push_trap(&command);
                None
            }
            Some(_) | None => Some(Progress::Exited(self.state.status)),
        }
    }

    /// A trap runs between commands; only `wait` is cut short by it.
    fn start_trap(&mut self) {
        let busy = matches!(self.frames.last(), Some(Frame::Program(_)));
        if busy || self.pending.is_empty() || self.frames.is_empty() {
            return;
        }
        let name = self.pending.remove(0);
        let Some(command) = self.state.traps.get(&name).cloned() else { return };
        if matches!(self.frames.last(), Some(Frame::Wait(_))) {
            self.frames.pop();
            self.state.status = Signal::parse(&name).map_or(0, Signal::exit_code);
        }
        self.push_trap(&command);
    }

    fn push_trap(&mut self, command: &str) {
        let list = super::parser::parse(command).unwrap_or_else(|_malformed| Rc::from([]));
        self.push(Frame::Trap { status: self.state.status });
        self.push(Frame::List { list, next: 0 });
    }

    /// Begins a command.
    pub(super) fn push(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    /// Ends the command on top with `status`.
    pub(super) fn finish(&mut self, status: i32) {
        self.state.status = status;
        let overlooked = self.frames.iter().any(Frame::is_condition);
        if status != 0 && self.state.exit_on_error && !overlooked {
            self.exit(status);
        }
    }

    /// Takes the top frame away and undoes what it is there to undo.
    pub(super) fn drop_top(&mut self) {
        match self.frames.pop() {
            Some(Frame::Restore { streams, variables }) => {
                // What was read of the input stays read, unless it was another input.
                let read = self.state.streams.input.clone();
                let shared = Rc::ptr_eq(&read.text, &streams.input.text);
                self.state.streams = *streams;
                if shared {
                    self.state.streams.input = read;
                }
                if let Some(variables) = variables {
                    self.state.variables = variables;
                }
            }
            Some(Frame::Subshell { saved, output }) => {
                let status = self.state.status;
                self.state = *saved;
                self.state.status = status;
                self.deliver(output);
            }
            Some(Frame::Call { parameters, hidden }) => {
                self.state.parameters = parameters;
                let variables = Rc::make_mut(&mut self.state.variables);
                for (name, variable) in hidden.into_iter().rev() {
                    match variable {
                        Some(variable) => variables.insert(name, variable),
                        None => variables.remove(&name),
                    };
                }
            }
            Some(Frame::Trap { status }) => self.state.status = status,
            Some(_) | None => {}
        }
    }

    /// Gives a subshell's captured output to the frame that asked for it.
    fn deliver(&mut self, output: Output) {
        if output == Output::Shared {
            return;
        }
        let text = self.captures.pop().unwrap_or_default();
        match self.frames.last_mut() {
            Some(Frame::Command { outputs, .. }) => outputs.push(text),
            Some(Frame::Pipeline { carry, .. }) => *carry = Some(text),
            Some(_) | None => {}
        }
    }

    /// Leaves the innermost subshell, or the shell itself.
    pub(super) fn exit(&mut self, status: i32) {
        while self.frames.last().is_some_and(|top| !matches!(top, Frame::Subshell { .. })) {
            if matches!(self.frames.last(), Some(Frame::Trap { .. })) {
                self.frames.pop();
            } else {
                self.drop_top();
            }
        }
        self.state.status = status;
    }

    /// Ends the shell with a message, as an error of the script does.
    pub(super) fn fail(&mut self, message: &str, world: &mut World<'_, '_>) {
        let line = format!("{}: {message}\n", self.state.dialect.prefix());
        self.write(Stream::Stderr, &line, world);
        if !self.return_to_script(2) {
            self.exit(2);
        }
    }

    /// Lets time pass for a command, whose weight is 1 and more for a program or for much text.
    pub(super) fn charge(&mut self, weight: u32) {
        self.busy = self.busy.saturating_add(weight);
        self.budget = self.budget.saturating_sub(weight);
        let each = Duration::from_micros(match self.busy {
            0..100_000 => 20,
            100_000..200_000 => 1_000,
            _ => 20_000,
        });
        self.debt += each.saturating_mul(weight);
    }

    /// As [`Machine::charge`], for reading or writing so many bytes.
    pub(super) fn charge_text(&mut self, bytes: usize) {
        self.charge(u32::try_from(bytes / 1_024).unwrap_or(u32::MAX));
    }

    /// From here on the state is a copy.
    pub(super) fn enter_subshell(&mut self, output: Output) {
        let saved = Box::new(self.state.clone());
        self.push(Frame::Subshell { saved, output });
        self.state.traps = Rc::default();
        match output {
            Output::Shared => {}
            Output::Substitution | Output::Pipe => {
                self.state.streams.output = Sink::Capture(self.captures.len());
                self.captures.push(String::new());
            }
        }
    }

    /// Begins any command.
    pub(super) fn start(&mut self, command: &Rc<Command>) {
        match &**command {
            Command::Function { name, body } => {
                Rc::make_mut(&mut self.state.functions).insert(name.clone(), Rc::clone(body));
                self.state.status = 0;
            }
            Command::Compound { kind, redirects } if redirects.is_empty() => {
                self.start_compound(command, kind);
            }
            Command::Compound { .. } | Command::Simple(_) => {
                self.push(Frame::Command { command: Rc::clone(command), outputs: Vec::new() });
            }
        }
    }

    /// Expands the command on top and goes on with what it comes to.
    fn step_command(
        &mut self,
        command: &Rc<Command>,
        outputs: &[String],
        world: &mut World<'_, '_>,
    ) {
        if self.frames.len() > MAX_FRAMES {
            return self.fail("Maximum function recursion depth (1000) reached", world);
        }
        self.charge(1);
        let result = match &**command {
            Command::Simple(simple) => self.simple(simple, outputs, world),
            Command::Compound { kind, redirects } => {
                self.compound(command, kind, redirects, outputs, world)
            }
            Command::Function { .. } => Ok(()),
        };
        match result {
            Ok(()) => {}
            Err(Stop::Need(list)) => {
                self.enter_subshell(Output::Substitution);
                self.push(Frame::List { list, next: 0 });
            }
            Err(Stop::Fail(message)) => self.fail(&message, world),
        }
    }

    fn simple(
        &mut self,
        simple: &Simple,
        outputs: &[String],
        world: &mut World<'_, '_>,
    ) -> Result<(), Stop> {
        let mut expansion = Expansion::new(&self.state, world.around.files, outputs);
        let words = expansion.words(&simple.words)?;
        let targets = targets(&mut expansion, &simple.redirects)?;
        let before = Rc::clone(&expansion.state.variables);
        for (name, word) in &simple.assignments {
            let value = expansion.text(word)?;
            expansion.state.set(name, value);
            if !words.is_empty()
                && let Some(variable) = Rc::make_mut(&mut expansion.state.variables).get_mut(name)
            {
                variable.exported = true;
            }
        }
        let read = expansion.read;
        self.state = expansion.state;
        self.charge_text(read);
        self.frames.pop();
        if self.state.trace {
            self.trace(simple, &words, world);
        }
        let exec_alone = words.len() == 1 && words.first().is_some_and(|word| word == "exec");
        let temporary = !simple.assignments.is_empty() && !words.is_empty();
        if !exec_alone && (temporary || !targets.is_empty()) {
            self.push(Frame::Restore {
                streams: Box::new(self.state.streams.clone()),
                variables: temporary.then_some(before),
            });
        }
        if let Err(message) = self.redirect(targets, world) {
            self.complain(&message, world);
            self.finish(1);
        } else if words.is_empty() {
            let status = if outputs.is_empty() { 0 } else { self.state.status };
            self.finish(status);
        } else {
            self.execute(&words, world);
        }
        Ok(())
    }

    fn trace(&mut self, simple: &Simple, words: &[String], world: &mut World<'_, '_>) {
        let names = simple
            .assignments
            .iter()
            .map(|(name, _)| format!("{name}={}", self.state.get(name).unwrap_or_default()));
        let all: Vec<String> = names.chain(words.iter().cloned()).collect();
        self.write(Stream::Stderr, &format!("+ {}\n", all.join(" ")), world);
    }
}
