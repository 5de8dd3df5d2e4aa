//! What is wrong with a configuration that can be read, in the order in which upstream finds it.
//!
//! Mirrors: `pkg/scheduler/apis/config/validation/validation.go`.

use serde_json::{Value, json};

use super::plugin_sets::PluginSet;
use super::{API_VERSION, arguments, election, name_of, profiles};
use crate::api::document::Part;
use crate::api::field::{FieldError, FieldErrorKind, Path};
use crate::api::text::{go_json, go_quote};
use crate::scheduler::args;

/// Plugins that were there once.
const GONE: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];

/// All that is wrong with a configuration.
pub(super) fn mistakes(whole: Part<'_>) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if let Some(burst) = whole.at("clientConnection").at("burst").number().filter(|it| *it < 0) {
        let path = Path::new("clientConnection").child("burst");
        wrong.push(FieldError::invalid(&path, burst, "must be non-negative"));
    }
    election::mistakes(&mut wrong, whole.at("leaderElection"));
    let parallelism = whole.at("parallelism").number().unwrap_or(16);
    if parallelism <= 0 {
        let detail = "should be an integer value greater than zero";
        wrong.push(FieldError::invalid(&Path::new("parallelism"), parallelism, detail));
    }
    let (path, profiles) = (Path::new("profiles"), profiles(whole));
    let names: Vec<&str> = profiles.iter().map(|profile| name_of(*profile, whole)).collect();
    for (index, (profile, name)) in profiles.iter().zip(&names).enumerate() {
        let path = path.index(index);
        of_profile(&mut wrong, *profile, name, &path);
        if names.iter().take(index).any(|other| other == name) {
            // Upstream has the path of the other one here, whose fields nobody else can see.
            wrong.push(FieldError::duplicate(&path.child("schedulerName"), json!({})));
        }
    }
    queue_sort(&mut wrong, &profiles, &path);
    let percentage = "percentageOfNodesToScore";
    in_percent(&mut wrong, &Path::new(percentage), whole.at(percentage));
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

fn of_profile(wrong: &mut Vec<FieldError>, profile: Part<'_>, name: &str, path: &Path) {
    if name.is_empty() {
        wrong.push(FieldError::required(&path.child("schedulerName"), ""));
    }
    let percentage = "percentageOfNodesToScore";
    in_percent(wrong, &path.child(percentage), profile.at(percentage));
    plugins(wrong, profile.at("plugins"), &path.child("plugins"));
    plugin_config(wrong, profile.at("pluginConfig"), &path.child("pluginConfig"));
}

fn in_percent(wrong: &mut Vec<FieldError>, path: &Path, part: Part<'_>) {
    if let Some(number) = part.number().filter(|number| !(0..=100).contains(number)) {
        wrong.push(FieldError::invalid(path, number, "not in valid range [0-100]"));
    }
}

/// Adds that a plugin is no more.
fn gone(wrong: &mut Vec<FieldError>, path: &Path, name: &str) {
    // Upstream takes the version from another group here.
    let detail = format!(
        "was invalid in version \"v1\" (KubeSchedulerConfiguration is version {})",
        go_quote(API_VERSION)
    );
    wrong.push(FieldError::invalid(path, name, detail));
}

fn plugins(wrong: &mut Vec<FieldError>, plugins: Part<'_>, path: &Path) {
    for (point, set) in plugins.entries().filter(|(point, _)| *point != "multiPoint") {
        for (index, plugin) in set.at("enabled").items().enumerate() {
            let name = plugin.at("name").text();
            if GONE.contains(&name) {
                gone(wrong, &path.child(point.to_owned()).child("enabled").index(index), name);
            }
        }
    }
}

fn plugin_config(wrong: &mut Vec<FieldError>, configs: Part<'_>, path: &Path) {
    let names: Vec<&str> = configs.items().map(|config| config.at("name").text()).collect();
    for (index, (config, name)) in configs.items().zip(&names).enumerate() {
        let path = path.index(index);
        if names.iter().take(index).any(|other| other == name) {
            wrong.push(FieldError::duplicate(&path, *name));
        }
        if GONE.contains(name) {
            gone(wrong, &path, name);
        } else if *name != "NodeResourcesFit"
            // Upstream's table of checks has that one under another name, so the plugin finds its mistakes.
            && let Ok((mistakes, _)) =
                args::mistakes_at(name, config.at("args").value(), &path.child("args"))
        {
            wrong.extend(mistakes);
        }
    }
}

/// All profiles share one queue, and so its order.
fn queue_sort(wrong: &mut Vec<FieldError>, profiles: &[Part<'_>], path: &Path) {
    let set = |profile: &Part<'_>| PluginSet::read(profile.at("plugins").at("queueSort"));
    let Some((first, others)) = profiles.split_first() else { return };
    let (set_of_first, count) = (set(first), set(first).enabled.len());
    if count > 1 {
        let path = path.index(0).child("plugins").child("queueSort").child("Enabled");
        let detail = "only one queue sort plugin can be enabled";
        wrong.push(FieldError::invalid(&path, count, detail));
    }
    let sorter = set_of_first.enabled.first().map(|(name, _)| name.as_str());
    let args_of = |profile: Part<'_>| sorter.map(|sorter| arguments::of(profile, sorter).clone());
    for (index, other) in others.iter().enumerate() {
        let (path, own) = (path.index(index + 1), set(other));
        if own != set_of_first {
            let (path, why) =
                (path.child("plugins").child("queueSort"), "must be the same for all");
            wrong.push(of_struct(&path, &own, &format!("{why} profiles")));
        }
        for config in other.at("pluginConfig").items() {
            let given = config.at("args").value();
            let is_sorter = sorter == Some(config.at("name").text());
            if is_sorter && args_of(*first).as_ref() != Some(given) {
                let path = path.child("pluginConfig").child("args");
                let detail = "queueSort must be the same for all profiles";
                wrong.push(FieldError::invalid(&path, given.clone(), detail));
            }
        }
    }
}

/// Go prints a struct's fields in its order, which is not the one of an object here.
fn of_struct(path: &Path, set: &PluginSet, detail: &str) -> FieldError {
    let list = |plugins: Vec<Value>| match &plugins[..] {
        [] => "null".to_owned(),
        _ => go_json(&plugins.into()),
    };
    let enabled = set.enabled.iter();
    let enabled = enabled.map(|(name, weight)| json!({"Name": name, "Weight": weight})).collect();
    let disabled = set.disabled.iter().map(|name| json!({"Name": name, "Weight": 0})).collect();
    let (enabled, disabled) = (list(enabled), list(disabled));
    FieldError {
        kind: FieldErrorKind::Invalid,
        field: path.to_string(),
        bad_value: None,
        detail: format!("{{\"Enabled\":{enabled},\"Disabled\":{disabled}}}: {detail}"),
    }
}
