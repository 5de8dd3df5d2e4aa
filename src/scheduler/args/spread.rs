//! The arguments of `PodTopologySpread`.

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use serde::Deserialize;

use super::{Args, At, label_key};
use crate::api::field::{FieldError, Path};
use crate::scheduler::plugins::{Defaults, PodTopologySpread};

const SYSTEM: &str = "System";
const LIST: &str = "List";
const ACTIONS: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];

/// `PodTopologySpreadArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodTopologySpreadArgs {
    default_constraints: Vec<TopologySpreadConstraint>,
    defaulting_type: String,
}

impl Args for PodTopologySpreadArgs {
    type Plugin = PodTopologySpread;

    fn set_defaults(&mut self) {
        if self.defaulting_type.is_empty() {
            SYSTEM.clone_into(&mut self.defaulting_type);
        }
    }

    fn check(&self, at: &At, wrong: &mut Vec<FieldError>) {
        let (path, kind) = (at.field("defaultingType"), self.defaulting_type.as_str());
        if ![SYSTEM, LIST].contains(&kind) {
            wrong.push(FieldError::not_supported(&path, kind, &[SYSTEM, LIST]));
        } else if kind == SYSTEM && !self.default_constraints.is_empty() {
            let detail = "when .defaultConstraints are not empty";
            wrong.push(FieldError::invalid(&path, kind, detail));
        }
        let path = at.field("defaultConstraints");
        for (index, constraint) in self.default_constraints.iter().enumerate() {
            self.check_constraint(index, constraint, &path.index(index), wrong);
        }
    }

    fn plugin(self) -> PodTopologySpread {
        let defaults = match self.defaulting_type.as_str() {
            LIST => Defaults::List(self.default_constraints),
            _ => Defaults::System,
        };
        PodTopologySpread { defaults }
    }
}

impl PodTopologySpreadArgs {
    fn check_constraint(
        &self,
        index: usize,
        constraint: &TopologySpreadConstraint,
        path: &Path,
        wrong: &mut Vec<FieldError>,
    ) {
        let (key, action) = (&constraint.topology_key, constraint.when_unsatisfiable.as_str());
        if constraint.max_skew <= 0 {
            let (path, detail) = (path.child("maxSkew"), "not in valid range (0, inf)");
            wrong.push(FieldError::invalid(&path, constraint.max_skew, detail));
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
        if constraint.label_selector.is_some() {
            let detail = "constraint must not define a selector, as they deduced for each pod";
            wrong.push(FieldError::forbidden(&path.child("labelSelector"), detail));
        }
        let mut before = self.default_constraints.iter().take(index);
        if before.any(|other| other.topology_key == *key && other.when_unsatisfiable == action) {
            wrong.push(FieldError::duplicate(path, format!("{{{key}, {action}}}")));
        }
    }
}
