//! Ending a pod: its containers, its sandbox, and the last word about it.
//!
//! Mirrors: `SyncTerminatingPod` of `kubelet.go` and `killContainer` of
//! `kuberuntime/kuberuntime_container.go`.

use std::rc::Rc;
use std::time::Duration;

use super::Kubelet;
use super::pod_worker::{PodWorker, State};
use super::shared::Shared;
use crate::client::EventKind;
use crate::runtime::{ContainerState, CriRequest, Id};
use crate::sim::{Ctx, SortedSet};

/// A pod that is not there any more still has that long to stop.
const LEAST_GRACE: i64 = 1;

impl PodWorker {
    /// Asks for the end of all containers; a shorter time than before counts, a longer one does not.
    pub fn stop(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>, grace: Option<i64>) {
        let wanted = grace.or(self.pod.spec.termination_grace_period_seconds).unwrap_or(30);
        let wanted = wanted.max(LEAST_GRACE);
        if self.stop_within.is_some_and(|within| within <= wanted) {
            return;
        }
        self.stop_within = Some(wanted);
        self.dirty = true;
        if let State::PullingImage { .. } = self.state {
            shared.puller.cancel(&self.uid);
            self.state = State::Waiting;
        } else if let State::StoppingContainers { .. } = self.state {
            self.stop_containers(shared, ctx);
        }
    }

    /// Stops all containers, or once more those that take too long for a shorter grace period.
    pub fn stop_containers(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        let within = self.stop_within.or(self.pod.spec.termination_grace_period_seconds);
        let timeout = Duration::from_secs(u64::try_from(within.unwrap_or(30)).unwrap_or(0));
        let mut calls = SortedSet::new();
        let mut again = false;
        if let State::StoppingContainers { calls: earlier } = &mut self.state {
            (again, calls) = (true, std::mem::take(earlier));
        }
        let alive: Vec<(usize, Id)> = self
            .records
            .iter()
            .enumerate()
            .filter_map(|(index, record)| {
                let current = record.current.as_ref()?;
                (current.state != ContainerState::Exited).then(|| (index, Rc::clone(&current.id)))
            })
            .collect();
        for (index, container_id) in alive {
            if !again {
                let name = self.records.get(index).map(|record| Rc::clone(&record.name));
                let message = format!("Stopping container {}", name.as_deref().unwrap_or_default());
                self.tell(shared, ctx, index, (EventKind::Normal, "Killing"), &message);
            }
            let request = CriRequest::StopContainer { container_id, timeout };
            calls.insert(self.call(shared, ctx, request));
        }
        if calls.is_empty() {
            self.stop_sandbox(shared, ctx);
        } else {
            self.state = State::StoppingContainers { calls };
        }
    }

    /// Stops the sandbox, once no container runs.
    pub fn stop_sandbox(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        let Some(sandbox) = &self.sandbox else {
            self.terminate(shared, ctx);
            return;
        };
        let pod_sandbox_id = Rc::clone(&sandbox.id);
        self.state = State::StoppingSandbox;
        self.call(shared, ctx, CriRequest::StopPodSandbox { pod_sandbox_id });
    }

    /// Asks how the containers ended.
    pub fn collect(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        let alive = self.records.iter().filter_map(|record| record.current.as_ref());
        let alive = alive.filter(|current| current.state != ContainerState::Exited);
        let ids = alive.map(|current| Rc::clone(&current.id)).collect::<SortedSet<_>>();
        let calls = self.look_at(shared, ctx, ids);
        if calls.is_empty() {
            self.terminate(shared, ctx);
        } else {
            self.state = State::Collecting { calls };
        }
    }

    /// Says the last word about the pod.
    pub fn terminate(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        self.state = State::Terminated;
        if !self.gone {
            let (status, _) = self.status(shared, ctx, true);
            self.report(shared, ctx, status);
        }
    }
}
