//! Second forms and the first one tell the same.

use serde_json::json;

use super::*;
use crate::api::Object;

/// The same in the second form, and back again.
fn there_and_back(kind: Kind, second: &Value, stored: &Value) {
    assert_eq!(&to_stored(kind, second.clone()), stored);
    assert_eq!(&from_stored(kind, stored.clone()), second);
}

#[test]
fn an_event_has_other_names_in_its_own_group() {
    there_and_back(
        Kind::EventOfEvents,
        &json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"},
            "eventTime": "2026-01-01T00:00:00.000000Z", "note": "it began", "reason": "Began",
            "regarding": {"kind": "Pod", "name": "a"}, "reportingController": "c",
            "deprecatedSource": {"component": "c"}, "deprecatedCount": 2,
        }),
        &json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"},
            "eventTime": "2026-01-01T00:00:00.000000Z", "message": "it began", "reason": "Began",
            "involvedObject": {"kind": "Pod", "name": "a"}, "reportingComponent": "c",
            "source": {"component": "c"}, "count": 2,
        }),
    );
}

fn autoscaler(version: &str, metadata: &Value, spec: &Value) -> Value {
    json!({
        "apiVersion": format!("autoscaling/{version}"), "kind": "HorizontalPodAutoscaler",
        "metadata": metadata, "spec": spec,
    })
}

#[test]
fn the_use_of_the_cpu_is_a_field_of_its_own() {
    let target = json!({"type": "Utilization", "averageUtilization": 60});
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
    there_and_back(
        Kind::HorizontalPodAutoscalerV1,
        &autoscaler(
            "v1",
            &json!({}),
            &json!({"maxReplicas": 3, "targetCPUUtilizationPercentage": 60}),
        ),
        &autoscaler("v2", &json!({}), &json!({"maxReplicas": 3, "metrics": [metric]})),
    );
}

#[test]
fn an_autoscaler_without_a_target_aims_at_the_usual_one() {
    let sent = autoscaler("v1", &json!({}), &json!({"maxReplicas": 3}));
    let stored = to_stored(Kind::HorizontalPodAutoscalerV1, sent);
    let share = stored.pointer("/spec/metrics/0/resource/target/averageUtilization");
    assert_eq!(share, Some(&json!(80)));
}

#[test]
fn other_metrics_stand_in_an_annotation() {
    let metrics = json!([
        {"type": "Resource", "resource": {
            "name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"},
        }},
        {"type": "Pods", "pods": {
            "metric": {"name": "packets", "selector": {"matchLabels": {"a": "b"}}},
            "target": {"type": "AverageValue", "averageValue": "1k"},
        }},
        {"type": "Object", "object": {
            "describedObject": {"kind": "Ingress", "name": "main"}, "metric": {"name": "requests"},
            "target": {"type": "Value", "value": "10k"},
        }},
        {"type": "External", "external": {
            "metric": {"name": "queue", "selector": {"matchLabels": {"a": "b"}}},
            "target": {"type": "AverageValue", "averageValue": "30"},
        }},
        {"type": "ContainerResource", "containerResource": {
            "name": "cpu", "container": "main",
            "target": {"type": "Utilization", "averageUtilization": 60},
        }},
    ]);
    let behavior = json!({"scaleDown": {"stabilizationWindowSeconds": 60}});
    let stored = autoscaler(
        "v2",
        &json!({"annotations": {"mine": "yes"}}),
        &json!({"maxReplicas": 3, "metrics": metrics, "behavior": behavior}),
    );
    let second = from_stored(Kind::HorizontalPodAutoscalerV1, stored.clone());
    let kept = second["metadata"]["annotations"][autoscaler::METRICS].as_str().unwrap();
    let kept: Value = serde_json::from_str(kept).unwrap();
    assert_eq!(
        kept,
        json!([
            {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}},
            {"type": "Pods", "pods": {
                "metricName": "packets", "selector": {"matchLabels": {"a": "b"}},
                "targetAverageValue": "1k",
            }},
            {"type": "Object", "object": {
                "target": {"kind": "Ingress", "name": "main"}, "metricName": "requests",
                "targetValue": "10k",
            }},
            {"type": "External", "external": {
                "metricName": "queue", "metricSelector": {"matchLabels": {"a": "b"}},
                "targetAverageValue": "30",
            }},
            {"type": "ContainerResource", "containerResource": {
                "name": "cpu", "container": "main", "targetAverageUtilization": 60,
            }},
        ])
    );
    assert_eq!(second["spec"], json!({"maxReplicas": 3}));
    assert_eq!(to_stored(Kind::HorizontalPodAutoscalerV1, second), stored);
}

#[test]
fn what_is_told_of_now_stands_in_annotations_too() {
    let mut stored = autoscaler("v2", &json!({}), &json!({"maxReplicas": 3}));
    stored["status"] = json!({
        "currentReplicas": 1,
        "currentMetrics": [
            {"type": "Resource", "resource": {
                "name": "cpu", "current": {"averageUtilization": 7, "averageValue": "7m"},
            }},
            {"type": "Object", "object": {
                "describedObject": {"kind": "Ingress", "name": "main"}, "metric": {"name": "requests"},
                "current": {"value": "3", "averageValue": "1"},
            }},
        ],
        "conditions": [{"type": "AbleToScale", "status": "True"}],
    });
    let second = from_stored(Kind::HorizontalPodAutoscalerV1, stored.clone());
    assert_eq!(
        second["status"],
        json!({"currentReplicas": 1, "currentCPUUtilizationPercentage": 7})
    );
    assert_eq!(to_stored(Kind::HorizontalPodAutoscalerV1, second)["status"], stored["status"]);
}

#[test]
fn objects_are_read_and_told_in_both_forms() {
    let sent = autoscaler(
        "v1",
        &json!({"name": "a"}),
        &json!({"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "a"}, "more": 1}),
    );
    let read = Object::from_json(Kind::HorizontalPodAutoscalerV1, &sent).unwrap();
    assert_eq!(read.object.kind(), Kind::HorizontalPodAutoscaler);
    assert_eq!(read.unknown.first().map(|field| &*field.path), Some("spec.more"));
    let told = read.object.as_kind(Kind::HorizontalPodAutoscalerV1).to_json();
    assert_eq!(told["apiVersion"], "autoscaling/v1");
    assert_eq!(told["spec"]["targetCPUUtilizationPercentage"], 80);
}
