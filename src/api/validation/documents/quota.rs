//! Quotas and limit ranges.
//!
//! Mirrors: `pkg/apis/core/validation/validation.go`.

use super::{K, N, PLAIN, Rules};
use crate::api::document::{Document, Part};
use crate::api::field::Path;
use crate::api::names;
use crate::api::quantity::{Format, Quantity};
use crate::api::text::fixed;
use crate::api::validation::IMMUTABLE;
use crate::api::validation::report::{Report, Seen};
use crate::api::validation::resources::{self, Owner};

pub(super) const QUOTA: Rules =
    Rules { check: quota, change: quota_changed, status: quota_status, ..PLAIN };
pub(super) const LIMITS: Rules = Rules { check: limits, update: &[N, K], ..PLAIN };

const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];
const OPPOSITES: [[&str; 2]; 2] =
    [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];

fn quota(out: &mut Report, quota: &Document, old: Option<&Document>) {
    let spec = quota.at("spec");
    let before = [Part::of(old.and_then(|old| old.at("spec").value().get("hard")))];
    amounts(out, spec.at("hard"), &before, &Path::new("spec").child("hard"));
    let scopes = spec.at("scopes");
    let path = Path::new("spec").child("scopes");
    for scope in scopes.texts() {
        if !SCOPES.contains(&scope) {
            out.invalid(&path, scopes.value().clone(), "unsupported scope");
        }
        for _ in spec.at("hard").entries().filter(|(name, _)| !counts_in(scope, name)) {
            out.invalid(&path, scopes.value().clone(), "unsupported scope applied to resource");
        }
    }
    let conflict = |named: &dyn Fn(&str) -> bool| {
        OPPOSITES.iter().filter(|pair| pair.iter().all(|scope| named(scope))).count()
    };
    for _ in 0..conflict(&|scope| scopes.texts().any(|own| own == scope)) {
        out.invalid(&path, scopes.value().clone(), "conflicting scopes");
    }
    let selector = spec.at("scopeSelector");
    let expressions = || selector.at("matchExpressions").items();
    for expression in expressions() {
        expression_of(out, spec, expression);
    }
    for _ in 0..conflict(&|scope| expressions().any(|own| own.at("scopeName").text() == scope)) {
        let path = Path::new("spec").child("scopeSelector").child("matchExpressions");
        let words = "conflicting scopes";
        if scopes.is_there() {
            out.invalid(&path, scopes.value().clone(), words);
        } else {
            out.invalid_nil(&path, words);
        }
    }
}

fn expression_of(out: &mut Report, spec: Part<'_>, expression: Part<'_>) {
    let path = &Path::new("spec").child("scopeSelector").child("matchExpressions");
    let scope = expression.at("scopeName").text();
    if !SCOPES.contains(&scope) {
        out.invalid_at(path, "scopeName", scope, "unsupported scope");
    }
    for _ in spec.at("hard").entries().filter(|(name, _)| !counts_in(scope, name)) {
        let shown = spec.at("scopeSelector").value().clone();
        out.invalid(path, shown, "unsupported scope applied to resource");
    }
    let operator = expression.at("operator").text();
    let only_there =
        SCOPES.contains(&scope) && !["PriorityClass", "VolumeAttributesClass"].contains(&scope);
    if only_there && operator != "Exists" {
        let words = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                     ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                     ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        out.invalid_at(path, "operator", operator, words);
    }
    let values = expression.at("values");
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            let words =
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            out.required_at(path, "values", words);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let words =
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
            out.invalid_at(path, "values", values.value().clone(), words);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => out.invalid_at(path, "operator", operator, "not a valid selector operator"),
    }
}

/// Whether every quota can count the resource, so that some of those with a scope cannot.
fn is_standard(resource: &str) -> bool {
    let amounts = ["cpu", "memory", "ephemeral-storage"];
    let amount = resource.strip_prefix("limits.").or(resource.strip_prefix("requests."));
    amounts.contains(&amount.unwrap_or(resource))
        || [
            "requests.storage",
            "pods",
            "resourcequotas",
            "services",
            "replicationcontrollers",
            "secrets",
            "persistentvolumeclaims",
            "configmaps",
            "services.nodeports",
            "services.loadbalancers",
        ]
        .contains(&resource)
}

/// Whether a quota of this scope can count the resource.
fn counts_in(scope: &str, resource: &str) -> bool {
    let compute =
        ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
    match scope {
        _ if !is_standard(resource) => true,
        "BestEffort" => resource == "pods",
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => resource == "pods" || compute.contains(&resource),
        "VolumeAttributesClass" => {
            ["persistentvolumeclaims", "requests.storage"].contains(&resource)
        }
        _ => true,
    }
}

/// Amounts, of which those that are stored are taken as they are.
fn amounts(out: &mut Report, list: Part<'_>, stored: &[Part<'_>], path: &Path) {
    for (name, amount) in list.entries() {
        let path = path.key(name);
        resources::resource_name(out, name, Owner::Quota, &path);
        let is_stored = |stored: &Part<'_>| {
            stored.at(name).is_there() && stored.at(name).quantity() == amount.quantity()
        };
        if !stored.iter().any(is_stored) {
            resources::amount(out, name, amount.text(), &path);
        }
    }
}

fn quota_changed(out: &mut Report, new: &Document, old: &Document) {
    let (now, before) = (new.at("spec").at("scopes"), old.at("spec").at("scopes"));
    let within = |some: Part<'_>, all: Part<'_>| {
        some.texts().all(|scope| all.texts().any(|other| other == scope))
    };
    if !within(now, before) || !within(before, now) {
        out.invalid(&Path::new("spec").child("scopes"), now.value().clone(), IMMUTABLE);
    }
}

fn quota_status(out: &mut Report, new: &Document, old: &Document) {
    for list in ["hard", "used"] {
        // What is hard is a copy of what is wanted.
        let stored = [old.at("status").at(list), old.at("spec").at(list)];
        amounts(out, new.at("status").at(list), &stored, &Path::new("status").child(list));
    }
}

const LISTS: [&str; 5] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

fn limits(out: &mut Report, range: &Document, _old: Option<&Document>) {
    let mut types = Seen::default();
    for (index, limit) in range.at("spec").at("limits").items().enumerate() {
        let path = Path::new("spec").child("limits").index(index);
        let of = limit.at("type").text();
        let words = names::label_key(of);
        let known = ["Container", "PersistentVolumeClaim", "Pod"];
        if words.is_empty() && !of.contains('/') && !known.contains(&of) {
            let words = "must be a standard limit type or fully qualified";
            out.invalid_at(&path, "type", of, words);
        }
        out.each(&path.child("type"), of, words);
        if !types.is_new(of) {
            out.duplicate_at(&path, "type", of);
        }
        names_in(out, limit, of, &path);
        let storage = |list: &str| limit.at(list).at("storage").is_there();
        if of == "PersistentVolumeClaim" && !storage("min") && !storage("max") {
            let words =
                "either minimum or maximum storage value is required, but neither was provided";
            out.required_at(&path, "limits", words);
        }
        let mut met = Seen::default();
        for (name, _) in LISTS.iter().flat_map(|list| limit.at(list).entries()) {
            if met.is_new(name) {
                compared(out, name, &path, &|list| list_of(limit, of, list).at(name).quantity());
            }
        }
    }
}

/// A list of a limit; that of a Pod has no defaults.
fn list_of<'a>(limit: Part<'a>, of: &str, list: &str) -> Part<'a> {
    if of == "Pod" && list.starts_with("default") { Part::of(None) } else { limit.at(list) }
}

fn names_in(out: &mut Report, limit: Part<'_>, of: &str, path: &Path) {
    let owner = if ["Pod", "Container"].contains(&of) { Owner::Container } else { Owner::Any };
    for list in LISTS {
        let path = path.child(list);
        if !limit.at(list).is_empty() && list_of(limit, of, list).is_empty() {
            out.forbidden(&path, "may not be specified when `type` is 'Pod'");
        }
        for (name, _) in list_of(limit, of, list).entries() {
            resources::resource_name(out, name, owner, &path.key(name));
        }
    }
}

/// Checks that the amounts of one resource are in order.
fn compared(out: &mut Report, name: &str, path: &Path, of: &dyn Fn(&str) -> Option<Quantity>) {
    // The lower amount, the higher, the field that is wrong, the value that is shown, and the words.
    let pairs = [
        ("min", "max", "min", "min", "min value {} is greater than max value {}"),
        (
            "min",
            "defaultRequest",
            "defaultRequest",
            "defaultRequest",
            "min value {} is greater than default request value {}",
        ),
        (
            "defaultRequest",
            "max",
            "defaultRequest",
            "defaultRequest",
            "default request value {} is greater than max value {}",
        ),
        (
            "defaultRequest",
            "default",
            "defaultRequest",
            "defaultRequest",
            "default request value {} is greater than default limit value {}",
        ),
        ("min", "default", "default", "min", "min value {} is greater than default value {}"),
        ("default", "max", "default", "max", "default value {} is greater than max value {}"),
    ];
    for (lower, higher, field, shown, words) in pairs {
        if let (Some(low), Some(high)) = (of(lower), of(higher))
            && low > high
        {
            let words =
                words.replacen("{}", &low.to_string(), 1).replacen("{}", &high.to_string(), 1);
            let shown = if shown == lower { low } else { high };
            out.invalid(&path.child(field).key(name), shown.to_string(), words);
        }
    }
    ratio(out, name, path, of);
    if !resources::overcommits(name)
        && let (Some(limit), Some(request)) = (of("default"), of("defaultRequest"))
        && limit != request
    {
        let words =
            format!("default value {limit} must equal to defaultRequest value {request} in {name}");
        out.invalid(&path.child("defaultRequest").key(name), request.to_string(), words);
    }
}

fn ratio(out: &mut Report, name: &str, path: &Path, of: &dyn Fn(&str) -> Option<Quantity>) {
    let Some(ratio) = of("maxLimitRequestRatio") else { return };
    let path = path.child("maxLimitRequestRatio").key(name);
    if ratio < Quantity::new(1, Format::DecimalSi) {
        out.invalid(&path, ratio.to_string(), format!("ratio {ratio} is less than 1"));
    }
    if let (Some(min), Some(max)) = (of("min"), of("max")) {
        let most = max.to_f64() / min.to_f64();
        if ratio.to_f64() > most {
            let words = format!("ratio {ratio} is greater than max/min = {}", fixed(most, 6));
            out.invalid(&path, ratio.to_string(), words);
        }
    }
}
