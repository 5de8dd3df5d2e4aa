//! What would help a pod that fits nowhere: for each node the smallest change after which it would
//! take the pod, found by asking the plugins.

use std::rc::Rc;

use k8s_openapi::api::core::v1::{Taint, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Wire;

use super::cache::Cache;
use super::cycle;
use super::node_info::{NodeInfo, PodInfo};
use super::plugins::untolerated;
use super::profile::Profile;
use super::resources::shortage;
use crate::api::Pod;
use crate::api::quantity::Quantity;
use crate::api::wire::{Node, NodeSpec, PodSpec};

/// A change after which a node would take a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    pub node: Rc<str>,
    pub change: Change,
}

/// What to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The pod asks for no more than this of each of these resources.
    AskFor(Vec<(Rc<str>, String)>),
    /// The pod tolerates these taints, or they go.
    Tolerate(Vec<String>),
    /// The node takes new pods again.
    Uncordon,
    /// The node gets these labels, which the pod's node selector asks for.
    Label(Vec<(String, String)>),
}

/// What would help `pod` with each of the nodes, of which only the first `most` are looked at. A
/// node for which no single change is enough is left out.
pub fn helps(profile: &Profile, pod: &PodInfo, cache: &Cache, most: usize) -> Vec<Help> {
    let ask = Ask { profile, pod, cache };
    let nodes = cache.nodes().iter().take(most);
    nodes.filter_map(|node| ask.help(node)).collect()
}

/// Who would be helped, and who is asked.
struct Ask<'a> {
    profile: &'a Profile,
    pod: &'a PodInfo,
    cache: &'a Cache,
}

impl Ask<'_> {
    fn help(&self, node: &NodeInfo) -> Option<Help> {
        let change = self
            .uncordon(node)
            .or_else(|| self.tolerate(node))
            .or_else(|| self.label(node))
            .or_else(|| self.ask_for_less(node))?;
        Some(Help { node: Rc::clone(&node.name), change })
    }

    fn uncordon(&self, node: &NodeInfo) -> Option<Change> {
        let is_cordoned = node.node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
        if !is_cordoned {
            return None;
        }
        let open = with_spec(node, |spec| {
            spec.unschedulable = None;
            // The controller that keeps this taint takes it away together with the mark.
            if let Some(taints) = &mut spec.taints {
                taints.retain(|taint| taint.key != "node.kubernetes.io/unschedulable");
            }
        });
        self.fits(self.pod, &open).then_some(Change::Uncordon)
    }

    fn tolerate(&self, node: &NodeInfo) -> Option<Change> {
        let taints: Vec<&Taint> = untolerated(self.pod, node).collect();
        if taints.is_empty() {
            return None;
        }
        let tolerant = with_pod_spec(self.pod, |spec| {
            let tolerations = spec.tolerations.get_or_insert_default();
            tolerations.extend(taints.iter().map(|taint| Toleration {
                key: Some(taint.key.clone()),
                operator: Some("Exists".to_owned()),
                effect: Some(taint.effect.clone()),
                ..Toleration::default()
            }));
        });
        self.fits(&tolerant, node)
            .then(|| Change::Tolerate(taints.into_iter().map(shown).collect()))
    }

    fn label(&self, node: &NodeInfo) -> Option<Change> {
        let wanted = self.pod.pod.spec.node_selector.as_ref()?;
        let labels = node.node.metadata.labels.clone().unwrap_or_default();
        let missing: Vec<(String, String)> = wanted
            .iter()
            .filter(|(key, value)| labels.get(*key) != Some(value))
            // Another hostname would be another node.
            .filter(|(key, _)| *key != "kubernetes.io/hostname")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if missing.is_empty() {
            return None;
        }
        let labelled = with_node(node, |node| {
            node.metadata.labels_mut().extend(missing.iter().cloned());
        });
        self.fits(self.pod, &labelled).then_some(Change::Label(missing))
    }

    fn ask_for_less(&self, node: &NodeInfo) -> Option<Change> {
        let left = shortage(&self.pod.requests, &node.allocatable, &node.requested);
        if left.is_empty() || left.iter().any(|(_, amount)| *amount <= 0) {
            return None;
        }
        let asks: Vec<(Rc<str>, String)> =
            left.iter().map(|(name, amount)| (Rc::clone(name), written(name, *amount))).collect();
        let modest = with_pod_spec(self.pod, |spec| {
            // The first container asks for all of it, the others for nothing.
            let mut containers = spec.containers.iter_mut();
            let first = containers.next();
            for container in containers.chain(spec.init_containers.iter_mut().flatten()) {
                let requests = container.resources.as_mut().and_then(|them| them.requests.as_mut());
                if let Some(requests) = requests {
                    requests.retain(|name, _| !names(&asks, name));
                }
            }
            if let Some(first) = first {
                let requests =
                    first.resources.get_or_insert_default().requests.get_or_insert_default();
                requests
                    .extend(asks.iter().map(|(name, text)| (name.to_string(), Wire(text.clone()))));
            }
        });
        self.fits(&modest, node).then_some(Change::AskFor(asks))
    }

    fn fits(&self, pod: &PodInfo, node: &NodeInfo) -> bool {
        cycle::fits(self.profile, pod, node, self.cache)
    }
}

/// A taint as `kubectl taint` takes it.
fn shown(taint: &Taint) -> String {
    match taint.value.as_deref().filter(|value| !value.is_empty()) {
        Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
        None => format!("{}:{}", taint.key, taint.effect),
    }
}

fn names(asks: &[(Rc<str>, String)], name: &str) -> bool {
    asks.iter().any(|(asked, _)| **asked == *name)
}

/// An amount of a resource in the scheduler's units as a manifest has it.
fn written(resource: &str, amount: i64) -> String {
    match resource {
        "cpu" if amount % 1000 != 0 => format!("{amount}m"),
        "cpu" => (amount / 1000).to_string(),
        "memory" | "ephemeral-storage" => {
            // Rounded down, so that what is said does fit.
            let mebi = amount >> 20;
            let text = if mebi > 0 { format!("{mebi}Mi") } else { amount.to_string() };
            Quantity::parse(&text).map_or(text, |quantity| quantity.to_string())
        }
        _ => amount.to_string(),
    }
}

fn with_pod_spec(pod: &PodInfo, change: impl FnOnce(&mut PodSpec)) -> PodInfo {
    let mut changed = Pod::clone(&pod.pod);
    change(Rc::make_mut(&mut changed.spec));
    PodInfo::new(Rc::new(changed))
}

fn with_spec(node: &NodeInfo, change: impl FnOnce(&mut NodeSpec)) -> NodeInfo {
    with_node(node, |node| change(node.spec.get_or_insert_default()))
}

/// The node, changed, with the pods that are on it.
fn with_node(node: &NodeInfo, change: impl FnOnce(&mut Node)) -> NodeInfo {
    let mut changed = Node::clone(&node.node);
    change(&mut changed);
    let mut info = NodeInfo::new(Rc::new(changed));
    for there in &node.pods {
        info.add(Rc::clone(there));
    }
    info
}

#[cfg(test)]
mod tests;
