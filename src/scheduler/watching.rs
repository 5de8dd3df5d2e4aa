//! What the scheduler makes of what it hears.
//!
//! Mirrors: `pkg/scheduler/eventhandlers.go`.

use std::rc::Rc;

use crate::api::wire::Node;

use super::Scheduler;
use super::framework::{About, ClusterEvent};
use super::node_info::{NodeInfo, PodInfo, allocatable, uid};
use super::preemption::priority;
use super::resources::is_resizing;
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
                    self.on_answer(ctx, response.id, &response.result);
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
        use ClusterEvent::{
            AttachmentDeleted, CapacityChanged, ClaimAdded, ClaimUpdated, DriverUpdated,
            DriversChanged, DriversOfNode, NamespaceLabels, StorageClassAdded, StorageClassUpdated,
            VolumeChanged,
        };
        let (old, new) = match delta {
            Delta::Added(new) => (None, new),
            Delta::Updated { old, new } => (Some(&**old), new),
            Delta::Deleted(gone) => {
                self.cache.remove_document(gone);
                if gone.kind() == Kind::VolumeAttachment {
                    let about = About::Document { old: Some(gone), new: None };
                    self.tell(AttachmentDeleted, now, about);
                }
                return;
            }
        };
        self.cache.put_document(new);
        let of_kind = [
            (Kind::Namespace, Some(NamespaceLabels), Some(NamespaceLabels)),
            (Kind::PersistentVolumeClaim, Some(ClaimAdded), Some(ClaimUpdated)),
            (Kind::PersistentVolume, Some(VolumeChanged), Some(VolumeChanged)),
            (Kind::StorageClass, Some(StorageClassAdded), Some(StorageClassUpdated)),
            (Kind::CSIDriver, None, Some(DriverUpdated)),
            (Kind::CSINode, Some(DriversOfNode), Some(DriversChanged)),
            (Kind::CSIStorageCapacity, Some(CapacityChanged), Some(CapacityChanged)),
        ];
        let Some((_, added, updated)) = of_kind.into_iter().find(|(kind, ..)| *kind == new.kind())
        else {
            return;
        };
        let labels = |document: &Document| document.metadata.labels.clone();
        if new.kind() == Kind::Namespace && old.is_some_and(|old| labels(old) == labels(new)) {
            return;
        }
        if let Some(event) = if old.is_some() { updated } else { added } {
            self.tell(event, now, About::Document { old, new: Some(new) });
        }
    }

    /// Has the pods tried again that an event may help.
    pub(super) fn tell(&mut self, event: ClusterEvent, now: Instant, about: About<'_>) {
        self.tell_some(event, now, about, |_| true);
    }

    /// As [`Self::tell`], of those that are `meant`.
    fn tell_some(
        &mut self,
        event: ClusterEvent,
        now: Instant,
        about: About<'_>,
        meant: impl Fn(&PodInfo) -> bool,
    ) {
        let (configuration, cache) = (&*self.configuration, &self.cache);
        let hint = |plugin: &'static str, pod: &PodInfo| {
            if !meant(pod) {
                return false;
            }
            let profile = configuration.profile(&pod.pod);
            let plugin = profile.and_then(|(_, profile)| profile.plugin(plugin));
            plugin.is_none_or(|plugin| plugin.wakes_on(event) && plugin.hint(pod, &about, cache))
        };
        self.queue.on_event(event, now, hint);
        self.waiting.help(hint);
    }

    fn on_node(&mut self, delta: &Delta<Node>, now: Instant) {
        let info = |node: &Rc<Node>| NodeInfo::new(Rc::clone(node));
        match delta {
            Delta::Added(node) => {
                self.cache.put_node(node);
                if self.waits_for_events() {
                    let about = About::Node { old: None, new: Some(&info(node)) };
                    self.tell(ClusterEvent::NodeAdded, now, about);
                }
            }
            Delta::Updated { old, new } => {
                self.cache.put_node(new);
                let changes = changes(old, new);
                if changes.is_empty() || !self.waits_for_events() {
                    return;
                }
                let (old, new) = (info(old), info(new));
                for event in changes {
                    self.tell(event, now, About::Node { old: Some(&old), new: Some(&new) });
                }
            }
            Delta::Deleted(node) => {
                self.cache.remove_node(node.metadata.name.as_deref().unwrap_or_default());
                let about = About::Node { old: Some(&info(node)), new: None };
                self.tell(ClusterEvent::NodeDeleted, now, about);
            }
        }
    }

    fn on_pod(&mut self, delta: &Delta<Pod>, now: Instant) {
        match delta {
            Delta::Added(pod) => self.put_pod(None, pod, now),
            Delta::Updated { old, new } => {
                if new.metadata.deletion_timestamp.is_some() {
                    self.on_going(new);
                }
                if old.metadata.uid != new.metadata.uid {
                    self.remove_pod(old, now);
                    self.put_pod(None, new, now);
                } else if !is_report(old, new) {
                    self.put_pod(Some(old), new, now);
                }
            }
            Delta::Deleted(pod) => {
                self.on_going(pod);
                self.remove_pod(pod, now);
            }
        }
    }

    /// Takes in a pod, which was `old` before.
    fn put_pod(&mut self, old: Option<&Rc<Pod>>, pod: &Rc<Pod>, now: Instant) {
        let uid = uid(pod);
        if let Some(node) = &pod.node_name {
            self.queue.delete(&uid);
            let info = self.work_out(pod);
            self.cache.put_pod(&info, node);
            if !self.waits_for_events() {
                return;
            }
            let Some(old) = old.filter(|old| old.node_name.is_some()) else {
                let about = About::Pod { old: None, new: Some(&info) };
                self.tell(ClusterEvent::AssignedPodAdded, now, about);
                return;
            };
            let old = PodInfo::new(Rc::clone(old));
            let about = About::Pod { old: Some(&old), new: Some(&info) };
            if old.labels() != info.labels() {
                self.tell(ClusterEvent::AssignedPodLabels, now, about);
            }
            if old.requests.exceeds(&info.requests) {
                self.tell(ClusterEvent::AssignedPodShrunk, now, about);
            }
            return;
        }
        let Some((_, profile)) = self.profile(pod) else { return };
        let gated = profile.held_back(pod).is_some();
        if self.cache.is_assumed(&uid) {
            // Before it is bound: others may have its room at once.
            if let Some(old) = old.filter(|old| begins_to_go(old, pod))
                && !self.waiting.remove(&uid)
            {
                self.leave(old, now);
            }
            return;
        }
        if pod.metadata.deletion_timestamp.is_some() && self.is_binding(&uid) {
            return;
        }
        let info = self.work_out(pod);
        self.cache.follow_nomination(old.map(|old| &**old), &info);
        match &mut self.current {
            Some(current) if current.info.uid == uid => current.info = info,
            Some(_) | None => {
                let (configuration, cache) = (&*self.configuration, &self.cache);
                let hint = |plugin: &'static str, old: &PodInfo, new: &PodInfo| {
                    let profile = configuration.profile(&new.pod);
                    let plugin = profile.and_then(|(_, profile)| profile.plugin(plugin));
                    let about = About::Pod { old: Some(old), new: Some(new) };
                    plugin.is_none_or(|plugin| plugin.hint(new, &about, cache))
                };
                self.queue.put(info, gated, now, hint);
            }
        }
        let nominated = |pod: &Pod| pod.status.nominated_node_name.clone();
        if let Some(old) = old.filter(|old| nominated(old) != nominated(pod)) {
            self.on_lost_nomination(old, now);
        }
    }

    /// Whether there is a pod that an event may help.
    fn waits_for_events(&self) -> bool {
        self.queue.waits_for_events() || !self.waiting.is_empty()
    }

    /// Takes a pod off its node, which may help others; whether it was on one.
    pub(super) fn leave(&mut self, pod: &Pod, now: Instant) -> bool {
        let was_there = self.cache.remove_pod(&uid(pod));
        if was_there && self.waits_for_events() {
            let gone = PodInfo::new(Rc::new(pod.clone()));
            let about = About::Pod { old: Some(&gone), new: None };
            self.tell(ClusterEvent::AssignedPodDeleted, now, about);
        }
        was_there
    }

    /// A pod waits no longer for the node that `old` has waited for. To pods that are no more important it
    /// was as if it ran there.
    fn on_lost_nomination(&mut self, old: &Pod, now: Instant) {
        let waited = old.status.nominated_node_name.as_deref().is_some_and(|node| !node.is_empty());
        if waited && self.waits_for_events() {
            let gone = PodInfo::new(Rc::new(old.clone()));
            let about = About::Pod { old: Some(&gone), new: None };
            let meant = |pod: &PodInfo| priority(pod) <= priority(&gone);
            self.tell_some(ClusterEvent::AssignedPodDeleted, now, about, meant);
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
        self.cache.forget_nominated(&uid);
        if self.waiting.remove(&uid) {
            return;
        }
        if !self.leave(pod, now) && pod.node_name.is_none() && self.profile(pod).is_some() {
            self.on_lost_nomination(pod, now);
        }
    }
}

fn begins_to_go(old: &Pod, new: &Pod) -> bool {
    let is_going = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
    !is_going(old) && is_going(new)
}

/// Whether a change of a pod on a node is its kubelet's report, which changes nothing here.
fn is_report(old: &Pod, new: &Pod) -> bool {
    let (before, after) = (&old.metadata, &new.metadata);
    old.node_name.is_some()
        && old.node_name == new.node_name
        && old.has_spec_of(new)
        && !is_resizing(old)
        && !is_resizing(new)
        // Whoever has to make room looks at who has run the longest.
        && old.status.start_time == new.status.start_time
        && before.labels == after.labels
        && before.deletion_timestamp == after.deletion_timestamp
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
