//! Which columns and which row each kind has.

use jiff::Timestamp;

use super::{Cell, Column, Printed, node, objects, pod, rbac, workloads};
use crate::api::types::{
    ClusterRole, ClusterRoleBinding, ConfigMap, ControllerRevision, CronJob, DaemonSet, Deployment,
    Event, Job, Lease, Namespace, Node, Pod, PodTemplate, PriorityClass, ReplicaSet,
    ReplicationController, Role, RoleBinding, Secret, ServiceAccount, StatefulSet,
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

/// Kinds whose row is made of their metadata, spec and status.
macro_rules! by_parts {
    ($($kind:ident: $columns:ident, $row:ident;)+) => {
        $(impl Printed for $kind {
            const COLUMNS: &'static [Column] = workloads::$columns;

            fn row(&self, now: Timestamp) -> Vec<Cell> {
                let status = self.status.clone().unwrap_or_default();
                workloads::$row(&self.metadata, &self.spec, &status, now)
            }
        })+
    };
}

by_parts! {
    Deployment: DEPLOYMENT, deployment;
    ReplicaSet: REPLICA_SET, replica_set;
    StatefulSet: STATEFUL_SET, stateful_set;
    DaemonSet: DAEMON_SET, daemon_set;
    CronJob: CRON_JOB, cron_job;
}

impl Printed for Job {
    const COLUMNS: &'static [Column] = workloads::JOB;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        let (spec, status) = (self.spec.clone(), self.status.clone());
        workloads::job(&self.metadata, &spec.unwrap_or_default(), &status.unwrap_or_default(), now)
    }
}

impl Printed for ReplicationController {
    const COLUMNS: &'static [Column] = workloads::REPLICATION_CONTROLLER;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        workloads::replication_controller(self, now)
    }
}

impl Printed for PodTemplate {
    const COLUMNS: &'static [Column] = workloads::POD_TEMPLATE;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        workloads::pod_template(self, now)
    }
}

impl Printed for ControllerRevision {
    const COLUMNS: &'static [Column] = workloads::CONTROLLER_REVISION;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        workloads::controller_revision(self, now)
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
