//! What is told of an object that is valid, and may yet not do what its author expects.
//!
//! Mirrors: `WarningsOnCreate` and `WarningsOnUpdate` of `pkg/registry/*/*/strategy.go`, and the
//! `warnings.go` of `pkg/api`. Left out: addresses that are written in unusual ways.

mod files;
mod pod;

use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::words::{CLUSTER_IP, EXTERNAL_NAME};
use crate::api::{Kind, Object, names};

/// The warnings of one object, in the order in which upstream tells them.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn at(&mut self, path: &Path, words: &str) {
        self.0.push(format!("{path}: {words}"));
    }
}

/// Where the kinds that make Pods say what those are, and whether their own name becomes part of each
/// Pod's.
const TEMPLATES: &[(Kind, &[&str], bool)] = &[
    (Kind::Pod, &[], true),
    (Kind::PodTemplate, &["template"], false),
    (Kind::ReplicationController, &["spec", "template"], true),
    (Kind::Deployment, &["spec", "template"], true),
    (Kind::ReplicaSet, &["spec", "template"], true),
    (Kind::StatefulSet, &["spec", "template"], false),
    (Kind::DaemonSet, &["spec", "template"], false),
    (Kind::Job, &["spec", "template"], true),
    (Kind::CronJob, &["spec", "jobTemplate", "spec", "template"], true),
];

const CLASS: &str = "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since \
                     v1.8; use \"storageClassName\" attribute instead";
/// Annotations that something else stands for by now.
const ANNOTATIONS: &[(Kind, &str, &str)] = &[
    (Kind::PersistentVolume, "volume.beta.kubernetes.io/storage-class", CLASS),
    (Kind::PersistentVolumeClaim, "volume.beta.kubernetes.io/storage-class", CLASS),
    (
        Kind::ServiceAccount,
        "kubernetes.io/enforce-mountable-secrets",
        "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer \
         separate namespaces to isolate access to mounted secrets",
    ),
    (
        Kind::Service,
        "service.kubernetes.io/topology-aware-hints",
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use \
         service.kubernetes.io/topology-mode instead",
    ),
    (
        Kind::Ingress,
        "kubernetes.io/ingress.class",
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use \
         'spec.ingressClassName' instead",
    ),
];

/// Names that labels of nodes once had, when they were replaced, and what they are called now.
const LABELS: &[(&str, &str, &str)] = &[
    ("beta.kubernetes.io/arch", "1.14", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "1.14", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "1.17", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "1.17", "topology.kubernetes.io/zone"),
    ("beta.kubernetes.io/instance-type", "1.17", "node.kubernetes.io/instance-type"),
];

/// Looks at a spec, which is at a path.
type Look = fn(&mut Told, Part<'_>, &Path);

/// Kinds whose spec has something else to tell.
const OWN: &[(Kind, Look)] = &[
    (Kind::StatefulSet, stateful_set),
    (Kind::Service, service),
    (Kind::PersistentVolumeClaim, claim),
    (Kind::PersistentVolume, volume),
    (Kind::Node, node),
];

/// What whoever writes `object`, which was `old` before, is warned of.
pub fn of(object: &Object, old: Option<&Object>) -> Vec<String> {
    let (kind, generation) = (object.kind(), object.meta().generation);
    // Pods are changed too often to look at them again, and others count what matters.
    let is_as_it_was = |old: &Object| generation.is_some() && old.meta().generation == generation;
    if old.is_some_and(|old| kind == Kind::Pod || is_as_it_was(old)) {
        return Vec::new();
    }
    let json = object.to_json();
    let (whole, mut out) = (Part::of(Some(&json)), Told::default());
    let (spec, path) = (whole.at("spec"), Path::new("spec"));
    let annotations = whole.at("metadata").at("annotations");
    for (_, key, words) in ANNOTATIONS.iter().filter(|(of, ..)| *of == kind) {
        if annotations.at(key).is_there() && !spec.at("ingressClassName").is_there() {
            out.0.push((*words).to_owned());
        }
    }
    if let Some((_, to, names_pods)) = TEMPLATES.iter().find(|(of, ..)| *of == kind) {
        if old.is_none() && *names_pods {
            name(&mut out, kind, object.name());
        }
        let (mut template, mut at) = (whole, None::<Path>);
        for field in *to {
            if let Some(path) = at.as_ref().filter(|_| *field == "template") {
                many_indexes(&mut out, template, path);
            }
            at = Some(Path::below(at.as_ref(), field));
            template = template.at(field);
        }
        pod::template(&mut out, template, at.as_ref());
    }
    if kind == Kind::StorageClass {
        let root = Path::new("allowedTopologies");
        for (index, term) in whole.at("allowedTopologies").items().enumerate() {
            each(&mut out, term, &root.index(index), "matchLabelExpressions", |out, it, path| {
                renamed(out, it.at("key").text(), "", &path.child("key"));
            });
        }
    } else if kind == Kind::CSIStorageCapacity {
        topology(&mut out, whole.at("nodeTopology"), &Path::new("nodeTopology"));
    }
    if let Some((_, own)) = OWN.iter().find(|(of, _)| *of == kind) {
        own(&mut out, spec, &path);
    }
    out.0
}

/// A name that no host can have.
fn name(out: &mut Told, kind: Kind, name: &str) {
    let wrong = names::dns1123_label(name);
    if !wrong.is_empty() {
        let of = if kind == Kind::Pod { "the Pod's hostname" } else { "Pod names and hostnames" };
        let words = format!(
            "this is used in {of}, which can result in surprising behavior; a DNS label is \
             recommended: [{}]",
            wrong.join(" "),
        );
        out.at(&Path::new("metadata").child("name"), &words);
    }
}

/// Very many Pods with an index, of which the status of a job may not hold all.
fn many_indexes(out: &mut Told, job: Part<'_>, path: &Path) {
    if job.at("completionMode").text() == "Indexed"
        && job.at("completions").number() > Some(100_000)
        && job.at("parallelism").number() > Some(10_000)
    {
        let words = "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism \
                     higher than 10^4, Kubernetes might not be able to track completedIndexes when a \
                     big number of indexes fail";
        out.at(path, words);
    }
}

fn volume(out: &mut Told, spec: Part<'_>, path: &Path) {
    if spec.at("persistentVolumeReclaimPolicy").text() == "Recycle" {
        let words = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to \
                     use dynamic provisioning.";
        out.at(&path.child("persistentVolumeReclaimPolicy"), words);
    }
    let (own, at) = (spec.at("nodeAffinity"), path.child("nodeAffinity"));
    each(out, own.at("required"), &at.child("required"), "nodeSelectorTerms", |out, term, path| {
        each(out, term, path, "matchExpressions", requirement);
    });
}

/// Which nodes have access to storage.
fn topology(out: &mut Told, nodes: Part<'_>, path: &Path) {
    each(out, nodes, path, "matchExpressions", requirement);
    for (label, _) in nodes.at("matchLabels").entries() {
        renamed(out, label, "", &path.child("matchLabels").child(label.to_owned()));
    }
}

fn node(out: &mut Told, spec: Part<'_>, path: &Path) {
    if !spec.at("externalID").text().is_empty() {
        let words = "this field is deprecated, and is unused by Kubernetes";
        out.at(&path.child("externalID"), words);
    }
}

fn stateful_set(out: &mut Told, spec: Part<'_>, path: &Path) {
    each(out, spec, path, "volumeClaimTemplates", |out, template, path| {
        claim(out, template.at("spec"), path);
    });
    if spec.at("revisionHistoryLimit").number().is_some_and(|limit| limit < 0) {
        let words =
            "a negative value retains all historical revisions; a value >= 0 is recommended";
        out.at(&path.child("revisionHistoryLimit"), words);
    }
}

fn service(out: &mut Told, spec: Part<'_>, path: &Path) {
    let (of, outside) = (spec.at("type").text(), spec.at("externalIPs"));
    let balancer = spec.at("loadBalancerIP").text();
    let is_headless = spec.at("clusterIP").text() == "None";
    let mut ignored = |is_there: bool, field: &str, when: &str| {
        if is_there {
            out.0.push(format!("spec.{field} is ignored {when}"));
        }
    };
    if of == CLUSTER_IP && is_headless {
        let when = "for headless services";
        ignored(!balancer.is_empty(), "loadBalancerIP", when);
        ignored(!outside.is_empty(), "externalIPs", when);
        ignored(spec.at("sessionAffinity").text() != "None", "SessionAffinity", when);
    }
    let named = of == EXTERNAL_NAME;
    let name = spec.at("externalName").text();
    ignored(named && !outside.is_empty(), "externalIPs", "when spec.type is \"ExternalName\"");
    let when = "when spec.type is not \"ExternalName\"";
    ignored(!named && !name.is_empty(), "externalName", when);
    if spec.at("trafficDistribution").text() == "PreferClose" {
        let words = "\"PreferClose\" is deprecated; use \"PreferSameZone\"";
        out.at(&path.child("trafficDistribution"), words);
    }
}

/// The spec of a claim.
fn claim(out: &mut Told, spec: Part<'_>, path: &Path) {
    let (resources, path) = (spec.at("resources"), path.child("resources"));
    whole_bytes(out, resources, "requests", "storage", &path);
    whole_bytes(out, resources, "limits", "storage", &path);
}

/// Nothing in a list of resources has a part of a byte.
fn whole_bytes(out: &mut Told, of: Part<'_>, list: &'static str, name: &str, path: &Path) {
    let amount = of.at(list).at(name);
    if amount.quantity().is_some_and(|amount| amount.milli_value() % 1_000 != 0) {
        let words =
            format!("fractional byte value {:?} is invalid, must be an integer", amount.text());
        out.at(&path.child(list).key(name), &words);
    }
}

/// Looks at every item of a list.
fn each(out: &mut Told, of: Part<'_>, path: &Path, list: &'static str, look: Look) {
    for (index, item) in of.at(list).items().enumerate() {
        look(out, item, &path.child(list).index(index));
    }
}

/// What is said of a label of nodes that has another name now; `shown` is said before that.
fn renamed(out: &mut Told, label: &str, shown: &str, path: &Path) {
    if let Some((_, since, new)) = LABELS.iter().find(|(old, ..)| *old == label) {
        let is = if shown.is_empty() { "" } else { " is " };
        out.at(path, &format!("{shown}{is}deprecated since v{since}; use \"{new}\" instead"));
    }
}

/// What a term demands of the labels of nodes.
fn requirement(out: &mut Told, requirement: Part<'_>, path: &Path) {
    let key = requirement.at("key").text();
    renamed(out, key, key, &path.child("key"));
}
