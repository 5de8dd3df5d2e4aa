//! What the API server answers when it cannot do what was asked, in upstream's words.
//!
//! Mirrors: `apimachinery/pkg/api/errors`.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    ListMeta, Status, StatusCause, StatusDetails,
};

use crate::api::field::{FieldError, aggregate};
use crate::api::text::go_quote;

/// What sort of failure a status reports; clients branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    AlreadyExists,
    BadRequest,
    Conflict,
    Expired,
    Forbidden,
    Gone,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    RequestEntityTooLarge,
    ServerTimeout,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
}

impl Reason {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyExists => "AlreadyExists",
            Self::BadRequest => "BadRequest",
            Self::Conflict => "Conflict",
            Self::Expired => "Expired",
            Self::Forbidden => "Forbidden",
            Self::Gone => "Gone",
            Self::InternalError => "InternalError",
            Self::Invalid => "Invalid",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::NotFound => "NotFound",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::ServerTimeout => "ServerTimeout",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::Timeout => "Timeout",
            Self::TooManyRequests => "TooManyRequests",
            Self::Unauthorized => "Unauthorized",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
        }
    }

    /// The HTTP code that goes with it.
    pub fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Expired | Self::Gone => 410,
            Self::RequestEntityTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::InternalError | Self::ServerTimeout => 500,
            Self::ServiceUnavailable => 503,
            Self::Timeout => 504,
        }
    }
}

/// A resource, or a kind where upstream names that, and its group; printed `deployments.apps`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupResource<'a> {
    pub group: &'a str,
    pub resource: &'a str,
}

impl<'a> GroupResource<'a> {
    /// `group` is empty for the core group.
    pub fn new(group: &'a str, resource: &'a str) -> Self {
        Self { group, resource }
    }

    fn details(self, name: &str) -> StatusDetails {
        StatusDetails {
            group: set(self.group),
            kind: set(self.resource),
            name: set(name),
            ..StatusDetails::default()
        }
    }
}

impl fmt::Display for GroupResource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.resource)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

/// A failed request's answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct StatusError {
    pub code: u16,
    /// `None` where upstream gives none, which it does for errors it did not foresee.
    pub reason: Option<Reason>,
    pub message: String,
    pub details: Option<Box<StatusDetails>>,
    /// By which token a list can go on nevertheless.
    pub go_on: Option<String>,
}

impl StatusError {
    fn new(reason: Reason, message: impl Into<String>) -> Self {
        let (code, message) = (reason.code(), message.into());
        Self { code, reason: Some(reason), message, details: None, go_on: None }
    }

    fn with(mut self, details: StatusDetails) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// No object has that name.
    pub fn not_found(resource: GroupResource<'_>, name: &str) -> Self {
        Self::new(Reason::NotFound, format!("{resource} {} not found", go_quote(name)))
            .with(resource.details(name))
    }

    /// An object has that name already.
    pub fn already_exists(resource: GroupResource<'_>, name: &str) -> Self {
        Self::new(Reason::AlreadyExists, format!("{resource} {} already exists", go_quote(name)))
            .with(resource.details(name))
    }

    /// Every generated name was taken; `name` is the last one tried.
    pub fn generate_name_conflict(
        resource: GroupResource<'_>,
        name: &str,
        retry_after_seconds: i32,
    ) -> Self {
        let message = format!(
            "{resource} {} already exists, the server was not able to generate a unique name for \
             the object",
            go_quote(name)
        );
        let retry_after_seconds = retry(retry_after_seconds);
        Self::new(Reason::AlreadyExists, message)
            .with(StatusDetails { retry_after_seconds, ..resource.details(name) })
    }

    /// Nobody knows who asks; an empty `why` is upstream's own text.
    pub fn unauthorized(why: &str) -> Self {
        Self::new(Reason::Unauthorized, if why.is_empty() { "not authorized" } else { why })
    }

    /// The asker may not do that; `resource` is empty for a path that is no resource.
    pub fn forbidden(resource: GroupResource<'_>, name: &str, why: impl fmt::Display) -> Self {
        let message = if resource == GroupResource::default() {
            format!("forbidden: {why}")
        } else if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} {} is forbidden: {why}", go_quote(name))
        };
        Self::new(Reason::Forbidden, message).with(resource.details(name))
    }

    /// The object is not as the asker believed.
    pub fn conflict(resource: GroupResource<'_>, name: &str, why: impl fmt::Display) -> Self {
        let name_text = go_quote(name);
        let message = format!("Operation cannot be fulfilled on {resource} {name_text}: {why}");
        Self::new(Reason::Conflict, message).with(resource.details(name))
    }

    /// Other managers own fields that an apply would change.
    pub fn apply_conflict(causes: Vec<StatusCause>, message: impl Into<String>) -> Self {
        let details = StatusDetails { causes: Some(causes), ..StatusDetails::default() };
        Self::new(Reason::Conflict, message).with(details)
    }

    /// What was asked for is no more.
    pub fn gone(message: impl Into<String>) -> Self {
        Self::new(Reason::Gone, message)
    }

    /// The history that was asked for is forgotten.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(Reason::Expired, message)
    }

    /// A watch or list from a version older than the `oldest` one that is remembered.
    pub fn too_old_resource_version(asked: u64, oldest: u64) -> Self {
        Self::expired(format!("too old resource version: {asked} ({oldest})"))
    }

    /// A list not older than a version that is still to come.
    pub fn too_large_resource_version(asked: u64, current: u64, retry_after_seconds: i32) -> Self {
        let message = format!("Too large resource version: {asked}, current: {current}");
        let mut error = Self::timeout(&message, retry_after_seconds);
        if let Some(details) = &mut error.details {
            details.causes = Some(vec![StatusCause {
                field: None,
                message: Some("Too large resource version".to_owned()),
                reason: Some("ResourceVersionTooLarge".to_owned()),
            }]);
        }
        error
    }

    /// The object is malformed, in each field that `errors` name.
    pub fn invalid(kind: GroupResource<'_>, name: &str, errors: &[FieldError]) -> Self {
        let mut message = format!("{kind} {} is invalid", go_quote(name));
        if !errors.is_empty() {
            message.push_str(": ");
            message.push_str(&aggregate(errors));
        }
        let causes: Vec<_> = errors.iter().map(FieldError::to_cause).collect();
        let causes = Some(causes).filter(|causes| !causes.is_empty());
        Self::new(Reason::Invalid, message).with(StatusDetails { causes, ..kind.details(name) })
    }

    /// The request makes no sense.
    pub fn bad_request(why: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, why)
    }

    /// Too much is going on; the client is told when to come back.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i32) -> Self {
        Self::new(Reason::TooManyRequests, message).with(retry_details(retry_after_seconds))
    }

    /// What would answer is not there.
    pub fn service_unavailable(why: impl Into<String>) -> Self {
        Self::new(Reason::ServiceUnavailable, why)
    }

    /// The resource cannot do that.
    pub fn method_not_supported(resource: GroupResource<'_>, action: &str) -> Self {
        let kind = go_quote(&resource.to_string());
        let message = format!("{action} is not supported on resources of kind {kind}");
        Self::new(Reason::MethodNotAllowed, message).with(resource.details(""))
    }

    /// It did not work out this time, but may the next.
    pub fn server_timeout(
        resource: GroupResource<'_>,
        operation: &str,
        retry_after_seconds: i32,
    ) -> Self {
        let message = format!(
            "The {operation} operation against {resource} could not be completed at this time, \
             please try again."
        );
        let retry_after_seconds = retry(retry_after_seconds);
        Self::new(Reason::ServerTimeout, message)
            .with(StatusDetails { retry_after_seconds, ..resource.details(operation) })
    }

    /// The server's own fault.
    pub fn internal(why: impl fmt::Display) -> Self {
        let cause = StatusCause { message: Some(why.to_string()), ..StatusCause::default() };
        let details = StatusDetails { causes: Some(vec![cause]), ..StatusDetails::default() };
        Self::new(Reason::InternalError, format!("Internal error occurred: {why}")).with(details)
    }

    /// An error that no reason was foreseen for.
    pub fn unforeseen(message: impl Into<String>) -> Self {
        Self { code: 500, reason: None, message: message.into(), details: None, go_on: None }
    }

    /// Adds one of the reasons for it, of a field if it has a name.
    pub fn add_cause(&mut self, reason: &str, field: &str, message: String) {
        let details = self.details.get_or_insert_default();
        let (reason, message) = (Some(reason.to_owned()), Some(message));
        let field = Some(field.to_owned()).filter(|field| !field.is_empty());
        let cause = StatusCause { reason, message, field };
        details.causes.get_or_insert_default().push(cause);
    }

    /// It took too long; the operation may still come to pass.
    pub fn timeout(message: &str, retry_after_seconds: i32) -> Self {
        Self::new(Reason::Timeout, format!("Timeout: {message}"))
            .with(retry_details(retry_after_seconds))
    }

    /// The body is longer than `limit` bytes.
    pub fn request_entity_too_large(limit: usize) -> Self {
        Self::too_large(&format!("limit is {limit}"))
    }

    /// The body asks for too much, and why.
    pub fn too_large(why: &str) -> Self {
        let message = format!("Request entity too large: {why}");
        Self::new(Reason::RequestEntityTooLarge, message)
    }

    /// The body is in a format that this request does not take.
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        let accepted = accepted.join(", ");
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: \
             {accepted}"
        );
        Self::new(Reason::UnsupportedMediaType, message)
    }

    /// The client takes none of the formats the answer could be in.
    pub fn not_acceptable(offered: &[&str]) -> Self {
        let offered = offered.join(", ");
        let message = format!("only the following media types are accepted: {offered}");
        Self::new(Reason::NotAcceptable, message)
    }

    /// The answer to a request that met no handler, by its reason alone; `server_message` is used
    /// where upstream has no text of its own.
    pub fn generic(reason: Reason, server_message: &str) -> Self {
        let message = match reason {
            Reason::AlreadyExists | Reason::Conflict => "the server reported a conflict",
            Reason::NotFound => "the server could not find the requested resource",
            Reason::BadRequest => "the server rejected our request for an unknown reason",
            Reason::Unauthorized => "the server has asked for the client to provide credentials",
            Reason::MethodNotAllowed => {
                "the server does not allow this method on the requested resource"
            }
            Reason::Invalid => "the server rejected our request due to an error in our request",
            Reason::ServiceUnavailable => "the server is currently unable to handle the request",
            Reason::Timeout => {
                "the server was unable to return a response in the time allotted, but may still be \
                 processing the request"
            }
            Reason::TooManyRequests => {
                "the server has received too many requests and has asked us to try again later"
            }
            Reason::NotAcceptable if server_message.is_empty() => {
                "the server was unable to respond with a content type that the client supports"
            }
            Reason::Expired
            | Reason::Forbidden
            | Reason::Gone
            | Reason::NotAcceptable
            | Reason::RequestEntityTooLarge
            | Reason::UnsupportedMediaType => server_message,
            Reason::InternalError | Reason::ServerTimeout => {
                let quoted = go_quote(server_message);
                let message = format!(
                    "an error on the server ({quoted}) has prevented the request from succeeding"
                );
                return Self::new(Reason::InternalError, message).with(StatusDetails::default());
            }
        };
        Self::new(reason, message).with(StatusDetails::default())
    }

    /// The object on the wire.
    pub fn to_status(&self) -> Status {
        Status {
            code: Some(self.code.into()),
            details: self.details.as_deref().cloned(),
            message: Some(self.message.clone()),
            metadata: ListMeta { continue_: self.go_on.clone(), ..ListMeta::default() },
            reason: self.reason.map(|reason| reason.as_str().to_owned()),
            status: Some("Failure".to_owned()),
        }
    }
}

/// The answer to a delete that left nothing to show.
pub fn deleted(resource: GroupResource<'_>, name: &str, uid: &str) -> Status {
    let details = StatusDetails { uid: set(uid), ..resource.details(name) };
    Status { details: Some(details), status: Some("Success".to_owned()), ..Status::default() }
}

fn set(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn retry(seconds: i32) -> Option<i32> {
    (seconds != 0).then_some(seconds)
}

fn retry_details(seconds: i32) -> StatusDetails {
    StatusDetails { retry_after_seconds: retry(seconds), ..StatusDetails::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::field::Path;

    #[test]
    fn an_invalid_object_lists_each_field() {
        let pod = GroupResource::new("", "Pod");
        let errors = [
            FieldError::required(&Path::new("spec").child("containers"), ""),
            FieldError::invalid(&Path::new("spec").child("x"), 7, "no"),
        ];
        let error = StatusError::invalid(pod, "p", &errors);
        assert_eq!(
            serde_json::to_value(error.to_status()).unwrap(),
            json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "Pod \"p\" is invalid: [spec.containers: Required value, spec.x: \
                            Invalid value: 7: no]",
                "reason": "Invalid", "code": 422,
                "details": {"name": "p", "kind": "Pod", "causes": [
                    {"reason": "FieldValueRequired", "message": "Required value",
                     "field": "spec.containers"},
                    {"reason": "FieldValueInvalid", "message": "Invalid value: 7: no",
                     "field": "spec.x"},
                ]},
            })
        );
    }

    #[test]
    fn each_failure_has_upstreams_words() {
        let (pods, jobs) = (GroupResource::new("", "pods"), GroupResource::new("batch", "jobs"));
        for (error, message) in [
            (StatusError::unauthorized(""), "not authorized"),
            (StatusError::forbidden(GroupResource::default(), "", "no"), "forbidden: no"),
            (
                StatusError::method_not_supported(jobs, "patch"),
                "patch is not supported on resources of kind \"jobs.batch\"",
            ),
            (
                StatusError::server_timeout(pods, "create", 2),
                "The create operation against pods could not be completed at this time, please try \
                 again.",
            ),
            (StatusError::internal("oops"), "Internal error occurred: oops"),
            (
                StatusError::generic(Reason::InternalError, "oops"),
                "an error on the server (\"oops\") has prevented the request from succeeding",
            ),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_deleted_object_leaves_its_name() {
        let status = deleted(GroupResource::new("apps", "deployments"), "d", "u-1");
        assert_eq!(
            serde_json::to_value(status).unwrap(),
            json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": {"name": "d", "group": "apps", "kind": "deployments", "uid": "u-1"},
            })
        );
    }
}
