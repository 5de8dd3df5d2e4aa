//! From what a kubelet hears to the worker that it is for.

use std::rc::Rc;

use super::pod_worker::State;
use super::{Asked, Caller, Kubelet, PodWorker, Shared, Timer};
use crate::api::request::{RequestId, Response, Target};
use crate::api::status::StatusError;
use crate::api::{Kind, Pod};
use crate::client::Delta;
use crate::runtime::{CallId, CriError, CriRequest, CriResponse, Outcome};
use crate::sim::Ctx;

impl Kubelet {
    /// Lets a pod's worker act; one that has nothing left to do is dropped.
    pub(super) fn with_worker(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        uid: &Rc<str>,
        act: impl FnOnce(&mut PodWorker, &mut Shared, &mut Ctx<'_, Self>),
    ) {
        if let Some(worker) = self.workers.get_mut(uid) {
            act(worker, &mut self.shared, ctx);
        }
        self.finish(ctx, uid);
    }

    /// A pod of this node was added, changed or removed.
    pub(super) fn pod_changed(&mut self, ctx: &mut Ctx<'_, Self>, delta: Delta<Pod>) {
        match delta {
            Delta::Added(pod) => self.pod_seen(ctx, pod),
            Delta::Updated { old, new } => {
                if old.metadata.uid != new.metadata.uid {
                    self.pod_removed(ctx, &old);
                }
                self.pod_seen(ctx, new);
            }
            Delta::Deleted(pod) => self.pod_removed(ctx, &pod),
        }
    }

    fn pod_seen(&mut self, ctx: &mut Ctx<'_, Self>, pod: Rc<Pod>) {
        let uid = uid(&pod);
        self.workers
            .or_insert_with(Rc::clone(&uid), || PodWorker::new(Rc::clone(&uid), Rc::clone(&pod)));
        self.with_worker(ctx, &uid, |worker, shared, ctx| worker.update(shared, ctx, pod));
        self.try_resizes(ctx);
        self.with_worker(ctx, &uid, PodWorker::next);
    }

    fn pod_removed(&mut self, ctx: &mut Ctx<'_, Self>, last: &Pod) {
        let uid = uid(last);
        self.with_worker(ctx, &uid, |worker, shared, ctx| worker.removed(shared, ctx, last));
        self.try_resizes(ctx);
    }

    /// The runtime has answered a call, or tells of a change.
    pub(super) fn runtime_said(&mut self, ctx: &mut Ctx<'_, Self>, outcome: Outcome) {
        match outcome {
            Outcome::Happened(event) => {
                let uid = Rc::clone(&event.pod_uid);
                self.with_worker(ctx, &uid, |worker, shared, ctx| {
                    worker.happened(shared, ctx, &event);
                });
            }
            Outcome::Wrote { call, lines, .. } => self.wrote(ctx, call, &lines),
            Outcome::Forwarded { call, forwarded, .. } => self.forwarded(ctx, call, forwarded),
            Outcome::Answered { call, result, .. } => {
                if let Ok(CriResponse::ImageStatus { image: Some(image) }) = &result {
                    self.image_seen(image);
                }
                self.answered(ctx, call, result);
            }
        }
    }

    fn answered(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        call: CallId,
        result: Result<CriResponse, CriError>,
    ) {
        match self.shared.caller(call) {
            Some(Caller::Worker(uid)) => self.with_worker(ctx, &uid, |worker, shared, ctx| {
                worker.answered(shared, ctx, call, result);
            }),
            Some(Caller::Puller) => {
                let Some(((uid, _), took)) = self.shared.puller.done(ctx.now) else { return };
                self.with_worker(ctx, &uid, |worker, shared, ctx| {
                    worker.pulled(shared, ctx, took, result);
                });
                self.shared.pull_next(ctx);
            }
            Some(Caller::Reader(id, query)) => self.log_read(ctx, id, &query, result),
            Some(Caller::Listener(listener)) => Self::written(ctx, listener, result),
            Some(Caller::Nobody) | None => {}
        }
    }

    /// The line was cut while a request was under way.
    pub(super) fn cut_off(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        let error = StatusError::service_unavailable("the connection was closed");
        self.responded(ctx, &Response::new(id, Err(Rc::new(error))));
    }

    /// The server has answered a request that is not the informer's.
    pub(super) fn responded(&mut self, ctx: &mut Ctx<'_, Self>, response: &Response) {
        match self.asked.remove(&response.id) {
            Some(Asked::Register) => self.registered(ctx, &response.result),
            Some(Asked::NodeStatus) => self.node_reported(response.result.is_ok()),
            Some(Asked::ReadLease) => self.lease_read(ctx, &response.result),
            Some(Asked::WriteLease) => self.lease_written(ctx, &response.result),
            Some(Asked::Delete(uid)) => {
                let Some(worker) = self.workers.get_mut(&uid) else { return };
                if response.result.is_err() {
                    worker.deleting = false;
                    ctx.set_timer(super::reporter::RETRY, Timer::Report(uid));
                }
            }
            None => self.reported(ctx, response),
        }
    }

    fn reported(&mut self, ctx: &mut Ctx<'_, Self>, response: &Response) {
        let Shared { reporter, client, .. } = &mut self.shared;
        let Some(uid) = reporter.whose(response.id) else { return };
        let Some(worker) = self.workers.get(&uid) else { return };
        let answer = (&uid, response.id, response.result.is_ok());
        if reporter.answered(ctx, client, &worker.pod, answer) {
            ctx.set_timer(super::reporter::RETRY, Timer::Report(Rc::clone(&uid)));
        }
        self.finish(ctx, &uid);
    }

    /// Says again what could not be said of a pod.
    pub(super) fn report_again(&mut self, ctx: &mut Ctx<'_, Self>, uid: &Rc<str>) {
        let Some(worker) = self.workers.get(uid) else { return };
        let Shared { reporter, client, .. } = &mut self.shared;
        reporter.retry(ctx, client, &worker.pod, uid);
        self.finish(ctx, uid);
    }

    /// Once nothing of a pod runs and the server knows how it ended, it can go for good.
    fn finish(&mut self, ctx: &mut Ctx<'_, Self>, uid: &Rc<str>) {
        let Some(worker) = self.workers.get_mut(uid) else { return };
        if worker.state != State::Terminated {
            return;
        }
        if worker.gone {
            if let Some(sandbox) = &worker.sandbox {
                let pod_sandbox_id = Rc::clone(&sandbox.id);
                let request = CriRequest::RemovePodSandbox { pod_sandbox_id };
                self.shared.call(ctx, Caller::Nobody, request);
            }
            self.shared.reporter.forget(uid);
            self.shared.puller.forget(uid);
            self.workers.remove(uid);
        } else if worker.pod.metadata.deletion_timestamp.is_some()
            && !worker.deleting
            && self.shared.reporter.is_settled(uid)
        {
            worker.deleting = true;
            let (namespace, name) = worker.pod.key();
            let target = Target::named(Kind::Pod, namespace, name);
            let uid = Rc::clone(uid);
            let id = self.shared.client.delete(ctx, target, Some(Rc::clone(&uid)), Some(0));
            self.asked.insert(id, Asked::Delete(uid));
        }
    }
}

fn uid(pod: &Pod) -> Rc<str> {
    pod.metadata.uid.as_deref().unwrap_or_default().into()
}
