//! What every component speaks to the API server with: numbered requests, informers that list and
//! watch, an event recorder and a work queue with back-off.

mod backoff;
mod informer;
mod recorder;

pub use backoff::Backoff;
pub use informer::{Delta, Held, Informer, Relist};
pub use recorder::{EventKind, Recorder, Regarding};

use std::rc::Rc;

use crate::api::request::{
    Params, Patch, Payload, Request, RequestId, Response, Subresource, Target, Verb, WatchEvent,
};
use crate::api::{Kind, Object};
use crate::sim::{Component, Ctx};

/// What comes back from the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    Response(Rc<Response>),
    Watch(WatchEvent),
    /// The stream of a watch broke off: the server restarted, or the line was cut.
    Closed(RequestId),
}

/// Sends requests and numbers them. The answer is for who kept the number.
#[derive(Clone, Debug, Default)]
pub struct Client {
    next: u64,
}

impl Client {
    /// Sends a request.
    pub fn send<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        verb: Verb,
        target: Target,
        params: Params,
        payload: Payload,
    ) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        self.next += 1;
        let id = RequestId(self.next);
        ctx.send(Request { id, verb, target, params, payload, caller: None });
        id
    }

    /// Reads one object.
    pub fn get<C>(&mut self, ctx: &mut Ctx<'_, C>, target: Target) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        self.send(ctx, Verb::Get, target, Params::default(), Payload::None)
    }

    /// Creates `object` in its namespace.
    pub fn create<C>(&mut self, ctx: &mut Ctx<'_, C>, object: Object) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        let target = Target::collection(object.kind(), object.meta().namespace.as_deref());
        self.send(ctx, Verb::Create, target, Params::default(), Payload::Object(object))
    }

    /// Replaces an object; its resourceVersion, if it has one, must be the stored one.
    pub fn update<C>(&mut self, ctx: &mut Ctx<'_, C>, object: Object) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        let target = Target::named(object.kind(), object.namespace(), object.name());
        self.send(ctx, Verb::Update, target, Params::default(), Payload::Object(object))
    }

    /// Patches an object.
    pub fn patch<C>(&mut self, ctx: &mut Ctx<'_, C>, target: Target, patch: Patch) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        self.send(ctx, Verb::Patch, target, Params::default(), Payload::Patch(patch))
    }

    /// Binds a pod to a node.
    pub fn bind<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        (namespace, name): (&str, &str),
        uid: Option<Rc<str>>,
        node: Rc<str>,
    ) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        let target = Target::named(Kind::Pod, namespace, name).part(Subresource::Binding);
        let payload = Payload::Binding { uid, node, sent: None };
        self.send(ctx, Verb::Create, target, Params::default(), payload)
    }

    /// Deletes an object; `uid` spares one that has taken its name since.
    pub fn delete<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        target: Target,
        uid: Option<Rc<str>>,
        grace_period_seconds: Option<i64>,
    ) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        let params = Params { grace_period_seconds, ..Params::default() };
        self.send(ctx, Verb::Delete, target, params, Payload::Precondition { uid })
    }
}
