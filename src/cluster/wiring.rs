//! Who hears whom: the loop, the addresses and the links.

use std::rc::Rc;

use crate::api::exec::Channel;
use crate::api::request::{Change, Request, RequestId, WatchEvent};
use crate::apiserver::{self, ApiServer, ConnectionId, EtcdServer};
use crate::client::Incoming;
use crate::kubelet::{self, Kubelet};
use crate::runtime::{CallId, Catalogue, Host, Outcome, Runtime, Timing};
use crate::scheduler::{Configuration, Scheduler};
use crate::sim::{
    Component, Ctx, Effect, Event, GrowingMap, Instant, Latency, Links, Queue, Rng, SortedMap,
    Trace,
};

use super::setup::{epoch, node_ip};
use super::{Address, Body, HttpCall, Message, Setup, You};

/// How many messages the trace keeps.
const WINDOW: usize = 100_000;
/// The kubelets start a little after the control plane, and not all at once.
const KUBELETS_START: Instant = Instant::from_micros(200_000);
const KUBELET_SPREAD_MICROS: u64 = 300_000;

/// What the nodes' runtimes know of images, and how long they take.
#[derive(Clone, Debug)]
pub struct Images {
    pub catalogue: Rc<Catalogue>,
    pub timing: Timing,
}

impl Default for Images {
    /// The well-known images on a machine of today.
    fn default() -> Self {
        Self { catalogue: Rc::new(Catalogue::well_known()), timing: Timing::default() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub now: Instant,
    pub steps: u64,
    pub queue: Queue<Due>,
    pub you: You,
    pub apiserver: Hosted<ApiServer>,
    pub etcd: Hosted<EtcdServer>,
    pub scheduler: Hosted<Scheduler>,
    /// How often the scheduler was started again.
    restarts: u32,
    /// Shared with the checkpoints; a node is copied when it first changes after one.
    pub nodes: Vec<Rc<Node>>,
    pub trace: Trace<Message>,
    links: Links<Address>,
    chance: Rng,
    /// What is not answered yet, by who asked.
    asked: SortedMap<Address, GrowingMap<RequestId, Rc<Request>>>,
    outboxes: Outboxes,
}

/// The outboxes that components are lent, empty between two events: their room is used again.
#[derive(Clone, Debug, Default)]
struct Outboxes {
    apiserver: Outbox<ApiServer>,
    etcd: Outbox<EtcdServer>,
    scheduler: Outbox<Scheduler>,
    kubelets: Outbox<Kubelet>,
}

type Outbox<C> = Vec<Effect<<C as Component>::Out, <C as Component>::Timer>>;

#[derive(Clone, Debug)]
pub(super) struct Hosted<C> {
    pub component: C,
    rng: Rng,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub name: Rc<str>,
    pub kubelet: Hosted<Kubelet>,
    pub runtime: Runtime,
    rng: Rng,
    /// The message that made each call that is not answered yet.
    calls: SortedMap<CallId, u64>,
    /// The earliest wake-up that is in the queue already.
    wakes: Option<Instant>,
}

#[derive(Clone, Debug)]
pub(super) enum Due {
    Start(Address),
    Arrival(Rc<Message>),
    Timer {
        cause: Option<u64>,
        timer: Timer,
    },
    /// The runtime of a node has something to do by itself.
    Wake(u32),
}

#[derive(Clone, Debug)]
pub(super) enum Timer {
    ApiServer(<ApiServer as Component>::Timer),
    Etcd(<EtcdServer as Component>::Timer),
    /// With the number of the process that set it.
    Scheduler(u32, <Scheduler as Component>::Timer),
    Kubelet(u32, <Kubelet as Component>::Timer),
}

impl<C: Component> Hosted<C> {
    fn new(component: C, seed: u64, stream: u64) -> Self {
        Self { component, rng: Rng::stream(seed, stream) }
    }

    fn handle(&mut self, now: Instant, event: Event<C>, outbox: &mut Outbox<C>) {
        let mut ctx = Ctx { now, rng: &mut self.rng, outbox };
        self.component.handle(&mut ctx, event);
    }
}

impl World {
    pub(super) fn new(setup: &Setup, images: &Images) -> Self {
        let seed = setup.seed;
        let mut chance = Rng::stream(seed, 0);
        let mut queue = Queue::default();
        for address in [Address::Etcd, Address::ApiServer, Address::Scheduler] {
            queue.push(Instant::ZERO, Due::Start(address));
        }
        let mut nodes = Vec::with_capacity(setup.nodes.len());
        for (number, node) in setup.nodes.iter().enumerate() {
            let index = u32::try_from(number).unwrap_or(u32::MAX);
            let starts = std::time::Duration::from_micros(chance.below(KUBELET_SPREAD_MICROS));
            queue.push(KUBELETS_START + starts, Due::Start(Address::Kubelet(index)));
            nodes.push(Rc::new(Node::new(number, node.clone(), seed, images)));
        }
        Self {
            now: Instant::ZERO,
            steps: 0,
            queue,
            you: You::default(),
            apiserver: Hosted::new(ApiServer::new(epoch(), seed), seed, 1),
            etcd: Hosted::new(EtcdServer::default(), seed, 2),
            scheduler: Hosted::new(Scheduler::new(epoch(), Rc::default()), seed, 3),
            restarts: 0,
            nodes,
            trace: Trace::new(WINDOW),
            links: Links::default(),
            chance,
            asked: SortedMap::new(),
            outboxes: Outboxes::default(),
        }
    }

    pub(super) fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize).map(|node| &**node)
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.queue.iter().filter_map(|(_, due)| match due {
            Due::Arrival(message) => Some(message),
            Due::Start(_) | Due::Timer { .. } | Due::Wake(_) => None,
        })
    }

    pub(super) fn submit(&mut self, call: &HttpCall) -> RequestId {
        let request = self.you.request(call, self.apiserver.component.kinds());
        let id = request.id;
        self.send(
            None,
            Address::You,
            Address::ApiServer,
            self.now,
            Body::Request(Rc::new(request)),
        );
        id
    }

    pub(super) fn hang_up(&mut self, watch: RequestId) {
        self.you.hung_up(watch);
        let from = connection(Address::You);
        self.run_apiserver(None, Event::Message(apiserver::In::HungUp { from, watch }));
    }

    pub(super) fn type_in(&mut self, watch: RequestId, text: Option<&str>) {
        let channel = Some(if text.is_some() { Channel::Stdin } else { Channel::Close });
        self.tell(watch, Change::Output { channel, text: text.unwrap_or_default().into() });
    }

    /// You go on with what you have asked.
    pub(super) fn tell(&mut self, watch: RequestId, change: Change) {
        let body = Body::Watch(WatchEvent { watch, change });
        self.send(None, Address::You, Address::ApiServer, self.now, body);
    }

    /// Ends the scheduler's process, and starts one with another configuration.
    pub(super) fn configure_scheduler(&mut self, configuration: &Rc<Configuration>) {
        self.restarts += 1;
        let scheduler = &mut self.scheduler.component;
        *scheduler = scheduler.restarted(Rc::clone(configuration));
        let from = connection(Address::Scheduler);
        self.run_apiserver(None, Event::Message(apiserver::In::Closed(from)));
        self.run_scheduler(None, Event::Started);
    }

    pub(super) fn step(&mut self) -> bool {
        let Some((at, due)) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        self.steps += 1;
        match due {
            Due::Start(Address::ApiServer) => self.run_apiserver(None, Event::Started),
            Due::Start(Address::Etcd) => self.run_etcd(None, Event::Started),
            Due::Start(Address::Scheduler) => self.run_scheduler(None, Event::Started),
            Due::Start(Address::Kubelet(node)) => self.run_kubelet(node, None, Event::Started),
            Due::Start(Address::You | Address::Runtime(_)) => {}
            Due::Arrival(message) => self.arrive(&message),
            Due::Timer { cause, timer } => match timer {
                Timer::ApiServer(timer) => self.run_apiserver(cause, Event::Timer(timer)),
                Timer::Etcd(timer) => self.run_etcd(cause, Event::Timer(timer)),
                Timer::Scheduler(process, timer) => {
                    if process == self.restarts {
                        self.run_scheduler(cause, Event::Timer(timer));
                    }
                }
                Timer::Kubelet(node, timer) => self.run_kubelet(node, cause, Event::Timer(timer)),
            },
            Due::Wake(node) => self.wake(node),
        }
        true
    }

    fn arrive(&mut self, message: &Message) {
        let cause = Some(message.id);
        match (message.to, &message.body) {
            (Address::ApiServer, Body::Request(request)) => {
                let from = connection(message.from);
                let request = Rc::clone(request);
                let heard = apiserver::In::Request { from, request };
                self.run_apiserver(cause, Event::Message(heard));
            }
            (Address::ApiServer, Body::StoreOut(out)) => {
                self.run_apiserver(cause, Event::Message(apiserver::In::Store(out.clone())));
            }
            (Address::ApiServer, Body::Response { response, .. }) => {
                let heard = apiserver::In::Kubelet(Rc::clone(response));
                self.run_apiserver(cause, Event::Message(heard));
            }
            (Address::ApiServer, Body::Watch(event)) if message.from == Address::You => {
                let (from, event) = (connection(message.from), event.clone());
                self.run_apiserver(cause, Event::Message(apiserver::In::Typed { from, event }));
            }
            (Address::ApiServer, Body::Watch(event)) => {
                let heard = apiserver::In::KubeletTold(event.clone());
                self.run_apiserver(cause, Event::Message(heard));
            }
            (Address::Etcd, Body::StoreCall(call)) => {
                self.run_etcd(cause, Event::Message(call.clone()));
            }
            (Address::You, Body::Response { response, .. }) => {
                self.you.answered(Rc::clone(response));
            }
            (Address::You, Body::Watch(event)) => self.you.told(event),
            (Address::Scheduler, Body::Response { response, .. }) => {
                let heard = Incoming::Response(Rc::clone(response));
                self.run_scheduler(cause, Event::Message(heard));
            }
            (Address::Scheduler, Body::Watch(event)) => {
                self.run_scheduler(cause, Event::Message(Incoming::Watch(event.clone())));
            }
            (Address::Kubelet(node), Body::Response { response, .. }) => {
                let heard = kubelet::In::Api(Incoming::Response(Rc::clone(response)));
                self.run_kubelet(node, cause, Event::Message(heard));
            }
            (Address::Kubelet(node), Body::Watch(event)) => {
                let heard = if matches!(event.change, Change::HungUp) {
                    kubelet::In::HungUp(event.watch)
                } else if event.change.is_piece() {
                    kubelet::In::Typed(event.clone())
                } else {
                    kubelet::In::Api(Incoming::Watch(event.clone()))
                };
                self.run_kubelet(node, cause, Event::Message(heard));
            }
            (Address::Kubelet(node), Body::Request(request)) => {
                let heard = kubelet::In::Asked(Rc::clone(request));
                self.run_kubelet(node, cause, Event::Message(heard));
            }
            (Address::Kubelet(node), Body::CriOutcome(outcome)) => {
                let heard = kubelet::In::Cri(outcome.clone());
                self.run_kubelet(node, cause, Event::Message(heard));
            }
            (Address::Runtime(index), Body::CriRequest { call, request }) => {
                let now = self.now;
                if let Some(node) = self.nodes.get_mut(index as usize) {
                    let node = Rc::make_mut(node);
                    node.calls.insert(*call, message.id);
                    node.runtime.handle(now, &mut node.rng, *call, request.clone());
                    self.schedule_wake(index);
                }
            }
            // The outboxes' types leave no other pair.
            (
                Address::You
                | Address::ApiServer
                | Address::Etcd
                | Address::Scheduler
                | Address::Kubelet(_)
                | Address::Runtime(_),
                _,
            ) => {}
        }
    }

    fn wake(&mut self, index: u32) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(index as usize) else {
            return;
        };
        let node = Rc::make_mut(node);
        node.wakes = None;
        let outcomes: Vec<_> = node
            .runtime
            .advance(now)
            .into_iter()
            .map(|outcome| {
                let cause = match &outcome {
                    // What is written later has nobody's question for its cause.
                    Outcome::Answered { call, .. }
                    | Outcome::Wrote { call, .. }
                    | Outcome::Forwarded { call, .. } => node.calls.remove(call),
                    Outcome::Happened(_) => None,
                };
                (cause, outcome)
            })
            .collect();
        for (cause, outcome) in outcomes {
            let body = Body::CriOutcome(outcome);
            self.send(cause, Address::Runtime(index), Address::Kubelet(index), now, body);
        }
        self.schedule_wake(index);
    }

    fn schedule_wake(&mut self, index: u32) {
        let Some(node) = self.nodes.get_mut(index as usize) else {
            return;
        };
        let Some(next) = node.runtime.next_wakeup() else {
            return;
        };
        if node.wakes.is_none_or(|wakes| next < wakes) {
            Rc::make_mut(node).wakes = Some(next);
            self.queue.push(next.max(self.now), Due::Wake(index));
        }
    }

    fn run_apiserver(&mut self, cause: Option<u64>, event: Event<ApiServer>) {
        let mut outbox = std::mem::take(&mut self.outboxes.apiserver);
        self.apiserver.handle(self.now, event, &mut outbox);
        for effect in outbox.drain(..) {
            match effect {
                Effect::Timer { after, timer } => {
                    self.remind(after, cause, Timer::ApiServer(timer));
                }
                Effect::Send { after, body } => {
                    let sent = self.now + after;
                    let (to, body) = match body {
                        apiserver::Out::Response { to, response } => {
                            let to = address(to);
                            let request = self.answered(to, response.id);
                            (to, Body::Response { request, response })
                        }
                        apiserver::Out::Watch { to, event } => (address(to), Body::Watch(event)),
                        apiserver::Out::Store(call) => (Address::Etcd, Body::StoreCall(call)),
                        apiserver::Out::Kubelet { node, request } => {
                            // A Node that no machine stands behind does not answer.
                            let Some(kubelet) = self.kubelet_of(&node) else { continue };
                            (kubelet, Body::Request(request))
                        }
                        apiserver::Out::Tell { node, event } => {
                            let Some(kubelet) = self.kubelet_of(&node) else { continue };
                            (kubelet, Body::Watch(event))
                        }
                    };
                    self.send(cause, Address::ApiServer, to, sent, body);
                }
            }
        }
        self.outboxes.apiserver = outbox;
    }

    fn kubelet_of(&self, node: &str) -> Option<Address> {
        let number = self.nodes.iter().position(|own| *own.name == *node)?;
        u32::try_from(number).ok().map(Address::Kubelet)
    }

    fn run_etcd(&mut self, cause: Option<u64>, event: Event<EtcdServer>) {
        let mut outbox = std::mem::take(&mut self.outboxes.etcd);
        self.etcd.handle(self.now, event, &mut outbox);
        for effect in outbox.drain(..) {
            match effect {
                Effect::Timer { after, timer } => self.remind(after, cause, Timer::Etcd(timer)),
                Effect::Send { after, body } => {
                    let sent = self.now + after;
                    let body = Body::StoreOut(body);
                    self.send(cause, Address::Etcd, Address::ApiServer, sent, body);
                }
            }
        }
        self.outboxes.etcd = outbox;
    }

    fn run_scheduler(&mut self, cause: Option<u64>, event: Event<Scheduler>) {
        let mut outbox = std::mem::take(&mut self.outboxes.scheduler);
        self.scheduler.handle(self.now, event, &mut outbox);
        for effect in outbox.drain(..) {
            match effect {
                Effect::Timer { after, timer } => {
                    self.remind(after, cause, Timer::Scheduler(self.restarts, timer));
                }
                Effect::Send { after, body } => {
                    let sent = self.now + after;
                    let body = Body::Request(Rc::new(body));
                    self.send(cause, Address::Scheduler, Address::ApiServer, sent, body);
                }
            }
        }
        self.outboxes.scheduler = outbox;
    }

    fn run_kubelet(&mut self, index: u32, cause: Option<u64>, event: Event<Kubelet>) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(index as usize) else {
            return;
        };
        let mut outbox = std::mem::take(&mut self.outboxes.kubelets);
        Rc::make_mut(node).kubelet.handle(now, event, &mut outbox);
        for effect in outbox.drain(..) {
            match effect {
                Effect::Timer { after, timer } => {
                    self.remind(after, cause, Timer::Kubelet(index, timer));
                }
                Effect::Send { after, body } => {
                    let (to, body) = match body {
                        kubelet::Out::Api(request) => (Address::ApiServer, Body::Request(request)),
                        kubelet::Out::Answer(response) => {
                            let request = self.answered(Address::ApiServer, response.id);
                            (Address::ApiServer, Body::Response { request, response })
                        }
                        kubelet::Out::Told(event) => (Address::ApiServer, Body::Watch(event)),
                        kubelet::Out::Cri { call, request } => {
                            (Address::Runtime(index), Body::CriRequest { call, request })
                        }
                    };
                    self.send(cause, Address::Kubelet(index), to, now + after, body);
                }
            }
        }
        self.outboxes.kubelets = outbox;
    }

    /// The request of `who` that an answer is to.
    fn answered(&mut self, who: Address, id: RequestId) -> Option<Rc<Request>> {
        self.asked.get_mut(&who)?.remove(id)
    }

    fn remind(&mut self, after: std::time::Duration, cause: Option<u64>, timer: Timer) {
        self.queue.push(self.now + after, Due::Timer { cause, timer });
    }

    fn send(&mut self, cause: Option<u64>, from: Address, to: Address, sent: Instant, body: Body) {
        if let Body::Request(request) = &body {
            self.asked.or_default(from).insert(request.id, Rc::clone(request));
        }
        let latency = latency(from, to);
        let arrives = self.links.arrival((from, to), latency, sent, &mut self.chance);
        let id = self.trace.end();
        let message = Rc::new(Message { id, cause, from, to, sent, arrives, body });
        self.trace.push(Rc::clone(&message));
        self.queue.push(arrives, Due::Arrival(message));
    }
}

impl Node {
    fn new(number: usize, node: crate::api::wire::Node, seed: u64, images: &Images) -> Self {
        let name: Rc<str> = node.metadata.name.as_deref().unwrap_or_default().into();
        let ip = node_ip(number);
        let stream = number as u64 * 2 + 100;
        let host = Host { hostname: Rc::clone(&name), ip, epoch: epoch(), timing: images.timing };
        Self {
            name,
            kubelet: Hosted::new(Kubelet::new(node, ip, epoch()), seed, stream),
            runtime: Runtime::new(host, Rc::clone(&images.catalogue)),
            rng: Rng::stream(seed, stream + 1),
            calls: SortedMap::new(),
            wakes: None,
        }
    }

    /// Whether its runtime has answered everything.
    pub(super) fn is_settled(&self) -> bool {
        self.calls.is_empty()
    }
}

/// A person is far away, the control plane close together, a runtime on the same machine.
fn latency(from: Address, to: Address) -> Latency {
    match (from, to) {
        (Address::You, _) | (_, Address::You) => Latency::micros(4_000, 2_000),
        (Address::Etcd, _) | (_, Address::Etcd) => Latency::micros(300, 200),
        (Address::Scheduler, _) | (_, Address::Scheduler) => Latency::micros(600, 400),
        (Address::Runtime(_), _) | (_, Address::Runtime(_)) => Latency::micros(150, 100),
        (Address::ApiServer | Address::Kubelet(_), Address::ApiServer | Address::Kubelet(_)) => {
            Latency::micros(1_000, 800)
        }
    }
}

fn connection(address: Address) -> ConnectionId {
    ConnectionId(match address {
        Address::You => 0,
        Address::Scheduler => 1,
        Address::Kubelet(node) => node.saturating_add(2),
        // These never call the API server.
        Address::ApiServer | Address::Etcd | Address::Runtime(_) => u32::MAX,
    })
}

fn address(ConnectionId(connection): ConnectionId) -> Address {
    match connection {
        0 => Address::You,
        1 => Address::Scheduler,
        node => Address::Kubelet(node - 2),
    }
}
