//! What makes an object wrong: every mistake at once, with upstream's fields, reasons and words.
//!
//! Objects are defaulted before. Where releases differ the newest is followed.
//!
//! Mirrors: `pkg/apis/{core,apps,batch,coordination}/validation` and
//! `apimachinery/pkg/api/validation`.

mod affinity;
mod container;
mod env;
mod event;
mod lease;
mod meta;
mod namespace;
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
mod workload;

use super::field::FieldError;

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
