//! The texts of `status_errors.json`: from its details alone, each status can be made again.
//!
//! Whether the API server answers so is another question, which needs a server.

use podflow::testing::api::status::{GroupResource, Reason, StatusError};
use serde_json::Value;

use super::text;

#[test]
fn every_status_of_the_corpus_can_be_made_from_its_parts() {
    let file = include_str!("../../data/corpus/api/status_errors.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let mut made = 0;
    for case in file["cases"].as_array().unwrap() {
        for status in [&case["status"], &case["watch_event"]["object"]] {
            if let Some(error) = made_again(status) {
                let got = serde_json::to_value(error.to_status()).unwrap();
                assert_eq!(&got, status, "{}", case["name"]);
                made += 1;
            }
        }
    }
    assert!(made > 50, "only {made} statuses were made again");
}

/// The error that a constructor makes of a status's parts; none for those with field errors.
fn made_again(status: &Value) -> Option<StatusError> {
    let details = &status["details"];
    let resource = GroupResource::new(text(details, "group"), text(details, "kind"));
    let name = text(details, "name");
    let message = text(status, "message");
    let after = |words: &str| message.split_once(words).map_or("", |(_, rest)| rest);
    let retry = details["retryAfterSeconds"].as_i64().map(|s| i32::try_from(s).unwrap());
    let generic = details.as_object().is_some_and(serde_json::Map::is_empty);
    Some(match text(status, "reason") {
        "NotFound" if generic => StatusError::generic(Reason::NotFound, ""),
        "NotFound" => StatusError::not_found(resource, name),
        "MethodNotAllowed" => StatusError::generic(Reason::MethodNotAllowed, ""),
        "UnsupportedMediaType" => StatusError::generic(Reason::UnsupportedMediaType, message),
        "Invalid" if generic => StatusError::generic(Reason::Invalid, ""),
        "AlreadyExists" => match retry {
            Some(retry) => StatusError::generate_name_conflict(resource, name, retry),
            None => StatusError::already_exists(resource, name),
        },
        "Conflict" if !name.is_empty() => {
            StatusError::conflict(resource, name, after(&format!("{name}\": ")))
        }
        "Conflict" => {
            StatusError::apply_conflict(super::read(&details["causes"]).unwrap(), message)
        }
        "Forbidden" => StatusError::forbidden(resource, name, after(" is forbidden: ")),
        "BadRequest" => StatusError::bad_request(message),
        "Expired" => StatusError::too_old_resource_version(1, 100),
        "Timeout" => StatusError::too_large_resource_version(1000, 100, retry?),
        "RequestEntityTooLarge" => StatusError::request_entity_too_large(3_145_728),
        "" if status.is_object() => StatusError::unforeseen(message),
        _ => return None,
    })
}
