//! What would become of a pod if it were created now: tried on a copy of the cluster.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::{Cluster, HttpCall};
use crate::api::request::Response;
use crate::api::{Kind, Object, Pod};
use crate::scheduler::Decision;

/// So long, of the cluster's time, a decision is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A pod that was tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The copy, at the moment of the decision.
    pub cluster: Cluster,
    pub pod: Rc<Pod>,
    pub decision: Rc<Decision>,
}

/// Why there is nothing to tell.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Untried {
    /// The API server does not let it in.
    #[error("{}", words(.0))]
    Refused(Rc<Response>),
    #[error("only a Pod can be tried")]
    NotAPod,
    #[error("no scheduler here has the name {0:?}")]
    NoScheduler(String),
    /// In the scheduler's words.
    #[error("{0}")]
    Held(String),
    #[error("it names its node itself, so no scheduler is asked")]
    Placed,
    #[error("nobody has decided about it within a minute")]
    Undecided,
}

fn words(response: &Response) -> String {
    response.result.as_ref().map_or_else(|error| error.message.clone(), |_| String::new())
}

impl Cluster {
    /// Tries a pod without creating it: what the scheduler would decide now. A pod whose name is taken
    /// is tried under another.
    ///
    /// # Errors
    ///
    /// It is refused, or the scheduler has no say in it.
    pub fn what_if(&self, manifest: &Value) -> Result<Trial, Untried> {
        if manifest.get("kind").is_none_or(|kind| kind != "Pod") {
            return Err(Untried::NotAPod);
        }
        let namespace = manifest.pointer("/metadata/namespace").and_then(Value::as_str);
        let namespace = namespace.unwrap_or("default").to_owned();
        let mut manifest = manifest.clone();
        if let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
            let name = metadata.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            if self.object(Kind::Pod, &namespace, &name).is_some() {
                metadata.remove("name");
                metadata.insert("generateName".to_owned(), format!("{name}-").into());
            }
        }
        let mut cluster = self.clone();
        cluster.tell_of_all_nodes();
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let id = cluster.submit(&HttpCall::new("POST", &path, Some(manifest)));
        let until = cluster.now() + PATIENCE;
        let mut pod = None;
        while cluster.next_at().is_some_and(|at| at <= until) {
            cluster.step();
            if pod.is_none() {
                pod = cluster.answer(id).map(created).transpose()?;
                if let Some(pod) = &pod {
                    cluster.is_for_the_scheduler(pod)?;
                }
            }
            let decided = pod.as_ref().and_then(|pod| {
                let (namespace, name) = pod.key();
                cluster.decision(namespace, name).map(Rc::clone)
            });
            if let (Some(pod), Some(decision)) = (&pod, decided) {
                let pod = Rc::clone(pod);
                return Ok(Trial { cluster, pod, decision });
            }
        }
        Err(Untried::Undecided)
    }

    fn is_for_the_scheduler(&self, pod: &Pod) -> Result<(), Untried> {
        if pod.node_name.is_some() {
            return Err(Untried::Placed);
        }
        let Some((_, profile)) = self.scheduler().profile(pod) else {
            let name = pod.spec.scheduler_name.clone().unwrap_or_default();
            return Err(Untried::NoScheduler(name));
        };
        match profile.held_back(pod) {
            Some(verdict) => Err(Untried::Held(verdict.reasons.join(", "))),
            None => Ok(()),
        }
    }
}

fn created(response: &Rc<Response>) -> Result<Rc<Pod>, Untried> {
    let object = response.result.as_ref().ok().and_then(|answer| answer.object());
    match object {
        Some(Object::Pod(pod)) => Ok(Rc::clone(pod)),
        Some(_) | None => Err(Untried::Refused(Rc::clone(response))),
    }
}
