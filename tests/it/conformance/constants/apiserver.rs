//! What the API server takes, adds and refuses.

use std::collections::BTreeSet;

use podflow::testing::cluster::HttpCall;
use serde_json::{Value, json};

use super::asking::{Asked, MAPS, Reply, largest, number_after};
use super::{Probe, Seen};

pub const PROBES: &[Probe] = &[
    ("apiserver.maxRequestBodyBytes", body_bytes),
    ("apiserver.jsonPatchMaxCopyBytes", copied_bytes),
    ("apiserver.maxJSONPatchOperations", patch_operations),
    ("generateName.randomLength", || Ok(json!(Generated::names()?.random_length))),
    ("generateName.maxBaseLength", || Ok(json!(Generated::names()?.base_length))),
    ("generateName.alphabet", || Ok(json!(Generated::names()?.alphabet))),
    ("metadata.totalAnnotationSize", annotation_bytes),
    ("name.dns1123LabelMax", || longest(|text| ("/api/v1/namespaces", named(text)))),
    ("name.dns1123SubdomainMax", || longest(|text| (MAPS, named(text)))),
    ("label.valueMax", || {
        longest(|text| (MAPS, json!({"metadata": {"name": "m", "labels": {"l": text}}})))
    }),
    ("priority.highestUserDefinable", highest_priority),
    ("priority.systemClusterCritical", || class("system-cluster-critical")),
    ("priority.systemNodeCritical", || class("system-node-critical")),
    ("service.nodePortRange", node_ports),
    ("taint.unschedulable", || added_taint(json!({"spec": {"unschedulable": true}}))),
];

/// Objects that are only tried, so that one server serves many tries.
fn tried(server: &mut Asked, path: &str, body: Value) -> Result<Reply, String> {
    server.post(&format!("{path}?dryRun=All"), body)
}

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

/// The limit is said, and holds to the byte.
fn body_bytes() -> Seen {
    let mut server = Asked::with_nodes(0);
    let mut of_length = |length: usize| {
        let text = format!("{{}}{}", " ".repeat(length - 2));
        server.call(&HttpCall::new("POST", MAPS, None).with_text(&text))
    };
    let reply = of_length(8 << 20)?;
    let limit = number_after(reply.refused()?, "limit is ")?;
    match (of_length(limit)?.code, of_length(limit + 1)?.code) {
        (allowed, 413) if allowed != 413 => Ok(json!(limit)),
        codes => Err(format!("{limit} bytes and one more: {codes:?}")),
    }
}

/// The limit is not said. It is looked for in steps of a mebibyte, and must be one of them to the byte.
fn copied_bytes() -> Seen {
    const STEP: usize = 1 << 20;
    let mut server = Asked::with_nodes(0);
    // With its quotes, the one is as long as a step, and the other one byte.
    let data = json!({"step": "x".repeat(STEP - 2)});
    server.post(MAPS, json!({"metadata": {"name": "m"}, "data": data}))?.made()?;
    let mut copied = |steps: u64, bytes: usize| {
        let copy = |from: &str| json!({"op": "copy", "from": from, "path": "/data/copied"});
        let mut patch = vec![json!({"op": "add", "path": "/data/byte", "value": 1})];
        patch.extend((0..steps).map(|_| copy("/data/step")));
        patch.extend((0..bytes).map(|_| copy("/data/byte")));
        let reply = server.patch(&format!("{MAPS}/m"), "json", patch.into())?;
        // Copies that are made are no good ConfigMap, but that is said otherwise.
        Ok::<bool, String>(
            reply.refused()? != "the server rejected our request due to an error in our request",
        )
    };
    let steps = largest(64, |steps| copied(steps, 0))?;
    if copied(steps, 1)? {
        Err("no whole number of mebibytes".to_owned())
    } else {
        Ok(json!(steps << 20))
    }
}

fn patch_operations() -> Seen {
    let mut server = Asked::with_nodes(0);
    server.post(MAPS, named("m"))?.made()?;
    let mut of = |operations: usize| {
        let test = json!({"op": "test", "path": "/metadata/name", "value": "m"});
        server.patch(&format!("{MAPS}/m"), "json", vec![test; operations].into())
    };
    let reply = of(1 << 15)?;
    let limit = number_after(reply.refused()?, "in a JSON patch is ")?;
    match (of(limit)?.code, of(limit + 1)?.code) {
        (200, 413) => Ok(json!(limit)),
        codes => Err(format!("{limit} operations and one more: {codes:?}")),
    }
}

/// What is seen in names that a server makes.
struct Generated {
    random_length: usize,
    base_length: usize,
    alphabet: String,
}

impl Generated {
    fn names() -> Result<Self, String> {
        let mut server = Asked::with_nodes(0);
        let mut generate = |base: &str| {
            let made = tried(&mut server, MAPS, json!({"metadata": {"generateName": base}}))?;
            let made = made.made()?;
            Ok::<String, String>(made["metadata"]["name"].as_str().unwrap_or_default().to_owned())
        };
        let (mut letters, mut lengths) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..150 {
            let name = generate("p-")?;
            let random = name.strip_prefix("p-").ok_or("the base is not kept")?;
            lengths.insert(random.len());
            letters.extend(random.chars());
        }
        let [random_length] = lengths.into_iter().collect::<Vec<_>>()[..] else {
            return Err("not all of one length".to_owned());
        };
        let base_length = generate(&"a".repeat(200))?.len() - random_length;
        // Letters before digits.
        let (digits, letters): (String, String) =
            letters.into_iter().partition(char::is_ascii_digit);
        Ok(Self { random_length, base_length, alphabet: letters + &digits })
    }
}

fn annotation_bytes() -> Seen {
    let mut server = Asked::with_nodes(0);
    let mut of = |bytes: usize| {
        let annotations = json!({"key": "x".repeat(bytes - "key".len())});
        tried(&mut server, MAPS, json!({"metadata": {"name": "m", "annotations": annotations}}))
    };
    let reply = of(1 << 20)?;
    let limit = number_after(reply.refused()?, "may not be more than ")?;
    match (of(limit)?.code, of(limit + 1)?.code) {
        (201, 422) => Ok(json!(limit)),
        codes => Err(format!("{limit} bytes and one more: {codes:?}")),
    }
}

/// The longest text with which an object is taken.
fn longest(object: impl Fn(&str) -> (&'static str, Value)) -> Seen {
    let mut server = Asked::with_nodes(0);
    let length = largest(1000, |length| {
        let (path, body) = object(&"a".repeat(usize::try_from(length).unwrap_or(1)));
        Ok(tried(&mut server, path, body)?.code == 201)
    });
    length.map(|length| json!(length))
}

fn highest_priority() -> Seen {
    const CLASSES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let mut server = Asked::with_nodes(0);
    let value = largest(1 << 31, |value| {
        let class = json!({"metadata": {"name": "p"}, "value": value});
        Ok(tried(&mut server, CLASSES, class)?.code == 201)
    });
    value.map(|value| json!(value))
}

fn class(name: &str) -> Seen {
    let class =
        Asked::with_nodes(0).get(&format!("/apis/scheduling.k8s.io/v1/priorityclasses/{name}"))?;
    Ok(class["value"].clone())
}

/// The range is said, and its ends are given while their neighbours are not.
fn node_ports() -> Seen {
    let mut server = Asked::with_nodes(0);
    let mut of = |port: usize| {
        let ports = json!([{"port": 80, "nodePort": port}]);
        let service =
            json!({"metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": ports}});
        tried(&mut server, "/api/v1/namespaces/default/services", service)
    };
    let reply = of(1)?;
    let (first, words) = (reply.refused()?, "The range of valid ports is ");
    let first_port = number_after(first, words)?;
    let last_port = number_after(first, &format!("{words}{first_port}-"))?;
    let codes = [first_port - 1, first_port, last_port, last_port + 1]
        .map(|port| of(port).map(|reply| reply.code));
    match codes {
        [Ok(422), Ok(201), Ok(201), Ok(422)] => Ok(json!(format!("{first_port}-{last_port}"))),
        codes => Err(format!("{first_port} to {last_port} and their neighbours: {codes:?}")),
    }
}

/// The key of the taint that a node gets with a change.
fn added_taint(change: Value) -> Seen {
    let mut server = Asked::with_nodes(1);
    let taints = |node: &Value| {
        let taints = node["spec"]["taints"].as_array().into_iter().flatten();
        taints.map(|taint| taint["key"].clone()).collect::<Vec<Value>>()
    };
    let before = taints(&server.get("/api/v1/nodes/node-1")?);
    server.patch("/api/v1/nodes/node-1", "merge", change)?.made()?;
    let mut after = taints(&server.get("/api/v1/nodes/node-1")?);
    after.retain(|key| !before.contains(key));
    match &after[..] {
        [key] => Ok(key.clone()),
        several => Err(format!("not one taint more: {several:?}")),
    }
}
