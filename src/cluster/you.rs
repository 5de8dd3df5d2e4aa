//! You: the person at the page, who speaks HTTP to the API server's insecure door.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::representation::Representation;
use crate::api::request::{
    Answer, JSON, Params, Patch, PatchKind, Payload, Request, RequestId, Response, Target, Verb,
    WatchEvent,
};
use crate::api::route;

/// One HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCall {
    pub method: Rc<str>,
    /// With its query.
    pub path: Rc<str>,
    pub content_type: Rc<str>,
    /// The header `Accept`; empty takes anything.
    pub accept: Rc<str>,
    pub body: Option<Rc<Value>>,
}

/// What comes back for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    pub code: u16,
    pub content_type: &'static str,
    /// Empty for a watch, whose lines follow.
    pub body: String,
}

impl HttpCall {
    /// A call with a JSON body, or none.
    pub fn new(method: &str, path: &str, body: Option<Value>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            content_type: JSON.into(),
            accept: "".into(),
            body: body.map(Rc::new),
        }
    }

    /// A call that reads.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path, None)
    }

    /// A call that changes an object by a strategic merge patch.
    pub fn strategic_patch(path: &str, body: Value) -> Self {
        let content_type = "application/strategic-merge-patch+json".into();
        Self { content_type, ..Self::new("PATCH", path, Some(body)) }
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
    /// The forms in which answers are wanted, but for the usual one.
    forms: BTreeMap<RequestId, Representation>,
}

impl You {
    pub(super) fn request(&mut self, call: &HttpCall) -> Request {
        self.next += 1;
        let id = RequestId(self.next);
        let Ok((verb, target, params)) = route::parse(&call.method, &call.path, &call.accept)
        else {
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
        if params.representation != Representation::Object {
            if self.forms.len() >= KEPT {
                self.forms.pop_first();
            }
            self.forms.insert(id, params.representation);
        }
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

    /// The answer to a request as it comes over HTTP, once it is there.
    pub fn reply(&self, id: RequestId, now: Timestamp) -> Option<HttpReply> {
        let response = self.answer(id)?;
        let body = self.form(id).of_response(response, now);
        let body = match (&response.result, body) {
            (Ok(Answer::Watching), _) => String::new(),
            (_, Value::String(text)) => text,
            (_, body) => body.to_string(),
        };
        Some(HttpReply { code: response.code(), content_type: response.media(), body })
    }

    /// The lines that a watch has told after the first `seen`.
    pub fn lines(
        &self,
        id: RequestId,
        seen: usize,
        now: Timestamp,
    ) -> impl Iterator<Item = String> {
        let form = self.form(id);
        let new = self.stream(id).iter().enumerate().skip(seen);
        new.map(move |(index, event)| form.of_change(&event.change, index == 0, now).to_string())
    }

    fn form(&self, id: RequestId) -> Representation {
        self.forms.get(&id).copied().unwrap_or_default()
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
