//! Ordinary commands that are over at once.

mod files;
mod print;

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use super::arith;
use super::files::{FileError, Files};
use super::state::{Source, State};
use super::test::{self, Lookup};
use crate::api::text::float;
use crate::runtime::catalogue::Userland;
use crate::runtime::surroundings::{self, Endpoint};
use files::{cat, copy, each, ls, mkdir, rm, tee};
use print::{echo, printf};

/// Lines that a command without end writes before its reader is asked whether that is enough.
pub const MANY: usize = 4_096;
/// No command writes more than this.
const MAX_OUTPUT: usize = 1 << 20;

/// What a command has in its hands.
pub struct Io<'a> {
    pub state: &'a State,
    pub input: &'a mut Source,
    pub files: &'a mut Files,
    pub wall: Timestamp,
    pub hostname: &'a str,
    pub ip: Option<Ipv4Addr>,
    pub userland: Userland,
    pub network: &'a mut Endpoint,
    /// Whether the command waits for an answer to what it fetches.
    pub waits: bool,
    pub output: String,
    pub error: String,
}

impl Io<'_> {
    /// Adds to the output.
    pub fn put(&mut self, text: fmt::Arguments<'_>) {
        self.output.push_str(&text.to_string());
    }

    /// Adds to the errors.
    pub fn say(&mut self, text: fmt::Arguments<'_>) {
        self.error.push_str(&text.to_string());
    }

    pub(super) fn path(&self, path: &str) -> String {
        self.state.resolve(path)
    }

    fn take_input(&mut self) -> String {
        self.input.take()
    }

    pub(super) fn complain(&mut self, name: &str, path: &str, error: FileError) {
        self.say(format_args!("{name}: {path}: {error}\n"));
    }

    fn line(&mut self, text: &str) {
        self.output.push_str(text);
        self.output.push('\n');
    }
}

/// The shell's own commands that no file is needed for.
pub fn is_builtin(name: &str) -> bool {
    const BUILTINS: &[&str] = &[
        ":", "true", "false", "exit", "return", "break", "continue", "cd", "export", "local",
        "unset", "set", "shift", "eval", ".", "exec", "command", "type", "trap", "wait", "kill",
        "read", "echo", "printf", "test", "[", "pwd", "umask",
    ];
    BUILTINS.contains(&name)
}

/// Runs the command called `name`; the result is its exit status.
pub fn run(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let status = match name {
        "echo" => echo(arguments, io),
        "printf" => printf(arguments, io),
        "true" | ":" | "sync" | "chmod" | "chown" | "ln" | "stty" | "mount" | "umount" => 0,
        "false" => 1,
        "test" | "[" | "[[" => test::run(name, arguments, io),
        "cat" => cat(arguments, io),
        "tee" => tee(arguments, io),
        "touch" => each(name, arguments, io, |io, path| io.files.write(path, "", true)),
        "mkdir" => mkdir(arguments, io),
        "rm" | "rmdir" | "unlink" => rm(name, arguments, io),
        "cp" | "mv" => copy(name, arguments, io),
        "ls" => ls(arguments, io),
        "pwd" => {
            let directory = io.state.directory.clone();
            io.line(&directory);
            0
        }
        "date" => date(arguments, io),
        "hostname" => hostname(arguments, io),
        "env" | "printenv" => environment(arguments, io),
        "seq" => seq(arguments, io),
        "wc" | "head" | "tail" | "sort" | "uniq" | "grep" | "rev" | "tac" | "nl" | "cut" | "tr"
        | "sed" => super::text::run(name, arguments, io),
        "basename" => {
            let path = arguments.first().map_or("", String::as_str).trim_end_matches('/');
            let file = path.rsplit('/').next().unwrap_or_default();
            let suffix = arguments.get(1).map_or("", String::as_str);
            let file = file.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(file);
            io.line(file);
            0
        }
        "dirname" => {
            let path = arguments.first().map_or("", String::as_str);
            let parent = match path.rsplit_once('/') {
                Some(("", _)) => "/",
                Some((parent, _)) => parent,
                None => ".",
            };
            io.line(parent);
            0
        }
        "id" => {
            io.line(match arguments.first().map(String::as_str) {
                Some("-u" | "-g") => "0",
                Some("-un" | "-gn") => "root",
                Some(_) | None => "uid=0(root) gid=0(root) groups=0(root)",
            });
            0
        }
        "whoami" => {
            io.line("root");
            0
        }
        "uname" => uname(arguments, io),
        "nproc" => {
            io.line("2");
            0
        }
        "expr" => expr(arguments, io),
        "which" => {
            for name in arguments {
                io.put(format_args!("/bin/{name}\n"));
            }
            0
        }
        "mktemp" => {
            let path = (0..1_000).map(|n| format!("/tmp/tmp.{n:06}"));
            let free = path.into_iter().find(|path| io.files.get(path).is_none());
            let path = free.unwrap_or_default();
            let made = io.files.write(&path, "", false).is_ok();
            if made {
                io.line(&path);
            }
            i32::from(!made)
        }
        "wget" | "curl" | "nc" | "nslookup" | "ping" | "telnet" | "dig" => {
            super::network::run(name, arguments, io)
        }
        _ => {
            io.say(format_args!("{name}: this command is not simulated here\n"));
            1
        }
    };
    for text in [&mut io.output, &mut io.error] {
        if text.len() > MAX_OUTPUT {
            let end = (0..=MAX_OUTPUT).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
        }
    }
    status
}

/// How long `sleep` sleeps; `None` is for ever.
pub fn sleep_length(arguments: &[String]) -> Result<Option<Duration>, String> {
    if arguments.is_empty() {
        return Err("sleep: missing operand".to_owned());
    }
    let mut total = 0.0;
    for argument in arguments {
        if matches!(argument.as_str(), "inf" | "infinity") {
            return Ok(None);
        }
        let (number, scale) = match argument.char_indices().last() {
            Some((at, 's')) => (argument.get(..at), 1.0),
            Some((at, 'm')) => (argument.get(..at), 60.0),
            Some((at, 'h')) => (argument.get(..at), 3_600.0),
            Some((at, 'd')) => (argument.get(..at), 86_400.0),
            Some(_) | None => (Some(argument.as_str()), 1.0),
        };
        let digits = |text: &&str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let number = number.filter(digits).and_then(float);
        total += number.ok_or_else(|| format!("sleep: invalid number '{argument}'"))? * scale;
    }
    // What is longer than a hundred years never ends here.
    Ok(Duration::try_from_secs_f64(total).ok().filter(|length| length.as_secs() < 3_155_760_000))
}

fn date(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let format = arguments.iter().find_map(|word| word.strip_prefix('+'));
    let iso = arguments.iter().any(|word| word.starts_with("-I"));
    let format = format.unwrap_or(if iso { "%Y-%m-%d" } else { "%a %b %e %H:%M:%S UTC %Y" });
    let Some(text) = surroundings::date(format, io.wall) else {
        io.say(format_args!("date: invalid date format '+{format}'\n"));
        return 1;
    };
    io.line(&text);
    0
}

fn hostname(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let ip = io.ip.map(|ip| ip.to_string());
    let text = match arguments.first().map(String::as_str) {
        Some("-i" | "-I") => ip.unwrap_or_default(),
        Some(_) | None => io.hostname.to_owned(),
    };
    io.line(&text);
    0
}

fn environment(arguments: &[String], io: &mut Io<'_>) -> i32 {
    if arguments.is_empty() {
        for (name, value) in io.state.environment() {
            io.line(&format!("{name}={value}"));
        }
        return 0;
    }
    let mut status = 0;
    for name in arguments {
        match io.state.variables.get(name).filter(|variable| variable.exported) {
            Some(variable) => io.line(&variable.value),
            None => status = 1,
        }
    }
    status
}

fn seq(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let numbers: Vec<i64> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] if *step != 0 => (*first, *step, *last),
        _ => {
            io.error.push_str("seq: missing operand\n");
            return 1;
        }
    };
    let mut number = first;
    while (if step > 0 { number <= last } else { number >= last }) && io.output.len() < MAX_OUTPUT {
        io.put(format_args!("{number}\n"));
        let Some(next) = number.checked_add(step) else { break };
        number = next;
    }
    0
}

fn uname(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let text = match arguments.first().map(String::as_str) {
        Some("-a") => {
            format!("Linux {} 6.12.0 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux", io.hostname)
        }
        Some("-n") => io.hostname.to_owned(),
        Some("-r") => "6.12.0".to_owned(),
        Some("-m") => "x86_64".to_owned(),
        Some(_) | None => "Linux".to_owned(),
    };
    io.line(&text);
    0
}

fn expr(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        [one] => (*one).to_owned(),
        [left, "=", right] => i32::from(left == right).to_string(),
        ["length", text] => text.chars().count().to_string(),
        _ => match arith::evaluate(&words.join(" "), &mut Lookup) {
            Ok(value) => value.to_string(),
            Err("divide by zero") => {
                io.error.push_str("expr: division by zero\n");
                return 2;
            }
            Err(_) => {
                io.error.push_str("expr: syntax error\n");
                return 2;
            }
        },
    };
    io.line(&text);
    i32::from(text.is_empty() || text == "0")
}
