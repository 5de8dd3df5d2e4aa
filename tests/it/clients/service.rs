//! The engine of the example as a tower service, which is what kube's client speaks to.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Request, Response};
use tokio::sync::mpsc;

use super::engine::{self, Engine};

/// How much faster than the wall clock the cluster's time goes.
const GEAR: f64 = 20.0;

/// A client of a fresh cluster of so many nodes.
pub fn client(nodes: usize) -> Result<kube::Client, Box<dyn Error>> {
    let engine = Engine::start(1, nodes, GEAR)?;
    let service = tower::service_fn(move |request| answer(engine.clone(), request));
    Ok(kube::Client::new(service, "default"))
}

async fn answer(
    engine: Engine,
    request: Request<kube::client::Body>,
) -> Result<Response<Answered>, Box<dyn Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let header = |name: HeaderName| {
        head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let call = engine::Request {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        content_type: header(CONTENT_TYPE).unwrap_or_else(|| "application/json".to_owned()),
        accept: header(ACCEPT).unwrap_or_default(),
        upgrade: None,
        shown: None,
        body: (!body.is_empty()).then(|| String::from_utf8_lossy(&body).into_owned()),
        input: None,
    };
    let reply = engine.ask(call).await.ok_or("the cluster has stopped")?;
    let mut response = Response::new(match reply.body {
        engine::Body::Whole(bytes) => Answered::Whole(Some(bytes.into())),
        engine::Body::Stream(lines) => Answered::Lines(lines),
        engine::Body::Pieces(_) => return Err("nothing here speaks other protocols".into()),
    });
    *response.status_mut() = reply.code.try_into()?;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in reply.headers {
        response.headers_mut().append(name, value.try_into()?);
    }
    Ok(response)
}

/// The body of an answer.
enum Answered {
    Whole(Option<Bytes>),
    Lines(mpsc::Receiver<Vec<u8>>),
}

impl Body for Answered {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take()),
            Self::Lines(lines) => lines.poll_recv(context).map(|line| line.map(Bytes::from)),
        };
        data.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
