//! The types of everything that the server takes, with their schemas.

use std::collections::BTreeMap;

use k8s_openapi::Resource;
use k8s_openapi::api::{
    apps, authentication, authorization, autoscaling, batch, coordination, core, discovery, events,
    networking, node, policy, rbac, scheduling, storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// A type that an object of its own is of.
pub struct Kind {
    /// As schemas are called: `io.k8s.api.core.v1.Pod`.
    pub name: String,
    pub group: &'static str,
    pub version: &'static str,
    /// As manifests call it: `Pod`.
    pub own: &'static str,
}

/// All types.
pub struct Schemas {
    pub kinds: Vec<Kind>,
    /// Of each type by its name, those that stand in others, too.
    pub types: BTreeMap<String, Value>,
}

impl Schemas {
    /// Works all of them out.
    pub fn new() -> Self {
        let (mut all, mut kinds) = (SchemaGenerator::default(), Vec::new());
        macro_rules! add {
            ($($kind:ty),* $(,)?) => {$( add::<$kind>(&mut all, &mut kinds); )*};
        }
        add!(
            apps::v1::ControllerRevision,
            apps::v1::DaemonSet,
            apps::v1::Deployment,
            apps::v1::ReplicaSet,
            apps::v1::StatefulSet,
            authentication::v1::SelfSubjectReview,
            authentication::v1::TokenRequest,
            authentication::v1::TokenReview,
            authorization::v1::LocalSubjectAccessReview,
            authorization::v1::SelfSubjectAccessReview,
            authorization::v1::SelfSubjectRulesReview,
            authorization::v1::SubjectAccessReview,
            autoscaling::v1::HorizontalPodAutoscaler,
            autoscaling::v1::Scale,
            autoscaling::v2::HorizontalPodAutoscaler,
            batch::v1::CronJob,
            batch::v1::Job,
            coordination::v1::Lease,
            core::v1::Binding,
            core::v1::ConfigMap,
            core::v1::Endpoints,
            core::v1::Event,
            core::v1::LimitRange,
            core::v1::Namespace,
            core::v1::Node,
            core::v1::PersistentVolume,
            core::v1::PersistentVolumeClaim,
            core::v1::Pod,
            core::v1::PodTemplate,
            core::v1::ReplicationController,
            core::v1::ResourceQuota,
            core::v1::Secret,
            core::v1::Service,
            core::v1::ServiceAccount,
            discovery::v1::EndpointSlice,
            events::v1::Event,
            networking::v1::Ingress,
            networking::v1::IngressClass,
            networking::v1::NetworkPolicy,
            policy::v1::Eviction,
            policy::v1::PodDisruptionBudget,
            rbac::v1::ClusterRole,
            rbac::v1::ClusterRoleBinding,
            rbac::v1::Role,
            rbac::v1::RoleBinding,
            scheduling::v1::PriorityClass,
            node::v1::RuntimeClass,
            storage::v1::CSIDriver,
            storage::v1::CSINode,
            storage::v1::CSIStorageCapacity,
            storage::v1::StorageClass,
            storage::v1::VolumeAttachment,
            apiextensions::v1::CustomResourceDefinition,
        );
        Self { kinds, types: all.take_definitions(true).into_iter().collect() }
    }
}

fn add<T: JsonSchema + Resource>(all: &mut SchemaGenerator, kinds: &mut Vec<Kind>) {
    all.subschema_for::<T>();
    let name = T::schema_name().into_owned();
    kinds.push(Kind { name, group: T::GROUP, version: T::VERSION, own: T::KIND });
}
