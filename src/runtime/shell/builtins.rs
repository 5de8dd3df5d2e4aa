//! Commands that change the shell itself.

use std::rc::Rc;

use super::ast::List;
use super::commands;
use super::files::Entry;
use super::frame::Frame;
use super::machine::{Machine, World};
use super::parser::{is_name, parse};
use super::state::Variable;
use crate::runtime::cri::Stream;
use crate::runtime::program::{self, Found};
use crate::runtime::signal::Signal;

type Around<'a, 'b, 'c> = &'a mut World<'b, 'c>;

impl Machine {
    /// `eval`, and every other way to run a text as a script.
    pub(super) fn evaluate(&mut self, script: &str, world: Around<'_, '_, '_>) {
        match parse(script) {
            Ok(list) => {
                if list.is_empty() {
                    self.finish(0);
                }
                self.push(Frame::List { list, next: 0 });
            }
            Err(error) => self.fail(&format!("syntax error: {}", error.0), world),
        }
    }

    /// `.`: runs a file in this shell.
    pub(super) fn source(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let Some(file) = arguments.first() else { return self.finish(2) };
        let path = self.state.resolve(file);
        match world.files().read(&path) {
            Ok(script) => self.evaluate(&script, world),
            Err(_) => {
                self.fail(&format!(".: can't open '{file}': No such file or directory"), world);
            }
        }
    }

    /// `exec`: what is named takes the shell's place.
    pub(super) fn replace(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        if arguments.is_empty() {
            return self.finish(0);
        }
        let (name, state) = (arguments.first().cloned().unwrap_or_default(), self.state.clone());
        let there = program::find(world.image, &name).is_some()
            || matches!(world.files().get(&state.resolve(&name)), Some(Entry::File(_)));
        if !there {
            self.complain(&format!("exec: {name}: {}", self.state.dialect.not_found()), world);
            return self.exit(127);
        }
        // What the redirections of `exec` and of those around it did stays.
        self.exit(0);
        (self.state.streams, self.state.variables) = (state.streams, state.variables);
        self.state.traps = Rc::default();
        let list: List = Rc::from([]);
        self.push(Frame::List { list, next: 0 });
        self.external(arguments, world);
    }

    /// `return`.
    pub(super) fn return_from(&mut self, arguments: &[String]) {
        let status = arguments.first().and_then(|text| text.parse::<i32>().ok());
        let status = status.unwrap_or(self.state.status) & 0xff;
        let stop = |frame: &Frame| matches!(frame, Frame::Call { .. } | Frame::Subshell { .. });
        while self.frames.last().is_some_and(|top| !stop(top)) {
            self.drop_top();
        }
        self.state.status = status;
    }

    /// `break`, or `continue` unless `leave`.
    pub(super) fn leave_loop(&mut self, leave: bool, arguments: &[String]) {
        let mut levels: usize =
            arguments.first().and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
        let inside = self
            .frames
            .iter()
            .rev()
            .take_while(|frame| !matches!(frame, Frame::Subshell { .. } | Frame::Call { .. }));
        let is_loop = |frame: &&Frame| matches!(frame, Frame::Loop { .. } | Frame::For { .. });
        let loops = inside.filter(is_loop).count();
        levels = levels.min(loops);
        self.state.status = 0;
        while levels > 0 {
            match self.frames.last_mut() {
                Some(Frame::Loop { testing, .. }) => {
                    levels -= 1;
                    *testing = false;
                    if levels == 0 && !leave {
                        return;
                    }
                }
                Some(Frame::For { .. }) => {
                    levels -= 1;
                    if levels == 0 && !leave {
                        return;
                    }
                }
                Some(_) => {}
                None => return,
            }
            self.drop_top();
        }
    }

    /// `cd`.
    pub(super) fn change_directory(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let home = self.state.get("HOME").unwrap_or("/root").to_owned();
        let target = match arguments.first().map(String::as_str) {
            Some("-") => self.state.get("OLDPWD").unwrap_or("/").to_owned(),
            Some(target) => target.to_owned(),
            None => home,
        };
        let path = self.state.resolve(&target);
        let problem = match world.files().get(&path) {
            Some(Entry::Directory) => None,
            Some(Entry::File(_)) => Some("Not a directory"),
            None => Some("No such file or directory"),
        };
        if let Some(problem) = problem {
            self.complain(&format!("cd: can't cd to {target}: {problem}"), world);
            return self.finish(2);
        }
        let old = std::mem::replace(&mut self.state.directory, path.clone());
        self.state.set("OLDPWD", old);
        self.state.set("PWD", path);
        self.finish(0);
    }

    /// Sets the variables of `name=value` words.
    pub(super) fn assign(&mut self, settings: &[String], export: bool) {
        for setting in settings {
            let (name, value) = match setting.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (setting.as_str(), None),
            };
            if !is_name(name) {
                continue;
            }
            if let Some(value) = value {
                self.state.set(name, value);
            }
            if export && let Some(variable) = Rc::make_mut(&mut self.state.variables).get_mut(name)
            {
                variable.exported = true;
            }
        }
    }

    /// `export`.
    pub(super) fn export(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let bad = arguments.iter().find(|argument| {
            let name = argument.split('=').next().unwrap_or_default();
            !name.starts_with('-') && !is_name(name)
        });
        if let Some(bad) = bad {
            let message = format!("export: {bad}: bad variable name");
            return self.fail(&message, world);
        }
        if arguments.is_empty() {
            let all = self.state.environment();
            let lines = all.iter().map(|(name, value)| format!("export {name}='{value}'\n"));
            let text = lines.collect::<Vec<String>>().concat();
            self.write(Stream::Stdout, &text, world);
        }
        self.assign(arguments, true);
        self.finish(0);
    }

    /// `local`: what is set here is undone when the function returns.
    pub(super) fn local(&mut self, arguments: &[String]) {
        for argument in arguments {
            let name = argument.split('=').next().unwrap_or_default();
            let old: Option<Variable> = self.state.variables.get(name).cloned();
            if let Some(hidden) = self.frames.iter_mut().rev().find_map(Frame::hidden) {
                hidden.push((name.to_owned(), old));
            }
        }
        self.assign(arguments, false);
        self.finish(0);
    }

    /// `set -eux`, by letter.
    pub(super) fn set_letters(&mut self, letters: &str, on: bool) {
        for letter in letters.chars() {
            match letter {
                'e' => self.state.exit_on_error = on,
                'u' => self.state.unset_is_error = on,
                'x' => self.state.trace = on,
                _ => {}
            }
        }
    }

    /// `set -o`, by name.
    pub(super) fn set_named(&mut self, name: &str, on: bool) {
        match name {
            "errexit" => self.state.exit_on_error = on,
            "nounset" => self.state.unset_is_error = on,
            "xtrace" => self.state.trace = on,
            _ => {}
        }
    }

    /// `set`.
    pub(super) fn set_options(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let mut rest = arguments;
        while let Some((option, after)) = rest.split_first() {
            let on = option.starts_with('-');
            match option.strip_prefix(['-', '+']) {
                Some("-") => {
                    self.state.parameters = after.into();
                    return self.finish(0);
                }
                Some(letters) if !letters.is_empty() => {
                    self.set_letters(letters, on);
                    rest = after;
                    if letters.ends_with('o')
                        && let Some((name, after)) = rest.split_first()
                    {
                        self.set_named(name, on);
                        rest = after;
                    }
                }
                Some(_) | None => {
                    self.state.parameters = rest.into();
                    return self.finish(0);
                }
            }
        }
        if arguments.is_empty() {
            let variables = self.state.variables.iter();
            let lines: Vec<String> =
                variables.map(|(name, one)| format!("{name}='{}'\n", one.value)).collect();
            let text = lines.concat();
            self.write(Stream::Stdout, &text, world);
        }
        self.finish(0);
    }

    /// `command`.
    pub(super) fn command(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        match arguments.first().map(String::as_str) {
            Some("-v" | "-V") => {
                let name = arguments.get(1).cloned().unwrap_or_default();
                match self.whereabouts(&name, world) {
                    Some(path) => {
                        self.write(Stream::Stdout, &format!("{path}\n"), world);
                        self.finish(0);
                    }
                    None => self.finish(127),
                }
            }
            Some(_) => {
                // Functions do not count here.
                let functions = std::mem::take(&mut self.state.functions);
                self.execute(arguments, world);
                self.state.functions = functions;
            }
            None => self.finish(0),
        }
    }

    /// `type`.
    pub(super) fn describe(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let mut status = 0;
        for name in arguments {
            match self.whereabouts(name, world) {
                Some(path) if path.starts_with('/') => {
                    self.write(Stream::Stdout, &format!("{name} is {path}\n"), world);
                }
                Some(_) => {
                    self.write(Stream::Stdout, &format!("{name} is a shell builtin\n"), world);
                }
                None => {
                    self.write(Stream::Stdout, &format!("{name}: not found\n"), world);
                    status = 127;
                }
            }
        }
        self.finish(status);
    }

    /// Where a command comes from, as `command -v` prints it.
    pub(super) fn whereabouts(&self, name: &str, world: Around<'_, '_, '_>) -> Option<String> {
        if self.state.functions.contains_key(name) || commands::is_builtin(name) {
            return Some(name.to_owned());
        }
        program::find(world.image, name).map(|found| match found {
            Found::Program(_) => format!("/usr/local/bin/{name}"),
            Found::Shell(_) | Found::Command => format!("/bin/{name}"),
        })
    }

    /// `trap`.
    pub(super) fn trap(&mut self, arguments: &[String]) {
        let (command, signals) = match arguments.split_first() {
            None => return self.finish(0),
            Some((command, [])) => (None, std::slice::from_ref(command)),
            Some((command, signals)) => (Some(command).filter(|text| *text != "-"), signals),
        };
        let traps = Rc::make_mut(&mut self.state.traps);
        for signal in signals {
            let name = if matches!(signal.as_str(), "EXIT" | "exit" | "0") {
                "EXIT".to_owned()
            } else if let Some(signal) = Signal::parse(signal) {
                format!("{signal:?}").to_ascii_uppercase()
            } else {
                continue;
            };
            match command {
                Some(command) => traps.insert(name, command.clone()),
                None => traps.remove(&name),
            };
        }
        self.finish(0);
    }

    /// `kill`.
    pub(super) fn kill(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let mut signal = Some(Signal::Term);
        let mut status = 0;
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let name = match argument.strip_prefix('-') {
                Some("s") => rest.next().map(String::as_str),
                option => option,
            };
            if let Some(name) = name {
                signal = Signal::parse(name);
                if signal.is_none() && name != "0" {
                    self.complain(&format!("kill: bad signal name '{name}'"), world);
                    return self.finish(1);
                }
                continue;
            }
            let pid = argument.trim_start_matches('%').parse::<u32>();
            if !pid.is_ok_and(|pid| world.jobs.kill(pid, signal)) {
                self.complain(&format!("can't kill pid {argument}: No such process"), world);
                status = 1;
            }
        }
        self.finish(status);
    }

    /// `read`.
    pub(super) fn read(&mut self, arguments: &[String]) {
        let mut names: Vec<&str> =
            arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
        if names.is_empty() {
            names.push("REPLY");
        }
        let (mut source, waits) = self.take_source();
        let rest = source.rest();
        if waits && !rest.contains('\n') {
            source.was_read = true;
            self.put_source(source, waits);
            let words = ["read".to_owned()].into_iter().chain(arguments.iter().cloned());
            return self.push(Frame::Reading(words.collect()));
        }
        let status = i32::from(!rest.contains('\n'));
        let line = rest.split('\n').next().unwrap_or_default().to_owned();
        source.at = (source.at + line.len() + 1).min(source.text.len());
        self.put_source(source, false);
        let separators = self.state.get("IFS").unwrap_or(" \t\n").to_owned();
        let is_separator = |c: char| separators.contains(c);
        let mut remaining = line.trim_matches(|c: char| is_separator(c) && c.is_whitespace());
        let last = names.pop();
        for name in names {
            let (word, after) = remaining.split_once(is_separator).unwrap_or((remaining, ""));
            let word = word.to_owned();
            remaining = after.trim_start_matches(|c: char| is_separator(c) && c.is_whitespace());
            self.state.set(name, word);
        }
        if let Some(last) = last {
            self.state.set(last, remaining);
        }
        self.finish(status);
    }
}
