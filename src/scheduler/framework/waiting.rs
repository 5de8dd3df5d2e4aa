//! Pods that have a node and wait until the plugins permit their binding.
//!
//! Mirrors: `pkg/scheduler/framework/runtime/waiting_pods_map.go`.

use std::rc::Rc;
use std::time::Duration;

use super::{Reason, Verdict};
use crate::api::text::go_duration;
use crate::scheduler::node_info::PodInfo;
use crate::sim::Instant;

/// What a plugin says of the binding of a pod whose node is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    Allowed,
    /// Not before the plugin has allowed it, for which it has this long, and a quarter of an hour at most.
    Wait(Duration),
    /// Not to this node.
    Rejected(Verdict),
    /// An error, in upstream's words.
    Failed(String),
}

/// Why a pod that waited is not bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    Rejected {
        plugin: &'static str,
        why: Reason,
        /// Whether something happened while it waited that may help a pod which this plugin refused.
        is_helped: bool,
    },
    /// It has to make room for another pod.
    Preempted,
    /// It was deleted.
    Removed,
}

/// A plugin that has not allowed a pod yet.
#[derive(Clone, Copy, Debug)]
struct Pending {
    plugin: &'static str,
    /// How long it can wait.
    wait: Duration,
    until: Instant,
    is_helped: bool,
}

/// A pod that waits.
#[derive(Clone, Debug)]
pub struct WaitingPod {
    pub pod: Rc<PodInfo>,
    pub node: Rc<str>,
    pending: Vec<Pending>,
    end: Option<Result<(), Denied>>,
}

impl WaitingPod {
    /// The plugins that have not allowed it yet.
    pub fn pending(&self) -> impl Iterator<Item = &'static str> {
        self.pending.iter().map(|pending| pending.plugin)
    }
}

/// The pods that wait, in the order in which they came. What is said of one that does not wait, or of which
/// it is decided, changes nothing.
#[derive(Clone, Debug, Default)]
pub struct WaitingPods(Vec<WaitingPod>);

impl WaitingPods {
    /// Every pod that waits.
    pub fn iter(&self) -> impl Iterator<Item = &WaitingPod> {
        self.0.iter().filter(|waiting| waiting.end.is_none())
    }

    /// A plugin allows the binding of the pod of this uid: it is bound once all have that had it wait.
    pub fn allow(&mut self, uid: &str, plugin: &str) {
        if let Some(waiting) = self.undecided(uid) {
            waiting.pending.retain(|pending| pending.plugin != plugin);
            if waiting.pending.is_empty() {
                waiting.end = Some(Ok(()));
            }
        }
    }

    /// A plugin refuses the pod of this uid: it is put back into the queue.
    pub fn reject(&mut self, uid: &str, plugin: &'static str, why: impl Into<Reason>) {
        if let Some(waiting) = self.undecided(uid) {
            let mut own = waiting.pending.iter().filter(|pending| pending.plugin == plugin);
            let is_helped = own.any(|pending| pending.is_helped);
            waiting.end = Some(Err(Denied::Rejected { plugin, why: why.into(), is_helped }));
        }
    }

    /// The pod of this uid makes room for another; whether it waits.
    pub fn preempt(&mut self, uid: &str) -> bool {
        self.deny(uid, Denied::Preempted)
    }

    /// The pod of this uid is deleted; whether it waits.
    pub fn remove(&mut self, uid: &str) -> bool {
        self.deny(uid, Denied::Removed)
    }

    fn deny(&mut self, uid: &str, why: Denied) -> bool {
        let waiting = self.undecided(uid);
        waiting.map(|waiting| waiting.end = Some(Err(why))).is_some()
    }

    fn undecided(&mut self, uid: &str) -> Option<&mut WaitingPod> {
        self.0.iter_mut().find(|waiting| *waiting.pod.uid == *uid && waiting.end.is_none())
    }

    /// A pod has to wait for these plugins, each for so long.
    pub fn push(
        &mut self,
        pod: Rc<PodInfo>,
        node: Rc<str>,
        plugins: &[(&'static str, Duration)],
        now: Instant,
    ) {
        let pending = plugins.iter().map(|(plugin, wait)| Pending {
            plugin,
            wait: *wait,
            until: now + *wait,
            is_helped: false,
        });
        let pending = pending.collect();
        self.0.push(WaitingPod { pod, node, pending, end: None });
    }

    /// Refuses those for which the time is over of a plugin.
    pub fn time_out(&mut self, now: Instant) {
        for waiting in &mut self.0 {
            let late = waiting.pending.iter().filter(|pending| pending.until <= now);
            let Some(late) = late.min_by_key(|pending| pending.until) else { continue };
            let (plugin, is_helped, wait) = (late.plugin, late.is_helped, go_duration(late.wait));
            let why = format!("rejected due to timeout after waiting {wait} at plugin {plugin}");
            let denied = Denied::Rejected { plugin, why: why.into(), is_helped };
            waiting.end.get_or_insert(Err(denied));
        }
    }

    /// Remembers of each pod that waits which of its plugins are helped.
    pub fn help(&mut self, is_helped: impl Fn(&'static str, &PodInfo) -> bool) {
        for waiting in &mut self.0 {
            for pending in &mut waiting.pending {
                pending.is_helped |= is_helped(pending.plugin, &waiting.pod);
            }
        }
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out a pod of which it is decided.
    pub fn take_decided(&mut self) -> Option<(Rc<PodInfo>, Result<(), Denied>)> {
        let at = self.0.iter().position(|waiting| waiting.end.is_some())?;
        let waiting = self.0.remove(at);
        Some((waiting.pod, waiting.end?))
    }
}
