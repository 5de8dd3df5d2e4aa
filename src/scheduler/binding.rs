//! The binding cycle: what was reserved for a pod is written, and once all of it is so, the pod is bound.
//!
//! Mirrors: `bindingCycle` of `pkg/scheduler/schedule_one.go`.

use std::rc::Rc;
use std::time::Duration;

use super::evicting::Outcome;
use super::framework::{About, ClusterEvent, PreBind};
use super::node_info::PodInfo;
use super::queue::QueuedPod;
use super::writing::{Reason, names};
use super::{DOCUMENTS, Scheduler, Timer};
use crate::api::request::RequestId;
use crate::api::status::StatusError;
use crate::api::{Document, Object};
use crate::client::EventKind;
use crate::sim::{Ctx, Instant};

/// How often it is looked whether what was reserved is so.
const POLL: Duration = Duration::from_secs(1);

/// A pod that is to be bound once what was reserved for it is so.
#[derive(Clone, Debug)]
pub(super) struct PreBinding {
    queued: QueuedPod,
    node: Rc<str>,
    reserved: Vec<Document>,
    /// What is not written yet.
    writes: Vec<RequestId>,
    /// When it was all written.
    since: Instant,
}

impl Scheduler {
    /// A node was chosen: takes the pod to be there, and sees to its binding.
    pub(super) fn begin_binding(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        queued: QueuedPod,
        node: Rc<str>,
        reserved: Vec<Document>,
    ) {
        self.cache.assume(&queued.info, &node);
        if reserved.is_empty() {
            self.bind(ctx, queued, node);
            return;
        }
        // It may take long until it is bound; who looks at pods is told where it will be.
        self.patch_status(ctx, &queued.info.pod, None, Some(Rc::clone(&node)));
        let mut writes = Vec::with_capacity(reserved.len());
        for document in &reserved {
            let document = Rc::new(document.clone());
            self.cache.put_document(&document);
            writes.push(self.client.update(ctx, Object::Document(document)));
        }
        let since = ctx.now;
        self.pre_binding.push(PreBinding { queued, node, reserved, writes, since });
    }

    /// Binds the pods for which everything is so by now.
    pub(super) fn poll_pre_bindings(&mut self, ctx: &mut Ctx<'_, Self>) {
        for waiting in std::mem::take(&mut self.pre_binding) {
            match self.progress(&waiting, ctx.now) {
                PreBind::Done => self.bind(ctx, waiting.queued, waiting.node),
                PreBind::Wait => self.pre_binding.push(waiting),
                PreBind::Failed(why) => self.pre_binding_failed(ctx, waiting, &why),
            }
        }
        if !self.pre_binding.is_empty() {
            ctx.set_timer(POLL, Timer::PreBind);
        }
    }

    fn progress(&self, waiting: &PreBinding, now: Instant) -> PreBind {
        let info = &waiting.queued.info;
        let Some((_, profile)) = self.profile(&info.pod) else { return PreBind::Done };
        if !waiting.writes.is_empty() {
            return PreBind::Wait;
        }
        for plugin in &profile.pre_bind {
            match plugin.pre_bind(info, &self.cache, now.since(waiting.since)) {
                PreBind::Done => {}
                PreBind::Wait => return PreBind::Wait,
                PreBind::Failed(why) => {
                    let name = plugin.name();
                    return PreBind::Failed(format!("running PreBind plugin \"{name}\": {why}"));
                }
            }
        }
        PreBind::Done
    }

    fn bind(&mut self, ctx: &mut Ctx<'_, Self>, queued: QueuedPod, node: Rc<str>) {
        let pod = Rc::clone(&queued.info.pod);
        let uid = pod.metadata.uid.as_deref().map(Into::into);
        let id = self.client.bind(ctx, names(&pod), uid, Rc::clone(&node));
        self.binding.insert(id, (queued, node));
    }

    /// The answer to a request of the scheduler's own; those to bindings, to what was reserved
    /// and to what victims are told matter.
    pub(super) fn on_answer(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        id: RequestId,
        error: Option<&Rc<StatusError>>,
    ) {
        let text = error.map(ToString::to_string);
        let Some((queued, node)) = self.binding.remove(&id) else {
            let outcome = Outcome::of(error.map(Rc::as_ref));
            if !self.on_told(ctx, id, outcome) {
                self.on_written(ctx, id, text.as_deref());
            }
            return;
        };
        if let Some(error) = text {
            self.binding_failed(ctx, queued, &error);
            return;
        }
        let pod = &queued.info.pod;
        let (namespace, name) = names(pod);
        let message = format!("Successfully assigned {namespace}/{name} to {node}");
        let words = (EventKind::Normal, "Scheduled", Some("Binding"));
        self.record(ctx, pod, pod, words, &message);
    }

    /// The line broke before the answer came.
    pub(super) fn on_lost(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        let lost = "unexpected EOF";
        match self.binding.remove(&id) {
            Some((queued, _)) => self.binding_failed(ctx, queued, lost),
            None if self.on_told(ctx, id, Outcome::Failed) => {}
            None => self.on_written(ctx, id, Some(lost)),
        }
    }

    /// Something that was reserved is written, or cannot be.
    fn on_written(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId, error: Option<&str>) {
        let waits = |waiting: &PreBinding| waiting.writes.contains(&id);
        let Some(at) = self.pre_binding.iter().position(waits) else { return };
        if let Some(error) = error {
            let waiting = self.pre_binding.remove(at);
            let why = format!("running PreBind plugin \"VolumeBinding\": {error}");
            self.pre_binding_failed(ctx, waiting, &why);
            return;
        }
        let first = self.pre_binding.iter().all(|waiting| !waiting.writes.is_empty());
        let Some(waiting) = self.pre_binding.get_mut(at) else { return };
        waiting.writes.retain(|write| *write != id);
        waiting.since = ctx.now;
        // While others are looked after, so is this one.
        if first && waiting.writes.is_empty() {
            ctx.set_timer(POLL, Timer::PreBind);
        }
    }

    /// Nothing is kept for a pod any more that was not bound.
    fn pre_binding_failed(&mut self, ctx: &mut Ctx<'_, Self>, waiting: PreBinding, why: &str) {
        for document in &waiting.reserved {
            let informer = DOCUMENTS.iter().zip(&self.documents);
            let informer = informer.filter(|(kind, _)| **kind == document.kind());
            let metadata = &document.metadata;
            let namespace = metadata.namespace.as_deref().unwrap_or_default();
            let name = metadata.name.as_deref().unwrap_or_default();
            match informer.map(|(_, them)| them).find_map(|them| them.get(namespace, name)) {
                Some(stored) => self.cache.put_document(&Rc::clone(stored)),
                None => self.cache.remove_document(document),
            }
        }
        self.not_bound(ctx, waiting.queued, why);
    }

    fn binding_failed(&mut self, ctx: &mut Ctx<'_, Self>, queued: QueuedPod, error: &str) {
        let why = format!("running Bind plugin \"DefaultBinder\": {error}");
        self.not_bound(ctx, queued, &why);
    }

    fn not_bound(&mut self, ctx: &mut Ctx<'_, Self>, mut queued: QueuedPod, why: &str) {
        let mut pod = Rc::clone(&queued.info.pod);
        let uid = Rc::clone(&queued.info.uid);
        if self.cache.is_assumed(&uid) {
            self.cache.remove_pod(&uid);
            let about = About::Pod { old: Some(&queued.info), new: None };
            self.tell(ClusterEvent::AssignedPodDeleted, ctx.now, about);
        }
        self.cache.forget_nominated(&uid);
        let (namespace, name) = names(&pod);
        if let Some(known) = self.pods.get(namespace, name).map(Rc::clone) {
            // A pod that was made anew under this name has nothing to do with it.
            if known.metadata.uid != pod.metadata.uid {
                return;
            }
            // It may have changed since it was tried, and is tried again as it is now.
            pod = known;
            if pod.node_name.is_none() {
                queued.info = Rc::new(PodInfo::new(Rc::clone(&pod)));
                self.queue.errored(queued, ctx.now);
            }
        }
        self.report(ctx, &pod, Reason::SchedulerError, why, Some("".into()));
    }

    /// Forgets a pod that is gone before it was bound.
    pub(super) fn forget_pre_binding(&mut self, uid: &str) {
        self.pre_binding.retain(|waiting| &*waiting.queued.info.uid != uid);
    }
}
