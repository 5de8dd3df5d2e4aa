//! Taints, and what tolerates them.
//!
//! Mirrors: `component-helpers/scheduling/corev1/helpers.go`.

use k8s_openapi::api::core::v1::{Taint, Toleration};

/// No new pods.
pub const NO_SCHEDULE: &str = "NoSchedule";
/// No pods at all.
pub const NO_EXECUTE: &str = "NoExecute";
/// Rather no pods.
pub const PREFER_NO_SCHEDULE: &str = "PreferNoSchedule";

/// Whether one of the tolerations tolerates the taint.
pub fn tolerated<'a>(taint: &Taint, tolerations: impl IntoIterator<Item = &'a Toleration>) -> bool {
    tolerations.into_iter().any(|toleration| tolerates(toleration, taint))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let fits = |own: Option<String>, other: &str| own.is_none_or(|own| own == other);
    if !fits(filled(&toleration.effect), &taint.effect)
        || !fits(filled(&toleration.key), &taint.key)
    {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or_default() {
        "" | "Equal" => {
            toleration.value.as_deref().unwrap_or_default()
                == taint.value.as_deref().unwrap_or_default()
        }
        "Exists" => true,
        _ => false,
    }
}
