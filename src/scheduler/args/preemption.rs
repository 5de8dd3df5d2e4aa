//! The arguments of `DefaultPreemption`.

use serde_json::Value;

use super::{ArgsType, within};
use crate::api::document::Part;
use crate::api::field::FieldError;
use crate::scheduler::preemption::Limits;

const PERCENTAGE: &str = "minCandidateNodesPercentage";
const ABSOLUTE: &str = "minCandidateNodesAbsolute";

pub(super) const DEFAULT_PREEMPTION: ArgsType = ArgsType {
    plugin: "DefaultPreemption",
    line: "DefaultPreemptionArgs",
    complete: |args| {
        let Limits { percentage, absolute } = Limits::DEFAULT;
        args.entry(PERCENTAGE).or_insert_with(|| Value::from(percentage));
        args.entry(ABSOLUTE).or_insert_with(|| Value::from(absolute));
    },
    check: |args, at, wrong| {
        let number = |name| args.at(name).number().unwrap_or_default();
        let (percentage, absolute) = (number(PERCENTAGE), number(ABSOLUTE));
        let (percentage_path, absolute_path) = (at.field(PERCENTAGE), at.field(ABSOLUTE));
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
    },
};

pub(super) fn limits(args: Part<'_>) -> Limits {
    let count = |name| args.at(name).number().and_then(|it| it.try_into().ok()).unwrap_or_default();
    Limits { percentage: count(PERCENTAGE), absolute: count(ABSOLUTE) }
}
