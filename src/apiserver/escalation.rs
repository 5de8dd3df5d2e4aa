//! Nobody gives others more than they have: roles, and bindings to them, by those who may write them.
//!
//! Mirrors: `pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased` and
//! `pkg/registry/rbac/validation`.

use jiff::Timestamp;
use serde_json::json;

use super::authorization::covers;
use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::caller::{Attributes, User};
use crate::api::document::{Document, Part};
use crate::api::request::Request;
use crate::api::status::StatusError;
use crate::api::text::go_quote;
use crate::api::words::RBAC;
use crate::api::{Kind, Object};
use crate::sim::sort;

impl ApiServer {
    /// Checks what a new or changed role or binding gives to others against what who writes it has.
    ///
    /// # Errors
    ///
    /// 403 with what they do not have, 404 if the role is not there.
    pub(super) fn admit_grant(
        &self,
        request: &Request,
        object: &Object,
        before: Option<&Object>,
        now: Timestamp,
    ) -> Result<(), StatusError> {
        let (Some(caller), Some(document)) = (&request.caller, object.document()) else {
            return Ok(());
        };
        let is_one_of = |kinds: [Kind; 2]| kinds.contains(&document.kind());
        let is_role = is_one_of([Kind::Role, Kind::ClusterRole]);
        let is_binding = is_one_of([Kind::RoleBinding, Kind::ClusterRoleBinding]);
        if !is_role && !is_binding {
            return Ok(());
        }
        let user = self.authenticate(&caller.credentials, now)?;
        let before = before.and_then(Object::document);
        let same =
            |field| before.is_some_and(|old| old.at(field).value() == document.at(field).value());
        let is_same =
            if is_role { same("rules") && same("aggregationRule") } else { same("subjects") };
        if user.is_master() || is_same {
            return Ok(());
        }
        let namespace = object.namespace();
        if is_role {
            let resource = document.kind().resource().plural;
            if self.may(&user, ("escalate", resource), namespace, object.name()) {
                return Ok(());
            }
            // What is gathered can be anything.
            let gathers = |role: &Document| role.at("aggregationRule").is_there();
            let gathers = gathers(document) || before.is_some_and(|old| gathers(old));
            let everything = json!([
                {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
                {"nonResourceURLs": ["*"], "verbs": ["*"]},
            ]);
            if gathers && !self.missing(&user, Part::of(Some(&everything)), namespace).is_empty() {
                let why = "must have cluster-admin privileges to use the aggregationRule";
                let resource = group_resource(document.kind().resource());
                return Err(StatusError::forbidden(resource, object.name(), why));
            }
            return self.has_all(&user, document, document.at("rules"), namespace);
        }
        let role = document.at("roleRef");
        let (name, is_cluster) = (role.at("name").text(), role.at("kind").text() == "ClusterRole");
        let kind = if is_cluster { Kind::ClusterRole } else { Kind::Role };
        if self.may(&user, ("bind", kind.resource().plural), namespace, name) {
            return Ok(());
        }
        let found = self
            .role(role, namespace)
            .ok_or_else(|| StatusError::not_found(group_resource(kind.resource()), name))?;
        self.has_all(&user, document, found.at("rules"), namespace)
    }

    /// Whether somebody may do so with a role, whatever it gives.
    fn may(
        &self,
        user: &User,
        (verb, resource): (&str, &str),
        namespace: &str,
        name: &str,
    ) -> bool {
        let wish = Attributes {
            verb: verb.to_owned(),
            group: RBAC.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        };
        self.allowed_by(user, &wish, &mut Vec::new()).is_some()
    }

    /// What of all that the rules allow is not allowed to `user`.
    fn missing(&self, user: &User, rules: Part<'_>, namespace: &str) -> Vec<Attributes> {
        let own = self.rules_for(user, namespace);
        let mut missing = Vec::new();
        for wish in rules.items().flat_map(wishes) {
            if !own.iter().any(|rule| covers(*rule, &wish)) {
                missing.push(wish);
            }
        }
        missing
    }

    /// 403 unless all that the rules allow is allowed to `user`.
    fn has_all(
        &self,
        user: &User,
        object: &Document,
        rules: Part<'_>,
        namespace: &str,
    ) -> Result<(), StatusError> {
        let missing = self.missing(user, rules, namespace);
        if missing.is_empty() {
            return Ok(());
        }
        let groups: Vec<String> = user.groups.iter().map(|group| go_quote(group)).collect();
        let why = format!(
            "user {} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
            go_quote(&user.name),
            groups.join(" "),
            told(&missing),
        );
        let name = object.metadata.name.as_deref().unwrap_or_default();
        Err(StatusError::forbidden(group_resource(object.kind().resource()), name, why))
    }
}

/// All that a rule allows, one by one.
fn wishes(rule: Part<'_>) -> Vec<Attributes> {
    let mut all = Vec::new();
    for verb in rule.at("verbs").texts() {
        for path in rule.at("nonResourceURLs").texts() {
            let (verb, path) = (verb.to_owned(), path.to_owned());
            all.push(Attributes { verb, path, ..Attributes::default() });
        }
        for group in rule.at("apiGroups").texts() {
            for whole in rule.at("resources").texts() {
                let (resource, part) = whole.split_once('/').unwrap_or((whole, ""));
                let names = rule.at("resourceNames");
                let any = names.is_empty().then_some("");
                for name in names.texts().chain(any) {
                    all.push(Attributes {
                        verb: verb.to_owned(),
                        group: group.to_owned(),
                        resource: resource.to_owned(),
                        subresource: part.to_owned(),
                        name: name.to_owned(),
                        ..Attributes::default()
                    });
                }
            }
        }
    }
    all
}

/// What is missing as upstream tells it: the verbs of one resource together, sorted as texts.
fn told(missing: &[Attributes]) -> String {
    let mut together: Vec<(String, String)> = Vec::new();
    for wish in missing {
        let mut about = if wish.path.is_empty() {
            let (group, resource) = (go_quote(&wish.group), go_quote(&wish.whole_resource()));
            ["APIGroups:[", &group, "], Resources:[", &resource, "]"].concat()
        } else {
            ["NonResourceURLs:[", &go_quote(&wish.path), "]"].concat()
        };
        if !wish.name.is_empty() {
            about.extend([", ResourceNames:[", &go_quote(&wish.name), "]"]);
        }
        let verb = go_quote(&wish.verb);
        match together.iter_mut().find(|(known, _)| *known == about) {
            Some((_, verbs)) => verbs.extend([" ", &verb]),
            None => together.push((about, verb)),
        }
    }
    let lines = together.into_iter();
    let mut lines: Vec<String> =
        lines.map(|(about, verbs)| ["{", &about, ", Verbs:[", &verbs, "]}"].concat()).collect();
    sort::by(&mut lines, Ord::cmp);
    lines.join("\n")
}
