//! You: the person at the page, who speaks HTTP to the API server's insecure door.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use crate::api::request::{
    Params, Patch, PatchKind, Payload, Request, RequestId, Response, Target, Verb, WatchEvent,
};
use crate::api::route;

/// One HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCall {
    pub method: Rc<str>,
    /// With its query.
    pub path: Rc<str>,
    pub content_type: Rc<str>,
    pub body: Option<Rc<Value>>,
}

impl HttpCall {
    /// A call with a JSON body, or none.
    pub fn new(method: &str, path: &str, body: Option<Value>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            content_type: "application/json".into(),
            body: body.map(Rc::new),
        }
    }
}

/// How many answers are kept until somebody asks for them.
const KEPT: usize = 10_000;

/// What you asked, and what came back.
#[derive(Clone, Debug, Default)]
pub struct You {
    next: u64,
    answers: BTreeMap<RequestId, Rc<Response>>,
    streams: BTreeMap<RequestId, Vec<WatchEvent>>,
}

impl You {
    pub(super) fn request(&mut self, call: &HttpCall) -> Request {
        self.next += 1;
        let id = RequestId(self.next);
        let Ok((verb, target, params)) = route::parse(&call.method, &call.path) else {
            // The server says what is wrong with it.
            let path: Rc<str> = call.path.split('?').next().unwrap_or_default().into();
            let verb = verb_of(&call.method);
            let (target, params) = (Target::Path(path), Params::default());
            return Request { id, verb, target, params, payload: Payload::None };
        };
        let payload = match (&call.body, verb) {
            (Some(patch), Verb::Patch) => match patch_kind(&call.content_type) {
                Some(kind) => Payload::Patch(Patch::Json { kind, patch: Rc::clone(patch) }),
                None => Payload::Json(Rc::clone(patch)),
            },
            (Some(body), _) => Payload::Json(Rc::clone(body)),
            (None, _) => Payload::None,
        };
        if verb == Verb::Watch {
            self.streams.insert(id, Vec::new());
        }
        Request { id, verb, target, params, payload }
    }

    pub(super) fn answered(&mut self, response: Rc<Response>) {
        if self.answers.len() >= KEPT {
            self.answers.pop_first();
        }
        self.answers.insert(response.id, response);
    }

    pub(super) fn told(&mut self, event: &WatchEvent) {
        if let Some(stream) = self.streams.get_mut(&event.watch)
            && stream.len() < KEPT
        {
            stream.push(event.clone());
        }
    }

    /// The answer to a request, once it is there.
    pub fn answer(&self, id: RequestId) -> Option<&Rc<Response>> {
        self.answers.get(&id)
    }

    /// What a watch has told so far.
    pub fn stream(&self, id: RequestId) -> &[WatchEvent] {
        self.streams.get(&id).map_or(&[], Vec::as_slice)
    }
}

fn verb_of(method: &str) -> Verb {
    match method {
        "POST" => Verb::Create,
        "PUT" => Verb::Update,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        _ => Verb::Get,
    }
}

fn patch_kind(content_type: &str) -> Option<PatchKind> {
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json-patch+json" => Some(PatchKind::Json),
        "application/merge-patch+json" => Some(PatchKind::Merge),
        "application/strategic-merge-patch+json" => Some(PatchKind::Strategic),
        _ => None,
    }
}
