//! `RuntimeClass`: what the class of a new pod says of where it may run and of what it takes to run it.
//!
//! Mirrors: `plugin/pkg/admission/runtimeclass` and `pkg/util/tolerations`.

use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::api::core::v1::Toleration;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Wire;

use super::admission::forbidden;
use super::server::ApiServer;
use crate::api::quantity::Quantity;
use crate::api::status::StatusError;
use crate::api::text::go_quote;
use crate::api::validation::runtime_class::of_pods;
use crate::api::wire::PodSpec;
use crate::api::words::NO_EXECUTE;
use crate::api::{Document, Kind, Pod};

const OTHER_OVERHEAD: &str =
    "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const OWN_OVERHEAD: &str =
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

type List = Option<BTreeMap<String, Wire>>;

impl ApiServer {
    /// A pod that names a class, with what the class says. Few do, so that this comes later to the page.
    ///
    /// # Errors
    ///
    /// 403 if there is no such class, or it says something else than the pod.
    #[inline(never)]
    pub(super) fn admit_class(&self, pod: &mut Pod) -> Result<(), StatusError> {
        let Some(name) = pod.spec.runtime_class_name.as_deref() else { return Ok(()) };
        if name.is_empty() {
            // Upstream's own client refuses to ask.
            return Err(StatusError::unforeseen("resource name may not be empty"));
        }
        let Some(class) = self.class(name) else {
            let why = ["pod rejected: RuntimeClass ", &go_quote(name), " not found"].concat();
            return Err(forbidden(Kind::Pod, &pod.metadata, why));
        };
        let (said, mut spec) = (of_pods(class), PodSpec::clone(&pod.spec));
        apply(&mut spec, said, class).map_err(|why| forbidden(Kind::Pod, &pod.metadata, why))?;
        pod.spec = Rc::new(spec);
        Ok(())
    }

    /// Checks that a pod has the overhead of its class, or none. Few have either, so that this comes later to the page.
    ///
    /// # Errors
    ///
    /// 403 if it has another.
    #[inline(never)]
    pub(super) fn check_overhead(&self, pod: &Pod) -> Result<(), StatusError> {
        let class = pod.spec.runtime_class_name.as_deref().and_then(|name| self.class(name));
        let is_wrong = match class.filter(|class| class.at("overhead").is_there()) {
            Some(class) if !is_same(&of_pods(class).overhead, &pod.spec.overhead) => OTHER_OVERHEAD,
            None if pod.spec.overhead.is_some() => OWN_OVERHEAD,
            Some(_) | None => return Ok(()),
        };
        Err(forbidden(Kind::Pod, &pod.metadata, is_wrong.to_owned()))
    }

    fn class(&self, name: &str) -> Option<&Document> {
        self.object(Kind::RuntimeClass, "", name)?.document().map(Rc::as_ref)
    }
}

/// Adds to `spec` what its `class` has `said`.
fn apply(spec: &mut PodSpec, said: PodSpec, class: &Document) -> Result<(), String> {
    if class.at("overhead").is_there() {
        if spec.overhead.is_some() && !is_same(&said.overhead, &spec.overhead) {
            return Err(OTHER_OVERHEAD.to_owned());
        }
        spec.overhead = said.overhead;
    }
    if !class.at("scheduling").is_there() {
        return Ok(());
    }
    for (key, value) in said.node_selector.into_iter().flatten() {
        let own = spec.node_selector.get_or_insert_default();
        if let Some(own) = own.get(&key).filter(|own| **own != value) {
            let of_class = format!("runtimeClass.scheduling.nodeSelector[{key}] = {value}");
            return Err(format!("conflict: {of_class}; pod.spec.nodeSelector[{key}] = {own}"));
        }
        own.insert(key, value);
    }
    let mut all = spec.tolerations.take().unwrap_or_default();
    all.extend(said.tolerations.into_iter().flatten());
    let merged = merged(&all);
    spec.tolerations = (!merged.is_empty()).then_some(merged);
    Ok(())
}

/// Whether two lists have the same amounts, however they are written.
fn is_same(one: &List, other: &List) -> bool {
    let amounts = |list: &List| -> Vec<_> {
        let read = |(name, wire): (&String, &Wire)| (name.clone(), Quantity::parse(&wire.0).ok());
        list.iter().flatten().map(read).collect()
    };
    amounts(one) == amounts(other)
}

/// Those that no other one makes needless, of equal ones the first.
fn merged(all: &[Toleration]) -> Vec<Toleration> {
    let mut merged: Vec<Toleration> = Vec::new();
    for (place, one) in all.iter().enumerate() {
        let later = all.iter().skip(place + 1).filter(|later| *later != one);
        if !merged.iter().chain(later).any(|other| other == one || is_wider(other, one)) {
            merged.push(one.clone());
        }
    }
    merged
}

/// Whether `wide` tolerates all that `one` does.
fn is_wider(wide: &Toleration, one: &Toleration) -> bool {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let is_wanted = |wide: String, one: String, any: bool| wide == one || wide.is_empty() && any;
    let operator = text(&wide.operator);
    let is_for_all = operator == "Exists";
    let lasts = match (wide.toleration_seconds, one.toleration_seconds) {
        (Some(wide), Some(one)) => one <= wide,
        (Some(_), None) => false,
        (None, _) => true,
    };
    let is_bound = text(&wide.effect) == NO_EXECUTE;
    is_wanted(text(&wide.key), text(&one.key), is_for_all)
        && is_wanted(text(&wide.effect), text(&one.effect), true)
        && (lasts || !is_bound)
        && match &*operator {
            // Upstream takes an operator that is left out for no `Equal` here.
            "" | "Equal" => text(&one.operator) == "Equal" && text(&wide.value) == text(&one.value),
            _ => is_for_all,
        }
}
