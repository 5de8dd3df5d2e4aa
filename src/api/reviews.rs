//! Reviews: questions about who somebody is and what they may do. They are asked by creating them, and
//! kept nowhere.

/// The paths at which reviews are created, but for those in a namespace.
pub const REVIEWS: [&str; 4] = [
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
];

/// Whether a review is created at `path`.
pub fn is_review(path: &str) -> bool {
    REVIEWS.contains(&path.trim_end_matches('/'))
}
