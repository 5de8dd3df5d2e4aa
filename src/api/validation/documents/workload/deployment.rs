//! Deployments.

use super::counts::Counts;
use super::{
    PLAIN, Rules, int_or_percent, is_over_100, not_negative, number, of_replicas, own_selector,
    same, selector_of, shown,
};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::validation::report::Report;

pub(in super::super) const RULES: Rules = Rules {
    check,
    change: |out, new, old| same(out, "selector", new.at("spec"), old.at("spec")),
    status,
    ..PLAIN
};

fn status(out: &mut Report, new: &Document, old: &Document) {
    let fields = [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ];
    let mut counts = Counts::of(out, new, &fields);
    let parts = ["updatedReplicas", "readyReplicas", "availableReplicas"];
    counts.at_most(&parts, "replicas", "status.replicas");
    counts.at_most(&["availableReplicas"], "readyReplicas", "readyReplicas");
    counts.collisions_since(old);
}

fn check(out: &mut Report, deployment: &Document, _old: Option<&Document>) {
    let (spec, path) = (deployment.at("spec"), Path::new("spec"));
    not_negative(out, spec, &["replicas"], &path);
    own_selector(out, spec.at("selector"), "deployment", &path.child("selector"));
    let selector = selector_of(spec.at("selector"));
    of_replicas(out, spec.at("template"), selector.as_ref(), &path.child("template"));
    strategy(out, spec.at("strategy"), &path.child("strategy"));
    let numbers = ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"];
    not_negative(out, spec, &numbers, &path);
    let ready = spec.at("minReadySeconds").number().unwrap_or_default();
    let deadline = spec.at("progressDeadlineSeconds").number();
    if let Some(deadline) = deadline.filter(|deadline| *deadline <= ready) {
        let path = path.child("progressDeadlineSeconds");
        out.invalid(&path, deadline, "must be greater than minReadySeconds");
    }
}

fn strategy(out: &mut Report, strategy: Part<'_>, path: &Path) {
    let (update, update_path) = (strategy.at("rollingUpdate"), path.child("rollingUpdate"));
    match (strategy.at("type").text(), update.is_there()) {
        ("Recreate", true) => {
            let words = "may not be specified when strategy `type` is 'Recreate'";
            out.forbidden(&update_path, words);
        }
        ("Recreate", false) => {}
        ("RollingUpdate", false) => {
            out.required(&update_path, "this should be defaulted and never be nil");
        }
        ("RollingUpdate", true) => {
            let (unavailable, surge) = (update.at("maxUnavailable"), update.at("maxSurge"));
            let path = update_path.child("maxUnavailable");
            int_or_percent(out, unavailable, &path);
            int_or_percent(out, surge, &update_path.child("maxSurge"));
            if number(unavailable) == 0 && number(surge) == 0 {
                out.invalid(&path, shown(unavailable), "may not be 0 when `maxSurge` is 0");
            }
            if is_over_100(unavailable) {
                out.invalid(&path, shown(unavailable), "must not be greater than 100%");
            }
        }
        (_, _) => {
            let (value, supported) = (strategy.value().clone(), ["Recreate", "RollingUpdate"]);
            out.errors.push(FieldError::not_supported(path, value, &supported));
        }
    }
}
