//! `/scale`: how many Pods an object wants and has, in the same form for every kind that has Pods.
//!
//! Mirrors: `ScaleREST` of each registry, and `pkg/apis/autoscaling/validation`.

use std::rc::Rc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::ReplicationController;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::{Value, json};

use super::patch::patched;
use super::strategy::group_resource;
use crate::api::field::{FieldError, Path};
use crate::api::labels::Selector;
use crate::api::request::{Patch, Payload};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Object, Resource as _, to_json};

const NEGATIVE: &str = "must be greater than or equal to 0";

/// How many Pods an object wants and has, and which.
struct Scale {
    wanted: i32,
    there: i32,
    selector: String,
}

impl Scale {
    fn of(object: &Object) -> Option<Self> {
        let by = |selector: &LabelSelector| {
            Selector::from_object(Some(selector)).map(|one| one.to_string()).unwrap_or_default()
        };
        let wanted = |replicas: Option<i32>| replicas.unwrap_or_default();
        if let Some(it) = Deployment::unwrap(object) {
            let there = it.status.as_ref().and_then(|status| status.replicas).unwrap_or_default();
            Some(Self { wanted: wanted(it.spec.replicas), there, selector: by(&it.spec.selector) })
        } else if let Some(it) = ReplicaSet::unwrap(object) {
            let there = it.status.as_ref().map_or(0, |status| status.replicas);
            Some(Self { wanted: wanted(it.spec.replicas), there, selector: by(&it.spec.selector) })
        } else if let Some(it) = StatefulSet::unwrap(object) {
            let there = it.status.as_ref().map_or(0, |status| status.replicas);
            Some(Self { wanted: wanted(it.spec.replicas), there, selector: by(&it.spec.selector) })
        } else if let Some(it) = ReplicationController::unwrap(object) {
            let there = it.status.as_ref().map_or(0, |status| status.replicas);
            let spec = it.spec.as_ref();
            let labels = spec.and_then(|spec| spec.selector.as_ref());
            let selector = labels.map(|labels| Selector::from_labels(labels).to_string());
            let wanted = spec.and_then(|spec| spec.replicas).unwrap_or_default();
            Some(Self { wanted, there, selector: selector.unwrap_or_default() })
        } else {
            None
        }
    }
}

/// The `autoscaling/v1` Scale of an object; none if its kind has no Pods.
pub(super) fn scale_of(object: &Object) -> Option<Value> {
    let Scale { wanted, there, selector } = Scale::of(object)?;
    let meta = object.meta();
    Some(json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta.name, "namespace": meta.namespace, "uid": meta.uid,
            "resourceVersion": meta.resource_version,
            "creationTimestamp": to_json(&meta.creation_timestamp),
        },
        "spec": {"replicas": wanted},
        "status": {"replicas": there, "selector": selector},
    }))
}

/// The object that wants as many Pods as a written or patched Scale says.
///
/// # Errors
///
/// 422 for fewer than none, 409 if the Scale is of another version.
pub(super) fn scaled(object: &Object, payload: &Payload) -> Result<Object, StatusError> {
    let resource = object.kind().resource();
    let missing = || StatusError::not_found(group_resource(resource), object.name());
    let before = scale_of(object).ok_or_else(missing)?;
    let scale = match payload {
        Payload::Json(scale) => Value::clone(scale),
        Payload::Patch(Patch::Json { kind, patch }) => {
            patched(*kind, before, patch, "autoscaling.Scale")?
        }
        Payload::None
        | Payload::Refused(_)
        | Payload::Object(_)
        | Payload::Binding { .. }
        | Payload::Patch(_)
        | Payload::Precondition { .. } => {
            return Err(StatusError::bad_request("a Scale is required"));
        }
    };
    let wanted = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or_default();
    let Some(replicas) = i32::try_from(wanted).ok().filter(|replicas| *replicas >= 0) else {
        let path = Path::new("spec").child("replicas");
        let kind = GroupResource::new("autoscaling", "Scale");
        let errors = [FieldError::invalid(&path, wanted, NEGATIVE)];
        return Err(StatusError::invalid(kind, object.name(), &errors));
    };
    let version = scale.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    let object = with_replicas(object, replicas).ok_or_else(missing)?;
    Ok(object.with_meta(|meta| meta.resource_version = version.map(str::to_owned)))
}

fn with_replicas(object: &Object, replicas: i32) -> Option<Object> {
    if let Some(it) = Deployment::unwrap(object) {
        let mut it = Deployment::clone(it);
        it.spec.replicas = Some(replicas);
        Some(Object::Deployment(Rc::new(it)))
    } else if let Some(it) = ReplicaSet::unwrap(object) {
        let mut it = ReplicaSet::clone(it);
        it.spec.replicas = Some(replicas);
        Some(Object::ReplicaSet(Rc::new(it)))
    } else if let Some(it) = StatefulSet::unwrap(object) {
        let mut it = StatefulSet::clone(it);
        it.spec.replicas = Some(replicas);
        Some(Object::StatefulSet(Rc::new(it)))
    } else if let Some(it) = ReplicationController::unwrap(object) {
        let mut it = ReplicationController::clone(it);
        it.spec.get_or_insert_default().replicas = Some(replicas);
        Some(Object::ReplicationController(Rc::new(it)))
    } else {
        None
    }
}
