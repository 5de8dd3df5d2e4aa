//! The object that a request carries.

use std::fmt::Display;
use std::rc::Rc;

use serde_json::Value;

use crate::api::decode::{self, UnknownField};
use crate::api::request::{FieldValidation, Payload, Request, Subresource, Verb, with_spec};
use crate::api::status::StatusError;
use crate::api::{Kind, Object, ResourceType};

/// What whoever asks for one of them is told.
const ENDPOINTS: &str =
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

/// What upstream calls the place where its kinds are registered.
const SCHEME: &str = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30";

/// The object of a request, decoded and defaulted, and what of it has no place in its type.
///
/// # Errors
///
/// 400 in the decoder's words, of unknown fields too if the validation is strict.
pub(super) fn object_of(
    kind: Kind,
    payload: &Payload,
    validation: FieldValidation,
) -> Result<(Object, Vec<UnknownField>), StatusError> {
    match payload {
        Payload::Object(object) => Ok((object.clone(), Vec::new())),
        Payload::Json(value) => decode_json(kind, value, validation),
        Payload::Alike { rest, spec } => decode_json(kind, &with_spec(rest, spec), validation),
        Payload::Refused(error) => Err(StatusError::clone(error)),
        Payload::None
        | Payload::Binding { .. }
        | Payload::Patch(_)
        | Payload::Precondition { .. } => Err(StatusError::bad_request("a body is required")),
    }
}

/// What is to be told of a request that went well: its fields that were left aside, and what of the object
/// that it wrote may surprise. `read` are the fields that were found when its body was read, if somebody
/// has kept them.
pub(super) fn told_of(
    request: &Request,
    read: Option<&[UnknownField]>,
    surprising: impl FnOnce() -> Vec<String>,
) -> Rc<[String]> {
    let mut told = left_aside(request, read);
    if request.target.kind() == Some(Kind::Endpoints) {
        told.insert(0, ENDPOINTS.to_owned());
    }
    let by_a_person =
        matches!(request.payload, Payload::Json(_) | Payload::Alike { .. } | Payload::Patch(_))
            && request.target.subresource().is_none()
            && !request.deletes();
    if by_a_person {
        told.extend(surprising());
    }
    told.into()
}

/// The fields of a request's body that have no place in its type, and those that do nothing here.
fn left_aside(request: &Request, read: Option<&[UnknownField]>) -> Vec<String> {
    let (
        Some(kind),
        // A pod's spec that is shared was read without finding anything of that sort.
        Payload::Json(value) | Payload::Alike { rest: value, .. },
    ) = (request.target.kind(), &request.payload)
    else {
        return Vec::new();
    };
    let writes = matches!(request.verb, Verb::Create | Verb::Update);
    // Some parts are asked for with objects of other kinds.
    let own = [
        Subresource::Status,
        Subresource::Finalize,
        Subresource::EphemeralContainers,
        Subresource::Resize,
    ];
    let other = request.target.subresource().is_some_and(|part| !own.contains(&part));
    if !writes || other || request.params.field_validation != FieldValidation::Warn {
        return Vec::new();
    }
    let again = match read {
        Some(_) => Vec::new(),
        None => Object::from_json(kind, value).map(|it| it.unknown).unwrap_or_default(),
    };
    let fields = read.unwrap_or(&again).iter();
    let unknown = fields.map(|field| format!("unknown field \"{}\"", field.path));
    let unread = if kind == Kind::CustomResourceDefinition { unread(value) } else { Vec::new() };
    unknown.chain(unread).collect()
}

/// What of a definition is kept, and does nothing here.
fn unread(definition: &Value) -> Vec<String> {
    let strategy = definition.pointer("/spec/conversion/strategy");
    let webhook = strategy.is_some_and(|strategy| strategy == "Webhook").then(|| {
        "spec.conversion: Podflow calls no webhooks: versions differ in their apiVersion only"
            .to_owned()
    });
    webhook.into_iter().collect()
}

pub(super) fn decode_json(
    kind: Kind,
    value: &Value,
    validation: FieldValidation,
) -> Result<(Object, Vec<UnknownField>), StatusError> {
    let resource = kind.resource();
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    // Of its own kinds the server takes an object that does not say what it is.
    if text("kind").is_empty() && kind.custom().is_some() {
        return Err(StatusError::bad_request(
            "Object 'Kind' is missing in request body".to_owned(),
        ));
    }
    let (version, name) = (text("apiVersion"), text("kind"));
    let served = resource.api_version();
    let wrong_kind = !name.is_empty() && name != resource.name;
    if wrong_kind || !version.is_empty() && version != served {
        // Upstream reads whatever it knows, and then finds that it is something else.
        let name = if name.is_empty() { resource.name } else { name };
        let version = if version.is_empty() { &served } else { version };
        let short = version.rsplit('/').next().unwrap_or_default();
        let is_known = |known: &ResourceType| known.name == name && known.api_version() == version;
        let other = Kind::ALL.iter().find(|known| is_known(known.resource()));
        if other.is_some_and(|other| other.stored() == kind.stored()) {
            return Err(StatusError::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({served})"
            )));
        }
        let why = if other.is_some() {
            let internal = resource.go_type();
            format!("converting ({short}.{name}) to ({internal}): unknown conversion")
        } else {
            format!("no kind {name:?} is registered for version {version:?} in scheme \"{SCHEME}\"")
        };
        return Err(StatusError::bad_request(format!(
            "{name} in version {short:?} cannot be handled as a {}: {why}",
            resource.name,
        )));
    }
    let cannot = |error: &dyn Display| {
        StatusError::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {error}",
            resource.name, resource.version, resource.name
        ))
    };
    let decoded = Object::from_json(kind, value).map_err(|error| cannot(&error))?;
    let strict = (validation == FieldValidation::Strict).then(|| &*decoded.unknown);
    match strict.and_then(decode::strict_error) {
        Some(error) => Err(cannot(&error)),
        None => Ok((decoded.object, decoded.unknown)),
    }
}
