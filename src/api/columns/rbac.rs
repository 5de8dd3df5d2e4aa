//! The columns of roles and of their bindings.
//!
//! Mirrors: `printRoleBinding` of `pkg/printers/internalversion/printers.go`, and the default columns
//! of `apiserver/pkg/registry/rest/table.go`, which roles have.

use jiff::Timestamp;

use super::cell::{age, name};
use super::{Cell, Column};
use crate::api::document::Document;

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
pub fn role(role: &Document, _now: Timestamp) -> Vec<Cell> {
    let created = role.metadata.creation_timestamp.as_ref().map(|at| at.0.to_string());
    vec![name(&role.metadata), Cell::Text(created.unwrap_or_default())]
}

/// The row of a binding.
pub fn binding(binding: &Document, now: Timestamp) -> Vec<Cell> {
    let named = |kind: &str| -> Cell {
        let subjects = binding.at("subjects").items();
        let names =
            subjects.filter(|subject| subject.at("kind").text() == kind).map(
                |subject| match subject.at("namespace").text() {
                    "" => subject.at("name").text().to_owned(),
                    namespace => format!("{namespace}/{}", subject.at("name").text()),
                },
            );
        Cell::Text(names.collect::<Vec<_>>().join(", "))
    };
    let role = binding.at("roleRef");
    vec![
        name(&binding.metadata),
        Cell::Text(format!("{}/{}", role.at("kind").text(), role.at("name").text())),
        age(&binding.metadata, now),
        named("User"),
        named("Group"),
        named("ServiceAccount"),
    ]
}
