//! Which columns and which row the documents of each kind have.

use jiff::Timestamp;

use super::service::{self, Width};
use super::{Cell, Column, OTHER, network, objects, other, rbac, storage, workloads};
use crate::api::Kind;
use crate::api::custom::Custom;
use crate::api::document::Document;

/// A kind, its columns, and the row of one.
type Table = (Kind, &'static [Column], fn(&Document, Timestamp) -> Vec<Cell>);

const TABLES: &[Table] = &[
    (Kind::ControllerRevision, workloads::CONTROLLER_REVISION, workloads::controller_revision),
    (Kind::CronJob, workloads::CRON_JOB, workloads::cron_job),
    (Kind::DaemonSet, workloads::DAEMON_SET, workloads::daemon_set),
    (Kind::Deployment, workloads::DEPLOYMENT, workloads::deployment),
    (Kind::Job, workloads::JOB, workloads::job),
    (Kind::PodTemplate, workloads::POD_TEMPLATE, workloads::pod_template),
    (Kind::ReplicaSet, workloads::REPLICA_SET, workloads::replica_set),
    (
        Kind::ReplicationController,
        workloads::REPLICATION_CONTROLLER,
        workloads::replication_controller,
    ),
    (Kind::StatefulSet, workloads::STATEFUL_SET, workloads::stateful_set),
    (Kind::Namespace, objects::NAMESPACE, objects::namespace),
    (Kind::ConfigMap, objects::CONFIG_MAP, objects::config_map),
    (Kind::Secret, objects::SECRET, objects::secret),
    (Kind::ServiceAccount, objects::SERVICE_ACCOUNT, objects::service_account),
    (Kind::PriorityClass, objects::PRIORITY_CLASS, objects::priority_class),
    (Kind::RuntimeClass, objects::RUNTIME_CLASS, objects::runtime_class),
    (Kind::Role, rbac::ROLE, rbac::role),
    (Kind::ClusterRole, rbac::ROLE, rbac::role),
    (Kind::RoleBinding, rbac::ROLE_BINDING, rbac::binding),
    (Kind::ClusterRoleBinding, rbac::CLUSTER_ROLE_BINDING, rbac::binding),
    // The API server makes wide rows, whatever the client then shows.
    (Kind::Service, service::COLUMNS, |document, now| service::row(document, Width::Wide, now)),
    (Kind::PersistentVolume, storage::PERSISTENT_VOLUME, storage::persistent_volume),
    (
        Kind::PersistentVolumeClaim,
        storage::PERSISTENT_VOLUME_CLAIM,
        storage::persistent_volume_claim,
    ),
    (Kind::CSIDriver, storage::CSI_DRIVER, storage::csi_driver),
    (Kind::CSINode, storage::CSI_NODE, storage::csi_node),
    (Kind::CSIStorageCapacity, storage::STORAGE_CAPACITY, storage::storage_capacity),
    (Kind::StorageClass, storage::STORAGE_CLASS, storage::storage_class),
    (Kind::VolumeAttachment, storage::VOLUME_ATTACHMENT, storage::volume_attachment),
    (Kind::Endpoints, network::ENDPOINTS, network::endpoints),
    (Kind::EndpointSlice, network::ENDPOINT_SLICE, network::endpoint_slice),
    (Kind::Ingress, network::INGRESS, network::ingress),
    (Kind::IngressClass, network::INGRESS_CLASS, network::ingress_class),
    (Kind::NetworkPolicy, network::NETWORK_POLICY, network::network_policy),
    (Kind::PodDisruptionBudget, network::BUDGET, network::budget),
    (Kind::HorizontalPodAutoscaler, network::AUTOSCALER, network::autoscaler),
    (Kind::ResourceQuota, storage::RESOURCE_QUOTA, storage::resource_quota),
];

/// The columns of a kind of documents.
pub(super) fn columns(kind: Kind) -> &'static [Column] {
    let of_table = || table(kind).map_or(OTHER, |(_, columns, _)| columns);
    kind.custom().map_or_else(of_table, Custom::columns)
}

/// The row of a document.
pub fn row(document: &Document, now: Timestamp) -> Vec<Cell> {
    let kind = document.kind();
    match (kind.custom(), table(kind)) {
        (Some(custom), _) => custom.row(document, now),
        (None, Some((_, _, row))) => row(document, now),
        (None, None) => other(&document.metadata),
    }
}

fn table(kind: Kind) -> Option<&'static Table> {
    TABLES.iter().find(|(own, _, _)| *own == kind)
}
