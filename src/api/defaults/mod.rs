//! What the API server fills in where an object leaves a choice open.
//!
//! [`Defaults`] is the defaulting that runs whenever an object is read from the wire or the store;
//! [`create`] is what a kind's own create step adds once. Fields that Go always prints (`resources:
//! {}`, `status: {}`) are filled in, too, so that an answer has all of them.
//!
//! Mirrors: `pkg/apis/{core,apps,batch,scheduling}/v1/defaults.go` and `zz_generated.defaults.go`.

mod core;
pub mod create;
mod documents;
mod image;
mod pod;
mod pod_resources;
mod volume;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as WireQuantity;

pub use documents::document;

use super::quantity::{MILLI, Quantity};
use crate::api::wire::PodSpec;
use crate::sim::SortedMap;

/// Kinds with defaults.
pub trait Defaults {
    /// Fills in every choice that was left open; running it again changes nothing.
    fn set_defaults(&mut self);
}

/// A map from resources to amounts, as it is on the wire.
type ResourceList = BTreeMap<String, WireQuantity>;

/// Sets an open choice.
fn default_to<T>(field: &mut Option<T>, value: impl Into<T>) {
    field.get_or_insert_with(|| value.into());
}

/// Amounts finer than a thousandth are rounded up.
fn round(list: Option<&mut ResourceList>) {
    for wire in list.into_iter().flat_map(BTreeMap::values_mut) {
        if let Ok(mut quantity) = Quantity::parse(&wire.0)
            && !quantity.round_up(MILLI)
        {
            wire.0 = quantity.to_string();
        }
    }
}

/// Adds to `list` what only `others` has.
fn fill_up(list: &mut Option<ResourceList>, others: Option<&ResourceList>) {
    for (name, quantity) in others.into_iter().flatten() {
        let list = list.get_or_insert_default();
        list.entry(name.clone()).or_insert_with(|| quantity.clone());
    }
}

/// What a Pod may use, by resource: what it says of itself as a whole, or else what its containers say.
pub fn pod_limits(spec: &PodSpec) -> SortedMap<String, Quantity> {
    pod_resources::whole_or_total(spec, |resources| resources.limits.as_ref())
}

/// What a Pod asks for, by resource, as [`pod_limits`].
pub fn pod_requests(spec: &PodSpec) -> SortedMap<String, Quantity> {
    pod_resources::whole_or_total(spec, |resources| resources.requests.as_ref())
}

/// What the containers of a Pod may use together, by resource.
pub fn container_limits(spec: &PodSpec) -> SortedMap<String, Quantity> {
    pod_resources::total(spec, |resources| resources.limits.as_ref())
}

/// What the containers of a Pod ask for together, by resource.
pub fn container_requests(spec: &PodSpec) -> SortedMap<String, Quantity> {
    pod_resources::total(spec, |resources| resources.requests.as_ref())
}
