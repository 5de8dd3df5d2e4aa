//! From a command line to a process: what the image, the pod's `command` and its `args` come to.

use std::rc::Rc;

use super::catalogue::{ImageEntry, Program, Userland};
use super::process::Process;
use super::routine::{Action, Ports, Routine, Running};
use super::shell::{Dialect, Machine, Session, State};

/// Linux takes no longer argument.
const MAX_ARGUMENT: usize = 128 * 1024;
/// How many entry points may call each other.
const MAX_ENTRYPOINTS: usize = 8;

/// What a name is in an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    Shell(Dialect),
    /// One of the ordinary commands.
    Command,
    Program(&'a Program),
}

/// The command line of a container: `command` replaces the image's entrypoint and its command,
/// `args` only the latter.
///
/// Mirrors: containerd `internal/cri/opts.WithProcessArgs`.
pub fn command_line(image: &ImageEntry, command: &[String], args: &[String]) -> Vec<String> {
    let (mut command, mut args) = (command, args);
    if command.is_empty() {
        if args.is_empty() {
            args = &image.config.cmd;
        }
        command = &image.config.entrypoint;
    }
    command.iter().chain(args).cloned().collect()
}

/// Starts `argv` in `directory`; `is_init` if it is to be the container's first process.
///
/// # Errors
///
/// In runc's words, when there is no such executable.
pub fn exec(
    image: &Rc<ImageEntry>,
    argv: &[String],
    environment: &[(String, String)],
    directory: &str,
    is_init: bool,
) -> Result<Process, String> {
    let mut argv = argv;
    for _ in 0..MAX_ENTRYPOINTS {
        let Some((name, arguments)) = argv.split_first() else { break };
        if argv.iter().any(|argument| argument.len() > MAX_ARGUMENT) {
            return Err(format!("exec {name}: argument list too long"));
        }
        let Some(found) = find(image, name) else { return Err(not_found(name)) };
        match found {
            Found::Program(Program::Entrypoint { server, .. })
                if arguments
                    .first()
                    .is_some_and(|word| word != server && !word.starts_with('-')) =>
            {
                argv = arguments;
            }
            Found::Program(program) => {
                let routine = routine_in(image, program, arguments, environment);
                return Ok(Process::Routine(Running::new(routine)));
            }
            Found::Shell(dialect) => {
                let state = State::new(environment, directory, dialect);
                let machine = Machine::new(state, is_init).with_shell(arguments);
                return Ok(Process::Shell(Box::new(Session::new(
                    Rc::clone(image),
                    machine,
                    is_init,
                ))));
            }
            Found::Command => {
                let state = State::new(environment, directory, Dialect::Ash);
                let machine = Machine::new(state, is_init).with_command(argv);
                return Ok(Process::Shell(Box::new(Session::new(
                    Rc::clone(image),
                    machine,
                    is_init,
                ))));
            }
        }
    }
    Err(not_found(argv.first().map_or("", String::as_str)))
}

fn not_found(name: &str) -> String {
    if name.contains('/') {
        format!("exec: {name:?}: stat {name}: no such file or directory")
    } else {
        format!("exec: {name:?}: executable file not found in $PATH")
    }
}

/// What `name`, a file name or a path, is in `image`.
pub fn find<'a>(image: &'a ImageEntry, name: &str) -> Option<Found<'a>> {
    const DIRECTORIES: [&str; 6] =
        ["/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
    let (directory, file) = match name.rsplit_once('/') {
        Some((directory, file)) => (Some(directory), file),
        None => (None, name),
    };
    if let Some(program) = image.programs.get(file) {
        return Some(Found::Program(program));
    }
    if directory.is_none_or(|directory| DIRECTORIES.contains(&directory))
        && let Some(found) = image.userland.find(file).or_else(|| image.tool(file))
    {
        return Some(found);
    }
    image.unknown.as_ref().filter(|_| !file.is_empty()).map(Found::Program)
}

impl ImageEntry {
    fn tool(&self, file: &str) -> Option<Found<'static>> {
        self.tools.contains(&file).then_some(Found::Command)
    }
}

impl Userland {
    fn find(self, file: &str) -> Option<Found<'static>> {
        let busybox = match self {
            Self::Scratch => return None,
            Self::Busybox | Self::Alpine => true,
            Self::Debian => false,
        };
        match file {
            "sh" => Some(Found::Shell(if busybox { Dialect::Ash } else { Dialect::Dash })),
            "ash" if busybox => Some(Found::Shell(Dialect::Ash)),
            "dash" if !busybox => Some(Found::Shell(Dialect::Dash)),
            "bash" if !busybox => Some(Found::Shell(Dialect::Bash)),
            _ if COMMON.contains(&file) => Some(Found::Command),
            _ if busybox && BUSYBOX.contains(&file) => Some(Found::Command),
            _ if !busybox && DEBIAN.contains(&file) => Some(Found::Command),
            "apk" if self == Self::Alpine => Some(Found::Command),
            _ => None,
        }
    }
}

/// Commands that every userland has.
const COMMON: &[&str] = &[
    "[",
    "awk",
    "base64",
    "basename",
    "cat",
    "chmod",
    "chown",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "grep",
    "gzip",
    "head",
    "hostname",
    "id",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mount",
    "mv",
    "nice",
    "nl",
    "nohup",
    "nproc",
    "od",
    "paste",
    "printenv",
    "printf",
    "pwd",
    "readlink",
    "realpath",
    "rev",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "setsid",
    "sha256sum",
    "sleep",
    "sort",
    "split",
    "stat",
    "stty",
    "sync",
    "tac",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "tty",
    "umount",
    "uname",
    "uniq",
    "unlink",
    "wc",
    "which",
    "whoami",
    "xargs",
    "yes",
];

/// Further commands of a busybox.
const BUSYBOX: &[&str] = &[
    "dc", "free", "httpd", "ifconfig", "ip", "nc", "netstat", "nslookup", "ping", "ps", "route",
    "su", "telnet", "time", "top", "unzip", "uptime", "vi", "watch", "wget",
];

/// Further commands of a Debian.
const DEBIAN: &[&str] = &["apt", "apt-get", "dpkg", "factor", "perl", "shuf", "stdbuf", "su"];

/// The routine of a program that a shell runs.
pub fn routine(image: &ImageEntry, program: &Program, arguments: &[String]) -> Rc<Routine> {
    routine_in(image, program, arguments, &[])
}

fn routine_in(
    image: &ImageEntry,
    program: &Program,
    arguments: &[String],
    environment: &[(String, String)],
) -> Rc<Routine> {
    match program {
        Program::Routine(routine) => Rc::clone(routine),
        Program::Entrypoint { server, first, needs } => {
            if let Some(needs) = needs
                && !environment.iter().any(|(name, value)| {
                    needs.variables.contains(&name.as_str()) && !value.is_empty()
                })
            {
                return Rc::clone(&needs.without);
            }
            let Some(Program::Routine(server)) = image.programs.get(*server) else {
                return Rc::new(Routine::exit(127));
            };
            let actions = first.iter().chain(&server.actions).cloned().collect();
            Rc::new(Routine {
                actions,
                handlers: server.handlers.clone(),
                ports: server.ports.clone(),
            })
        }
        Program::Special(special) => Rc::new(special.routine(arguments)),
    }
}

/// A routine that prints `lines` and ends.
pub(super) fn printed(
    stream: super::cri::Stream,
    lines: impl IntoIterator<Item = String>,
    code: i32,
) -> Routine {
    let print = |line: String| Action::Print { stream, stamp: "", text: line.into() };
    let actions = lines.into_iter().map(print).chain([Action::Exit(code)]).collect();
    Routine { actions, handlers: Vec::new(), ports: Ports::These(Vec::new()) }
}
