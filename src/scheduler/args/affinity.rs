//! The arguments of the affinity plugins.

use k8s_openapi::api::core::v1::NodeAffinity as AddedAffinity;
use serde::Deserialize;

use super::{Args, At, within};
use crate::api::field::FieldError;
use crate::api::validation::node_affinity;
use crate::scheduler::plugins::{InterPodAffinity, NodeAffinity};

/// `InterPodAffinityArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct InterPodAffinityArgs {
    hard_pod_affinity_weight: Option<i32>,
    ignore_preferred_terms_of_existing_pods: bool,
}

/// `NodeAffinityArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NodeAffinityArgs {
    added_affinity: Option<AddedAffinity>,
}

impl Args for InterPodAffinityArgs {
    type Plugin = InterPodAffinity;

    fn set_defaults(&mut self) {
        self.hard_pod_affinity_weight.get_or_insert(1);
    }

    fn check(&self, at: &At, wrong: &mut Vec<FieldError>) {
        let weight = self.hard_pod_affinity_weight.unwrap_or_default();
        within(wrong, &at.field("hardPodAffinityWeight"), weight, 0, 100);
    }

    fn plugin(self) -> InterPodAffinity {
        InterPodAffinity {
            hard_weight: self.hard_pod_affinity_weight.unwrap_or_default().into(),
            ignore_preferred_of_existing: self.ignore_preferred_terms_of_existing_pods,
        }
    }
}

impl Args for NodeAffinityArgs {
    type Plugin = NodeAffinity;

    fn check(&self, at: &At, wrong: &mut Vec<FieldError>) {
        if let Some(added) = &self.added_affinity {
            wrong.extend(node_affinity(added, &at.field("addedAffinity")));
        }
    }

    fn plugin(self) -> NodeAffinity {
        NodeAffinity { added: self.added_affinity }
    }
}
