//! What upstream refuses, and what it fills in.

use serde_json::json;

use super::*;

fn paths(name: &str, args: &Value) -> Vec<String> {
    let mistakes = mistakes(name, args).unwrap();
    mistakes.iter().map(|mistake| mistake.field.clone()).collect()
}

#[test]
fn each_mistake_is_told_at_its_field() {
    let cases = [
        ("NodeResourcesFit", json!({}), vec!["scoringStrategy"]),
        (
            "NodeResourcesFit",
            json!({
                "ignoredResources": ["a/b/c"], "ignoredResourceGroups": ["a/b"],
                "scoringStrategy": {"type": "Best", "requestedToCapacityRatio": {}},
            }),
            vec![
                "ignoredResources[0]",
                "ignoredResourceGroups[0]",
                "scoringStrategy.type",
                "scoringStrategy.requestedToCapacityRatio",
            ],
        ),
        (
            "NodeResourcesFit",
            json!({"scoringStrategy": {
                "type": "RequestedToCapacityRatio",
                "requestedToCapacityRatio": {"shape": [
                    {"utilization": 50, "score": 11}, {"utilization": 50, "score": 0},
                    {"utilization": 101, "score": -1},
                ]},
            }}),
            vec![
                "scoringStrategy.requestedToCapacityRatio.shape[1].utilization",
                "scoringStrategy.requestedToCapacityRatio.shape[0].score",
                "scoringStrategy.requestedToCapacityRatio.shape[2].utilization",
                "scoringStrategy.requestedToCapacityRatio.shape[2].score",
            ],
        ),
        (
            "NodeResourcesBalancedAllocation",
            json!({"resources": [{"name": "cpu", "weight": 1}, {"name": "cpu", "weight": 2}]}),
            vec!["resources[1].name", "resources[1].weight"],
        ),
        ("InterPodAffinity", json!({"hardPodAffinityWeight": 101}), vec!["hardPodAffinityWeight"]),
        (
            "DefaultPreemption",
            json!({"minCandidateNodesPercentage": 101, "minCandidateNodesAbsolute": -1}),
            vec!["minCandidateNodesPercentage", "minCandidateNodesAbsolute"],
        ),
        (
            "DefaultPreemption",
            json!({}),
            vec!["minCandidateNodesPercentage", "minCandidateNodesAbsolute"],
        ),
        (
            "PodTopologySpread",
            json!({"defaultingType": "System", "defaultConstraints": [
                {"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "Maybe", "labelSelector": {}},
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"},
                {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"},
            ]}),
            vec![
                "defaultingType",
                "defaultConstraints[0].maxSkew",
                "defaultConstraints[0].topologyKey",
                "defaultConstraints[0].whenUnsatisfiable",
                "defaultConstraints[0].labelSelector",
                "defaultConstraints[2]",
            ],
        ),
        (
            "PodTopologySpread",
            json!({"defaultingType": "List", "defaultConstraints": [
                {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"},
            ]}),
            vec!["defaultConstraints[0].maxSkew"],
        ),
        (
            "VolumeBinding",
            json!({"bindTimeoutSeconds": -1, "shape": [{"utilization": 1, "score": 11}]}),
            vec!["bindTimeoutSeconds", "shape[0].score"],
        ),
    ];
    for (name, args, want) in cases {
        assert_eq!(paths(name, &args), want, "{name} {args}");
    }
}

#[test]
fn an_added_affinity_is_checked_as_it_is_read() {
    let cases = [
        (
            "NodeAffinity",
            json!({"addedAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {},
                    {"matchExpressions": [
                        {"key": "a/b/c", "operator": "In", "values": ["v"]},
                        {"key": "cores", "operator": "Gt", "values": ["many"]},
                        {"key": "zone", "operator": "Near"},
                    ]},
                ]},
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": {"matchFields": [
                        {"key": "metadata.name", "operator": "In", "values": ["a", "b"]},
                        {"key": "metadata.name", "operator": "Exists"},
                    ]}},
                    {"weight": 0, "preference": {"matchFields": [{"key": "", "operator": ""}]}},
                ],
            }}),
            vec![
                "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions[0].key",
                "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions[1].values[0]",
                "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions[2].operator",
                "addedAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].matchFields[0].values",
                "addedAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].matchFields[1].operator",
            ],
        ),
        (
            "NodeAffinity",
            json!({"addedAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []},
            }}),
            vec![],
        ),
    ];
    for (name, args, want) in cases {
        assert_eq!(paths(name, &args), want, "{name} {args}");
    }
}

#[test]
fn what_is_left_out_is_as_in_the_default_profile() {
    for name in ["NodeResourcesFit", "InterPodAffinity", "PodTopologySpread", "NodeAffinity"] {
        assert_eq!(plugin(name, &Value::Null).unwrap().name(), name);
    }
    let Limits { percentage, absolute } = limits(&Value::Null).unwrap();
    assert_eq!((percentage, absolute), (10, 100));
    let error = plugin("NodeResourcesFit", &json!({"scoringStrategy": {"type": 1}}));
    assert!(matches!(error.err(), Some(ArgsError::Type(_))));
    assert_eq!(
        plugin("Nothing", &Value::Null).err().map(|error| error.to_string()).as_deref(),
        Some("\"Nothing\" is not a valid plugin name")
    );
}
