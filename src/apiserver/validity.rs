//! Whether an object may be stored: every mistake at once, as 422 in upstream's words.

use super::strategy::Write;
use crate::api::Object;
use crate::api::field::FieldError;
use crate::api::request::Subresource;
use crate::api::status::{GroupResource, StatusError};
use crate::api::validation::Validate;

/// Checks a new object.
///
/// # Errors
///
/// 422 with all that is wrong.
pub(super) fn created(object: Object) -> Result<Object, StatusError> {
    let errors = match &object {
        Object::Pod(pod) => pod.validate_create(),
        Object::Node(node) => node.validate_create(),
        Object::Namespace(namespace) => namespace.validate_create(),
        Object::Event(event) => event.validate_create(),
        Object::Lease(lease) => lease.validate_create(),
    };
    refused(&object, &errors).map(|()| object)
}

/// Checks what is to stand in `old`'s place.
///
/// # Errors
///
/// 422 with all that is wrong, such as a field that may not change.
pub(super) fn updated(
    part: Option<Subresource>,
    write: Write,
    old: &Object,
) -> Result<Write, StatusError> {
    let Write::Put(new) = &write else { return Ok(write) };
    let version = old.meta().resource_version.clone();
    let new = new.with_meta(|meta| meta.resource_version = version);
    let errors = match (&new, old) {
        (Object::Pod(new), Object::Pod(old)) => against(part, &**new, old),
        (Object::Node(new), Object::Node(old)) => against(part, &**new, old),
        (Object::Namespace(new), Object::Namespace(old)) => against(part, &**new, old),
        (Object::Event(new), Object::Event(old)) => against(part, &**new, old),
        (Object::Lease(new), Object::Lease(old)) => against(part, &**new, old),
        // The path says which kind; a body of another is refused before.
        (
            Object::Pod(_)
            | Object::Node(_)
            | Object::Namespace(_)
            | Object::Event(_)
            | Object::Lease(_),
            _,
        ) => Vec::new(),
    };
    refused(&new, &errors).map(|()| write)
}

fn against<T: Validate>(part: Option<Subresource>, new: &T, old: &T) -> Vec<FieldError> {
    match part {
        Some(Subresource::Status) => new.validate_status_update(old),
        Some(Subresource::Binding) | None => new.validate_update(old),
    }
}

fn refused(object: &Object, errors: &[FieldError]) -> Result<(), StatusError> {
    if errors.is_empty() {
        return Ok(());
    }
    let resource = object.kind().resource();
    let kind = GroupResource::new(resource.group, resource.name);
    Err(StatusError::invalid(kind, object.name(), errors))
}
