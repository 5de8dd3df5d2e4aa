//! Who asks, and what for, as the secure door sees it.
//!
//! Mirrors: `apiserver/pkg/authentication/user`, `apiserver/pkg/endpoints/request/requestinfo.go`.

use std::rc::Rc;

use super::route::Query;

/// The group of the kubelets.
const NODES: &str = "system:nodes";
/// The group of those to whom nothing is refused.
pub const MASTERS: &str = "system:masters";

/// What a call through the secure door shows of itself. A call without it came through the door that
/// asks nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The bearer token; none is anonymous.
    pub token: Option<Rc<str>>,
    /// Whom the caller wants to be taken for, by the header `Impersonate-User`.
    pub as_user: Option<Rc<str>>,
    /// In which groups, by the headers `Impersonate-Group`.
    pub as_groups: Rc<[Rc<str>]>,
}

impl Credentials {
    /// What the headers `Authorization`, `Impersonate-User` and `Impersonate-Group` show.
    pub fn of_headers<'a>(
        authorization: Option<&str>,
        as_user: Option<&str>,
        as_groups: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let bearer = authorization.and_then(|header| header.split_once(' '));
        let token = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        Self {
            token: token.map(|(_, token)| token.trim().into()),
            as_user: as_user.filter(|name| !name.is_empty()).map(Into::into),
            as_groups: as_groups.into_iter().map(Into::into).collect(),
        }
    }
}

/// Somebody whom the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: Rc<str>,
    pub groups: Vec<Rc<str>>,
}

impl User {
    /// Whether nothing is refused to them.
    pub fn is_master(&self) -> bool {
        self.is_of(MASTERS)
    }

    /// The name of the node whose kubelet they are, if they are one.
    ///
    /// Mirrors: `pkg/auth/nodeidentifier`.
    pub fn node(&self) -> Option<&str> {
        self.name.strip_prefix("system:node:").filter(|_| self.is_of(NODES))
    }

    fn is_of(&self, group: &str) -> bool {
        self.groups.iter().any(|own| **own == *group)
    }
}

/// The namespace and the name of the service account that the user called `name` is, if it is one.
pub fn service_account(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("system:serviceaccount:")?.split_once(':')
}

/// A call: who and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub credentials: Rc<Credentials>,
    pub attributes: Attributes,
}

/// What a call asks for, read off its method and its path alone: it is the same for a resource that
/// there is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub verb: String,
    /// The path of a call that is about no resource, else empty.
    pub path: String,
    pub group: String,
    /// In the plural; empty if the call is about no resource.
    pub resource: String,
    pub subresource: String,
    /// Empty at the cluster's scope.
    pub namespace: String,
    /// Empty for a collection.
    pub name: String,
    /// Of a collection, which fields choose from it; empty if none do.
    pub field_selector: String,
}

impl Attributes {
    /// What `method` at `path`, which may have a query, asks for.
    pub fn of(method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, rest) = match parts.as_slice() {
            ["api", _, rest @ ..] if !rest.is_empty() => ("", rest),
            ["apis", group, _, rest @ ..] if !rest.is_empty() => (*group, rest),
            _ => {
                let verb = method.to_ascii_lowercase();
                return Self { verb, path: path.to_owned(), ..Self::default() };
            }
        };
        let (namespace, rest) = match rest {
            // A namespace's own parts are in it.
            ["namespaces", name, part @ ..]
                if part.is_empty() || matches!(part, ["status" | "finalize", ..]) =>
            {
                (*name, rest)
            }
            ["namespaces", name, rest @ ..] => (*name, rest),
            rest => ("", rest),
        };
        let part = |index: usize| rest.get(index).copied().unwrap_or_default().to_owned();
        let (resource, mut name, subresource) = (part(0), part(1), part(2));
        let query = Query::parse(query);
        let watches = query.flag("watch");
        let verb = match (method, name.is_empty()) {
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", true) => "deletecollection",
            ("DELETE", false) => "delete",
            (_, true) if watches => "watch",
            (_, true) => "list",
            (_, false) => "get",
        };
        let is_of_many = matches!(verb, "list" | "watch" | "deletecollection");
        let selector = query.get("fieldSelector").filter(|_| is_of_many).unwrap_or_default();
        if let (true, Some(only)) = (verb != "deletecollection", only_name(selector)) {
            only.clone_into(&mut name);
        }
        Self {
            verb: verb.to_owned(),
            path: String::new(),
            group: group.to_owned(),
            resource,
            subresource,
            namespace: namespace.to_owned(),
            name,
            field_selector: selector.to_owned(),
        }
    }

    /// The resource with its part, as rules name it: `pods/log`.
    pub fn whole_resource(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            [&self.resource, "/", &self.subresource].concat()
        }
    }
}

/// The name that a field selector asks for.
fn only_name(selector: &str) -> Option<&str> {
    let mut terms = selector.split(',');
    terms.find_map(|term| term.strip_prefix("metadata.name=")).map(|name| name.trim_matches('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_asks_for_one_thing() {
        let said = |method, path| {
            let it = Attributes::of(method, path);
            let whole = it.whole_resource();
            format!("{} {}{} {} {} {}", it.verb, it.path, it.group, whole, it.namespace, it.name)
        };
        for (method, path, want) in [
            ("GET", "/healthz", "get /healthz   "),
            ("GET", "/apis/apps/v1", "get /apis/apps/v1   "),
            ("GET", "/api/v1/pods", "list  pods  "),
            ("GET", "/api/v1/namespaces/a/pods?watch=1", "watch  pods a "),
            ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dp", "list  pods  p"),
            ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection  pods a "),
            ("GET", "/api/v1/namespaces/a", "get  namespaces a a"),
            ("PUT", "/api/v1/namespaces/a/finalize", "update  namespaces/finalize a a"),
            ("POST", "/api/v1/namespaces", "create  namespaces  "),
            ("GET", "/api/v1/namespaces/a/pods/p/log", "get  pods/log a p"),
            ("PATCH", "/apis/apps/v1/namespaces/a/deployments/d", "patch apps deployments a d"),
        ] {
            assert_eq!(said(method, path), want, "{method} {path}");
        }
    }
}
