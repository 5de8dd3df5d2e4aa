//! What a namespace has from its beginning, and what pods get from their service account.

use serde_json::{Value, json};

use crate::server::Server;

const CORE: &str = "/api/v1/namespaces/default";
const AT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

struct Api(Server);

impl Api {
    fn new() -> Self {
        Self(Server::new())
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.0.ask(method, path, body)
    }

    /// What `path` of the namespace `default` came to be with `body`.
    fn made(&mut self, path: &str, body: Value) -> Value {
        let (code, made) = self.ask("POST", &format!("{CORE}/{path}"), Some(body));
        assert_eq!(code, 201, "{made}");
        made
    }

    fn refused(&mut self, spec: &Value) -> Value {
        let pod = json!({"metadata": {"name": "p"}, "spec": spec});
        let (code, said) = self.ask("POST", &format!("{CORE}/pods"), Some(pod));
        assert_eq!(code, 403, "{said}");
        said["message"].clone()
    }

    fn pod(&mut self, name: &str, spec: &Value) -> Value {
        self.made("pods", json!({"metadata": {"name": name}, "spec": spec}))["spec"].clone()
    }
}

fn container() -> Value {
    json!([{"name": "c", "image": "nginx:1"}])
}

#[test]
fn every_namespace_has_an_account_and_the_authority_and_gets_them_back() {
    let mut api = Api::new();
    for namespace in ["default", "kube-system", "new"] {
        if namespace == "new" {
            let body = json!({"metadata": {"name": namespace}});
            assert_eq!(api.ask("POST", "/api/v1/namespaces", Some(body)).0, 201);
        }
        let below = format!("/api/v1/namespaces/{namespace}");
        let account = format!("{below}/serviceaccounts/default");
        let authority = format!("{below}/configmaps/kube-root-ca.crt");
        let (code, first) = api.ask("GET", &account, None);
        assert_eq!(code, 200, "{first}");
        let (code, published) = api.ask("GET", &authority, None);
        assert_eq!(code, 200, "{published}");
        let text = published["data"]["ca.crt"].as_str().unwrap();
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----\n"), "{text}");

        assert_eq!(api.ask("DELETE", &account, None).0, 200);
        assert_eq!(api.ask("DELETE", &authority, None).0, 200);
        let (code, second) = api.ask("GET", &account, None);
        assert_eq!(code, 200);
        assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
        let other = json!({"data": {"ca.crt": "mine", "more": "b"}});
        assert_eq!(api.ask("PATCH", &authority, Some(other)).0, 200);
        assert_eq!(api.ask("GET", &authority, None).1["data"], published["data"]);
        // What somebody says of the account is theirs to say.
        let pulls = json!({"imagePullSecrets": [{"name": "registry"}]});
        assert_eq!(api.ask("PATCH", &account, Some(pulls.clone())).0, 200);
        assert_eq!(api.ask("GET", &account, None).1["imagePullSecrets"], pulls["imagePullSecrets"]);
    }
    assert_eq!(api.ask("DELETE", "/api/v1/namespaces/new", None).0, 200);
    assert_eq!(api.ask("GET", "/api/v1/namespaces/new", None).0, 404);
    assert_eq!(api.ask("GET", "/api/v1/namespaces/new/serviceaccounts/default", None).0, 404);
}

#[test]
fn containers_get_the_token_of_their_account() {
    let mut api = Api::new();
    let spec = json!({
        "initContainers": [{"name": "i", "image": "nginx:1"}],
        "containers": [
            {"name": "c", "image": "nginx:1", "volumeMounts": [{"name": "own", "mountPath": "/own"}]},
            {"name": "d", "image": "nginx:1", "volumeMounts": [{"name": "own", "mountPath": AT}]},
        ],
        "volumes": [{"name": "own", "emptyDir": {}}],
    });
    let made = api.pod("p", &spec);
    let volume = &made["volumes"][1];
    let name = volume["name"].as_str().unwrap();
    assert!(
        name.strip_prefix("kube-api-access-").is_some_and(|suffix| suffix.len() == 5),
        "{name}"
    );
    assert_eq!(
        volume["projected"],
        json!({"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
            {"downwardAPI": {"items": [{
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace",
            }]}},
        ]})
    );
    let mount = json!({"mountPath": AT, "name": name, "readOnly": true});
    let mounts = |of: &Value, at: &str| of.pointer(&format!("{at}/volumeMounts")).cloned();
    assert_eq!(mounts(&made, "/initContainers/0"), Some(json!([mount])));
    assert_eq!(
        mounts(&made, "/containers/0"),
        Some(json!([{"name": "own", "mountPath": "/own"}, mount]))
    );
    assert_eq!(mounts(&made, "/containers/1"), Some(json!([{"name": "own", "mountPath": AT}])));
    // Nobody owns what admission adds.
    let (_, whole) = api.ask("GET", &format!("{CORE}/pods/p"), None);
    assert!(!whole["metadata"]["managedFields"].to_string().contains("kube-api-access"));

    // A volume of that name that is there is the one to mount.
    let own = json!({"containers": container(), "volumes": [{"name": "kube-api-access-x", "emptyDir": {}}]});
    let made = api.pod("q", &own);
    assert_eq!(made["volumes"].as_array().map(Vec::len), Some(1));
    assert_eq!(made["containers"][0]["volumeMounts"][0]["name"], "kube-api-access-x");
    // Where all have something else there is no volume.
    let mut taken = spec;
    taken["initContainers"] = json!([]);
    taken["containers"].as_array_mut().unwrap().remove(0);
    let made = api.pod("r", &taken);
    assert_eq!(made["volumes"].as_array().map(Vec::len), Some(1));
}

#[test]
fn who_does_not_want_a_token_gets_none() {
    let mut api = Api::new();
    api.made(
        "serviceaccounts",
        json!({"metadata": {"name": "shy"}, "automountServiceAccountToken": false}),
    );
    for (name, account, own, mounts) in [
        ("a", "default", Value::Null, true),
        ("b", "default", json!(false), false),
        ("c", "shy", Value::Null, false),
        ("d", "shy", json!(true), true),
    ] {
        let made = api.pod(
            name,
            &json!({
                "containers": container(), "serviceAccountName": account,
                "automountServiceAccountToken": own,
            }),
        );
        assert_eq!(made.get("volumes").is_some(), mounts, "{name}");
        assert_eq!(made["containers"][0].get("volumeMounts").is_some(), mounts, "{name}");
    }
}

#[test]
fn pods_pull_with_the_secrets_of_their_account_unless_they_bring_some() {
    let mut api = Api::new();
    let secrets = json!([{"name": "registry"}]);
    api.made("serviceaccounts", json!({"metadata": {"name": "a"}, "imagePullSecrets": secrets}));
    let made = api.pod("p", &json!({"containers": container(), "serviceAccountName": "a"}));
    assert_eq!(made["imagePullSecrets"], secrets);
    let own = json!([{"name": "mine"}]);
    let spec =
        json!({"containers": container(), "serviceAccountName": "a", "imagePullSecrets": own});
    assert_eq!(api.pod("q", &spec)["imagePullSecrets"], own);
}

#[test]
fn an_account_can_hold_its_pods_to_its_own_secrets() {
    let mut api = Api::new();
    api.made(
        "serviceaccounts",
        json!({
            "metadata": {"name": "a", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}},
            "secrets": [{"name": "known"}], "imagePullSecrets": [{"name": "registry"}],
        }),
    );
    let spec = |secret: &str| {
        json!({
            "serviceAccountName": "a",
            "volumes": [{"name": "v", "secret": {"secretName": secret}}],
            "containers": [{"name": "c", "image": "nginx:1",
                "envFrom": [{"secretRef": {"name": secret}}],
                "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}]}],
        })
    };
    api.pod("good", &spec("known"));
    let end = "is not allowed because service account a does not reference that secret";
    let mut bad = spec("other");
    for what in [
        "volume with secret.secretName",
        "container c with envVar E referencing secret.secretName",
        "container c with envFrom referencing secret.secretName",
    ] {
        let said = format!("pods \"p\" is forbidden: {what}=\"other\" {end}");
        assert_eq!(api.refused(&bad), said);
        // The next one is found once this one is gone.
        if what.starts_with("volume") {
            bad["volumes"] = json!([]);
        } else {
            bad["containers"][0]["env"] = json!([]);
        }
    }
    let mut bad = spec("known");
    bad["imagePullSecrets"] = json!([{"name": "registry"}, {"name": "mine"}]);
    assert_eq!(
        api.refused(&bad),
        "pods \"p\" is forbidden: imagePullSecrets[1].name=\"mine\" is not allowed because service account a \
         does not reference that imagePullSecret"
    );
}
