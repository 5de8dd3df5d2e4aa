//! Pods with claims: where they can go, what they wait for, and what the scheduler does about it.

use std::rc::Rc;
use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use podflow::testing::scheduler::Configuration;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(3);
/// Longer than any back-off.
const LATER: Duration = Duration::from_secs(15);
const PODS: &str = "/api/v1/namespaces/default/pods";
const CLAIMS: &str = "/api/v1/namespaces/default/persistentvolumeclaims";
const VOLUMES: &str = "/api/v1/persistentvolumes";
const CSI_NODES: &str = "/apis/storage.k8s.io/v1/csinodes";
const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";

/// A cluster of so many nodes, and a person who speaks to it.
struct World(Cluster);

impl World {
    fn of_nodes(count: usize) -> Self {
        let mut cluster = Cluster::new(&Setup::new(1, count));
        cluster.run_for(SOON);
        Self(cluster)
    }

    fn send(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let call = match method {
            "PATCH" => HttpCall::strategic_patch(path, body.clone()),
            _ => HttpCall::new(method, path, Some(body.clone())),
        };
        let id = self.0.submit(&call);
        self.0.run_for(SOON);
        let reply = self.0.reply(id).expect("an answer");
        assert!(reply.code < 300, "{method} {path}: {}", reply.body);
        serde_json::from_str(&reply.body).expect("JSON")
    }

    /// A pod that mounts something.
    fn pod(&mut self, name: &str, volume: &Value) {
        let mut volume = volume.clone();
        volume["name"] = "data".into();
        let container = json!({"name": "main", "image": "nginx"});
        let spec = json!({"containers": [container], "volumes": [volume]});
        self.send("POST", PODS, &json!({"metadata": {"name": name}, "spec": spec}));
    }

    fn claim(&mut self, name: &str, class: &str) {
        let spec = json!({
            "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "resources": {"requests": {"storage": "1Gi"}},
        });
        self.send("POST", CLAIMS, &json!({"metadata": {"name": name}, "spec": spec}));
    }

    fn class(&mut self, name: &str, provisioner: &str, mode: &str) {
        let class = json!({
            "metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode,
        });
        self.send("POST", CLASSES, &class);
    }

    /// A volume on one node that anybody can have.
    fn volume(&mut self, name: &str, class: &str, size: &str, node: &str) {
        let hostname = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [node]});
        let term = json!({"matchExpressions": [hostname]});
        let volume = json!({
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"],
                "storageClassName": class, "local": {"path": "/mnt"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
            },
        });
        self.send("POST", VOLUMES, &volume);
        let status = json!({"status": {"phase": "Available"}});
        self.send("PATCH", &format!("{VOLUMES}/{name}/status"), &status);
    }

    /// What the controller of volumes would do: the claim has the volume.
    fn bind(&mut self, claim: &str, volume: &str) {
        let bound = json!({"pv.kubernetes.io/bind-completed": "yes"});
        let patch = json!({"metadata": {"annotations": bound}, "spec": {"volumeName": volume}});
        self.send("PATCH", &format!("{CLAIMS}/{claim}"), &patch);
    }

    fn get(&self, kind: Kind, namespace: &str, name: &str) -> Value {
        self.0.object(kind, namespace, name).expect(name).to_json()
    }

    fn node_of(&self, pod: &str) -> Option<String> {
        let pod = self.get(Kind::Pod, "default", pod);
        pod["spec"]["nodeName"].as_str().map(str::to_owned)
    }

    /// Why a pod is not scheduled.
    fn why(&self, pod: &str) -> String {
        let pod = self.get(Kind::Pod, "default", pod);
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let scheduled = conditions.iter().find(|one| one["type"] == "PodScheduled");
        scheduled.and_then(|one| one["message"].as_str()).unwrap_or_default().to_owned()
    }
}

fn mounting(claim: &str) -> Value {
    json!({"persistentVolumeClaim": {"claimName": claim}})
}

#[test]
fn a_pod_says_which_claim_keeps_it_waiting() {
    let mut world = World::of_nodes(2);
    world.class("late", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
    world.claim("unbound", "");
    world.claim("no-class", "none-of-that-name");
    world.claim("unmatched", "late");
    world.claim("lost", "");
    let lost = json!({"status": {"phase": "Lost"}});
    world.send("PATCH", &format!("{CLAIMS}/lost/status"), &lost);
    world.bind("lost", "gone");
    world.claim("dangling", "");
    world.bind("dangling", "gone");
    let ephemeral = json!({"ephemeral": {"volumeClaimTemplate": {"spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }}}});
    for (name, volume, why) in [
        ("a", mounting("missing"), "persistentvolumeclaim \"missing\" not found"),
        ("b", mounting("unbound"), "pod has unbound immediate PersistentVolumeClaims"),
        ("c", mounting("no-class"), "pod has unbound immediate PersistentVolumeClaims"),
        ("d", mounting("unmatched"), "2 node(s) didn't find available persistent volumes to bind"),
        (
            "e",
            mounting("lost"),
            "persistentvolumeclaim \"lost\" bound to non-existent persistentvolume \"gone\"",
        ),
        ("f", mounting("dangling"), "persistentvolume \"gone\" not found"),
        (
            "g",
            ephemeral,
            "waiting for ephemeral volume controller to create the persistentvolumeclaim \"g-data\"",
        ),
    ] {
        world.pod(name, &volume);
        let want = format!("0/2 nodes are available: {why}. preemption: ");
        let got = world.why(name);
        assert!(got.starts_with(&want), "{name}: {got}");
    }
}

#[test]
fn a_pod_goes_where_the_volume_of_its_claim_is_once_it_has_one() {
    let mut world = World::of_nodes(3);
    world.volume("disk", "", "5Gi", "node-2");
    world.claim("data", "");
    world.pod("web", &mounting("data"));
    assert_eq!(world.node_of("web"), None);
    // A change of another claim is no reason to try again, one of its own is.
    let tried = |world: &World| world.0.scheduler().decisions("default", "web").len();
    let before = tried(&world);
    world.claim("other", "");
    world.0.run_for(LATER);
    assert_eq!(tried(&world), before);
    world.bind("data", "disk");
    world.0.run_for(LATER);
    assert_eq!(world.node_of("web").as_deref(), Some("node-2"));

    world.send("PATCH", "/api/v1/nodes/node-2", &json!({"spec": {"unschedulable": true}}));
    world.pod("next", &mounting("data"));
    let why = world.why("next");
    assert!(why.contains("2 node(s) didn't match PersistentVolume's node affinity"), "{why}");
}

#[test]
fn a_claim_gets_the_smallest_volume_that_will_do_before_its_pod_is_bound() {
    let mut world = World::of_nodes(3);
    world.class("late", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
    world.volume("small", "late", "500Mi", "node-1");
    world.volume("large", "late", "9Gi", "node-2");
    world.volume("right", "late", "2Gi", "node-2");
    world.claim("data", "late");
    world.pod("web", &mounting("data"));
    let volume = world.get(Kind::PersistentVolume, "", "right");
    assert_eq!(volume["spec"]["claimRef"]["name"], "data");
    assert_eq!(volume["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"], "yes");
    assert_eq!(world.node_of("web"), None, "its claim has no volume yet");
    // The volume is spoken for.
    world.claim("more", "late");
    world.pod("second", &mounting("more"));
    assert_eq!(world.get(Kind::PersistentVolume, "", "large")["spec"]["claimRef"]["name"], "more");

    world.bind("data", "right");
    assert_eq!(world.node_of("web").as_deref(), Some("node-2"));
    assert_eq!(world.node_of("second"), None);
}

#[test]
fn a_volume_is_asked_for_on_the_node_of_the_pod_and_waited_for_only_so_long() {
    let mut world = World::of_nodes(1);
    let source = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"pluginConfig": [
            {"name": "VolumeBinding", "args": {"bindTimeoutSeconds": 30}},
        ]}],
    });
    world.0.configure_scheduler(&Rc::new(Configuration::read(&source).unwrap()));
    world.class("made", "example.com/disks", "WaitForFirstConsumer");
    world.claim("data", "made");
    world.pod("web", &mounting("data"));
    let claim = world.get(Kind::PersistentVolumeClaim, "default", "data");
    assert_eq!(claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"], "node-1");
    assert_eq!((world.node_of("web"), world.why("web")), (None, String::new()));
    world.0.run_for(Duration::from_secs(35));
    let why =
        "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded";
    assert_eq!(world.why("web"), why);
    // It is tried again, and succeeds once somebody has made the volume.
    world.volume("disk", "made", "1Gi", "node-1");
    world.bind("data", "disk");
    world.0.run_for(LATER);
    assert_eq!(world.node_of("web").as_deref(), Some("node-1"));
}

#[test]
fn a_pod_for_which_no_volume_can_be_made_is_tried_elsewhere() {
    let mut world = World::of_nodes(2);
    world.class("made", "example.com/disks", "WaitForFirstConsumer");
    world.claim("data", "made");
    world.pod("web", &mounting("data"));
    let selected = |world: &World| {
        let claim = world.get(Kind::PersistentVolumeClaim, "default", "data");
        claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"].clone()
    };
    let first = selected(&world);
    let path = format!("/api/v1/nodes/{}", first.as_str().expect("a node"));
    world.send("PATCH", &path, &json!({"spec": {"unschedulable": true}}));
    // What a driver does that gives up.
    let none = json!({"metadata": {"annotations": {
        "volume.kubernetes.io/selected-node": null, "example.com/given-up": "yes",
    }}});
    world.send("PATCH", &format!("{CLAIMS}/data"), &none);
    let why = "running PreBind plugin \"VolumeBinding\": binding volumes: provisioning failed for PVC \
               \"data\"";
    assert_eq!(world.why("web"), why);
    world.0.run_for(LATER);
    let second = selected(&world);
    assert!(second.is_string() && second != first, "{second}");
    world.volume("disk", "made", "1Gi", second.as_str().expect("a node"));
    world.bind("data", "disk");
    world.0.run_for(LATER);
    assert_eq!(world.node_of("web").as_deref(), second.as_str());
}

#[test]
fn a_pod_that_goes_before_it_is_bound_is_forgotten() {
    let mut world = World::of_nodes(1);
    world.class("made", "example.com/disks", "WaitForFirstConsumer");
    world.claim("data", "made");
    world.pod("web", &mounting("data"));
    world.send("DELETE", &format!("{PODS}/web"), &json!({}));
    world.volume("disk", "made", "1Gi", "node-1");
    world.bind("data", "disk");
    world.0.run_for(LATER);
    let node = world.0.scheduler().cache().node("node-1").expect("the node");
    assert!(node.pods.is_empty());
}

#[test]
fn a_node_has_no_more_volumes_than_its_drivers_can_attach() {
    let mut world = World::of_nodes(2);
    let drivers = |count: u32| json!([{"name": "csi.example.com", "nodeID": "n", "allocatable": {"count": count}}]);
    for node in ["node-1", "node-2"] {
        let limits = json!({"metadata": {"name": node}, "spec": {"drivers": drivers(1)}});
        world.send("POST", CSI_NODES, &limits);
    }
    for name in ["one", "two", "three"] {
        let source = json!({"driver": "csi.example.com", "volumeHandle": name});
        let volume = json!({"metadata": {"name": name}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": source,
        }});
        world.send("POST", VOLUMES, &volume);
        world.claim(name, "");
        world.bind(name, name);
        world.pod(name, &mounting(name));
    }
    let nodes = [world.node_of("one"), world.node_of("two")];
    assert!(nodes.iter().all(Option::is_some) && nodes[0] != nodes[1], "{nodes:?}");
    let why = world.why("three");
    assert!(
        why.starts_with("0/2 nodes are available: 2 node(s) exceed max volume count."),
        "{why}"
    );
    // Who mounts what is there already takes no room, and a driver may find that it can attach more.
    world.pod("beside", &mounting("one"));
    assert_eq!(world.node_of("beside"), nodes[0]);
    let path = format!("{CSI_NODES}/node-2");
    world.send("PATCH", &path, &json!({"spec": {"drivers": drivers(2)}}));
    world.0.run_for(LATER);
    assert_eq!(world.node_of("three").as_deref(), Some("node-2"));
}

const DRIVERS: &str = "/apis/storage.k8s.io/v1/csidrivers";
const CAPACITIES: &str = "/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities";
const ATTACHMENTS: &str = "/apis/storage.k8s.io/v1/volumeattachments";

#[test]
fn a_volume_is_made_where_its_driver_tells_of_room() {
    let mut world = World::of_nodes(2);
    world.class("made", "csi.example.com", "WaitForFirstConsumer");
    let driver =
        json!({"metadata": {"name": "csi.example.com"}, "spec": {"storageCapacity": true}});
    world.send("POST", DRIVERS, &driver);
    world.claim("data", "made");
    world.pod("web", &mounting("data"));
    let why = world.why("web");
    let words = "0/2 nodes are available: 2 node(s) did not have enough free storage.";
    assert!(why.starts_with(words), "{why}");
    let room = |name: &str, node: &str, capacity: &str| {
        json!({
            "metadata": {"name": name}, "storageClassName": "made", "capacity": capacity,
            "nodeTopology": {"matchLabels": {"kubernetes.io/hostname": node}},
        })
    };
    world.send("POST", CAPACITIES, &room("small", "node-1", "1Mi"));
    world.0.run_for(LATER);
    assert_eq!(world.why("web"), why, "there is too little");
    world.send("PATCH", &format!("{CAPACITIES}/small"), &json!({"capacity": "2Gi"}));
    world.0.run_for(LATER);
    let claim = world.get(Kind::PersistentVolumeClaim, "default", "data");
    let selected = &claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"];
    assert_eq!(selected, "node-1");
    // Whoever looks at the pod is told where it will be, until it is there.
    let nominated = |world: &World| {
        world.get(Kind::Pod, "default", "web")["status"]["nominatedNodeName"].clone()
    };
    assert_eq!(nominated(&world), "node-1");
    world.volume("disk", "made", "1Gi", "node-1");
    world.bind("data", "disk");
    world.0.run_for(LATER);
    assert_eq!(world.node_of("web").as_deref(), Some("node-1"));
    assert_eq!(nominated(&world), Value::Null);
    // Of two nodes with room the one where more is left is the better one.
    world.send("POST", CAPACITIES, &room("large", "node-2", "100Gi"));
    world.claim("more", "made");
    world.pod("second", &mounting("more"));
    let claim = world.get(Kind::PersistentVolumeClaim, "default", "more");
    let selected = &claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"];
    assert_eq!(selected, "node-2");
}

#[test]
fn what_is_attached_takes_room_until_it_is_detached() {
    let mut world = World::of_nodes(1);
    let limits = json!({"metadata": {"name": "node-1"}, "spec": {"drivers": [
        {"name": "csi.example.com", "nodeID": "n", "allocatable": {"count": 1}},
    ]}});
    world.send("POST", CSI_NODES, &limits);
    for name in ["left", "new"] {
        let source = json!({"driver": "csi.example.com", "volumeHandle": name});
        let volume = json!({"metadata": {"name": name}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": source,
        }});
        world.send("POST", VOLUMES, &volume);
    }
    let attachment = json!({"metadata": {"name": "a"}, "spec": {
        "attacher": "csi.example.com", "nodeName": "node-1", "source": {"persistentVolumeName": "left"},
    }});
    let made = world.send("POST", ATTACHMENTS, &attachment);
    assert_eq!(made["status"], json!({"attached": false}));
    world.claim("new", "");
    world.bind("new", "new");
    world.pod("web", &mounting("new"));
    let why = world.why("web");
    assert!(
        why.starts_with("0/1 nodes are available: 1 node(s) exceed max volume count."),
        "{why}"
    );
    world.send("DELETE", &format!("{ATTACHMENTS}/a"), &json!({}));
    world.0.run_for(LATER);
    assert_eq!(world.node_of("web").as_deref(), Some("node-1"));
}

#[test]
fn a_pod_waits_for_a_driver_that_has_to_be_there() {
    let mut world = World::of_nodes(1);
    let driver = json!({
        "metadata": {"name": "csi.example.com"}, "spec": {"preventPodSchedulingIfMissing": true},
    });
    world.send("POST", DRIVERS, &driver);
    world.send(
        "POST",
        CSI_NODES,
        &json!({"metadata": {"name": "node-1"}, "spec": {"drivers": []}}),
    );
    world.class("made", "csi.example.com", "WaitForFirstConsumer");
    world.claim("data", "made");
    world.pod("web", &mounting("data"));
    let why = world.why("web");
    let words = "1 csi.example.com CSI driver is not installed on the node.";
    assert!(why.contains(words), "{why}");
    let drivers = json!({"spec": {"drivers": [{"name": "csi.example.com", "nodeID": "n"}]}});
    world.send("PATCH", &format!("{CSI_NODES}/node-1"), &drivers);
    world.0.run_for(LATER);
    assert!(world.get(Kind::Pod, "default", "web")["status"]["nominatedNodeName"] == "node-1");
}

#[test]
fn what_only_one_may_use_is_not_given_to_two() {
    let mut world = World::of_nodes(2);
    let spec = json!({
        "accessModes": ["ReadWriteOncePod"], "storageClassName": "",
        "resources": {"requests": {"storage": "1Gi"}},
    });
    world.send("POST", CLAIMS, &json!({"metadata": {"name": "alone"}, "spec": spec}));
    world.volume("disk", "", "1Gi", "node-1");
    world.bind("alone", "disk");
    world.pod("first", &mounting("alone"));
    world.pod("second", &mounting("alone"));
    let why = world.why("second");
    let words = "2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode \
                 already in-use by another pod";
    assert!(why.contains(words), "{why}");
    world.send("DELETE", &format!("{PODS}/first?gracePeriodSeconds=0"), &json!({}));
    world.0.run_for(LATER);
    assert_eq!(world.node_of("second").as_deref(), Some("node-1"));
}

#[test]
fn a_disk_is_written_by_one_pod_of_a_node() {
    let disk =
        |read_only: bool| json!({"gcePersistentDisk": {"pdName": "d", "readOnly": read_only}});
    let bucket = |id: &str| json!({"awsElasticBlockStore": {"volumeID": id}});
    let scsi = |read_only: bool| {
        json!({"iscsi": {
            "targetPortal": "10.0.0.1", "iqn": "iqn.2026-01.com.example:a", "lun": 0,
            "readOnly": read_only,
        }})
    };
    let ceph = |image: &str| json!({"rbd": {"monitors": ["a", "b"], "image": image}});
    for (first, second, together) in [
        (disk(true), disk(true), true),
        (disk(true), disk(false), false),
        (disk(false), bucket("d"), true),
        (bucket("a"), bucket("a"), false),
        (bucket("a"), bucket("b"), true),
        (scsi(true), scsi(true), true),
        (scsi(true), scsi(false), false),
        (ceph("a"), ceph("a"), false),
        (ceph("a"), ceph("b"), true),
    ] {
        let mut world = World::of_nodes(1);
        world.pod("first", &first);
        world.pod("second", &second);
        let why = world.why("second");
        assert_eq!(world.node_of("second").is_some(), together, "{first} {second}: {why}");
        assert_eq!(why.contains("1 node(s) had no available disk"), !together, "{why}");
    }
}

#[test]
fn a_pod_goes_to_the_zone_of_its_volume() {
    let mut world = World::of_nodes(3);
    let zone = |zone: &str| json!({"metadata": {"labels": {"topology.kubernetes.io/zone": zone}}});
    for (node, own) in [("node-1", "a"), ("node-2", "b"), ("node-3", "c")] {
        world.send("PATCH", &format!("/api/v1/nodes/{node}"), &zone(own));
    }
    let labels = json!({"failure-domain.beta.kubernetes.io/zone": "b__d"});
    let volume = json!({
        "metadata": {"name": "disk", "labels": labels},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
            "csi": {"driver": "example.com", "volumeHandle": "1"},
        },
    });
    world.send("POST", VOLUMES, &volume);
    world.claim("data", "");
    world.bind("data", "disk");
    world.pod("web", &mounting("data"));
    assert_eq!(world.node_of("web").as_deref(), Some("node-2"));
    world.send("PATCH", "/api/v1/nodes/node-2", &zone("c"));
    world.pod("next", &mounting("data"));
    let why = world.why("next");
    assert!(why.contains("3 node(s) had no available volume zone"), "{why}");
    world.send("PATCH", "/api/v1/nodes/node-2", &zone("d"));
    world.0.run_for(LATER);
    assert_eq!(world.node_of("next").as_deref(), Some("node-2"));
}
