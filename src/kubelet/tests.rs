//! A kubelet and a runtime in a world that says yes.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{In, Kubelet, Out, Timer};
use crate::api::request::{
    Answer, Change, Patch, Payload, Request, RequestId, Response, Target, Verb, WatchEvent,
};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Kind, Object, Pod, seconds, wire};
use crate::client::Incoming;
use crate::runtime::{Catalogue, CriRequest, Host, Runtime, Timing};
use crate::sim::{Component, Ctx, Effect, Event, Instant, Queue, Rng};

const HOP: Duration = Duration::from_millis(1);

enum Due {
    Api(Request),
    Heard(In),
    Timer(Timer),
    Runtime,
}

/// A node, and a server that holds its pods and agrees to everything.
struct World {
    kubelet: Kubelet,
    runtime: Runtime,
    now: Instant,
    rng: Rng,
    queue: Queue<Due>,
    pods: BTreeMap<String, Rc<Pod>>,
    watch: Option<RequestId>,
    version: u64,
    /// What was asked of the server and what happened, in order, without heartbeats.
    log: Vec<String>,
    calls: Vec<&'static str>,
    leases: usize,
    reports: usize,
}

fn epoch() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

impl World {
    fn new(catalogue: Catalogue) -> Self {
        let node: crate::api::wire::Node = serde_json::from_value(json!({
            "metadata": {"name": "node-1"},
            "spec": {"podCIDR": "10.244.0.0/24"},
            "status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
        }))
        .unwrap();
        let ip = Ipv4Addr::new(192, 168, 0, 2);
        let host =
            Host { hostname: "node-1".into(), ip, epoch: epoch(), timing: Timing::default() };
        let mut world = Self {
            kubelet: Kubelet::new(node, ip, epoch()),
            runtime: Runtime::new(host, Rc::new(catalogue)),
            now: Instant::ZERO,
            rng: Rng::new(7),
            queue: Queue::default(),
            pods: BTreeMap::new(),
            watch: None,
            version: 1,
            log: Vec::new(),
            calls: Vec::new(),
            leases: 0,
            reports: 0,
        };
        world.kubelet_handles(Event::Started);
        world.run_for(1);
        world.log.clear();
        world
    }

    fn kubelet_handles(&mut self, event: Event<Kubelet>) {
        let mut outbox = Vec::new();
        let mut ctx = Ctx { now: self.now, rng: &mut self.rng, outbox: &mut outbox };
        self.kubelet.handle(&mut ctx, event);
        for effect in outbox {
            match effect {
                Effect::Timer { after, timer } => {
                    self.queue.push(self.now + after, Due::Timer(timer));
                }
                Effect::Send { after, body: Out::Api(request) } => {
                    self.queue.push(self.now + after + HOP, Due::Api(Request::clone(&request)));
                }
                // Nobody asks here.
                Effect::Send { body: Out::Answer(_) | Out::Told(_), .. } => {}
                Effect::Send { body: Out::Cri { call, request }, .. } => {
                    if !matches!(request, CriRequest::ContainerStatus { .. }) {
                        self.calls.push(request.name());
                    }
                    self.runtime.handle(self.now, &mut self.rng, call, request);
                    self.wake();
                }
            }
        }
    }

    fn wake(&mut self) {
        if let Some(at) = self.runtime.next_wakeup() {
            self.queue.push(at.max(self.now), Due::Runtime);
        }
    }

    fn run_for(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.queue.next_at().is_some_and(|at| at <= end) {
            let (at, due) = self.queue.pop().unwrap();
            self.now = at;
            match due {
                Due::Api(request) => self.serve(request),
                Due::Heard(heard) => self.kubelet_handles(Event::Message(heard)),
                Due::Timer(timer) => self.kubelet_handles(Event::Timer(timer)),
                Due::Runtime => {
                    for outcome in self.runtime.advance(at) {
                        self.queue.push(at + HOP, Due::Heard(In::Cri(outcome)));
                    }
                    self.wake();
                }
            }
        }
        self.now = end;
    }

    fn say(&mut self, incoming: Incoming) {
        self.queue.push(self.now + HOP, Due::Heard(In::Api(incoming)));
    }

    fn change(&mut self, change: Change) {
        let watch = self.watch.unwrap();
        self.say(Incoming::Watch(WatchEvent { watch, change }));
    }

    fn put(&mut self, mut pod: Pod) -> Object {
        self.version += 1;
        pod.metadata.resource_version = Some(self.version.to_string().into());
        let name = pod.metadata.name.as_deref().unwrap().to_owned();
        let pod = Rc::new(pod);
        let before = self.pods.insert(name, Rc::clone(&pod)).map(Object::Pod);
        let object = Object::Pod(pod);
        self.change(match before {
            None => Change::Added(object.clone()),
            before => Change::Modified { object: object.clone(), before },
        });
        object
    }

    fn create(&mut self, spec: &Value) -> String {
        let uid = format!("uid-{}", self.version);
        let pod: wire::Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "default", "uid": uid, "generation": 1},
            "spec": spec,
        }))
        .unwrap();
        let mut pod = Pod::from(pod);
        pod.node_name = Some("node-1".into());
        self.put(pod);
        uid
    }

    fn delete(&mut self, grace: i64) {
        let mut pod = Pod::clone(&self.pods["web"]);
        pod.metadata.deletion_timestamp = Some(seconds(epoch()));
        pod.metadata.deletion_grace_period_seconds = Some(grace);
        self.put(pod);
    }

    fn drop_pod(&mut self, name: &str) {
        if let Some(pod) = self.pods.remove(name) {
            self.change(Change::Deleted(Object::Pod(pod)));
        }
    }

    fn serve(&mut self, request: Request) {
        let Target::Resource { kind, name, .. } = request.target.clone() else { panic!() };
        let name = name.as_deref().unwrap_or_default().to_owned();
        let result = match (request.verb, kind, request.payload) {
            (Verb::List, Kind::Pod, _) => {
                Ok(Answer::List { kind, items: [].into(), resource_version: 1, rest: None })
            }
            (Verb::Watch, Kind::Pod, _) => {
                self.watch = Some(request.id);
                Ok(Answer::Watching)
            }
            (Verb::Create, Kind::Event, Payload::Object(Object::Event(event))) => {
                self.tell(&event);
                Ok(Answer::Created(Object::Event(event)))
            }
            (Verb::Patch, Kind::Event, Payload::Patch(Patch::Event(event))) => {
                self.tell(&event);
                Ok(Answer::Object(Object::Event(event)))
            }
            (Verb::Create | Verb::Update, Kind::Lease, Payload::Object(object)) => {
                self.leases += 1;
                Ok(Answer::Object(object))
            }
            (Verb::Create, Kind::Node, Payload::Object(object)) => Ok(Answer::Created(object)),
            (Verb::Patch, Kind::Node, Payload::Patch(_)) => {
                self.reports += 1;
                Ok(Answer::Success { code: 200 })
            }
            (Verb::Patch, Kind::Pod, Payload::Patch(Patch::PodStatus { new, .. })) => {
                match self.pods.get(&name) {
                    Some(pod) => {
                        let mut pod = Pod::clone(pod);
                        pod.status = new;
                        self.log.push(summary(&pod));
                        Ok(Answer::Object(self.put(pod)))
                    }
                    None => Err(not_found(&name)),
                }
            }
            (Verb::Delete, Kind::Pod, Payload::Precondition { uid }) => {
                let pod = Rc::clone(&self.pods[&name]);
                assert_eq!(uid.as_deref(), pod.metadata.uid.as_deref());
                assert_eq!(request.params.grace_period_seconds, Some(0));
                self.log.push("DELETE".into());
                self.drop_pod(&name);
                Ok(Answer::Object(Object::Pod(pod)))
            }
            (Verb::Get, Kind::Lease, _) => Err(not_found(&name)),
            (verb, kind, payload) => panic!("{verb:?} {kind:?} {payload:?}"),
        };
        let response = Rc::new(Response::new(request.id, result));
        self.say(Incoming::Response(response));
    }

    fn tell(&mut self, event: &wire::Event) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let path = text(&event.involved_object.field_path);
        self.log.push(format!("{}: {} {path}", text(&event.reason), text(&event.message)));
    }

    fn pod(&self) -> Value {
        serde_json::to_value(self.pods["web"].to_wire()).unwrap()
    }

    /// The log's lines that begin with one of `words`.
    fn lines(&self, words: &[&str]) -> Vec<&str> {
        let lines = self.log.iter().map(String::as_str);
        lines.filter(|line| words.iter().any(|word| line.starts_with(word))).collect()
    }
}

fn not_found(name: &str) -> Rc<StatusError> {
    Rc::new(StatusError::not_found(GroupResource::new("", "pods"), name))
}

/// A pod's status in one line: phase, whether it is ready, and its first container.
fn summary(pod: &Pod) -> String {
    let status = &pod.status;
    let ready = status.conditions.iter().flatten().nth(2);
    let containers = status
        .init_container_statuses
        .iter()
        .flatten()
        .chain(status.container_statuses.iter().flatten());
    let containers: Vec<String> = containers
        .map(|one| {
            let state = one.state.clone().unwrap_or_default();
            let reason = |reason: Option<String>| reason.unwrap_or_default();
            let state = if let Some(waiting) = state.waiting {
                reason(waiting.reason)
            } else if let Some(ended) = state.terminated {
                format!("{} {}", reason(ended.reason), ended.exit_code)
            } else {
                "running".into()
            };
            format!("{} {state} #{}", one.name, one.restart_count)
        })
        .collect();
    let ready = ready.map_or("?", |one| one.status.as_str());
    let phase = status.phase.as_deref().unwrap_or_default();
    format!("STATUS {phase}, ready {ready}: {}", containers.join(", "))
}

fn web(image: &str, args: &[&str]) -> Value {
    json!({"containers": [{"name": "web", "image": image, "args": args}]})
}

#[test]
fn a_pod_is_created_pulled_started_and_reported() {
    let mut world = World::new(Catalogue::well_known());
    world.create(&web("nginx:1.27", &[]));
    world.run_for(20);
    let pulled = world.log.remove(2);
    assert!(pulled.starts_with("Pulled: Successfully pulled image \"nginx:1.27\" in "), "{pulled}");
    assert!(pulled.ends_with(" bytes. spec.containers{web}"), "{pulled}");
    assert_eq!(
        world.log,
        [
            "STATUS Pending, ready False: web ContainerCreating #0",
            "Pulling: Pulling image \"nginx:1.27\" spec.containers{web}",
            "Created: Container created spec.containers{web}",
            "Started: Container started spec.containers{web}",
            "STATUS Running, ready True: web running #0",
        ]
    );
    let pod = world.pod();
    assert_eq!(pod["status"]["podIP"], "10.244.0.2");
    assert_eq!(pod["status"]["hostIPs"], json!([{"ip": "192.168.0.2"}]));
    assert_eq!(pod["status"]["observedGeneration"], 1);
    let kinds: Vec<&Value> = pod["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|condition| &condition["type"])
        .collect();
    assert_eq!(
        kinds,
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
    );
    let container = &pod["status"]["containerStatuses"][0];
    assert_eq!(container["image"], "docker.io/library/nginx:1.27");
    assert!(container["containerID"].as_str().unwrap().starts_with("containerd://"));
    assert_eq!(world.kubelet.workers().next().unwrap().1, "waiting for a change");
    assert_eq!(world.reports, 1, "the node's status names the image");
}

#[test]
fn a_container_that_keeps_failing_backs_off_for_longer_and_longer() {
    let mut world = World::new(Catalogue::scripted("missing"));
    let uid = world.create(&web("app:1", &["fake-exit=1", "fake-after=1s"]));
    world.run_for(60);
    assert_eq!(
        world.lines(&["STATUS"])[..9],
        [
            "STATUS Pending, ready False: web ContainerCreating #0",
            "STATUS Running, ready True: web running #0",
            "STATUS Running, ready False: web Error 1 #0",
            "STATUS Running, ready True: web running #1",
            "STATUS Running, ready False: web Error 1 #1",
            "STATUS Running, ready False: web CrashLoopBackOff #1",
            "STATUS Running, ready True: web running #2",
            "STATUS Running, ready False: web Error 1 #2",
            "STATUS Running, ready False: web CrashLoopBackOff #2",
        ]
    );
    let said = format!(
        "BackOff: Back-off restarting failed container web in pod web_default({uid}) \
         spec.containers{{web}}"
    );
    assert_eq!(world.lines(&["BackOff"])[0], said);
    world.run_for(3000);
    let waiting = world.pod()["status"]["containerStatuses"][0]["state"].to_string();
    assert!(waiting.contains("back-off 5m0s restarting failed container=web"), "{waiting}");
}

#[test]
fn a_deleted_pod_has_its_time_to_stop_and_then_goes_for_good() {
    let mut world = World::new(Catalogue::scripted("missing"));
    world.create(&web("app:1", &["fake-stop-delay=2s"]));
    world.run_for(20);
    world.log.clear();
    world.calls.clear();
    world.delete(30);
    world.run_for(1);
    assert_eq!(world.log, ["Killing: Stopping container web spec.containers{web}"]);
    world.run_for(20);
    assert_eq!(world.log[1..], ["STATUS Succeeded, ready False: web Completed 0 #0", "DELETE"]);
    assert_eq!(world.calls, ["StopContainer", "StopPodSandbox", "RemovePodSandbox"]);
    assert_eq!(world.kubelet.workers().count(), 0);
}

#[test]
fn a_pod_that_will_not_stop_is_killed() {
    let mut world = World::new(Catalogue::scripted("missing"));
    world.create(&web("app:1", &["fake-stop-delay=60s"]));
    world.run_for(20);
    world.log.clear();
    world.delete(3);
    world.run_for(5);
    assert_eq!(world.log[1..], ["STATUS Failed, ready False: web Error 137 #0", "DELETE"]);
}

#[test]
fn a_pod_that_is_removed_by_force_is_cleaned_up() {
    let mut world = World::new(Catalogue::scripted("missing"));
    world.create(&web("app:1", &["fake-stop-delay=60s"]));
    world.run_for(20);
    world.log.clear();
    let mut pod = Pod::clone(&world.pods["web"]);
    pod.metadata.deletion_grace_period_seconds = Some(0);
    world.pods.insert("web".into(), Rc::new(pod));
    world.drop_pod("web");
    world.run_for(5);
    assert_eq!(world.log, ["Killing: Stopping container web spec.containers{web}"]);
    assert_eq!(world.calls.last(), Some(&"RemovePodSandbox"));
    assert_eq!(world.kubelet.workers().count(), 0);
}

#[test]
fn a_pod_that_was_not_started_yet_goes_as_well() {
    let mut world = World::new(Catalogue::well_known());
    world.create(&web("nginx:1.27", &[]));
    world.run_for(1);
    world.delete(30);
    world.run_for(5);
    assert_eq!(world.log.last().unwrap(), "DELETE");
    assert_eq!(world.kubelet.workers().count(), 0);
}

#[test]
fn an_image_that_is_not_there_is_tried_again_with_back_off() {
    let mut world = World::new(Catalogue::scripted("missing"));
    world.create(&web("missing:1", &[]));
    world.run_for(30);
    assert_eq!(
        world.lines(&["STATUS"]),
        [
            "STATUS Pending, ready False: web ContainerCreating #0",
            "STATUS Pending, ready False: web ErrImagePull #0",
            "STATUS Pending, ready False: web ImagePullBackOff #0",
            "STATUS Pending, ready False: web ErrImagePull #0",
        ]
    );
    let events = world.lines(&["Pulling", "Failed: Error", "BackOff"]);
    assert_eq!(
        events[..5],
        [
            "Pulling: Pulling image \"missing:1\" spec.containers{web}",
            "Failed: Error: ErrImagePull spec.containers{web}",
            "BackOff: Back-off pulling image \"missing:1\" spec.containers{web}",
            "Failed: Error: ImagePullBackOff spec.containers{web}",
            "Pulling: Pulling image \"missing:1\" spec.containers{web}",
        ]
    );
}

#[test]
fn a_pod_that_need_not_run_again_succeeds_or_fails() {
    for (policy, exit, want) in [
        ("Never", "fake-exit=0", "STATUS Succeeded, ready False: web Completed 0 #0"),
        ("Never", "fake-exit=2", "STATUS Failed, ready False: web Error 2 #0"),
        ("OnFailure", "fake-exit=0", "STATUS Succeeded, ready False: web Completed 0 #0"),
    ] {
        let mut world = World::new(Catalogue::scripted("missing"));
        let mut spec = web("app:1", &[exit, "fake-after=2s"]);
        spec["restartPolicy"] = policy.into();
        world.create(&spec);
        world.run_for(30);
        assert_eq!(world.lines(&["STATUS"])[2], want);
        let conditions = world.pod()["status"]["conditions"].clone();
        assert_eq!(conditions[0]["status"], "False", "the sandbox has stopped");
        world.delete(30);
        world.run_for(2);
        assert_eq!(world.log.last().unwrap(), "DELETE");
        assert_eq!(world.kubelet.workers().count(), 0);
    }
}

#[test]
fn a_pod_that_is_active_for_too_long_fails() {
    let mut world = World::new(Catalogue::scripted("missing"));
    let mut spec = web("app:1", &[]);
    spec["activeDeadlineSeconds"] = 5.into();
    world.create(&spec);
    world.run_for(4);
    assert_eq!(
        world.lines(&["STATUS"]).last(),
        Some(&"STATUS Running, ready True: web running #0")
    );
    world.run_for(6);
    assert_eq!(world.pod()["status"]["reason"], "DeadlineExceeded");
    let said = "DeadlineExceeded: Pod was active on the node longer than the specified deadline ";
    assert_eq!(world.lines(&["DeadlineExceeded", "Killing"])[0], said);
    assert_eq!(world.log.last().unwrap(), "STATUS Failed, ready False: web Completed 0 #0");
}

#[test]
fn init_containers_run_in_order_before_the_others() {
    let mut world = World::new(Catalogue::scripted("missing"));
    let mut spec = web("app:1", &[]);
    let step = |name: &str| json!({"name": name, "image": "app:1", "args": ["fake-exit=0", "fake-after=1s"]});
    spec["initContainers"] = json!([step("one"), step("two")]);
    world.create(&spec);
    world.run_for(20);
    assert_eq!(
        world.lines(&["STATUS"]),
        [
            "STATUS Pending, ready False: one PodInitializing #0, two PodInitializing #0, web PodInitializing #0",
            "STATUS Pending, ready False: one running #0, two PodInitializing #0, web PodInitializing #0",
            "STATUS Pending, ready False: one Completed 0 #0, two PodInitializing #0, web PodInitializing #0",
            "STATUS Pending, ready False: one Completed 0 #0, two running #0, web PodInitializing #0",
            "STATUS Pending, ready False: one Completed 0 #0, two Completed 0 #0, web PodInitializing #0",
            "STATUS Running, ready True: one Completed 0 #0, two Completed 0 #0, web running #0",
        ]
    );
}

#[test]
fn the_lease_is_renewed_and_the_node_reported_now_and_then() {
    let mut world = World::new(Catalogue::well_known());
    world.run_for(620);
    assert_eq!(world.leases, 63);
    assert_eq!(world.reports, 2);
}
