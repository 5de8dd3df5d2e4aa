//! The strategy of each kind.

use std::rc::Rc;

use super::{Birth, Strategy, count};
use crate::api::defaults::create;
use crate::api::request::Subresource;
use crate::api::types::{Event, Lease, Node, Pod};
use crate::api::wire::{PodSpec, PodStatus};
use crate::apiserver::{admission, node_taints};

impl Strategy for Pod {
    const COUNTS_GENERATIONS: bool = true;

    fn begin(&mut self, birth: &Birth) {
        self.status = Rc::new(create::status(&self.spec, birth.now));
        let has_selectors =
            self.spec.affinity.is_some() || self.spec.topology_spread_constraints.is_some();
        if let (true, Some(labels)) = (has_selectors, &self.metadata.labels) {
            let mut spec = PodSpec::clone(&self.spec);
            if create::merge_label_keys(&mut spec, labels) {
                self.spec = Rc::new(spec);
            }
        }
    }

    fn follow(&mut self, old: &Self, part: Option<Subresource>) {
        if part == Some(Subresource::Status) {
            self.spec = Rc::clone(&old.spec);
            self.node_name.clone_from(&old.node_name);
            self.metadata.owner_references.clone_from(&old.metadata.owner_references);
            if lacks_what_it_had(&self.status, &old.status) {
                fill_up(Rc::make_mut(&mut self.status), &old.status);
            }
            return;
        }
        let is_part = match part {
            Some(Subresource::EphemeralContainers) => {
                let mut spec = PodSpec::clone(&old.spec);
                spec.ephemeral_containers.clone_from(&self.spec.ephemeral_containers);
                self.spec = Rc::new(spec);
                true
            }
            Some(Subresource::Resize) => {
                self.spec = Rc::new(resized(&self.spec, &old.spec));
                true
            }
            Some(_) | None => false,
        };
        if is_part {
            self.node_name.clone_from(&old.node_name);
            let (own, old) = (&mut self.metadata, &old.metadata);
            own.labels.clone_from(&old.labels);
            own.annotations.clone_from(&old.annotations);
            own.finalizers.clone_from(&old.finalizers);
            own.owner_references.clone_from(&old.owner_references);
        }
        self.status = Rc::clone(&old.status);
        let spec = Rc::make_mut(&mut self.spec);
        admission::keep_priority(spec, &old.spec);
        admission::tolerate(spec);
        count(&mut self.metadata, self.spec != old.spec);
    }
}

fn is_unset(generation: Option<i64>) -> bool {
    generation.unwrap_or_default() == 0
}

fn lacks_what_it_had(status: &PodStatus, old: &PodStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    status.qos_class.is_none() && old.qos_class.is_some()
        || is_unset(status.observed_generation) && !is_unset(old.observed_generation)
        || conditions.any(|condition| is_unset(condition.observed_generation))
}

/// Who does not know the class of a pod, or of which generation it speaks, changes neither.
fn fill_up(status: &mut PodStatus, old: &PodStatus) {
    if status.qos_class.is_none() {
        status.qos_class.clone_from(&old.qos_class);
    }
    if is_unset(status.observed_generation) {
        status.observed_generation = old.observed_generation;
    }
    let mut earlier: Vec<_> = old.conditions.iter().flatten().collect();
    for condition in status.conditions.iter_mut().flatten() {
        let same = earlier.iter().position(|other| other.type_ == condition.type_);
        let same = same.map(|at| earlier.remove(at));
        if is_unset(condition.observed_generation) {
            condition.observed_generation = same.and_then(|same| same.observed_generation);
        }
    }
}

/// The spec that a resize leads to: `old` with the resources of `new`. If there are other containers, all
/// is taken, for the validation to find that.
fn resized(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let inits = |spec: &PodSpec| spec.init_containers.as_ref().map_or(0, Vec::len);
    if new.containers.len() != old.containers.len() || inits(new) != inits(old) {
        return new.clone();
    }
    let mut spec = old.clone();
    spec.resources.clone_from(&new.resources);
    let own = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
    for (own, new) in own.zip(new.containers.iter().chain(new.init_containers.iter().flatten())) {
        if own.name == new.name {
            own.resources.clone_from(&new.resources);
            own.resize_policy.clone_from(&new.resize_policy);
        } else {
            *own = new.clone();
        }
    }
    spec
}

impl Strategy for Node {
    fn begin(&mut self, _birth: &Birth) {
        node_taints::admit(self.spec.get_or_insert_default(), self.status.as_deref());
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

impl Strategy for Lease {
    const UNCONDITIONAL: bool = false;
}
