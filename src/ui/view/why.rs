//! Why a Pod is where it is, or nowhere: the scheduler's table.

use std::rc::Rc;

use crate::api::Pod;
use crate::cluster::Cluster;
use crate::scheduler::Decision;
use crate::scheduler::helps::{Change, Help, helps};
use crate::scheduler::node_info::PodInfo;
use crate::sim::sort;

/// Of as many nodes what would help is worked out.
const MOST_HELPS: usize = 16;

/// What the scheduler thought, node by node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The node it chose.
    pub chosen: Option<Rc<str>>,
    /// The plugins that gave scores, in their order.
    pub plugins: Vec<&'static str>,
    /// The best first, then those that do not fit.
    pub rows: Vec<WhyRow>,
    /// The whole in the scheduler's words, where it found no node.
    pub message: Option<Rc<str>>,
    /// What would help a Pod that still waits, each change with the nodes that it is enough for.
    pub helps: Vec<(Change, Vec<Rc<str>>)>,
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
    Refused { plugin: &'static str, reasons: String },
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
    pub fn of(cluster: &Cluster, pod: &Pod) -> Option<Self> {
        let (namespace, name) = pod.key();
        let decision = cluster.decision(namespace, name)?;
        // Of an earlier Pod of that name.
        if pod.metadata.uid.as_deref() != Some(&decision.uid) {
            return None;
        }
        let mut why = Self::from(&**decision);
        let scheduler = cluster.scheduler();
        if let Some((_, profile)) = scheduler.profile(pod)
            && why.chosen.is_none()
            && pod.node_name.is_none()
        {
            let info = PodInfo::new(Rc::new(pod.clone()));
            why.helps = by_change(helps(profile, &info, scheduler.cache(), MOST_HELPS));
        }
        Some(why)
    }

    /// Puts the best first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let chosen = self.chosen.clone();
        sort::by_key(&mut self.rows, |row| {
            (chosen.as_ref() != Some(&row.node), std::cmp::Reverse(row.total()))
        });
        self
    }
}

fn by_change(helps: Vec<Help>) -> Vec<(Change, Vec<Rc<str>>)> {
    let mut grouped: Vec<(Change, Vec<Rc<str>>)> = Vec::new();
    for Help { node, change } in helps {
        match grouped.iter_mut().find(|(known, _)| *known == change) {
            Some((_, nodes)) => nodes.push(node),
            None => grouped.push((change, vec![node])),
        }
    }
    for (_, nodes) in &mut grouped {
        sort::by(nodes, Ord::cmp);
    }
    grouped
}

impl From<&Decision> for Why {
    fn from(decision: &Decision) -> Self {
        let scored = decision.nodes.iter().find(|node| !node.scores.is_empty());
        let plugins = scored.map(|node| node.scores.iter().map(|score| score.plugin).collect());
        let rows = decision.nodes.iter().map(|node| {
            let verdict = match &node.filtered_by {
                Some((plugin, verdict)) => {
                    NodeVerdict::Refused { plugin, reasons: verdict.reasons.join(", ") }
                }
                None => NodeVerdict::Fits {
                    scores: node.scores.iter().map(|score| score.weighted).collect(),
                },
            };
            WhyRow { node: Rc::clone(&node.node), verdict }
        });
        let why = Self {
            chosen: decision.chosen.clone(),
            plugins: plugins.unwrap_or_default(),
            rows: rows.collect(),
            message: decision.message.clone(),
            helps: Vec::new(),
        };
        why.sorted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_the_same_change_helps_stand_together() {
        let help = |node: &str, change| Help { node: node.into(), change };
        let tolerate = || Change::Tolerate(vec!["gpu:NoSchedule".into()]);
        let helps = vec![
            help("n3", Change::Uncordon),
            help("n2", tolerate()),
            help("n1", Change::Uncordon),
        ];
        let want = vec![
            (Change::Uncordon, vec!["n1".into(), "n3".into()]),
            (tolerate(), vec!["n2".into()]),
        ];
        assert_eq!(by_change(helps), want);
    }

    #[test]
    fn the_chosen_node_comes_first_and_the_refused_last() {
        let fits = |node: &str, score| WhyRow {
            node: node.into(),
            verdict: NodeVerdict::Fits { scores: vec![score, 1] },
        };
        let verdict = NodeVerdict::Refused { plugin: "NodeName", reasons: "no".into() };
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
