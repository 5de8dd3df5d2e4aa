//! The strategy of each kind.

use std::rc::Rc;

use k8s_openapi::api::core::v1::PodStatus;

use super::{Birth, Strategy, count};
use crate::api::qos::QosClass;
use crate::api::request::Subresource;
use crate::api::types::{Event, Node, Pod};
use crate::apiserver::{admission, node_taints};

impl Strategy for Pod {
    const COUNTS_GENERATIONS: bool = true;

    fn begin(&mut self, _birth: &Birth) {
        self.status = Rc::new(PodStatus {
            phase: Some("Pending".into()),
            qos_class: Some(QosClass::of(&self.spec).as_str().to_owned()),
            ..PodStatus::default()
        });
    }

    fn follow(&mut self, old: &Self, part: Option<Subresource>) {
        if part == Some(Subresource::Status) {
            self.spec = Rc::clone(&old.spec);
            self.node_name.clone_from(&old.node_name);
            self.metadata.owner_references.clone_from(&old.metadata.owner_references);
            return;
        }
        self.status = Rc::clone(&old.status);
        self.node_name.clone_from(&old.node_name);
        let spec = Rc::make_mut(&mut self.spec);
        admission::keep_priority(spec, &old.spec);
        admission::tolerate(spec);
        count(&mut self.metadata, self.spec != old.spec);
    }
}

impl Strategy for Node {
    fn begin(&mut self, _birth: &Birth) {
        node_taints::admit(self.spec.get_or_insert_default(), self.status.as_ref());
    }

    fn follow(&mut self, old: &Self, part: Option<Subresource>) {
        if part == Some(Subresource::Status) {
            self.spec.clone_from(&old.spec);
        } else {
            self.status.clone_from(&old.status);
        }
        node_taints::settle(self);
    }
}

impl Strategy for Event {}
