//! What somebody may do: role-based access control.
//!
//! Mirrors: `plugin/pkg/auth/authorizer/rbac`, `pkg/registry/rbac/validation/rule.go` and
//! `apiserver/pkg/endpoints/handlers/responsewriters/errors.go`.

use std::fmt;

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};

use super::server::ApiServer;
use crate::api::caller::{Attributes, User, service_account};
use crate::api::status::{GroupResource, StatusError};
use crate::api::text::go_quote;
use crate::api::types::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use crate::api::words::RBAC;
use crate::api::{Kind, Object, Resource as _};

impl ApiServer {
    /// Whether `user` may do it.
    ///
    /// # Errors
    ///
    /// 403, and why.
    pub(super) fn authorize(&self, user: &User, wish: &Attributes) -> Result<(), StatusError> {
        if user.is_master() {
            return Ok(());
        }
        let mut unknown = Vec::new();
        if self.allowed_by(user, wish, &mut unknown).is_some() {
            return Ok(());
        }
        Err(forbidden(user, wish, &unknown))
    }

    /// The binding that allows it, as upstream names it; roles that a binding names and that are not
    /// there are added to `unknown`.
    pub(super) fn allowed_by(
        &self,
        user: &User,
        wish: &Attributes,
        unknown: &mut Vec<String>,
    ) -> Option<String> {
        for bound in self.bound(user, &wish.namespace) {
            match self.rules(bound.role, bound.namespace) {
                Some(rules) if rules.iter().any(|rule| covers(rule, wish)) => {
                    return Some(bound.to_string());
                }
                Some(_) => {}
                None => {
                    let kind = bound.role.kind.to_ascii_lowercase();
                    unknown.push(format!("{kind}.{RBAC} {} not found", go_quote(&bound.role.name)));
                }
            }
        }
        None
    }

    /// The rules of all roles that `user` has in `namespace`.
    pub(super) fn rules_for(&self, user: &User, namespace: &str) -> Vec<&PolicyRule> {
        let bound = self.bound(user, namespace);
        bound.filter_map(|bound| self.rules(bound.role, bound.namespace)).flatten().collect()
    }

    /// What binds `user` to roles: in the whole cluster and, unless it is empty, in `namespace`.
    fn bound<'a>(
        &'a self,
        user: &'a User,
        namespace: &'a str,
    ) -> impl Iterator<Item = Bound<'a>> + use<'a> {
        let everywhere = self.objects(Kind::ClusterRoleBinding).filter_map(move |object| {
            let binding = ClusterRoleBinding::unwrap(object)?;
            let subject = named(binding.subjects.as_deref(), user, "")?;
            Some(Bound { object, role: &binding.role_ref, subject, namespace: "" })
        });
        let here = self.objects(Kind::RoleBinding).filter_map(move |object| {
            let binding = RoleBinding::unwrap(object)?;
            if namespace.is_empty() || object.namespace() != namespace {
                return None;
            }
            let subject = named(binding.subjects.as_deref(), user, namespace)?;
            Some(Bound { object, role: &binding.role_ref, subject, namespace })
        });
        everywhere.chain(here)
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

/// A binding of somebody to a role.
struct Bound<'a> {
    object: &'a Object,
    role: &'a RoleRef,
    subject: &'a Subject,
    /// Empty if it binds in the whole cluster.
    namespace: &'a str,
}

impl fmt::Display for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (self.object.kind().resource().name, self.object.name());
        let place = if self.namespace.is_empty() { "" } else { "/" };
        let binding = go_quote(&[name, place, self.namespace].concat());
        let role = go_quote(&self.role.name);
        let subject = if self.subject.kind == "ServiceAccount" {
            let own = self.subject.namespace.as_deref().filter(|own| !own.is_empty());
            go_quote(&format!("{}/{}", self.subject.name, own.unwrap_or(self.namespace)))
        } else {
            go_quote(&self.subject.name)
        };
        let (role_kind, subject_kind) = (&self.role.kind, &self.subject.kind);
        write!(f, "{kind} {binding} of {role_kind} {role} to {subject_kind} {subject}")
    }
}

/// Which of `subjects`, of a binding in `namespace`, `user` is.
fn named<'a>(subjects: Option<&'a [Subject]>, user: &User, namespace: &str) -> Option<&'a Subject> {
    subjects.into_iter().flatten().find(|subject| match subject.kind.as_str() {
        "User" => *subject.name == *user.name,
        "Group" => user.groups.iter().any(|group| **group == *subject.name),
        "ServiceAccount" => {
            let own = subject.namespace.as_deref().unwrap_or_default();
            let namespace = if own.is_empty() { namespace } else { own };
            !namespace.is_empty() && service_account(&user.name) == Some((namespace, &subject.name))
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

/// Errors as Go's aggregate prints them; none if there is none.
pub(super) fn together(errors: &[String]) -> Option<String> {
    match errors {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
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
    if let Some(unknown) = together(unknown) {
        why = format!("{why}: RBAC: {unknown}");
    }
    StatusError::forbidden(GroupResource::new(&wish.group, &wish.resource), &wish.name, why)
}
