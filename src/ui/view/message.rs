//! A message, opened: what it says over HTTP, what caused it, what it changed.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::changes::{FieldChange, between};
use super::cri;
use crate::api::request::{Answer, Change, Patch, Payload, Request, Response, WatchEvent};
use crate::api::to_json;
use crate::cluster::{Address, Body, BodyKind, Message};
use crate::sim::{Instant, Trace};

/// As many characters of a body are shown.
const MOST_BODY: usize = 20_000;
/// As many effects are listed.
const MOST_EFFECTS: usize = 8;
/// How far behind a message its effects are looked for.
const REACH: u64 = 2_000;

/// All there is to see of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub id: u64,
    pub kind: BodyKind,
    pub label: String,
    pub from: Address,
    pub to: Address,
    pub sent: Instant,
    pub travels: Duration,
    /// Method and path, of a request and of its answer.
    pub http: Option<(&'static str, String)>,
    pub body: Option<String>,
    pub changes: Vec<FieldChange>,
    pub cause: Option<Link>,
    pub effects: Vec<Link>,
}

/// Another message, to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: u64,
    pub label: String,
}

/// Opens the message with that id, if the trace still has it.
pub fn open(trace: &Trace<Message>, id: u64) -> Option<Opened> {
    let message = trace.get(id)?;
    let link = |message: &Rc<Message>| Link { id: message.id, label: message.body.label() };
    let after = (id + 1..trace.end().min(id + REACH)).filter_map(|id| trace.get(id));
    let effects = after.filter(|other| other.cause == Some(id)).take(MOST_EFFECTS).map(link);
    Some(Opened {
        id,
        kind: message.body.kind(),
        label: message.body.label(),
        from: message.from,
        to: message.to,
        sent: message.sent,
        travels: message.arrives.since(message.sent),
        http: http(&message.body),
        body: body(&message.body),
        changes: changes(&message.body),
        cause: message.cause.and_then(|cause| trace.get(cause)).map(link),
        effects: effects.collect(),
    })
}

fn http(body: &Body) -> Option<(&'static str, String)> {
    match body {
        Body::Request(request) | Body::Response { request: Some(request), .. } => {
            Some((request.method(), request.path()))
        }
        Body::Response { request: None, .. }
        | Body::Watch(_)
        | Body::StoreCall(_)
        | Body::StoreOut(_)
        | Body::CriRequest { .. }
        | Body::CriOutcome(_) => None,
    }
}

fn body(body: &Body) -> Option<String> {
    let text = match body {
        Body::Request(request) => pretty(&request.body()?),
        Body::Response { response, .. } => pretty(&answer(response)?),
        Body::Watch(event) => pretty(&event_json(event)),
        Body::StoreCall(call) => match call.value() {
            Some(object) => pretty(&object.to_json()),
            None => call.summary(),
        },
        Body::StoreOut(out) => out.summary(),
        Body::CriRequest { request, .. } => pretty(&cri::request(request)),
        Body::CriOutcome(outcome) => {
            cri::outcome(outcome).map_or_else(|error| error, |it| pretty(&it))
        }
    };
    let cut = text.char_indices().nth(MOST_BODY).and_then(|(at, _)| text.get(..at));
    Some(cut.map_or_else(|| text.clone(), |start| format!("{start}\n…")))
}

/// As kubectl shows it: without the record of who owns which field.
fn pretty(value: &Value) -> String {
    let mut value = value.clone();
    hide_owners(&mut value);
    // A value has text keys only, so this cannot fail.
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn hide_owners(value: &mut Value) {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    if let Some(object) = value.get_mut("object") {
        hide_owners(object);
    }
    for item in value.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        hide_owners(item);
    }
}

fn answer(response: &Response) -> Option<Value> {
    match &response.result {
        Ok(Answer::Object(object) | Answer::Created(object)) => Some(object.to_json()),
        Ok(Answer::List { kind, items, resource_version, .. }) => Some(json!({
            "apiVersion": kind.resource().api_version(),
            "kind": kind.resource().list(),
            "metadata": {"resourceVersion": resource_version.to_string()},
            "items": items.iter().take(20).map(crate::api::Object::to_json).collect::<Vec<_>>(),
        })),
        Ok(Answer::Watching | Answer::Streaming { .. }) => None,
        Ok(Answer::Success { code }) => {
            Some(json!({"apiVersion": "v1", "kind": "Status", "status": "Success", "code": code}))
        }
        Ok(Answer::Document(value)) => Some(value.body.clone()),
        Err(error) => Some(to_json(&error.to_status())),
    }
}

fn event_json(event: &WatchEvent) -> Value {
    json!({"type": event.change.name(), "object": event.change.body()})
}

fn changes(body: &Body) -> Vec<FieldChange> {
    match body {
        Body::Watch(WatchEvent {
            change: Change::Modified { object, before: Some(before) },
            ..
        }) => between(&before.to_json(), &object.to_json()),
        Body::Request(request) => patched(request),
        Body::Watch(_)
        | Body::Response { .. }
        | Body::StoreCall(_)
        | Body::StoreOut(_)
        | Body::CriRequest { .. }
        | Body::CriOutcome(_) => Vec::new(),
    }
}

fn patched(request: &Request) -> Vec<FieldChange> {
    let Payload::Patch(Patch::PodStatus { old, new, .. }) = &request.payload else {
        return Vec::new();
    };
    between(&json!({"status": to_json(old)}), &json!({"status": to_json(new)}))
}
