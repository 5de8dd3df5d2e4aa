//! What came of the objects that were sent.

use std::rc::Rc;

use super::super::engine::Engine;
use super::manifest::{Problem, refusal};
use crate::api::decode::Place;
use crate::api::request::{Answer, RequestId};

/// An object that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub id: RequestId,
    pub reference: Rc<str>,
    pub place: Rc<Place>,
}

/// How far they are by now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub sent: usize,
    pub created: usize,
    pub failed: usize,
    /// If there was one object and it is created, how it is called.
    pub only: Option<String>,
    pub refused: Vec<Problem>,
}

/// As many refusals are told.
const MOST_REFUSED: usize = 20;

/// Sums up the answers that are there.
pub fn summary(engine: &Engine, sent: &[Sent]) -> Summary {
    let mut summary = Summary { sent: sent.len(), ..Summary::default() };
    engine.look(|cluster| {
        for out in sent {
            let Some(answer) = cluster.answer(out.id) else { continue };
            match &answer.result {
                Ok(answer) => {
                    summary.created += 1;
                    if let (Answer::Created(object), 1) = (answer, sent.len()) {
                        let singular = object.kind().resource().singular();
                        summary.only = Some(format!("{singular}/{}", object.name()));
                    }
                }
                Err(error) => {
                    summary.failed += 1;
                    if summary.refused.len() < MOST_REFUSED {
                        summary.refused.push(refusal(error, &out.place));
                    }
                }
            }
        }
    });
    summary
}
