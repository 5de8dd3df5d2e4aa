//! Ports of a Pod that the kubelet has its runtime forward.
//!
//! Mirrors: `pkg/kubelet/server/server.go` (`getPortForward`), `pkg/kubelet/kubelet_pods.go` (`GetPortForward`) and
//! the `portforward` of its streaming server.

use std::rc::Rc;

use super::Kubelet;
use super::shared::Caller;
use super::streams::{Hears, Listener};
use crate::api::request::{Answer, Change, Document, Request, RequestId, TEXT};
use crate::runtime::{CallId, CriRequest};
use crate::sim::Ctx;

/// What names its ports in the query, for it can tell of no others later.
const WEBSOCKET: &str = "websocket";

impl Kubelet {
    pub(super) fn port_forward(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        pod: (&str, &str),
    ) {
        let options = request.params.port_forward.clone().unwrap_or_default();
        let mut ports = options.ports.clone();
        if options.upgrade.as_deref() == Some(WEBSOCKET) {
            if ports.is_empty() {
                let why = "query parameter \"port\" is required".to_owned();
                return Self::refuse(ctx, request.id, 400, why);
            }
            if ports.contains(&0) {
                let why = format!("port {:?} must be > 0", options.list());
                return Self::refuse(ctx, request.id, 400, why);
            }
        } else {
            ports.clear();
        }
        let Some(worker) = self.worker_of(pod) else {
            return Self::refuse(ctx, request.id, 404, "pod does not exist".to_owned());
        };
        let Some(sandbox) = worker.sandbox.as_ref().filter(|sandbox| sandbox.ready) else {
            let why = format!("pod not found (\"{}_{}\")", pod.1, pod.0);
            return Self::refuse(ctx, request.id, 500, why);
        };
        let call = CriRequest::PortForward { pod_sandbox_id: Rc::clone(&sandbox.id), ports };
        let hears = Hears::Ports;
        let caller = Caller::Listener(Listener { id: request.id, is_open: false, hears });
        self.shared.call(ctx, caller, call);
    }

    /// Answers in plain words, which the API server hands on as they are.
    pub(super) fn refuse(ctx: &mut Ctx<'_, Self>, id: RequestId, code: u16, why: String) {
        let document = Document { code, media: TEXT, body: why.into() };
        Self::reply(ctx, id, Ok(Answer::Document(document.into())));
    }

    /// Something comes out of a port.
    pub(super) fn forwarded(&mut self, ctx: &mut Ctx<'_, Self>, call: CallId, change: Change) {
        if let Some(listener) = self.shared.listener(call) {
            listener.tell(ctx, change);
        }
    }
}
