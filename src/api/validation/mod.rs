//! What makes an object wrong: every mistake at once, with upstream's fields, reasons and words.
//!
//! Objects are defaulted before. Where releases differ the newest is followed.
//!
//! Mirrors: `pkg/apis/{core,apps,batch,coordination}/validation` and
//! `apimachinery/pkg/api/validation`.

mod affinity;
mod annotations;
mod container;
mod documents;
mod env;
mod event;
mod lease;
mod meta;
mod node;
pub mod pod;
mod pod_parts;
mod pod_spec;
mod pod_status;
mod probe;
mod report;
mod resources;
mod security;
mod selector;
mod volume;
mod windows;

use report::Report;

use super::field::FieldError;
use super::request::Subresource;
use super::types::Event;
use super::{Kind, Object, Resource, names};

pub use documents::priority_class;
pub use documents::runtime_class;
pub use documents::service;
pub use resources::is_extended;

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
    /// What is wrong with an object of which a part takes the place of that of `old`.
    fn validate_part_update(&self, old: &Self, part: Subresource) -> Vec<FieldError> {
        if part == Subresource::Status {
            self.validate_status_update(old)
        } else {
            self.validate_update(old)
        }
    }
}

impl Object {
    /// What is wrong with a new object that came as a `spoken` kind: some forms ask for more.
    pub fn validate_create(&self, spoken: Kind) -> Vec<FieldError> {
        let errors = each_object!(
            self,
            object => object.validate_create(),
            document => documents::check(document, None),
        );
        let Some(event) = Event::unwrap(self).filter(|_| spoken == Kind::EventOfEvents) else {
            return errors;
        };
        let mut out = Report { errors };
        event::of_own_group(&mut out, event);
        out.errors
    }

    /// What is wrong with the metadata of an object that takes the place of `old`, whatever its kind:
    /// upstream looks at them before it asks the kind, which looks again.
    ///
    /// Mirrors: `validateCommonFields` of `apiserver/pkg/registry/rest/update.go`.
    pub fn validate_common(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        let namespaced = self.kind().resource().namespaced;
        meta::any_create(&mut out, self.meta(), namespaced, names::path_segment);
        meta::any_update(&mut out, self.meta(), old.meta());
        out.errors
    }

    /// What is wrong with an object of which a `part`, or all, takes the place of that of `old`, and
    /// which came as a `spoken` kind.
    pub fn validate_update(
        &self,
        old: &Self,
        part: Option<Subresource>,
        spoken: Kind,
    ) -> Vec<FieldError> {
        let errors = each_object!(
            self,
            object => against(&**object, old, part),
            document => documents::check(document, old.document().map(|old| (&**old, part))),
        );
        let (Some(event), Some(old), Kind::EventOfEvents) =
            (Event::unwrap(self), Event::unwrap(old), spoken)
        else {
            return errors;
        };
        let mut out = Report { errors };
        event::of_own_group_again(&mut out, event, old);
        out.errors
    }
}

fn against<R: Resource>(new: &R, old: &Object, part: Option<Subresource>) -> Vec<FieldError> {
    // The path says which kind; a body of another is refused before.
    let Some(old) = R::unwrap(old) else { return Vec::new() };
    match part {
        Some(part) => new.validate_part_update(old, part),
        None => new.validate_update(old),
    }
}
