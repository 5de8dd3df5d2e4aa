//! Events of the core group.

use k8s_openapi::api::core::v1::Event;

use super::Validate;
use super::report::{Report, text};
use crate::api::field::{FieldError, Path};
use crate::api::names;

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
        out.words(&Path::new("namespace"), namespace, names::dns1123_subdomain(namespace));
        out.errors
    }

    fn validate_update(&self, _: &Self) -> Vec<FieldError> {
        self.validate_create()
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
    out.words(&path, controller, names::label_key(controller));
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
