//! `pods/portforward`: connections to ports of a Pod, which its kubelet makes.
//!
//! Mirrors: `PortForwardLocation` of `pkg/registry/core/pod/strategy.go`, and `PortForwardREST` of
//! `pkg/registry/core/pod/rest`.

use std::rc::Rc;

use super::server::{ApiServer, ConnectionId};
use crate::api::caller::User;
use crate::api::request::{Params, Request};
use crate::api::status::StatusError;
use crate::sim::Ctx;

impl ApiServer {
    pub(super) fn port_forward(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        (user, name): (&User, &str),
    ) -> Result<(), StatusError> {
        self.may_create(user, request, name)?;
        let node = self.node_of(self.pod(request.namespace(), name)?, name)?;
        let port_forward = request.params.port_forward.clone();
        if port_forward.as_ref().is_none_or(|options| options.upgrade.is_none()) {
            return Err(StatusError::bad_request("Upgrade request required"));
        }
        let path = format!("/portForward/{}/{name}", request.namespace());
        let params = Params { port_forward, ..Params::default() };
        self.ask_kubelet(ctx, (from, request), node, path, params);
        Ok(())
    }
}
