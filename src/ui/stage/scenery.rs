//! The scene as it is kept from one sight of the cluster to the next: only what has changed is read anew.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::scene::{NodeView, PodView, Scene};
use crate::api::{Kind, Object};
use crate::apiserver::{Changed, Objects};
use crate::cluster::Cluster;
use crate::sim::sort;

/// What was last seen, and of which objects.
#[derive(Default)]
pub struct Scenery {
    scene: Rc<Scene>,
    /// The nodes by name: those that have a kubelet in the order of their numbers, then the rest.
    numbers: BTreeMap<Rc<str>, u32>,
    /// Those that have a kubelet.
    run: Vec<Rc<str>>,
    nodes: Objects,
    pods: Objects,
}

impl Scenery {
    /// What was last seen.
    pub fn scene(&self) -> &Rc<Scene> {
        &self.scene
    }

    /// Looks at the cluster again.
    pub fn look(&mut self, cluster: &Cluster) {
        if !self.has_nodes_of(cluster) {
            *self = Self::beside(cluster);
        }
        let nodes = cluster.snapshot(Kind::Node);
        let pods = cluster.snapshot(Kind::Pod);
        let mut scene = Rc::clone(&self.scene);
        self.update_nodes(&mut scene, &nodes);
        self.update_pods(&mut scene, &pods);
        if scene.revision != cluster.revision() {
            Rc::make_mut(&mut scene).revision = cluster.revision();
        }
        self.scene = scene;
        self.nodes = nodes;
        self.pods = pods;
    }

    /// An empty stage for the nodes of `cluster`.
    fn beside(cluster: &Cluster) -> Self {
        let run: Vec<Rc<str>> = cluster.node_names().cloned().collect();
        let mut names = run.clone();
        let mut numbers = sort::map(names.iter().cloned().zip(0..));
        for node in cluster.snapshot(Kind::Node).iter() {
            if !numbers.contains_key(node.name()) {
                let name: Rc<str> = node.name().into();
                numbers.insert(Rc::clone(&name), u32::try_from(names.len()).unwrap_or(u32::MAX));
                names.push(name);
            }
        }
        let nodes = names.into_iter().map(NodeView::new).collect();
        Self {
            scene: Rc::new(Scene { kubelets: run.len(), nodes, ..Scene::default() }),
            numbers,
            run,
            ..Self::default()
        }
    }

    /// Whether the nodes are those that were seen, whatever has become of them.
    fn has_nodes_of(&self, cluster: &Cluster) -> bool {
        // One without a kubelet comes and goes with its object.
        let is_placed = |changed: Changed<'_>| {
            let name = changed.after.or(changed.before).map_or("", Object::name);
            self.numbers.contains_key(name)
                && (changed.after.is_some() || self.run.iter().any(|run| **run == *name))
        };
        cluster.node_names().eq(&self.run)
            && cluster.snapshot(Kind::Node).changed_since(&self.nodes).all(is_placed)
    }

    fn update_nodes(&self, scene: &mut Rc<Scene>, nodes: &Objects) {
        for changed in nodes.changed_since(&self.nodes) {
            let name = changed.after.or(changed.before).map_or("", Object::name);
            let Some(number) = self.numbers.get(name) else { continue };
            let all = Rc::make_mut(&mut Rc::make_mut(scene).nodes);
            let Some(view) = at(all, Some(*number)) else { continue };
            match changed.after {
                Some(Object::Node(node)) => view.register(node),
                _ => view.unregister(),
            }
        }
    }

    fn update_pods(&self, scene: &mut Rc<Scene>, pods: &Objects) {
        let mut changes = pods.changed_since(&self.pods).peekable();
        if changes.peek().is_none() {
            return;
        }
        let scene = Rc::make_mut(scene);
        let mut nodes = Rc::clone(&scene.nodes);
        let mut put = |view: &PodView, change: fn(&mut NodeView, &PodView)| {
            if view.node.is_some()
                && let Some(node) = at(Rc::make_mut(&mut nodes), view.node)
            {
                change(node, view);
            }
        };
        let mut all = Vec::with_capacity(scene.pods.len());
        let mut old = scene.pods.iter().peekable();
        for changed in changes {
            while let Some(same) = old.next_if(|view| view.key < *changed.key) {
                all.push(Rc::clone(same));
            }
            if let Some(gone) = old.next_if(|view| view.key == *changed.key) {
                put(gone, NodeView::lose);
            }
            if let Some(Object::Pod(pod)) = changed.after {
                let node = pod.node_name.as_ref().and_then(|name| self.numbers.get(name));
                let view = PodView::new(Rc::clone(changed.key), pod, node.copied());
                put(&view, NodeView::carry);
                all.push(Rc::new(view));
            }
        }
        all.extend(old.cloned());
        scene.pods = all.into();
        scene.nodes = nodes;
    }
}

fn at(nodes: &mut [NodeView], number: Option<u32>) -> Option<&mut NodeView> {
    nodes.get_mut(usize::try_from(number?).ok()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::cluster::{HttpCall, Setup};
    use crate::recording::Session;
    use crate::sim::{Instant, Rng};

    const PODS: &str = "/api/v1/namespaces/default/pods";

    /// Something of what a person may do.
    fn something(chance: &mut Rng) -> HttpCall {
        let name = format!("pod-{}", chance.below(5));
        let node = format!("bare-{}", chance.below(2));
        let pod = json!({"metadata": {"name": name}, "spec": {"containers": [
            {"name": "main", "image": "nginx", "resources": {"requests": {"cpu": "250m"}}}]}});
        match chance.below(6) {
            0 | 1 => HttpCall::new("POST", PODS, Some(pod)),
            2 => HttpCall::new("DELETE", &format!("{PODS}/{name}"), None),
            3 => HttpCall::new("POST", "/api/v1/nodes", Some(json!({"metadata": {"name": node}}))),
            4 => HttpCall::new("DELETE", &format!("/api/v1/nodes/{node}"), None),
            _ => {
                let body = json!({"target": {"name": node}});
                HttpCall::new("POST", &format!("{PODS}/{name}/binding"), Some(body))
            }
        }
    }

    #[test]
    fn what_is_kept_looks_as_if_it_were_seen_for_the_first_time() {
        let mut chance = Rng::new(7);
        let mut session = Session::new(Setup::new(3, 2));
        let mut kept = Scenery::default();
        let (mut most_nodes, mut most_pods) = (0, 0);
        for round in 0..200 {
            match chance.below(8) {
                0 => {
                    session.seek(Instant::from_micros(chance.below(session.now().as_micros() + 1)));
                }
                1 if round % 40 == 0 => session = Session::new(Setup::new(round, 3)),
                _ => {
                    session.submit(something(&mut chance));
                }
            }
            session.run_until(session.now() + Duration::from_millis(chance.below(400)));
            kept.look(session.cluster());
            let mut fresh = Scenery::default();
            fresh.look(session.cluster());
            assert_eq!(kept.scene(), fresh.scene(), "round {round}");
            most_nodes = most_nodes.max(kept.scene().nodes.len());
            most_pods = most_pods.max(kept.scene().nodes.iter().map(|node| node.pods).sum());
        }
        assert!(most_nodes > 3 && most_pods > 2, "{most_nodes} nodes, {most_pods} Pods");
    }
}
