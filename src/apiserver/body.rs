//! The object that a request carries.

use std::fmt::Display;

use serde_json::Value;

use crate::api::decode;
use crate::api::request::Payload;
use crate::api::status::StatusError;
use crate::api::{Kind, Object};

/// The object of a request, decoded and defaulted.
///
/// # Errors
///
/// 400 in the decoder's words.
pub(super) fn object_of(kind: Kind, payload: &Payload) -> Result<Object, StatusError> {
    match payload {
        Payload::Object(object) => Ok(object.clone()),
        Payload::Json(value) => decode_json(kind, value),
        Payload::None
        | Payload::Binding { .. }
        | Payload::Patch(_)
        | Payload::Precondition { .. } => Err(StatusError::bad_request("a body is required")),
    }
}

pub(super) fn decode_json(kind: Kind, value: &Value) -> Result<Object, StatusError> {
    let resource = kind.resource();
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("kind").is_empty() && value.get("metadata").is_none() {
        return Err(StatusError::bad_request(
            "Object 'Kind' is missing in request body".to_owned(),
        ));
    }
    let version = text("apiVersion");
    let wrong_kind = !text("kind").is_empty() && text("kind") != resource.name;
    if wrong_kind || !version.is_empty() && version != resource.api_version() {
        return Err(StatusError::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): got apiVersion {version:?}, kind {:?}",
            resource.name,
            text("kind"),
        )));
    }
    let cannot = |error: &dyn Display| {
        StatusError::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {error}",
            resource.name, resource.version, resource.name
        ))
    };
    let decoded = Object::from_json(kind, value).map_err(|error| cannot(&error))?;
    match decode::strict_error(&decoded.unknown) {
        Some(error) => Err(cannot(&error)),
        None => Ok(decoded.object),
    }
}
