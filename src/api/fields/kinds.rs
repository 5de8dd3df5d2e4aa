//! The fields of each kind that has some of its own.
//!
//! Mirrors: `ToSelectableFields` of each kind's registry.

use std::borrow::Cow;

use super::Selectable;
use crate::api::types::{Event, Lease, Node, Pod};

impl Selectable for Pod {
    fn field(&self, field: &str) -> Option<Cow<'_, str>> {
        let (spec, status) = (&*self.spec, &*self.status);
        Some(match field {
            "spec.nodeName" => text(self.node_name.as_deref()),
            "spec.restartPolicy" => text(spec.restart_policy.as_deref()),
            "spec.schedulerName" => text(spec.scheduler_name.as_deref()),
            "spec.serviceAccountName" => text(spec.service_account_name.as_deref()),
            "spec.hostNetwork" => truth(spec.host_network),
            "status.phase" => text(status.phase.as_deref()),
            "status.podIP" => {
                let first = status.pod_ips.as_ref().and_then(|ips| ips.first());
                text(first.map(|ip| ip.ip.as_str()).or(status.pod_ip.as_deref()))
            }
            "status.podIPs" => {
                let ips = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str());
                ips.collect::<Vec<_>>().join(",").into()
            }
            "status.nominatedNodeName" => text(status.nominated_node_name.as_deref()),
            _ => return None,
        })
    }
}

impl Selectable for Node {
    fn field(&self, field: &str) -> Option<Cow<'_, str>> {
        let cordoned = || self.spec.as_ref().and_then(|spec| spec.unschedulable);
        (field == "spec.unschedulable").then(|| truth(cordoned()))
    }
}

impl Selectable for Lease {}

impl Selectable for Event {
    fn field(&self, field: &str) -> Option<Cow<'_, str>> {
        let about = &self.involved_object;
        Some(match field {
            "involvedObject.apiVersion" => text(about.api_version.as_deref()),
            "involvedObject.fieldPath" => text(about.field_path.as_deref()),
            "involvedObject.kind" => text(about.kind.as_deref()),
            "involvedObject.name" => text(about.name.as_deref()),
            "involvedObject.namespace" => text(about.namespace.as_deref()),
            "involvedObject.resourceVersion" => text(about.resource_version.as_deref()),
            "involvedObject.uid" => text(about.uid.as_deref()),
            "reason" => text(self.reason.as_deref()),
            "reportingComponent" => text(self.reporting_component.as_deref()),
            "source" => {
                let component = self.source.as_ref().and_then(|source| source.component.as_deref());
                let component = component.filter(|component| !component.is_empty());
                text(component.or(self.reporting_component.as_deref()))
            }
            "type" => text(self.type_.as_deref()),
            _ => return None,
        })
    }
}

fn text(value: Option<&str>) -> Cow<'_, str> {
    value.unwrap_or_default().into()
}

fn truth(value: Option<bool>) -> Cow<'static, str> {
    if value == Some(true) { "true".into() } else { "false".into() }
}
