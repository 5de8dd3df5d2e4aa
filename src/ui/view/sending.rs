//! Objects on their way to the cluster, and what came of them.

use std::rc::Rc;

use serde_json::Value;

use super::super::engine::Engine;
use super::super::state::Selection;
use super::manifest::{Problem, is_in, refusal};
use crate::api::request::{Answer, RequestId};
use crate::api::status::StatusError;
use crate::api::{Kind, Object};
use crate::cluster::HttpCall;
use crate::kubectl::{Apply, Manifest, apply};

/// An object of the manifest, and how far it has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub manifest: Manifest,
    pub stage: Stage,
}

/// Kinds that are looked at when others are admitted: what comes after one waits until it is there, as
/// `kubectl apply` sends one object after the other.
const FIRST: [Kind; 8] = [
    Kind::Namespace,
    Kind::CustomResourceDefinition,
    Kind::ServiceAccount,
    Kind::LimitRange,
    Kind::ResourceQuota,
    Kind::PriorityClass,
    Kind::RuntimeClass,
    Kind::StorageClass,
];

/// How far an object has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Others before it have to be there first.
    Waiting,
    /// It is there already: what it is like is being read, to find what to change.
    Reading(RequestId),
    /// It is being created.
    Creating(RequestId),
    /// It is being changed.
    Changing(RequestId),
    /// There was nothing to change.
    Unchanged,
    /// It could not even be asked for.
    Failed(Rc<StatusError>),
}

impl Stage {
    /// The request that is on its way, or answered.
    fn request(&self) -> Option<RequestId> {
        match self {
            Self::Reading(id) | Self::Creating(id) | Self::Changing(id) => Some(*id),
            Self::Waiting | Self::Unchanged | Self::Failed(_) => None,
        }
    }

    /// Whether nothing more comes of it.
    fn is_done(&self, engine: &Engine) -> bool {
        match self {
            Self::Waiting | Self::Reading(_) => false,
            Self::Creating(id) | Self::Changing(id) => {
                engine.look(|cluster| cluster.answer(*id).is_some())
            }
            Self::Unchanged | Self::Failed(_) => true,
        }
    }
}

/// Sends each object: what is there is read first, what is not is created.
pub fn send(engine: &Engine, manifests: Vec<Manifest>) -> Rc<[Sent]> {
    let waiting = |manifest| Sent { manifest, stage: Stage::Waiting };
    let mut sent: Vec<Sent> = manifests.into_iter().map(waiting).collect();
    begin(engine, &mut sent);
    sent.into()
}

/// Sends those that wait, up to one that has to be there first; whether there are some.
fn begin(engine: &Engine, sent: &mut [Sent]) -> bool {
    let mut moved = false;
    for Sent { manifest, stage } in sent {
        if *stage == Stage::Waiting {
            moved = true;
            *stage = if engine.look(|cluster| is_in(manifest, cluster)) {
                Stage::Reading(engine.submit(HttpCall::get(&manifest.path())))
            } else {
                create(engine, manifest, (*manifest.object).clone())
            };
        }
        if FIRST.contains(&manifest.kind) && !stage.is_done(engine) {
            break;
        }
    }
    moved
}

fn create(engine: &Engine, manifest: &Manifest, object: Value) -> Stage {
    let call = HttpCall::new("POST", &manifest.creates_at(), Some(object));
    Stage::Creating(engine.submit(call))
}

/// Goes on with those that have been read, and those that have waited long enough; none if there are none.
pub fn go_on(engine: &Engine, sent: &[Sent]) -> Option<Rc<[Sent]>> {
    let mut moved = false;
    let mut next = sent.to_vec();
    for one in &mut next {
        if let Some(stage) = next_stage(engine, one) {
            one.stage = stage;
            moved = true;
        }
    }
    moved |= begin(engine, &mut next);
    moved.then(|| next.into())
}

fn next_stage(engine: &Engine, sent: &Sent) -> Option<Stage> {
    let Stage::Reading(id) = sent.stage else { return None };
    let response = engine.look(|cluster| cluster.answer(id).cloned())?;
    let Sent { manifest, .. } = sent;
    let live = match &response.result {
        Ok(Answer::Object(live)) => Some(live.to_json()),
        // It is gone since.
        Err(error) if error.code == 404 => None,
        Ok(_) => None,
        Err(error) => return Some(Stage::Failed(Rc::clone(error))),
    };
    Some(match apply(manifest.kind, &manifest.object, live.as_ref()) {
        Ok(Apply::Create(object)) => create(engine, manifest, object),
        Ok(Apply::Patch(patch)) => {
            let call = HttpCall::apply_patch(manifest.kind, &manifest.changes_at(), patch);
            Stage::Changing(engine.submit(call))
        }
        Ok(Apply::Unchanged) => Stage::Unchanged,
        Err(error) => Stage::Failed(Rc::new(StatusError::bad_request(error.to_string()))),
    })
}

/// How far they are by now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub sent: usize,
    pub created: usize,
    pub configured: usize,
    pub unchanged: usize,
    pub failed: usize,
    /// If there is one object only, how it is called.
    pub only: Option<String>,
    /// The first object that is as its manifest says; if there are Pods, the first of those.
    pub first: Option<Selection>,
    pub refused: Vec<Problem>,
}

/// As many refusals are told.
const MOST_REFUSED: usize = 20;

impl Summary {
    /// Sums up the answers that are there.
    pub fn of(engine: &Engine, sent: &[Sent]) -> Self {
        let mut summary = Self { sent: sent.len(), ..Self::default() };
        let has_pods = sent.iter().any(|one| one.manifest.kind == Kind::Pod);
        let is_shown = |one: &Sent| !has_pods || one.manifest.kind == Kind::Pod;
        for one in sent {
            let response = one
                .stage
                .request()
                .and_then(|id| engine.look(|cluster| cluster.answer(id).cloned()));
            let result = response.as_ref().map(|response| &response.result);
            match (&one.stage, result) {
                (Stage::Creating(_), Some(Ok(answer))) => {
                    summary.created += 1;
                    summary.succeeded(one, answer.object(), is_shown(one));
                }
                (Stage::Changing(_), Some(Ok(answer))) => {
                    summary.configured += 1;
                    summary.succeeded(one, answer.object(), is_shown(one));
                }
                (Stage::Unchanged, _) => {
                    summary.unchanged += 1;
                    summary.succeeded(one, None, is_shown(one));
                }
                (Stage::Failed(error), _)
                | (Stage::Creating(_) | Stage::Changing(_), Some(Err(error))) => {
                    summary.failed += 1;
                    if summary.refused.len() < MOST_REFUSED {
                        summary.refused.push(refusal(error, &one.manifest.place));
                    }
                }
                (Stage::Waiting | Stage::Reading(_), _)
                | (Stage::Creating(_) | Stage::Changing(_), None) => {}
            }
        }
        summary
    }

    /// How many are done, one way or the other.
    pub fn done(&self) -> usize {
        self.created + self.configured + self.unchanged + self.failed
    }

    fn succeeded(&mut self, sent: &Sent, stored: Option<&Object>, is_shown: bool) {
        let Manifest { kind, namespace, name, .. } = &sent.manifest;
        // The server may have made up the name.
        let name: Rc<str> = stored.map_or_else(|| Rc::clone(name), |object| object.name().into());
        if self.sent == 1 {
            self.only = Some(format!("{}/{name}", kind.resource().singular()));
        }
        if is_shown {
            let (kind, namespace) = (*kind, Rc::clone(namespace));
            self.first.get_or_insert(Selection::Object { kind, namespace, name });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::Setup;
    use crate::recording::Session;
    use crate::ui::view::manifest::plan;

    const MANIFEST: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: hot}
value: 7
---
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: shop}
spec: {priorityClassName: hot, containers: [{name: a, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: shop}
spec: {containers: [{name: a, image: nginx}]}
";

    #[test]
    fn what_others_need_is_there_before_they_are_sent() {
        let engine = Engine::new(Session::new(Setup::new(1, 1)));
        engine.change(|session| session.run_for(Duration::from_secs(5)));
        let plan = plan(MANIFEST, &engine.look(crate::cluster::Cluster::kinds));
        let mut sent = send(&engine, plan.outgoing);
        let waiting = |sent: &[Sent]| sent.iter().filter(|one| one.stage == Stage::Waiting).count();
        let mut counts = vec![waiting(&sent)];
        while Summary::of(&engine, &sent).done() < 4 {
            engine.change(|session| session.run_for(Duration::from_millis(1)));
            if let Some(next) = go_on(&engine, &sent) {
                counts.push(waiting(&next));
                sent = next;
            }
        }
        assert_eq!(counts, [3, 2, 0], "Pods do not wait for each other");
        let summary = Summary::of(&engine, &sent);
        assert_eq!((summary.created, summary.failed), (4, 0), "{:?}", summary.refused);
        let (kind, namespace, name) = (Kind::Pod, "shop".into(), "one".into());
        assert_eq!(summary.first, Some(Selection::Object { kind, namespace, name }));
    }

    #[test]
    fn what_is_refused_is_waited_for_no_longer() {
        let engine = Engine::new(Session::new(Setup::new(1, 1)));
        engine.change(|session| session.run_for(Duration::from_secs(5)));
        let bad = MANIFEST.replace("name: hot}\nvalue", "name: system-hot}\nvalue");
        let plan = plan(&bad, &engine.look(crate::cluster::Cluster::kinds));
        let mut sent = send(&engine, plan.outgoing);
        while Summary::of(&engine, &sent).done() < 4 {
            engine.change(|session| session.run_for(Duration::from_millis(1)));
            sent = go_on(&engine, &sent).unwrap_or(sent);
        }
        let summary = Summary::of(&engine, &sent);
        assert_eq!((summary.created, summary.failed), (2, 2), "{:?}", summary.refused);
    }
}
