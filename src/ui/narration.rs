//! One plain sentence for each message that matters, and which messages those are.

use std::rc::Rc;

use yew::{Html, Properties, component, html};

use super::engine::Engine;
use super::i18n::Words;
use super::state::{Phase, State};
use crate::api::request::{Change, Patch, Payload, Verb};
use crate::api::{Kind, Object, Pod, Resource};
use crate::apiserver::EtcdOut;
use crate::cluster::{Address, Body, Cluster, Message};
use crate::runtime::Outcome;
use crate::sim::Trace;

/// How far back the last sentence may lie.
const REACH: u64 = 400;
/// How long a chain of causes is followed to find what it is about.
const CHAIN: usize = 3;

/// How much of a person's attention a message is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Heartbeats and what follows from them: not shown.
    Silent,
    /// Shown in passing.
    Minor,
    /// Told: it gets a sentence and the time to read it.
    Told,
}

/// How much `message` is worth.
pub fn weight(message: &Message, trace: &Trace<Message>) -> Weight {
    if message.body.is_heartbeat() {
        return Weight::Silent;
    }
    match &message.body {
        // What the store answers says nothing of what it was asked; its cause does.
        Body::StoreOut { .. } | Body::StoreCall { .. } => of_cause(message, trace),
        Body::CriRequest { .. } | Body::CriOutcome { .. } => {
            let call = message.body.label();
            let looks = call.starts_with("List") || call.contains("Status") || call == "Version";
            let happened = matches!(message.body, Body::CriOutcome(Outcome::Happened(_)));
            match (looks, happened) {
                (true, _) => Weight::Silent,
                (false, true) => Weight::Minor,
                (false, false) => Weight::Told,
            }
        }
        Body::Watch(event) if event.change.is_piece() => Weight::Minor,
        Body::Request(_) | Body::Response { .. } | Body::Watch(_) => match message.body.subject() {
            Some((Kind::Event | Kind::Lease, ..)) => Weight::Minor,
            Some(_) if is_plain_answer(message) => Weight::Minor,
            Some(_) => Weight::Told,
            // Lists and watches that begin, and what is refused before it is about anything.
            None => match message.from {
                Address::You | Address::ApiServer => Weight::Told,
                Address::Etcd | Address::Scheduler | Address::Kubelet(_) | Address::Runtime(_) => {
                    Weight::Minor
                }
            },
        },
    }
}

/// An answer that went well, to a component: it confirms what the picture shows anyway.
fn is_plain_answer(message: &Message) -> bool {
    matches!(&message.body, Body::Response { response, .. } if response.result.is_ok())
        && message.to != Address::You
}

fn of_cause(message: &Message, trace: &Trace<Message>) -> Weight {
    let mut cause = message.cause;
    for _ in 0..CHAIN {
        let Some(before) = cause.and_then(|id| trace.get(id)) else { break };
        if before.body.is_heartbeat() {
            return Weight::Silent;
        }
        if let Some((Kind::Event | Kind::Lease, ..)) = before.body.subject() {
            return Weight::Minor;
        }
        cause = before.cause;
    }
    Weight::Told
}

/// The last message told by now.
pub fn last_told(cluster: &Cluster) -> Option<&Rc<Message>> {
    let trace = cluster.trace();
    let newest = (trace.end().saturating_sub(REACH).max(trace.first())..trace.end()).rev();
    newest.filter_map(|id| trace.get(id)).find(|message| weight(message, trace) == Weight::Told)
}

/// What a component is called in a sentence.
pub fn who(address: Address, cluster: &Cluster, words: &Words) -> String {
    let node = |number: u32| {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        cluster.node_names().nth(number).map(ToString::to_string).unwrap_or_default()
    };
    match address {
        Address::You => words.get("who.you").to_string(),
        Address::ApiServer => words.get("who.apiserver").to_string(),
        Address::Etcd => words.get("who.etcd").to_string(),
        Address::Scheduler => words.get("who.scheduler").to_string(),
        Address::Kubelet(number) => words.fill("who.kubelet", &[("node", &node(number))]),
        Address::Runtime(number) => words.fill("who.runtime", &[("node", &node(number))]),
    }
}

/// `message` as a sentence.
pub fn sentence(message: &Message, cluster: &Cluster, words: &Words) -> String {
    let from = who(message.from, cluster, words);
    let to = who(message.to, cluster, words);
    let subject = message.body.subject();
    let object = subject.map(|(kind, _, name)| format!("{} {name}", kind.resource().name));
    let object = object.or_else(|| subject_of_cause(message, cluster)).unwrap_or_default();
    let call = message.body.label();
    let phase = phase_of(&message.body);
    let (key, node) = match &message.body {
        Body::Request(request) => match (&request.payload, request.verb) {
            (Payload::Binding { node, .. }, _) => ("say.bind", node.to_string()),
            (_, Verb::Get | Verb::List | Verb::Watch) => ("say.read", String::new()),
            (_, Verb::Create) if message.from == Address::You => ("say.create", String::new()),
            (_, Verb::Delete) => ("say.delete", String::new()),
            (Payload::Patch(Patch::PodStatus { new, .. }), _) if new.phase.is_some() => {
                ("say.status-phase", String::new())
            }
            (_, Verb::Patch) if message.from != Address::You => ("say.status", String::new()),
            (_, Verb::Create | Verb::Update | Verb::Patch) => ("say.write", String::new()),
        },
        Body::Response { response, .. } => match &response.result {
            Ok(_) => ("say.answer", String::new()),
            Err(why) => return words.fill("say.error", &[("why", &why.message)]),
        },
        Body::Watch(event) => watch(&event.change, message.to),
        Body::StoreCall { .. } if object.is_empty() => ("say.store-read", String::new()),
        Body::StoreCall { .. } => ("say.store", String::new()),
        Body::StoreOut(EtcdOut::Watch { .. }) => ("say.store-watch", String::new()),
        Body::StoreOut(_) => ("say.stored", String::new()),
        Body::CriRequest { .. } => ("say.cri", String::new()),
        Body::CriOutcome { .. } => ("say.cri-answer", String::new()),
    };
    let told = match &message.body {
        Body::Response { .. } | Body::Watch(_) | Body::CriOutcome { .. } => &to,
        Body::Request(_)
        | Body::StoreCall { .. }
        | Body::StoreOut { .. }
        | Body::CriRequest { .. } => &from,
    };
    let values = [
        ("who", &**told),
        ("object", &object),
        ("pod", &object),
        ("node", &node),
        ("call", &call),
        ("phase", &phase),
    ];
    capital(&words.fill(key, &values))
}

/// The text for a watch event, and the node it is about.
fn watch(change: &Change, to: Address) -> (&'static str, String) {
    match change {
        Change::Added(Object::Pod(_)) if matches!(to, Address::Kubelet(_)) => {
            ("say.new-for-kubelet", String::new())
        }
        Change::Added(_) => ("say.watch-added", String::new()),
        Change::Deleted(_) => ("say.watch-deleted", String::new()),
        Change::Modified { object, before } => {
            let node_of = |object| Pod::unwrap(object).and_then(|pod| pod.node_name.clone());
            let was_free = before.as_ref().is_some_and(|before| node_of(before).is_none());
            match node_of(object) {
                Some(node) if was_free => ("say.bound", node.to_string()),
                Some(_) | None => ("say.watch-modified", String::new()),
            }
        }
        Change::Output { .. } | Change::Forwarded(_) => ("say.answer", String::new()),
        Change::Bookmark { .. } | Change::Error(_) | Change::Ended | Change::HungUp => {
            ("say.watch-modified", String::new())
        }
    }
}

/// The phase that a kubelet reports.
fn phase_of(body: &Body) -> String {
    let Body::Request(request) = body else { return String::new() };
    match &request.payload {
        Payload::Patch(Patch::PodStatus { new, .. }) => new.phase.clone().unwrap_or_default(),
        Payload::None
        | Payload::Refused(_)
        | Payload::Object(_)
        | Payload::Json(_)
        | Payload::Alike { .. }
        | Payload::Binding { .. }
        | Payload::Patch(_)
        | Payload::Precondition { .. } => String::new(),
    }
}

fn subject_of_cause(message: &Message, cluster: &Cluster) -> Option<String> {
    let cause = cluster.trace().get(message.cause?)?;
    let (kind, _, name) = cause.body.subject()?;
    Some(format!("{} {name}", kind.resource().name))
}

/// With a capital at its beginning, unless that is a name.
fn capital(text: &str) -> String {
    if text.starts_with("etcd") {
        return text.to_owned();
    }
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
    first.chain(letters).collect()
}

/// The line below the stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub text: String,
    /// The message in short, and whose it is.
    pub detail: Option<(u64, String)>,
}

/// What to say at this moment.
pub fn line(engine: &Engine, state: &State, words: &Words) -> Line {
    let plain = |text: String| Line { text, detail: None };
    if let Phase::Starting { .. } = state.phase {
        return plain(words.get("say.starting").to_string());
    }
    if state.rested {
        return plain(words.get("say.rested").to_string());
    }
    engine.session(|session| {
        let cluster = session.cluster();
        let began =
            session.recording().inputs.first().is_some_and(|input| input.at <= session.now());
        if let Some(message) = last_told(cluster).filter(|_| began) {
            Line {
                text: sentence(message, cluster, words),
                detail: Some((message.id, message.body.label())),
            }
        } else {
            let count = cluster.node_names().count().to_string();
            plain(words.fill("say.opened", &[("count", &count)]))
        }
    })
}

/// A word with what is behind it; a name such as `node-1` stays in one line.
fn whole(word: &str) -> Html {
    let name = word.trim_end();
    if !name.contains('-') {
        return html! { word.to_owned() };
    }
    let behind = word.strip_prefix(name).unwrap_or_default().to_owned();
    html! { <><span class="narration-name">{ name.to_owned() }</span>{ behind }</> }
}

/// Takes what is said now.
#[derive(Clone, PartialEq, Properties)]
pub struct NarrationProps {
    pub line: Line,
}

/// The line below the stage, which a screen reader reads as it changes.
#[component]
pub fn Narration(props: &NarrationProps) -> Html {
    let Line { text, detail } = &props.line;
    html! {
        <div class="narration">
            <p class="narration-line" aria-live="polite">
                { for text.split_inclusive(' ').map(whole) }
            </p>
            <p class="narration-detail">
                if let Some((id, label)) = detail {
                    <span title={label.clone()}>{ format!("#{id} {label}") }</span>
                }
            </p>
        </div>
    }
}
