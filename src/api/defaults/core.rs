//! Kinds of the core group other than Pods, and priority classes.

use k8s_openapi::api::core::v1::{Event, Node};

use super::{Defaults, default_to, round};

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
