//! The table of fields of the kinds that the engine keeps as documents is that of their types.
//!
//! `PODFLOW_WRITE=1` writes it anew, as after a new release of the types.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps, autoscaling, batch, core, discovery, events, networking, node, policy, rbac, scheduling,
    storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/document/fields.txt");

/// What the table has no lines for: the decoder knows these by name.
const KNOWN: &[(&str, &str)] = &[
    ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "meta"),
    ("io.k8s.api.core.v1.PodTemplateSpec", "podtemplate"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", "time"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", "microtime"),
    ("io.k8s.apimachinery.pkg.api.resource.Quantity", "quantity"),
    ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "intorstring"),
    ("io.k8s.apimachinery.pkg.runtime.RawExtension", "any"),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", "any"),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray", "any"),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool", "any"),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
        "any",
    ),
];

/// Of what is read by its type, the fields that are read by the table.
const FRAGMENTS: &[(&str, &[&str])] = &[
    (
        "io.k8s.api.core.v1.Container",
        &[
            "env",
            "envFrom",
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "resizePolicy",
            "restartPolicyRules",
            "securityContext",
            "startupProbe",
            "volumeDevices",
            "volumeMounts",
        ],
    ),
    ("io.k8s.api.core.v1.ContainerStatus", &["allocatedResourcesStatus", "user", "volumeMounts"]),
    ("io.k8s.api.core.v1.NodeSpec", &["configSource", "podPreemptionPolicy"]),
    (
        "io.k8s.api.core.v1.NodeStatus",
        &[
            "config",
            "daemonEndpoints",
            "features",
            "nodeInfo",
            "runtimeHandlers",
            "volumesAttached",
        ],
    ),
    (
        "io.k8s.api.core.v1.PodSpec",
        &[
            "dnsConfig",
            "ephemeralContainers",
            "evictionResponders",
            "hostAliases",
            "imagePullSecrets",
            "os",
            "readinessGates",
            "resourceClaims",
            "schedulingGroup",
            "securityContext",
            "volumes",
        ],
    ),
    (
        "io.k8s.api.core.v1.PodStatus",
        &[
            "extendedResourceClaimStatus",
            "nodeAllocatableResourceClaimStatuses",
            "resourceClaimStatuses",
            "volumeHealth",
        ],
    ),
];

/// What is read by its type.
const TYPED: &[&str] = &["FieldsV1", "ManagedFieldsEntry", "OwnerReference"];

/// The kinds of documents, with all types.
fn generator() -> (SchemaGenerator, Vec<String>) {
    let (mut all, mut kinds) = (SchemaGenerator::default(), Vec::new());
    add::<apps::v1::ControllerRevision>(&mut all, &mut kinds);
    add::<apps::v1::DaemonSet>(&mut all, &mut kinds);
    add::<apps::v1::Deployment>(&mut all, &mut kinds);
    add::<apps::v1::ReplicaSet>(&mut all, &mut kinds);
    add::<apps::v1::StatefulSet>(&mut all, &mut kinds);
    add::<batch::v1::CronJob>(&mut all, &mut kinds);
    add::<batch::v1::Job>(&mut all, &mut kinds);
    add::<core::v1::PodTemplate>(&mut all, &mut kinds);
    add::<core::v1::ReplicationController>(&mut all, &mut kinds);
    add::<core::v1::Namespace>(&mut all, &mut kinds);
    add::<core::v1::ConfigMap>(&mut all, &mut kinds);
    add::<core::v1::Secret>(&mut all, &mut kinds);
    add::<core::v1::ServiceAccount>(&mut all, &mut kinds);
    add::<core::v1::Service>(&mut all, &mut kinds);
    add::<core::v1::Endpoints>(&mut all, &mut kinds);
    add::<core::v1::PersistentVolume>(&mut all, &mut kinds);
    add::<core::v1::PersistentVolumeClaim>(&mut all, &mut kinds);
    add::<core::v1::ResourceQuota>(&mut all, &mut kinds);
    add::<core::v1::LimitRange>(&mut all, &mut kinds);
    add::<autoscaling::v2::HorizontalPodAutoscaler>(&mut all, &mut kinds);
    add::<autoscaling::v1::HorizontalPodAutoscaler>(&mut all, &mut kinds);
    add::<events::v1::Event>(&mut all, &mut kinds);
    add::<discovery::v1::EndpointSlice>(&mut all, &mut kinds);
    add::<networking::v1::Ingress>(&mut all, &mut kinds);
    add::<networking::v1::IngressClass>(&mut all, &mut kinds);
    add::<networking::v1::NetworkPolicy>(&mut all, &mut kinds);
    add::<policy::v1::PodDisruptionBudget>(&mut all, &mut kinds);
    add::<rbac::v1::ClusterRole>(&mut all, &mut kinds);
    add::<rbac::v1::ClusterRoleBinding>(&mut all, &mut kinds);
    add::<rbac::v1::Role>(&mut all, &mut kinds);
    add::<rbac::v1::RoleBinding>(&mut all, &mut kinds);
    add::<scheduling::v1::PriorityClass>(&mut all, &mut kinds);
    add::<node::v1::RuntimeClass>(&mut all, &mut kinds);
    add::<storage::v1::CSIDriver>(&mut all, &mut kinds);
    add::<storage::v1::CSINode>(&mut all, &mut kinds);
    add::<storage::v1::CSIStorageCapacity>(&mut all, &mut kinds);
    add::<storage::v1::StorageClass>(&mut all, &mut kinds);
    add::<storage::v1::VolumeAttachment>(&mut all, &mut kinds);
    add::<apiextensions::v1::CustomResourceDefinition>(&mut all, &mut kinds);
    // No document, but it has fragments.
    all.subschema_for::<core::v1::Node>();
    all.subschema_for::<core::v1::Pod>();
    (all, kinds)
}

fn add<T: JsonSchema>(all: &mut SchemaGenerator, kinds: &mut Vec<String>) {
    all.subschema_for::<T>();
    kinds.push(T::schema_name().into_owned());
}

/// The name of a type: without its package, but with a version that is not the first.
fn short(name: &str) -> String {
    let mut parts = name.rsplit('.');
    let (own, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if version == "v1" { own.to_owned() } else { format!("{version}.{own}") }
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, short)| *short)
}

/// The name of the type that a schema leads to.
fn led_to(schema: &Value) -> Option<&str> {
    let to = schema.get("$ref").and_then(Value::as_str)?;
    to.rsplit('/').next()
}

/// How the table writes the type of a field.
fn written(schema: &Value) -> String {
    if let Some(name) = led_to(schema) {
        return known(name).map_or_else(|| short(name), str::to_owned);
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("type"), text("format")) {
        ("array", _) => format!("[]{}", written(schema.get("items").unwrap_or(&Value::Null))),
        ("object", _) => {
            format!("{{}}{}", written(schema.get("additionalProperties").unwrap_or(&Value::Null)))
        }
        ("string", "byte") => "bytes".to_owned(),
        ("string", _) => "string".to_owned(),
        ("boolean", _) => "bool".to_owned(),
        ("integer", format) => format.to_owned(),
        (_, _) => "any".to_owned(),
    }
}

fn table() -> String {
    let (mut all, mut todo) = generator();
    todo.extend(FRAGMENTS.iter().map(|(name, _)| (*name).to_owned()));
    let types = all.take_definitions(true);
    let mut lines = BTreeMap::new();
    while let Some(name) = todo.pop() {
        if known(&name).is_some()
            || TYPED.contains(&&*short(&name))
            || lines.contains_key(&short(&name))
        {
            continue;
        }
        let schema = types.get(&name).unwrap_or(&Value::Null);
        let required = schema.get("required").and_then(Value::as_array);
        let mut line = format!("{}:", short(&name));
        let fragments = FRAGMENTS.iter().find(|(of, _)| *of == name).map(|(_, fields)| *fields);
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let is_read = |field: &str| fragments.is_none_or(|fields| fields.contains(&field));
        for (field, of) in fields.filter(|(field, _)| is_read(field)) {
            let required = required.is_some_and(|names| names.iter().any(|name| name == field));
            let mark = if required { "!" } else { "" };
            line.extend([" ", field, "=", &written(of), mark]);
            let part = of.get("items").or(of.get("additionalProperties")).unwrap_or(of);
            todo.extend(led_to(part).map(str::to_owned));
        }
        lines.insert(short(&name), line);
    }
    lines.into_values().fold(String::new(), |text, line| text + &line + "\n")
}

#[test]
fn the_table_of_fields_is_that_of_the_types() {
    let table = table();
    if std::env::var_os("PODFLOW_WRITE").is_some() {
        std::fs::write(FILE, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), table);
}
