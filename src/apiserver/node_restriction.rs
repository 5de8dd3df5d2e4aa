//! `NodeRestriction`: a kubelet writes only its own Node, `CSINode`, Pods, lease and tokens.
//!
//! It holds those who come through the secure door as a node. The cluster's own kubelets have no caller
//! (who they are is in their address), and nothing here asks them.
//!
//! Mirrors: `plugin/pkg/admission/noderestriction`.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value;

use super::admission::name_of;
use super::node_authorizer::{
    NODE_LEASES, ONLY_NODE_LEASES, OTHER_CSI_NODE, OTHER_LEASE, is_mirror, named,
};
use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::caller::{Attributes, User};
use crate::api::document::{Fragment, Part};
use crate::api::request::{Request, Subresource};
use crate::api::status::StatusError;
use crate::api::text::go_quote;
use crate::api::words::MIRROR;
use crate::api::{Kind, Object, Pod, to_json};
use crate::sim::sort;

/// The kinds of which a kubelet may write only some objects.
const RESTRICTED: [Kind; 6] = [
    Kind::Pod,
    Kind::Node,
    Kind::PersistentVolumeClaim,
    Kind::ServiceAccount,
    Kind::Lease,
    Kind::CSINode,
];

/// Labels of Kubernetes' that a kubelet may set on its node, beside those of [`KUBELET_DOMAINS`].
///
/// Mirrors: `k8s.io/kubelet/pkg/apis/well_known_labels.go`.
const KUBELET_LABELS: [&str; 10] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];
const KUBELET_DOMAINS: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const NOT_THEIRS: &str = "node-restriction.kubernetes.io";

/// A kubelet that writes, and where.
pub(super) struct Restricted<'a> {
    server: &'a ApiServer,
    request: &'a Request,
    kind: Kind,
    user: User,
}

impl ApiServer {
    /// The kubelet that a request comes from, if it writes what a kubelet may not write all of.
    ///
    /// # Errors
    ///
    /// 401 if nobody is known by the token any more, 403 for a kubelet of nobody knows which node.
    pub(super) fn restricted<'a>(
        &'a self,
        request: &'a Request,
        now: Timestamp,
    ) -> Result<Option<Restricted<'a>>, StatusError> {
        let kind = request.target.kind().map(Kind::stored);
        let kind = kind.filter(|kind| RESTRICTED.contains(kind));
        let (Some(caller), Some(kind)) = (&request.caller, kind) else { return Ok(None) };
        let user = self.authenticate(&caller.credentials, now)?;
        match user.node() {
            None => Ok(None),
            Some("") => {
                let why = ["could not determine node from user ", &go_quote(&user.name)].concat();
                let resource = group_resource(kind.resource());
                Err(StatusError::forbidden(resource, request.name(), why))
            }
            Some(_) => Ok(Some(Restricted { server: self, request, kind, user })),
        }
    }
}

/// Nothing, or why not.
type Checked = Result<(), StatusError>;

impl Restricted<'_> {
    /// Whether it may create that object.
    ///
    /// # Errors
    ///
    /// 403 in upstream's words, as of all that follow; 404 if what it depends on is not there.
    pub(super) fn creates(&self, object: &Object) -> Checked {
        let name = name_of(object.meta());
        match object {
            Object::Pod(pod) => self.creates_pod(name, pod),
            Object::Node(node) => {
                let labels = node.metadata.labels.iter().flat_map(|all| all.iter());
                let labels = forbidden(labels.map(|(key, _)| key.as_str()));
                let what = [" is not allowed to set the following labels: ", &labels].concat();
                self.is_own_node(name, object.name())?;
                self.first(name, &[(!labels.is_empty(), &what)])
            }
            Object::Event(_) | Object::Lease(_) | Object::Document(_) => {
                self.writes_document(name, object.name())
            }
        }
    }

    /// Whether it may put `new` in the place of `old`.
    pub(super) fn updates(&self, new: &Object, old: &Object) -> Checked {
        let (name, part) = (old.name(), self.request.target.subresource());
        match (new, old, part) {
            (Object::Pod(_), _, None) => {
                let what = self.says(" can only create and delete mirror pods");
                self.no(name, &["unexpected operation \"UPDATE\", ", &what].concat())
            }
            (Object::Pod(new), Object::Pod(old), Some(Subresource::Status)) => {
                let labels = |pod: &Pod| pod.metadata.labels.clone().unwrap_or_default();
                let claims = |pod: &Pod| {
                    let claims = Fragment::part(&pod.status.resource_claim_statuses);
                    claims.items().map(|claim| claim.value().clone()).collect::<Vec<_>>()
                };
                let checks = [
                    (
                        !self.has(old),
                        " can only update pod status for pods with spec.nodeName set to itself",
                    ),
                    (labels(new) != labels(old), " cannot update labels through pod status"),
                    (claims(new) != claims(old), " cannot update resource claim statues"),
                ];
                self.first(name, &checks)
            }
            (Object::Pod(_), _, Some(part)) => self.no(name, &unexpected(part)),
            (Object::Node(_), ..) => self.changes_node(name, new, old),
            (_, _, Some(Subresource::Status)) if self.kind == Kind::PersistentVolumeClaim => {
                let what = " is not allowed to update fields other than status.capacity and status.conditions";
                self.first(name, &[(claim(new) != claim(old), what)])
            }
            _ => self.writes_document(name, name),
        }
    }

    /// Whether it may delete that object.
    pub(super) fn deletes(&self, old: &Object) -> Checked {
        let name = old.name();
        match old {
            Object::Pod(pod) => {
                let what = " can only delete pods with spec.nodeName set to itself";
                self.first(name, &[(!self.has(pod), what)])
            }
            Object::Node(_) => self.is_own_node(name, name),
            Object::Event(_) | Object::Lease(_) | Object::Document(_) => {
                self.writes_document(name, name)
            }
        }
    }

    /// Whether it may create a part of an object, such as the token of an account.
    pub(super) fn creates_part(&self, part: Subresource) -> Checked {
        let name = self.request.name();
        match part {
            Subresource::Token => self.creates_token(name),
            Subresource::Eviction if self.has(self.pod(name)?) => Ok(()),
            Subresource::Eviction => {
                let what = " can only evict pods with spec.nodeName set to itself";
                self.no(name, &["node ", self.node(), what].concat())
            }
            Subresource::Status
            | Subresource::Binding
            | Subresource::Scale
            | Subresource::Log
            | Subresource::Exec
            | Subresource::Attach
            | Subresource::PortForward
            | Subresource::EphemeralContainers
            | Subresource::Resize
            | Subresource::Finalize => self.no(name, &unexpected(part)),
        }
    }

    fn node(&self) -> &str {
        self.user.node().unwrap_or_default()
    }

    /// Whether a Pod is on its node.
    fn has(&self, pod: &Pod) -> bool {
        pod.node_name.as_deref() == Some(self.node())
    }

    /// The Pod of that name in the request's namespace.
    fn pod(&self, name: &str) -> Result<&Rc<Pod>, StatusError> {
        self.server.pod(self.request.namespace(), name)
    }

    fn no(&self, name: &str, why: &str) -> Checked {
        Err(StatusError::forbidden(group_resource(self.kind.resource()), name, why))
    }

    fn says(&self, what: &str) -> String {
        ["node ", &go_quote(self.node()), what].concat()
    }

    /// 403 for the first that is wrong. Words that begin with a space are about the node.
    fn first(&self, name: &str, checks: &[(bool, &str)]) -> Checked {
        match checks.iter().find(|(is_wrong, _)| *is_wrong) {
            None => Ok(()),
            Some((_, what)) if what.starts_with(' ') => self.no(name, &self.says(what)),
            Some((_, why)) => self.no(name, why),
        }
    }

    fn is_own_node(&self, name: &str, node: &str) -> Checked {
        let what = [" is not allowed to modify node ", &go_quote(node)].concat();
        self.first(name, &[(node != self.node(), &what)])
    }

    fn writes_document(&self, shown: &str, name: &str) -> Checked {
        let is_lease = self.kind == Kind::Lease;
        let checks = [
            (self.kind == Kind::PersistentVolumeClaim, "may only update PVC status"),
            (is_lease && self.request.namespace() != NODE_LEASES, ONLY_NODE_LEASES),
            (is_lease && name != self.node(), OTHER_LEASE),
            (self.kind == Kind::CSINode && name != self.node(), OTHER_CSI_NODE),
        ];
        self.first(shown, &checks)
    }

    fn changes_node(&self, name: &str, new: &Object, old: &Object) -> Checked {
        self.is_own_node(name, name)?;
        let (new, old) = (new.to_json(), old.to_json());
        let both = |path: &str| (Part::of(new.pointer(path)), Part::of(old.pointer(path)));
        // As upstream, none and an empty list are the same.
        let differ = |path: &str| {
            let (new, old) = both(path);
            new.value() != old.value() && new.len() + old.len() > 0
        };
        let config = "/spec/configSource";
        let is_configured = both(config).0.is_there() && differ(config);
        let (new, old) = both("/metadata/labels");
        let changed = new.entries().chain(old.entries());
        let changed = changed.filter(|(key, _)| new.at(key).value() != old.at(key).value());
        let labels = forbidden(changed.map(|(key, _)| key));
        let checks = [
            (is_configured, " is not allowed to update configSource to a new non-nil configSource"),
            (differ("/spec/taints"), " is not allowed to modify taints"),
            (differ("/metadata/ownerReferences"), " is not allowed to modify ownerReferences"),
            (!labels.is_empty(), &["is not allowed to modify labels: ", &labels].concat()),
        ];
        self.first(name, &checks)
    }

    /// Only a Pod that shows what runs on the node anyway, and refers to nothing. That it has no account
    /// and no secrets is seen to for everybody.
    fn creates_pod(&self, name: &str, pod: &Pod) -> Checked {
        let what = self.says(" can only create mirror pods");
        let not_mirror = ["pod does not have ", &go_quote(MIRROR), " annotation, ", &what].concat();
        let owners = pod.metadata.owners();
        let owner = owners.first().cloned().unwrap_or_default();
        let is_node =
            (&*owner.api_version, &*owner.kind, &*owner.name) == ("v1", "Node", self.node());
        let checks = [
            (!is_mirror(pod), &*not_mirror),
            (!self.has(pod), " can only create pods with spec.nodeName set to itself"),
            (owners.len() > 1, " can only create pods with a single owner reference set to itself"),
            (!is_node, " can only create pods with an owner reference set to itself"),
            (
                owner.controller != Some(true),
                " can only create pods with a controller owner reference set to itself",
            ),
            (
                owner.block_owner_deletion == Some(true),
                " must not set blockOwnerDeletion on an owner reference",
            ),
        ];
        self.first(name, &checks)?;
        let uid = self.server.uid_of(Kind::Node, "", self.node())?;
        let parts = ["node ", self.node(), " UID mismatch: expected ", &uid, " got ", &owner.uid];
        let spec = to_json(&*pod.spec);
        let refers = |what| !named(Part::of(Some(&spec)), what).is_empty();
        let checks = [
            (owner.uid != uid, &*parts.concat()),
            (refers("configmaps"), " can not create pods that reference configmaps"),
            (
                refers("clustertrustbundles"),
                " can not create pods that reference clustertrustbundles",
            ),
            (
                refers("persistentvolumeclaims"),
                " can not create pods that reference persistentvolumeclaims",
            ),
        ];
        self.first(name, &checks)
    }

    /// Only a token that ends with a Pod on the node, for whom that Pod asks for one.
    fn creates_token(&self, name: &str) -> Checked {
        let spec = self.request.payload.json().at("spec");
        let bound = spec.at("boundObjectRef");
        let (pod, uid) = (bound.at("name").text(), bound.at("uid").text());
        let is_pod = bound.at("apiVersion").text() == "v1" && bound.at("kind").text() == "Pod";
        let checks = [
            (!is_pod || pod.is_empty(), "node requested token not bound to a pod"),
            (uid.is_empty(), "node requested token with a pod binding without a uid"),
        ];
        self.first(name, &checks)?;
        let pod = self.pod(pod)?;
        let other_uid = [
            "the UID in the bound object reference (",
            uid,
            ") does not match the UID in record. The object might have been deleted and then recreated",
        ];
        let audiences = spec.at("audiences");
        let audience = audiences.texts().next().unwrap_or_default();
        let unknown = [
            "audience ",
            &go_quote(audience),
            " not found in pod spec volume, ",
            &self.user.name,
            " is not authorized to request tokens for this audience",
        ];
        let json = to_json(&*pod.spec);
        let wish = Attributes {
            verb: "request-serviceaccounts-token-audience".to_owned(),
            resource: audience.to_owned(),
            namespace: self.request.namespace().to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        };
        let is_heard = named(Part::of(Some(&json)), "tokens").contains(&audience)
            || self.server.decide(&self.user, &wish).is_ok();
        let checks = [
            (pod.metadata.uid.as_deref() != Some(uid), &*other_uid.concat()),
            (!self.has(pod), "node requested token bound to a pod scheduled on a different node"),
            (audiences.len() > 1, "node may only request 0 or 1 audiences"),
            (!is_heard, &unknown.concat()),
        ];
        self.first(name, &checks)
    }
}

fn unexpected(part: Subresource) -> String {
    let part = go_quote(part.name());
    ["unexpected pod subresource ", &part, ", only 'status' and 'eviction' are allowed"].concat()
}

/// Those of the labels that a kubelet may not set, as a list.
fn forbidden<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    let mut wrong: Vec<&str> = labels.filter(|label| !may_set(label)).collect();
    sort::by(&mut wrong, Ord::cmp);
    wrong.dedup();
    wrong.join(", ")
}

fn may_set(label: &str) -> bool {
    let domain = label.split_once('/').map_or("", |(domain, _)| domain);
    let is_of = |parent: &str| {
        domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let is_kubernetes = is_of("kubernetes.io") || is_of("k8s.io");
    let is_kubelets = KUBELET_LABELS.contains(&label) || KUBELET_DOMAINS.into_iter().any(is_of);
    !is_of(NOT_THEIRS) && (!is_kubernetes || is_kubelets)
}

/// A claim without what a kubelet may change of it.
fn claim(of: &Object) -> Value {
    let mut claim = of.to_json();
    for (path, fields) in [
        ("/metadata", &["resourceVersion", "managedFields"][..]),
        ("/status", &["capacity", "conditions", "allocatedResources", "allocatedResourceStatuses"]),
    ] {
        if let Some(Value::Object(part)) = claim.pointer_mut(path) {
            part.retain(|key, _| !fields.contains(&key.as_str()));
        }
    }
    claim
}
