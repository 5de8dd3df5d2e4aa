//! The secure door: who is known, and what they may do.

use std::time::Duration;

use podflow::testing::api::caller::Credentials;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

pub struct Door(Cluster);

impl Door {
    pub fn new() -> Self {
        let mut cluster = Cluster::new(&Setup::new(1, 0));
        cluster.run_for(Duration::from_secs(1));
        Self(cluster)
    }

    /// The code and the message of the answer.
    pub fn ask(&mut self, shown: Option<Credentials>, call: &HttpCall) -> (u16, String) {
        let call = HttpCall { credentials: shown.map(Into::into), ..call.clone() };
        let id = self.0.submit(&call);
        self.0.run_for(Duration::from_secs(1));
        let reply = self.0.reply(id).unwrap();
        let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        (reply.code, body["message"].as_str().unwrap_or_default().to_owned())
    }

    /// The body of the answer to a call through the insecure door.
    pub fn body(&mut self, call: &HttpCall) -> Value {
        let id = self.0.submit(call);
        self.0.run_for(Duration::from_secs(1));
        serde_json::from_str(&self.0.reply(id).unwrap().body).unwrap_or_default()
    }

    fn get(&mut self, shown: Credentials, path: &str) -> (u16, String) {
        self.ask(Some(shown), &HttpCall::get(path))
    }

    pub fn create(&mut self, path: &str, body: Value) {
        let (code, message) = self.ask(None, &HttpCall::new("POST", path, Some(body)));
        assert_eq!(code, 201, "{message}");
    }
}

fn token(token: &str) -> Credentials {
    Credentials::of_headers(Some(&format!("Bearer {token}")), None, [])
}

pub fn passing_for(user: &str, groups: &[&str]) -> Credentials {
    Credentials::of_headers(Some("Bearer admin"), Some(user), groups.iter().copied())
}

pub const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const PODS: &str = "/api/v1/namespaces/default/pods";

#[test]
fn a_caller_is_known_by_their_token() {
    let mut door = Door::new();
    assert_eq!(door.get(token("admin"), PODS).0, 200);
    assert_eq!(door.get(token("wrong"), PODS), (401, "Unauthorized".to_owned()));
    assert_eq!(door.get(Credentials::default(), "/version").0, 200);
    assert_eq!(
        door.get(Credentials::default(), "/api"),
        (403, "forbidden: User \"system:anonymous\" cannot get path \"/api\"".to_owned())
    );
    assert_eq!(door.get(passing_for("bob", &[]), "/api").0, 200);
    // The other door asks nobody.
    assert_eq!(door.ask(None, &HttpCall::get(PODS)).0, 200);
}

#[test]
fn only_who_may_passes_for_somebody_else() {
    let mut door = Door::new();
    let shown = Credentials::of_headers(None, Some("bob"), []);
    let (code, message) = door.get(shown, PODS);
    assert_eq!(code, 403);
    assert_eq!(
        message,
        "users \"bob\" is forbidden: User \"system:anonymous\" cannot impersonate resource \
         \"users\" in API group \"\" at the cluster scope"
    );
}

#[test]
fn a_role_allows_what_its_rules_say_where_it_is_bound() {
    let mut door = Door::new();
    let role = json!({
        "metadata": {"name": "reader"},
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "*/log"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"], "verbs": ["*"]},
        ],
    });
    let binding = |subject: Value, kind: &str| {
        json!({
            "metadata": {"name": "readers"}, "subjects": [subject],
            "roleRef": {"kind": kind, "name": "reader"},
        })
    };
    door.create(&format!("{RBAC}/namespaces/default/roles"), role);
    let bob = json!({"kind": "User", "name": "bob"});
    door.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding(bob, "Role"));

    let bob = || passing_for("bob", &[]);
    let here = "/api/v1/namespaces/default";
    for (path, code) in [
        (PODS.to_owned(), 200),
        ("/api/v1/pods".to_owned(), 403),
        ("/api/v1/namespaces/kube-system/pods".to_owned(), 403),
        (format!("{PODS}?watch=1"), 403),
        (format!("{PODS}/p"), 404),
        (format!("{PODS}/p/exec"), 403),
        (format!("{here}/configmaps/one"), 404),
        (format!("{here}/configmaps/two"), 403),
        (format!("{here}/configmaps"), 403),
    ] {
        let (got, message) = door.get(bob(), &path);
        assert_eq!(got, code, "{path}: {message}");
    }

    // A binding of the whole cluster, to a role that there is not.
    let group = json!({"kind": "Group", "name": "readers"});
    door.create(&format!("{RBAC}/clusterrolebindings"), binding(group, "ClusterRole"));
    let (code, message) = door.get(passing_for("ann", &["readers"]), "/api/v1/pods");
    assert_eq!(code, 403);
    assert_eq!(
        message,
        "pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" at the \
         cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io \"reader\" not found"
    );
}

#[test]
fn a_service_account_is_bound_by_its_namespace_and_name() {
    let mut door = Door::new();
    let account = json!({"kind": "ServiceAccount", "name": "robot", "namespace": "default"});
    let binding = json!({
        "metadata": {"name": "robots"}, "subjects": [account],
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    });
    door.create(&format!("{RBAC}/clusterrolebindings"), binding);
    for (user, code) in [
        ("system:serviceaccount:default:robot", 200),
        ("system:serviceaccount:other:robot", 403),
        ("robot", 403),
    ] {
        assert_eq!(door.get(passing_for(user, &[]), "/api/v1/nodes").0, code, "{user}");
    }
}

#[test]
fn a_bad_role_is_refused_with_every_mistake() {
    let mut door = Door::new();
    for (path, body, want) in [
        (
            "namespaces/default/roles",
            json!({
                "metadata": {"name": "a/b"},
                "rules": [{"verbs": []}, {"verbs": ["get"], "nonResourceURLs": ["/x"]}],
            }),
            "Role.rbac.authorization.k8s.io \"a/b\" is invalid: [metadata.name: Invalid value: \
             \"a/b\": may not contain '/', rules[0].verbs: Required value: verbs must contain at \
             least one value, rules[0].apiGroups: Required value: resource rules must supply at \
             least one api group, rules[0].resources: Required value: resource rules must supply \
             at least one resource, rules[1].nonResourceURLs: Invalid value: [\"/x\"]: namespaced \
             rules cannot apply to non-resource URLs]",
        ),
        (
            "clusterrolebindings",
            json!({
                "metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": ""},
                "subjects": [{"kind": "ServiceAccount", "name": "x"}, {"kind": "Robot", "name": "y"}],
            }),
            "ClusterRoleBinding.rbac.authorization.k8s.io \"b\" is invalid: [roleRef.kind: \
             Unsupported value: \"Role\": supported values: \"ClusterRole\", roleRef.name: Required \
             value, subjects[0].namespace: Required value, subjects[1].kind: Unsupported value: \
             \"Robot\": supported values: \"ServiceAccount\", \"User\", \"Group\"]",
        ),
    ] {
        let call = HttpCall::new("POST", &format!("{RBAC}/{path}"), Some(body));
        assert_eq!(door.ask(None, &call), (422, want.to_owned()));
    }
}

#[test]
fn reviews_tell_who_one_is_and_what_one_may() {
    let mut door = Door::new();
    let role = json!({
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    });
    door.create(&format!("{RBAC}/namespaces/default/roles"), role);
    let binding = json!({
        "metadata": {"name": "readers"}, "subjects": [{"kind": "User", "name": "bob"}],
        "roleRef": {"kind": "Role", "name": "reader"},
    });
    door.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding);

    let bob = || passing_for("bob", &[]);
    let mut review = |shown: Option<Credentials>, path: &str, spec: Value| {
        let body = json!({"spec": spec});
        let call = HttpCall::new("POST", &format!("/apis/{path}"), Some(body));
        let call = HttpCall { credentials: shown.map(Into::into), ..call };
        let id = door.0.submit(&call);
        door.0.run_for(Duration::from_secs(1));
        let reply = door.0.reply(id).unwrap();
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        (reply.code, body)
    };
    let access = "authorization.k8s.io/v1/selfsubjectaccessreviews";
    let asks = |verb: &str| json!({"resourceAttributes": {"verb": verb, "resource": "pods", "namespace": "default"}});

    let who = "authentication.k8s.io/v1/selfsubjectreviews";
    let (code, said) = review(Some(bob()), who, Value::Null);
    let info = json!({"username": "bob", "groups": ["system:authenticated"]});
    assert_eq!((code, &said["status"]["userInfo"]), (201, &info));

    let (code, said) = review(Some(bob()), access, asks("list"));
    let why = "RBAC: allowed by RoleBinding \"readers/default\" of Role \"reader\" to User \"bob\"";
    assert_eq!((code, &said["status"]), (201, &json!({"allowed": true, "reason": why})));
    let (_, said) = review(Some(bob()), access, asks("delete"));
    assert_eq!(said["status"], json!({"allowed": false}));
    let (_, said) = review(None, access, asks("delete"));
    assert_eq!(said["status"], json!({"allowed": true}));
    let url = json!({"nonResourceAttributes": {"verb": "get", "path": "/version"}});
    assert_eq!(review(Some(bob()), access, url).1["status"]["allowed"], true);
    assert_eq!(review(Some(bob()), access, json!({})).0, 422);

    let mut about = asks("list");
    about["user"] = json!("bob");
    let other = "authorization.k8s.io/v1/subjectaccessreviews";
    assert_eq!(review(None, other, about.clone()).1["status"]["allowed"], true);
    // That is for those who may ask about others.
    assert_eq!(review(Some(bob()), other, about).0, 403);

    let rules = "authorization.k8s.io/v1/selfsubjectrulesreviews";
    let (_, said) = review(Some(bob()), rules, json!({"namespace": "default"}));
    let first = json!({"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]});
    let listed = said["status"]["resourceRules"].as_array().unwrap();
    assert!(listed.contains(&first), "{said}");
}

#[test]
fn reviews_are_discovered_as_what_can_only_be_created() {
    let mut door = Door::new();
    let mut read = |path: &str| -> Value {
        let id = door.0.submit(&HttpCall::get(path));
        door.0.run_for(Duration::from_secs(1));
        serde_json::from_str(&door.0.reply(id).unwrap().body).unwrap()
    };
    let groups = read("/apis");
    let names: Vec<&str> =
        groups["groups"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(names.contains(&"authorization.k8s.io"), "{names:?}");
    let list = read("/apis/authorization.k8s.io/v1");
    assert_eq!(list["resources"][0]["name"], "localsubjectaccessreviews");
    assert_eq!(list["resources"][0]["namespaced"], true);
    assert_eq!(list["resources"][1]["name"], "selfsubjectaccessreviews");
    assert_eq!(list["resources"][1]["verbs"], json!(["create"]));
    let core = read("/api/v1");
    let of = |name: &str| {
        let resources = core["resources"].as_array().unwrap();
        let found = resources.iter().find(|resource| resource["name"] == name).unwrap();
        found["verbs"].as_array().unwrap().contains(&json!("deletecollection"))
    };
    assert_eq!((of("pods"), of("namespaces")), (true, false));
}

#[test]
fn the_roles_of_a_namespace_are_there_from_the_beginning() {
    let mut door = Door::new();
    for role in ["view", "edit", "admin"] {
        let binding = json!({
            "metadata": {"name": role},
            "subjects": [{"kind": "User", "name": format!("{role}er")}],
            "roleRef": {"kind": "ClusterRole", "name": role},
        });
        door.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding);
    }
    let secrets = "/api/v1/namespaces/default/secrets";
    let roles = format!("{RBAC}/namespaces/default/roles");
    // Who can read Pods, read secrets, create Pods, and read roles.
    for (user, may) in [
        ("viewer", [true, false, false, false]),
        ("editer", [true, true, true, false]),
        ("adminer", [true, true, true, true]),
    ] {
        let mut code = |call: HttpCall| door.ask(Some(passing_for(user, &[])), &call).0;
        let got = [
            code(HttpCall::get(PODS)) == 200,
            code(HttpCall::get(secrets)) == 200,
            code(HttpCall::new("POST", PODS, Some(json!({})))) != 403,
            code(HttpCall::get(&roles)) == 200,
        ];
        assert_eq!(got, may, "{user}");
        assert_eq!(code(HttpCall::get("/api/v1/namespaces/kube-system/pods")), 403);
    }
}

/// The body of the answer to a request through the door that asks nobody.
fn asked(door: &mut Door, path: &str, body: Value) -> (u16, Value) {
    let id = door.0.submit(&HttpCall::new("POST", path, Some(body)));
    door.0.run_for(Duration::from_millis(100));
    let reply = door.0.reply(id).unwrap();
    (reply.code, serde_json::from_str(&reply.body).unwrap())
}

const ACCOUNTS: &str = "/api/v1/namespaces/default/serviceaccounts";

fn with_account() -> Door {
    let mut door = Door::new();
    door.create(ACCOUNTS, json!({"metadata": {"name": "bot"}}));
    let binding = json!({
        "metadata": {"name": "bot"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": "default"}],
        "roleRef": {"kind": "ClusterRole", "name": "view"},
    });
    door.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding);
    door
}

fn token_for(door: &mut Door, spec: &Value) -> (u16, Value) {
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec,
    });
    asked(door, &format!("{ACCOUNTS}/bot/token"), request)
}

#[test]
fn a_service_account_is_known_by_its_token_for_as_long_as_that_says() {
    let mut door = with_account();
    let (code, answer) = token_for(&mut door, &json!({"expirationSeconds": 600}));
    assert_eq!(code, 201, "{answer}");
    let given = answer["status"]["token"].as_str().unwrap().to_owned();
    assert_eq!(given.split('.').count(), 3);
    assert_eq!(door.get(token(&given), PODS).0, 200);
    let (code, message) = door.get(token(&given), "/api/v1/nodes");
    assert_eq!(code, 403);
    assert!(
        message.contains("User \"system:serviceaccount:default:bot\" cannot list"),
        "{message}"
    );
    let review = json!({"spec": {"token": given}});
    let (_, told) = asked(&mut door, "/apis/authentication.k8s.io/v1/tokenreviews", review);
    assert_eq!(told["status"]["user"]["username"], "system:serviceaccount:default:bot");

    let forged = given.replace('.', "x.");
    assert_eq!(door.get(token(&forged), PODS).0, 401);
    door.0.run_for(Duration::from_secs(601));
    assert_eq!(door.get(token(&given), PODS).0, 401);
    let review = json!({"spec": {"token": given}});
    let (_, told) = asked(&mut door, "/apis/authentication.k8s.io/v1/tokenreviews", review);
    assert_eq!(told["status"]["error"], "invalid bearer token");
}

#[test]
fn a_token_ends_with_its_account_and_with_what_it_is_bound_to() {
    let mut door = with_account();
    let secrets = "/api/v1/namespaces/default/secrets";
    door.create(secrets, json!({"metadata": {"name": "bound"}}));
    let bound = json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": "bound"}});
    let (_, to_secret) = token_for(&mut door, &bound);
    let (_, to_nothing) = token_for(&mut door, &json!({}));
    let [to_secret, to_nothing] =
        [to_secret, to_nothing].map(|it| token(it["status"]["token"].as_str().unwrap()));
    assert_eq!(door.get(to_secret.clone(), PODS).0, 200);
    let gone = HttpCall::new("DELETE", &format!("{secrets}/bound"), None);
    assert_eq!(door.ask(None, &gone).0, 200);
    assert_eq!(door.get(to_secret, PODS).0, 401);
    assert_eq!(door.get(to_nothing.clone(), PODS).0, 200);
    // Another account of that name is another account.
    door.ask(None, &HttpCall::new("DELETE", &format!("{ACCOUNTS}/bot"), None));
    door.create(ACCOUNTS, json!({"metadata": {"name": "bot"}}));
    assert_eq!(door.get(to_nothing, PODS).0, 401);
}

#[test]
fn a_token_that_cannot_be_is_refused() {
    let mut door = with_account();
    door.create(
        PODS,
        json!({
            "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "main", "image": "nginx"}]},
        }),
    );
    let bound = |kind: &str, name: &str| json!({"boundObjectRef": {"apiVersion": "v1", "kind": kind, "name": name}});
    for (spec, code, words) in [
        (
            json!({"expirationSeconds": 60}),
            422,
            "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
        ),
        (bound("Secret", "none"), 404, "secrets \"none\" not found"),
        (bound("ConfigMap", "none"), 400, "cannot bind token to object of type v1, Kind=ConfigMap"),
        (
            bound("Pod", "web"),
            400,
            "cannot bind token for serviceaccount \"bot\" to pod running with different",
        ),
    ] {
        let (got, answer) = token_for(&mut door, &spec);
        let message = answer["message"].as_str().unwrap();
        assert_eq!(got, code, "{message}");
        assert!(message.contains(words), "{message}");
    }
    let (code, answer) = asked(&mut door, &format!("{ACCOUNTS}/nobody/token"), json!({}));
    assert_eq!((code, &answer["message"]), (404, &json!("serviceaccounts \"nobody\" not found")));
}
