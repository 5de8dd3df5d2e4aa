//! `LimitRanger`: what the limit ranges of a namespace add to a new pod, and what they refuse.
//!
//! Mirrors: `plugin/pkg/admission/limitranger/admission.go`.

use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Wire;

use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::defaults::{pod_limits, pod_requests};
use crate::api::document::{Document, Part};
use crate::api::quantity::Quantity;
use crate::api::status::StatusError;
use crate::api::text::fixed;
use crate::api::wire::Container;
use crate::api::{Kind, Pod};
use crate::sim::SortedMap;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

type Amounts = SortedMap<String, Quantity>;

impl ApiServer {
    /// Gives a pod the requests and limits that its namespace has for those who say nothing.
    pub(super) fn fill_in_limits(&self, pod: &mut Pod, namespace: &str) {
        for range in self.documents(Kind::LimitRange, namespace) {
            fill_in(pod, range);
        }
    }

    /// # Errors
    ///
    /// 403 with all that is outside the limits.
    pub(super) fn check_limits(&self, pod: &Pod, namespace: &str) -> Result<(), StatusError> {
        let mut wrong = Vec::new();
        for limit in self.documents(Kind::LimitRange, namespace).flat_map(limits) {
            match limit.at("type").text() {
                of @ "Container" => {
                    let first = pod.spec.init_containers.iter().flatten();
                    for container in first.chain(&pod.spec.containers) {
                        let own = container.resources.clone().unwrap_or_default();
                        let lists = (amounts(own.requests), amounts(own.limits));
                        check(&mut wrong, limit, of, &lists);
                    }
                }
                of @ "Pod" => {
                    let lists = (pod_requests(&pod.spec), pod_limits(&pod.spec));
                    check(&mut wrong, limit, of, &lists);
                }
                _ => {}
            }
        }
        refused(Kind::Pod, pod.metadata.name.as_deref(), &wrong)
    }

    /// # Errors
    ///
    /// 403 if a claim asks for less or for more storage than its namespace allows.
    pub(super) fn check_claim(&self, claim: &Document, namespace: &str) -> Result<(), StatusError> {
        let mut wrong = Vec::new();
        let asked = claim.at("spec").at("resources").at("requests");
        for limit in self.documents(Kind::LimitRange, namespace).flat_map(limits) {
            let of = limit.at("type").text();
            if of != "PersistentVolumeClaim" {
                continue;
            }
            for (bound, is_low) in [("min", true), ("max", false)] {
                for (name, bound) in limit.at(bound).entries() {
                    let (Some(bound), asked) = (bound.quantity(), asked.at(name).quantity()) else {
                        continue;
                    };
                    let most = if is_low { "minimum" } else { "maximum" };
                    let rule = format!("{most} {name} usage per {of} is {bound}");
                    match asked {
                        None => wrong.push(format!("{rule}.  No request is specified")),
                        Some(asked) if is_low && asked < bound || !is_low && asked > bound => {
                            wrong.push(format!("{rule}, but request is {asked}"));
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        refused(Kind::PersistentVolumeClaim, claim.metadata.name.as_deref(), &wrong)
    }
}

fn limits(range: &Document) -> impl Iterator<Item = Part<'_>> {
    range.at("spec").at("limits").items()
}

/// Several reasons stand in brackets.
fn refused(kind: Kind, name: Option<&str>, wrong: &[String]) -> Result<(), StatusError> {
    let why = match wrong {
        [] => return Ok(()),
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    };
    let resource = group_resource(kind.resource());
    Err(StatusError::forbidden(resource, name.unwrap_or_default(), why))
}

fn amounts(list: Option<BTreeMap<String, Wire>>) -> Amounts {
    let mut amounts = Amounts::new();
    for (name, wire) in list.into_iter().flatten() {
        if let Ok(amount) = Quantity::parse(&wire.0) {
            amounts.insert(name, amount);
        }
    }
    amounts
}

/// Gives each container what it left open, and says so in an annotation.
fn fill_in(pod: &mut Pod, range: &Document) {
    let of_containers = || limits(range).filter(|limit| limit.at("type").text() == "Container");
    let mut said = Vec::new();
    let mut spec = (*pod.spec).clone();
    let first = spec.containers.iter_mut().map(|container| (container, "container"));
    let then = spec.init_containers.iter_mut().flatten();
    for (container, what) in first.chain(then.map(|container| (container, "init container"))) {
        let mut own = container.resources.take().unwrap_or_default();
        for (list, is_request) in [("defaultRequest", true), ("default", false)] {
            let missing = missing(&own, of_containers(), list, is_request);
            if missing.is_empty() {
                continue;
            }
            let names: Vec<&str> = missing.keys().map(String::as_str).collect();
            let sort = if is_request { "request" } else { "limit" };
            said.push(format!("{} {sort} for {what} {}", names.join(", "), container.name));
            let to = if is_request { &mut own.requests } else { &mut own.limits };
            let to = to.get_or_insert_default();
            for (name, amount) in missing {
                to.insert(name, amount);
            }
        }
        container.resources = Some(own);
    }
    if said.is_empty() {
        return;
    }
    pod.spec = Rc::new(spec);
    pod.metadata
        .annotations_mut()
        .insert(ANNOTATION.to_owned(), format!("LimitRanger plugin set: {}", said.join("; ")));
}

fn missing<'a>(
    own: &ResourceRequirements,
    limits: impl Iterator<Item = Part<'a>>,
    list: &str,
    is_request: bool,
) -> BTreeMap<String, Wire> {
    let there = if is_request { own.requests.as_ref() } else { own.limits.as_ref() };
    let mut missing = BTreeMap::new();
    for (name, amount) in limits.flat_map(|limit| limit.at(list).entries()) {
        if !there.is_some_and(|there| there.contains_key(name)) {
            missing.insert(name.to_owned(), Wire(amount.text().to_owned()));
        }
    }
    missing
}

/// Checks requests and limits against one limit.
fn check(
    wrong: &mut Vec<String>,
    limit: Part<'_>,
    of: &str,
    (requests, limits): &(Amounts, Amounts),
) {
    for (name, least) in limit.at("min").entries() {
        let Some(least) = least.quantity() else { continue };
        let rule = format!("minimum {name} usage per {of} is {least}");
        match (requests.get(name), limits.get(name)) {
            (None, _) => wrong.push(format!("{rule}.  No request is specified")),
            (Some(request), _) if *request < least => {
                wrong.push(format!("{rule}, but request is {request}"));
            }
            (Some(_), Some(limit)) if *limit < least => {
                wrong.push(format!("{rule}, but limit is {limit}"));
            }
            (Some(_), _) => {}
        }
    }
    for (name, most) in limit.at("max").entries() {
        let Some(most) = most.quantity() else { continue };
        let rule = format!("maximum {name} usage per {of} is {most}");
        match (requests.get(name), limits.get(name)) {
            (_, None) => wrong.push(format!("{rule}.  No limit is specified")),
            (_, Some(limit)) if *limit > most => {
                wrong.push(format!("{rule}, but limit is {limit}"));
            }
            (Some(request), Some(_)) if *request > most => {
                wrong.push(format!("{rule}, but request is {request}"));
            }
            (_, Some(_)) => {}
        }
    }
    for (name, most) in limit.at("maxLimitRequestRatio").entries() {
        let Some(most) = most.quantity() else { continue };
        let rule = format!("{name} max limit to request ratio per {of} is {most}");
        let given = |list: &Amounts| list.get(name).filter(|amount| !amount.is_zero()).cloned();
        match (given(requests), given(limits)) {
            (None, _) => wrong.push(format!("{rule}, but no request is specified or request is 0")),
            (_, None) => wrong.push(format!("{rule}, but no limit is specified or limit is 0")),
            (Some(request), Some(limit)) => {
                let ratio = limit.to_f64() / request.to_f64();
                if ratio > most.to_f64() {
                    wrong.push(format!("{rule}, but provided ratio is {}", fixed(ratio, 6)));
                }
            }
        }
    }
}

/// The containers whose resources a quota counts.
pub(super) fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.spec.init_containers.iter().flatten().chain(&pod.spec.containers)
}
