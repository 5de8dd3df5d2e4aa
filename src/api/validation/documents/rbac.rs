//! Roles and their bindings.
//!
//! Mirrors: `pkg/apis/rbac/validation/validation.go`.

use super::{C, K, M, N, PLAIN, Rules, of_selector};
use crate::api::document::{Document, Part};
use crate::api::field::Path;
use crate::api::names;
use crate::api::validation::report::Report;
use crate::api::words::RBAC;

/// An object that takes the place of one is checked as a new one is.
const ANEW: Rules = Rules { name: names::path_segment, update: &[N, K, M, C], ..PLAIN };

pub(super) const ROLE: Rules = Rules { check: |out, role, _| rules(out, role, true), ..ANEW };
pub(super) const CLUSTER_ROLE: Rules = Rules { check: cluster_role, ..ANEW };
pub(super) const ROLE_BINDING: Rules = Rules {
    check: |out, binding, _| {
        role_ref(out, binding.at("roleRef"), &["Role", "ClusterRole"]);
        subjects(out, binding, true);
    },
    change: same_role,
    ..ANEW
};
pub(super) const CLUSTER_ROLE_BINDING: Rules = Rules {
    check: |out, binding, _| {
        role_ref(out, binding.at("roleRef"), &["ClusterRole"]);
        subjects(out, binding, false);
    },
    change: same_role,
    ..ANEW
};

fn cluster_role(out: &mut Report, role: &Document, _old: Option<&Document>) {
    rules(out, role, false);
    let aggregation = role.at("aggregationRule");
    if !aggregation.is_there() {
        return;
    }
    let path = Path::new("aggregationRule").child("clusterRoleSelectors");
    let selectors = aggregation.at("clusterRoleSelectors");
    if selectors.is_empty() {
        let words = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        out.required(&path, words);
    }
    for (index, selector) in selectors.items().enumerate() {
        of_selector(out, selector, &path.index(index));
    }
}

fn rules(out: &mut Report, role: &Document, namespaced: bool) {
    for (index, rule) in role.at("rules").items().enumerate() {
        self::rule(out, rule, namespaced, &Path::new("rules").index(index));
    }
}

fn rule(out: &mut Report, rule: Part<'_>, namespaced: bool, path: &Path) {
    let (groups, resources) = (rule.at("apiGroups"), rule.at("resources"));
    let (names, urls) = (rule.at("resourceNames"), rule.at("nonResourceURLs"));
    if rule.at("verbs").is_empty() {
        out.required_at(path, "verbs", "verbs must contain at least one value");
    }
    if !urls.is_empty() {
        let path = path.child("nonResourceURLs");
        if namespaced {
            let words = "namespaced rules cannot apply to non-resource URLs";
            out.invalid(&path, urls.value().clone(), words);
        }
        if !(groups.is_empty() && resources.is_empty() && names.is_empty()) {
            let words = "rules cannot apply to both regular resources and non-resource URLs";
            out.invalid(&path, urls.value().clone(), words);
        }
        return;
    }
    if groups.is_empty() {
        let words = "resource rules must supply at least one api group";
        out.required_at(path, "apiGroups", words);
    }
    if resources.is_empty() {
        let words = "resource rules must supply at least one resource";
        out.required_at(path, "resources", words);
    }
}

fn role_ref(out: &mut Report, role: Part<'_>, kinds: &[&str]) {
    let path = Path::new("roleRef");
    out.supported_at(&path, "apiGroup", role.at("apiGroup").text(), &[RBAC]);
    out.supported_at(&path, "kind", role.at("kind").text(), kinds);
    let (path, name) = (path.child("name"), role.at("name").text());
    if name.is_empty() {
        out.required(&path, "");
    } else {
        out.words(&path, name, names::path_segment);
    }
}

fn same_role(out: &mut Report, new: &Document, old: &Document) {
    let (new, old) = (new.at("roleRef").value(), old.at("roleRef").value());
    if new != old {
        out.invalid(&Path::new("roleRef"), new.clone(), "cannot change roleRef");
    }
}

fn subjects(out: &mut Report, binding: &Document, namespaced: bool) {
    for (index, subject) in binding.at("subjects").items().enumerate() {
        self::subject(out, subject, namespaced, &Path::new("subjects").index(index));
    }
}

fn subject(out: &mut Report, subject: Part<'_>, namespaced: bool, path: &Path) {
    let (name, group) = (subject.at("name").text(), subject.at("apiGroup").text());
    let (name_path, group_path) = (path.child("name"), path.child("apiGroup"));
    if name.is_empty() {
        out.required(&name_path, "");
    }
    match subject.at("kind").text() {
        "ServiceAccount" => {
            if !name.is_empty() {
                out.words(&name_path, name, names::dns1123_subdomain);
            }
            if !group.is_empty() {
                out.supported(&group_path, group, &[""]);
            }
            if !namespaced && subject.at("namespace").text().is_empty() {
                out.required_at(path, "namespace", "");
            }
        }
        kind @ ("User" | "Group") => {
            if name.is_empty() {
                let words = format!("{} name cannot be empty", kind.to_ascii_lowercase());
                out.invalid(&name_path, name, words);
            }
            out.supported(&group_path, group, &[RBAC]);
        }
        kind => out.supported_at(path, "kind", kind, &["ServiceAccount", "User", "Group"]),
    }
}
