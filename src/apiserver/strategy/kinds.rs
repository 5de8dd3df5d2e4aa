//! The strategy of each kind.

use std::mem;
use std::rc::Rc;

use k8s_openapi::api::core::v1::PodStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Birth, Strategy};
use crate::api::defaults::create;
use crate::api::qos::QosClass;
use crate::api::request::Subresource;
use crate::api::types::{Event, Lease, Namespace, Node, Pod};
use crate::apiserver::{admission, node_taints};

impl Strategy for Pod {
    const COUNTS_GENERATIONS: bool = true;

    fn begin(&mut self, _birth: &Birth) {
        self.status = Rc::new(PodStatus {
            phase: Some("Pending".into()),
            qos_class: Some(QosClass::of(&self.spec).as_str().to_owned()),
            ..PodStatus::default()
        });
        admission::pod(Rc::make_mut(&mut self.spec));
    }

    fn follow(&mut self, old: &Self, part: Option<Subresource>) {
        if part == Some(Subresource::Status) {
            let status = mem::take(&mut self.status);
            *self = Self { status, ..old.clone() };
            return;
        }
        self.status = Rc::clone(&old.status);
        self.node_name.clone_from(&old.node_name);
        count(&mut self.metadata, self.spec != old.spec);
    }
}

impl Strategy for Node {
    fn begin(&mut self, _birth: &Birth) {
        node_taints::admit(self.spec.get_or_insert_default(), self.status.as_ref());
    }

    fn follow(&mut self, old: &Self, part: Option<Subresource>) {
        if part == Some(Subresource::Status) {
            let status = self.status.take();
            *self = Self { status, ..old.clone() };
        } else {
            self.status.clone_from(&old.status);
        }
        node_taints::settle(self);
    }
}

impl Strategy for Namespace {
    fn begin(&mut self, _birth: &Birth) {
        create::namespace(self);
    }

    fn follow(&mut self, old: &Self, part: Option<Subresource>) {
        if part == Some(Subresource::Status) {
            let status = self.status.take();
            *self = Self { status, ..old.clone() };
        } else {
            self.status.clone_from(&old.status);
            self.spec.clone_from(&old.spec);
        }
    }
}

impl Strategy for Event {}

impl Strategy for Lease {}

/// One more generation if what is wanted has changed.
fn count(meta: &mut ObjectMeta, changed: bool) {
    meta.generation = Some(meta.generation.unwrap_or_default() + i64::from(changed));
}
