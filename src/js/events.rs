//! Listeners: scripts that want to hear of messages, objects, decisions and the clock.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Function;
use serde_json::{Value, json};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsError, JsValue};

use crate::api::request::RequestId;
use crate::cluster::{Body, Message};
use crate::recording::Session;
use crate::share::decision::as_json;
use crate::sim::Instant;

/// What can be listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Object,
    Decision,
    Narration,
    State,
}

/// Everybody who listens, and what they have heard already.
#[derive(Default)]
pub(super) struct Listeners {
    next: u64,
    all: Vec<(u64, Kind, Function)>,
    streams: Vec<Stream>,
    heard: u64,
    decided: u64,
    said: String,
    moment: Instant,
    /// Who waits for the page to open.
    waiting: Vec<Function>,
}

impl Listeners {
    /// Calls `then` once the page is open.
    pub fn wait(&mut self, then: Function) {
        self.waiting.push(then);
    }
}

/// An answer that goes on, and goes to a script's stream.
struct Stream {
    watch: RequestId,
    sent: usize,
    push: Pen,
}

/// Writes text into a stream, or closes it if there are no more; false once nobody reads any more.
pub(super) type Pen = Rc<dyn Fn(Option<&str>) -> bool>;

/// Adds a listener; the result ends it.
pub(super) fn listen(
    listeners: &Rc<RefCell<Listeners>>,
    session: &Session,
    kind: &str,
    listener: Function,
) -> Result<JsValue, JsError> {
    let kind = match kind {
        "message" => Kind::Message,
        "object" => Kind::Object,
        "decision" => Kind::Decision,
        "narration" => Kind::Narration,
        "state" => Kind::State,
        _ => {
            return Err(JsError::new(
                "on: \"message\", \"object\", \"decision\", \"narration\" or \"state\"",
            ));
        }
    };
    let mut all = listeners.borrow_mut();
    if all.all.is_empty() {
        all.heard = session.cluster().trace().end();
        all.decided = session.cluster().scheduler().decided();
        all.moment = session.now();
    }
    all.next += 1;
    let id = all.next;
    all.all.push((id, kind, listener));
    let listeners = Rc::clone(listeners);
    let end = Closure::<dyn Fn()>::new(move || {
        listeners.borrow_mut().all.retain(|(other, _, _)| *other != id);
    });
    Ok(end.into_js_value().unchecked_into())
}

/// Sends what `watch` goes on with to `push`.
pub(super) fn stream(listeners: &Rc<RefCell<Listeners>>, watch: RequestId, push: Pen) {
    listeners.borrow_mut().streams.push(Stream { watch, sent: 0, push });
}

/// Tells all listeners what has happened since the last time.
pub(super) fn tell(
    listeners: &Rc<RefCell<Listeners>>,
    session: &Rc<RefCell<Session>>,
    (said, of_message): &(String, Option<u64>),
    is_open: bool,
) {
    let mut calls: Vec<(Function, Value)> = Vec::new();
    let mut lines: Vec<(Pen, RequestId, Option<String>)> = Vec::new();
    {
        let session = session.borrow();
        let mut all = listeners.borrow_mut();
        let trace = session.cluster().trace();
        let from = all.heard.min(trace.end());
        let of = |wanted: Kind| {
            all.all.iter().filter(move |(_, kind, _)| *kind == wanted).map(|(_, _, f)| f)
        };
        if of(Kind::Message).chain(of(Kind::Object)).next().is_some() {
            for message in trace.from(from) {
                calls.extend(of(Kind::Message).map(|f| (f.clone(), describe(message))));
                if let Body::Watch(event) = &message.body
                    && let Some(object) = event.change.object()
                {
                    let value = json!({"type": event.change.name(), "object": object.to_json()});
                    calls.extend(of(Kind::Object).map(|f| (f.clone(), value.clone())));
                }
            }
        }
        // Going back in time takes decisions back, too.
        let scheduler = session.cluster().scheduler();
        for decision in scheduler.decisions_since(all.decided) {
            calls.extend(of(Kind::Decision).map(|f| (f.clone(), as_json(decision))));
        }
        if all.said != *said {
            let line = json!({"text": said, "message": of_message});
            calls.extend(of(Kind::Narration).map(|f| (f.clone(), line.clone())));
        }
        if all.moment != session.now() {
            let now = json!({"now": seconds(session.now()), "horizon": seconds(session.horizon())});
            calls.extend(of(Kind::State).map(|f| (f.clone(), now.clone())));
        }
        all.heard = trace.end();
        all.decided = scheduler.decided();
        all.said.clone_from(said);
        all.moment = session.now();
        if is_open {
            let due = std::mem::take(&mut all.waiting);
            calls.extend(due.into_iter().map(|then| (then, Value::Null)));
        }
        for stream in &mut all.streams {
            for line in session.cluster().lines(stream.watch, stream.sent) {
                stream.sent += 1;
                lines.push((Rc::clone(&stream.push), stream.watch, Some(line)));
            }
            if session.cluster().is_over(stream.watch, stream.sent) {
                lines.push((Rc::clone(&stream.push), stream.watch, None));
            }
        }
    }
    for (listener, value) in calls {
        if let Ok(value) = super::to_js(&value) {
            // A listener that throws is the script's own matter.
            drop(listener.call1(&JsValue::UNDEFINED, &value));
        }
    }
    for (push, watch, line) in lines {
        if !push(line.as_deref()) || line.is_none() {
            listeners.borrow_mut().streams.retain(|stream| stream.watch != watch);
        }
    }
}

fn describe(message: &Message) -> Value {
    json!({
        "id": message.id,
        "cause": message.cause,
        "from": message.from.to_string(),
        "to": message.to.to_string(),
        "sent": seconds(message.sent),
        "arrives": seconds(message.arrives),
        "label": message.body.label(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
fn seconds(at: Instant) -> f64 {
    at.as_micros() as f64 / 1e6
}
