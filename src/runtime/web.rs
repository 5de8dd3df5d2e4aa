//! Web servers: what they make of the bytes that they are sent, as those of the well-known images answer and log.
//!
//! Mirrors: nginx `src/http` (`ngx_http_parse.c`, `ngx_http_header_filter_module.c`, `ngx_http_special_response.c`),
//! Apache's `modules/http`, and `test/images/agnhost`. Left out: escapes in paths, ranges, conditions, bodies in
//! chunks, and the end of connections on which nothing happens.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::cri::Stream;
use super::shell::{Entry, Files};
use super::surroundings::date;

/// A request's head may not be longer.
const MAX_HEAD: usize = 32 * 1024;
/// So much of a request's first line is logged.
const MAX_LINE: usize = 1_024;
/// No body of a request to nginx may be longer, unless it is told so; and how it refuses one.
const MAX_BODY: usize = 1 << 20;
const TOO_LARGE: u16 = 413;
/// Once it has answered so often, or with so much, at one time, a server closes the connection.
const MOST_ANSWERS: usize = 100;
const MAX_ANSWER: usize = 1 << 20;
/// When the files of images were made: the release of nginx 1.29.3.
const MODIFIED: i64 = 1_761_653_110;
/// The moments of the `Date` and of the log.
const DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
const LOGGED: &str = "%d/%b/%Y:%H:%M:%S +0000";

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Web {
    Nginx,
    Apache,
    /// `agnhost netexec`.
    Netexec,
    /// `agnhost serve-hostname`.
    Hostname,
}

/// Where the files of nginx are in its images.
pub const NGINX_ROOT: &str = "/usr/share/nginx/html";
/// Where those of Apache are.
pub const APACHE_ROOT: &str = "/usr/local/apache2/htdocs";
/// What is there for nginx; the words are ours.
pub const NGINX_PAGE: &str = "\
<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx, here in Podflow</h1>
<p>The server runs; what it shows stands in /usr/share/nginx/html.</p>
</body>
</html>
";
/// What is there for Apache, in our words, too.
pub const APACHE_PAGE: &str = "<html><body><h1>Apache runs, here in Podflow</h1></body></html>\n";

/// The last of each minor release, the newest first.
const NGINX: &[&str] = &[
    "1.29.3", "1.28.0", "1.27.5", "1.26.3", "1.25.5", "1.24.0", "1.23.4", "1.22.1", "1.21.6",
    "1.20.2", "1.19.10", "1.18.0", "1.17.10", "1.16.1", "1.15.12", "1.14.2",
];
const APACHE: &[&str] = &["2.4.65"];

/// The version of the server in an image of nginx or Apache, by the image's tag.
pub fn version(image: &str) -> &str {
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, ""));
    let tag = tag.split('-').next().unwrap_or_default();
    let releases = if name.contains("httpd") { APACHE } else { NGINX };
    let is_whole = tag.split('.').filter(|part| part.parse::<u16>().is_ok()).count() == 3;
    let is_of =
        |release: &&&str| release.strip_prefix(tag).is_some_and(|rest| rest.starts_with('.'));
    match releases.iter().find(is_of) {
        _ if is_whole => tag,
        Some(release) => release,
        None => releases.get(usize::from(tag == "stable")).unwrap_or(&""),
    }
}

/// What was sent in a connection and is not answered yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// So much of a request's body is still to come; nobody reads it.
    body: usize,
}

/// What a server says.
#[derive(Debug, Default)]
pub struct Said {
    pub answer: Vec<u8>,
    /// Whether it then closes the connection.
    pub closes: bool,
    /// The lines of its log.
    pub log: Vec<(Stream, String)>,
}

/// A server as it stands when somebody asks.
#[derive(Debug)]
pub struct Site<'a> {
    pub web: Web,
    /// The image's name.
    pub image: &'a str,
    pub hostname: &'a str,
    pub files: &'a Files,
    pub client: Ipv4Addr,
    /// Which of its connections this is.
    pub connection: u64,
    pub at: Timestamp,
}

/// A request, as far as it matters.
#[derive(Debug, Default)]
struct Asked {
    line: String,
    method: String,
    target: String,
    /// What is wrong with it, if anything is.
    refused: Option<u16>,
    keeps: bool,
    /// Of its body.
    length: usize,
    host: Option<String>,
    referer: Option<String>,
    agent: Option<String>,
}

/// What is found for one.
struct Found {
    status: u16,
    media: &'static str,
    body: String,
    /// Whether it is a file.
    is_file: bool,
    location: String,
}

impl Inbox {
    /// Takes what was sent.
    pub fn receive(&mut self, bytes: &[u8]) {
        let skipped = self.body.min(bytes.len());
        self.body -= skipped;
        self.bytes.extend(bytes.get(skipped..).unwrap_or_default());
    }

    /// The next request, once its head is there or cannot be one.
    fn next(&mut self) -> Option<Asked> {
        let blank = self.bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.bytes.drain(..blank);
        let first = *self.bytes.first()?;
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if end.is_none() && first.is_ascii_uppercase() && self.bytes.len() < MAX_HEAD {
            return None;
        }
        let length = end.map_or(self.bytes.len(), |end| end + 4);
        let head: String = self.bytes.drain(..length).map(char::from).collect();
        let asked = Asked::read(&head);
        let skipped = asked.length.min(self.bytes.len());
        self.bytes.drain(..skipped);
        self.body = asked.length - skipped;
        Some(asked)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut own = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    own.next().map(|(_, value)| value.trim())
}

impl Asked {
    /// Reads a head, in which each character is a byte.
    fn read(head: &str) -> Self {
        let line = head.lines().next().unwrap_or_default();
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (method, target, version) = (word(), word(), word());
        let text = |name| header(head, name).map(str::to_owned);
        let is_method = |c: char| c.is_ascii_uppercase() || matches!(c, '_' | '-');
        let (host, is_new) = (text("host"), version == "HTTP/1.1");
        let refused = if method.is_empty()
            || !method.chars().all(is_method)
            || !target.starts_with('/')
            || target.split('/').any(|part| part == "..")
            || !version.starts_with("HTTP/")
            || host.is_none() && is_new
            || head.len() >= MAX_HEAD
        {
            Some(400)
        } else {
            (!is_new && version != "HTTP/1.0").then_some(505)
        };
        let connection = header(head, "connection").unwrap_or_default().to_ascii_lowercase();
        let keeps = if is_new { connection != "close" } else { connection == "keep-alive" };
        let length = header(head, "content-length").and_then(|text| text.parse().ok());
        Self {
            length: length.unwrap_or_default(),
            keeps: keeps && refused.is_none() && header(head, "transfer-encoding").is_none(),
            line: line.chars().take(MAX_LINE).collect(),
            method: method.to_owned(),
            target: target.to_owned(),
            refused,
            host,
            referer: text("referer"),
            agent: text("user-agent"),
        }
    }
}

impl Web {
    /// The path of its files, and what it calls itself.
    fn root(self) -> &'static str {
        match self {
            Self::Nginx => NGINX_ROOT,
            Self::Apache => APACHE_ROOT,
            Self::Netexec | Self::Hostname => "",
        }
    }

    /// Its headers, in their order; those without a value are left out.
    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &[
                "Server",
                "Date",
                "Content-Type",
                "Content-Length",
                "Last-Modified",
                "Location",
                "Connection",
                "ETag",
                "Accept-Ranges",
            ],
            Self::Apache => &[
                "Date",
                "Server",
                "Location",
                "Last-Modified",
                "ETag",
                "Accept-Ranges",
                "Content-Length",
                "Connection",
                "Content-Type",
            ],
            Self::Netexec | Self::Hostname => {
                &["Date", "Content-Length", "Content-Type", "Connection"]
            }
        }
    }
}

impl Site<'_> {
    /// Answers what is complete.
    pub fn serve(&self, inbox: &mut Inbox) -> Said {
        let mut said = Said::default();
        for _ in 0..MOST_ANSWERS {
            let Some(asked) = inbox.next().filter(|_| !said.closes) else { return said };
            self.answer(&asked, &mut said);
        }
        Said { closes: true, ..said }
    }

    fn answer(&self, asked: &Asked, said: &mut Said) {
        let found = self.find(asked);
        let stays = asked.keeps && found.status != TOO_LARGE && said.answer.len() < MAX_ANSWER;
        said.closes = !stays;
        let mut head = format!("HTTP/1.1 {} {}\r\n", found.status, self.words(found.status));
        for name in self.web.headers() {
            let value = match *name {
                "Server" => self.name(),
                "Date" => self.date(DATE),
                "Content-Type" => found.media.to_owned(),
                "Content-Length" => found.body.len().to_string(),
                "Location" => found.location.clone(),
                "Connection" if said.closes => "close".to_owned(),
                "Connection" if self.web == Web::Nginx => "keep-alive".to_owned(),
                "Last-Modified" if found.is_file => Timestamp::from_second(MODIFIED)
                    .ok()
                    .and_then(|at| date(DATE, at))
                    .unwrap_or_default(),
                "ETag" if found.is_file => format!("\"{MODIFIED:x}-{:x}\"", found.body.len()),
                "Accept-Ranges" if found.is_file => "bytes".to_owned(),
                _ => continue,
            };
            if !value.is_empty() {
                head.extend([name, ": ", &value, "\r\n"]);
            }
        }
        head.push_str("\r\n");
        let body = if asked.method == "HEAD" { "" } else { &found.body };
        said.answer.extend(head.bytes().chain(body.bytes()));
        self.log(asked, found.status, body.len(), &mut said.log);
    }

    fn find(&self, asked: &Asked) -> Found {
        let path = asked.target.split(['?', '#']).next().unwrap_or_default();
        if let Some(status) = asked.refused {
            return self.page(status, String::new());
        }
        if self.web == Web::Nginx && asked.length > MAX_BODY {
            return self.page(TOO_LARGE, String::new());
        }
        let media = "text/plain; charset=utf-8";
        let text = |body: String| Found {
            status: 200,
            media,
            body,
            is_file: false,
            location: String::new(),
        };
        match (self.web, path) {
            (Web::Nginx | Web::Apache, _) => self.file(asked, path),
            (Web::Hostname, _) => text(format!("{}\n", self.hostname)),
            (Web::Netexec, "/") => {
                text(format!("NOW: {}", self.date("%Y-%m-%d %H:%M:%S.%f +0000 UTC")))
            }
            (Web::Netexec, "/hostname") => text(self.hostname.to_owned()),
            (Web::Netexec, "/healthz") => text(String::new()),
            (Web::Netexec, _) => Found { status: 404, ..text("404 page not found\n".to_owned()) },
        }
    }

    fn file(&self, asked: &Asked, path: &str) -> Found {
        // Apache takes a POST to a file for a GET.
        let is_read = matches!(&*asked.method, "GET" | "HEAD")
            || self.web == Web::Apache && asked.method == "POST";
        if !is_read {
            return self.page(405, String::new());
        }
        let whole = self.path(path);
        match self.files.get(&whole) {
            Some(Entry::File(text)) => {
                let name = whole.rsplit('/').next().unwrap_or_default();
                let media = match name.rsplit_once('.').map_or("", |(_, end)| end) {
                    "html" | "htm" => "text/html",
                    "txt" => "text/plain",
                    "css" => "text/css",
                    "js" => "application/javascript",
                    "json" => "application/json",
                    _ if self.web == Web::Apache => "",
                    _ => "application/octet-stream",
                };
                let (body, location) = (text.to_string(), String::new());
                Found { status: 200, media, body, is_file: true, location }
            }
            Some(Entry::Directory) => {
                let host = asked.host.as_deref().unwrap_or("localhost");
                self.page(301, format!("http://{host}{path}/"))
            }
            None if self.is_directory(&whole) => self.page(403, String::new()),
            None => self.page(404, String::new()),
        }
    }

    /// The file that a path means.
    fn path(&self, path: &str) -> String {
        let index = if path.ends_with('/') { "index.html" } else { "" };
        [self.web.root(), path, index].concat()
    }

    /// Whether it is the page that is missing in a directory that there is.
    fn is_directory(&self, whole: &str) -> bool {
        let above = whole.strip_suffix("/index.html");
        above.is_some_and(|above| self.files.get(above) == Some(&Entry::Directory))
    }

    /// What a server has to say itself.
    fn page(&self, status: u16, location: String) -> Found {
        let (words, name) = (self.words(status), self.name());
        let body = format!(
            "<html>\r\n<head><title>{status} {words}</title></head>\r\n<body>\r\n\
             <center><h1>{status} {words}</h1></center>\r\n<hr><center>{name}</center>\r\n\
             </body>\r\n</html>\r\n"
        );
        Found { status, media: "text/html", body, is_file: false, location }
    }

    fn words(&self, status: u16) -> &'static str {
        match status {
            200 => "OK",
            301 => "Moved Permanently",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 if self.web == Web::Nginx => "Not Allowed",
            405 => "Method Not Allowed",
            TOO_LARGE => "Request Entity Too Large",
            _ => "HTTP Version Not Supported",
        }
    }

    /// What the server calls itself.
    fn name(&self) -> String {
        let version = version(self.image);
        match self.web {
            Web::Nginx => format!("nginx/{version}"),
            Web::Apache => format!("Apache/{version} (Unix)"),
            Web::Netexec | Web::Hostname => String::new(),
        }
    }

    fn date(&self, format: &str) -> String {
        date(format, self.at).unwrap_or_default()
    }

    fn log(&self, asked: &Asked, status: u16, bytes: usize, log: &mut Vec<(Stream, String)>) {
        let (client, at, line) = (self.client, self.date(LOGGED), logged(&asked.line));
        match self.web {
            Web::Nginx => {
                let path = asked.target.split('?').next().unwrap_or_default();
                let file = self.path(path);
                let none = "(2: No such file or directory)";
                let why = match status {
                    404 if path.ends_with('/') => format!("\"{file}\" is not found {none}"),
                    404 => format!("open() \"{file}\" failed {none}"),
                    403 => {
                        let above = file.trim_end_matches("index.html");
                        format!("directory index of \"{above}\" is forbidden")
                    }
                    _ => String::new(),
                };
                if !why.is_empty() {
                    let at = self.date("%Y/%m/%d %H:%M:%S");
                    let host = asked.host.as_deref().map(logged);
                    let host = host.map_or_else(String::new, |host| format!(", host: \"{host}\""));
                    let text = format!(
                        "{at} [error] 29#29: *{} {why}, client: {client}, server: localhost, \
                         request: \"{line}\"{host}\n",
                        self.connection
                    );
                    log.push((Stream::Stderr, text));
                }
                let text = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), logged);
                let (referer, agent) = (text(&asked.referer), text(&asked.agent));
                let text = format!(
                    "{client} - - [{at}] \"{line}\" {status} {bytes} \"{referer}\" \"{agent}\" \"-\"\n"
                );
                log.push((Stream::Stdout, text));
            }
            Web::Apache => {
                let bytes = if bytes == 0 { "-".to_owned() } else { bytes.to_string() };
                let text = format!("{client} - - [{at}] \"{line}\" {status} {bytes}\n");
                log.push((Stream::Stdout, text));
            }
            Web::Netexec | Web::Hostname => {}
        }
    }
}

/// What was sent, as it stands in a log.
fn logged(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => safe.extend([format!("\\x{:02X}", u32::from(c))]),
            ' '..='~' => safe.push(c),
            _ => safe.extend([format!("\\x{:02X}", u32::from(c))]),
        }
    }
    safe
}
