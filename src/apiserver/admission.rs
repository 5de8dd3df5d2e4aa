//! What admission adds to pods.

use std::rc::Rc;

use k8s_openapi::api::core::v1 as core;

use super::strategy::group_resource;
use crate::api::status::StatusError;
use crate::api::wire::PodSpec;
use crate::api::words::NO_EXECUTE;
use crate::api::{Kind, Object, ObjectMeta};

/// 403 of a plugin, of an object that may have no name yet.
///
/// Mirrors: `apiserver/pkg/admission/errors.go`.
pub(super) fn forbidden(kind: Kind, meta: &ObjectMeta, why: String) -> StatusError {
    StatusError::forbidden(group_resource(kind.resource()), name_of(meta), why)
}

/// What a plugin calls an object: by its name, or by what its name is to begin with.
pub(super) fn name_of(meta: &ObjectMeta) -> &str {
    let mut names = [&meta.name, &meta.generate_name].into_iter().flatten();
    names.find(|name| !name.is_empty()).map_or("Unknown", |name| &**name)
}

/// `Priority` of an update: who says nothing of the number leaves it as it is.
pub(super) fn keep_priority(spec: &mut PodSpec, old: &PodSpec) {
    spec.priority = spec.priority.or(old.priority);
    if spec.preemption_policy.is_none() {
        spec.preemption_policy.clone_from(&old.preemption_policy);
    }
}

/// `DefaultTolerationSeconds`: five minutes on a node that is not ready or not reachable.
///
/// Mirrors: `plugin/pkg/admission/defaulttolerationseconds`, which is asked of updates, too.
pub(super) fn tolerate(spec: &mut PodSpec) {
    let tolerations = spec.tolerations.get_or_insert_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|toleration| {
            let same_key = toleration.key.as_deref().is_none_or(|k| k.is_empty() || k == key);
            let effect = toleration.effect.as_deref().unwrap_or_default();
            same_key && (effect.is_empty() || effect == NO_EXECUTE)
        });
        if !tolerated {
            tolerations.push(core::Toleration {
                key: Some(key.into()),
                operator: Some("Exists".into()),
                effect: Some("NoExecute".into()),
                toleration_seconds: Some(300),
                ..core::Toleration::default()
            });
        }
    }
}

/// The labels of a node that its pods have, too.
const TOPOLOGY: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];

/// `PodTopologyLabels`: a program can read off its pod where the pod's node is. What is bound is where its
/// node is, whatever it said before; who is created on a node may say otherwise.
pub(super) fn place(meta: &mut ObjectMeta, node: &Object, is_bound: bool) {
    let Some(of_node) = node.meta().labels.as_deref() else { return };
    for (key, value) in TOPOLOGY.iter().filter_map(|key| of_node.get_key_value(*key)) {
        let own = meta.labels.as_deref().and_then(|labels| labels.get(key));
        if own.is_none() || is_bound && own != Some(value) {
            let labels = Rc::make_mut(meta.labels.get_or_insert_default());
            labels.insert(key.clone(), value.clone());
        }
    }
}
