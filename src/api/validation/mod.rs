//! What makes an object wrong: every mistake at once, with upstream's fields, reasons and words.
//!
//! Objects are defaulted before. Where releases differ the newest is followed.
//!
//! Mirrors: `pkg/apis/{core,apps,batch,coordination}/validation` and
//! `apimachinery/pkg/api/validation`.

mod affinity;
mod container;
mod documents;
mod env;
mod event;
mod meta;
mod node;
pub mod pod;
mod pod_spec;
mod pod_status;
mod probe;
mod report;
mod resources;
mod security;
mod selector;
mod volume;

use k8s_openapi::api::core::v1::NodeAffinity;

use super::field::{FieldError, Path};
use super::request::Subresource;
use super::{Object, Resource};

pub use documents::priority_class;
pub use documents::service;

const IMMUTABLE: &str = "field is immutable";
const NEGATIVE: &str = "must be greater than or equal to 0";
const NOT_POSITIVE: &str = "must be greater than zero";

/// Kinds that can be checked.
pub trait Validate {
    /// What is wrong with a new object.
    fn validate_create(&self) -> Vec<FieldError>;
    /// What is wrong with an object that takes the place of `old`.
    fn validate_update(&self, old: &Self) -> Vec<FieldError>;
    /// What is wrong with an object whose status takes the place of that of `old`.
    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        self.validate_update(old)
    }
}

/// What is wrong with a node affinity at `path`.
pub fn node_affinity(affinity: &NodeAffinity, path: &Path) -> Vec<FieldError> {
    let mut out = report::Report::default();
    affinity::node_affinity(&mut out, affinity, path);
    out.errors
}

impl Object {
    /// What is wrong with a new object.
    pub fn validate_create(&self) -> Vec<FieldError> {
        each_object!(
            self,
            object => object.validate_create(),
            document => documents::check(document, None),
        )
    }

    /// What is wrong with an object of which a `part`, or all, takes the place of that of `old`.
    pub fn validate_update(&self, old: &Self, part: Option<Subresource>) -> Vec<FieldError> {
        each_object!(
            self,
            object => against(&**object, old, part),
            document => documents::check(document, old.document().map(|old| (&**old, part))),
        )
    }
}

fn against<R: Resource>(new: &R, old: &Object, part: Option<Subresource>) -> Vec<FieldError> {
    // The path says which kind; a body of another is refused before.
    let Some(old) = R::unwrap(old) else { return Vec::new() };
    match part {
        Some(Subresource::Status) => new.validate_status_update(old),
        Some(_) | None => new.validate_update(old),
    }
}
