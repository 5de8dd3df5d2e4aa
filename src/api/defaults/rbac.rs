//! The defaults of roles and of their bindings.
//!
//! Mirrors: `pkg/apis/rbac/v1/defaults.go`.

use k8s_openapi::api::rbac::v1::{RoleRef, Subject};

use super::{Defaults, default_to};
use crate::api::types::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use crate::api::words::RBAC;

impl Defaults for Role {
    fn set_defaults(&mut self) {}
}

impl Defaults for ClusterRole {
    fn set_defaults(&mut self) {}
}

impl Defaults for RoleBinding {
    fn set_defaults(&mut self) {
        binding(&mut self.role_ref, self.subjects.as_deref_mut());
    }
}

impl Defaults for ClusterRoleBinding {
    fn set_defaults(&mut self) {
        binding(&mut self.role_ref, self.subjects.as_deref_mut());
    }
}

fn binding(role: &mut RoleRef, subjects: Option<&mut [Subject]>) {
    default_to(&mut role.api_group, RBAC);
    for subject in subjects.into_iter().flatten() {
        if matches!(subject.kind.as_str(), "User" | "Group") {
            default_to(&mut subject.api_group, RBAC);
        }
    }
}
