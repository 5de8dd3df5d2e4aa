//! The cache: every node with its pods, those that are only assumed to be there included.
//!
//! Mirrors: `pkg/scheduler/backend/cache`. A snapshot costs nothing: nodes are shared, and a change
//! copies the one node it changes.

use std::iter;
use std::rc::Rc;

use imbl::GenericOrdMap;
use imbl::shared_ptr::RcK;
use k8s_openapi::api::core::v1::ContainerImage;

use super::framework::{Labels, Snapshot};
use super::node_info::{NodeInfo, PodInfo};
use super::order::{Order, Zones};
use super::preemption::priority;
use super::told::Names;
use crate::api::wire::Node;
use crate::api::{Document, Kind, Object, Pod};
use crate::sim::{SortedMap, Text, TextMap, sort};

/// The nodes in the order in which they are looked at.
pub type Nodes = [Rc<NodeInfo>];

/// Where the scheduler believes each pod to be.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    /// Shared with the checkpoints; a list is what a cycle walks fastest.
    nodes: Rc<Vec<Rc<NodeInfo>>>,
    /// Their names: who tells of nodes by their places keeps these.
    names: Names,
    /// The number of each node's last change: to look whether it has changed is not to look at it.
    last_changes: Rc<Vec<u64>>,
    /// How many changes there were: each gives its node a number of its own.
    changes: u64,
    /// How many pods have terms of affinity; most clusters have none.
    with_terms: usize,
    /// The images that nodes have, by name.
    images: SortedMap<String, ImageState>,
    /// The place of each node; shared as they are.
    index: Rc<SortedMap<Rc<str>, usize>>,
    zones: Rc<Zones>,
    order: Option<Rc<Order>>,
    /// Whether a node has come or gone since the order was worked out.
    is_unsettled: bool,
    pods: TextMap<Place>,
    /// Pods whose node is not known.
    stray: SortedMap<Rc<str>, Vec<Rc<PodInfo>>>,
    /// What else plugins look at, by kind, namespace and name: a map of the one type serves all.
    documents: GenericOrdMap<Text, Object, RcK>,
    surroundings: u64,
    /// Where room is made for pods, by their uids.
    nominated: TextMap<Nominated>,
}

/// A pod that room is made for on a node, which may not be there.
#[derive(Clone, Debug)]
struct Nominated {
    pod: Rc<PodInfo>,
    node: Rc<str>,
}

#[derive(Clone, Debug)]
struct Place {
    node: Rc<str>,
    assumed: bool,
    has_terms: bool,
}

/// An image as all nodes share it.
#[derive(Clone, Copy, Debug)]
struct ImageState {
    /// As the first node said that had it.
    size: i64,
    /// How many nodes have it.
    nodes: usize,
}

impl Cache {
    /// Every node.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// The names of the nodes, in the same order.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The number of each node's last change, in the same order.
    pub fn last_changes(&self) -> &[u64] {
        &self.last_changes
    }

    /// The node called so.
    pub fn node(&self, name: &str) -> Option<&Rc<NodeInfo>> {
        self.nodes.get(*self.index.get(name)?)
    }

    /// The place of a node among all.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Brings the order in which the nodes are looked at up to date, as each cycle does first. That only one
    /// has gone to another zone waits for another to come or go.
    pub fn settle(&mut self) {
        if std::mem::take(&mut self.is_unsettled) {
            self.order = self.zones.order(|name| self.position(name)).map(Rc::new);
        }
    }

    /// The order in which the nodes are looked at; none if it is that of their places.
    pub fn order(&self) -> Option<&Rc<Order>> {
        self.order.as_ref()
    }

    /// Takes in a node, new or changed.
    pub fn put_node(&mut self, node: &Rc<Node>) {
        let name: Rc<str> = node.metadata.name.as_deref().unwrap_or_default().into();
        if let Some(old) = self.node(&name).map(|info| Rc::clone(&info.node)) {
            if images(&old) != images(node) {
                self.count_images(&old, false);
                self.count_images(node, true);
            }
            if Zones::differ(&old, node) {
                Rc::make_mut(&mut self.zones).go(&old, node, &name);
            }
            self.change(&name, |info| info.set_node(Rc::clone(node)));
            return;
        }
        self.count_images(node, true);
        self.changes += 1;
        let (change, place) = (self.changes, Some(self.nodes.len()));
        let mut info = NodeInfo { change, place, ..NodeInfo::new(Rc::clone(node)) };
        for pod in self.stray.remove(&name).into_iter().flatten() {
            info.add(pod);
        }
        let nominated = self.nominated.iter().map(|(_, nominated)| nominated);
        let here = nominated.filter(|nominated| nominated.node == name);
        info.promised.extend(here.map(|nominated| Rc::clone(&nominated.pod)));
        Rc::make_mut(&mut self.zones).add(node, &name);
        self.is_unsettled = true;
        Rc::make_mut(&mut self.names).push(Rc::clone(&info.name));
        Rc::make_mut(&mut self.index).insert(name, self.nodes.len());
        Rc::make_mut(&mut self.nodes).push(Rc::new(info));
        Rc::make_mut(&mut self.last_changes).push(self.changes);
    }

    /// Forgets a node; its pods stay known until they are gone, too.
    pub fn remove_node(&mut self, name: &str) {
        let Some(at) = Rc::make_mut(&mut self.index).remove(name) else { return };
        let gone = Rc::make_mut(&mut self.nodes).remove(at);
        Rc::make_mut(&mut self.names).remove(at);
        Rc::make_mut(&mut self.last_changes).remove(at);
        self.count_images(&gone.node, false);
        Rc::make_mut(&mut self.zones).remove(&gone.node, name);
        self.is_unsettled = true;
        if !gone.pods.is_empty() {
            self.stray.insert(Rc::clone(&gone.name), gone.pods.clone());
        }
        let index = Rc::make_mut(&mut self.index);
        for (at, node) in Rc::make_mut(&mut self.nodes).iter_mut().enumerate().skip(at) {
            index.insert(Rc::clone(&node.name), at);
            Rc::make_mut(node).place = Some(at);
        }
    }

    /// Keeps room on a node for a pod, until it is placed or gone; if the node is not there, once it is.
    pub fn nominate(&mut self, pod: &Rc<PodInfo>, node: &Rc<str>) {
        self.forget_nominated(&pod.uid);
        let nominated = Nominated { pod: Rc::clone(pod), node: Rc::clone(node) };
        self.nominated.insert(Rc::clone(&pod.uid), nominated);
        self.change(node, |info| info.promised.push(Rc::clone(pod)));
    }

    /// The pods that room is made for on a node, of those that are less important than `pod`.
    pub fn less_important_on(&self, node: &str, pod: &Pod) -> Vec<Rc<Pod>> {
        let own = pod.spec.priority.unwrap_or_default();
        let promised = self.node(node).into_iter().flat_map(|node| &node.promised);
        let others = promised.filter(|other| priority(other) < own);
        others.map(|other| Rc::clone(&other.pod)).collect()
    }

    /// Keeps room for a pod where its status says that it waits for a node, or for none any more; one that
    /// says so neither now nor in the version before, `old`, keeps what it has, for the pod as it is now.
    pub fn follow_nomination(&mut self, old: Option<&Pod>, pod: &Rc<PodInfo>) {
        let nominated = |pod: &Pod| pod.status.nominated_node_name.clone().unwrap_or_default();
        let node = nominated(&pod.pod);
        if node.is_empty() && old.is_some_and(|old| !nominated(old).is_empty()) {
            self.forget_nominated(&pod.uid);
            return;
        }
        let known = self.nominated.get(&pod.uid);
        match known.filter(|known| node.is_empty() || *known.node == *node) {
            Some(Nominated { pod: own, .. }) if own.is_alike(pod) => {}
            Some(Nominated { node, .. }) => self.nominate(pod, &Rc::clone(node)),
            None if node.is_empty() => {}
            None => self.nominate(pod, &node.into()),
        }
    }

    /// The place of the node where room is made for a pod.
    pub fn promised_to(&self, uid: &str) -> Option<usize> {
        self.position(&self.nominated.get(uid)?.node)
    }

    /// Keeps no more room for a pod.
    pub fn forget_nominated(&mut self, uid: &str) {
        // Most pods are promised nothing, and to look is cheaper than to take out.
        if self.nominated.get(uid).is_some()
            && let Some(Nominated { node, .. }) = self.nominated.remove(uid)
        {
            self.change(&node, |info| info.promised.retain(|pod| &*pod.uid != uid));
        }
    }

    /// Takes in a document, new or changed.
    pub fn put_document(&mut self, document: &Rc<Document>) {
        self.surroundings += 1;
        self.documents.insert(key_of(document), Object::Document(Rc::clone(document)));
    }

    /// Forgets a document.
    pub fn remove_document(&mut self, document: &Document) {
        self.surroundings += 1;
        self.documents.remove(&key_of(document));
    }

    /// How often anything but nodes and pods has changed.
    pub fn surroundings(&self) -> u64 {
        self.surroundings
    }

    /// Puts a pod on a node before the API server has confirmed it.
    pub fn assume(&mut self, pod: &Rc<PodInfo>, node: &Rc<str>) {
        self.place(pod, node, true);
    }

    /// Takes in a pod that is on a node.
    pub fn put_pod(&mut self, pod: &Rc<PodInfo>, node: &Rc<str>) {
        self.place(pod, node, false);
    }

    /// Takes a pod off its node; whether it was on one.
    pub fn remove_pod(&mut self, uid: &str) -> bool {
        let Some(place) = self.pods.remove(uid) else { return false };
        self.with_terms -= usize::from(place.has_terms);
        if !self.change(&place.node, |info| info.remove(uid))
            && let Some(pods) = self.stray.get_mut(&place.node)
        {
            pods.retain(|pod| &*pod.uid != uid);
        }
        true
    }

    /// Whether a pod is assumed to be on a node.
    pub fn is_assumed(&self, uid: &str) -> bool {
        self.pods.get(uid).is_some_and(|place| place.assumed)
    }

    fn place(&mut self, pod: &Rc<PodInfo>, node: &Rc<str>, assumed: bool) {
        self.forget_nominated(&pod.uid);
        if self.replace(pod, node, assumed) {
            return;
        }
        if !self.change(node, |info| info.add(Rc::clone(pod))) {
            self.stray.or_default(Rc::clone(node)).push(Rc::clone(pod));
        }
        let has_terms = pod.terms.is_some();
        self.with_terms += usize::from(has_terms);
        self.pods.insert(Rc::clone(&pod.uid), Place { node: Rc::clone(node), assumed, has_terms });
    }

    /// Puts a pod in the place of an older version of it on the same node, as if that had been taken off
    /// first; whether it was there. If it was elsewhere, it is taken off.
    fn replace(&mut self, pod: &Rc<PodInfo>, node: &Rc<str>, assumed: bool) -> bool {
        let Some(place) = self.pods.get(&pod.uid) else { return false };
        if place.node != *node || place.has_terms != pod.terms.is_some() {
            self.remove_pod(&pod.uid);
            return false;
        }
        if place.assumed != assumed
            && let Some(place) = self.pods.get_mut(&pod.uid)
        {
            place.assumed = assumed;
        }
        let known = self.change(node, |info| {
            info.remove(&pod.uid);
            info.add(Rc::clone(pod));
        });
        if !known {
            let pods = self.stray.or_default(Rc::clone(node));
            pods.retain(|other| other.uid != pod.uid);
            pods.push(Rc::clone(pod));
        }
        true
    }

    /// Changes a node; whether it is known.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut NodeInfo)) -> bool {
        let Some(at) = self.index.get(name).copied() else { return false };
        let Some(info) = Rc::make_mut(&mut self.nodes).get_mut(at) else { return false };
        let info = Rc::make_mut(info);
        change(info);
        self.changes += 1;
        info.change = self.changes;
        if let Some(last) = Rc::make_mut(&mut self.last_changes).get_mut(at) {
            *last = self.changes;
        }
        true
    }

    fn count_images(&mut self, node: &Node, come: bool) {
        for (name, size) in images_by_name(node) {
            match self.images.get_mut(name) {
                Some(state) if come => state.nodes += 1,
                Some(state) if state.nodes > 1 => state.nodes -= 1,
                Some(_) => {
                    self.images.remove(name);
                }
                None if come => {
                    self.images.insert(name.to_owned(), ImageState { size, nodes: 1 });
                }
                None => {}
            }
        }
    }
}

fn key(kind: Kind, namespace: &str, name: &str) -> Text {
    [kind.resource().plural, "/", namespace, "/", name].concat().into()
}

fn key_of(document: &Document) -> Text {
    let metadata = &document.metadata;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    key(document.kind(), namespace, metadata.name.as_deref().unwrap_or_default())
}

/// The images that a node has.
fn images(node: &Node) -> &[ContainerImage] {
    node.status.as_ref().and_then(|status| status.images.as_deref()).unwrap_or_default()
}

/// The names of the images that a node has, each once, with the first size that is said of it.
fn images_by_name(node: &Node) -> Vec<(&str, i64)> {
    let named = images(node).iter().flat_map(|image| {
        let size = image.size_bytes.unwrap_or_default();
        image.names.iter().flatten().map(move |name| (name.as_str(), size))
    });
    let mut named: Vec<(&str, i64)> = named.collect();
    sort::by_key(&mut named, |(name, _)| *name);
    named.dedup_by_key(|(name, _)| *name);
    named
}

impl Snapshot for Cache {
    fn nodes(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
        Box::new(self.nodes.iter().map(|node| &**node))
    }

    fn places(&self) -> Option<(&[Rc<NodeInfo>], &[u64])> {
        Some((&self.nodes, &self.last_changes))
    }

    fn nodes_with_terms(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
        let nodes = if self.with_terms == 0 { &[] } else { &**self.nodes };
        Box::new(nodes.iter().map(|node| &**node).filter(|node| node.has_terms()))
    }

    fn having(&self, image: &str) -> (usize, usize) {
        (self.images.get(image).map_or(0, |state| state.nodes), self.nodes.len())
    }

    fn size_of(&self, image: &str) -> i64 {
        self.images.get(image).map_or(0, |state| state.size)
    }

    fn namespace(&self, name: &str) -> Option<&Labels> {
        self.document(Kind::Namespace, "", name)?.metadata.labels.as_deref()
    }

    fn document(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Document> {
        self.documents.get(&key(kind, namespace, name))?.document().map(|it| &**it)
    }

    fn documents(&self, kind: Kind) -> Box<dyn Iterator<Item = &Document> + '_> {
        if self.documents.is_empty() {
            return Box::new(iter::empty());
        }
        let first = Text::from(kind.resource().plural);
        let of_kind = self.documents.range(first..).map(|(_, object)| object);
        let of_kind = of_kind.take_while(move |object| object.kind() == kind);
        Box::new(of_kind.filter_map(|object| object.document().map(|it| &**it)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::Resource as _;

    fn node(name: &str, images: &Value) -> Rc<Node> {
        let node = json!({"metadata": {"name": name}, "status": {"images": images}});
        let object = Object::from_json(Kind::Node, &node).unwrap().object;
        Rc::clone(Node::unwrap(&object).unwrap())
    }

    fn pod(app: &str, nominated: Option<&str>) -> Rc<PodInfo> {
        let object = json!({
            "metadata": {"name": "web", "namespace": "default", "uid": "1", "labels": {"app": app}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
            "status": {"nominatedNodeName": nominated},
        });
        let object = Object::from_json(Kind::Pod, &object).unwrap().object;
        Rc::new(PodInfo::new(Rc::clone(Pod::unwrap(&object).unwrap())))
    }

    /// The labels of those that room is made for on the node.
    fn promised(cache: &Cache) -> Vec<String> {
        let node = cache.node("node-1").unwrap();
        node.promised.iter().map(|pod| pod.labels().unwrap()["app"].clone()).collect()
    }

    #[test]
    fn room_is_kept_on_a_node_that_is_not_there_yet_or_comes_back() {
        let mut cache = Cache::default();
        cache.follow_nomination(None, &pod("a", Some("node-1")));
        cache.put_node(&node("node-1", &json!([])));
        assert_eq!(promised(&cache), ["a"]);
        cache.remove_node("node-1");
        cache.put_node(&node("node-1", &json!([])));
        assert_eq!(promised(&cache), ["a"]);
        cache.forget_nominated("1");
        assert_eq!(promised(&cache), [""; 0]);
        cache.remove_node("node-1");
        cache.put_node(&node("node-1", &json!([])));
        assert_eq!(promised(&cache), [""; 0]);
    }

    #[test]
    fn room_is_kept_for_a_pod_as_it_is_now() {
        let mut cache = Cache::default();
        cache.put_node(&node("node-1", &json!([])));
        let waiting = pod("a", Some("node-1"));
        cache.follow_nomination(None, &waiting);
        let changed = pod("b", Some("node-1"));
        cache.follow_nomination(Some(&waiting.pod), &changed);
        assert_eq!(promised(&cache), ["b"]);
        // Where its status does not say so yet, it is the same.
        let (before, after) = (pod("b", None), pod("c", None));
        cache.follow_nomination(Some(&before.pod), &after);
        assert_eq!(promised(&cache), ["c"]);
        cache.follow_nomination(Some(&changed.pod), &after);
        assert_eq!(promised(&cache), [""; 0], "it waits no more");
    }

    #[test]
    fn an_image_is_as_large_as_the_first_node_said_and_counts_once_for_each() {
        let mut cache = Cache::default();
        let image = |size: u64| json!({"names": ["a:1", "a@sha256:1"], "sizeBytes": size});
        let known = |cache: &Cache| (cache.size_of("a:1"), cache.having("a:1").0);
        cache.put_node(&node("one", &json!([image(10), image(11)])));
        assert_eq!(known(&cache), (10, 1));
        cache.put_node(&node("two", &json!([image(20)])));
        assert_eq!(known(&cache), (10, 2));
        cache.put_node(&node("one", &json!([image(12)])));
        assert_eq!(known(&cache), (10, 2), "the other node has had it all the time");
        cache.remove_node("one");
        assert_eq!(known(&cache), (10, 1));
        cache.put_node(&node("two", &json!([image(21)])));
        assert_eq!(known(&cache), (21, 1), "nobody had it in between");
        cache.remove_node("two");
        assert_eq!(known(&cache), (0, 0));
    }
}
