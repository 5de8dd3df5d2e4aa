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
pub(super) const OTHER_LEASE: &str =
    "can only access node lease with the same name as the requesting node";

const READ: &[&str] = &["get", "list", "watch"];
const CHANGE: &[&str] = &["update", "patch"];
const OWN: &[&str] = &["get", "create", "update", "patch", "delete"];

/// What every kubelet may do, of all that is not looked at more closely: a group, verbs and resources.
const RULES: [(&str, &[&str], &[&str]); 8] = [
    ("authentication.k8s.io", &["create"], &["tokenreviews"]),
    ("authorization.k8s.io", &["create"], &["localsubjectaccessreviews", "subjectaccessreviews"]),
    ("", READ, &["services"]),
    ("", &["create", "update", "patch"], &["events"]),
    ("", &["get"], &["endpoints"]),
    ("certificates.k8s.io", &["create", "get", "list", "watch"], &["certificatesigningrequests"]),
    ("storage.k8s.io", READ, &["csidrivers"]),
    ("node.k8s.io", READ, &["runtimeclasses"]),
];

/// What is to be seen to before an answer.
enum Check {
    /// May be done, or not and why; the reason may be empty.
    Done(Result<(), String>),
    /// May be done with what a Pod on the node refers to.
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
        match check(node, wish) {
            Check::Done(answer) => answer,
            Check::Related if wish.name.is_empty() => Err("No Object name found".to_owned()),
            Check::Related
                if self.is_related(node, &wish.resource, &wish.namespace, &wish.name) =>
            {
                Ok(())
            }
            Check::Related => {
                Err(["no relationship found between node '", node, "' and this object"].concat())
            }
        }
    }

    /// Whether a Pod on `node` is that object, or refers to it.
    fn is_related(&self, node: &str, resource: &str, namespace: &str, name: &str) -> bool {
        if resource == "persistentvolumes" {
            let volume = self.object(Kind::PersistentVolume, "", name).and_then(Object::document);
            let claim = volume.map(|volume| volume.at("spec").at("claimRef"));
            return claim.is_some_and(|claim| self.has_claim(node, claim));
        }
        let pods = self.objects(Kind::Pod).filter_map(Pod::unwrap);
        let mut own = pods.filter(|pod| {
            pod.node_name.as_deref() == Some(node)
                && pod.metadata.namespace.as_deref() == Some(namespace)
        });
        own.any(|pod| match resource {
            "pods" => pod.metadata.name.as_deref() == Some(name),
            _ => !is_mirror(pod) && refers(pod, resource, name),
        }) || resource == "secrets" && self.opens_volume(node, namespace, name)
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
            let is_there = |(of, name): (&str, &str)| {
                name == secret
                    && namespace == if of.is_empty() { claim.at("namespace").text() } else { of }
            };
            let named =
                |from: Part<'_>| is_there((from.at("namespace").text(), from.at("name").text()));
            let mut sources = volume.at("spec").entries();
            sources.any(|(_, source)| {
                let parts = [
                    "secretRef",
                    "nodePublishSecretRef",
                    "nodeStageSecretRef",
                    "nodeExpandSecretRef",
                ];
                parts.iter().any(|part| named(source.at(part)))
                    || is_there((
                        source.at("secretNamespace").text(),
                        source.at("secretName").text(),
                    ))
            }) && self.has_claim(node, claim)
        })
    }
}

/// What is said of a wish without looking at objects.
fn check(node: &str, wish: &Attributes) -> Check {
    let (verb, part, name) = (&*wish.verb, &*wish.subresource, &*wish.name);
    let is = |verbs: &[&str]| verbs.contains(&verb);
    let no = |why: &str| Check::Done(Err(why.to_owned()));
    let allowed_if = |allowed| Check::Done(if allowed { Ok(()) } else { Err(String::new()) });
    let reads = || {
        if !is(READ) {
            no("can only read resources of this type")
        } else if !part.is_empty() {
            no("cannot read subresource")
        } else if wish.namespace.is_empty() {
            no("can only read namespaced object of this type")
        } else {
            Check::Related
        }
    };
    let gets = || match (verb, part) {
        ("get", "") => Check::Related,
        ("get", _) => no("cannot get subresource"),
        _ => no("can only get individual resources of this type"),
    };
    match (&*wish.group, &*wish.resource) {
        ("", "secrets" | "configmaps") => reads(),
        ("", "persistentvolumeclaims") if part == "status" => {
            if is(CHANGE) {
                Check::Related
            } else {
                no("can only get/update/patch this type")
            }
        }
        ("", "persistentvolumeclaims" | "persistentvolumes")
        | ("resource.k8s.io", "resourceclaims")
        | ("storage.k8s.io", "volumeattachments") => gets(),
        ("", "serviceaccounts") => match (verb, part) {
            ("get", "") => reads(),
            ("create", "token") if !name.is_empty() => Check::Related,
            ("create", _) if !name.is_empty() => {
                no("can only create token subresource of serviceaccount")
            }
            _ => no("can only create tokens for individual service accounts"),
        },
        ("coordination.k8s.io", "leases") => {
            if !is(OWN) {
                no("can only get, create, update, patch, or delete a node lease")
            } else if wish.namespace != NODE_LEASES {
                Check::Done(Err(only_node_leases()))
            } else if verb != "create" && name != node {
                no(OTHER_LEASE)
            } else {
                allowed_if(true)
            }
        }
        ("storage.k8s.io", "csinodes") => {
            if !is(OWN) {
                no("can only get, create, update, patch, or delete a CSINode")
            } else if !part.is_empty() {
                no("cannot authorize CSINode subresources")
            } else if verb != "create" && name != node {
                no("can only access CSINode with the same name as the requesting node")
            } else {
                allowed_if(true)
            }
        }
        ("", "nodes") if part.is_empty() && is(READ) && name != node => {
            let whom = if name.is_empty() { "all nodes" } else { &["'", name, "'"].concat() };
            let only = ", only its own Node object";
            Check::Done(Err(["node '", node, "' cannot read ", whom, only].concat()))
        }
        ("", "nodes") => allowed_if(match part {
            "" => is(READ) || is(CHANGE) || verb == "create",
            "status" => is(CHANGE),
            _ => false,
        }),
        ("", "pods") => match (part, verb) {
            ("", "get") => gets(),
            ("", "list" | "watch") if selects_own(node, &wish.field_selector) => allowed_if(true),
            ("", "list" | "watch") if !name.is_empty() => Check::Related,
            ("", "list" | "watch") => {
                no("can only list/watch pods with spec.nodeName field selector")
            }
            _ => allowed_if(match part {
                "" => is(&["create", "delete"]),
                "status" => is(CHANGE),
                "eviction" => verb == "create",
                _ => false,
            }),
        },
        (group, _) => {
            let whole = wish.whole_resource();
            allowed_if(RULES.iter().any(|(of, verbs, resources)| {
                *of == group && is(verbs) && resources.contains(&&*whole)
            }))
        }
    }
}

pub(super) fn only_node_leases() -> String {
    ["can only access leases in the ", &go_quote(NODE_LEASES), " system namespace"].concat()
}

fn selects_own(node: &str, selector: &str) -> bool {
    let selector = FieldSelector::parse(selector);
    selector.is_ok_and(|selector| selector.required_value("spec.nodeName") == Some(node))
}

/// Whether a Pod only shows what runs on its node anyway.
pub(super) fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(MIRROR))
}

/// Whether a Pod refers to the object of that name.
fn refers(pod: &Pod, resource: &str, name: &str) -> bool {
    if resource == "serviceaccounts" {
        return pod.spec.service_account_name.as_deref() == Some(name);
    }
    let spec = to_json(&*pod.spec);
    let spec = Part::of(Some(&spec));
    match resource {
        "secrets" => named(spec, &SECRETS).contains(&name),
        "configmaps" => named(spec, &CONFIG_MAPS).contains(&name),
        "persistentvolumeclaims" => spec.at("volumes").items().any(|volume| {
            let own = [pod.metadata.name.as_deref().unwrap_or_default(), "-"].concat();
            volume.at("persistentVolumeClaim").at("claimName").text() == name
                || volume.at("ephemeral").is_there()
                    && name.strip_prefix(&own) == Some(volume.at("name").text())
        }),
        _ => false,
    }
}

/// How Pods refer to objects of a kind: by a variable, by all variables of a container, as a volume, and
/// by name in it.
pub(super) struct Named(&'static str, &'static str, &'static str, &'static str);

pub(super) const SECRETS: Named = Named("secretKeyRef", "secretRef", "secret", "secretName");
pub(super) const CONFIG_MAPS: Named = Named("configMapKeyRef", "configMapRef", "configMap", "name");

/// The names of the secrets or config maps that the spec of a Pod refers to.
pub(super) fn named<'a>(spec: Part<'a>, how: &Named) -> Vec<&'a str> {
    let Named(variable, variables, volume, in_volume) = how;
    let mut names = Vec::new();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.at(list).items() {
            let one = container.at("env").items();
            names.extend(one.map(|env| env.at("valueFrom").at(variable).at("name").text()));
            let all = container.at("envFrom").items();
            names.extend(all.map(|from| from.at(variables).at("name").text()));
        }
    }
    for own in spec.at("volumes").items() {
        names.push(own.at(volume).at(in_volume).text());
        let parts = own.at("projected").at("sources").items();
        names.extend(parts.map(|source| source.at(volume).at("name").text()));
        if *volume == SECRETS.2 {
            for (_, source) in own.entries() {
                names.push(source.at("secretName").text());
                names.push(source.at("secretRef").at("name").text());
                names.push(source.at("nodePublishSecretRef").at("name").text());
            }
        }
    }
    if *volume == SECRETS.2 {
        names.extend(spec.at("imagePullSecrets").items().map(|secret| secret.at("name").text()));
    }
    names.retain(|name| !name.is_empty());
    names
}
