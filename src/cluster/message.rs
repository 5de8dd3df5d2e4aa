//! What travels, from whom to whom, and what it was an answer to.

use std::fmt;
use std::rc::Rc;

use crate::api::request::{Answer, Payload, Request, Response, Target, Verb, WatchEvent};
use crate::api::{Kind, Object};
use crate::apiserver::{EtcdCall, EtcdOut};
use crate::runtime::{CallId, CriRequest, Outcome};
use crate::sim::Instant;

/// A place that messages leave from and come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    You,
    ApiServer,
    Etcd,
    Scheduler,
    /// By the number of its node, from 0.
    Kubelet(u32),
    Runtime(u32),
}

/// One message. Its cause is the message whose handling sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: u64,
    pub cause: Option<u64>,
    pub from: Address,
    pub to: Address,
    pub sent: Instant,
    pub arrives: Instant,
    pub body: Body,
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Request(Rc<Request>),
    /// With the request it answers, so that it can be told apart at sight.
    Response {
        request: Option<Rc<Request>>,
        response: Rc<Response>,
    },
    Watch(WatchEvent),
    StoreCall(EtcdCall),
    StoreOut(EtcdOut),
    CriRequest {
        call: CallId,
        request: CriRequest,
    },
    CriOutcome(Outcome),
}

/// What a message is to the eye: its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    Read,
    Write,
    Answer,
    Watch,
    Store,
    Cri,
    Error,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::You => f.write_str("you"),
            Self::ApiServer => f.write_str("apiserver"),
            Self::Etcd => f.write_str("etcd"),
            Self::Scheduler => f.write_str("scheduler"),
            Self::Kubelet(node) => write!(f, "kubelet-{}", node + 1),
            Self::Runtime(node) => write!(f, "runtime-{}", node + 1),
        }
    }
}

impl Body {
    /// Its colour.
    pub fn kind(&self) -> BodyKind {
        match self {
            Self::Request(request) => match request.verb {
                Verb::Get | Verb::List | Verb::Watch => BodyKind::Read,
                Verb::Create | Verb::Update | Verb::Patch | Verb::Delete => BodyKind::Write,
            },
            Self::Response { response, .. } if response.result.is_err() => BodyKind::Error,
            Self::CriOutcome(Outcome::Answered { result: Err(_), .. }) => BodyKind::Error,
            Self::Response { .. } => BodyKind::Answer,
            Self::Watch(_) => BodyKind::Watch,
            Self::StoreCall(_) | Self::StoreOut(_) => BodyKind::Store,
            Self::CriRequest { .. } | Self::CriOutcome(_) => BodyKind::Cri,
        }
    }

    /// It in a few words: `POST /api/v1/namespaces/default/pods`, `201 Created`, `ADDED pod/web`.
    pub fn label(&self) -> String {
        match self {
            Self::Request(request) => format!("{} {}", request.method(), request.path()),
            Self::Response { response, .. } => match &response.result {
                Ok(answer) => answer_label(answer),
                Err(error) => format!("{} {}", error.code, error.message),
            },
            Self::Watch(event) => match event.change.object() {
                Some(object) => format!("{} {}", event.change.name(), reference(object)),
                None => event.change.name().to_owned(),
            },
            Self::StoreCall(call) => call.summary(),
            Self::StoreOut(out) => out.summary(),
            Self::CriRequest { request, .. } => request.name().to_owned(),
            Self::CriOutcome(Outcome::Answered { result, .. }) => match result {
                Ok(response) => format!("{} ok", response.name()),
                Err(error) => error.to_string(),
            },
            Self::CriOutcome(Outcome::Wrote { lines, .. }) => format!("{} lines", lines.len()),
            Self::CriOutcome(Outcome::Forwarded { .. }) => "forwarded".to_owned(),
            Self::CriOutcome(Outcome::Happened(event)) => {
                format!("container {}", event.kind.name())
            }
        }
    }

    /// Whether it only says that somebody is still there: leases, node status, bookmarks and the
    /// traffic with the store that follows from them.
    pub fn is_heartbeat(&self) -> bool {
        match self {
            Self::Request(request) => is_routine(request),
            Self::Response { request, .. } => request.as_deref().is_some_and(is_routine),
            Self::Watch(event) => match event.change.object() {
                Some(object) => matches!(object.kind(), Kind::Lease | Kind::Node),
                None => !event.change.is_piece(),
            },
            Self::StoreCall(call) => {
                call.keys().is_none_or(|keys| is_routine_key(&keys.to_string()))
            }
            Self::StoreOut(_) | Self::CriRequest { .. } | Self::CriOutcome(_) => false,
        }
    }

    /// The object that it is about, if it names one: kind, namespace and name.
    pub fn subject(&self) -> Option<(Kind, Rc<str>, Rc<str>)> {
        match self {
            Self::Request(request) | Self::Response { request: Some(request), .. } => {
                request_subject(request)
            }
            Self::Watch(event) => event.change.object().map(subject_of),
            Self::StoreCall(call) => call.value().map(subject_of),
            Self::Response { request: None, .. }
            | Self::StoreOut(_)
            | Self::CriRequest { .. }
            | Self::CriOutcome(_) => None,
        }
    }

    /// The Pod that it is about, as namespace and name; an event counts for the Pod it regards.
    pub fn pod(&self) -> Option<(Rc<str>, Rc<str>)> {
        let object = match self {
            Self::Request(request) | Self::Response { request: Some(request), .. } => {
                match &request.payload {
                    Payload::Object(object) => Some(object),
                    Payload::None
                    | Payload::Refused(_)
                    | Payload::Json(_)
                    | Payload::Alike { .. }
                    | Payload::Binding { .. }
                    | Payload::Patch(_)
                    | Payload::Precondition { .. } => None,
                }
            }
            Self::Watch(event) => event.change.object(),
            Self::StoreCall(call) => call.value(),
            Self::Response { request: None, .. }
            | Self::StoreOut(_)
            | Self::CriRequest { .. }
            | Self::CriOutcome(_) => None,
        };
        if let Some(Object::Event(event)) = object {
            let about = &event.involved_object;
            return (about.kind.as_deref() == Some("Pod")).then(|| {
                let part = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
                (part(&about.namespace), part(&about.name))
            });
        }
        match self.subject() {
            Some((Kind::Pod, namespace, name)) => Some((namespace, name)),
            Some(_) | None => None,
        }
    }
}

fn answer_label(answer: &Answer) -> String {
    match answer {
        Answer::Object(object) => format!("200 {}", reference(object)),
        Answer::Created(object) => format!("201 Created {}", reference(object)),
        Answer::List { kind, items, .. } => {
            format!("200 {} {}", items.len(), kind.resource().plural)
        }
        Answer::Watching => "200 watching".to_owned(),
        Answer::Streaming { code } => format!("{code} streaming"),
        Answer::Success { code } => format!("{code} Success"),
        Answer::Document(_) => "200 OK".to_owned(),
    }
}

fn reference(object: &Object) -> String {
    format!("{}/{}", object.kind().resource().singular(), object.name())
}

fn subject_of(object: &Object) -> (Kind, Rc<str>, Rc<str>) {
    (object.kind(), object.namespace().into(), object.name().into())
}

fn request_subject(request: &Request) -> Option<(Kind, Rc<str>, Rc<str>)> {
    match (&request.target, &request.payload) {
        (Target::Resource { kind, namespace, name: Some(name), .. }, _) => {
            Some((*kind, namespace.clone().unwrap_or_default(), Rc::clone(name)))
        }
        (Target::Resource { .. }, Payload::Object(object)) => Some(subject_of(object)),
        (
            Target::Resource { kind, namespace, name: None, .. },
            Payload::Json(value) | Payload::Alike { rest: value, .. },
        ) => {
            let name = value.pointer("/metadata/name")?.as_str()?;
            Some((*kind, namespace.clone().unwrap_or_default(), name.into()))
        }
        (Target::Resource { .. } | Target::Path(_), _) => None,
    }
}

fn is_routine(request: &Request) -> bool {
    let kind = request.target.kind();
    kind == Some(Kind::Lease) || kind == Some(Kind::Node) && request.verb == Verb::Patch
}

fn is_routine_key(key: &str) -> bool {
    key.starts_with("/registry/leases/") || key.starts_with("/registry/minions/")
}
