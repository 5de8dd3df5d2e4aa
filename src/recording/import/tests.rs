//! A cluster that was read somewhere, as `kubectl get -o yaml` prints it.

use serde_json::json;

use super::*;
use crate::api::Object;
use crate::api::decode::{self, Limits};

const CLUSTER: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata:
    name: alpha
    uid: 3b7c9e0a-0000-4000-8000-000000000001
    resourceVersion: "77"
    labels: {disk: ssd, kubernetes.io/hostname: alpha}
    managedFields: [{manager: kubelet, operation: Update, apiVersion: v1}]
  spec:
    podCIDR: 192.168.7.0/24
    taints: [{key: node.kubernetes.io/not-ready, effect: NoExecute}, {key: team, value: a, effect: NoSchedule}]
  status:
    capacity: {cpu: "2", memory: 4Gi, pods: "50"}
    allocatable: {cpu: "2", memory: 4Gi, pods: "50"}
    conditions: [{type: Ready, status: "False"}]
- apiVersion: v1
  kind: Namespace
  metadata: {name: shop, uid: u1}
- apiVersion: v1
  kind: Secret
  metadata:
    name: key
    namespace: shop
    annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"aHVudGVyMg=="}}'}
  type: kubernetes.io/basic-auth
  data: {password: aHVudGVyMg==}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {clusterIP: 172.20.0.9, clusterIPs: [172.20.0.9], selector: {app: web}, ports: [{port: 80}]}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: web, namespace: shop}
  spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
  status: {disruptionsAllowed: 3, currentHealthy: 4, desiredHealthy: 1, expectedPods: 4, observedGeneration: 1}
- apiVersion: storage.k8s.io/v1
  kind: CSIDriver
  metadata: {name: csi.example.com}
  spec: {storageCapacity: true}
- apiVersion: storage.k8s.io/v1
  kind: CSIStorageCapacity
  metadata: {name: room, namespace: shop}
  storageClassName: fast
  capacity: 3Gi
- apiVersion: storage.k8s.io/v1
  kind: VolumeAttachment
  metadata: {name: disk}
  spec: {attacher: csi.example.com, nodeName: alpha, source: {persistentVolumeName: disk}}
  status: {attached: true}
- apiVersion: node.k8s.io/v1
  kind: RuntimeClass
  metadata: {name: kata}
  handler: kata
  overhead: {podFixed: {cpu: 350m}}
- apiVersion: example.com/v1
  kind: Gadget
  metadata: {name: g}
- apiVersion: v1
  kind: Event
  metadata: {name: e, namespace: shop}
  involvedObject: {}
- apiVersion: v1
  kind: Pod
  metadata: {name: runs, namespace: shop, uid: u2, labels: {app: web}}
  spec:
    nodeName: alpha
    priority: 700
    priorityClassName: urgent
    runtimeClassName: gvisor
    overhead: {cpu: 250m}
    preemptionPolicy: PreemptLowerPriority
    serviceAccountName: shopkeeper
    tolerations: [{key: team, operator: Exists}]
    containers: [{name: c, image: nginx, resources: {requests: {cpu: 1500m}}}]
  status: {phase: Running, podIP: 192.168.7.4}
- apiVersion: v1
  kind: Pod
  metadata: {name: waits, namespace: shop}
  spec:
    runtimeClassName: kata
    overhead: {cpu: 300m}
    tolerations: [{key: team, operator: Exists}]
    containers: [{name: c, image: nginx, resources: {requests: {cpu: "1"}}}]
  status: {phase: Pending}
- apiVersion: v1
  kind: Pod
  metadata: {name: done, namespace: shop}
  spec: {containers: [{name: c, image: busybox}]}
  status: {phase: Succeeded}
- apiVersion: v1
  kind: Pod
  metadata: {name: lost, namespace: shop}
  spec: {nodeName: beta, containers: [{name: c, image: nginx}]}
"#;

fn read(yaml: &str) -> Vec<Document> {
    let manifests = decode::read(yaml, Limits::default());
    assert!(manifests.error.is_none(), "{:?}", manifests.error);
    manifests.documents
}

#[test]
fn a_cluster_comes_over_with_its_places_and_without_its_secrets() {
    let documents = read(CLUSTER);
    assert!(is_cluster(&documents));
    let import = Import::of(&documents).unwrap();
    let left_out = [("Gadget", 1), ("Pod (Succeeded)", 1), ("Pod (its node is not there)", 1)];
    let summary = Summary {
        nodes: 1,
        placed: 1,
        pending: 1,
        others: 8,
        secrets: 1,
        left_out: left_out.map(|(what, count)| (what.to_owned(), count)).to_vec(),
    };
    assert_eq!(import.summary, summary);
    let text = format!("{import:?}");
    assert!(!text.contains("aHVudGVyMg"), "{text}");

    let Imported { mut session, refused, refusals } = import.start(1);
    assert_eq!((refused, refusals), (Vec::<String>::new(), 0));
    session.run_for(Duration::from_secs(20));
    let object = |kind, name| {
        let object = session.cluster().object(kind, "shop", name);
        object.as_ref().map(Object::to_json).unwrap()
    };
    let runs = object(Kind::Pod, "runs");
    assert_eq!(
        (&runs["spec"]["nodeName"], &runs["status"]["phase"]),
        (&json!("alpha"), &json!("Running"))
    );
    assert_eq!(
        (&runs["spec"]["priority"], &runs["spec"]["serviceAccountName"]),
        (&json!(700), &json!("default"))
    );
    let waits = object(Kind::Pod, "waits");
    // Of a class that was left out its Pods tell; else it is the class that counts.
    for (pod, name, cpu) in [(&runs, "gvisor", "250m"), (&waits, "kata", "350m")] {
        let class = session.cluster().object(Kind::RuntimeClass, "", name).unwrap().to_json();
        assert_eq!(class["overhead"]["podFixed"], json!({"cpu": cpu}));
        assert_eq!(pod["spec"]["overhead"], json!({"cpu": cpu}));
    }
    let condition = &waits["status"]["conditions"][0]["message"];
    let words = "0/1 nodes are available: 1 Insufficient cpu.";
    assert!(condition.as_str().unwrap().starts_with(words), "{waits:#}");
    assert_eq!(object(Kind::Secret, "key")["data"], json!({"password": ""}));
    assert!(object(Kind::Service, "web")["spec"]["clusterIP"].as_str().unwrap().starts_with("10."));
    assert_eq!(object(Kind::PodDisruptionBudget, "web")["status"]["disruptionsAllowed"], 3);
    assert_eq!(object(Kind::CSIStorageCapacity, "room")["capacity"], "3Gi");
    let attachment = session.cluster().object(Kind::VolumeAttachment, "", "disk").unwrap();
    assert_eq!(attachment.to_json()["status"], json!({"attached": true}));
    let node = session.cluster().object(Kind::Node, "", "alpha").unwrap().to_json();
    let keys: Vec<&Value> =
        node["spec"]["taints"].as_array().unwrap().iter().map(|it| &it["key"]).collect();
    assert_eq!(keys, ["team"]);
    assert_eq!(node["metadata"]["labels"]["disk"], "ssd");
    // What was imported is in the recording, and so are the nodes.
    assert_eq!(session.recording().setup.nodes.len(), 1);
    assert!(session.recording().inputs.len() > 5);
}

#[test]
fn every_node_of_a_large_cluster_has_addresses_of_its_own() {
    let node = |number| json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": format!("n{number}")}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": (0..MOST_NODES).map(node).collect::<Vec<_>>()});
    let import = Import::of(&read(&list.to_string())).unwrap();
    let cidrs = |nodes: &[Node]| -> Vec<Option<String>> {
        nodes.iter().map(|node| node.spec.as_ref().unwrap().pod_cidr.clone()).collect()
    };
    assert_eq!(cidrs(&import.nodes), cidrs(&Setup::new(0, MOST_NODES).nodes));
}

#[test]
fn a_node_that_the_server_takes_from_nobody_is_told() {
    let node = |name| {
        json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
            "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "10"}},
        })
    };
    let list =
        json!({"apiVersion": "v1", "kind": "List", "items": [node("good"), node("No good")]});
    let imported = Import::of(&read(&list.to_string())).unwrap().start(1);
    assert_eq!(imported.refused, ["Node No good: the API server takes it from no kubelet"]);
    assert_eq!(imported.refusals, 1);
}

#[test]
fn manifests_that_somebody_wrote_are_no_cluster() {
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n";
    assert!(!is_cluster(&read(node)));
    assert!(!is_cluster(&read("apiVersion: v1\nkind: Pod\nmetadata: {name: n1, uid: u}\n")));
}

#[test]
fn what_is_refused_is_told_and_the_rest_is_there() {
    let broken = CLUSTER.replace("image: nginx, resources: {requests: {cpu: \"1\"}}", "image: ''");
    let Imported { session, refused, refusals } = Import::of(&read(&broken)).unwrap().start(1);
    assert_eq!(refusals, 1);
    let words = "POST /api/v1/namespaces/shop/pods: Pod \"waits\" is invalid: \
                 spec.containers[0].image: Required value";
    assert_eq!(refused, [words]);
    assert_eq!(session.cluster().objects(Kind::Pod).len(), 1);
}
