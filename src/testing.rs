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
