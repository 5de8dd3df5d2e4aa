//! Replica sets, and replication controllers, which came before them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::json;

use super::counts::Counts;
use super::{
    PLAIN, Rules, not_negative, of_replicas, own_selector, same, selector_of, template_for,
};
use crate::api::decode::decode;
use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::validation::report::Report;

pub(in super::super) const REPLICA_SET: Rules = Rules {
    check,
    change: |out, new, old| same(out, "selector", new.at("spec"), old.at("spec")),
    status,
    ..PLAIN
};
pub(in super::super) const REPLICATION_CONTROLLER: Rules =
    Rules { check: check_controller, status, ..PLAIN };

fn status(out: &mut Report, new: &Document, _old: &Document) {
    let parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
    let [labeled, ready, available] = parts;
    let fields = ["replicas", labeled, ready, available, "observedGeneration"];
    let mut counts = Counts::of(out, new, &fields);
    counts.at_most(&parts, "replicas", "status.replicas");
    counts.at_most(&[available], ready, "readyReplicas");
}

fn check(out: &mut Report, set: &Document, _old: Option<&Document>) {
    let (spec, path) = (set.at("spec"), Path::new("spec"));
    not_negative(out, spec, &["replicas", "minReadySeconds"], &path);
    own_selector(out, spec.at("selector"), "deployment", &path.child("selector"));
    let selector = selector_of(spec.at("selector"));
    of_replicas(out, spec.at("template"), selector.as_ref(), &path.child("template"));
}

fn check_controller(out: &mut Report, controller: &Document, _old: Option<&Document>) {
    let (spec, path) = (controller.at("spec"), Path::new("spec"));
    let labels = spec.at("selector");
    if labels.is_empty() {
        out.required_at(&path, "selector", "");
    }
    let template = spec.at("template");
    if template.is_there() {
        let selector = decode::<LabelSelector>(&json!({"matchLabels": labels.value()}));
        let selector = selector.map(|decoded| decoded.object).unwrap_or_default();
        let path = path.child("template");
        template_for(out, template, Some(&selector), "ReplicationController", &path);
    } else {
        out.required_at(&path, "template", "");
    }
    // What is declared beside the types is looked at last.
    not_negative(out, spec, &["replicas", "minReadySeconds"], &path);
}
