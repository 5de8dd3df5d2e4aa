//! Ports of a Pod that the kubelet has its runtime forward.
//!
//! Mirrors: `pkg/kubelet/server/server.go` (`getPortForward`), `pkg/kubelet/kubelet_pods.go` (`GetPortForward`) and
//! the `portforward` of its streaming server.

use std::rc::Rc;

use super::Kubelet;
use crate::api::port_forward::Forwarded;
use crate::api::request::{Change, Request};
use crate::api::status::StatusError;
use crate::runtime::{CallId, CriRequest};
use crate::sim::Ctx;

impl Kubelet {
    pub(super) fn port_forward(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        pod: (&str, &str),
    ) -> Result<(), StatusError> {
        let options = request.params.exec.clone().unwrap_or_default();
        let Some(worker) = self.worker_of(pod) else {
            return Err(StatusError::unforeseen("pod does not exist"));
        };
        let Some(sandbox) = worker.sandbox.as_ref().filter(|sandbox| sandbox.ready) else {
            let why = format!("pod not found (\"{}_{}\")", pod.1, pod.0);
            return Err(StatusError::unforeseen(why));
        };
        let call = CriRequest::PortForward {
            pod_sandbox_id: Rc::clone(&sandbox.id),
            ports: options.ports.clone(),
        };
        self.listen(ctx, request, options, call);
        Ok(())
    }

    /// Something comes out of a port.
    pub(super) fn forwarded(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        call: CallId,
        forwarded: Rc<Forwarded>,
    ) {
        if let Some(listener) = self.shared.listener(call) {
            listener.tell(ctx, Change::Forwarded(forwarded));
        }
    }
}
