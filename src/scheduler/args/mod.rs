//! The arguments of plugins, as a `KubeSchedulerConfiguration` has them.
//!
//! Mirrors: `pkg/scheduler/apis/config/v1/defaults.go` and
//! `pkg/scheduler/apis/config/validation/validation_pluginargs.go`.

mod affinity;
mod preemption;
mod resources;
mod spread;
mod volumes;

use serde_json::{Map, Value};

use super::framework::Plugin;
use super::plugins::{
    ImageLocality, NodeName, NodePorts, NodeUnschedulable, NodeVolumeLimits, PodTopologySpread,
    SchedulingGates, TaintToleration, VolumeRestrictions, VolumeZone,
};
use super::preemption::Limits;
use crate::api::decode::{TypeError, UnknownField, decode_document, strict_error};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};

/// Why a plugin cannot be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ArgsError {
    #[error("{0:?} is not a valid plugin name")]
    NoPlugin(String),
    #[error(transparent)]
    Type(#[from] TypeError),
    #[error("{}", crate::api::field::aggregate(.0))]
    Invalid(Vec<FieldError>),
}

/// The arguments of a plugin, as JSON.
type Fields = Map<String, Value>;

/// The type of one plugin's arguments.
struct ArgsType {
    plugin: &'static str,
    /// Its line in the table of fields.
    line: &'static str,
    /// Fills in what is left out.
    complete: fn(&mut Fields),
    /// Adds what is wrong; [`At`] makes the path of a field.
    check: fn(Part<'_>, &At, &mut Vec<FieldError>),
}

const TYPES: [ArgsType; 7] = [
    affinity::INTER_POD_AFFINITY,
    affinity::NODE_AFFINITY,
    preemption::DEFAULT_PREEMPTION,
    resources::BALANCED_ALLOCATION,
    resources::FIT,
    spread::POD_TOPOLOGY_SPREAD,
    volumes::VOLUME_BINDING,
];

/// Where the arguments stand: at the root, or at a path in a configuration.
struct At(Option<Path>);

impl At {
    fn field(&self, name: &'static str) -> Path {
        self.0.as_ref().map_or_else(|| Path::new(name), |path| path.child(name))
    }
}

impl ArgsType {
    fn of(plugin: &str) -> Option<&'static Self> {
        TYPES.iter().find(|own| own.plugin == plugin)
    }

    fn read(&self, args: &Value) -> Result<(Fields, Vec<UnknownField>), TypeError> {
        let none = Value::Object(Map::new());
        let decoded = decode_document(self.line, if args.is_null() { &none } else { args })?;
        Ok((decoded.object.1, decoded.unknown))
    }

    fn mistakes(&self, fields: Fields, at: &At) -> (Vec<FieldError>, Value) {
        let (mut wrong, fields) = (Vec::new(), Value::Object(fields));
        (self.check)(Part::of(Some(&fields)), at, &mut wrong);
        (wrong, fields)
    }
}

/// The arguments of the plugin called `name`, read, completed and checked.
fn given(name: &str, args: &Value) -> Result<Value, ArgsError> {
    let Some(own) = ArgsType::of(name) else { return Ok(Value::Null) };
    let (mut fields, _) = own.read(args)?;
    (own.complete)(&mut fields);
    let (wrong, fields) = own.mistakes(fields, &At(None));
    if wrong.is_empty() { Ok(fields) } else { Err(ArgsError::Invalid(wrong)) }
}

/// The plugin called `name` with `args`, which are null if it is to be as the default profile has it.
///
/// # Errors
///
/// There is no such plugin, or its arguments are not valid.
pub fn plugin(name: &str, args: &Value) -> Result<Box<dyn Plugin>, ArgsError> {
    let given = given(name, args)?;
    let given = Part::of(Some(&given));
    Ok(match name {
        "SchedulingGates" => Box::new(SchedulingGates),
        "NodeName" => Box::new(NodeName),
        "NodeUnschedulable" => Box::new(NodeUnschedulable),
        "TaintToleration" => Box::new(TaintToleration),
        "NodePorts" => Box::new(NodePorts),
        "ImageLocality" => Box::new(ImageLocality),
        "NodeAffinity" => Box::new(affinity::node_affinity(given)),
        "NodeResourcesFit" => Box::new(resources::fit(given)),
        "NodeResourcesBalancedAllocation" => Box::new(resources::balanced_allocation(given)),
        "InterPodAffinity" => Box::new(affinity::inter_pod_affinity(given)),
        "VolumeBinding" => Box::new(volumes::volume_binding(given)),
        "NodeVolumeLimits" => Box::new(NodeVolumeLimits),
        "VolumeRestrictions" => Box::new(VolumeRestrictions),
        "VolumeZone" => Box::new(VolumeZone),
        "PodTopologySpread" => Box::new(spread::pod_topology_spread(given)),
        other => return Err(ArgsError::NoPlugin(other.to_owned())),
    })
}

/// `PodTopologySpread` with `args`.
///
/// # Errors
///
/// The arguments are not valid.
pub fn spreading(args: &Value) -> Result<PodTopologySpread, ArgsError> {
    let given = given("PodTopologySpread", args)?;
    Ok(spread::pod_topology_spread(Part::of(Some(&given))))
}

/// The limits of `DefaultPreemption` with `args`.
///
/// # Errors
///
/// The arguments are not valid.
pub fn limits(args: &Value) -> Result<Limits, ArgsError> {
    let given = given("DefaultPreemption", args)?;
    Ok(preemption::limits(Part::of(Some(&given))))
}

/// Whether there are arguments for the plugin called `name`.
pub fn has_some(name: &str) -> bool {
    ArgsType::of(name).is_some()
}

/// What is wrong with the arguments of the plugin called `name` at `path` in a configuration, and the
/// fields in them that are not known, in upstream's words. Nothing is wrong with those of a plugin that
/// has none.
///
/// # Errors
///
/// A value has the wrong type.
pub fn mistakes_at(
    name: &str,
    args: &Value,
    path: &Path,
) -> Result<(Vec<FieldError>, Option<String>), TypeError> {
    let Some(own) = ArgsType::of(name) else { return Ok((Vec::new(), None)) };
    let (mut fields, unknown) = own.read(args)?;
    (own.complete)(&mut fields);
    let (wrong, _) = own.mistakes(fields, &At(Some(path.clone())));
    Ok((wrong, strict_error(&unknown)))
}

/// What is wrong with the arguments of the plugin called `name`, in which nothing is left out.
///
/// # Errors
///
/// The plugin has no arguments, or a value has the wrong type.
pub fn mistakes(name: &str, args: &Value) -> Result<Vec<FieldError>, ArgsError> {
    let own = ArgsType::of(name).ok_or_else(|| ArgsError::NoPlugin(name.to_owned()))?;
    let (fields, _) = own.read(args)?;
    Ok(own.mistakes(fields, &At(None)).0)
}

/// Adds that `value` is not from `low` to `high`.
fn within(wrong: &mut Vec<FieldError>, path: &Path, value: i64, low: i64, high: i64) {
    if !(low..=high).contains(&value) {
        let detail = format!("not in valid range [{low}, {high}]");
        wrong.push(FieldError::invalid(path, value, detail));
    }
}

/// Adds what is wrong with a label's key.
fn label_key(wrong: &mut Vec<FieldError>, path: &Path, key: &str) {
    let words = crate::api::names::label_key(key);
    wrong.extend(words.into_iter().map(|word| FieldError::invalid(path, key, word)));
}

#[cfg(test)]
mod tests;
