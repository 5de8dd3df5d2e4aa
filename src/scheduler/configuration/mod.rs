//! A `KubeSchedulerConfiguration`: read, completed and checked, and the profiles that come of it.
//!
//! Mirrors: `pkg/scheduler/apis/config/{v1,validation}`, `cmd/kube-scheduler/app/options` and the
//! errors of `NewFramework`. Left out: extenders, which are servers somewhere else, and how long a
//! leader is elected for.

mod plugin_sets;

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use self::plugin_sets::{Built, PluginSets};
use super::profile::Profile;
use super::queue::Backoff;
use super::{NAME, args};
use crate::api::Pod;
use crate::api::decode::{decode_document, strict_error};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::text::go_quote;
use crate::sim::SortedMap;

/// The group and version of the configuration.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
/// Its kind.
pub const KIND: &str = "KubeSchedulerConfiguration";

/// Plugins that were there once.
const GONE: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];

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
        let wrong = nested(whole)?.into_iter().chain(own_mistakes(whole));
        let wrong: Vec<FieldError> = wrong.collect();
        if let Some(first) = wrong.first() {
            let words = crate::api::field::aggregate(&wrong);
            return Err(ConfigurationError::at(first.field.as_str(), words));
        }
        let profiles = profiles(whole).into_iter().map(|profile| read_profile(profile, whole));
        Ok(Self {
            profiles: profiles.collect::<Result<_, _>>()?,
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

/// What is wrong with the plugins' arguments.
fn nested(whole: Part<'_>) -> Result<Vec<FieldError>, ConfigurationError> {
    let (mut wrong, mut strict, mut place_of_strict) = (Vec::new(), Vec::new(), None);
    for (index, profile) in whole.at("profiles").items().enumerate() {
        for (at, config) in profile.at("pluginConfig").items().enumerate() {
            let (name, given) = (config.at("name").text(), config.at("args"));
            let place = format!("decoding .profiles[{index}].pluginConfig[{at}]: ");
            let path =
                &Path::new("profiles").index(index).child("pluginConfig").index(at).child("args");
            let words = |error: &str| format!("decoding args for plugin {name}: {error}");
            if let Some(error) = of_another_type(name, given) {
                let error = format!("{place}{}", error.unwrap_or_else(|error| words(&error)));
                return Err(ConfigurationError::at(path.to_string(), error));
            }
            match args::mistakes_at(name, given.value(), path) {
                Err(error) => {
                    return Err(ConfigurationError::at(
                        path.to_string(),
                        place + &words(&error.message),
                    ));
                }
                Ok((_, Some(unknown))) => {
                    place_of_strict.get_or_insert_with(|| path.to_string());
                    strict.push(format!("{place}strict decoding error: {}", words(&unknown)));
                }
                // Upstream's table of checks has this one under another name, so the plugin finds it.
                Ok(_) if name == "NodeResourcesFit" => {}
                Ok((mistakes, None)) => wrong.extend(mistakes),
            }
        }
    }
    match place_of_strict {
        None => Ok(wrong),
        Some(place) => {
            let words = format!("strict decoding error: {}", strict.join(", "));
            Err(ConfigurationError::at(place, words))
        }
    }
}

/// Why arguments that say what they are are not those of the plugin called `name`, or (the error) why they
/// cannot be read.
fn of_another_type(name: &str, given: Part<'_>) -> Option<Result<String, String>> {
    let group = API_VERSION.split('/').next().unwrap_or_default();
    let (version, kind) = (given.at("apiVersion").text(), given.at("kind").text());
    let version = if version.is_empty() { API_VERSION } else { version };
    let wanted = format!("{name}Args");
    let kind = if kind.is_empty() { &wanted } else { kind };
    if !args::has_some(name) || (version == API_VERSION && *kind == wanted) {
        return None;
    }
    let of_plugin = kind.strip_suffix("Args").unwrap_or_default();
    Some(if version == API_VERSION && args::has_some(of_plugin) {
        Ok(format!("args for plugin {name} were not of type {wanted}.{group}, got {kind}.{group}"))
    } else {
        let (kind, version) = (go_quote(kind), go_quote(version));
        Err(format!("no kind {kind} is registered for version {version}"))
    })
}

/// What is wrong with all but the plugins' arguments.
fn own_mistakes(whole: Part<'_>) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if let Some(burst) = whole.at("clientConnection").at("burst").number().filter(|it| *it < 0) {
        let path = Path::new("clientConnection").child("burst");
        wrong.push(FieldError::invalid(&path, burst, "must be non-negative"));
    }
    let election = whole.at("leaderElection");
    let (lock, is_held) = (election.at("resourceLock").text(), election.at("leaderElect").value());
    if is_held != &Value::Bool(false) && !["", "leases"].contains(&lock) {
        let path = Path::new("leaderElection").child("resourceLock");
        wrong.push(FieldError::invalid(&path, lock, "resourceLock value must be \"leases\""));
    }
    let parallelism = whole.at("parallelism").number().unwrap_or(16);
    if parallelism <= 0 {
        let detail = "should be an integer value greater than zero";
        wrong.push(FieldError::invalid(&Path::new("parallelism"), parallelism, detail));
    }
    let (path, profiles) = (Path::new("profiles"), profiles(whole));
    let names: Vec<&str> = profiles.iter().map(|profile| name_of(*profile, whole)).collect();
    for (index, (profile, name)) in profiles.iter().zip(&names).enumerate() {
        let path = path.index(index);
        if name.is_empty() {
            wrong.push(FieldError::required(&path.child("schedulerName"), ""));
        }
        let percentage = "percentageOfNodesToScore";
        in_percent(&mut wrong, &path.child(percentage), profile.at(percentage));
        gone(&mut wrong, *profile, &path);
        if let Some(first) = names.iter().take(index).rposition(|other| other == name) {
            let first = Path::new("profiles").index(first).child("schedulerName");
            let path = path.child("schedulerName");
            wrong.push(FieldError::duplicate(&path, first.to_string()));
        }
    }
    queue_sort(&mut wrong, &profiles, &path);
    let path = Path::new("percentageOfNodesToScore");
    in_percent(&mut wrong, &path, whole.at("percentageOfNodesToScore"));
    let first = whole.at("podInitialBackoffSeconds").number().unwrap_or(1);
    let most = whole.at("podMaxBackoffSeconds").number().unwrap_or(10);
    if first <= 0 {
        let path = Path::new("podInitialBackoffSeconds");
        wrong.push(FieldError::invalid(&path, first, "must be greater than 0"));
    }
    if most < first {
        let detail = "must be greater than or equal to PodInitialBackoffSeconds";
        wrong.push(FieldError::invalid(&Path::new("podMaxBackoffSeconds"), most, detail));
    }
    if !whole.at("extenders").is_empty() {
        let detail = "extenders are servers, and this cluster has no network to reach one by";
        wrong.push(FieldError::forbidden(&Path::new("extenders"), detail));
    }
    wrong
}

fn in_percent(wrong: &mut Vec<FieldError>, path: &Path, part: Part<'_>) {
    if let Some(number) = part.number().filter(|number| !(0..=100).contains(number)) {
        wrong.push(FieldError::invalid(path, number, "not in valid range [0-100]"));
    }
}

/// Plugins that are no more, and arguments that are there twice.
fn gone(wrong: &mut Vec<FieldError>, profile: Part<'_>, path: &Path) {
    let was = || {
        let version = go_quote(API_VERSION);
        format!(
            "was invalid in version {version} (KubeSchedulerConfiguration is version {version})"
        )
    };
    for (point, set) in profile.at("plugins").entries().filter(|(point, _)| *point != "multiPoint")
    {
        for (index, plugin) in set.at("enabled").items().enumerate() {
            let name = plugin.at("name").text();
            if GONE.contains(&name) {
                let path =
                    path.child("plugins").child(point.to_owned()).child("enabled").index(index);
                wrong.push(FieldError::invalid(&path, name, was()));
            }
        }
    }
    let configs: Vec<&str> =
        profile.at("pluginConfig").items().map(|config| config.at("name").text()).collect();
    for (index, name) in configs.iter().enumerate() {
        let path = path.child("pluginConfig").index(index);
        if configs.iter().take(index).any(|other| other == name) {
            wrong.push(FieldError::duplicate(&path, *name));
        }
        if GONE.contains(name) {
            wrong.push(FieldError::invalid(&path, *name, was()));
        }
    }
}

/// All profiles share one queue, and so its order.
fn queue_sort(wrong: &mut Vec<FieldError>, profiles: &[Part<'_>], path: &Path) {
    let of = |profile: &Part<'_>| profile.at("plugins").at("queueSort").value().clone();
    let Some(first) = profiles.first().map(of) else { return };
    let enabled = Part::of(Some(&first)).at("enabled").len();
    if enabled > 1 {
        let path = path.index(0).child("plugins").child("queueSort").child("Enabled");
        let detail = "only one queue sort plugin can be enabled";
        wrong.push(FieldError::invalid(&path, enabled.to_string(), detail));
    }
    for (index, other) in profiles.iter().map(of).enumerate().skip(1) {
        if other != first {
            let path = path.index(index).child("plugins").child("queueSort");
            wrong.push(FieldError::invalid(&path, other, "must be the same for all profiles"));
        }
    }
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
        pre_filter: built.pre_filter,
        filter: built.filter,
        score: built.score,
        reserve: built.reserve,
        pre_bind: built.pre_bind,
        preemption: built.preemption,
        gates: built.gates,
        holds_preemptors: built.holds_preemptors,
        percentage,
    }
}

#[cfg(test)]
mod tests;
