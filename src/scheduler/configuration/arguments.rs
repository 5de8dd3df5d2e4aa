//! The arguments of plugins in a configuration, as they are decoded.
//!
//! Mirrors: `DecodeNestedObjects` of `kube-scheduler/config/v1/types.go`.

use serde_json::Value;

use super::{API_VERSION, ConfigurationError};
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::text::go_quote;
use crate::scheduler::args;

/// The arguments that a profile has for a plugin; null if it has none.
pub(super) fn of<'a>(profile: Part<'a>, plugin: &str) -> &'a Value {
    let mut all = profile.at("pluginConfig").items();
    let own = all.rfind(|config| config.at("name").text() == plugin);
    own.map_or(&Value::Null, |config| config.at("args").value())
}

/// Whether the plugins' arguments are of their types, with no other fields in them; those of plugins that are
/// not known may be anything.
///
/// # Errors
///
/// They are not.
pub(super) fn decode(whole: Part<'_>) -> Result<(), ConfigurationError> {
    let (mut strict, mut place_of_strict) = (Vec::new(), None);
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
                Ok((_, None)) => {}
            }
        }
    }
    match place_of_strict {
        None => Ok(()),
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
