//! The arguments of the affinity plugins.

use k8s_openapi::api::core::v1::NodeAffinity as AddedAffinity;
use serde_json::Value;

use super::{ArgsType, within};
use crate::api::decode::decode;
use crate::api::document::Part;
use crate::scheduler::plugins::node_selector::mistakes;
use crate::scheduler::plugins::{InterPodAffinity, NodeAffinity};

const WEIGHT: &str = "hardPodAffinityWeight";

pub(super) const INTER_POD_AFFINITY: ArgsType = ArgsType {
    plugin: "InterPodAffinity",
    line: "InterPodAffinityArgs",
    complete: |args| {
        args.entry(WEIGHT).or_insert_with(|| Value::from(1));
    },
    check: |args, at, wrong| {
        let weight = args.at(WEIGHT).number().unwrap_or_default();
        within(wrong, &at.field(WEIGHT), weight, 0, 100);
    },
};

pub(super) const NODE_AFFINITY: ArgsType = ArgsType {
    plugin: "NodeAffinity",
    line: "NodeAffinityArgs",
    complete: |_| (),
    check: |args, at, wrong| {
        if let Some(added) = added(args) {
            wrong.extend(mistakes(&added, &at.field("addedAffinity")));
        }
    },
};

fn added(args: Part<'_>) -> Option<AddedAffinity> {
    let added = args.at("addedAffinity");
    decode(added.value()).ok().filter(|_| added.is_there()).map(|decoded| decoded.object)
}

pub(super) fn inter_pod_affinity(args: Part<'_>) -> InterPodAffinity {
    InterPodAffinity {
        hard_weight: args.at(WEIGHT).number().unwrap_or_default(),
        ignore_preferred_of_existing: args.at("ignorePreferredTermsOfExistingPods").is_true(),
    }
}

pub(super) fn node_affinity(args: Part<'_>) -> NodeAffinity {
    NodeAffinity { added: added(args) }
}
