//! The types of all kinds that are served, each under its own name.
//!
//! They are those of `k8s-openapi`, but for [`Pod`], which has a form of its own in the engine.

pub use k8s_openapi::api::coordination::v1::Lease;
pub use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Node, Secret, ServiceAccount};
pub use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
pub use k8s_openapi::api::scheduling::v1::PriorityClass;

pub use super::object::Pod;
