//! The arguments of `VolumeBinding`.

use std::time::Duration;

use serde_json::{Value, json};

use super::ArgsType;
use super::resources::{check_shape, line};
use crate::api::document::Part;
use crate::api::field::FieldError;
use crate::scheduler::plugins::VolumeBinding;

const TIMEOUT: &str = "bindTimeoutSeconds";
const SHAPE: &str = "shape";

pub(super) const VOLUME_BINDING: ArgsType = ArgsType {
    plugin: "VolumeBinding",
    line: "VolumeBindingArgs",
    complete: |args| {
        let timeout = VolumeBinding::TIMEOUT.as_secs();
        args.entry(TIMEOUT).or_insert_with(|| Value::from(timeout));
        if Part::of(args.get(SHAPE)).is_empty() {
            let (empty, full) =
                (json!({"utilization": 0, "score": 10}), json!({"utilization": 100}));
            args.insert(SHAPE.to_owned(), json!([empty, full]));
        }
    },
    check: |args, at, wrong| {
        let timeout = args.at(TIMEOUT).number().unwrap_or_default();
        if timeout < 0 {
            let detail = "invalid BindTimeoutSeconds, should not be a negative value";
            wrong.push(FieldError::invalid(&at.field(TIMEOUT), timeout, detail));
        }
        check_shape(args.at(SHAPE), &at.field(SHAPE), wrong);
    },
};

pub(super) fn volume_binding(args: Part<'_>) -> VolumeBinding {
    let timeout = args.at(TIMEOUT).number().and_then(|it| it.try_into().ok());
    let timeout = timeout.map_or(VolumeBinding::TIMEOUT, Duration::from_secs);
    VolumeBinding { timeout, shape: line(args.at(SHAPE)) }
}
