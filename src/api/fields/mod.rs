//! Field selectors: `status.phase=Running,spec.nodeName!=n1`, and the fields that each kind has.
//!
//! Mirrors: `apimachinery/pkg/fields`, and what each kind's registry lets be selected.

mod documents;
mod kinds;
mod selector;

use std::borrow::Cow;

pub use documents::field as of_document;
pub use selector::{
    FieldOperator, FieldSelector, FieldSelectorError, FieldTerm, escape, split_term, split_terms,
    unescape,
};

/// Kinds whose objects can be selected by fields; name and namespace are fields of every kind.
pub trait Selectable {
    /// The value of a field of its own; none if it has no such field.
    fn field(&self, _field: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// The fields by which objects of `kind` can be selected, sorted.
pub fn supported_fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" => &[
            "metadata.name",
            "metadata.namespace",
            "spec.hostNetwork",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.nominatedNodeName",
            "status.phase",
            "status.podIP",
            "status.podIPs",
        ],
        "Node" => &["metadata.name", "spec.unschedulable"],
        "Namespace" => &["metadata.name", "status.phase"],
        "Secret" => &["metadata.name", "metadata.namespace", "type"],
        "Event" => &[
            "involvedObject.apiVersion",
            "involvedObject.fieldPath",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.resourceVersion",
            "involvedObject.uid",
            "metadata.name",
            "metadata.namespace",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "Service" => &["metadata.name", "metadata.namespace", "spec.clusterIP", "spec.type"],
        "ReplicationController" => &["metadata.name", "metadata.namespace", "status.replicas"],
        "Job" => &["metadata.name", "metadata.namespace", "status.successful"],
        "CertificateSigningRequest" => &["metadata.name", "spec.signerName"],
        "PersistentVolume" | "StorageClass" | "PriorityClass" | "ClusterRole"
        | "ClusterRoleBinding" | "CSIDriver" | "CSINode" | "RuntimeClass" | "VolumeAttachment" => {
            &["metadata.name"]
        }
        _ => &["metadata.name", "metadata.namespace"],
    }
}
