//! What admission adds to pods.

use std::rc::Rc;

use k8s_openapi::api::core::v1 as core;

use super::node_authorizer::{is_mirror, named};
use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::document::Part;
use crate::api::status::StatusError;
use crate::api::wire::PodSpec;
use crate::api::words::NO_EXECUTE;
use crate::api::{Kind, Pod, to_json};

/// The account of pods that name none.
const DEFAULT_ACCOUNT: &str = "default";

impl ApiServer {
    /// `ServiceAccount`, as far as no tokens are mounted. There is a default account in every namespace,
    /// though nobody makes its object.
    ///
    /// Mirrors: `plugin/pkg/admission/serviceaccount`.
    ///
    /// # Errors
    ///
    /// 403 if there is no such account, or for a mirror Pod that refers to one.
    pub(super) fn admit_account(&self, pod: &mut Pod, namespace: &str) -> Result<(), StatusError> {
        if is_mirror(pod) {
            return check_mirror(pod);
        }
        let spec = Rc::make_mut(&mut pod.spec);
        let named = spec.service_account_name.take().filter(|name| !name.is_empty());
        let account = named.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        if account != DEFAULT_ACCOUNT
            && self.object(Kind::ServiceAccount, namespace, &account).is_none()
        {
            let why = format!(
                "error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found"
            );
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            return Err(StatusError::forbidden(group_resource(Kind::Pod.resource()), name, why));
        }
        spec.service_account = Some(account.clone());
        spec.service_account_name = Some(account);
        Ok(())
    }
}

/// A mirror Pod stays as it is, and refers to nothing that a kubelet may not see without it.
fn check_mirror(pod: &Pod) -> Result<(), StatusError> {
    let spec = to_json(&*pod.spec);
    let refers = |what| !named(Part::of(Some(&spec)), what).is_empty();
    let account = pod.spec.service_account_name.as_deref().unwrap_or_default();
    let what = if !account.is_empty() {
        "reference service accounts"
    } else if refers("secrets") {
        "reference secrets"
    } else if refers("tokens") {
        "use service account token volume projections"
    } else {
        return Ok(());
    };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let why = ["a mirror pod may not ", what].concat();
    Err(StatusError::forbidden(group_resource(Kind::Pod.resource()), name, why))
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
