//! Who owns which fields of an object (`metadata.managedFields`), and server-side apply.
//!
//! Mirrors: `structured-merge-diff/merge/update.go` and `apimachinery/pkg/util/managedfields/internal`.
//!
//! Objects hold `fieldsV1` as one text, not as a tree; [`unpack`] makes trees of them where objects go out.

mod fields;
mod place;
mod walk;

use std::rc::Rc;

use fields::Fields;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{StatusCause, Time};
use place::Place;
use serde_json::{Value, json};
use walk::{Difference, compare, fields_of, merge, remove};

use super::{Kind, Object, seconds};
use crate::api::wire::{FieldsV1, ManagedFieldsEntry};
use crate::sim::sort;

/// Where `kubectl apply` keeps what it applied last, to tell what has been taken out of it since.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Whom an object's fields are given to that nobody was written down for before its first apply.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// How many entries of updates there may be, and what the oldest are put together as.
const MOST_UPDATERS: usize = 10;
const ANCIENT: &str = "ancient-changes";
/// Whose applies may take over what it once applied on the client's side.
const KUBECTL: &str = "kubectl";

/// Who writes, when, and what.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    pub manager: &'a str,
    pub api_version: &'a str,
    pub kind: Kind,
    /// The part that is written; empty for the whole.
    pub subresource: &'a str,
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// One entry of `managedFields`.
#[derive(Clone, Debug, PartialEq)]
struct Manager {
    name: Rc<str>,
    operation: Operation,
    api_version: Rc<str>,
    subresource: Rc<str>,
    time: Option<Time>,
    fields: Fields,
}

impl Manager {
    fn of(writer: &Writer<'_>, operation: Operation) -> Self {
        Self {
            name: writer.manager.into(),
            operation,
            api_version: writer.api_version.into(),
            subresource: writer.subresource.into(),
            time: None,
            fields: Fields::default(),
        }
    }

    /// Whether both are the same entry. Who applies has one for all versions.
    fn is(&self, other: &Self) -> bool {
        self.operation == other.operation
            && self.name == other.name
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    fn read(entry: &ManagedFieldsEntry) -> Option<Self> {
        let operation = match entry.operation.as_deref()? {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        let fields = match &entry.fields_v1 {
            Some(FieldsV1(text)) => serde_json::from_str(text).ok()?,
            None => Value::Null,
        };
        Some(Self {
            name: entry.manager.clone().unwrap_or_default(),
            operation,
            api_version: entry.api_version.clone().filter(|version| !version.is_empty())?,
            subresource: entry.subresource.clone().unwrap_or_default(),
            time: entry.time.clone(),
            fields: Fields::of_json(&fields),
        })
    }

    fn write(&self) -> ManagedFieldsEntry {
        ManagedFieldsEntry {
            manager: Some(Rc::clone(&self.name)),
            operation: Some(self.operation.name().into()),
            api_version: Some(Rc::clone(&self.api_version)),
            time: self.time.clone(),
            fields_type: Some("FieldsV1".into()),
            fields_v1: Some(FieldsV1(self.fields.to_text().into())),
            subresource: Some(Rc::clone(&self.subresource)).filter(|part| !part.is_empty()),
        }
    }

    /// As a conflict names it.
    fn words(&self) -> String {
        let mut words = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            words = format!("{words} with subresource {:?}", self.subresource);
        }
        match (self.operation, &self.time) {
            (Operation::Apply, _) => words,
            (Operation::Update, None) => format!("{words} using {}", self.api_version),
            (Operation::Update, Some(time)) => {
                format!("{words} using {} at {:.0}", self.api_version, time.0)
            }
        }
    }

    fn second(&self) -> i64 {
        self.time.as_ref().map_or(0, |time| time.0.as_second())
    }
}

/// All managers of one object.
#[derive(Clone, Debug, Default, PartialEq)]
struct Managers(Vec<Manager>);

impl Managers {
    /// None if an entry makes no sense.
    fn read(entries: Option<&[ManagedFieldsEntry]>) -> Option<Self> {
        entries.unwrap_or_default().iter().map(Manager::read).collect::<Option<_>>().map(Self)
    }

    fn write(mut self) -> Option<Rc<Vec<ManagedFieldsEntry>>> {
        self.0.retain(|manager| !manager.fields.is_empty());
        sort::by(&mut self.0, |one, other| {
            let rank = |manager: &Manager| (manager.operation, manager.second());
            let text = |manager: &Manager| {
                (
                    Rc::clone(&manager.name),
                    Rc::clone(&manager.api_version),
                    Rc::clone(&manager.subresource),
                )
            };
            rank(one).cmp(&rank(other)).then_with(|| text(one).cmp(&text(other)))
        });
        (!self.0.is_empty()).then(|| Rc::new(self.0.iter().map(Manager::write).collect()))
    }

    fn position(&self, of: &Manager) -> Option<usize> {
        self.0.iter().position(|manager| manager.is(of))
    }

    /// What all but `writer` own of the fields in `changed`.
    fn conflicts(&self, writer: &Manager, changed: &Fields) -> Vec<(Manager, Fields)> {
        let others = self.0.iter().filter(|manager| !manager.is(writer));
        others
            .map(|manager| (manager.clone(), manager.fields.common(changed)))
            .filter(|(_, fields)| !fields.is_empty())
            .collect()
    }

    /// Takes what was written from all but `writer`.
    fn lose(&mut self, writer: &Manager, difference: &Difference) {
        for manager in self.0.iter_mut().filter(|manager| !manager.is(writer)) {
            for fields in [&difference.added, &difference.modified, &difference.removed] {
                manager.fields.take_out(fields);
            }
        }
        self.0.retain(|manager| !manager.fields.is_empty());
    }

    /// Writes an update down.
    fn update(&mut self, writer: &Writer<'_>, mut difference: Difference) {
        difference.ignore(ignored(writer.subresource));
        let mut own = Manager::of(writer, Operation::Update);
        // Its own entry of before loses, too, and gets back what is written now.
        self.lose(&Manager { name: Rc::default(), ..own.clone() }, &difference);
        own.fields.add(&difference.modified);
        own.fields.add(&difference.added);
        disown(&mut own.fields);
        if own.fields.is_empty() {
            return;
        }
        own.time = Some(seconds(writer.now));
        match self.position(&own).and_then(|at| self.0.get_mut(at)) {
            Some(before) => {
                before.fields.add(&own.fields);
                before.time = own.time;
            }
            None => self.0.push(own),
        }
        self.put_oldest_together();
    }

    /// Puts the oldest updates of one version together until there are few enough.
    fn put_oldest_together(&mut self) {
        let updates = |manager: &Manager| manager.operation == Operation::Update;
        while self.0.iter().filter(|manager| updates(manager)).count() > MOST_UPDATERS {
            sort::by_key(&mut self.0, |manager| (manager.second(), Rc::clone(&manager.name)));
            let Some(at) = self.0.iter().position(updates) else { return };
            let oldest = self.0.remove(at);
            let next = self
                .0
                .iter_mut()
                .find(|manager| updates(manager) && manager.api_version == oldest.api_version);
            match next {
                Some(next) => {
                    next.name = ANCIENT.into();
                    next.subresource = Rc::default();
                    next.fields.add(&oldest.fields);
                }
                None => return,
            }
        }
    }
}

/// Fields that have no owner: the server's own, and what says which object it is.
const WITHOUT_OWNER: [&str; 2] = ["f:apiVersion", "f:kind"];
/// As many in the metadata.
const METADATA_WITHOUT_OWNER: [&str; 9] = [
    "f:name",
    "f:namespace",
    "f:creationTimestamp",
    "f:selfLink",
    "f:uid",
    "f:clusterName",
    "f:generation",
    "f:managedFields",
    "f:resourceVersion",
];

/// Takes out the fields that have no owner.
fn disown(fields: &mut Fields) {
    fields.below.retain(|step, below| {
        if **step == *"f:metadata" {
            below.own = false;
            below.below.retain(|step, _| !METADATA_WITHOUT_OWNER.contains(&&**step));
            return !below.is_empty();
        }
        !WITHOUT_OWNER.contains(&&**step)
    });
}

/// The part of an object that a write to another part leaves as it is.
fn ignored(subresource: &str) -> Option<&'static str> {
    match subresource {
        "" => Some("f:status"),
        "status" => Some("f:spec"),
        _ => None,
    }
}

/// What upstream compares a new object with: one whose parts are there and empty.
fn nothing() -> Value {
    let template = json!({"metadata": {}, "spec": {"containers": null}});
    json!({
        "metadata": {}, "template": template, "status": {"loadBalancer": {}},
        "spec": {
            "containers": null, "strategy": {}, "updateStrategy": {}, "template": template,
            "jobTemplate": {"metadata": {}, "spec": {"template": template}},
        },
    })
}

/// An object as values, without who owns what.
fn bare(object: &Object) -> Value {
    if object.meta().managed_fields.is_none() {
        return object.to_json();
    }
    object.clone().with_meta(|meta| meta.managed_fields = None).to_json()
}

/// Whether a write asks to forget who owned what.
fn is_reset(sent: Option<&[ManagedFieldsEntry]>) -> bool {
    match sent {
        Some([only]) => *only == ManagedFieldsEntry::default(),
        Some(entries) => entries.is_empty(),
        None => false,
    }
}

/// Who owns what of `new` once `writer` has written it, in the place of `live` if there was something.
/// Nobody is written down for an object that nobody was written down for so far.
pub fn updated(
    live: Option<&Object>,
    new: &Object,
    writer: &Writer<'_>,
) -> Option<Rc<Vec<ManagedFieldsEntry>>> {
    let kept = live.and_then(|live| live.meta().managers());
    let sent = new.meta().managers().filter(|_| writer.subresource.is_empty());
    let mut managers = if is_reset(sent) {
        Managers::default()
    } else {
        let sent = Managers::read(sent).filter(|sent| !sent.0.is_empty());
        sent.or_else(|| Managers::read(kept)).unwrap_or_default()
    };
    if live.is_some() && managers.0.is_empty() {
        return None;
    }
    let before = live.map_or_else(nothing, bare);
    let difference = compare(Place::root(writer.kind), Some(&before), Some(&bare(new)));
    managers.update(writer, difference);
    managers.write()
}

/// What an apply makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The whole object, not yet defaulted or validated.
    pub object: Value,
    /// Who owns what of it.
    pub managed_fields: Option<Rc<Vec<ManagedFieldsEntry>>>,
}

/// Others own what an apply would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflicts(Vec<(Manager, Fields)>);

/// Applies `config` to `live`; with `force` its fields change their owners.
///
/// # Errors
///
/// Others own fields that it would change.
pub fn apply(
    live: Option<&Object>,
    config: &Value,
    writer: &Writer<'_>,
    force: bool,
) -> Result<Applied, Conflicts> {
    let made = try_apply(live, config, writer, force);
    let (Err(conflicts), Some(live)) = (&made, live) else { return made };
    if writer.manager != KUBECTL {
        return made;
    }
    // What was applied on the client's side may be taken over.
    let allowed = still_as_applied(live, writer.kind);
    let rest = conflicts.0.iter().map(|(manager, fields)| {
        let mut fields = fields.clone();
        fields.take_out(&allowed);
        (manager.clone(), fields)
    });
    let rest: Vec<_> = rest.filter(|(_, fields)| !fields.is_empty()).collect();
    if rest.is_empty() { try_apply(Some(live), config, writer, true) } else { Err(Conflicts(rest)) }
}

fn try_apply(
    live: Option<&Object>,
    config: &Value,
    writer: &Writer<'_>,
    force: bool,
) -> Result<Applied, Conflicts> {
    let root = Place::root(writer.kind);
    let before = live.map_or_else(|| json!({}), bare);
    let kept = live.and_then(|live| live.meta().managers());
    let mut managers = Managers::read(kept).unwrap_or_default();
    if live.is_some() && managers.0.is_empty() {
        let unknown = Writer { manager: BEFORE_FIRST_APPLY, ..*writer };
        managers.update(&unknown, compare(root, Some(&nothing()), Some(&before)));
    }
    let mut own = Manager::of(writer, Operation::Apply);
    own.fields = fields_of(root, config);
    disown(&mut own.fields);
    if let Some(part) = ignored(writer.subresource) {
        own.fields.below.remove(part);
    }
    let last = match managers.position(&own) {
        Some(at) => {
            let last = managers.0.remove(at);
            own.time = last.time;
            last.fields
        }
        None => Fields::default(),
    };
    managers.0.push(own.clone());

    let merged = merge(root, &before, config);
    let object = prune(root, merged, &managers, &last);
    let mut difference = compare(root, Some(&before), Some(&object));
    difference.ignore(ignored(writer.subresource));
    let mut changed = difference.modified.clone();
    changed.add(&difference.added);
    let conflicts = managers.conflicts(&own, &changed);
    if !force && !conflicts.is_empty() {
        return Err(Conflicts(conflicts));
    }
    managers.lose(&own, &difference);
    if !difference.is_empty()
        && let Some(own) = managers.position(&own).and_then(|at| managers.0.get_mut(at))
    {
        own.time = Some(seconds(writer.now));
    }
    Ok(Applied { object, managed_fields: managers.write() })
}

/// `merged` without what its manager applied before, does not now, and nobody else owns.
fn prune(root: Place, merged: Value, managers: &Managers, last: &Fields) -> Value {
    if last.is_empty() {
        return merged;
    }
    let without = |gone: &Fields| remove(root, &merged, gone).unwrap_or_else(|| json!({}));
    let all = fields_of(root, &merged).with_parents();
    // All that it applied is taken away, and what somebody owns is given back.
    let mut kept = fields_of(root, &without(&last.with_parents())).with_parents();
    for manager in &managers.0 {
        kept.add(&manager.fields.with_parents());
    }
    let mut gone = all.clone();
    gone.take_out(&kept);
    // What went along with it and was not its own is given back, too.
    let mut gone_then = all;
    gone_then.take_out(&fields_of(root, &without(&gone)).with_parents());
    without(&gone_then.common(&last.with_parents()))
}

/// The fields that are as `kubectl apply` last made them on the client's side.
fn still_as_applied(live: &Object, kind: Kind) -> Fields {
    let root = Place::root(kind);
    let note = live.meta().annotations.as_ref().and_then(|all| all.get(LAST_APPLIED));
    let Some(applied) = note.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return Fields::default();
    };
    let mut fields = fields_of(root, &applied);
    let difference = compare(root, Some(&bare(live)), Some(&applied));
    for changed in [&difference.modified, &difference.added, &difference.removed] {
        fields.take_out(changed);
    }
    fields
}

impl Conflicts {
    /// What a client is told, as a whole and one by one.
    pub fn words(&self) -> (String, Vec<StatusCause>) {
        let mut causes = Vec::new();
        let mut groups = Vec::new();
        for (manager, fields) in &self.0 {
            let who = manager.words();
            let paths = fields.paths();
            causes.extend(paths.iter().map(|path| StatusCause {
                reason: Some("FieldManagerConflict".to_owned()),
                message: Some(format!("conflict with {who}")),
                field: Some(path.clone()),
            }));
            let lines = paths.iter().map(|path| format!("\n- {path}"));
            groups.push(format!("conflicts with {who}:{}", lines.collect::<String>()));
        }
        let text = if let [StatusCause { message: Some(message), field: Some(path), .. }] = &*causes
        {
            format!("Apply failed with 1 conflict: {message}: {path}")
        } else {
            format!("Apply failed with {} conflicts: {}", causes.len(), groups.join("\n"))
        };
        (text, causes)
    }
}

/// Turns the texts in an object's `fieldsV1` into trees.
pub fn unpack(object: &mut Value) {
    let entries = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
    for fields in entries.into_iter().flatten().filter_map(|entry| entry.get_mut("fieldsV1")) {
        if let Some(tree) = fields.as_str().and_then(|text| serde_json::from_str(text).ok()) {
            *fields = tree;
        }
    }
}

#[cfg(test)]
mod tests;
