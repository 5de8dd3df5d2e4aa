//! Texts that people paste, good ones and broken ones.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};
use serde_json::{Value, json};

use super::{Limits, Manifests, decode, nearest, read, strict_error};
use crate::api::wire::Pod;
use crate::api::{Kind, Object};

fn values(text: &str) -> Vec<Value> {
    let Manifests { documents, error } = read(text, Limits::default());
    assert_eq!(error, None, "{text}");
    documents.into_iter().map(|document| document.value).collect()
}

fn error(text: &str) -> String {
    read(text, Limits::default()).error.expect(text).to_string()
}

#[test]
fn documents_are_split_and_empty_ones_skipped() {
    assert_eq!(
        values("---\n# nothing\n---\na: 1\n---\n---\nb: [x, z]\n..."),
        [json!({"a": 1}), json!({"b": ["x", "z"]})]
    );
    assert_eq!(values(""), [] as [Value; 0]);
    assert_eq!(values("\u{feff}a: 1"), [json!({"a": 1})]);
}

#[test]
fn json_is_accepted_one_value_after_another() {
    assert_eq!(
        values("{\"a\": \"\\ud83d\\ude00\"}\n{\n\t\"b\": 1e3}"),
        [json!({"a": "😀"}), json!({"b": 1e3})]
    );
    assert_eq!(values("{a: yes}"), [json!({"a": true})]);
    let documents = read("{\"a\": 1}\n {\"b\": {\"c\": 2}}", Limits::default()).documents;
    assert_eq!(documents[1].place.get("b.c").unwrap().mark().to_string(), "line 2, column 9");
    assert_eq!(
        error("{\"a\": 1}\n{\"b\": 1, \"b\": 2}"),
        "line 2, column 10: key \"b\" already set in map"
    );
}

#[test]
fn lists_become_their_items() {
    let list =
        "kind: List\napiVersion: v1\nitems:\n- kind: Pod\n  metadata: {name: a}\n- kind: Node\n";
    let documents = read(list, Limits::default()).documents;
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0].value["metadata"]["name"], "a");
    assert_eq!(documents[1].place.get("kind").unwrap().mark().line, 6);
    assert_eq!(
        values("kind: PodList\napiVersion: v1\nitems: [{metadata: {name: a}}]"),
        [json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}})]
    );
}

#[test]
fn every_field_has_its_place() {
    let text = "metadata:\n  labels:\n    a.b/c: x\nspec:\n  containers:\n  - ports:\n    - containerPort: 80\n";
    let place = &read(text, Limits::default()).documents[0].place;
    let at = |path: &str| place.get(path).map(|place| place.mark().to_string());
    assert_eq!(at("spec.containers[0].ports[0].containerPort").unwrap(), "line 7, column 7");
    assert_eq!(place.get("spec.containers[0].ports[0].containerPort").unwrap().value.column, 22);
    assert_eq!(at("metadata.labels[a.b/c]").unwrap(), "line 3, column 5");
    assert_eq!(at("metadata.labels.a.b/c").unwrap(), "line 3, column 5");
    assert_eq!(at("spec.containers[1]"), None);
    assert_eq!(place.nearest("spec.containers[0].image").mark().to_string(), "line 6, column 5");
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = "base: &base {a: 1, b: 2}\nuse:\n  b: 3\n  <<: *base\nlist: [*base, *base]\n";
    assert_eq!(
        values(text),
        [json!({
            "base": {"a": 1, "b": 2},
            "use": {"a": 1, "b": 3},
            "list": [{"a": 1, "b": 2}, {"a": 1, "b": 2}],
        })]
    );
    assert_eq!(
        values("a: &a {x: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b]}")[0]["c"],
        json!({"x": 1, "z": 2})
    );
    assert_eq!(values("\"<<\": 1"), [json!({"<<": 1})]);
}

#[test]
fn keys_are_made_text() {
    assert_eq!(values("1: a\nyes: b\n1.5: c"), [json!({"1": "a", "true": "b", "1.5": "c"})]);
}

#[test]
fn mistakes_are_explained_at_their_place() {
    for (text, want) in [
        ("a: 1\na: 2", "line 2, column 1: key \"a\" already set in map"),
        (
            "a:\n\tb: 1",
            "line 2, column 2: found a tab that indents or separates: YAML wants spaces",
        ),
        (
            "a: b: c",
            "line 1, column 5: mapping values are not allowed in this context: is the line indented \
             like its neighbours, and is a text with \": \" in it quoted?",
        ),
        (
            "a: 'b",
            "line 1, column 4: found unexpected end of stream: the quote that begins here has no end",
        ),
        (
            "a: @b",
            "line 1, column 4: found character that cannot start any token: put the text in quotes",
        ),
        (
            "a: *b",
            "line 1, column 4: unknown anchor: an alias (*name) needs its anchor (&name) before it",
        ),
        ("a: .inf", "line 1, column 4: json: unsupported value: +Inf"),
        ("? [a]\n: b", "line 1, column 3: a key must be a text, not a list or a map"),
        ("~: b", "line 1, column 1: a key must be a text, not empty, a list or a map"),
        ("a: 1\nb: \u{0}", "line 2, column 4: control characters are not allowed"),
        (
            "a: &x [*x]",
            "line 1, column 8: this alias stands inside its own anchor, or in another document",
        ),
        ("<<: 1", "line 1, column 1: map merge requires map or sequence of maps as the value"),
    ] {
        assert_eq!(error(text), want, "{text:?}");
    }
    let manifests = read("a: 1\n---\nb: 'x", Limits::default());
    assert_eq!(manifests.documents.len(), 1);
    assert_eq!(
        read("a: 1\na: 2", Limits::default()).error.unwrap().as_kubectl(),
        "error converting YAML to JSON: yaml: line 2: key \"a\" already set in map"
    );
}

#[test]
fn bounds_are_kept() {
    let most = Limits::default();
    let deep = |depth: usize| "- ".repeat(depth) + "x";
    assert_eq!(read(&deep(most.depth), most).error, None);
    assert!(error(&deep(most.depth + 1)).ends_with("nested deeper than 128 levels"));
    assert!(error(&deep(100_000)).ends_with("nested deeper than 128 levels"));
    assert!(error(&"[".repeat(100_000)).ends_with("nested too deeply"));
    assert_eq!(values(&"a: 1\n---\n".repeat(2_000)).len(), 2_000);
    assert!(error(&"a: 1\n---\n".repeat(2_001)).ends_with("more than 2000 documents in one text"));
    let few = Limits { bytes: 10, ..most };
    assert_eq!(
        read("a: 12345678", few).error.unwrap().to_string(),
        "line 1, column 1: 11 bytes are more than the 10 allowed"
    );
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        let ten = [below.as_str(); 10].join(", ");
        bomb.extend([format!("a{level}: &a{level} [{ten}]\n")]);
    }
    assert!(error(&bomb).ends_with("document contains excessive aliasing"));
}

#[test]
fn unknown_fields_are_listed_as_upstream_does() {
    let pod = json!({
        "kind": "Pod", "apiVersion": "v1", "bar": 1,
        "metadata": {"name": "a", "labels": {"foo": "x"}},
        "spec": {"containers": [{"name": "c", "imagePullPolcy": "Always", "env": [{"x": null}]}]},
    });
    let decoded = decode::<Pod>(&pod).unwrap();
    assert_eq!(
        strict_error(&decoded.unknown).unwrap(),
        "strict decoding error: unknown field \"bar\", unknown field \"spec.containers[0].env[0].x\", \
         unknown field \"spec.containers[0].imagePullPolcy\""
    );
    let last = &decoded.unknown[2];
    assert_eq!(nearest(&last.name, &last.known), Some("imagePullPolicy"));
    assert_eq!(strict_error(&[]), None);
}

#[test]
fn type_errors_use_the_words_of_go() {
    let message = |text: &str| {
        let pod = json!({"spec": {"containers": [values(text)[0]]}});
        decode::<Pod>(&pod).unwrap_err().message
    };
    for (text, want) in [
        (
            "ports: [{containerPort: http}]",
            "string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            "ports: [{containerPort: 1.5}]",
            "number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        ("image: 5", "number into Go struct field Container.spec.containers.image of type string"),
        (
            "command: ls",
            "string into Go struct field Container.spec.containers.command of type []string",
        ),
        (
            "env: {a: b}",
            "object into Go struct field Container.spec.containers.env of type []v1.EnvVar",
        ),
        (
            "env: [{name: a, value: true}]",
            "bool into Go struct field EnvVar.spec.containers.env.value of type string",
        ),
        ("tty: 'yes'", "string into Go struct field Container.spec.containers.tty of type bool"),
        (
            "resources: [1]",
            "array into Go struct field Container.spec.containers.resources of type v1.ResourceRequirements",
        ),
        (
            "resources: {limits: 1}",
            "number into Go struct field ResourceRequirements.spec.containers.resources.limits of type \
             v1.ResourceList",
        ),
        (
            "livenessProbe: {httpGet: {port: true}}",
            "bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
        ),
        (
            "imagePullPolicy: 5",
            "number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy",
        ),
    ] {
        assert_eq!(message(text), format!("json: cannot unmarshal {want}"), "{text}");
    }
    assert_eq!(message("resources: {limits: {cpu: 1mm}}"), "unable to parse quantity's suffix");
    let error = decode::<Pod>(&json!({"spec": {"containers": [{}, {"ports": "x"}]}})).unwrap_err();
    assert_eq!(error.path, "spec.containers[1].ports");
    assert_eq!(
        decode::<Pod>(&json!([])).unwrap_err().message,
        "json: cannot unmarshal array into Go value of type v1.Pod"
    );
    let metadata = json!({"metadata": {"labels": {"a": 1}}});
    assert_eq!(
        decode::<Pod>(&metadata).unwrap_err().message,
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"
    );
    for (text, byte) in [("a$==", 1), ("YWJjYQ", 4), ("YWI=YQ==", 3), ("YQ=", 3)] {
        assert_eq!(
            decode::<Secret>(&json!({"data": {"a": text}})).unwrap_err().message,
            format!("illegal base64 data at input byte {byte}"),
            "{text}"
        );
    }
}

#[test]
fn an_empty_value_of_another_form_is_no_absent_one() {
    let message = |kind: Kind, object: Value| Object::from_json(kind, &object).unwrap_err().message;
    let pod = |spec: Value| message(Kind::Pod, json!({"spec": spec}));
    let container = |own: Value| pod(json!({"containers": [own]}));
    let deployment = |spec: Value| message(Kind::Deployment, json!({"spec": spec}));
    for (message, want) in [
        (
            container(json!({"ports": [{"containerPort": ""}]})),
            "string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            container(json!({"env": ""})),
            "string into Go struct field Container.spec.containers.env of type []v1.EnvVar",
        ),
        (
            container(json!({"image": []})),
            "array into Go struct field Container.spec.containers.image of type string",
        ),
        (
            pod(json!({"nodeSelector": ""})),
            "string into Go struct field PodSpec.spec.nodeSelector of type map[string]string",
        ),
        (
            pod(json!({"affinity": []})),
            "array into Go struct field PodSpec.spec.affinity of type v1.Affinity",
        ),
        (
            pod(json!({"priority": ""})),
            "string into Go struct field PodSpec.spec.priority of type int32",
        ),
        (
            message(Kind::Node, json!({"metadata": {"labels": []}})),
            "array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            deployment(json!({"replicas": ""})),
            "string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment(json!({"selector": ""})),
            "string into Go struct field DeploymentSpec.spec.selector of type v1.LabelSelector",
        ),
    ] {
        assert_eq!(message, format!("json: cannot unmarshal {want}"));
    }
}

#[test]
fn typed_values_are_read_as_go_reads_them() {
    let pod = values(
        "spec:\n  hostNetwork: false\n  nodeName: ''\n  runtimeClassName: ''\n  nodeSelector: {}\n  \
         tolerations: []\n  terminationGracePeriodSeconds: 0\n  containers:\n  - name: null\n    \
         env: [{name: a, value: ''}]\n    resources: {limits: {cpu: 0.5, memory: 1024Ki}}\n    \
         ports: [{containerPort: 80, hostPort: 0}]\n    securityContext: {}\n",
    );
    let pod = decode::<Pod>(&pod[0]).unwrap().object;
    assert_eq!(
        serde_json::to_value(pod.spec).unwrap(),
        json!({
            "runtimeClassName": "",
            "terminationGracePeriodSeconds": 0,
            "containers": [{
                "name": "",
                "env": [{"name": "a"}],
                "resources": {"limits": {"cpu": "500m", "memory": "1Mi"}},
                "ports": [{"containerPort": 80}],
                "securityContext": {},
            }],
        })
    );
    let service = json!({"spec": {"ports": [{"port": 80, "targetPort": "http", "nodePort": 0}]}});
    let service = decode::<Service>(&service).unwrap().object;
    assert_eq!(
        serde_json::to_value(service.spec).unwrap(),
        json!({"ports": [{"port": 80, "targetPort": "http"}]})
    );
    let secret = decode::<Secret>(&json!({"data": {"a": "aGk=", "b": null}})).unwrap().object;
    assert_eq!(secret.data.unwrap()["a"].0, b"hi");
    let deployment =
        json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": "25%"}}, "replicas": 0}});
    assert_eq!(decode::<Deployment>(&deployment).unwrap().object.spec.replicas, Some(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(bytes in collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        read(&text, Limits::default());
    }

    #[test]
    fn what_looks_like_yaml_is_read_or_refused(text in "([-?:,\\[\\]{}#&*!|>'\"%@` \t\r\nab1~<.]|- |: |\n  |---\n|\\.\\.\\.\n|&a |\\*a|<<: |!!|\\\\u|\n- ){0,80}") {
        let documents = read(&text, Limits::default()).documents;
        for document in documents {
            prop_assert!(document.place.value.line >= 1);
        }
    }

    #[test]
    fn json_is_yaml(text in "[ -~é😀]{0,20}", number in any::<i64>(), flag in any::<bool>()) {
        let value = json!({"text": text, "list": [number, flag, null], "map": {"a": {}, "b": []}});
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        for written in [value.to_string(), pretty, format!("- {value}")] {
            let read = values(&written);
            let got = if written.starts_with('-') { &read[0][0] } else { &read[0] };
            prop_assert_eq!(got, &value);
        }
    }
}
