//! Creates: the names that the server makes, and patches that ask for too much.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const FINALIZERS: &str = "/metadata/finalizers";

fn ask(cluster: &mut Cluster, call: &HttpCall) -> (u16, Value) {
    let id = cluster.submit(call);
    cluster.run_for(Duration::from_secs(2));
    let Some(reply) = cluster.reply(id) else { return (0, Value::Null) };
    (reply.code, serde_json::from_str(&reply.body).unwrap_or_default())
}

fn cluster() -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 0));
    cluster.run_for(Duration::from_secs(1));
    cluster
}

#[test]
fn a_made_name_fits_into_a_label() {
    let mut cluster = cluster();
    let mut made = |prefix: String| {
        let body = json!({"metadata": {"generateName": prefix}});
        let (code, made) = ask(&mut cluster, &HttpCall::new("POST", MAPS, Some(body)));
        assert_eq!(code, 201, "{made}");
        made["metadata"]["name"].as_str().unwrap_or_default().to_owned()
    };
    let short = made("web-".to_owned());
    assert!(short.len() == 9 && short.starts_with("web-"), "{short}");
    let long = made("a".repeat(100));
    assert!(long.len() == 63 && long.starts_with(&"a".repeat(58)), "{long}");
}

#[test]
fn a_patch_of_too_many_operations_is_too_large() {
    let mut cluster = cluster();
    let metadata = json!({"name": "m", "finalizers": ["example.com/a"]});
    let body = json!({"metadata": metadata, "data": {"k": "v"}});
    ask(&mut cluster, &HttpCall::new("POST", MAPS, Some(body)));
    let mut patch = |operation: Value, times: usize| {
        let body = Value::from(vec![operation; times]);
        let mut call = HttpCall::new("PATCH", &format!("{MAPS}/m"), Some(body));
        call.content_type = "application/json-patch+json".into();
        let (code, said) = ask(&mut cluster, &call);
        (code, said["message"].as_str().unwrap_or_default().to_owned())
    };
    let (code, said) = patch(json!({"op": "test", "path": "/data/k", "value": "v"}), 10_001);
    let words = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, \
                 got 10001";
    assert_eq!((code, &*said), (413, words));
    let (code, said) =
        patch(json!({"op": "copy", "from": FINALIZERS, "path": format!("{FINALIZERS}/-")}), 40);
    // Of what the patch library says upstream tells nothing.
    let words = "the server rejected our request due to an error in our request";
    assert_eq!((code, &*said), (422, words));
}

#[test]
fn a_name_is_made_anew_if_it_is_taken() {
    let mut cluster = cluster();
    let create = |cluster: &mut Cluster, query: &str, metadata: Value| {
        let body = Some(json!({"metadata": metadata}));
        let (code, body) = ask(cluster, &HttpCall::new("POST", &format!("{MAPS}{query}"), body));
        (code, body["metadata"]["name"].as_str().map(str::to_owned), body["message"].to_string())
    };
    // A copy tells which name the server makes after one more object.
    let wish = json!({"generateName": "web-"});
    let mut copy = cluster.clone();
    create(&mut copy, "", json!({"name": "other"}));
    let (_, next, _) = create(&mut copy, "", wish.clone());
    let (code, ..) = create(&mut cluster, "", json!({"name": next}));
    assert_eq!(code, 201);
    let (code, made, _) = create(&mut cluster, "", wish);
    assert!(code == 201 && made != next, "{made:?}");
    // One that was chosen is not, and who only tries is told, too.
    let both = json!({"name": next, "generateName": "web-"});
    for query in ["", "?dryRun=All"] {
        let (code, _, message) = create(&mut cluster, query, json!({"name": next}));
        assert!(code == 409 && message.ends_with("already exists\""), "{message}");
        let (code, _, message) = create(&mut cluster, query, both.clone());
        assert!(code == 409 && message.contains("not able to generate a unique name"), "{message}");
    }
}

#[test]
fn fields_that_are_left_aside_are_warned_of() {
    let mut cluster = cluster();
    let mut warned = |method: &str, path: &str, body: Value| {
        let id = cluster.submit(&HttpCall::new(method, path, Some(body)));
        cluster.run_for(Duration::from_secs(1));
        let reply = cluster.reply(id).unwrap();
        let headers = reply.headers.into_iter().filter(|(name, _)| *name == "Warning");
        (reply.code, headers.map(|(_, text)| text).collect::<Vec<_>>())
    };
    let odd = json!({"metadata": {"name": "m", "label": {}}, "date": {}});
    let told =
        ["date", "metadata.label"].map(|field| format!(r#"299 - "unknown field \"{field}\"""#));
    let none: [String; 0] = [];
    let (code, said) = warned("POST", &format!("{MAPS}?dryRun=All"), odd.clone());
    assert_eq!((code, &*said), (201, &told[..]));
    let (code, said) = warned("POST", MAPS, odd.clone());
    assert_eq!((code, &*said), (201, &told[..]));
    // What is refused is told of as refused only.
    let (code, said) = warned("POST", MAPS, odd.clone());
    assert_eq!((code, &*said), (409, &none[..]));
    let (code, said) = warned("PUT", &format!("{MAPS}/m"), odd.clone());
    assert_eq!((code, &*said), (200, &told[..]));
    let (code, said) = warned("PUT", &format!("{MAPS}/m?fieldValidation=Ignore"), odd);
    assert_eq!((code, &*said), (200, &none[..]));
}

const PODS: &str = "/api/v1/namespaces/default/pods";

#[test]
fn a_pod_with_gates_says_from_the_beginning_that_it_is_gated() {
    let mut cluster = cluster();
    let spec = json!({
        "containers": [{"name": "c", "image": "nginx"}],
        "schedulingGates": [{"name": "example.com/gate"}],
    });
    let body = json!({"metadata": {"name": "web"}, "spec": spec});
    let (code, made) = ask(&mut cluster, &HttpCall::new("POST", PODS, Some(body)));
    assert_eq!(code, 201, "{made}");
    let condition = json!([{
        "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
        "lastTransitionTime": made["metadata"]["creationTimestamp"],
    }]);
    assert_eq!(made["status"]["conditions"], condition);
    let mut table = HttpCall::get(&format!("{PODS}/web"));
    table.accept = "application/json;as=Table;v=v1;g=meta.k8s.io".into();
    let (_, table) = ask(&mut cluster, &table);
    assert_eq!(table["rows"][0]["cells"][2], "SchedulingGated");
}

#[test]
fn label_keys_become_part_of_the_selectors_beside_them() {
    let mut cluster = cluster();
    let selector = || json!({"matchLabels": {"app": "web"}});
    let term = |keys: Value| {
        let mut term = json!({"topologyKey": "zone", "labelSelector": selector()});
        for (key, value) in keys.as_object().into_iter().flatten() {
            term[key] = value.clone();
        }
        term
    };
    let preferred = term(json!({"matchLabelKeys": ["hash"]}));
    let affinity = json!({
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution":
                [term(json!({"matchLabelKeys": ["hash", "absent"]}))],
            "preferredDuringSchedulingIgnoredDuringExecution":
                [{"weight": 1, "podAffinityTerm": preferred}],
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution":
                [term(json!({"mismatchLabelKeys": ["hash"]})), term(json!({}))],
        },
    });
    let spread = json!([{
        "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": selector(), "matchLabelKeys": ["hash"],
    }]);
    let spec = json!({
        "containers": [{"name": "c", "image": "nginx"}],
        "affinity": affinity, "topologySpreadConstraints": spread,
    });
    let labels = json!({"app": "web", "hash": "1"});
    let body = json!({"metadata": {"name": "web", "labels": labels}, "spec": spec});
    let (code, made) = ask(&mut cluster, &HttpCall::new("POST", PODS, Some(body.clone())));
    assert_eq!(code, 201, "{made}");
    let said = |operator: &str| {
        let expressions = json!([{"key": "hash", "operator": operator, "values": ["1"]}]);
        json!({"matchLabels": {"app": "web"}, "matchExpressions": expressions})
    };
    let spec = &made["spec"];
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let near = &spec["affinity"]["podAffinity"];
    assert_eq!(near[required][0]["labelSelector"], said("In"));
    let preferred = &near["preferredDuringSchedulingIgnoredDuringExecution"][0];
    assert_eq!(preferred["podAffinityTerm"]["labelSelector"], said("In"));
    let apart = &spec["affinity"]["podAntiAffinity"][required];
    assert_eq!(apart[0]["labelSelector"], said("NotIn"));
    assert_eq!(apart[1]["labelSelector"], selector());
    assert_eq!(spec["topologySpreadConstraints"][0]["labelSelector"], said("In"));
    // What the server has added is not to be said again: nobody could tell who said it.
    let mut again = json!({"metadata": {"name": "again", "labels": labels}, "spec": spec});
    let (code, refused) = ask(&mut cluster, &HttpCall::new("POST", PODS, Some(again.clone())));
    assert_eq!(code, 422, "{refused}");
    let words = "exists in both matchLabelKeys and labelSelector";
    assert!(refused["message"].as_str().unwrap_or_default().contains(words), "{refused}");
    again["spec"] = body["spec"].clone();
    let (code, made) = ask(&mut cluster, &HttpCall::new("POST", PODS, Some(again)));
    assert_eq!(code, 201, "{made}");
}
