//! Rows of the controllers' objects.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{
    ControllerRevision, DaemonSetSpec, DaemonSetStatus, DeploymentSpec, DeploymentStatus,
    ReplicaSetSpec, ReplicaSetStatus, StatefulSetSpec, StatefulSetStatus,
};
use k8s_openapi::api::batch::v1::{CronJobSpec, CronJobStatus, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::{PodSpec, PodTemplate, PodTemplateSpec, ReplicationController};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::cell::{NONE, age, containers, labels, name, selector, since};
use super::{Cell, Column};
use crate::api::duration;

/// The columns of deployments.
pub const DEPLOYMENT: &[Column] = &[
    Column::NAME,
    Column::text("Ready", "Number of the pod with ready state"),
    Column::number(
        "Up-to-date",
        "Total number of non-terminating pods targeted by this deployment that have the desired \
         template spec.",
    ),
    Column::number(
        "Available",
        "Total number of available non-terminating pods (ready for at least minReadySeconds) \
         targeted by this deployment.",
    ),
    Column::AGE,
    Column::CONTAINERS,
    Column::IMAGES,
    Column::text("Selector", "Label selector for pods.").wide(),
];

/// The row of a deployment.
pub fn deployment(
    meta: &ObjectMeta,
    spec: &DeploymentSpec,
    status: &DeploymentStatus,
    now: Timestamp,
) -> Vec<Cell> {
    let [names, images] = of_template(&spec.template);
    vec![
        name(meta),
        ready_of(status.ready_replicas, spec.replicas),
        status.updated_replicas.into(),
        status.available_replicas.into(),
        age(meta, now),
        names,
        images,
        selector(Some(&spec.selector)),
    ]
}

/// The columns of replica sets.
pub const REPLICA_SET: &[Column] = &[
    Column::NAME,
    Column::number("Desired", "Replicas is the number of desired pods."),
    Column::number(
        "Current",
        "Replicas is the most recently observed number of non-terminating pods.",
    ),
    Column::number(
        "Ready",
        "The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.",
    ),
    Column::AGE,
    Column::CONTAINERS,
    Column::IMAGES,
    Column::text(
        "Selector",
        "Selector is a label query over pods that should match the replica count.",
    )
    .wide(),
];

/// The row of a replica set.
pub fn replica_set(
    meta: &ObjectMeta,
    spec: &ReplicaSetSpec,
    status: &ReplicaSetStatus,
    now: Timestamp,
) -> Vec<Cell> {
    let [names, images] = spec.template.as_ref().map_or(["".into(), "".into()], of_template);
    vec![
        name(meta),
        spec.replicas.into(),
        status.replicas.into(),
        status.ready_replicas.into(),
        age(meta, now),
        names,
        images,
        selector(Some(&spec.selector)),
    ]
}

/// The columns of replication controllers.
pub const REPLICATION_CONTROLLER: &[Column] = &[
    Column::NAME,
    Column::number("Desired", "Replicas is the number of desired replicas."),
    Column::number("Current", "Replicas is the most recently observed number of replicas."),
    Column::number("Ready", "The number of ready replicas for this replication controller."),
    Column::AGE,
    Column::CONTAINERS,
    Column::IMAGES,
    Column::text(
        "Selector",
        "Selector is a label query over pods that should match the Replicas count.",
    )
    .wide(),
];

/// The row of a replication controller.
pub fn replication_controller(object: &ReplicationController, now: Timestamp) -> Vec<Cell> {
    let spec = object.spec.clone().unwrap_or_default();
    let status = object.status.clone().unwrap_or_default();
    let [names, images] = spec.template.as_ref().map_or(["".into(), "".into()], of_template);
    vec![
        name(&object.metadata),
        spec.replicas.into(),
        status.replicas.into(),
        status.ready_replicas.into(),
        age(&object.metadata, now),
        names,
        images,
        labels(spec.selector.as_ref()),
    ]
}

/// The columns of pod templates.
pub const POD_TEMPLATE: &[Column] = &[
    Column::NAME,
    Column { priority: 0, ..Column::CONTAINERS },
    Column { priority: 0, ..Column::IMAGES },
    Column::text("Pod Labels", "The labels for the pod template."),
];

/// The row of a pod template.
pub fn pod_template(object: &PodTemplate, _now: Timestamp) -> Vec<Cell> {
    let template = object.template.as_ref();
    let [names, images] = template.map_or(["".into(), "".into()], of_template);
    let own = template.and_then(|template| template.metadata.as_ref());
    vec![
        name(&object.metadata),
        names,
        images,
        labels(own.and_then(|metadata| metadata.labels.as_ref())),
    ]
}

/// The columns of controller revisions.
pub const CONTROLLER_REVISION: &[Column] = &[
    Column::NAME,
    Column::text("Controller", "Controller of the object"),
    Column::number("Revision", "Revision indicates the revision of the state represented by Data."),
    Column::AGE,
];

/// The row of a controller revision.
pub fn controller_revision(object: &ControllerRevision, now: Timestamp) -> Vec<Cell> {
    let mut owners = object.metadata.owner_references.iter().flatten();
    let controller = owners.rfind(|owner| owner.controller == Some(true)).map(|owner| {
        let group = owner.api_version.split_once('/').map(|(group, _)| group);
        let kind = owner.kind.to_lowercase();
        match group {
            Some(group) => format!("{kind}.{group}/{}", owner.name),
            None => format!("{kind}/{}", owner.name),
        }
    });
    vec![
        name(&object.metadata),
        controller.map_or_else(|| NONE.into(), Cell::from),
        Cell::Number(object.revision.unwrap_or_default()),
        age(&object.metadata, now),
    ]
}

/// The columns of daemon sets.
pub const DAEMON_SET: &[Column] = &[
    Column::NAME,
    Column::number(
        "Desired",
        "The total number of nodes that should be running the daemon pod (including nodes correctly \
         running the daemon pod).",
    ),
    Column::number(
        "Current",
        "The number of nodes that are running at least 1 daemon pod and are supposed to run the \
         daemon pod.",
    ),
    Column::number(
        "Ready",
        "numberReady is the number of nodes that should be running the daemon pod and have one or \
         more of the daemon pod running with a Ready Condition.",
    ),
    Column::number("Up-to-date", "The total number of nodes that are running updated daemon pod"),
    Column::number(
        "Available",
        "The number of nodes that should be running the daemon pod and have one or more of the \
         daemon pod running and available (ready for at least spec.minReadySeconds)",
    ),
    Column::text(
        "Node Selector",
        "NodeSelector is a selector which must be true for the pod to fit on a node.",
    ),
    Column::AGE,
    Column::CONTAINERS,
    Column::IMAGES,
    Column::text("Selector", "A label query over pods that are managed by the daemon set.").wide(),
];

/// The row of a daemon set.
pub fn daemon_set(
    meta: &ObjectMeta,
    spec: &DaemonSetSpec,
    status: &DaemonSetStatus,
    now: Timestamp,
) -> Vec<Cell> {
    let [names, images] = of_template(&spec.template);
    let node_selector = spec.template.spec.as_ref().and_then(|spec| spec.node_selector.as_ref());
    vec![
        name(meta),
        status.desired_number_scheduled.into(),
        status.current_number_scheduled.into(),
        status.number_ready.into(),
        status.updated_number_scheduled.into(),
        status.number_available.into(),
        labels(node_selector),
        age(meta, now),
        names,
        images,
        selector(Some(&spec.selector)),
    ]
}

/// The columns of stateful sets.
pub const STATEFUL_SET: &[Column] = &[
    Column::NAME,
    Column::text("Ready", "Number of the pod with ready state"),
    Column::AGE,
    Column::CONTAINERS,
    Column::IMAGES,
];

/// The row of a stateful set.
pub fn stateful_set(
    meta: &ObjectMeta,
    spec: &StatefulSetSpec,
    status: &StatefulSetStatus,
    now: Timestamp,
) -> Vec<Cell> {
    let [names, images] = of_template(&spec.template);
    vec![name(meta), ready_of(status.ready_replicas, spec.replicas), age(meta, now), names, images]
}

/// The columns of jobs.
pub const JOB: &[Column] = &[
    Column::NAME,
    Column::text("Status", "Status of the job."),
    Column::text("Completions", "The number of pods which reached phase Succeeded."),
    Column::text("Duration", "Time required to complete the job."),
    Column::AGE,
    Column::CONTAINERS,
    Column::IMAGES,
    Column::text("Selector", "A label query over pods that should match the pod count.").wide(),
];

/// The row of a job.
pub fn job(meta: &ObjectMeta, spec: &JobSpec, status: &JobStatus, now: Timestamp) -> Vec<Cell> {
    let [names, images] = of_template(&spec.template);
    let succeeded = status.succeeded.unwrap_or_default();
    let completions = match (spec.completions, spec.parallelism) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, Some(parallelism)) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let end = status.completion_time.as_ref().map_or(now, |time| time.0);
    let lasted = status.start_time.as_ref().map(|start| end.duration_since(start.0));
    vec![
        name(meta),
        job_state(meta, status).into(),
        completions.into(),
        lasted.map(duration::human).unwrap_or_default().into(),
        age(meta, now),
        names,
        images,
        selector(spec.selector.as_ref()),
    ]
}

fn job_state(meta: &ObjectMeta, status: &JobStatus) -> &'static str {
    let is = |kind: &str| {
        let mut conditions = status.conditions.iter().flatten();
        conditions.any(|condition| condition.type_ == kind && condition.status == "True")
    };
    if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if meta.deletion_timestamp.is_some() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

/// The columns of cron jobs.
pub const CRON_JOB: &[Column] = &[
    Column::NAME,
    Column::text(
        "Schedule",
        "The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron.",
    ),
    Column::text("Timezone", "The time zone name for the given schedule."),
    Column {
        kind: "boolean",
        ..Column::text(
            "Suspend",
            "This flag tells the controller to suspend subsequent executions, it does not apply to \
             already started executions.",
        )
    },
    Column::number("Active", "A list of pointers to currently running jobs."),
    Column::text(
        "Last Schedule",
        "Information when was the last time the job was successfully scheduled.",
    ),
    Column::AGE,
    Column::CONTAINERS,
    Column::IMAGES,
    Column::text("Selector", "A label query over pods that should match the pod count.").wide(),
];

/// The row of a cron job.
pub fn cron_job(
    meta: &ObjectMeta,
    spec: &CronJobSpec,
    status: &CronJobStatus,
    now: Timestamp,
) -> Vec<Cell> {
    let job = spec.job_template.spec.as_ref();
    let [names, images] = job.map_or(["".into(), "".into()], |job| of_template(&job.template));
    let suspend = match spec.suspend {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let active = status.active.as_ref().map_or(0, Vec::len);
    let last = status.last_schedule_time.as_ref();
    vec![
        name(meta),
        spec.schedule.as_str().into(),
        spec.time_zone.as_deref().unwrap_or(NONE).into(),
        suspend.into(),
        Cell::Number(i64::try_from(active).unwrap_or(i64::MAX)),
        last.map_or_else(|| NONE.into(), |time| since(Some(time), now)),
        age(meta, now),
        names,
        images,
        selector(job.and_then(|job| job.selector.as_ref())),
    ]
}

fn ready_of(ready: Option<i32>, wanted: Option<i32>) -> Cell {
    format!("{}/{}", ready.unwrap_or_default(), wanted.unwrap_or_default()).into()
}

fn of_template(template: &PodTemplateSpec) -> [Cell; 2] {
    let of_spec = |spec: &PodSpec| containers(&spec.containers);
    template.spec.as_ref().map_or(["".into(), "".into()], of_spec)
}
