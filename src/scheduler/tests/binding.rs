//! What becomes of pods between their decision and their binding.

use super::*;
use crate::api::Document;
use crate::scheduler::framework::Snapshot;

fn object(kind: Kind, json: &Value) -> Object {
    Object::from_json(kind, json).unwrap().object
}

fn refused() -> Result<Answer, Rc<StatusError>> {
    Err(Rc::new(StatusError::bad_request("no")))
}

fn class(name: &str, provisioner: &str) -> Object {
    let json = json!({
        "metadata": {"name": name}, "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer",
    });
    object(Kind::StorageClass, &json)
}

fn claim(name: &str, class: &str) -> Object {
    let json = json!({
        "metadata": {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    });
    object(Kind::PersistentVolumeClaim, &json)
}

fn volume(version: &str) -> Object {
    let json = json!({
        "metadata": {"name": "disk", "resourceVersion": version},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
            "storageClassName": "late",
        },
        "status": {"phase": "Available"},
    });
    object(Kind::PersistentVolume, &json)
}

fn mounting(pod: &str, claims: &[&str]) -> Value {
    let mut pod = pod_json(pod, "1m");
    let volume = |claim| json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}});
    pod["spec"]["volumes"] = claims.iter().map(volume).collect();
    pod
}

impl World {
    /// With the classes `late`, for which there is the volume `disk`, and `made`.
    fn with_volumes(pods: &[Value], claims: &[Object]) -> Self {
        let mut documents = vec![class("late", "kubernetes.io/no-provisioner"), volume("1")];
        documents.push(class("made", "example.com/disks"));
        documents.extend(claims.iter().cloned());
        let mut world = Self::with_documents(&[node_json("node-1", "2")], pods, &documents);
        world.run(MOMENT);
        world
    }

    /// What was written of what was reserved, latest last.
    fn updates(&self) -> Vec<(Rc<Document>, RequestId)> {
        let updates = self.sent.iter().filter(|request| request.verb == Verb::Update);
        let documents = updates.filter_map(|request| {
            let Payload::Object(object) = &request.payload else { return None };
            Some((Rc::clone(object.document()?), request.id))
        });
        documents.collect()
    }

    fn updated(&self) -> Vec<String> {
        let name = |document: &Document| document.metadata.name.as_deref().unwrap().to_owned();
        self.updates().iter().map(|(document, _)| name(document)).collect()
    }

    /// Answers the update at `at`: it is stored as this version, and everybody hears of it if `told`.
    fn store(&mut self, at: usize, version: &str, told: bool) {
        let (document, id) = self.updates().swap_remove(at);
        let mut stored = (*document).clone();
        stored.metadata.resource_version = Some(version.into());
        let object = Object::Document(Rc::new(stored));
        self.answer(id, Ok(Answer::Object(object.clone())));
        if told {
            self.watch(document.kind(), Change::Modified { object, before: None });
        }
    }

    /// The claim to which the scheduler takes the volume to belong.
    fn owner(&self) -> Option<&str> {
        let volume = self.scheduler.cache().document(Kind::PersistentVolume, "", "disk").unwrap();
        Some(volume.at("spec").at("claimRef").at("name").text()).filter(|name| !name.is_empty())
    }

    fn selected(&self, claim: &str) -> bool {
        let cache = self.scheduler.cache();
        let claim = cache.document(Kind::PersistentVolumeClaim, "default", claim).unwrap();
        claim.metadata.annotations.is_some()
    }
}

#[test]
fn what_is_reserved_is_written_one_by_one_volumes_first() {
    let pods = [mounting("web", &["made", "given"])];
    let mut world = World::with_volumes(&pods, &[claim("given", "late"), claim("made", "made")]);
    assert_eq!(world.updated(), ["disk"]);
    assert_eq!((world.owner(), world.selected("made")), (Some("given"), true), "it is so at once");
    world.store(0, "5", true);
    assert_eq!(world.updated(), ["disk", "made"]);
    world.store(1, "6", true);
    world.run(Duration::from_secs(2));
    assert!(world.messages().is_empty(), "neither is bound");
}

#[test]
fn the_first_write_that_fails_is_the_last() {
    let pods = [mounting("web", &["made", "given"])];
    let mut world = World::with_volumes(&pods, &[claim("given", "late"), claim("made", "made")]);
    let id = world.updates()[0].1;
    world.answer(id, refused());
    assert_eq!(world.updated(), ["disk"]);
    assert_eq!(world.messages(), ["running PreBind plugin \"VolumeBinding\": no"]);
    assert_eq!((world.owner(), world.selected("made")), (None, false));
}

#[test]
fn what_others_have_reserved_of_a_later_version_stays() {
    let claims = [claim("first", "late"), claim("second", "late")];
    let mut world = World::with_volumes(&[mounting("web", &["first"])], &claims);
    let id = world.updates()[0].1;
    let object = volume("2");
    world.watch(Kind::PersistentVolume, Change::Modified { object, before: None });
    world.watch(Kind::Pod, Change::Added(pod(mounting("other", &["second"]))));
    world.run(MOMENT);
    assert_eq!((world.updated().len(), world.owner()), (2, Some("second")));
    world.answer(id, refused());
    assert_eq!(world.owner(), Some("second"));
}

#[test]
fn a_pod_that_goes_while_something_is_written_for_it_keeps_nothing() {
    let pods = [mounting("web", &["given"])];
    let mut world = World::with_volumes(&pods, &[claim("given", "late")]);
    assert_eq!(world.owner(), Some("given"));
    world.watch(Kind::Pod, Change::Deleted(pod(pods[0].clone())));
    let id = world.updates()[0].1;
    world.answer(id, refused());
    assert_eq!(world.owner(), None);
    assert_eq!(world.scheduler.pending().count(), 0);
}

#[test]
fn a_pod_that_goes_once_all_is_written_is_waited_for_no_more() {
    let pods = [mounting("web", &["made"])];
    let mut world = World::with_volumes(&pods, &[claim("made", "made")]);
    world.store(0, "5", true);
    world.run(Duration::from_secs(2));
    world.watch(Kind::Pod, Change::Deleted(pod(pods[0].clone())));
    world.run(Duration::from_secs(2));
    let words = "running PreBind plugin \"VolumeBinding\": binding volumes: pod does not exist any \
                 more: pod \"web\" not found";
    assert_eq!(world.messages(), [words]);
    assert_eq!(world.scheduler.pending().count(), 0);
}

#[test]
fn what_is_stored_decides_and_not_what_is_taken_to_be_so() {
    let pods = [mounting("web", &["made"])];
    let mut world = World::with_volumes(&pods, &[claim("made", "made")]);
    world.store(0, "5", false);
    world.run(Duration::from_secs(3));
    assert!(world.messages().is_empty(), "its own write is not heard of");
    // The driver has given up and takes the node away.
    let mut json = claim("made", "made").to_json();
    json["metadata"]["resourceVersion"] = json!("6");
    json["metadata"]["annotations"] = json!({"volume.kubernetes.io/storage-provisioner": "x"});
    let object = object(Kind::PersistentVolumeClaim, &json);
    world.watch(Kind::PersistentVolumeClaim, Change::Modified { object, before: None });
    world.watch(Kind::Pod, Change::Added(pod(mounting("other", &["made"]))));
    world.run(MOMENT);
    assert_eq!(world.updated(), ["made", "made"], "another pod chooses the node again");
    world.run(Duration::from_secs(1));
    let words = "running PreBind plugin \"VolumeBinding\": binding volumes: provisioning failed for \
                 PVC \"made\"";
    assert_eq!(world.messages(), [words]);
    world.run(Duration::from_secs(2));
    assert_eq!(world.updated().len(), 3, "it is tried anew");
}

#[test]
fn it_is_looked_once_a_second_however_many_wait() {
    let pods = [mounting("one", &["one"]), mounting("two", &["two"])];
    let mut world = World::with_volumes(&pods, &[claim("one", "made"), claim("two", "made")]);
    world.store(0, "5", false);
    world.watch(Kind::Pod, Change::Deleted(pod(pods[0].clone())));
    world.run(Duration::from_millis(1500));
    assert_eq!(world.messages().len(), 1, "the first waits no more");
    world.store(1, "6", false);
    world.run(Duration::from_secs(3));
    let timers = world.timers.iter().filter(|(_, timer)| *timer == Timer::PreBind);
    assert_eq!(timers.count(), 1);
}

#[test]
fn a_pod_whose_binding_failed_is_tried_again_as_it_is_by_then() {
    let mut world = World::new(&[node_json("node-1", "2")], &[pod_json("web", "1")]);
    world.run(MOMENT);
    let id = world.bindings()[0].2;
    let mut changed = pod_json("web", "1");
    changed["metadata"]["labels"] = json!({"app": "web"});
    changed["metadata"]["resourceVersion"] = json!("2");
    changed["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.watch(Kind::Pod, Change::Modified { object: pod(changed), before: None });
    world.answer(id, refused());
    let waiting = world.scheduler.pending().next().unwrap();
    assert_eq!(waiting.info.labels().unwrap()["app"], "web");
    world.run(Duration::from_secs(3));
    assert_eq!(world.bindings().len(), 1);
    assert!(world.scheduler.pending().next().is_none(), "it is going, and is left alone");
}

#[test]
fn a_pod_that_was_made_anew_hears_nothing_of_the_one_before() {
    let mut world = World::new(&[node_json("node-1", "2")], &[pod_json("web", "1")]);
    world.run(MOMENT);
    let id = world.bindings()[0].2;
    let mut anew = pod_json("web", "1");
    anew["metadata"]["uid"] = json!("anew");
    anew["status"] = json!({"nominatedNodeName": "node-1"});
    world.watch(Kind::Pod, Change::Deleted(pod(pod_json("web", "1"))));
    world.watch(Kind::Pod, Change::Added(pod(anew)));
    world.answer(id, refused());
    assert!(world.messages().is_empty());
    assert!(!world.sent.iter().any(|request| request.verb == Verb::Patch));
    assert!(world.scheduler.cache().promised_to("anew").is_some());
    world.run(MOMENT);
    assert_eq!(world.bindings().len(), 2, "no back-off");
}

#[test]
fn a_victim_that_is_not_bound_yet_keeps_its_node_if_the_others_cannot_be_told() {
    let sized = |mut pod: Value, node: Option<&str>| {
        pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("1");
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    let there = sized(pod_json("there", "1"), Some("node-1"));
    let slow = sized(mounting("slow", &["claim"]), None);
    for (is_told, waiting) in [(false, false), (true, true)] {
        let mut world =
            World::with_volumes(&[there.clone(), slow.clone()], &[claim("claim", "made")]);
        world.store(0, "5", true);
        let mut urgent = pod_json("web", "2");
        urgent["spec"]["priority"] = json!(1000);
        world.watch(Kind::Pod, Change::Added(pod(urgent)));
        world.run(MOMENT);
        assert_eq!(world.told().last().map(String::as_str), Some("PATCH there"));
        assert!(!world.scheduler.pending().any(|queued| *queued.info.uid == *"slow"));
        if is_told {
            world.answer_told(Ok(Answer::Success { code: 200 }));
            world.answer_told(Ok(Answer::Success { code: 200 }));
        } else {
            world.answer_told(refused());
        }
        let gave_up = world.scheduler.pending().any(|queued| *queued.info.uid == *"slow");
        assert_eq!(gave_up, waiting);
    }
}

#[test]
fn a_victim_that_is_not_bound_yet_is_tried_anew_instead_of_being_deleted() {
    let mut slow = mounting("slow", &["claim"]);
    slow["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("2");
    let mut world = World::with_volumes(&[slow], &[claim("claim", "made")]);
    world.store(0, "5", true);
    let mut urgent = pod_json("web", "2");
    urgent["spec"]["priority"] = json!(1000);
    world.watch(Kind::Pod, Change::Added(pod(urgent)));
    world.run(MOMENT);
    let deleted = world.sent.iter().any(|request| request.verb == Verb::Delete);
    assert!(!deleted, "it is wanted still");
    let told = [
        "running PreBind plugin \"VolumeBinding\": preempted by DefaultPreemption",
        "Preempted by pod web on node node-1 (in kube-scheduler memory).",
    ];
    assert_eq!(world.messages()[..2], told);
    let [(target, node, _)] = &world.bindings()[..] else { panic!("one is bound") };
    assert!(target.contains("/web/") && *node == "node-1", "{target}");
    let waiting: Vec<_> = world.scheduler.pending().map(|queued| &*queued.info.uid).collect();
    assert_eq!(waiting, ["slow"]);
}
