//! Autoscalers and disruption budgets.
//!
//! Mirrors: `pkg/apis/autoscaling/validation` and `pkg/apis/policy/validation`.

use super::workload::{int_or_percent, is_over_100, not_negative};
use super::{PLAIN, Rules, of_selector};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::NEGATIVE;
use crate::api::validation::report::Report;
use crate::api::validation::resources::{self, Owner};

pub(super) const BUDGET: Rules = Rules {
    check: budget,
    status: |out, new, _old| {
        let counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
        not_negative(out, new.at("status"), &counts, &Path::new("status"));
    },
    ..PLAIN
};
pub(super) const AUTOSCALER: Rules = Rules {
    check: autoscaler,
    create: |out, new| versions(out, new, None),
    change: |out, new, old| versions(out, new, Some(old)),
    status: |out, new, _old| {
        let counts = ["currentReplicas", "desiredReplicas"];
        not_negative(out, new.at("status"), &counts, &Path::new("status"));
    },
    ..PLAIN
};

fn budget(out: &mut Report, budget: &Document) {
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

fn autoscaler(out: &mut Report, autoscaler: &Document) {
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
    target_object(out, spec.at("scaleTargetRef"), &path.child("scaleTargetRef"));
    let (metrics, metrics_path) = (spec.at("metrics"), path.child("metrics"));
    for (index, metric) in metrics.items().enumerate() {
        self::metric(out, metric, &metrics_path.index(index));
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

/// That the objects it is about are of versions: that of the one it scales with a group, unless it is a
/// replication controller. What was wrong before may stay so.
fn versions(out: &mut Report, new: &Document, old: Option<&Document>) {
    let scaled = |of: &Document| {
        let to = of.at("spec").at("scaleTargetRef");
        wrong_version(to, to.at("kind").text() == "ReplicationController")
    };
    if let Some(words) = scaled(new).filter(|_| old.is_none_or(|old| scaled(old).is_none())) {
        let version = new.at("spec").at("scaleTargetRef").at("apiVersion").text();
        let path = Path::new("spec").child("scaleTargetRef");
        out.invalid_at(&path, "apiVersion", version, words);
    }
    let path = Path::new("spec").child("metrics");
    let objects = |of: &Document| -> Vec<(usize, String, String)> {
        let metrics = of.at("spec").at("metrics").items().enumerate();
        let wrong = metrics.filter_map(|(index, metric)| {
            let to = metric.at("object").at("describedObject");
            Some((index, to.at("apiVersion").text().to_owned(), wrong_version(to, true)?))
        });
        wrong.collect()
    };
    if old.is_some_and(|old| !objects(old).is_empty()) {
        return;
    }
    for (index, version, words) in objects(new) {
        let path = path.index(index).child("object").child("describedObject");
        out.invalid_at(&path, "apiVersion", version, words);
    }
}

fn wrong_version(to: Part<'_>, of_core: bool) -> Option<String> {
    let version = to.at("apiVersion").text();
    if version.matches('/').count() > 1 {
        return Some(format!("unexpected GroupVersion string: {version}"));
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    (group.is_empty() && !of_core).then(|| "apiVersion must specify API group".to_owned())
}

fn target_object(out: &mut Report, to: Part<'_>, path: &Path) {
    for field in ["kind", "name"] {
        segment(out, to.at(field).text(), "", &path.child(field));
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

fn metric(out: &mut Report, metric: Part<'_>, path: &Path) {
    let of = metric.at("type").text();
    if of.is_empty() {
        out.required_at(path, "type", "must specify a metric source type");
    }
    out.supported_at(path, "type", of, &METRICS.map(|(of, _)| of));
    let order = ["object", "external", "pods", "resource", "containerResource"];
    let there = || order.iter().filter(|field| metric.at(field).is_there());
    if let Some(first) = there().next() {
        source(out, first, metric.at(first), &path.child(*first));
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

fn source(out: &mut Report, of: &str, source: Part<'_>, path: &Path) {
    if of == "object" {
        target_object(out, source.at("describedObject"), &path.child("describedObject"));
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
