//! The fields by which documents can be selected.

use std::borrow::Cow;

use crate::api::Kind;
use crate::api::document::Document;

/// The value of a `field` of a document's own; none if its kind has no such field.
pub fn field<'a>(document: &'a Document, field: &str) -> Option<Cow<'a, str>> {
    let spec = document.at("spec");
    let number = |field: &str| {
        let number = document.at("status").at(field).number();
        number.unwrap_or_default().to_string().into()
    };
    match (document.kind(), field) {
        (Kind::ReplicaSet | Kind::ReplicationController, "status.replicas") => {
            Some(number("replicas"))
        }
        (Kind::Namespace, "status.phase") => Some(document.at("status").at("phase").text().into()),
        (Kind::Secret, "type") => Some(document.at("type").text().into()),
        (Kind::Job, "status.successful") => Some(number("succeeded")),
        (Kind::Service, "spec.clusterIP") => Some(spec.at("clusterIP").text().into()),
        (Kind::Service, "spec.type") => Some(spec.at("type").text().into()),
        _ => None,
    }
}
