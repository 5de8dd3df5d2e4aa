//! `/scale`: how many Pods an object wants and has, in the same form for every kind that has Pods.
//!
//! Mirrors: `ScaleREST` of each registry, and `pkg/apis/autoscaling/validation`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::{Value, json};

use super::patch::patched;
use super::strategy::group_resource;
use crate::api::custom::{self, JsonPath};
use crate::api::decode::decode;
use crate::api::field::{FieldError, Path};
use crate::api::labels::Selector;
use crate::api::request::{Patch, Payload};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Document, Kind, Object, to_json};

const VERSION: &str = "autoscaling/v1";
const NEGATIVE: &str = "must be greater than or equal to 0";

/// Kinds that have Pods, and say how many.
const SCALED: [Kind; 4] =
    [Kind::Deployment, Kind::ReplicaSet, Kind::ReplicationController, Kind::StatefulSet];

/// How many Pods an object wants and has, and which.
struct Scale {
    wanted: i64,
    there: i64,
    selector: String,
}

impl Scale {
    fn of_custom(object: &Object, at: &custom::Scale) -> Option<Self> {
        let object = object.document()?.to_json();
        let number = |path: &JsonPath| path.find(&object).and_then(Value::as_i64);
        let selector = at.selector.as_ref().and_then(|path| path.find(&object)?.as_str());
        Some(Self {
            wanted: number(&at.wanted).unwrap_or_default(),
            there: number(&at.there).unwrap_or_default(),
            selector: selector.unwrap_or_default().to_owned(),
        })
    }

    fn of(object: &Object) -> Option<Self> {
        if let Some(custom) = object.kind().custom() {
            return Self::of_custom(object, custom.scale()?);
        }
        let document = object.document().filter(|document| SCALED.contains(&document.kind()))?;
        let (spec, selector) = (document.at("spec"), document.at("spec").at("selector"));
        let selector = if document.kind() == Kind::ReplicationController {
            decode::<LabelSelector>(&json!({"matchLabels": selector.value()}))
        } else {
            decode::<LabelSelector>(selector.value())
        };
        let selector = selector.map(|decoded| decoded.object).unwrap_or_default();
        Some(Self {
            wanted: spec.at("replicas").number().unwrap_or_default(),
            there: document.at("status").at("replicas").number().unwrap_or_default(),
            selector: Selector::from_object(Some(&selector))
                .map(|one| one.to_string())
                .unwrap_or_default(),
        })
    }
}

/// The `autoscaling/v1` Scale of an object; none if its kind has no Pods.
pub(super) fn scale_of(object: &Object) -> Option<Value> {
    let Scale { wanted, there, selector } = Scale::of(object)?;
    let meta = object.meta();
    Some(json!({
        "kind": "Scale",
        "apiVersion": VERSION,
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
        | Payload::Alike { .. }
        | Payload::Binding { .. }
        | Payload::Patch(_)
        | Payload::Precondition { .. } => {
            return Err(StatusError::bad_request("a Scale is required"));
        }
    };
    let sent = scale.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if !sent.is_empty() && sent != VERSION {
        return Err(StatusError::bad_request(format!(
            "the API version in the data ({sent}) does not match the expected API version ({VERSION})"
        )));
    }
    let wanted = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or_default();
    let Some(replicas) = i32::try_from(wanted).ok().filter(|replicas| *replicas >= 0) else {
        let path = Path::new("spec").child("replicas");
        let kind = GroupResource::new("autoscaling", "Scale");
        let errors = [FieldError::invalid(&path, wanted, NEGATIVE)];
        return Err(StatusError::invalid(kind, object.name(), &errors));
    };
    let version = scale.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    let object = with_replicas(object, replicas).ok_or_else(missing)?;
    Ok(object.with_meta(|meta| meta.resource_version = version.map(Into::into)))
}

fn with_replicas(object: &Object, replicas: i32) -> Option<Object> {
    let mut document = Document::clone(object.document()?);
    let path = match document.kind().custom() {
        Some(custom) => custom.scale()?.wanted.fields()?,
        None => vec!["spec", "replicas"],
    };
    let (last, above) = path.split_last()?;
    let mut part = document.fields_mut();
    for name in above {
        part = part.entry(*name).or_insert_with(|| json!({})).as_object_mut()?;
    }
    part.insert((*last).to_owned(), replicas.into());
    Some(document.into())
}
