//! What the scheduler makes of what it hears.
//!
//! Mirrors: `pkg/scheduler/eventhandlers.go`.

use std::rc::Rc;

use crate::api::wire::Node;

use super::Scheduler;
use super::framework::ClusterEvent;
use super::node_info::{PodInfo, allocatable, uid};
use super::plugins::{mounts_claim, raises_limits};
use super::queue::gates;
use super::resources::{Resources, is_resizing, requests};
use crate::api::{Document, Kind, Pod};
use crate::client::{Delta, Incoming};
use crate::sim::{Ctx, Instant};

/// Of how many templates a pod is remembered.
const TEMPLATES: usize = 4;

impl Scheduler {
    pub(super) fn receive(&mut self, ctx: &mut Ctx<'_, Self>, incoming: &Incoming) {
        if let Some(deltas) = self.nodes.handle(ctx, &mut self.client, incoming) {
            for delta in deltas {
                self.on_node(&delta, ctx.now);
            }
        } else if let Some(deltas) = self.pods.handle(ctx, &mut self.client, incoming) {
            for delta in deltas {
                self.on_pod(&delta, ctx.now);
            }
        } else if self.receive_document(ctx, incoming).is_none() {
            match incoming {
                Incoming::Response(response) => {
                    self.on_answer(ctx, response.id, response.result.as_ref().err());
                }
                Incoming::Closed(id) => self.on_lost(ctx, *id),
                Incoming::Watch(_) => {}
            }
        }
    }

    /// Takes in what came about documents. None: it was about something else.
    fn receive_document(&mut self, ctx: &mut Ctx<'_, Self>, incoming: &Incoming) -> Option<()> {
        let mut informers = self.documents.iter_mut();
        let deltas = informers.find_map(|them| them.handle(ctx, &mut self.client, incoming))?;
        for delta in deltas {
            self.on_document(&delta, ctx.now);
        }
        Some(())
    }

    fn on_document(&mut self, delta: &Delta<Document>, now: Instant) {
        let (old, new) = match delta {
            Delta::Added(new) => (None, new),
            Delta::Updated { old, new } => (Some(old), new),
            Delta::Deleted(gone) => {
                self.cache.remove_document(gone);
                return;
            }
        };
        self.cache.put_document(new);
        let topologies = |class: &Document| class.at("allowedTopologies").value().clone();
        let event = if new.kind() == Kind::Namespace {
            if old.is_some_and(|old| old.metadata.labels == new.metadata.labels) {
                return;
            }
            ClusterEvent::NamespaceLabels
        } else if new.kind() == Kind::PersistentVolumeClaim {
            ClusterEvent::ClaimChanged
        } else if new.kind() == Kind::PersistentVolume {
            ClusterEvent::VolumeChanged
        } else if new.kind() == Kind::CSINode {
            if old.is_some_and(|old| !raises_limits(old, new)) {
                return;
            }
            ClusterEvent::VolumeLimits
        } else if new.kind() != Kind::StorageClass {
            return;
        } else if let Some(old) = old {
            if topologies(old) == topologies(new) {
                return;
            }
            ClusterEvent::StorageClassTopology
        } else {
            ClusterEvent::StorageClassAdded
        };
        self.queue.on_event_for(event, now, |pod| {
            event != ClusterEvent::ClaimChanged || mounts_claim(pod, new)
        });
    }

    fn on_node(&mut self, delta: &Delta<Node>, now: Instant) {
        match delta {
            Delta::Added(node) => {
                self.cache.put_node(node);
                self.queue.on_event(ClusterEvent::NodeAdded, now);
            }
            Delta::Updated { old, new } => {
                self.cache.put_node(new);
                for event in changes(old, new) {
                    self.queue.on_event(event, now);
                }
            }
            Delta::Deleted(node) => {
                self.cache.remove_node(node.metadata.name.as_deref().unwrap_or_default());
            }
        }
    }

    fn on_pod(&mut self, delta: &Delta<Pod>, now: Instant) {
        match delta {
            Delta::Added(pod) => self.put_pod(pod, now),
            Delta::Updated { old, new } => {
                if new.metadata.deletion_timestamp.is_some() {
                    self.on_going(new);
                }
                if old.metadata.uid != new.metadata.uid {
                    self.remove_pod(old, now);
                } else if is_report(old, new) {
                    return;
                }
                self.put_pod(new, now);
                if new.node_name.is_some() && shrinks(old, new) {
                    self.queue.on_event(ClusterEvent::AssignedPodDeleted, now);
                }
            }
            Delta::Deleted(pod) => {
                self.on_going(pod);
                self.remove_pod(pod, now);
            }
        }
    }

    fn put_pod(&mut self, pod: &Rc<Pod>, now: Instant) {
        let uid = uid(pod);
        if let Some(node) = &pod.node_name {
            self.queue.delete(&uid);
            let info = self.work_out(pod);
            self.cache.put_pod(&info, node);
            self.queue.on_event(ClusterEvent::AssignedPodAdded, now);
            return;
        }
        let Some((_, profile)) = self.profile(pod) else { return };
        let gated = profile.gates && gates(pod).is_some();
        if self.cache.is_assumed(&uid) {
            return;
        }
        let info = self.work_out(pod);
        match &mut self.current {
            Some(current) if current.info.uid == uid => current.info = info,
            Some(_) | None => self.queue.put(info, gated, now),
        }
    }

    /// Most pods are of the template of one of the last.
    fn work_out(&mut self, pod: &Rc<Pod>) -> Rc<PodInfo> {
        let known = self.latest.iter().position(|it| Rc::ptr_eq(&it.pod.spec, &pod.spec));
        let info = match known.map(|at| self.latest.remove(at)) {
            Some(latest) => PodInfo::like(&latest, pod),
            None => PodInfo::new(Rc::clone(pod)),
        };
        let info = Rc::new(info);
        self.latest.insert(0, Rc::clone(&info));
        self.latest.truncate(TEMPLATES);
        info
    }

    fn remove_pod(&mut self, pod: &Pod, now: Instant) {
        let uid = uid(pod);
        self.queue.delete(&uid);
        self.forget_pre_binding(&uid);
        self.cache.forget_nominated(&uid);
        if self.cache.remove_pod(&uid) {
            self.queue.on_event(ClusterEvent::AssignedPodDeleted, now);
        }
    }
}

/// Whether a change of a pod on a node is its kubelet's report, which changes nothing here.
fn is_report(old: &Pod, new: &Pod) -> bool {
    let (before, after) = (&old.metadata, &new.metadata);
    old.node_name.is_some()
        && old.node_name == new.node_name
        && old.has_spec_of(new)
        && !is_resizing(old)
        && !is_resizing(new)
        && before.labels == after.labels
        && before.deletion_timestamp == after.deletion_timestamp
}

/// Whether a pod leaves room for others that it took before.
fn shrinks(old: &Pod, new: &Pod) -> bool {
    let is_smaller =
        |new: &Resources, old: &Resources| new.milli_cpu < old.milli_cpu || new.memory < old.memory;
    (!old.has_spec_of(new) || is_resizing(old)) && is_smaller(&requests(new), &requests(old))
}

/// What of a change of a node may help a pod.
fn changes(old: &Node, new: &Node) -> Vec<ClusterEvent> {
    let taints = |node: &Node| {
        let spec = node.spec.as_ref();
        let cordoned = spec.and_then(|spec| spec.unschedulable).unwrap_or(false);
        (cordoned, spec.and_then(|spec| spec.taints.clone()).unwrap_or_default())
    };
    let events = [
        (ClusterEvent::NodeAllocatable, allocatable(old) != allocatable(new)),
        (ClusterEvent::NodeLabels, old.metadata.labels != new.metadata.labels),
        (ClusterEvent::NodeTaints, taints(old) != taints(new)),
    ];
    events.into_iter().filter_map(|(event, changed)| changed.then_some(event)).collect()
}
