//! What each kind's create step does once, after defaulting: statuses begin anew, and what belongs
//! to the server alone is set.
//!
//! Mirrors: `PrepareForCreate` and `BeginCreate` of `pkg/registry/*/*/strategy.go`.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::{
    DaemonSet, DaemonSetStatus, Deployment, DeploymentStatus, ReplicaSet, ReplicaSetStatus,
    StatefulSet, StatefulSetStatus,
};
use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus, Job, JobStatus};
use k8s_openapi::api::core::v1::{Namespace, NamespaceStatus, Pod, PodStatus, Secret};

use super::{Defaults as _, default_to};
use crate::api::qos::QosClass;

/// A Pod begins as pending, whatever status was sent.
pub fn pod(pod: &mut Pod) {
    let spec = pod.spec.get_or_insert_default();
    pod.status = Some(PodStatus {
        phase: Some("Pending".to_owned()),
        qos_class: Some(QosClass::of(spec).as_str().to_owned()),
        ..PodStatus::default()
    });
}

/// A namespace begins as active, and is only gone once its content is.
pub fn namespace(namespace: &mut Namespace) {
    let finalizers = namespace.spec.get_or_insert_default().finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == "kubernetes") {
        finalizers.push("kubernetes".to_owned());
    }
    let status = namespace.status.insert(NamespaceStatus::default());
    default_to(&mut status.phase, "Active");
}

/// What was sent as text is stored as bytes.
pub fn secret(secret: &mut Secret) {
    for (key, text) in secret.string_data.take().unwrap_or_default() {
        secret.data.get_or_insert_default().insert(key, ByteString(text.into_bytes()));
    }
}

/// A deployment begins without a status.
pub fn deployment(deployment: &mut Deployment) {
    deployment.status = Some(DeploymentStatus::default());
}

/// A replica set begins without a status.
pub fn replica_set(set: &mut ReplicaSet) {
    set.status = Some(ReplicaSetStatus::default());
}

/// A stateful set begins without a status.
pub fn stateful_set(set: &mut StatefulSet) {
    let status = set.status.insert(StatefulSetStatus::default());
    default_to(&mut status.available_replicas, 0);
}

/// A daemon set begins without a status; its template's generation, a retired field, is an
/// annotation.
pub fn daemon_set(set: &mut DaemonSet) {
    set.status = Some(DaemonSetStatus::default());
    let annotations = set.metadata.annotations.get_or_insert_default();
    annotations.insert("deprecated.daemonset.template.generation".to_owned(), "1".to_owned());
}

/// A cron job begins without a status.
pub fn cron_job(job: &mut CronJob) {
    job.status = Some(CronJobStatus::default());
}

/// A job selects its Pods by its own uid, unless it says that it does so itself.
pub fn job(job: &mut Job, uid: &str) {
    job.status = Some(JobStatus::default());
    let name = job.metadata.name.clone().unwrap_or_default();
    let spec = job.spec.get_or_insert_default();
    if spec.manual_selector != Some(true) {
        let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
        for (key, value) in [("controller-uid", uid), ("job-name", &name)] {
            for key in [key.to_owned(), format!("batch.kubernetes.io/{key}")] {
                labels.entry(key).or_insert_with(|| value.to_owned());
            }
        }
        let selector = spec.selector.get_or_insert_default();
        let own = ("batch.kubernetes.io/controller-uid".to_owned(), uid.to_owned());
        selector.match_labels.get_or_insert_with(BTreeMap::new).extend([own]);
    }
    // Labels that were left open are those of the template, as it is now.
    job.set_defaults();
}
