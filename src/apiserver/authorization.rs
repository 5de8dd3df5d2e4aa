//! What somebody may do: role-based access control.
//!
//! Mirrors: `plugin/pkg/auth/authorizer/rbac`, `pkg/registry/rbac/validation/rule.go` and
//! `apiserver/pkg/endpoints/handlers/responsewriters/errors.go`.

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};

use super::authentication::MASTERS;
use super::server::ApiServer;
use crate::api::caller::{Attributes, User};
use crate::api::status::{GroupResource, StatusError};
use crate::api::text::go_quote;
use crate::api::types::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use crate::api::words::RBAC;
use crate::api::{Kind, Resource as _};

impl ApiServer {
    /// Whether `user` may do it.
    ///
    /// # Errors
    ///
    /// 403, and why.
    pub(super) fn authorize(&self, user: &User, wish: &Attributes) -> Result<(), StatusError> {
        if user.groups.iter().any(|group| &**group == MASTERS) {
            return Ok(());
        }
        let mut unknown = Vec::new();
        if self.is_allowed(user, wish, &mut unknown) {
            return Ok(());
        }
        Err(forbidden(user, wish, &unknown))
    }

    /// Whether a role allows it; roles that a binding names and that are not there are added to
    /// `unknown`.
    fn is_allowed(&self, user: &User, wish: &Attributes, unknown: &mut Vec<String>) -> bool {
        let mut allows = |role: &RoleRef, namespace: &str| {
            if let Some(rules) = self.rules(role, namespace) {
                return rules.iter().any(|rule| covers(rule, wish));
            }
            let kind = role.kind.to_ascii_lowercase();
            unknown.push(format!("{kind}.{RBAC} {} not found", go_quote(&role.name)));
            false
        };
        for object in self.objects(Kind::ClusterRoleBinding) {
            if let Some(binding) = ClusterRoleBinding::unwrap(object)
                && names(binding.subjects.as_deref(), user, "")
                && allows(&binding.role_ref, "")
            {
                return true;
            }
        }
        if wish.namespace.is_empty() {
            return false;
        }
        for object in self.objects(Kind::RoleBinding) {
            if let Some(binding) = RoleBinding::unwrap(object)
                && object.namespace() == wish.namespace
                && names(binding.subjects.as_deref(), user, &wish.namespace)
                && allows(&binding.role_ref, &wish.namespace)
            {
                return true;
            }
        }
        false
    }

    /// The rules of a role, if it is there.
    fn rules(&self, role: &RoleRef, namespace: &str) -> Option<&[PolicyRule]> {
        let rules = if role.kind == "ClusterRole" {
            let role = self.object(Kind::ClusterRole, "", &role.name)?;
            &ClusterRole::unwrap(role)?.rules
        } else {
            let role = self.object(Kind::Role, namespace, &role.name)?;
            &Role::unwrap(role)?.rules
        };
        Some(rules.as_deref().unwrap_or_default())
    }
}

/// Whether `user` is one of `subjects`, of a binding in `namespace`.
fn names(subjects: Option<&[Subject]>, user: &User, namespace: &str) -> bool {
    subjects.into_iter().flatten().any(|subject| match subject.kind.as_str() {
        "User" => *subject.name == *user.name,
        "Group" => user.groups.iter().any(|group| **group == *subject.name),
        "ServiceAccount" => {
            let own = subject.namespace.as_deref().unwrap_or_default();
            let namespace = if own.is_empty() { namespace } else { own };
            let account = user.name.strip_prefix("system:serviceaccount:");
            !namespace.is_empty()
                && account.and_then(|account| account.split_once(':'))
                    == Some((namespace, &subject.name))
        }
        _ => false,
    })
}

/// Whether a rule allows it.
fn covers(rule: &PolicyRule, wish: &Attributes) -> bool {
    let has = |list: &Option<Vec<String>>, wanted: &str| {
        list.iter().flatten().any(|one| one == "*" || one == wanted)
    };
    if !rule.verbs.iter().any(|verb| *verb == "*" || *verb == wish.verb) {
        return false;
    }
    if wish.resource.is_empty() {
        return rule.non_resource_urls.iter().flatten().any(|url| match url.strip_suffix('*') {
            Some(start) => wish.path.starts_with(start),
            None => wish.path == *url,
        });
    }
    let any_with_part = format!("*/{}", wish.subresource);
    let resources = rule.resources.as_deref().unwrap_or_default();
    let whole = wish.whole_resource();
    has(&rule.api_groups, &wish.group)
        && resources.iter().any(|one| {
            one == "*" || *one == whole || !wish.subresource.is_empty() && *one == any_with_part
        })
        && rule
            .resource_names
            .as_deref()
            .is_none_or(|names| names.is_empty() || names.contains(&wish.name))
}

fn forbidden(user: &User, wish: &Attributes, unknown: &[String]) -> StatusError {
    let (name, verb) = (go_quote(&user.name), &wish.verb);
    let mut why = if wish.resource.is_empty() {
        format!("User {name} cannot {verb} path {}", go_quote(&wish.path))
    } else {
        let place = if wish.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {}", go_quote(&wish.namespace))
        };
        let (resource, group) = (go_quote(&wish.whole_resource()), go_quote(&wish.group));
        format!("User {name} cannot {verb} resource {resource} in API group {group} {place}")
    };
    match unknown {
        [] => {}
        [one] => why = format!("{why}: RBAC: {one}"),
        many => why = format!("{why}: RBAC: [{}]", many.join(", ")),
    }
    StatusError::forbidden(GroupResource::new(&wish.group, &wish.resource), &wish.name, why)
}
