//! The arguments of `PodTopologySpread`.

use super::{ArgsType, label_key};
use crate::api::decode::decode;
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::scheduler::plugins::{Defaults, PodTopologySpread};

const SYSTEM: &str = "System";
const LIST: &str = "List";
const ACTIONS: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];

pub(super) const POD_TOPOLOGY_SPREAD: ArgsType = ArgsType {
    plugin: "PodTopologySpread",
    line: "PodTopologySpreadArgs",
    complete: |args| {
        args.entry("defaultingType").or_insert_with(|| SYSTEM.into());
    },
    check: |args, at, wrong| {
        let (path, kind) = (at.field("defaultingType"), args.at("defaultingType").text());
        let constraints = args.at("defaultConstraints");
        if ![SYSTEM, LIST].contains(&kind) {
            wrong.push(FieldError::not_supported(&path, kind, &[SYSTEM, LIST]));
        } else if kind == SYSTEM && !constraints.is_empty() {
            let detail = "when .defaultConstraints are not empty";
            wrong.push(FieldError::invalid(&path, kind, detail));
        }
        let path = at.field("defaultConstraints");
        for (index, constraint) in constraints.items().enumerate() {
            let before = constraints.items().take(index);
            let twice = before.into_iter().any(|other| says(other) == says(constraint));
            check_constraint(constraint, twice, &path.index(index), wrong);
        }
    },
};

pub(super) fn pod_topology_spread(args: Part<'_>) -> PodTopologySpread {
    let constraints = args.at("defaultConstraints").items();
    let read = constraints.filter_map(|it| decode(it.value()).ok()).map(|decoded| decoded.object);
    let defaults = match args.at("defaultingType").text() {
        LIST => Defaults::List(read.collect()),
        _ => Defaults::System,
    };
    PodTopologySpread { defaults }
}

/// What a constraint is about, and what comes of it.
fn says(constraint: Part<'_>) -> (&str, &str) {
    (constraint.at("topologyKey").text(), constraint.at("whenUnsatisfiable").text())
}

fn check_constraint(constraint: Part<'_>, twice: bool, path: &Path, wrong: &mut Vec<FieldError>) {
    let ((key, action), skew) = (says(constraint), constraint.at("maxSkew").number());
    let skew = skew.unwrap_or_default();
    if skew <= 0 {
        let (path, detail) = (path.child("maxSkew"), "not in valid range (0, inf)");
        wrong.push(FieldError::invalid(&path, skew, detail));
    }
    if key.is_empty() {
        wrong.push(FieldError::required(&path.child("topologyKey"), "can not be empty"));
    } else {
        label_key(wrong, &path.child("topologyKey"), key);
    }
    let action_path = path.child("whenUnsatisfiable");
    if action.is_empty() {
        wrong.push(FieldError::required(&action_path, "can not be empty"));
    } else if !ACTIONS.contains(&action) {
        wrong.push(FieldError::not_supported(&action_path, action, &ACTIONS));
    }
    if constraint.at("labelSelector").is_there() {
        let detail = "constraint must not define a selector, as they deduced for each pod";
        wrong.push(FieldError::forbidden(&path.child("labelSelector"), detail));
    }
    if twice {
        wrong.push(FieldError::duplicate(path, format!("{{{key}, {action}}}")));
    }
}
