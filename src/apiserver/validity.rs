//! Whether an object may be stored: every mistake at once, as 422 in upstream's words.

use super::strategy::Write;
use crate::api::field::FieldError;
use crate::api::request::Subresource;
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Kind, Object, Pod, Resource as _, validation};

/// Checks a new object that came as a `spoken` kind; of a Pod with a known spec all but that.
///
/// # Errors
///
/// 422 with all that is wrong.
pub(super) fn created(
    object: Object,
    spoken: Kind,
    has_known_spec: bool,
) -> Result<Object, StatusError> {
    let errors = match Pod::unwrap(&object).filter(|_| has_known_spec) {
        Some(pod) => validation::pod::create_with_known_spec(&(&**pod).into()),
        None => object.validate_create(spoken),
    };
    if errors.is_empty() { Ok(object) } else { Err(invalid(&object, &errors)) }
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
    spoken: Kind,
) -> Result<Write, StatusError> {
    let Write::Put(new) = write else { return Ok(write) };
    let (sent, version) = (new.meta().resource_version.clone(), &old.meta().resource_version);
    let new = new.with_meta(|meta| meta.resource_version.clone_from(version));
    let of_kind = new.validate_update(old, part, spoken);
    if !of_kind.is_empty() {
        let mut errors = new.validate_common(old);
        errors.extend(of_kind);
        return Err(invalid(&new, &errors));
    }
    Ok(Write::Put(new.with_meta(|meta| meta.resource_version = sent)))
}

fn invalid(object: &Object, errors: &[FieldError]) -> StatusError {
    let resource = object.kind().resource();
    let kind = GroupResource::new(resource.group, resource.name);
    StatusError::invalid(kind, object.name(), errors)
}
