//! `constants.json`: numbers and names that a cluster depends on, as far as one sees them in what a
//! server answers and in what a cluster does.
//!
//! Each file beside this one has the probes of one component: a probe looks at a cluster from outside
//! and says what the constant is, and only then the case says what it should be. Probes that look at
//! the same course of events share it.

mod apiserver;
mod asking;
mod hour;
mod kubelet;
mod nodes;
mod objects;
mod pulls;
mod restarts;
mod scheduler;

use serde_json::Value;

use super::{Form, NOT_THERE, Outcome, same, text};

pub const FORMS: &[Form] =
    &[Form { file: "constants", keys: &["value", "unit", "source"], run: constant }];

/// What a constant was seen to be, or why nothing could be seen.
type Seen = Result<Value, String>;

/// A way to see some constants: what each is called, and what it was seen to be.
type Probe = (&'static str, fn() -> Seen);

const PROBES: &[&[Probe]] = &[
    apiserver::PROBES,
    hour::PROBES,
    kubelet::PROBES,
    nodes::PROBES,
    pulls::PROBES,
    restarts::PROBES,
    scheduler::PROBES,
];

/// What nothing here depends on, by what is missing.
const ABSENT: &[(&str, &[&str])] = &[
    (
        "the gate ReduceDefaultCrashLoopBackOffDecay is closed by default, and there is no way to open it",
        &["containerRestart.backOff.reducedInitial", "containerRestart.backOff.reducedMax"],
    ),
    (
        "no controller of Jobs",
        &[
            "jobPodFailure.backOff.initial",
            "jobPodFailure.backOff.max",
            "jobPodFailure.backOff.factor",
        ],
    ),
    (
        "the runtime tells the kubelet what happens, so nothing is listed again (evented PLEG)",
        &["kubelet.plegRelistPeriod"],
    ),
    (
        "the kubelet cleans up as soon as there is something to clean up, at no period",
        &["kubelet.housekeepingPeriod", "kubelet.containerGCPeriod"],
    ),
    (
        "the kubelet evicts nothing",
        &["kubelet.evictionMonitoringPeriod", "kubelet.evictionPressureTransitionPeriod"],
    ),
    (
        "images stay for ever",
        &[
            "kubelet.imageGCPeriod",
            "kubelet.imageGCHighThresholdPercent",
            "kubelet.imageGCLowThresholdPercent",
            "kubelet.imageMinimumGCAge",
        ],
    ),
    ("a kubelet never gives up on its node", &["kubelet.nodeReadyGracePeriod"]),
    (
        "the kubelet limits neither pulls nor events",
        &[
            "kubelet.registryPullQPS",
            "kubelet.registryBurst",
            "kubelet.eventRecordQPS",
            "kubelet.eventBurst",
        ],
    ),
    ("pulls cannot be made parallel", &["kubelet.maxParallelImagePullsDefault"]),
    (
        "logs are not rotated: the runtime keeps their last lines only",
        &["kubelet.containerLogMaxSize", "kubelet.containerLogMaxFiles"],
    ),
    (
        "no controller of nodes that finds out which of them are silent, and taints and evicts",
        &[
            "node.monitorPeriod",
            "node.monitorGracePeriod",
            "node.startupGracePeriod",
            "node.evictionRate",
            "node.secondaryEvictionRate",
            "node.unhealthyZoneThreshold",
            "node.largeClusterSizeThreshold",
            "taint.memoryPressure",
            "taint.diskPressure",
            "taint.pidPressure",
            "taint.networkUnavailable",
        ],
    ),
    ("of an older release", &["node.monitorGracePeriod.before1_32"]),
    ("no collector of garbage among Pods", &["taint.outOfService", "podGC.terminatedPodThreshold"]),
    ("no controller of EndpointSlices", &["endpointSlice.maxEndpoints"]),
    (
        "the admission of service accounts mounts no tokens",
        &["serviceAccountToken.injectedExpirationSeconds", "serviceAccount.tokenMountPath"],
    ),
    ("no request takes so long", &["apiserver.requestTimeout"]),
    (
        "the API server takes any number of requests at once",
        &["apiserver.maxRequestsInFlight", "apiserver.maxMutatingRequestsInFlight"],
    ),
];

fn constant(_: &Value, case: &Value) -> Outcome {
    let name = text(case, "name");
    let absent = ABSENT.iter().find(|(_, names)| names.contains(&name));
    let probe = PROBES.iter().copied().flatten().find(|(own, _)| *own == name);
    let seen = match (objects::seen(name), probe, absent) {
        (Some(seen), None, None) => seen?,
        (None, Some((_, probe)), None) => probe()?,
        (None, None, Some((what, _))) => return Err(format!("{NOT_THERE}{what}")),
        (None, None, None) => return Err("nothing looks for it".to_owned()),
        _ => return Err("it is in more than one list".to_owned()),
    };
    same("seen", &seen, &case["value"])
}
