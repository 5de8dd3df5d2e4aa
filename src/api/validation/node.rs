//! Nodes.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::Taint;
use serde_json::Value;

use super::report::{Report, text};
use super::{Validate, affinity, meta, resources};
use crate::api::document::{Fragment, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::to_json;
use crate::api::wire::Node;

const CLEARED: &str = "field cannot be cleared once set";
const TAINTS: &str = "scheduler.alpha.kubernetes.io/taints";
const AVOID: &str = "scheduler.alpha.kubernetes.io/preferAvoidPods";

impl Validate for Node {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, false, names::dns1123_subdomain);
        annotations(&mut out, self);
        taints(&mut out, self);
        amounts(&mut out, self);
        swap(&mut out, self);
        declared_features(&mut out, self);
        pod_cidrs(&mut out, self);
        out.errors
    }

    /// A node that takes the place of one is checked as a new one, too: what is wrong with it is then said
    /// twice.
    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut errors = self.validate_create();
        errors.extend(self.validate_status_update(old));
        errors
    }

    fn validate_status_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        annotations(&mut out, self);
        amounts(&mut out, self);
        declared_features(&mut out, self);
        let path = Path::new("status").child("addresses");
        let status = self.status.as_ref();
        let addresses = status.and_then(|status| status.addresses.as_deref()).unwrap_or_default();
        for (index, address) in addresses.iter().enumerate() {
            if addresses.iter().take(index).any(|earlier| earlier == address) {
                let value = to_json(address);
                out.duplicate(&path.index(index), value);
            }
        }
        once_set(&mut out, self, old);
        taints(&mut out, self);
        out.errors
    }
}

/// What a node is given once stays.
fn once_set(out: &mut Report, new: &Node, old: &Node) {
    let path = Path::new("spec");
    let cidrs = |node: &Node| {
        let spec = node.spec.as_ref();
        spec.and_then(|spec| spec.pod_cidrs.clone()).unwrap_or_default()
    };
    let (cidrs, before) = (cidrs(new), cidrs(old));
    if !before.is_empty() && cidrs.is_empty() {
        out.invalid_at(&path, "podCIDRs", Value::Null, CLEARED);
    } else if !before.is_empty() && cidrs != before {
        let words = "node updates may not change podCIDR except from \"\" to valid";
        out.forbidden_at(&path, "podCIDRs", words);
    }
    let provider = |node: &Node| {
        node.spec.as_ref().map_or(String::new(), |spec| text(&spec.provider_id).to_owned())
    };
    let before = provider(old);
    if !before.is_empty() && provider(new) != before {
        let is_cleared = provider(new).is_empty();
        let words = if is_cleared { CLEARED } else { "field cannot be modified once set" };
        out.invalid_at(&path, "providerID", Value::Null, words);
    }
    let external = |node: &Node| {
        node.spec.as_ref().map_or(String::new(), |spec| text(&spec.external_id).to_owned())
    };
    if external(new) != external(old) {
        out.forbidden_at(&path, "externalID", "may not be updated");
    }
}

/// What older schedulers read from annotations.
fn annotations(out: &mut Report, node: &Node) {
    let path = Path::new("metadata").child("annotations");
    let of = |key: &str| node.metadata.annotations.as_ref()?.get(key).filter(|it| !it.is_empty());
    if let Some(text) = of(TAINTS) {
        match serde_json::from_str::<Vec<Taint>>(text) {
            Ok(taints) => each_taint(out, &taints, &path.child(TAINTS)),
            Err(error) => out.invalid(&path, TAINTS, error.to_string()),
        }
    }
    let Some(text) = of(AVOID) else { return };
    let avoids = match serde_json::from_str::<Value>(text) {
        Ok(avoids) => avoids,
        Err(error) => {
            return out.invalid(&path.child("AvoidPods"), AVOID, error.to_string());
        }
    };
    for (index, entry) in Part::of(Some(&avoids)).at("preferAvoidPods").items().enumerate() {
        let path = path.child(AVOID).index(index).child("PodSignature");
        let controller = entry.at("podSignature").at("podController");
        if !controller.is_there() {
            out.required(&path, "");
        } else if !controller.at("controller").is_true() {
            let path = path.child("PodController").child("Controller");
            out.invalid(&path, false, "must point to a controller");
        }
    }
}

/// Upstream's errors point at the metadata here, too.
fn swap(out: &mut Report, node: &Node) {
    let Some(status) = &node.status else { return };
    let capacity = Fragment::part(&status.node_info).at("swap").at("capacity");
    if let Some(capacity) = capacity.number().filter(|capacity| *capacity <= 0) {
        let path = Path::new("metadata").child("nodeSwapStatus").child("capacity");
        out.invalid(&path, capacity, super::NOT_POSITIVE);
    }
}

/// Names of features, each once and in order.
fn declared_features(out: &mut Report, node: &Node) {
    let path = Path::new("status").child("declaredFeatures");
    let status = node.status.as_ref();
    let names = status.and_then(|status| status.declared_features.as_deref()).unwrap_or_default();
    let mut before: Option<&String> = None;
    for (index, name) in names.iter().enumerate() {
        let path = path.index(index);
        let is_segment = |segment: &str| {
            !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let is_camel = name.starts_with(|c: char| c.is_ascii_uppercase());
        if name.len() > 253 {
            let words =
                format!("invalid feature name {name:?}: must be no more than 253 characters");
            out.invalid(&path, name.as_str(), words);
        } else if !is_camel || !name.split('/').all(is_segment) {
            let words = format!(
                "invalid feature name {name:?}: must start with an UpperCamelCase segment, with \
                 subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), \
                 and contain only alphanumeric characters and slashes"
            );
            out.invalid(&path, name.as_str(), words);
        }
        match before {
            Some(before) if before == name => out.duplicate(&path, name.as_str()),
            Some(before) if before > name => {
                out.invalid(&path, name.as_str(), "list must be sorted alphabetically");
            }
            Some(_) | None => {}
        }
        before = Some(name);
    }
}

/// Upstream's errors point at the metadata.
fn taints(out: &mut Report, node: &Node) {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    each_taint(out, taints, &Path::new("metadata").child("taints"));
}

fn each_taint(out: &mut Report, taints: &[Taint], path: &Path) {
    for (index, taint) in taints.iter().enumerate() {
        let path = path.index(index);
        let Taint { key, effect, .. } = taint;
        out.words_at(&path, "key", key, names::label_key);
        let value = text(&taint.value);
        let words = names::label_value(value);
        if !words.is_empty() {
            out.invalid_at(&path, "value", value, words.join(";"));
        }
        affinity::taint_effect(out, effect, &path.child("effect"));
        let mut earlier = taints.iter().take(index);
        if earlier.any(|earlier| earlier.key == *key && earlier.effect == *effect) {
            let value = to_json(taint);
            let mut error = FieldError::duplicate(&path, value);
            error.detail.push_str("taints must be unique by key and effect pair");
            out.errors.push(error);
        }
    }
}

fn amounts(out: &mut Report, node: &Node) {
    let Some(status) = &node.status else { return };
    for (field, list) in [("capacity", &status.capacity), ("allocatable", &status.allocatable)] {
        let path = Path::new("status").child(field);
        for (name, quantity) in list.iter().flatten() {
            resources::quantity(out, name, quantity, &path.child(name.clone()));
        }
    }
}

fn pod_cidrs(out: &mut Report, node: &Node) {
    let path = Path::new("spec").child("podCIDRs");
    let cidrs = node.spec.as_ref().and_then(|spec| spec.pod_cidrs.as_deref()).unwrap_or_default();
    for (index, cidr) in cidrs.iter().enumerate() {
        out.errors.extend(names::cidr(&path.index(index), cidr));
    }
    let family = |cidr: &String| {
        let address = cidr.split('/').next().unwrap_or_default();
        names::parse_ip(address).map(|address| matches!(address, IpAddr::V6(_)))
    };
    let (first, last) = (cidrs.first().and_then(family), cidrs.last().and_then(family));
    if cidrs.len() > 2 || (cidrs.len() == 2 && first == last) {
        let words = "may specify no more than one CIDR for each IP family";
        out.invalid_object(&path, &cidrs, words);
    }
    for (index, cidr) in cidrs.iter().enumerate() {
        if cidrs.iter().take(index).any(|earlier| earlier == cidr) {
            out.duplicate(&path.index(index), cidr.as_str());
        }
    }
}
