//! Programs that look at their arguments.

use std::time::Duration;

use super::cri::Stream;
use super::program::printed;
use super::routine::{Action, Ports, Routine};
use super::signal::Signal;
use super::web::Web;
use crate::api::text::float;

/// A program whose course depends on its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Does what they say: `fake-exit=CODE`, `fake-after=DURATION`, `fake-stop-delay=DURATION`,
    /// each duration with a unit (`2s`).
    Scripted,
    /// Takes memory: `stress --vm 1 --vm-bytes 150M`.
    Stress,
    /// Prints π: `perl -Mbignum=bpi -wle 'print bpi(2000)'`.
    Perl,
    /// `agnhost` with its subcommands.
    Agnhost,
    Python,
    Node,
    Go,
}

impl Special {
    /// Its course for these arguments.
    pub fn routine(self, arguments: &[String]) -> Routine {
        match self {
            Self::Scripted => scripted(arguments),
            Self::Stress => stress(arguments),
            Self::Perl => perl(arguments),
            Self::Agnhost => agnhost(arguments),
            Self::Python => python(arguments),
            Self::Node => node(arguments),
            Self::Go => go(arguments),
        }
    }
}

fn print(text: impl Into<std::borrow::Cow<'static, str>>) -> Action {
    Action::Print { stream: Stream::Stdout, stamp: "", text: text.into() }
}

/// A server on `ports` that says `line` and dies of SIGTERM only if `handles` gives it a way.
fn server(line: String, ports: Ports, handlers: Vec<(Signal, Vec<Action>)>) -> Routine {
    let start = Action::Wait(Duration::from_millis(80));
    let actions = vec![start, print(line), Action::Serve];
    Routine { actions, handlers, ports }
}

/// A port where nothing is simulated.
fn one(port: u16) -> Ports {
    Ports::These(vec![port])
}

fn scripted(arguments: &[String]) -> Routine {
    let value = |key: &str| arguments.iter().rev().find_map(|arg| arg.strip_prefix(key));
    let length = |key: &str| value(key).and_then(parse_duration).unwrap_or_default();
    let after = length("fake-after=");
    let actions = match value("fake-exit=").and_then(|code| code.parse().ok()) {
        Some(code) => vec![Action::Wait(after), Action::Exit(code)],
        None => vec![Action::Serve],
    };
    let stop = vec![Action::Wait(length("fake-stop-delay=")), Action::Exit(0)];
    Routine { actions, handlers: vec![(Signal::Term, stop)], ports: Ports::Any }
}

/// `500ms`, `2s`, `1.5m`: one number, one unit.
fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(split)?;
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(float(number)? * scale).ok()
}

/// The value of `--name value` or `--name=value`.
fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if let Some(rest) = word.strip_prefix(name) {
            return match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => words.next().map(String::as_str),
                None => continue,
            };
        }
    }
    None
}

fn stress(arguments: &[String]) -> Routine {
    let number = |name: &str| option(arguments, name).and_then(|text| text.parse::<u64>().ok());
    let count = |long: &str, short: &str| number(long).or_else(|| number(short)).unwrap_or(0);
    let (cpu, io) = (count("--cpu", "-c"), count("--io", "-i"));
    let (vm, hdd) = (count("--vm", "-m"), count("--hdd", "-d"));
    let bytes = option(arguments, "--vm-bytes").map_or(256 << 20, parse_bytes);
    let info =
        format!("stress: info: [1] dispatching hogs: {cpu} cpu, {io} io, {vm} vm, {hdd} hdd");
    let mut actions = vec![
        print(info),
        Action::Wait(Duration::from_millis(400)),
        Action::Allocate(vm.saturating_mul(bytes)),
    ];
    let timeout = option(arguments, "--timeout").or_else(|| option(arguments, "-t"));
    let seconds = |text: &str| parse_duration(text).or_else(|| parse_duration(&format!("{text}s")));
    match timeout.and_then(seconds) {
        Some(length) => {
            actions.push(Action::Wait(length));
            let text =
                format!("stress: info: [1] successful run completed in {}s", length.as_secs());
            actions.extend([print(text), Action::Exit(0)]);
        }
        None => actions.push(Action::Serve),
    }
    Routine { actions, handlers: Vec::new(), ports: Ports::These(Vec::new()) }
}

fn parse_bytes(text: &str) -> u64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match text.chars().last() {
        Some('k' | 'K') => 1 << 10,
        Some('m' | 'M') => 1 << 20,
        Some('g' | 'G') => 1 << 30,
        Some(_) | None => 1,
    };
    digits.parse::<u64>().unwrap_or(0).saturating_mul(scale)
}

fn agnhost(arguments: &[String]) -> Routine {
    let port = |name: &str, default: u16| {
        option(arguments, name).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    // Go's runtime ends a first process with 2 when nobody asked for the signal.
    let go = vec![(Signal::Term, vec![Action::Exit(2)])];
    match arguments.first().map(String::as_str) {
        None | Some("pause") => {
            let actions = vec![print("Paused"), Action::Serve];
            Routine { actions, handlers: go, ports: Ports::These(Vec::new()) }
        }
        Some("netexec") => {
            let port = port("--http-port", 8080);
            let graceful = vec![(Signal::Term, vec![Action::Exit(0)])];
            let ports = Ports::Web(port, Web::Netexec);
            server(format!("Started HTTP server on port {port}"), ports, graceful)
        }
        Some("serve-hostname") => {
            server("Serving on port 9376.".to_owned(), Ports::Web(9376, Web::Hostname), go)
        }
        Some("test-webserver") => server(String::new(), one(port("--port", 80)), go),
        Some("liveness") => server("Starting server on port 8080".to_owned(), one(8080), go),
        Some("nettest" | "porter" | "guestbook" | "fake-gitserver" | "webhook") => {
            server(String::new(), one(port("--port", 8080)), go)
        }
        Some(other) => {
            let text = format!("Error: unknown command {other:?} for \"app\"");
            printed(Stream::Stderr, [text], 1)
        }
    }
}

fn python(arguments: &[String]) -> Routine {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // Its program stands in the input, which is empty.
        [] => Routine::exit(0),
        ["--version" | "-V", ..] => printed(Stream::Stdout, ["Python 3.14.0".to_owned()], 0),
        ["-u", ..] => python(arguments.get(1..).unwrap_or_default()),
        ["-m", "http.server", rest @ ..] => {
            let port = rest.first().and_then(|text| text.parse().ok()).unwrap_or(8000);
            let line = format!("Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...");
            server(line, one(port), Vec::new())
        }
        ["-m", module, ..] => {
            let text = format!("/usr/local/bin/python: No module named {module}");
            printed(Stream::Stderr, [text], 1)
        }
        ["-c", ..] => printed(Stream::Stderr, [not_simulated("python")], 1),
        [file, ..] => {
            let text = format!(
                "python: can't open file '/{}': [Errno 2] No such file or directory",
                file.trim_start_matches('/')
            );
            printed(Stream::Stderr, [text], 2)
        }
    }
}

fn node(arguments: &[String]) -> Routine {
    match arguments.first().map(String::as_str) {
        None => Routine::exit(0),
        Some("--version" | "-v") => printed(Stream::Stdout, ["v24.11.0".to_owned()], 0),
        Some("-e" | "--eval" | "-p") => printed(Stream::Stderr, [not_simulated("node")], 1),
        Some(file) => {
            let path = format!("/{}", file.trim_start_matches('/'));
            let lines = [
                "node:internal/modules/cjs/loader:1424".to_owned(),
                "  throw err;".to_owned(),
                "  ^".to_owned(),
                String::new(),
                format!("Error: Cannot find module '{path}'"),
            ];
            printed(Stream::Stderr, lines, 1)
        }
    }
}

fn go(arguments: &[String]) -> Routine {
    match arguments.first().map(String::as_str) {
        Some("version") => {
            printed(Stream::Stdout, ["go version go1.25.4 linux/amd64".to_owned()], 0)
        }
        Some(_) => printed(Stream::Stderr, [not_simulated("go")], 1),
        None => {
            printed(Stream::Stderr, ["Go is a tool for managing Go source code.".to_owned()], 2)
        }
    }
}

fn not_simulated(language: &str) -> String {
    format!("{language}: programs are not simulated here")
}

fn perl(arguments: &[String]) -> Routine {
    let digits = arguments.iter().find_map(|text| {
        let (_, rest) = text.split_once("bpi(")?;
        rest.split(')').next()?.trim().parse::<usize>().ok()
    });
    match digits {
        Some(digits) if (1..=10_000).contains(&digits) => Routine {
            actions: vec![
                Action::Wait(Duration::from_micros(1_700 * digits as u64)),
                print(pi(digits)),
                Action::Exit(0),
            ],
            handlers: Vec::new(),
            ports: Ports::These(Vec::new()),
        },
        Some(_) | None if arguments.is_empty() => Routine::exit(0),
        Some(_) | None => printed(Stream::Stderr, [not_simulated("perl")], 1),
    }
}

/// π with `digits` significant digits, by Machin's formula on digits in base 10⁹.
fn pi(digits: usize) -> String {
    const BASE: u64 = 1_000_000_000;
    let limbs = digits / 9 + 4;
    let divide = |number: &mut [u64], by: u64| {
        let mut rest = 0;
        for limb in number.iter_mut() {
            let value = rest * BASE + *limb;
            (*limb, rest) = (value / by, value % by);
        }
    };
    let add = |sum: &mut [u64], term: &[u64], negative: bool| {
        let mut carry = 0_i64;
        for (limb, other) in sum.iter_mut().zip(term).rev() {
            let other = other.cast_signed() * if negative { -1 } else { 1 };
            let value = limb.cast_signed() + other + carry;
            carry = value.div_euclid(BASE.cast_signed());
            *limb = value.rem_euclid(BASE.cast_signed()).cast_unsigned();
        }
    };
    let mut sum = vec![0_u64; limbs];
    // π = 16·arctan(1/5) − 4·arctan(1/239)
    for (factor, x, minus) in [(16, 5_u64, false), (4, 239, true)] {
        let mut power = vec![0_u64; limbs];
        if let Some(first) = power.first_mut() {
            *first = factor;
        }
        divide(&mut power, x);
        let mut odd = 1;
        let mut negative = minus;
        while power.iter().any(|limb| *limb > 0) {
            let mut term = power.clone();
            divide(&mut term, odd);
            add(&mut sum, &term, negative);
            divide(&mut power, x * x);
            odd += 2;
            negative = !negative;
        }
    }
    let fraction: Vec<String> = sum.iter().skip(1).map(|limb| format!("{limb:09}")).collect();
    let fraction: String = fraction.concat().chars().take(digits.saturating_sub(1)).collect();
    format!("3.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pi_is_pi() {
        assert_eq!(pi(50), "3.1415926535897932384626433832795028841971693993751");
        assert!(pi(1_000).ends_with("216420198"), "{}", pi(1_000));
    }
}
