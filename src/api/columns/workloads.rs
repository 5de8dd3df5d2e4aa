//! Rows of the controllers' objects.

use jiff::Timestamp;

use super::cell::{NONE, age, bare_selector_of, name, selector_of, text_or};
use super::{Cell, Column};
use crate::api::document::{Document, Part};
use crate::api::duration;
use crate::api::text::lower;
use crate::api::words::TRUE;

/// The columns of deployments.
pub const DEPLOYMENT: &[Column] = &[
    Column::NAME,
    Column::text("Ready", "Number of the pod with ready state"),
    Column::text(
        "Up-to-date",
        "Total number of non-terminating pods targeted by this deployment that have the desired \
         template spec.",
    ),
    Column::text(
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
pub fn deployment(object: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status) = (object.at("spec"), object.at("status"));
    let [names, images] = of_template(spec.at("template"));
    vec![
        name(&object.metadata),
        ready_of(object),
        number(status.at("updatedReplicas")),
        number(status.at("availableReplicas")),
        age(&object.metadata, now),
        names,
        images,
        bare_selector_of(spec.at("selector")).into(),
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
pub fn replica_set(object: &Document, now: Timestamp) -> Vec<Cell> {
    let mut row = replicas(object, now);
    row.push(selector_of(object.at("spec").at("selector")));
    row
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
pub fn replication_controller(object: &Document, now: Timestamp) -> Vec<Cell> {
    let mut row = replicas(object, now);
    row.push(labels_of(object.at("spec").at("selector")));
    row
}

/// The columns of pod templates.
pub const POD_TEMPLATE: &[Column] = &[
    Column::NAME,
    Column { priority: 0, ..Column::CONTAINERS },
    Column { priority: 0, ..Column::IMAGES },
    Column::text("Pod Labels", "The labels for the pod template."),
];

/// The row of a pod template.
pub fn pod_template(object: &Document, _now: Timestamp) -> Vec<Cell> {
    let template = object.at("template");
    let [names, images] = of_template(template);
    vec![name(&object.metadata), names, images, labels_of(template.at("metadata").at("labels"))]
}

/// The columns of controller revisions.
pub const CONTROLLER_REVISION: &[Column] = &[
    Column::NAME,
    Column::text("Controller", "Controller of the object"),
    Column::number("Revision", "Revision indicates the revision of the state represented by Data."),
    Column::AGE,
];

/// The row of a controller revision.
pub fn controller_revision(object: &Document, now: Timestamp) -> Vec<Cell> {
    let mut owners = object.metadata.owners().iter();
    let controller = owners.rfind(|owner| owner.controller == Some(true)).map(|owner| {
        let group = owner.api_version.split_once('/').map(|(group, _)| group);
        let kind = lower(&owner.kind);
        match group {
            Some(group) => format!("{kind}.{group}/{}", owner.name),
            None => format!("{kind}/{}", owner.name),
        }
    });
    vec![
        name(&object.metadata),
        controller.map_or_else(|| NONE.into(), Cell::from),
        number(object.at("revision")),
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
pub fn daemon_set(object: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status) = (object.at("spec"), object.at("status"));
    let template = spec.at("template");
    let [names, images] = of_template(template);
    vec![
        name(&object.metadata),
        number(status.at("desiredNumberScheduled")),
        number(status.at("currentNumberScheduled")),
        number(status.at("numberReady")),
        number(status.at("updatedNumberScheduled")),
        number(status.at("numberAvailable")),
        labels_of(template.at("spec").at("nodeSelector")),
        age(&object.metadata, now),
        names,
        images,
        selector_of(spec.at("selector")),
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
pub fn stateful_set(object: &Document, now: Timestamp) -> Vec<Cell> {
    let [names, images] = of_template(object.at("spec").at("template"));
    vec![name(&object.metadata), ready_of(object), age(&object.metadata, now), names, images]
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
pub fn job(object: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status) = (object.at("spec"), object.at("status"));
    let [names, images] = of_template(spec.at("template"));
    let succeeded = status.at("succeeded").number().unwrap_or_default();
    let completions = match (spec.at("completions").number(), spec.at("parallelism").number()) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, Some(parallelism)) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let end = status.at("completionTime").time().unwrap_or(now);
    let lasted = status.at("startTime").time().map(|start| end.duration_since(start));
    vec![
        name(&object.metadata),
        job_state(object).into(),
        completions.into(),
        lasted.map(duration::human).unwrap_or_default().into(),
        age(&object.metadata, now),
        names,
        images,
        selector_of(spec.at("selector")),
    ]
}

fn job_state(object: &Document) -> &'static str {
    let is = |kind: &str| {
        let mut conditions = object.at("status").at("conditions").items();
        conditions.any(|condition| {
            condition.at("type").text() == kind && condition.at("status").text() == TRUE
        })
    };
    if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if object.metadata.deletion_timestamp.is_some() {
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
    Column::truth(
        "Suspend",
        "This flag tells the controller to suspend subsequent executions, it does not apply to \
         already started executions.",
    ),
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
pub fn cron_job(object: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status) = (object.at("spec"), object.at("status"));
    let job = spec.at("jobTemplate").at("spec");
    let [names, images] = of_template(job.at("template"));
    let suspend = match spec.at("suspend").value().as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = status.at("lastScheduleTime").time();
    vec![
        name(&object.metadata),
        spec.at("schedule").text().into(),
        text_or(Some(spec.at("timeZone").text()), NONE),
        suspend.into(),
        Cell::Number(i64::try_from(status.at("active").len()).unwrap_or(i64::MAX)),
        last.map_or_else(|| NONE.into(), |time| duration::age(Some(time), now).into()),
        age(&object.metadata, now),
        names,
        images,
        selector_of(job.at("selector")),
    ]
}

/// The row of a replica set, and of what came before, but for its selector.
fn replicas(object: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status) = (object.at("spec"), object.at("status"));
    let [names, images] = of_template(spec.at("template"));
    vec![
        name(&object.metadata),
        number(spec.at("replicas")),
        number(status.at("replicas")),
        number(status.at("readyReplicas")),
        age(&object.metadata, now),
        names,
        images,
    ]
}

fn number(part: Part<'_>) -> Cell {
    Cell::Number(part.number().unwrap_or_default())
}

fn ready_of(object: &Document) -> Cell {
    let ready = object.at("status").at("readyReplicas").number().unwrap_or_default();
    let wanted = object.at("spec").at("replicas").number().unwrap_or_default();
    format!("{ready}/{wanted}").into()
}

/// Names and images of the containers of a template, each in one cell.
fn of_template(template: Part<'_>) -> [Cell; 2] {
    let containers = template.at("spec").at("containers");
    ["name", "image"].map(|field| {
        let texts = containers.items().map(|container| container.at(field).text());
        texts.collect::<Vec<_>>().join(",").into()
    })
}

/// Labels as `a=1,b=2`.
pub(super) fn labels_of(part: Part<'_>) -> Cell {
    let pairs = part.entries().map(|(key, value)| format!("{key}={}", value.text()));
    text_or(Some(&pairs.collect::<Vec<_>>().join(",")), NONE)
}
