//! A `KubeSchedulerConfiguration`: read, completed and checked, and the profiles that come of it.
//!
//! Mirrors: `pkg/scheduler/apis/config/v1`, `cmd/kube-scheduler/app/options` and the errors of `NewMap`.
//! Left out: extenders, which are servers somewhere else, and electing a leader: there is one scheduler.

mod arguments;
mod election;
mod plugin_sets;
mod unprepared;
mod validation;

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use self::plugin_sets::{Built, PluginSets};
use super::NAME;
use super::profile::Profile;
use super::queue::Backoff;
use crate::api::Pod;
use crate::api::decode::{decode_document, strict_error};
use crate::api::document::Part;
use crate::api::field::aggregate;
use crate::api::text::go_quote;
use crate::sim::SortedMap;

/// The group and version of the configuration.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
/// Its kind.
pub const KIND: &str = "KubeSchedulerConfiguration";

/// The plugin that sorts the queue; there is no other.
const PRIORITY_SORT: &str = "PrioritySort";

/// Why a scheduler does not start with a configuration, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigurationError {
    pub message: String,
    /// Of the first field that is wrong; empty if that is none or not known.
    pub path: String,
}

impl ConfigurationError {
    fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { message: message.into(), path: path.into() }
    }
}

/// What a scheduler is configured by.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// One for each `schedulerName`; never empty.
    pub profiles: Vec<Rc<Profile>>,
    pub backoff: Backoff,
    /// What it was read from.
    pub source: Rc<Value>,
}

impl Configuration {
    /// The profile that a pod chooses, with its number; none if another scheduler is to place it.
    pub fn profile(&self, pod: &Pod) -> Option<(usize, &Rc<Profile>)> {
        let name = pod.spec.scheduler_name.as_deref().unwrap_or(NAME);
        self.profiles.iter().enumerate().find(|(_, profile)| *profile.name == *name)
    }
}

impl PartialEq for Configuration {
    /// Whether both were read from the same.
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Default for Configuration {
    fn default() -> Self {
        let source = json!({"apiVersion": API_VERSION, "kind": KIND});
        let profile = PluginSets::default().built(&SortedMap::new(), NAME);
        let profiles = profile.map(|built| profile_of(NAME, 0, built)).map(Rc::new);
        // A test reads the empty configuration, which has the same plugins.
        let profiles = profiles.into_iter().collect();
        Self { profiles, backoff: Backoff::default(), source: Rc::new(source) }
    }
}

/// Whether a document of a manifest is one, of any version.
pub fn is_configuration(document: &Value) -> bool {
    let version = document.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let group = API_VERSION.split('/').next().unwrap_or_default();
    document.get("kind").is_some_and(|kind| kind == KIND)
        && version.split('/').next() == Some(group)
}

impl Configuration {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// It has fields that are not known or of another type, values out of range, or plugins that are
    /// not there.
    pub fn read(source: &Value) -> Result<Self, ConfigurationError> {
        let version = source.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        let kind = source.get("kind").and_then(Value::as_str).unwrap_or_default();
        if (version, kind) != (API_VERSION, KIND) {
            let (kind, version) = (go_quote(kind), go_quote(version));
            let words = format!("no kind {kind} is registered for version {version}");
            return Err(ConfigurationError::at("apiVersion", words));
        }
        let decoded = decode_document(KIND, source)
            .map_err(|error| ConfigurationError::at(error.path, error.message))?;
        if let (Some(words), Some(first)) =
            (strict_error(&decoded.unknown), decoded.unknown.first())
        {
            return Err(ConfigurationError::at(first.path.as_str(), words));
        }
        let (_, fields) = decoded.object;
        let fields = Value::Object(fields);
        let whole = Part::of(Some(&fields));
        arguments::decode(whole)?;
        let wrong = validation::mistakes(whole);
        if let Some(first) = wrong.first() {
            return Err(ConfigurationError::at(first.field.as_str(), aggregate(&wrong)));
        }
        let profiles = read_profiles(whole)?;
        election::check(whole.at("leaderElection"))?;
        Ok(Self {
            profiles,
            backoff: Backoff {
                first: seconds(whole.at("podInitialBackoffSeconds"), 1),
                most: seconds(whole.at("podMaxBackoffSeconds"), 10),
            },
            source: Rc::new(source.clone()),
        })
    }
}

/// The profiles; the one that is there where none is written.
fn profiles(whole: Part<'_>) -> Vec<Part<'_>> {
    let written: Vec<Part<'_>> = whole.at("profiles").items().collect();
    if written.is_empty() { vec![Part::of(None)] } else { written }
}

/// A profile's name; the only one need not say it.
fn name_of<'a>(profile: Part<'a>, whole: Part<'_>) -> &'a str {
    let written = profile.at("schedulerName");
    if profiles(whole).len() == 1 && !written.is_there() { NAME } else { written.text() }
}

fn seconds(part: Part<'_>, default: i64) -> Duration {
    let seconds = part.number().unwrap_or(default);
    Duration::from_secs(seconds.try_into().unwrap_or_default())
}

fn read_profiles(whole: Part<'_>) -> Result<Vec<Rc<Profile>>, ConfigurationError> {
    let (mut read, mut sorting) = (Vec::new(), None);
    for profile in profiles(whole) {
        read.push(read_profile(profile, whole)?);
        // All profiles share one queue, and so its order.
        let own = arguments::of(profile, PRIORITY_SORT);
        if *sorting.get_or_insert(own) != own {
            let name = go_quote(name_of(profile, whole));
            let words = format!(
                "initializing profiles: different queue sort plugin args for profile {name}"
            );
            return Err(ConfigurationError::at("profiles", words));
        }
    }
    Ok(read)
}

fn read_profile(profile: Part<'_>, whole: Part<'_>) -> Result<Rc<Profile>, ConfigurationError> {
    let name = name_of(profile, whole);
    let given = profile.at("pluginConfig").items();
    let given = given.map(|config| (config.at("name").text(), config.at("args").value()));
    let built = PluginSets::read(profile.at("plugins")).built(&given.collect(), name);
    let built = built.map_err(|words| {
        let words =
            format!("initializing profiles: creating profile for scheduler name {name}: {words}");
        ConfigurationError::at("profiles", words)
    })?;
    let percentage = profile.at("percentageOfNodesToScore").number();
    let percentage = percentage.or_else(|| whole.at("percentageOfNodesToScore").number());
    let percentage = percentage.unwrap_or_default().try_into().unwrap_or_default();
    Ok(Rc::new(profile_of(name, percentage, built)))
}

fn profile_of(name: &str, percentage: usize, built: Built) -> Profile {
    Profile {
        name: name.into(),
        pre_enqueue: built.pre_enqueue,
        pre_filter: built.pre_filter,
        filter: built.filter,
        score: built.score,
        reserve: built.reserve,
        permit: built.permit,
        pre_bind: built.pre_bind,
        post_bind: built.post_bind,
        preemption: built.preemption,
        holds_preemptors: built.holds_preemptors,
        percentage,
    }
}

#[cfg(test)]
mod tests;
