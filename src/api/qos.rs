//! The quality-of-service class of a Pod: who is evicted first, and how its processes weigh.
//!
//! Mirrors: `pkg/apis/core/v1/helper/qos`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as WireQuantity;

use super::quantity::Quantity;
use super::wire::PodSpec;

/// Only these resources count.
const COMPUTE: [&str; 2] = ["cpu", "memory"];

/// How firmly a Pod's resources are promised; from the first to be evicted to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QosClass {
    /// It asks for nothing.
    BestEffort,
    /// It asks for something.
    Burstable,
    /// It asks for as much CPU and memory as it may have.
    Guaranteed,
}

impl QosClass {
    /// The class of a Pod with this spec, after defaulting.
    pub fn of(spec: &PodSpec) -> Self {
        let (mut requests, mut limits) = (Totals::default(), Totals::default());
        let mut all_limited = true;
        if let Some(resources) = spec.resources.as_ref().filter(|resources| states_any(resources)) {
            requests.add(resources.requests.as_ref());
            limits.add(resources.limits.as_ref());
            let some = resources.limits.as_ref().is_some_and(|limits| !limits.is_empty());
            all_limited = !some || limits.0.len() == COMPUTE.len();
        } else {
            let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
            for container in containers {
                let none = ResourceRequirements::default();
                let resources = container.resources.as_ref().unwrap_or(&none);
                requests.add(resources.requests.as_ref());
                all_limited &= limits.add(resources.limits.as_ref()) == COMPUTE.len();
            }
        }
        if requests.0.is_empty() && limits.0.is_empty() {
            Self::BestEffort
        } else if all_limited && requests == limits {
            Self::Guaranteed
        } else {
            Self::Burstable
        }
    }

    /// The class as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BestEffort => "BestEffort",
            Self::Burstable => "Burstable",
            Self::Guaranteed => "Guaranteed",
        }
    }

    /// Reads what [`QosClass::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::BestEffort, Self::Burstable, Self::Guaranteed]
            .into_iter()
            .find(|class| class.as_str() == text)
    }
}

/// Whether these name a resource that a Pod can ask for as a whole.
fn states_any(resources: &ResourceRequirements) -> bool {
    let lists = [&resources.requests, &resources.limits].into_iter().flatten();
    let mut names = lists.flat_map(BTreeMap::keys);
    names.any(|name| COMPUTE.contains(&name.as_str()) || name.starts_with("hugepages-"))
}

/// How much of each resource that counts, zeros left out.
#[derive(Default, PartialEq)]
struct Totals(BTreeMap<&'static str, Quantity>);

impl Totals {
    /// Adds a list and says how many of its resources count.
    fn add(&mut self, list: Option<&BTreeMap<String, WireQuantity>>) -> usize {
        let mut counted = 0;
        for name in COMPUTE {
            let text = list.and_then(|list| list.get(name)).map_or("", |quantity| &quantity.0);
            let Ok(quantity) = Quantity::parse(text) else { continue };
            if quantity.is_zero() || quantity.is_negative() {
                continue;
            }
            self.0.entry(name).or_insert_with(Quantity::zero).add(&quantity);
            counted += 1;
        }
        counted
    }
}
