//! What makes a document wrong, by its kind.

mod autoscaling;
mod config;
mod definition;
mod ingress;
mod namespace;
mod network;
pub mod priority_class;
mod quota;
mod rbac;
pub mod runtime_class;
pub mod service;
mod storage;
mod workload;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

pub(super) use storage::claim_spec;

use super::meta::{self, NameRule};
use super::report::Report;
use super::selector;
use crate::api::Kind;
use crate::api::custom::Custom;
use crate::api::decode::decode;
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, FieldErrorKind, Path};
use crate::api::names;
use crate::api::request::Subresource;

/// How the documents of one kind are checked.
struct Rules {
    name: NameRule,
    /// How an update is checked: what is wrong is told in the order in which upstream finds it.
    update: &'static [Step],
    /// What an object must be, be it new or in the place of another.
    check: Check,
    /// What may not change.
    change: Change,
    /// What a status must be.
    status: Change,
}

/// A part of the check of an update.
enum Step {
    /// The metadata, as those of a new object.
    New,
    /// The metadata, against those of the old object.
    Meta,
    Check,
    Change,
}

use Step::{Change as C, Check as K, Meta as M, New as N};

/// A check of an object, and of the one that it takes the place of.
type Check = fn(&mut Report, &Document, Option<&Document>);

/// A check of a new object against the old one, which comes last.
type Change = fn(&mut Report, &Document, &Document);

const RULES: &[(Kind, Rules)] = &[
    (Kind::ControllerRevision, workload::CONTROLLER_REVISION),
    (Kind::CronJob, workload::CRON_JOB),
    (Kind::DaemonSet, workload::DAEMON_SET),
    (Kind::Deployment, workload::DEPLOYMENT),
    (Kind::Job, workload::JOB),
    (Kind::PodTemplate, workload::POD_TEMPLATE),
    (Kind::ReplicaSet, workload::REPLICA_SET),
    (Kind::ReplicationController, workload::REPLICATION_CONTROLLER),
    (Kind::StatefulSet, workload::STATEFUL_SET),
    (Kind::Namespace, namespace::RULES),
    (Kind::ConfigMap, config::CONFIG_MAP),
    (Kind::Secret, config::SECRET),
    (Kind::PriorityClass, priority_class::RULES),
    (Kind::RuntimeClass, runtime_class::RULES),
    (Kind::Role, rbac::ROLE),
    (Kind::ClusterRole, rbac::CLUSTER_ROLE),
    (Kind::RoleBinding, rbac::ROLE_BINDING),
    (Kind::ClusterRoleBinding, rbac::CLUSTER_ROLE_BINDING),
    (Kind::Service, service::RULES),
    (Kind::PersistentVolume, storage::VOLUME),
    (Kind::PersistentVolumeClaim, storage::CLAIM),
    (Kind::CSIDriver, storage::CSI_DRIVER),
    (Kind::CSINode, storage::CSI_NODE),
    (Kind::CSIStorageCapacity, storage::STORAGE_CAPACITY),
    (Kind::StorageClass, storage::CLASS),
    (Kind::VolumeAttachment, storage::ATTACHMENT),
    (Kind::ResourceQuota, quota::QUOTA),
    (Kind::LimitRange, quota::LIMITS),
    (Kind::Endpoints, network::ENDPOINTS),
    (Kind::EndpointSlice, network::ENDPOINT_SLICE),
    (Kind::NetworkPolicy, network::NETWORK_POLICY),
    (Kind::Ingress, ingress::INGRESS),
    (Kind::IngressClass, ingress::INGRESS_CLASS),
    (Kind::HorizontalPodAutoscaler, autoscaling::AUTOSCALER),
    (Kind::PodDisruptionBudget, autoscaling::BUDGET),
    (Kind::CustomResourceDefinition, definition::RULES),
];

/// Of a kind of which only the metadata is checked.
const PLAIN: Rules = Rules {
    name: names::dns1123_subdomain,
    update: &[M, K, C],
    check: |_, _, _| {},
    change: |_, _, _| {},
    status: |_, _, _| {},
};

impl Rules {
    fn of(kind: Kind) -> &'static Self {
        RULES.iter().find(|(own, _)| *own == kind).map_or(&PLAIN, |(_, rules)| rules)
    }
}

/// What is wrong with a new document, or with one of which a part takes the place of that of an old one.
pub(super) fn check(
    new: &Document,
    old: Option<(&Document, Option<Subresource>)>,
) -> Vec<FieldError> {
    let (mut out, rules) = (Report::default(), Rules::of(new.kind()));
    if let Some(custom) = new.kind().custom() {
        match old {
            None => {
                let namespaced = custom.resource().namespaced;
                meta::any_create(&mut out, &new.metadata, namespaced, rules.name);
            }
            Some((old, _)) => meta::any_update(&mut out, &new.metadata, &old.metadata),
        }
        let json = new.to_json();
        out.errors.extend(custom.schema().check(&json, ""));
        if custom.has_rules() {
            self::rules(&mut out, custom, &json, old.map(|(old, _)| old));
        }
        return out.errors;
    }
    let namespaced = new.kind().resource().namespaced;
    let any = new.kind() == Kind::CustomResourceDefinition;
    let create = if any { meta::any_create } else { meta::create };
    let update = if any { meta::any_update } else { meta::update };
    let Some((old, part)) = old else {
        create(&mut out, &new.metadata, namespaced, rules.name);
        (rules.check)(&mut out, new, None);
        return out.errors;
    };
    if part.is_some() {
        update(&mut out, &new.metadata, &old.metadata);
    }
    if part == Some(Subresource::Status) {
        (rules.status)(&mut out, new, old);
        return out.errors;
    }
    if part == Some(Subresource::Finalize) {
        namespace::each_finalizer(&mut out, new);
        return out.errors;
    }
    for step in rules.update {
        match step {
            Step::New => create(&mut out, &new.metadata, namespaced, rules.name),
            Step::Meta => update(&mut out, &new.metadata, &old.metadata),
            Step::Check => (rules.check)(&mut out, new, Some(old)),
            Step::Change => (rules.change)(&mut out, new, old),
        }
    }
    out.errors
}

/// What breaks the rules of a custom kind, which are asked of what can be such an object.
///
/// Mirrors: `hasBlockingErr` of `apiextensions-apiserver/pkg/registry/customresource`.
fn rules(out: &mut Report, custom: Custom, new: &Value, old: Option<&Document>) {
    let blocks = |error: &FieldError| {
        use FieldErrorKind::{Required, TooLong, TooMany, TypeInvalid};
        matches!(error.kind, Required | TooLong | TooMany | TypeInvalid)
    };
    if out.errors.iter().any(blocks) {
        let words = "some validation rules were not checked because the object was invalid; correct \
                     the existing errors to complete validation";
        out.invalid(&Path::new("<nil>"), Value::Null, words);
        return;
    }
    let old = old.map(Document::to_json);
    out.errors.extend(custom.broken_rules(new, old.as_ref()));
}

/// A label selector, if it is there.
fn of_selector(out: &mut Report, part: Part<'_>, path: &Path) {
    if let Ok(decoded) = decode::<LabelSelector>(part.value())
        && part.is_there()
    {
        selector::label_selector(out, Some(&decoded.object), path);
    }
}
