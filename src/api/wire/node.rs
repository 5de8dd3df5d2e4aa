//! Nodes, whose rare parts are fragments, too.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ContainerImage, NodeAddress, NodeCondition, Taint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::api::document::Fragment;
use crate::api::words::{READY, TRUE};

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Sent")]
pub struct Node {
    pub metadata: ObjectMeta,
    pub spec: Option<NodeSpec>,
    pub status: Option<NodeStatus>,
}

/// All that a node may say. What kind it is was looked at before it is read.
#[derive(Deserialize)]
#[serde(rename = "Node")]
struct Sent {
    #[serde(rename = "apiVersion")]
    _api_version: Option<String>,
    #[serde(rename = "kind")]
    _kind: Option<String>,
    #[serde(default)]
    metadata: ObjectMeta,
    spec: Option<NodeSpec>,
    status: Option<NodeStatus>,
}

impl From<Sent> for Node {
    fn from(sent: Sent) -> Self {
        Self { metadata: sent.metadata, spec: sent.spec, status: sent.status }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut node = serializer.serialize_struct("Node", 5)?;
        node.serialize_field("apiVersion", "v1")?;
        node.serialize_field("kind", "Node")?;
        node.serialize_field("metadata", &self.metadata)?;
        if let Some(spec) = &self.spec {
            node.serialize_field("spec", spec)?;
        }
        if let Some(status) = &self.status {
            node.serialize_field("status", status)?;
        }
        node.end()
    }
}

/// What a node is to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_source: Option<Fragment>,
    #[serde(rename = "externalID", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(rename = "podCIDR", skip_serializing_if = "Option::is_none")]
    pub pod_cidr: Option<String>,
    #[serde(rename = "podCIDRs", skip_serializing_if = "Option::is_none")]
    pub pod_cidrs: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_preemption_policy: Option<Fragment>,
    #[serde(rename = "providerID", skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taints: Option<Vec<Taint>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unschedulable: Option<bool>,
}

/// What a node is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<NodeAddress>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocatable: Option<BTreeMap<String, Quantity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<BTreeMap<String, Quantity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<NodeCondition>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Fragment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon_endpoints: Option<Fragment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_features: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Fragment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<Vec<ContainerImage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_info: Option<Fragment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_handlers: Option<Fragment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes_attached: Option<Fragment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes_in_use: Option<Vec<String>>,
}

impl NodeStatus {
    /// Whether the kubelet says that the node takes Pods.
    pub fn is_ready(&self) -> bool {
        let mut conditions = self.conditions.iter().flatten();
        conditions.any(|condition| condition.type_ == READY && condition.status == TRUE)
    }
}
