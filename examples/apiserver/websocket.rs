//! Web sockets: what kubectl switches to when a command is to run in a container, or a port is forwarded.
//!
//! Mirrors: `apimachinery/pkg/util/remotecommand`; how large the client's window is makes no difference.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::engine::{Input, Piece};
use crate::forward::{CHANNELS, Protocol, TUNNEL, hand_on};

/// So long a client has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);
/// The first byte of a message is its channel; the last message of the channel of errors is a `Status`.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// The protocol that a request wants to switch to, in small letters.
pub fn wanted(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let connection = text(CONNECTION).unwrap_or_default().to_ascii_lowercase();
    let upgrade = text(UPGRADE).filter(|_| connection.contains("upgrade"));
    upgrade.map(str::to_ascii_lowercase)
}

/// The protocol in a web socket, and the headers of an answer that switches to it; none if there is none that both
/// speak. It `forwards` ports or has to do with a command.
pub fn accepted(request: &HeaderMap, forwards: bool) -> Option<(&'static str, HeaderMap)> {
    let known = if forwards { [TUNNEL, CHANNELS] } else { PROTOCOLS };
    let offered = request.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let mut offered =
        offered.filter_map(|header| header.to_str().ok()).flat_map(|it| it.split(','));
    let protocol = offered.find_map(|it| known.into_iter().find(|own| *own == it.trim()))?;
    let key = derive_accept_key(request.get(SEC_WEBSOCKET_KEY)?.as_bytes());
    let headers = HeaderMap::from_iter([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&key).ok()?),
        (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol)),
    ]);
    Some((protocol, headers))
}

/// The channel of the input, and that by which the client says that another is closed.
const STDIN: u8 = 0;
const CLOSE: u8 = 255;

/// Hands on `pieces` until there are no more, or the client goes: then nobody takes them any more. What the
/// client sends is typed in, and nothing when it has no more.
pub async fn speak(
    switched: OnUpgrade,
    mut pieces: mpsc::Receiver<Vec<u8>>,
    typed: mpsc::Sender<Input>,
) {
    let Some(mut socket) = socket(switched).await else { return };
    loop {
        tokio::select! {
            piece = pieces.recv() => {
                let Some(piece) = piece else { break };
                if socket.send(Message::Binary(piece.into())).await.is_err() {
                    return;
                }
            }
            heard = socket.next() => match heard {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(message)) => {
                    let text = match &*message.into_data() {
                        [STDIN, text @ ..] => Some(String::from_utf8_lossy(text).into_owned()),
                        [CLOSE, STDIN] => None,
                        _ => continue,
                    };
                    // An engine that is gone hears nothing.
                    drop(typed.send(Input::Text(text)).await);
                }
            },
        }
    }
    close(socket).await;
}

/// Forwards ports until all connections are over, or the client goes.
pub async fn forward(
    switched: OnUpgrade,
    mut told: mpsc::Receiver<(u32, Piece)>,
    sent: mpsc::Sender<Input>,
    mut protocol: Box<dyn Protocol>,
) {
    let Some(mut socket) = socket(switched).await else { return };
    let (mut messages, mut is_over) = (protocol.begin(), false);
    loop {
        for message in messages {
            if socket.send(Message::Binary(message.into())).await.is_err() {
                return;
            }
        }
        if is_over || protocol.is_over() {
            break;
        }
        (messages, is_over) = tokio::select! {
            piece = told.recv() => match piece {
                Some((number, piece)) => (protocol.told(number, piece), false),
                None => break,
            },
            heard = socket.next() => match heard {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(Message::Binary(bytes))) => {
                    hand_on(protocol.heard(&bytes), &sent).await
                }
                Some(Ok(_)) => (Vec::new(), false),
            },
        };
    }
    close(socket).await;
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn socket(switched: OnUpgrade) -> Option<Socket> {
    let connection = TokioIo::new(switched.await.ok()?);
    Some(WebSocketStream::from_raw_socket(connection, Role::Server, None).await)
}

async fn close(mut socket: Socket) {
    let end = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    // Who leaves while the client still sends would take the last messages from it.
    if socket.close(Some(end)).await.is_ok() {
        let rest = async { while let Some(Ok(_)) = socket.next().await {} };
        drop(timeout(GOODBYE, rest).await);
    }
}
