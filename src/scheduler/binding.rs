//! The binding cycle: what was reserved for a pod is written, and once all of it is so, the pod is bound.
//!
//! Mirrors: `bindingCycle` of `pkg/scheduler/schedule_one.go`.

use std::rc::Rc;
use std::time::Duration;

use super::evicting::Outcome;
use super::framework::{PreBind, Reserved, Snapshot};
use super::node_info::PodInfo;
use super::permit::Permitted;
use super::queue::QueuedPod;
use super::stored::Stored;
use super::writing::{Reason, names};
use super::{Scheduler, Timer};
use crate::api::request::{Answer, RequestId};
use crate::api::status::StatusError;
use crate::api::{Document, Object};
use crate::client::EventKind;
use crate::sim::{Ctx, Instant};

/// How often it is looked whether what was reserved is so.
const POLL: Duration = Duration::from_secs(1);

/// A pod for which a node was chosen, where room is kept for it.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub queued: QueuedPod,
    pub node: Rc<str>,
    /// What is to be written before it is bound, as it is to be; what is written, as it was stored.
    pub reserved: Vec<Rc<Document>>,
}

/// A pod that is to be bound once what was reserved for it is so.
#[derive(Clone, Debug)]
pub(super) struct PreBinding {
    chosen: Chosen,
    /// How much of what is reserved is written: one after the other, until one cannot be.
    written: usize,
    /// The write that is on its way; none once all are written.
    write: Option<RequestId>,
    /// When it was all written.
    since: Instant,
}

/// Why a pod is not bound to the node that was chosen for it.
#[derive(Debug)]
pub(super) enum NotBound {
    /// A plugin has refused it.
    Rejected {
        plugin: &'static str,
        message: String,
        /// Whether something has happened since that may help it.
        is_helped: bool,
    },
    /// There was an error.
    Failed(String),
    /// It is not wanted any more.
    Removed(String),
}

impl NotBound {
    /// What is told of it.
    pub fn message(&self) -> &str {
        match self {
            Self::Rejected { message, .. } | Self::Failed(message) | Self::Removed(message) => {
                message
            }
        }
    }
}

impl Scheduler {
    /// A node was chosen: takes the pod to be there, and what it needs to be its own.
    pub(super) fn keep_room(
        &mut self,
        queued: QueuedPod,
        node: Rc<str>,
        reserved: Vec<Document>,
    ) -> Chosen {
        self.cache.assume(&queued.info, &node);
        let reserved: Vec<Rc<Document>> = reserved.into_iter().map(Rc::new).collect();
        for document in &reserved {
            self.cache.put_document(document);
        }
        Chosen { queued, node, reserved }
    }

    /// Sees to the binding of a pod.
    pub(super) fn begin_binding(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        chosen: Chosen,
        permitted: Permitted,
    ) {
        if let Permitted::Never(why) = permitted {
            self.unreserve(&chosen);
            // It was not there long enough for its going to help anybody.
            self.cache.remove_pod(&chosen.queued.info.uid);
            self.not_bound(ctx, chosen.queued, &why);
            return;
        }
        if matches!(permitted, Permitted::Later(_)) || !chosen.reserved.is_empty() {
            // It may take long until it is bound; who looks at pods is told where it will be.
            let node = Some(Rc::clone(&chosen.node));
            self.patch_status(ctx, &chosen.queued.info.pod, None, node);
        }
        match permitted {
            Permitted::Later(plugins) => self.wait_for_permits(ctx, chosen, &plugins),
            Permitted::Now | Permitted::Never(_) => self.pre_bind(ctx, chosen),
        }
    }

    /// Has what was reserved for a pod written; it is bound once all of it is so.
    pub(super) fn pre_bind(&mut self, ctx: &mut Ctx<'_, Self>, chosen: Chosen) {
        if chosen.reserved.is_empty() {
            self.bind(ctx, chosen);
            return;
        }
        let mut waiting = PreBinding { chosen, written: 0, write: None, since: ctx.now };
        self.write_next(ctx, &mut waiting);
        self.pre_binding.push(waiting);
    }

    fn write_next(&mut self, ctx: &mut Ctx<'_, Self>, waiting: &mut PreBinding) {
        let next = waiting.chosen.reserved.get(waiting.written);
        let next = next.map(|document| Object::Document(Rc::clone(document)));
        waiting.write = next.map(|document| self.client.update(ctx, document));
    }

    /// Binds the pods for which everything is so by now.
    pub(super) fn poll_pre_bindings(&mut self, ctx: &mut Ctx<'_, Self>) {
        for waiting in std::mem::take(&mut self.pre_binding) {
            match self.progress(&waiting, ctx.now) {
                PreBind::Done => self.bind(ctx, waiting.chosen),
                PreBind::Wait => self.pre_binding.push(waiting),
                PreBind::Failed(why) => self.pre_binding_failed(ctx, waiting, &why),
            }
        }
        if self.looks_after_some() {
            ctx.set_timer(POLL, Timer::PreBind);
        }
    }

    /// Whether it is looked, time and again, how far what is written has come.
    fn looks_after_some(&self) -> bool {
        self.pre_binding.iter().any(|waiting| waiting.write.is_none())
    }

    fn progress(&self, waiting: &PreBinding, now: Instant) -> PreBind {
        let chosen = &waiting.chosen;
        let info = &chosen.queued.info;
        let Some(profile) = self.profile_of(chosen) else { return PreBind::Done };
        if waiting.write.is_some() {
            return PreBind::Wait;
        }
        let (namespace, name) = names(&info.pod);
        let reserved = Reserved {
            node_name: &chosen.node,
            node: self.cache.node(&chosen.node).map(|node| &**node),
            is_wanted: self.pods.get(namespace, name).is_some(),
            documents: &chosen.reserved,
            waited: now.since(waiting.since),
        };
        for plugin in &profile.pre_bind {
            match plugin.pre_bind(info, &reserved, &Stored(self)) {
                PreBind::Done => {}
                PreBind::Wait => return PreBind::Wait,
                PreBind::Failed(why) => {
                    return PreBind::Failed(in_pre_bind(plugin.name(), &why));
                }
            }
        }
        PreBind::Done
    }

    fn bind(&mut self, ctx: &mut Ctx<'_, Self>, chosen: Chosen) {
        let pod = Rc::clone(&chosen.queued.info.pod);
        let uid = pod.metadata.uid.as_deref().map(Into::into);
        let id = self.client.bind(ctx, names(&pod), uid, Rc::clone(&chosen.node));
        self.binding.insert(id, chosen);
    }

    /// The answer to a request of the scheduler's own; those to bindings, to what was reserved
    /// and to what victims are told matter.
    pub(super) fn on_answer(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        id: RequestId,
        result: &Result<Answer, Rc<StatusError>>,
    ) {
        let Some(chosen) = self.binding.remove(&id) else {
            let outcome = Outcome::of(result.as_ref().err().map(Rc::as_ref));
            if !self.on_told(ctx, id, outcome) {
                let result = result.as_ref().map_err(ToString::to_string);
                self.on_written(ctx, id, result.map(Answer::object));
            }
            return;
        };
        if let Err(error) = result {
            self.binding_failed(ctx, chosen, &error.to_string());
            return;
        }
        let (pod, node) = (&chosen.queued.info.pod, &chosen.node);
        let (namespace, name) = names(pod);
        let message = format!("Successfully assigned {namespace}/{name} to {node}");
        let words = (EventKind::Normal, "Scheduled", Some("Binding"));
        self.record(ctx, pod, pod, words, &message);
        self.post_bind(&chosen);
    }

    /// The line broke before the answer came.
    pub(super) fn on_lost(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        let lost = "unexpected EOF";
        match self.binding.remove(&id) {
            Some(chosen) => self.binding_failed(ctx, chosen, lost),
            None if self.on_told(ctx, id, Outcome::Failed) => {}
            None => self.on_written(ctx, id, Err(lost.to_owned())),
        }
    }

    /// Something that was reserved is written, and stored so, or cannot be.
    fn on_written(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        id: RequestId,
        result: Result<Option<&Object>, String>,
    ) {
        let waits = |waiting: &PreBinding| waiting.write == Some(id);
        let Some(at) = self.pre_binding.iter().position(waits) else { return };
        let mut waiting = self.pre_binding.remove(at);
        let stored = match result {
            Ok(stored) => stored.and_then(Object::document),
            Err(error) => {
                self.pre_binding_failed(ctx, waiting, &in_pre_bind("VolumeBinding", &error));
                return;
            }
        };
        let sent = waiting.chosen.reserved.get_mut(waiting.written);
        if let Some((sent, stored)) = sent.zip(stored) {
            *sent = Rc::clone(stored);
        }
        waiting.written += 1;
        waiting.since = ctx.now;
        self.write_next(ctx, &mut waiting);
        // While others are looked after, so is this one.
        if waiting.write.is_none() && !self.looks_after_some() {
            ctx.set_timer(POLL, Timer::PreBind);
        }
        self.pre_binding.insert(at, waiting);
    }

    /// A pod is not to be bound for which something was reserved; whether there was one.
    pub(super) fn give_up_pre_binding(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        uid: &str,
        why: &str,
    ) -> bool {
        let is_it = |waiting: &PreBinding| *waiting.chosen.queued.info.uid == *uid;
        let Some(at) = self.pre_binding.iter().position(is_it) else { return false };
        let waiting = self.pre_binding.remove(at);
        self.pre_binding_failed(ctx, waiting, &in_pre_bind("VolumeBinding", why));
        true
    }

    fn pre_binding_failed(&mut self, ctx: &mut Ctx<'_, Self>, waiting: PreBinding, why: &str) {
        self.unreserve(&waiting.chosen);
        self.not_bound(ctx, waiting.chosen.queued, &NotBound::Failed(why.to_owned()));
    }

    /// Nothing is kept any more for a pod that is not bound.
    pub(super) fn unreserve(&mut self, chosen: &Chosen) {
        let profile = self.profile_of(chosen);
        for plugin in profile.iter().flat_map(|profile| profile.reserve.iter().rev()) {
            plugin.unreserve(&chosen.queued.info, &chosen.node, &mut self.waiting);
        }
        for document in &chosen.reserved {
            let (kind, metadata) = (document.kind(), &document.metadata);
            let namespace = metadata.namespace.as_deref().unwrap_or_default();
            let name = metadata.name.as_deref().unwrap_or_default();
            let own = self.cache.document(kind, namespace, name);
            // Another version is what was written, or others may have reserved something of it.
            if own.is_none_or(|own| own.metadata.resource_version != metadata.resource_version) {
                continue;
            }
            match self.stored(kind, namespace, name).map(Rc::clone) {
                Some(stored) => self.cache.put_document(&stored),
                None => self.cache.remove_document(document),
            }
        }
    }

    fn binding_failed(&mut self, ctx: &mut Ctx<'_, Self>, chosen: Chosen, error: &str) {
        let why = format!("running Bind plugin \"DefaultBinder\": {error}");
        self.unreserve(&chosen);
        self.not_bound(ctx, chosen.queued, &NotBound::Failed(why));
    }

    /// A pod leaves the node that was chosen for it, and is tried again.
    pub(super) fn not_bound(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        mut queued: QueuedPod,
        why: &NotBound,
    ) {
        let mut pod = Rc::clone(&queued.info.pod);
        let uid = Rc::clone(&queued.info.uid);
        if self.cache.is_assumed(&uid) {
            self.leave(&pod, ctx.now);
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
                self.put_back(queued, why, ctx.now);
            }
        }
        let reason = match why {
            NotBound::Rejected { .. } | NotBound::Removed(_) => Reason::Unschedulable,
            NotBound::Failed(_) => Reason::SchedulerError,
        };
        self.report(ctx, &pod, reason, why.message(), Some("".into()));
    }

    fn put_back(&mut self, queued: QueuedPod, why: &NotBound, now: Instant) {
        match why {
            NotBound::Rejected { plugin, is_helped, .. } => {
                let uid = Rc::clone(&queued.info.uid);
                self.queue.unschedulable(queued, now, Rc::new([*plugin]));
                if *is_helped {
                    self.queue.wake(&uid, now);
                }
            }
            NotBound::Failed(_) => self.queue.errored(queued, now),
            NotBound::Removed(_) => {}
        }
    }

    /// Whether a node was chosen for a pod, and it is on its way there.
    pub(super) fn is_binding(&self, uid: &str) -> bool {
        let waiting = self.pre_binding.iter().map(|waiting| &waiting.chosen);
        let mut on_their_way = self.binding.values().chain(waiting);
        on_their_way.any(|chosen| *chosen.queued.info.uid == *uid)
            || self.permitting.contains_key(uid)
    }
}

/// Why a pod is not bound, if that is because of what a plugin does before.
fn in_pre_bind(plugin: &str, why: &str) -> String {
    format!("running PreBind plugin \"{plugin}\": {why}")
}
