//! `pods/log`: the API server asks the kubelet, which has the logs of its node's containers.
//!
//! Mirrors: `pkg/registry/core/pod/strategy.go` (`LogLocation`) and
//! `apiserver/pkg/registry/generic/rest/response_checker.go`.

use std::rc::Rc;

use super::server::{ApiServer, ConnectionId};
use crate::api::logs::LogQuery;
use crate::api::request::{Answer, Params, Request};
use crate::api::status::StatusError;
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
        let pod = self.pod(namespace, name)?;
        let query = request.params.log.as_deref().cloned().unwrap_or_default();
        let container = query.container_of(pod)?;
        let Some(node) = pod.node_name.clone() else {
            // Upstream has nothing to say of a pod that nobody runs.
            Self::answer(ctx, from, request, Ok(Answer::Success { code: 204 }));
            return Ok(());
        };
        self.check_node(&node)?;
        let path = format!("/containerLogs/{namespace}/{name}/{container}");
        let log = Some(Rc::new(LogQuery { container, ..query }));
        let params = Params { log, ..Params::default() };
        self.ask_kubelet(ctx, (from, request), node, path, params);
        Ok(())
    }
}
