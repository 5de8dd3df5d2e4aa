//! Which lists are merged, and by which key.

/// How a field is patched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// As its form says: maps are merged, lists replaced.
    #[default]
    Default,
    /// A list whose items are merged.
    Merge,
    /// A map that is replaced.
    Replace,
}

/// What a patch needs to know of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field<'a> {
    /// The type of the value or of the items; empty where nothing in it matters.
    pub of: &'a str,
    pub strategy: Strategy,
    /// Whether what the patch does not name is cleared, as in a union.
    pub retain_keys: bool,
    /// The field by which items are told apart; empty for items that are no maps.
    pub key: &'a str,
}

/// Where fields are looked up.
pub trait Schema {
    /// The field `name` of the type `of`; a default one if it needs no care.
    fn field(&self, of: &str, name: &str) -> Field<'_>;
}

/// A table of types.
#[derive(Clone, Copy, Debug)]
pub struct Types(pub &'static [(&'static str, &'static [(&'static str, Field<'static>)])]);

impl Types {
    /// The name of a type as it stands in the table; empty if it does not.
    pub fn name(&self, of: &str) -> &'static str {
        self.0.iter().find(|(own, _)| *own == of).map_or("", |(own, _)| own)
    }
}

impl Schema for Types {
    fn field(&self, of: &str, name: &str) -> Field<'_> {
        let fields = self.0.iter().find(|(own, _)| *own == of).map(|(_, fields)| *fields);
        let field = fields.into_iter().flatten().find(|(own, _)| *own == name);
        field.map(|(_, field)| *field).unwrap_or_default()
    }
}

const fn map(of: &'static str) -> Field<'static> {
    Field { of, strategy: Strategy::Default, retain_keys: false, key: "" }
}

const fn list(of: &'static str, key: &'static str) -> Field<'static> {
    Field { of, strategy: Strategy::Merge, retain_keys: false, key }
}

const fn union(field: Field<'static>) -> Field<'static> {
    Field { retain_keys: true, ..field }
}

const fn replaced(of: &'static str) -> Field<'static> {
    Field { strategy: Strategy::Replace, ..map(of) }
}

/// Every kind that is served, and its parts.
///
/// Mirrors: the tags `patchStrategy` and `patchMergeKey` in `k8s.io/api`.
pub const BUILT_IN: Types = Types(&[
    ("apps.ControllerRevision", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "apps.DaemonSet",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("apps.DaemonSetSpec")),
            ("status", map("apps.DaemonSetStatus")),
        ],
    ),
    ("apps.DaemonSetSpec", &[("template", map("core.PodTemplateSpec"))]),
    ("apps.DaemonSetStatus", &[("conditions", list("apps.DaemonSetCondition", "type"))]),
    (
        "apps.Deployment",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("apps.DeploymentSpec")),
            ("status", map("apps.DeploymentStatus")),
        ],
    ),
    (
        "apps.DeploymentSpec",
        &[
            ("strategy", union(map("apps.DeploymentStrategy"))),
            ("template", map("core.PodTemplateSpec")),
        ],
    ),
    ("apps.DeploymentStatus", &[("conditions", list("apps.DeploymentCondition", "type"))]),
    (
        "apps.ReplicaSet",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("apps.ReplicaSetSpec")),
            ("status", map("apps.ReplicaSetStatus")),
        ],
    ),
    ("apps.ReplicaSetSpec", &[("template", map("core.PodTemplateSpec"))]),
    ("apps.ReplicaSetStatus", &[("conditions", list("apps.ReplicaSetCondition", "type"))]),
    (
        "apps.StatefulSet",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("apps.StatefulSetSpec")),
            ("status", map("apps.StatefulSetStatus")),
        ],
    ),
    (
        "apps.StatefulSetSpec",
        &[
            ("template", map("core.PodTemplateSpec")),
            ("volumeClaimTemplates", map("core.PersistentVolumeClaim")),
        ],
    ),
    ("apps.StatefulSetStatus", &[("conditions", list("apps.StatefulSetCondition", "type"))]),
    (
        "autoscaling.HorizontalPodAutoscaler",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("status", map("autoscaling.HorizontalPodAutoscalerStatus")),
        ],
    ),
    (
        "autoscaling.HorizontalPodAutoscalerStatus",
        &[("conditions", list("autoscaling.HorizontalPodAutoscalerCondition", "type"))],
    ),
    ("batch.CronJob", &[("metadata", map("meta.ObjectMeta")), ("spec", map("batch.CronJobSpec"))]),
    ("batch.CronJobSpec", &[("jobTemplate", map("batch.JobTemplateSpec"))]),
    (
        "batch.Job",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("batch.JobSpec")),
            ("status", map("batch.JobStatus")),
        ],
    ),
    ("batch.JobSchedulingConfiguration", &[("resourceClaims", list("", "name"))]),
    (
        "batch.JobSpec",
        &[
            ("scheduling", map("batch.JobSchedulingConfiguration")),
            ("template", map("core.PodTemplateSpec")),
        ],
    ),
    ("batch.JobStatus", &[("conditions", list("batch.JobCondition", "type"))]),
    (
        "batch.JobTemplateSpec",
        &[("metadata", map("meta.ObjectMeta")), ("spec", map("batch.JobSpec"))],
    ),
    ("core.ConfigMap", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "core.Container",
        &[
            ("env", list("core.EnvVar", "name")),
            ("ports", list("core.ContainerPort", "containerPort")),
            ("volumeDevices", list("core.VolumeDevice", "devicePath")),
            ("volumeMounts", list("core.VolumeMount", "mountPath")),
        ],
    ),
    (
        "core.ContainerStatus",
        &[
            ("allocatedResourcesStatus", list("core.ResourceStatus", "name")),
            ("volumeMounts", list("core.VolumeMountStatus", "mountPath")),
        ],
    ),
    (
        "core.EphemeralContainer",
        &[
            ("env", list("core.EnvVar", "name")),
            ("ports", list("core.ContainerPort", "containerPort")),
            ("volumeDevices", list("core.VolumeDevice", "devicePath")),
            ("volumeMounts", list("core.VolumeMount", "mountPath")),
        ],
    ),
    (
        "core.EphemeralVolumeSource",
        &[("volumeClaimTemplate", map("core.PersistentVolumeClaimTemplate"))],
    ),
    ("core.Endpoints", &[("metadata", map("meta.ObjectMeta"))]),
    ("core.Event", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "core.Namespace",
        &[("metadata", map("meta.ObjectMeta")), ("status", map("core.NamespaceStatus"))],
    ),
    ("core.NamespaceStatus", &[("conditions", list("core.NamespaceCondition", "type"))]),
    (
        "core.Node",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("core.NodeSpec")),
            ("status", map("core.NodeStatus")),
        ],
    ),
    (
        "core.NodeAllocatableResourceClaimStatus",
        &[
            ("mapping", list("core.NodeAllocatableMappedResources", "name")),
            ("overhead", list("core.NodeAllocatableOverheadResources", "name")),
        ],
    ),
    ("core.NodeSpec", &[("podCIDRs", list("", ""))]),
    (
        "core.NodeStatus",
        &[
            ("addresses", list("core.NodeAddress", "type")),
            ("conditions", list("core.NodeCondition", "type")),
        ],
    ),
    ("core.LimitRange", &[("metadata", map("meta.ObjectMeta"))]),
    ("core.PersistentVolume", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "core.PersistentVolumeClaim",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("status", map("core.PersistentVolumeClaimStatus")),
        ],
    ),
    (
        "core.PersistentVolumeClaimStatus",
        &[
            ("conditions", list("core.PersistentVolumeClaimCondition", "type")),
            ("healthStatus", map("core.VolumeHealthStatus")),
        ],
    ),
    ("core.PersistentVolumeClaimTemplate", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "core.Pod",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("core.PodSpec")),
            ("status", map("core.PodStatus")),
        ],
    ),
    (
        "core.PodSpec",
        &[
            ("containers", list("core.Container", "name")),
            ("ephemeralContainers", list("core.EphemeralContainer", "name")),
            ("evictionResponders", list("core.EvictionResponder", "name")),
            ("hostAliases", list("core.HostAlias", "ip")),
            ("imagePullSecrets", list("core.LocalObjectReference", "name")),
            ("initContainers", list("core.Container", "name")),
            ("resourceClaims", union(list("core.PodResourceClaim", "name"))),
            ("schedulingGates", list("core.PodSchedulingGate", "name")),
            ("topologySpreadConstraints", list("core.TopologySpreadConstraint", "topologyKey")),
            ("volumes", union(list("core.Volume", "name"))),
        ],
    ),
    (
        "core.PodStatus",
        &[
            ("conditions", list("core.PodCondition", "type")),
            ("containerStatuses", map("core.ContainerStatus")),
            ("ephemeralContainerStatuses", map("core.ContainerStatus")),
            ("hostIPs", list("core.HostIP", "ip")),
            ("initContainerStatuses", map("core.ContainerStatus")),
            (
                "nodeAllocatableResourceClaimStatuses",
                list("core.NodeAllocatableResourceClaimStatus", "resourceClaimName"),
            ),
            ("podIPs", list("core.PodIP", "ip")),
            ("resourceClaimStatuses", union(list("core.PodResourceClaimStatus", "name"))),
            ("volumeHealth", map("core.PodVolumeHealth")),
        ],
    ),
    (
        "core.PodTemplate",
        &[("metadata", map("meta.ObjectMeta")), ("template", map("core.PodTemplateSpec"))],
    ),
    (
        "core.PodTemplateSpec",
        &[("metadata", map("meta.ObjectMeta")), ("spec", map("core.PodSpec"))],
    ),
    ("core.PodVolumeHealth", &[("healthConditions", list("core.VolumeHealthCondition", "status"))]),
    ("discovery.EndpointSlice", &[("metadata", map("meta.ObjectMeta"))]),
    ("networking.Ingress", &[("metadata", map("meta.ObjectMeta"))]),
    ("networking.IngressClass", &[("metadata", map("meta.ObjectMeta"))]),
    ("networking.NetworkPolicy", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "policy.PodDisruptionBudget",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("policy.PodDisruptionBudgetSpec")),
            ("status", map("policy.PodDisruptionBudgetStatus")),
        ],
    ),
    ("policy.PodDisruptionBudgetSpec", &[("selector", replaced(""))]),
    ("policy.PodDisruptionBudgetStatus", &[("conditions", list("meta.Condition", "type"))]),
    ("rbac.ClusterRole", &[("metadata", map("meta.ObjectMeta"))]),
    ("rbac.ClusterRoleBinding", &[("metadata", map("meta.ObjectMeta"))]),
    ("rbac.Role", &[("metadata", map("meta.ObjectMeta"))]),
    ("rbac.RoleBinding", &[("metadata", map("meta.ObjectMeta"))]),
    ("node.RuntimeClass", &[("metadata", map("meta.ObjectMeta"))]),
    ("scheduling.PriorityClass", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "core.ReplicationController",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("core.ReplicationControllerSpec")),
            ("status", map("core.ReplicationControllerStatus")),
        ],
    ),
    ("core.ReplicationControllerSpec", &[("template", map("core.PodTemplateSpec"))]),
    (
        "core.ReplicationControllerStatus",
        &[("conditions", list("core.ReplicationControllerCondition", "type"))],
    ),
    ("core.ResourceQuota", &[("metadata", map("meta.ObjectMeta"))]),
    ("core.Secret", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "core.Service",
        &[
            ("metadata", map("meta.ObjectMeta")),
            ("spec", map("core.ServiceSpec")),
            ("status", map("core.ServiceStatus")),
        ],
    ),
    (
        "core.ServiceAccount",
        &[("metadata", map("meta.ObjectMeta")), ("secrets", list("core.ObjectReference", "name"))],
    ),
    ("core.ServiceSpec", &[("ports", list("core.ServicePort", "port"))]),
    ("core.ServiceStatus", &[("conditions", list("meta.Condition", "type"))]),
    ("core.Volume", &[("ephemeral", map("core.EphemeralVolumeSource"))]),
    (
        "core.VolumeHealthStatus",
        &[("healthConditions", list("core.VolumeHealthCondition", "status"))],
    ),
    (
        "storage.CSINode",
        &[("metadata", map("meta.ObjectMeta")), ("spec", map("storage.CSINodeSpec"))],
    ),
    ("storage.CSINodeSpec", &[("drivers", list("storage.CSINodeDriver", "name"))]),
    ("storage.StorageClass", &[("metadata", map("meta.ObjectMeta"))]),
    (
        "meta.ObjectMeta",
        &[("finalizers", list("", "")), ("ownerReferences", list("meta.OwnerReference", "uid"))],
    ),
]);
