//! The arguments of `VolumeBinding`. Its `shape` belongs to a feature that is off by default, so it must
//! not be there.

use std::time::Duration;

use serde_json::Value;

use super::ArgsType;
use crate::api::document::Part;
use crate::api::field::FieldError;
use crate::scheduler::plugins::VolumeBinding;

const TIMEOUT: &str = "bindTimeoutSeconds";

pub(super) const VOLUME_BINDING: ArgsType = ArgsType {
    plugin: "VolumeBinding",
    line: "VolumeBindingArgs",
    complete: |args| {
        let timeout = VolumeBinding::DEFAULT.timeout.as_secs();
        args.entry(TIMEOUT).or_insert_with(|| Value::from(timeout));
    },
    check: |args, at, wrong| {
        let timeout = args.at(TIMEOUT).number().unwrap_or_default();
        if timeout < 0 {
            let detail = "invalid BindTimeoutSeconds, should not be a negative value";
            wrong.push(FieldError::invalid(&at.field(TIMEOUT), timeout, detail));
        }
        let shape = args.at("shape");
        if shape.is_there() {
            let detail = "unexpected field `shape`, remove it or turn on the feature gate \
                          StorageCapacityScoring";
            let value = shape.value().clone();
            wrong.push(FieldError::invalid(&at.field("shape"), value, detail));
        }
    },
};

pub(super) fn volume_binding(args: Part<'_>) -> VolumeBinding {
    let timeout = args.at(TIMEOUT).number().and_then(|it| it.try_into().ok());
    VolumeBinding { timeout: timeout.map_or(VolumeBinding::DEFAULT.timeout, Duration::from_secs) }
}
