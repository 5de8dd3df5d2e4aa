//! Server-side apply, and who owns which fields after any other write from outside.
//!
//! What the cluster's components write through their typed requests is not written down as theirs: it
//! would cost a comparison of whole objects for each status.
//!
//! Mirrors: `apiserver/pkg/endpoints/handlers/{patch,create,update}.go`.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::body::decode_json;
use super::deletion;
use super::strategy::{Admit, Write, put, update};
use crate::api::field::{FieldError, Path};
use crate::api::managed::{self, Applied, Writer};
use crate::api::request::{FieldValidation, Patch, PatchKind, Payload, Request, Subresource, Verb};
use crate::api::route::options_of;
use crate::api::status::StatusError;
use crate::api::{Kind, Object, versions};

/// Whom a write is put down to that does not say whose it is.
const UNKNOWN: &str = "unknown";
/// The most letters of a manager's name.
const LONGEST_NAME: usize = 128;

/// The configuration that the request applies, if that is what it does.
pub(super) fn configuration(request: &Request) -> Option<&Rc<Value>> {
    match &request.payload {
        Payload::Patch(Patch::Json { kind: PatchKind::Apply, patch }) => Some(patch),
        Payload::Patch(_)
        | Payload::None
        | Payload::Object(_)
        | Payload::Json(_)
        | Payload::Alike { .. }
        | Payload::Binding { .. }
        | Payload::Refused(_)
        | Payload::Precondition { .. } => None,
    }
}

/// 422 if the options of a write do not go together.
///
/// Mirrors: `apimachinery/pkg/apis/meta/v1/validation` (`ValidatePatchOptions`).
pub(super) fn check_options(request: &Request) -> Result<(), StatusError> {
    if request.verb == Verb::Delete {
        return deletion::check_options(request.payload.json());
    }
    let manager = request.params.field_manager.as_deref().unwrap_or_default();
    let path = Path::new("fieldManager");
    let mut errors = Vec::new();
    if configuration(request).is_some() {
        if manager.is_empty() {
            errors.push(FieldError::required(&path, "is required for apply patch"));
        }
    } else if request.params.force.is_some() {
        let why = "may not be specified for non-apply patch";
        errors.push(FieldError::forbidden(&Path::new("force"), why));
    }
    if manager.len() > LONGEST_NAME {
        errors.push(FieldError::too_long(&path, LONGEST_NAME));
    }
    for (at, c) in manager.char_indices().filter(|(_, c)| c.is_control()) {
        let why = format!("invalid character U+{:04X} (at position {at})", u32::from(c));
        errors.push(FieldError::invalid(&path, manager, why));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(StatusError::invalid(options_of(request.verb), "", &errors))
}

/// The object that an apply makes where there is none, with its owners.
pub(super) fn born(request: &Request, kind: Kind, now: Timestamp) -> Result<Object, StatusError> {
    let applied = apply(request, kind, None, None, now)?;
    let (object, _) = decode_json(kind, &applied.object, FieldValidation::Ignore)?;
    Ok(object.with_meta(|meta| meta.managed_fields = applied.managed_fields))
}

/// What an apply writes over `current`.
pub(super) fn change(
    request: &Request,
    part: Option<Subresource>,
    current: &Object,
    now: Timestamp,
    admit: Admit<'_>,
) -> Result<Write, StatusError> {
    let applied = apply(request, current.kind(), part, Some(current), now)?;
    let (new, _) = decode_json(current.kind(), &applied.object, FieldValidation::Ignore)?;
    let spoken = request.target.kind().unwrap_or_else(|| current.kind());
    let object = match update(part, current, &new, spoken, admit)? {
        Write::Put(object) => object,
        Write::Keep => current.clone(),
        Write::Delete => return Ok(Write::Delete),
    };
    Ok(put(object.with_meta(|meta| meta.managed_fields = applied.managed_fields), current))
}

fn apply(
    request: &Request,
    kind: Kind,
    part: Option<Subresource>,
    live: Option<&Object>,
    now: Timestamp,
) -> Result<Applied, StatusError> {
    let spoken = request.target.kind().unwrap_or(kind);
    let resource = spoken.resource();
    let none = Value::Null;
    let config = configuration(request).map_or(&none, |config| config);
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (sent, served) = (text("apiVersion"), resource.api_version());
    if sent != served {
        return Err(StatusError::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {sent}, expected: {served}"
        )));
    }
    if config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(StatusError::bad_request("metadata.managedFields must be nil"));
    }
    // Upstream forgets to say that these are the client's fault.
    let cannot = |why: String| {
        StatusError::unforeseen(format!(
            "failed to create typed patch object ({}/{}; {served}, Kind={}): {why}",
            request.namespace(),
            request.name(),
            resource.name,
        ))
    };
    let decoded = Object::from_json(spoken, config).map_err(|error| cannot(error.to_string()))?;
    if let Some(unknown) = decoded.unknown.first() {
        return Err(cannot(format!(".{}: field not declared in schema", unknown.path)));
    }
    // What is applied in a second form is put down as said in the first.
    let mut config = config.clone();
    if spoken != spoken.stored() {
        config = versions::to_stored(spoken, config);
    }
    if live.is_none()
        && let Some(config) = config.as_object_mut()
        && let Some(metadata) =
            config.entry("metadata").or_insert_with(|| Map::new().into()).as_object_mut()
    {
        metadata.entry("name").or_insert_with(|| request.name().into());
    }
    let version = kind.resource().api_version();
    let writer = writer(request, part, &version, kind, now);
    managed::apply(live, &config, &writer, request.params.force == Some(true)).map_err(
        |conflicts| {
            let (text, causes) = conflicts.words();
            StatusError::apply_conflict(causes, text)
        },
    )
}

fn writer<'a>(
    request: &'a Request,
    part: Option<Subresource>,
    api_version: &'a str,
    kind: Kind,
    now: Timestamp,
) -> Writer<'a> {
    let manager = request.params.field_manager.as_deref().unwrap_or(UNKNOWN);
    Writer { manager, api_version, kind, subresource: part.map_or("", Subresource::name), now }
}

/// Whom the request's write is put down to as an update; none if it applies, or is a component's.
pub(super) fn updater(request: &Request) -> Option<&str> {
    let from_outside = matches!(
        &request.payload,
        Payload::Json(_) | Payload::Alike { .. } | Payload::Patch(Patch::Json { .. })
    );
    let updates = from_outside && configuration(request).is_none();
    updates.then(|| request.params.field_manager.as_deref().unwrap_or(UNKNOWN))
}

/// `new` with its owners after a write from outside; as it is after one of a component.
pub(super) fn tracked(
    request: &Request,
    part: Option<Subresource>,
    live: Option<&Object>,
    new: Object,
    now: Timestamp,
) -> Object {
    if updater(request).is_none() {
        return new;
    }
    let api_version = new.kind().resource().api_version();
    let writer = writer(request, part, &api_version, new.kind(), now);
    let owners = managed::updated(live, &new, &writer);
    new.with_meta(|meta| meta.managed_fields = owners)
}
