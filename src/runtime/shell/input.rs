//! Input that comes while a shell runs: its own lines, and what the commands in it read.

use super::frame::Frame;
use super::machine::{Machine, World};
use super::parser::{parse, parse_so_far};
use super::session::Dialect;
use super::state::Source;
use crate::runtime::cri::Stream;
use crate::runtime::routine::Progress;
use crate::runtime::signal::Signal;

/// What is sent beyond that while nobody reads is lost.
const MAX_INPUT: usize = 1 << 20;

/// What was sent to a process and not read yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    pub text: String,
    pub ended: bool,
    /// Whether a person sits at the other end, whom a shell prompts.
    is_terminal: bool,
}

impl Machine {
    /// From here on its input comes from outside; `is_terminal` says that a person types it.
    pub fn open_input(&mut self, is_terminal: bool) {
        self.input = Some(Input { is_terminal, ..Input::default() });
        self.state.streams.input.live = true;
    }

    /// Somebody sends it something.
    pub fn type_in(&mut self, text: &str) {
        if let Some(input) = self.input.as_mut().filter(|input| !input.ended) {
            input.text.extend(Some(text).filter(|text| input.text.len() + text.len() <= MAX_INPUT));
        }
    }

    /// Nobody sends it anything any more.
    pub fn end_input(&mut self) {
        if let Some(input) = &mut self.input {
            input.ended = true;
        }
    }

    /// Somebody at the terminal interrupts what runs: a shell goes on with the next line.
    pub fn interrupt(&mut self) {
        if !self.return_to_script(Signal::Int.exit_code()) {
            self.signal(Signal::Int);
        }
    }

    /// Leaves all that the line that runs has begun, if a person typed it.
    pub(super) fn return_to_script(&mut self, status: i32) -> bool {
        let script = self.frames.iter().rposition(|frame| matches!(frame, Frame::Script { .. }));
        let is_terminal = self.input.as_ref().is_some_and(|input| input.is_terminal);
        let Some(at) = script.filter(|_| is_terminal) else { return false };
        while self.frames.len() > at + 1 {
            self.drop_top();
        }
        if let Some(Frame::Script { text, prompted }) = self.frames.last_mut() {
            (*text, *prompted) = (String::new(), false);
        }
        self.rest();
        self.state.status = status;
        true
    }

    /// What a command is to read, and whether more may come.
    pub(super) fn take_source(&mut self) -> (Source, bool) {
        let source = std::mem::take(&mut self.state.streams.input);
        match self.input.as_mut().filter(|_| source.live) {
            Some(input) => {
                let text = std::mem::take(&mut input.text).into();
                (Source { text, ..source }, !input.ended)
            }
            None => (source, false),
        }
    }

    /// Puts back what was not read. A command that reads `words` waits if it needs more: then it begins
    /// anew once there is more, or with all of it, and this is true.
    pub(super) fn put_source(&mut self, source: Source, waits: bool) -> bool {
        let Some(input) = self.input.as_mut().filter(|_| source.live) else {
            self.state.streams.input = source;
            return false;
        };
        let waits = waits && source.was_read;
        source.rest().clone_into(&mut input.text);
        self.state.streams.input = Source { live: true, ..Source::default() };
        waits
    }

    /// Goes on with a command that waits for input, once there is what it waits for.
    pub(super) fn step_reading(&mut self, world: &mut World<'_, '_>) -> Option<Progress> {
        if self.is_overdue(world.around.now) {
            return None;
        }
        let Some(Frame::Reading(words)) = self.frames.last() else { return None };
        let words = words.clone();
        let input = self.input.clone().unwrap_or_default();
        let enough = match words.first().map_or("", String::as_str) {
            "cat" => !input.text.is_empty(),
            "read" => input.text.contains('\n'),
            // Unless the answer is still to come.
            "curl" | "wget" => true,
            _ => false,
        };
        let asks = world.around.network.as_ref().is_some_and(|network| network.asks);
        if asks || !enough && !input.ended {
            let ends = self.frames.iter().filter_map(Frame::deadline);
            return Some(ends.min().map_or(Progress::Idle, Progress::Sleeping));
        }
        self.frames.pop();
        match words.split_first() {
            Some((name, arguments)) if name == "read" => self.read(arguments),
            Some(_) | None => self.external(&words, world),
        }
        None
    }

    /// Runs the next line of a shell whose script is its input.
    pub(super) fn step_script(&mut self, world: &mut World<'_, '_>) -> Option<Progress> {
        let prompt = self.prompt(world.around.hostname);
        let (Some(Frame::Script { text, prompted }), Some(input)) =
            (self.frames.last_mut(), &mut self.input)
        else {
            return None;
        };
        let is_terminal = input.is_terminal;
        if is_terminal && !*prompted {
            *prompted = true;
            let prompt = if text.is_empty() { prompt } else { "> ".to_owned() };
            self.write(Stream::Stderr, &prompt, world);
            return None;
        }
        let parsed = match input.text.find('\n') {
            Some(end) => {
                text.extend(input.text.drain(..=end));
                parse_so_far(text)
            }
            None if !input.ended => return Some(Progress::Idle),
            None => {
                text.push_str(&std::mem::take(&mut input.text));
                if text.is_empty() {
                    self.drop_top();
                    return None;
                }
                Some(parse(text))
            }
        };
        *prompted = false;
        let parsed = parsed?;
        text.clear();
        match parsed {
            Ok(list) => self.push(Frame::List { list, next: 0 }),
            Err(error) => self.fail(&format!("syntax error: {}", error.0), world),
        }
        None
    }

    /// What stands before a line that is to be typed.
    fn prompt(&self, hostname: &str) -> String {
        let home = self.state.get("HOME").unwrap_or("/root");
        let directory = match self.state.directory.strip_prefix(home) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
            Some(_) | None => self.state.directory.clone(),
        };
        match self.state.dialect {
            Dialect::Ash => format!("{directory} # "),
            Dialect::Dash => "# ".to_owned(),
            Dialect::Bash => format!("root@{hostname}:{directory}# "),
        }
    }
}
