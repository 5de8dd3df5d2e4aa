//! Requests that wait for the store.

use std::rc::Rc;

use super::server::ConnectionId;
use crate::api::Object;
use crate::api::request::Request;

/// A request on its way through the store, and what its answer will say.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub from: ConnectionId,
    pub request: Rc<Request>,
    pub step: Step,
}

/// What was asked of the store.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Get,
    List,
    Create {
        object: Object,
        /// How many names were generated for it.
        tries: u32,
        /// What whoever creates it is warned of.
        told: Rc<[String]>,
    },
    /// Written if the object is still the one that `to` was made of.
    Change {
        to: Option<Object>,
        current: Object,
        /// What whoever changes it is warned of.
        told: Rc<[String]>,
    },
    /// A disruption budget is charged for an eviction.
    Permit,
    /// The object is not in the cache, so it is read before anything is decided.
    ReadBeforeChange,
}
