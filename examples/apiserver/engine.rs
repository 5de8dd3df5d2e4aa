//! The thread that holds the cluster.

#![expect(clippy::disallowed_types, reason = "here the engine's time follows the real one")]

use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant as WallInstant};

use podflow::testing::api::caller::Credentials;
use podflow::testing::api::port_forward;
use podflow::testing::api::request::{Answer, RequestId};
use podflow::testing::cluster::{Cluster, HttpCall, MOST_NODES, Setup};
use podflow::testing::sim::Instant;
use tokio::sync::{mpsc, oneshot};

/// So much of what a stream tells waits for a client that does not read them.
const MOST_UNREAD: usize = 10_000;
/// Time is moved at least this often, so that streams flow.
const TICK: Duration = Duration::from_millis(5);

/// What comes back for a request.
pub struct Reply {
    pub code: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// The body of an answer.
pub enum Body {
    Whole(Vec<u8>),
    /// What a watch tells, or an answer goes on with, as it comes.
    Stream(mpsc::Receiver<Vec<u8>>),
    /// What comes out of forwarded ports, with the number of the connection.
    Pieces(mpsc::Receiver<(u32, Piece)>),
}

/// What travels in a connection, either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Open(u16),
    Bytes(Vec<u8>),
    End,
    Error(String),
}

/// What is sent to what a request has begun.
pub enum Input {
    /// None says that there is no more.
    Text(Option<String>),
    Piece(u32, Piece),
}

struct Asked {
    call: Request,
    reply: oneshot::Sender<Reply>,
}

/// A request as it leaves the connection: plain text, since the cluster's own types stay in its thread.
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    pub content_type: String,
    pub accept: String,
    /// The protocol that the answer is to go on in.
    pub upgrade: Option<String>,
    /// What it shows at the secure door; none came through the other.
    pub shown: Option<Shown>,
    pub body: Option<String>,
    /// What is sent to what it begins.
    pub input: Option<mpsc::Receiver<Input>>,
}

/// The headers by which a caller says who they are.
pub struct Shown {
    pub authorization: Option<String>,
    pub user: Option<String>,
    pub groups: Vec<String>,
}

/// Hands requests to the cluster's thread.
#[derive(Clone)]
pub struct Engine {
    asks: Sender<Asked>,
}

impl Engine {
    /// Starts a cluster in a thread of its own.
    ///
    /// # Errors
    ///
    /// There are too many nodes, or there is no thread.
    pub fn start(seed: u64, nodes: usize, gear: f64) -> Result<Self, Box<dyn std::error::Error>> {
        if nodes > MOST_NODES {
            return Err(format!("--nodes: at most {MOST_NODES}").into());
        }
        let (asks, asked) = channel();
        let hold = move || Paced::new(&Setup::new(seed, nodes), gear).run(&asked);
        thread::Builder::new().name("cluster".to_owned()).spawn(hold)?;
        Ok(Self { asks })
    }

    /// Sends a request and waits for what comes back; none if the cluster is gone.
    pub async fn ask(&self, call: Request) -> Option<Reply> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Asked { call, reply }).ok()?;
        answer.await.ok()
    }
}

/// A cluster whose time goes as the wall clock does.
struct Paced {
    cluster: Cluster,
    gear: f64,
    began: WallInstant,
    waiting: Vec<Waiting>,
    streams: Vec<Stream>,
}

struct Waiting {
    id: RequestId,
    reply: oneshot::Sender<Reply>,
    input: Option<mpsc::Receiver<Input>>,
    forwards: bool,
}

struct Stream {
    id: RequestId,
    sent: usize,
    input: Option<mpsc::Receiver<Input>>,
    told: Told,
}

/// Whether what stands at `path` is connections to ports.
pub fn forwards(path: &str) -> bool {
    path.ends_with("/portforward")
}

/// Who hears it.
enum Told {
    Lines(mpsc::Sender<Vec<u8>>),
    Pieces(mpsc::Sender<(u32, Piece)>),
}

impl Told {
    /// Hands on what there is after the first `sent`; false if the client is too slow, or gone.
    fn tell(&self, cluster: &Cluster, id: RequestId, sent: &mut usize) -> bool {
        let seen = *sent;
        let mut count = |is_taken: bool| {
            *sent += usize::from(is_taken);
            is_taken
        };
        match self {
            Self::Lines(lines) => {
                let mut new = cluster.lines(id, seen);
                new.all(|line| count(lines.try_send(line.into_bytes()).is_ok()))
            }
            Self::Pieces(pieces) => {
                let mut new = cluster.forwarded(id, seen);
                new.all(|it| count(pieces.try_send((it.connection, sendable(&it.piece))).is_ok()))
            }
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Lines(lines) => lines.is_closed(),
            Self::Pieces(pieces) => pieces.is_closed(),
        }
    }
}

/// A piece that may leave its thread, and one that has come into it.
fn sendable(piece: &port_forward::Piece) -> Piece {
    match piece {
        port_forward::Piece::Open(port) => Piece::Open(*port),
        port_forward::Piece::Bytes(bytes) => Piece::Bytes(bytes.to_vec()),
        port_forward::Piece::End => Piece::End,
        port_forward::Piece::Error(why) => Piece::Error(why.to_string()),
    }
}

fn held(piece: Piece) -> port_forward::Piece {
    match piece {
        Piece::Open(port) => port_forward::Piece::Open(port),
        Piece::Bytes(bytes) => port_forward::Piece::Bytes(bytes.into()),
        Piece::End => port_forward::Piece::End,
        Piece::Error(why) => port_forward::Piece::Error(why.into()),
    }
}

impl Paced {
    fn new(setup: &Setup, gear: f64) -> Self {
        let cluster = Cluster::new(setup);
        Self { cluster, gear, began: WallInstant::now(), waiting: Vec::new(), streams: Vec::new() }
    }

    fn run(mut self, asked: &Receiver<Asked>) {
        loop {
            match asked.recv_timeout(TICK) {
                Ok(asked) => {
                    self.catch_up();
                    self.submit(asked);
                }
                Err(RecvTimeoutError::Timeout) => self.catch_up(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.answer();
            self.stream();
        }
    }

    fn catch_up(&mut self) {
        let passed = self.began.elapsed().mul_f64(self.gear);
        self.cluster.run_until(Instant::default() + passed);
    }

    fn submit(&mut self, asked: Asked) {
        let Request { method, path, content_type, accept, upgrade, shown, body, input } =
            asked.call;
        let forwards = forwards(path.split('?').next().unwrap_or_default());
        let mut call = HttpCall::new(&method, &path, None);
        call.content_type = content_type.into();
        call.accept = accept.into();
        call.upgrade = upgrade.map(Into::into);
        call.credentials = shown.map(|Shown { authorization, user, groups }| {
            let groups = groups.iter().map(String::as_str);
            Rc::new(Credentials::of_headers(authorization.as_deref(), user.as_deref(), groups))
        });
        if let Some(body) = body {
            call = call.with_text(&body);
        }
        let id = self.cluster.submit(&call);
        self.waiting.push(Waiting { id, reply: asked.reply, input, forwards });
    }

    fn answer(&mut self) {
        for Waiting { id, reply, input, forwards } in std::mem::take(&mut self.waiting) {
            let (Some(response), Some(http)) = (self.cluster.answer(id), self.cluster.reply(id))
            else {
                self.waiting.push(Waiting { id, reply, input, forwards });
                continue;
            };
            let goes_on =
                matches!(response.result, Ok(Answer::Watching | Answer::Streaming { .. }));
            let body = if goes_on {
                let (told, body) = if forwards {
                    let (pieces, received) = mpsc::channel(MOST_UNREAD);
                    (Told::Pieces(pieces), Body::Pieces(received))
                } else {
                    let (lines, received) = mpsc::channel(MOST_UNREAD);
                    (Told::Lines(lines), Body::Stream(received))
                };
                self.streams.push(Stream { id, sent: 0, input, told });
                body
            } else {
                Body::Whole(http.body.into())
            };
            let reply_with = Reply {
                code: http.code,
                content_type: http.content_type,
                headers: http.headers,
                body,
            };
            // A client that has gone away needs no answer.
            drop(reply.send(reply_with));
        }
    }

    /// Hands on what streams tell and are told. A stream whose client has gone, or reads too slowly, ends.
    fn stream(&mut self) {
        let Self { cluster, streams, .. } = self;
        let mut over = Vec::new();
        streams.retain_mut(|stream| {
            while let Some(Ok(input)) = stream.input.as_mut().map(mpsc::Receiver::try_recv) {
                match input {
                    Input::Text(text) => cluster.type_in(stream.id, text.as_deref()),
                    Input::Piece(number, piece) => cluster.forward(stream.id, number, held(piece)),
                }
            }
            let is_heard = stream.told.tell(cluster, stream.id, &mut stream.sent);
            let is_gone = !is_heard || stream.told.is_closed();
            let ends = is_gone || cluster.is_over(stream.id, stream.sent);
            if ends {
                over.push(stream.id);
            }
            !ends
        });
        for id in over {
            cluster.hang_up(id);
        }
    }
}
