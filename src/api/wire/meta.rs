//! What objects of all kinds have: their metadata.
//!
//! Each write makes a new version of an object, most of whose metadata are those of the version before.
//! They are shared, so that a version costs as much as what is new in it.

use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Labels or annotations.
pub type Texts = BTreeMap<String, String>;

/// An object's metadata. Mirrors: `apimachinery/pkg/apis/meta/v1.ObjectMeta`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Rc<Texts>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finalizers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generate_name: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Rc<Texts>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_fields: Option<Rc<Vec<ManagedFieldsEntry>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_references: Option<Rc<Vec<OwnerReference>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<Rc<str>>,
}

impl ObjectMeta {
    /// Who it belongs to.
    pub fn owners(&self) -> &[OwnerReference] {
        self.owner_references.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Who owns which of its fields, if anybody is written down.
    pub fn managers(&self) -> Option<&[ManagedFieldsEntry]> {
        self.managed_fields.as_deref().map(Vec::as_slice)
    }

    /// Its labels, to change.
    pub fn labels_mut(&mut self) -> &mut Texts {
        Rc::make_mut(self.labels.get_or_insert_default())
    }

    /// Its annotations, to change.
    pub fn annotations_mut(&mut self) -> &mut Texts {
        Rc::make_mut(self.annotations.get_or_insert_default())
    }
}

/// What one manager owns. Mirrors: `apimachinery/pkg/apis/meta/v1.ManagedFieldsEntry`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedFieldsEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields_type: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields_v1: Option<FieldsV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subresource: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// A set of fields, as the text of its JSON: it is copied often and read seldom. Where an object is
/// written, the text is turned into what it says (`managed::unpack`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldsV1(pub Rc<str>);

impl<'de> Deserialize<'de> for FieldsV1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Value::deserialize(deserializer)?;
        Ok(Self(fields.as_str().map_or_else(|| fields.to_string().into(), Into::into)))
    }
}
