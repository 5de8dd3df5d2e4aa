//! Config maps, secrets and service accounts.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use serde_json::{Map, Value};

use super::report::{Report, text};
use super::{Validate, meta};
use crate::api::field::{FieldError, Path};
use crate::api::names;

/// All values together, in bytes.
const SIZE_MAX: usize = 1 << 20;
const FROZEN: &str = "field is immutable when `immutable` is set";

impl Validate for ConfigMap {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        config_map(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        if old.immutable == Some(true) {
            let changed = [
                ("immutable", self.immutable != Some(true)),
                ("data", differs(self.data.as_ref(), old.data.as_ref())),
                ("binaryData", differs(self.binary_data.as_ref(), old.binary_data.as_ref())),
            ];
            frozen(&mut out, &changed);
        }
        config_map(&mut out, self);
        out.errors
    }
}

fn config_map(out: &mut Report, map: &ConfigMap) {
    let (texts, bytes) = (map.data.iter().flatten(), map.binary_data.iter().flatten());
    let path = Path::new("data");
    for (key, _) in texts.clone() {
        let path = path.key(key);
        out.words(&path, key, names::config_map_key(key));
        if map.binary_data.as_ref().is_some_and(|bytes| bytes.contains_key(key)) {
            out.invalid(&path, key.as_str(), "duplicate of key present in binaryData");
        }
    }
    let path = Path::new("binaryData");
    for (key, _) in bytes.clone() {
        out.words(&path.key(key), key, names::config_map_key(key));
    }
    let size = texts.map(|(_, text)| text.len()).chain(bytes.map(|(_, bytes)| bytes.0.len()));
    if size.sum::<usize>() > SIZE_MAX {
        // The whole object is too long, not one of its fields.
        out.errors.push(FieldError::too_long(&Path::new(""), SIZE_MAX));
    }
}

impl Validate for Secret {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        secret(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        out.immutable(&Path::new("type"), &self.type_, &old.type_);
        if old.immutable == Some(true) {
            let changed = [
                ("immutable", self.immutable != Some(true)),
                ("data", differs(self.data.as_ref(), old.data.as_ref())),
            ];
            frozen(&mut out, &changed);
        }
        secret(&mut out, self);
        out.errors
    }
}

fn secret(out: &mut Report, secret: &Secret) {
    let path = Path::new("data");
    let none = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&none);
    for key in data.keys() {
        out.words(&path.key(key), key, names::config_map_key(key));
    }
    if data.values().map(|value| value.0.len()).sum::<usize>() > SIZE_MAX {
        out.errors.push(FieldError::too_long(&path, SIZE_MAX));
    }
    match text(&secret.type_) {
        "kubernetes.io/service-account-token" => {
            const ACCOUNT: &str = "kubernetes.io/service-account.name";
            let annotations = secret.metadata.annotations.as_ref();
            let account = annotations.and_then(|annotations| annotations.get(ACCOUNT));
            if account.is_none_or(String::is_empty) {
                let path = Path::new("metadata").child("annotations").key(ACCOUNT);
                out.required(&path, "");
            }
        }
        "kubernetes.io/dockercfg" => docker_config(out, data, ".dockercfg"),
        "kubernetes.io/dockerconfigjson" => docker_config(out, data, ".dockerconfigjson"),
        "kubernetes.io/basic-auth"
            if !["username", "password"].into_iter().any(|key| data.contains_key(key)) =>
        {
            out.required(&path.key("username"), "");
            out.required(&path.key("password"), "");
        }
        "kubernetes.io/ssh-auth"
            if data.get("ssh-privatekey").is_none_or(|value| value.0.is_empty()) =>
        {
            out.required(&path.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if !data.contains_key(key) {
                    out.required(&path.key(key), "");
                }
            }
        }
        _ => {}
    }
}

fn docker_config(out: &mut Report, data: &BTreeMap<String, ByteString>, key: &str) {
    let path = Path::new("data").key(key);
    match data.get(key).map(|value| serde_json::from_slice::<Map<String, Value>>(&value.0)) {
        None => out.required(&path, ""),
        Some(Err(error)) => out.invalid(&path, "<secret contents redacted>", error.to_string()),
        Some(Ok(_)) => {}
    }
}

impl Validate for ServiceAccount {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, true, names::dns1123_subdomain);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        out.errors
    }
}

/// An absent map is an empty one.
fn differs<V: PartialEq>(
    new: Option<&BTreeMap<String, V>>,
    old: Option<&BTreeMap<String, V>>,
) -> bool {
    let filled = |map: Option<&BTreeMap<String, V>>| map.is_some_and(|map| !map.is_empty());
    (filled(new) || filled(old)) && new != old
}

fn frozen(out: &mut Report, changed: &[(&'static str, bool)]) {
    for (field, _) in changed.iter().filter(|(_, changed)| *changed) {
        out.forbidden(&Path::new(*field), FROZEN);
    }
}
