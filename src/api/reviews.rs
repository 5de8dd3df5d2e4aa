//! Reviews: questions about who somebody is and what they may do. They are asked by creating them, and
//! kept nowhere.

/// A kind of review, of version `v1` of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Review {
    pub group: &'static str,
    /// The kind's name.
    pub name: &'static str,
    pub plural: &'static str,
}

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// The reviews that are answered.
pub const REVIEWS: [Review; 5] = [
    Review { group: AUTHENTICATION, name: "SelfSubjectReview", plural: "selfsubjectreviews" },
    Review { group: AUTHENTICATION, name: "TokenReview", plural: "tokenreviews" },
    Review {
        group: AUTHORIZATION,
        name: "SelfSubjectAccessReview",
        plural: "selfsubjectaccessreviews",
    },
    Review {
        group: AUTHORIZATION,
        name: "SelfSubjectRulesReview",
        plural: "selfsubjectrulesreviews",
    },
    Review { group: AUTHORIZATION, name: "SubjectAccessReview", plural: "subjectaccessreviews" },
];

impl Review {
    /// The kind that is created at `path`, if it is one.
    pub fn at(path: &str) -> Option<&'static Self> {
        let rest = path.trim_end_matches('/').strip_prefix("/apis/")?;
        let (group, rest) = rest.split_once('/')?;
        let plural = rest.strip_prefix("v1/")?;
        REVIEWS.iter().find(|review| review.group == group && review.plural == plural)
    }

    /// Its group and version.
    pub fn api_version(&self) -> String {
        [self.group, "/v1"].concat()
    }
}
