//! The sandbox of a pod: its address, and what its containers share.
//!
//! Mirrors: `pkg/kubelet/kuberuntime/kuberuntime_sandbox.go`.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::Kubelet;
use super::pod_worker::{PodWorker, State};
use super::shared::Shared;
use crate::client::EventKind;
use crate::runtime::{CriError, CriRequest, CriResponse, Id, PodSandboxConfig, PodSandboxMetadata};
use crate::sim::Ctx;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sandbox {
    pub id: Id,
    pub ip: Option<Ipv4Addr>,
    pub ready: bool,
}

impl PodWorker {
    /// What the runtime is asked to make.
    pub fn sandbox_config(&self) -> PodSandboxConfig {
        let (namespace, name) = self.pod.key();
        let host_network = self.pod.spec.host_network == Some(true);
        let hostname = self.pod.spec.hostname.as_deref().filter(|text| !text.is_empty());
        PodSandboxConfig {
            metadata: PodSandboxMetadata {
                name: name.into(),
                uid: Rc::clone(&self.uid),
                namespace: namespace.into(),
                attempt: self.sandboxes,
            },
            hostname: hostname.unwrap_or(name).into(),
            host_network,
        }
    }

    /// The runtime has made it, or says why not.
    pub fn sandbox_created(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        result: Result<CriResponse, CriError>,
    ) {
        self.sandboxes += 1;
        match result {
            Ok(CriResponse::RunPodSandbox { pod_sandbox_id: id }) => {
                self.state = State::InspectingSandbox { id: Rc::clone(&id) };
                self.call(shared, ctx, CriRequest::PodSandboxStatus { pod_sandbox_id: id });
            }
            Ok(_) => self.rest(shared, ctx),
            Err(error) => {
                let message = format!("Failed to create pod sandbox: {error}");
                let what = (EventKind::Warning, "FailedCreatePodSandBox");
                shared.tell(ctx, &self.pod, None, what, &message);
                self.retry(ctx, None);
                self.rest(shared, ctx);
            }
        }
    }
}
