//! Resizes of pods that run: what each was given here, what it waits for, and what its containers have.
//!
//! Mirrors: `pkg/kubelet/allocation` and `computePodResizeAction` of `kuberuntime/kuberuntime_manager.go`.
//! That a node can never hold what is asked for, the API server says itself.

use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ResourceRequirements;
use serde_json::json;

use super::Kubelet;
use super::container::{Kind, memory_limit};
use super::pod_worker::{PodWorker, State};
use super::shared::Shared;
use super::status::specs;
use crate::api::defaults::container_requests;
use crate::api::document::Fragment;
use crate::api::quantity::Quantity;
use crate::api::wire::Container;
use crate::api::{Pod, to_json};
use crate::client::EventKind::{self, Normal, Warning};
use crate::runtime::CriRequest;
use crate::sim::{Ctx, SortedSet};

/// A pod's resize.
#[derive(Clone, Debug, Default)]
pub(super) struct Resize {
    /// The pod as the server has it, if it asks for other resources than it was given here.
    pub wanted: Option<Rc<Pod>>,
    /// Why it has to wait for them, and since which generation.
    pub deferred: Option<(String, Option<i64>)>,
    /// The generation whose resources its containers are getting.
    pub under_way: Option<i64>,
}

impl Kubelet {
    /// Gives pods what they wait for, if there is room by now.
    pub(super) fn try_resizes(&mut self, ctx: &mut Ctx<'_, Self>) {
        let waits = |worker: &&PodWorker| worker.resize.wanted.is_some() && !worker.is_stopping();
        let waiting = self.workers.values().filter(waits).map(|worker| Rc::clone(&worker.uid));
        for uid in waiting.collect::<Vec<_>>() {
            let refusal = self.refusal(&uid);
            self.with_worker(ctx, &uid, |worker, shared, ctx| worker.resize(shared, ctx, refusal));
        }
    }

    /// Why a pod cannot have now what it asks for.
    fn refusal(&self, uid: &str) -> Option<String> {
        let wanted = self.workers.get(uid)?.resize.wanted.as_ref()?;
        let active = |other: &&PodWorker| &*other.uid != uid && other.state != State::Terminated;
        let others = self.workers.values().filter(active);
        let others: Vec<_> = others.map(|other| container_requests(&other.pod.spec)).collect();
        let asked = container_requests(&wanted.spec);
        ["cpu", "memory"].into_iter().find_map(|name| {
            let amount = |amount: &Quantity| amount.counted(name);
            let asked = asked.get(name).map_or(0, amount);
            let used: i64 = others.iter().filter_map(|other| other.get(name)).map(amount).sum();
            let capacity = self.node.allocatable(name).as_ref().map_or(0, amount);
            (asked > 0 && asked > capacity - used).then(|| {
                format!(
                    "Node didn't have enough resource: {name}, requested: {asked}, used: {used}, \
                     capacity: {capacity}"
                )
            })
        })
    }
}

impl PodWorker {
    /// `pod` with the resources that it was given here; if it asks for others, that is remembered.
    pub fn given(&mut self, pod: Rc<Pod>) -> Rc<Pod> {
        if resources(&pod).eq(resources(&self.pod)) {
            (self.resize.wanted, self.resize.deferred) = (None, None);
            return pod;
        }
        let mut own = Pod::clone(&pod);
        let spec = Rc::make_mut(&mut own.spec);
        let list = spec.init_containers.iter_mut().flatten().chain(&mut spec.containers);
        for (own, given) in list.zip(resources(&self.pod)) {
            own.resources.clone_from(given);
        }
        self.resize.wanted = Some(pod);
        Rc::new(own)
    }

    /// Takes what it asks for, unless there is a reason to wait.
    fn resize(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>, refusal: Option<String>) {
        let Some(wanted) = self.resize.wanted.clone() else { return };
        let generation = wanted.metadata.generation;
        if let Some(why) = refusal {
            let deferred = Some((why.clone(), generation));
            if self.resize.deferred == deferred {
                return;
            }
            self.resize.deferred = deferred;
            tell(shared, ctx, &wanted, (Warning, "Deferred"), generation, &why);
        } else {
            let under_way = Some(generation.unwrap_or_default());
            self.resize = Resize { under_way, ..Resize::default() };
            tell(shared, ctx, &wanted, (Normal, "started"), generation, "");
            self.pod = wanted;
        }
        self.dirty = true;
        self.next(shared, ctx);
    }

    /// Ends a resize whose containers all have what the pod was given.
    pub fn end_resize(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        if let Some(generation) = self.resize.under_way
            && self.outdated().is_empty()
        {
            self.resize.under_way = None;
            tell(shared, ctx, &self.pod, (Normal, "completed"), Some(generation), "");
        }
    }

    /// The running containers that have other resources than the pod was given.
    fn outdated(&self) -> Vec<usize> {
        let all = specs(&self.pod, &self.records).zip(&self.records).enumerate();
        let outdated = all.filter(|(_, (spec, record))| {
            matches!(record.kind, Kind::Regular | Kind::Sidecar)
                && record.is_running()
                && record.resources() != spec.resources.as_ref()
        });
        outdated.map(|(index, _)| index).collect()
    }

    /// Gives the containers what the pod was given; those that must not change while they run are
    /// stopped, to be started again. Says whether there is something to wait for.
    pub fn resize_containers(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) -> bool {
        let grace = self.pod.spec.termination_grace_period_seconds.unwrap_or(30);
        let timeout = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
        let mut calls = SortedSet::new();
        let pod = Rc::clone(&self.pod);
        for index in self.outdated() {
            let Some(record) = self.records.get_mut(index) else { continue };
            let Some(spec) = specs(&pod, &[]).nth(index) else { continue };
            let Some(current) = &record.current else { continue };
            let container_id = Rc::clone(&current.id);
            record.restart = restarts(spec, record.resources());
            let request = if record.restart {
                let message = format!("Container {} resize requires restart", record.name);
                self.tell(shared, ctx, index, (Normal, "Killing"), &message);
                CriRequest::StopContainer { container_id, timeout }
            } else {
                let memory_limit_in_bytes = memory_limit(spec);
                CriRequest::UpdateContainerResources { container_id, memory_limit_in_bytes }
            };
            calls.insert(self.call(shared, ctx, request));
        }
        let waits = !calls.is_empty();
        if waits {
            self.state = State::Resizing { calls };
        }
        waits
    }

    /// The runtime has done all that [`PodWorker::resize_containers`] asked for.
    pub fn resized(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        for index in self.outdated() {
            if let Some(record) = self.records.get_mut(index).filter(|record| !record.restart) {
                record.made_of = Some(Rc::clone(&self.pod.spec));
            }
        }
        self.dirty = true;
        self.rest(shared, ctx);
    }
}

/// What each container asks for, those that prepare the pod first.
fn resources(pod: &Pod) -> impl Iterator<Item = &Option<ResourceRequirements>> {
    specs(pod, &[]).map(|container| &container.resources)
}

/// Whether a container has to start again to get what `spec` asks for.
fn restarts(spec: &Container, has: Option<&ResourceRequirements>) -> bool {
    Fragment::part(&spec.resize_policy).items().any(|policy| {
        let name = policy.at("resourceName").text();
        let of = |own: Option<&ResourceRequirements>| {
            let lists = own.map(|own| [own.requests.as_ref(), own.limits.as_ref()]);
            lists.map(|lists| lists.map(|list| list.and_then(|list| list.get(name)).cloned()))
        };
        policy.at("restartPolicy").text() == "RestartContainer"
            && of(has) != of(spec.resources.as_ref())
    })
}

/// Tells people how a resize to what `pod` asks for stands.
///
/// Mirrors: `pkg/kubelet/events/pod_resize.go`.
fn tell(
    shared: &mut Shared,
    ctx: &mut Ctx<'_, Kubelet>,
    pod: &Pod,
    (kind, what): (EventKind, &str),
    generation: Option<i64>,
    error: &str,
) {
    let list = |containers: &[Container]| {
        let own = |one: &Container| json!({"name": one.name, "resources": to_json(&one.resources)});
        containers.iter().map(|one| own(one).to_string()).collect::<Vec<_>>().join(",")
    };
    let inits = pod.spec.init_containers.as_deref().filter(|inits| !inits.is_empty());
    let inits = inits.map(|inits| format!("\"initContainers\":[{}],", list(inits)));
    let (first, rest) = what.split_at(1);
    let error =
        if error.is_empty() { String::new() } else { format!(",\"error\":{}", json!(error)) };
    let message = format!(
        "Pod resize {what}: {{{}\"containers\":[{}],\"generation\":{}{error}}}",
        inits.unwrap_or_default(),
        list(&pod.spec.containers),
        generation.unwrap_or_default(),
    );
    let reason = format!("Resize{}{rest}", first.to_ascii_uppercase());
    shared.tell(ctx, pod, None, (kind, &reason), &message);
}
