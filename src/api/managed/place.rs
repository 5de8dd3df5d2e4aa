//! What server-side apply needs to know of a field: whether its parts have owners of their own.
//!
//! Mirrors: the markers `listType`, `listMapKey` and `mapType` in `k8s.io/api`. Most lists that a
//! strategic merge patch merges are told apart by the same key; what differs is named here.

use serde_json::Value;

use crate::api::patch::{BUILT_IN, Schema, Strategy, Types};

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

impl Place {
    /// The whole of an object whose Go type is `of`.
    pub fn root(of: &str) -> Self {
        Self { of: BUILT_IN.name(of), form: Form::Usual }
    }

    /// The field `name` of the map there.
    pub fn field(self, name: &str) -> Self {
        const TYPES: &Types = &BUILT_IN;
        let field = TYPES.field(self.of, name);
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
        Self { of: field.of, form }
    }

    /// An item of the list there.
    pub fn item(self) -> Self {
        let atomic = ATOMIC_ITEMS.contains(&self.of);
        Self { of: self.of, form: if atomic { Form::Atomic } else { Form::Usual } }
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
