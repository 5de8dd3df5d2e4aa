//! What the API server hands on to a kubelet, and what comes back: an answer, or one that goes on.
//!
//! Mirrors: `apimachinery/pkg/util/proxy` and `apiserver/pkg/registry/generic/rest/streamer.go`.

use std::rc::Rc;
use std::time::Duration;

use super::server::{ApiServer, ConnectionId, Out, Timer, WORK};
use crate::api::request::{
    Answer, Change, Params, Payload, Request, RequestId, Response, Target, Verb, WatchEvent,
};
use crate::api::status::StatusError;
use crate::sim::Ctx;

/// A kubelet that does not answer by then is not there.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request that a kubelet was asked.
#[derive(Clone, Debug)]
pub(super) struct Proxied {
    from: ConnectionId,
    request: Rc<Request>,
    node: Rc<str>,
    /// Whether the kubelet has begun to answer.
    is_open: bool,
}

impl ApiServer {
    /// Asks the kubelet of `node` for what stands at `path`; `from` hears what it says.
    pub(super) fn ask_kubelet(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        (from, request): (ConnectionId, &Rc<Request>),
        node: Rc<str>,
        path: String,
        params: Params,
    ) {
        self.proxied_last += 1;
        let id = RequestId(self.proxied_last);
        let asked = Rc::new(Request {
            id,
            verb: Verb::Get,
            target: Target::Path(path.into()),
            params,
            payload: Payload::None,
            caller: None,
        });
        let (request, to) = (Rc::clone(request), Rc::clone(&node));
        self.proxied.insert(id, Proxied { from, request, node: to, is_open: false });
        ctx.send_after(WORK, Out::Kubelet { node, request: asked });
        ctx.set_timer(TIMEOUT, Timer::Kubelet(id));
    }

    /// A kubelet has answered.
    pub(super) fn kubelet_said(&mut self, ctx: &mut Ctx<'_, Self>, response: &Response) {
        let Some(proxied) = self.proxied.get_mut(&response.id) else { return };
        if matches!(response.result, Ok(Answer::Streaming)) {
            proxied.is_open = true;
            // A stream keeps its order, so all of it takes the same time.
            let response = Rc::new(Response::new(proxied.request.id, Ok(Answer::Streaming)));
            ctx.send_after(WORK, Out::Response { to: proxied.from, response });
        } else if let Some(Proxied { from, request, .. }) = self.proxied.remove(&response.id) {
            let result = response.result.clone().map_err(|error| StatusError::clone(&error));
            Self::answer(ctx, from, &request, result);
        }
    }

    /// A kubelet goes on with an answer.
    pub(super) fn kubelet_told(&mut self, ctx: &mut Ctx<'_, Self>, event: WatchEvent) {
        let Some(Proxied { from, request, .. }) = self.proxied.get(&event.watch) else { return };
        let (to, watch, change) = (*from, request.id, event.change);
        if matches!(change, Change::Ended) {
            self.proxied.remove(&event.watch);
        }
        ctx.send_after(WORK, Out::Watch { to, event: WatchEvent { watch, change } });
    }

    /// A kubelet has had time enough.
    pub(super) fn kubelet_is_silent(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        if self.proxied.get(&id).is_some_and(|proxied| proxied.is_open) {
            return;
        }
        if let Some(Proxied { from, request, .. }) = self.proxied.remove(&id) {
            let why = "the kubelet did not answer: i/o timeout";
            Self::answer(ctx, from, &request, Err(StatusError::internal(why)));
        }
    }

    /// Nobody at the end of `from` waits for an answer any more: to `only`, or to anything.
    pub(super) fn hang_up_on_kubelets(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        only: Option<RequestId>,
    ) {
        self.proxied.retain(|id, proxied| {
            let stays = proxied.from != from || only.is_some_and(|only| only != proxied.request.id);
            if !stays {
                ctx.send(Out::HungUp { node: Rc::clone(&proxied.node), watch: *id });
            }
            stays
        });
    }
}
