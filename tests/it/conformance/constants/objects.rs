//! Constants that stand in an object, once a server has made it of a manifest.

use serde_json::{Value, json};

use super::Seen;
use crate::conformance::objects::created_by_a_server;

/// In which field of what is made of the manifest called so.
const FIELDS: &[(&str, &str, &str)] = &[
    ("job.backoffLimit", "Job", "/spec/backoffLimit"),
    ("cronJob.successfulJobsHistoryLimit", "CronJob", "/spec/successfulJobsHistoryLimit"),
    ("cronJob.failedJobsHistoryLimit", "CronJob", "/spec/failedJobsHistoryLimit"),
    ("pod.tolerationSeconds.notReady", "Pod", "/spec/tolerations/0/tolerationSeconds"),
    ("pod.tolerationSeconds.unreachable", "Pod", "/spec/tolerations/1/tolerationSeconds"),
    ("taint.notReady", "Pod", "/spec/tolerations/0/key"),
    ("taint.unreachable", "Pod", "/spec/tolerations/1/key"),
    ("pod.terminationGracePeriodSeconds", "Pod", "/spec/terminationGracePeriodSeconds"),
    ("pod.schedulerName", "Pod", "/spec/schedulerName"),
    ("pod.terminationMessagePath", "Pod", "/spec/containers/0/terminationMessagePath"),
    ("probe.initialDelaySeconds", "Pod", "/spec/containers/0/livenessProbe/initialDelaySeconds"),
    ("probe.timeoutSeconds", "Pod", "/spec/containers/0/livenessProbe/timeoutSeconds"),
    ("probe.periodSeconds", "Pod", "/spec/containers/0/livenessProbe/periodSeconds"),
    ("probe.successThreshold", "Pod", "/spec/containers/0/livenessProbe/successThreshold"),
    ("probe.failureThreshold", "Pod", "/spec/containers/0/livenessProbe/failureThreshold"),
    ("volume.defaultMode", "Pod", "/spec/volumes/0/secret/defaultMode"),
    (
        "serviceAccountToken.expirationSeconds",
        "Pod",
        "/spec/volumes/1/projected/sources/0/serviceAccountToken/expirationSeconds",
    ),
    (
        "service.clientIPAffinityTimeout",
        "Service",
        "/spec/sessionAffinityConfig/clientIP/timeoutSeconds",
    ),
    ("deployment.revisionHistoryLimit", "Deployment", "/spec/revisionHistoryLimit"),
    ("deployment.progressDeadlineSeconds", "Deployment", "/spec/progressDeadlineSeconds"),
    ("deployment.maxUnavailable", "Deployment", "/spec/strategy/rollingUpdate/maxUnavailable"),
    ("deployment.maxSurge", "Deployment", "/spec/strategy/rollingUpdate/maxSurge"),
    ("daemonSet.maxUnavailable", "DaemonSet", "/spec/updateStrategy/rollingUpdate/maxUnavailable"),
    ("daemonSet.maxSurge", "DaemonSet", "/spec/updateStrategy/rollingUpdate/maxSurge"),
    ("priority.default", "Pod", "/spec/priority"),
    ("namespace.default", "Pod", "/metadata/namespace"),
];

/// What the constant called so is, if a field has it.
pub fn seen(name: &str) -> Option<Seen> {
    let (_, kind, pointer) = FIELDS.iter().find(|(own, _, _)| *own == name)?;
    let made = created_by_a_server(&manifest(kind));
    // A zero is left out.
    Some(made.map(|made| made.pointer(pointer).cloned().unwrap_or_else(|| json!(0))))
}

fn manifest(kind: &str) -> Value {
    let labels = json!({"app": "a"});
    let container = json!({
        "name": "c", "image": "nginx:1", "livenessProbe": {"exec": {"command": ["true"]}},
    });
    let token = json!({"serviceAccountToken": {"path": "token"}});
    let pod = json!({
        "containers": [container],
        "volumes": [
            {"name": "s", "secret": {"secretName": "s"}},
            {"name": "p", "projected": {"sources": [token]}},
        ],
    });
    let template = json!({"metadata": {"labels": labels}, "spec": pod});
    let once = json!({"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1"}],
    }});
    let (version, spec) = match kind {
        "Pod" => ("v1", pod),
        "Service" => ("v1", json!({"sessionAffinity": "ClientIP", "ports": [{"port": 80}]})),
        "Job" => ("batch/v1", json!({"template": once})),
        "CronJob" => (
            "batch/v1",
            json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": once}}}),
        ),
        _ => ("apps/v1", json!({"selector": {"matchLabels": labels}, "template": template})),
    };
    let metadata = json!({"name": "a", "namespace": "default"});
    json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
}
