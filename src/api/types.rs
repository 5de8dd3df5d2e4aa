//! The types of the kinds that are no documents, each under its own name.
//!
//! They are those of `k8s-openapi`, but for [`Pod`], which has a form of its own in the engine.

pub use k8s_openapi::api::core::v1::{Event, Node};

pub use super::object::Pod;
