//! What a configuration makes of a scheduler, and which are refused in which words.

use super::*;
use crate::api::decode;

fn read(rest: &str) -> Result<Configuration, String> {
    let yaml = format!("apiVersion: {API_VERSION}\nkind: {KIND}\n{rest}");
    let manifests = decode::read(&yaml, decode::Limits::default());
    assert!(manifests.error.is_none(), "{yaml}");
    Configuration::read(&manifests.documents[0].value).map_err(|error| error.to_string())
}

/// The names of the plugins that filter, and the weighted names of those that score.
fn names(profile: &Profile) -> (Vec<&'static str>, Vec<String>) {
    let filter = profile.filter.iter().map(|plugin| plugin.name()).collect();
    let score = profile.score.iter().map(|it| format!("{}={}", it.plugin.name(), it.weight));
    (filter, score.collect())
}

const FILTERS: [&str; 12] = [
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
];
const SCORES: [&str; 8] = [
    "TaintToleration=3",
    "NodeAffinity=2",
    "NodeResourcesFit=1",
    "VolumeBinding=1",
    "PodTopologySpread=2",
    "InterPodAffinity=2",
    "NodeResourcesBalancedAllocation=1",
    "ImageLocality=1",
];

#[test]
fn an_empty_configuration_is_the_default_one() {
    for configuration in [Configuration::default(), read("").unwrap()] {
        let [profile] = &configuration.profiles[..] else { panic!("one profile") };
        assert_eq!(&*profile.name, NAME);
        let (filter, score) = names(profile);
        assert_eq!(filter, FILTERS);
        assert_eq!(score, SCORES);
        let first: Vec<&str> = profile.pre_filter.iter().map(|plugin| plugin.name()).collect();
        assert_eq!(
            first,
            [
                "NodeAffinity",
                "NodePorts",
                "NodeResourcesFit",
                "VolumeRestrictions",
                "NodeVolumeLimits",
                "VolumeBinding",
                "VolumeZone",
                "PodTopologySpread",
                "InterPodAffinity"
            ]
        );
        for plugins in [&profile.reserve, &profile.pre_bind] {
            let names: Vec<&str> = plugins.iter().map(|plugin| plugin.name()).collect();
            assert_eq!(names, ["VolumeBinding"]);
        }
        assert_eq!(
            (profile.preemption.is_some(), profile.gates, profile.holds_preemptors),
            (true, true, true)
        );
        assert_eq!(profile.percentage, 0);
        assert_eq!(configuration.backoff, Backoff::default());
    }
}

#[test]
fn a_profile_changes_what_it_names_and_keeps_the_rest() {
    let configuration = read(
        "
percentageOfNodesToScore: 40
podInitialBackoffSeconds: 2
podMaxBackoffSeconds: 20
profiles:
- schedulerName: packing
  percentageOfNodesToScore: 70
  pluginConfig:
  - name: NodeResourcesFit
    args:
      apiVersion: kubescheduler.config.k8s.io/v1
      kind: NodeResourcesFitArgs
      scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 3}]}
  plugins:
    multiPoint:
      enabled: [{name: NodeResourcesFit, weight: 5}]
      disabled: [{name: ImageLocality}]
    score:
      disabled: [{name: TaintToleration}]
- schedulerName: blind
  plugins:
    preScore: {disabled: [{name: '*'}]}
    score: {disabled: [{name: '*'}]}
    postFilter: {disabled: [{name: DefaultPreemption}]}
    preEnqueue: {disabled: [{name: '*'}]}
",
    )
    .unwrap();
    let [packing, blind] = &configuration.profiles[..] else { panic!("two profiles") };
    let (filter, score) = names(packing);
    assert_eq!(filter, FILTERS);
    let wanted = [
        "NodeAffinity=2",
        "NodeResourcesFit=5",
        "VolumeBinding=1",
        "PodTopologySpread=2",
        "InterPodAffinity=2",
        "NodeResourcesBalancedAllocation=1",
    ];
    assert_eq!(score, wanted);
    assert_eq!(packing.percentage, 70);
    assert_eq!(names(blind).0, FILTERS);
    assert!(blind.score.is_empty() && blind.preemption.is_none());
    assert!(!blind.gates && !blind.holds_preemptors);
    assert_eq!(blind.percentage, 40);
    let seconds = |seconds| Duration::from_secs(seconds);
    assert_eq!(configuration.backoff, Backoff { first: seconds(2), most: seconds(20) });
}

#[test]
fn what_a_point_names_comes_first_and_in_its_order() {
    let configuration = read(
        "
profiles:
- plugins:
    score:
      enabled: [{name: ImageLocality, weight: 7}, {name: NodeAffinity}]
",
    )
    .unwrap();
    let (_, score) = names(&configuration.profiles[0]);
    let wanted = [
        "ImageLocality=7",
        "NodeAffinity=1",
        "TaintToleration=3",
        "NodeResourcesFit=1",
        "VolumeBinding=1",
        "PodTopologySpread=2",
        "InterPodAffinity=2",
        "NodeResourcesBalancedAllocation=1",
    ];
    assert_eq!(score, wanted);
}

fn assert_refused(cases: impl IntoIterator<Item = (&'static str, String)>) {
    for (rest, words) in cases {
        assert_eq!(read(rest).unwrap_err(), words, "{rest}");
    }
}

#[test]
fn bad_arguments_are_refused_in_upstreams_words() {
    let built = "initializing profiles: creating profile for scheduler name default-scheduler: ";
    let cases = [
        (
            "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]",
            "profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in valid \
             range [0, 100]"
                .into(),
        ),
        (
            "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {weight: 1}}]}]",
            "strict decoding error: decoding .profiles[0].pluginConfig[0]: strict decoding error: decoding \
             args for plugin InterPodAffinity: strict decoding error: unknown field \"weight\""
                .into(),
        ),
        (
            "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {kind: NodeAffinityArgs}}]}]",
            "decoding .profiles[0].pluginConfig[0]: args for plugin InterPodAffinity were not of type \
             InterPodAffinityArgs.kubescheduler.config.k8s.io, got \
             NodeAffinityArgs.kubescheduler.config.k8s.io"
                .into(),
        ),
        (
            "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {apiVersion: v1}}]}]",
            "decoding .profiles[0].pluginConfig[0]: decoding args for plugin InterPodAffinity: no kind \
             \"InterPodAffinityArgs\" is registered for version \"v1\""
                .into(),
        ),
        (
            "profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: Least}}}]}]",
            format!(
                "{built}initializing plugin \"NodeResourcesFit\": scoringStrategy.type: Unsupported \
                 value: \"Least\": supported values: \"LeastAllocated\", \"MostAllocated\", \
                 \"RequestedToCapacityRatio\""
            ),
        ),
    ];
    assert_refused(cases);
    let of_others = "profiles: [{pluginConfig: [{name: Mine, args: {kind: X}}, {name: VolumeBinding, args: \
                     {apiVersion: kubescheduler.config.k8s.io/v1, kind: VolumeBindingArgs}}]}]";
    assert!(read(of_others).is_ok(), "nobody here knows what the arguments of others are");
}

#[test]
fn a_bad_configuration_is_refused_in_upstreams_words() {
    let built = "initializing profiles: creating profile for scheduler name default-scheduler: ";
    let cases = [
        ("nodes: 3", "strict decoding error: unknown field \"nodes\"".to_owned()),
        (
            "profiles: [{plugins: {score: {enabled: [{name: NodeName, wait: 1}]}}}]",
            "strict decoding error: unknown field \"profiles[0].plugins.score.enabled[0].wait\"".into(),
        ),
        (
            "profiles: [{plugins: {filter: {enabled: [{name: Mine}]}}}]",
            format!("{built}FilterPlugin \"Mine\" does not exist"),
        ),
        (
            "profiles: [{plugins: {multiPoint: {enabled: [{name: Mine}]}}}]",
            format!("{built}PreFilterPlugin \"Mine\" does not exist"),
        ),
        (
            "profiles: [{plugins: {score: {enabled: [{name: NodeName}]}}}]",
            format!("{built}plugin \"NodeName\" does not extend ScorePlugin plugin"),
        ),
        (
            "profiles: [{plugins: {filter: {enabled: [{name: NodeName}, {name: NodeName}]}}}]",
            format!("{built}plugin \"NodeName\" already registered as \"FilterPlugin\""),
        ),
        (
            "profiles: [{plugins: {multiPoint: {enabled: [{name: NodeName}, {name: NodeName}]}}}]",
            format!("{built}plugin \"NodeName\" already registered as \"FilterPlugin\""),
        ),
        (
            "profiles: [{plugins: {queueSort: {disabled: [{name: '*'}]}}}]",
            format!(
                "{built}only one queue sort plugin required for profile with scheduler name \
                 \"default-scheduler\", but got 0"
            ),
        ),
        (
            "profiles: [{plugins: {bind: {disabled: [{name: DefaultBinder}]}}}]",
            format!(
                "{built}at least one bind plugin is needed for profile with scheduler name \
                 \"default-scheduler\""
            ),
        ),
        (
            "profiles: [{}, {schedulerName: a}, {schedulerName: a}]",
            "[profiles[0].schedulerName: Required value, profiles[2].schedulerName: Duplicate value: \
             \"profiles[1].schedulerName\"]"
                .into(),
        ),
        (
            "clientConnection: {burst: -100}",
            "clientConnection.burst: Invalid value: -100: must be non-negative".into(),
        ),
        (
            "leaderElection: {resourceLock: configmap}",
            "leaderElection.resourceLock: Invalid value: \"configmap\": resourceLock value must be \
             \"leases\""
                .into(),
        ),
        (
            "leaderElection: {lease: 15s}",
            "strict decoding error: unknown field \"leaderElection.lease\"".into(),
        ),
        (
            "percentageOfNodesToScore: 101",
            "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]".into(),
        ),
        (
            "podInitialBackoffSeconds: 11",
            "podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to \
             PodInitialBackoffSeconds"
                .into(),
        ),
        (
            "profiles: [{plugins: {filter: {enabled: [{name: EBSLimits}]}}}]",
            "profiles[0].plugins.filter.enabled[0]: Invalid value: \"EBSLimits\": was invalid in version \
             \"kubescheduler.config.k8s.io/v1\" (KubeSchedulerConfiguration is version \
             \"kubescheduler.config.k8s.io/v1\")"
                .into(),
        ),
    ];
    assert_refused(cases);
    let unread = "leaderElection: {leaderElect: false, resourceLock: configmap}";
    assert!(read(unread).is_ok(), "who is not elected locks nothing");
    let other = json!({"apiVersion": "kubescheduler.config.k8s.io/v1beta3", "kind": KIND});
    assert!(is_configuration(&other));
    assert_eq!(
        Configuration::read(&other).unwrap_err().to_string(),
        "no kind \"KubeSchedulerConfiguration\" is registered for version \
         \"kubescheduler.config.k8s.io/v1beta3\""
    );
}
