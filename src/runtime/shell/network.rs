//! Commands that reach over the network: as far as what listens in the same pod.
//!
//! Mirrors: `BusyBox` `networking/wget.c`, GNU wget and curl, as far as their words go. Neither shows how far it is.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::commands::Io;
use crate::runtime::catalogue::Userland;
use crate::runtime::surroundings::{Fetch, Fetched};

/// Where programs reach nothing, they fail as they do where no name has an address.
fn unreachable(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let target = arguments.iter().rev().find(|word| !word.starts_with('-'));
    let target = target.map_or("", String::as_str);
    let host = target.split_once("://").map_or(target, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let (message, status) = match name {
        "curl" => (format!("curl: (6) Could not resolve host: {host}"), 6),
        "nslookup" | "dig" => {
            (";; connection timed out; no servers could be reached".to_owned(), 1)
        }
        _ => (format!("{name}: bad address '{host}'"), 1),
    };
    io.error.push_str(&message);
    io.error.push('\n');
    status
}

/// The same where programs reach what listens in their pod. A command waits if an answer is still to come.
pub fn run(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    match name {
        "curl" => curl(arguments, io),
        "wget" => wget(arguments, io),
        _ => unreachable(name, arguments, io),
    }
}

/// Options by their long names, and the letters that are the same; `z` is of ours.
const LONG: &[(&str, &str)] = &[
    ("connect-timeout", "m"),
    ("data", "d"),
    ("fail", "f"),
    ("head", "I"),
    ("header", "H"),
    ("include", "i"),
    ("max-time", "m"),
    ("output", "o"),
    ("output-document", "O"),
    ("quiet", "q"),
    ("request", "X"),
    ("show-error", "S"),
    ("silent", "s"),
    ("spider", "z"),
    ("timeout", "T"),
    ("user-agent", "A"),
    ("write-out", "w"),
];

/// What stands on a command line: `letters` are all options without a value.
#[derive(Default)]
struct Line<'a> {
    letters: String,
    values: Vec<(char, &'a str)>,
    url: &'a str,
}

impl<'a> Line<'a> {
    /// Those of the options in `with_value` have one, in the same word or in the next.
    fn read(arguments: &'a [String], with_value: &str) -> Self {
        let mut line = Self::default();
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                line.url = word;
                continue;
            };
            let (letters, given) = match letters.strip_prefix('-') {
                Some(long) => {
                    let (name, value) = long.split_once('=').unzip();
                    let name = name.unwrap_or(long);
                    let known = LONG.iter().find(|(own, _)| *own == name);
                    (known.map_or("", |(_, letter)| *letter), value)
                }
                None => (letters, None),
            };
            for (at, letter) in letters.char_indices() {
                if with_value.contains(letter) {
                    let rest = letters.get(at + 1..).filter(|rest| !rest.is_empty());
                    let value = given.or(rest).or_else(|| words.next());
                    line.values.push((letter, value.unwrap_or_default()));
                    break;
                }
                line.letters.push(letter);
            }
        }
        line
    }

    fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    fn value(&self, letter: char) -> Option<&'a str> {
        self.values.iter().rev().find(|(name, _)| *name == letter).map(|(_, value)| *value)
    }
}

/// Where a request goes.
struct Place<'a> {
    /// With the port, if one is named.
    authority: &'a str,
    host: &'a str,
    port: u16,
    path: String,
    /// The address that it is, if it is in the pod.
    ip: Option<Ipv4Addr>,
}

impl<'a> Place<'a> {
    fn of(url: &'a str, io: &Io<'_>) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let bare = authority.strip_prefix("[::1]").map(|port| ("::1", port));
        let (host, port) = bare
            .unwrap_or_else(|| authority.split_at(authority.find(':').unwrap_or(authority.len())));
        let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
        let is_own = |ip: &Ipv4Addr| host == io.hostname || host.parse() == Ok(*ip);
        let ip = match host {
            "localhost" | "127.0.0.1" | "0.0.0.0" | "::1" => Some(Ipv4Addr::LOCALHOST),
            _ => io.ip.filter(is_own),
        };
        let port = port.unwrap_or(if scheme == "https" { 443 } else { 80 });
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Self { authority, host, port, path, ip }
    }
}

/// What comes back.
struct Reply {
    /// Without its line end.
    status_line: String,
    head: String,
    body: String,
}

impl Reply {
    fn code(&self) -> &str {
        self.status_line.split(' ').nth(1).unwrap_or_default()
    }
}

/// Asks what listens in the pod.
///
/// # Errors
///
/// [`Fetched`] if nobody listens, or if the answer is still to come.
fn fetch(io: &mut Io<'_>, client: Ipv4Addr, port: u16, request: String) -> Result<Reply, Fetched> {
    let is_same = |fetch: &Fetch| fetch.port == port && fetch.request == request;
    let network = Rc::make_mut(io.network.get_or_insert_default());
    let fetches = &mut network.fetches;
    let answer = match fetches.iter().position(is_same) {
        Some(at) if fetches.get(at).is_some_and(|one| one.answer != Fetched::ToCome) => {
            fetches.remove(at).answer
        }
        Some(_) => Fetched::ToCome,
        None => {
            fetches.push(Fetch { client, port, request, answer: Fetched::ToCome });
            Fetched::ToCome
        }
    };
    io.waits = answer == Fetched::ToCome;
    network.asks |= io.waits;
    let Fetched::Bytes(bytes) = answer else { return Err(answer) };
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status_line = head.lines().next().unwrap_or_default().to_owned();
    Ok(Reply { status_line, head: format!("{head}\r\n\r\n"), body: body.to_owned() })
}

/// Writes a body where it is wanted.
fn put(name: &str, file: Option<&str>, body: &str, io: &mut Io<'_>) -> i32 {
    match file {
        None | Some("-") => io.output.push_str(body),
        Some(file) => {
            let path = io.path(file);
            if let Err(error) = io.files.write(&path, body, false) {
                io.complain(name, file, error);
                return 1;
            }
        }
    }
    0
}

fn curl(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let line = Line::read(arguments, "oXwHdmAeu");
    let place = Place::of(line.url, io);
    let (host, port) = (place.host, place.port);
    let fails = |io: &mut Io<'_>, code: i32, why: &str| {
        if !line.has('s') || line.has('S') {
            io.say(format_args!("curl: ({code}) {why}\n"));
        }
        code
    };
    let Some(client) = place.ip else {
        return fails(io, 6, &format!("Could not resolve host: {host}"));
    };
    let method = line.value('X').unwrap_or(match (line.has('I'), line.value('d')) {
        (true, _) => "HEAD",
        (false, Some(_)) => "POST",
        (false, None) => "GET",
    });
    let mut request = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n",
        place.path, place.authority
    );
    for (_, header) in line.values.iter().filter(|(name, _)| *name == 'H') {
        request.extend([header, "\r\n"]);
    }
    let body = line.value('d').unwrap_or_default();
    if !body.is_empty() {
        request.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
    }
    request.extend(["\r\n", body]);
    let reply = match fetch(io, client, port, request) {
        Err(Fetched::Refused) => {
            let why = format!(
                "Failed to connect to {host} port {port} after 0 ms: Could not connect to server"
            );
            return fails(io, 7, &why);
        }
        Err(_) => return 0,
        Ok(reply) if reply.status_line.is_empty() => {
            return fails(io, 52, "Empty reply from server");
        }
        Ok(reply) => reply,
    };
    let code = reply.code();
    let mut status = 0;
    if line.has('f') && code.parse::<u16>().is_ok_and(|code| code >= 400) {
        status = fails(io, 22, &format!("The requested URL returned error: {code}"));
    } else {
        let head = if line.has('i') || line.has('I') { &*reply.head } else { "" };
        status += put("curl", line.value('o'), &[head, &reply.body].concat(), io);
    }
    if let Some(format) = line.value('w') {
        let text = format.replace("%{http_code}", code).replace("\\n", "\n");
        io.output.push_str(&text);
    }
    status
}

/// The words and the status are `BusyBox`'s, or GNU's in an image with a Debian, which says no more than why it fails.
fn wget(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let line = Line::read(arguments, "oOTtUPH");
    let place = Place::of(line.url, io);
    let (host, port) = (place.host, place.port);
    let (is_gnu, is_quiet) = (io.userland == Userland::Debian, line.has('q'));
    let fails = |io: &mut Io<'_>, code: i32, why: &str, gnu: &str| {
        match (is_gnu, is_quiet) {
            (false, _) => io.say(format_args!("wget: {why}\n")),
            (true, false) => io.say(format_args!("{gnu}\n")),
            (true, true) => {}
        }
        if is_gnu { code } else { 1 }
    };
    let Some(client) = place.ip else {
        let (why, gnu) = ("bad address", "wget: unable to resolve host address");
        return fails(io, 4, &format!("{why} '{host}'"), &format!("{gnu} '{host}'"));
    };
    let agent = if is_gnu { "Wget/1.25.0" } else { "Wget" };
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n",
        place.path, place.authority
    );
    let answer = fetch(io, client, port, request);
    if io.waits {
        return 0;
    }
    let tells = !is_quiet && !is_gnu;
    if tells {
        io.say(format_args!("Connecting to {host} ({client}:{port})\n"));
    }
    let Ok(reply) = answer else {
        let why = format!("can't connect to remote host ({client}): Connection refused");
        let gnu = format!("Connecting to {host}|{client}|:{port}... failed: Connection refused.");
        return fails(io, 4, &why, &gnu);
    };
    match reply.code() {
        "200" => {}
        "" => return fails(io, 4, "error getting response", "No data received."),
        _ => {
            let why = format!("server returned error: {}", reply.status_line);
            return fails(io, 8, &why, &reply.status_line.replacen("HTTP/1.1", "ERROR", 1));
        }
    }
    if line.has('z') {
        return 0;
    }
    let name = place.path.rsplit('/').next().filter(|name| !name.is_empty());
    let file = line.value('O').unwrap_or(name.unwrap_or("index.html"));
    if tells && file != "-" {
        io.say(format_args!("saving to '{file}'\n'{file}' saved\n"));
    }
    put("wget", Some(file), &reply.body, io)
}
