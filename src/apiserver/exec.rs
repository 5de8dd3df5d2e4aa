//! `pods/exec`, `pods/attach` and `pods/portforward`: the kubelet runs a command in one of its containers, listens
//! to what runs there, or connects to its ports; its output is streamed, and so is its input.
//!
//! Mirrors: `pkg/registry/core/pod/strategy.go` (`ExecLocation`, `AttachLocation`, `PortForwardLocation`),
//! `pkg/registry/core/pod/rest`, and `Convert_Slice_string_To_Slice_int32` of `apimachinery/pkg/apis/meta/v1`.

use std::num::IntErrorKind;
use std::rc::Rc;

use super::server::{ApiServer, ConnectionId};
use super::strategy::group_resource;
use crate::api::Kind;
use crate::api::caller::{Attributes, User};
use crate::api::exec::ExecOptions;
use crate::api::logs::container_of;
use crate::api::request::{Params, Request, Subresource};
use crate::api::status::StatusError;
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
        let mut options = request.params.exec.as_deref().cloned().unwrap_or_default();
        let part = request.target.subresource();
        let forwards = part == Some(Subresource::PortForward);
        let container = if forwards {
            check_ports(&options.ports)?;
            Rc::from("")
        } else {
            container_of(pod, &options.container)?
        };
        let Some(node) = pod.node_name.clone() else {
            let why = format!("pod {name} does not have a host assigned");
            return Err(StatusError::bad_request(why));
        };
        self.check_node(&node)?;
        let what = part.map_or("", Subresource::name);
        match options.upgrade.as_deref() {
            Some(WEBSOCKET) if forwards && options.ports.is_empty() => {
                // The kubelet would say so.
                return Err(StatusError::bad_request("query parameter \"port\" is required"));
            }
            Some(WEBSOCKET) => {}
            // Over SPDY, ports are named later.
            Some(_) if forwards => options.ports.clear(),
            None => return Err(StatusError::bad_request("Upgrade request required")),
            // Upstream speaks SPDY, too.
            Some(other) => {
                let why = format!("{what} speaks {WEBSOCKET} only, and was asked to speak {other}");
                return Err(StatusError::bad_request(why));
            }
        }
        let (what, before) = if forwards { ("portForward", "") } else { (what, "/") };
        let namespace = request.namespace();
        let path = ["/", what, "/", namespace, "/", name, before, &container].concat();
        let exec = Some(Rc::new(ExecOptions { container, ..options }));
        let params = Params { exec, ..Params::default() };
        self.ask_kubelet(ctx, (from, request), node, path, params);
        Ok(())
    }

    /// Web sockets begin with a GET, but who runs commands does more than read.
    ///
    /// Mirrors: `ensureAuthorizedForVerb`.
    fn may_create(&self, user: &User, request: &Request, name: &str) -> Result<(), StatusError> {
        let Some(caller) = &request.caller else { return Ok(()) };
        let wish = Attributes { verb: "create".to_owned(), ..caller.attributes.clone() };
        let pods = group_resource(Kind::Pod.resource());
        self.authorize(user, &wish).map_err(|_why| StatusError::forbidden(pods, name, ""))
    }
}

/// Whether these are numbers that ports could have.
fn check_ports(ports: &str) -> Result<(), StatusError> {
    for text in ports.split(',').filter(|_| !ports.is_empty()) {
        let why = match text.parse::<u16>() {
            Ok(0) => ["port \"", ports, "\" must be > 0"].concat(),
            Ok(_) => continue,
            Err(error) => {
                let is_large = *error.kind() == IntErrorKind::PosOverflow;
                let why = if is_large { "value out of range" } else { "invalid syntax" };
                let doing = "cannot convert to []int32: strconv.ParseUint: parsing \"";
                [doing, text, "\": ", why].concat()
            }
        };
        return Err(StatusError::bad_request(why));
    }
    Ok(())
}
