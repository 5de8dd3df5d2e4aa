//! What admission adds to a new pod.

use k8s_openapi::api::core::v1 as core;

use crate::api::words::NO_EXECUTE;

/// Runs every admission that changes a pod.
pub(super) fn pod(spec: &mut core::PodSpec) {
    admit(spec);
    tolerate(spec);
}

/// `ServiceAccount`, as far as no tokens are mounted.
fn admit(spec: &mut core::PodSpec) {
    let account = spec.service_account_name.get_or_insert_with(|| "default".into()).clone();
    spec.service_account = Some(account);
}

/// `DefaultTolerationSeconds`: five minutes on a node that is not ready or not reachable.
fn tolerate(spec: &mut core::PodSpec) {
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
