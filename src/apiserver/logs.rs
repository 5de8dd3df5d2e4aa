//! `pods/log`: the API server asks the kubelet, which has the logs of its node's containers.
//!
//! Mirrors: `pkg/registry/core/pod/strategy.go` (`LogLocation`) and
//! `apiserver/pkg/registry/generic/rest/response_checker.go`.

use std::rc::Rc;

use super::server::{ApiServer, ConnectionId};
use super::strategy::group_resource;
use crate::api::logs::LogQuery;
use crate::api::request::{Answer, Params, Request};
use crate::api::status::StatusError;
use crate::api::{Kind, Resource as _};
use crate::sim::Ctx;

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
        let path = format!("/containerLogs/{namespace}/{name}/{container}");
        let log = Some(Rc::new(LogQuery { container, ..query }));
        let params = Params { log, ..Params::default() };
        self.ask_kubelet(ctx, (from, request), node, path, params);
        Ok(())
    }
}
