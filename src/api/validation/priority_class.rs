//! Priority classes.

use k8s_openapi::api::scheduling::v1::PriorityClass;

use super::report::{Report, text};
use super::{Validate, meta};
use crate::api::field::{FieldError, Path};
use crate::api::names;

/// What is above belongs to the system.
pub const HIGHEST_OF_USERS: i32 = 1_000_000_000;
/// The classes that every cluster has, with their values.
pub const OF_SYSTEM: [(&str, i32, &str); 2] = [
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another \
         node if necessary.",
    ),
];
const RESERVED: &str = "system-";

impl Validate for PriorityClass {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, false, names::dns1123_subdomain);
        let name = text(&self.metadata.name);
        let value = self.value.unwrap_or_default();
        if name.starts_with(RESERVED) {
            if !OF_SYSTEM.iter().any(|(known, wanted, _)| *known == name && *wanted == value) {
                let words = "priority class names with 'system-' prefix are reserved for system use \
                             only. error: only system classes are allowed to have the prefix";
                out.forbidden(&Path::new("metadata").child("name"), words);
            }
        } else if value > HIGHEST_OF_USERS {
            let words =
                format!("maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}");
            out.forbidden(&Path::new("value"), words);
        }
        if let Some(policy) = &self.preemption_policy {
            let path = Path::new("preemptionPolicy");
            out.one_of(&path, policy, &["Never", "PreemptLowerPriority"]);
        }
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        if self.value != old.value {
            out.forbidden(&Path::new("value"), "may not be changed in an update.");
        }
        let path = Path::new("preemptionPolicy");
        out.immutable(&path, &self.preemption_policy, &old.preemption_policy);
        out.errors
    }
}
