//! The arguments of the plugins that look at resources.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Args, At, label_key, within};
use crate::api::field::{FieldError, Path};
use crate::scheduler::plugins::{BalancedAllocation, Fit, Point, Shape, Strategy, Weight};

/// In the configuration the best score is 10, in the plugin 100.
const SCORE_SCALE: i64 = 10;
const MOST_SCORE: i32 = 10;
const LEAST: &str = "LeastAllocated";
const MOST: &str = "MostAllocated";
const RATIO: &str = "RequestedToCapacityRatio";

/// `NodeResourcesFitArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct FitArgs {
    ignored_resources: Vec<String>,
    ignored_resource_groups: Vec<String>,
    scoring_strategy: Option<ScoringStrategy>,
}

/// `NodeResourcesBalancedAllocationArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BalancedAllocationArgs {
    resources: Vec<ResourceSpec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScoringStrategy {
    r#type: String,
    resources: Vec<ResourceSpec>,
    requested_to_capacity_ratio: Option<RequestedToCapacityRatio>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResourceSpec {
    name: String,
    weight: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RequestedToCapacityRatio {
    shape: Vec<UtilizationShapePoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UtilizationShapePoint {
    utilization: i32,
    score: i32,
}

impl Args for FitArgs {
    type Plugin = Fit;

    fn set_defaults(&mut self) {
        let strategy = self.scoring_strategy.get_or_insert_with(|| ScoringStrategy {
            r#type: LEAST.to_owned(),
            ..ScoringStrategy::default()
        });
        default_resources(&mut strategy.resources);
    }

    fn check(&self, at: &At, wrong: &mut Vec<FieldError>) {
        let path = at.field("ignoredResources");
        for (index, name) in self.ignored_resources.iter().enumerate() {
            label_key(wrong, &path.index(index), name);
        }
        let path = at.field("ignoredResourceGroups");
        for (index, group) in self.ignored_resource_groups.iter().enumerate() {
            let path = path.index(index);
            if group.contains('/') {
                let detail = "resource group name can't contain '/'";
                wrong.push(FieldError::invalid(&path, group.as_str(), detail));
            }
            label_key(wrong, &path, group);
        }
        let path = at.field("scoringStrategy");
        match &self.scoring_strategy {
            Some(strategy) => strategy.check(&path, wrong),
            None => wrong.push(FieldError::required(&path, "ScoringStrategy field is required")),
        }
    }

    fn plugin(self) -> Fit {
        let strategy = self.scoring_strategy.unwrap_or_default();
        let shape = strategy.requested_to_capacity_ratio.unwrap_or_default().shape;
        Fit {
            strategy: match strategy.r#type.as_str() {
                MOST => Strategy::MostAllocated,
                RATIO => Strategy::RequestedToCapacityRatio(line(&shape)),
                _ => Strategy::LeastAllocated,
            },
            resources: weights(strategy.resources),
            ignored: self.ignored_resources.into(),
            ignored_groups: self.ignored_resource_groups.into(),
        }
    }
}

impl Args for BalancedAllocationArgs {
    type Plugin = BalancedAllocation;

    fn set_defaults(&mut self) {
        default_resources(&mut self.resources);
    }

    fn check(&self, at: &At, wrong: &mut Vec<FieldError>) {
        let path = at.field("resources");
        for (index, resource) in self.resources.iter().enumerate() {
            let path = path.index(index);
            let before = self.resources.iter().take(index);
            if before.into_iter().any(|other| other.name == resource.name) {
                wrong.push(FieldError::duplicate(&path.child("name"), resource.name.as_str()));
            }
            if resource.weight != 1 {
                let path = path.child("weight");
                wrong.push(FieldError::invalid(&path, resource.weight, "must be 1"));
            }
        }
    }

    fn plugin(self) -> BalancedAllocation {
        BalancedAllocation { resources: weights(self.resources) }
    }
}

impl ScoringStrategy {
    fn check(&self, path: &Path, wrong: &mut Vec<FieldError>) {
        let kind = self.r#type.as_str();
        if ![LEAST, MOST, RATIO].contains(&kind) {
            let path = path.child("type");
            wrong.push(FieldError::not_supported(&path, kind, &[LEAST, MOST, RATIO]));
        }
        let resources = path.child("resources");
        for (index, ResourceSpec { name, weight }) in self.resources.iter().enumerate() {
            if !(1..=100).contains(weight) {
                let detail = format!("resource weight of {name} not in valid range (0, 100]");
                let path = resources.index(index).child("weight");
                wrong.push(FieldError::invalid(&path, *weight, detail));
            }
        }
        let path = path.child("requestedToCapacityRatio");
        match &self.requested_to_capacity_ratio {
            Some(ratio) if kind == RATIO => check_shape(&ratio.shape, &path.child("shape"), wrong),
            Some(_) => {
                let detail = "must be nil when type is not RequestedToCapacityRatio";
                wrong.push(FieldError::forbidden(&path, detail));
            }
            None if kind == RATIO => {
                let detail = "must be specified when type is RequestedToCapacityRatio";
                wrong.push(FieldError::required(&path, detail));
            }
            None => {}
        }
    }
}

fn check_shape(shape: &[UtilizationShapePoint], path: &Path, wrong: &mut Vec<FieldError>) {
    if shape.is_empty() {
        wrong.push(FieldError::required(path, "at least one point must be specified"));
        return;
    }
    let mut steps = shape.iter().zip(shape.iter().skip(1)).zip(1..);
    if let Some(((_, later), index)) =
        steps.find(|((earlier, later), _)| earlier.utilization >= later.utilization)
    {
        let path = path.index(index).child("utilization");
        let detail = "values must be sorted in increasing order";
        wrong.push(FieldError::invalid(&path, later.utilization, detail));
    }
    for (index, point) in shape.iter().enumerate() {
        let path = path.index(index);
        within(wrong, &path.child("utilization"), point.utilization, 0, 100);
        within(wrong, &path.child("score"), point.score, 0, MOST_SCORE);
    }
}

/// CPU and memory if none is named; one that has no weight counts once.
fn default_resources(resources: &mut Vec<ResourceSpec>) {
    if resources.is_empty() {
        let spec = |name: &str| ResourceSpec { name: name.to_owned(), weight: 1 };
        resources.extend(["cpu", "memory"].map(spec));
    }
    for resource in resources.iter_mut().filter(|resource| resource.weight == 0) {
        resource.weight = 1;
    }
}

fn weights(resources: Vec<ResourceSpec>) -> Cow<'static, [Weight]> {
    resources.into_iter().map(|ResourceSpec { name, weight }| (name.into(), weight)).collect()
}

fn line(shape: &[UtilizationShapePoint]) -> Shape {
    let point = |point: &UtilizationShapePoint| Point {
        utilization: point.utilization.into(),
        score: i64::from(point.score) * SCORE_SCALE,
    };
    Shape(shape.iter().map(point).collect())
}
