//! Bodies in protobuf, as the example takes them.

#[path = "../../../examples/apiserver/protobuf.rs"]
mod decoder;
#[path = "../../../examples/apiserver/schemas.rs"]
mod schemas;
mod table;

use std::collections::BTreeMap;

use k8s_pb::api::{apps, authorization, core, rbac};
use k8s_pb::apimachinery::pkg::api::resource::Quantity;
use k8s_pb::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, Time};
use k8s_pb::apimachinery::pkg::runtime::{TypeMeta, Unknown};
use k8s_pb::apimachinery::pkg::util::intstr::IntOrString;
use proptest::prelude::*;
use prost::Message;
use serde_json::json;

/// `message` as a Go client sends it.
fn sent(api_version: &str, kind: &str, message: &impl Message) -> Vec<u8> {
    let meta = TypeMeta { api_version: Some(api_version.into()), kind: Some(kind.into()) };
    let envelope =
        Unknown { type_meta: Some(meta), raw: Some(message.encode_to_vec()), ..Unknown::default() };
    [b"k8s\0".to_vec(), envelope.encode_to_vec()].concat()
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() }
}

#[test]
fn an_object_is_the_same_as_in_json() {
    let labels = || BTreeMap::from([("app".to_owned(), "web".to_owned())]);
    let surge = |kind, number, text: &str| IntOrString {
        r#type: Some(kind),
        int_val: Some(number),
        str_val: Some(text.into()),
    };
    let limits = BTreeMap::from([("cpu".to_owned(), Quantity { string: Some("100m".into()) })]);
    let container = core::v1::Container {
        name: Some("main".into()),
        image: Some("nginx".into()),
        args: vec!["-g".into(), "daemon off;".into()],
        resources: Some(core::v1::ResourceRequirements { limits, ..Default::default() }),
        readiness_probe: Some(core::v1::Probe {
            handler: Some(core::v1::ProbeHandler {
                http_get: Some(core::v1::HttpGetAction {
                    port: Some(surge(1, 0, "http")),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            period_seconds: Some(3),
            ..Default::default()
        }),
        ..Default::default()
    };
    let volume = core::v1::Volume {
        name: Some("v".into()),
        volume_source: Some(core::v1::VolumeSource {
            empty_dir: Some(core::v1::EmptyDirVolumeSource::default()),
            ..Default::default()
        }),
    };
    let deployment = apps::v1::Deployment {
        metadata: Some(ObjectMeta {
            generation: Some(-1),
            creation_timestamp: Some(Time { seconds: Some(1_767_225_600), nanos: Some(0) }),
            ..named("web")
        }),
        spec: Some(apps::v1::DeploymentSpec {
            replicas: Some(0),
            selector: Some(LabelSelector { match_labels: labels(), ..Default::default() }),
            strategy: Some(apps::v1::DeploymentStrategy {
                rolling_update: Some(apps::v1::RollingUpdateDeployment {
                    max_unavailable: Some(surge(0, 1, "")),
                    max_surge: Some(surge(1, 0, "25%")),
                }),
                ..Default::default()
            }),
            template: Some(core::v1::PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: labels(),
                    creation_timestamp: Some(Time::default()),
                    ..Default::default()
                }),
                spec: Some(core::v1::PodSpec {
                    containers: vec![container],
                    volumes: vec![volume],
                    ..Default::default()
                }),
            }),
            ..Default::default()
        }),
        status: Some(apps::v1::DeploymentStatus::default()),
    };
    let read = decoder::to_json(&sent("apps/v1", "Deployment", &deployment)).expect("an object");
    let want = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "generation": -1, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": "25%"}},
            "template": {
                "metadata": {"labels": {"app": "web"}, "creationTimestamp": null},
                "spec": {
                    "containers": [{
                        "name": "main", "image": "nginx", "args": ["-g", "daemon off;"],
                        "resources": {"limits": {"cpu": "100m"}},
                        "readinessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 3},
                    }],
                    "volumes": [{"name": "v", "emptyDir": {}}],
                },
            },
        },
        "status": {},
    });
    assert_eq!(read, want);
}

#[test]
fn bytes_reviews_and_roles_are_read() {
    let secret = core::v1::Secret {
        metadata: Some(named("s")),
        data: BTreeMap::from([("p".to_owned(), b"q".to_vec())]),
        ..Default::default()
    };
    let read = decoder::to_json(&sent("v1", "Secret", &secret)).expect("a secret");
    assert_eq!(read["data"], json!({"p": "cQ=="}));

    let review = authorization::v1::SubjectAccessReview {
        spec: Some(authorization::v1::SubjectAccessReviewSpec {
            user: Some("jane".into()),
            extra: BTreeMap::from([(
                "scopes".to_owned(),
                authorization::v1::ExtraValue { items: vec!["a".into(), "b".into()] },
            )]),
            ..Default::default()
        }),
        ..Default::default()
    };
    let kind = ("authorization.k8s.io/v1", "SubjectAccessReview");
    let read = decoder::to_json(&sent(kind.0, kind.1, &review)).expect("a review");
    assert_eq!(read["spec"], json!({"user": "jane", "extra": {"scopes": ["a", "b"]}}));

    let rule = rbac::v1::PolicyRule { verbs: vec!["get".into()], ..Default::default() };
    let subject = rbac::v1::Subject { kind: Some("User".into()), ..Default::default() };
    let binding = rbac::v1::RoleBinding { subjects: vec![subject], ..Default::default() };
    let read = decoder::to_json(&sent("rbac.authorization.k8s.io/v1", "RoleBinding", &binding));
    assert_eq!(read.expect("a binding")["subjects"], json!([{"kind": "User"}]));
    let readers = rbac::v1::Role { metadata: Some(named("r")), rules: vec![rule] };
    let read = decoder::to_json(&sent("rbac.authorization.k8s.io/v1", "Role", &readers));
    assert_eq!(read.expect("a role")["rules"], json!([{"verbs": ["get"]}]));
}

#[test]
fn what_is_no_object_is_none() {
    let secret = core::v1::Secret::default();
    let whole = sent("v1", "Secret", &core::v1::Secret { metadata: Some(named("s")), ..secret });
    assert!(decoder::to_json(&whole).is_some());
    assert_eq!(decoder::to_json(&whole[1..]), None);
    assert_eq!(decoder::to_json(&whole[..whole.len() - 1]), None);
    assert_eq!(decoder::to_json(&sent("v1", "Widget", &core::v1::Secret::default())), None);
    assert_eq!(decoder::to_json(b"{}"), None);
}

proptest! {
    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0_usize..3) {
        let kind = ["Pod", "Node", "Event"][kind];
        let meta = TypeMeta { api_version: Some("v1".into()), kind: Some(kind.into()) };
        let envelope =
            Unknown { type_meta: Some(meta), raw: Some(bytes.clone()), ..Unknown::default() };
        let _ = decoder::to_json(&[b"k8s\0".to_vec(), envelope.encode_to_vec()].concat());
        let _ = decoder::to_json(&[b"k8s\0".to_vec(), bytes].concat());
    }
}

#[test]
fn every_kind_that_is_served_can_be_sent() {
    let schemas = schemas::Schemas::new();
    let missing = podflow::testing::api::Kind::ALL
        .map(podflow::testing::api::Kind::resource)
        .into_iter()
        .filter(|resource| {
            let is_it = |kind: &&schemas::Kind| {
                (kind.group, kind.version, kind.own)
                    == (resource.group, resource.version, resource.name)
            };
            !schemas.kinds.iter().any(|kind| is_it(&kind))
        });
    let missing: Vec<&str> = missing.map(|resource| resource.name).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
