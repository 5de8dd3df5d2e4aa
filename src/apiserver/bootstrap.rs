//! What every cluster has from its beginning: roles that let everybody discover it, and its
//! administrators do everything.
//!
//! Mirrors: `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`. The roles that are made of
//! others (`admin`, `edit`, `view`) come with the controller that does so.

use serde_json::{Value, json};

use super::authentication::{AUTHENTICATED, UNAUTHENTICATED};
use crate::api::caller::MASTERS;
use crate::api::{Kind, Object};

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
    read(Kind::Service, &service)
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
    .flat_map(|(name, rules, groups)| [role(name, &rules), binding(name, groups)])
    .flatten()
    .collect()
}

fn role(name: &str, rules: &[Value]) -> Option<Object> {
    let role = json!({"metadata": meta(name), "rules": rules});
    read(Kind::ClusterRole, &role)
}

fn binding(role: &str, groups: &[&str]) -> Option<Object> {
    let subject = |name: &&str| json!({"kind": "Group", "name": name});
    let binding = json!({
        "metadata": meta(role),
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": groups.iter().map(subject).collect::<Value>(),
    });
    read(Kind::ClusterRoleBinding, &binding)
}

fn meta(name: &str) -> Value {
    json!({
        "name": name,
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    })
}

fn on(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Value {
    json!({"verbs": verbs, "apiGroups": groups, "resources": resources})
}

fn at(verbs: &[&str], urls: &[&str]) -> Value {
    json!({"verbs": verbs, "nonResourceURLs": urls})
}

fn read(kind: Kind, object: &Value) -> Option<Object> {
    Object::from_json(kind, object).ok().map(|decoded| decoded.object)
}
