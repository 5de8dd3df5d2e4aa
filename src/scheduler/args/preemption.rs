//! The arguments of `DefaultPreemption`.

use serde::Deserialize;

use super::{Args, At, within};
use crate::api::field::FieldError;
use crate::scheduler::preemption::Limits;

/// `DefaultPreemptionArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct DefaultPreemptionArgs {
    min_candidate_nodes_percentage: Option<i32>,
    min_candidate_nodes_absolute: Option<i32>,
}

impl Args for DefaultPreemptionArgs {
    type Plugin = Limits;

    fn set_defaults(&mut self) {
        let Limits { percentage, absolute } = Limits::DEFAULT;
        self.min_candidate_nodes_percentage
            .get_or_insert(percentage.try_into().unwrap_or_default());
        self.min_candidate_nodes_absolute.get_or_insert(absolute.try_into().unwrap_or_default());
    }

    fn check(&self, at: &At, wrong: &mut Vec<FieldError>) {
        let percentage = self.min_candidate_nodes_percentage.unwrap_or_default();
        let absolute = self.min_candidate_nodes_absolute.unwrap_or_default();
        let percentage_path = at.field("minCandidateNodesPercentage");
        let absolute_path = at.field("minCandidateNodesAbsolute");
        within(wrong, &percentage_path, percentage, 0, 100);
        if absolute < 0 {
            let detail = "not in valid range [0, inf)";
            wrong.push(FieldError::invalid(&absolute_path, absolute, detail));
        }
        if percentage == 0 && absolute == 0 {
            let detail = "cannot be zero at the same time as minCandidateNodesAbsolute";
            wrong.push(FieldError::invalid(&percentage_path, percentage, detail));
            let detail = "cannot be zero at the same time as minCandidateNodesPercentage";
            wrong.push(FieldError::invalid(&absolute_path, absolute, detail));
        }
    }

    fn plugin(self) -> Limits {
        let count = |number: Option<i32>| number.unwrap_or_default().try_into().unwrap_or_default();
        Limits {
            percentage: count(self.min_candidate_nodes_percentage),
            absolute: count(self.min_candidate_nodes_absolute),
        }
    }
}
