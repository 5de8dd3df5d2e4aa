//! Kinds of the core group other than Pods, and priority classes.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    ClientIPConfig, ConfigMap, Event, LimitRange, LimitRangeItem, Namespace, Node,
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodTemplate,
    ReplicationController, Secret, Service, ServiceAccount, ServiceSpec, SessionAffinityConfig,
};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Defaults, default_to, fill_up, round};

/// How long a client stays with the Pod it met first: three hours.
const CLIENT_IP_TIMEOUT: i32 = 10_800;

impl Defaults for Namespace {
    fn set_defaults(&mut self) {
        if let Some(name) = self.metadata.name.clone().filter(|name| !name.is_empty()) {
            let labels = self.metadata.labels.get_or_insert_default();
            labels.insert("kubernetes.io/metadata.name".to_owned(), name);
        }
        self.spec.get_or_insert_default();
        default_to(&mut self.status.get_or_insert_default().phase, "Active");
    }
}

impl Defaults for Node {
    fn set_defaults(&mut self) {
        self.spec.get_or_insert_default();
        let status = self.status.get_or_insert_default();
        if status.allocatable.is_none() {
            status.allocatable.clone_from(&status.capacity);
        }
        round(status.capacity.as_mut());
        round(status.allocatable.as_mut());
        let endpoints = status.daemon_endpoints.get_or_insert_default();
        endpoints.kubelet_endpoint.get_or_insert_default();
        status.node_info.get_or_insert_default();
    }
}

impl Defaults for Event {
    fn set_defaults(&mut self) {
        self.source.get_or_insert_default();
        default_to(&mut self.reporting_component, "");
        default_to(&mut self.reporting_instance, "");
    }
}

impl Defaults for Lease {
    fn set_defaults(&mut self) {
        self.spec.get_or_insert_default();
    }
}

impl Defaults for ConfigMap {
    fn set_defaults(&mut self) {}
}

impl Defaults for PodTemplate {
    fn set_defaults(&mut self) {
        self.template.get_or_insert_default().set_defaults();
    }
}

/// Without a selector it selects the labels of its template, which are its own, too.
impl Defaults for ReplicationController {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        let template = spec.template.as_ref().and_then(|template| template.metadata.as_ref());
        let labels = template.and_then(|metadata| metadata.labels.as_ref());
        if let Some(labels) = labels {
            for own in [&mut spec.selector, &mut self.metadata.labels] {
                if own.as_ref().is_none_or(BTreeMap::is_empty) {
                    *own = Some(labels.clone());
                }
            }
        }
        default_to(&mut spec.replicas, 1);
        spec.template.iter_mut().for_each(Defaults::set_defaults);
        self.status.get_or_insert_default();
    }
}

impl Defaults for ServiceAccount {
    fn set_defaults(&mut self) {}
}

impl Defaults for Secret {
    fn set_defaults(&mut self) {
        default_to(&mut self.type_, "Opaque");
    }
}

impl Defaults for PriorityClass {
    fn set_defaults(&mut self) {
        default_to(&mut self.value, 0);
        default_to(&mut self.preemption_policy, "PreemptLowerPriority");
    }
}

impl Defaults for PersistentVolumeClaim {
    fn set_defaults(&mut self) {
        claim_spec(self.spec.get_or_insert_default());
        default_to(&mut self.status.get_or_insert_default().phase, "Pending");
    }
}

pub(super) fn claim_spec(spec: &mut PersistentVolumeClaimSpec) {
    default_to(&mut spec.volume_mode, "Filesystem");
    let resources = spec.resources.get_or_insert_default();
    round(resources.limits.as_mut());
    round(resources.requests.as_mut());
}

impl Defaults for PersistentVolume {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_to(&mut spec.persistent_volume_reclaim_policy, "Retain");
        default_to(&mut spec.volume_mode, "Filesystem");
        round(spec.capacity.as_mut());
        if let Some(source) = &mut spec.host_path {
            default_to(&mut source.type_, "");
        }
        default_to(&mut self.status.get_or_insert_default().phase, "Pending");
    }
}

impl Defaults for LimitRange {
    fn set_defaults(&mut self) {
        for limit in self.spec.iter_mut().flat_map(|spec| &mut spec.limits) {
            for list in [
                &mut limit.max,
                &mut limit.min,
                &mut limit.default,
                &mut limit.default_request,
                &mut limit.max_limit_request_ratio,
            ] {
                round(list.as_mut());
            }
            limit_of_containers(limit);
        }
    }
}

fn limit_of_containers(limit: &mut LimitRangeItem) {
    if limit.type_ == "Container" {
        fill_up(&mut limit.default, limit.max.as_ref());
        fill_up(&mut limit.default_request, limit.default.as_ref());
        fill_up(&mut limit.default_request, limit.min.as_ref());
    }
}

impl Defaults for Service {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        session_affinity(spec);
        default_to(&mut spec.type_, "ClusterIP");
        for port in spec.ports.iter_mut().flatten() {
            default_to(&mut port.protocol, "TCP");
            let open = match &port.target_port {
                None | Some(IntOrString::Int(0)) => true,
                Some(IntOrString::String(name)) => name.is_empty(),
                Some(IntOrString::Int(_)) => false,
            };
            if open {
                port.target_port = Some(IntOrString::Int(port.port));
            }
        }
        let kind = spec.type_.as_deref().unwrap_or_default();
        let (cluster, node, balancer) =
            (kind == "ClusterIP", kind == "NodePort", kind == "LoadBalancer");
        if node || balancer || (cluster && spec.external_ips.is_some()) {
            default_to(&mut spec.external_traffic_policy, "Cluster");
        }
        if node || balancer || cluster {
            default_to(&mut spec.internal_traffic_policy, "Cluster");
        }
        if balancer {
            default_to(&mut spec.allocate_load_balancer_node_ports, true);
        }
        let status = self.status.get_or_insert_default().load_balancer.get_or_insert_default();
        for ingress in status.ingress.iter_mut().flatten() {
            if balancer && ingress.ip.is_some() {
                default_to(&mut ingress.ip_mode, "VIP");
            }
        }
    }
}

fn session_affinity(spec: &mut ServiceSpec) {
    default_to(&mut spec.session_affinity, "None");
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") => {
            let config = spec.session_affinity_config.as_ref();
            let timeout = config.and_then(|config| config.client_ip.as_ref()?.timeout_seconds);
            let timeout_seconds = Some(timeout.unwrap_or(CLIENT_IP_TIMEOUT));
            spec.session_affinity_config =
                Some(SessionAffinityConfig { client_ip: Some(ClientIPConfig { timeout_seconds }) });
        }
        Some(_) | None => {}
    }
}
