//! The server itself: requests in, calls of the store out, answers and watch events back.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::apply::configuration;
use super::body::told_of;
use super::bootstrap;
use super::definitions::in_version;
use super::etcd::{
    Call, CallId, Change as StoreChange, EtcdError, LeaseId, Op, Out as StoreOut,
    Response as StoreResponse, Revision,
};
use super::eviction;
use super::keys::{current_of, insert, key, prefix, text, versioned};
use super::pending::{Pending, Step};
use super::priority::system_classes;
use super::proxied::Proxied;
use super::requests::NAMES;
use super::scale::scale_of;
use super::strategy::{self, Birth, group_resource};
use super::templates::Templates;
use super::watch_cache::{Objects, WatchCache, selects};
use super::{EtcdCall, EtcdOut};
use crate::api::decode::Decoded;
use crate::api::page::Continue;
use crate::api::request::{
    Answer, Change, Document, JSON, Payload, Request, RequestId, Response, Subresource, Target,
    WatchEvent,
};
use crate::api::status::StatusError;
use crate::api::{self, Kind, Kinds, Object};
use crate::sim::{Component, Ctx, Event, GrowingMap, Rng, SortedMap};

pub(super) const WORK: Duration = Duration::from_micros(300);
const WORK_JITTER: Duration = Duration::from_micros(200);
const BOOKMARKS_EVERY: Duration = Duration::from_mins(1);
/// `--etcd-compaction-interval`.
const COMPACT_EVERY: Duration = Duration::from_mins(5);
/// `--event-ttl`: an hour. A lease holds a minute longer, for it serves all events of that minute.
///
/// Mirrors: `apiserver/pkg/storage/etcd3/lease_manager.go`.
const EVENT_TTL_SECONDS: u64 = 3600 + 60;
/// The alphabet of generated names: no vowels, nothing that reads as another.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Who is on the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// What the server hears.
#[derive(Clone, Debug)]
pub enum In {
    Request {
        from: ConnectionId,
        request: Rc<Request>,
    },
    Store(EtcdOut),
    /// A kubelet's answer to what the server asked it.
    Kubelet(Rc<Response>),
    /// A kubelet goes on with such an answer.
    KubeletTold(WatchEvent),
    /// Who has asked goes on.
    Typed {
        from: ConnectionId,
        event: WatchEvent,
    },
    Closed(ConnectionId),
    /// Nobody reads this watch any more.
    HungUp {
        from: ConnectionId,
        watch: RequestId,
    },
}

/// What it says.
#[derive(Clone, Debug)]
pub enum Out {
    Response {
        to: ConnectionId,
        response: Rc<Response>,
    },
    Watch {
        to: ConnectionId,
        event: WatchEvent,
    },
    Store(EtcdCall),
    /// To the kubelet of the node called so.
    Kubelet {
        node: Rc<str>,
        request: Rc<Request>,
    },
    /// To the same: how what was asked under this number goes on.
    Tell {
        node: Rc<str>,
        event: WatchEvent,
    },
}

/// What it does by itself.
#[derive(Clone, Debug)]
pub enum Timer {
    Bookmarks,
    Compact,
    /// A read of a version that there was not yet is tried again.
    Fresh {
        from: ConnectionId,
        request: Rc<Request>,
        tries: u32,
    },
    /// A watch has lasted as long as it was to.
    WatchEnds {
        kind: Kind,
        to: ConnectionId,
        watch: RequestId,
    },
    /// A kubelet was asked this some time ago.
    Kubelet(RequestId),
}

/// The API server.
#[derive(Clone, Debug)]
pub struct ApiServer {
    epoch: Timestamp,
    pub(super) identity: Rng,
    /// What it signs tokens with.
    pub(super) token_key: u64,
    calls: u64,
    pub(super) pending: GrowingMap<u64, Pending>,
    /// What is on its way into the store where a quota counts it.
    pub(super) reserved: SortedMap<Rc<str>, Object>,
    pub(super) caches: SortedMap<Kind, WatchCache>,
    /// The kinds that are served.
    pub(super) kinds: Rc<Kinds>,
    /// The defined kinds that were ever served, to be made only once.
    pub(super) ever_served: Vec<Kind>,
    /// What the watches of the store follow, by their number.
    pub(super) watched: Vec<Option<Kind>>,
    /// Forgotten at the next compaction.
    compact_at: Option<Revision>,
    leased_minute: u64,
    /// What kubelets were asked and have not answered to the end, and the number of the last such request.
    pub(super) proxied: SortedMap<RequestId, Proxied>,
    pub(super) proxied_last: u64,
    pub(super) revision: Revision,
    pub(super) templates: Templates,
    /// What was last written and answered, before and after it got its version: who watches is told of
    /// the same object.
    written_last: Option<(Object, Object)>,
}

impl ApiServer {
    /// A server whose clock shows `epoch` at the beginning of virtual time.
    pub fn new(epoch: Timestamp, seed: u64) -> Self {
        let caches = Kind::all_stored().map(|kind| (kind, WatchCache::new(kind)));
        Self {
            epoch,
            identity: Rng::stream(seed, 0xA11),
            token_key: Rng::stream(seed, 0xA12).next_u64(),
            calls: 0,
            pending: GrowingMap::default(),
            reserved: SortedMap::new(),
            caches: caches.collect(),
            kinds: Rc::default(),
            ever_served: Vec::new(),
            watched: Vec::new(),
            compact_at: None,
            leased_minute: 0,
            proxied: SortedMap::new(),
            proxied_last: 0,
            templates: Templates::new(seed),
            written_last: None,
            revision: Revision::default(),
        }
    }

    /// All objects of a kind, by namespace and name.
    pub fn objects(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.caches.get(&kind).into_iter().flat_map(WatchCache::objects)
    }

    /// All objects of a kind, as they stay whatever happens later.
    pub fn snapshot(&self, kind: Kind) -> Objects {
        self.caches.get(&kind).map(WatchCache::snapshot).unwrap_or_default()
    }

    /// One object.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        self.caches.get(&kind)?.get(&text(kind, namespace, name))
    }

    /// The latest revision of the store that it heard of.
    pub fn revision(&self) -> u64 {
        self.revision.get()
    }

    /// The documents of a kind in a namespace.
    pub(super) fn documents(
        &self,
        kind: Kind,
        namespace: &str,
    ) -> impl Iterator<Item = &api::Document> {
        let cache = self.caches.get(&kind).filter(|cache| !cache.is_empty());
        let objects = cache.into_iter().flat_map(move |cache| cache.under(prefix(kind, namespace)));
        objects.filter_map(Object::document).map(Rc::as_ref)
    }

    /// The objects of a kind whose keys begin with `prefix`.
    pub(super) fn under(&self, kind: Kind, prefix: String) -> impl Iterator<Item = &Object> {
        self.caches.get(&kind).into_iter().flat_map(move |cache| cache.under(prefix.clone()))
    }

    /// How many objects there are.
    pub fn size(&self) -> usize {
        self.caches.values().map(WatchCache::len).sum()
    }

    /// How many watches are open.
    pub fn watchers(&self) -> usize {
        self.caches.values().map(WatchCache::watchers).sum()
    }

    pub(super) fn now(&self, ctx: &Ctx<'_, Self>) -> Timestamp {
        ctx.now.date(self.epoch)
    }

    fn start(&mut self, ctx: &mut Ctx<'_, Self>) {
        for kind in Kind::all_stored() {
            self.follow(ctx, kind);
        }
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let birth = self.birth(self.now(ctx));
            let named = json!({"metadata": {"name": name}});
            let Ok(Decoded { object, .. }) = Object::from_json(Kind::Namespace, &named) else {
                continue;
            };
            if let Ok(object) = strategy::create(&object, None, &birth, object.kind()) {
                let txn = insert(key(Kind::Namespace, "", name), object, None);
                self.call(ctx, Op::Txn(txn));
            }
        }
        for object in system_classes().chain(bootstrap::roles()) {
            let birth = self.birth(self.now(ctx));
            if let Ok(object) = strategy::create(&object, None, &birth, object.kind()) {
                let key = key(object.kind(), "", object.name());
                self.call(ctx, Op::Txn(insert(key, object, None)));
            }
        }
        if let Some(service) = bootstrap::own_service() {
            let birth = self.birth(self.now(ctx));
            if let Ok(object) = strategy::create(&service, Some("default"), &birth, Kind::Service) {
                let key = key(object.kind(), "default", object.name());
                self.call(ctx, Op::Txn(insert(key, object, None)));
            }
        }
        ctx.set_timer(BOOKMARKS_EVERY, Timer::Bookmarks);
        ctx.set_timer(COMPACT_EVERY, Timer::Compact);
    }

    pub(super) fn birth(&mut self, now: Timestamp) -> Birth {
        let uid = uid([self.identity.next_u64(), self.identity.next_u64()]).into();
        let suffix = suffix(&mut self.identity);
        Birth { uid, suffix, now, has_known_spec: false }
    }

    /// The lease that ends an event after its time; those of one minute share it.
    pub(super) fn event_lease(&mut self, ctx: &mut Ctx<'_, Self>) -> LeaseId {
        let minute = ctx.now.as_micros() / 60_000_000 + 1;
        let id = LeaseId::new(minute);
        if self.leased_minute != minute {
            self.leased_minute = minute;
            self.call(ctx, Op::LeaseGrant { id: Some(id), ttl_seconds: EVENT_TTL_SECONDS });
        }
        id
    }

    pub(super) fn call(&mut self, ctx: &mut Ctx<'_, Self>, op: Op<Object>) -> u64 {
        self.calls += 1;
        let work = WORK + ctx.rng.span_below(WORK_JITTER);
        ctx.send_after(work, Out::Store(Call::new(CallId::new(self.calls), op)));
        self.calls
    }

    pub(super) fn wait(&mut self, ctx: &mut Ctx<'_, Self>, op: Op<Object>, pending: Pending) {
        let id = self.call(ctx, op);
        self.pending.insert(id, pending);
    }

    pub(super) fn answer(
        ctx: &mut Ctx<'_, Self>,
        to: ConnectionId,
        request: &Request,
        result: Result<Answer, StatusError>,
    ) {
        let told = if result.is_ok() { told_of(request, None, Vec::new) } else { Rc::default() };
        Self::answer_and_tell(ctx, to, request, result, told);
    }

    pub(super) fn answer_and_tell(
        ctx: &mut Ctx<'_, Self>,
        to: ConnectionId,
        request: &Request,
        result: Result<Answer, StatusError>,
        told: Rc<[String]>,
    ) {
        let result = result.map(|answer| in_part(request, in_version(request, answer)));
        let mut response = Response::new(request.id, result.map_err(Rc::new));
        if response.result.is_ok() {
            response.warnings = told;
        }
        let response = Rc::new(response);
        let work = WORK + ctx.rng.span_below(WORK_JITTER);
        ctx.send_after(work, Out::Response { to, response });
    }

    fn on_store(&mut self, ctx: &mut Ctx<'_, Self>, out: EtcdOut) {
        match out {
            StoreOut::Watch { id, revision, events } => {
                self.revision = self.revision.max(revision);
                let Some(kind) = self.watched_kind(id) else { return };
                for event in events.iter() {
                    self.on_change(ctx, kind, &event.change);
                }
            }
            StoreOut::Reply { id, result } => {
                let Some(Pending { from, request, step }) = self.pending.remove(id.get()) else {
                    return;
                };
                let told = match &step {
                    Step::Create { told, .. } | Step::Change { told, .. } => Some(Rc::clone(told)),
                    Step::Get | Step::List | Step::Permit | Step::ReadBeforeChange => None,
                };
                let done = match result {
                    Ok(response) => self.on_reply(ctx, from, &request, step, response),
                    Err(EtcdError::Compacted) => Err(too_old(&request)),
                    Err(error) => Err(StatusError::internal(error)),
                };
                match (done, told) {
                    (Ok(Some(answer)), Some(told)) => {
                        Self::answer_and_tell(ctx, from, &request, Ok(answer), told);
                    }
                    (Ok(Some(answer)), None) => Self::answer(ctx, from, &request, Ok(answer)),
                    // It goes on with another call.
                    (Ok(None), _) => {}
                    (Err(error), _) => Self::answer(ctx, from, &request, Err(error)),
                }
            }
            StoreOut::Progress { revision, .. } | StoreOut::WatchCanceled { revision, .. } => {
                self.revision = self.revision.max(revision);
            }
        }
    }

    /// What was written, with the version that it has got.
    fn written(&mut self, object: Object, version: Rc<str>) -> Object {
        let versioned = object.clone().with_meta(|meta| meta.resource_version = Some(version));
        self.written_last = Some((object, versioned.clone()));
        versioned
    }

    fn on_change(&mut self, ctx: &mut Ctx<'_, Self>, kind: Kind, change: &StoreChange<Object>) {
        let revision = change.mod_revision();
        let after = change.key_value().map(|stored| match self.written_last.take() {
            Some((written, versioned)) if written.ptr_eq(&stored.value) => versioned,
            _ => versioned(stored),
        });
        let Some(cache) = self.caches.get_mut(&kind) else { return };
        let (before, told) = cache.apply(change.key(), after.clone(), revision.get());
        for (to, event) in told {
            ctx.send_after(WORK, Out::Watch { to, event });
        }
        if let Some(changed) = after.as_ref().or(before.as_ref()) {
            self.end_namespace(ctx, changed);
            self.define(ctx, changed);
            self.aggregate(ctx, changed);
            self.furnish(ctx, changed);
        }
        self.recount(ctx, change.key(), before.as_ref(), after.as_ref());
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
                let params = &request.params;
                let chosen = found.kvs.iter().filter(|stored| selects(params, &stored.value));
                let all = chosen.map(|stored| versioned(stored)).collect();
                // Every page is of the moment of the first one.
                let asked = params.page.after.as_ref().and_then(|after| after.revision);
                let resource_version = asked.unwrap_or(found.revision.get());
                let below = request.target.namespace().is_some();
                let key = |object: &Object| page_key(object, below);
                let all_count = params.label_selector.is_none() && params.field_selector.is_none();
                let (items, rest) = params.page.take(all, key, resource_version, all_count);
                Ok(Some(Answer::List { kind, items: items.into(), resource_version, rest }))
            }
            (Step::ReadBeforeChange, StoreResponse::Range(found)) => {
                if let (None, Target::Resource { kind, namespace, subresource: None, .. }) =
                    (found.kvs.first(), &request.target)
                    && configuration(request).is_some()
                {
                    // What is applied and is not there is created.
                    self.create(ctx, from, request, kind.stored(), namespace.as_deref(), 1)?;
                    return Ok(None);
                }
                let stored = found.kvs.first().ok_or_else(|| not_found(request))?;
                self.change_from(ctx, from, request, versioned(stored))?;
                Ok(None)
            }
            (Step::Create { object, tries, .. }, StoreResponse::Txn(done)) => {
                if !done.succeeded {
                    self.reserved.remove(&key(object.kind(), object.namespace(), object.name()));
                    if let (true, Some(kind)) = (tries < NAMES, request.target.kind()) {
                        let namespace = request.target.namespace();
                        self.create(ctx, from, request, kind, namespace, tries + 1)?;
                        return Ok(None);
                    }
                    return Err(taken(&object));
                }
                let version = done.revision.to_string().into();
                Ok(Some(Answer::Created(self.written(object, version))))
            }
            (Step::Change { to, current, .. }, StoreResponse::Txn(done)) if done.succeeded => {
                let version = done.revision.to_string().into();
                if matches!(request.payload, Payload::Binding { .. }) {
                    return Ok(Some(Answer::Success { code: 201 }));
                }
                let has_more_to_do = |marked: &Object| {
                    // Why it goes is written first.
                    request.is_eviction() && !eviction::is_marked(&current)
                        || marked.meta().deletion_grace_period_seconds == Some(0)
                };
                if let Some(marked) = &to
                    && request.deletes()
                    && has_more_to_do(marked)
                {
                    let marked = self.written(marked.clone(), version);
                    self.change_from(ctx, from, request, marked)?;
                    return Ok(None);
                }
                Ok(Some(Answer::Object(self.written(to.unwrap_or(current), version))))
            }
            (Step::Change { current, .. }, StoreResponse::Txn(done)) => {
                // Somebody else was faster: decide again on what is there now.
                if let Some(current) = current_of(&done) {
                    self.change_from(ctx, from, request, current)?;
                    return Ok(None);
                }
                // What this request has marked is gone, whoever was last to delete it.
                let marked = current.meta().deletion_grace_period_seconds == Some(0);
                if request.deletes() && marked {
                    return Ok(Some(Answer::Object(current)));
                }
                Err(not_found(request))
            }
            (Step::Permit, StoreResponse::Txn(done)) => {
                let name = request.name();
                if done.succeeded {
                    self.change(ctx, from, request, Kind::Pod, request.namespace(), name)?;
                } else {
                    // The budget has changed: ask it again.
                    self.evict(ctx, from, request, name)?;
                }
                Ok(None)
            }
            (
                Step::Get
                | Step::Permit
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
            Event::Message(In::Kubelet(response)) => self.kubelet_said(ctx, &response),
            Event::Message(In::KubeletTold(event)) => self.kubelet_told(ctx, event),
            Event::Message(In::Typed { from, event }) => self.typed(ctx, from, event),
            Event::Message(In::Closed(from)) => {
                self.hang_up_on_kubelets(ctx, from, None);
                for cache in self.caches.values_mut() {
                    cache.close(from);
                }
            }
            Event::Message(In::HungUp { from, watch }) => {
                self.hang_up_on_kubelets(ctx, from, Some(watch));
                for cache in self.caches.values_mut() {
                    cache.end((from, watch));
                }
            }
            Event::Timer(Timer::WatchEnds { kind, to, watch }) => {
                if self.caches.get_mut(&kind).is_some_and(|cache| cache.end((to, watch))) {
                    ctx.send(Out::Watch { to, event: WatchEvent { watch, change: Change::Ended } });
                }
            }
            Event::Timer(Timer::Bookmarks) => {
                let marks: Vec<_> = self.caches.values().flat_map(WatchCache::bookmarks).collect();
                for (to, event) in marks {
                    ctx.send(Out::Watch { to, event });
                }
                ctx.set_timer(BOOKMARKS_EVERY, Timer::Bookmarks);
            }
            Event::Timer(Timer::Fresh { from, request, tries }) => {
                self.read_when_fresh(ctx, from, &request, tries);
            }
            Event::Timer(Timer::Kubelet(id)) => self.kubelet_is_silent(ctx, id),
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

/// A random UUID (version 4) of these bits; there is one for each object that is created.
fn uid([high, low]: [u64; 2]) -> String {
    let bits = [high & !0xf000 | 0x4000, low << 2 >> 2 | 1 << 63];
    let digits =
        bits.into_iter().flat_map(|word| (0..16).rev().map(move |at| word >> (4 * at) & 0xf));
    let mut text = String::with_capacity(36);
    for (at, digit) in digits.enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        let digit = u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 16));
        text.extend(digit);
    }
    text
}

/// What generated names end with.
pub(super) fn suffix(rng: &mut Rng) -> String {
    let mut letter = || {
        let index = rng.below(ALPHABET.len() as u64);
        let byte = usize::try_from(index).ok().and_then(|index| ALPHABET.get(index));
        char::from(byte.copied().unwrap_or(b'x'))
    };
    (0..5).map(|_| letter()).collect()
}

/// What is answered of the part of an object that was asked for.
fn in_part(request: &Request, answer: Answer) -> Answer {
    match request.target.subresource() {
        Some(Subresource::Scale) => {}
        Some(Subresource::Eviction) => return Answer::Success { code: 201 },
        Some(_) | None => return answer,
    }
    match answer.object().and_then(scale_of) {
        Some(body) => Answer::Document(Rc::new(Document { code: 200, media: JSON, body })),
        None => answer,
    }
}

/// An object's key below the prefix of its list: that of one namespace, or of all.
fn page_key(object: &Object, of_one_namespace: bool) -> Rc<str> {
    match object.namespace() {
        "" => object.name().into(),
        _ if of_one_namespace => object.name().into(),
        namespace => format!("{namespace}/{}", object.name()).into(),
    }
}

/// 410: the moment of the first page is forgotten. The token goes on with what is there by now.
fn too_old(request: &Request) -> StatusError {
    let mut error = StatusError::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start \
         a new list without the continue parameter, or use the continue token in this response to \
         retrieve the remainder of the results. Continuing with the provided token results in an \
         inconsistent list - objects that were created, modified, or deleted between the time the \
         first chunk was returned and now may show up in the list.",
    );
    let after = request.params.page.after.as_ref();
    error.go_on =
        after.map(|after| Continue { revision: None, key: Rc::clone(&after.key) }.token());
    error
}

/// 409: another object has that name.
///
/// Mirrors: `CheckGeneratedNameError` of `apiserver/pkg/registry/rest/create.go`.
pub(super) fn taken(object: &Object) -> StatusError {
    let (resource, name) = (group_resource(object.kind().resource()), object.name());
    match object.meta().generate_name.as_deref() {
        None | Some("") => StatusError::already_exists(resource, name),
        Some(_) => StatusError::generate_name_conflict(resource, name, 1),
    }
}

fn not_found(request: &Request) -> StatusError {
    match request.target.kind() {
        Some(kind) => {
            StatusError::not_found(group_resource(kind.stored().resource()), request.name())
        }
        None => no_such_resource(),
    }
}

pub(super) fn no_such_resource() -> StatusError {
    StatusError::generic(crate::api::status::Reason::NotFound, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_says_that_it_is_random() {
        assert_eq!(uid([0; 2]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uid([u64::MAX; 2]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let bits = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
        assert_eq!(uid(bits), "01234567-89ab-4def-bedc-ba9876543210");
    }
}
