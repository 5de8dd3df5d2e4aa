//! What each kind's create step does once, after defaulting: statuses begin anew, and what belongs
//! to the server alone is set.
//!
//! Mirrors: `PrepareForCreate` and `BeginCreate` of `pkg/registry/*/*/strategy.go`.

use crate::api::qos::QosClass;
use crate::api::wire::{Pod, PodStatus};

/// A Pod begins as pending, whatever status was sent.
pub fn pod(pod: &mut Pod) {
    let spec = pod.spec.get_or_insert_default();
    pod.status = Some(PodStatus {
        phase: Some("Pending".to_owned()),
        qos_class: Some(QosClass::of(spec).as_str().to_owned()),
        ..PodStatus::default()
    });
}
