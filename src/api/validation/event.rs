//! Events of the core group.

use serde_json::Value;

use super::report::{Report, text};
use super::{IMMUTABLE, Validate};
use crate::api::field::{FieldError, Path};
use crate::api::types::Event;
use crate::api::{names, to_json};

const SHORT_MAX: usize = 128;
const MESSAGE_MAX: usize = 1_024;

impl Validate for Event {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        if self.event_time.is_some() {
            newer(&mut out, self);
        } else {
            older(&mut out, self);
        }
        let namespace = text(&self.metadata.namespace);
        out.words(&Path::new("namespace"), namespace, names::dns1123_subdomain);
        out.errors
    }

    fn validate_update(&self, _: &Self) -> Vec<FieldError> {
        self.validate_create()
    }
}

/// What else is asked of a new event that came as one of `events.k8s.io`.
pub(super) fn of_own_group(out: &mut Report, event: &Event) {
    series(out, event);
    if event.event_time.is_none() {
        out.required(&Path::new("eventTime"), "");
    }
    let kind = text(&event.type_);
    if !["Normal", "Warning"].contains(&kind) {
        out.invalid(&Path::new("type"), "", format!("has invalid value: {kind}"));
    }
    let source = event.source.as_ref();
    let named =
        source.is_some_and(|it| !text(&it.component).is_empty() || !text(&it.host).is_empty());
    for (field, is_set) in [
        ("firstTimestamp", event.first_timestamp.is_some()),
        ("lastTimestamp", event.last_timestamp.is_some()),
        ("count", event.count.unwrap_or_default() != 0),
        ("source", named),
    ] {
        if is_set {
            out.invalid(&Path::new(field), "", "needs to be unset");
        }
    }
}

/// What else is asked of an event of `events.k8s.io` that takes the place of `old`: of what there is only
/// its series may change.
pub(super) fn of_own_group_again(out: &mut Report, event: &Event, old: &Event) {
    if event.series != old.series {
        series(out, event);
    }
    let (new, old) = (to_json(event), to_json(old));
    for field in FIXED {
        let value = |of: &Value| of.get(field).cloned().unwrap_or_default();
        if value(&new) != value(&old) {
            let name = if field == "reportingComponent" { "reportingController" } else { field };
            out.invalid(&Path::new(name), value(&new), IMMUTABLE);
        }
    }
}

/// In the order in which upstream compares them; it does so twice with the reason.
const FIXED: [&str; 14] = [
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "reason",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
];

fn series(out: &mut Report, event: &Event) {
    let Some(series) = &event.series else { return };
    if series.count.unwrap_or_default() < 2 {
        out.invalid(&Path::new("series.count"), "", "should be at least 2");
    }
    if series.last_observed_time.is_none() {
        out.required(&Path::new("series.lastObservedTime"), "");
    }
}

const ELSEWHERE: &str = "does not match event.namespace";

/// An event lives beside its object; that of an object without a namespace in the default one.
fn older(out: &mut Report, event: &Event) {
    let (own, of) = (text(&event.metadata.namespace), text(&event.involved_object.namespace));
    let beside = if of.is_empty() { own.is_empty() || own == "default" } else { own == of };
    if !beside {
        out.invalid(&Path::new("involvedObject").child("namespace"), of, ELSEWHERE);
    }
}

/// An event with a time of its own says more.
fn newer(out: &mut Report, event: &Event) {
    let (own, of) = (text(&event.metadata.namespace), text(&event.involved_object.namespace));
    if of.is_empty() && !matches!(own, "default" | "kube-system") {
        out.invalid(&Path::new("involvedObject").child("namespace"), of, ELSEWHERE);
    }
    let controller = text(&event.reporting_component);
    let path = Path::new("reportingController");
    if controller.is_empty() {
        out.required(&path, "");
    }
    out.words(&path, controller, names::label_key);
    for (field, value) in [
        ("reportingInstance", &event.reporting_instance),
        ("action", &event.action),
        ("reason", &event.reason),
    ] {
        if text(value).is_empty() {
            out.required(&Path::new(field), "");
        }
        at_most(out, text(value), SHORT_MAX, field);
    }
    at_most(out, text(&event.message), MESSAGE_MAX, "message");
}

fn at_most(out: &mut Report, value: &str, max: usize, field: &'static str) {
    if value.len() > max {
        out.invalid(&Path::new(field), "", format!("can have at most {max} characters"));
    }
}
