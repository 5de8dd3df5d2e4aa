//! Pod templates.

use k8s_openapi::api::core::v1::{PodTemplate, PodTemplateSpec};

use super::report::Report;
use super::{Validate, meta, pod_spec};
use crate::api::field::{FieldError, Path};
use crate::api::names;

impl Validate for PodTemplate {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        check(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        check(&mut out, self);
        out.errors
    }
}

fn check(out: &mut Report, template: &PodTemplate) {
    let none = PodTemplateSpec::default();
    let template = template.template.as_ref().unwrap_or(&none);
    pod_spec::template(out, template, &Path::new("template"));
}
