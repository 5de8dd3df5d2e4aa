//! Config maps and secrets.
//!
//! Mirrors: `ValidateConfigMap` and `ValidateSecret` of `pkg/apis/core/validation/validation.go`.

use serde_json::Value;

use super::{C, K, M, N, PLAIN, Rules};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::text::go_json_type;
use crate::api::validation::report::Report;

pub(super) const CONFIG_MAP: Rules =
    Rules { check: config_map, change: map_changed, ..FIRST_CHANGE };
pub(super) const SECRET: Rules = Rules { check: secret, change: secret_changed, ..FIRST_CHANGE };
const FIRST_CHANGE: Rules = Rules { update: &[M, C, N, K], ..PLAIN };

/// All values together, in bytes.
const SIZE_MAX: usize = 1 << 20;
const FROZEN: &str = "field is immutable when `immutable` is set";

fn config_map(out: &mut Report, map: &Document, _old: Option<&Document>) {
    let (texts, bytes) = (map.at("data"), map.at("binaryData"));
    let path = Path::new("data");
    for (key, _) in texts.entries() {
        let path = path.key(key);
        out.words(&path, key, names::config_map_key);
        if bytes.entries().any(|(own, _)| own == key) {
            out.invalid(&path, key, "duplicate of key present in binaryData");
        }
    }
    let path = Path::new("binaryData");
    for (key, _) in bytes.entries() {
        out.words(&path.key(key), key, names::config_map_key);
    }
    let size = texts.entries().map(|(_, text)| text.text().len());
    let size = size.chain(bytes.entries().map(|(_, bytes)| bytes.bytes().len()));
    if size.sum::<usize>() > SIZE_MAX {
        // The whole object is too long, not one of its fields; upstream calls it `[]`.
        out.errors.push(FieldError::too_long(&Path::new(""), SIZE_MAX));
    }
}

fn map_changed(out: &mut Report, new: &Document, old: &Document) {
    frozen(out, new, old, &["data", "binaryData"]);
}

fn secret(out: &mut Report, secret: &Document, _old: Option<&Document>) {
    let (path, data) = (Path::new("data"), secret.at("data"));
    for (key, _) in data.entries() {
        out.words(&path.key(key), key, names::config_map_key);
    }
    if data.entries().map(|(_, value)| value.bytes().len()).sum::<usize>() > SIZE_MAX {
        out.errors.push(FieldError::too_long(&path, SIZE_MAX));
    }
    match secret.at("type").text() {
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
            if !["username", "password"].into_iter().any(|key| data.at(key).is_there()) =>
        {
            out.required(&path.key("username"), "");
            out.required(&path.key("password"), "");
        }
        "kubernetes.io/ssh-auth" if data.at("ssh-privatekey").text().is_empty() => {
            out.required(&path.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if !data.at(key).is_there() {
                    out.required(&path.key(key), "");
                }
            }
        }
        _ => {}
    }
}

fn docker_config(out: &mut Report, data: Part<'_>, key: &str) {
    let path = Path::new("data").key(key);
    let config = data.at(key);
    if !config.is_there() {
        out.required(&path, "");
        return;
    }
    let wrong = match serde_json::from_slice::<Value>(&config.bytes()) {
        Ok(Value::Object(_) | Value::Null) => return,
        Ok(other) => {
            let (found, wanted) = (go_json_type(&other), "map[string]interface {}");
            format!("json: cannot unmarshal {found} into Go value of type {wanted}")
        }
        Err(error) => error.to_string(),
    };
    out.invalid(&path, "<secret contents redacted>", wrong);
}

fn secret_changed(out: &mut Report, new: &Document, old: &Document) {
    out.immutable(&Path::new("type"), new.at("type").value(), old.at("type").value());
    frozen(out, new, old, &["data"]);
}

/// What is immutable stays so, and as it is.
fn frozen(out: &mut Report, new: &Document, old: &Document, fields: &[&'static str]) {
    if !old.at("immutable").is_true() {
        return;
    }
    let thawed = (!new.at("immutable").is_true()).then_some(&"immutable");
    let differs = |field: &&&'static str| new.at(field).value() != old.at(field).value();
    for field in thawed.into_iter().chain(fields.iter().filter(differs)) {
        out.forbidden(&Path::new(*field), FROZEN);
    }
}
