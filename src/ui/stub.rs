//! Stands in for the cluster: the same façade over one fixed story.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

use crate::api::request::{
    Answer, Change, Params, Payload, Request, RequestId, Response, Target, Verb, WatchEvent,
};
use crate::api::{Kind, Object, Pod};
use crate::sim::{Instant, Trace};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Address {
    You,
    ApiServer,
    Etcd,
    Scheduler,
    Kubelet(u32),
    Runtime(u32),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub id: u64,
    pub cause: Option<u64>,
    pub from: Address,
    pub to: Address,
    pub sent: Instant,
    pub arrives: Instant,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    Request(Rc<Request>),
    Response { request: Option<Rc<Request>>, response: Rc<Response> },
    Watch(WatchEvent),
    StoreCall(&'static str, Object),
    StoreOut(&'static str),
    CriRequest(&'static str),
    CriOutcome(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    Read,
    Write,
    Answer,
    Watch,
    Store,
    Cri,
    Error,
}

impl Body {
    pub fn kind(&self) -> BodyKind {
        match self {
            Self::Request(request) if request.method() == "GET" => BodyKind::Read,
            Self::Request(_) => BodyKind::Write,
            Self::Response { response, .. } if response.result.is_err() => BodyKind::Error,
            Self::Response { .. } => BodyKind::Answer,
            Self::Watch(_) => BodyKind::Watch,
            Self::StoreCall(..) | Self::StoreOut(_) => BodyKind::Store,
            Self::CriRequest(_) | Self::CriOutcome(_) => BodyKind::Cri,
        }
    }

    pub fn label(&self) -> String {
        match self {
            Self::Request(request) => format!("{} {}", request.method(), request.path()),
            Self::Response { .. } => "201 Created".into(),
            Self::Watch(event) => format!("{} pod", event.change.name()),
            Self::StoreCall(text, _)
            | Self::StoreOut(text)
            | Self::CriRequest(text)
            | Self::CriOutcome(text) => (*text).to_owned(),
        }
    }

    pub fn is_heartbeat(&self) -> bool {
        false
    }

    pub fn subject(&self) -> Option<(Kind, Rc<str>, Rc<str>)> {
        let object = match self {
            Self::Request(request) | Self::Response { request: Some(request), .. } => {
                match &request.payload {
                    Payload::Object(object) => object,
                    _ => {
                        return request.pod().map(|(ns, name)| (Kind::Pod, ns.into(), name.into()));
                    }
                }
            }
            Self::Watch(event) => event.change.object()?,
            Self::StoreCall(_, object) => object,
            _ => return None,
        };
        Some((object.kind(), object.namespace().into(), object.name().into()))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setup {
    pub seed: u64,
    pub nodes: Vec<core::Node>,
}

impl Setup {
    pub fn new(seed: u64, count: usize) -> Self {
        let node = |number: usize| {
            let value = json!({"metadata": {"name": format!("node-{number}")}, "status": {
                "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True"}]}});
            serde_json::from_value(value).unwrap_or_default()
        };
        Self { seed, nodes: (1..=count).map(node).collect() }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct HttpCall {
    pub method: Rc<str>,
    pub path: Rc<str>,
    pub content_type: Rc<str>,
    pub body: Option<Rc<Value>>,
}

impl HttpCall {
    pub fn new(method: &str, path: &str, body: Option<Value>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            content_type: "application/json".into(),
            body: body.map(Rc::new),
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Send(Message),
    Land(u64),
    Set(Pod),
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    now: Instant,
    names: Vec<Rc<str>>,
    nodes: Vec<Object>,
    pods: BTreeMap<String, Rc<Pod>>,
    queue: BTreeMap<(Instant, u64), Act>,
    order: u64,
    steps: u64,
    trace: Trace<Message>,
    flying: Vec<Rc<Message>>,
}

impl Cluster {
    pub fn new(setup: &Setup) -> Self {
        let name = |node: &core::Node| node.metadata.name.clone().unwrap_or_default().into();
        Self {
            now: Instant::ZERO,
            names: setup.nodes.iter().map(name).collect(),
            nodes: setup.nodes.iter().map(|node| Object::Node(Rc::new(node.clone()))).collect(),
            pods: BTreeMap::new(),
            queue: BTreeMap::new(),
            order: 0,
            steps: 0,
            trace: Trace::new(10_000),
            flying: Vec::new(),
        }
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    pub fn next_at(&self) -> Option<Instant> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    pub fn step(&mut self) -> bool {
        let Some(((at, _), act)) = self.queue.pop_first() else { return false };
        self.now = at;
        self.steps += 1;
        match act {
            Act::Send(mut message) => {
                message.id = self.trace.end();
                message.cause = message.id.checked_sub(1);
                let message = Rc::new(message);
                self.trace.push(Rc::clone(&message));
                self.push(message.arrives, Act::Land(message.id));
                self.flying.push(message);
            }
            Act::Land(id) => self.flying.retain(|message| message.id != id),
            Act::Set(pod) => {
                self.pods.insert(pod.key().1.to_owned(), Rc::new(pod));
            }
        }
        true
    }

    fn push(&mut self, at: Instant, act: Act) {
        self.order += 1;
        self.queue.insert((at, self.order), act);
    }

    pub fn skip_to(&mut self, until: Instant) {
        let limit = self.next_at().map_or(until, |next| next.min(until));
        self.now = self.now.max(limit);
    }

    pub fn trace(&self) -> &Trace<Message> {
        &self.trace
    }

    pub fn in_flight(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.flying.iter()
    }

    pub fn objects(&self, kind: Kind) -> Vec<Object> {
        match kind {
            Kind::Pod => self.pods.values().map(|pod| Object::Pod(Rc::clone(pod))).collect(),
            Kind::Node => self.nodes.clone(),
            Kind::Namespace | Kind::Event | Kind::Lease => Vec::new(),
        }
    }

    pub fn revision(&self) -> u64 {
        self.steps + 40
    }

    pub fn node_names(&self) -> impl Iterator<Item = &Rc<str>> {
        self.names.iter()
    }

    fn submit(&mut self, call: &HttpCall) -> RequestId {
        use Address::{ApiServer, Etcd, Kubelet, Runtime, Scheduler, You};
        let body = call.body.as_deref().cloned().unwrap_or_default();
        let pod: core::Pod = serde_json::from_value(body).unwrap_or_default();
        let mut pod = Pod::from(pod);
        pod.metadata.namespace = Some("default".into());
        let status = |phase: &str| {
            Rc::new(core::PodStatus { phase: Some(phase.into()), ..Default::default() })
        };
        pod.status = status("Pending");
        let object = || Object::Pod(Rc::new(pod.clone()));
        let request = |verb, target, payload| {
            let params = Params::default();
            Rc::new(Request { id: RequestId(1), verb, target, params, payload })
        };
        let create = request(
            Verb::Create,
            Target::collection(Kind::Pod, Some("default")),
            Payload::Object(object()),
        );
        let name = pod.key().1.to_owned();
        let bind = request(
            Verb::Create,
            Target::named(Kind::Pod, "default", &name)
                .part(crate::api::request::Subresource::Binding),
            Payload::Binding { uid: None, node: "node-2".into() },
        );
        let patch = request(
            Verb::Patch,
            Target::named(Kind::Pod, "default", &name)
                .part(crate::api::request::Subresource::Status),
            Payload::None,
        );
        let answer = |request: &Rc<Request>| Body::Response {
            request: Some(Rc::clone(request)),
            response: Rc::new(Response { id: RequestId(1), result: Ok(Answer::Created(object())) }),
        };
        let watch = |change| Body::Watch(WatchEvent { watch: RequestId(9), change });
        let mut bound = pod.clone();
        bound.node_name = Some("node-2".into());
        let mut running = bound.clone();
        running.status = status("Running");
        let modified = Change::Modified {
            object: Object::Pod(Rc::new(bound.clone())),
            before: Some(object()),
        };
        let store = |what| Body::StoreCall(what, object());
        let mut at = self.now;
        let mut say = |cluster: &mut Self, from, to, body| {
            let arrives = at + Duration::from_micros(400);
            let message = Message { id: 0, cause: None, from, to, sent: at, arrives, body };
            cluster.push(at, Act::Send(message));
            at = arrives + Duration::from_micros(900);
            at
        };
        say(self, You, ApiServer, Body::Request(Rc::clone(&create)));
        say(self, ApiServer, Etcd, store("create /registry/pods/default"));
        let then = say(self, Etcd, ApiServer, Body::StoreOut("rev 58"));
        self.push(then, Act::Set(pod.clone()));
        say(self, ApiServer, You, answer(&create));
        say(self, ApiServer, Scheduler, watch(Change::Added(object())));
        say(self, Scheduler, ApiServer, Body::Request(Rc::clone(&bind)));
        say(self, ApiServer, Etcd, store("update /registry/pods/default"));
        let then = say(self, Etcd, ApiServer, Body::StoreOut("rev 60"));
        self.push(then, Act::Set(bound));
        say(self, ApiServer, Kubelet(1), watch(modified));
        for call in ["RunPodSandbox", "PullImage", "CreateContainer", "StartContainer"] {
            say(self, Kubelet(1), Runtime(1), Body::CriRequest(call));
            say(self, Runtime(1), Kubelet(1), Body::CriOutcome(call));
        }
        let then = say(self, Kubelet(1), ApiServer, Body::Request(Rc::clone(&patch)));
        self.push(then, Act::Set(running));
        RequestId(1)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Input {
    pub at: Instant,
    pub after: u64,
    pub call: HttpCall,
}

#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub setup: Setup,
    pub inputs: Vec<Input>,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    recording: Recording,
    cluster: Cluster,
    played: usize,
    horizon: Instant,
}

impl Session {
    pub fn new(setup: Setup) -> Self {
        let cluster = Cluster::new(&setup);
        let recording = Recording { setup, inputs: Vec::new() };
        Self { recording, cluster, played: 0, horizon: Instant::ZERO }
    }
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
    pub fn recording(&self) -> &Recording {
        &self.recording
    }
    pub fn now(&self) -> Instant {
        self.cluster.now()
    }
    pub fn horizon(&self) -> Instant {
        self.horizon
    }
    pub fn next_at(&self) -> Option<Instant> {
        let input = self.due().map(|input| input.at);
        input.into_iter().chain(self.cluster.next_at()).min()
    }
    pub fn submit(&mut self, call: HttpCall) -> RequestId {
        self.recording.inputs.truncate(self.played);
        let (at, after) = (self.now(), self.cluster.steps);
        let id = self.cluster.submit(&call);
        self.recording.inputs.push(Input { at, after, call });
        self.played += 1;
        id
    }
    fn due(&self) -> Option<&Input> {
        let input = self.recording.inputs.get(self.played)?;
        (input.after <= self.cluster.steps).then_some(input)
    }
    pub fn step(&mut self) -> bool {
        if let Some(input) = self.due().cloned() {
            self.cluster.skip_to(input.at);
            self.cluster.submit(&input.call);
            self.played += 1;
            return true;
        }
        let stepped = self.cluster.step();
        self.horizon = self.horizon.max(self.now());
        stepped
    }
    pub fn run_until(&mut self, until: Instant) {
        while self.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.rest_until(until);
    }
    pub fn rest_until(&mut self, until: Instant) {
        self.cluster.skip_to(until);
        self.horizon = self.horizon.max(self.now());
    }
    pub fn seek(&mut self, to: Instant) {
        if to < self.now() {
            self.cluster = Cluster::new(&self.recording.setup);
            self.played = 0;
        }
        self.run_until(to);
    }
}
