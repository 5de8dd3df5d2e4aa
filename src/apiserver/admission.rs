//! What admission adds to pods.

use k8s_openapi::api::core::v1 as core;

use crate::api::wire::PodSpec;
use crate::api::words::NO_EXECUTE;

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
