//! Kinds that are defined: their names are accepted, they are served, and they end.
//!
//! Upstream has controllers for this within the server (`apiextensions-apiserver/pkg/controller/{status,
//! establish,finalizer}`); here the server follows its own watch of the store, as for the end of
//! namespaces.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::etcd::{KeyRange, Op, Revision, WatchCreate, WatchId};
use super::keys::prefix;
use super::server::{ApiServer, Out, no_such_resource};
use super::strategy::Write;
use super::watch_cache::WatchCache;
use crate::api::custom::Definition;
use crate::api::document::Part;
use crate::api::request::{Answer, Change, Request, WatchEvent};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Document, Kind, Kinds, Object, seconds, to_json};
use crate::sim::{Ctx, SortedSet};

/// Holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
const TERMINATING: &str = "Terminating";

impl ApiServer {
    /// The kinds that are served now.
    pub fn kinds(&self) -> &Rc<Kinds> {
        &self.kinds
    }

    /// The kind in which the store has what is asked for: its definition's version for storage.
    pub(super) fn stored_kind(&self, kind: Kind) -> Kind {
        if kind.custom().is_none() {
            return kind;
        }
        let mut versions = self.kinds.defined().iter().filter(|known| **known == kind);
        let stored = self.definition_of(kind).map(|found| Definition::of(found).stored_version());
        versions.find(|known| Some(known.resource().version) == stored).copied().unwrap_or(kind)
    }

    fn definition_of(&self, kind: Kind) -> Option<&Document> {
        let name = definition_name(kind);
        self.object(Kind::CustomResourceDefinition, "", &name)?.document().map(Rc::as_ref)
    }

    /// Goes on with what a change of an object means for the kinds that are served.
    pub(super) fn define(&mut self, ctx: &mut Ctx<'_, Self>, changed: &Object) {
        let kind = changed.kind();
        if kind.custom().is_some() {
            // The last one may be what its definition waits for.
            let definition = self.definition_of(kind).cloned();
            if let Some(definition) = definition.filter(is_ending) {
                self.settle_definition(ctx, &definition);
            }
        }
        if kind != Kind::CustomResourceDefinition {
            return;
        }
        self.serve_defined(ctx);
        // What this one lets go of may be what others of its group wait for.
        let group = |of: &Document| of.at("spec").at("group").text().to_owned();
        let Some(changed) = changed.document().map(|changed| group(changed)) else { return };
        let all = self.documents(kind, "");
        let concerned: Vec<Document> =
            all.filter(|other| group(other) == changed).cloned().collect();
        for definition in &concerned {
            self.settle_definition(ctx, definition);
        }
    }

    /// Serves what is defined, and nothing that is no longer.
    fn serve_defined(&mut self, ctx: &mut Ctx<'_, Self>) {
        let (mut known, mut defined) = (std::mem::take(&mut self.ever_served), Vec::new());
        for document in self.documents(Kind::CustomResourceDefinition, "") {
            defined.append(&mut Definition::of(document).kinds(&mut known));
        }
        self.kinds = Rc::new(Kinds::with(&defined));
        self.ever_served = known;
        for kind in self.kinds.defined().to_vec() {
            if !self.caches.contains_key(&kind) {
                self.caches.insert(kind, WatchCache::new(kind));
                self.follow(ctx, kind);
            }
        }
        let is_served =
            |kind: &Kind| kind.custom().is_none() || self.kinds.defined().contains(kind);
        let gone: Vec<Kind> = self.caches.keys().copied().filter(|kind| !is_served(kind)).collect();
        for kind in gone {
            for (to, watch) in self.caches.remove(&kind).into_iter().flat_map(WatchCache::ended) {
                ctx.send(Out::Watch { to, event: WatchEvent { watch, change: Change::Ended } });
            }
            if let Some(at) = self.watched.iter().position(|watched| *watched == Some(kind)) {
                if let Some(slot) = self.watched.get_mut(at) {
                    *slot = None;
                }
                self.call(ctx, Op::WatchCancel(WatchId::new(at as u64)));
            }
        }
    }

    /// Opens the store's watch of a kind.
    pub(super) fn follow(&mut self, ctx: &mut Ctx<'_, Self>, kind: Kind) {
        let id = WatchId::new(self.watched.len() as u64);
        self.watched.push(Some(kind));
        let create = WatchCreate {
            id,
            keys: KeyRange::prefix(prefix(kind, "")),
            // From the very beginning: what is created now may be written before the watch opens. Of a
            // kind that was defined before, all that is older is gone.
            start_revision: Some(self.revision.max(Revision::new(1))),
            prev_kv: false,
            progress_notify: false,
        };
        self.call(ctx, Op::WatchCreate(create));
    }

    /// The kind that the store's watch `id` follows.
    pub(super) fn watched_kind(&self, id: WatchId) -> Option<Kind> {
        self.watched.get(usize::try_from(id.get()).ok()?).copied().flatten()
    }

    /// Takes the next step with a definition, if there is one; its writing leads to the one after.
    fn settle_definition(&mut self, ctx: &mut Ctx<'_, Self>, definition: &Document) {
        let now = self.now(ctx);
        let mut next = definition.clone();
        if is_ending(definition) {
            self.end_definition(ctx, definition, &mut next, now);
        } else if !self.accept_names(&mut next, now) && !establish(&mut next, now) {
            return;
        }
        if next == *definition {
            return;
        }
        let (old, new) = (Object::from(definition.clone()), Object::from(next));
        let held = new.meta().finalizers.as_ref().is_some_and(|names| !names.is_empty());
        let write = if is_ending(definition) && !held { Write::Delete } else { Write::Put(new) };
        self.write_end(ctx, &old, write);
    }

    /// Accepts the names that a definition asks for, as far as nobody else has them; false if that was
    /// decided before.
    ///
    /// Mirrors: `NamingConditionController`.
    fn accept_names(&self, definition: &mut Document, now: Timestamp) -> bool {
        let names = definition.at("spec").at("names").value().clone();
        let accepted = definition.at("status").at("acceptedNames");
        if *accepted.value() == names {
            return false;
        }
        let (resources, kinds) = self.names_taken(definition);
        let (names_part, is_own) = (Part::of(Some(&names)), |field: &str, name: &str| {
            let own = accepted.at(field);
            own.text() == name || own.texts().any(|own| own == name)
        });
        let taken = |field: &str| {
            let among = if field.ends_with("ind") { &kinds } else { &resources };
            let value = names_part.at(field);
            let one = Some(value.text()).filter(|name| !name.is_empty());
            one.into_iter()
                .chain(value.texts())
                .find(|name| !is_own(field, name) && among.contains(*name))
        };
        let conflict = [
            ("plural", "PluralConflict"),
            ("singular", "SingularConflict"),
            ("shortNames", "ShortNamesConflict"),
            ("kind", "KindConflict"),
            ("listKind", "ListKindConflict"),
        ]
        .into_iter()
        .filter_map(|(field, reason)| Some((reason, taken(field)?)))
        .next_back();
        let (status, reason, message) = match conflict {
            Some((reason, name)) => ("False", reason, format!("{name:?} is already in use")),
            None => ("True", "NoConflicts", "no conflicts found".to_owned()),
        };
        if conflict.is_some() && is_told(definition, "NamesAccepted", status, reason) {
            return false;
        }
        let is_accepted = conflict.is_none();
        if let Some(told) = status_of(definition) {
            if is_accepted {
                told.insert("acceptedNames".to_owned(), names);
            } else {
                told.entry("acceptedNames").or_insert_with(|| json!({"kind": "", "plural": ""}));
            }
        }
        set_condition(definition, ["NamesAccepted", status, reason, &message], now);
        if !Definition::of(definition).is("Established") {
            let (reason, message) = if is_accepted {
                ("Installing", "the initial names have been accepted")
            } else {
                ("NotAccepted", "not all names are accepted")
            };
            set_condition(definition, ["Established", "False", reason, message], now);
        }
        true
    }

    /// The names of resources and of kinds that other definitions of the group have.
    fn names_taken(&self, definition: &Document) -> (SortedSet<String>, SortedSet<String>) {
        let (mut resources, mut kinds) = (SortedSet::default(), SortedSet::default());
        let group = definition.at("spec").at("group").text();
        for other in self.documents(Kind::CustomResourceDefinition, "") {
            if other.at("spec").at("group").text() != group
                || other.metadata.name == definition.metadata.name
            {
                continue;
            }
            let names = other.at("status").at("acceptedNames");
            let one = ["plural", "singular"].into_iter().map(|field| names.at(field).text());
            for name in one.chain(names.at("shortNames").texts()) {
                resources.insert(name.to_owned());
            }
            for field in ["kind", "listKind"] {
                kinds.insert(names.at(field).text().to_owned());
            }
        }
        (resources, kinds)
    }

    /// Deletes the objects of a definition that ends, and lets it go once there are none.
    ///
    /// Mirrors: `CRDFinalizer`.
    fn end_definition(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        definition: &Document,
        next: &mut Document,
        now: Timestamp,
    ) {
        let name = definition.metadata.name.as_deref();
        let mut kinds = self.kinds.defined().iter().copied();
        let kind = kinds.find(|kind| name == Some(&*definition_name(*kind)));
        let objects: Vec<Object> =
            kind.into_iter().flat_map(|kind| self.objects(kind)).cloned().collect();
        if objects.is_empty() {
            next.metadata.finalizers = None;
            return;
        }
        let reason = "InstanceDeletionInProgress";
        if is_told(definition, TERMINATING, "True", reason) {
            return;
        }
        let message = "CustomResource deletion is in progress";
        set_condition(next, [TERMINATING, "True", reason, message], now);
        for object in &objects {
            self.end(ctx, object);
        }
    }

    /// 404 for a kind whose definition went while the request was on its way.
    pub(super) fn check_defined(&self, kind: Kind) -> Result<(), StatusError> {
        if kind.custom().is_some() && !self.kinds.defined().contains(&kind) {
            return Err(no_such_resource());
        }
        Ok(())
    }

    /// 405 for a new object of a kind that ends.
    ///
    /// Mirrors: `apiextensions-apiserver/pkg/apiserver/customresource_handler.go`.
    pub(super) fn admits_more(&self, kind: Kind) -> Result<(), StatusError> {
        let Some(definition) = self.definition_of(kind).filter(|_| kind.custom().is_some()) else {
            return Ok(());
        };
        if !Definition::of(definition).is(TERMINATING) {
            return Ok(());
        }
        let resource = kind.resource();
        let resource = GroupResource::new(resource.group, resource.plural);
        Err(StatusError::method_not_supported(resource, "create"))
    }
}

/// The name of the definition of a kind.
fn definition_name(kind: Kind) -> String {
    let resource = kind.resource();
    [resource.plural, ".", resource.group].concat()
}

/// What a first delete of a definition writes: it goes when its objects are gone.
///
/// Mirrors: `pkg/registry/customresourcedefinition/etcd.go`.
pub(super) fn marked(definition: &Document, now: Timestamp) -> Write {
    if is_ending(definition) {
        return Write::Keep;
    }
    let mut ending = definition.clone();
    ending.metadata.deletion_timestamp = Some(seconds(now));
    let finalizers = ending.metadata.finalizers.get_or_insert_default();
    if finalizers.iter().all(|name| name != CLEANUP) {
        finalizers.push(CLEANUP.to_owned());
    }
    let message =
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(&mut ending, [TERMINATING, "True", "InstanceDeletionPending", message], now);
    Write::Put(ending.into())
}

/// What is answered, in the version that was asked for.
pub(super) fn in_version(request: &Request, answer: Answer) -> Answer {
    let has_forms = |kind: &Kind| kind.custom().is_some() || kind.stored() != *kind;
    let Some(kind) = request.target.kind().filter(has_forms) else { return answer };
    match answer {
        Answer::Object(object) => Answer::Object(object.as_kind(kind)),
        Answer::Created(object) => Answer::Created(object.as_kind(kind)),
        Answer::List { items, resource_version, rest, .. } => {
            let items = items.iter().map(|object| object.as_kind(kind)).collect();
            Answer::List { kind, items, resource_version, rest }
        }
        other @ (Answer::Watching
        | Answer::Streaming { .. }
        | Answer::Success { .. }
        | Answer::Document(_)) => other,
    }
}

/// What happened, told in one of the forms of a kind.
pub(super) fn change_as(change: Change, kind: Kind) -> Change {
    match change {
        Change::Added(object) => Change::Added(object.as_kind(kind)),
        Change::Modified { object, before } => Change::Modified {
            object: object.as_kind(kind),
            before: before.map(|before| before.as_kind(kind)),
        },
        Change::Deleted(object) => Change::Deleted(object.as_kind(kind)),
        other @ (Change::Bookmark { .. }
        | Change::Error(_)
        | Change::Ended
        | Change::Output { .. }
        | Change::Forwarded(_)
        | Change::HungUp) => other,
    }
}

fn is_ending(definition: &Document) -> bool {
    definition.metadata.deletion_timestamp.is_some()
}

/// Serves a definition whose names are accepted; false if it is already.
///
/// Mirrors: `EstablishingController`.
fn establish(definition: &mut Document, now: Timestamp) -> bool {
    let told = Definition::of(definition);
    if !told.is("NamesAccepted") || told.is("Established") {
        return false;
    }
    let message = "the initial names have been accepted";
    set_condition(definition, ["Established", "True", "InitialNamesAccepted", message], now);
    true
}

/// Notes the version in which objects are stored from now on.
pub(super) fn note_stored_version(definition: &mut Document) {
    let stored = Definition::of(definition).stored_version().to_owned();
    let Some(status) = status_of(definition) else { return };
    let versions = status.entry("storedVersions").or_insert_with(|| json!([]));
    if versions.is_null() {
        *versions = json!([]);
    }
    if let Some(versions) = versions.as_array_mut()
        && !versions.iter().any(|version| *version == *stored)
    {
        versions.push(stored.into());
    }
}

fn status_of(definition: &mut Document) -> Option<&mut serde_json::Map<String, Value>> {
    let status = definition.fields_mut().entry("status").or_insert_with(|| json!({}));
    if status.is_null() {
        *status = json!({});
    }
    status.as_object_mut()
}

fn is_told(definition: &Document, kind: &str, status: &str, reason: &str) -> bool {
    definition.at("status").at("conditions").items().any(|condition| {
        condition.at("type").text() == kind
            && condition.at("status").text() == status
            && condition.at("reason").text() == reason
    })
}

/// Mirrors: `SetCRDCondition` of `apiextensions-apiserver/pkg/apihelpers`.
fn set_condition(definition: &mut Document, told: [&str; 4], now: Timestamp) {
    let [kind, status, reason, message] = told;
    let generation = definition.metadata.generation;
    let Some(part) = status_of(definition) else { return };
    let conditions = part.entry("conditions").or_insert_with(|| json!([]));
    if conditions.is_null() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    let mut condition = json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": to_json(&seconds(now)), "observedGeneration": generation,
    });
    let old = conditions.iter_mut().find(|old| Part::of(Some(old)).at("type").text() == kind);
    match old {
        Some(old) => {
            if Part::of(Some(old)).at("status").text() == status
                && let Some(at) = old.get("lastTransitionTime").cloned()
                && let Some(fields) = condition.as_object_mut()
            {
                fields.insert("lastTransitionTime".to_owned(), at);
            }
            *old = condition;
        }
        None => conditions.push(condition),
    }
}
