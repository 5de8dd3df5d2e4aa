//! `pods/resize`: other resources for a Pod that runs.

use std::time::Duration;

use podflow::testing::api::request::Subresource;
use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn send(cluster: &mut Cluster, call: &HttpCall) -> (u16, Value) {
    let id = cluster.submit(call);
    cluster.run_for(Duration::from_secs(5));
    let reply = cluster.reply(id).expect("an answer");
    (reply.code, serde_json::from_str(&reply.body).unwrap_or_default())
}

/// A cluster of one node with four CPUs, where these Pods run.
fn cluster(pods: &[(&str, Value)]) -> Cluster {
    seeded(1, pods)
}

fn seeded(seed: u64, pods: &[(&str, Value)]) -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(seed, 1));
    cluster.run_for(Duration::from_secs(5));
    for (name, spec) in pods {
        let pod = json!({"metadata": {"name": name}, "spec": spec});
        let (code, _) = send(&mut cluster, &HttpCall::new("POST", PODS, Some(pod)));
        assert_eq!(code, 201);
    }
    cluster.run_for(Duration::from_mins(1));
    cluster
}

/// A container called `c` that asks for so much.
fn asks(cpu: &str, memory: &str) -> Value {
    let requests = json!({"cpu": cpu, "memory": memory});
    json!({
        "name": "c", "image": "busybox", "command": ["sh", "-c", "sleep 9999"],
        "resources": {"requests": requests, "limits": {"memory": "1Gi"}},
    })
}

fn one(container: &Value) -> Value {
    json!({"containers": [container], "terminationGracePeriodSeconds": 1})
}

fn resize(cluster: &mut Cluster, pod: &str, requests: &Value) -> (u16, Value) {
    let container = json!({"name": "c", "resources": {"requests": requests}});
    let patch = json!({"spec": {"containers": [container]}});
    send(cluster, &HttpCall::strategic_patch(&format!("{PODS}/{pod}/resize"), patch))
}

fn pod(cluster: &Cluster, name: &str) -> Value {
    cluster.object(Kind::Pod, "default", name).expect("a Pod").to_json()
}

fn status(cluster: &Cluster, name: &str) -> Value {
    pod(cluster, name)["status"]["containerStatuses"][0].clone()
}

/// The conditions about resizes: types, reasons, messages and generations.
fn conditions(cluster: &Cluster, name: &str) -> Vec<String> {
    let pod = pod(cluster, name);
    let all = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = all.iter().filter(|one| text(&one["type"]).starts_with("PodResize"));
    let words = own.map(|one| {
        let words = [&one["type"], &one["status"], &one["reason"], &one["message"]].map(text);
        format!("{} @{}", words.join(" "), one["observedGeneration"])
    });
    words.collect()
}

fn events(cluster: &Cluster, reason: &str) -> Vec<String> {
    let all = cluster.objects(Kind::Event).into_iter().map(|event| event.to_json());
    let own = all.filter(|event| event["reason"] == *reason);
    own.map(|event| event["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_container_gets_other_resources_while_it_runs() {
    let mut cluster = cluster(&[("p", one(&asks("1", "100Mi")))]);
    let watch = cluster.submit(&HttpCall::get(&format!("{PODS}?watch=true")));
    let before = status(&cluster, "p");
    assert_eq!(before["resources"]["requests"]["cpu"], "1");
    let (code, answer) = resize(&mut cluster, "p", &json!({"cpu": "2", "memory": "200Mi"}));
    assert_eq!((code, &answer["metadata"]["generation"]), (200, &json!(2)));
    let after = status(&cluster, "p");
    assert_eq!(after["allocatedResources"], json!({"cpu": "2", "memory": "200Mi"}));
    assert_eq!(after["resources"]["requests"], json!({"cpu": "2", "memory": "200Mi"}));
    assert_eq!(
        (&after["containerID"], &after["restartCount"]),
        (&before["containerID"], &json!(0))
    );
    assert_eq!(conditions(&cluster, "p"), [] as [String; 0]);
    let what = r#"{"containers":[{"name":"c","resources":{"limits":{"memory":"1Gi"},"requests":{"cpu":"2","memory":"200Mi"}}}],"generation":2}"#;
    assert_eq!(events(&cluster, "ResizeStarted"), [format!("Pod resize started: {what}")]);
    assert_eq!(events(&cluster, "ResizeCompleted"), [format!("Pod resize completed: {what}")]);
    assert!(cluster.log().contains("UpdateContainerResources"));
    let told: Vec<String> = cluster.lines(watch, 0).collect();
    let under_way = told.iter().filter(|line| line.contains("\"PodResizeInProgress\"")).count();
    assert!(under_way > 0 && under_way < told.len(), "{under_way} of {}", told.len());
    let (code, got) = send(&mut cluster, &HttpCall::get(&format!("{PODS}/p/resize")));
    assert_eq!(
        (code, &got["spec"]["containers"][0]["resources"]["requests"]["cpu"]),
        (200, &json!("2"))
    );
}

#[test]
fn a_resize_waits_until_there_is_room_and_holds_it_for_the_scheduler() {
    let pods = [("p", one(&asks("1", "1Gi"))), ("q", one(&asks("2", "1Gi")))];
    let mut cluster = cluster(&pods);
    assert_eq!(resize(&mut cluster, "p", &json!({"cpu": "3"})).0, 200);
    let why = "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000";
    let want = format!("PodResizePending True Deferred {why} @2");
    assert_eq!(conditions(&cluster, "p"), [want]);
    assert_eq!(status(&cluster, "p")["allocatedResources"]["cpu"], "1");
    let [event] = &events(&cluster, "ResizeDeferred")[..] else { panic!("one event") };
    assert!(event.starts_with("Pod resize Deferred: {\"containers\":[{\"name\":\"c\","), "{event}");
    assert!(event.ends_with(&format!("\"generation\":2,\"error\":\"{why}\"}}")), "{event}");
    // What is asked for counts, though the node has one CPU that nobody has yet.
    let third = json!({"metadata": {"name": "r"}, "spec": one(&asks("1", "1Gi"))});
    send(&mut cluster, &HttpCall::new("POST", PODS, Some(third)));
    assert_eq!(pod(&cluster, "r")["spec"]["nodeName"], Value::Null);
    send(&mut cluster, &HttpCall::new("DELETE", &format!("{PODS}/q"), None));
    cluster.run_for(Duration::from_secs(10));
    assert_eq!(conditions(&cluster, "p"), [] as [String; 0]);
    assert_eq!(status(&cluster, "p")["allocatedResources"]["cpu"], "3");
    cluster.run_for(Duration::from_secs(30));
    assert_eq!(pod(&cluster, "r")["spec"]["nodeName"], "node-1");
}

#[test]
fn of_those_that_wait_the_most_important_comes_first() {
    for seed in 1..5 {
        let mut cluster = seeded(seed, &[]);
        let class = json!({"metadata": {"name": "high"}, "value": 1000});
        let path = "/apis/scheduling.k8s.io/v1/priorityclasses";
        assert_eq!(send(&mut cluster, &HttpCall::new("POST", path, Some(class))).0, 201);
        for (name, cpu, class) in [("low", "1", ""), ("high", "1", "high"), ("goes", "1500m", "")] {
            let mut spec = one(&asks(cpu, "1Gi"));
            spec["priorityClassName"] = class.into();
            let pod = json!({"metadata": {"name": name}, "spec": spec});
            send(&mut cluster, &HttpCall::new("POST", PODS, Some(pod)));
        }
        for name in ["low", "high"] {
            assert_eq!(resize(&mut cluster, name, &json!({"cpu": "2500m"})).0, 200);
            assert_eq!(status(&cluster, name)["allocatedResources"]["cpu"], "1");
        }
        send(&mut cluster, &HttpCall::new("DELETE", &format!("{PODS}/goes"), None));
        cluster.run_for(Duration::from_secs(10));
        let given =
            ["low", "high"].map(|name| status(&cluster, name)["allocatedResources"]["cpu"].clone());
        assert_eq!(given, ["1", "2500m"]);
    }
}

#[test]
fn the_scheduler_counts_what_a_container_has_until_it_has_less() {
    let mut first = asks("3", "1Gi");
    first["command"] = json!(["sh", "-c", "trap '' TERM; sleep 9999"]);
    first["resizePolicy"] = json!([{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]);
    let mut spec = one(&first);
    spec["terminationGracePeriodSeconds"] = 60.into();
    let mut cluster = cluster(&[("p", spec)]);
    assert_eq!(resize(&mut cluster, "p", &json!({"cpu": "1"})).0, 200);
    assert_eq!(conditions(&cluster, "p"), ["PodResizeInProgress True   @2"]);
    let second = json!({"metadata": {"name": "q"}, "spec": one(&asks("3", "1Gi"))});
    send(&mut cluster, &HttpCall::new("POST", PODS, Some(second)));
    assert_eq!(pod(&cluster, "q")["spec"]["nodeName"], Value::Null);
    // It is killed after a minute, and starts again with less.
    cluster.run_for(Duration::from_mins(2));
    let now = status(&cluster, "p");
    assert_eq!(
        (&now["restartCount"], &now["resources"]["requests"]["cpu"]),
        (&json!(1), &json!("1"))
    );
    assert_eq!(events(&cluster, "Killing"), ["Container c resize requires restart"]);
    assert_eq!(conditions(&cluster, "p"), [] as [String; 0]);
    assert_eq!(pod(&cluster, "q")["spec"]["nodeName"], "node-1");
}

#[test]
fn only_as_much_can_be_asked_for_as_may_be() {
    let mut cluster = cluster(&[("p", one(&asks("1", "1Gi")))]);
    let refused = |cluster: &mut Cluster, change: &Value| {
        let patch = json!({"spec": {"containers": [change]}});
        let call = HttpCall::strategic_patch(&format!("{PODS}/p/resize"), patch);
        let (code, status) = send(cluster, &call);
        (code, status["message"].as_str().unwrap_or_default().to_owned())
    };
    let invalid = |why: &str| (422, format!("Pod \"p\" is invalid: {why}"));
    let of = |requests: Value| json!({"name": "c", "resources": {"requests": requests}});
    for (change, want) in [
        (
            of(json!({"cpu": "5", "memory": "1Gi"})),
            (
                403,
                "pods \"p\" is forbidden: Node didn't have enough allocatable resources: cpu, \
                 requested: 5000, allocatable: 4000"
                    .to_owned(),
            ),
        ),
        (
            of(json!({"cpu": null})),
            invalid(
                "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
            ),
        ),
        (
            json!({"name": "c", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}),
            invalid(
                "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing",
            ),
        ),
        (
            of(json!({"ephemeral-storage": "1Gi"})),
            invalid("spec: Forbidden: only cpu and memory resources are mutable"),
        ),
        (
            json!({"name": "d", "image": "busybox"}),
            invalid("spec.containers: Forbidden: containers may not be added or removed on resize"),
        ),
    ] {
        assert_eq!(refused(&mut cluster, &change), want, "{change}");
    }
    // What is no resource is left as it is, and a Pod is updated as before.
    let other = json!({"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "500m"}}});
    assert_eq!(refused(&mut cluster, &other), (200, String::new()));
    let p = pod(&cluster, "p");
    assert_eq!(p["spec"]["containers"][0]["image"], "busybox");
    assert_eq!(p["spec"]["containers"][0]["resources"]["requests"]["cpu"], "500m");
    let patch = json!({"spec": {"containers": [of(json!({"cpu": "2"}))]}});
    let (code, _) = send(&mut cluster, &HttpCall::strategic_patch(&format!("{PODS}/p"), patch));
    assert_eq!(code, 422);
}

#[test]
fn the_namespace_has_a_say() {
    let mut cluster = cluster(&[("p", one(&asks("1", "1Gi")))]);
    let base = "/api/v1/namespaces/default";
    for (kind, spec) in [
        ("resourcequotas", json!({"hard": {"requests.cpu": "2"}})),
        ("limitranges", json!({"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]})),
    ] {
        let object = json!({"metadata": {"name": "most"}, "spec": spec});
        let call = HttpCall::new("POST", &format!("{base}/{kind}"), Some(object));
        assert_eq!(send(&mut cluster, &call).0, 201);
    }
    let message = |(code, status): (u16, Value)| {
        (code, status["message"].as_str().unwrap_or_default().to_owned())
    };
    let got = message(resize(&mut cluster, "p", &json!({"cpu": "3"})));
    let why = "pods \"p\" is forbidden: exceeded quota: most, requested: requests.cpu=2, used: \
               requests.cpu=1, limited: requests.cpu=2";
    assert_eq!(got, (403, why.to_owned()));
    let limits = json!({"name": "c", "resources": {"limits": {"memory": "2Gi"}}});
    let patch = json!({"spec": {"containers": [limits]}});
    let got = send(&mut cluster, &HttpCall::strategic_patch(&format!("{PODS}/p/resize"), patch));
    let why =
        "pods \"p\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi";
    assert_eq!(message(got), (403, why.to_owned()));
    assert_eq!(resize(&mut cluster, "p", &json!({"cpu": "2"})).0, 200);
}

/// What is wrong with a Pod of which a part becomes `new`.
fn wrong(old: &Value, new: &Value, part: Subresource) -> Vec<String> {
    let read = |pod: &Value| Object::from_json(Kind::Pod, pod).expect("a Pod").object;
    let errors = read(new).validate_update(&read(old), Some(part), Kind::Pod);
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn some_pods_and_some_containers_are_never_resized() {
    let container = |name: &str, cpu: &str| json!({"name": name, "image": "i", "resources": {"requests": {"cpu": cpu}}});
    let mut sidecar = container("s", "1");
    sidecar["restartPolicy"] = "Always".into();
    let inits = [container("i", "1"), sidecar];
    let plain = json!({
        "metadata": {"name": "p", "namespace": "default", "resourceVersion": "1"},
        "spec": {"initContainers": inits, "containers": [container("c", "1")]},
        "status": {"qosClass": "Burstable"},
    });
    let with = |path: &str, value: Value| {
        let mut pod = plain.clone();
        let (parent, field) = path.rsplit_once('/').expect("a path");
        pod.pointer_mut(parent).expect("a parent")[field] = value;
        pod
    };
    let mirror = json!({"kubernetes.io/config.mirror": "x"});
    let running = json!([{"name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}}]);
    let (requests, cpu) = ("/spec/containers/0/resources/requests", json!({"cpu": "2"}));
    for (old, new, want) in [
        (plain.clone(), with(requests, cpu.clone()), ""),
        (plain.clone(), with("/spec/initContainers/1/resources/requests", cpu.clone()), ""),
        (
            with("/spec/resources", json!({"requests": {"cpu": "2"}})),
            with("/spec/resources", json!({"requests": {"cpu": "3"}})),
            "[]: Forbidden: resize of pods with pod-level resources is forbidden when \
             InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled",
        ),
        (
            with("/metadata/annotations", mirror.clone()),
            with("/metadata/annotations", mirror.clone()),
            "[]: Forbidden: static pods cannot be resized",
        ),
        (
            with("/spec/os", json!({"name": "windows"})),
            with("/spec/os", json!({"name": "windows"})),
            "[]: Forbidden: windows pods cannot be resized",
        ),
        (
            with("/status/containerStatuses", running),
            with(requests, cpu.clone()),
            "spec: Forbidden: Pod running on node without support for resize",
        ),
        (
            plain.clone(),
            with("/spec/initContainers/0/resources/requests", cpu),
            "spec: Forbidden: resources for non-sidecar init containers are immutable",
        ),
        (
            plain.clone(),
            with("/spec/initContainers/1/resources/requests/ephemeral-storage", "1Gi".into()),
            "spec.initContainers[1]: Forbidden: only cpu and memory resources for init or sidecar \
             containers are mutable",
        ),
        (
            with("/spec/initContainers/1/resources/limits", json!({"memory": "1Gi"})),
            plain.clone(),
            "spec.initContainers[1].resources.limits: Forbidden: resource limits cannot be removed",
        ),
        (
            plain.clone(),
            with("/spec/containers/0/image", "d".into()),
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            plain.clone(),
            with("/spec/volumes", json!([{"name": "v", "emptyDir": {}}])),
            "spec.volumes: Forbidden: volumes are immutable on resize when \
             InPlacePodVerticalScalingMemoryBackedVolumes feature gate is disabled",
        ),
        (
            plain.clone(),
            with("/spec/containers/0/name", "d".into()),
            "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
        ),
    ] {
        let got = wrong(&old, &new, Subresource::Resize).join("\n");
        let got = got.strip_prefix(": ").unwrap_or(&got);
        // A memory request that a limit brings along is removed with it.
        let got = got.lines().filter(|line| !line.contains("requests cannot be removed"));
        assert_eq!(got.collect::<Vec<_>>().join("\n"), want, "{new}");
    }
    let pod = with("/metadata/annotations", mirror);
    let got = wrong(&pod, &pod, Subresource::EphemeralContainers);
    assert!(got.concat().ends_with("Forbidden: static pods do not support ephemeral containers"));
}
