//! Daemon sets.

use super::counts::Counts;
use super::{
    PLAIN, Rules, int_or_percent, is_over_100, not_negative, number, own_selector, same,
    selector_of, shown, template_for,
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
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ];
    Counts::of(out, new, &fields).collisions_since(old);
}

fn check(out: &mut Report, set: &Document, _old: Option<&Document>) {
    let (spec, path) = (set.at("spec"), Path::new("spec"));
    // Here upstream does not ask for one; that it finds no Pods is wrong enough.
    if spec.at("selector").is_there() {
        own_selector(out, spec.at("selector"), "daemonset", &path.child("selector"));
    }
    let selector = selector_of(spec.at("selector"));
    template_for(out, spec.at("template"), selector.as_ref(), "DaemonSet", &path.child("template"));
    not_negative(out, spec, &["minReadySeconds"], &path);
    update_strategy(out, spec.at("updateStrategy"), &path.child("updateStrategy"));
    not_negative(out, spec, &["revisionHistoryLimit"], &path);
}

fn update_strategy(out: &mut Report, strategy: Part<'_>, path: &Path) {
    let (update, update_path) = (strategy.at("rollingUpdate"), path.child("rollingUpdate"));
    match (strategy.at("type").text(), update.is_there()) {
        ("OnDelete", _) => {}
        ("RollingUpdate", false) => out.required(&update_path, ""),
        ("RollingUpdate", true) => rolling_update(out, update, &update_path),
        (_, _) => {
            let (value, supported) = (strategy.value().clone(), ["RollingUpdate", "OnDelete"]);
            out.errors.push(FieldError::not_supported(path, value, &supported));
        }
    }
}

/// Either an old Pod goes first or a new one comes first, never both.
fn rolling_update(out: &mut Report, update: Part<'_>, path: &Path) {
    let (unavailable, surge) = (update.at("maxUnavailable"), update.at("maxSurge"));
    let (unavailable_path, surge_path) = (path.child("maxUnavailable"), path.child("maxSurge"));
    let both = [(unavailable, &unavailable_path), (surge, &surge_path)];
    for (value, path) in both {
        int_or_percent(out, value, path);
    }
    for (value, path) in both {
        if is_over_100(value) {
            out.invalid(path, shown(value), "must not be greater than 100%");
        }
    }
    match (number(unavailable) != 0, number(surge) != 0) {
        (true, true) => {
            let words = "may not be set when maxUnavailable is non-zero";
            out.invalid(&surge_path, shown(surge), words);
        }
        (false, false) => out.required(&unavailable_path, "cannot be 0 when maxSurge is 0"),
        (true, false) | (false, true) => {}
    }
}
