//! Which columns and which row each kind has.

use jiff::Timestamp;

use super::{Cell, Column, Printed, node, objects, pod, rbac};
use crate::api::types::{
    ClusterRole, ClusterRoleBinding, ConfigMap, Event, Lease, Namespace, Node, Pod, PriorityClass,
    Role, RoleBinding, Secret, ServiceAccount,
};

impl Printed for Pod {
    const COLUMNS: &'static [Column] = pod::COLUMNS;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        pod::row(&self.metadata, &self.spec, self.node_name.as_deref(), &self.status, now)
    }
}

impl Printed for Node {
    const COLUMNS: &'static [Column] = node::COLUMNS;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        let (spec, status) = (self.spec.clone(), self.status.clone());
        node::row(&self.metadata, &spec.unwrap_or_default(), &status.unwrap_or_default(), now)
    }
}

impl Printed for Namespace {
    const COLUMNS: &'static [Column] = objects::NAMESPACE;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::namespace(&self.metadata, &self.status.clone().unwrap_or_default(), now)
    }
}

impl Printed for Event {
    const COLUMNS: &'static [Column] = objects::EVENT;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::event(self, now)
    }
}

impl Printed for Lease {
    const COLUMNS: &'static [Column] = objects::LEASE;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::lease(&self.metadata, &self.spec.clone().unwrap_or_default(), now)
    }
}

impl Printed for ConfigMap {
    const COLUMNS: &'static [Column] = objects::CONFIG_MAP;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::config_map(self, now)
    }
}

impl Printed for Secret {
    const COLUMNS: &'static [Column] = objects::SECRET;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::secret(self, now)
    }
}

impl Printed for ServiceAccount {
    const COLUMNS: &'static [Column] = objects::SERVICE_ACCOUNT;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::service_account(self, now)
    }
}

impl Printed for PriorityClass {
    const COLUMNS: &'static [Column] = objects::PRIORITY_CLASS;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::priority_class(self, now)
    }
}

/// Roles, of which the table shows no more than their names and since when they are there.
macro_rules! roles {
    ($($kind:ty),+) => {
        $(impl Printed for $kind {
            const COLUMNS: &'static [Column] = rbac::ROLE;

            fn row(&self, _now: Timestamp) -> Vec<Cell> {
                rbac::role(&self.metadata)
            }
        })+
    };
}

roles!(Role, ClusterRole);

impl Printed for RoleBinding {
    const COLUMNS: &'static [Column] = rbac::ROLE_BINDING;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        rbac::binding(&self.metadata, &self.role_ref, self.subjects.as_deref(), now)
    }
}

impl Printed for ClusterRoleBinding {
    const COLUMNS: &'static [Column] = rbac::CLUSTER_ROLE_BINDING;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        rbac::binding(&self.metadata, &self.role_ref, self.subjects.as_deref(), now)
    }
}
