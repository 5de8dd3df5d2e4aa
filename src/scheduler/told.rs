//! What a decision tells of the nodes.
//!
//! It is kept for each pod and looked at by people only, so it is kept as it comes, and becomes a
//! verdict for each node when somebody asks.

use std::rc::Rc;

use super::decision::{NodeVerdict, Score};
use super::evaluations::Refusal;

/// The names of nodes, by their places.
pub type Names = Rc<Vec<Rc<str>>>;

/// What was said of nodes.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub names: Names,
    /// The places of nodes that can take the pod.
    pub feasible: Vec<usize>,
    /// The scores of those, by plugin; none where there was nothing to choose.
    pub columns: Vec<Column>,
    /// The places of nodes that cannot, and why.
    pub refused: Vec<(usize, Refusal)>,
}

/// What one plugin gave each node that can take the pod: one number may stand for equal ones.
#[derive(Clone, Debug)]
pub struct Column {
    pub plugin: &'static str,
    pub weight: i64,
    pub raw: Vec<i64>,
    /// None where they are as the raw ones.
    pub normalized: Option<Vec<i64>>,
}

fn number(numbers: &[i64], at: usize) -> i64 {
    numbers.get(at).or(numbers.first()).copied().unwrap_or_default()
}

impl Column {
    /// The scores as they count.
    pub fn normalized(&self) -> &[i64] {
        self.normalized.as_ref().unwrap_or(&self.raw)
    }

    /// What it gave the node that is the one of that number among them.
    fn score(&self, at: usize) -> Score {
        let (raw, normalized) = (number(&self.raw, at), number(self.normalized(), at));
        let weight = self.weight;
        Score { plugin: self.plugin, raw, normalized, weight, weighted: normalized * weight }
    }

    /// The part of it about some of the nodes.
    pub fn of(&self, some: &[usize]) -> Self {
        let part = |numbers: &Vec<i64>| match numbers.split_first() {
            Some((first, rest)) if rest.iter().any(|other| other != first) => {
                some.iter().map(|at| number(numbers, *at)).collect()
            }
            Some((first, _)) => vec![*first],
            None => Vec::new(),
        };
        Self { raw: part(&self.raw), normalized: self.normalized.as_ref().map(part), ..*self }
    }
}

impl Told {
    /// Of how many nodes it tells.
    pub fn len(&self) -> usize {
        self.feasible.len() + self.refused.len()
    }

    /// Whether it tells of none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was said of each node: first of those that can take the pod, in the order in which they were
    /// looked at.
    pub fn iter(&self) -> impl Iterator<Item = NodeVerdict> {
        let name = |at: usize| self.names.get(at).map(Rc::clone).unwrap_or_default();
        let mut latest: Rc<[Score]> = Rc::default();
        let feasible = self.feasible.iter().enumerate().map(move |(at, place)| {
            let scores = || self.columns.iter().map(|column| column.score(at));
            if !latest.iter().copied().eq(scores()) {
                latest = scores().collect();
            }
            let (scores, total) = (Rc::clone(&latest), scores().map(|score| score.weighted).sum());
            NodeVerdict { node: name(*place), filtered_by: None, scores, total }
        });
        let refused = self.refused.iter().map(move |(place, refusal)| NodeVerdict {
            node: name(*place),
            filtered_by: Some(Rc::clone(refusal)),
            scores: Rc::default(),
            total: 0,
        });
        feasible.chain(refused)
    }
}

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// As verdicts would be told, each with scores of the same plugins.
#[cfg(test)]
impl From<Vec<NodeVerdict>> for Told {
    fn from(verdicts: Vec<NodeVerdict>) -> Self {
        let names = verdicts.iter().map(|verdict| Rc::clone(&verdict.node)).collect();
        let mut told = Self { names: Rc::new(names), ..Self::default() };
        for (at, verdict) in verdicts.into_iter().enumerate() {
            if let Some(refusal) = verdict.filtered_by {
                told.refused.push((at, refusal));
                continue;
            }
            told.feasible.push(at);
            for (number, score) in verdict.scores.iter().enumerate() {
                if told.columns.len() == number {
                    let (raw, normalized) = (Vec::new(), Some(Vec::new()));
                    let (plugin, weight) = (score.plugin, score.weight);
                    told.columns.push(Column { plugin, weight, raw, normalized });
                }
                told.columns[number].raw.push(score.raw);
                let normalized = &mut told.columns[number].normalized;
                normalized.as_mut().unwrap().push(score.normalized);
            }
        }
        told
    }
}
