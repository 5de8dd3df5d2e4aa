//! Checkpoints: clusters kept along the way. Old ones thin out, so that their number is bounded, and so
//! that what they hold is: a checkpoint shares all with the present but what has changed since.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::sim::Instant;

const MOST: usize = 48;
/// So few are kept, however much they hold.
const LEAST: usize = 4;
/// The events between two checkpoints at first; it grows whenever they are thinned out.
const FIRST_INTERVAL: u64 = 2_000;
/// Above so many objects only events count, not how much time has passed.
const LARGE: u64 = 10_000;
const FIRST_SPAN: Duration = Duration::from_secs(2);
/// The messages, and the nodes in decisions, that all checkpoints together may keep; beyond that the older
/// ones have few messages each, and no decisions.
const MOST_TOLD: u64 = 150_000;
const FEW_MESSAGES: usize = 1_024;
/// The objects that all checkpoints together may hold, each in a version of its own.
const MOST_OBJECTS: u64 = 400_000;

#[derive(Clone, Debug)]
struct Checkpoint {
    cluster: Cluster,
    /// How many objects there are.
    size: u64,
    played: usize,
    /// The events since the checkpoint before.
    events: u64,
    /// The nodes of which the decisions since then tell.
    decided: u64,
}

impl Checkpoint {
    /// How much it keeps to be looked at that no earlier one does.
    fn told(&self) -> u64 {
        self.cluster.trace().kept().min(self.events) + self.decided
    }

    /// How many objects it holds at most that no earlier one does: each change of one is an event.
    fn objects(&self) -> u64 {
        self.size.min(self.events)
    }
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
        let (cluster, size) = (start.clone(), start.size() as u64);
        let start = Checkpoint { cluster, size, played: 0, events: 0, decided: 0 };
        Self { start, kept: Vec::new(), interval: FIRST_INTERVAL, span: FIRST_SPAN }
    }

    /// Keeps `cluster` if the last checkpoint is far enough behind.
    pub(super) fn offer(&mut self, cluster: &Cluster, played: usize) {
        let Checkpoint { cluster: last, size, .. } = self.kept.last().unwrap_or(&self.start);
        let events = cluster.steps().saturating_sub(last.steps());
        // A large cluster takes longer to copy, and the copy makes whatever changes next be copied, too: there
        // to play as many events again as it has objects costs less.
        let is_late = || cluster.now().since(last.now()) >= self.span;
        let far = events >= self.interval.max(*size);
        if !far && (*size > LARGE || events <= size / 8 || !is_late()) {
            return;
        }
        let before = last.scheduler().decided();
        let decisions = cluster.scheduler().decisions_since(before);
        let decided = decisions.map(|decision| decision.nodes.len() as u64).sum();
        let (cluster, size) = (cluster.clone(), cluster.size() as u64);
        self.kept.push(Checkpoint { cluster, size, played, events, decided });
        while self.kept.len() > MOST
            || self.kept.len() > LEAST && self.sum(Checkpoint::objects) > MOST_OBJECTS
        {
            self.thin_out();
        }
        self.forget();
    }

    fn sum(&self, of: impl Fn(&Checkpoint) -> u64) -> u64 {
        self.kept.iter().map(of).sum()
    }

    /// The older half loses every second one; the newer half stays as dense as it is.
    fn thin_out(&mut self) {
        let half = self.kept.len() / 2;
        let (mut index, mut lost) = (0, (0, 0));
        self.kept.retain_mut(|kept| {
            index += 1;
            let stays = index > half || index % 2 == 0;
            if stays {
                let (events, decided) = std::mem::take(&mut lost);
                kept.events += events;
                kept.decided += decided;
            } else {
                lost = (lost.0 + kept.events, lost.1 + kept.decided);
            }
            stays
        });
        self.interval = self.interval.saturating_add(self.interval / 4);
        self.span += self.span / 4;
    }

    fn forget(&mut self) {
        let mut told = self.sum(Checkpoint::told);
        for kept in &mut self.kept {
            if told <= MOST_TOLD {
                return;
            }
            told -= kept.told();
            kept.cluster.forget(FEW_MESSAGES);
            kept.decided = 0;
            told += kept.told();
        }
    }

    /// The last checkpoint that is not after `moment`, and how many inputs it has had.
    pub(super) fn before(&self, moment: Instant) -> (Cluster, usize) {
        let found = self.kept.iter().rev().find(|kept| kept.cluster.now() <= moment);
        let Checkpoint { cluster, played, .. } = found.unwrap_or(&self.start);
        (cluster.clone(), *played)
    }

    /// Drops those that lie after `steps` events.
    pub(super) fn forget_after(&mut self, steps: u64) {
        self.kept.retain(|kept| kept.cluster.steps() <= steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Setup;

    /// Checkpoints of a cluster that has lived so long with these bounds held.
    fn after(nodes: usize, span: Duration) -> Checkpoints {
        let mut cluster = Cluster::new(&Setup::new(1, nodes));
        let mut checkpoints = Checkpoints::new(&cluster);
        while cluster.now() < Instant::ZERO + span && cluster.step() {
            checkpoints.offer(&cluster, 0);
        }
        checkpoints
    }

    #[test]
    fn there_are_never_too_many_and_they_are_in_order() {
        let checkpoints = after(3, Duration::from_mins(10));
        assert!((MOST / 2..=MOST).contains(&checkpoints.kept.len()));
        assert!(checkpoints.kept.is_sorted_by_key(|kept| kept.cluster.steps()));
        let steps = checkpoints.kept.last().map(|kept| kept.cluster.steps());
        let start = checkpoints.start.cluster.steps();
        assert_eq!(steps, Some(start + checkpoints.sum(|kept| kept.events)));
    }

    #[test]
    fn older_ones_keep_few_messages_once_all_of_them_have_many() {
        let checkpoints = after(100, Duration::from_mins(20));
        assert!(checkpoints.sum(Checkpoint::told) <= MOST_TOLD);
        let [first, .., last] = &*checkpoints.kept else { panic!("some are kept") };
        assert!(first.cluster.trace().kept() < last.cluster.trace().kept());
    }
}
