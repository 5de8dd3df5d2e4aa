//! Rows of the smaller kinds: namespaces, events, leases, config maps, secrets, service accounts.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::cell::{UNKNOWN, age, name, text};
use super::{Cell, Column};
use crate::api::document::Document;
use crate::api::duration;
use crate::api::text::lower;
use crate::api::types::{Event, Lease};

/// The columns of namespaces.
pub const NAMESPACE: &[Column] =
    &[Column::NAME, Column::text("Status", "The status of the namespace"), Column::AGE];

/// The row of a namespace.
pub fn namespace(namespace: &Document, now: Timestamp) -> Vec<Cell> {
    let meta = &namespace.metadata;
    vec![name(meta), namespace.at("status").at("phase").text().into(), age(meta, now)]
}

/// The columns of events.
pub const EVENT: &[Column] = &[
    Column::text(
        "Last Seen",
        "The time at which the most recent occurrence of this event was recorded.",
    ),
    Column::text(
        "Type",
        "Type of this event (Normal, Warning), new types could be added in the future",
    ),
    Column::text(
        "Reason",
        "This should be a short, machine understandable string that gives the reason for the \
         transition into the object's current status.",
    ),
    Column::text("Object", "The object that this event is about."),
    Column::text(
        "Subobject",
        "If referring to a piece of an object instead of an entire object, this string should \
         contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2].",
    )
    .wide(),
    Column::text("Source", "The component reporting this event.").wide(),
    Column::text("Message", "A human-readable description of the status of this operation."),
    Column::text("First Seen", "The time at which the event was first recorded.").wide(),
    Column::text("Count", "The number of times this event has occurred.").wide(),
    Column { priority: 1, ..Column::NAME },
];

/// The row of an event.
pub fn event(event: &Event, now: Timestamp) -> Vec<Cell> {
    let micro = |time: Option<&MicroTime>| duration::age(time.map(|time| time.0), now);
    let first = event.first_timestamp.as_ref().map(|time| time.0);
    let first = first.or(event.event_time.as_ref().map(|time| time.0));
    let first = duration::age(first, now);
    let (last, count) = if let Some(series) = &event.series {
        (micro(series.last_observed_time.as_ref()), series.count)
    } else {
        let last = event.last_timestamp.as_ref();
        let last = last.map_or_else(|| first.clone(), |time| duration::age(Some(time.0), now));
        // An event that happened once has no count in the newer API.
        (last, event.count.filter(|count| *count != 0).or(Some(1)))
    };
    vec![
        last.into(),
        text(event.type_.as_ref()),
        text(event.reason.as_ref()),
        object_of(event).into(),
        text(event.involved_object.field_path.as_ref()),
        source_of(event).into(),
        event.message.as_deref().unwrap_or_default().trim().into(),
        first.into(),
        count.into(),
        name(&event.metadata),
    ]
}

/// What the event is about, such as `pod/web`.
fn object_of(event: &Event) -> String {
    let object = &event.involved_object;
    let kind = lower(object.kind.as_deref().unwrap_or_default());
    match object.name.as_deref() {
        None | Some("") => kind,
        Some(name) => format!("{kind}/{name}"),
    }
}

/// Who reported the event, such as `kubelet, node-1`.
fn source_of(event: &Event) -> String {
    let source = event.source.as_ref();
    let either = |old: Option<&String>, new: &Option<String>| {
        let old = old.filter(|text| !text.is_empty());
        old.or(new.as_ref()).cloned().unwrap_or_default()
    };
    let component = source.and_then(|source| source.component.as_ref());
    let host = source.and_then(|source| source.host.as_ref());
    let component = either(component, &event.reporting_component);
    let instance = either(host, &event.reporting_instance);
    if instance.is_empty() { component } else { format!("{component}, {instance}") }
}

/// The columns of leases.
pub const LEASE: &[Column] = &[
    Column::NAME,
    Column::text(
        "Holder",
        "holderIdentity contains the identity of the holder of a current lease.",
    ),
    Column::AGE,
];

/// The row of a lease.
pub fn lease(lease: &Lease, now: Timestamp) -> Vec<Cell> {
    let meta = &lease.metadata;
    vec![
        name(meta),
        lease.spec.holder_identity.as_deref().unwrap_or_default().into(),
        age(meta, now),
    ]
}

/// The columns of priority classes.
pub const PRIORITY_CLASS: &[Column] = &[
    Column::NAME,
    Column::number("Value", "value represents the integer value of this priority class."),
    Column::truth(
        "Global-Default",
        "globalDefault specifies whether this PriorityClass should be considered as the default \
         priority for pods that do not have any priority class.",
    ),
    Column::AGE,
    Column::text(
        "PreemptionPolicy",
        "preemptionPolicy is the Policy for preempting pods with lower priority.",
    )
    .wide(),
];

/// The row of a priority class.
pub fn priority_class(class: &Document, now: Timestamp) -> Vec<Cell> {
    let policy = class.at("preemptionPolicy");
    vec![
        name(&class.metadata),
        class.at("value").number().map_or_else(|| UNKNOWN.into(), Cell::Number),
        Cell::Truth(class.at("globalDefault").is_true()),
        age(&class.metadata, now),
        policy.text().into(),
    ]
}

/// The columns of runtime classes.
pub const RUNTIME_CLASS: &[Column] = &[
    Column::NAME,
    Column::text(
        "Handler",
        "handler specifies the underlying runtime and configuration that the CRI implementation will \
         use to handle pods of this class. The possible values are specific to the node & CRI \
         configuration.  It is assumed that all handlers are available on every node, and handlers of \
         the same name are equivalent on every node. For example, a handler called \"runc\" might \
         specify that the runc OCI runtime (using native Linux containers) will be used to run the \
         containers in a pod. The Handler must be lowercase, conform to the DNS Label (RFC 1123) \
         requirements, and is immutable.",
    ),
    Column::AGE,
];

/// The row of a runtime class.
pub fn runtime_class(class: &Document, now: Timestamp) -> Vec<Cell> {
    let handler = class.at("handler").text();
    vec![name(&class.metadata), handler.into(), age(&class.metadata, now)]
}

/// The columns of config maps.
pub const CONFIG_MAP: &[Column] =
    &[Column::NAME, Column::text("Data", "Data contains the configuration data."), Column::AGE];

/// The row of a config map.
pub fn config_map(map: &Document, now: Timestamp) -> Vec<Cell> {
    let data = map.at("data").len() + map.at("binaryData").len();
    vec![name(&map.metadata), count(data), age(&map.metadata, now)]
}

/// The columns of secrets.
pub const SECRET: &[Column] = &[
    Column::NAME,
    Column::text("Type", "Used to facilitate programmatic handling of secret data."),
    Column::text("Data", "Data contains the secret data."),
    Column::AGE,
];

/// The row of a secret; its data is counted, never shown.
pub fn secret(secret: &Document, now: Timestamp) -> Vec<Cell> {
    let (data, of) = (secret.at("data").len(), secret.at("type").text());
    vec![name(&secret.metadata), of.into(), count(data), age(&secret.metadata, now)]
}

/// The columns of service accounts.
pub const SERVICE_ACCOUNT: &[Column] = &[
    Column::NAME,
    Column::text(
        "Secrets",
        "Secrets is a list of the secrets in the same namespace that pods running using this \
         ServiceAccount are allowed to use.",
    ),
    Column::AGE,
];

/// The row of a service account.
pub fn service_account(account: &Document, now: Timestamp) -> Vec<Cell> {
    let secrets = account.at("secrets").len();
    vec![name(&account.metadata), count(secrets), age(&account.metadata, now)]
}

fn count(number: usize) -> Cell {
    i64::try_from(number).map_or_else(|_| UNKNOWN.into(), Cell::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Kind, Object};

    fn shown(row: &[Cell]) -> Vec<String> {
        row.iter().map(Cell::show).collect()
    }

    #[test]
    fn the_small_kinds_show_what_they_hold() {
        let now = Timestamp::UNIX_EPOCH;
        let row = |kind, json| {
            let document = Document::from_json(kind, &json).unwrap().object;
            shown(&super::super::document(&document, now))
        };
        let meta = json!({"name": "a", "creationTimestamp": "1970-01-01T00:00:00Z"});
        let lease = json!({"metadata": &meta, "spec": {"holderIdentity": "node-1"}});
        let lease = Object::from_json(Kind::Lease, &lease).unwrap().object;
        assert_eq!(shown(&lease.row(now)), ["a", "node-1", "0s"]);
        let data = json!({"metadata": {"name": "a"}, "data": {"k": ""}, "binaryData": {"b": ""}});
        assert_eq!(row(Kind::ConfigMap, data), ["a", "2", UNKNOWN]);
        let data = json!({"metadata": {"name": "a"}, "type": "Opaque", "data": {"k": ""}});
        assert_eq!(row(Kind::Secret, data), ["a", "Opaque", "1", UNKNOWN]);
        let account = json!({"metadata": {"name": "a"}});
        assert_eq!(row(Kind::ServiceAccount, account), ["a", "0", UNKNOWN]);
        let template = row(Kind::LimitRange, json!({"metadata": meta}));
        assert_eq!(template, ["a", "1970-01-01T00:00:00Z"]);
    }
}
