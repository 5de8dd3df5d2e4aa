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
            (profile.preemption.is_some(), profile.pre_enqueue.len(), profile.holds_preemptors),
            (true, 1, true)
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
    assert!(blind.pre_enqueue.is_empty() && !blind.holds_preemptors);
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
            "[profiles[0].schedulerName: Required value, profiles[2].schedulerName: Duplicate value: {}]"
                .into(),
        ),
        (
            "clientConnection: {burst: -100}",
            "clientConnection.burst: Invalid value: -100: must be non-negative".into(),
        ),
        (
            "profiles: [{schedulerName: ''}]",
            "profiles[0].schedulerName: Required value".into(),
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
             \"v1\" (KubeSchedulerConfiguration is version \"kubescheduler.config.k8s.io/v1\")"
                .into(),
        ),
    ];
    assert_refused(cases);
    let other = json!({"apiVersion": "kubescheduler.config.k8s.io/v1beta3", "kind": KIND});
    assert!(is_configuration(&other));
    assert_eq!(
        Configuration::read(&other).unwrap_err().to_string(),
        "no kind \"KubeSchedulerConfiguration\" is registered for version \
         \"kubescheduler.config.k8s.io/v1beta3\""
    );
}

#[test]
fn an_election_is_checked_although_there_is_one_scheduler() {
    let of = |field: &str, words: &str| format!("leaderElection.{field}: {words}");
    let cases = [
        (
            "leaderElection: {lease: 15s}",
            "strict decoding error: unknown field \"leaderElection.lease\"".to_owned(),
        ),
        (
            "leaderElection: {resourceLock: configmap}",
            of(
                "resourceLock",
                "Invalid value: \"configmap\": resourceLock value must be \"leases\"",
            ),
        ),
        ("leaderElection: {leaseDuration: soon}", "time: invalid duration \"soon\"".to_owned()),
        (
            "leaderElection: {leaseDuration: 15}",
            "json: cannot unmarshal number into Go struct field \
             LeaderElectionConfiguration.leaderElection.leaseDuration of type string"
                .to_owned(),
        ),
        (
            "leaderElection: {leaseDuration: 10s}",
            of("leaseDuration", "Invalid value: \"10s\": must be greater than `RenewDeadline`"),
        ),
        (
            "leaderElection: {retryPeriod: -1500ms}",
            of("retryPeriod", "Invalid value: \"-1.5s\": must be greater than zero"),
        ),
        (
            "leaderElection: {retryPeriod: 8334ms}",
            "couldn't create leader elector: renewDeadline must be greater than \
             retryPeriod*JitterFactor"
                .to_owned(),
        ),
        (
            "clientConnection: {qps: many}",
            "json: cannot unmarshal string into Go struct field \
             ClientConnectionConfiguration.clientConnection.qps of type float32"
                .to_owned(),
        ),
    ];
    assert_refused(cases);
    let unread = "leaderElection: {leaderElect: false, resourceLock: configmap, retryPeriod: -1s}";
    assert!(read(unread).is_ok(), "who is not elected locks nothing");
    let whole = "
clientConnection:
  kubeconfig: /etc/kubernetes/scheduler.conf
  acceptContentTypes: ''
  contentType: application/vnd.kubernetes.protobuf
  qps: 50.5
  burst: 100
leaderElection:
  leaderElect: true
  leaseDuration: 1m
  renewDeadline: 0s
  retryPeriod: 8333ms
  resourceLock: leases
  resourceName: kube-scheduler
  resourceNamespace: kube-system
enableProfiling: true
enableContentionProfiling: false
delayCacheUntilActive: false
parallelism: 16
";
    assert_eq!(read(whole).err(), None);
}

#[test]
fn all_profiles_sort_the_queue_alike() {
    let sorts = |plugins: &str| {
        format!("profiles: [{{schedulerName: a}}, {{schedulerName: b, plugins: {plugins}}}]")
    };
    for same in ["{queueSort: {}}", "{queueSort: {enabled: []}}", "{multiPoint: {enabled: []}}"] {
        assert_eq!(read(&sorts(same)).err(), None, "{same}");
    }
    let refused = |rest: &str| read(rest).unwrap_err();
    assert_eq!(
        refused(&sorts("{queueSort: {enabled: [{name: PrioritySort}], disabled: [{name: '*'}]}}")),
        "profiles[1].plugins.queueSort: Invalid value: \
         {\"Enabled\":[{\"Name\":\"PrioritySort\",\"Weight\":0}],\"Disabled\":[{\"Name\":\"*\",\
         \"Weight\":0}]}: must be the same for all profiles"
    );
    let first = "profiles: [{schedulerName: a, plugins: {queueSort: {enabled: [{name: PrioritySort}]}}}, \
                 {schedulerName: b}]";
    assert_eq!(
        refused(first),
        "profiles[1].plugins.queueSort: Invalid value: {\"Enabled\":null,\"Disabled\":null}: must be the \
         same for all profiles"
    );
    let two = "profiles: [{plugins: {queueSort: {enabled: [{name: PrioritySort}, {name: Mine}]}}}]";
    assert_eq!(
        refused(two),
        "profiles[0].plugins.queueSort.Enabled: Invalid value: 2: only one queue sort plugin can be \
         enabled"
    );
    let given = "{name: PrioritySort, args: {by: age}}";
    let config =
        format!("profiles: [{{schedulerName: a}}, {{schedulerName: b, pluginConfig: [{given}]}}]");
    assert_eq!(
        refused(&config),
        "initializing profiles: different queue sort plugin args for profile \"b\""
    );
    let config = format!(
        "profiles: [{{schedulerName: a, pluginConfig: [{given}]}}, \
         {{schedulerName: b, pluginConfig: [{given}]}}]"
    );
    assert_eq!(read(&config).err(), None);
    let named = "plugins: {queueSort: {enabled: [{name: PrioritySort}]}}";
    let config = format!(
        "profiles: [{{schedulerName: a, {named}}}, \
         {{schedulerName: b, {named}, pluginConfig: [{given}]}}]"
    );
    assert_eq!(
        refused(&config),
        "profiles[1].pluginConfig.args: Invalid value: {\"by\":\"age\"}: queueSort must be the same for \
         all profiles"
    );
}

#[test]
fn several_mistakes_come_in_upstreams_order() {
    let weight = "args: {hardPodAffinityWeight: 101}";
    let rest = format!(
        "
podMaxBackoffSeconds: 0
percentageOfNodesToScore: -1
parallelism: 0
leaderElection: {{resourceLock: configmap, leaseDuration: -1s}}
clientConnection: {{burst: -1}}
profiles:
- pluginConfig:
  - {{name: InterPodAffinity, {weight}}}
  - {{name: CinderLimits}}
  - {{name: InterPodAffinity, {weight}}}
  plugins: {{score: {{enabled: [{{name: EBSLimits}}]}}}}
  percentageOfNodesToScore: 101
- schedulerName: b
  pluginConfig: [{{name: InterPodAffinity, {weight}}}]
- schedulerName: b
  plugins: {{queueSort: {{disabled: [{{name: '*'}}]}}}}
"
    );
    let range = "hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]";
    let gone = "was invalid in version \"v1\" (KubeSchedulerConfiguration is version \
                \"kubescheduler.config.k8s.io/v1\")";
    let wanted = [
        "clientConnection.burst: Invalid value: -1: must be non-negative",
        "leaderElection.leaseDuration: Invalid value: \"-1s\": must be greater than zero",
        "leaderElection.leaseDuration: Invalid value: \"10s\": must be greater than `RenewDeadline`",
        "leaderElection.resourceLock: Invalid value: \"configmap\": resourceLock value must be \"leases\"",
        "parallelism: Invalid value: 0: should be an integer value greater than zero",
        "profiles[0].schedulerName: Required value",
        "profiles[0].percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
        &format!("profiles[0].plugins.score.enabled[0]: Invalid value: \"EBSLimits\": {gone}"),
        &format!("profiles[0].pluginConfig[0].args.{range}"),
        &format!("profiles[0].pluginConfig[1]: Invalid value: \"CinderLimits\": {gone}"),
        "profiles[0].pluginConfig[2]: Duplicate value: \"InterPodAffinity\"",
        &format!("profiles[0].pluginConfig[2].args.{range}"),
        &format!("profiles[1].pluginConfig[0].args.{range}"),
        "profiles[2].schedulerName: Duplicate value: {}",
        "profiles[2].plugins.queueSort: Invalid value: \
         {\"Enabled\":null,\"Disabled\":[{\"Name\":\"*\",\"Weight\":0}]}: must be the same for all profiles",
        "percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]",
        "podMaxBackoffSeconds: Invalid value: 0: must be greater than or equal to PodInitialBackoffSeconds",
    ];
    assert_eq!(read(&rest).unwrap_err(), format!("[{}]", wanted.join(", ")));
}

#[test]
fn plugins_that_have_nothing_to_say_here_may_be_named() {
    let configuration = read(
        "
profiles:
- plugins:
    preFilter: {enabled: [{name: NodeDeclaredFeatures}]}
    filter: {disabled: [{name: NodeDeclaredFeatures}]}
    score: {enabled: [{name: DynamicResources, weight: 2}]}
",
    )
    .unwrap();
    let (filter, score) = names(&configuration.profiles[0]);
    assert_eq!((filter.as_slice(), score.len()), (&FILTERS[..], SCORES.len()));
    let built = "initializing profiles: creating profile for scheduler name default-scheduler: ";
    assert_eq!(
        read("profiles: [{plugins: {score: {enabled: [{name: NodeDeclaredFeatures}]}}}]")
            .unwrap_err(),
        format!("{built}plugin \"NodeDeclaredFeatures\" does not extend ScorePlugin plugin")
    );
}
