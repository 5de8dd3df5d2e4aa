//! What every cluster has from its beginning: roles that let everybody discover it, its administrators
//! do everything, and those who work in a namespace what they need there.
//!
//! Mirrors: `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`. The roles that are made of others
//! (`admin`, `edit`, `view`) begin with the rules of these. Left out: the roles of those who are not here, or
//! need none, as what runs inside the cluster is asked for nothing (controllers, the scheduler, proxies,
//! provisioners, approvers, monitoring), and theirs in `kube-system` and `kube-public`.

use serde_json::{Value, json};

use super::authentication::{AUTHENTICATED, UNAUTHENTICATED};
use crate::api::caller::MASTERS;
use crate::api::{Kind, Object};

/// What a role is labelled with that goes into another, before the name of that.
const AGGREGATE: &str = "rbac.authorization.k8s.io/aggregate-to-";
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

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const ALL: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];
const GET: &[&str] = &["get"];
const CHANGE: &[&str] = &["patch", "update"];
const OWN: &[&str] = &["create", "delete", "get", "patch", "update"];

/// Rules: a group, verbs and resources.
type Rules = &'static [(&'static str, &'static [&'static str], &'static str)];

/// What lets others see what is in a namespace, but for its secrets.
const VIEW: Rules = &[
    (
        "",
        READ,
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods \
         replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
    ),
    (
        "",
        READ,
        "bindings events limitranges namespaces/status pods/log pods/status \
         replicationcontrollers/status resourcequotas resourcequotas/status",
    ),
    ("", READ, "namespaces"),
    ("discovery.k8s.io", READ, "endpointslices"),
    (
        "apps",
        READ,
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale \
         deployments/status replicasets replicasets/scale replicasets/status statefulsets \
         statefulsets/scale statefulsets/status",
    ),
    ("autoscaling", READ, "horizontalpodautoscalers horizontalpodautoscalers/status"),
    ("batch", READ, "cronjobs cronjobs/status jobs jobs/status"),
    (
        "extensions",
        READ,
        "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses \
         ingresses/status networkpolicies replicasets replicasets/scale replicasets/status \
         replicationcontrollers/scale",
    ),
    ("policy", READ, "poddisruptionbudgets poddisruptionbudgets/status"),
    ("networking.k8s.io", READ, "ingresses ingresses/status networkpolicies"),
];

/// What it takes to work in a namespace.
const EDIT: Rules = &[
    ("", READ, "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    ("", &["impersonate"], "serviceaccounts"),
    ("", WRITE, "pods pods/attach pods/exec pods/portforward pods/proxy"),
    ("", CREATE, "pods/eviction"),
    (
        "",
        WRITE,
        "configmaps events persistentvolumeclaims replicationcontrollers \
         replicationcontrollers/scale secrets serviceaccounts services services/proxy",
    ),
    ("", CREATE, "serviceaccounts/token"),
    (
        "apps",
        WRITE,
        "daemonsets deployments deployments/rollback deployments/scale replicasets \
         replicasets/scale statefulsets statefulsets/scale",
    ),
    ("autoscaling", WRITE, "horizontalpodautoscalers"),
    ("batch", WRITE, "cronjobs jobs"),
    (
        "extensions",
        WRITE,
        "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies \
         replicasets replicasets/scale replicationcontrollers/scale",
    ),
    ("policy", WRITE, "poddisruptionbudgets"),
    ("networking.k8s.io", WRITE, "ingresses networkpolicies"),
    ("coordination.k8s.io", ALL, "leases"),
];

/// What it takes to let others work there.
const ADMIN: Rules = &[
    ("authorization.k8s.io", CREATE, "localsubjectaccessreviews"),
    ("rbac.authorization.k8s.io", ALL, "rolebindings roles"),
];

/// What kubelets may do by the older rule: nobody is bound to it, since the Node authorizer asks more closely.
const NODE: Rules = &[
    ("authentication.k8s.io", CREATE, "tokenreviews"),
    ("authorization.k8s.io", CREATE, "localsubjectaccessreviews subjectaccessreviews"),
    ("", READ, "services"),
    ("", &["create", "get", "list", "watch"], "nodes"),
    ("", CHANGE, "nodes/status"),
    ("", CHANGE, "nodes"),
    ("", &["create", "patch", "update"], "events"),
    ("", READ, "pods"),
    ("", &["create", "delete"], "pods"),
    ("", CHANGE, "pods/status"),
    ("", CREATE, "pods/eviction"),
    ("", READ, "configmaps secrets"),
    ("", GET, "persistentvolumeclaims persistentvolumes"),
    ("", GET, "endpoints"),
    ("certificates.k8s.io", &["create", "get", "list", "watch"], "certificatesigningrequests"),
    ("coordination.k8s.io", OWN, "leases"),
    ("storage.k8s.io", GET, "volumeattachments"),
    ("", CREATE, "serviceaccounts/token"),
    ("", &["get", "patch", "update"], "persistentvolumeclaims/status"),
    ("storage.k8s.io", READ, "csidrivers"),
    ("storage.k8s.io", OWN, "csinodes"),
    ("node.k8s.io", READ, "runtimeclasses"),
    ("resource.k8s.io", GET, "resourceclaims"),
    ("resource.k8s.io", &["deletecollection"], "resourceslices"),
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
        ("system:node", rules(NODE).collect(), &[]),
    ]
    .into_iter()
    .flat_map(|(name, rules, groups)| [role(name, &rules), binding(name, groups)])
    .chain(gathered())
    .flatten()
    .collect()
}

fn role(name: &str, rules: &[Value]) -> Option<Object> {
    let role = json!({"metadata": meta(name), "rules": rules});
    read(Kind::ClusterRole, &role)
}

/// The roles that are made of others, and those that they are made of.
fn gathered() -> impl Iterator<Item = Option<Object>> {
    // Each with what is its own, with all that it has in the order of the names of the roles that it is
    // of, and with the role that it goes into.
    let roles: [(&str, Rules, &[Rules], &[&str]); 3] = [
        ("view", VIEW, &[VIEW], &["edit"]),
        ("edit", EDIT, &[EDIT, VIEW], &["admin"]),
        ("admin", ADMIN, &[EDIT, VIEW, ADMIN], &[]),
    ];
    roles.into_iter().flat_map(|(name, own, all, into)| {
        let part = json!({
            "metadata": labelled(&["system:aggregate-to-", name].concat(), &[name]),
            "rules": rules(own).collect::<Value>(),
        });
        let label = [AGGREGATE, name].concat();
        let whole = json!({
            "metadata": labelled(name, into),
            "rules": all.iter().flat_map(|part| rules(part)).collect::<Value>(),
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]},
        });
        [read(Kind::ClusterRole, &part), read(Kind::ClusterRole, &whole)]
    })
}

/// The metadata of a role that goes into others.
fn labelled(name: &str, into: &[&str]) -> Value {
    let mut meta = meta(name);
    if let Some(Value::Object(labels)) = meta.get_mut("labels") {
        labels.extend(into.iter().map(|role| ([AGGREGATE, role].concat(), "true".into())));
    }
    meta
}

fn rules(of: Rules) -> impl Iterator<Item = Value> {
    of.iter().map(|(group, verbs, resources)| {
        let resources: Vec<&str> = resources.split_whitespace().collect();
        on(verbs, &[group], &resources)
    })
}

fn binding(role: &str, groups: &[&str]) -> Option<Object> {
    let subject = |name: &&str| json!({"kind": "Group", "name": name});
    let subjects: Option<Value> =
        Some(groups).filter(|groups| !groups.is_empty()).map(|it| it.iter().map(subject).collect());
    let binding = json!({
        "metadata": meta(role),
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": subjects,
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
