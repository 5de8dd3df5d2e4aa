//! What the integration tests reach of the engine.

/// The objects of the API.
pub mod api {
    pub use crate::api::*;
}

/// The container runtime.
pub mod runtime {
    pub use crate::runtime::*;
}

/// Time and chance.
pub mod sim {
    pub use crate::sim::*;
}

/// What components speak to the API server with.
pub mod client {
    pub use crate::client::*;
}

/// The kubelet.
pub mod kubelet {
    pub use crate::kubelet::*;
}
