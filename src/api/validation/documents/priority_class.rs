//! Priority classes.

use super::{C, M, PLAIN, Rules};
use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::validation::report::Report;

/// What is above belongs to the system.
pub const HIGHEST_OF_USERS: i64 = 1_000_000_000;
/// The classes that every cluster has, with their values.
pub const OF_SYSTEM: [(&str, i64, &str); 2] = [
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

pub(super) const RULES: Rules = Rules { check, change, update: &[M, C], ..PLAIN };

fn check(out: &mut Report, class: &Document, _old: Option<&Document>) {
    let name = class.metadata.name.as_deref().unwrap_or_default();
    let value = class.at("value").number().unwrap_or_default();
    if name.starts_with(RESERVED) {
        let known = OF_SYSTEM.iter().find(|(known, ..)| *known == name);
        let why = match known {
            None => format!("{name} is not a known system priority class"),
            Some((_, wanted, _)) if *wanted != value => {
                format!("value of {name} PriorityClass must be {wanted}")
            }
            Some(_) if class.at("globalDefault").is_true() => {
                format!("globalDefault of {name} PriorityClass must be false")
            }
            Some(_) => String::new(),
        };
        if !why.is_empty() {
            let words = "priority class names with 'system-' prefix are reserved for system use \
                         only. error: ";
            out.forbidden(&Path::new("metadata").child("name"), words.to_owned() + &why);
        }
    } else if value > HIGHEST_OF_USERS {
        let words =
            format!("maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}");
        out.forbidden(&Path::new("value"), words);
    }
    let policy = class.at("preemptionPolicy");
    if policy.is_there() {
        let path = Path::new("preemptionPolicy");
        out.one_of(&path, policy.text(), &["Never", "PreemptLowerPriority"]);
    }
}

fn change(out: &mut Report, new: &Document, old: &Document) {
    if new.at("value").value() != old.at("value").value() {
        out.forbidden(&Path::new("value"), "may not be changed in an update.");
    }
    let policy = |of: &Document| of.at("preemptionPolicy").value().clone();
    out.immutable(&Path::new("preemptionPolicy"), &policy(new), &policy(old));
}
