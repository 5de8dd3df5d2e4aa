//! The defaults of documents, by their kind.

mod workloads;

use serde_json::{Map, Value, json};
use workloads::labels_of_template;

use crate::api::document::Part;
use crate::api::quantity::MILLI;
use crate::api::text::lower;
use crate::api::words::{CLUSTER_IP, LOAD_BALANCER, NODE_PORT, RBAC};
use crate::api::{Kind, ObjectMeta};

pub(super) type Fields = Map<String, Value>;

/// A kind, and how what its documents leave open is filled in.
type OfKind = (Kind, fn(&mut Fields));

const DEFAULTS: &[OfKind] = &[
    (Kind::CronJob, workloads::cron_job),
    (Kind::DaemonSet, workloads::daemon_set),
    (Kind::Deployment, workloads::deployment),
    (Kind::Job, workloads::job),
    (Kind::PodTemplate, workloads::pod_template),
    (Kind::ReplicaSet, workloads::replica_set),
    (Kind::ReplicationController, workloads::replication_controller),
    (Kind::StatefulSet, workloads::stateful_set),
    (Kind::Namespace, namespace),
    (Kind::Secret, secret),
    (Kind::PriorityClass, priority_class),
    (Kind::RuntimeClass, runtime_class),
    (Kind::RoleBinding, role_binding),
    (Kind::ClusterRoleBinding, role_binding),
    (Kind::Service, service),
    (Kind::Endpoints, endpoints),
    (Kind::EndpointSlice, endpoint_slice),
    (Kind::PersistentVolume, persistent_volume),
    (Kind::PersistentVolumeClaim, persistent_volume_claim),
    (Kind::CSIDriver, csi_driver),
    (Kind::StorageClass, storage_class),
    (Kind::VolumeAttachment, volume_attachment),
    (Kind::LimitRange, limit_range),
    (Kind::ResourceQuota, resource_quota),
    (Kind::PodDisruptionBudget, pod_disruption_budget),
    (Kind::HorizontalPodAutoscaler, autoscaler),
    (Kind::Ingress, ingress),
    (Kind::IngressClass, ingress_class),
    (Kind::NetworkPolicy, network_policy),
    (Kind::CustomResourceDefinition, definition),
];

/// Fills in what was left open in the `metadata` and `fields` of a document of `kind`.
pub fn document(kind: Kind, metadata: &mut ObjectMeta, fields: &mut Fields) {
    let defaults = DEFAULTS.iter().find(|(own, _)| *own == kind);
    if let Some((_, defaults)) = defaults {
        defaults(fields);
    }
    if [Kind::Job, Kind::ReplicationController].contains(&kind) {
        labels_of_template(metadata, fields);
    }
    if let Some(name) =
        metadata.name.clone().filter(|name| kind == Kind::Namespace && !name.is_empty())
    {
        let label = ("kubernetes.io/metadata.name".to_owned(), name.as_ref().to_owned());
        metadata.labels_mut().extend([label]);
    }
}

/// The fields of a struct in a document, made if there are none.
pub(super) fn part<'a>(fields: &'a mut Fields, name: &str) -> Option<&'a mut Fields> {
    fields.entry(name).or_insert_with(|| json!({})).as_object_mut()
}

/// The fields of a struct in a document, if there is one.
pub(super) fn found<'a>(fields: &'a mut Fields, name: &str) -> Option<&'a mut Fields> {
    fields.get_mut(name).and_then(Value::as_object_mut)
}

/// The structs of a list.
pub(super) fn structs<'a>(
    fields: &'a mut Fields,
    list: &str,
) -> impl Iterator<Item = &'a mut Fields> {
    let list = fields.get_mut(list).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Rounds the amounts of a list of resources to thousandths.
fn round(fields: &mut Fields, list: &str) {
    let amounts = fields.get_mut(list).and_then(Value::as_object_mut);
    for amount in amounts.into_iter().flat_map(Fields::values_mut) {
        if let Some(mut quantity) = Part::of(Some(amount)).quantity()
            && !quantity.round_up(MILLI)
        {
            *amount = quantity.to_string().into();
        }
    }
}

/// Sets a field that was left open, or is empty.
pub(super) fn default_to(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    let field = Part::of(fields.get(name));
    if !field.is_there() || field.value() == "" {
        fields.insert(name.to_owned(), value.into());
    }
}

/// Mirrors: `SetDefaults_CustomResourceDefinitionSpec` of `apiextensions-apiserver`.
fn definition(fields: &mut Fields) {
    let Some(spec) = part(fields, "spec") else { return };
    if let Some(conversion) = part(spec, "conversion") {
        default_to(conversion, "strategy", "None");
    }
    let Some(names) = part(spec, "names") else { return };
    let kind = Part::of(names.get("kind")).text().to_owned();
    if !kind.is_empty() {
        default_to(names, "singular", lower(&kind));
        default_to(names, "listKind", kind + "List");
    }
}

/// Mirrors: `SetDefaults_NamespaceStatus`.
fn namespace(fields: &mut Fields) {
    part(fields, "spec");
    if let Some(status) = part(fields, "status") {
        default_to(status, "phase", "Active");
    }
}

/// Mirrors: `SetDefaults_Secret`.
fn secret(fields: &mut Fields) {
    default_to(fields, "type", "Opaque");
}

/// Mirrors: `SetDefaults_PriorityClass`.
fn priority_class(fields: &mut Fields) {
    default_to(fields, "value", 0);
    default_to(fields, "preemptionPolicy", "PreemptLowerPriority");
}

/// Mirrors: `SetObjectDefaults_RuntimeClass`.
fn runtime_class(fields: &mut Fields) {
    if let Some(overhead) = found(fields, "overhead") {
        round(overhead, "podFixed");
    }
}

/// Mirrors: `SetDefaults_RoleBinding`, `SetDefaults_ClusterRoleBinding` and `SetDefaults_Subject`.
fn role_binding(fields: &mut Fields) {
    if let Some(role) = part(fields, "roleRef") {
        default_to(role, "apiGroup", RBAC);
    }
    for subject in structs(fields, "subjects") {
        if ["User", "Group"].contains(&Part::of(subject.get("kind")).text()) {
            default_to(subject, "apiGroup", RBAC);
        }
    }
}

/// Mirrors: `SetDefaults_Service`.
fn service(fields: &mut Fields) {
    if let Some(status) = part(fields, "status") {
        part(status, "loadBalancer");
    }
    let Some(spec) = part(fields, "spec") else { return };
    default_to(spec, "sessionAffinity", "None");
    match Part::of(spec.get("sessionAffinity")).text() {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => {
            let config = part(spec, "sessionAffinityConfig");
            if let Some(client) = config.and_then(|config| part(config, "clientIP")) {
                default_to(client, "timeoutSeconds", 10_800);
            }
        }
        _ => {}
    }
    default_to(spec, "type", CLUSTER_IP);
    for port in structs(spec, "ports") {
        default_to(port, "protocol", "TCP");
        let target = Part::of(port.get("targetPort")).value();
        if target.is_null() || target == 0 || target == "" {
            let own = port.get("port").cloned().unwrap_or_default();
            port.insert("targetPort".to_owned(), own);
        }
    }
    let kind = Part::of(spec.get("type")).text().to_owned();
    let with_external_ips = !Part::of(spec.get("externalIPs")).is_empty();
    let outside = [LOAD_BALANCER, NODE_PORT].contains(&&*kind);
    if outside || kind == CLUSTER_IP && with_external_ips {
        default_to(spec, "externalTrafficPolicy", "Cluster");
    }
    if outside || kind == CLUSTER_IP {
        default_to(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == LOAD_BALANCER {
        default_to(spec, "allocateLoadBalancerNodePorts", true);
        let balancer = part(fields, "status").and_then(|status| part(status, "loadBalancer"));
        for point in balancer.into_iter().flat_map(|balancer| structs(balancer, "ingress")) {
            if point.contains_key("ip") {
                default_to(point, "ipMode", "VIP");
            }
        }
    }
}

fn endpoints(fields: &mut Fields) {
    for subset in structs(fields, "subsets") {
        structs(subset, "ports").for_each(|port| default_to(port, "protocol", "TCP"));
    }
}

fn endpoint_slice(fields: &mut Fields) {
    for port in structs(fields, "ports") {
        port.entry("name").or_insert_with(|| "".into());
        default_to(port, "protocol", "TCP");
    }
}

/// Mirrors: `SetDefaults_PersistentVolume` and those of its sources.
fn persistent_volume(fields: &mut Fields) {
    if let Some(status) = part(fields, "status") {
        default_to(status, "phase", "Pending");
    }
    let Some(spec) = part(fields, "spec") else { return };
    default_to(spec, "persistentVolumeReclaimPolicy", "Retain");
    default_to(spec, "volumeMode", "Filesystem");
    round(spec, "capacity");
    far_disks(spec);
}

/// Disks of the node and of other machines, which a volume and a persistent volume name alike.
pub(super) fn far_disks(spec: &mut Fields) {
    if let Some(path) = found(spec, "hostPath") {
        path.entry("type").or_insert_with(|| "".into());
    }
    for (source, field, value) in [
        ("rbd", "pool", "rbd"),
        ("rbd", "user", "admin"),
        ("rbd", "keyring", "/etc/ceph/keyring"),
        ("iscsi", "iscsiInterface", "default"),
        ("scaleIO", "storageMode", "ThinProvisioned"),
        ("scaleIO", "fsType", "xfs"),
        ("azureDisk", "cachingMode", "ReadWrite"),
        ("azureDisk", "fsType", "ext4"),
        ("azureDisk", "kind", "Shared"),
    ] {
        if let Some(source) = found(spec, source) {
            default_to(source, field, value);
        }
    }
    if let Some(disk) = found(spec, "azureDisk") {
        default_to(disk, "readOnly", false);
    }
}

fn persistent_volume_claim(fields: &mut Fields) {
    if let Some(status) = part(fields, "status") {
        default_to(status, "phase", "Pending");
    }
    claim_spec(fields);
}

/// The spec of a claim, or of a template of claims.
pub(super) fn claim_spec(fields: &mut Fields) {
    let Some(spec) = part(fields, "spec") else { return };
    spec.entry("volumeMode").or_insert_with(|| "Filesystem".into());
    if let Some(resources) = part(spec, "resources") {
        round(resources, "limits");
        round(resources, "requests");
    }
}

/// Mirrors: `SetDefaults_CSIDriver`.
fn csi_driver(fields: &mut Fields) {
    let Some(spec) = part(fields, "spec") else { return };
    spec.entry("attachRequired").or_insert(true.into());
    for field in ["podInfoOnMount", "requiresRepublish", "seLinuxMount", "storageCapacity"] {
        spec.entry(field).or_insert(false.into());
    }
    spec.entry("fsGroupPolicy").or_insert_with(|| "ReadWriteOnceWithFSType".into());
    if Part::of(spec.get("volumeLifecycleModes")).is_empty() {
        spec.insert("volumeLifecycleModes".to_owned(), json!(["Persistent"]));
    }
}

/// Mirrors: `SetObjectDefaults_VolumeAttachment`.
fn volume_attachment(fields: &mut Fields) {
    if let Some(status) = part(fields, "status") {
        status.entry("attached").or_insert(false.into());
    }
    let Some(source) = part(fields, "spec").and_then(|spec| part(spec, "source")) else { return };
    if let Some(volume) = found(source, "inlineVolumeSpec") {
        round(volume, "capacity");
        far_disks(volume);
    }
}

fn storage_class(fields: &mut Fields) {
    default_to(fields, "reclaimPolicy", "Delete");
    default_to(fields, "volumeBindingMode", "Immediate");
}

/// Mirrors: `SetDefaults_LimitRangeItem`.
fn limit_range(fields: &mut Fields) {
    let Some(spec) = found(fields, "spec") else { return };
    for limit in structs(spec, "limits") {
        for list in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            round(limit, list);
        }
        if limit.get("type").is_some_and(|of| of == "Container") {
            fill_up(limit, "default", "max");
            fill_up(limit, "defaultRequest", "default");
            fill_up(limit, "defaultRequest", "min");
        }
    }
}

/// Adds to one list of resources what only another has.
fn fill_up(fields: &mut Fields, list: &str, others: &str) {
    let Some(Value::Object(others)) = fields.get(others).cloned() else { return };
    if let Some(list) = part(fields, list) {
        for (name, amount) in others {
            list.entry(name).or_insert(amount);
        }
    }
}

fn resource_quota(fields: &mut Fields) {
    if let Some(status) = part(fields, "status") {
        round(status, "hard");
        round(status, "used");
    }
    if let Some(spec) = part(fields, "spec") {
        round(spec, "hard");
    }
}

fn pod_disruption_budget(fields: &mut Fields) {
    part(fields, "spec");
    if let Some(status) = part(fields, "status") {
        for count in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
            status.entry(count).or_insert_with(|| 0.into());
        }
    }
}

/// Mirrors: `pkg/apis/autoscaling/v2/defaults.go`.
fn autoscaler(fields: &mut Fields) {
    if let Some(status) = part(fields, "status") {
        status.entry("desiredReplicas").or_insert_with(|| 0.into());
        status.entry("currentMetrics").or_insert(Value::Null);
    }
    let Some(spec) = part(fields, "spec") else { return };
    default_to(spec, "minReplicas", 1);
    if Part::of(spec.get("metrics")).is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.insert("metrics".to_owned(), json!([cpu]));
    }
    let Some(behavior) = found(spec, "behavior") else { return };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    if let Some(up) = part(behavior, "scaleUp") {
        default_to(up, "stabilizationWindowSeconds", 0);
        default_to(up, "selectPolicy", "Max");
        default_to(up, "policies", json!([pods, percent]));
    }
    if let Some(down) = part(behavior, "scaleDown") {
        default_to(down, "selectPolicy", "Max");
        default_to(down, "policies", json!([percent]));
    }
}

fn ingress(fields: &mut Fields) {
    part(fields, "spec");
    if let Some(status) = part(fields, "status") {
        part(status, "loadBalancer");
    }
}

fn ingress_class(fields: &mut Fields) {
    let Some(spec) = part(fields, "spec") else { return };
    if let Some(parameters) = found(spec, "parameters") {
        default_to(parameters, "scope", "Cluster");
    }
}

/// Mirrors: `pkg/apis/networking/v1/defaults.go`.
fn network_policy(fields: &mut Fields) {
    let Some(spec) = part(fields, "spec") else { return };
    part(spec, "podSelector");
    for rules in ["ingress", "egress"] {
        for rule in structs(spec, rules) {
            structs(rule, "ports").for_each(|port| default_to(port, "protocol", "TCP"));
        }
    }
    if Part::of(spec.get("policyTypes")).is_empty() {
        let mut types = vec!["Ingress"];
        if !Part::of(spec.get("egress")).is_empty() {
            types.push("Egress");
        }
        spec.insert("policyTypes".to_owned(), json!(types));
    }
}
