//! The strategy of each kind.

use std::rc::Rc;

use k8s_openapi::api::core::v1::PodStatus;

use super::{Birth, Strategy, count};
use crate::api::qos::QosClass;
use crate::api::request::Subresource;
use crate::api::types::{Event, Node, Pod};
use crate::api::wire::{Container, PodSpec};
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
        let is_part = match part {
            Some(Subresource::EphemeralContainers) => {
                let ephemeral_containers = self.spec.ephemeral_containers.clone();
                self.spec = Rc::new(PodSpec { ephemeral_containers, ..PodSpec::clone(&old.spec) });
                true
            }
            Some(Subresource::Resize) => {
                self.spec = Rc::new(resized(&self.spec, &old.spec));
                true
            }
            Some(_) | None => false,
        };
        if is_part {
            let (own, old) = (&mut self.metadata, &old.metadata);
            own.labels.clone_from(&old.labels);
            own.annotations.clone_from(&old.annotations);
            own.finalizers.clone_from(&old.finalizers);
            own.owner_references.clone_from(&old.owner_references);
        }
        self.status = Rc::clone(&old.status);
        self.node_name.clone_from(&old.node_name);
        let spec = Rc::make_mut(&mut self.spec);
        admission::keep_priority(spec, &old.spec);
        admission::tolerate(spec);
        count(&mut self.metadata, self.spec != old.spec);
    }
}

/// The spec that a resize leads to: `old` with the resources of `new`. If there are other containers, all
/// is taken, for the validation to find that.
fn resized(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let inits = |spec: &PodSpec| spec.init_containers.clone().unwrap_or_default();
    let (new_inits, old_inits) = (inits(new), inits(old));
    if new.containers.len() != old.containers.len() || new_inits.len() != old_inits.len() {
        return new.clone();
    }
    let list = |new: &[Container], old: &[Container]| -> Vec<Container> {
        if new.iter().zip(old).any(|(new, old)| new.name != old.name) {
            return new.to_vec();
        }
        let taken = |(new, old): (&Container, &Container)| Container {
            resources: new.resources.clone(),
            resize_policy: new.resize_policy.clone(),
            ..old.clone()
        };
        new.iter().zip(old).map(taken).collect()
    };
    PodSpec {
        containers: list(&new.containers, &old.containers),
        init_containers: old.init_containers.as_ref().map(|_| list(&new_inits, &old_inits)),
        resources: new.resources.clone(),
        ..old.clone()
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
