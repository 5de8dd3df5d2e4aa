//! The columns of roles and of their bindings.
//!
//! Mirrors: `printRoleBinding` of `pkg/printers/internalversion/printers.go`, and the default columns
//! of `apiserver/pkg/registry/rest/table.go`, which roles have.

use jiff::Timestamp;
use k8s_openapi::api::rbac::v1::{RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::cell::{age, name};
use super::{Cell, Column};

/// The columns of roles.
pub const ROLE: &[Column] =
    &[Column::NAME, Column { kind: "date", ..Column::text("Created At", Column::AGE.description) }];

/// The columns of role bindings.
pub const ROLE_BINDING: &[Column] = &[
    Column::NAME,
    Column::text(
        "Role",
        "RoleRef can reference a Role in the current namespace or a ClusterRole in the global \
         namespace. If the RoleRef cannot be resolved, the Authorizer must return an error. This \
         field is immutable.",
    ),
    Column::AGE,
    Column::text("Users", "Users in the roleBinding").wide(),
    Column::text("Groups", "Groups in the roleBinding").wide(),
    Column::text("ServiceAccounts", "ServiceAccounts in the roleBinding").wide(),
];

/// The columns of cluster role bindings.
pub const CLUSTER_ROLE_BINDING: &[Column] = &[
    Column::NAME,
    Column::text(
        "Role",
        "RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be \
         resolved, the Authorizer must return an error. This field is immutable.",
    ),
    Column::AGE,
    Column::text("Users", "Users in the clusterRoleBinding").wide(),
    Column::text("Groups", "Groups in the clusterRoleBinding").wide(),
    Column::text("ServiceAccounts", "ServiceAccounts in the clusterRoleBinding").wide(),
];

/// The row of a role.
pub fn role(meta: &ObjectMeta) -> Vec<Cell> {
    let created = meta.creation_timestamp.as_ref().map(|at| at.0.to_string());
    vec![name(meta), Cell::Text(created.unwrap_or_default())]
}

/// The row of a binding.
pub fn binding(
    meta: &ObjectMeta,
    role: &RoleRef,
    subjects: Option<&[Subject]>,
    now: Timestamp,
) -> Vec<Cell> {
    let named = |kind: &str| -> Cell {
        let of_kind = subjects.into_iter().flatten().filter(|subject| subject.kind == kind);
        let names = of_kind.map(|subject| match &subject.namespace {
            Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{}", subject.name),
            _ => subject.name.clone(),
        });
        Cell::Text(names.collect::<Vec<_>>().join(", "))
    };
    vec![
        name(meta),
        Cell::Text(format!("{}/{}", role.kind, role.name)),
        age(meta, now),
        named("User"),
        named("Group"),
        named("ServiceAccount"),
    ]
}
