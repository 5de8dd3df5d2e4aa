//! What `VolumeBinding` reserves for a pod, and whether it is so by now: the claims that waited for the pod
//! are bound to volumes that its node has.
//!
//! Mirrors: `checkBindings` of `volumebinding/binder.go`, `GetBindVolumeToClaim` of
//! `component-helpers/storage/volume`.

use serde_json::{Value, json};

use super::place::Place;
use super::{annotation, name, volume_name};
use crate::api::{Document, Kind};
use crate::scheduler::framework::{Reserved, Snapshot};
use crate::scheduler::node_info::{NodeInfo, PodInfo};

/// The node that a volume is to be made for.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// The volume as the claim's own; as it is, if it is that already.
pub fn bound(volume: &Document, claim: &Document) -> Document {
    let (by, meta) = (volume.at("spec").at("claimRef"), &claim.metadata);
    let was_put_aside = is_for(volume, claim);
    let mut volume = volume.clone();
    if was_put_aside && Some(by.at("uid").text()) == meta.uid.as_deref() {
        return volume;
    }
    if let Some(Value::Object(spec)) = volume.fields_mut().get_mut("spec") {
        let claim = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "name": meta.name,
            "namespace": meta.namespace,
            "resourceVersion": meta.resource_version,
            "uid": meta.uid,
        });
        spec.insert("claimRef".to_owned(), claim);
    }
    if !was_put_aside && annotation(&volume, BOUND_BY_CONTROLLER).is_none() {
        annotate(&mut volume, BOUND_BY_CONTROLLER, "yes");
    }
    volume
}

/// The claim with the word that a volume is to be made for it on a node.
pub fn made_for(claim: &Document, node: &str) -> Document {
    let mut claim = claim.clone();
    annotate(&mut claim, SELECTED_NODE, node);
    claim
}

fn annotate(document: &mut Document, key: &str, value: &str) {
    document.metadata.annotations_mut().insert(key.to_owned(), value.to_owned());
}

/// Whether a volume is put aside for a claim.
pub fn is_for(volume: &Document, claim: &Document) -> bool {
    let (by, meta) = (volume.at("spec").at("claimRef"), &claim.metadata);
    let uid = by.at("uid").text();
    by.at("name").text() == name(claim)
        && Some(by.at("namespace").text()) == meta.namespace.as_deref()
        && (uid.is_empty() || Some(uid) == meta.uid.as_deref())
}

/// Whether a claim has its volume.
pub fn is_bound(claim: &Document) -> bool {
    !volume_name(claim).is_empty() && annotation(claim, BIND_COMPLETED).is_some()
}

/// Whether all that was reserved for `pod` is so by now; `cluster` tells what is stored.
///
/// # Errors
///
/// Why it will never be, so that the pod is better tried anew.
pub fn is_done(
    pod: &PodInfo,
    reserved: &Reserved<'_>,
    cluster: &dyn Snapshot,
) -> Result<bool, String> {
    let Some(node) = reserved.node else {
        let node = reserved.node_name;
        return Err(format!("failed to get node \"{node}\": node \"{node}\" not found"));
    };
    if !reserved.is_wanted {
        let pod = pod.pod.metadata.name.as_deref().unwrap_or_default();
        return Err(format!("pod does not exist any more: pod \"{pod}\" not found"));
    }
    for written in reserved.documents {
        let is_done = if written.kind() == Kind::PersistentVolume {
            is_given(written, node, cluster)
        } else {
            is_made(written, node, cluster)
        };
        if !is_done? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a volume was given to the claim for which it was `written`.
fn is_given(written: &Document, node: &NodeInfo, cluster: &dyn Snapshot) -> Result<bool, String> {
    let failed = |missing: String| format!("failed to check binding: {missing}");
    let of = written.at("spec").at("claimRef");
    let (namespace, claim) = (of.at("namespace").text(), of.at("name").text());
    let volume = stored(cluster, Kind::PersistentVolume, "", name(written)).map_err(failed)?;
    let claim = stored(cluster, Kind::PersistentVolumeClaim, namespace, claim).map_err(failed)?;
    if is_older(volume, written) {
        return Ok(false);
    }
    check_place(volume, node, cluster)?;
    if volume.at("spec").at("claimRef").at("uid").text().is_empty() {
        return Err(format!("ClaimRef got reset for pv \"{}\"", name(volume)));
    }
    Ok(is_bound(claim))
}

/// Whether a volume was made for a claim, which was `written` with the node to make it for.
fn is_made(written: &Document, node: &NodeInfo, cluster: &dyn Snapshot) -> Result<bool, String> {
    let namespace = written.metadata.namespace.as_deref().unwrap_or_default();
    let claim = stored(cluster, Kind::PersistentVolumeClaim, namespace, name(written))
        .map_err(|missing| format!("failed to check provisioning pvc: {missing}"))?;
    if is_older(claim, written) {
        return Ok(false);
    }
    if claim.metadata.annotations.as_ref().is_none_or(|them| them.is_empty()) {
        return Err(format!("selectedNode annotation reset for PVC \"{}\"", name(claim)));
    }
    // Who was to make the volume takes the node away to have another one chosen.
    if annotation(claim, SELECTED_NODE) != Some(&*node.name) {
        return Err(format!("provisioning failed for PVC \"{}\"", name(claim)));
    }
    if !volume_name(claim).is_empty() {
        // The news of the volume may come after those of the claim.
        let volume = cluster.document(Kind::PersistentVolume, "", volume_name(claim));
        let Some(volume) = volume else { return Ok(false) };
        check_place(volume, node, cluster)?;
    }
    Ok(is_bound(claim))
}

fn stored<'a>(
    cluster: &'a dyn Snapshot,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<&'a Document, String> {
    cluster.document(kind, namespace, name).ok_or_else(|| {
        let slash = if namespace.is_empty() { "" } else { "/" };
        format!("{} \"{namespace}{slash}{name}\" not found", kind.resource().plural)
    })
}

/// Whether what is known of an object is from before it was written.
fn is_older(known: &Document, written: &Document) -> bool {
    let version = |document: &Document| -> u64 {
        let version = document.metadata.resource_version.as_deref();
        version.and_then(|version| version.parse().ok()).unwrap_or_default()
    };
    version(known) < version(written)
}

/// Whether a node has a volume: its labels may have changed since it was chosen.
fn check_place(volume: &Document, node: &NodeInfo, cluster: &dyn Snapshot) -> Result<(), String> {
    if Place::on(volume, cluster.document(Kind::CSINode, "", &node.name)).has(node) {
        return Ok(());
    }
    let (volume, node) = (name(volume), &node.name);
    Err(format!(
        "pv \"{volume}\" node affinity doesn't match node \"{node}\": no matching NodeSelectorTerms"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(kind: Kind, json: &Value) -> Document {
        Document::from_json(kind, json).unwrap().object
    }

    /// What becomes of a volume with this reference and these annotations: both.
    fn reserved(reference: &Value, annotations: &Value) -> (Value, Value) {
        let claim = json!({"metadata": {
            "name": "c", "namespace": "default", "uid": "u", "resourceVersion": "7",
        }});
        let claim = document(Kind::PersistentVolumeClaim, &claim);
        let volume = json!({
            "metadata": {"name": "v", "annotations": annotations}, "spec": {"claimRef": reference},
        });
        let volume = bound(&document(Kind::PersistentVolume, &volume), &claim);
        let of = volume.at("spec").at("claimRef").value().clone();
        (of, json!(volume.metadata.annotations))
    }

    #[test]
    fn a_volume_becomes_the_claims_own_and_tells_who_did_so() {
        let own = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "c",
            "namespace": "default", "resourceVersion": "7", "uid": "u",
        });
        let by = |word: &str| json!({BOUND_BY_CONTROLLER: word});
        assert_eq!(reserved(&Value::Null, &Value::Null), (own.clone(), by("yes")));
        assert_eq!(reserved(&Value::Null, &by("x")), (own.clone(), by("x")));
        // Somebody has put it aside.
        let aside = json!({"name": "c", "namespace": "default"});
        assert_eq!(reserved(&aside, &Value::Null), (own, Value::Null));
        // It is the claim's already.
        let already = json!({"name": "c", "namespace": "default", "uid": "u"});
        assert_eq!(reserved(&already, &Value::Null), (already, Value::Null));
    }
}
