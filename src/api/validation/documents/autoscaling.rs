//! Autoscalers and disruption budgets.
//!
//! Mirrors: `pkg/apis/autoscaling/validation` and `pkg/apis/policy/validation`.

use super::workload::{int_or_percent, is_over_100, not_negative};
use super::{K, M, PLAIN, Rules, of_selector};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::NEGATIVE;
use crate::api::validation::report::{Report, Seen};
use crate::api::validation::resources::{self, Owner};

pub(super) const BUDGET: Rules = Rules {
    // Its metadata are those of any object: upstream checks no more of them.
    name: names::path_segment,
    check: budget,
    update: &[M, K],
    status: |out, new, _old| {
        conditions(
            out,
            new.at("status").at("conditions"),
            &Path::new("status").child("conditions"),
        );
        let counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
        not_negative(out, new.at("status"), &counts, &Path::new("status"));
    },
    ..PLAIN
};
pub(super) const AUTOSCALER: Rules = Rules {
    check: autoscaler,
    status: |out, new, _old| {
        let counts = ["currentReplicas", "desiredReplicas"];
        not_negative(out, new.at("status"), &counts, &Path::new("status"));
    },
    ..PLAIN
};

const REASON_MAX: usize = 1 << 10;
const MESSAGE_MAX: usize = 32 << 10;

fn budget(out: &mut Report, budget: &Document, _old: Option<&Document>) {
    let (spec, path) = (budget.at("spec"), Path::new("spec"));
    let fields = ["minAvailable", "maxUnavailable"];
    if fields.iter().all(|field| spec.at(field).is_there()) {
        let words = "minAvailable and maxUnavailable cannot be both set";
        out.invalid(&path, spec.value().clone(), words);
    }
    for field in fields {
        let (value, path) = (spec.at(field), path.child(field));
        int_or_percent(out, value, &path);
        if is_over_100(value) {
            out.invalid(&path, value.value().clone(), "must not be greater than 100%");
        }
    }
    of_selector(out, spec.at("selector"), &path.child("selector"));
    let policy = spec.at("unhealthyPodEvictionPolicy");
    if policy.is_there() {
        let known = ["AlwaysAllow", "IfHealthyBudget"];
        out.supported_at(&path, "unhealthyPodEvictionPolicy", policy.text(), &known);
    }
}

/// Conditions of the newer form, as budgets have them.
///
/// Mirrors: `ValidateConditions` of `apimachinery/pkg/apis/meta/v1/validation`.
fn conditions(out: &mut Report, conditions: Part<'_>, path: &Path) {
    let mut types = Seen::default();
    for (index, condition) in conditions.items().enumerate() {
        let (path, of) = (path.index(index), condition.at("type").text());
        if !types.is_new(of) {
            out.duplicate_at(&path, "type", of);
        }
        out.words_at(&path, "type", of, names::label_key);
        let status = condition.at("status").text();
        out.supported_at(&path, "status", status, &["False", "True", "Unknown"]);
        let generation = condition.at("observedGeneration").number().unwrap_or_default();
        if generation < 0 {
            let words = "must be greater than or equal to zero";
            out.invalid_at(&path, "observedGeneration", generation, words);
        }
        let reason = condition.at("reason").text();
        for (field, value) in
            [("lastTransitionTime", condition.at("lastTransitionTime").text()), ("reason", reason)]
        {
            if value.is_empty() {
                out.required_at(&path, field, "must be set");
            }
        }
        if !reason.is_empty() {
            out.words_at(&path, "reason", reason, names::condition_reason);
        }
        for (field, most) in [("reason", REASON_MAX), ("message", MESSAGE_MAX)] {
            if condition.at(field).text().len() > most {
                out.errors.push(FieldError::too_long(&path.child(field), most));
            }
        }
    }
}

fn autoscaler(out: &mut Report, autoscaler: &Document, old: Option<&Document>) {
    let (spec, path) = (autoscaler.at("spec"), Path::new("spec"));
    let (least, most) = (spec.at("minReplicas").number(), spec.at("maxReplicas").number());
    let most = most.unwrap_or_default();
    if let Some(least) = least.filter(|least| *least < 1) {
        out.invalid_at(&path, "minReplicas", least, "must be greater than or equal to 1");
    }
    let most_path = path.child("maxReplicas");
    if most < 1 {
        out.invalid(&most_path, most, "must be greater than 0");
    }
    if least.is_some_and(|least| most < least) {
        out.invalid(&most_path, most, "must be greater than or equal to `minReplicas`");
    }
    let to = |of: &Document| wrong_version(of.at("spec").at("scaleTargetRef"), true);
    // What was wrong before may stay so.
    let was_wrong = old.is_some_and(|old| to(old).is_some());
    let wrong = to(autoscaler).filter(|_| !was_wrong);
    target_object(out, spec.at("scaleTargetRef"), wrong, &path.child("scaleTargetRef"));
    let (metrics, metrics_path) = (spec.at("metrics"), path.child("metrics"));
    let mut before = Part::of(old.and_then(|old| old.at("spec").value().get("metrics"))).items();
    let checks_version = !before
        .any(|metric| wrong_version(metric.at("object").at("describedObject"), false).is_some());
    for (index, metric) in metrics.items().enumerate() {
        self::metric(out, metric, checks_version, &metrics_path.index(index));
    }
    let outside = |metric: Part<'_>| ["Object", "External"].contains(&metric.at("type").text());
    if least == Some(0) && !metrics.items().any(outside) {
        let words = "must specify at least one Object or External metric to support scaling to zero replicas";
        out.forbidden(&metrics_path, words);
    }
    for rules in ["scaleUp", "scaleDown"] {
        let part = spec.at("behavior").at(rules);
        if part.is_there() {
            self::rules(out, part, &path.child("behavior").child(rules));
        }
    }
}

/// What is wrong with the version of an object: one that is scaled needs a group, unless it is a replication
/// controller.
fn wrong_version(to: Part<'_>, is_scaled: bool) -> Option<String> {
    let of_core = !is_scaled || to.at("kind").text() == "ReplicationController";
    let version = to.at("apiVersion").text();
    if version.matches('/').count() > 1 {
        return Some(format!("unexpected GroupVersion string: {version}"));
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    (group.is_empty() && !of_core).then(|| "apiVersion must specify API group".to_owned())
}

fn target_object(out: &mut Report, to: Part<'_>, wrong: Option<String>, path: &Path) {
    for field in ["kind", "name"] {
        segment(out, to.at(field).text(), "", &path.child(field));
    }
    if let Some(words) = wrong {
        out.invalid_at(path, "apiVersion", to.at("apiVersion").text(), words);
    }
}

/// A part of a path, without which `words` are said.
fn segment(out: &mut Report, value: &str, words: &str, path: &Path) {
    if value.is_empty() {
        out.required(path, words);
    } else {
        out.words(path, value, names::path_segment);
    }
}

/// Each type of metric, and the field that tells of it.
const METRICS: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

fn metric(out: &mut Report, metric: Part<'_>, checks_version: bool, path: &Path) {
    let of = metric.at("type").text();
    if of.is_empty() {
        out.required_at(path, "type", "must specify a metric source type");
    }
    out.supported_at(path, "type", of, &METRICS.map(|(of, _)| of));
    let order = ["object", "external", "pods", "resource", "containerResource"];
    let there = || order.iter().filter(|field| metric.at(field).is_there());
    if let Some(first) = there().next() {
        source(out, first, metric.at(first), checks_version, &path.child(*first));
    }
    let expected = METRICS.iter().find(|(own, _)| *own == of).map_or("", |(_, field)| *field);
    if expected.is_empty() {
        // Said twice upstream, too.
        out.supported_at(path, "type", of, &METRICS.map(|(of, _)| of));
    } else if !there().any(|field| *field == expected) {
        let words = "must populate information for the given metric source";
        out.required_at(path, expected, words);
    }
    if there().count() != 1 {
        for other in there().filter(|field| **field != expected) {
            let words = "must populate the given metric source only";
            out.forbidden(&path.child(*other), words);
        }
    }
}

fn source(out: &mut Report, of: &str, source: Part<'_>, checks_version: bool, path: &Path) {
    if of == "object" {
        let to = source.at("describedObject");
        let wrong = wrong_version(to, false).filter(|_| checks_version);
        target_object(out, to, wrong, &path.child("describedObject"));
    }
    if of.ends_with("esource") {
        let name = source.at("name").text();
        if name.is_empty() {
            out.required_at(path, "name", "must specify a resource name");
        } else if of == "containerResource" {
            resources::resource_name(out, name, Owner::Container, &path.child("name"));
        }
        let container = source.at("container").text();
        if of == "containerResource" && container.is_empty() {
            out.required_at(path, "container", "must specify a container");
        } else if of == "containerResource" {
            out.words_at(path, "container", container, names::dns1123_label);
        }
    } else {
        let path = path.child("metric").child("name");
        let name = source.at("metric").at("name").text();
        segment(out, name, "must specify a metric name", &path);
    }
    let (target, path) = (source.at("target"), path.child("target"));
    self::target(out, target, &path);
    let is = |field: &str| target.at(field).is_there();
    let (whole, average, share) = (is("value"), is("averageValue"), is("averageUtilization"));
    let average_path = path.child("averageValue");
    match of {
        "object" if !whole && !average => {
            out.required(&average_path, "must set either a target value or averageValue");
        }
        "external" if !whole && !average => {
            let words = "must set either a target value for metric or a per-pod target";
            out.required(&average_path, words);
        }
        "external" if whole && average => {
            let words = "may not set both a target value for metric and a per-pod target";
            out.forbidden_at(&path, "value", words);
        }
        "pods" if !average => {
            out.required(&average_path, "must specify a positive target averageValue");
        }
        "resource" | "containerResource" if !share && !average => {
            let words = "must set either a target raw value or a target utilization";
            out.required_at(&path, "averageUtilization", words);
        }
        "resource" | "containerResource" if share && average => {
            let words = "may not set both a target raw value and a target utilization";
            out.forbidden(&average_path, words);
        }
        _ => {}
    }
}

fn target(out: &mut Report, target: Part<'_>, path: &Path) {
    let of = target.at("type").text();
    if of.is_empty() {
        out.required_at(path, "type", "must specify a metric target type");
    }
    if !["Utilization", "Value", "AverageValue"].contains(&of) {
        let words = "must be either Utilization, Value, or AverageValue";
        out.invalid_at(path, "type", of, words);
    }
    for field in ["value", "averageValue"] {
        let amount = target.at(field);
        if amount.quantity().is_some_and(|it| it.is_negative() || it.is_zero()) {
            out.invalid_at(path, field, amount.text(), "must be positive");
        }
    }
    if let Some(share) = target.at("averageUtilization").number().filter(|share| *share < 1) {
        out.invalid_at(path, "averageUtilization", share, "must be greater than 0");
    }
}

/// How fast it may scale.
fn rules(out: &mut Report, rules: Part<'_>, path: &Path) {
    let tolerance = rules.at("tolerance");
    if tolerance.quantity().is_some_and(|it| it.is_negative()) {
        out.invalid_at(path, "tolerance", tolerance.text(), NEGATIVE);
    }
    let window = "stabilizationWindowSeconds";
    match rules.at(window).number() {
        Some(seconds) if seconds < 0 => {
            out.invalid_at(path, window, seconds, "must be greater than or equal to zero");
        }
        Some(seconds) if seconds > 3600 => {
            out.invalid_at(path, window, seconds, "must be less than or equal to 3600");
        }
        Some(_) | None => {}
    }
    let select = rules.at("selectPolicy");
    if select.is_there() {
        out.supported_at(path, "selectPolicy", select.text(), &["Disabled", "Max", "Min"]);
    }
    let (policies, path) = (rules.at("policies"), path.child("policies"));
    if policies.is_empty() {
        out.errors.push(FieldError::required(&path, "must specify at least one Policy"));
    }
    for (index, policy) in policies.items().enumerate() {
        let path = path.index(index);
        out.supported_at(&path, "type", policy.at("type").text(), &["Percent", "Pods"]);
        for field in ["value", "periodSeconds"] {
            let number = policy.at(field).number().unwrap_or_default();
            if number <= 0 {
                out.invalid_at(&path, field, number, "must be greater than zero");
            }
            if field == "periodSeconds" && number > 1800 {
                out.invalid_at(&path, field, number, "must be less than or equal to 1800");
            }
        }
    }
}
