//! `SchedulingGates`: a pod is not even tried before all of its gates are gone.
//!
//! Mirrors: `plugins/schedulinggates`.

use crate::api::Pod;
use crate::scheduler::framework::{Plugin, Verdict};

/// The plugin.
pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        "SchedulingGates"
    }

    fn pre_enqueue(&self, pod: &Pod) -> Verdict {
        let gates = pod.spec.scheduling_gates.as_deref().unwrap_or_default();
        if gates.is_empty() {
            return Verdict::SUCCESS;
        }
        let names: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
        Verdict::unresolvable(format!("waiting for scheduling gates: [{}]", names.join(" ")))
    }
}
