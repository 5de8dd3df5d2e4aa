//! What the integration tests and benches reach of the engine.

/// The objects of the API.
pub mod api {
    pub use crate::api::*;
}

/// The API server and its store.
pub mod apiserver {
    pub use crate::apiserver::*;
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

/// The scheduler.
pub mod scheduler {
    pub use crate::scheduler::*;
}

/// The kubelet.
pub mod kubelet {
    pub use crate::kubelet::*;
}

/// Whole clusters.
pub mod cluster {
    pub use crate::cluster::*;
}

/// Recordings and time travel.
pub mod recording {
    pub use crate::recording::*;
}

/// Recordings as links.
pub mod share {
    pub use crate::share::*;
}
