//! Stateful sets.

use serde_json::{Value, json};

use super::super::claim_spec;
use super::counts::Counts;
use super::{
    PLAIN, Rules, int_or_percent, is_over_100, not_negative, number, own_selector, selector_of,
    template_for,
};
use crate::api::document::{Document, Part};
use crate::api::field::Path;
use crate::api::names;
use crate::api::validation::report::Report;

pub(in super::super) const RULES: Rules =
    Rules { name: names::dns1123_label, check, change, status, ..PLAIN };

/// What of the spec may never change.
const FIXED: [&str; 4] = ["podManagementPolicy", "selector", "serviceName", "volumeClaimTemplates"];

fn change(out: &mut Report, new: &Document, old: &Document) {
    let (new, old) = (new.at("spec"), old.at("spec"));
    if FIXED.iter().any(|field| new.at(field).value() != old.at(field).value()) {
        out.forbidden(
            &Path::new("spec"),
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', \
             'template', 'updateStrategy', 'revisionHistoryLimit', \
             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    }
}

fn status(out: &mut Report, new: &Document, old: &Document) {
    let fields = [
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ];
    let mut counts = Counts::of(out, new, &fields);
    let parts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
    counts.at_most(&parts, "replicas", "status.replicas");
    counts.at_most(&["availableReplicas"], "readyReplicas", "status.readyReplicas");
    counts.collisions_since(old);
}

fn check(out: &mut Report, set: &Document, old: Option<&Document>) {
    let (spec, path) = (set.at("spec"), &Path::new("spec"));
    let policy_path = path.child("podManagementPolicy");
    match spec.at("podManagementPolicy").text() {
        "" => out.required(&policy_path, ""),
        "OrderedReady" | "Parallel" => {}
        policy => out.invalid(&policy_path, policy, "must be 'OrderedReady' or 'Parallel'"),
    }
    update_strategy(out, spec.at("updateStrategy"), &path.child("updateStrategy"));
    let retention = "persistentVolumeClaimRetentionPolicy";
    for field in ["whenDeleted", "whenScaled"] {
        let value = spec.at(retention).at(field).text();
        out.supported(&path.child(retention).child(field), value, &["Retain", "Delete"]);
    }
    // What cannot change any more is not looked at again.
    if old.is_none() {
        let path = path.child("volumeClaimTemplates");
        for (index, claim) in spec.at("volumeClaimTemplates").items().enumerate() {
            claim_spec(out, claim.at("spec"), &path.index(index).child("spec"));
        }
    }
    not_negative(out, spec, &["replicas", "minReadySeconds"], path);
    not_negative(out, spec.at("ordinals"), &["start"], &path.child("ordinals"));
    let service = spec.at("serviceName").text();
    if !service.is_empty() && old.is_none() {
        out.words_at(path, "serviceName", service, names::dns1123_label);
    }
    own_selector(out, spec.at("selector"), "statefulset", &path.child("selector"));
    let selector = selector_of(spec.at("selector"));
    let template = with_claims(spec);
    template_for(
        out,
        Part::of(Some(&template)),
        selector.as_ref(),
        "StatefulSet",
        &path.child("template"),
    );
}

/// The template of its Pods with a volume for each claim, which containers can mount, too.
fn with_claims(spec: Part<'_>) -> Value {
    let mut template = spec.at("template").value().clone();
    let Some(Value::Object(pod)) = template.get_mut("spec") else { return template };
    let volumes = pod.entry("volumes").or_insert_with(|| json!([]));
    let Value::Array(volumes) = volumes else { return template };
    for claim in spec.at("volumeClaimTemplates").items() {
        let name = claim.at("metadata").at("name").text();
        let is_there = volumes.iter().any(|volume| volume.get("name").is_some_and(|it| it == name));
        if !is_there && names::dns1123_label(name).is_empty() {
            volumes.push(json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
        }
    }
    template
}

fn update_strategy(out: &mut Report, strategy: Part<'_>, path: &Path) {
    let (update, update_path) = (strategy.at("rollingUpdate"), path.child("rollingUpdate"));
    match strategy.at("type").text() {
        "" => out.required(path, ""),
        "OnDelete" => {
            if update.is_there() {
                let words = "only allowed for updateStrategy 'RollingUpdate'";
                out.invalid(&update_path, update.value().clone(), words);
            }
        }
        "RollingUpdate" => {
            not_negative(out, update, &["partition"], &update_path);
            let (most, path) = (update.at("maxUnavailable"), update_path.child("maxUnavailable"));
            if !most.is_there() {
                return;
            }
            int_or_percent(out, most, &path);
            if number(most) == 0 {
                out.invalid(&path, most.value().clone(), "cannot be 0");
            }
            if is_over_100(most) {
                out.invalid(&path, most.value().clone(), "must not be greater than 100%");
            }
        }
        _ => {
            let words = "must be 'RollingUpdate' or 'OnDelete'";
            out.invalid(path, strategy.value().clone(), words);
        }
    }
}
