//! Reviews: questions about who somebody is and what they may do. They are asked by creating them, and
//! kept nowhere; nor are bindings, which have a path of their own still.

/// A kind of review, of version `v1` of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Review {
    pub group: &'static str,
    /// The kind's name.
    pub name: &'static str,
    pub plural: &'static str,
    /// Whether it is asked within a namespace.
    pub namespaced: bool,
}

const fn review(group: &'static str, name: &'static str, plural: &'static str) -> Review {
    Review { group, name, plural, namespaced: false }
}

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// Where Pods were bound before they had a path for it.
pub const BINDINGS: &str = "bindings";

/// The reviews that are answered, and bindings.
pub const REVIEWS: [Review; 7] = [
    Review { namespaced: true, ..review("", "Binding", BINDINGS) },
    review(AUTHENTICATION, "SelfSubjectReview", "selfsubjectreviews"),
    review(AUTHENTICATION, "TokenReview", "tokenreviews"),
    Review {
        namespaced: true,
        ..review(AUTHORIZATION, "LocalSubjectAccessReview", "localsubjectaccessreviews")
    },
    review(AUTHORIZATION, "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
    review(AUTHORIZATION, "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    review(AUTHORIZATION, "SubjectAccessReview", "subjectaccessreviews"),
];

impl Review {
    /// The kind that is created at `path`, if it is one, and the namespace, if it is asked within one.
    pub fn at(path: &str) -> Option<(&'static Self, Option<&str>)> {
        let path = path.trim_end_matches('/');
        let (group, rest) = match path.strip_prefix("/apis/") {
            Some(rest) => rest.split_once('/')?,
            None => ("", path.strip_prefix("/api/")?),
        };
        let rest = rest.strip_prefix("v1/")?;
        let (namespace, plural) = match rest.strip_prefix("namespaces/") {
            Some(rest) => {
                rest.split_once('/').map(|(namespace, plural)| (Some(namespace), plural))?
            }
            None => (None, rest),
        };
        let mut of_group = REVIEWS.iter().filter(|review| review.group == group);
        let found = of_group.find(|review| review.plural == plural)?;
        (found.namespaced == namespace.is_some()).then_some((found, namespace))
    }

    /// Its group and version.
    pub fn api_version(&self) -> String {
        [self.group, "/v1"].concat()
    }
}
