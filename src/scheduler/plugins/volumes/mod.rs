//! What pods mount: the claims that they name, and the volumes behind those.

mod binding;
mod built_in;
mod limits;
mod place;
mod reserving;
mod restrictions;
mod zone;

use std::borrow::Cow;

pub use binding::{VolumeBinding, Volumes};
pub use limits::{FullNodes, NodeVolumeLimits};
pub use restrictions::VolumeRestrictions;
pub use zone::{VolumeZone, Zones};

use crate::api::document::{Fragment, Part};
use crate::api::{Document, Kind, Pod};
use crate::scheduler::framework::{Snapshot, Verdict};
use crate::scheduler::node_info::PodInfo;

const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const WAIT_FOR_FIRST_CONSUMER: &str = "WaitForFirstConsumer";

/// A claim that a pod mounts.
struct Mount<'a> {
    name: Cow<'a, str>,
    /// Whether it is made for this pod alone.
    ephemeral: bool,
}

/// The volumes of a pod.
fn volumes(pod: &Pod) -> impl Iterator<Item = Part<'_>> {
    Fragment::part(&pod.spec.volumes).items()
}

/// The claims that a pod mounts, in the order of its volumes.
fn mounts(pod: &Pod) -> impl Iterator<Item = Mount<'_>> {
    let own = pod.metadata.name.as_deref().unwrap_or_default();
    volumes(pod).filter_map(move |volume| {
        let claim = volume.at("persistentVolumeClaim");
        if claim.is_there() {
            let name = Cow::Borrowed(claim.at("claimName").text());
            return Some(Mount { name, ephemeral: false });
        }
        let name = || Cow::Owned([own, "-", volume.at("name").text()].concat());
        volume.at("ephemeral").is_there().then(|| Mount { name: name(), ephemeral: true })
    })
}

/// Those of them that the pod names: none that is made for it alone.
fn named(pod: &Pod) -> impl Iterator<Item = Mount<'_>> {
    mounts(pod).filter(|mount| !mount.ephemeral)
}

/// Whether a pod mounts the claim called so in its namespace.
fn mounts_claim(pod: &Pod, claim: &Document) -> bool {
    pod.metadata.namespace == claim.metadata.namespace
        && mounts(pod).any(|mount| Some(&*mount.name) == claim.metadata.name.as_deref())
}

/// The claim of a pod that is called so.
fn claim<'a>(
    cluster: &'a dyn Snapshot,
    pod: &PodInfo,
    name: &str,
) -> Result<&'a Document, Verdict> {
    let found = cluster.document(Kind::PersistentVolumeClaim, pod.namespace(), name);
    found.ok_or_else(|| not_found(Kind::PersistentVolumeClaim, name))
}

fn not_found(kind: Kind, name: &str) -> Verdict {
    let resource = kind.resource();
    let dot = if resource.group.is_empty() { "" } else { "." };
    let (one, group) = (resource.singular(), resource.group);
    Verdict::unresolvable(format!("{one}{dot}{group} \"{name}\" not found"))
}

fn name(document: &Document) -> &str {
    document.metadata.name.as_deref().unwrap_or_default()
}

fn annotation<'a>(document: &'a Document, key: &str) -> Option<&'a str> {
    document.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// The storage class of a claim or a volume; empty if it has none.
fn class(document: &Document) -> &str {
    let named = || document.at("spec").at("storageClassName").text();
    annotation(document, BETA_CLASS).unwrap_or_else(named)
}

/// The volume that a claim names; empty if it names none.
fn volume_name(claim: &Document) -> &str {
    claim.at("spec").at("volumeName").text()
}

/// Whether the claims of a class are bound when a pod needs them.
fn waits(class: &Document) -> bool {
    class.at("volumeBindingMode").text() == WAIT_FOR_FIRST_CONSUMER
}
