//! The cluster: every component wired to every other, and the loop that moves time.
//!
//! The one place that knows all components. A message's way: a component puts it in its outbox; its
//! type says where it may go; the link says when it arrives; the queue says in which order.

mod alike;
mod log;
mod message;
mod setup;
mod what_if;
mod wiring;
mod you;

pub use alike::Specs;
pub use message::{Address, Body, BodyKind, Message};
pub use setup::{MOST_NODES, Setup, epoch, pod_cidr};
pub use what_if::{Trial, Untried};
pub use you::{HttpCall, HttpReply, Unwritten, You};

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::port_forward::{Forwarded, Piece};
use crate::api::request::{Change, RequestId, Response};
use crate::api::{Kind, Kinds, Object};
use crate::apiserver::{ApiServer, Objects};
use crate::kubelet::Kubelet;
use crate::runtime::Runtime;
use crate::scheduler::{Configuration, Decision, Scheduler};
use crate::sim::{Instant, Trace};

pub use wiring::Images;
use wiring::World;

/// A whole cluster as one value. A clone is cheap, independent, and goes on in the same way.
#[derive(Clone, Debug)]
pub struct Cluster {
    world: World,
}

impl Cluster {
    /// A cluster at its beginning: nothing has started yet.
    pub fn new(setup: &Setup) -> Self {
        Self { world: World::new(setup, &Images::default()) }
    }

    /// A cluster whose runtimes know other images, and take other times, than the usual.
    pub fn with_runtime(setup: &Setup, images: &Images) -> Self {
        Self { world: World::new(setup, images) }
    }

    /// The moment it has come to.
    pub fn now(&self) -> Instant {
        self.world.now
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.world.queue.next_at()
    }

    /// How many events have been handled since the beginning.
    pub fn steps(&self) -> u64 {
        self.world.steps
    }

    /// Handles the next event; `false` if there is none.
    pub fn step(&mut self) -> bool {
        self.world.step()
    }

    /// Handles every event up to `until`, and is then at that moment.
    pub fn run_until(&mut self, until: Instant) {
        while self.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.skip_to(until);
    }

    /// Handles every event of the next `span`.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now() + span);
    }

    /// Lets time pass up to `until`, but not past the next event.
    pub fn skip_to(&mut self, until: Instant) {
        let limit = self.next_at().map_or(until, |next| next.min(until));
        self.world.now = self.world.now.max(limit);
    }

    /// Sends an HTTP request of yours now.
    pub fn submit(&mut self, call: &HttpCall) -> RequestId {
        self.world.submit(call)
    }

    /// Starts the scheduler again, with another configuration.
    pub fn configure_scheduler(&mut self, configuration: &Rc<Configuration>) {
        self.world.configure_scheduler(configuration);
    }

    /// The answer to a request of yours, once it is there.
    pub fn answer(&self, id: RequestId) -> Option<&Rc<Response>> {
        self.world.you.answer(id)
    }

    /// The answer to a request of yours as it comes over HTTP, once it is there.
    pub fn reply(&self, id: RequestId) -> Option<HttpReply> {
        self.unwritten(id).map(|answer| answer.write())
    }

    /// The same, not yet written out.
    pub fn unwritten(&self, id: RequestId) -> Option<Unwritten> {
        self.world.you.unwritten(id, self.date())
    }

    /// The lines, or pieces of text, that an answer to you has gone on with after the first `seen`.
    pub fn lines(&self, id: RequestId, seen: usize) -> impl Iterator<Item = String> {
        self.world.you.lines(id, seen, self.date())
    }

    /// Whether who has read `seen` of these gets no more.
    pub fn is_over(&self, id: RequestId, seen: usize) -> bool {
        self.world.you.is_over(id, seen)
    }

    /// Sends `text` to what an exec or an attach has begun; none says that no more will come.
    pub fn type_in(&mut self, id: RequestId, text: Option<&str>) {
        self.world.type_in(id, text);
    }

    /// Sends `piece` in a connection of a port forward.
    pub fn forward(&mut self, id: RequestId, connection: u32, piece: Piece) {
        self.world.tell(id, Change::Forwarded(Rc::new(Forwarded { connection, piece })));
    }

    /// What came in the connections of a port forward after the first `seen` pieces.
    pub fn forwarded(&self, id: RequestId, seen: usize) -> impl Iterator<Item = &Forwarded> {
        self.world.you.forwarded(id, seen)
    }

    /// You read such an answer no more. Recordings know nothing of it, so this is for who keeps none.
    pub fn hang_up(&mut self, id: RequestId) {
        self.world.hang_up(id);
    }

    /// The date that clocks in the cluster show.
    pub fn date(&self) -> Timestamp {
        self.now().date(epoch())
    }

    /// You, with the answers and streams you have.
    pub fn you(&self) -> &You {
        &self.world.you
    }

    /// The messages of the window that is kept, by their ids.
    pub fn trace(&self) -> &Trace<Message> {
        &self.world.trace
    }

    /// Forgets what only people look at: decisions, and messages but for about the last `window`.
    pub fn forget(&mut self, window: usize) {
        self.world.trace.shorten(window);
        self.world.scheduler.component.forget_decisions();
    }

    /// From now on decisions tell of all nodes that are looked at; nothing else changes by that.
    pub fn tell_of_all_nodes(&mut self) {
        self.world.scheduler.component.tell_of_all_nodes();
    }

    /// How many objects there are, of all kinds.
    pub fn size(&self) -> usize {
        self.world.apiserver.component.size()
    }

    /// The messages on their way, in no order.
    pub fn in_flight(&self) -> impl Iterator<Item = &Rc<Message>> {
        let now = self.now();
        self.pending().filter(move |message| message.sent <= now)
    }

    /// The messages that are still to arrive, in no order: those on their way, and those that a
    /// component is still at work on.
    pub fn pending(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.world.pending()
    }

    /// All objects of a kind, as the API server's cache has them.
    pub fn objects(&self, kind: Kind) -> Vec<Object> {
        self.world.apiserver.component.objects(kind).map(|object| object.as_kind(kind)).collect()
    }

    /// The same, to be kept: what has changed since is soon found.
    pub fn snapshot(&self, kind: Kind) -> Objects {
        self.apiserver().snapshot(kind)
    }

    /// Whether there is an object of a kind.
    pub fn has_any(&self, kind: Kind) -> bool {
        self.apiserver().objects(kind).next().is_some()
    }

    /// One object, as the API server's cache has it.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<Object> {
        self.world.apiserver.component.object(kind, namespace, name).cloned()
    }

    /// The kinds that are served now.
    pub fn kinds(&self) -> Rc<Kinds> {
        Rc::clone(self.apiserver().kinds())
    }

    /// The API server, to look at.
    pub fn apiserver(&self) -> &ApiServer {
        &self.world.apiserver.component
    }

    /// The store's revision.
    pub fn revision(&self) -> u64 {
        self.world.etcd.component.revision()
    }

    /// What the scheduler last thought of a Pod.
    pub fn decision(&self, namespace: &str, name: &str) -> Option<&Rc<Decision>> {
        self.world.scheduler.component.decision(namespace, name)
    }

    /// The scheduler, to look at.
    pub fn scheduler(&self) -> &Scheduler {
        &self.world.scheduler.component
    }

    /// Whether nobody works on anything: no pod is to be placed, no runtime has a call to answer.
    pub fn is_settled(&self) -> bool {
        self.scheduler().active().next().is_none()
            && self.scheduler().current().is_none()
            && self.world.nodes.iter().all(|node| node.is_settled())
    }

    /// The names of the nodes, by number.
    pub fn node_names(&self) -> impl Iterator<Item = &Rc<str>> {
        self.world.nodes.iter().map(|node| &node.name)
    }

    /// A node's kubelet, to look at.
    pub fn kubelet(&self, node: u32) -> Option<&Kubelet> {
        self.world.node(node).map(|node| &node.kubelet.component)
    }

    /// A node's runtime, to look at.
    pub fn runtime(&self, node: u32) -> Option<&Runtime> {
        self.world.node(node).map(|node| &node.runtime)
    }

    /// The event log: one line a message, oldest first; the same bytes for the same inputs.
    pub fn log(&self) -> String {
        log::write(&self.world.trace)
    }
}
