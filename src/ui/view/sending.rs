//! Objects on their way to the cluster, and what came of them.

use std::rc::Rc;

use serde_json::Value;

use super::super::engine::Engine;
use super::super::state::Selection;
use super::manifest::{Problem, is_in, refusal};
use crate::api::Object;
use crate::api::request::{Answer, RequestId};
use crate::api::status::StatusError;
use crate::cluster::HttpCall;
use crate::kubectl::{Apply, Manifest, apply};

/// An object of the manifest, and how far it has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub manifest: Manifest,
    pub stage: Stage,
}

/// How far an object has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
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
            Self::Unchanged | Self::Failed(_) => None,
        }
    }
}

/// Sends each object: what is there is read first, what is not is created.
pub fn send(engine: &Engine, manifests: Vec<Manifest>) -> Rc<[Sent]> {
    let send = |manifest: Manifest| {
        let stage = if engine.look(|cluster| is_in(&manifest, cluster)) {
            Stage::Reading(engine.submit(HttpCall::get(&manifest.path())))
        } else {
            create(engine, &manifest, (*manifest.object).clone())
        };
        Sent { manifest, stage }
    };
    manifests.into_iter().map(send).collect()
}

fn create(engine: &Engine, manifest: &Manifest, object: Value) -> Stage {
    let call = HttpCall::new("POST", &manifest.creates_at(), Some(object));
    Stage::Creating(engine.submit(call))
}

/// Goes on with those that have been read; none if there are none.
pub fn go_on(engine: &Engine, sent: &[Sent]) -> Option<Rc<[Sent]>> {
    let mut moved = false;
    let next = sent.iter().map(|one| {
        let stage = next_stage(engine, one);
        moved |= stage.is_some();
        Sent { manifest: one.manifest.clone(), stage: stage.unwrap_or_else(|| one.stage.clone()) }
    });
    let next: Rc<[Sent]> = next.collect();
    moved.then_some(next)
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
    /// The first object that is as its manifest says.
    pub first: Option<Selection>,
    pub refused: Vec<Problem>,
}

/// As many refusals are told.
const MOST_REFUSED: usize = 20;

impl Summary {
    /// Sums up the answers that are there.
    pub fn of(engine: &Engine, sent: &[Sent]) -> Self {
        let mut summary = Self { sent: sent.len(), ..Self::default() };
        for one in sent {
            let response = one
                .stage
                .request()
                .and_then(|id| engine.look(|cluster| cluster.answer(id).cloned()));
            let result = response.as_ref().map(|response| &response.result);
            match (&one.stage, result) {
                (Stage::Creating(_), Some(Ok(answer))) => {
                    summary.created += 1;
                    summary.succeeded(one, answer.object());
                }
                (Stage::Changing(_), Some(Ok(answer))) => {
                    summary.configured += 1;
                    summary.succeeded(one, answer.object());
                }
                (Stage::Unchanged, _) => {
                    summary.unchanged += 1;
                    summary.succeeded(one, None);
                }
                (Stage::Failed(error), _)
                | (Stage::Creating(_) | Stage::Changing(_), Some(Err(error))) => {
                    summary.failed += 1;
                    if summary.refused.len() < MOST_REFUSED {
                        summary.refused.push(refusal(error, &one.manifest.place));
                    }
                }
                (Stage::Reading(_), _) | (Stage::Creating(_) | Stage::Changing(_), None) => {}
            }
        }
        summary
    }

    /// How many are done, one way or the other.
    pub fn done(&self) -> usize {
        self.created + self.configured + self.unchanged + self.failed
    }

    fn succeeded(&mut self, sent: &Sent, stored: Option<&Object>) {
        let Manifest { kind, namespace, name, .. } = &sent.manifest;
        // The server may have made up the name.
        let name: Rc<str> = stored.map_or_else(|| Rc::clone(name), |object| object.name().into());
        if self.sent == 1 {
            self.only = Some(format!("{}/{name}", kind.resource().singular()));
        }
        self.first.get_or_insert_with(|| Selection::Object {
            kind: *kind,
            namespace: Rc::clone(namespace),
            name,
        });
    }
}
