//! Deletes: of what is held by finalizers, and of whole collections.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

use crate::server::Server;

struct Api(Cluster);

impl Api {
    fn new(nodes: usize) -> Self {
        let mut cluster = Cluster::new(&Setup::new(1, nodes));
        cluster.run_for(Duration::from_secs(5));
        Self(cluster)
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut call = HttpCall::new(method, path, body);
        if method == "PATCH" {
            call.content_type = "application/merge-patch+json".into();
        }
        let id = self.0.submit(&call);
        self.0.run_for(Duration::from_secs(1));
        let reply = self.0.reply(id).unwrap();
        (reply.code, serde_json::from_str(&reply.body).unwrap_or_default())
    }

    fn create(&mut self, path: &str, body: Value) {
        let (code, said) = self.ask("POST", path, Some(body));
        assert_eq!(code, 201, "{said}");
    }

    fn names(&mut self, path: &str) -> Vec<String> {
        let (code, list) = self.ask("GET", path, None);
        assert_eq!(code, 200, "{list}");
        let items = list["items"].as_array().into_iter().flatten();
        items.map(|item| item["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const PODS: &str = "/api/v1/namespaces/default/pods";

#[test]
fn a_finalizer_holds_an_object_until_it_is_taken_away() {
    let mut api = Api::new(0);
    let held = json!({"metadata": {"name": "m", "finalizers": ["example.com/hold"]}});
    api.create(SECRETS, held);
    let one = format!("{SECRETS}/m");
    let (code, marked) = api.ask("DELETE", &one, None);
    assert_eq!(code, 200);
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 0);
    // A second delete changes nothing.
    let (code, again) = api.ask("DELETE", &one, None);
    assert_eq!(
        (code, &again["metadata"]["resourceVersion"]),
        (200, &marked["metadata"]["resourceVersion"])
    );
    // A change that leaves the finalizer leaves the object.
    let (code, _) = api.ask("PATCH", &one, Some(json!({"data": {"a": "Yg=="}})));
    assert_eq!((code, api.names(SECRETS)), (200, vec!["m".to_owned()]));
    let (code, last) = api.ask("PATCH", &one, Some(json!({"metadata": {"finalizers": null}})));
    assert_eq!((code, last["data"]["a"].as_str()), (200, Some("Yg==")), "{last}");
    assert_eq!(api.names(SECRETS), Vec::<String>::new());
}

#[test]
fn a_collection_is_deleted_as_far_as_it_is_chosen() {
    let mut api = Api::new(0);
    for (name, app) in [("a", "x"), ("b", "x"), ("c", "y")] {
        api.create(SECRETS, json!({"metadata": {"name": name, "labels": {"app": app}}}));
    }
    let (code, list) =
        api.ask("DELETE", &format!("{SECRETS}?labelSelector=app%3Dx&dryRun=All"), None);
    assert_eq!((code, list["items"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(api.names(SECRETS), ["a", "b", "c"]);
    let (code, list) = api.ask("DELETE", &format!("{SECRETS}?labelSelector=app%3Dx"), None);
    assert_eq!((code, &list["kind"]), (200, &json!("SecretList")));
    assert_eq!(api.names(SECRETS), ["c"]);
    assert_eq!(api.ask("DELETE", "/api/v1/namespaces", None).0, 405);
}

#[test]
fn pods_of_a_collection_end_in_their_own_time() {
    let mut api = Api::new(1);
    let pod = |name: &str, wanted: Value| {
        json!({"metadata": {"name": name}, "spec": {
            "containers": [{"name": "a", "image": "nginx"}], "nodeSelector": wanted,
        }})
    };
    api.create(PODS, pod("runs", json!({})));
    api.create(PODS, pod("waits", json!({"disk": "ssd"})));
    api.0.run_for(Duration::from_secs(20));
    assert_eq!(api.ask("DELETE", PODS, None).0, 200);
    // What runs nowhere is gone; what runs is told to stop.
    assert!(!api.names(PODS).contains(&"waits".to_owned()));
    api.0.run_for(Duration::from_mins(1));
    assert_eq!(api.names(PODS), Vec::<String>::new());
}

#[test]
fn options_of_a_delete_stand_in_its_body_or_in_its_query() {
    let mut api = Api::new(1);
    for name in ["p", "q"] {
        let container = json!({"name": "a", "image": "nginx"});
        api.create(PODS, json!({"metadata": {"name": name}, "spec": {"containers": [container]}}));
    }
    api.0.run_for(Duration::from_secs(20));
    let one = format!("{PODS}/p");
    let try_only = json!({"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]});
    assert_eq!(api.ask("DELETE", &one, Some(try_only)).0, 200);
    assert_eq!(api.ask("DELETE", &format!("{one}?dryRun=All"), None).0, 200);
    let (_, kept) = api.ask("GET", &one, None);
    assert!(kept["metadata"].get("deletionTimestamp").is_none(), "{kept}");
    // Beside a body nobody looks at the query.
    let no_wish = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
    let (_, marked) = api.ask("DELETE", &format!("{one}?gracePeriodSeconds=0"), Some(no_wish));
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30, "{marked}");
    let (_, gone) = api.ask("DELETE", &format!("{PODS}/q?gracePeriodSeconds=0"), None);
    assert_eq!(gone["metadata"]["deletionGracePeriodSeconds"], 0, "{gone}");
    assert_eq!(api.ask("GET", &format!("{PODS}/q"), None).0, 404);
}

#[test]
fn a_namespace_ends_when_it_is_empty_and_nobody_holds_it() {
    let mut server = Server::new();
    let path = |name: &str| format!("/api/v1/namespaces/{name}");
    let held = json!({"metadata": {"name": "held"}, "spec": {"finalizers": ["example.com/wait"]}});
    let made = server.expect(201, "POST", "/api/v1/namespaces", held);
    let names = |namespace: &Value| namespace["spec"]["finalizers"].clone();
    assert_eq!(names(&made), json!(["example.com/wait", "kubernetes"]));

    // An update takes no finalizers away, nor does a finalization change the status.
    let mut bare = made.clone();
    bare["spec"]["finalizers"] = json!([]);
    let same = server.expect(200, "PUT", &path("held"), bare);
    assert_eq!(names(&same), names(&made));
    server.expect(200, "DELETE", &path("held"), Value::Null);
    let ending = server.expect(200, "GET", &path("held"), Value::Null);
    assert_eq!(names(&ending), json!(["example.com/wait"]));
    assert_eq!(ending["status"]["phase"], "Terminating");
    server.expect(200, "DELETE", &path("held"), Value::Null);

    let finalize = format!("{}/finalize", path("held"));
    let mut wrong = ending.clone();
    wrong["spec"]["finalizers"] = json!(["example.com/wait", "simple"]);
    let refused = server.expect(422, "PUT", &finalize, wrong);
    assert_eq!(
        refused["message"],
        "Namespace \"held\" is invalid: spec.finalizers[1]: Invalid value: \"simple\": name is \
         neither a standard finalizer name nor is it fully qualified"
    );
    let mut last = ending;
    last["status"]["phase"] = "Active".into();
    last["spec"]["finalizers"] = json!([]);
    let last = server.expect(200, "PUT", &finalize, last);
    assert_eq!(last["status"]["phase"], "Terminating");
    assert_eq!(server.call("GET", &path("held"), Value::Null).code, 404);

    // What lives is not ended by it; there is no other way in.
    let made = server.expect(201, "POST", "/api/v1/namespaces", json!({"metadata": {"name": "b"}}));
    let mut bare = made;
    bare["spec"]["finalizers"] = json!([]);
    let finalize = format!("{}/finalize", path("b"));
    let alive = server.expect(200, "PUT", &finalize, bare);
    assert_eq!(
        (&alive["status"]["phase"], alive["spec"]["finalizers"].is_null()),
        (&json!("Active"), true)
    );
    assert_eq!(server.call("GET", &finalize, Value::Null).code, 405);
    server.expect(200, "DELETE", &path("b"), Value::Null);
    assert_eq!(server.call("GET", &path("b"), Value::Null).code, 404);

    let resources = server.expect(200, "GET", "/api/v1", Value::Null);
    let mut parts = resources["resources"].as_array().unwrap().iter();
    let part = parts.find(|resource| resource["name"] == "namespaces/finalize").unwrap();
    assert_eq!(part["verbs"], json!(["update"]));
}
