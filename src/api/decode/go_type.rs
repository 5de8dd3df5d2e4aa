//! What Go calls the types that a value did not fit.

use serde::de::Unexpected;
use serde_json::Value;

/// Fields whose type upstream is a named text, by the struct they stand in (empty: any).
const NAMED: &[(&str, &str, &str)] = &[
    ("", "imagePullPolicy", "v1.PullPolicy"),
    ("", "protocol", "v1.Protocol"),
    ("PodSpec", "restartPolicy", "v1.RestartPolicy"),
    ("Container", "restartPolicy", "v1.ContainerRestartPolicy"),
    ("", "dnsPolicy", "v1.DNSPolicy"),
    ("", "terminationMessagePolicy", "v1.TerminationMessagePolicy"),
    ("", "preemptionPolicy", "v1.PreemptionPolicy"),
    ("ServiceSpec", "type", "v1.ServiceType"),
    ("ServiceSpec", "sessionAffinity", "v1.ServiceAffinity"),
    ("DeploymentStrategy", "type", "v1.DeploymentStrategyType"),
    ("Secret", "type", "v1.SecretType"),
    ("Taint", "effect", "v1.TaintEffect"),
    ("Toleration", "effect", "v1.TaintEffect"),
    ("Toleration", "operator", "v1.TolerationOperator"),
    ("HTTPGetAction", "scheme", "v1.URIScheme"),
    ("CronJobSpec", "concurrencyPolicy", "v1.ConcurrencyPolicy"),
    ("ObjectMeta", "uid", "types.UID"),
];

/// The type of a text field.
pub(super) fn text(structure: &str, field: &str) -> &'static str {
    let named = NAMED
        .iter()
        .find(|(owner, name, _)| *name == field && (owner.is_empty() || *owner == structure));
    named.map_or("string", |(_, _, go)| go)
}

/// A struct or a wrapped value, with its package.
pub(super) fn named(name: &str) -> String {
    match name {
        "Quantity" => "resource.Quantity".to_owned(),
        "IntOrString" => "intstr.IntOrString".to_owned(),
        "RawExtension" => "runtime.RawExtension".to_owned(),
        _ => format!("v1.{name}"),
    }
}

/// A struct of the table of fields, which has its version where that is not the first.
pub(super) fn versioned(of: &str) -> String {
    if of.contains('.') { of.to_owned() } else { named(of) }
}

/// Any type of the table of fields.
pub(super) fn of_table(of: &str) -> String {
    match (of, of.strip_prefix("[]"), of.strip_prefix("{}")) {
        (_, Some(item), _) => list(&of_table(item)),
        (_, _, Some(item)) => map(&of_table(item)),
        ("string" | "bool" | "int32" | "int64", _, _) => of.to_owned(),
        ("quantity", _, _) => named("Quantity"),
        ("time", _, _) => named("Time"),
        ("intorstring", _, _) => named("IntOrString"),
        _ => versioned(of),
    }
}

/// A list of `item`.
pub(super) fn list(item: &str) -> String {
    format!("[]{item}")
}

/// A map from text to `value`.
pub(super) fn map(value: &str) -> String {
    match value {
        "resource.Quantity" => "v1.ResourceList".to_owned(),
        value => format!("map[string]{value}"),
    }
}

/// A value as Go's decoder calls it.
pub(super) fn value(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(_) => "bool".to_owned(),
        Unexpected::Unsigned(number) => format!("number {number}"),
        Unexpected::Signed(number) => format!("number {number}"),
        // As JSON writes it: the standard library's way to write it is a weight that the page need not have.
        Unexpected::Float(number) => format!("number {}", Value::from(*number)),
        Unexpected::Str(_) | Unexpected::Char(_) => "string".to_owned(),
        Unexpected::Seq => "array".to_owned(),
        Unexpected::Map => "object".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Bytes(_)
        | Unexpected::NewtypeStruct
        | Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant
        | Unexpected::Other(_) => "value".to_owned(),
    }
}
