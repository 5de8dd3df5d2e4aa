//! The strategies of documents, by their kind.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Birth, count, identify, keep_identity};
use crate::api::document::Document;
use crate::api::request::Subresource;
use crate::api::{Kind, Object};
use crate::apiserver::definitions::note_stored_version;
use crate::apiserver::services;

/// Kinds of which `metadata.generation` counts the changes of what is wanted.
const COUNTED: [Kind; 16] = [
    Kind::CSIDriver,
    Kind::CronJob,
    Kind::CustomResourceDefinition,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::EndpointSlice,
    Kind::Ingress,
    Kind::IngressClass,
    Kind::Job,
    Kind::NetworkPolicy,
    Kind::PodDisruptionBudget,
    Kind::PodTemplate,
    Kind::PriorityClass,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::StatefulSet,
];

fn is_counted(kind: Kind) -> bool {
    COUNTED.contains(&kind) || kind.custom().is_some()
}

/// The status of a `CSINode` belongs to a feature that is off by default, so nobody writes it.
fn has_status(kind: Kind) -> bool {
    kind == Kind::CSINode || kind.resource().subresources.contains(&"status")
}

/// A `document` as it begins.
pub(super) fn newborn(document: &Document, namespace: Option<&str>, birth: &Birth) -> Object {
    let mut document = document.clone();
    let kind = document.kind();
    identify(&mut document.metadata, namespace, birth, is_counted(kind));
    if kind == Kind::Service {
        services::normalize(&mut document, None);
    } else if kind == Kind::Secret {
        store_texts(&mut document);
    } else if kind == Kind::Job {
        select_by_uid(&mut document, &birth.uid);
    } else if kind == Kind::DaemonSet {
        // A retired field.
        let annotations = document.metadata.annotations_mut();
        annotations.insert("deprecated.daemonset.template.generation".to_owned(), "1".to_owned());
    }
    if has_status(kind) {
        document.forget_status();
    }
    if kind == Kind::CustomResourceDefinition {
        note_stored_version(&mut document);
    } else if kind == Kind::Namespace {
        hold(&mut document);
    }
    Object::Document(Rc::new(document))
}

/// A namespace is only gone once its content is.
fn hold(namespace: &mut Document) {
    let spec = part(namespace.fields_mut(), "spec");
    let names =
        spec.and_then(|spec| spec.entry("finalizers").or_insert_with(|| json!([])).as_array_mut());
    if let Some(names) = names.filter(|names| names.iter().all(|name| name != "kubernetes")) {
        names.push("kubernetes".into());
    }
}

/// What was sent to a secret as text is stored as bytes.
fn store_texts(secret: &mut Document) {
    let fields = secret.fields_mut();
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return };
    if let Some(data) = part(fields, "data") {
        let text = |value: &Value| STANDARD.encode(value.as_str().unwrap_or_default());
        data.extend(texts.iter().map(|(key, value)| (key.clone(), text(value).into())));
    }
}

/// A job selects its Pods by its own uid, unless it says that it does so itself.
fn select_by_uid(job: &mut Document, uid: &str) {
    let name = job.metadata.name.clone().unwrap_or_default();
    let Some(spec) = job.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if spec.get("manualSelector") == Some(&Value::Bool(true)) {
        return;
    }
    let labels = ["template", "metadata", "labels"].into_iter().try_fold(&mut *spec, part);
    if let Some(labels) = labels {
        for (key, value) in [("controller-uid", uid), ("job-name", &name)] {
            for key in [key.to_owned(), format!("batch.kubernetes.io/{key}")] {
                labels.entry(key).or_insert_with(|| value.into());
            }
        }
    }
    let own = ["selector", "matchLabels"].into_iter().try_fold(spec, part);
    if let Some(own) = own {
        own.insert("batch.kubernetes.io/controller-uid".to_owned(), uid.into());
    }
}

fn part<'a>(of: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    of.entry(name).or_insert_with(|| json!({})).as_object_mut()
}

/// `new` with all that an update does not change taken from `current`.
pub(super) fn successor(new: &Document, current: &Object, part: Option<Subresource>) -> Object {
    let mut next = new.clone();
    // The path says which kind; a body of another is refused before.
    if let Some(current) = current.document() {
        keep_identity(&mut next.metadata, &current.metadata);
        follow(&mut next, current, part);
    }
    Object::Document(Rc::new(next))
}

fn follow(next: &mut Document, current: &Document, part: Option<Subresource>) {
    let kind = next.kind();
    if part == Some(Subresource::Status) && kind.custom().is_some() {
        let new = std::mem::replace(next, current.as_kind(kind));
        next.take("status", &new);
        next.metadata.managed_fields = new.metadata.managed_fields;
        next.metadata.resource_version = None;
        return;
    }
    if part == Some(Subresource::Status) {
        next.take("spec", current);
        if kind == Kind::Deployment {
            next.metadata.labels.clone_from(&current.metadata.labels);
        }
        return;
    }
    if has_status(kind) {
        next.take("status", current);
    }
    if kind == Kind::Namespace && part.is_none() {
        // Its finalizers have a part of their own.
        next.take("spec", current);
    }
    if kind == Kind::CustomResourceDefinition {
        note_stored_version(next);
    } else if kind == Kind::Service {
        services::normalize(next, Some(current));
    } else if kind == Kind::Secret {
        store_texts(next);
    }
    if is_counted(kind) {
        // Annotations of a deployment count, too: the controller copies them to its replica sets.
        let annotations =
            kind == Kind::Deployment && next.metadata.annotations != current.metadata.annotations;
        let own = if has_status(kind) { "status" } else { "" };
        let changed = next.differs(current, own) || annotations;
        count(&mut next.metadata, changed);
    }
}

/// Whether an update of a document of `kind` need not say of which version it was made.
pub(super) fn allows_any_version(kind: Kind) -> bool {
    const OF_A_VERSION: [Kind; 6] = [
        Kind::CSIDriver,
        Kind::CSINode,
        Kind::CSIStorageCapacity,
        Kind::CustomResourceDefinition,
        Kind::RuntimeClass,
        Kind::VolumeAttachment,
    ];
    !OF_A_VERSION.contains(&kind) && kind.custom().is_none()
}
