//! `NodeRestriction`: a kubelet writes only its own Node, Pods, lease and tokens.
//!
//! It holds those who come through the secure door as a node. The cluster's own kubelets have no caller
//! (who they are is in their address), and nothing here asks them.
//!
//! Mirrors: `plugin/pkg/admission/noderestriction`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use serde_json::Value;

use super::node_authorizer::{
    CONFIG_MAPS, NODE_LEASES, OTHER_LEASE, is_mirror, named, only_node_leases,
};
use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::caller::{Attributes, User};
use crate::api::document::Part;
use crate::api::request::{Request, Subresource};
use crate::api::status::StatusError;
use crate::api::text::go_quote;
use crate::api::words::MIRROR;
use crate::api::{Kind, Object, Pod, Resource as _, to_json};
use crate::sim::sort;

/// The kinds of which a kubelet may write only some objects.
const RESTRICTED: [Kind; 5] =
    [Kind::Pod, Kind::Node, Kind::PersistentVolumeClaim, Kind::ServiceAccount, Kind::Lease];

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
    /// 401 if nobody is known by the token any more.
    pub(super) fn restricted<'a>(
        &'a self,
        request: &'a Request,
        now: Timestamp,
    ) -> Result<Option<Restricted<'a>>, StatusError> {
        let kind = request.target.kind().map(Kind::stored);
        let kind = kind.filter(|kind| RESTRICTED.contains(kind));
        let (Some(caller), Some(kind)) = (&request.caller, kind) else { return Ok(None) };
        let user = self.authenticate(&caller.credentials, now)?;
        let is_node = user.node().is_some();
        Ok(is_node.then_some(Restricted { server: self, request, kind, user }))
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
        let name = match (object.name(), object.meta().generate_name.as_deref()) {
            ("", None | Some("")) => "Unknown",
            ("", Some(prefix)) => prefix,
            (name, _) => name,
        };
        self.is_known(name)?;
        match object {
            Object::Pod(pod) => self.creates_pod(name, pod),
            Object::Node(node) => {
                self.is_own_node(name, object.name())?;
                let labels = node.metadata.labels.iter().flatten();
                let labels = forbidden(labels.map(|(key, _)| key.as_str()));
                let what = " is not allowed to set the following labels: ";
                self.says_if(!labels.is_empty(), name, &[what, &labels].concat())
            }
            Object::Event(_) | Object::Document(_) => self.writes_document(name, object.name()),
        }
    }

    /// Whether it may put `new` in the place of `old`.
    pub(super) fn updates(&self, new: &Object, old: &Object) -> Checked {
        let (name, part) = (old.name(), self.request.target.subresource());
        self.is_known(name)?;
        match (new, old, part) {
            (Object::Pod(_), _, None) => {
                let what = self.says(" can only create and delete mirror pods");
                self.no(name, ["unexpected operation \"UPDATE\", ", &what].concat())
            }
            (Object::Pod(new), Object::Pod(old), Some(Subresource::Status)) => {
                let what = " can only update pod status for pods with spec.nodeName set to itself";
                self.says_if(!self.has(old), name, what)?;
                let what = " cannot update labels through pod status";
                let labels = |pod: &Pod| pod.metadata.labels.clone().unwrap_or_default();
                self.says_if(labels(new) != labels(old), name, what)?;
                let (new, old) =
                    (&new.status.resource_claim_statuses, &old.status.resource_claim_statuses);
                let differ =
                    new.as_deref().unwrap_or_default() != old.as_deref().unwrap_or_default();
                self.says_if(differ, name, " cannot update resource claim statues")
            }
            (Object::Pod(_), _, Some(part)) => self.no(name, unexpected(part)),
            (Object::Node(new), Object::Node(old), _) => self.changes_node(name, new, old),
            (_, _, Some(Subresource::Status)) if self.kind == Kind::PersistentVolumeClaim => {
                let what = " is not allowed to update fields other than status.capacity and status.conditions";
                self.says_if(claim(new) != claim(old), name, what)
            }
            _ => self.writes_document(name, name),
        }
    }

    /// Whether it may delete that object.
    pub(super) fn deletes(&self, old: &Object) -> Checked {
        let name = old.name();
        self.is_known(name)?;
        match old {
            Object::Pod(pod) => {
                let what = " can only delete pods with spec.nodeName set to itself";
                self.says_if(!self.has(pod), name, what)
            }
            Object::Node(_) => self.is_own_node(name, name),
            Object::Event(_) | Object::Document(_) => self.writes_document(name, name),
        }
    }

    /// Whether it may create a part of an object, such as the token of an account.
    pub(super) fn creates_part(&self, part: Subresource) -> Checked {
        let name = self.request.name();
        self.is_known(name)?;
        match part {
            Subresource::Token => self.creates_token(name),
            Subresource::Eviction if self.has(self.pod(name)?) => Ok(()),
            Subresource::Eviction => {
                let what = " can only evict pods with spec.nodeName set to itself";
                self.no(name, ["node ", self.node(), what].concat())
            }
            Subresource::Status
            | Subresource::Binding
            | Subresource::Scale
            | Subresource::Log
            | Subresource::Exec
            | Subresource::Finalize => self.no(name, unexpected(part)),
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
    fn pod(&self, name: &str) -> Result<&Pod, StatusError> {
        let found = self.server.object(Kind::Pod, self.request.namespace(), name);
        let missing = || StatusError::not_found(group_resource(Kind::Pod.resource()), name);
        found.and_then(Pod::unwrap).map(AsRef::as_ref).ok_or_else(missing)
    }

    fn no(&self, name: &str, why: String) -> Checked {
        Err(StatusError::forbidden(group_resource(self.kind.resource()), name, why))
    }

    fn says(&self, what: &str) -> String {
        ["node ", &go_quote(self.node()), what].concat()
    }

    fn says_if(&self, is_wrong: bool, name: &str, what: &str) -> Checked {
        if is_wrong { self.no(name, self.says(what)) } else { Ok(()) }
    }

    fn is_known(&self, name: &str) -> Checked {
        if !self.node().is_empty() {
            return Ok(());
        }
        let user = go_quote(&self.user.name);
        self.no(name, ["could not determine node from user ", &user].concat())
    }

    fn is_own_node(&self, name: &str, node: &str) -> Checked {
        let what = [" is not allowed to modify node ", &go_quote(node)].concat();
        self.says_if(node != self.node(), name, &what)
    }

    fn writes_document(&self, shown: &str, name: &str) -> Checked {
        if self.kind == Kind::PersistentVolumeClaim {
            self.no(shown, "may only update PVC status".to_owned())
        } else if self.kind != Kind::Lease {
            Ok(())
        } else if self.request.namespace() != NODE_LEASES {
            self.no(shown, only_node_leases())
        } else if name != self.node() {
            self.no(shown, OTHER_LEASE.to_owned())
        } else {
            Ok(())
        }
    }

    fn changes_node(&self, name: &str, new: &Node, old: &Node) -> Checked {
        self.is_own_node(name, name)?;
        let config = |node: &Node| node.spec.as_ref()?.config_source.clone();
        let is_configured = config(new).is_some() && config(new) != config(old);
        let what = " is not allowed to update configSource to a new non-nil configSource";
        self.says_if(is_configured, name, what)?;
        let taints = |node: &Node| {
            node.spec.as_ref().and_then(|spec| spec.taints.clone()).unwrap_or_default()
        };
        self.says_if(taints(new) != taints(old), name, " is not allowed to modify taints")?;
        let owners = |node: &Node| node.metadata.owner_references.clone().unwrap_or_default();
        let what = " is not allowed to modify ownerReferences";
        self.says_if(owners(new) != owners(old), name, what)?;
        let labels = |node: &Node| node.metadata.labels.clone().unwrap_or_default();
        let (new, old) = (labels(new), labels(old));
        let changed = new.iter().chain(&old).filter(|(key, _)| new.get(*key) != old.get(*key));
        let labels = forbidden(changed.map(|(key, _)| key.as_str()));
        if labels.is_empty() {
            return Ok(());
        }
        self.no(name, ["is not allowed to modify labels: ", &labels].concat())
    }

    /// Only a Pod that shows what runs on the node anyway, and refers to nothing. That it has no account
    /// and no secrets is seen to for everybody.
    fn creates_pod(&self, name: &str, pod: &Pod) -> Checked {
        let no = |what: &str| self.no(name, self.says(what));
        if !is_mirror(pod) {
            let mirror = go_quote(MIRROR);
            let start = ["pod does not have ", &mirror, " annotation, "].concat();
            let what = self.says(" can only create mirror pods");
            return self.no(name, [start, what].concat());
        }
        if !self.has(pod) {
            return no(" can only create pods with spec.nodeName set to itself");
        }
        let owner = match pod.metadata.owner_references.as_deref().unwrap_or_default() {
            [] => return no(" can only create pods with an owner reference set to itself"),
            [owner] => owner,
            _ => return no(" can only create pods with a single owner reference set to itself"),
        };
        if (&*owner.api_version, &*owner.kind, &*owner.name) != ("v1", "Node", self.node()) {
            return no(" can only create pods with an owner reference set to itself");
        }
        if owner.controller != Some(true) {
            return no(" can only create pods with a controller owner reference set to itself");
        }
        if owner.block_owner_deletion == Some(true) {
            return no(" must not set blockOwnerDeletion on an owner reference");
        }
        let uid = self.server.uid_of(Kind::Node, "", self.node())?;
        if owner.uid != uid {
            let why = [
                &*["node ", self.node(), " UID mismatch: expected "].concat(),
                &uid,
                " got ",
                &owner.uid,
            ];
            return self.no(name, why.concat());
        }
        let spec = to_json(&*pod.spec);
        let spec = Part::of(Some(&spec));
        if !named(spec, &CONFIG_MAPS).is_empty() {
            return no(" can not create pods that reference configmaps");
        }
        let mut parts = projected(spec);
        if parts.any(|source| source.at("clusterTrustBundle").is_there()) {
            return no(" can not create pods that reference clustertrustbundles");
        }
        let mut volumes = spec.at("volumes").items();
        if volumes.any(|volume| volume.at("persistentVolumeClaim").is_there()) {
            return no(" can not create pods that reference persistentvolumeclaims");
        }
        Ok(())
    }

    /// Only a token that ends with a Pod on the node, for whom that Pod asks for one.
    fn creates_token(&self, name: &str) -> Checked {
        let no = |why: &str| self.no(name, why.to_owned());
        let spec = self.request.payload.json().at("spec");
        let bound = spec.at("boundObjectRef");
        let (pod, uid) = (bound.at("name").text(), bound.at("uid").text());
        if (bound.at("apiVersion").text(), bound.at("kind").text()) != ("v1", "Pod")
            || pod.is_empty()
        {
            return no("node requested token not bound to a pod");
        }
        if uid.is_empty() {
            return no("node requested token with a pod binding without a uid");
        }
        let pod = self.pod(pod)?;
        if pod.metadata.uid.as_deref() != Some(uid) {
            let why = [
                "the UID in the bound object reference (",
                uid,
                ") does not match the UID in record. The object might have been deleted and then \
                 recreated",
            ];
            return no(&why.concat());
        }
        if !self.has(pod) {
            return no("node requested token bound to a pod scheduled on a different node");
        }
        let mut audiences = spec.at("audiences").texts();
        let audience = audiences.next().unwrap_or_default();
        if audiences.next().is_some() {
            return no("node may only request 0 or 1 audiences");
        }
        // No token is mounted here without being asked for; upstream's is for the server itself.
        let mounted =
            audience.is_empty() && pod.spec.automount_service_account_token != Some(false);
        let json = to_json(&*pod.spec);
        let mut tokens = projected(Part::of(Some(&json)))
            .map(|source| source.at("serviceAccountToken"))
            .filter(|token| token.is_there());
        let wish = Attributes {
            verb: "request-serviceaccounts-token-audience".to_owned(),
            resource: audience.to_owned(),
            namespace: self.request.namespace().to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        };
        if mounted
            || tokens.any(|token| token.at("audience").text() == audience)
            || self.server.decide(&self.user, &wish).is_ok()
        {
            return Ok(());
        }
        let why = [
            "audience ",
            &go_quote(audience),
            " not found in pod spec volume, ",
            &self.user.name,
            " is not authorized to request tokens for this audience",
        ];
        no(&why.concat())
    }
}

/// What the projected volumes of a Pod are made of.
pub(super) fn projected(spec: Part<'_>) -> impl Iterator<Item = Part<'_>> {
    let volumes = spec.at("volumes").items();
    volumes.flat_map(|volume| volume.at("projected").at("sources").items())
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
