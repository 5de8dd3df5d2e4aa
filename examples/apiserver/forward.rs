//! Forwarded ports: the protocols that clients speak for them, and who speaks these.
//!
//! Mirrors: the kubelet's streaming `portforward`, and `apiserver/pkg/util/proxy/streamtunnel.go`.

use hyper::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::engine::{Input, Piece};
use super::spdy;

/// What the protocols are called: over SPDY, over SPDY in a web socket, and over a web socket alone.
pub const PORT_FORWARD: &str = "portforward.k8s.io";
pub const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
pub const CHANNELS: &str = "v4.channel.k8s.io";
/// The header that says what is spoken over SPDY.
const VERSION: &str = "x-stream-protocol-version";

/// What comes of what the client has sent.
#[derive(Debug, Default)]
pub struct Heard {
    /// For the Pod, with the number of the connection.
    pub pieces: Vec<(u32, Piece)>,
    /// For the client.
    pub messages: Vec<Vec<u8>>,
    /// Whether there is nothing more to be said.
    pub is_over: bool,
}

/// How connections travel.
pub trait Protocol: Send {
    /// What is sent before anything else.
    fn begin(&mut self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// The client has sent something.
    fn heard(&mut self, bytes: &[u8]) -> Heard;

    /// Something comes out of a connection: what the client is sent of it.
    fn told(&mut self, connection: u32, piece: Piece) -> Vec<Vec<u8>>;

    /// Whether all connections are over that there will ever be.
    fn is_over(&self) -> bool {
        false
    }
}

/// The protocol of a web socket that is called so, for a request to this path.
pub fn protocol(name: &str, path: &str) -> Box<dyn Protocol> {
    if name == CHANNELS { Box::new(Channels::new(path)) } else { Box::new(spdy::Session::new()) }
}

/// Connections to the ports that the query names: two channels for each, the first byte of a message says which.
pub struct Channels {
    ports: Vec<u16>,
    over: usize,
}

impl Channels {
    fn new(path: &str) -> Self {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let lists = query.split('&').filter_map(|pair| pair.strip_prefix("ports="));
        let lists = lists.map(|list| list.replace("%2C", ",").replace("%2c", ","));
        let ports = lists.flat_map(|list| {
            list.split(',').filter_map(|port| port.parse().ok()).collect::<Vec<u16>>()
        });
        Self { ports: ports.collect(), over: 0 }
    }
}

/// The numbers of a connection's channels: for what travels in it, and for why it failed.
fn channels(connection: u32) -> (u8, u8) {
    let data = u8::try_from(connection * 2).unwrap_or(u8::MAX - 1);
    (data, data + 1)
}

impl Protocol for Channels {
    /// On each channel, its port.
    fn begin(&mut self) -> Vec<Vec<u8>> {
        let both = |(number, port): (u32, &u16)| {
            let (data, error) = channels(number);
            [data, error].map(|channel| [&[channel][..], &port.to_le_bytes()].concat())
        };
        (0..).zip(&self.ports).flat_map(both).collect()
    }

    fn heard(&mut self, message: &[u8]) -> Heard {
        let mut heard = Heard::default();
        if let [channel, bytes @ ..] = message
            && channel % 2 == 0
            && !bytes.is_empty()
        {
            heard.pieces.push((u32::from(channel / 2), Piece::Bytes(bytes.to_vec())));
        }
        heard
    }

    fn told(&mut self, connection: u32, piece: Piece) -> Vec<Vec<u8>> {
        let (data, error) = channels(connection);
        let message = |channel: u8, bytes: &[u8]| vec![[&[channel], bytes].concat()];
        match piece {
            Piece::Bytes(bytes) => message(data, &bytes),
            Piece::Open(_) => Vec::new(),
            Piece::End => {
                self.over += 1;
                Vec::new()
            }
            Piece::Error(why) => {
                self.over += 1;
                message(error, why.as_bytes())
            }
        }
    }

    fn is_over(&self) -> bool {
        self.over >= self.ports.len()
    }
}

/// The headers of an answer that switches to SPDY; none if the request offers nothing that it would be spoken for.
pub fn accepted(request: &HeaderMap) -> Option<HeaderMap> {
    let mut offered = request.get_all(VERSION).into_iter();
    offered.find(|version| *version == PORT_FORWARD)?;
    let mut headers = HeaderMap::from_iter([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("SPDY/3.1")),
    ]);
    headers.insert(VERSION, HeaderValue::from_static(PORT_FORWARD));
    Some(headers)
}

/// Speaks SPDY as it is, until the client goes.
pub async fn speak(
    switched: OnUpgrade,
    mut told: mpsc::Receiver<(u32, Piece)>,
    sent: mpsc::Sender<Input>,
) {
    let Ok(connection) = switched.await else { return };
    let mut connection: TokioIo<Upgraded> = TokioIo::new(connection);
    let mut session = spdy::Session::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let (messages, is_over) = tokio::select! {
            piece = told.recv() => match piece {
                Some((number, piece)) => (session.told(number, piece), false),
                None => return,
            },
            read = connection.read(&mut buffer) => {
                let bytes = read.ok().and_then(|read| buffer.get(..read));
                let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return };
                hand_on(session.heard(bytes), &sent).await
            }
        };
        if connection.write_all(&messages.concat()).await.is_err() || is_over {
            return;
        }
    }
}

/// Hands on what is for the Pod: what is left is for the client, and whether that is all.
pub async fn hand_on(heard: Heard, sent: &mpsc::Sender<Input>) -> (Vec<Vec<u8>>, bool) {
    for (number, piece) in heard.pieces {
        // An engine that is gone hears nothing.
        drop(sent.send(Input::Piece(number, piece)).await);
    }
    (heard.messages, heard.is_over)
}
