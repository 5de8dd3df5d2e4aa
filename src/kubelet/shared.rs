//! What the pod workers of a node share: the lines to the server and the runtime, and the puller.

use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;

use super::images::Puller;
use super::reporter::Reporter;
use super::streams::{Hears, Listener};
use super::{Kubelet, Out, Timer};
use crate::api::Pod;
use crate::api::logs::LogQuery;
use crate::api::request::RequestId;
use crate::client::{Client, EventKind, Recorder, Regarding};
use crate::runtime::{CallId, CriRequest};
use crate::sim::{Ctx, Instant, SortedMap};

/// Who waits for the answer of a call to the runtime.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Caller {
    /// A worker, for its next step.
    Worker(Rc<str>),
    /// The puller.
    Puller,
    /// Who asked for a log, and for which part.
    Reader(RequestId, Rc<LogQuery>),
    /// Who hears what is written.
    Listener(Listener),
    /// Nobody.
    Nobody,
}

/// Lent to a worker for one step.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub node: Rc<str>,
    pub node_ip: Ipv4Addr,
    pub epoch: Timestamp,
    pub client: Client,
    pub recorder: Recorder,
    pub puller: Puller,
    pub reporter: Reporter,
    calls: SortedMap<CallId, Caller>,
    next_call: u64,
}

impl Shared {
    /// For the node called so.
    pub fn new(node: Rc<str>, node_ip: Ipv4Addr, epoch: Timestamp) -> Self {
        Self {
            recorder: Recorder::with_host("kubelet", &node, epoch),
            node,
            node_ip,
            epoch,
            client: Client::default(),
            puller: Puller::default(),
            reporter: Reporter::default(),
            calls: SortedMap::new(),
            next_call: 0,
        }
    }

    /// What the node's clock shows.
    pub fn clock(&self, now: Instant) -> Timestamp {
        now.date(self.epoch)
    }

    /// Calls the runtime.
    pub fn call(
        &mut self,
        ctx: &mut Ctx<'_, Kubelet>,
        caller: Caller,
        request: CriRequest,
    ) -> CallId {
        self.next_call += 1;
        let call = CallId(self.next_call);
        self.calls.insert(call, caller);
        ctx.send(Out::Cri { call, request });
        call
    }

    /// Whose call was answered.
    pub fn caller(&mut self, call: CallId) -> Option<Caller> {
        self.calls.remove(&call)
    }

    /// Who hears what is written to a call that goes on.
    pub fn listener(&mut self, call: CallId) -> Option<&mut Listener> {
        match self.calls.get_mut(&call)? {
            Caller::Listener(listener) => Some(listener),
            Caller::Worker(_) | Caller::Puller | Caller::Reader(..) | Caller::Nobody => None,
        }
    }

    /// The call whose listener has asked as `id`, and what it hears.
    pub fn call_of(&self, id: RequestId) -> Option<(CallId, &Hears)> {
        let mut calls = self.calls.iter();
        calls.find_map(|(call, caller)| match caller {
            Caller::Listener(listener) if listener.id == id => Some((*call, &listener.hears)),
            Caller::Listener(_)
            | Caller::Worker(_)
            | Caller::Puller
            | Caller::Reader(..)
            | Caller::Nobody => None,
        })
    }

    /// Ends the call whose listener has asked as `id`.
    pub fn cancel(&mut self, ctx: &mut Ctx<'_, Kubelet>, id: RequestId) {
        if let Some((call, _)) = self.call_of(id) {
            self.calls.remove(&call);
            ctx.send(Out::Cri { call, request: CriRequest::Cancel });
        }
    }

    /// Pulls the next image in the queue, if the line is free.
    pub fn pull_next(&mut self, ctx: &mut Ctx<'_, Kubelet>) {
        if let Some((_, image)) = self.puller.next(ctx.now) {
            let image = super::images::with_tag(&image);
            self.call(ctx, Caller::Puller, CriRequest::PullImage { image });
        }
    }

    /// Tells people something about a pod, or about one of its containers.
    pub fn tell(
        &mut self,
        ctx: &mut Ctx<'_, Kubelet>,
        pod: &Pod,
        field_path: Option<String>,
        (kind, reason): (EventKind, &str),
        message: &str,
    ) {
        let about = Regarding::pod(pod, field_path);
        self.recorder.record(ctx, &mut self.client, about, (kind, reason, None), message);
    }

    /// Reminds the worker of a pod.
    pub fn remind(ctx: &mut Ctx<'_, Kubelet>, uid: &Rc<str>, after: std::time::Duration) {
        ctx.set_timer(after, Timer::Worker(Rc::clone(uid)));
    }
}
