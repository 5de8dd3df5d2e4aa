//! Kinds of the core group other than Pods, and priority classes.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::{Defaults, default_to, round};
use crate::api::document::{Fields, Fragment};
use crate::api::types::{Event, Lease};
use crate::api::wire::Node;

impl Defaults for Node {
    fn set_defaults(&mut self) {
        self.spec.get_or_insert_default();
        let status = Rc::make_mut(self.status.get_or_insert_default());
        if status.allocatable.is_none() {
            status.allocatable.clone_from(&status.capacity);
        }
        round(status.capacity.as_mut());
        round(status.allocatable.as_mut());
        let endpoints = status.daemon_endpoints.get_or_insert_default().value_mut();
        if let Some(endpoints) = endpoints.as_object_mut() {
            endpoints.entry("kubeletEndpoint").or_insert_with(|| json!({"Port": 0}));
        }
        status.node_info.get_or_insert_with(|| {
            let mut info = Map::new();
            for field in Fields::of("NodeSystemInfo").iter().filter(|field| field.is_required) {
                info.insert(field.name.to_owned(), Value::from(""));
            }
            Fragment::new(info.into())
        });
    }
}

impl Defaults for Lease {
    /// It has no choices.
    fn set_defaults(&mut self) {}
}

impl Defaults for Event {
    fn set_defaults(&mut self) {
        self.source.get_or_insert_default();
        default_to(&mut self.reporting_component, "");
        default_to(&mut self.reporting_instance, "");
    }
}
