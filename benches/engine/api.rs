//! The API server with its store, and nothing around them: no links, no trace, no waiting.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant as Wall;

use podflow::testing::api::fields::FieldSelector;
use podflow::testing::api::request::{Params, Payload, Request, RequestId, Target, Verb};
use podflow::testing::api::{Kind, Object};
use podflow::testing::apiserver::{ApiServer, ConnectionId, EtcdServer, In, Out};
use podflow::testing::cluster::epoch;
use podflow::testing::sim::{Component, Ctx, Effect, Event, Instant, Rng};
use serde_json::{Value, json};

use crate::count;

/// Pods that are created, or read.
const PODS: u64 = 100_000;
/// Changes that watchers hear of.
const CHANGES: u64 = 20_000;

struct Api {
    server: ApiServer,
    store: EtcdServer,
    rng: Rng,
    requests: u64,
    /// What was answered and told since somebody asked.
    heard: u64,
}

enum Due {
    Server(Event<ApiServer>),
    Store(Event<EtcdServer>),
}

impl Api {
    fn new() -> Self {
        let (server, store) = (ApiServer::new(epoch(), 1), EtcdServer::default());
        let mut api = Self { server, store, rng: Rng::new(1), requests: 0, heard: 0 };
        api.run(Due::Server(Event::Started));
        api
    }

    /// Lets `first` happen, and all that follows from it but for timers.
    fn run(&mut self, first: Due) {
        let mut queue = VecDeque::from([first]);
        while let Some(due) = queue.pop_front() {
            match due {
                Due::Server(event) => {
                    for body in turn(&mut self.server, &mut self.rng, event) {
                        match body {
                            Out::Store(call) => queue.push_back(Due::Store(Event::Message(call))),
                            Out::Response { .. }
                            | Out::Watch { .. }
                            | Out::Kubelet { .. }
                            | Out::Tell { .. } => self.heard += 1,
                        }
                    }
                }
                Due::Store(event) => {
                    let said = turn(&mut self.store, &mut self.rng, event);
                    queue.extend(said.map(|it| Due::Server(Event::Message(In::Store(it)))));
                }
            }
        }
    }

    fn send(&mut self, verb: Verb, target: Target, params: Params, payload: Payload) {
        self.requests += 1;
        let id = RequestId(self.requests);
        let request = Rc::new(Request { id, verb, target, params, payload, caller: None });
        self.run(Due::Server(Event::Message(In::Request { from: ConnectionId(1), request })));
    }

    fn create(&mut self, payload: Payload) {
        let target = Target::collection(Kind::Pod, Some("default"));
        self.send(Verb::Create, target, Params::default(), payload);
    }

    /// How often a second `work` is done, which does it `times` times.
    fn rate(&mut self, times: u64, work: impl FnOnce(&mut Self)) -> f64 {
        let (before, begin) = (self.heard, Wall::now());
        work(self);
        assert!(self.heard - before >= times, "not all was answered");
        count(times) / begin.elapsed().as_secs_f64()
    }
}

/// What a component says to an event, at the beginning of time.
fn turn<C: Component>(
    component: &mut C,
    rng: &mut Rng,
    event: Event<C>,
) -> impl Iterator<Item = C::Out> + use<C> {
    let mut outbox = Vec::new();
    component.handle(&mut Ctx { now: Instant::ZERO, rng, outbox: &mut outbox }, event);
    outbox.into_iter().filter_map(|effect| match effect {
        Effect::Send { body, .. } => Some(body),
        Effect::Timer { .. } => None,
    })
}

fn pod(number: u64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("web-{number}"), "labels": {"app": "web", "tier": "front"}},
        "spec": {"containers": [{
            "name": "main", "image": "nginx:1.14.2", "ports": [{"containerPort": 80}],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        }]},
    })
}

/// What a component sends.
fn typed(kind: Kind, object: &Value) -> Payload {
    Object::from_json(kind, object).map_or(Payload::None, |read| Payload::Object(read.object))
}

/// Pods a second that a component creates.
pub fn creates() -> f64 {
    let pods: Vec<Payload> = (0..PODS).map(|number| typed(Kind::Pod, &pod(number))).collect();
    created(pods.into_iter())
}

/// Pods a second that come as the text of their JSON.
pub fn creates_of_json() -> f64 {
    let pods: Vec<String> = (0..PODS).map(|number| pod(number).to_string()).collect();
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
    created(pods.into_iter().map(|text| Payload::Json(Rc::new(read(text)))))
}

fn created(pods: impl Iterator<Item = Payload>) -> f64 {
    let mut api = Api::new();
    let rate = api.rate(PODS, |api| pods.for_each(|pod| api.create(pod)));
    assert_eq!(api.server.objects(Kind::Pod).count() as u64, PODS);
    rate
}

/// Pods a second that are asked for by name.
pub fn gets() -> f64 {
    let mut api = Api::new();
    (0..1000).for_each(|number| api.create(typed(Kind::Pod, &pod(number))));
    api.rate(PODS, |api| {
        for number in 0..PODS {
            let target = Target::named(Kind::Pod, "default", &format!("web-{}", number % 1000));
            api.send(Verb::Get, target, Params::default(), Payload::None);
        }
    })
}

/// Changes a second while each of so many watchers waits for one object of its own, of which the first
/// is the one that changes.
pub fn changes_heard(watchers: u64) -> f64 {
    let mut api = Api::new();
    for number in 0..watchers {
        let only = FieldSelector::parse(&format!("metadata.name=map-{number}")).ok();
        let params = Params { field_selector: only.map(Rc::new), ..Params::default() };
        let target = Target::collection(Kind::ConfigMap, Some("default"));
        api.send(Verb::Watch, target, params, Payload::None);
    }
    let map = |round: u64| {
        let map = json!({"metadata": {"name": "map-0"}, "data": {"round": round.to_string()}});
        typed(Kind::ConfigMap, &map)
    };
    let all = Target::collection(Kind::ConfigMap, Some("default"));
    api.send(Verb::Create, all, Params::default(), map(0));
    // Each is answered and told of.
    let rate = api.rate(2 * CHANGES, |api| {
        for round in 1..=CHANGES {
            let target = Target::named(Kind::ConfigMap, "default", "map-0");
            api.send(Verb::Update, target, Params::default(), map(round));
        }
    });
    rate / 2.0
}
