//! What somebody may do: all, as a kubelet, or by roles (role-based access control).
//!
//! Mirrors: `apiserver/pkg/authorization/union`, `plugin/pkg/auth/authorizer/rbac`, `pkg/registry/rbac/validation/rule.go` and
//! `apiserver/pkg/endpoints/handlers/responsewriters/errors.go`.

use std::fmt;
use std::rc::Rc;

use super::server::ApiServer;
use crate::api::caller::{Attributes, User, service_account};
use crate::api::document::{Document, Part};
use crate::api::status::{GroupResource, StatusError};
use crate::api::text::go_quote;
use crate::api::words::RBAC;
use crate::api::{Kind, Object};

/// Why somebody may not do something.
#[derive(Default)]
pub(super) struct Refusal {
    /// What those say who were asked; empty if they say nothing.
    pub reason: String,
    /// The roles that were not there to be asked.
    pub error: Option<String>,
}

impl ApiServer {
    /// Whether `user` may do it.
    ///
    /// # Errors
    ///
    /// 403, and why.
    pub(super) fn authorize(&self, user: &User, wish: &Attributes) -> Result<(), StatusError> {
        match self.decide(user, wish) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(forbidden(user, wish, &refusal.reason)),
        }
    }

    /// Why `user` may do it; empty if there is nothing to say.
    pub(super) fn decide(&self, user: &User, wish: &Attributes) -> Result<String, Refusal> {
        if user.is_master() {
            return Ok(String::new());
        }
        let mut reason = match self.node_may(user, wish) {
            Ok(()) => return Ok(String::new()),
            Err(reason) => reason,
        };
        let mut unknown = Vec::new();
        if let Some(why) = self.allowed_by(user, wish, &mut unknown) {
            return Ok(["RBAC: allowed by ", &why].concat());
        }
        let error = together(&unknown);
        if let Some(error) = &error {
            let line = if reason.is_empty() { "" } else { "\n" };
            reason.extend([line, "RBAC: ", error]);
        }
        Err(Refusal { reason, error })
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
            match self.role(bound.role, bound.namespace) {
                Some(role) if role.at("rules").items().any(|rule| covers(rule, wish)) => {
                    return Some(bound.to_string());
                }
                Some(_) => {}
                None => {
                    let kind = bound.role.at("kind").text().to_ascii_lowercase();
                    let name = go_quote(bound.role.at("name").text());
                    unknown.push(format!("{kind}.{RBAC} {name} not found"));
                }
            }
        }
        None
    }

    /// The rules of all roles that `user` has in `namespace`.
    pub(super) fn rules_for(&self, user: &User, namespace: &str) -> Vec<Part<'_>> {
        let bound = self.bound(user, namespace);
        let roles = bound.filter_map(|bound| self.role(bound.role, bound.namespace));
        roles.flat_map(|role| role.at("rules").items()).collect()
    }

    /// What binds `user` to roles: in the whole cluster and, unless it is empty, in `namespace`.
    fn bound<'a>(
        &'a self,
        user: &'a User,
        namespace: &'a str,
    ) -> impl Iterator<Item = Bound<'a>> + use<'a> {
        let everywhere = self.objects(Kind::ClusterRoleBinding).filter_map(Object::document);
        let everywhere = everywhere.filter_map(move |binding| Bound::of(binding, user, ""));
        let here = self.documents(Kind::RoleBinding, namespace).filter(|_| !namespace.is_empty());
        everywhere.chain(here.filter_map(move |binding| Bound::of(binding, user, namespace)))
    }

    /// The role that a binding in `namespace` refers to, if it is there.
    pub(super) fn role(&self, role: Part<'_>, namespace: &str) -> Option<&Rc<Document>> {
        let name = role.at("name").text();
        if role.at("kind").text() == "ClusterRole" {
            self.object(Kind::ClusterRole, "", name)?.document()
        } else {
            self.object(Kind::Role, namespace, name)?.document()
        }
    }
}

/// A binding of somebody to a role.
struct Bound<'a> {
    binding: &'a Document,
    /// What the binding says of the role.
    role: Part<'a>,
    subject: Part<'a>,
    /// Empty if it binds in the whole cluster.
    namespace: &'a str,
}

impl<'a> Bound<'a> {
    /// What a binding means to `user`, if it names them.
    fn of(binding: &'a Document, user: &User, namespace: &'a str) -> Option<Self> {
        let mut subjects = binding.at("subjects").items();
        let subject = subjects.find(|subject| is_named(*subject, user, namespace))?;
        Some(Self { binding, role: binding.at("roleRef"), subject, namespace })
    }
}

impl fmt::Display for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.binding.kind().resource().name;
        let name = self.binding.metadata.name.as_deref().unwrap_or_default();
        let place = if self.namespace.is_empty() { "" } else { "/" };
        let binding = go_quote(&[name, place, self.namespace].concat());
        let (role_kind, role) = (self.role.at("kind").text(), self.role.at("name").text());
        let (subject_kind, subject) =
            (self.subject.at("kind").text(), self.subject.at("name").text());
        let subject = match (subject_kind, self.subject.at("namespace").text()) {
            ("ServiceAccount", "") => format!("{}/{subject}", self.namespace),
            ("ServiceAccount", own) => format!("{own}/{subject}"),
            _ => subject.to_owned(),
        };
        let (role, subject) = (go_quote(role), go_quote(&subject));
        write!(f, "{kind} {binding} of {role_kind} {role} to {subject_kind} {subject}")
    }
}

/// Whether the `subject` of a binding in `namespace` is `user`.
fn is_named(subject: Part<'_>, user: &User, namespace: &str) -> bool {
    let name = subject.at("name").text();
    match subject.at("kind").text() {
        "User" => *name == *user.name,
        "Group" => user.groups.iter().any(|group| **group == *name),
        "ServiceAccount" => {
            let own = subject.at("namespace").text();
            let namespace = if own.is_empty() { namespace } else { own };
            !namespace.is_empty() && service_account(&user.name) == Some((namespace, name))
        }
        _ => false,
    }
}

/// Whether a rule allows it.
pub(super) fn covers(rule: Part<'_>, wish: &Attributes) -> bool {
    let has =
        |list: &str, wanted: &str| rule.at(list).texts().any(|one| one == "*" || one == wanted);
    if !has("verbs", &wish.verb) {
        return false;
    }
    if wish.resource.is_empty() {
        return rule.at("nonResourceURLs").texts().any(|url| match url.strip_suffix('*') {
            Some(start) => wish.path.starts_with(start),
            None => wish.path == *url,
        });
    }
    let any_with_part = format!("*/{}", wish.subresource);
    let whole = wish.whole_resource();
    let names = rule.at("resourceNames");
    has("apiGroups", &wish.group)
        && rule.at("resources").texts().any(|one| {
            one == "*" || *one == whole || !wish.subresource.is_empty() && *one == any_with_part
        })
        && (names.is_empty() || names.texts().any(|name| name == wish.name))
}

/// Errors as Go's aggregate prints them; none if there is none.
fn together(errors: &[String]) -> Option<String> {
    match errors {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

fn forbidden(user: &User, wish: &Attributes, reason: &str) -> StatusError {
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
    if !reason.is_empty() {
        why.extend([": ", reason]);
    }
    StatusError::forbidden(GroupResource::new(&wish.group, &wish.resource), &wish.name, why)
}
