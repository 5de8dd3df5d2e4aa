//! The status manager: one patch in flight for each pod, the latest status wins.
//!
//! Mirrors: `pkg/kubelet/status/status_manager.go`.

use std::rc::Rc;
use std::time::Duration;

use super::Kubelet;
use crate::api::request::{Patch, RequestId, Subresource, Target};
use crate::api::wire::PodStatus;
use crate::api::{Kind, Pod};
use crate::client::Client;
use crate::sim::{Ctx, SortedMap};

/// Before a patch that failed is sent again: the manager's period.
pub(super) const RETRY: Duration = Duration::from_secs(10);

/// What was last said of each pod, by its uid.
#[derive(Clone, Debug, Default)]
pub(super) struct Reporter {
    pods: SortedMap<Rc<str>, Report>,
    requests: SortedMap<RequestId, Rc<str>>,
}

#[derive(Clone, Debug)]
struct Report {
    latest: Rc<PodStatus>,
    /// What the server was last known to have.
    known: Rc<PodStatus>,
    in_flight: Option<(RequestId, Rc<PodStatus>)>,
    failed: bool,
}

impl Reporter {
    /// Reports `status`, unless that was said already.
    pub fn report(
        &mut self,
        ctx: &mut Ctx<'_, Kubelet>,
        client: &mut Client,
        pod: &Pod,
        uid: &Rc<str>,
        status: PodStatus,
    ) {
        let report = self.pods.or_insert_with(Rc::clone(uid), || Report {
            latest: Rc::clone(&pod.status),
            known: Rc::clone(&pod.status),
            in_flight: None,
            failed: false,
        });
        if *report.latest == status {
            return;
        }
        report.latest = Rc::new(status);
        if report.in_flight.is_none() {
            let id = report.send(ctx, client, pod, uid);
            self.requests.insert(id, Rc::clone(uid));
        }
    }

    /// What was last reported of a pod.
    pub fn latest(&self, uid: &str) -> Option<&Rc<PodStatus>> {
        self.pods.get(uid).map(|report| &report.latest)
    }

    /// Whose status the request told of.
    pub fn whose(&self, id: RequestId) -> Option<Rc<str>> {
        self.requests.get(&id).map(Rc::clone)
    }

    /// Whether the server has all that was reported.
    pub fn is_settled(&self, uid: &str) -> bool {
        self.pods.get(uid).is_none_or(|report| report.in_flight.is_none() && !report.failed)
    }

    /// A patch was answered. A newer status goes out at once; `true` asks to try again later.
    pub fn answered(
        &mut self,
        ctx: &mut Ctx<'_, Kubelet>,
        client: &mut Client,
        pod: &Pod,
        (uid, id, ok): (&Rc<str>, RequestId, bool),
    ) -> bool {
        self.requests.remove(&id);
        let Some(report) = self.pods.get_mut(uid) else { return false };
        let Some((_, sent)) = report.in_flight.take_if(|(sent, _)| *sent == id) else {
            return false;
        };
        report.failed = !ok;
        if !ok {
            return true;
        }
        report.known = sent;
        if report.known != report.latest {
            let id = report.send(ctx, client, pod, uid);
            self.requests.insert(id, Rc::clone(uid));
        }
        false
    }

    /// Sends again what could not be said.
    pub fn retry(
        &mut self,
        ctx: &mut Ctx<'_, Kubelet>,
        client: &mut Client,
        pod: &Pod,
        uid: &Rc<str>,
    ) {
        if let Some(report) = self.pods.get_mut(uid)
            && report.failed
            && report.in_flight.is_none()
        {
            let id = report.send(ctx, client, pod, uid);
            self.requests.insert(id, Rc::clone(uid));
        }
    }

    /// The pod is gone.
    pub fn forget(&mut self, uid: &str) {
        self.pods.remove(uid);
    }
}

impl Report {
    fn send(
        &mut self,
        ctx: &mut Ctx<'_, Kubelet>,
        client: &mut Client,
        pod: &Pod,
        uid: &Rc<str>,
    ) -> RequestId {
        let (namespace, name) = pod.key();
        let target = Target::named(Kind::Pod, namespace, name).part(Subresource::Status);
        let (old, new) = (Rc::clone(&self.known), Rc::clone(&self.latest));
        let patch = Patch::PodStatus { uid: Rc::clone(uid), old, new: Rc::clone(&new) };
        self.failed = false;
        let id = client.patch(ctx, target, patch);
        self.in_flight = Some((id, new));
        id
    }
}
