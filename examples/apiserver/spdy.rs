//! SPDY/3.1, as far as it forwards ports: what the API server and kubelets have spoken before web sockets, and
//! what kubectl still speaks inside of one.
//!
//! Mirrors: `moby/spdystream`, and `httpstream.go` of the kubelet's streaming `portforward`. Neither keeps windows,
//! so none is kept here.

use std::collections::BTreeMap;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::engine::Piece;
use super::forward::{Heard, Protocol};

/// What a stream of headers is compressed with from its beginning, as the protocol has it: words, each behind its
/// length, and a text.
const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language \
    accept-ranges age allow authorization cache-control connection content-base content-encoding content-language \
    content-length content-location content-md5 content-range content-type date etag expect expires from host \
    if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
    user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie \
    keep-alive origin";
const TEXT: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
    203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized\
    403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable\
    Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
    chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,\
    text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
/// The checksum of that dictionary.
const DICTIONARY: [u8; 4] = [0xe3, 0xc6, 0xa7, 0xc2];
/// What deflate may look back at.
const WINDOW: usize = 32 * 1024;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const HEADERS: u16 = 8;
/// The flag that nothing more comes.
const FIN: u8 = 1;
/// Why a stream is reset.
const PROTOCOL_ERROR: u32 = 1;
const REFUSED_STREAM: u32 = 3;

/// No frame of control, and no headers, are longer.
const MOST_CONTROL: usize = 64 * 1024;
/// So many connections may be open.
const MOST_CONNECTIONS: usize = 1_000;
/// What one frame of ours carries at most.
const MOST_DATA: usize = 32 * 1024;

/// The server's side of a session.
pub struct Session {
    received: Vec<u8>,
    inflate: Inflate,
    /// Whether the headers of ours have begun.
    has_replied: bool,
    /// Streams that wait for their other half, by what the client calls the two together.
    halves: BTreeMap<String, (Kind, u32)>,
    connections: BTreeMap<u32, Pair>,
    next: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Error,
}

/// The streams of a connection.
#[derive(Clone, Copy)]
struct Pair {
    data: u32,
    error: u32,
}

/// The headers of the client, which are one compressed text.
struct Inflate {
    state: Box<DecompressorOxide>,
    window: Vec<u8>,
    at: usize,
    has_begun: bool,
}

impl Session {
    /// At its beginning.
    pub fn new() -> Self {
        let mut window: Vec<u8> = Vec::with_capacity(WINDOW);
        for word in WORDS.split(' ') {
            let word = word.replace('_', " ");
            window.extend(u32::try_from(word.len()).unwrap_or_default().to_be_bytes());
            window.extend(word.bytes());
        }
        window.extend(TEXT.bytes());
        let at = window.len();
        window.resize(WINDOW, 0);
        let state = Box::default();
        Self {
            received: Vec::new(),
            inflate: Inflate { state, window, at, has_begun: false },
            has_replied: false,
            halves: BTreeMap::new(),
            connections: BTreeMap::new(),
            next: 0,
        }
    }

    /// The next whole frame: its first word, its flags, and what it carries. None if it is not there yet.
    fn frame(&mut self) -> Option<(u32, u8, Vec<u8>)> {
        let (head, _) = self.received.split_first_chunk::<8>()?;
        let (first, rest) = head.split_first_chunk::<4>()?;
        let second = u32::from_be_bytes(rest.try_into().ok()?);
        let (first, length) = (u32::from_be_bytes(*first), second as usize & 0x00ff_ffff);
        let end = length.checked_add(8).filter(|end| *end <= self.received.len())?;
        let body = self.received.drain(..end).skip(8).collect();
        Some((first, second.to_be_bytes()[0], body))
    }

    /// Whether a frame has begun that will not be waited for.
    fn is_overlong(&self) -> bool {
        let is_control = self.received.first().is_some_and(|first| first & 0x80 != 0);
        let length = self.received.get(5..8).unwrap_or_default();
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        is_control && length > MOST_CONTROL
    }

    fn data(&self, stream: u32, flags: u8, body: Vec<u8>, heard: &mut Heard) {
        let mut pairs = self.connections.iter();
        let Some((number, _)) = pairs.find(|(_, pair)| pair.data == stream) else { return };
        if !body.is_empty() {
            heard.pieces.push((*number, Piece::Bytes(body)));
        }
        if flags & FIN != 0 {
            heard.pieces.push((*number, Piece::End));
        }
    }

    /// Takes a frame of control; none if it makes no sense.
    fn control(&mut self, kind: u16, body: &[u8], heard: &mut Heard) -> Option<()> {
        match kind {
            SYN_STREAM => {
                let stream = number(body)?;
                let headers = self.inflate.headers(body.get(10..)?)?;
                self.open(stream, &headers, heard);
            }
            SYN_REPLY | HEADERS => {
                // Nobody asks for them, but what they add to the text is looked back at.
                self.inflate.headers(body.get(4..)?)?;
            }
            RST_STREAM => {
                let stream = number(body)?;
                let is_meant = |pair: &Pair| pair.data == stream || pair.error == stream;
                let found = self.connections.iter().find(|(_, pair)| is_meant(pair));
                if let Some(number) = found.map(|(number, _)| *number) {
                    self.connections.remove(&number);
                    heard.pieces.push((number, Piece::End));
                }
            }
            PING => heard.messages.push(control(PING, &[body.get(..4)?])),
            GOAWAY => heard.is_over = self.connections.is_empty(),
            // Settings and windows change nothing here.
            _ => {}
        }
        Some(())
    }

    /// A stream begins. Once it has its other half, they are a connection.
    fn open(&mut self, stream: u32, headers: &[(String, String)], heard: &mut Heard) {
        let header =
            |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, value)| value);
        let kind = match header("streamtype").map(String::as_str) {
            Some("data") => Some(Kind::Data),
            Some("error") => Some(Kind::Error),
            Some(_) | None => None,
        };
        let port =
            header("port").and_then(|port| port.parse::<u16>().ok()).filter(|port| *port > 0);
        let (Some(kind), Some(port)) = (kind, port) else {
            return heard.messages.push(reset(stream, PROTOCOL_ERROR));
        };
        if self.connections.len() + self.halves.len() >= MOST_CONNECTIONS {
            return heard.messages.push(reset(stream, REFUSED_STREAM));
        }
        heard.messages.push(self.reply(stream));
        // Clients of long ago give the two no name: the data come right after the errors.
        let first = stream.wrapping_sub(if kind == Kind::Data { 2 } else { 0 });
        let pair = header("requestid").cloned().unwrap_or_else(|| first.to_string());
        match self.halves.remove(&pair) {
            Some((other, half)) if other != kind => {
                self.next += 1;
                let (data, error) =
                    if kind == Kind::Data { (stream, half) } else { (half, stream) };
                self.connections.insert(self.next, Pair { data, error });
                heard.pieces.push((self.next, Piece::Open(port)));
            }
            Some(_) | None => {
                self.halves.insert(pair, (kind, stream));
            }
        }
    }

    /// Accepts a stream, without headers.
    fn reply(&mut self, stream: u32) -> Vec<u8> {
        let mut headers = Vec::new();
        if !self.has_replied {
            self.has_replied = true;
            headers.extend([0x78, 0x20]);
            headers.extend(DICTIONARY);
        }
        // Stored as it is: four bytes, which say that there are none; then an empty block, behind which who
        // inflates stops and hands on what there is.
        headers.extend([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0]);
        headers.extend([0, 0, 0, 0xff, 0xff]);
        control(SYN_REPLY, &[&stream.to_be_bytes(), &headers])
    }
}

impl Protocol for Session {
    fn heard(&mut self, bytes: &[u8]) -> Heard {
        let mut heard = Heard::default();
        self.received.extend(bytes);
        while let Some((first, flags, body)) = self.frame() {
            if first & 0x8000_0000 == 0 {
                self.data(first, flags, body, &mut heard);
                continue;
            }
            let kind = u16::try_from(first & 0xffff).unwrap_or_default();
            let is_known = first >> 16 == 0x8003 && body.len() <= MOST_CONTROL;
            if !is_known || self.control(kind, &body, &mut heard).is_none() {
                heard.is_over = true;
                return heard;
            }
        }
        heard.is_over |= self.is_overlong();
        heard
    }

    fn told(&mut self, connection: u32, piece: Piece) -> Vec<Vec<u8>> {
        let Some(Pair { data, error }) = self.connections.get(&connection).copied() else {
            return Vec::new();
        };
        let ends = [frame(error, FIN, &[]), frame(data, FIN, &[])];
        match piece {
            Piece::Bytes(bytes) => {
                bytes.chunks(MOST_DATA).map(|chunk| frame(data, 0, chunk)).collect()
            }
            Piece::Open(_) => Vec::new(),
            Piece::End => {
                self.connections.remove(&connection);
                ends.into()
            }
            Piece::Error(why) => {
                self.connections.remove(&connection);
                [frame(error, 0, why.as_bytes())].into_iter().chain(ends).collect()
            }
        }
    }
}

impl Inflate {
    /// Reads a block of headers; none if it is damaged.
    fn headers(&mut self, block: &[u8]) -> Option<Vec<(String, String)>> {
        let text = self.inflate(block)?;
        let mut rest = &*text;
        let count = take_number(&mut rest)?;
        let mut headers = Vec::new();
        for _ in 0..count {
            let mut text = || {
                let length = take_number(&mut rest)?;
                let (text, after) = rest.split_at_checked(length as usize)?;
                rest = after;
                Some(String::from_utf8_lossy(text).into_owned())
            };
            headers.push((text()?, text()?));
        }
        Some(headers)
    }

    fn inflate(&mut self, block: &[u8]) -> Option<Vec<u8>> {
        let mut block = block;
        if !self.has_begun {
            self.has_begun = true;
            let (head, rest) = block.split_first_chunk::<6>()?;
            block = (head.get(2..)? == DICTIONARY).then_some(rest)?;
        }
        let mut text = Vec::new();
        loop {
            let (window, at, flags) = (&mut self.window, self.at, TINFL_FLAG_HAS_MORE_INPUT);
            let (status, read, written) = decompress(&mut self.state, block, window, at, flags);
            text.extend(self.window.get(at..at.checked_add(written)?)?);
            self.at = (at + written) % WINDOW;
            block = block.get(read..)?;
            if text.len() > MOST_CONTROL {
                return None;
            }
            if status == TINFLStatus::NeedsMoreInput && block.is_empty() {
                return Some(text);
            }
            if status != TINFLStatus::HasMoreOutput {
                return None;
            }
        }
    }
}

/// The stream or other number at the beginning of a frame.
fn number(body: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*body.first_chunk::<4>()?) & 0x7fff_ffff)
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

fn control(kind: u16, parts: &[&[u8]]) -> Vec<u8> {
    let [high, low] = kind.to_be_bytes();
    framed([0x80, 3, high, low], 0, &parts.concat())
}

fn reset(stream: u32, why: u32) -> Vec<u8> {
    control(RST_STREAM, &[&stream.to_be_bytes(), &why.to_be_bytes()])
}

/// A frame of data.
fn frame(stream: u32, flags: u8, bytes: &[u8]) -> Vec<u8> {
    framed(stream.to_be_bytes(), flags, bytes)
}

fn framed(first: [u8; 4], flags: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or_default() | u32::from(flags) << 24;
    [&first, &length.to_be_bytes(), body].concat()
}
