//! From a command's name to what runs: function, builtin, program, ordinary command, shell.

use std::rc::Rc;
use std::time::Duration;

use super::commands::{self, Io};
use super::files::Entry;
use super::frame::{Frame, Output};
use super::machine::{Machine, World};
use super::session::Dialect;
use super::state::{Scope, Source};
use crate::runtime::cri::Stream;
use crate::runtime::program::{self, Found};
use crate::runtime::routine::{Action, Ports, Routine, Running};
use crate::runtime::signal::Signal;

/// The weight of starting a program.
const PROGRAM: u32 = 20;

type Around<'a, 'b, 'c> = &'a mut World<'b, 'c>;

impl Machine {
    /// Runs a command that is expanded and redirected.
    pub(super) fn execute(&mut self, words: &[String], world: Around<'_, '_, '_>) {
        let Some((name, arguments)) = words.split_first() else { return };
        if let Some(body) = self.state.functions.get(name).cloned() {
            let parameters = Rc::clone(&self.state.parameters);
            self.push(Frame::Call { parameters, hidden: Vec::new() });
            self.state.parameters = arguments.into();
            return self.start(&body);
        }
        match name.as_str() {
            ":" | "true" => self.finish(0),
            "false" => self.finish(1),
            "exit" => {
                let status = arguments.first().and_then(|text| text.parse::<i32>().ok());
                let status = status.unwrap_or(self.state.status);
                self.exit(status & 0xff);
            }
            "return" => self.return_from(arguments),
            "break" | "continue" => self.leave_loop(name == "break", arguments),
            "cd" => self.change_directory(arguments, world),
            "export" | "readonly" => self.export(arguments, world),
            "local" | "declare" | "typeset" => self.local(arguments),
            "unset" => {
                let variables = Rc::make_mut(&mut self.state.variables);
                for argument in arguments {
                    variables.remove(argument);
                }
                self.finish(0);
            }
            "set" => self.set_options(arguments, world),
            "shift" => {
                let count = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(1);
                let rest = self.state.parameters.get(count..).map(Rc::from);
                let status = i32::from(rest.is_none());
                if let Some(rest) = rest {
                    self.state.parameters = rest;
                }
                self.finish(status);
            }
            "eval" => self.evaluate(&arguments.join(" "), world),
            "." | "source" => self.source(arguments, world),
            "exec" => self.replace(arguments, world),
            "command" | "builtin" => self.command(arguments, world),
            "type" => self.describe(arguments, world),
            "trap" => self.trap(arguments),
            "wait" => {
                let pid =
                    arguments.first().and_then(|pid| pid.trim_start_matches('%').parse().ok());
                self.push(Frame::Wait(pid));
            }
            "kill" => self.kill(arguments, world),
            "read" => self.read(arguments),
            "umask" | "ulimit" | "hash" | "alias" | "unalias" | "jobs" | "bg" | "fg" | "times" => {
                self.finish(0);
            }
            _ => self.external(words, world),
        }
    }

    /// Runs a program of the image, or one of the ordinary commands.
    pub(super) fn external(&mut self, words: &[String], world: Around<'_, '_, '_>) {
        let Some((name, arguments)) = words.split_first() else { return self.finish(0) };
        let path = self.state.resolve(name);
        let script = name.contains('/') && matches!(world.files().get(&path), Some(Entry::File(_)));
        if script {
            return self.shell(Dialect::Ash, words, world);
        }
        match program::find(world.image, name) {
            Some(Found::Shell(dialect)) => self.shell(dialect, arguments, world),
            Some(Found::Program(program)) => {
                self.charge(PROGRAM);
                let routine = program::routine(world.image, program, arguments);
                self.push(Frame::Program(Running::new(routine)));
            }
            Some(Found::Command) => {
                let file = name.rsplit('/').next().unwrap_or_default().to_owned();
                self.ordinary(&file, arguments, world);
            }
            None => {
                let message = format!("{name}: {}", self.state.dialect.not_found());
                self.complain(&message, world);
                self.finish(127);
            }
        }
    }

    fn ordinary(&mut self, name: &str, arguments: &[String], world: Around<'_, '_, '_>) {
        match name {
            "sleep" => match commands::sleep_length(arguments) {
                Ok(length) => self.wait_for(length),
                Err(message) => {
                    self.write(Stream::Stderr, &format!("{message}\n"), world);
                    self.finish(1);
                }
            },
            "env" => {
                let is_setting = |word: &&String| word.contains('=') || word.starts_with('-');
                let settings = arguments.iter().take_while(is_setting).count();
                let (settings, rest) = arguments.split_at_checked(settings).unwrap_or_default();
                let streams = Box::new(self.state.streams.clone());
                let variables = Some(Rc::clone(&self.state.variables));
                self.push(Frame::Restore { streams, variables });
                self.assign(settings, true);
                if rest.is_empty() {
                    self.plain("env", &[], world);
                } else {
                    self.external(rest, world);
                }
            }
            "timeout" => self.timeout(arguments, world),
            "nohup" | "setsid" | "time" | "stdbuf" | "nice" | "ionice" | "tini" | "dumb-init"
            | "su-exec" | "gosu" => {
                let options = arguments.iter().take_while(|word| word.starts_with('-')).count();
                let skip = options + usize::from(matches!(name, "su-exec" | "gosu"));
                self.external(arguments.get(skip..).unwrap_or_default(), world);
            }
            "xargs" => {
                let (mut source, waits) = self.take_source();
                let input = source.take();
                if waits {
                    source.at = 0;
                }
                if self.put_source(source, waits) {
                    let words = [name.to_owned()].into_iter().chain(arguments.iter().cloned());
                    return self.push(Frame::Reading(words.collect()));
                }
                let mut words = arguments.to_vec();
                if words.is_empty() {
                    words.push("echo".to_owned());
                }
                words.extend(input.split_whitespace().map(str::to_owned));
                self.external(&words, world);
            }
            "tail" if arguments.iter().any(|word| matches!(word.as_str(), "-f" | "-F")) => {
                let files: Vec<String> =
                    arguments.iter().filter(|word| !word.starts_with("-f")).cloned().collect();
                self.plain("tail", &files, world);
                self.serve();
            }
            "yes" => {
                let answer = arguments.first().map_or("y", String::as_str);
                let text = format!("{answer}\n").repeat(commands::MANY);
                self.write(Stream::Stdout, &text, world);
                // It never ends by itself; its reader is what ends it.
                self.finish(Signal::Pipe.exit_code());
            }
            _ => self.plain(name, arguments, world),
        }
    }

    /// A command that is over at once.
    fn plain(&mut self, name: &str, arguments: &[String], world: Around<'_, '_, '_>) {
        if !commands::is_builtin(name) {
            self.charge(PROGRAM);
        }
        let (mut input, waits) = self.take_source();
        self.charge_text(input.rest().len());
        let wall = world.around.wall_clock();
        let (hostname, ip) = (world.around.hostname.to_owned(), world.around.ip);
        let mut io = Io {
            state: &self.state,
            input: &mut input,
            files: world.around.files,
            wall,
            hostname: &hostname,
            ip,
            userland: world.image.userland,
            network: world.around.network,
            waits: false,
            output: String::new(),
            error: String::new(),
        };
        let status = commands::run(name, arguments, &mut io);
        let (output, error, fetches) = (io.output, io.error, io.waits);
        // What is not there yet, `cat` alone does without: it writes what there is.
        if waits && name != "cat" {
            input.at = 0;
        }
        if self.put_source(input, waits) || fetches {
            let words = [name.to_owned()].into_iter().chain(arguments.iter().cloned());
            self.push(Frame::Reading(words.collect()));
            if name == "cat" {
                self.write(Stream::Stdout, &output, world);
            }
            return;
        }
        let frames = self.frames.len();
        self.write(Stream::Stdout, &output, world);
        self.write(Stream::Stderr, &error, world);
        // A full pipe ends the whole stage.
        if self.frames.len() == frames {
            self.finish(status);
        }
    }

    fn wait_for(&mut self, length: Option<Duration>) {
        match length {
            Some(length) => self.foreground(vec![Action::Wait(length), Action::Exit(0)]),
            None => self.serve(),
        }
    }

    fn serve(&mut self) {
        self.foreground(vec![Action::Serve]);
    }

    fn foreground(&mut self, actions: Vec<Action>) {
        let ports = Ports::These(Vec::new());
        let routine = Routine { actions, handlers: Vec::new(), ports };
        self.charge(PROGRAM);
        self.push(Frame::Program(Running::new(Rc::new(routine))));
    }

    fn timeout(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let options = arguments.iter().take_while(|word| word.starts_with('-')).count();
        let Some((length, rest)) = arguments.get(options..).and_then(<[_]>::split_first) else {
            return self.finish(1);
        };
        match commands::sleep_length(std::slice::from_ref(length)) {
            Ok(Some(length)) => {
                let end = world.around.now + length;
                self.push(Frame::Deadline(end));
                self.external(rest, world);
            }
            Ok(None) => self.external(rest, world),
            Err(_) => {
                let message = format!("timeout: invalid number '{length}'\n");
                self.write(Stream::Stderr, &message, world);
                self.finish(1);
            }
        }
    }

    /// `sh …`, as a process of its own.
    pub(super) fn shell(
        &mut self,
        dialect: Dialect,
        arguments: &[String],
        world: Around<'_, '_, '_>,
    ) {
        self.enter_subshell(Output::Shared);
        let exported: Scope = self
            .state
            .variables
            .iter()
            .filter(|(_, variable)| variable.exported)
            .map(|(name, variable)| (name.clone(), variable.clone()))
            .collect();
        self.state.variables = Rc::new(exported);
        self.state.functions = Rc::default();
        (self.state.exit_on_error, self.state.trace) = (false, false);
        self.state.unset_is_error = false;
        self.state.dialect = dialect;
        self.invoke(arguments, world);
    }

    /// Begins what a shell's own command line asks for.
    pub(super) fn invoke(&mut self, arguments: &[String], world: Around<'_, '_, '_>) {
        let mut rest = arguments;
        let mut inline = false;
        while let Some((option, after)) = rest.split_first() {
            let Some(letters) = option.strip_prefix(['-', '+']).filter(|all| !all.is_empty())
            else {
                break;
            };
            rest = after;
            if letters == "-" {
                break;
            }
            inline |= !letters.starts_with('-') && letters.contains('c');
            if letters == "o" {
                let Some((name, after)) = rest.split_first() else { break };
                self.set_named(name, true);
                rest = after;
            }
            self.set_letters(letters, option.starts_with('-'));
        }
        let Some((first, after)) = rest.split_first() else {
            if self.state.streams.input.live {
                return self.push(Frame::Script { text: String::new(), prompted: false });
            }
            // No script and nobody at the other end: the script is what stands in the input.
            let script = self.state.streams.input.rest().to_owned();
            self.state.streams.input = Source::default();
            return self.evaluate(&script, world);
        };
        if inline {
            self.state.parameters = after.get(1..).unwrap_or_default().into();
            return self.evaluate(first, world);
        }
        self.state.parameters = after.into();
        let path = self.state.resolve(first);
        match world.files().read(&path) {
            Ok(script) => self.evaluate(&script, world),
            Err(error) => {
                self.complain(&format!("can't open '{first}': {error}"), world);
                self.exit(2);
            }
        }
    }
}
