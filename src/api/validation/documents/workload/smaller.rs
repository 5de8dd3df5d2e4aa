//! Controller revisions and pod templates.

use super::super::{C, K, M, N};
use super::{PLAIN, Rules, template_of};
use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::validation::pod_spec;
use crate::api::validation::report::Report;

pub(in super::super) const CONTROLLER_REVISION: Rules = Rules {
    check: |out, revision, old| {
        let number = revision.at("revision").number().unwrap_or_default();
        out.not_negative(&Path::new("revision"), number);
        if old.is_none() {
            data(out, revision);
        }
    },
    update: &[M, N, K, C],
    change: |out, new, old| {
        out.immutable(&Path::new("data"), new.at("data").value(), old.at("data").value());
    },
    ..PLAIN
};
pub(in super::super) const POD_TEMPLATE: Rules = Rules {
    check: |out, template, _| {
        pod_spec::template(out, &template_of(template.at("template")), &Path::new("template"));
    },
    ..PLAIN
};

fn data(out: &mut Report, revision: &Document) {
    let (data, path) = (revision.at("data"), Path::new("data"));
    if !data.is_there() {
        out.required(&path, "data is mandatory");
    } else if !data.value().is_object() {
        out.required(&path, "data must be a valid JSON object");
    }
}
