//! `pods/eviction`: a pod is deleted if no disruption budget stands against it.
//!
//! Mirrors: `pkg/registry/core/pod/storage/eviction.go`.

use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

use super::deletion;
use super::etcd::{Compare, KeyRange, Op, Put, Range, Revision, Txn, TxnOp};
use super::keys::key;
use super::pending::{Pending, Step};
use super::server::{ApiServer, ConnectionId};
use super::strategy::set_condition;
use crate::api::document::{Document, Part};
use crate::api::labels::Selector;
use crate::api::phase::PodPhase;
use crate::api::request::{Answer, Request};
use crate::api::status::{GroupResource, StatusError};
use crate::api::wire::PodStatus;
use crate::api::words::{DISRUPTION_TARGET, FALSE, READY, TRUE};
use crate::api::{Kind, Object, Pod, seconds, to_json};
use crate::sim::Ctx;

const BY_EVICTION: &str = "EvictionByEvictionAPI";
const DISRUPTION_ALLOWED: &str = "DisruptionAllowed";
const VIOLATED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
/// Evictions that a budget counts at most until it has been brought up to date.
const MOST_DISRUPTED: usize = 2000;
/// When to ask again while a budget is not up to date, in seconds.
const RETRY_AFTER: i32 = 10;

/// What an eviction has to do before the pod can go.
enum Permit {
    Free,
    /// One disruption less is left to this budget, which becomes so.
    Spend(Box<Document>),
}

impl ApiServer {
    pub(super) fn evict(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        name: &str,
    ) -> Result<(), StatusError> {
        let namespace = request.namespace();
        let eviction = request.payload.json();
        if eviction.at("metadata").at("name").text() != name {
            let why = "name in URL does not match name in Eviction object";
            return Err(StatusError::bad_request(why));
        }
        let is_dry = request.params.dry_run
            || eviction.at("deleteOptions").at("dryRun").texts().any(|what| what == "All");
        let pod = Rc::clone(self.pod(namespace, name)?);
        match self.permit(&pod, self.now(ctx))? {
            // Whether it could be deleted is still to be seen.
            _ if is_dry => {
                let pod = Object::Pod(pod);
                deletion::delete(request, &pod, true, self.now(ctx))?;
                Self::answer(ctx, from, request, Ok(Answer::Object(pod)));
                Ok(())
            }
            Permit::Free => self.change(ctx, from, request, Kind::Pod, namespace, name),
            Permit::Spend(budget) => {
                let budget = Object::from(*budget);
                let key = key(budget.kind(), budget.namespace(), budget.name());
                let version = Revision::new(budget.resource_version());
                let compare = vec![Compare::mod_revision_is(Rc::clone(&key), version)];
                let value = budget.with_meta(|meta| meta.resource_version = None);
                let failure = vec![TxnOp::Range(Range::latest(KeyRange::key(Rc::clone(&key))))];
                let success = vec![TxnOp::Put(Put { key, value, lease: None })];
                let request = Rc::clone(request);
                let pending = Pending { from, request, step: Step::Permit };
                self.wait(ctx, Op::Txn(Txn { compare, success, failure }), pending);
                Ok(())
            }
        }
    }

    /// What the budgets of a pod say to its eviction.
    fn permit(&self, pod: &Pod, now: Timestamp) -> Result<Permit, StatusError> {
        let phase = pod.status.phase.as_deref().and_then(PodPhase::parse);
        let runs = !phase.is_none_or(|it| it.is_terminal() || it == PodPhase::Pending);
        if !runs || pod.metadata.deletion_timestamp.is_some() {
            return Ok(Permit::Free);
        }
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let protects = |budget: &&Document| {
            let selector = budget.at("spec").at("selector");
            let labels = pod.metadata.labels.as_deref();
            selector.is_there() && Selector::from_part(selector).matches(labels)
        };
        let mut budgets = self.documents(Kind::PodDisruptionBudget, namespace).filter(protects);
        let Some(budget) = budgets.next() else { return Ok(Permit::Free) };
        if budgets.next().is_some() {
            return Err(StatusError::unforeseen(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does \
                 not support.",
            ));
        }
        let (spec, status) = (budget.at("spec"), budget.at("status"));
        let number = |field| status.at(field).number().unwrap_or_default();
        let (healthy, desired) = (number("currentHealthy"), number("desiredHealthy"));
        if !is_ready(pod) {
            let always = spec.at("unhealthyPodEvictionPolicy").text() == "AlwaysAllow";
            if always || healthy >= desired && desired > 0 {
                return Ok(Permit::Free);
            }
        }
        let name = budget.metadata.name.as_deref().unwrap_or_default();
        if number("observedGeneration") < budget.metadata.generation.unwrap_or_default() {
            let cause =
                format!("The disruption budget {name} is still being processed by the server.");
            return Err(refused(RETRY_AFTER, cause));
        }
        let forbidden = |why| {
            StatusError::forbidden(GroupResource::new("policy", "poddisruptionbudget"), name, why)
        };
        match number("disruptionsAllowed") {
            ..0 => Err(forbidden("pdb disruptions allowed is negative")),
            _ if status.at("disruptedPods").len() > MOST_DISRUPTED => Err(forbidden(
                "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
            )),
            0 => Err(refused(0, why_none(name, status, healthy, desired))),
            allowed => Ok(Permit::Spend(Box::new(spent(budget, pod, allowed - 1, now)))),
        }
    }
}

/// 429: the budget allows no disruption now.
fn refused(retry_after: i32, why: String) -> StatusError {
    let mut error = StatusError::too_many_requests(VIOLATED, retry_after);
    error.add_cause("DisruptionBudget", "", why);
    error
}

fn why_none(name: &str, status: Part<'_>, healthy: i64, desired: i64) -> String {
    let mut conditions = status.at("conditions").items();
    let condition = conditions.find(|one| one.at("type").text() == DISRUPTION_ALLOWED);
    let told = condition.filter(|condition| {
        condition.at("status").text() == FALSE && !condition.at("message").text().is_empty()
    });
    let told =
        told.map(|condition| (condition.at("reason").text(), condition.at("message").text()));
    let subject = format!("The disruption budget {name}");
    match told {
        Some(("SyncFailed", words)) => {
            format!(
                "{subject} does not allow evicting pods currently because it failed sync: {words}"
            )
        }
        _ if healthy <= desired => {
            format!("{subject} needs {desired} healthy pods and has {healthy} currently")
        }
        Some((reason, words)) => {
            format!("{subject} does not allow evicting pods currently ({reason}): {words}")
        }
        None => format!("{subject} does not allow evicting pods currently"),
    }
}

/// The budget once `pod` counts as gone.
fn spent(budget: &Document, pod: &Pod, left: i64, now: Timestamp) -> Document {
    let mut budget = budget.clone();
    let name = pod.metadata.name.as_deref().unwrap_or_default().to_owned();
    let generation = budget.metadata.generation;
    let Some(Value::Object(status)) = budget.fields_mut().get_mut("status") else { return budget };
    status.insert("disruptionsAllowed".to_owned(), left.into());
    let gone = status.entry("disruptedPods").or_insert_with(|| json!({}));
    if let Value::Object(gone) = gone {
        gone.insert(name, to_json(&seconds(now)));
    }
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    if let (0, Value::Array(conditions)) = (left, conditions) {
        conditions.retain(|one| Part::of(Some(one)).at("type").text() != DISRUPTION_ALLOWED);
        conditions.push(json!({
            "type": DISRUPTION_ALLOWED, "status": FALSE, "reason": "InsufficientPods", "message": "",
            "lastTransitionTime": to_json(&seconds(now)), "observedGeneration": generation,
        }));
    }
    budget
}

fn is_ready(pod: &Pod) -> bool {
    let mut conditions = pod.status.conditions.iter().flatten();
    conditions.any(|condition| condition.type_ == READY && condition.status == TRUE)
}

fn why_it_goes(pod: &Pod) -> Option<&core::PodCondition> {
    let mut conditions = pod.status.conditions.iter().flatten();
    conditions.find(|condition| condition.type_ == DISRUPTION_TARGET)
}

/// Whether a pod has the condition that says that it is evicted.
pub(super) fn is_marked(current: &Object) -> bool {
    let Object::Pod(pod) = current else { return false };
    why_it_goes(pod).is_some_and(|old| old.reason.as_deref() == Some(BY_EVICTION))
}

/// The pod that is evicted with the condition that says why it goes; none if it has that. One that goes already
/// gets it, too.
///
/// # Errors
///
/// 409 if another one was meant.
pub(super) fn marked(
    request: &Request,
    current: &Object,
    now: Timestamp,
) -> Result<Option<Object>, StatusError> {
    let Object::Pod(pod) = current else { return Ok(None) };
    if is_marked(current) {
        return Ok(None);
    }
    deletion::check_meant(request, current)?;
    let old = why_it_goes(pod);
    let since = old.filter(|old| old.status == TRUE).map(|old| old.last_transition_time.clone());
    let condition = core::PodCondition {
        type_: DISRUPTION_TARGET.to_owned(),
        status: TRUE.to_owned(),
        reason: Some(BY_EVICTION.to_owned()),
        message: Some("Eviction API: evicting".to_owned()),
        observed_generation: pod.metadata.generation,
        last_transition_time: since.unwrap_or_else(|| Some(seconds(now))),
        ..core::PodCondition::default()
    };
    let mut status = PodStatus::clone(&pod.status);
    set_condition(status.conditions.get_or_insert_default(), condition);
    Ok(Some(Object::Pod(Rc::new(Pod { status: Rc::new(status), ..Pod::clone(pod) }))))
}

/// The `DeleteOptions` of an eviction or of a delete.
pub(super) fn delete_options<'a>(request: &Request, body: &'a Value) -> Part<'a> {
    let body = Part::of(Some(body));
    if request.is_eviction() { body.at("deleteOptions") } else { body }
}
