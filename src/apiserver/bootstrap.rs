//! What every cluster has from its beginning: roles that let everybody discover it, and its
//! administrators do everything.
//!
//! Mirrors: `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`. The roles that are made of
//! others (`admin`, `edit`, `view`) come with the controller that does so.

use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use serde_json::json;

use super::authentication::{AUTHENTICATED, UNAUTHENTICATED};
use crate::api::caller::MASTERS;
use crate::api::types::{ClusterRole, ClusterRoleBinding};
use crate::api::words::RBAC;
use crate::api::{Kind, Object, Resource as _};

const HEALTH: &[&str] = &["/healthz", "/livez", "/readyz", "/version", "/version/"];
const DISCOVERY: &[&str] = &[
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
];

/// The service by which Pods find the API server.
///
/// Mirrors: `pkg/controlplane/controller/kubernetesservice`.
pub(super) fn own_service() -> Option<Object> {
    let service = json!({
        "metadata": {
            "name": "kubernetes",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "targetPort": 6443}],
        },
    });
    Object::from_json(Kind::Service, &service).ok().map(|decoded| decoded.object)
}

/// The cluster roles, and a binding of the same name for each.
pub(super) fn roles() -> Vec<Object> {
    let review = |group, resources: &[&str]| on(&["create"], &[group], resources);
    [
        ("cluster-admin", vec![on(&["*"], &["*"], &["*"]), at(&["*"], &["*"])], &[MASTERS][..]),
        ("system:discovery", vec![at(&["get"], DISCOVERY)], &[AUTHENTICATED]),
        (
            "system:public-info-viewer",
            vec![at(&["get"], HEALTH)],
            &[AUTHENTICATED, UNAUTHENTICATED],
        ),
        (
            "system:basic-user",
            vec![
                review(
                    "authorization.k8s.io",
                    &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
                ),
                review("authentication.k8s.io", &["selfsubjectreviews"]),
            ],
            &[AUTHENTICATED],
        ),
    ]
    .into_iter()
    .flat_map(|(name, rules, groups)| [role(name, rules), binding(name, groups)])
    .collect()
}

fn role(name: &str, rules: Vec<PolicyRule>) -> Object {
    let role = ClusterRole { metadata: meta(name), rules: Some(rules), aggregation_rule: None };
    ClusterRole::wrap(Rc::new(role))
}

fn binding(role: &str, groups: &[&str]) -> Object {
    let subject = |group: &&str| Subject {
        api_group: Some(RBAC.to_owned()),
        kind: "Group".to_owned(),
        name: (*group).to_owned(),
        namespace: None,
    };
    ClusterRoleBinding::wrap(Rc::new(ClusterRoleBinding {
        metadata: meta(role),
        role_ref: RoleRef {
            api_group: Some(RBAC.to_owned()),
            kind: "ClusterRole".to_owned(),
            name: role.to_owned(),
        },
        subjects: Some(groups.iter().map(subject).collect()),
    }))
}

fn meta(name: &str) -> ObjectMeta {
    let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(one("kubernetes.io/bootstrapping", "rbac-defaults")),
        annotations: Some(one("rbac.authorization.kubernetes.io/autoupdate", "true")),
        ..ObjectMeta::default()
    }
}

fn on(verbs: &[&str], groups: &[&str], resources: &[&str]) -> PolicyRule {
    PolicyRule {
        verbs: texts(verbs),
        api_groups: Some(texts(groups)),
        resources: Some(texts(resources)),
        ..PolicyRule::default()
    }
}

fn at(verbs: &[&str], urls: &[&str]) -> PolicyRule {
    PolicyRule {
        verbs: texts(verbs),
        non_resource_urls: Some(texts(urls)),
        ..PolicyRule::default()
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
