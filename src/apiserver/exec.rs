//! `pods/exec` and `pods/attach`: the kubelet runs a command in one of its containers, or listens to what
//! runs there; its output is streamed, and so is its input.
//!
//! Mirrors: `pkg/registry/core/pod/strategy.go` (`ExecLocation`, `AttachLocation`), `pkg/registry/core/pod/rest`.

use std::rc::Rc;

use super::server::{ApiServer, ConnectionId};
use super::strategy::group_resource;
use crate::api::caller::{Attributes, User};
use crate::api::exec::ExecOptions;
use crate::api::logs::container_of;
use crate::api::request::{Params, Request, Subresource};
use crate::api::status::StatusError;
use crate::api::{Kind, Pod};
use crate::sim::Ctx;

/// What speaks the protocols that end with `.channel.k8s.io`.
const WEBSOCKET: &str = "websocket";

impl ApiServer {
    pub(super) fn exec(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        from: ConnectionId,
        request: &Rc<Request>,
        (user, name): (&User, &str),
    ) -> Result<(), StatusError> {
        self.may_create(user, request, name)?;
        let pod = self.pod(request.namespace(), name)?;
        let options = request.params.exec.as_deref().cloned().unwrap_or_default();
        let container = container_of(pod, &options.container)?;
        let node = self.node_of(pod, name)?;
        let what = request.target.subresource().map_or("", Subresource::name);
        match options.upgrade.as_deref() {
            Some(WEBSOCKET) => {}
            None => return Err(StatusError::bad_request("Upgrade request required")),
            // Upstream speaks SPDY, too.
            Some(other) => {
                let why = format!("{what} speaks {WEBSOCKET} only, and was asked to speak {other}");
                return Err(StatusError::bad_request(why));
            }
        }
        let path = format!("/{what}/{}/{name}/{container}", request.namespace());
        let exec = Some(Rc::new(ExecOptions { container, ..options }));
        let params = Params { exec, ..Params::default() };
        self.ask_kubelet(ctx, (from, request), node, path, params);
        Ok(())
    }

    /// The node of a Pod, if there is one.
    pub(super) fn node_of(&self, pod: &Pod, name: &str) -> Result<Rc<str>, StatusError> {
        let Some(node) = pod.node_name.clone() else {
            let why = format!("pod {name} does not have a host assigned");
            return Err(StatusError::bad_request(why));
        };
        self.check_node(&node)?;
        Ok(node)
    }

    /// Web sockets begin with a GET, but who runs commands does more than read.
    ///
    /// Mirrors: `ensureAuthorizedForVerb`.
    pub(super) fn may_create(
        &self,
        user: &User,
        request: &Request,
        name: &str,
    ) -> Result<(), StatusError> {
        let Some(caller) = &request.caller else { return Ok(()) };
        let wish = Attributes { verb: "create".to_owned(), ..caller.attributes.clone() };
        let pods = group_resource(Kind::Pod.resource());
        self.authorize(user, &wish).map_err(|_why| StatusError::forbidden(pods, name, ""))
    }
}
