//! The shapes of upstream's `scheduler_perf`, which `benches/shapes.json` tells.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use podflow::testing::api::{Kind, Object};
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{count, steady};

/// What the file holds.
#[derive(Deserialize)]
pub struct Shapes {
    templates: BTreeMap<String, Template>,
    pub shapes: Vec<Shape>,
}

/// An object, but for its name.
#[derive(Deserialize)]
struct Template {
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A workload.
#[derive(Deserialize)]
pub struct Shape {
    pub name: String,
    /// Pods a second that upstream's CI demands.
    pub floor: Option<u64>,
    steps: Vec<Step>,
}

/// Objects that come at once.
#[derive(Deserialize)]
struct Step {
    create: usize,
    /// The resource.
    of: String,
    /// The template.
    like: String,
    /// The namespace.
    r#in: Option<String>,
    /// The zones that nodes are in, in turn.
    #[serde(default)]
    zones: Vec<String>,
    #[serde(default)]
    measured: bool,
    beside: Option<Beside>,
}

/// What comes with each so many of a step's objects.
#[derive(Deserialize)]
struct Beside {
    every: usize,
    mode: Mode,
    /// Resources and their templates.
    like: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// More and more of them.
    Create,
    /// Those before go.
    Recreate,
}

impl Shapes {
    /// What the file holds; an error names a template that is not there.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        let read: Self = serde_json::from_str(include_str!("../shapes.json"))?;
        for step in read.shapes.iter().flat_map(|shape| &shape.steps) {
            let beside = step.beside.iter().flat_map(|beside| &beside.like);
            for like in beside.map(|(_, like)| like).chain([&step.like]) {
                read.templates.get(like).ok_or_else(|| format!("no template {like}"))?;
            }
        }
        Ok(read)
    }

    /// Pods a second of `shape`, from their creation to their binding, in a cluster whose nodes have no
    /// kubelets.
    pub fn measure(&self, shape: &Shape) -> f64 {
        // The others are ours, and large: memory is no matter there.
        if shape.floor.is_some() { steady(|| self.run(shape)) } else { self.run(shape) }
    }

    fn run(&self, shape: &Shape) -> f64 {
        let mut run =
            Run { cluster: Cluster::new(&Setup::new(1, 0)), shapes: self, made: BTreeMap::new() };
        let homes = shape.steps.iter().enumerate().map(|(number, step)| step.namespace(number));
        for name in homes.chain(["churn".to_owned()]) {
            let namespace = json!({"metadata": {"name": name}});
            run.cluster.submit(&HttpCall::new("POST", "/api/v1/namespaces", Some(namespace)));
        }
        run.cluster.run_for(Duration::from_secs(1));
        let mut rate = f64::NAN;
        for (number, step) in shape.steps.iter().enumerate() {
            let begin = Instant::now();
            run.step(step, &step.namespace(number));
            if step.measured {
                rate = count(step.create as u64) / begin.elapsed().as_secs_f64();
            }
        }
        rate
    }
}

impl Step {
    fn namespace(&self, number: usize) -> String {
        self.r#in.clone().unwrap_or_else(|| format!("namespace-{number}"))
    }
}

/// A shape on its way.
struct Run<'a> {
    cluster: Cluster,
    shapes: &'a Shapes,
    /// How many there are of each template.
    made: BTreeMap<String, usize>,
}

impl Run<'_> {
    /// Returns once all of it is where it should be.
    fn step(&mut self, step: &Step, namespace: &str) {
        for number in 0..step.create {
            if let Some(beside) = &step.beside
                && number % beside.every == 0
            {
                self.stir(beside);
            }
            let zone = step.zones.get(number % step.zones.len().max(1));
            self.post(&step.of, &step.like, namespace, zone.map(String::as_str));
        }
        self.cluster.run_for(Duration::from_millis(500));
        match step.of.as_str() {
            "pods" => {
                let is_waiting = |object: &Object| {
                    let Object::Pod(pod) = object else { return false };
                    pod.node_name.is_none() && pod.metadata.namespace.as_deref() == Some(namespace)
                };
                let made = self.made.get(&step.like).copied().unwrap_or_default();
                let last = format!("{}-{}", step.like, made.saturating_sub(1));
                // Asked of the API server: what the scheduler holds to be bound may not be yet. All Pods are
                // only looked through once the last one is bound.
                let any_waits = |cluster: &Cluster| {
                    let last = cluster.object(Kind::Pod, namespace, &last);
                    last.as_ref().is_some_and(is_waiting)
                        || cluster.objects(Kind::Pod).iter().any(is_waiting)
                };
                while any_waits(&self.cluster) {
                    self.cluster.run_for(Duration::from_millis(500));
                }
            }
            "nodes" => {
                let wanted = self.cluster.objects(Kind::Node).len();
                while self.cluster.scheduler().cache().nodes().len() < wanted {
                    self.cluster.run_for(Duration::from_millis(100));
                }
            }
            _ => {}
        }
    }

    fn stir(&mut self, beside: &Beside) {
        for (resource, template) in &beside.like {
            let before = self.made.get(template).and_then(|made| made.checked_sub(1));
            if let (Mode::Recreate, Some(before)) = (beside.mode, before) {
                let path = format!("{}/{template}-{before}", collection(resource, "churn"));
                self.cluster.submit(&HttpCall::new("DELETE", &path, None));
            }
            self.post(resource, template, "churn", None);
        }
    }

    fn post(&mut self, resource: &str, template: &str, namespace: &str, zone: Option<&str>) {
        let Some(Template { metadata, rest }) = self.shapes.templates.get(template) else { return };
        let (mut metadata, mut object) = (metadata.clone(), rest.clone());
        let made = self.made.entry(template.to_owned()).or_default();
        let name = metadata.entry("name").or_insert_with(|| json!(format!("{template}-{made}")));
        *made += 1;
        if resource == "nodes" {
            let mut labels = json!({"kubernetes.io/hostname": name});
            if let (Value::Object(labels), Some(zone)) = (&mut labels, zone) {
                labels.insert("topology.kubernetes.io/zone".to_owned(), json!(zone));
            }
            metadata.insert("labels".to_owned(), labels);
        }
        object.insert("metadata".to_owned(), metadata.into());
        let path = collection(resource, namespace);
        self.cluster.submit(&HttpCall::new("POST", &path, Some(object.into())));
    }
}

/// The path of a resource's collection.
fn collection(resource: &str, namespace: &str) -> String {
    match resource {
        "nodes" => "/api/v1/nodes".to_owned(),
        "priorityclasses" => "/apis/scheduling.k8s.io/v1/priorityclasses".to_owned(),
        _ => format!("/api/v1/namespaces/{namespace}/{resource}"),
    }
}
