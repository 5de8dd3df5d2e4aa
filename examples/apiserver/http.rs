//! HTTP/1.1 and HTTP/2, in the clear and over TLS.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::engine::{self, Body, Engine};
use crate::forward;
use crate::openapi::with_schemas;
use crate::protobuf;
use crate::websocket;

/// Upstream's limit for the body of a request.
const BODY_MAX: usize = 3 << 20;
/// What a body in Kubernetes' protobuf is called.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
/// So many pieces of input may be on their way to the engine.
const MOST_TYPED: usize = 100;
/// What the server refuses has to come to the server first.
const BODY_READ: usize = BODY_MAX + 1024;

/// Takes connections for ever.
///
/// # Errors
///
/// The listener is broken.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    engine: Engine,
) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let (tls, engine) = (tls.clone(), engine.clone());
        tokio::spawn(async move {
            if let Err(error) = connection(stream, tls, engine).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    engine: Engine,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let is_secure = tls.is_some();
    let service = service_fn(move |request| {
        let engine = engine.clone();
        async move { Ok::<_, Infallible>(handle(request, is_secure, &engine).await) }
    });
    let builder = Builder::new(TokioExecutor::new());
    match tls {
        None => builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await,
        Some(tls) => {
            let stream = TokioIo::new(tls.accept(stream).await?);
            builder.serve_connection_with_upgrades(stream, service).await
        }
    }
}

async fn handle(
    mut request: Request<Incoming>,
    is_secure: bool,
    engine: &Engine,
) -> Response<Outgoing> {
    let switched = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let forwards = engine::forwards(head.uri.path());
    let mut upgrade = websocket::wanted(&head.headers);
    let accepted = match upgrade.as_deref() {
        Some("spdy/3.1") if forwards => forward::accepted(&head.headers).map(|it| ("", it)),
        _ => websocket::accepted(&head.headers, forwards),
    };
    if accepted.is_none()
        && (upgrade.as_deref() == Some("websocket") || upgrade.is_some() && forwards)
    {
        return plain(StatusCode::FORBIDDEN, "no protocol that both speak");
    }
    let is_tunnel = accepted.as_ref().is_some_and(|(name, _)| *name == forward::TUNNEL);
    if is_tunnel {
        // Behind this server, it is SPDY that is spoken.
        upgrade = Some("spdy/3.1".to_owned());
    }
    let Ok(body) = Limited::new(body, BODY_READ).collect().await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "request body too large");
    };
    let bytes = body.to_bytes();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let text = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let groups = head.headers.get_all("impersonate-group").into_iter();
    let mut content_type = header(CONTENT_TYPE).unwrap_or("application/json");
    let mut body = (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned());
    if content_type == PROTOBUF
        && let Some(object) = protobuf::to_json(&bytes)
    {
        (content_type, body) = ("application/json", Some(object.to_string()));
    }
    let (typed, input) = mpsc::channel(MOST_TYPED);
    let call = engine::Request {
        method: head.method.to_string(),
        path: put_down_to(&head, header(USER_AGENT).unwrap_or_default()),
        content_type: content_type.to_owned(),
        accept: header(ACCEPT).unwrap_or_default().to_owned(),
        upgrade,
        shown: is_secure.then(|| engine::Shown {
            authorization: header(AUTHORIZATION).map(str::to_owned),
            user: text("impersonate-user").map(str::to_owned),
            groups: groups.filter_map(|group| Some(group.to_str().ok()?.to_owned())).collect(),
        }),
        body,
        input: Some(input),
    };
    let path = call.path.clone();
    let Some(reply) = engine.ask(call).await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the cluster has stopped");
    };
    if let (101, Some((protocol, headers))) = (reply.code, accepted) {
        match reply.body {
            Body::Stream(pieces) => drop(tokio::spawn(websocket::speak(switched, pieces, typed))),
            Body::Pieces(pieces) if protocol.is_empty() => {
                tokio::spawn(forward::speak(switched, pieces, typed));
            }
            Body::Pieces(pieces) => {
                let protocol = forward::protocol(protocol, &path);
                tokio::spawn(websocket::forward(switched, pieces, typed, protocol));
            }
            Body::Whole(_) => {}
        }
        let mut response = Response::new(Outgoing::Whole(None));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = headers;
        return response;
    }
    let body = match reply.body {
        Body::Whole(bytes) => Outgoing::Whole(Some(with_schemas(&path, bytes).into())),
        Body::Stream(lines) => Outgoing::Lines(lines),
        // It cannot go on but in another protocol.
        Body::Pieces(_) => Outgoing::Whole(None),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    }
    response
}

/// The request's path and query. A write that does not say whose the fields are that it sets is put down to
/// the client's program, as upstream does.
fn put_down_to(head: &Parts, program: &str) -> String {
    let path = head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let writes = matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
    let applies = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/apply-patch"));
    let name = program.split('/').next().unwrap_or_default();
    let fits = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !writes || applies || !fits || path.contains("fieldManager=") {
        return path;
    }
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}fieldManager={name}")
}

fn plain(code: StatusCode, text: &str) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::Whole(Some(text.to_owned().into())));
    *response.status_mut() = code;
    response
}

/// The body of an answer on its way out.
enum Outgoing {
    Whole(Option<Bytes>),
    Lines(mpsc::Receiver<Vec<u8>>),
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Lines(lines) => {
                lines.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line.into()))))
            }
        }
    }
}
