//! The server and its store, driven by hand.

use std::rc::Rc;

use serde_json::{Value, json};

use super::server::{ApiServer, ConnectionId, In, Out, Timer};
use super::watch_cache::WatchCache;
use super::{EtcdOut, EtcdServer};
use crate::api::request::{
    Answer, Change, Params, Patch, PatchKind, Payload, Request, RequestId, Response, Subresource,
    Target, Verb, WatchEvent,
};
use crate::api::status::StatusError;
use crate::api::{Kind, Kinds, Object, route};
use crate::sim::{Component, Ctx, Effect, Event, Instant, Queue, Rng};

const ME: ConnectionId = ConnectionId(7);

enum Due {
    Server(Event<ApiServer>),
    Store(Event<EtcdServer>),
}

struct World {
    server: ApiServer,
    store: EtcdServer,
    queue: Queue<Due>,
    now: Instant,
    rng: Rng,
    next: u64,
    responses: Vec<Rc<Response>>,
    events: Vec<WatchEvent>,
}

impl World {
    fn new() -> Self {
        let mut queue = Queue::default();
        queue.push(Instant::ZERO, Due::Store(Event::Started));
        queue.push(Instant::ZERO, Due::Server(Event::Started));
        let mut world = Self {
            server: ApiServer::new(jiff::Timestamp::UNIX_EPOCH, 1),
            store: EtcdServer::default(),
            queue,
            now: Instant::ZERO,
            rng: Rng::new(1),
            next: 0,
            responses: Vec::new(),
            events: Vec::new(),
        };
        world.run();
        world
    }

    /// Lets a second pass.
    fn run(&mut self) {
        let until = self.now + std::time::Duration::from_secs(1);
        while self.queue.next_at().is_some_and(|at| at <= until) {
            let (at, due) = self.queue.pop().unwrap();
            self.now = at;
            match due {
                Due::Server(event) => self.server_turn(event),
                Due::Store(event) => self.store_turn(event),
            }
        }
        self.now = until;
    }

    fn server_turn(&mut self, event: Event<ApiServer>) {
        let mut outbox: Vec<Effect<Out, Timer>> = Vec::new();
        let mut ctx = Ctx { now: self.now, rng: &mut self.rng, outbox: &mut outbox };
        self.server.handle(&mut ctx, event);
        for effect in outbox {
            match effect {
                Effect::Send { after, body: Out::Store(call) } => {
                    self.queue.push(self.now + after, Due::Store(Event::Message(call)));
                }
                Effect::Send { body: Out::Response { response, .. }, .. } => {
                    self.responses.push(response);
                }
                Effect::Send { body: Out::Watch { event, .. }, .. } => self.events.push(event),
                // There are no kubelets here.
                Effect::Send { body: Out::Kubelet { .. } | Out::Tell { .. }, .. } => {}
                Effect::Timer { after, timer } => {
                    self.queue.push(self.now + after, Due::Server(Event::Timer(timer)));
                }
            }
        }
    }

    fn store_turn(&mut self, event: Event<EtcdServer>) {
        let mut outbox: Vec<Effect<EtcdOut, ()>> = Vec::new();
        let mut ctx = Ctx { now: self.now, rng: &mut self.rng, outbox: &mut outbox };
        self.store.handle(&mut ctx, event);
        for effect in outbox {
            let (after, due) = match effect {
                Effect::Send { after, body } => {
                    (after, Due::Server(Event::Message(In::Store(body))))
                }
                Effect::Timer { after, timer } => (after, Due::Store(Event::Timer(timer))),
            };
            self.queue.push(self.now + after, due);
        }
    }

    fn send(&mut self, verb: Verb, target: Target, params: Params, payload: Payload) -> RequestId {
        self.next += 1;
        let id = RequestId(self.next);
        let request = Rc::new(Request { id, verb, target, params, payload, caller: None });
        let message = In::Request { from: ME, request };
        self.queue.push(self.now, Due::Server(Event::Message(message)));
        id
    }

    fn answer(&mut self, id: RequestId) -> Result<Answer, Rc<StatusError>> {
        self.run();
        let found = self.responses.iter().find(|response| response.id == id);
        found.expect("an answer").result.clone()
    }

    fn http(
        &mut self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Rc<StatusError>> {
        let (verb, target, params) =
            route::parse(&Kinds::default(), method, path, "").map_err(Rc::new)?;
        let payload = body.map_or(Payload::None, |body| Payload::Json(Rc::new(body)));
        let id = self.send(verb, target, params, payload);
        self.answer(id)
    }

    /// The types of the events so far, with the names of their objects; forgets them.
    fn told(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        let name = |change: &Change| change.object().map_or("-".into(), |it| it.name().to_owned());
        events
            .iter()
            .map(|event| format!("{} {}", event.change.name(), name(&event.change)))
            .collect()
    }

    fn bind(&mut self, name: &str, node: &str) -> Result<Answer, Rc<StatusError>> {
        let target = Target::named(Kind::Pod, "default", name).part(Subresource::Binding);
        let payload = Payload::Binding { uid: None, node: node.into(), sent: None };
        let id = self.send(Verb::Create, target, Params::default(), payload);
        self.answer(id)
    }
}

const PODS: &str = "/api/v1/namespaces/default/pods";

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "nginx"}]},
    })
}

fn message(result: Result<Answer, Rc<StatusError>>) -> (u16, String) {
    let error = result.unwrap_err();
    (error.code, error.message.clone())
}

fn object(answer: Result<Answer, Rc<StatusError>>) -> Object {
    let (Answer::Object(object) | Answer::Created(object)) = answer.unwrap() else {
        panic!("an object")
    };
    object
}

#[test]
fn the_namespaces_are_there_from_the_beginning() {
    let world = World::new();
    let names: Vec<&str> = world.server.objects(Kind::Namespace).map(Object::name).collect();
    assert_eq!(names, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    assert!(world.server.revision() >= 5);
}

#[test]
fn a_pod_lives_from_create_to_delete() {
    let mut world = World::new();
    let made = object(world.http("POST", PODS, Some(pod("web"))));
    assert_eq!(object(world.http("GET", &format!("{PODS}/web"), None)), made);
    world.http("GET", &format!("{PODS}?watch=1"), None).unwrap();
    assert_eq!(world.told(), ["ADDED web"]);

    assert_eq!(world.bind("web", "node-1").unwrap(), Answer::Success { code: 201 });
    assert_eq!(
        message(world.bind("web", "node-2")),
        (
            409,
            "Operation cannot be fulfilled on pods/binding \"web\": pod web is already assigned to node \"node-1\""
                .into()
        )
    );
    let marked = object(world.http("DELETE", &format!("{PODS}/web"), None));
    assert_eq!(marked.meta().deletion_grace_period_seconds, Some(30));
    let sooner = json!({"kind": "DeleteOptions", "gracePeriodSeconds": 10});
    let marked = object(world.http("DELETE", &format!("{PODS}/web"), Some(sooner)));
    assert_eq!(marked.meta().deletion_grace_period_seconds, Some(10));
    assert_eq!(world.told(), ["MODIFIED web", "MODIFIED web", "MODIFIED web"]);

    let now = json!({"kind": "DeleteOptions", "gracePeriodSeconds": 0});
    world.http("DELETE", &format!("{PODS}/web"), Some(now)).unwrap();
    assert_eq!(world.told(), ["MODIFIED web", "DELETED web"]);
    assert_eq!(
        message(world.http("GET", &format!("{PODS}/web"), None)),
        (404, "pods \"web\" not found".into())
    );
}

#[test]
fn what_cannot_be_is_refused_in_upstreams_words() {
    let mut world = World::new();
    world.http("POST", PODS, Some(pod("web"))).unwrap();
    let mut old = object(world.http("GET", &format!("{PODS}/web"), None)).to_json();
    world.bind("web", "node-1").unwrap();
    let path = format!("{PODS}/web");
    let cases = [
        (world.http("POST", PODS, Some(pod("web"))), 409, "pods \"web\" already exists"),
        (
            world.http("POST", "/api/v1/namespaces/nowhere/pods", Some(pod("web"))),
            404,
            "namespaces \"nowhere\" not found",
        ),
        (
            world.http("PUT", &path, Some(old.clone())),
            409,
            "Operation cannot be fulfilled on pods \"web\": the object has been modified; please apply your changes to the latest version and try again",
        ),
        (
            world.http("POST", PODS, Some(old.clone())),
            500,
            "resourceVersion should not be set on objects to be created",
        ),
        (
            world.http("DELETE", "/api/v1/namespaces/default", None),
            403,
            "namespaces \"default\" is forbidden: this namespace may not be deleted",
        ),
        (
            world.http("GET", &format!("{PODS}?fieldSelector=spec.color%3Dred"), None),
            400,
            "field label not supported: spec.color",
        ),
    ];
    for (result, code, words) in cases {
        assert_eq!(message(result), (code, words.to_owned()));
    }
    old["metadata"]["name"] = "other".into();
    assert_eq!(
        message(world.http("PUT", &path, Some(old))),
        (400, "the name of the object (other) does not match the name on the URL (web)".into())
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let mut world = World::new();
    let bad = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "Web"}, "spec": {"containers": []},
    });
    let (code, words) = message(world.http("POST", PODS, Some(bad)));
    assert_eq!(code, 422);
    assert!(words.starts_with("Pod \"Web\" is invalid: [metadata.name: Invalid value"), "{words}");
    assert!(words.ends_with("spec.containers: Required value]"), "{words}");

    let mut pod = object(world.http("POST", PODS, Some(pod("web")))).to_json();
    pod["spec"]["containers"][0]["name"] = "other".into();
    let (code, words) = message(world.http("PUT", &format!("{PODS}/web"), Some(pod)));
    assert_eq!(code, 422);
    let forbidden = "Pod \"web\" is invalid: spec: Forbidden: pod updates may not change fields";
    assert!(words.starts_with(forbidden), "{words}");
}

#[test]
fn a_watch_tells_what_its_selectors_choose() {
    let mut world = World::new();
    world.http("GET", "/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dnode-1", None).unwrap();
    world.http("POST", PODS, Some(pod("web"))).unwrap();
    assert!(world.told().is_empty());
    world.bind("web", "node-1").unwrap();
    assert_eq!(world.told(), ["ADDED web"]);

    world.http("GET", &format!("{PODS}?watch=1&labelSelector=app%3Dweb"), None).unwrap();
    assert_eq!(world.told(), ["ADDED web"]);
    let target = Target::named(Kind::Pod, "default", "web");
    let patch = Rc::new(json!({"metadata": {"labels": {"app": "db"}}}));
    let kind = PatchKind::Merge;
    let payload = Payload::Patch(Patch::Json { kind, patch });
    let id = world.send(Verb::Patch, target, Params::default(), payload);
    world.answer(id).unwrap();
    assert_eq!(world.told(), ["MODIFIED web", "DELETED web"]);
}

#[test]
fn a_watch_of_one_namespace_hears_of_no_other() {
    let mut world = World::new();
    world.http("GET", "/api/v1/namespaces/kube-system/pods?watch=1", None).unwrap();
    world.http("POST", PODS, Some(pod("web"))).unwrap();
    assert!(world.told().is_empty());
}

#[test]
fn a_watch_goes_on_from_a_version() {
    let mut world = World::new();
    let first = object(world.http("POST", PODS, Some(pod("one")))).resource_version();
    world.http("POST", PODS, Some(pod("two"))).unwrap();
    world.http("GET", &format!("{PODS}?watch=1&resourceVersion={first}"), None).unwrap();
    assert_eq!(world.told(), ["ADDED two"]);
    let closed = In::Closed(ME);
    world.queue.push(world.now, Due::Server(Event::Message(closed)));
    world.run();
    assert_eq!(world.server.watchers(), 0);
}

#[test]
fn a_watch_can_begin_with_all_there_is_and_say_where_that_ends() {
    let mut world = World::new();
    let path = "/api/v1/namespaces/default/secrets";
    let create = |world: &mut World, name: &str| {
        let body = json!({"metadata": {"name": name}});
        world.http("POST", path, Some(body)).unwrap();
    };
    create(&mut world, "a");
    create(&mut world, "b");
    let from_all = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    world.http("GET", &format!("{path}?{from_all}&allowWatchBookmarks=true"), None).unwrap();
    world.run();
    let mark = world.events.last().unwrap().change.body();
    assert_eq!(mark["metadata"]["annotations"], json!({"k8s.io/initial-events-end": "true"}));
    assert_eq!(mark["kind"], "Secret");
    assert_eq!(world.told(), ["ADDED a", "ADDED b", "BOOKMARK -"]);
    create(&mut world, "c");
    assert_eq!(world.told(), ["ADDED c"]);

    // Nobody is told of a mark who has not asked for one.
    world.http("GET", &format!("{path}?{from_all}"), None).unwrap();
    world.run();
    assert_eq!(world.told(), ["ADDED a", "ADDED b", "ADDED c"]);
    let from_now = "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    world.http("GET", &format!("{path}?{from_now}"), None).unwrap();
    world.run();
    assert_eq!(world.told(), Vec::<String>::new());
    let error = world.http("GET", &format!("{path}?watch=1&sendInitialEvents=true"), None);
    assert_eq!(error.unwrap_err().code, 422);
}

#[test]
fn a_version_that_left_the_window_is_expired() {
    let mut world = World::new();
    let object = object(world.http("POST", PODS, Some(pod("web"))));
    let mut cache = WatchCache::new(Kind::Pod);
    let key: Rc<str> = "/registry/pods/default/web".into();
    for revision in 2..=10_003 {
        cache.apply(&key, Some(object.clone()), revision);
    }
    let since = |version| Rc::new(Params { resource_version: Some(version), ..Params::default() });
    let error =
        cache.watch((ME, RequestId(1)), Kind::Pod, "/registry/pods/", &since(1)).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (410, "too old resource version: 1 (3)"));
    assert_eq!(
        cache
            .watch((ME, RequestId(1)), Kind::Pod, "/registry/pods/", &since(10_001))
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_namespace_ends_once_it_is_empty() {
    let mut world = World::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    world.http("POST", "/api/v1/namespaces", Some(namespace)).unwrap();
    world.http("POST", "/api/v1/namespaces/shop/pods", Some(pod("waiting"))).unwrap();
    world.http("POST", "/api/v1/namespaces/shop/pods", Some(pod("bound"))).unwrap();
    let target = Target::named(Kind::Pod, "shop", "bound").part(Subresource::Binding);
    let payload = Payload::Binding { uid: None, node: "node-1".into(), sent: None };
    let id = world.send(Verb::Create, target, Params::default(), payload);
    world.answer(id).unwrap();

    let ending = object(world.http("DELETE", "/api/v1/namespaces/shop", None));
    assert_eq!(ending.to_json()["status"]["phase"], "Terminating");
    world.run();
    let left: Vec<&str> = world.server.objects(Kind::Pod).map(Object::name).collect();
    assert_eq!(left, ["bound"]);
    assert_eq!(
        message(world.http("POST", "/api/v1/namespaces/shop/pods", Some(pod("late")))),
        (
            403,
            "pods \"late\" is forbidden: unable to create new content in namespace shop because it is being terminated"
                .into()
        )
    );
    let now = json!({"kind": "DeleteOptions", "gracePeriodSeconds": 0});
    world.http("DELETE", "/api/v1/namespaces/shop/pods/bound", Some(now)).unwrap();
    world.run();
    assert!(world.server.object(Kind::Namespace, "", "shop").is_none());
}

#[test]
fn a_node_is_tainted_until_it_is_ready() {
    let mut world = World::new();
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}});
    let mut node = object(world.http("POST", "/api/v1/nodes", Some(node))).to_json();
    assert_eq!(node["spec"]["taints"][0]["key"], "node.kubernetes.io/not-ready");
    node["status"] = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    let ready = object(world.http("PUT", "/api/v1/nodes/node-1/status", Some(node)));
    assert_eq!(ready.to_json()["spec"]["taints"], Value::Null);
    let mut cordoned = ready.to_json();
    cordoned["spec"]["unschedulable"] = true.into();
    let cordoned = object(world.http("PUT", "/api/v1/nodes/node-1", Some(cordoned)));
    assert_eq!(cordoned.to_json()["spec"]["taints"][0]["key"], "node.kubernetes.io/unschedulable");
}

#[test]
fn the_server_says_what_it_is() {
    let mut world = World::new();
    let Answer::Document(version) = world.http("GET", "/version", None).unwrap() else {
        panic!("a document")
    };
    assert_eq!(version.body["gitVersion"], "v1.37.0");
    let Answer::Document(nothing) = world.http("GET", "/nothing", None).unwrap() else {
        panic!("a document")
    };
    assert_eq!(nothing.code, 404);
    assert_eq!(nothing.body["paths"][0], "/api");
}

#[test]
fn patches_of_all_forms_are_applied() {
    let mut world = World::new();
    world.http("POST", PODS, Some(pod("web"))).unwrap();
    let cases = [
        (PatchKind::Merge, json!({"metadata": {"labels": {"a": "1"}}})),
        (PatchKind::Json, json!([{"op": "add", "path": "/metadata/labels/b", "value": "2"}])),
        (
            PatchKind::Strategic,
            json!({"spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]}}),
        ),
    ];
    for (kind, patch) in cases {
        let target = Target::named(Kind::Pod, "default", "web");
        let payload = Payload::Patch(Patch::Json { kind, patch: Rc::new(patch) });
        let id = world.send(Verb::Patch, target, Params::default(), payload);
        world.answer(id).unwrap();
    }
    let pod = object(world.http("GET", &format!("{PODS}/web"), None)).to_json();
    assert_eq!(pod["metadata"]["labels"], json!({"app": "web", "a": "1", "b": "2"}));
    assert_eq!(pod["metadata"]["generation"], 2);
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["image"], "nginx:1.27");
    assert_eq!(container["imagePullPolicy"], "Always");
}

#[test]
fn a_list_in_pages_is_of_one_moment() {
    let mut world = World::new();
    for name in ["a", "b", "c", "e"] {
        world.http("POST", "/api/v1/namespaces/default/pods", Some(pod(name))).unwrap();
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/pods?limit=2".to_owned();
    let mut versions = Vec::new();
    loop {
        let Answer::List { items, resource_version, rest, .. } =
            world.http("GET", &path, None).unwrap()
        else {
            panic!("a list")
        };
        names.extend(items.iter().map(|object| object.name().to_owned()));
        versions.push(resource_version);
        let Some(rest) = rest else { break };
        assert_eq!(rest.count, Some(2));
        // What comes now is not of that moment.
        world.http("POST", "/api/v1/namespaces/default/pods", Some(pod("d"))).unwrap();
        path = format!("/api/v1/pods?limit=2&continue={}", rest.token);
    }
    assert_eq!(names, ["a", "b", "c", "e"]);
    assert_eq!(versions.first(), versions.last());
    let (code, words) = message(world.http("GET", "/api/v1/pods?continue=x", None));
    assert_eq!(code, 400);
    assert_eq!(
        words,
        "invalid continue token: continue key is not valid: illegal base64 data at input byte 1"
    );
}

#[test]
fn a_deployment_is_scaled_by_its_part() {
    let mut world = World::new();
    let template = json!({
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "a", "image": "nginx"}]},
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template},
    });
    let path = "/apis/apps/v1/namespaces/default/deployments";
    world.http("POST", path, Some(deployment)).unwrap();
    let scale = |world: &mut World, method: &str, body: Option<Value>| {
        let answer = world.http(method, &format!("{path}/d/scale"), body).unwrap();
        let Answer::Document(document) = answer else { panic!("a Scale") };
        document.body.clone()
    };
    let mut seen = scale(&mut world, "GET", None);
    assert_eq!(seen["kind"], "Scale");
    assert_eq!(seen["spec"]["replicas"], 1);
    assert_eq!(seen["status"]["selector"], "app=a");
    seen["spec"]["replicas"] = json!(3);
    assert_eq!(scale(&mut world, "PUT", Some(seen))["spec"]["replicas"], 3);
    let stored = object(world.http("GET", &format!("{path}/d"), None)).to_json();
    assert_eq!(stored["spec"]["replicas"], 3);
    assert_eq!(stored["metadata"]["generation"], 2);
}
