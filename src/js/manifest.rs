//! Manifests as requests.

use crate::api::Kind;
use crate::api::decode::{self, Limits};
use crate::cluster::HttpCall;

/// A POST for each document of `yaml`, in order. Nothing is sent if one of them cannot be.
///
/// # Errors
///
/// Says what is wrong, and in which line.
pub(super) fn calls(yaml: &str) -> Result<Vec<HttpCall>, String> {
    let manifests = decode::read(yaml, Limits::default());
    if let Some(error) = manifests.error {
        return Err(error.to_string());
    }
    if manifests.documents.is_empty() {
        return Err("no objects passed to apply".to_owned());
    }
    let calls = manifests.documents.into_iter().map(|document| {
        let text = |path: &str| document.value.pointer(path).and_then(|value| value.as_str());
        let (api_version, kind) = (text("/apiVersion"), text("/kind"));
        let (Some(api_version), Some(kind)) = (api_version, kind) else {
            return Err(format!("{}: apiVersion and kind must be set", document.place.mark()));
        };
        let Some(found) = Kind::named(api_version, kind) else {
            return Err(format!(
                "{}: no matches for kind {kind:?} in version {api_version:?}",
                document.place.nearest("kind").mark()
            ));
        };
        let resource = found.resource();
        let namespace = text("/metadata/namespace").unwrap_or("default");
        let path = if resource.namespaced {
            format!("{}/namespaces/{namespace}/{}", resource.prefix(), resource.plural)
        } else {
            format!("{}/{}", resource.prefix(), resource.plural)
        };
        Ok(HttpCall::new("POST", &path, Some(document.value)))
    });
    calls.collect()
}
