//! The server itself: requests in, calls of the store out, answers and watch events back.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::etcd::{
    Call, CallId, Change, Compare, KeyRange, KeyValue, LeaseId, Op, Out as StoreOut, Put, Range,
    Response as StoreResponse, Revision, Txn, TxnOp, TxnOpResponse, TxnResponse, WatchCreate,
    WatchId,
};
use super::pending::{Pending, Step};
use super::strategy::{self, Birth, Write, group_resource};
use super::watch_cache::{WatchCache, selects};
use super::{EtcdCall, EtcdOut};
use crate::api::request::{
    Answer, Params, Payload, Request, Response, Subresource, Target, Verb, WatchEvent,
};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Kind, Object, RESOURCES};
use crate::sim::{Component, Ctx, Event, Rng};

const WORK: Duration = Duration::from_micros(300);
const WORK_JITTER: Duration = Duration::from_micros(200);
const BOOKMARKS_EVERY: Duration = Duration::from_mins(1);
/// `--etcd-compaction-interval`.
const COMPACT_EVERY: Duration = Duration::from_mins(5);
/// `--event-ttl`: an hour.
const EVENT_TTL_SECONDS: u64 = 3600;
/// The alphabet of generated names: no vowels, nothing that reads as another.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Who is on the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// What the server hears.
#[derive(Clone, Debug)]
pub enum In {
    Request { from: ConnectionId, request: Rc<Request> },
    Store(EtcdOut),
    Closed(ConnectionId),
}

/// What it says.
#[derive(Clone, Debug)]
pub enum Out {
    Response { to: ConnectionId, response: Rc<Response> },
    Watch { to: ConnectionId, event: WatchEvent },
    Store(EtcdCall),
}

/// What it does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    Bookmarks,
    Compact,
}

/// The API server.
#[derive(Clone, Debug)]
pub struct ApiServer {
    epoch: Timestamp,
    identity: Rng,
    calls: u64,
    pending: BTreeMap<u64, Pending>,
    caches: BTreeMap<Kind, WatchCache>,
    /// Forgotten at the next compaction.
    compact_at: Option<Revision>,
    leased_minute: u64,
    revision: Revision,
}

impl ApiServer {
    /// A server whose clock shows `epoch` at the beginning of virtual time.
    pub fn new(epoch: Timestamp, seed: u64) -> Self {
        let caches = Kind::ALL.into_iter().map(|kind| (kind, WatchCache::new(kind)));
        Self {
            epoch,
            identity: Rng::stream(seed, 0xA11),
            calls: 0,
            pending: BTreeMap::new(),
            caches: caches.collect(),
            compact_at: None,
            leased_minute: 0,
            revision: Revision::default(),
        }
    }

    /// All objects of a kind, by namespace and name.
    pub fn objects(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.caches.get(&kind).into_iter().flat_map(WatchCache::objects)
    }

    /// One object.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        self.caches.get(&kind)?.get(&key(kind, namespace, name))
    }

    /// How many watches are open.
    pub fn watchers(&self) -> usize {
        self.caches.values().map(WatchCache::watchers).sum()
    }

    fn now(&self, ctx: &Ctx<'_, Self>) -> Timestamp {
        let micros = i64::try_from(ctx.now.as_micros()).unwrap_or(i64::MAX);
        self.epoch.checked_add(SignedDuration::from_micros(micros)).unwrap_or(self.epoch)
    }

    fn start(&mut self, ctx: &mut Ctx<'_, Self>) {
        for kind in Kind::ALL {
            let keys = KeyRange::prefix(prefix(kind, ""));
            let create = WatchCreate {
                id: watch_id(kind),
                keys,
                start_revision: None,
                prev_kv: false,
                progress_notify: false,
            };
            self.call(ctx, Op::WatchCreate(create));
        }
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
            let namespace = Namespace { metadata, ..Namespace::default() };
            let birth = self.birth(self.now(ctx));
            let object = Object::Namespace(Rc::new(namespace));
            if let Ok(object) = strategy::create(&object, None, birth) {
                let txn = insert(key(Kind::Namespace, "", name), object, None);
                self.call(ctx, Op::Txn(txn));
            }
        }
        ctx.set_timer(BOOKMARKS_EVERY, Timer::Bookmarks);
        ctx.set_timer(COMPACT_EVERY, Timer::Compact);
    }

    fn birth(&mut self, now: Timestamp) -> Birth {
        let (high, low) = (self.identity.next_u64(), self.identity.next_u64());
        let uid = format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        );
        let mut letter = || {
            let index = self.identity.below(ALPHABET.len() as u64);
            let byte = usize::try_from(index).ok().and_then(|index| ALPHABET.get(index));
            char::from(byte.copied().unwrap_or(b'x'))
        };
        let suffix = (0..5).map(|_| letter()).collect();
        Birth { uid, suffix, now }
    }

    /// The lease that ends an event after its time; those of one minute share it.
    fn event_lease(&mut self, ctx: &mut Ctx<'_, Self>) -> LeaseId {
        let minute = ctx.now.as_micros() / 60_000_000 + 1;
        let id = LeaseId::new(minute);
        if self.leased_minute != minute {
            self.leased_minute = minute;
            self.call(ctx, Op::LeaseGrant { id: Some(id), ttl_seconds: EVENT_TTL_SECONDS });
        }
        id
    }

    fn call(&mut self, ctx: &mut Ctx<'_, Self>, op: Op<Object>) -> u64 {
        self.calls += 1;
        let work = WORK + ctx.rng.span_below(WORK_JITTER);
        ctx.send_after(work, Out::Store(Call::new(CallId::new(self.calls), op)));
        self.calls
    }

    fn wait(&mut self, ctx: &mut Ctx<'_, Self>, op: Op<Object>, pending: Pending) {
        let id = self.call(ctx, op);
        self.pending.insert(id, pending);
    }

    fn answer(
        ctx: &mut Ctx<'_, Self>,
        to: ConnectionId,
        request: &Request,
        result: Result<Answer, StatusError>,
    ) {
        let response = Rc::new(Response { id: request.id, result: result.map_err(Rc::new) });
        let work = WORK + ctx.rng.span_below(WORK_JITTER);
        ctx.send_after(work, Out::Response { to, response });
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_, Self>, from: ConnectionId, request: &Rc<Request>) {
        if let Err(error) = self.route(ctx, from, request) {
            Self::answer(ctx, from, request, Err(error));
        }
    }

    fn route(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
    ) -> Result<(), StatusError> {
        let (kind, namespace, name, part) = match &request.target {
            Target::Path(path) => {
                let document = document(path).ok_or_else(no_such_resource)?;
                Self::answer(ctx, from, request, Ok(Answer::Document(Rc::new(document))));
                return Ok(());
            }
            Target::Resource { kind, namespace, name, subresource } => {
                (*kind, namespace.as_deref(), name.as_deref(), *subresource)
            }
        };
        let pending = |step| Pending { from, request: Rc::clone(request), step };
        let resource = kind.resource();
        match (request.verb, name) {
            (Verb::Get, Some(name)) => {
                let range =
                    Range::latest(KeyRange::key(key(kind, namespace.unwrap_or_default(), name)));
                self.wait(ctx, Op::Range(range), pending(Step::Get));
            }
            (Verb::List, _) => {
                let prefix = prefix(kind, namespace.unwrap_or_default());
                if request.params.resource_version == Some(0)
                    && let Some(cache) = self.caches.get(&kind)
                {
                    let items = cache.list(&prefix, &request.params).into();
                    let resource_version = self.revision.get();
                    let answer = Answer::List { kind, items, resource_version };
                    Self::answer(ctx, from, request, Ok(answer));
                } else {
                    let range = Range::latest(KeyRange::prefix(prefix));
                    self.wait(ctx, Op::Range(range), pending(Step::List));
                }
            }
            (Verb::Watch, _) => {
                let prefix = prefix(kind, namespace.unwrap_or_default());
                let params: Rc<Params> = Rc::new(request.params.clone());
                let Some(cache) = self.caches.get_mut(&kind) else {
                    return Err(no_such_resource());
                };
                let events = cache.watch((from, request.id), &prefix, &params)?;
                Self::answer(ctx, from, request, Ok(Answer::Watching));
                for event in events {
                    ctx.send_after(WORK + WORK_JITTER, Out::Watch { to: from, event });
                }
            }
            (Verb::Create, None) => self.create(ctx, from, request, kind, namespace)?,
            (Verb::Create, Some(name)) if part == Some(Subresource::Binding) => {
                let request = with_binding(request)?;
                self.change(ctx, from, &request, kind, namespace.unwrap_or_default(), name)?;
            }
            (Verb::Update | Verb::Patch | Verb::Delete, Some(name)) => {
                self.change(ctx, from, request, kind, namespace.unwrap_or_default(), name)?;
            }
            (Verb::Get | Verb::Update | Verb::Patch | Verb::Delete, None)
            | (Verb::Create, Some(_)) => {
                let action = request.method().to_lowercase();
                return Err(StatusError::method_not_supported(group_resource(resource), &action));
            }
        }
        Ok(())
    }

    fn create(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        kind: Kind,
        namespace: Option<&str>,
    ) -> Result<(), StatusError> {
        let resource = kind.resource();
        let object = strategy::object_of(kind, &request.payload)?;
        let namespace = namespace.filter(|_| resource.namespaced);
        let birth = self.birth(self.now(ctx));
        let object = strategy::create(&object, namespace, birth)?;
        if let Some(namespace) = namespace {
            self.admit_namespace(namespace, &object)?;
        }
        let key = key(kind, namespace.unwrap_or_default(), object.name());
        let lease = (kind == Kind::Event).then(|| self.event_lease(ctx));
        let txn = insert(key, object.clone(), lease);
        let step = Step::Create { object };
        self.wait(ctx, Op::Txn(txn), Pending { from, request: Rc::clone(request), step });
        Ok(())
    }

    /// `NamespaceLifecycle`: nothing is created where there is no namespace, or where it ends.
    fn admit_namespace(&self, namespace: &str, object: &Object) -> Result<(), StatusError> {
        let namespaces = group_resource(Kind::Namespace.resource());
        let Some(found) = self.object(Kind::Namespace, "", namespace) else {
            return Err(StatusError::not_found(namespaces, namespace));
        };
        if found.meta().deletion_timestamp.is_some() {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            let resource = group_resource(object.kind().resource());
            return Err(StatusError::forbidden(resource, object.name(), why));
        }
        Ok(())
    }

    fn change(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<(), StatusError> {
        if let Some(current) = self.object(kind, namespace, name).cloned() {
            return self.change_from(ctx, from, request, current);
        }
        let range = Range::latest(KeyRange::key(key(kind, namespace, name)));
        let step = Step::ReadBeforeChange;
        self.wait(ctx, Op::Range(range), Pending { from, request: Rc::clone(request), step });
        Ok(())
    }

    fn change_from(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        current: Object,
    ) -> Result<(), StatusError> {
        let now = self.now(ctx);
        let part = match &request.target {
            Target::Resource { subresource, .. } => *subresource,
            Target::Path(_) => None,
        };
        let write = if request.verb == Verb::Delete {
            strategy::delete(request, &current, now)?
        } else {
            strategy::change(request, part, &current, now)?
        };
        let key = key(current.kind(), current.namespace(), current.name());
        let compare = vec![Compare::mod_revision_is(
            Rc::clone(&key),
            Revision::new(current.resource_version()),
        )];
        let failure = vec![TxnOp::Range(Range::latest(KeyRange::key(Rc::clone(&key))))];
        let (op, to) = match write {
            Write::Keep => {
                Self::answer(ctx, from, request, Ok(Answer::Object(current)));
                return Ok(());
            }
            Write::Put(object) => {
                let lease = (object.kind() == Kind::Event).then(|| self.event_lease(ctx));
                (TxnOp::Put(Put { key, value: object.clone(), lease }), Some(object))
            }
            Write::Delete => (TxnOp::DeleteRange(KeyRange::key(key)), None),
        };
        let txn = Txn { compare, success: vec![op], failure };
        let step = Step::Change { to, current };
        self.wait(ctx, Op::Txn(txn), Pending { from, request: Rc::clone(request), step });
        Ok(())
    }

    fn on_store(&mut self, ctx: &mut Ctx<'_, Self>, out: EtcdOut) {
        match out {
            StoreOut::Watch { revision, events, .. } => {
                self.revision = self.revision.max(revision);
                for event in events.iter() {
                    self.on_change(ctx, &event.change);
                }
            }
            StoreOut::Reply { id, result } => {
                let Some(Pending { from, request, step }) = self.pending.remove(&id.get()) else {
                    return;
                };
                let done = match result {
                    Ok(response) => self.on_reply(ctx, from, &request, step, response),
                    Err(error) => Err(StatusError::internal(error)),
                };
                match done {
                    Ok(Some(answer)) => Self::answer(ctx, from, &request, Ok(answer)),
                    // It goes on with another call.
                    Ok(None) => {}
                    Err(error) => Self::answer(ctx, from, &request, Err(error)),
                }
            }
            StoreOut::Progress { revision, .. } | StoreOut::WatchCanceled { revision, .. } => {
                self.revision = self.revision.max(revision);
            }
        }
    }

    fn on_change(&mut self, ctx: &mut Ctx<'_, Self>, change: &Change<Object>) {
        let revision = change.mod_revision();
        let after = change.key_value().map(|stored| versioned(stored));
        let Some(kind) = kind_of(change.key()) else { return };
        let Some(cache) = self.caches.get_mut(&kind) else { return };
        for (to, event) in cache.apply(change.key(), after, revision.get()) {
            ctx.send_after(WORK, Out::Watch { to, event });
        }
    }

    fn on_reply(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        step: Step,
        response: StoreResponse<Object>,
    ) -> Result<Option<Answer>, StatusError> {
        match (step, response) {
            (Step::Get, StoreResponse::Range(found)) => {
                let stored = found.kvs.first().ok_or_else(|| not_found(request))?;
                Ok(Some(Answer::Object(versioned(stored))))
            }
            (Step::List, StoreResponse::Range(found)) => {
                let kind = request.target.kind().ok_or_else(no_such_resource)?;
                let objects = found.kvs.iter().map(|stored| versioned(stored));
                let items = objects.filter(|object| selects(&request.params, object)).collect();
                let resource_version = found.revision.get();
                Ok(Some(Answer::List { kind, items, resource_version }))
            }
            (Step::ReadBeforeChange, StoreResponse::Range(found)) => {
                let stored = found.kvs.first().ok_or_else(|| not_found(request))?;
                self.change_from(ctx, from, request, versioned(stored))?;
                Ok(None)
            }
            (Step::Create { object }, StoreResponse::Txn(done)) => {
                if !done.succeeded {
                    let resource = group_resource(object.kind().resource());
                    return Err(StatusError::already_exists(resource, object.name()));
                }
                let version = done.revision.to_string();
                let object = object.with_meta(|meta| meta.resource_version = Some(version));
                Ok(Some(Answer::Created(object)))
            }
            (Step::Change { to, current }, StoreResponse::Txn(done)) if done.succeeded => {
                let version = done.revision.to_string();
                if matches!(request.payload, Payload::Binding { .. }) {
                    return Ok(Some(Answer::Success { code: 201 }));
                }
                if let Some(marked) = &to
                    && request.verb == Verb::Delete
                    && marked.meta().deletion_grace_period_seconds == Some(0)
                {
                    let marked = marked.with_meta(|meta| meta.resource_version = Some(version));
                    self.change_from(ctx, from, request, marked)?;
                    return Ok(None);
                }
                let object = to.unwrap_or(current);
                Ok(Some(Answer::Object(
                    object.with_meta(|meta| meta.resource_version = Some(version)),
                )))
            }
            (Step::Change { .. }, StoreResponse::Txn(done)) => {
                // Somebody else was faster: decide again on what is there now.
                let current = current_of(&done).ok_or_else(|| not_found(request))?;
                self.change_from(ctx, from, request, current)?;
                Ok(None)
            }
            (
                Step::Get
                | Step::List
                | Step::Create { .. }
                | Step::Change { .. }
                | Step::ReadBeforeChange,
                _,
            ) => Err(StatusError::internal("the store answered something else")),
        }
    }
}

impl Component for ApiServer {
    type In = In;
    type Out = Out;
    type Timer = Timer;

    fn handle(&mut self, ctx: &mut Ctx<'_, Self>, event: Event<Self>) {
        match event {
            Event::Started => self.start(ctx),
            Event::Message(In::Request { from, request }) => self.on_request(ctx, from, &request),
            Event::Message(In::Store(out)) => self.on_store(ctx, out),
            Event::Message(In::Closed(from)) => {
                for cache in self.caches.values_mut() {
                    cache.close(from);
                }
            }
            Event::Timer(Timer::Bookmarks) => {
                let marks: Vec<_> = self.caches.values().flat_map(WatchCache::bookmarks).collect();
                for (to, event) in marks {
                    ctx.send(Out::Watch { to, event });
                }
                ctx.set_timer(BOOKMARKS_EVERY, Timer::Bookmarks);
            }
            Event::Timer(Timer::Compact) => {
                if let Some(at) = self.compact_at.replace(self.revision)
                    && at > Revision::new(1)
                {
                    self.call(ctx, Op::Compact(at));
                }
                ctx.set_timer(COMPACT_EVERY, Timer::Compact);
            }
        }
    }
}

fn insert(key: Rc<str>, object: Object, lease: Option<LeaseId>) -> Txn<Object> {
    Txn {
        compare: vec![Compare::mod_revision_is(Rc::clone(&key), Revision::default())],
        success: vec![TxnOp::Put(Put { key, value: object, lease })],
        failure: Vec::new(),
    }
}

fn versioned(stored: &KeyValue<Object>) -> Object {
    let version = stored.mod_revision.to_string();
    stored.value.with_meta(|meta| meta.resource_version = Some(version))
}

fn current_of(done: &TxnResponse<Object>) -> Option<Object> {
    done.responses.iter().find_map(|response| match response {
        TxnOpResponse::Range(found) => found.kvs.first().map(|stored| versioned(stored)),
        TxnOpResponse::Put | TxnOpResponse::DeleteRange { .. } => None,
    })
}

fn prefix(kind: Kind, namespace: &str) -> String {
    let storage = kind.resource().storage;
    if namespace.is_empty() {
        format!("/registry/{storage}/")
    } else {
        format!("/registry/{storage}/{namespace}/")
    }
}

fn key(kind: Kind, namespace: &str, name: &str) -> Rc<str> {
    format!("{}{name}", prefix(kind, namespace)).into()
}

fn kind_of(key: &str) -> Option<Kind> {
    let storage = key.strip_prefix("/registry/")?.split('/').next()?;
    RESOURCES.iter().find(|resource| resource.storage == storage).map(|resource| resource.kind)
}

fn watch_id(kind: Kind) -> WatchId {
    WatchId::new(kind as u64)
}

fn not_found(request: &Request) -> StatusError {
    match request.target.kind() {
        Some(kind) => StatusError::not_found(group_resource(kind.resource()), request.name()),
        None => no_such_resource(),
    }
}

fn no_such_resource() -> StatusError {
    StatusError::generic(crate::api::status::Reason::NotFound, "")
}

/// `v1.Binding` as it came over HTTP.
fn with_binding(request: &Rc<Request>) -> Result<Rc<Request>, StatusError> {
    let Payload::Json(body) = &request.payload else {
        return Ok(Rc::clone(request));
    };
    let node = body.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
    if node.is_empty() {
        let name = GroupResource::new("", "Binding");
        let errors = [crate::api::field::FieldError::required(
            &crate::api::field::Path::new("target").child("name"),
            "",
        )];
        return Err(StatusError::invalid(name, request.name(), &errors));
    }
    let uid = body.pointer("/metadata/uid").and_then(Value::as_str).map(Into::into);
    let payload = Payload::Binding { uid, node: node.into() };
    Ok(Rc::new(Request { payload, ..Request::clone(request) }))
}

/// The documents that are no resources.
fn document(path: &str) -> Option<Value> {
    let resources = |group: &str| -> Vec<Value> {
        RESOURCES
            .iter()
            .filter(|resource| resource.group == group)
            .map(|resource| {
                json!({
                    "name": resource.plural, "singularName": resource.singular,
                    "namespaced": resource.namespaced, "kind": resource.name,
                    "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
                    "shortNames": resource.short_names, "categories": resource.categories,
                })
            })
            .collect()
    };
    Some(match path.trim_end_matches('/') {
        "/version" => json!({
            "major": "1", "minor": "37", "gitVersion": "v1.37.0", "gitTreeState": "clean",
            "platform": "linux/amd64",
        }),
        "/healthz" | "/livez" | "/readyz" => json!("ok"),
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
        "/apis" => json!({
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": [{
                "name": "coordination.k8s.io",
                "versions": [{"groupVersion": "coordination.k8s.io/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "coordination.k8s.io/v1", "version": "v1"},
            }],
        }),
        "/api/v1" => json!({
            "kind": "APIResourceList", "groupVersion": "v1", "resources": resources(""),
        }),
        "/apis/coordination.k8s.io/v1" => json!({
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": "coordination.k8s.io/v1", "resources": resources("coordination.k8s.io"),
        }),
        _ => return None,
    })
}
