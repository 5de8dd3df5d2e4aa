//! Values that Go's types cannot tell from no value.
//!
//! Upstream most optional fields are plain values that are left out when empty: `imagePullPolicy: ""`
//! is defaulted, `hostPort: 0` is gone when read back. Only pointers keep an explicit zero. The
//! types here have an `Option` for both, so this file knows which is which.

use serde_json::Value;

/// Pointers to text: an empty one is a value.
const TEXT_POINTERS: &[&str] = &[
    "appProtocol",
    "completionMode",
    "containerName",
    "endpointsNamespace",
    "fsGroupChangePolicy",
    "fsGroupPolicy",
    "holderIdentity",
    "hostnameOverride",
    "ingressClassName",
    "initiatorName",
    "internalTrafficPolicy",
    "ipFamilyPolicy",
    "ipMode",
    "loadBalancerClass",
    "localhostProfile",
    "managedBy",
    "mountPropagation",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
    "pathType",
    "persistentVolumeName",
    "podReplacementPolicy",
    "preemptionPolicy",
    "preferredHolder",
    "procMount",
    "reclaimPolicy",
    "recursiveReadOnly",
    "resourceClaimName",
    "resourceClaimTemplateName",
    "runtimeClassName",
    "seLinuxChangePolicy",
    "secretNamespace",
    "selectPolicy",
    "service",
    "stopSignal",
    "storageClassName",
    "strategy",
    "succeededIndexes",
    "supplementalGroupsPolicy",
    "timeZone",
    "trafficDistribution",
    "unhealthyPodEvictionPolicy",
    "volumeAttributesClassName",
    "volumeBindingMode",
    "volumeMode",
];

/// Numbers that are no pointers.
const NUMBERS: &[&str] = &[
    "active",
    "count",
    "failed",
    "failureThreshold",
    "generation",
    "healthCheckNodePort",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "numberAvailable",
    "numberUnavailable",
    "observedGeneration",
    "periodSeconds",
    "succeeded",
    "successThreshold",
    "updatedNumberScheduled",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "fullyLabeledReplicas",
    "currentReplicas",
];

/// Truth values that are no pointers.
const FLAGS: &[&str] = &[
    "globalDefault",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
    "unschedulable",
];

/// Maps, where the empty one is no value; an empty object in any other field may be a choice.
const MAPS: &[&str] = &[
    "allocatable",
    "annotations",
    "attachmentMetadata",
    "binaryData",
    "capacity",
    "data",
    "hard",
    "labels",
    "limits",
    "matchLabels",
    "nodeSelector",
    "overhead",
    "podFixed",
    "requests",
    "stringData",
    "used",
];

/// Texts that are no pointers, of what is read by its type.
const TEXTS: &[&str] = &[
    "action",
    "address",
    "apiVersion",
    "component",
    "containerID",
    "dnsPolicy",
    "effect",
    "externalID",
    "fieldPath",
    "fieldsType",
    "generateName",
    "host",
    "hostIP",
    "hostname",
    "image",
    "imageID",
    "imagePullPolicy",
    "ip",
    "key",
    "kind",
    "manager",
    "message",
    "name",
    "namespace",
    "nodeName",
    "nominatedNodeName",
    "operation",
    "operator",
    "phase",
    "podCIDR",
    "podIP",
    "priorityClassName",
    "protocol",
    "providerID",
    "qosClass",
    "reason",
    "reportingComponent",
    "reportingInstance",
    "request",
    "resize",
    "resourceVersion",
    "restartPolicy",
    "schedulerName",
    "selfLink",
    "serviceAccount",
    "serviceAccountName",
    "status",
    "subdomain",
    "subresource",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "topologyKey",
    "type",
    "uid",
    "value",
    "whenUnsatisfiable",
    "workingDir",
];

/// Lists of what is read by its type.
const LISTS: &[&str] = &[
    "addresses",
    "args",
    "claims",
    "command",
    "conditions",
    "containerStatuses",
    "containers",
    "declaredFeatures",
    "ephemeralContainerStatuses",
    "finalizers",
    "hostIPs",
    "images",
    "initContainerStatuses",
    "initContainers",
    "managedFields",
    "matchExpressions",
    "matchFields",
    "matchLabelKeys",
    "mismatchLabelKeys",
    "names",
    "namespaces",
    "nodeSelectorTerms",
    "ownerReferences",
    "podCIDRs",
    "podIPs",
    "ports",
    "preferredDuringSchedulingIgnoredDuringExecution",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "schedulingGates",
    "taints",
    "tolerations",
    "topologySpreadConstraints",
    "values",
    "volumesInUse",
];

/// Whether `value` may stand for nothing in a field of that form: an empty text does so for a text, an
/// empty list for a list, and anywhere else they are mistakes. `of` finds out what the table of fields says
/// of it; what is read by its type is not there.
pub(super) fn may_be_absent<'t>(
    of: impl FnOnce() -> Option<&'t str>,
    field: &str,
    value: &Value,
) -> bool {
    match value {
        Value::Array(_) => match of() {
            Some(of) => of.starts_with("[]") || of == "any",
            None => LISTS.contains(&field),
        },
        Value::String(_) => match of() {
            Some(of) => ["any", "bytes", "intorstring", "quantity", "string"].contains(&of),
            None => TEXTS.contains(&field),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

/// Whether Go would see no value in the `field` of a `structure`, although one is written there.
pub(super) fn is_absent(structure: &str, field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag && FLAGS.contains(&field) && structure != "CSIVolumeSource",
        Value::Number(number) => {
            let probe = structure == "Probe" && field == "timeoutSeconds";
            let status = structure.ends_with("Status") && field == "replicas";
            // Of events a plain number, of volumes a pointer.
            let plain = NUMBERS.contains(&field) && structure != "VolumeNodeResources";
            number.as_i64() == Some(0) && (probe || status || plain)
        }
        Value::String(text) => {
            let pointer = match (structure, field) {
                (
                    "AzureDiskVolumeSource"
                    | "ClusterTrustBundleProjection"
                    | "Endpoint"
                    | "EndpointPort"
                    | "TypedLocalObjectReference"
                    | "TypedObjectReference"
                    | "WindowsSecurityContextOptions",
                    _,
                )
                | ("EndpointAddress", "nodeName")
                | ("Container" | "EphemeralContainer", "restartPolicy")
                | ("HostPathVolumeSource", "type")
                | ("KubeSchedulerProfile", "schedulerName")
                | ("CSIVolumeSource", "fsType")
                | ("PodDNSConfigOption", "value") => true,
                // In a claim it is a pointer.
                ("PersistentVolumeSpec", "storageClassName") => false,
                _ => TEXT_POINTERS.contains(&field),
            };
            text.is_empty() && !pointer
        }
        Value::Array(items) => items.is_empty(),
        // What a class says of overhead is a structure.
        Value::Object(entries) => {
            entries.is_empty() && MAPS.contains(&field) && structure != "RuntimeClass"
        }
    }
}
