//! Pods and their templates.

use k8s_openapi::api::core::v1::{
    Container, EnvVar, EphemeralContainer, HTTPGetAction, Lifecycle, ObjectFieldSelector, Probe,
    ResourceFieldSelector, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as WireQuantity;

use serde_json::Value;

use super::documents::Fields;
use super::{Defaults, default_number, default_to, fill_up, image, pod_resources, round, volume};
use crate::api::document::Fragment;
use crate::api::wire::{Pod, PodSpec, PodTemplateSpec};

impl Defaults for Pod {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        spec.set_defaults();
        // From here on what a template does not get: it would change under its owner's feet.
        for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten())
        {
            let resources = container.resources.get_or_insert_default();
            fill_up(&mut resources.requests, resources.limits.as_ref());
        }
        pod_resources::set_defaults(spec);
        default_to(&mut spec.enable_service_links, true);
        if spec.host_network == Some(true) {
            use_host_ports(&mut spec.containers);
            use_host_ports(spec.init_containers.as_deref_mut().unwrap_or_default());
        }
        self.status.get_or_insert_default();
    }
}

/// Without a network of its own, a container listens on the node's ports.
fn use_host_ports(containers: &mut [Container]) {
    for port in containers.iter_mut().flat_map(|container| container.ports.iter_mut().flatten()) {
        if port.host_port.is_none_or(|port| port == 0) {
            port.host_port = Some(port.container_port);
        }
    }
}

impl Defaults for PodTemplateSpec {
    fn set_defaults(&mut self) {
        self.metadata.get_or_insert_default();
        self.spec.get_or_insert_default().set_defaults();
    }
}

impl Defaults for PodSpec {
    fn set_defaults(&mut self) {
        default_to(&mut self.dns_policy, "ClusterFirst");
        default_to(&mut self.restart_policy, "Always");
        default_to(&mut self.termination_grace_period_seconds, 30);
        default_to(&mut self.scheduler_name, "default-scheduler");
        self.security_context.get_or_insert_default();
        // The older name of the same field shows the same value.
        match (&self.service_account_name, &self.service_account) {
            (Some(name), _) => self.service_account = Some(name.clone()),
            (None, older) => self.service_account_name.clone_from(older),
        }
        round(self.overhead.as_mut());
        if let Some(resources) = &mut self.resources {
            round(resources.limits.as_mut());
            round(resources.requests.as_mut());
        }
        if let Some(volumes) = &mut self.volumes {
            objects(volumes).for_each(volume::set_defaults);
        }
        self.containers.iter_mut().for_each(Defaults::set_defaults);
        self.init_containers.iter_mut().flatten().for_each(Defaults::set_defaults);
        self.ephemeral_containers.iter_mut().flatten().for_each(Defaults::set_defaults);
    }
}

/// The structs of a list.
fn objects(list: &mut Fragment) -> impl Iterator<Item = &mut Fields> {
    let list = list.value_mut().as_array_mut();
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The same fields in two types, as an ephemeral container is a container upstream.
macro_rules! containers {
    ($($container:ty)*) => { $(
        impl Defaults for $container {
            fn set_defaults(&mut self) {
                let latest = image::tag(self.image.as_deref().unwrap_or_default()) == Some("latest");
                let policy = if latest { "Always" } else { "IfNotPresent" };
                default_to(&mut self.image_pull_policy, policy);
                default_to(&mut self.termination_message_path, "/dev/termination-log");
                default_to(&mut self.termination_message_policy, "File");
                for port in self.ports.iter_mut().flatten() {
                    default_to(&mut port.protocol, "TCP");
                }
                self.env.iter_mut().flatten().for_each(env);
                resources(self.resources.get_or_insert_default());
                for check in [
                    &mut self.liveness_probe,
                    &mut self.readiness_probe,
                    &mut self.startup_probe,
                ] {
                    check.iter_mut().for_each(probe);
                }
                self.lifecycle.iter_mut().for_each(lifecycle);
            }
        }
    )* };
}

containers! { Container EphemeralContainer }

fn resources(resources: &mut ResourceRequirements) {
    round(resources.limits.as_mut());
    round(resources.requests.as_mut());
}

fn env(variable: &mut EnvVar) {
    let Some(source) = &mut variable.value_from else { return };
    source.field_ref.iter_mut().for_each(field);
    source.resource_field_ref.iter_mut().for_each(divisor);
    if let Some(file) = &mut source.file_key_ref {
        default_to(&mut file.optional, false);
    }
}

fn field(selector: &mut ObjectFieldSelector) {
    default_to(&mut selector.api_version, "v1");
}

fn divisor(selector: &mut ResourceFieldSelector) {
    selector.divisor.get_or_insert_with(|| WireQuantity("0".to_owned()));
}

fn probe(probe: &mut Probe) {
    default_number(&mut probe.timeout_seconds, 1);
    default_number(&mut probe.period_seconds, 10);
    default_number(&mut probe.success_threshold, 1);
    default_number(&mut probe.failure_threshold, 3);
    probe.http_get.iter_mut().for_each(http_get);
    if let Some(grpc) = &mut probe.grpc {
        default_to(&mut grpc.service, "");
    }
}

fn http_get(action: &mut HTTPGetAction) {
    default_to(&mut action.path, "/");
    default_to(&mut action.scheme, "HTTP");
}

fn lifecycle(lifecycle: &mut Lifecycle) {
    for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop] {
        handler.iter_mut().filter_map(|handler| handler.http_get.as_mut()).for_each(http_get);
    }
}
