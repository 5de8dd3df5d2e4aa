//! What is done about a request when it comes in.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::admission::{self, forbidden};
use super::apply::{self, check_options};
use super::authentication::unsecured;
use super::body::told_of;
use super::deletion;
use super::discovery::{document, nothing};
use super::etcd::{Compare, KeyRange, Op, Put, Range, Revision, Txn, TxnOp};
use super::eviction;
use super::keys::{insert, key, prefix};
use super::patch::check_form;
use super::pending::{Pending, Step};
use super::server::{ApiServer, ConnectionId, Out, Timer, WORK, no_such_resource, taken};
use super::strategy::{self, Birth, Write, group_resource};
use crate::api::columns::storage::{BETA_CLASS, is_default};
use crate::api::document::Part;
use crate::api::field::aggregate;
use crate::api::fields::{FieldSelector, supported_fields};
use crate::api::request::{
    Answer, Change, Params, Payload, Request, RequestId, Response, Subresource, Target, Verb,
    WatchEvent,
};
use crate::api::reviews::{BINDINGS, Review};
use crate::api::status::{Reason, StatusError};
use crate::api::validation::pod;
use crate::api::{Document, Kind, Object, Pod, Resource as _, warnings};
use crate::sim::{Ctx, Instant, Rng};

/// How long a read waits for a version that is to come before it looks again, and how often: for three
/// seconds in all, as upstream.
const FRESH_AFTER: Duration = Duration::from_millis(100);
const FRESH_TRIES: u32 = 30;
/// `--min-request-timeout`.
const SHORTEST_WATCH: Duration = Duration::from_mins(30);
/// How many names are generated for an object before it is refused because all are taken.
pub(super) const NAMES: u32 = 8;

impl ApiServer {
    pub(super) fn on_request(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
    ) {
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
        let user = match &request.caller {
            Some(caller) => {
                let user = self.authenticate(&caller.credentials, self.now(ctx))?;
                self.authorize(&user, &caller.attributes)?;
                user
            }
            None => unsecured(),
        };
        if let Payload::Refused(error) = &request.payload {
            return Err(StatusError::clone(error));
        }
        let (kind, namespace, name, part) = match &request.target {
            Target::Path(path) if request.verb == Verb::Create => {
                if let Some((Review { plural: BINDINGS, .. }, Some(namespace))) = Review::at(path) {
                    return self.route(ctx, from, &bound_of_old(request, namespace)?);
                }
                let none = Value::Null;
                let sent = if let Payload::Json(sent) = &request.payload { sent } else { &none };
                let document = self.review(path, &user, sent, self.now(ctx))?;
                Self::answer(ctx, from, request, Ok(Answer::Document(Rc::new(document))));
                return Ok(());
            }
            Target::Path(path) => {
                let document = document(&self.kinds, path, request.params.representation);
                let document = document.unwrap_or_else(|| nothing(&self.kinds, path));
                Self::answer(ctx, from, request, Ok(Answer::Document(Rc::new(document))));
                return Ok(());
            }
            Target::Resource { kind, namespace, name, subresource } => {
                (kind.stored(), namespace.as_deref(), name.as_deref(), *subresource)
            }
        };
        self.check_defined(kind)?;
        check_options(request)?;
        check_form(kind, &request.payload)?;
        if let (Verb::Create, Some(part)) = (request.verb, part)
            && let Some(kubelet) = self.restricted(request, self.now(ctx))?
        {
            kubelet.creates_part(part)?;
        }
        supported(kind, &request.params)?;
        if matches!(request.verb, Verb::Get | Verb::List) && self.is_to_come(request) {
            self.read_when_fresh(ctx, from, request, 0);
            return Ok(());
        }
        match (request.verb, name) {
            (Verb::Get, Some(name)) if part == Some(Subresource::Log) => {
                self.read_logs(ctx, from, request, name)?;
            }
            (Verb::Get | Verb::Create, Some(name)) if request.params.exec.is_some() => {
                self.exec(ctx, from, request, (&user, name))?;
            }
            (Verb::Get, Some(name)) => {
                let range =
                    Range::latest(KeyRange::key(key(kind, namespace.unwrap_or_default(), name)));
                let request = Rc::clone(request);
                self.wait(ctx, Op::Range(range), Pending { from, request, step: Step::Get });
            }
            (Verb::List, _) => self.list(ctx, from, request, kind),
            (Verb::Watch, _) => self.open_watch(ctx, from, request, kind)?,
            (Verb::Create, None) => self.create(ctx, from, request, kind, namespace, 1)?,
            (Verb::Create, Some(name)) if part == Some(Subresource::Binding) => {
                let request = with_binding(request)?;
                self.change(ctx, from, &request, kind, namespace.unwrap_or_default(), name)?;
            }
            (Verb::Create, Some(name)) if part == Some(Subresource::Token) => {
                let token = self.give_token(request, name, self.now(ctx))?;
                Self::answer(ctx, from, request, Ok(Answer::Document(Rc::new(token))));
            }
            (Verb::Create, Some(name)) if part == Some(Subresource::Eviction) => {
                self.evict(ctx, from, request, name)?;
            }
            (Verb::Update | Verb::Patch | Verb::Delete, Some(name)) => {
                self.change(ctx, from, request, kind, namespace.unwrap_or_default(), name)?;
            }
            (Verb::Delete, None) if kind != Kind::Namespace => {
                let items = self.delete_all(ctx, request, kind, namespace.unwrap_or_default())?;
                let resource_version = self.revision.get();
                let answer = Answer::List { kind, items, resource_version, rest: None };
                Self::answer(ctx, from, request, Ok(answer));
            }
            (Verb::Get | Verb::Update | Verb::Patch | Verb::Delete, None)
            | (Verb::Create, Some(_)) => {
                return Err(StatusError::generic(Reason::MethodNotAllowed, ""));
            }
        }
        Ok(())
    }

    /// Lists what the cache has, if any version will do, and else what is stored.
    fn list(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        kind: Kind,
    ) {
        let prefix = prefix(kind, request.namespace());
        if request.params.resource_version == Some(0)
            && let Some(cache) = self.caches.get(&kind)
        {
            // As upstream, the cache knows no pages.
            let items = cache.list(&prefix, &request.params).into();
            let resource_version = self.revision.get();
            let answer = Answer::List { kind, items, resource_version, rest: None };
            Self::answer(ctx, from, request, Ok(answer));
            return;
        }
        let after = request.params.page.after.as_ref();
        let revision = after.and_then(|after| after.revision).map(Revision::new);
        let range = Range { revision, ..Range::latest(KeyRange::prefix(prefix)) };
        let request = Rc::clone(request);
        self.wait(ctx, Op::Range(range), Pending { from, request, step: Step::List });
    }

    fn open_watch(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Request,
        kind: Kind,
    ) -> Result<(), StatusError> {
        let prefix = prefix(kind, request.namespace());
        let params: Rc<Params> = Rc::new(request.params.clone());
        let cache = self.caches.get_mut(&kind).ok_or_else(no_such_resource)?;
        let watch = request.id;
        let spoken = request.target.kind().unwrap_or(kind);
        let events = match cache.watch((from, watch), spoken, &prefix, &params) {
            Ok(events) => {
                let ends = Timer::WatchEnds { kind, to: from, watch };
                ctx.set_timer(lasts(&params, ctx.now, watch), ends);
                events
            }
            // The stream itself says so.
            Err(error) => {
                let changes = [Change::Error(Rc::new(error)), Change::Ended];
                changes.into_iter().map(|change| WatchEvent { watch, change }).collect()
            }
        };
        // A stream keeps its order, so all of it takes the same time.
        let response = Rc::new(Response::new(watch, Ok(Answer::Watching)));
        ctx.send_after(WORK, Out::Response { to: from, response });
        for event in events {
            ctx.send_after(WORK, Out::Watch { to: from, event });
        }
        Ok(())
    }

    /// Whether the version that the request asks for, or a newer one, is still to come.
    fn is_to_come(&self, request: &Request) -> bool {
        request.params.resource_version.is_some_and(|version| version > self.revision.get())
    }

    /// Goes on with a read once there is a version as new as it asks for; after some tries it fails.
    ///
    /// Mirrors: `waitUntilFreshAndBlock` of `apiserver/pkg/storage/cacher/watch_cache.go`.
    pub(super) fn read_when_fresh(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        tries: u32,
    ) {
        if !self.is_to_come(request) {
            self.on_request(ctx, from, request);
        } else if tries < FRESH_TRIES {
            let request = Rc::clone(request);
            ctx.set_timer(FRESH_AFTER, Timer::Fresh { from, request, tries: tries + 1 });
        } else {
            let asked = request.params.resource_version.unwrap_or_default();
            let error = StatusError::too_large_resource_version(asked, self.revision.get(), 1);
            Self::answer(ctx, from, request, Err(error));
        }
    }

    /// Creates the object of a request; where its name is generated, this is the `tries`th one.
    pub(super) fn create(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        kind: Kind,
        namespace: Option<&str>,
        tries: u32,
    ) -> Result<(), StatusError> {
        let resource = kind.resource();
        let now = self.now(ctx);
        let spoken = request.target.kind().unwrap_or(kind);
        let (object, unknown) = match apply::configuration(request) {
            Some(_) => (apply::born(request, kind, now)?, Vec::new()),
            None => self.templates.read(spoken, request)?,
        };
        let namespace = namespace.filter(|_| resource.namespaced);
        strategy::belongs(&object, namespace)?;
        if let Target::Resource { name: Some(name), .. } = &request.target {
            strategy::is_called(&object, name)?;
        }
        // What admission adds is nobody's.
        let object = self.templates.tracked(request, object, now);
        let mut object = self.admit(request, object, namespace, now)?;
        let tries = if object.name().is_empty() { tries } else { NAMES };
        let has_known_spec = self.templates.recognise(&mut object);
        let birth = Birth { has_known_spec, ..self.birth(now) };
        let object = strategy::create(&object, namespace, &birth, spoken)?;
        let object = self.given(object)?;
        let pod = Pod::unwrap(&object);
        if let Some(pod) = pod {
            self.approve(pod, namespace.unwrap_or_default())?;
        }
        let mounts = pod.is_some_and(|pod| self.mounts_token(pod, namespace.unwrap_or_default()));
        let object = self.templates.shared(object, mounts);
        self.admits_more(kind)?;
        self.admit_grant(request, &object, None, now)?;
        if namespace.is_some() {
            self.admit_quota(&object, None)?;
        }
        let told = told_of(request, Some(&unknown), || self.templates.warnings(&object));
        if request.params.dry_run {
            if self.object(kind, namespace.unwrap_or_default(), object.name()).is_some() {
                return Err(taken(&object));
            }
            Self::answer_and_tell(ctx, from, request, Ok(Answer::Created(object)), told);
            return Ok(());
        }
        let object = object.as_kind(self.stored_kind(kind));
        self.reserve(&object);
        let key = key(kind, namespace.unwrap_or_default(), object.name());
        let lease = (kind == Kind::Event).then(|| self.event_lease(ctx));
        let txn = insert(key, object.clone(), lease);
        let step = Step::Create { object, tries, told };
        self.wait(ctx, Op::Txn(txn), Pending { from, request: Rc::clone(request), step });
        Ok(())
    }

    /// `object` as the plugins of admission change it, in upstream's order.
    fn admit(
        &self,
        request: &Request,
        object: Object,
        namespace: Option<&str>,
        now: Timestamp,
    ) -> Result<Object, StatusError> {
        let kubelet = self.restricted(request, now)?;
        let restrict = |object: &Object| kubelet.iter().try_for_each(|it| it.creates(object));
        if let Some(namespace) = namespace {
            self.admit_namespace(namespace, &object)?;
        }
        let Object::Pod(pod) = object else {
            restrict(&object)?;
            return Ok(self.with_default_class(object));
        };
        let mut pod = Rc::unwrap_or_clone(pod);
        self.fill_in_limits(&mut pod, namespace.unwrap_or_default());
        self.admit_account(&mut pod, namespace.unwrap_or_default())?;
        let mut pod = Rc::new(pod);
        restrict(&Object::Pod(Rc::clone(&pod)))?;
        let own = Rc::make_mut(&mut pod);
        self.admit_priority(own)?;
        admission::tolerate(Rc::make_mut(&mut own.spec));
        if own.spec.runtime_class_name.is_some() {
            self.admit_class(own)?;
        }
        if let Some(node) = own.node_name.as_deref().and_then(|it| self.object(Kind::Node, "", it))
        {
            admission::place(&mut own.metadata, node, false);
        }
        Ok(Object::Pod(pod))
    }

    /// Asks the plugins of admission that look at a new pod once it is made and right by itself, in upstream's order.
    fn approve(&self, pod: &Pod, namespace: &str) -> Result<(), StatusError> {
        self.check_limits(pod, namespace)?;
        self.check_account(pod, namespace)?;
        if pod.spec.runtime_class_name.is_some() || pod.spec.overhead.is_some() {
            self.check_overhead(pod)?;
        }
        Ok(())
    }

    /// `bound` with what says where its node is, if that is what `request` does to it.
    fn placed(&self, request: &Request, bound: Object) -> Object {
        let Payload::Binding { node, sent, .. } = &request.payload else { return bound };
        // Who leaves open what it is that the Pod is bound to is not looked at.
        let is_node =
            |sent: &Rc<Value>| Part::of(Some(sent)).at("target").at("kind").text() == "Node";
        match self.object(Kind::Node, "", node).filter(|_| sent.as_ref().is_none_or(is_node)) {
            Some(node) => bound.with_meta(|meta| admission::place(meta, node, true)),
            None => bound,
        }
    }

    /// `object` with what the server gives to those of its kind.
    fn given(&mut self, object: Object) -> Result<Object, StatusError> {
        let Some(document) = object.document() else { return Ok(object) };
        if document.kind() == Kind::Service {
            return self.allocate(document).map(Object::from);
        }
        if document.kind() == Kind::PersistentVolumeClaim {
            self.check_claim(document, object.namespace())?;
        }
        Ok(object)
    }

    /// `DefaultStorageClass`: a new claim that names no class has the newest of the default ones.
    fn with_default_class(&self, object: Object) -> Object {
        let is_claim = |claim: &&Rc<Document>| claim.kind() == Kind::PersistentVolumeClaim;
        let Some(claim) = object.document().filter(is_claim) else { return object };
        let annotated = claim.metadata.annotations.as_ref();
        if claim.at("spec").at("storageClassName").is_there()
            || annotated.is_some_and(|all| all.contains_key(BETA_CLASS))
        {
            return object;
        }
        let classes = self.documents(Kind::StorageClass, "").filter(|class| is_default(class));
        let newest = classes.max_by_key(|class| class.metadata.creation_timestamp.as_ref());
        let Some(name) = newest.and_then(|class| class.metadata.name.clone()) else {
            return object;
        };
        let mut claim = Document::clone(claim);
        if let Some(Value::Object(spec)) = claim.fields_mut().get_mut("spec") {
            spec.insert("storageClassName".to_owned(), (*name).into());
        }
        claim.into()
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
            let mut error = forbidden(object.kind(), object.meta(), why);
            let cause = format!("namespace {namespace} is being terminated");
            error.add_cause("NamespaceTerminating", "metadata.namespace", cause);
            return Err(error);
        }
        Ok(())
    }

    pub(super) fn change(
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

    pub(super) fn change_from(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        current: Object,
    ) -> Result<(), StatusError> {
        let now = self.now(ctx);
        let part = request.target.subresource();
        // A defined kind is written in the version that the request speaks.
        let current = match request.target.kind() {
            Some(kind) => current.as_kind(kind.stored()),
            None => current,
        };
        let kubelet = self.restricted(request, now)?;
        if let Some(kubelet) = kubelet.as_ref().filter(|_| request.verb == Verb::Delete) {
            kubelet.deletes(&current)?;
        }
        let admit =
            |new: &Object| kubelet.iter().try_for_each(|kubelet| kubelet.updates(new, &current));
        let marked =
            if request.is_eviction() { eviction::marked(request, &current, now)? } else { None };
        let write = if let Some(marked) = marked {
            Write::Put(marked)
        } else if request.deletes() {
            let empty =
                current.kind() != Kind::Namespace || self.is_empty_namespace(current.name());
            deletion::delete(request, &current, empty, now)?
        } else {
            match strategy::change(request, part, &current, now, &admit)? {
                Write::Put(new) => {
                    let new = self.given(self.placed(request, new))?;
                    self.admit_grant(request, &new, Some(&current), now)?;
                    if part == Some(Subresource::Resize) {
                        self.admit_resize(&new, &current)?;
                    }
                    Write::Put(apply::tracked(request, part, Some(&current), new, now))
                }
                write @ (Write::Keep | Write::Delete) => write,
            }
        };
        let told = told_of(request, None, || match &write {
            Write::Put(new) => warnings::of(new, Some(&current)),
            Write::Keep | Write::Delete => Vec::new(),
        });
        let key = key(current.kind(), current.namespace(), current.name());
        let compare = vec![Compare::mod_revision_is(
            Rc::clone(&key),
            Revision::new(current.resource_version()),
        )];
        let failure = vec![TxnOp::Range(Range::latest(KeyRange::key(Rc::clone(&key))))];
        let (op, to) = match write {
            Write::Put(_)
                if request.params.dry_run && matches!(request.payload, Payload::Binding { .. }) =>
            {
                Self::answer(ctx, from, request, Ok(Answer::Success { code: 201 }));
                return Ok(());
            }
            Write::Put(object) if request.params.dry_run => {
                let version = current.meta().resource_version.clone();
                let object = object.with_meta(|meta| meta.resource_version = version);
                Self::answer_and_tell(ctx, from, request, Ok(Answer::Object(object)), told);
                return Ok(());
            }
            Write::Delete if request.params.dry_run => {
                Self::answer(ctx, from, request, Ok(Answer::Object(current)));
                return Ok(());
            }
            Write::Keep => {
                Self::answer_and_tell(ctx, from, request, Ok(Answer::Object(current)), told);
                return Ok(());
            }
            Write::Put(object) if !request.deletes() && deletion::lets_go(&object, &current) => {
                (TxnOp::DeleteRange(KeyRange::key(key)), Some(object))
            }
            Write::Put(object) => {
                let lease = (object.kind() == Kind::Event).then(|| self.event_lease(ctx));
                let value = object.as_kind(self.stored_kind(object.kind()));
                (TxnOp::Put(Put { key, value, lease }), Some(object))
            }
            Write::Delete => (TxnOp::DeleteRange(KeyRange::key(key)), None),
        };
        let txn = Txn { compare, success: vec![op], failure };
        let step = Step::Change { to, current, told };
        self.wait(ctx, Op::Txn(txn), Pending { from, request: Rc::clone(request), step });
        Ok(())
    }
}

/// How long a watch lasts: as long as it asks to, or else up to twice the least, so that not all end
/// together. What is drawn for that changes no other draw.
///
/// Mirrors: `apiserver/pkg/endpoints/handlers/get.go`.
fn lasts(params: &Params, now: Instant, RequestId(watch): RequestId) -> Duration {
    match params.timeout_seconds {
        Some(seconds) if seconds > 0 => Duration::from_secs(seconds),
        Some(_) | None => {
            let mut rng = Rng::stream(now.as_micros(), watch);
            SHORTEST_WATCH + rng.span_below(SHORTEST_WATCH)
        }
    }
}

/// A field selector may name only some fields.
fn supported(kind: Kind, params: &Params) -> Result<(), StatusError> {
    let known = supported_fields(kind.resource().name);
    let terms = params.field_selector.as_deref().map(FieldSelector::terms).unwrap_or_default();
    match terms.iter().find(|term| !known.contains(&term.field.as_str())) {
        None => Ok(()),
        // Kinds without fields of their own share the words of one function.
        Some(term) if known.iter().all(|field| field.starts_with("metadata.")) => {
            Err(StatusError::bad_request(format!(
                "{:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                term.field
            )))
        }
        Some(term) => {
            Err(StatusError::bad_request(format!("field label not supported: {}", term.field)))
        }
    }
}

/// `v1.Binding` as it came over HTTP.
fn with_binding(request: &Rc<Request>) -> Result<Rc<Request>, StatusError> {
    let Payload::Json(body) = &request.payload else {
        return Ok(Rc::clone(request));
    };
    let binding = Part::of(Some(body));
    let meta = binding.at("metadata");
    if !["", request.namespace()].contains(&meta.at("namespace").text()) {
        return Err(StatusError::bad_request(strategy::OTHER_NAMESPACE));
    }
    if meta.at("name").text() != request.name() {
        let why = "name in URL does not match name in Binding object";
        return Err(StatusError::bad_request(why));
    }
    let errors = pod::binding(binding);
    if !errors.is_empty() {
        // Upstream forgets to say that this is the client's fault.
        return Err(StatusError::unforeseen(aggregate(&errors)));
    }
    let uid = Some(meta.at("uid").text()).filter(|uid| !uid.is_empty()).map(Into::into);
    let node = binding.at("target").at("name").text().into();
    let payload = Payload::Binding { uid, node, sent: Some(Rc::clone(body)) };
    Ok(Rc::new(Request { payload, ..Request::clone(request) }))
}

/// A binding at the path of old, where its body alone names the pod, as one at the pod.
///
/// Mirrors: `LegacyBindingREST`, to which admission adds nothing.
fn bound_of_old(request: &Request, namespace: &str) -> Result<Rc<Request>, StatusError> {
    let mut body =
        if let Payload::Json(body) = &request.payload { Value::clone(body) } else { Value::Null };
    let name = Part::of(Some(&body)).at("metadata").at("name").text();
    if name.is_empty() {
        return Err(StatusError::bad_request("Name parameter required."));
    }
    let target = Target::named(Kind::Pod, namespace, name).part(Subresource::Binding);
    let kind = body.pointer_mut("/target/kind").filter(|kind| **kind == "Node");
    if let Some(kind) = kind {
        kind.take();
    }
    Ok(Rc::new(Request { target, payload: Payload::Json(Rc::new(body)), ..request.clone() }))
}
