//! Who a caller is: by their token, and by whom they want to be taken for.
//!
//! Mirrors: `apiserver/pkg/authentication` with a token file and tokens of service accounts, and
//! `apiserver/pkg/endpoints/filters/impersonation.go`.

use std::rc::Rc;

use jiff::Timestamp;

use super::server::ApiServer;
use crate::api::caller::{Attributes, Credentials, MASTERS, User, service_account};
use crate::api::status::StatusError;

/// The token of the cluster's administrator, whom every kubeconfig of ours names. The cluster is the
/// caller's own, so that it is no secret.
pub const ADMIN_TOKEN: &str = "admin";
pub(super) const AUTHENTICATED: &str = "system:authenticated";
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";
const ANONYMOUS: &str = "system:anonymous";

impl ApiServer {
    /// Who asks.
    ///
    /// # Errors
    ///
    /// 401 if nobody has that token, 403 if the caller may not pass for whom they name.
    pub(super) fn authenticate(
        &self,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<User, StatusError> {
        let own = match credentials.token.as_deref() {
            None | Some("") => user(ANONYMOUS, &[UNAUTHENTICATED]),
            Some(token) => self
                .shown_by(token, now)
                .ok_or_else(|| StatusError::unauthorized("Unauthorized"))?,
        };
        let Some(name) = &credentials.as_user else { return Ok(own) };
        let mut wishes = vec![impersonation(name)];
        wishes.extend(credentials.as_groups.iter().map(|group| Attributes {
            verb: "impersonate".to_owned(),
            resource: "groups".to_owned(),
            name: group.to_string(),
            ..Attributes::default()
        }));
        for wish in wishes {
            self.authorize(&own, &wish)?;
        }
        Ok(impersonated(name, &credentials.as_groups))
    }

    /// Whom a token shows: the administrator, or a service account.
    pub(super) fn shown_by(&self, token: &str, now: Timestamp) -> Option<User> {
        let administrator = || user("kubernetes-admin", &[MASTERS, AUTHENTICATED]);
        if token == ADMIN_TOKEN { Some(administrator()) } else { self.token_user(token, now) }
    }
}

/// Who comes through the door that asks nobody.
pub(super) fn unsecured() -> User {
    user("system:unsecured", &[MASTERS, AUTHENTICATED])
}

fn user(name: &str, groups: &[&str]) -> User {
    User { name: name.into(), groups: groups.iter().map(|group| Rc::from(*group)).collect() }
}

/// What it takes to pass for the user called `name`: a service account is a resource of its own.
fn impersonation(name: &str) -> Attributes {
    let verb = "impersonate".to_owned();
    match service_account(name) {
        Some((namespace, name)) => Attributes {
            verb,
            resource: "serviceaccounts".to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        },
        None => Attributes {
            verb,
            resource: "users".to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        },
    }
}

/// The user called `name`, in `groups` and in those that the name alone puts them in.
fn impersonated(name: &Rc<str>, groups: &[Rc<str>]) -> User {
    let mut groups = groups.to_vec();
    if let (true, Some((namespace, _))) = (groups.is_empty(), service_account(name)) {
        groups.push("system:serviceaccounts".into());
        groups.push(format!("system:serviceaccounts:{namespace}").into());
    }
    let added = if &**name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
    if !groups.iter().any(|group| &**group == AUTHENTICATED || &**group == UNAUTHENTICATED) {
        groups.push(added.into());
    }
    User { name: Rc::clone(name), groups }
}
