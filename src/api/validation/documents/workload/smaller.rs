//! Controller revisions and pod templates.

use super::{PLAIN, Rules, template_of};
use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::validation::pod_spec;
use crate::api::validation::report::Report;

pub(in super::super) const CONTROLLER_REVISION: Rules = Rules {
    check,
    change: |out, new, old| {
        out.immutable(&Path::new("data"), new.at("data").value(), old.at("data").value());
    },
    ..PLAIN
};
pub(in super::super) const POD_TEMPLATE: Rules = Rules {
    check: |out, template| {
        pod_spec::template(out, &template_of(template.at("template")), &Path::new("template"));
    },
    ..PLAIN
};

fn check(out: &mut Report, revision: &Document) {
    if !revision.at("data").is_there() {
        out.required(&Path::new("data"), "data is mandatory");
    }
    let number = revision.at("revision").number().unwrap_or_default();
    out.not_negative(&Path::new("revision"), number);
}
