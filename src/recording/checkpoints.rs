//! Checkpoints: clusters kept along the way. Old ones thin out, so that their number is bounded.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::sim::Instant;

const MOST: usize = 48;
/// The events between two checkpoints at first; it doubles whenever they are thinned out.
const FIRST_INTERVAL: u64 = 2_000;
const FIRST_SPAN: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
struct Checkpoint {
    cluster: Cluster,
    played: usize,
}

/// Some moments of one past, oldest first; the beginning is always one of them.
#[derive(Clone, Debug)]
pub(super) struct Checkpoints {
    start: Checkpoint,
    kept: Vec<Checkpoint>,
    interval: u64,
    span: Duration,
}

impl Checkpoints {
    pub(super) fn new(start: &Cluster) -> Self {
        let start = Checkpoint { cluster: start.clone(), played: 0 };
        Self { start, kept: Vec::new(), interval: FIRST_INTERVAL, span: FIRST_SPAN }
    }

    /// Keeps `cluster` if the last checkpoint is far enough behind.
    pub(super) fn offer(&mut self, cluster: &Cluster, played: usize) {
        let last = &self.kept.last().unwrap_or(&self.start).cluster;
        let events = cluster.steps().saturating_sub(last.steps());
        let far = events >= self.interval || cluster.now().since(last.now()) >= self.span;
        if !far || cluster.steps() <= last.steps() {
            return;
        }
        self.kept.push(Checkpoint { cluster: cluster.clone(), played });
        if self.kept.len() > MOST {
            // The older half loses every second one; the newer half stays as dense as it is.
            let half = self.kept.len() / 2;
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index > half || index % 2 == 0
            });
            self.interval = self.interval.saturating_add(self.interval / 4);
            self.span += self.span / 4;
        }
    }

    /// The last checkpoint that is not after `moment`, and how many inputs it has had.
    pub(super) fn before(&self, moment: Instant) -> (Cluster, usize) {
        let found = self.kept.iter().rev().find(|kept| kept.cluster.now() <= moment);
        let Checkpoint { cluster, played } = found.unwrap_or(&self.start);
        (cluster.clone(), *played)
    }

    /// Drops those that lie after `steps` events.
    pub(super) fn forget_after(&mut self, steps: u64) {
        self.kept.retain(|kept| kept.cluster.steps() <= steps);
    }
}
