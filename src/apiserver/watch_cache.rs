//! The watch cache of one kind: what is stored now, the last changes, and who watches.
//!
//! Mirrors: `apiserver/pkg/storage/cacher`. Watchers are indexed by node, namespace and name, so that
//! a change costs only those it concerns.

use std::collections::VecDeque;
use std::rc::Rc;

use imbl::GenericOrdMap;
use imbl::ordmap::DiffItem;
use imbl::shared_ptr::RcK;

use super::definitions::change_as;
use super::keys;
use super::server::ConnectionId;
use crate::api::request::{Change, Params, RequestId, WatchEvent};
use crate::api::status::StatusError;
use crate::api::{Kind, Object, Pod, Resource as _};
use crate::sim::{SortedMap, Text, sort};

/// How many changes a watch may lie back.
const WINDOW: usize = 10_000;

pub(super) type Watcher = (ConnectionId, RequestId);

/// One change of one object.
#[derive(Clone, Debug)]
struct Step {
    revision: u64,
    key: Rc<str>,
    before: Option<Object>,
    after: Option<Object>,
}

/// What a watcher wants to hear of.
#[derive(Clone, Debug)]
struct Scope {
    prefix: Rc<str>,
    /// It knows all up to this revision, which the cache may have yet to hear of.
    since: u64,
    params: Rc<Params>,
    /// The kind that was asked for, in its version.
    kind: Kind,
}

/// All objects of a kind at one moment, by their keys. It costs nothing to keep, and what has changed
/// since is found without looking at the rest.
#[derive(Clone, Debug, Default)]
pub struct Objects(GenericOrdMap<Text, Object, RcK>);

/// An object that is not what it was.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'a> {
    pub key: &'a Rc<str>,
    pub before: Option<&'a Object>,
    pub after: Option<&'a Object>,
}

impl Objects {
    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.0.values()
    }

    /// What has changed since they were `before`, in the order of the keys.
    pub fn changed_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = Changed<'a>> {
        before.0.diff(&self.0).map(|item| {
            let (key, before, after) = match item {
                DiffItem::Add(key, after) => (key, None, Some(after)),
                DiffItem::Update { old: (_, before), new: (key, after) } => {
                    (key, Some(before), Some(after))
                }
                DiffItem::Remove(key, before) => (key, Some(before), None),
            };
            Changed { key: key.shared(), before, after }
        })
    }
}

/// The cache of one kind.
#[derive(Clone, Debug)]
pub(super) struct WatchCache {
    kind: Kind,
    objects: GenericOrdMap<Text, Object, RcK>,
    window: VecDeque<Rc<Step>>,
    /// The revision before the oldest change in the window, once any has left it.
    forgotten: u64,
    revision: u64,
    watchers: SortedMap<Watcher, Scope>,
    /// Those of the watchers that select by `spec.nodeName`, by its value.
    by_node: SortedMap<Rc<str>, Vec<Watcher>>,
    /// The others, by what the keys begin with that they watch: all of the kind, a namespace, one object.
    by_place: SortedMap<Rc<str>, Vec<Watcher>>,
}

impl WatchCache {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            objects: GenericOrdMap::new(),
            window: VecDeque::new(),
            forgotten: 0,
            revision: 0,
            watchers: SortedMap::new(),
            by_node: SortedMap::new(),
            by_place: SortedMap::new(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    pub(super) fn snapshot(&self) -> Objects {
        Objects(self.objects.clone())
    }

    pub(super) fn watchers(&self) -> usize {
        self.watchers.len()
    }

    /// The objects under a prefix of the key that `params` selects.
    pub(super) fn list(&self, prefix: &str, params: &Params) -> Vec<Object> {
        self.under(prefix.into()).filter(|object| selects(params, object)).cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// All objects under a prefix of the key.
    pub(super) fn under(&self, prefix: String) -> impl Iterator<Item = &Object> {
        let range = self.objects.range(Text::from(prefix.as_str())..);
        range.take_while(move |(key, _)| key.starts_with(&prefix)).map(|(_, object)| object)
    }

    /// Takes a change in; returns what was there before, and what each watcher concerned is to be told.
    pub(super) fn apply(
        &mut self,
        key: &Rc<str>,
        after: Option<Object>,
        revision: u64,
    ) -> (Option<Object>, Vec<(ConnectionId, WatchEvent)>) {
        let before = match &after {
            Some(object) => self.objects.insert(Rc::clone(key).into(), object.clone()),
            None => self.objects.remove(&**key),
        };
        self.revision = self.revision.max(revision);
        let step = Rc::new(Step { revision, key: Rc::clone(key), before, after });
        self.window.push_back(Rc::clone(&step));
        if self.window.len() > WINDOW {
            self.window.pop_front();
            // As upstream: it counts back from what it still has.
            self.forgotten = self.window.front().map_or(0, |oldest| oldest.revision - 1);
        }
        let nodes = [&step.before, &step.after].map(|object| object.as_ref().and_then(node_of));
        let [old_node, new_node] = &nodes;
        let new_node = new_node.as_ref().filter(|new| Some(*new) != old_node.as_ref());
        let on_nodes = old_node.iter().chain(new_node).filter_map(|node| self.by_node.get(node));
        let above = key.match_indices('/').filter_map(|(at, _)| key.get(..=at));
        let at_places = above.chain([&**key]).filter_map(|place| self.by_place.get(place));
        let mut concerned: Vec<Watcher> = on_nodes.chain(at_places).flatten().copied().collect();
        sort::by(&mut concerned, Ord::cmp);
        let told = concerned.into_iter().filter_map(|watcher| {
            let change = self.watchers.get(&watcher)?.told(&step)?;
            Some((watcher.0, WatchEvent { watch: watcher.1, change }))
        });
        let told = told.collect();
        (step.before.clone(), told)
    }

    /// Opens a watch; returns what has happened since the version it asked for.
    ///
    /// # Errors
    ///
    /// 410 Expired if that is no longer known.
    pub(super) fn watch(
        &mut self,
        watcher: Watcher,
        kind: Kind,
        prefix: &str,
        params: &Rc<Params>,
    ) -> Result<Vec<WatchEvent>, StatusError> {
        let (_, watch) = watcher;
        let since = params.resource_version.unwrap_or_default();
        let begins_with_all = params.send_initial_events.unwrap_or(since == 0);
        let known = if since == 0 || begins_with_all { self.revision } else { since };
        let scope = Scope { prefix: prefix.into(), since: known, params: Rc::clone(params), kind };
        let mut changes: Vec<Change> = if begins_with_all {
            let now = self.list(prefix, params).into_iter();
            now.map(|object| Change::Added(object.as_kind(kind))).collect()
        } else if since == 0 {
            Vec::new()
        } else if since < self.forgotten {
            return Err(StatusError::too_old_resource_version(since, self.forgotten));
        } else {
            self.window.iter().filter_map(|step| scope.told(step)).collect()
        };
        if params.send_initial_events == Some(true) && params.allow_watch_bookmarks {
            let resource_version = self.revision;
            changes.push(Change::Bookmark { kind, resource_version, ends_initial: true });
        }
        self.watchers.insert(watcher, scope);
        let required =
            |field| params.field_selector.as_deref().and_then(|by| by.required_value(field));
        let node = required("spec.nodeName").filter(|it| self.kind == Kind::Pod && !it.is_empty());
        let watchers = match (node, required("metadata.name")) {
            (Some(node), _) => self.by_node.or_default(node.into()),
            // Below a whole kind with namespaces, a name is in any of them.
            (None, Some(name))
                if prefix != keys::prefix(self.kind, "") || !self.kind.resource().namespaced =>
            {
                self.by_place.or_default([prefix, name].concat().into())
            }
            (None, _) => self.by_place.or_default(prefix.into()),
        };
        watchers.push(watcher);
        Ok(changes.into_iter().map(|change| WatchEvent { watch, change }).collect())
    }

    /// Ends every watch of a connection.
    pub(super) fn close(&mut self, connection: ConnectionId) {
        self.watchers.retain(|(from, _), _| *from != connection);
        self.leave(|(from, _)| *from == connection);
    }

    /// Takes watchers out of the indexes.
    fn leave(&mut self, goes: impl Fn(&Watcher) -> bool) {
        for index in [&mut self.by_node, &mut self.by_place] {
            index.retain(|_, watchers| {
                watchers.retain(|watcher| !goes(watcher));
                !watchers.is_empty()
            });
        }
    }

    /// Those who watch, of a kind that is served no longer.
    pub(super) fn ended(self) -> impl Iterator<Item = Watcher> {
        self.watchers.into_iter().map(|(watcher, _)| watcher)
    }

    /// Ends one watch; false if there is none.
    pub(super) fn end(&mut self, watcher: Watcher) -> bool {
        self.leave(|own| *own == watcher);
        self.watchers.remove(&watcher).is_some()
    }

    /// A bookmark for each watch that wants one.
    pub(super) fn bookmarks(&self) -> Vec<(ConnectionId, WatchEvent)> {
        let wanting = self.watchers.iter().filter(|(_, scope)| scope.params.allow_watch_bookmarks);
        wanting
            .map(|((connection, watch), scope)| {
                let resource_version = self.revision.max(scope.since);
                let change =
                    Change::Bookmark { kind: scope.kind, resource_version, ends_initial: false };
                (*connection, WatchEvent { watch: *watch, change })
            })
            .collect()
    }
}

impl Scope {
    /// What a watcher hears of a change: an object that its selectors no longer choose is gone for it.
    fn told(&self, step: &Step) -> Option<Change> {
        if step.revision <= self.since || !step.key.starts_with(&*self.prefix) {
            return None;
        }
        let params = &*self.params;
        let was = step.before.as_ref().filter(|object| selects(params, object));
        let is = step.after.as_ref().filter(|object| selects(params, object));
        let told = match (was, is) {
            (None, None) => None,
            (None, Some(object)) => Some(Change::Added(object.clone())),
            (Some(before), Some(object)) => {
                Some(Change::Modified { object: object.clone(), before: Some(before.clone()) })
            }
            (Some(before), None) => {
                let version = step.revision.to_string().into();
                Some(Change::Deleted(
                    before.clone().with_meta(|meta| meta.resource_version = Some(version)),
                ))
            }
        };
        told.map(|change| change_as(change, self.kind))
    }
}

/// Whether both selectors choose the object.
pub(super) fn selects(params: &Params, object: &Object) -> bool {
    let labels = params.label_selector.as_deref();
    let fields = params.field_selector.as_deref();
    labels.is_none_or(|by| by.matches(object.meta().labels.as_deref()))
        && fields.is_none_or(|by| by.matches(|field| object.field(field)))
}

fn node_of(object: &Object) -> Option<Rc<str>> {
    Pod::unwrap(object)?.node_name.clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::fields::FieldSelector;
    use crate::sim::Rng;

    /// A Pod on one of some nodes, or on none.
    fn pod(name: &str, node: Option<u64>, revision: u64) -> Object {
        let node = node.map(|number| format!("node-{number}"));
        let pod = json!({"metadata": {"name": name, "resourceVersion": revision.to_string()},
            "spec": {"nodeName": node, "containers": []}});
        Object::from_json(Kind::Pod, &pod).unwrap().object
    }

    #[test]
    fn who_is_concerned_is_found_as_if_everybody_were_asked() {
        let mut cache = WatchCache::new(Kind::Pod);
        let mut number = 0;
        for prefix in ["/registry/pods/", "/registry/pods/a/", "/registry/pods/b/"] {
            for fields in [
                "",
                "spec.nodeName=node-1",
                "metadata.name=x",
                "metadata.name=x,spec.nodeName=node-0",
            ] {
                number += 1;
                let field_selector = FieldSelector::parse(fields).ok().map(Rc::new);
                let params = Params {
                    field_selector,
                    send_initial_events: Some(false),
                    ..Params::default()
                };
                let watcher = (ConnectionId(1), RequestId(number));
                cache.watch(watcher, Kind::Pod, prefix, &Rc::new(params)).unwrap();
            }
        }
        let mut chance = Rng::new(5);
        let mut heard = 0;
        for revision in 1..400 {
            let mut pick = |count| chance.below(count);
            let namespace = ["a", "b", "ab"][usize::try_from(pick(3)).unwrap()];
            let name = ["x", "y"][usize::try_from(pick(2)).unwrap()];
            let key = keys::key(Kind::Pod, namespace, name);
            let node = Some(pick(3)).filter(|node| *node < 2);
            let after = (pick(4) > 0).then(|| pod(name, node, revision));
            let before = cache.get(&key).cloned();
            let step = Step { revision, key: Rc::clone(&key), before, after: after.clone() };
            let everybody = cache.watchers.iter();
            let expected: Vec<RequestId> = everybody
                .filter(|(_, scope)| scope.told(&step).is_some())
                .map(|((_, watch), _)| *watch)
                .collect();
            let (was, told) = cache.apply(&key, after, revision);
            assert_eq!(was, step.before);
            let told: Vec<RequestId> = told.into_iter().map(|(_, event)| event.watch).collect();
            assert_eq!(told, expected, "{key} at {revision}");
            heard += told.len();
        }
        assert!(heard > 400, "{heard}");
        assert!(cache.end((ConnectionId(1), RequestId(1))));
        cache.close(ConnectionId(1));
        assert!(cache.by_node.is_empty() && cache.by_place.is_empty());
    }
}
