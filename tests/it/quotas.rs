//! Quotas and limit ranges: what a namespace lets in, and what it says of that.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const CORE: &str = "/api/v1/namespaces/default";

struct Api(Cluster);

impl Api {
    fn new() -> Self {
        let mut cluster = Cluster::new(&Setup::new(1, 0));
        cluster.run_for(Duration::from_secs(1));
        Self(cluster)
    }

    fn ask(&mut self, method: &str, resource: &str, body: Value) -> (u16, Value) {
        let path = format!("{CORE}/{resource}");
        let body = (!body.is_null()).then_some(body);
        let id = self.0.submit(&HttpCall::new(method, &path, body));
        self.0.run_for(Duration::from_secs(1));
        let reply = self.0.reply(id).unwrap();
        (reply.code, serde_json::from_str(&reply.body).unwrap_or_default())
    }

    fn create(&mut self, resource: &str, name: &str, spec: &Value) -> Value {
        let (code, said) =
            self.ask("POST", resource, json!({"metadata": {"name": name}, "spec": spec}));
        assert_eq!(code, 201, "{said}");
        said
    }

    fn refused(&mut self, resource: &str, name: &str, spec: &Value) -> String {
        let (code, said) =
            self.ask("POST", resource, json!({"metadata": {"name": name}, "spec": spec}));
        assert_eq!(code, 403, "{said}");
        said["message"].as_str().unwrap_or_default().to_owned()
    }

    fn used(&mut self, quota: &str) -> Value {
        self.ask("GET", &format!("resourcequotas/{quota}"), Value::Null).1["status"]["used"].clone()
    }
}

fn pod(resources: &Value) -> Value {
    json!({"containers": [{"name": "c", "image": "nginx", "resources": resources}]})
}

#[test]
fn a_quota_counts_what_there_is_and_refuses_what_is_too_much() {
    let mut api = Api::new();
    api.create("pods", "before", &pod(&json!({"requests": {"cpu": "100m"}})));
    api.create("resourcequotas", "q", &json!({"hard": {"pods": "2", "requests.cpu": "500m"}}));
    assert_eq!(api.used("q"), json!({"pods": "1", "requests.cpu": "100m"}));
    let said = api.refused("pods", "big", &pod(&json!({"requests": {"cpu": "450m"}})));
    assert_eq!(
        said,
        "pods \"big\" is forbidden: exceeded quota: q, requested: requests.cpu=450m, \
         used: requests.cpu=100m, limited: requests.cpu=500m"
    );
    api.create("pods", "a", &pod(&json!({"requests": {"cpu": "400m"}})));
    let said = api.refused("pods", "b", &pod(&json!({"requests": {"cpu": "1m"}})));
    assert_eq!(
        said,
        "pods \"b\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1m, \
         used: pods=2,requests.cpu=500m, limited: pods=2,requests.cpu=500m"
    );
    api.ask("DELETE", "pods/a?gracePeriodSeconds=0", Value::Null);
    assert_eq!(api.used("q"), json!({"pods": "1", "requests.cpu": "100m"}));
    api.create("pods", "b", &pod(&json!({"requests": {"cpu": "1m"}})));
}

#[test]
fn a_quota_counts_overhead_and_what_a_pod_says_of_itself_as_a_whole() {
    let mut api = Api::new();
    let class = json!({
        "metadata": {"name": "kata"}, "handler": "kata",
        "overhead": {"podFixed": {"cpu": "100m", "memory": "10Mi"}},
    });
    let path = "/apis/node.k8s.io/v1/runtimeclasses";
    api.0.submit(&HttpCall::new("POST", path, Some(class)));
    let hard = json!({"requests.cpu": "2", "limits.cpu": "2"});
    api.create("resourcequotas", "q", &json!({"hard": hard}));
    let own = json!({"requests": {"cpu": "200m"}, "limits": {"cpu": "300m"}});
    let mut spec = pod(&own);
    spec["runtimeClassName"] = json!("kata");
    api.create("pods", "a", &spec);
    assert_eq!(api.used("q"), json!({"limits.cpu": "400m", "requests.cpu": "300m"}));
    spec = pod(&own);
    spec["resources"] = json!({"requests": {"cpu": "500m"}, "limits": {"cpu": "1"}});
    api.create("pods", "b", &spec);
    assert_eq!(api.used("q"), json!({"limits.cpu": "1400m", "requests.cpu": "800m"}));
    // To a limit range overhead is nothing.
    let limit = json!({"type": "Pod", "max": {"cpu": "300m"}});
    api.create("limitranges", "l", &json!({"limits": [limit]}));
    spec["resources"]["limits"]["cpu"] = json!("600m");
    let said = api.refused("pods", "c", &spec);
    assert_eq!(
        said,
        "pods \"c\" is forbidden: maximum cpu usage per Pod is 300m, but limit is 600m"
    );
    spec = pod(&own);
    spec["runtimeClassName"] = json!("kata");
    api.create("pods", "c", &spec);
}

#[test]
fn what_is_on_its_way_counts_too() {
    let mut api = Api::new();
    // The certificate that every namespace has counts as well.
    api.create("resourcequotas", "q", &json!({"hard": {"configmaps": "2", "count/secrets": "1"}}));
    let calls = ["a", "b"].map(|name| {
        let body = json!({"metadata": {"name": name}});
        let path = format!("{CORE}/configmaps");
        api.0.submit(&HttpCall::new("POST", &path, Some(body)))
    });
    api.0.run_for(Duration::from_secs(1));
    let codes = calls.map(|id| api.0.reply(id).unwrap().code);
    assert_eq!(codes, [201, 403]);
    // A dry run takes nothing.
    let (code, _) = api.ask("POST", "secrets?dryRun=All", json!({"metadata": {"name": "s"}}));
    assert_eq!(code, 201);
    api.ask("POST", "secrets", json!({"metadata": {"name": "s"}}));
    assert_eq!(api.used("q"), json!({"configmaps": "2", "count/secrets": "1"}));
}

#[test]
fn a_container_must_say_what_a_quota_limits() {
    let mut api = Api::new();
    api.create(
        "resourcequotas",
        "q",
        &json!({"hard": {"limits.cpu": "2", "requests.memory": "1Gi"}}),
    );
    let said = api.refused("pods", "p", &pod(&json!({})));
    assert_eq!(
        said,
        "pods \"p\" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c"
    );
}

#[test]
fn a_scope_leaves_other_pods_alone() {
    let mut api = Api::new();
    api.create("resourcequotas", "q", &json!({"hard": {"pods": "0"}, "scopes": ["BestEffort"]}));
    api.create("pods", "burstable", &pod(&json!({"requests": {"cpu": "1m"}})));
    let said = api.refused("pods", "p", &pod(&json!({})));
    assert!(
        said.ends_with("exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"),
        "{said}"
    );
}

#[test]
fn services_and_claims_count_in_more_than_one_way() {
    let mut api = Api::new();
    let hard = json!({
        "services.nodeports": "1", "services.loadbalancers": "0", "requests.storage": "3Gi",
        "fast.storageclass.storage.k8s.io/requests.storage": "2Gi",
    });
    api.create("resourcequotas", "q", &json!({"hard": hard}));
    let ports = json!([{"name": "a", "port": 80}, {"name": "b", "port": 81}]);
    let said = api.refused("services", "s", &json!({"type": "NodePort", "ports": ports}));
    assert!(said.contains("requested: services.nodeports=2, used: services.nodeports=0"), "{said}");
    api.create("services", "s", &json!({"type": "NodePort", "ports": [{"port": 80}]}));
    let claim = |class: &str, size: &str| {
        json!({
            "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "resources": {"requests": {"storage": size}},
        })
    };
    api.create("persistentvolumeclaims", "a", &claim("fast", "1Gi"));
    let said = api.refused("persistentvolumeclaims", "b", &claim("fast", "2Gi"));
    assert!(
        said.contains("limited: fast.storageclass.storage.k8s.io/requests.storage=2Gi"),
        "{said}"
    );
    api.create("persistentvolumeclaims", "b", &claim("slow", "2Gi"));
    assert_eq!(api.used("q")["requests.storage"], "3Gi");
}

#[test]
fn a_limit_range_fills_in_what_a_container_leaves_open() {
    let mut api = Api::new();
    let limit = json!({
        "type": "Container", "default": {"cpu": "500m", "memory": "256Mi"},
        "defaultRequest": {"cpu": "100m"},
    });
    api.create("limitranges", "l", &json!({"limits": [limit]}));
    let made = api.create("pods", "p", &pod(&json!({"limits": {"memory": "1Gi"}})));
    assert_eq!(
        made["spec"]["containers"][0]["resources"],
        json!({
            "limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "1Gi"},
        })
    );
    assert_eq!(
        made["metadata"]["annotations"]["kubernetes.io/limit-ranger"],
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    );
    assert_eq!(made["status"]["qosClass"], "Burstable");
}

#[test]
fn a_limit_range_refuses_what_is_outside_with_every_reason() {
    let mut api = Api::new();
    let limits = json!([
        {
            "type": "Container", "min": {"cpu": "100m"}, "max": {"memory": "1Gi"},
            "maxLimitRequestRatio": {"cpu": "2"},
        },
        {"type": "Pod", "max": {"cpu": "1"}},
        {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}},
    ]);
    api.create("limitranges", "l", &json!({"limits": limits}));
    let resources = json!({
        "requests": {"cpu": "50m", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"},
    });
    let said = api.refused("pods", "p", &pod(&resources));
    assert_eq!(
        said,
        "pods \"p\" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, \
         maximum memory usage per Container is 1Gi, but limit is 2Gi, cpu max limit to request ratio \
         per Container is 2, but provided ratio is 40.000000, maximum cpu usage per Pod is 1, but \
         limit is 2]"
    );
    let claim = json!({
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "3Gi"}},
    });
    let said = api.refused("persistentvolumeclaims", "c", &claim);
    assert!(
        said.ends_with(
            "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"
        ),
        "{said}"
    );
}
