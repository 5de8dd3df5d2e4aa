//! Requests, answers and watch events: the only wire between components.
//!
//! Between components travel typed objects; the method, path and body of the same request over HTTP
//! are worked out when somebody looks ([`Request::method`], [`Request::path`], [`Request::body`]).

use std::fmt;
use std::rc::Rc;

use k8s_openapi::api::core::v1::PodCondition;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::document::Part;
use super::exec::{Channel, ExecOptions};
use super::fields::FieldSelector;
use super::labels::Selector;
use super::logs::LogQuery;
use super::page::{Page, Rest};
use super::port_forward::Forwarded;
use super::representation::Representation;
use super::scheme::Kind;
use super::status::StatusError;
use super::{Object, Pod};
use crate::api::wire::{Event, NodeStatus, PodStatus};
use crate::api::{json_object, to_json};

/// The sender's own number for a request; the answer and a watch's events carry it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
}

/// A part of an object that is read or written by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subresource {
    Status,
    Binding,
    /// How many Pods are wanted, as an `autoscaling/v1` Scale.
    Scale,
    /// What a container wrote, as text.
    Log,
    /// A command that runs in a container.
    Exec,
    /// What a container that runs writes, and what it is sent.
    Attach,
    /// Connections to ports of a Pod that runs.
    PortForward,
    /// The containers that were added to a Pod that runs, to look into it.
    EphemeralContainers,
    /// The resources of a Pod that runs.
    Resize,
    /// A delete that asks the disruption budgets.
    Eviction,
    /// A token of a service account.
    Token,
    /// The finalizers of a namespace.
    Finalize,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Resource {
        kind: Kind,
        /// `None` for all namespaces, and for a kind without.
        namespace: Option<Rc<str>>,
        /// `None` for the whole collection.
        name: Option<Rc<str>>,
        subresource: Option<Subresource>,
    },
    /// A path that names no resource that is served.
    Path(Rc<str>),
}

/// One request, on its way to the API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub id: RequestId,
    pub verb: Verb,
    pub target: Target,
    pub params: Params,
    pub payload: Payload,
    /// Who asks, if it is not a component of the cluster, nor came through the door that asks nobody.
    pub caller: Option<Rc<Caller>>,
}

/// What stands in a request's query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    pub label_selector: Option<Rc<Selector>>,
    pub field_selector: Option<Rc<FieldSelector>>,
    /// For a watch: the revision after which to begin. For a list: 0 takes what the cache has.
    pub resource_version: Option<u64>,
    pub allow_watch_bookmarks: bool,
    /// Of a watch, whether it begins with all that is there; if nothing is said, it does so unless it
    /// begins at a version.
    pub send_initial_events: Option<bool>,
    /// Of a watch, after how many seconds the server ends it.
    pub timeout_seconds: Option<u64>,
    pub grace_period_seconds: Option<i64>,
    /// The form in which the answer is wanted.
    pub representation: Representation,
    pub field_validation: FieldValidation,
    /// Of a list, which part of it.
    pub page: Page,
    /// Do all but keep what comes of it.
    pub dry_run: bool,
    /// Whose the fields are that a write sets.
    pub field_manager: Option<Rc<str>>,
    /// Of a container's log, which part.
    pub log: Option<Rc<LogQuery>>,
    /// Of an exec, which command; of a port forward, which ports.
    pub exec: Option<Rc<ExecOptions>>,
    /// Of an apply, whether it takes fields from others; no other write may say so, or that it does not.
    pub force: Option<bool>,
}

/// What is done about fields that a type does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// What a request carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    None,
    Object(Object),
    /// As it came over HTTP: not yet decoded, defaulted or validated.
    Json(Rc<Value>),
    /// The same of a new pod whose spec came before with others: all but the spec, and that.
    Alike {
        rest: Rc<Value>,
        spec: Rc<Value>,
    },
    /// `v1.Binding`: the node that the pod is to run on.
    Binding {
        uid: Option<Rc<str>>,
        node: Rc<str>,
        /// All of it, as it came over HTTP.
        sent: Option<Rc<Value>>,
    },
    Patch(Patch),
    /// What cannot be read; the server answers with this.
    Refused(Rc<StatusError>),
    /// `v1.DeleteOptions`: delete only this very object.
    Precondition {
        uid: Option<Rc<str>>,
    },
}

/// The patches that components send; over HTTP each is a strategic merge patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// The whole of a pod's status as its kubelet has it. Conditions merge by type: those that are
    /// named here are replaced, others stay.
    PodStatus { uid: Rc<str>, old: Rc<PodStatus>, new: Rc<PodStatus> },
    /// One condition of a pod, or none, by who is not its kubelet.
    PodCondition {
        condition: Option<Rc<PodCondition>>,
        /// The node that the pod waits for, if it now waits for another; empty if it waits for none.
        nominated: Option<Rc<str>>,
    },
    /// A node's status; conditions and addresses merge by type.
    NodeStatus(Rc<NodeStatus>),
    /// One more time: an event's `series`, or its `count`, `lastTimestamp` and message.
    Event(Rc<Event>),
    /// Any patch as it came over HTTP.
    Json { kind: PatchKind, patch: Rc<Value> },
}

/// Which rules a patch follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    Json,
    Merge,
    Strategic,
    /// Server-side apply: no patch, but all that its manager wants.
    Apply,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub id: RequestId,
    pub result: Result<Answer, Rc<StatusError>>,
    /// What the person should know, though all went well.
    pub warnings: Rc<[String]>,
}

/// An answer that went well.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// 200.
    Object(Object),
    /// 201.
    Created(Object),
    List {
        kind: Kind,
        items: Rc<[Object]>,
        resource_version: u64,
        /// What is left for the next page.
        rest: Option<Rest>,
    },
    /// The watch is open; its events follow under the request's number.
    Watching,
    /// Text follows as it comes, as [`Change::Output`] under the request's number: 200, or 101 if in
    /// another protocol.
    Streaming { code: u16 },
    /// `Status: Success`, such as of a binding.
    Success { code: u16 },
    /// A document that is no object, such as `/version`.
    Document(Rc<Document>),
}

impl Answer {
    /// The one object that it brings.
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) | Self::Created(object) => Some(object),
            Self::List { .. }
            | Self::Watching
            | Self::Streaming { .. }
            | Self::Success { .. }
            | Self::Document(_) => None,
        }
    }
}

/// A document that is no object.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub code: u16,
    /// What the header `Content-Type` says.
    pub media: &'static str,
    /// Its JSON, or its text as one string.
    pub body: Value,
}

/// What most bodies are.
pub const JSON: &str = "application/json";
/// What containers write.
pub const TEXT: &str = "text/plain";

/// One event of a watch.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchEvent {
    /// The request that opened the watch.
    pub watch: RequestId,
    pub change: Change,
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Added(Object),
    /// `before` is not on the wire; it is kept to show what changed.
    Modified {
        object: Object,
        before: Option<Object>,
    },
    Deleted(Object),
    Bookmark {
        kind: Kind,
        resource_version: u64,
        /// Whether it says that all that was there at the beginning has been told.
        ends_initial: bool,
    },
    /// The watch ends with this; usually 410 Expired.
    Error(Rc<StatusError>),
    /// The watch ends, for it has lasted as long as it was to; on the wire only the stream does.
    Ended,
    /// No watch, but what a container has written, or is sent.
    Output {
        /// None for a log.
        channel: Option<Channel>,
        text: Rc<str>,
    },
    /// No watch either, but what travels in a connection to a port of a Pod.
    Forwarded(Rc<Forwarded>),
    /// Said to who tells: nobody hears it any more. On the wire, a connection is closed.
    HungUp,
}

impl Change {
    /// Its type on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Added(_) => "ADDED",
            Self::Modified { .. } => "MODIFIED",
            Self::Deleted(_) => "DELETED",
            Self::Bookmark { .. } => "BOOKMARK",
            Self::Error(_) => "ERROR",
            Self::Ended => "END",
            Self::Output { .. } => "OUTPUT",
            Self::Forwarded(_) => "FORWARDED",
            Self::HungUp => "HUNG UP",
        }
    }

    /// What its `object` is on the wire.
    pub fn body(&self) -> Value {
        match self {
            Self::Added(object) | Self::Modified { object, .. } | Self::Deleted(object) => {
                object.to_json()
            }
            Self::Bookmark { kind, resource_version, ends_initial } => {
                let mut metadata = json!({"resourceVersion": resource_version.to_string()});
                if let (true, Some(metadata)) = (*ends_initial, metadata.as_object_mut()) {
                    let annotations = json!({"k8s.io/initial-events-end": "true"});
                    metadata.insert("annotations".to_owned(), annotations);
                }
                json!({
                    "kind": kind.resource().name,
                    "apiVersion": kind.resource().api_version(),
                    "metadata": metadata,
                })
            }
            Self::Error(error) => to_json(&error.to_status()),
            Self::Output { text, .. } => (&**text).into(),
            Self::Ended | Self::Forwarded(_) | Self::HungUp => Value::Null,
        }
    }

    /// Whether it is a piece of an answer that goes on, and no watch.
    pub fn is_piece(&self) -> bool {
        matches!(self, Self::Output { .. } | Self::Forwarded(_))
    }

    /// The object it is about.
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Added(object) | Self::Modified { object, .. } | Self::Deleted(object) => {
                Some(object)
            }
            Self::Bookmark { .. }
            | Self::Error(_)
            | Self::Ended
            | Self::Output { .. }
            | Self::Forwarded(_)
            | Self::HungUp => None,
        }
    }
}

impl Payload {
    /// The JSON that was sent; an absent part if it is none, or a pod whose spec is shared.
    pub fn json(&self) -> Part<'_> {
        Part::of(if let Self::Json(json) = self { Some(json) } else { None })
    }
}

/// The object of which `rest` is all but the spec.
pub fn with_spec(rest: &Value, spec: &Value) -> Value {
    let mut whole = rest.clone();
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("spec".to_owned(), spec.clone());
    }
    whole
}

impl Subresource {
    /// Its name in a path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Binding => "binding",
            Self::Scale => "scale",
            Self::Log => "log",
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "portforward",
            Self::EphemeralContainers => "ephemeralcontainers",
            Self::Resize => "resize",
            Self::Eviction => "eviction",
            Self::Token => "token",
            Self::Finalize => "finalize",
        }
    }
}

impl Target {
    /// The collection of `kind` in `namespace`.
    pub fn collection(kind: Kind, namespace: Option<&str>) -> Self {
        let namespace = namespace.map(Into::into);
        Self::Resource { kind, namespace, name: None, subresource: None }
    }

    /// The object of `kind` called `name`.
    pub fn named(kind: Kind, namespace: &str, name: &str) -> Self {
        let namespace = (!namespace.is_empty()).then(|| namespace.into());
        Self::Resource { kind, namespace, name: Some(name.into()), subresource: None }
    }

    /// The same object's `part`.
    #[must_use]
    pub fn part(self, part: Subresource) -> Self {
        match self {
            Self::Resource { kind, namespace, name, .. } => {
                Self::Resource { kind, namespace, name, subresource: Some(part) }
            }
            Self::Path(path) => Self::Path(path),
        }
    }

    /// The part that it names.
    pub fn subresource(&self) -> Option<Subresource> {
        match self {
            Self::Resource { subresource, .. } => *subresource,
            Self::Path(_) => None,
        }
    }

    /// The namespace in its path.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Resource { namespace, .. } => namespace.as_deref(),
            Self::Path(_) => None,
        }
    }

    /// The kind it is about.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Resource { kind, .. } => Some(*kind),
            Self::Path(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, namespace, name, subresource) = match self {
            Self::Path(path) => return f.write_str(path),
            Self::Resource { kind, namespace, name, subresource } => {
                (kind, namespace, name, subresource)
            }
        };
        let resource = kind.resource();
        f.write_str(&resource.prefix())?;
        if let Some(namespace) = namespace {
            write!(f, "/namespaces/{namespace}")?;
        }
        write!(f, "/{}", resource.plural)?;
        if let Some(name) = name {
            write!(f, "/{name}")?;
        }
        if let Some(subresource) = subresource {
            write!(f, "/{}", subresource.name())?;
        }
        Ok(())
    }
}

impl Request {
    /// Whether it is an eviction.
    pub fn is_eviction(&self) -> bool {
        self.target.subresource() == Some(Subresource::Eviction)
    }

    /// Whether it deletes what it is about.
    pub fn deletes(&self) -> bool {
        self.verb == Verb::Delete || self.is_eviction()
    }

    /// Its HTTP method.
    pub fn method(&self) -> &'static str {
        match self.verb {
            Verb::Get | Verb::List | Verb::Watch => "GET",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    /// Its path and query over HTTP.
    pub fn path(&self) -> String {
        let mut query: Vec<String> = Vec::new();
        if self.verb == Verb::Watch {
            query.push("watch=true".into());
        }
        if self.params.allow_watch_bookmarks {
            query.push("allowWatchBookmarks=true".into());
        }
        if let Some(wanted) = self.params.send_initial_events {
            query.push(format!("sendInitialEvents={wanted}"));
        }
        if let Some(seconds) = self.params.timeout_seconds {
            query.push(format!("timeoutSeconds={seconds}"));
        }
        if let Some(selector) = &self.params.label_selector {
            query.push(format!("labelSelector={selector}"));
        }
        if let Some(selector) = &self.params.field_selector {
            query.push(format!("fieldSelector={selector}"));
        }
        if let Some(version) = self.params.resource_version {
            query.push(format!("resourceVersion={version}"));
        }
        if let Some(manager) = &self.params.field_manager {
            query.push(format!("fieldManager={manager}"));
        }
        if let Some(force) = self.params.force {
            query.push(format!("force={force}"));
        }
        if let Some(log) = &self.params.log {
            if !log.container.is_empty() && self.target.kind().is_some() {
                query.push(format!("container={}", log.container));
            }
            query.extend(log.query());
        }
        if let Some(exec) = &self.params.exec {
            if !exec.container.is_empty() && self.target.kind().is_some() {
                query.push(format!("container={}", exec.container));
            }
            query.extend(exec.query());
            if !exec.ports.is_empty() {
                // The API server is asked for `ports`, and asks the kubelet for each `port`.
                let name = if self.target.kind().is_some() { "ports" } else { "port" };
                query.push([name, "=", &exec.ports].concat());
            }
        }
        if self.params.dry_run {
            query.push("dryRun=All".into());
        }
        let path = self.target.to_string();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// Its body over HTTP.
    pub fn body(&self) -> Option<Value> {
        let uid_of = |uid: &Option<Rc<str>>| uid.as_deref().map(str::to_owned);
        match &self.payload {
            Payload::None | Payload::Refused(_) => {
                let grace = self.params.grace_period_seconds?;
                Some(
                    json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": grace}),
                )
            }
            Payload::Object(object) => Some(object.to_json()),
            Payload::Json(value) => Some((**value).clone()),
            Payload::Alike { rest, spec } => Some(with_spec(rest, spec)),
            Payload::Binding { uid, node, .. } => Some(json!({
                "apiVersion": "v1", "kind": "Binding",
                "metadata": {"name": self.name(), "namespace": self.namespace(), "uid": uid_of(uid)},
                "target": {"kind": "Node", "name": &**node},
            })),
            Payload::Patch(patch) => Some(patch.body()),
            Payload::Precondition { uid } => Some(json!({
                "apiVersion": "v1", "kind": "DeleteOptions",
                "gracePeriodSeconds": self.params.grace_period_seconds,
                "preconditions": {"uid": uid_of(uid)},
            })),
        }
    }

    /// The name in its path; empty for a collection.
    pub fn name(&self) -> &str {
        match &self.target {
            Target::Resource { name, .. } => name.as_deref().unwrap_or_default(),
            Target::Path(_) => "",
        }
    }

    /// The namespace in its path; empty where there is none.
    pub fn namespace(&self) -> &str {
        match &self.target {
            Target::Resource { namespace, .. } => namespace.as_deref().unwrap_or_default(),
            Target::Path(_) => "",
        }
    }

    /// The object it names, if it is a Pod.
    pub fn pod(&self) -> Option<(&str, &str)> {
        (self.target.kind() == Some(Kind::Pod) && !self.name().is_empty())
            .then(|| (self.namespace(), self.name()))
    }
}

impl Patch {
    fn body(&self) -> Value {
        match self {
            Self::PodStatus { uid, old, new } => {
                let mut status = changed_fields(old, new);
                if let Some(Value::Array(conditions)) = status.get_mut("conditions") {
                    for condition in old.conditions.iter().flatten() {
                        let kind = condition.type_.as_str();
                        if is_taken_back(old, new, kind) {
                            conditions.push(json!({"$patch": "delete", "type": kind}));
                        }
                    }
                }
                json!({"metadata": {"uid": &**uid}, "status": status})
            }
            Self::PodCondition { condition, nominated } => {
                let mut status = Map::new();
                if let Some(condition) = condition {
                    status.insert("conditions".to_owned(), json!([to_json(condition)]));
                }
                if let Some(node) = nominated {
                    let node = Some(&**node).filter(|node| !node.is_empty());
                    status.insert("nominatedNodeName".to_owned(), json!(node));
                }
                json!({"status": status})
            }
            Self::NodeStatus(status) => json!({"status": to_json(status)}),
            Self::Event(event) if event.series.is_some() => {
                json!({"series": to_json(&event.series)})
            }
            Self::Event(event) => json!({
                "count": event.count, "lastTimestamp": to_json(&event.last_timestamp),
                "message": event.message,
            }),
            Self::Json { patch, .. } => (**patch).clone(),
        }
    }
}

/// Whether there was a condition of that type, and is no longer.
pub fn is_taken_back(old: &PodStatus, new: &PodStatus, kind: &str) -> bool {
    let has = |status: &PodStatus| {
        status.conditions.iter().flatten().any(|condition| condition.type_ == kind)
    };
    has(old) && !has(new)
}

/// The fields of `new` that are not the same in `old`; `null` where one is gone.
fn changed_fields(old: &PodStatus, new: &PodStatus) -> Value {
    let (Value::Object(old), Value::Object(mut new)) = (to_json(old), to_json(new)) else {
        return Value::Null;
    };
    for (field, value) in old {
        if new.get(&field) == Some(&value) {
            new.remove(&field);
        } else {
            new.entry(field).or_insert(Value::Null);
        }
    }
    Value::Object(new)
}

impl Pod {
    /// Its namespace and name.
    pub fn key(&self) -> (&str, &str) {
        (
            self.metadata.namespace.as_deref().unwrap_or_default(),
            self.metadata.name.as_deref().unwrap_or_default(),
        )
    }
}

/// The metadata of a list.
pub(super) fn list_metadata(resource_version: u64, rest: Option<&Rest>) -> Value {
    let version = resource_version.to_string();
    match rest {
        None => json!({"resourceVersion": version}),
        Some(Rest { token, count: None }) => {
            json!({"resourceVersion": version, "continue": token})
        }
        Some(Rest { token, count: Some(count) }) => json!({
            "resourceVersion": version, "continue": token, "remainingItemCount": count,
        }),
    }
}

impl Response {
    /// An answer without warnings.
    pub fn new(id: RequestId, result: Result<Answer, Rc<StatusError>>) -> Self {
        Self { id, result, warnings: Rc::default() }
    }

    /// Its HTTP status code.
    pub fn code(&self) -> u16 {
        match &self.result {
            Ok(Answer::Created(_)) => 201,
            Ok(Answer::Success { code } | Answer::Streaming { code }) => *code,
            Ok(Answer::Document(document)) => document.code,
            Ok(Answer::Object(_) | Answer::List { .. } | Answer::Watching) => 200,
            Err(error) => error.code,
        }
    }

    /// What its header `Content-Type` says.
    pub fn media(&self) -> &'static str {
        match &self.result {
            Ok(Answer::Document(document)) => document.media,
            Ok(Answer::Streaming { .. }) => TEXT,
            Ok(_) | Err(_) => JSON,
        }
    }

    /// Its body as JSON.
    pub fn body(&self) -> Value {
        match &self.result {
            Ok(Answer::Object(object) | Answer::Created(object)) => object.to_json(),
            Ok(Answer::List { kind, items, resource_version, rest }) => {
                let resource = kind.resource();
                json_object([
                    ("kind", resource.list().into()),
                    ("apiVersion", resource.api_version().into()),
                    ("metadata", list_metadata(*resource_version, rest.as_ref())),
                    ("items", items.iter().map(Object::to_json).collect()),
                ])
            }
            Ok(Answer::Watching | Answer::Streaming { .. }) => Value::Null,
            Ok(Answer::Success { .. }) => json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            }),
            Ok(Answer::Document(document)) => document.body.clone(),
            Err(error) => to_json(&error.to_status()),
        }
    }
}
