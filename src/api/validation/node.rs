//! Nodes.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::Taint;

use super::report::{Report, text};
use super::{Validate, affinity, meta, resources};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::to_json;
use crate::api::wire::Node;

impl Validate for Node {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::create(&mut out, &self.metadata, false, names::dns1123_subdomain);
        taints(&mut out, self);
        amounts(&mut out, self);
        pod_cidrs(&mut out, self);
        out.errors
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut out = Report::default();
        meta::update(&mut out, &self.metadata, &old.metadata);
        amounts(&mut out, self);
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
    if !before.is_empty() {
        let words = "node updates may not change podCIDR except from \"\" to valid";
        let changes = if cidrs.len() == before.len() {
            cidrs.iter().zip(&before).filter(|(new, old)| new != old).count()
        } else {
            1
        };
        (0..changes).for_each(|_| out.forbidden_at(&path, "podCIDRs", words));
    }
    let provider = |node: &Node| {
        node.spec.as_ref().map_or(String::new(), |spec| text(&spec.provider_id).to_owned())
    };
    let before = provider(old);
    if !before.is_empty() && provider(new) != before {
        let words = "node updates may not change providerID except from \"\" to valid";
        out.forbidden_at(&path, "providerID", words);
    }
    let external = |node: &Node| {
        node.spec.as_ref().map_or(String::new(), |spec| text(&spec.external_id).to_owned())
    };
    if external(new) != external(old) {
        out.forbidden_at(&path, "externalID", "may not be updated");
    }
}

/// Upstream's errors point at the metadata.
fn taints(out: &mut Report, node: &Node) {
    let path = Path::new("metadata").child("taints");
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
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
