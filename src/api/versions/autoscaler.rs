//! `autoscaling/v1`, which knows one target, the use of the CPU; all else of `v2` stands in annotations.
//!
//! Mirrors: `pkg/apis/autoscaling/v1/conversion.go`.

use serde_json::{Value, json};

use super::{Fields, rename};
use crate::api::document::Part;

const CPU_TARGET: &str = "targetCPUUtilizationPercentage";
const CPU_NOW: &str = "currentCPUUtilizationPercentage";
/// What autoscalers without any target aim at, in percent.
const USUAL_CPU: i64 = 80;

pub(super) const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// Which of two things is told of a metric: what is wanted of it, or how it is.
#[derive(Clone, Copy)]
enum Told {
    Wanted,
    Now,
}

impl Told {
    /// The struct of amounts in `v2`, and the word before each amount in `v1`.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Wanted => ("target", "target"),
            Self::Now => ("current", "current"),
        }
    }
}

/// The structs of metrics, and in each how `v1` calls the selector.
const SOURCES: [(&str, &str); 5] = [
    ("containerResource", ""),
    ("external", "metricSelector"),
    ("object", "selector"),
    ("pods", "selector"),
    ("resource", ""),
];
/// The amounts, as `v2` calls them; the word of `v1` comes before.
const AMOUNTS: [(&str, &str, &str); 3] = [
    ("averageUtilization", "AverageUtilization", "Utilization"),
    ("averageValue", "AverageValue", "AverageValue"),
    ("value", "Value", "Value"),
];

pub(super) fn to_v2(fields: &mut Fields) {
    let mut kept = |name: &str| -> Option<Value> {
        let annotations = fields.get_mut("metadata")?.get_mut("annotations")?.as_object_mut()?;
        let text = annotations.remove(name)?;
        serde_json::from_str(text.as_str()?).ok()
    };
    let [metrics, current, behavior, conditions] =
        [METRICS, CURRENT, BEHAVIOR, CONDITIONS].map(&mut kept);
    if let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) {
        let target = spec.remove(CPU_TARGET).map(|share| cpu(Told::Wanted, &share));
        let others = metrics.iter().flat_map(|all| Part::of(Some(all)).items());
        let others = others.map(|metric| metric_to_v2(metric, Told::Wanted));
        let mut all: Vec<Value> = target.into_iter().chain(others).collect();
        if all.is_empty() {
            all.push(cpu(Told::Wanted, &USUAL_CPU.into()));
        }
        spec.insert("metrics".to_owned(), all.into());
        if let Some(behavior) = behavior {
            spec.insert("behavior".to_owned(), behavior);
        }
    }
    if let Some(status) = fields.get_mut("status").and_then(Value::as_object_mut) {
        let cpu = status.remove(CPU_NOW).map(|share| vec![cpu(Told::Now, &share)].into());
        let all = current.map(|all| {
            let all = Part::of(Some(&all)).items();
            all.map(|metric| metric_to_v2(metric, Told::Now)).collect()
        });
        if let Some(metrics) = all.or(cpu) {
            status.insert("currentMetrics".to_owned(), metrics);
        }
        if let Some(conditions) = conditions {
            status.insert("conditions".to_owned(), conditions);
        }
    }
}

pub(super) fn from_v2(fields: &mut Fields) {
    let mut kept: Vec<(&str, Value)> = Vec::new();
    if let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) {
        let metrics = spec.remove("metrics").unwrap_or_default();
        let all = || Part::of(Some(&metrics)).items();
        if let Some(share) = all().find_map(|metric| cpu_share(metric, Told::Wanted)) {
            spec.insert(CPU_TARGET.to_owned(), share);
        }
        let others = all().filter(|metric| cpu_share(*metric, Told::Wanted).is_none());
        let others: Vec<Value> = others.map(|metric| metric_to_v1(metric, Told::Wanted)).collect();
        if !others.is_empty() {
            kept.push((METRICS, others.into()));
        }
        kept.extend(spec.remove("behavior").map(|behavior| (BEHAVIOR, behavior)));
    }
    if let Some(status) = fields.get_mut("status").and_then(Value::as_object_mut) {
        let metrics = status.remove("currentMetrics").unwrap_or_default();
        let all = || Part::of(Some(&metrics)).items();
        if let Some(share) = all().filter_map(|metric| cpu_share(metric, Told::Now)).next_back() {
            status.insert(CPU_NOW.to_owned(), share);
        }
        // Kept even if it is the CPU alone: there is more in it than its share.
        if !Part::of(Some(&metrics)).is_empty() {
            let all = all().map(|metric| metric_to_v1(metric, Told::Now));
            kept.push((CURRENT, all.collect()));
        }
        let conditions = status.remove("conditions").filter(|it| !Part::of(Some(it)).is_empty());
        kept.extend(conditions.map(|conditions| (CONDITIONS, conditions)));
    }
    for (name, value) in kept {
        annotate(fields, name, &value);
    }
}

fn annotate(fields: &mut Fields, name: &str, value: &Value) {
    let metadata = fields.entry("metadata").or_insert_with(|| json!({})).as_object_mut();
    let Some(metadata) = metadata else { return };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.insert(name.to_owned(), value.to_string().into());
    }
}

/// The metric of `v2` that `v1` has a field for.
fn cpu(told: Told, share: &Value) -> Value {
    let (amounts, _) = told.names();
    let (mut given, mut of) = (Fields::new(), Fields::new());
    given.insert("averageUtilization".to_owned(), share.clone());
    if matches!(told, Told::Wanted) {
        given.insert("type".to_owned(), "Utilization".into());
    }
    of.insert("name".to_owned(), "cpu".into());
    of.insert(amounts.to_owned(), given.into());
    let mut metric = Fields::new();
    metric.insert("type".to_owned(), "Resource".into());
    metric.insert("resource".to_owned(), of.into());
    metric.into()
}

/// The share of the CPU, if that is what the metric is of.
fn cpu_share(metric: Part<'_>, told: Told) -> Option<Value> {
    let of = metric.at("resource");
    let share = of.at(told.names().0).at("averageUtilization");
    let is_cpu = metric.at("type").text() == "Resource" && of.at("name").text() == "cpu";
    (is_cpu && share.is_there()).then(|| share.value().clone())
}

/// A metric of `v1` in the form of `v2`.
fn metric_to_v2(metric: Part<'_>, told: Told) -> Value {
    let (amounts, word) = told.names();
    each_source(metric, |own, selector| {
        let mut given = Fields::new();
        for (v2, v1, of) in AMOUNTS {
            let plain = own.remove(&lower_first(v1));
            if let Some(amount) = own.remove(&[word, v1].concat()).or(plain) {
                given.insert(v2.to_owned(), amount);
                if matches!(told, Told::Wanted) {
                    given.entry("type").or_insert_with(|| of.into());
                }
            }
        }
        // What an object is told of stands in `v1` where the amounts stand in `v2`.
        rename(own, "target", "describedObject");
        own.insert(amounts.to_owned(), given.into());
        let mut named = Fields::new();
        for (v1, v2) in [("metricName", "name"), (selector, "selector")] {
            if let Some(value) = own.remove(v1) {
                named.insert(v2.to_owned(), value);
            }
        }
        if !selector.is_empty() {
            own.insert("metric".to_owned(), named.into());
        }
    })
}

/// A metric of `v2` in the form of `v1`.
fn metric_to_v1(metric: Part<'_>, told: Told) -> Value {
    let (amounts, word) = told.names();
    each_source(metric, |own, selector| {
        let given = own.remove(amounts).unwrap_or_default();
        let of_object = own.contains_key("describedObject");
        rename(own, "describedObject", "target");
        for (v2, v1, _) in AMOUNTS {
            // The average of an object is called so without a word before it.
            let plain = of_object && v2 == "averageValue";
            let name = if plain { v2.to_owned() } else { [word, v1].concat() };
            if let Some(amount) = given.get(v2) {
                own.insert(name, amount.clone());
            }
        }
        let named = own.remove("metric").unwrap_or_default();
        for (v1, v2) in [("metricName", "name"), (selector, "selector")] {
            if let Some(value) = named.get(v2) {
                own.insert(v1.to_owned(), value.clone());
            }
        }
    })
}

/// The metric with `change` made to each of its structs, which is told how `v1` calls the selector.
fn each_source(metric: Part<'_>, change: impl Fn(&mut Fields, &str)) -> Value {
    let mut metric = metric.value().clone();
    for (source, selector) in SOURCES {
        if let Some(own) = metric.get_mut(source).and_then(Value::as_object_mut) {
            change(own, selector);
        }
    }
    metric
}

fn lower_first(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
