//! Resizes of pods that run: what each was given here, what it waits for, and what its containers have.
//!
//! Mirrors: `pkg/kubelet/allocation` and `computePodResizeAction` of `kuberuntime/kuberuntime_manager.go`.
//! That a node can never hold what is asked for, the API server says itself.

use std::cmp::Reverse;
use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ResourceRequirements;
use serde_json::{Value, json};

use super::Kubelet;
use super::container::{Kind, memory_limit};
use super::pod_worker::{PodWorker, State};
use super::shared::Shared;
use super::status::specs;
use crate::api::defaults::container_requests;
use crate::api::document::{Fragment, Part};
use crate::api::wire::{Container, PodSpec};
use crate::api::{Pod, to_json};
use crate::client::EventKind::{self, Normal, Warning};
use crate::runtime::CriRequest;
use crate::sim::{Ctx, SortedSet, sort};

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
    /// Gives pods what they wait for, if there is room by now: first those that ask for less, then the most
    /// important ones.
    pub(super) fn try_resizes(&mut self, ctx: &mut Ctx<'_, Self>) {
        let waits = |worker: &&PodWorker| worker.resize.wanted.is_some() && !worker.is_stopping();
        let mut waiting: Vec<_> = self.workers.values().filter(waits).collect();
        sort::by_key(&mut waiting, |worker| {
            (worker.wants_more(), Reverse(worker.pod.spec.priority))
        });
        let waiting: Vec<_> = waiting.into_iter().map(|worker| Rc::clone(&worker.uid)).collect();
        for uid in waiting {
            let refusal = self.refusal(&uid);
            self.with_worker(ctx, &uid, |worker, shared, ctx| worker.resize(shared, ctx, refusal));
        }
    }

    /// Why a pod cannot have now what it asks for.
    fn refusal(&self, uid: &str) -> Option<String> {
        let wanted = self.workers.get(uid)?.resize.wanted.as_ref()?;
        let active = |other: &&PodWorker| &*other.uid != uid && other.state != State::Terminated;
        let amount_of = |pod: &Pod, name: &str| {
            container_requests(&pod.spec).get(name).map_or(0, |amount| amount.counted(name))
        };
        ["cpu", "memory"].into_iter().find_map(|name| {
            let asked = amount_of(wanted, name);
            let others = self.workers.values().filter(active);
            let used: i64 = others.map(|other| amount_of(&other.pod, name)).sum();
            let capacity = self.node.allocatable(name).map_or(0, |amount| amount.counted(name));
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
    /// `pod` as it was given here; if it asks for other resources, that is remembered, and its spec stays as
    /// it was until there is room.
    pub fn given(&mut self, mut pod: Rc<Pod>) -> Rc<Pod> {
        if same_resources(&pod.spec, &self.pod.spec) {
            (self.resize.wanted, self.resize.deferred) = (None, None);
        } else {
            self.resize.wanted = Some(Rc::clone(&pod));
            Rc::make_mut(&mut pod).spec = Rc::clone(&self.pod.spec);
        }
        pod
    }

    /// Whether it asks for more than it was given.
    fn wants_more(&self) -> bool {
        let Some(wanted) = &self.resize.wanted else { return false };
        let (wanted, given) =
            (container_requests(&wanted.spec), container_requests(&self.pod.spec));
        ["cpu", "memory"].into_iter().any(|name| wanted.get(name) > given.get(name))
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
        let mut outdated = Vec::new();
        for (index, record) in self.records.iter().enumerate() {
            let goes_on = matches!(record.kind, Kind::Regular | Kind::Sidecar);
            if goes_on
                && record.is_running()
                && let Some(spec) = self.spec(index)
                && record.resources() != spec.resources.as_ref()
            {
                outdated.push(index);
            }
        }
        outdated
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

/// Whether each container asks for the same.
fn same_resources(new: &PodSpec, old: &PodSpec) -> bool {
    let same = |new: &[Container], old: &[Container]| {
        new.iter().zip(old).all(|(new, old)| new.resources == old.resources)
    };
    let [new_inits, old_inits] =
        [new, old].map(|spec| spec.init_containers.as_deref().unwrap_or_default());
    same(&new.containers, &old.containers) && same(new_inits, old_inits)
}

/// Whether a container has to start again to get what `spec` asks for.
fn restarts(spec: &Container, has: Option<&ResourceRequirements>) -> bool {
    let (has, wants) = (to_json(&has), to_json(&spec.resources));
    let changes = |name: &str| {
        ["requests", "limits"].into_iter().any(|list| {
            let of = |own| Part::of(Some(own)).at(list).at(name).value();
            of(&has) != of(&wants)
        })
    };
    Fragment::part(&spec.resize_policy).items().any(|policy| {
        policy.at("restartPolicy").text() == "RestartContainer"
            && changes(policy.at("resourceName").text())
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
    let spec = to_json(&*pod.spec);
    let list = |field: &str| {
        let mut containers = Part::of(spec.get(field)).value().clone();
        for one in containers.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
        {
            one.retain(|field, _| field == "name" || field == "resources");
        }
        format!("\"{field}\":{containers},")
    };
    let inits = spec.get("initContainers").map(|_| list("initContainers"));
    let (first, rest) = what.split_at(1);
    let error =
        if error.is_empty() { String::new() } else { format!(",\"error\":{}", json!(error)) };
    let message = format!(
        "Pod resize {what}: {{{}{}\"generation\":{}{error}}}",
        inits.unwrap_or_default(),
        list("containers"),
        generation.unwrap_or_default(),
    );
    let reason = format!("Resize{}{rest}", first.to_ascii_uppercase());
    shared.tell(ctx, pod, None, (kind, &reason), &message);
}
