//! Connections to what listens in a pod: from outside, through a forwarded port, and from its own programs.
//!
//! Mirrors: containerd `internal/cri/server/sandbox_portforward_linux.go`, and the `portforward` of the kubelet's
//! streaming server, which it uses.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use super::calls::Answer;
use super::container::{Container, Stage};
use super::cri::{CallId, CriError, Id, Outcome, PodSandboxState};
use super::rootfs;
use super::routine::Ports;
use super::service::Runtime;
use super::surroundings::Fetched;
use super::web::{Inbox, Said, Site};
use crate::api::port_forward::{Forwarded, Piece};
use crate::sim::Instant;

/// More connections of one call are refused.
const MOST_CONNECTIONS: usize = 1_000;

/// A call by which ports are forwarded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Forward {
    pub call: CallId,
    sandbox: Id,
    connections: Vec<Connection>,
}

/// One that is open.
#[derive(Clone, Debug, PartialEq)]
struct Connection {
    number: u32,
    /// The container in which it ends, and which of that one's connections it is.
    server: (Id, u64),
    inbox: Inbox,
}

impl Runtime {
    /// The container that accepts connections on `port` of the address `ip`.
    pub(super) fn listener(&self, ip: Ipv4Addr, port: u16) -> Option<&Id> {
        let mut all = self.containers.values();
        let found = all.find(|container| {
            let is_open = match container.ports() {
                Some(Ports::These(ports)) => ports.contains(&port),
                Some(Ports::Web(own, _)) => *own == port,
                Some(Ports::Any) => true,
                None => false,
            };
            is_open && self.ip_of(&container.pod_sandbox_id) == Some(ip)
        });
        found.map(|container| &container.id)
    }

    /// The address of a sandbox, which may be the node's.
    fn ip_of(&self, sandbox: &Id) -> Option<Ipv4Addr> {
        let sandbox = self.sandboxes.get(sandbox)?;
        (sandbox.state == PodSandboxState::Ready).then(|| sandbox.ip.unwrap_or(self.host.ip))
    }

    /// The answer if there is nothing to connect to.
    pub(super) fn port_forward(
        &mut self,
        at: Instant,
        call: CallId,
        sandbox: Id,
        ports: &str,
    ) -> Option<Answer> {
        match self.sandboxes.get(&sandbox).map(|sandbox| sandbox.state) {
            Some(PodSandboxState::Ready) => {}
            Some(PodSandboxState::NotReady) => {
                return Some(Err(CriError::unknown("sandbox container is not running")));
            }
            None => {
                let why = format!("failed to find sandbox \"{sandbox}\": not found");
                return Some(Err(CriError::not_found(why)));
            }
        }
        Rc::make_mut(&mut self.forwards).push(Forward { call, sandbox, connections: Vec::new() });
        self.outbox.push(Outcome::Wrote { call, at, lines: Vec::new() });
        for (number, port) in (0..).zip(ports.split(',').filter_map(|port| port.parse().ok())) {
            self.forward(at, call, number, &Piece::Open(port));
        }
        None
    }

    /// Somebody goes on with a connection of a call, or with a new one. Who comes too late is not heard.
    pub(super) fn forward(&mut self, at: Instant, call: CallId, number: u32, piece: &Piece) {
        let Some(forward) =
            Rc::make_mut(&mut self.forwards).iter_mut().find(|one| one.call == call)
        else {
            return;
        };
        let is_meant = |one: &Connection| one.number == number;
        let open = forward.connections.iter().position(is_meant);
        let open = open.map(|open| forward.connections.remove(open));
        let (sandbox, count) = (Rc::clone(&forward.sandbox), forward.connections.len());
        let (answer, stays) = match (piece, open) {
            (Piece::Open(port), None) => match self.dial(&sandbox, *port, count) {
                Ok(server) => (None, Some(Connection { number, server, inbox: Inbox::default() })),
                Err(why) => {
                    let pod = format!("error forwarding port {port} to pod {sandbox}, uid : ");
                    (Some(Piece::Error([pod, why].concat().into())), None)
                }
            },
            (Piece::Bytes(bytes), Some(mut open)) => {
                open.inbox.receive(bytes);
                let said = self.serve(at, &open.server, Ipv4Addr::LOCALHOST, &mut open.inbox);
                let answer = (!said.answer.is_empty()).then(|| Piece::Bytes(said.answer.into()));
                match answer {
                    None if said.closes => (Some(Piece::End), None),
                    Some(answer) if said.closes => {
                        self.tell(at, call, number, answer);
                        (Some(Piece::End), None)
                    }
                    answer => (answer, Some(open)),
                }
            }
            // Nothing is left to be said once all that came was answered.
            (Piece::End | Piece::Error(_) | Piece::Open(_), Some(_)) => (Some(Piece::End), None),
            (Piece::Bytes(_) | Piece::End | Piece::Error(_), None) => (None, None),
        };
        if let Some(forward) =
            Rc::make_mut(&mut self.forwards).iter_mut().find(|one| one.call == call)
        {
            forward.connections.extend(stays);
        }
        if let Some(answer) = answer {
            self.tell(at, call, number, answer);
        }
    }

    fn tell(&mut self, at: Instant, call: CallId, connection: u32, piece: Piece) {
        let forwarded = Rc::new(Forwarded { connection, piece });
        self.outbox.push(Outcome::Forwarded { call, at, forwarded });
    }

    /// Who accepts a connection, or why nobody does.
    fn dial(&mut self, sandbox: &Id, port: u16, count: usize) -> Result<(Id, u64), String> {
        let Some(ip) = self.ip_of(sandbox) else {
            return Err(format!("network namespace for sandbox \"{sandbox}\" is closed"));
        };
        let namespace = self.namespace_of(sandbox);
        let found = self.listener(ip, port).map(Rc::clone).filter(|_| count < MOST_CONNECTIONS);
        found.map(|server| self.accept(server)).ok_or_else(|| {
            format!(
                "failed to execute portforward in network namespace \"{namespace}\": failed to \
                 connect to localhost:{port} inside namespace \"{sandbox}\", IPv4: dial tcp4 \
                 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6 [::1]:{port}: connect: \
                 connection refused "
            )
        })
    }

    /// Where the network of a sandbox is to be found on the node.
    fn namespace_of(&self, sandbox: &Id) -> String {
        let is_own = |id: &Id| self.sandboxes.get(id).is_some_and(|one| one.ip.is_some());
        let mut rest = &**sandbox;
        let parts = [8, 4, 4, 4, 12].map(|length| {
            let (part, after) = rest.split_at_checked(length).unwrap_or_default();
            rest = after;
            part
        });
        if is_own(sandbox) {
            format!("/var/run/netns/cni-{}", parts.join("-"))
        } else {
            "host".to_owned()
        }
    }

    /// One more connection of a container.
    fn accept(&mut self, server: Id) -> (Id, u64) {
        let mut number = 0;
        if let Some(container) = self.containers.get_mut(&server) {
            let network = Rc::make_mut(container).network.get_or_insert_default();
            let network = Rc::make_mut(network);
            network.accepted += 1;
            number = network.accepted;
        }
        (server, number)
    }

    /// Has a server answer, and puts down what it logs. What is not simulated hangs up instead.
    fn serve(
        &mut self,
        now: Instant,
        (server, connection): &(Id, u64),
        client: Ipv4Addr,
        inbox: &mut Inbox,
    ) -> Said {
        let hostname = self.hostname_of(server);
        let at = now.date(self.host.epoch);
        let hangs_up = Said { closes: true, ..Said::default() };
        let Some(container) = self.containers.get_mut(server) else { return hangs_up };
        let Some(Ports::Web(_, web)) = container.ports() else { return hangs_up };
        let web = *web;
        let ip = self.sandboxes.get(&container.pod_sandbox_id).and_then(|sandbox| sandbox.ip);
        let container = Rc::make_mut(container);
        container.unpack(&hostname, ip.unwrap_or(self.host.ip));
        let Container { image, files, log, .. } = container;
        let (image, connection) = (&*image.name, *connection);
        let site = Site { web, image, hostname: &hostname, files, client, connection, at };
        let said = site.serve(inbox);
        for (stream, text) in &said.log {
            log.write(now, *stream, text);
        }
        self.outbox.extend(container.tell_followers(now, false));
        self.outbox.extend(container.tell_attached(now));
        said
    }

    /// Nothing runs in a container any more: its connections are over.
    pub(super) fn disconnect(&mut self, at: Instant, server: &Id) {
        if self.forwards.is_empty() {
            return;
        }
        let outbox = &mut self.outbox;
        for Forward { call, connections, .. } in Rc::make_mut(&mut self.forwards) {
            let call = *call;
            connections.retain(|one| {
                let stays = one.server.0 != *server;
                if !stays {
                    let forwarded = Forwarded { connection: one.number, piece: Piece::End };
                    let forwarded = Rc::new(forwarded);
                    outbox.push(Outcome::Forwarded { call, at, forwarded });
                }
                stays
            });
        }
    }

    /// Answers what the programs of a container ask others of its pod; false if they ask nothing.
    pub(super) fn fetch(&mut self, now: Instant, (id, ip): (&Id, Ipv4Addr)) -> bool {
        let Some(container) = self.containers.get_mut(id) else { return false };
        if container.network.as_ref().is_none_or(|network| network.fetches.is_empty()) {
            return false;
        }
        let network = Rc::make_mut(container).network.get_or_insert_default();
        // Who has asked before has heard the answer by now.
        let mut fetches = std::mem::take(&mut Rc::make_mut(network).fetches);
        fetches.retain(|fetch| fetch.answer == Fetched::ToCome);
        for fetch in &mut fetches {
            let server = self.listener(ip, fetch.port).map(Rc::clone);
            fetch.answer = match server {
                Some(server) => {
                    let mut inbox = Inbox::default();
                    inbox.receive(fetch.request.as_bytes());
                    let server = self.accept(server);
                    Fetched::Bytes(self.serve(now, &server, fetch.client, &mut inbox).answer)
                }
                None => Fetched::Refused,
            };
        }
        let Some(container) = self.containers.get_mut(id) else { return false };
        let network = Rc::make_mut(container).network.get_or_insert_default();
        let network = Rc::make_mut(network);
        (network.asks, network.fetches) = (false, fetches);
        !network.fetches.is_empty()
    }
}

/// So long it takes until what listens in a pod has answered one of its programs.
pub const FETCH: Duration = Duration::from_micros(500);

impl Container {
    /// The ports that its process has open.
    pub fn ports(&self) -> Option<&Ports> {
        match &self.stage {
            Stage::Running { process, .. } => process.ports(),
            Stage::Created | Stage::Exited(_) => None,
        }
    }

    /// Puts its files there, if nothing has wanted to see them yet.
    pub fn unpack(&mut self, hostname: &str, ip: Ipv4Addr) {
        if self.files.is_empty() {
            self.files = rootfs::files(&self.image.entry, &self.config, hostname, ip);
        }
    }
}
