//! The types of the kinds that are no documents, each under its own name.
//!
//! Those of Pods and nodes are ours, and a [`Pod`] has a form of its own in the engine.

pub use super::object::Pod;
pub use super::wire::{Event, Lease, Node};
