//! `pods/log`: the API server asks the kubelet, which has the logs of its node's containers.
//!
//! Mirrors: `pkg/registry/core/pod/strategy.go` (`LogLocation`) and
//! `apiserver/pkg/registry/generic/rest/response_checker.go`.

use std::rc::Rc;
use std::time::Duration;

use super::server::{ApiServer, ConnectionId, Out, Timer, WORK};
use super::strategy::group_resource;
use crate::api::logs::LogQuery;
use crate::api::request::{Answer, Params, Payload, Request, RequestId, Response, Target, Verb};
use crate::api::status::StatusError;
use crate::api::{Kind, Resource as _};
use crate::sim::Ctx;

/// A kubelet that does not answer by then is not there.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request that waits for a kubelet.
#[derive(Clone, Debug)]
pub(super) struct Proxied {
    from: ConnectionId,
    request: Rc<Request>,
}

impl ApiServer {
    pub(super) fn read_logs(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        name: &str,
    ) -> Result<(), StatusError> {
        let namespace = request.namespace();
        let found = self.object(Kind::Pod, namespace, name).and_then(crate::api::Pod::unwrap);
        let Some(pod) = found else {
            return Err(StatusError::not_found(group_resource(Kind::Pod.resource()), name));
        };
        let query = request.params.log.as_deref().cloned().unwrap_or_default();
        let container = query.container_of(pod)?;
        let Some(node) = pod.node_name.clone() else {
            // Upstream has nothing to say of a pod that nobody runs.
            Self::answer(ctx, from, request, Ok(Answer::Success { code: 204 }));
            return Ok(());
        };
        if self.object(Kind::Node, "", &node).is_none() {
            return Err(StatusError::not_found(group_resource(Kind::Node.resource()), &node));
        }
        self.proxied_last += 1;
        let id = RequestId(self.proxied_last);
        let path = format!("/containerLogs/{namespace}/{name}/{container}");
        let log = Some(Rc::new(LogQuery { container, ..query }));
        let asked = Rc::new(Request {
            id,
            verb: Verb::Get,
            target: Target::Path(path.into()),
            params: Params { log, ..Params::default() },
            payload: Payload::None,
            caller: None,
        });
        self.proxied.insert(id, Proxied { from, request: Rc::clone(request) });
        ctx.send_after(WORK, Out::Kubelet { node, request: asked });
        ctx.set_timer(TIMEOUT, Timer::Kubelet(id));
        Ok(())
    }

    /// A kubelet has answered.
    pub(super) fn kubelet_said(&mut self, ctx: &mut Ctx<'_, Self>, response: &Response) {
        if let Some(Proxied { from, request }) = self.proxied.remove(&response.id) {
            let result = response.result.clone().map_err(|error| StatusError::clone(&error));
            Self::answer(ctx, from, &request, result);
        }
    }

    /// A kubelet has had time enough.
    pub(super) fn kubelet_is_silent(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        if let Some(Proxied { from, request }) = self.proxied.remove(&id) {
            let why = "the kubelet did not answer: i/o timeout";
            Self::answer(ctx, from, &request, Err(StatusError::internal(why)));
        }
    }
}
