//! Resources as plain numbers, and what a pod asks for in all.
//!
//! Mirrors: `component-helpers/resource/helpers.go` and `framework.Resource`.

use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Wire;

use crate::api::Pod;
use crate::api::quantity::Quantity;
use crate::api::wire::{Container, ContainerStatus, PodSpec};
use crate::sim::SortedMap;

/// What a container that asks for no CPU counts as when nodes are scored, in thousandths.
pub const DEFAULT_MILLI_CPU: i64 = 100;
/// What a container that asks for no memory counts as when nodes are scored.
pub const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

const ALWAYS: &str = "Always";
const INFEASIBLE: &str = "Infeasible";
const RESIZE_PENDING: &str = "PodResizePending";
const CPU: &str = "cpu";
const MEMORY: &str = "memory";

/// Amounts of resources: CPU in thousandths, the others in whole units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    pub milli_cpu: i64,
    pub memory: i64,
    pub ephemeral_storage: i64,
    /// How many pods a node takes; no pod asks for it.
    pub pods: i64,
    /// Huge pages and extended resources.
    pub scalars: SortedMap<Rc<str>, i64>,
}

/// A map of resources, as objects have it.
pub type List = BTreeMap<String, Wire>;

impl Resources {
    /// Reads a list; what is no quantity counts as nothing.
    pub fn from_list(list: &List) -> Self {
        let mut resources = Self::default();
        for (name, wire) in list {
            let Ok(quantity) = Quantity::try_from(wire) else { continue };
            let amount = if name == CPU { quantity.milli_value() } else { quantity.value() };
            resources.set(name, amount);
        }
        resources
    }

    /// The amount of one resource.
    pub fn get(&self, name: &str) -> i64 {
        match name {
            CPU => self.milli_cpu,
            MEMORY => self.memory,
            "ephemeral-storage" => self.ephemeral_storage,
            "pods" => self.pods,
            other => self.scalars.get(other).copied().unwrap_or(0),
        }
    }

    fn set(&mut self, name: &str, amount: i64) {
        match name {
            CPU => self.milli_cpu = amount,
            MEMORY => self.memory = amount,
            "ephemeral-storage" => self.ephemeral_storage = amount,
            "pods" => self.pods = amount,
            other => {
                self.scalars.insert(other.into(), amount);
            }
        }
    }

    /// Adds `other` `sign` times.
    pub fn add(&mut self, other: &Self, sign: i64) {
        self.milli_cpu += sign * other.milli_cpu;
        self.memory += sign * other.memory;
        self.ephemeral_storage += sign * other.ephemeral_storage;
        for (name, amount) in &other.scalars {
            *self.scalars.or_default(Rc::clone(name)) += sign * amount;
        }
    }

    /// Whether there is more of something than in `other`.
    pub fn exceeds(&self, other: &Self) -> bool {
        self.milli_cpu > other.milli_cpu
            || self.memory > other.memory
            || self.ephemeral_storage > other.ephemeral_storage
            || self.scalars.iter().any(|(name, amount)| *amount > other.get(name))
    }

    fn raise_to(&mut self, other: &Self) {
        self.milli_cpu = self.milli_cpu.max(other.milli_cpu);
        self.memory = self.memory.max(other.memory);
        self.ephemeral_storage = self.ephemeral_storage.max(other.ephemeral_storage);
        for (name, amount) in &other.scalars {
            let own = self.scalars.or_default(Rc::clone(name));
            *own = (*own).max(*amount);
        }
    }
}

/// What is left of each resource of which `asked` is more than that; of those that a pod asks for.
pub fn shortage(asked: &Resources, whole: &Resources, taken: &Resources) -> Vec<(Rc<str>, i64)> {
    let plain = [CPU, MEMORY, "ephemeral-storage"].map(Rc::<str>::from);
    let names = plain.into_iter().chain(asked.scalars.keys().cloned());
    let left = |name: Rc<str>| {
        let left = whole.get(&name) - taken.get(&name);
        (asked.get(&name) > left.max(0)).then_some((name, left))
    };
    names.filter_map(left).collect()
}

/// Which requests are filled in for a container that names none.
#[derive(Clone, Copy, Debug)]
struct Fill {
    cpu: bool,
    memory: bool,
}

/// What a pod asks for.
pub fn requests(pod: &Pod) -> Resources {
    total(pod, Fill { cpu: false, memory: false })
}

/// What a pod counts as when nodes are scored: at least something for each container.
pub fn non_zero_requests(pod: &Pod) -> Resources {
    let plain = requests(pod);
    let level = pod_level(&pod.spec);
    let fill =
        |name: &str| level.is_none_or(|level| !level.contains_key(name) && plain.get(name) == 0);
    total(pod, Fill { cpu: fill(CPU), memory: fill(MEMORY) })
}

/// A container's requests: as the spec has them, as they were given, and as they are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Spec,
    Allocated,
    Actuated,
}

/// The most that runs at once, and the pod's overhead. As long as a resize is under way, the most that it may
/// come to: a resize is given to all containers at once, so each view is summed by itself.
fn total(pod: &Pod, fill: Fill) -> Resources {
    let spec = &*pod.spec;
    let at_once = |view| at_once(spec, |container| filled(requests_of(container, pod, view), fill));
    let infeasible = is_infeasible(pod);
    let mut running = if infeasible || is_resizing(pod) {
        let mut most = at_once(View::Allocated);
        most.raise_to(&at_once(View::Actuated));
        if !infeasible {
            most.raise_to(&at_once(View::Spec));
        }
        most
    } else {
        at_once(View::Spec)
    };
    for (name, wire) in pod_level(spec).into_iter().flatten() {
        let whole = name == CPU || name == MEMORY || name.starts_with("hugepages-");
        if let (true, Ok(quantity)) = (whole, Quantity::try_from(wire)) {
            let amount = if name == CPU { quantity.milli_value() } else { quantity.value() };
            running.set(name, amount);
        }
    }
    if let Some(overhead) = &spec.overhead {
        running.add(&Resources::from_list(overhead), 1);
    }
    running
}

/// All containers and sidecars, or one init container beside the sidecars that began before it.
fn at_once(spec: &PodSpec, asked_by: impl Fn(&Container) -> Resources) -> Resources {
    let mut running = Resources::default();
    for container in &spec.containers {
        running.add(&asked_by(container), 1);
    }
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for container in spec.init_containers.iter().flatten() {
        let mut asked = asked_by(container);
        if is_sidecar(container) {
            running.add(&asked, 1);
            sidecars.add(&asked, 1);
            asked = sidecars.clone();
        } else {
            asked.add(&sidecars, 1);
        }
        starting.raise_to(&asked);
    }
    running.raise_to(&starting);
    running
}

/// Whether an init container keeps running beside the others.
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some(ALWAYS)
}

fn pod_level(spec: &PodSpec) -> Option<&List> {
    let requests = spec.resources.as_ref()?.requests.as_ref()?;
    (!requests.is_empty()).then_some(requests)
}

/// Whether a container of the pod still has something else than it asks for.
pub fn is_resizing(pod: &Pod) -> bool {
    let held = |container| held(container, pod).iter().any(Option::is_some);
    pod.spec.containers.iter().any(held) || pod.spec.init_containers.iter().flatten().any(held)
}

/// Whether the node said that it can never hold what the pod asks for: then that counts for nothing.
fn is_infeasible(pod: &Pod) -> bool {
    let mut conditions = pod.status.conditions.iter().flatten();
    let pending = conditions.find(|condition| condition.type_ == RESIZE_PENDING);
    pending.is_some_and(|pending| pending.reason.as_deref() == Some(INFEASIBLE))
}

fn asked(container: &Container) -> Option<&List> {
    container.resources.as_ref().and_then(|own| own.requests.as_ref())
}

/// What a container was given and what it has, as far as its status says.
fn given<'a>(container: &Container, pod: &'a Pod) -> [Option<&'a List>; 2] {
    let status = &pod.status;
    let is_own = |own: &&ContainerStatus| own.name == container.name;
    let mains = status.container_statuses.iter().flatten().find(is_own);
    let own = mains.or_else(|| status.init_container_statuses.iter().flatten().find(is_own));
    let Some(own) = own else { return [None, None] };
    let has = own.resources.as_ref().and_then(|has| has.requests.as_ref());
    [own.allocated_resources.as_ref(), has]
}

/// The same, where it is not what the container asks for.
fn held<'a>(container: &Container, pod: &'a Pod) -> [Option<&'a List>; 2] {
    given(container, pod).map(|list| list.filter(|list| Some(*list) != asked(container)))
}

/// What is not in use yet was given, and what was not given is asked for, unless that is infeasible.
fn requests_of<'a>(container: &'a Container, pod: &'a Pod, view: View) -> Option<&'a List> {
    if view == View::Spec {
        return asked(container);
    }
    let [allocated, actuated] = given(container, pod);
    let given = actuated.filter(|_| view == View::Actuated).or(allocated);
    given.or_else(|| asked(container).filter(|_| !is_infeasible(pod)))
}

fn filled(list: Option<&List>, fill: Fill) -> Resources {
    let mut resources = list.map(Resources::from_list).unwrap_or_default();
    let names = |name: &str| list.is_some_and(|list| list.contains_key(name));
    if fill.cpu && !names(CPU) {
        resources.milli_cpu = DEFAULT_MILLI_CPU;
    }
    if fill.memory && !names(MEMORY) {
        resources.memory = DEFAULT_MEMORY;
    }
    resources
}
