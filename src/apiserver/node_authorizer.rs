//! What a node's kubelet may do: what all kubelets need, and with objects that others must not see, only
//! what a Pod on that node has to do with.
//!
//! Upstream keeps a graph of who refers to whom. It is asked so seldom here that the node's Pods are
//! looked through each time.
//!
//! Mirrors: `plugin/pkg/auth/authorizer/node` and `NodeRules` of
//! `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`.

use super::server::ApiServer;
use crate::api::caller::{Attributes, User};
use crate::api::document::Part;
use crate::api::fields::FieldSelector;
use crate::api::text::go_quote;
use crate::api::words::MIRROR;
use crate::api::{Kind, Object, Pod, Resource as _, to_json};

/// The namespace of the nodes' leases.
pub(super) const NODE_LEASES: &str = "kube-node-lease";
pub(super) const ONLY_NODE_LEASES: &str =
    "can only access leases in the \"kube-node-lease\" system namespace";
pub(super) const OTHER_LEASE: &str =
    "can only access node lease with the same name as the requesting node";
pub(super) const OTHER_CSI_NODE: &str =
    "can only access CSINode with the same name as the requesting node";

const READ: &[&str] = &["get", "list", "watch"];
const CHANGE: &[&str] = &["update", "patch"];
const OWN: &[&str] = &["get", "create", "update", "patch", "delete"];

/// A group, verbs and resources.
type Rule = (&'static str, &'static [&'static str], &'static [&'static str]);

/// What every kubelet may do, of all that is not looked at more closely.
const RULES: [Rule; 8] = [
    ("authentication.k8s.io", &["create"], &["tokenreviews"]),
    ("authorization.k8s.io", &["create"], &["localsubjectaccessreviews", "subjectaccessreviews"]),
    ("", READ, &["services"]),
    ("", &["create", "update", "patch"], &["events"]),
    ("", &["get"], &["endpoints"]),
    ("certificates.k8s.io", &["create", "get", "list", "watch"], &["certificatesigningrequests"]),
    ("storage.k8s.io", READ, &["csidrivers"]),
    ("node.k8s.io", READ, &["runtimeclasses"]),
];

/// What is said of a wish without looking at objects.
enum Check {
    Allowed,
    /// Why not; empty if there is nothing to say.
    No(&'static str),
    /// It is another node that is to be read, or all of them.
    OtherNode,
    /// It is allowed with what a Pod on the node refers to.
    Related,
}

impl ApiServer {
    /// Whether `user` may do it because they are a kubelet.
    ///
    /// # Errors
    ///
    /// Why not; empty for who is none, and where there is nothing to say.
    pub(super) fn node_may(&self, user: &User, wish: &Attributes) -> Result<(), String> {
        let Some(node) = user.node() else { return Err(String::new()) };
        if node.is_empty() {
            return Err(["unknown node for user ", &go_quote(&user.name)].concat());
        }
        let name = &*wish.name;
        let words: &[&str] = match check(node, wish) {
            Check::Allowed => return Ok(()),
            Check::No(why) => &[why],
            Check::OtherNode if name.is_empty() => {
                &["node '", node, "' cannot read all nodes, only its own Node object"]
            }
            Check::OtherNode => {
                &["node '", node, "' cannot read '", name, "', only its own Node object"]
            }
            Check::Related if name.is_empty() => &["No Object name found"],
            Check::Related if self.is_related(node, &wish.resource, &wish.namespace, name) => {
                return Ok(());
            }
            Check::Related => &["no relationship found between node '", node, "' and this object"],
        };
        Err(words.concat())
    }

    /// Whether a Pod on `node` is that object, or refers to it.
    fn is_related(&self, node: &str, resource: &str, namespace: &str, name: &str) -> bool {
        if resource == "persistentvolumes" {
            let volume = self.object(Kind::PersistentVolume, "", name).and_then(Object::document);
            let claim = volume.map(|volume| volume.at("spec").at("claimRef"));
            return claim.is_some_and(|claim| self.has_claim(node, claim));
        }
        if resource == "volumeattachments" {
            let attachment = self.object(Kind::VolumeAttachment, "", name);
            let attachment = attachment.and_then(Object::document);
            return attachment.is_some_and(|it| it.at("spec").at("nodeName").text() == node);
        }
        let mut pods = self.objects(Kind::Pod).filter_map(Pod::unwrap);
        let related = pods.any(|pod| {
            pod.node_name.as_deref() == Some(node)
                && pod.metadata.namespace.as_deref() == Some(namespace)
                && refers(pod, resource, name)
        });
        related || resource == "secrets" && self.opens_volume(node, namespace, name)
    }

    /// Whether a Pod on `node` has the claim that `claim` refers to.
    fn has_claim(&self, node: &str, claim: Part<'_>) -> bool {
        let (namespace, name) = (claim.at("namespace").text(), claim.at("name").text());
        self.is_related(node, "persistentvolumeclaims", namespace, name)
    }

    /// Whether it takes a secret to mount the volume of a Pod on `node`.
    fn opens_volume(&self, node: &str, namespace: &str, secret: &str) -> bool {
        let mut volumes = self.objects(Kind::PersistentVolume).filter_map(Object::document);
        volumes.any(|volume| {
            let claim = volume.at("spec").at("claimRef");
            let mut opens = false;
            each_part(volume.at("spec"), &mut |key, part| {
                let (of, name) = match key {
                    "secretRef"
                    | "nodePublishSecretRef"
                    | "nodeStageSecretRef"
                    | "nodeExpandSecretRef" => ("namespace", "name"),
                    "azureFile" => ("secretNamespace", "secretName"),
                    _ => return,
                };
                let of = Some(part.at(of).text()).filter(|of| !of.is_empty());
                opens |= part.at(name).text() == secret
                    && of.unwrap_or(claim.at("namespace").text()) == namespace;
            });
            opens && self.has_claim(node, claim)
        })
    }
}

fn check(node: &str, wish: &Attributes) -> Check {
    use Check::{Allowed, No, OtherNode, Related};
    let (verb, part, name) = (&*wish.verb, &*wish.subresource, &*wish.name);
    let is = |verbs: &[&str]| verbs.contains(&verb);
    let resource = match &*wish.group {
        "" => &*wish.resource,
        "resource.k8s.io" if wish.resource == "resourceclaims" => "persistentvolumes",
        "storage.k8s.io" if wish.resource == "volumeattachments" => "persistentvolumes",
        "storage.k8s.io" if wish.resource == "csinodes" => "csinodes",
        "coordination.k8s.io" if wish.resource == "leases" => "leases",
        _ => "",
    };
    match (resource, part) {
        ("serviceaccounts", _) if !(is(&["get"]) && part.is_empty()) => match (verb, name, part) {
            ("create", "", _) => No("can only create tokens for individual service accounts"),
            ("create", _, "token") => Related,
            ("create", ..) => No("can only create token subresource of serviceaccount"),
            _ => No("can only create tokens for individual service accounts"),
        },
        ("secrets" | "configmaps" | "serviceaccounts", _) => match part {
            _ if !is(READ) => No("can only read resources of this type"),
            "" if wish.namespace.is_empty() => No("can only read namespaced object of this type"),
            "" => Related,
            _ => No("cannot read subresource"),
        },
        ("persistentvolumeclaims", "status") if is(CHANGE) => Related,
        ("persistentvolumeclaims", "status") => No("can only get/update/patch this type"),
        ("persistentvolumeclaims" | "persistentvolumes", _) => match part {
            _ if verb != "get" => No("can only get individual resources of this type"),
            "" => Related,
            _ => No("cannot get subresource"),
        },
        ("leases", _) if !is(OWN) => {
            No("can only get, create, update, patch, or delete a node lease")
        }
        ("leases", _) if wish.namespace != NODE_LEASES => No(ONLY_NODE_LEASES),
        ("leases", _) if verb != "create" && name != node => No(OTHER_LEASE),
        ("csinodes", _) if !is(OWN) => {
            No("can only get, create, update, patch, or delete a CSINode")
        }
        ("csinodes", "") if verb != "create" && name != node => No(OTHER_CSI_NODE),
        ("csinodes", part) if !part.is_empty() => No("cannot authorize CSINode subresources"),
        ("nodes", "") if is(READ) && name != node => OtherNode,
        ("pods", "") if verb == "get" => Related,
        ("pods", "") if is(READ) && selects_own(node, &wish.field_selector) => Allowed,
        ("pods", "") if is(READ) && !name.is_empty() => Related,
        ("pods", "") if is(READ) => {
            No("can only list/watch pods with spec.nodeName field selector")
        }
        ("leases" | "csinodes", _) => Allowed,
        ("nodes", "") if is(READ) || is(CHANGE) || verb == "create" => Allowed,
        ("pods", "") if is(&["create", "delete"]) => Allowed,
        ("pods", "eviction") if verb == "create" => Allowed,
        ("nodes" | "pods", "status") if is(CHANGE) => Allowed,
        _ => {
            let whole = wish.whole_resource();
            let mut rules = RULES.iter();
            let allows = |(group, verbs, resources): &Rule| {
                *group == wish.group && is(verbs) && resources.contains(&&*whole)
            };
            if rules.any(allows) { Allowed } else { No("") }
        }
    }
}

fn selects_own(node: &str, selector: &str) -> bool {
    let selector = FieldSelector::parse(selector);
    selector.is_ok_and(|selector| selector.required_value("spec.nodeName") == Some(node))
}

/// Whether a Pod only shows what runs on its node anyway.
pub(super) fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(MIRROR))
}

/// Whether a Pod is that object, or refers to it; one that only shows what runs anyway refers to nothing.
fn refers(pod: &Pod, resource: &str, name: &str) -> bool {
    let own = pod.metadata.name.as_deref().unwrap_or_default();
    match resource {
        "pods" => return own == name,
        _ if is_mirror(pod) => return false,
        "serviceaccounts" => return pod.spec.service_account_name.as_deref() == Some(name),
        _ => {}
    }
    let spec = to_json(&*pod.spec);
    let spec = Part::of(Some(&spec));
    let made = name.strip_prefix(own).and_then(|rest| rest.strip_prefix('-'));
    named(spec, resource).contains(&name)
        || resource == "persistentvolumeclaims"
            && made.is_some_and(|volume| named(spec, "ephemeral").contains(&volume))
}

/// What the spec of a Pod refers to, by name: secrets, config maps and claims. Of what is made for it,
/// how it says so: claims by their volume, tokens by their audience, bundles by their path.
pub(super) fn named<'a>(spec: Part<'a>, resource: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    each_part(spec, &mut |key, part| {
        let field = match (resource, key) {
            (
                "secrets",
                "secretKeyRef" | "secretRef" | "nodePublishSecretRef" | "imagePullSecrets",
            )
            | ("configmaps", "configMapKeyRef" | "configMapRef" | "configMap") => "name",
            ("ephemeral", "volumes") if part.at("ephemeral").is_there() => "name",
            // Within a projected volume.
            ("secrets", "secret") if part.at("name").is_there() => "name",
            ("secrets", "secret" | "azureFile") => "secretName",
            ("persistentvolumeclaims", "persistentVolumeClaim") => "claimName",
            ("tokens", "serviceAccountToken") => "audience",
            ("clustertrustbundles", "clusterTrustBundle") => "path",
            _ => return,
        };
        names.push(part.at(field).text());
    });
    names
}

/// Every object within another, with its key or that of its list. What people call as they like is no
/// object in what this is asked of.
fn each_part<'a>(of: Part<'a>, see: &mut dyn FnMut(&'a str, Part<'a>)) {
    for (key, part) in of.entries() {
        if part.value().is_object() {
            see(key, part);
            each_part(part, see);
        }
        for item in part.items() {
            see(key, item);
            each_part(item, see);
        }
    }
}
