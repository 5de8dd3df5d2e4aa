//! The kubelet: one a node. It registers the node and keeps its lease, watches the pods bound to
//! it, has its runtime run them, and reports what becomes of them.

mod container;
mod exec;
mod images;
mod lease;
mod logs;
mod node;
mod node_status;
mod pod_worker;
mod pods;
mod port_forward;
mod reporter;
mod resize;
mod sandbox;
mod shared;
mod start;
mod status;
mod stop;
mod streams;

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;

use crate::api::Pod;
use crate::api::fields::FieldSelector;
use crate::api::request::{Params, Request, RequestId, Response, WatchEvent};
use crate::api::wire::Node;
use crate::client::{Incoming, Informer, Relist};
use crate::runtime::{CallId, CriRequest, Outcome};
use crate::sim::{Component, Ctx, Event, SortedMap};

use node::NodeReport;
use pod_worker::PodWorker;
use shared::{Caller, Shared};

/// What a kubelet hears.
#[derive(Clone, Debug)]
pub enum In {
    Api(Incoming),
    /// The API server asks this kubelet.
    Asked(Rc<Request>),
    /// It has asked under this number, and hears no more of the answer.
    HungUp(RequestId),
    /// It has asked, and goes on.
    Typed(WatchEvent),
    Cri(Outcome),
}

/// What a kubelet says.
#[derive(Clone, Debug)]
pub enum Out {
    Api(Rc<Request>),
    /// To what the API server asked.
    Answer(Rc<Response>),
    /// To the same, as it goes on.
    Told(WatchEvent),
    Cri {
        call: CallId,
        request: CriRequest,
    },
}

impl From<Request> for Out {
    fn from(request: Request) -> Self {
        Self::Api(Rc::new(request))
    }
}

/// What a kubelet is reminded of.
#[derive(Clone, Debug)]
pub enum Timer {
    Relist(Relist),
    Register,
    NodeStatus,
    Lease,
    /// A pod's worker has something to try again.
    Worker(Rc<str>),
    /// A pod's status could not be reported.
    Report(Rc<str>),
}

impl From<Relist> for Timer {
    fn from(relist: Relist) -> Self {
        Self::Relist(relist)
    }
}

/// What a request was for.
#[derive(Clone, Debug)]
enum Asked {
    Register,
    NodeStatus,
    ReadLease,
    WriteLease,
    Delete(Rc<str>),
}

/// The kubelet of one node.
#[derive(Clone, Debug)]
pub struct Kubelet {
    shared: Shared,
    node: NodeReport,
    pods: Informer<Pod>,
    workers: SortedMap<Rc<str>, PodWorker>,
    asked: SortedMap<RequestId, Asked>,
}

impl Kubelet {
    /// For `node`, as the cluster's set-up declares it. `epoch` is the date at which virtual time
    /// begins.
    pub fn new(node: Node, node_ip: Ipv4Addr, epoch: Timestamp) -> Self {
        let name: Rc<str> = node.metadata.name.as_deref().unwrap_or_default().into();
        let own = FieldSelector::equals("spec.nodeName", &name);
        let params = Params { field_selector: Some(Rc::new(own)), ..Params::default() };
        Self {
            shared: Shared::new(name, node_ip, epoch),
            node: NodeReport::new(node),
            pods: Informer::new(params),
            workers: SortedMap::new(),
            asked: SortedMap::new(),
        }
    }

    /// Every pod worker: its pod's namespace and name, and what it is doing.
    pub fn workers(&self) -> impl Iterator<Item = ((&str, &str), &'static str)> {
        self.workers.values().map(|worker| (worker.pod.key(), worker.state.name()))
    }
}

impl Component for Kubelet {
    type In = In;
    type Out = Out;
    type Timer = Timer;

    fn handle(&mut self, ctx: &mut Ctx<'_, Self>, event: Event<Self>) {
        match event {
            Event::Started => {
                self.announce(ctx);
                self.register(ctx);
                self.pods.start(ctx, &mut self.shared.client);
            }
            Event::Message(In::Api(incoming)) => {
                let deltas = self.pods.handle(ctx, &mut self.shared.client, &incoming);
                match (deltas, incoming) {
                    (Some(deltas), _) => {
                        for delta in deltas {
                            self.pod_changed(ctx, delta);
                        }
                    }
                    (None, Incoming::Response(response)) => self.responded(ctx, &response),
                    (None, Incoming::Closed(id)) => self.cut_off(ctx, id),
                    (None, Incoming::Watch(_)) => {}
                }
            }
            Event::Message(In::Asked(request)) => self.asked(ctx, &request),
            Event::Message(In::HungUp(id)) => self.hung_up(ctx, id),
            Event::Message(In::Typed(event)) => self.typed(ctx, event),
            Event::Message(In::Cri(outcome)) => self.runtime_said(ctx, outcome),
            Event::Timer(Timer::Relist(relist)) => {
                self.pods.retry(ctx, &mut self.shared.client, relist);
            }
            Event::Timer(Timer::Register) => self.register(ctx),
            Event::Timer(Timer::NodeStatus) => self.check_node(ctx),
            Event::Timer(Timer::Lease) => self.renew_lease(ctx),
            Event::Timer(Timer::Worker(uid)) => {
                self.with_worker(ctx, &uid, PodWorker::due);
            }
            Event::Timer(Timer::Report(uid)) => self.report_again(ctx, &uid),
        }
    }
}
