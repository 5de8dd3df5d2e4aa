//! You: the person at the page, who speaks HTTP to the API server's insecure door.

use std::collections::VecDeque;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::caller::{Attributes, Caller, Credentials};
use crate::api::decode::{self, duplicate_fields, has_duplicate_fields};
use crate::api::port_forward::Forwarded;
use crate::api::representation::{Representation, YAML};
use crate::api::request::{
    Answer, Change, FieldValidation, JSON, Params, Patch, PatchKind, Payload, Request, RequestId,
    Response, Target, Verb, WatchEvent,
};
use crate::api::route;
use crate::api::status::{Reason, StatusError};
use crate::api::text::{go_json_error, go_json_type, go_quote, summary};
use crate::api::yaml;
use crate::api::{Kind, Kinds};
use crate::sim::{GrowingMap, SortedMap};

/// One HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCall {
    pub method: Rc<str>,
    /// With its query.
    pub path: Rc<str>,
    pub content_type: Rc<str>,
    /// The header `Accept`; empty takes anything.
    pub accept: Rc<str>,
    /// All of it, or all but the spec.
    pub body: Option<Rc<Value>>,
    /// The body's spec, if it is shared with other calls; see [`HttpCall::with_text_alike`].
    pub spec: Option<Rc<Value>>,
    /// The body's text, in its place where it is kept: it takes a tenth of the room.
    pub packed: Option<Rc<str>>,
    /// What `body` does not tell: one that is no JSON, or has a field twice, as it came.
    pub text: Option<Rc<str>>,
    /// The header `Upgrade`, in small letters: the protocol that the answer is to go on in.
    pub upgrade: Option<Rc<str>>,
    /// What it shows at the secure door; none takes the door that asks nobody.
    pub credentials: Option<Rc<Credentials>>,
}

/// What comes back for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    pub code: u16,
    pub content_type: &'static str,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// Empty if lines or text follow.
    pub body: String,
}

/// An answer that is not yet written out: writing takes longer than all else about it, and who creates
/// thousands of Pods reads few of the answers.
#[derive(Clone, Debug)]
pub struct Unwritten {
    pub response: Rc<Response>,
    form: Representation,
    /// When it was asked for, which ages are counted to.
    now: Timestamp,
}

impl Unwritten {
    /// What comes over HTTP.
    pub fn write(&self) -> HttpReply {
        let Self { response, form, now } = self;
        let mut content_type = response.media();
        let body = match (&response.result, form.of_response(response, *now)) {
            (
                Ok(Answer::Watching | Answer::Streaming { .. } | Answer::Success { code: 204 }),
                _,
            ) => String::new(),
            (_, Value::String(text)) => text,
            (_, body) if *form == Representation::Yaml => {
                content_type = YAML;
                yaml::write(&body)
            }
            (_, body) => body.to_string(),
        };
        let warning = |text: &String| ("Warning", format!("299 - {}", go_quote(text)));
        let details = response.result.as_ref().err().and_then(|error| error.details.as_ref());
        let wait = details.and_then(|details| details.retry_after_seconds);
        let wait = wait.map(|seconds| ("Retry-After", seconds.to_string()));
        let headers = response.warnings.iter().map(warning).chain(wait).collect();
        HttpReply { code: response.code(), content_type, headers, body }
    }
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
            spec: None,
            packed: None,
            text: None,
            upgrade: None,
            credentials: None,
        }
    }

    /// The same call with a body as it came over a wire: JSON or, where the header says so, YAML.
    #[must_use]
    pub fn with_text(self, text: &str) -> Self {
        let json = if text.len() > BODY_MAX {
            // It is refused unread.
            None
        } else if is_yaml(&self.content_type) {
            let mut documents = decode::read(text, decode::Limits::default()).documents;
            (documents.len() == 1).then(|| documents.remove(0).value)
        } else {
            serde_json::from_str(text).ok()
        };
        match json {
            Some(json) => {
                // What is there twice is nowhere else to be seen.
                let twice = !is_yaml(&self.content_type) && has_duplicate_fields(text, &json);
                // One that stands in a line needs not be written again to be kept.
                let is_line = !is_yaml(&self.content_type) && !text.contains('\n');
                let packed = is_line.then(|| text.into());
                let text = twice.then(|| text.into());
                Self { body: Some(Rc::new(json)), packed, text, ..self }
            }
            None => Self { body: None, text: Some(text.into()), ..self },
        }
    }

    /// The same call with its body packed; [`HttpCall::unpacked`] reads it again.
    #[must_use]
    pub fn packed(self) -> Self {
        let written = || self.body.as_ref().map(|body| body.to_string().into());
        let packed = self.packed.clone().or_else(written);
        Self { packed, body: None, spec: None, ..self }
    }

    /// The call as it was before it was packed.
    #[must_use]
    pub fn unpacked(&self) -> Self {
        let packed = self.packed.as_deref();
        let body = packed.and_then(|text| serde_json::from_str(text).ok()).map(Rc::new);
        Self { body: body.or_else(|| self.body.clone()), packed: None, ..self.clone() }
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

    /// What `kubectl apply` sends to change an object of a kind: strategic merge patches are for kinds
    /// whose types are known.
    pub fn apply_patch(kind: Kind, path: &str, body: Value) -> Self {
        if kind.custom().is_none() {
            return Self::strategic_patch(path, body);
        }
        let content_type = "application/merge-patch+json".into();
        Self { content_type, ..Self::new("PATCH", path, Some(body)) }
    }
}

/// How many answers are kept until somebody asks for them.
const KEPT: usize = 10_000;

/// What you asked, and what came back.
#[derive(Clone, Debug, Default)]
pub struct You {
    next: u64,
    answers: GrowingMap<RequestId, Rc<Response>>,
    streams: SortedMap<RequestId, Stream>,
    /// The forms in which answers are wanted, but for the usual one.
    forms: GrowingMap<RequestId, Representation>,
}

/// What a watch has told, or what an answer has gone on with.
#[derive(Clone, Debug, Default)]
struct Stream {
    /// So many events were told before these.
    dropped: usize,
    events: VecDeque<WatchEvent>,
    /// Whether the server has ended it.
    ended: bool,
}

impl You {
    pub(super) fn request(&mut self, call: &HttpCall, kinds: &Kinds) -> Request {
        self.next += 1;
        let id = RequestId(self.next);
        let caller = call.credentials.as_ref().map(|credentials| {
            let credentials = Rc::clone(credentials);
            Rc::new(Caller { credentials, attributes: Attributes::of(&call.method, &call.path) })
        });
        let (verb, target, mut params) =
            match route::parse(kinds, &call.method, &call.path, &call.accept) {
                Ok(parsed) => parsed,
                // The server says what is wrong with it.
                Err(error) => {
                    let path: Rc<str> = call.path.split('?').next().unwrap_or_default().into();
                    let payload = Payload::Refused(Rc::new(error));
                    let (target, params) = (Target::Path(path), Params::default());
                    return Request {
                        id,
                        verb: verb_of(&call.method),
                        target,
                        params,
                        payload,
                        caller,
                    };
                }
            };
        if let Some(exec) = &mut params.exec {
            Rc::make_mut(exec).upgrade.clone_from(&call.upgrade);
        }
        let mut payload = payload(call, verb, &target, params.field_validation);
        if verb == Verb::Delete {
            // A body is all that is read of what a delete asks for.
            if matches!(payload, Payload::None) {
                payload = match route::delete_options(&call.path) {
                    Ok(options) => {
                        options.map_or(Payload::None, |options| Payload::Json(Rc::new(options)))
                    }
                    Err(error) => Payload::Refused(Rc::new(error)),
                };
            }
            params.dry_run = payload.json().at("dryRun").texts().any(|what| what == "All");
        }
        if params.representation != Representation::Object {
            if self.forms.len() >= KEPT {
                self.forms.pop_first();
            }
            self.forms.insert(id, params.representation);
        }
        Request { id, verb, target, params, payload, caller }
    }

    pub(super) fn answered(&mut self, response: Rc<Response>) {
        if matches!(response.result, Ok(Answer::Watching | Answer::Streaming { .. })) {
            self.streams.insert(response.id, Stream::default());
        }
        if self.answers.len() >= KEPT {
            self.answers.pop_first();
        }
        self.answers.insert(response.id, response);
    }

    pub(super) fn told(&mut self, event: &WatchEvent) {
        let Some(stream) = self.streams.get_mut(&event.watch) else { return };
        if matches!(event.change, Change::Ended) {
            stream.ended = true;
            return;
        }
        stream.events.push_back(event.clone());
        if stream.events.len() > KEPT {
            stream.events.pop_front();
            stream.dropped += 1;
        }
    }

    /// Forgets a watch that nobody reads any more.
    pub(super) fn hung_up(&mut self, id: RequestId) {
        self.streams.remove(&id);
        self.forms.remove(id);
    }

    /// Whether who has read `seen` events of a watch gets no more of it: the server has ended it, or they
    /// were so slow that what follows is kept no longer.
    pub fn is_over(&self, id: RequestId, seen: usize) -> bool {
        self.streams.get(&id).is_none_or(|stream| {
            let told = stream.dropped + stream.events.len();
            seen < stream.dropped || stream.ended && seen >= told
        })
    }

    /// The answer to a request, once it is there.
    pub fn answer(&self, id: RequestId) -> Option<&Rc<Response>> {
        self.answers.get(id)
    }

    /// The answer to a request, to be written out for HTTP, once it is there.
    pub fn unwritten(&self, id: RequestId, now: Timestamp) -> Option<Unwritten> {
        let response = Rc::clone(self.answer(id)?);
        Some(Unwritten { response, form: self.form(id), now })
    }

    /// What a stream has told after the first `seen`, as it comes over HTTP: lines of a watch with their
    /// ends, or pieces of text, those of an exec behind the number of their channel.
    pub fn lines(
        &self,
        id: RequestId,
        seen: usize,
        now: Timestamp,
    ) -> impl Iterator<Item = String> {
        let form = self.form(id);
        let stream = self.streams.get(&id).filter(|stream| seen >= stream.dropped);
        let new = stream
            .into_iter()
            .flat_map(move |stream| stream.events.iter().enumerate().skip(seen - stream.dropped));
        let first = move |index| seen == 0 && index == 0;
        new.map(move |(index, event)| {
            if let Change::Output { channel, text } = &event.change {
                let channel = channel.map(|channel| char::from(channel.number()));
                return channel.into_iter().chain(text.chars()).collect();
            }
            format!("{}\n", form.of_change(&event.change, first(index), now))
        })
    }

    /// What came in the connections of a port forward after the first `seen` pieces.
    pub fn forwarded(&self, id: RequestId, seen: usize) -> impl Iterator<Item = &Forwarded> {
        let stream = self.streams.get(&id).filter(|stream| seen >= stream.dropped);
        let new = stream
            .into_iter()
            .flat_map(move |stream| stream.events.iter().skip(seen - stream.dropped));
        new.filter_map(|event| {
            let Change::Forwarded(forwarded) = &event.change else { return None };
            Some(&**forwarded)
        })
    }

    /// What a watch has told and is kept.
    pub fn stream(&self, id: RequestId) -> impl Iterator<Item = &WatchEvent> {
        self.streams.get(&id).into_iter().flat_map(|stream| &stream.events)
    }

    fn form(&self, id: RequestId) -> Representation {
        self.forms.get(id).copied().unwrap_or_default()
    }
}

/// The types of bodies that are taken, but for patches.
const BODIES: [&str; 2] = [JSON, YAML];
/// What Go reads of a body first.
const TYPE_META: &str = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                         \"json:\\\"kind,omitempty\\\"\" }";
/// Upstream's limit for a body.
pub(super) const BODY_MAX: usize = 3 << 20;

fn media(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn is_yaml(content_type: &str) -> bool {
    media(content_type).ends_with("yaml")
}

/// What the call carries, or why it cannot be read.
fn payload(call: &HttpCall, verb: Verb, target: &Target, validation: FieldValidation) -> Payload {
    let refused = |error| Payload::Refused(Rc::new(error));
    if let (Some(rest), Some(spec)) = (&call.body, &call.spec) {
        // Whoever shows something is looked at more closely, and so is all of what they send.
        if verb == Verb::Create && creates_pods(target) && call.credentials.is_none() {
            return Payload::Alike { rest: Rc::clone(rest), spec: Rc::clone(spec) };
        }
        return payload(&call.whole(), verb, target, validation);
    }
    let kind = media(&call.content_type);
    let has_body = call.body.is_some() || call.text.is_some();
    if !has_body || matches!(verb, Verb::Get | Verb::List | Verb::Watch) {
        return Payload::None;
    }
    if verb == Verb::Patch {
        return match (patch_kind(kind), &call.body) {
            (None, _) => {
                let words = "415: Unsupported Media Type";
                refused(StatusError::generic(Reason::UnsupportedMediaType, words))
            }
            (Some(kind), Some(patch)) => {
                Payload::Patch(Patch::Json { kind, patch: Rc::clone(patch) })
            }
            (Some(_), None) => {
                let text = call.text.as_deref().unwrap_or_default();
                refused(StatusError::bad_request(format!(
                    "error decoding patch: {}",
                    go_json_error(text)
                )))
            }
        };
    }
    if !kind.is_empty() && !BODIES.contains(&kind) {
        return refused(StatusError::unsupported_media_type(&BODIES));
    }
    let is_custom = target.kind().is_some_and(|kind| kind.custom().is_some());
    let unreadable = |why: &str, text: &str| {
        let why = format!("couldn't get version/kind; json parse error: {why}");
        if verb == Verb::Delete {
            return refused(StatusError::unforeseen(why));
        }
        let name = target.kind().map_or("", |kind| kind.resource().name);
        let shown = summary(text.as_bytes());
        refused(StatusError::bad_request(format!(
            "the object provided is unrecognized (must be of type {name}): {why} ({shown})"
        )))
    };
    match (&call.body, &call.text) {
        (Some(_), Some(text)) if validation == FieldValidation::Strict => {
            let kind = target.kind().map(Kind::resource);
            let (name, version) = kind.map_or(("", ""), |kind| (kind.name, kind.version));
            let fields = duplicate_fields(text).into_iter();
            let fields: Vec<String> =
                fields.map(|path| format!("duplicate field \"{path}\"")).collect();
            refused(StatusError::bad_request(format!(
                "{name} in version {version:?} cannot be handled as a {name}: strict decoding error: {}",
                fields.join(", ")
            )))
        }
        (Some(body), _) if body.is_object() || body.is_null() || is_custom => {
            Payload::Json(Rc::clone(body))
        }
        (Some(body), _) => {
            let found = go_json_type(body);
            let why = format!("json: cannot unmarshal {found} into Go value of type {TYPE_META}");
            unreadable(&why, &body.to_string())
        }
        (None, Some(text)) if text.len() > BODY_MAX => {
            refused(StatusError::request_entity_too_large(BODY_MAX))
        }
        (None, text) => {
            let text = text.as_deref().unwrap_or_default();
            unreadable(&go_json_error(text), text)
        }
    }
}

fn creates_pods(target: &Target) -> bool {
    let Target::Resource { kind: Kind::Pod, name: None, subresource: None, .. } = target else {
        return false;
    };
    true
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
    match media(content_type) {
        "application/json-patch+json" => Some(PatchKind::Json),
        "application/merge-patch+json" => Some(PatchKind::Merge),
        "application/strategic-merge-patch+json" => Some(PatchKind::Strategic),
        "application/apply-patch+yaml" => Some(PatchKind::Apply),
        _ => None,
    }
}
