//! What the integration tests reach of the engine.

/// The objects of the API.
pub mod api {
    pub use crate::api::*;
}
