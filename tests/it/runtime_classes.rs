//! Runtime classes: how they are served, and what they make of the pods that name them.

use serde_json::{Value, json};

use crate::server::Server;

const CLASSES: &str = "/apis/node.k8s.io/v1/runtimeclasses";
const PODS: &str = "/api/v1/namespaces/default/pods";

struct Api(Server);

impl Api {
    /// With a class that says all that one can, one that says nothing, and one that says that there is no overhead.
    fn new() -> Self {
        let mut api = Self(Server::new());
        let kata = json!({
            "metadata": {"name": "kata"}, "handler": "kata",
            "overhead": {"podFixed": {"cpu": "250m", "memory": "120Mi"}},
            "scheduling": {
                "nodeSelector": {"kata": "yes"},
                "tolerations": [{"key": "kata", "operator": "Exists"}],
            },
        });
        let plain = json!({"metadata": {"name": "plain"}, "handler": "runc"});
        let none = json!({"metadata": {"name": "none"}, "handler": "runc", "overhead": {}});
        for class in [kata, plain, none] {
            let (code, said) = api.ask("POST", CLASSES, Some(class));
            assert_eq!(code, 201, "{said}");
        }
        api
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.0.ask(method, path, body)
    }

    /// A pod that was tried, or what was said of it.
    fn tries(&mut self, metadata: &Value, spec: &Value) -> (u16, Value) {
        let mut pod = json!({"metadata": metadata, "spec": spec});
        pod["spec"]["containers"] = json!([{"name": "c", "image": "nginx:1"}]);
        let (code, said) = self.ask("POST", &format!("{PODS}?dryRun=All"), Some(pod));
        if code == 201 { (code, said["spec"].clone()) } else { (code, said["message"].clone()) }
    }
}

fn not_ready(key: &str) -> Value {
    json!({
        "key": format!("node.kubernetes.io/{key}"), "operator": "Exists",
        "effect": "NoExecute", "tolerationSeconds": 300,
    })
}

#[test]
fn a_class_keeps_its_handler_and_is_written_as_it_was_read() {
    let mut api = Api::new();
    let kata = format!("{CLASSES}/kata");
    let (code, said) = api.ask("PATCH", &kata, Some(json!({"handler": "runc"})));
    let words = "RuntimeClass.node.k8s.io \"kata\" is invalid: handler: Invalid value: \"runc\": \
                 field is immutable";
    assert_eq!((code, &said["message"]), (422, &json!(words)));
    let (_, mut class) = api.ask("GET", &kata, None);
    class["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let (code, said) = api.ask("PUT", &kata, Some(class));
    let words = "runtimeclasses.node.k8s.io \"kata\" is invalid: metadata.resourceVersion: Invalid \
                 value: 0: must be specified for an update";
    assert_eq!((code, &said["message"]), (422, &json!(words)));
    // Amounts finer than a thousandth are rounded up, and no class has a generation.
    let fine = json!({"overhead": {"podFixed": {"cpu": "1u"}}});
    let (_, class) = api.ask("PATCH", &kata, Some(fine));
    assert_eq!(class["overhead"]["podFixed"]["cpu"], "1m");
    assert_eq!(class["metadata"].get("generation"), None);
    // A structure that says nothing is one all the same.
    let (_, class) = api.ask("GET", &format!("{CLASSES}/none"), None);
    assert_eq!(class["overhead"], json!({}));
}

#[test]
fn clients_look_for_classes_between_leases_and_slices() {
    let mut api = Api::new();
    let (_, list) = api.ask("GET", "/apis", None);
    let groups = list["groups"].as_array().unwrap().iter();
    let names: Vec<&str> = groups.map(|group| group["name"].as_str().unwrap()).collect();
    let at = |name| names.iter().position(|own| *own == name).unwrap();
    assert_eq!(at("node.k8s.io"), at("coordination.k8s.io") + 1);
    assert_eq!(at("discovery.k8s.io"), at("node.k8s.io") + 1);
}

#[test]
fn a_pod_has_what_its_class_says() {
    let mut api = Api::new();
    let kata = json!({"key": "kata", "operator": "Exists"});
    let usual = json!([not_ready("not-ready"), not_ready("unreachable")]);
    let with = |list: &[&Value]| {
        let mut all = usual.as_array().unwrap().clone();
        all.extend(list.iter().copied().cloned());
        Value::from(all)
    };
    let overhead = json!({"cpu": "250m", "memory": "120Mi"});
    let any = json!({"operator": "Exists"});
    for (name, spec, want) in [
        (
            "all of it",
            json!({"runtimeClassName": "kata"}),
            [&overhead, &json!({"kata": "yes"}), &with(&[&kata])],
        ),
        (
            "beside what it says itself",
            json!({"runtimeClassName": "kata", "nodeSelector": {"disk": "ssd"}}),
            [&overhead, &json!({"disk": "ssd", "kata": "yes"}), &with(&[&kata])],
        ),
        (
            "which it may say, too, in its own words",
            json!({
                "runtimeClassName": "kata", "nodeSelector": {"kata": "yes"},
                "overhead": {"cpu": "0.25", "memory": "120Mi"}, "tolerations": [kata],
            }),
            [&overhead, &json!({"kata": "yes"}), &{
                let mut all = vec![kata.clone()];
                all.extend(usual.as_array().unwrap().clone());
                Value::from(all)
            }],
        ),
        (
            "a toleration that another makes needless is left out",
            json!({
                "runtimeClassName": "kata",
                "tolerations": [{"key": "kata", "value": "v", "effect": "NoSchedule"}, any],
            }),
            [&overhead, &json!({"kata": "yes"}), &json!([any])],
        ),
        (
            "a toleration that lasts no longer is needless",
            json!({
                "runtimeClassName": "kata",
                "tolerations": [
                    {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
                    {"key": "a", "operator": "Equal", "value": "v", "effect": "NoExecute"},
                    {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9},
                ],
            }),
            [&overhead, &json!({"kata": "yes"}), &{
                let mut all = vec![
                    json!({"key": "a", "operator": "Equal", "value": "v", "effect": "NoExecute"}),
                    json!({"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9}),
                ];
                all.extend(with(&[&kata]).as_array().unwrap().clone());
                Value::from(all)
            }],
        ),
        (
            "nothing of one that says nothing",
            json!({"runtimeClassName": "plain", "tolerations": [kata, kata]}),
            [&Value::Null, &Value::Null, &{
                let mut all = vec![kata.clone(), kata.clone()];
                all.extend(usual.as_array().unwrap().clone());
                Value::from(all)
            }],
        ),
    ] {
        let (code, got) = api.tries(&json!({"name": "p"}), &spec);
        assert_eq!(code, 201, "{name}: {got}");
        let [overhead, selector, tolerations] = want;
        assert_eq!(&got["overhead"], overhead, "{name}");
        assert_eq!(&got["nodeSelector"], selector, "{name}");
        assert_eq!(&got["tolerations"], tolerations, "{name}");
    }
}

#[test]
fn a_pod_that_its_class_does_not_fit_is_refused() {
    let mut api = Api::new();
    let own = "Pod Overhead set without corresponding RuntimeClass defined Overhead";
    let other = "Pod's Overhead doesn't match RuntimeClass's defined Overhead";
    let cpu = json!({"cpu": "1"});
    for (spec, why) in [
        (
            json!({"runtimeClassName": "gone"}),
            "pod rejected: RuntimeClass \"gone\" not found".to_owned(),
        ),
        (json!({"overhead": cpu}), format!("pod rejected: {own}")),
        (json!({"runtimeClassName": "plain", "overhead": cpu}), format!("pod rejected: {own}")),
        (json!({"runtimeClassName": "none", "overhead": cpu}), format!("pod rejected: {other}")),
        (json!({"runtimeClassName": "kata", "overhead": cpu}), format!("pod rejected: {other}")),
        (
            json!({"runtimeClassName": "kata", "nodeSelector": {"kata": "no"}}),
            "conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; \
             pod.spec.nodeSelector[kata] = no"
                .to_owned(),
        ),
    ] {
        let (code, said) = api.tries(&json!({"name": "p"}), &spec);
        assert_eq!((code, said), (403, json!(format!("pods \"p\" is forbidden: {why}"))));
    }
    let (code, said) = api.tries(&json!({"name": "p"}), &json!({"runtimeClassName": ""}));
    assert_eq!((code, said), (500, json!("resource name may not be empty")));
    // Overhead of its own is only looked at once nothing else is wrong.
    let spec = json!({"overhead": cpu, "restartPolicy": "Sometimes"});
    assert_eq!(api.tries(&json!({"name": "p"}), &spec).0, 422);
}

/// Before a name is made, a pod is called by what its name begins with.
#[test]
fn a_refusal_names_the_pod() {
    let mut api = Api::new();
    for (metadata, spec, begins) in [
        (json!({"generateName": "p-"}), json!({"runtimeClassName": "gone"}), "pods \"p-\" is"),
        (json!({"generateName": "p-"}), json!({"priorityClassName": "gone"}), "pods \"p-\" is"),
        (json!({"generateName": "p-"}), json!({"serviceAccountName": "gone"}), "pods \"p-\" is"),
        (json!({}), json!({"priorityClassName": "gone"}), "pods \"Unknown\" is"),
    ] {
        let (code, said) = api.tries(&metadata, &spec);
        assert!(code == 403 && said.as_str().unwrap().starts_with(begins), "{said}");
    }
    // What looks at the whole pod comes later.
    let range = json!({
        "metadata": {"name": "r"},
        "spec": {"limits": [{"type": "Pod", "min": {"cpu": "1"}}]},
    });
    let (code, said) = api.ask("POST", "/api/v1/namespaces/default/limitranges", Some(range));
    assert_eq!(code, 201, "{said}");
    let (code, said) = api.tries(&json!({"generateName": "p-"}), &json!({}));
    let said = said.as_str().unwrap();
    let begins = said.starts_with("pods \"p-") && !said.starts_with("pods \"p-\"");
    assert!(code == 403 && begins, "{said}");
    let (code, said) =
        api.tries(&json!({"generateName": "p-"}), &json!({"restartPolicy": "Sometimes"}));
    assert_eq!(code, 422, "{said}");
}
