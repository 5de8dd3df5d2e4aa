//! What server-side apply needs to know of a field: whether its parts have owners of their own.
//!
//! Mirrors: the markers `listType`, `listMapKey` and `mapType` in `k8s.io/api`. Most lists that a
//! strategic merge patch merges are told apart by the same key; what differs is named here. Of a kind that
//! somebody defined, its schema says so (`x-kubernetes-list-type`, `-list-map-keys`, `-map-type`).

use serde_json::Value;

use crate::api::Kind;
use crate::api::custom::Schema;
use crate::api::document::Part;
use crate::api::patch::{BUILT_IN, Schema as _, Strategy, Types};

/// How the value of a field is owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A map part by part; a list as a whole.
    Usual,
    /// As a whole.
    Atomic,
    /// A list item by item, told apart by one field or by two.
    Keyed(&'static str, Option<&'static str>),
    /// A list of texts, one by one.
    Set,
}

/// Where a walk through an object is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The type there, or that of the items; empty where nothing in it matters.
    of: &'static str,
    form: Form,
    /// Of a defined kind.
    schema: Option<Schema<'static>>,
}

/// Maps that are owned as a whole wherever they stand: selectors and references.
const ATOMIC: &[&str] = &[
    "configMapKeyRef",
    "dataSource",
    "fieldRef",
    "labelSelector",
    "namespaceSelector",
    "nodeSelector",
    "podSelector",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "resourceFieldRef",
    "roleRef",
    "scopeSelector",
    "secretKeyRef",
    "secretRef",
    "selector",
];

/// Items of lists that are owned as a whole.
const ATOMIC_ITEMS: &[&str] =
    &["core.LocalObjectReference", "core.ObjectReference", "meta.OwnerReference"];

/// The type of the whole of an object of a defined kind.
const OF_SCHEMA: &str = "custom";

impl Place {
    /// The whole of an object.
    pub fn root(kind: Kind) -> Self {
        match kind.custom() {
            Some(custom) => {
                Self { of: OF_SCHEMA, form: Form::Usual, schema: Some(custom.schema()) }
            }
            None => Self::typed(&kind.resource().go_type()),
        }
    }

    fn typed(of: &str) -> Self {
        Self { of: BUILT_IN.name(of), form: Form::Usual, schema: None }
    }

    /// A part of an object of a defined kind.
    fn of_schema(schema: Option<Schema<'static>>) -> Self {
        let form = match schema.map(Schema::source).map(|part| Part::of(Some(part))) {
            None => Form::Usual,
            Some(part) => match part.at("x-kubernetes-list-type").text() {
                "set" => Form::Set,
                "map" => {
                    let mut keys = part.at("x-kubernetes-list-map-keys").texts();
                    keys.next().map_or(Form::Atomic, |first| Form::Keyed(first, keys.next()))
                }
                _ if part.at("x-kubernetes-map-type").text() == "atomic" => Form::Atomic,
                _ => Form::Usual,
            },
        };
        Self { of: "", form, schema }
    }

    /// The field `name` of the map there.
    pub fn field(self, name: &str) -> Self {
        if self.of == OF_SCHEMA && name == "metadata" {
            return Self::typed("meta.ObjectMeta");
        }
        if let Some(schema) = self.schema {
            return Self::of_schema(schema.field(name));
        }
        let field = (&BUILT_IN as &Types).field(self.of, name);
        let form = match (self.of, name) {
            ("core.Container" | "core.EphemeralContainer", "ports") => {
                Form::Keyed("containerPort", Some("protocol"))
            }
            ("core.ServiceSpec", "ports") => Form::Keyed("port", Some("protocol")),
            ("core.PodSpec", "topologySpreadConstraints") => {
                Form::Keyed("topologyKey", Some("whenUnsatisfiable"))
            }
            ("core.PodStatus", "hostIPs") => Form::Atomic,
            _ if field.strategy == Strategy::Merge && field.key.is_empty() => Form::Set,
            _ if field.strategy == Strategy::Merge => Form::Keyed(field.key, None),
            _ if ATOMIC.contains(&name) => Form::Atomic,
            _ => Form::Usual,
        };
        Self { of: field.of, form, schema: None }
    }

    /// An item of the list there.
    pub fn item(self) -> Self {
        if let Some(schema) = self.schema {
            return Self::of_schema(Some(schema.items()));
        }
        let atomic = ATOMIC_ITEMS.contains(&self.of);
        Self { of: self.of, form: if atomic { Form::Atomic } else { Form::Usual }, schema: None }
    }

    /// Whether the parts of a map there have owners of their own.
    pub fn has_fields(self) -> bool {
        self.form == Form::Usual
    }

    /// Whether the items of a list there have owners of their own.
    pub fn has_items(self) -> bool {
        matches!(self.form, Form::Keyed(..) | Form::Set)
    }

    /// The step to an item of the list there, as [`super::Fields`] names it.
    pub fn step_to(self, item: &Value) -> Box<str> {
        let part = |key: &str| {
            let value = item.get(key).cloned();
            // The one key that has a default.
            let value = value.or_else(|| (key == "protocol").then(|| "TCP".into()));
            value.unwrap_or(Value::Null)
        };
        match self.form {
            Form::Keyed(key, None) => format!("k:{{\"{key}\":{}}}", part(key)),
            Form::Keyed(key, Some(other)) => {
                format!("k:{{\"{key}\":{},\"{other}\":{}}}", part(key), part(other))
            }
            Form::Set | Form::Usual | Form::Atomic => format!("v:{item}"),
        }
        .into()
    }
}
