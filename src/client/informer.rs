//! An informer: a cache of one kind that lists once, watches from there, and mends itself.
//!
//! Mirrors: `client-go/tools/cache/reflector.go`: after a broken stream it watches on from the last
//! version it saw; after 410 Expired it lists again.

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use imbl::GenericOrdMap;
use imbl::shared_ptr::RcK;

use super::{Client, Incoming};
use crate::api::request::{
    Answer, Change, Params, Payload, Request, RequestId, Target, Verb, WatchEvent,
};
use crate::api::{Document, Kind, Object, Resource};
use crate::sim::{Component, Ctx, Text};

const RETRY: Duration = Duration::from_millis(800);
const RETRY_JITTER: Duration = Duration::from_millis(800);

/// The timer by which an informer tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relist(pub Kind);

/// What an informer can hold: objects of a type of their own, or documents.
pub trait Held {
    /// The object, if it is of that type.
    fn held(object: &Object) -> Option<&Rc<Self>>;
}

impl<R: Resource> Held for R {
    fn held(object: &Object) -> Option<&Rc<Self>> {
        R::unwrap(object)
    }
}

impl Held for Document {
    fn held(object: &Object) -> Option<&Rc<Self>> {
        object.document()
    }
}

/// A change of the cache.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta<R> {
    Added(Rc<R>),
    Updated { old: Rc<R>, new: Rc<R> },
    Deleted(Rc<R>),
}

/// The cache of one kind, kept up to date. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Informer<R> {
    kind: Kind,
    namespace: Option<Rc<str>>,
    params: Params,
    state: State,
    /// By namespace and name, as client-go's `MetaNamespaceKeyFunc` writes them.
    cache: GenericOrdMap<Text, Object, RcK>,
    /// It holds objects of that kind alone; one type of map serves all kinds.
    of: PhantomData<R>,
    synced: bool,
    version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Listing(RequestId),
    Watching(RequestId),
    Waiting { list: bool },
}

impl<R: Resource> Informer<R> {
    /// Over all objects that the selectors in `params` choose.
    pub fn new(params: Params) -> Self {
        Self::of_kind(R::KIND, params)
    }
}

impl Informer<Document> {
    /// Over all documents of a kind.
    pub fn of(kind: Kind) -> Self {
        Self::of_kind(kind, Params::default())
    }
}

impl<R: Held> Informer<R> {
    fn of_kind(kind: Kind, params: Params) -> Self {
        Self {
            kind,
            namespace: None,
            params,
            state: State::Idle,
            cache: GenericOrdMap::new(),
            of: PhantomData,
            synced: false,
            version: 0,
        }
    }

    /// Whether the first list is in.
    pub fn has_synced(&self) -> bool {
        self.synced
    }

    /// The object called so.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Rc<R>> {
        R::held(self.cache.get(&*key(namespace, name))?)
    }

    /// Every object, by namespace and name.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<R>> {
        self.cache.iter().filter_map(|(_, object)| R::held(object))
    }

    /// How many objects it holds.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Begins: lists from the server's cache.
    pub fn start<C>(&mut self, ctx: &mut Ctx<'_, C>, client: &mut Client)
    where
        C: Component<Out: From<Request>>,
    {
        let target = Target::collection(self.kind, self.namespace.as_deref());
        let params = Params { resource_version: Some(0), ..self.params.clone() };
        let id = client.send(ctx, Verb::List, target, params, Payload::None);
        self.state = State::Listing(id);
    }

    /// Takes in what came from the server. `None`: it was not for this informer.
    pub fn handle<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        client: &mut Client,
        incoming: &Incoming,
    ) -> Option<Vec<Delta<R>>>
    where
        C: Component<Out: From<Request>, Timer: From<Relist>>,
    {
        match (incoming, self.state) {
            (Incoming::Response(response), State::Listing(id)) if response.id == id => {
                Some(match &response.result {
                    Ok(Answer::List { items, resource_version, .. }) => {
                        self.version = *resource_version;
                        self.synced = true;
                        let deltas = self.replace(items);
                        self.watch(ctx, client);
                        deltas
                    }
                    Ok(_) | Err(_) => self.wait(ctx, true),
                })
            }
            (Incoming::Response(response), State::Watching(id)) if response.id == id => {
                Some(match &response.result {
                    Ok(_) => Vec::new(),
                    Err(error) => self.wait(ctx, error.code == 410),
                })
            }
            (Incoming::Watch(event), State::Watching(id)) if event.watch == id => {
                Some(self.on_event(ctx, client, event))
            }
            (Incoming::Closed(closed), State::Watching(id)) if *closed == id => {
                Some(self.wait(ctx, false))
            }
            (Incoming::Closed(closed), State::Listing(id)) if *closed == id => {
                Some(self.wait(ctx, true))
            }
            (Incoming::Response(_) | Incoming::Watch(_) | Incoming::Closed(_), _) => None,
        }
    }

    /// Tries again after a failure; a late timer changes nothing.
    pub fn retry<C>(&mut self, ctx: &mut Ctx<'_, C>, client: &mut Client, relist: Relist)
    where
        C: Component<Out: From<Request>>,
    {
        match self.state {
            State::Waiting { list } if relist.0 == self.kind => {
                if list {
                    self.start(ctx, client);
                } else {
                    self.watch(ctx, client);
                }
            }
            State::Idle | State::Listing(_) | State::Watching(_) | State::Waiting { .. } => {}
        }
    }

    fn watch<C>(&mut self, ctx: &mut Ctx<'_, C>, client: &mut Client)
    where
        C: Component<Out: From<Request>>,
    {
        let target = Target::collection(self.kind, self.namespace.as_deref());
        let params = Params {
            resource_version: Some(self.version),
            allow_watch_bookmarks: true,
            ..self.params.clone()
        };
        self.state = State::Watching(client.send(ctx, Verb::Watch, target, params, Payload::None));
    }

    fn wait<C>(&mut self, ctx: &mut Ctx<'_, C>, list: bool) -> Vec<Delta<R>>
    where
        C: Component<Timer: From<Relist>>,
    {
        self.state = State::Waiting { list };
        let after = RETRY + ctx.rng.span_below(RETRY_JITTER);
        ctx.set_timer(after, Relist(self.kind).into());
        Vec::new()
    }

    fn on_event<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        client: &mut Client,
        event: &WatchEvent,
    ) -> Vec<Delta<R>>
    where
        C: Component<Out: From<Request>, Timer: From<Relist>>,
    {
        match &event.change {
            Change::Added(object) | Change::Modified { object, .. } => {
                self.version = object.resource_version();
                self.put(object).into_iter().collect()
            }
            Change::Deleted(object) => {
                self.version = object.resource_version();
                self.cache.remove(&*key_of(object));
                R::held(object).map(|gone| Delta::Deleted(Rc::clone(gone))).into_iter().collect()
            }
            Change::Bookmark { resource_version, .. } => {
                self.version = *resource_version;
                Vec::new()
            }
            Change::Error(error) => self.wait(ctx, error.code == 410),
            Change::Ended => {
                self.watch(ctx, client);
                Vec::new()
            }
            Change::Output { .. } | Change::Forwarded(_) | Change::HungUp => Vec::new(),
        }
    }

    fn put(&mut self, object: &Object) -> Option<Delta<R>> {
        let new = Rc::clone(R::held(object)?);
        let key = key_of(object);
        // Most that come are there already.
        let before = if let Some(held) = self.cache.get_mut(&*key) {
            Some(std::mem::replace(held, object.clone()))
        } else {
            self.cache.insert(key.into(), object.clone())
        };
        Some(match before.as_ref().and_then(R::held) {
            Some(old) => Delta::Updated { old: Rc::clone(old), new },
            None => Delta::Added(new),
        })
    }

    fn replace(&mut self, items: &[Object]) -> Vec<Delta<R>> {
        let before = std::mem::replace(&mut self.cache, GenericOrdMap::new());
        let mut deltas = Vec::new();
        for object in items {
            let Some(new) = R::held(object) else { continue };
            let key = Text::from(key_of(object));
            match before.get(&key).and_then(R::held) {
                Some(old) if Rc::ptr_eq(old, new) => {}
                Some(old) => {
                    deltas.push(Delta::Updated { old: Rc::clone(old), new: Rc::clone(new) });
                }
                None => deltas.push(Delta::Added(Rc::clone(new))),
            }
            self.cache.insert(key, object.clone());
        }
        let gone = before.iter().filter(|(key, _)| !self.cache.contains_key(*key));
        let gone = gone.filter_map(|(_, object)| R::held(object));
        deltas.extend(gone.map(|object| Delta::Deleted(Rc::clone(object))));
        deltas
    }
}

fn key_of(object: &Object) -> String {
    key(object.namespace(), object.name())
}

fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { [namespace, "/", name].concat() }
}
