//! In which form a client wants what it asks for: as objects, as a table, or only their metadata.
//!
//! Mirrors: `apiserver/pkg/endpoints/handlers/response.go` and `negotiation`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::columns::Column;
use super::columns::pod::Completed;
use super::request::{Answer, Change, Response, list_metadata};
use super::status::{Reason, StatusError};
use super::{Kind, Object, Pod, Resource as _, json_object};

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Representation {
    #[default]
    Object,
    /// `as=Table`: the columns and cells that `kubectl get` prints.
    Table(Include),
    /// `as=PartialObjectMetadata` and its list.
    Metadata,
    /// Objects in YAML.
    Yaml,
    /// `as=APIGroupDiscoveryList`: all groups and resources in one document.
    Discovery,
}

/// What a table's rows have of their objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Include {
    None,
    #[default]
    Metadata,
    Object,
}

/// The other form in which objects go over the wire.
pub const YAML: &str = "application/yaml";

const META: &str = "meta.k8s.io/v1";
const JSON: [&str; 3] = ["application/json", "application/*", "*/*"];

impl Representation {
    /// Reads the header `Accept`; its first clause that can be met counts.
    ///
    /// # Errors
    ///
    /// 406 if no clause can be met.
    pub fn of(accept: &str, include: Include) -> Result<Self, StatusError> {
        if accept.trim().is_empty() {
            return Ok(Self::Object);
        }
        let met = accept.split(',').find_map(|clause| Self::of_clause(clause, include));
        met.ok_or_else(not_acceptable)
    }

    fn of_clause(clause: &str, include: Include) -> Option<Self> {
        let mut parts = clause.split(';').map(str::trim);
        let media = parts.next()?;
        if media == YAML {
            return parts.next().is_none().then_some(Self::Yaml);
        }
        if !JSON.contains(&media) {
            return None;
        }
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let get = |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, it)| *it);
        match (get("as"), get("g"), get("v")) {
            (None, _, _) => Some(Self::Object),
            (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Some(Self::Table(include)),
            (
                Some("PartialObjectMetadata" | "PartialObjectMetadataList"),
                Some("meta.k8s.io"),
                Some("v1"),
            ) => Some(Self::Metadata),
            (Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")) => {
                Some(Self::Discovery)
            }
            _ => None,
        }
    }

    /// An answer's body in this form, as it is at `now`.
    pub fn of_response(self, response: &Response, now: Timestamp) -> Value {
        let (kind, objects, meta) = match &response.result {
            Ok(Answer::Object(object) | Answer::Created(object)) => (
                object.kind(),
                std::slice::from_ref(object),
                list_metadata(object.resource_version(), None),
            ),
            Ok(Answer::List { kind, items, resource_version, rest }) => {
                (*kind, &**items, list_metadata(*resource_version, rest.as_ref()))
            }
            Ok(
                Answer::Watching
                | Answer::Streaming { .. }
                | Answer::Success { .. }
                | Answer::Document(_),
            )
            | Err(_) => return response.body(),
        };
        match self {
            Self::Object | Self::Yaml | Self::Discovery => response.body(),
            Self::Table(include) => table(kind, objects, meta, include, kind.columns(), now),
            Self::Metadata => match &response.result {
                Ok(Answer::List { .. }) => json_object([
                    ("kind", "PartialObjectMetadataList".into()),
                    ("apiVersion", META.into()),
                    ("metadata", meta),
                    ("items", objects.iter().map(metadata).collect()),
                ]),
                _ => objects.first().map(metadata).unwrap_or_default(),
            },
        }
    }

    /// The line of a watch event. Only the `first` table of a stream says what its columns are.
    pub fn of_change(self, change: &Change, first: bool, now: Timestamp) -> Value {
        let object = match (self, change.object()) {
            (Self::Table(include), Some(object)) => {
                let columns = if first { object.kind().columns() } else { &[] };
                let meta = list_metadata(object.resource_version(), None);
                let objects = std::slice::from_ref(object);
                table(object.kind(), objects, meta, include, columns, now)
            }
            (Self::Metadata, Some(object)) => metadata(object),
            (Self::Object | Self::Yaml | Self::Discovery, _) | (_, None) => change.body(),
        };
        json_object([("type", change.name().into()), ("object", object)])
    }
}

/// 406: the answer does not go into any form that is accepted.
pub fn not_acceptable() -> StatusError {
    let words =
        "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml";
    StatusError::generic(Reason::NotAcceptable, words)
}

fn table(
    kind: Kind,
    objects: &[Object],
    meta: Value,
    include: Include,
    columns: &[Column],
    now: Timestamp,
) -> Value {
    let definition = |column: &Column| {
        json!({
            "name": column.name, "type": column.kind, "format": column.format,
            "description": column.description, "priority": column.priority,
        })
    };
    let definitions: Vec<Value> = columns.iter().map(definition).collect();
    let definitions = if columns.is_empty() { Value::Null } else { definitions.into() };
    json_object([
        ("kind", "Table".into()),
        ("apiVersion", META.into()),
        ("metadata", meta),
        ("columnDefinitions", definitions),
        ("rows", objects.iter().map(|object| row(kind, object, include, now)).collect()),
    ])
}

fn row(kind: Kind, object: &Object, include: Include, now: Timestamp) -> Value {
    let cells = object.row(now).iter().map(Value::from).collect();
    let object_of_row = match include {
        Include::None => Value::Null,
        Include::Metadata => metadata(object),
        Include::Object => object.to_json(),
    };
    let mut row = json_object([("cells", cells), ("object", object_of_row)]);
    let pod = Pod::unwrap(object).filter(|_| kind == Kind::Pod);
    let completed = pod.and_then(|pod| Completed::of(&pod.status));
    if let (Some(completed), Some(row)) = (completed, row.as_object_mut()) {
        let condition = json!({
            "type": Completed::TYPE, "status": "True",
            "reason": completed.reason, "message": completed.message,
        });
        row.insert("conditions".to_owned(), vec![condition].into());
    }
    row
}

fn metadata(object: &Object) -> Value {
    json_object([
        ("kind", "PartialObjectMetadata".into()),
        ("apiVersion", META.into()),
        ("metadata", object.metadata_json()),
    ])
}

impl Include {
    /// Reads the parameter `includeObject`.
    ///
    /// # Errors
    ///
    /// 400 for anything but the three policies.
    pub fn parse(text: Option<&str>) -> Result<Self, StatusError> {
        match text {
            None | Some("" | "Metadata") => Ok(Self::Metadata),
            Some("None") => Ok(Self::None),
            Some("Object") => Ok(Self::Object),
            Some(other) => Err(StatusError::bad_request(format!(
                "unrecognized includeObject value: \"{other}\""
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_clause_that_can_be_met_counts() {
        let of = |accept: &str| Representation::of(accept, Include::Metadata);
        let table = Representation::Table(Include::Metadata);
        for (accept, wanted) in [
            ("", Representation::Object),
            ("*/*", Representation::Object),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", table),
            (
                "application/json;as=Table;v=v9;g=meta.k8s.io,application/json",
                Representation::Object,
            ),
            ("application/vnd.kubernetes.protobuf, application/json", Representation::Object),
            ("application/yaml", Representation::Yaml),
            (
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                Representation::Metadata,
            ),
        ] {
            assert_eq!(of(accept), Ok(wanted), "{accept}");
        }
        assert_eq!(of("text/html").unwrap_err().code, 406);
    }
}
