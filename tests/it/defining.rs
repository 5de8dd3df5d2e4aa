//! Kinds that somebody defines: served at once, held to their schema, gone with their definition.

use std::time::Duration;

use podflow::testing::cluster::HttpCall;
use serde_json::{Value, json};

use crate::server::Server;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const TABS: &str = "/apis/stable.example.com/v1/namespaces/default/crontabs";

/// A server that knows the kind of the definition.
fn with_tabs() -> Server {
    let mut server = Server::new();
    server.expect(201, "POST", DEFINITIONS, definition());
    server
}

fn definition() -> Value {
    let column =
        |name: &str, of: &str, path: &str| json!({"name": name, "type": of, "jsonPath": path});
    let properties = json!({
        "spec": {
            "type": "object", "required": ["cronSpec"],
            "properties": {
                "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
                "image": {"type": "string", "default": "busybox"},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
            },
        },
        "status": {"type": "object", "properties": {
            "replicas": {"type": "integer"}, "labelSelector": {"type": "string"},
        }},
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com", "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"], "categories": ["all"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
                "subresources": {"status": {}, "scale": {
                    "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                    "labelSelectorPath": ".status.labelSelector",
                }},
                "additionalPrinterColumns": [
                    column("Spec", "string", ".spec.cronSpec"),
                    column("Replicas", "integer", ".spec.replicas"),
                    column("Ready", "string", ".status.conditions[?(@.type=='Ready')].status"),
                    column("Age", "date", ".metadata.creationTimestamp"),
                ],
            }],
        },
    })
}

fn tab(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "stable.example.com/v1", "kind": "CronTab",
        "metadata": {"name": name}, "spec": spec,
    })
}

fn good() -> Value {
    json!({"cronSpec": "* * * * */5"})
}

#[test]
fn a_definition_is_established_and_served_at_once() {
    let mut server = with_tabs();
    let defined = server.expect(
        200,
        "GET",
        &format!("{DEFINITIONS}/crontabs.stable.example.com"),
        Value::Null,
    );
    let names = &defined["spec"]["names"];
    assert_eq!(
        (&names["singular"], &names["listKind"]),
        (&json!("crontab"), &json!("CronTabList"))
    );
    assert_eq!(defined["spec"]["conversion"], json!({"strategy": "None"}));
    let status = &defined["status"];
    assert_eq!(status["acceptedNames"], *names);
    assert_eq!(status["storedVersions"], json!(["v1"]));
    let told: Vec<String> = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            [&one["type"], &one["status"], &one["reason"], &one["message"]]
                .map(|it| it.as_str().unwrap())
                .join(" | ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "NamesAccepted | True | NoConflicts | no conflicts found",
            "Established | True | InitialNamesAccepted | the initial names have been accepted",
        ]
    );
    let listed = server.expect(200, "GET", "/apis/stable.example.com/v1", Value::Null);
    let resources = listed["resources"].as_array().unwrap();
    let names: Vec<&str> = resources.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["crontabs", "crontabs/scale", "crontabs/status"]);
    assert_eq!(resources[0]["shortNames"], json!(["ct"]));
    let groups = server.expect(200, "GET", "/apis", Value::Null);
    let groups = groups["groups"].as_array().unwrap();
    assert!(groups.iter().any(|group| group["name"] == "stable.example.com"));
}

#[test]
fn before_it_is_defined_there_is_nothing() {
    let mut server = Server::new();
    let reply = server.call("GET", TABS, Value::Null);
    assert_eq!((reply.code, &*reply.body), (404, "404 page not found\n"));
}

#[test]
fn objects_are_defaulted_checked_and_counted_by_their_schema() {
    let mut server = with_tabs();
    let made = server.expect(201, "POST", TABS, tab("a", &good()));
    assert_eq!(made["spec"], json!({"cronSpec": "* * * * */5", "image": "busybox", "replicas": 1}));
    assert_eq!((&made["kind"], &made["metadata"]["generation"]), (&json!("CronTab"), &json!(1)));

    let wrong = tab("b", &json!({"cronSpec": "often", "replicas": 11}));
    let refused = server.expect(422, "POST", TABS, wrong);
    assert_eq!(
        refused["message"],
        concat!(
            "CronTab.stable.example.com \"b\" is invalid: [spec.cronSpec: Invalid value: \"often\": ",
            "spec.cronSpec in body should match '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$', ",
            "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10]",
        )
    );

    // What has no place is left out with a warning, or refused where that is asked for.
    let more = tab("c", &json!({"cronSpec": "* * * * *", "colour": "red"}));
    let reply = server.call("POST", TABS, more.clone());
    assert_eq!(reply.code, 201);
    assert!(!reply.body.contains("colour"), "{}", reply.body);
    let strict = format!("{TABS}?fieldValidation=Strict");
    let refused = server.expect(400, "POST", &strict, more);
    assert_eq!(
        refused["message"],
        "CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: unknown field \"spec.colour\"",
    );
}

#[test]
fn writes_to_the_whole_and_to_the_status_leave_each_other_alone() {
    let mut server = with_tabs();
    let made = server.expect(201, "POST", TABS, tab("a", &good()));
    let one = format!("{TABS}/a");
    let mut next = made;
    next["spec"]["replicas"] = json!(3);
    next["status"] = json!({"replicas": 9});
    let changed = server.expect(200, "PUT", &one, next);
    assert_eq!(changed["metadata"]["generation"], 2);
    assert!(changed.get("status").is_none(), "{changed}");

    let mut next = changed;
    next["spec"]["replicas"] = json!(5);
    next["status"] = json!({"replicas": 2, "labelSelector": "app=a"});
    let changed = server.expect(200, "PUT", &format!("{one}/status"), next);
    assert_eq!(
        (&changed["spec"]["replicas"], &changed["status"]["replicas"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(changed["metadata"]["generation"], 2);

    let scale = server.expect(200, "GET", &format!("{one}/scale"), Value::Null);
    assert_eq!(
        (&scale["kind"], &scale["spec"], &scale["status"]),
        (&json!("Scale"), &json!({"replicas": 3}), &json!({"replicas": 2, "selector": "app=a"}),)
    );
    let mut next = scale;
    next["spec"]["replicas"] = json!(4);
    server.expect(200, "PUT", &format!("{one}/scale"), next);
    let now = server.expect(200, "GET", &one, Value::Null);
    assert_eq!(now["spec"]["replicas"], 4);

    // An update says which version it was made of.
    let mut blind = now;
    blind["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let refused = server.expect(422, "PUT", &one, blind);
    assert!(refused["message"].as_str().unwrap().contains("must be specified for an update"));
}

#[test]
fn patches_merge_and_a_strategic_one_is_not_taken() {
    let mut server = with_tabs();
    server.expect(201, "POST", TABS, tab("a", &good()));
    let one = format!("{TABS}/a");
    let patch = json!({"spec": {"replicas": 2}});
    let merge = HttpCall {
        content_type: "application/merge-patch+json".into(),
        ..HttpCall::new("PATCH", &one, Some(patch.clone()))
    };
    let reply = server.send(&merge);
    assert_eq!(reply.code, 200, "{}", reply.body);
    assert!(reply.body.contains("\"replicas\":2"), "{}", reply.body);
    let reply = server.send(&HttpCall::strategic_patch(&one, patch));
    assert_eq!(reply.code, 415, "{}", reply.body);
    let message = "the body of the request was in an unknown format - accepted media types include: \
                   application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    assert!(reply.body.contains(message), "{}", reply.body);
}

#[test]
fn a_table_has_the_columns_of_the_definition() {
    let mut server = with_tabs();
    server.expect(201, "POST", TABS, tab("a", &good()));
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let call = HttpCall { accept: accept.into(), ..HttpCall::get(TABS) };
    let reply = server.send(&call);
    let table: Value = serde_json::from_str(&reply.body).unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Name", "Spec", "Replicas", "Ready", "Age"]);
    let cells = &table["rows"][0]["cells"];
    assert_eq!(*cells, json!(["a", "* * * * */5", 1, null, "2s"]));
}

#[test]
fn a_definition_takes_its_objects_with_it() {
    let mut server = with_tabs();
    server.expect(201, "POST", TABS, tab("a", &good()));
    let mut held = tab("b", &good());
    held["metadata"]["finalizers"] = json!(["example.com/held"]);
    server.expect(201, "POST", TABS, held);
    let one = format!("{DEFINITIONS}/crontabs.stable.example.com");
    server.expect(200, "DELETE", &one, Value::Null);
    let ending = server.expect(200, "GET", &one, Value::Null);
    assert_eq!(
        ending["metadata"]["finalizers"],
        json!(["customresourcecleanup.apiextensions.k8s.io"])
    );
    assert_eq!(server.call("GET", &format!("{TABS}/a"), Value::Null).code, 404);
    server.expect(405, "POST", TABS, tab("c", &good()));
    // The last object goes, and then the definition, and then the whole resource.
    let mut held = server.expect(200, "GET", &format!("{TABS}/b"), Value::Null);
    held["metadata"]["finalizers"] = json!([]);
    server.expect(200, "PUT", &format!("{TABS}/b"), held);
    server.expect(404, "GET", &one, Value::Null);
    let reply = server.call("GET", TABS, Value::Null);
    assert_eq!((reply.code, &*reply.body), (404, "404 page not found\n"));
    // It can be defined again, and is empty.
    server.expect(201, "POST", DEFINITIONS, definition());
    let list = server.expect(200, "GET", TABS, Value::Null);
    assert_eq!((&list["kind"], &list["items"]), (&json!("CronTabList"), &json!([])));
    server.expect(201, "POST", TABS, tab("a", &good()));
}

#[test]
fn every_version_shows_the_same_objects() {
    let mut server = Server::new();
    let mut two = definition();
    let mut beta = two["spec"]["versions"][0].clone();
    beta["name"] = json!("v1beta1");
    beta["storage"] = json!(false);
    two["spec"]["versions"].as_array_mut().unwrap().push(beta);
    server.expect(201, "POST", DEFINITIONS, two);
    let beta = TABS.replace("v1/", "v1beta1/");
    let mut old = tab("a", &good());
    old["apiVersion"] = json!("stable.example.com/v1beta1");
    let made = server.expect(201, "POST", &beta, old);
    assert_eq!(made["apiVersion"], "stable.example.com/v1beta1");
    let one = server.expect(200, "GET", &format!("{TABS}/a"), Value::Null);
    assert_eq!(one["apiVersion"], "stable.example.com/v1");
    let list = server.expect(200, "GET", &beta, Value::Null);
    assert_eq!(list["items"][0]["apiVersion"], "stable.example.com/v1beta1");
    let group = server.expect(200, "GET", "/apis/stable.example.com", Value::Null);
    assert_eq!(group["preferredVersion"]["version"], "v1");
    // A watch of one version hears of writes in the other.
    let watch = server.0.submit(&HttpCall::get(&format!("{beta}?watch=1")));
    server.0.run_for(Duration::from_secs(1));
    server.expect(201, "POST", TABS, tab("b", &good()));
    let lines: Vec<String> = server.0.lines(watch, 0).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("\"stable.example.com/v1beta1\"")), "{lines:?}");
}

#[test]
fn what_is_wrong_with_a_definition_is_told() {
    let mut server = Server::new();
    let mut wrong = definition();
    wrong["metadata"]["name"] = json!("tabs.example.com");
    wrong["spec"]["group"] = json!("example");
    wrong["spec"]["scope"] = json!("Global");
    wrong["spec"]["versions"][0]["storage"] = json!(false);
    let schema =
        &mut wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    schema["properties"]["image"].as_object_mut().unwrap().remove("type");
    schema["properties"]["cronSpec"]["pattern"] = json!("(");
    let refused = server.expect(422, "POST", DEFINITIONS, wrong);
    let causes = refused["details"]["causes"].as_array().unwrap();
    let fields: Vec<&str> = causes.iter().map(|cause| cause["field"].as_str().unwrap()).collect();
    let schema = "spec.validation.openAPIV3Schema.properties[spec].properties";
    assert_eq!(
        fields,
        [
            "metadata.name",
            "spec.group",
            "spec.scope",
            "spec.versions",
            &format!("{schema}[cronSpec].pattern"),
            &format!("{schema}[image].type"),
        ]
    );
}

#[test]
fn items_of_a_list_are_owned_as_the_schema_says() {
    let mut server = Server::new();
    let mut listed = definition();
    let spec =
        &mut listed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let port = json!({"type": "object", "required": ["port"], "properties": {
        "port": {"type": "integer"}, "name": {"type": "string"},
    }});
    spec["properties"]["ports"] = json!({
        "type": "array", "items": port, "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port"],
    });
    spec["properties"]["hosts"] = json!({"type": "array", "items": {"type": "string"}});
    server.expect(201, "POST", DEFINITIONS, listed);
    let apply = |server: &mut Server, manager: &str, spec: Value| {
        let path = format!("{TABS}/a?fieldManager={manager}");
        let content_type = "application/apply-patch+yaml".into();
        let call = HttpCall::new("PATCH", &path, Some(tab("a", &spec)));
        server.send(&HttpCall { content_type, ..call })
    };
    let one =
        json!({"cronSpec": "* * * * *", "ports": [{"port": 1, "name": "one"}], "hosts": ["x"]});
    assert_eq!(apply(&mut server, "one", one).code, 201);
    let two = json!({"ports": [{"port": 2, "name": "two"}]});
    let both = apply(&mut server, "two", two);
    let both: Value = serde_json::from_str(&both.body).unwrap();
    let ports = json!([{"port": 1, "name": "one"}, {"port": 2, "name": "two"}]);
    assert_eq!(both["spec"]["ports"], ports, "{both}");
    // A list that does not say so is one thing, which one owns.
    let refused =
        apply(&mut server, "two", json!({"hosts": ["y"], "ports": [{"port": 1, "name": "y"}]}));
    assert_eq!(refused.code, 409);
    for field in [".spec.hosts", ".spec.ports[port=1].name"] {
        assert!(refused.body.contains(field), "{}", refused.body);
    }
}

#[test]
fn what_nobody_heeds_here_is_warned_of() {
    let mut converted = definition();
    let hook = json!({
        "clientConfig": {"url": "https://example.com/convert"}, "conversionReviewVersions": ["v1"],
    });
    converted["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": hook});
    let path = format!("{DEFINITIONS}?dryRun=All");
    let reply = Server::new().call("POST", &path, converted);
    let told = format!("{:?}", reply.headers);
    assert!(told.contains("Podflow calls no webhooks"), "{told}");
}

/// A definition whose spec has these rules.
fn ruled(rules: &Value) -> Value {
    let mut defined = definition();
    let schema = &mut defined["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["x-kubernetes-validations"] = rules.clone();
    defined
}

#[test]
fn rules_hold_whatever_way_an_object_comes() {
    let mut server = Server::new();
    let rules = json!([
        {"rule": "self.replicas < 5 || self.image != 'busybox'"},
        {"rule": "self.image == oldSelf.image", "message": "image is immutable", "fieldPath": ".image"},
    ]);
    server.expect(201, "POST", DEFINITIONS, ruled(&rules));
    let many = json!({"cronSpec": "* * * * */5", "replicas": 7});
    let refused = server.expect(422, "POST", TABS, tab("a", &many));
    assert_eq!(
        refused["message"],
        "CronTab.stable.example.com \"a\" is invalid: spec: Invalid value: \"object\": failed rule: \
         self.replicas < 5 || self.image != 'busybox'"
    );
    server.expect(201, "POST", TABS, tab("a", &good()));
    let path = format!("{TABS}/a");
    let immutable = "CronTab.stable.example.com \"a\" is invalid: spec.image: Invalid value: \
                     \"object\": image is immutable";
    let mut stored = server.expect(200, "GET", &path, Value::Null);
    stored["spec"]["image"] = json!("other");
    let refused = server.expect(422, "PUT", &path, stored.clone());
    assert_eq!(refused["message"], immutable);
    let merge = HttpCall {
        content_type: "application/merge-patch+json".into(),
        ..HttpCall::new("PATCH", &path, Some(json!({"spec": {"image": "other"}})))
    };
    let reply = server.send(&merge);
    assert!(reply.code == 422 && reply.body.contains("image is immutable"), "{}", reply.body);
    // What cannot be such an object is not asked.
    stored["spec"] = json!({"image": "other"});
    let refused = server.expect(422, "PUT", &path, stored);
    let text = refused["message"].as_str().unwrap();
    assert!(text.contains("spec.cronSpec: Required value"), "{text}");
    let words = "<nil>: Invalid value: \"null\": some validation rules were not checked because the \
                 object was invalid; correct the existing errors to complete validation";
    assert!(text.contains(words) && !text.contains("immutable"), "{text}");
}

#[test]
fn a_rule_that_says_nothing_is_refused_where_it_is_defined() {
    let begin = "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]";
    for (rule, words) in [
        (json!({"rule": " "}), ".rule: Required value: rule is not specified"),
        (
            json!({"rule": "true", "message": " "}),
            ".message: Invalid value: \" \": message must be non-empty if specified",
        ),
        (
            json!({"rule": "true", "message": "a\nb"}),
            ".message: Invalid value: \"a\\nb\": message must not contain line breaks",
        ),
        (
            json!({"rule": "true ||\nfalse"}),
            ".message: Required value: message must be specified if rule contains line breaks",
        ),
        (
            json!({"rule": "true", "reason": "Whim"}),
            ".reason: Unsupported value: \"Whim\": supported values: \"FieldValueDuplicate\", \
             \"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\"",
        ),
        (
            json!({"rule": "true", "fieldPath": ".nothing"}),
            ".fieldPath: Invalid value: \".nothing\": fieldPath must be a valid path: does not \
             refer to a valid field",
        ),
        (
            json!({"rule": "true", "messageExpression": " "}),
            ".messageExpression: Required value: messageExpression must be non-empty if specified",
        ),
        (
            json!({"rule": "true", "optionalOldSelf": true}),
            ".optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
        ),
        (json!({"rule": "self.replicas"}), ": cel expression must evaluate to a bool"),
        (
            json!({"rule": "true", "messageExpression": "1"}),
            ": messageExpression must evaluate to a string",
        ),
        (
            json!({"rule": "self.nothing > 1"}),
            ": compilation failed: ERROR: <input>:1:5: undefined field 'nothing'\n | self.nothing > 1\n \
             | ....^",
        ),
        (
            json!({"rule": "authorizer.path('/').check('get').allowed()"}),
            ": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in \
             container '')",
        ),
    ] {
        let refused = Server::new().expect(422, "POST", DEFINITIONS, ruled(&json!([rule])));
        let text = refused["message"].as_str().unwrap();
        assert!(text.contains(begin) && text.contains(words), "{rule}: {text}");
    }
    let mut apart = definition();
    let schema = &mut apart["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["properties"]["hosts"] = json!({
        "type": "array", "items": {
            "type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}],
        },
    });
    let refused = Server::new().expect(422, "POST", DEFINITIONS, apart);
    let words = "oldSelf cannot be used on the uncorrelatable portion of the schema within \
                 spec.validation.openAPIV3Schema.properties[spec].properties[hosts]";
    assert!(refused["message"].as_str().unwrap().contains(words), "{refused}");
}

#[test]
fn names_that_another_definition_has_are_not_accepted() {
    let mut server = with_tabs();
    let mut other = definition();
    other["metadata"]["name"] = json!("tabs.stable.example.com");
    other["spec"]["names"] = json!({"plural": "tabs", "kind": "CronTab"});
    server.expect(201, "POST", DEFINITIONS, other);
    let told =
        server.expect(200, "GET", &format!("{DEFINITIONS}/tabs.stable.example.com"), Value::Null);
    let conditions = told["status"]["conditions"].as_array().unwrap();
    let names = conditions.iter().find(|one| one["type"] == "NamesAccepted").unwrap();
    assert_eq!((&names["status"], &names["reason"]), (&json!("False"), &json!("ListKindConflict")));
    assert_eq!(names["message"], "\"CronTabList\" is already in use");
    assert_eq!(server.call("GET", &TABS.replace("crontabs", "tabs"), Value::Null).code, 404);
    // They are once the other is gone.
    server.expect(
        200,
        "DELETE",
        &format!("{DEFINITIONS}/crontabs.stable.example.com"),
        Value::Null,
    );
    server.expect(200, "GET", &TABS.replace("crontabs", "tabs"), Value::Null);
}

#[test]
fn a_namespace_takes_its_custom_objects_with_it() {
    let mut server = with_tabs();
    server.expect(201, "POST", "/api/v1/namespaces", json!({"metadata": {"name": "own"}}));
    let tabs = TABS.replace("default", "own");
    server.expect(201, "POST", &tabs, tab("a", &good()));
    server.expect(200, "DELETE", "/api/v1/namespaces/own", Value::Null);
    assert_eq!(server.call("GET", &format!("{tabs}/a"), Value::Null).code, 404);
    assert_eq!(server.call("GET", "/api/v1/namespaces/own", Value::Null).code, 404);
}
