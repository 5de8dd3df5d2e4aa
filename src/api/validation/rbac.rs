//! Roles and their bindings.
//!
//! Mirrors: `pkg/apis/rbac/validation/validation.go`.

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::report::{Report, text};
use super::selector::label_selector;
use super::{Validate, meta};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::types::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use crate::api::words::RBAC;

impl Validate for Role {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::path_segment);
        rules(&mut out, self.rules.as_deref(), true);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        checked_again(self, &self.metadata, &old.metadata).errors
    }
}

impl Validate for ClusterRole {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, false, names::path_segment);
        rules(&mut out, self.rules.as_deref(), false);
        if let Some(aggregation) = &self.aggregation_rule {
            let path = Path::new("aggregationRule").child("clusterRoleSelectors");
            let selectors = aggregation.cluster_role_selectors.as_deref().unwrap_or_default();
            if selectors.is_empty() {
                let words =
                    "at least one clusterRoleSelector required if aggregationRule is non-nil";
                out.required(&path, words);
            }
            for (index, selector) in selectors.iter().enumerate() {
                label_selector(&mut out, Some(selector), &path.index(index));
            }
        }
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        checked_again(self, &self.metadata, &old.metadata).errors
    }
}

impl Validate for RoleBinding {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::path_segment);
        role_ref(&mut out, &self.role_ref, &["ClusterRole", "Role"]);
        subjects(&mut out, self.subjects.as_deref(), true);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = checked_again(self, &self.metadata, &old.metadata);
        same_role(&mut out, &self.role_ref, &old.role_ref);
        out.errors
    }
}

impl Validate for ClusterRoleBinding {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, false, names::path_segment);
        role_ref(&mut out, &self.role_ref, &["ClusterRole"]);
        subjects(&mut out, self.subjects.as_deref(), false);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = checked_again(self, &self.metadata, &old.metadata);
        same_role(&mut out, &self.role_ref, &old.role_ref);
        out.errors
    }
}

/// What is wrong with what takes the place of an object: all that would be with a new one, too.
fn checked_again(object: &impl Validate, new: &ObjectMeta, old: &ObjectMeta) -> Report {
    let mut out = Report { errors: object.validate_create() };
    meta::update(&mut out, new, old);
    out
}

fn rules(out: &mut Report, rules: Option<&[PolicyRule]>, namespaced: bool) {
    for (index, rule) in rules.into_iter().flatten().enumerate() {
        self::rule(out, rule, namespaced, &Path::new("rules").index(index));
    }
}

fn rule(out: &mut Report, rule: &PolicyRule, namespaced: bool, path: &Path) {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let (groups, resources) = (list(&rule.api_groups), list(&rule.resources));
    let (names, urls) = (list(&rule.resource_names), list(&rule.non_resource_urls));
    if rule.verbs.is_empty() {
        out.required(&path.child("verbs"), "verbs must contain at least one value");
    }
    if !urls.is_empty() {
        let path = path.child("nonResourceURLs");
        if namespaced {
            let words = "namespaced rules cannot apply to non-resource URLs";
            out.invalid(&path, urls.clone(), words);
        }
        if !(groups.is_empty() && resources.is_empty() && names.is_empty()) {
            let words = "rules cannot apply to both regular resources and non-resource URLs";
            out.invalid(&path, urls, words);
        }
        return;
    }
    if groups.is_empty() {
        let words = "resource rules must supply at least one api group";
        out.required(&path.child("apiGroups"), words);
    }
    if resources.is_empty() {
        let words = "resource rules must supply at least one resource";
        out.required(&path.child("resources"), words);
    }
}

fn role_ref(out: &mut Report, role: &RoleRef, kinds: &[&str]) {
    let path = Path::new("roleRef");
    out.supported(&path.child("apiGroup"), text(&role.api_group), &[RBAC]);
    out.supported(&path.child("kind"), &role.kind, kinds);
    let path = path.child("name");
    if role.name.is_empty() {
        out.required(&path, "");
    } else {
        out.words(&path, &role.name, names::path_segment(&role.name));
    }
}

fn same_role(out: &mut Report, new: &RoleRef, old: &RoleRef) {
    if new != old {
        out.invalid_object(&Path::new("roleRef"), new, "cannot change roleRef");
    }
}

fn subjects(out: &mut Report, subjects: Option<&[Subject]>, namespaced: bool) {
    for (index, subject) in subjects.into_iter().flatten().enumerate() {
        self::subject(out, subject, namespaced, &Path::new("subjects").index(index));
    }
}

fn subject(out: &mut Report, subject: &Subject, namespaced: bool, path: &Path) {
    let (name, group) = (subject.name.as_str(), text(&subject.api_group));
    let (name_path, group_path) = (path.child("name"), path.child("apiGroup"));
    if name.is_empty() {
        out.required(&name_path, "");
    }
    match subject.kind.as_str() {
        "ServiceAccount" => {
            if !name.is_empty() {
                out.words(&name_path, name, names::dns1123_subdomain(name));
            }
            if !group.is_empty() {
                out.supported(&group_path, group, &[""]);
            }
            if !namespaced && text(&subject.namespace).is_empty() {
                out.required(&path.child("namespace"), "");
            }
        }
        kind @ ("User" | "Group") => {
            if name.is_empty() {
                let words = format!("{} name cannot be empty", kind.to_ascii_lowercase());
                out.invalid(&name_path, name, words);
            }
            out.supported(&group_path, group, &[RBAC]);
        }
        kind => out.supported(&path.child("kind"), kind, &["Group", "ServiceAccount", "User"]),
    }
}
