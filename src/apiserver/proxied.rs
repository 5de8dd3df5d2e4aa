//! What the API server hands on to a kubelet, and what comes back: an answer, or one that goes on.
//!
//! Mirrors: `apimachinery/pkg/util/proxy` and `apiserver/pkg/registry/generic/rest/streamer.go`.

use std::rc::Rc;
use std::time::Duration;

use super::server::{ApiServer, ConnectionId, Out, Timer, WORK};
use super::strategy::group_resource;
use crate::api::exec::Channel;
use crate::api::request::{
    Answer, Change, Params, Payload, Request, RequestId, Response, Subresource, Target, Verb,
    WatchEvent,
};
use crate::api::status::StatusError;
use crate::api::{Kind, Pod, Resource as _, to_json};
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
    /// The Pod of that name; 404 if there is none.
    pub(super) fn pod(&self, namespace: &str, name: &str) -> Result<&Rc<Pod>, StatusError> {
        let found = self.object(Kind::Pod, namespace, name).and_then(Pod::unwrap);
        found.ok_or_else(|| StatusError::not_found(group_resource(Kind::Pod.resource()), name))
    }

    /// Whether there is such a Node.
    pub(super) fn check_node(&self, name: &str) -> Result<(), StatusError> {
        let found = self.object(Kind::Node, "", name).map(|_node| ());
        found.ok_or_else(|| StatusError::not_found(group_resource(Kind::Node.resource()), name))
    }

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
        match &response.result {
            Ok(Answer::Streaming { code }) => {
                proxied.is_open = true;
                open(ctx, proxied, *code);
            }
            Ok(answer) => {
                Self::answer(ctx, proxied.from, &proxied.request, Ok(answer.clone()));
                self.proxied.remove(&response.id);
            }
            Err(error) => self.not_proxied(ctx, response.id, StatusError::clone(error)),
        }
    }

    /// A kubelet refuses. An exec has switched protocols by then, so it is told there; a port forward has not, as
    /// only what the kubelet answers is handed on.
    ///
    /// Mirrors: `apimachinery/pkg/util/proxy/streamtranslator.go`.
    fn not_proxied(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId, error: StatusError) {
        let Some(proxied) = self.proxied.remove(&id) else { return };
        let Proxied { from: to, request, .. } = &proxied;
        let forwards = request.target.subresource() == Some(Subresource::PortForward);
        if request.params.exec.is_none() || forwards {
            Self::answer(ctx, *to, request, Err(error));
            return;
        }
        open(ctx, &proxied, 101);
        let why = format!("unable to upgrade connection: {}", error.message);
        let text = to_json(&StatusError::internal(why).to_status()).to_string().into();
        let channel = Some(Channel::Error);
        for change in [Change::Output { channel, text }, Change::Ended] {
            let event = WatchEvent { watch: request.id, change };
            ctx.send_after(WORK, Out::Watch { to: *to, event });
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

    /// Who has asked says more; that is for the kubelet.
    pub(super) fn typed(&mut self, ctx: &mut Ctx<'_, Self>, from: ConnectionId, event: WatchEvent) {
        let mut all = self.proxied.iter();
        let is_meant = |(_, one): &(&RequestId, &Proxied)| {
            one.from == from && one.request.id == event.watch && one.request.params.exec.is_some()
        };
        let Some((id, Proxied { node, .. })) = all.find(is_meant) else { return };
        let event = WatchEvent { watch: *id, change: event.change };
        ctx.send_after(WORK, Out::Tell { node: Rc::clone(node), event });
    }

    /// A kubelet has had time enough.
    pub(super) fn kubelet_is_silent(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        if self.proxied.get(&id).is_some_and(|proxied| proxied.is_open) {
            return;
        }
        let why = "the kubelet did not answer: i/o timeout";
        self.not_proxied(ctx, id, StatusError::internal(why));
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
                let event = WatchEvent { watch: *id, change: Change::HungUp };
                ctx.send(Out::Tell { node: Rc::clone(&proxied.node), event });
            }
            stays
        });
    }
}

/// Begins an answer that goes on. A stream keeps its order, so all of it takes the same time.
fn open(ctx: &mut Ctx<'_, ApiServer>, proxied: &Proxied, code: u16) {
    let response = Rc::new(Response::new(proxied.request.id, Ok(Answer::Streaming { code })));
    ctx.send_after(WORK, Out::Response { to: proxied.from, response });
}
