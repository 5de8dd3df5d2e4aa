//! Services: the addresses and ports that the server gives them, and keeps.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const SERVICES: &str = "/api/v1/namespaces/default/services";

struct Api(Cluster);

impl Api {
    fn new() -> Self {
        let mut cluster = Cluster::new(&Setup::new(1, 0));
        cluster.run_for(Duration::from_secs(1));
        Self(cluster)
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut call = HttpCall::new(method, path, body);
        if method == "PATCH" {
            call.content_type = "application/strategic-merge-patch+json".into();
        }
        let id = self.0.submit(&call);
        self.0.run_for(Duration::from_secs(1));
        let reply = self.0.reply(id).unwrap();
        (reply.code, serde_json::from_str(&reply.body).unwrap_or_default())
    }

    fn create(&mut self, name: &str, spec: &Value) -> (u16, Value) {
        self.ask("POST", SERVICES, Some(json!({"metadata": {"name": name}, "spec": spec})))
    }
}

fn of_cluster(ip: &Value) -> bool {
    let octets: Vec<u8> =
        ip.as_str().unwrap_or_default().split('.').filter_map(|part| part.parse().ok()).collect();
    matches!(*octets, [10, 96..=111, _, _])
}

#[test]
fn each_service_gets_an_address_of_its_own() {
    let mut api = Api::new();
    let ports = json!([{"port": 80}]);
    let (code, first) = api.create("a", &json!({"ports": ports}));
    assert_eq!(code, 201, "{first}");
    let (_, second) = api.create("b", &json!({"ports": ports}));
    let (first, second) = (&first["spec"]["clusterIP"], &second["spec"]["clusterIP"]);
    assert!(of_cluster(first) && of_cluster(second) && first != second, "{first} {second}");
    let (code, said) = api.create("c", &json!({"ports": ports, "clusterIP": first}));
    assert_eq!(code, 422);
    let ip = first.as_str().unwrap();
    assert_eq!(
        said["message"],
        format!(
            "Service \"c\" is invalid: spec.clusterIPs: Invalid value: [\"{ip}\"]: failed to allocate IP \
             {ip}: provided IP is already allocated"
        )
    );
    let (_, said) = api.create("d", &json!({"ports": ports, "clusterIP": "192.168.0.1"}));
    let said = said["message"].as_str().unwrap();
    assert!(said.ends_with("The range of valid IPs is 10.96.0.0/12"), "{said}");
}

#[test]
fn a_port_of_the_nodes_is_given_once() {
    let mut api = Api::new();
    let spec = |port: Value| json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]});
    let (code, made) = api.create("a", &spec(json!(30080)));
    assert_eq!(code, 201, "{made}");
    let (code, said) = api.create("b", &spec(json!(30080)));
    assert_eq!(
        (code, said["message"].as_str().unwrap()),
        (
            422,
            "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is \
             already allocated"
        )
    );
    let (_, said) = api.create("c", &spec(json!(80)));
    let said = said["message"].as_str().unwrap();
    assert!(said.ends_with("The range of valid ports is 30000-32767"), "{said}");
    let (_, made) = api.create("d", &json!({"type": "NodePort", "ports": [{"port": 80}]}));
    let given = made["spec"]["ports"][0]["nodePort"].as_i64().unwrap();
    assert!((30_086..32_768).contains(&given), "{given}");
    // Once its service is gone, a port is free.
    api.ask("DELETE", &format!("{SERVICES}/a"), None);
    assert_eq!(api.create("b", &spec(json!(30080))).0, 201);
}

#[test]
fn an_update_keeps_what_the_server_gave() {
    let mut api = Api::new();
    let (_, made) = api.create("a", &json!({"type": "NodePort", "ports": [{"port": 80}]}));
    let path = format!("{SERVICES}/a");
    // As a client does that keeps manifests.
    let body = json!({
        "metadata": {"name": "a"},
        "spec": {"type": "NodePort", "ports": [{"port": 80}], "selector": {"app": "a"}},
    });
    let (code, put) = api.ask("PUT", &path, Some(body));
    assert_eq!(code, 200, "{put}");
    assert_eq!(put["spec"]["clusterIP"], made["spec"]["clusterIP"]);
    assert_eq!(put["spec"]["ports"], made["spec"]["ports"]);
    assert_eq!(put["spec"]["selector"], json!({"app": "a"}));
    // The address stays, whatever is asked for.
    let (code, said) = api.ask("PATCH", &path, Some(json!({"spec": {"clusterIP": "10.96.0.77"}})));
    assert_eq!(code, 422, "{said}");
    assert!(said["message"].as_str().unwrap().contains("spec.clusterIPs[0]"), "{said}");
    // A service of the cluster alone has no ports of nodes.
    let (code, inside) = api.ask("PATCH", &path, Some(json!({"spec": {"type": "ClusterIP"}})));
    assert_eq!(code, 200, "{inside}");
    assert!(inside["spec"]["ports"][0]["nodePort"].is_null(), "{inside}");
    assert!(inside["spec"]["externalTrafficPolicy"].is_null(), "{inside}");
    // And one that is another's name has no address.
    let body = json!({"spec": {"type": "ExternalName", "externalName": "example.com"}});
    let (code, outside) = api.ask("PATCH", &path, Some(body));
    assert_eq!(code, 200, "{outside}");
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        assert!(outside["spec"][field].is_null(), "{outside}");
    }
}

#[test]
fn the_status_is_written_by_itself() {
    let mut api = Api::new();
    let spec = json!({"type": "LoadBalancer", "ports": [{"port": 80}]});
    let body = json!({
        "metadata": {"name": "a"}, "spec": spec,
        "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
    });
    let (_, made) = api.ask("POST", SERVICES, Some(body));
    assert_eq!(made["status"], json!({"loadBalancer": {}}));
    let status = json!({
        "spec": {"selector": {"a": "b"}},
        "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
    });
    let (code, written) = api.ask("PATCH", &format!("{SERVICES}/a/status"), Some(status));
    assert_eq!(code, 200, "{written}");
    assert!(written["spec"]["selector"].is_null(), "{written}");
    let point = json!({"ip": "1.2.3.4", "ipMode": "VIP"});
    assert_eq!(written["status"]["loadBalancer"]["ingress"], json!([point]));
}

#[test]
fn what_is_no_field_is_named_as_for_any_kind() {
    let mut api = Api::new();
    let spec = json!({"ports": [{"port": 80, "nodeprot": 1}]});
    let body = json!({"metadata": {"name": "a"}, "spec": spec});
    let (code, said) = api.ask("POST", &format!("{SERVICES}?fieldValidation=Strict"), Some(body));
    assert_eq!(
        (code, said["message"].as_str().unwrap()),
        (
            400,
            "Service in version \"v1\" cannot be handled as a Service: strict decoding error: unknown \
             field \"spec.ports[0].nodeprot\""
        )
    );
    let spec = json!({"ports": [{"port": "http"}]});
    let (code, said) = api.create("a", &spec);
    assert_eq!(
        (code, said["message"].as_str().unwrap()),
        (
            400,
            "Service in version \"v1\" cannot be handled as a Service: json: cannot unmarshal string \
             into Go struct field ServicePort.spec.ports.port of type int32"
        )
    );
    let (_, said) = api.create("a", &json!({"ports": {"port": 80}}));
    let said = said["message"].as_str().unwrap();
    let words = "json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type \
                 []v1.ServicePort";
    assert!(said.ends_with(words), "{said}");
}

#[test]
fn every_cluster_has_the_service_of_its_api_server() {
    let mut api = Api::new();
    let (code, own) = api.ask("GET", &format!("{SERVICES}/kubernetes"), None);
    assert_eq!((code, &own["spec"]["clusterIPs"]), (200, &json!(["10.96.0.1"])));
    let spec = json!({"ports": [{"port": 80}], "clusterIP": "10.96.0.1"});
    assert_eq!(api.create("a", &spec).0, 422);
}
