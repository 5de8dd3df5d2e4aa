//! Pods and their templates.

use serde_json::Value;

use super::documents::{self, Fields, found};
use super::{Defaults, default_to, fill_up, image, pod_resources, round, volume};
use crate::api::decode::decode;
use crate::api::document::{Fragment, Part};
use crate::api::to_json;
use crate::api::wire::{Container, Pod, PodSpec, PodTemplateSpec};

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
        structs(&mut self.volumes).for_each(volume::set_defaults);
        self.containers.iter_mut().for_each(Defaults::set_defaults);
        self.init_containers.iter_mut().flatten().for_each(Defaults::set_defaults);
        structs(&mut self.ephemeral_containers).for_each(ephemeral);
    }
}

/// The struct that a fragment is, if there is one.
fn fields(fragment: &mut Option<Fragment>) -> Option<&mut Fields> {
    fragment.as_mut().and_then(|fragment| fragment.value_mut().as_object_mut())
}

/// The structs of the list that a fragment is.
fn structs(fragment: &mut Option<Fragment>) -> impl Iterator<Item = &mut Fields> {
    let list = fragment.as_mut().and_then(|fragment| fragment.value_mut().as_array_mut());
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// An ephemeral container has the fields of any other, and a target.
fn ephemeral(fields: &mut Fields) {
    let own = Value::Object(std::mem::take(fields));
    let target = Part::of(own.get("targetContainerName")).value().clone();
    let mut container: Container = decode(&own).map(|it| it.object).unwrap_or_default();
    container.set_defaults();
    if let Value::Object(container) = to_json(&container) {
        *fields = container;
    }
    if !target.is_null() {
        fields.insert("targetContainerName".to_owned(), target);
    }
}

impl Defaults for Container {
    fn set_defaults(&mut self) {
        let latest = image::tag(self.image.as_deref().unwrap_or_default()) == Some("latest");
        let policy = if latest { "Always" } else { "IfNotPresent" };
        default_to(&mut self.image_pull_policy, policy);
        default_to(&mut self.termination_message_path, "/dev/termination-log");
        default_to(&mut self.termination_message_policy, "File");
        for port in self.ports.iter_mut().flatten() {
            default_to(&mut port.protocol, "TCP");
        }
        structs(&mut self.env).for_each(variable);
        let resources = self.resources.get_or_insert_default();
        round(resources.limits.as_mut());
        round(resources.requests.as_mut());
        for own in [&mut self.liveness_probe, &mut self.readiness_probe, &mut self.startup_probe] {
            fields(own).into_iter().for_each(probe);
        }
        if let Some(own) = fields(&mut self.lifecycle) {
            for hook in ["postStart", "preStop"] {
                found(own, hook).into_iter().for_each(http_get);
            }
        }
    }
}

fn variable(variable: &mut Fields) {
    let Some(source) = found(variable, "valueFrom") else { return };
    volume::shown(source);
    if let Some(file) = found(source, "fileKeyRef") {
        documents::default_to(file, "optional", false);
    }
}

fn probe(probe: &mut Fields) {
    for (field, value) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        // Of these, zero is no choice.
        if Part::of(probe.get(field)).number().unwrap_or_default() == 0 {
            probe.insert(field.to_owned(), value.into());
        }
    }
    http_get(probe);
    if let Some(grpc) = found(probe, "grpc") {
        documents::default_to(grpc, "service", "");
    }
}

fn http_get(handler: &mut Fields) {
    if let Some(action) = found(handler, "httpGet") {
        documents::default_to(action, "path", "/");
        documents::default_to(action, "scheme", "HTTP");
    }
}
