//! Which columns and which row each kind has.

use jiff::Timestamp;

use super::{Cell, Column, Printed, node, objects, pod};
use crate::api::types::{Event, Lease, Node, Pod};

impl Printed for Pod {
    const COLUMNS: &'static [Column] = pod::COLUMNS;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        pod::row(&self.metadata, &self.spec, self.node_name.as_deref(), &self.status, now)
    }
}

impl Printed for Lease {
    const COLUMNS: &'static [Column] = objects::LEASE;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::lease(self, now)
    }
}

impl Printed for Node {
    const COLUMNS: &'static [Column] = node::COLUMNS;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        let (spec, status) = (self.spec.clone(), self.status.clone());
        node::row(&self.metadata, &spec.unwrap_or_default(), &status.unwrap_or_default(), now)
    }
}

impl Printed for Event {
    const COLUMNS: &'static [Column] = objects::EVENT;

    fn row(&self, now: Timestamp) -> Vec<Cell> {
        objects::event(self, now)
    }
}
