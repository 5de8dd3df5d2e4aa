//! Owners of fields, as upstream's documentation tells of them.

use serde_json::{Value, json};

use super::*;
use crate::api::Kind;
use crate::api::wire::ManagedFieldsEntry;

fn object(value: &Value) -> Object {
    let kind = match value["kind"].as_str() {
        Some("ConfigMap") => Kind::ConfigMap,
        _ => Kind::Deployment,
    };
    Object::from_json(kind, value).unwrap().object
}

fn deployment(replicas: u32, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [
                    {"name": "web", "image": image, "ports": [{"containerPort": 80}]},
                ]},
            },
        },
    })
}

fn map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data})
}

fn writer(manager: &str, object: &Value) -> (String, String, Kind) {
    let kind = if object["kind"] == "ConfigMap" { Kind::ConfigMap } else { Kind::Deployment };
    (manager.into(), object["apiVersion"].as_str().unwrap().into(), kind)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The object with its owners, after somebody wrote `new`.
fn write(live: Option<&Object>, new: &Value, manager: &str, second: i64) -> Object {
    let (manager, api_version, kind) = writer(manager, new);
    let writer = Writer {
        manager: &manager,
        api_version: &api_version,
        kind,
        subresource: "",
        now: at(second),
    };
    let new = object(new);
    let entries = updated(live, &new, &writer);
    new.with_meta(|meta| meta.managed_fields = entries)
}

fn try_to(
    live: Option<&Object>,
    config: &Value,
    manager: &str,
    force: bool,
) -> Result<Object, String> {
    let (manager, api_version, kind) = writer(manager, config);
    let writer = Writer {
        manager: &manager,
        api_version: &api_version,
        kind,
        subresource: "",
        now: at(100),
    };
    let applied = apply(live, config, &writer, force).map_err(|conflicts| conflicts.words().0)?;
    let new = object(&applied.object);
    Ok(new.with_meta(|meta| meta.managed_fields = applied.managed_fields))
}

fn owners(object: &Object) -> Vec<(String, Value)> {
    let json = object.to_json();
    let entries = json["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let name = |entry: &Value| {
        format!("{} {}", entry["operation"].as_str().unwrap(), entry["manager"].as_str().unwrap())
    };
    entries.iter().map(|entry| (name(entry), entry["fieldsV1"].clone())).collect()
}

#[test]
fn who_creates_owns_all_even_the_defaults() {
    let made = write(None, &deployment(2, "nginx"), "kubectl-create", 0);
    let [(name, fields)] = owners(&made).try_into().unwrap();
    assert_eq!(name, "Update kubectl-create");
    assert_eq!(
        fields,
        json!({"f:spec": {
            "f:progressDeadlineSeconds": {}, "f:replicas": {}, "f:revisionHistoryLimit": {},
            "f:selector": {},
            "f:strategy": {
                "f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {},
            },
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:containers": {"k:{\"name\":\"web\"}": {
                        ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
                        "f:ports": {
                            ".": {},
                            "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                                ".": {}, "f:containerPort": {}, "f:protocol": {},
                            },
                        },
                        "f:resources": {}, "f:terminationMessagePath": {},
                        "f:terminationMessagePolicy": {},
                    }},
                    "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {},
                    "f:securityContext": {}, "f:terminationGracePeriodSeconds": {},
                },
            },
        }})
    );
}

#[test]
fn who_applies_owns_what_the_configuration_says() {
    let made = try_to(None, &deployment(2, "nginx"), "me", false).unwrap();
    let [(name, fields)] = owners(&made).try_into().unwrap();
    assert_eq!(name, "Apply me");
    assert_eq!(
        fields,
        json!({"f:spec": {
            "f:replicas": {}, "f:selector": {},
            "f:template": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {
                    ".": {}, "f:image": {}, "f:name": {},
                    "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                        ".": {}, "f:containerPort": {},
                    }},
                }}},
            },
        }})
    );
}

#[test]
fn another_owner_is_a_conflict_until_it_is_forced() {
    let made = write(None, &deployment(2, "nginx"), "other", 1_735_689_600);
    let config = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 5},
    });
    let refused = try_to(Some(&made), &config, "me", false);
    let words = "Apply failed with 1 conflict: conflict with \"other\" using apps/v1 at \
                 2025-01-01T00:00:00Z: .spec.replicas";
    assert_eq!(refused, Err(words.to_owned()));
    let forced = try_to(Some(&made), &config, "me", true).unwrap();
    assert_eq!(forced.to_json()["spec"]["replicas"], 5);
    let [(_, mine), (_, theirs)] = owners(&forced).try_into().unwrap();
    assert_eq!(mine, json!({"f:spec": {"f:replicas": {}}}));
    assert_eq!(theirs.pointer("/f:spec/f:replicas"), None);
    // The same value is no conflict: both own it.
    let same = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 5}});
    assert_eq!(owners(&try_to(Some(&forced), &same, "also", false).unwrap()).len(), 3);
}

#[test]
fn several_conflicts_are_told_together() {
    let made = try_to(None, &map(&json!({"a": "1", "b": "1"})), "alice", false).unwrap();
    let refused = try_to(Some(&made), &map(&json!({"a": "2", "b": "2"})), "bob", false);
    let words = "Apply failed with 2 conflicts: conflicts with \"alice\":\n- .data.a\n- .data.b";
    assert_eq!(refused, Err(words.to_owned()));
}

#[test]
fn what_is_applied_no_more_goes_unless_somebody_else_applies_it() {
    let first = map(&json!({"mine": "1", "ours": "1"}));
    let made = try_to(None, &first, "alice", false).unwrap();
    let made = try_to(Some(&made), &map(&json!({"ours": "1"})), "bob", false).unwrap();
    let mut live = made.to_json();
    live["data"]["theirs"] = "1".into();
    let made = write(Some(&made), &live, "carol", 5);
    let less = try_to(Some(&made), &map(&json!({"new": "1"})), "alice", false).unwrap();
    assert_eq!(less.to_json()["data"], json!({"new": "1", "ours": "1", "theirs": "1"}));
}

#[test]
fn items_of_lists_are_merged_by_their_keys() {
    let made = write(None, &deployment(1, "nginx"), "other", 0);
    let mut config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {
        "spec": {"containers": [{"name": "log", "image": "busybox"}]},
    }}});
    let both = try_to(Some(&made), &config, "me", false).unwrap();
    let names = |object: &Object| {
        let json = object.to_json();
        let containers =
            json.pointer("/spec/template/spec/containers").unwrap().as_array().unwrap().clone();
        containers.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&both), ["web", "log"]);
    config["spec"] = json!({"paused": true});
    assert_eq!(names(&try_to(Some(&both), &config, "me", false).unwrap()), ["web"]);
}

#[test]
fn an_object_without_owners_gets_one_for_what_was_there_before() {
    let old = object(&map(&json!({"k": "old"})));
    assert_eq!(
        updated(
            Some(&old),
            &old,
            &Writer {
                manager: "x",
                api_version: "v1",
                kind: Kind::ConfigMap,
                subresource: "",
                now: at(0)
            }
        ),
        None
    );
    let refused = try_to(Some(&old), &map(&json!({"k": "new"})), "me", false);
    assert!(refused.unwrap_err().contains("conflict with \"before-first-apply\" using v1"));
}

#[test]
fn kubectl_takes_over_what_it_applied_on_the_clients_side() {
    let mut manifest = map(&json!({"k": "1", "l": "1"}));
    manifest["metadata"]["annotations"] = json!({LAST_APPLIED: manifest.to_string()});
    let made = write(None, &manifest, "kubectl-client-side-apply", 0);
    let changed = map(&json!({"k": "2"}));
    assert!(try_to(Some(&made), &changed, "me", false).is_err());
    let taken = try_to(Some(&made), &changed, "kubectl", false).unwrap();
    assert_eq!(taken.to_json()["data"]["k"], "2");
    // Not what somebody has changed since.
    let mut live = made.to_json();
    live["data"]["k"] = "theirs".into();
    let made = write(Some(&made), &live, "carol", 5);
    assert!(try_to(Some(&made), &changed, "kubectl", false).is_err());
}

#[test]
fn updates_are_written_down_and_the_oldest_put_together() {
    let mut made = write(None, &map(&json!({"k": "0"})), "first", 0);
    for number in 1..=15 {
        let mut live = made.to_json();
        live["data"][format!("k{number}")] = "x".into();
        made = write(Some(&made), &live, &format!("m{number:02}"), number);
    }
    let names: Vec<String> = owners(&made).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), MOST_UPDATERS);
    assert_eq!(names.first().map(String::as_str), Some("Update ancient-changes"));
    // A reset forgets them all but who resets.
    let mut live = made.to_json();
    live["metadata"]["managedFields"] = json!([{}]);
    live["data"]["k"] = "9".into();
    assert_eq!(owners(&write(Some(&made), &live, "me", 99)).len(), 0);
}

#[test]
fn sent_entries_take_the_place_of_those_that_were() {
    let made = write(None, &map(&json!({"k": "0"})), "first", 0);
    let mut live = made.to_json();
    live["metadata"]["managedFields"][0]["manager"] = "renamed".into();
    let renamed = write(Some(&made), &live, "me", 9);
    assert_eq!(owners(&renamed)[0].0, "Update renamed");
    let entry = ManagedFieldsEntry::default();
    assert_eq!(Manager::read(&entry), None);
}
