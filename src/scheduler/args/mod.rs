//! The arguments of plugins, as a `KubeSchedulerConfiguration` has them.
//!
//! Mirrors: `pkg/scheduler/apis/config/v1/defaults.go` and
//! `pkg/scheduler/apis/config/validation/validation_pluginargs.go`.

mod affinity;
mod preemption;
mod resources;
mod spread;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::affinity::{InterPodAffinityArgs, NodeAffinityArgs};
use self::preemption::DefaultPreemptionArgs;
use self::resources::{BalancedAllocationArgs, FitArgs};
use self::spread::PodTopologySpreadArgs;
use super::framework::Plugin;
use super::plugins::{
    ImageLocality, NodeName, NodePorts, NodeUnschedulable, PodTopologySpread, TaintToleration,
};
use super::preemption::Limits;
use crate::api::decode::{TypeError, decode, strict_error};
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

/// The arguments of one plugin.
trait Args: DeserializeOwned {
    /// What the plugin is made from.
    type Plugin;

    /// Fills in what is left out.
    fn set_defaults(&mut self) {}

    /// Adds what is wrong; `at` makes the path of a field.
    fn check(&self, at: &At, wrong: &mut Vec<FieldError>);

    /// What the arguments say, which are valid.
    fn plugin(self) -> Self::Plugin;
}

/// Where the arguments stand: at the root, or at a path in a configuration.
struct At(Option<Path>);

impl At {
    fn field(&self, name: &'static str) -> Path {
        self.0.as_ref().map_or_else(|| Path::new(name), |path| path.child(name))
    }
}

fn read<A: Args>(args: &Value) -> Result<A, TypeError> {
    let none = Value::Object(Map::new());
    Ok(decode(if args.is_null() { &none } else { args })?.object)
}

fn checked<A: Args>(args: &Value) -> Result<Vec<FieldError>, ArgsError> {
    let mut wrong = Vec::new();
    read::<A>(args)?.check(&At(None), &mut wrong);
    Ok(wrong)
}

fn checked_at<A: Args>(
    args: &Value,
    path: &Path,
) -> Result<(Vec<FieldError>, Option<String>), TypeError> {
    let none = Value::Object(Map::new());
    let mut decoded = decode::<A>(if args.is_null() { &none } else { args })?;
    decoded.object.set_defaults();
    let mut wrong = Vec::new();
    decoded.object.check(&At(Some(path.clone())), &mut wrong);
    // They may say of which type they are.
    decoded.unknown.retain(|field| !["apiVersion", "kind"].contains(&field.path.as_str()));
    Ok((wrong, strict_error(&decoded.unknown)))
}

fn made<A: Args>(args: &Value) -> Result<A::Plugin, ArgsError> {
    let mut args = read::<A>(args)?;
    args.set_defaults();
    let mut wrong = Vec::new();
    args.check(&At(None), &mut wrong);
    if wrong.is_empty() { Ok(args.plugin()) } else { Err(ArgsError::Invalid(wrong)) }
}

/// The plugin called `name` with `args`, which are null if it is to be as the default profile has it.
///
/// # Errors
///
/// There is no such plugin, or its arguments are not valid.
pub fn plugin(name: &str, args: &Value) -> Result<Box<dyn Plugin>, ArgsError> {
    Ok(match name {
        "NodeName" => Box::new(NodeName),
        "NodeUnschedulable" => Box::new(NodeUnschedulable),
        "TaintToleration" => Box::new(TaintToleration),
        "NodePorts" => Box::new(NodePorts),
        "ImageLocality" => Box::new(ImageLocality),
        "NodeAffinity" => Box::new(made::<NodeAffinityArgs>(args)?),
        "NodeResourcesFit" => Box::new(made::<FitArgs>(args)?),
        "NodeResourcesBalancedAllocation" => Box::new(made::<BalancedAllocationArgs>(args)?),
        "InterPodAffinity" => Box::new(made::<InterPodAffinityArgs>(args)?),
        "PodTopologySpread" => Box::new(spreading(args)?),
        other => return Err(ArgsError::NoPlugin(other.to_owned())),
    })
}

/// `PodTopologySpread` with `args`.
///
/// # Errors
///
/// The arguments are not valid.
pub fn spreading(args: &Value) -> Result<PodTopologySpread, ArgsError> {
    made::<PodTopologySpreadArgs>(args)
}

/// The limits of `DefaultPreemption` with `args`.
///
/// # Errors
///
/// The arguments are not valid.
pub fn limits(args: &Value) -> Result<Limits, ArgsError> {
    made::<DefaultPreemptionArgs>(args)
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
    match name {
        "NodeAffinity" => checked_at::<NodeAffinityArgs>(args, path),
        "NodeResourcesFit" => checked_at::<FitArgs>(args, path),
        "NodeResourcesBalancedAllocation" => checked_at::<BalancedAllocationArgs>(args, path),
        "InterPodAffinity" => checked_at::<InterPodAffinityArgs>(args, path),
        "PodTopologySpread" => checked_at::<PodTopologySpreadArgs>(args, path),
        "DefaultPreemption" => checked_at::<DefaultPreemptionArgs>(args, path),
        _ => Ok((Vec::new(), None)),
    }
}

/// What is wrong with the arguments of the plugin called `name`, in which nothing is left out.
///
/// # Errors
///
/// The plugin has no arguments, or a value has the wrong type.
pub fn mistakes(name: &str, args: &Value) -> Result<Vec<FieldError>, ArgsError> {
    match name {
        "NodeAffinity" => checked::<NodeAffinityArgs>(args),
        "NodeResourcesFit" => checked::<FitArgs>(args),
        "NodeResourcesBalancedAllocation" => checked::<BalancedAllocationArgs>(args),
        "InterPodAffinity" => checked::<InterPodAffinityArgs>(args),
        "PodTopologySpread" => checked::<PodTopologySpreadArgs>(args),
        "DefaultPreemption" => checked::<DefaultPreemptionArgs>(args),
        other => Err(ArgsError::NoPlugin(other.to_owned())),
    }
}

/// Adds that `value` is not from `low` to `high`.
fn within(wrong: &mut Vec<FieldError>, path: &Path, value: i32, low: i32, high: i32) {
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
