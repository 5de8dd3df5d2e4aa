//! Ordinary commands that are over at once.

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use super::arith;
use super::files::{Entry, FileError, Files};
use super::state::{Source, State};
use super::test::{self, Lookup};
use crate::api::text::float;
use crate::runtime::catalogue::Userland;
use crate::runtime::surroundings::{self, Endpoint};

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

/// Backslash escapes; the flag says that `\c` ended the output.
fn unescape(text: &str) -> (String, bool) {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('e') => out.push('\u{1b}'),
            Some('c') => return (out, true),
            Some(digit @ '0'..='7') => {
                let mut value = digit.to_digit(8).unwrap_or(0);
                for _ in 0..3 {
                    let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    value = (value * 8 + next) & 0xff;
                    chars.next();
                }
                out.extend(char::from_u32(value));
            }
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    (out, false)
}

fn echo(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let (mut newline, mut escapes) = (true, false);
    let is_option = |word: &&String| {
        word.strip_prefix('-')
            .is_some_and(|all| !all.is_empty() && all.chars().all(|c| matches!(c, 'n' | 'e' | 'E')))
    };
    let options = arguments.iter().take_while(is_option);
    let count = options.clone().count();
    for letter in options.flat_map(|option| option.chars()) {
        match letter {
            'n' => newline = false,
            'e' => escapes = true,
            'E' => escapes = false,
            _ => {}
        }
    }
    let text = arguments.get(count..).unwrap_or_default().join(" ");
    let (text, cut) = if escapes { unescape(&text) } else { (text, false) };
    io.output.push_str(&text);
    if newline && !cut {
        io.output.push('\n');
    }
    0
}

fn printf(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let Some((format, mut rest)) = arguments.split_first() else {
        io.error.push_str("printf: missing operand\n");
        return 1;
    };
    let mut status = 0;
    loop {
        let before = rest.len();
        let mut chars = format.chars();
        let mut literal = String::new();
        while let Some(c) = chars.next() {
            if c != '%' {
                literal.push(c);
                continue;
            }
            io.output.push_str(&unescape(&std::mem::take(&mut literal)).0);
            let spec = chars.as_str();
            let end = spec.find(|c: char| c.is_ascii_alphabetic() || c == '%');
            let Some((flags, kind)) =
                end.and_then(|end| Some((spec.get(..end)?, spec.get(end..)?)))
            else {
                io.output.push('%');
                continue;
            };
            let Some(kind) = kind.chars().next() else { break };
            chars = spec.get(flags.len() + 1..).unwrap_or_default().chars();
            if kind == '%' {
                io.output.push('%');
                continue;
            }
            let argument = rest.first().map_or("", String::as_str);
            rest = rest.get(1..).unwrap_or_default();
            if let Some(text) = conversion(flags, kind, argument) {
                io.output.push_str(&text);
            } else {
                io.say(format_args!("printf: invalid number '{argument}'\n"));
                io.output.push('0');
                status = 1;
            }
        }
        io.output.push_str(&unescape(&literal).0);
        if rest.is_empty() || rest.len() == before || io.output.len() > MAX_OUTPUT {
            return status;
        }
    }
}

fn conversion(flags: &str, kind: char, argument: &str) -> Option<String> {
    let number = || {
        if argument.is_empty() {
            return Some(0);
        }
        let (sign, digits) = argument.strip_prefix('-').map_or((1, argument), |rest| (-1, rest));
        arith::number(digits).map(|value| sign * value)
    };
    let (left, zero) = (flags.contains('-'), flags.starts_with('0'));
    let mut sizes = flags.trim_start_matches(['-', '0', '+', ' ', '#']).split('.');
    let width = sizes.next().and_then(|text| text.parse::<usize>().ok()).unwrap_or(0).min(1_000);
    let precision = sizes.next().map(|text| text.parse::<usize>().unwrap_or(0).min(1_000));
    let text = match kind {
        's' => match precision {
            Some(most) => argument.chars().take(most).collect(),
            None => argument.to_owned(),
        },
        'b' => unescape(argument).0,
        'c' => argument.chars().take(1).collect(),
        'd' | 'i' | 'u' => number()?.to_string(),
        'x' => format!("{:x}", number()?),
        'X' => format!("{:X}", number()?),
        'o' => format!("{:o}", number()?),
        'f' | 'g' | 'e' => {
            let value: f64 = if argument.is_empty() { 0.0 } else { float(argument)? };
            format!("{value:.*}", precision.unwrap_or(6))
        }
        _ => argument.to_owned(),
    };
    Some(if left {
        format!("{text:<width$}")
    } else if zero && kind != 's' {
        format!("{text:0>width$}")
    } else {
        format!("{text:>width$}")
    })
}

fn cat(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let files: Vec<&String> = arguments.iter().filter(|word| *word != "-u").collect();
    if files.is_empty() {
        io.output = io.take_input();
        return 0;
    }
    let mut status = 0;
    for file in files {
        if file == "-" {
            let text = io.take_input();
            io.output.push_str(&text);
            continue;
        }
        match io.files.read(&io.path(file)) {
            Ok(text) => io.output.push_str(&text),
            Err(FileError::NotFound) => {
                io.say(format_args!("cat: can't open '{file}': No such file or directory\n"));
                status = 1;
            }
            Err(error) => {
                io.say(format_args!("cat: read error: {error}\n"));
                status = 1;
            }
        }
    }
    status
}

fn tee(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let text = io.take_input();
    let append = arguments.iter().any(|word| word == "-a");
    let files: Vec<String> =
        arguments.iter().filter(|word| !word.starts_with('-')).cloned().collect();
    io.output.push_str(&text);
    each("tee", &files, io, |io, path| io.files.write(path, &text, append))
}

/// Does the same to each path; 1 if that fails for one.
fn each(
    name: &str,
    arguments: &[String],
    io: &mut Io<'_>,
    mut act: impl FnMut(&mut Io<'_>, &str) -> Result<(), FileError>,
) -> i32 {
    let mut status = 0;
    for argument in arguments.iter().filter(|word| !word.starts_with('-')) {
        let path = io.path(argument);
        if let Err(error) = act(io, &path) {
            io.complain(name, argument, error);
            status = 1;
        }
    }
    status
}

fn mkdir(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let parents = arguments.iter().any(|word| word.starts_with('-') && word.contains('p'));
    each("mkdir", arguments, io, |io, path| {
        if parents {
            io.files.make_all(path);
            return Ok(());
        }
        io.files.make_directory(path)
    })
}

fn rm(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let letters: String = arguments.iter().filter_map(|word| word.strip_prefix('-')).collect();
    let (force, recursive) = (letters.contains('f'), letters.contains(['r', 'R']));
    each(name, arguments, io, |io, path| {
        let empty = io.files.list(path).is_empty();
        if name == "rmdir" && !empty {
            return Err(FileError::NotEmpty);
        }
        match io.files.remove(path, recursive || name == "rmdir") {
            Err(FileError::NotFound) if force => Ok(()),
            result => result,
        }
    })
}

fn copy(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let paths: Vec<String> =
        arguments.iter().filter(|word| !word.starts_with('-')).cloned().collect();
    let Some((target, sources)) = paths.split_last() else {
        io.say(format_args!("{name}: missing file operand\n"));
        return 1;
    };
    let target = io.path(target);
    each(name, sources, io, |io, path| {
        let text = io.files.read(path)?;
        let inside = io.files.get(&target) == Some(&Entry::Directory);
        let file = path.rsplit('/').next().unwrap_or_default();
        let to = if inside { format!("{target}/{file}") } else { target.clone() };
        io.files.write(&to, &text, false)?;
        if name == "mv" && to != path { io.files.remove(path, false) } else { Ok(()) }
    })
}

fn ls(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let hidden = arguments.iter().any(|word| word.starts_with('-') && word.contains(['a', 'A']));
    let mut paths: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    if paths.is_empty() {
        paths.push(".");
    }
    let mut status = 0;
    let several = paths.len() > 1;
    for path in paths {
        let whole = io.path(path);
        match io.files.get(&whole) {
            Some(Entry::File(_)) => io.line(path),
            Some(Entry::Directory) => {
                if several {
                    io.line(&format!("{path}:"));
                }
                let names = io.files.list(&whole);
                let shown = names.into_iter().filter(|name| hidden || !name.starts_with('.'));
                let lines: Vec<String> = shown.map(|name| format!("{name}\n")).collect();
                io.output.push_str(&lines.concat());
            }
            None => {
                io.complain("ls", path, FileError::NotFound);
                status = 1;
            }
        }
    }
    status
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
