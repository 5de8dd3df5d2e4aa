//! The arguments of the plugins that look at resources.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{ArgsType, At, Fields, label_key, within};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::scheduler::plugins::{BalancedAllocation, Fit, Point, Shape, Strategy, Weight};

/// In the configuration the best score is 10, in the plugin 100.
const SCORE_SCALE: i64 = 10;
const MOST_SCORE: i64 = 10;
const LEAST: &str = "LeastAllocated";
const MOST: &str = "MostAllocated";
const RATIO: &str = "RequestedToCapacityRatio";

pub(super) const FIT: ArgsType = ArgsType {
    plugin: "NodeResourcesFit",
    line: "NodeResourcesFitArgs",
    complete: |args| {
        let strategy = args.entry("scoringStrategy").or_insert_with(|| json!({"type": LEAST}));
        if let Some(strategy) = strategy.as_object_mut() {
            complete_resources(strategy);
        }
    },
    check: check_fit,
};

pub(super) const BALANCED_ALLOCATION: ArgsType = ArgsType {
    plugin: "NodeResourcesBalancedAllocation",
    line: "NodeResourcesBalancedAllocationArgs",
    complete: complete_resources,
    check: check_balanced_allocation,
};

pub(super) fn fit(args: Part<'_>) -> Fit {
    let strategy = args.at("scoringStrategy");
    let texts = |name| args.at(name).texts().map(str::to_owned).collect();
    Fit {
        strategy: match strategy.at("type").text() {
            MOST => Strategy::MostAllocated,
            RATIO => {
                let shape = strategy.at("requestedToCapacityRatio").at("shape");
                Strategy::RequestedToCapacityRatio(line(shape))
            }
            _ => Strategy::LeastAllocated,
        },
        resources: weights(strategy.at("resources")),
        ignored: texts("ignoredResources"),
        ignored_groups: texts("ignoredResourceGroups"),
    }
}

pub(super) fn balanced_allocation(args: Part<'_>) -> BalancedAllocation {
    BalancedAllocation { resources: weights(args.at("resources")) }
}

fn check_fit(args: Part<'_>, at: &At, wrong: &mut Vec<FieldError>) {
    let path = at.field("ignoredResources");
    for (index, name) in args.at("ignoredResources").texts().enumerate() {
        label_key(wrong, &path.index(index), name);
    }
    let path = at.field("ignoredResourceGroups");
    for (index, group) in args.at("ignoredResourceGroups").texts().enumerate() {
        let path = path.index(index);
        if group.contains('/') {
            let detail = "resource group name can't contain '/'";
            wrong.push(FieldError::invalid(&path, group, detail));
        }
        label_key(wrong, &path, group);
    }
    let (path, strategy) = (at.field("scoringStrategy"), args.at("scoringStrategy"));
    if strategy.is_there() {
        check_strategy(strategy, &path, wrong);
    } else {
        wrong.push(FieldError::required(&path, "ScoringStrategy field is required"));
    }
}

fn check_strategy(strategy: Part<'_>, path: &Path, wrong: &mut Vec<FieldError>) {
    let kind = strategy.at("type").text();
    if ![LEAST, MOST, RATIO].contains(&kind) {
        let path = path.child("type");
        wrong.push(FieldError::not_supported(&path, kind, &[LEAST, MOST, RATIO]));
    }
    let resources = path.child("resources");
    for (index, resource) in strategy.at("resources").items().enumerate() {
        let (name, weight) = named(resource);
        if !(1..=100).contains(&weight) {
            let detail = format!("resource weight of {name} not in valid range (0, 100]");
            let path = resources.index(index).child("weight");
            wrong.push(FieldError::invalid(&path, weight, detail));
        }
    }
    let path = path.child("requestedToCapacityRatio");
    let ratio = strategy.at("requestedToCapacityRatio");
    match (ratio.is_there(), kind == RATIO) {
        (true, true) => check_shape(ratio.at("shape"), &path.child("shape"), wrong),
        (true, false) => {
            let detail = "must be nil when type is not RequestedToCapacityRatio";
            wrong.push(FieldError::forbidden(&path, detail));
        }
        (false, true) => {
            let detail = "must be specified when type is RequestedToCapacityRatio";
            wrong.push(FieldError::required(&path, detail));
        }
        (false, false) => {}
    }
}

fn check_balanced_allocation(args: Part<'_>, at: &At, wrong: &mut Vec<FieldError>) {
    let (path, resources) = (at.field("resources"), args.at("resources"));
    for (index, resource) in resources.items().enumerate() {
        let (path, (name, weight)) = (path.index(index), named(resource));
        if resources.items().take(index).any(|other| named(other).0 == name) {
            wrong.push(FieldError::duplicate(&path.child("name"), name));
        }
        if weight != 1 {
            wrong.push(FieldError::invalid(&path.child("weight"), weight, "must be 1"));
        }
    }
}

pub(super) fn check_shape(shape: Part<'_>, path: &Path, wrong: &mut Vec<FieldError>) {
    if shape.is_empty() {
        wrong.push(FieldError::required(path, "at least one point must be specified"));
        return;
    }
    let points: Vec<Point> = shape.items().map(point).collect();
    let mut steps = points.iter().zip(points.iter().skip(1)).zip(1..);
    if let Some(((_, later), index)) =
        steps.find(|((earlier, later), _)| earlier.utilization >= later.utilization)
    {
        let path = path.index(index).child("utilization");
        let detail = "values must be sorted in increasing order";
        wrong.push(FieldError::invalid(&path, later.utilization, detail));
    }
    for (index, point) in points.iter().enumerate() {
        let path = path.index(index);
        within(wrong, &path.child("utilization"), point.utilization, 0, 100);
        within(wrong, &path.child("score"), point.score, 0, MOST_SCORE);
    }
}

/// CPU and memory if none is named; one that has no weight counts once.
fn complete_resources(fields: &mut Fields) {
    let resources = fields.entry("resources").or_insert_with(|| json!([]));
    let Some(resources) = resources.as_array_mut() else { return };
    if resources.is_empty() {
        resources.extend(["cpu", "memory"].map(|name| json!({"name": name})));
    }
    for resource in resources.iter_mut().filter_map(Value::as_object_mut) {
        if Part::of(resource.get("weight")).number().unwrap_or_default() == 0 {
            resource.insert("weight".to_owned(), 1.into());
        }
    }
}

/// A resource's name and weight.
fn named(resource: Part<'_>) -> (&str, i64) {
    (resource.at("name").text(), resource.at("weight").number().unwrap_or_default())
}

fn weights(resources: Part<'_>) -> Cow<'static, [Weight]> {
    let weight = |resource| {
        let (name, weight) = named(resource);
        (name.to_owned().into(), weight)
    };
    resources.items().map(weight).collect()
}

/// A point as it is written.
fn point(point: Part<'_>) -> Point {
    let number = |name| point.at(name).number().unwrap_or_default();
    Point { utilization: number("utilization"), score: number("score") }
}

pub(super) fn line(shape: Part<'_>) -> Shape {
    let scaled = |at: Point| Point { score: at.score * SCORE_SCALE, ..at };
    Shape(shape.items().map(point).map(scaled).collect())
}
