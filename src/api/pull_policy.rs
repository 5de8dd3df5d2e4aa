//! When a node is to fetch an image.

use super::wire::Container;

/// When a node is to fetch the image of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagePullPolicy {
    Always,
    IfNotPresent,
    Never,
}

impl ImagePullPolicy {
    /// The policy of a container as the server stored it; there it always has one.
    pub fn of(container: &Container) -> Self {
        match container.image_pull_policy.as_deref() {
            Some("Always") => Self::Always,
            Some("Never") => Self::Never,
            Some(_) | None => Self::IfNotPresent,
        }
    }

    /// Whether to fetch an image that is there already, or is not.
    pub fn wants(self, present: bool) -> bool {
        match self {
            Self::Always => true,
            Self::IfNotPresent => !present,
            Self::Never => false,
        }
    }
}
