//! Why a Pod is where it is, or nowhere: the scheduler's table.

use std::rc::Rc;

use crate::api::Pod;
use crate::cluster::Cluster;

/// What the scheduler thought, node by node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The node it chose.
    pub chosen: Option<Rc<str>>,
    /// The plugins that give scores, in their order, each with its weight.
    pub plugins: Vec<(Rc<str>, i64)>,
    /// The best first, then those that do not fit.
    pub rows: Vec<WhyRow>,
    /// The whole in the scheduler's words, where it found no node.
    pub message: Option<Rc<str>>,
}

/// What it thought of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyRow {
    pub node: Rc<str>,
    pub verdict: NodeVerdict,
}

/// Whether a node would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeVerdict {
    /// With the weighted score of each plugin.
    Fits { scores: Vec<i64> },
    /// With the plugin that refused it and its reasons.
    Refused { plugin: Rc<str>, reasons: Rc<str> },
}

impl WhyRow {
    /// The sum of its scores; none if it does not fit.
    pub fn total(&self) -> Option<i64> {
        match &self.verdict {
            NodeVerdict::Fits { scores } => Some(scores.iter().sum()),
            NodeVerdict::Refused { .. } => None,
        }
    }
}

impl Why {
    /// What the scheduler last thought of `pod`, if it still knows.
    pub fn of(_cluster: &Cluster, _pod: &Pod) -> Option<Self> {
        None
    }

    /// Puts the best first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let chosen = self.chosen.clone();
        self.rows.sort_by_key(|row| {
            (chosen.as_ref() != Some(&row.node), std::cmp::Reverse(row.total()))
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_node_comes_first_and_the_refused_last() {
        let fits = |node: &str, score| WhyRow {
            node: node.into(),
            verdict: NodeVerdict::Fits { scores: vec![score, 1] },
        };
        let verdict = NodeVerdict::Refused { plugin: "NodeName".into(), reasons: "no".into() };
        let rows = vec![
            WhyRow { node: "n0".into(), verdict },
            fits("n1", 40),
            fits("n2", 90),
            fits("n3", 90),
        ];
        let why = Why { chosen: Some("n3".into()), rows, ..Why::default() }.sorted();
        let order: Vec<_> = why.rows.iter().map(|row| (&*row.node, row.total())).collect();
        assert_eq!(order, [("n3", Some(91)), ("n2", Some(91)), ("n1", Some(41)), ("n0", None)]);
    }
}
