//! Why a Pod is where it is, or nowhere: the scheduler's table.

use std::cmp::Reverse;
use std::rc::Rc;

use crate::api::Pod;
use crate::cluster::Cluster;
use crate::scheduler::helps::{Change, Help, helps};
use crate::scheduler::node_info::PodInfo;
use crate::scheduler::preemption::priority;
use crate::scheduler::{Decision, Score};
use crate::sim::sort;

/// Of as many nodes what would help is worked out.
const MOST_HELPS: usize = 16;

/// Up to so many nodes each have a row of their own.
const FEW: usize = 12;

/// What the scheduler thought, node by node.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    pub decision: Rc<Decision>,
    /// The plugins that gave scores, in their order, with their weights.
    pub plugins: Vec<(&'static str, i64)>,
    /// The best first, then those that do not fit. Of many nodes, those of which the same was said share
    /// a row.
    pub rows: Vec<WhyRow>,
    /// The attempts that are kept, oldest first; this one is among them.
    pub attempts: Vec<Rc<Decision>>,
    /// What would help a Pod that still waits, each change with the nodes that it is enough for.
    pub helps: Vec<(Change, Vec<Rc<str>>)>,
}

/// What it thought of a node, or of some that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyRow {
    pub nodes: Vec<Rc<str>>,
    pub verdict: NodeVerdict,
}

/// Whether a node would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeVerdict {
    /// With the scores of each plugin; none where there was nothing to choose.
    Fits { scores: Rc<[Score]> },
    /// With the plugin that refused it, its reasons, and who would have to go.
    Refused { plugin: &'static str, reasons: String, room: Option<Room> },
}

/// What it would cost to have a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The names of the Pods that would have to go, with their priorities.
    pub victims: Vec<(Rc<str>, i32)>,
    /// How many of them a disruption budget protects.
    pub violations: usize,
    /// Whether they are told to.
    pub is_made: bool,
}

impl Room {
    fn of(decision: &Decision, node: &str) -> Option<Self> {
        let mut candidates = decision.candidates.iter();
        let at = candidates.position(|candidate| *candidate.node == *node)?;
        let candidate = decision.candidates.get(at)?;
        let name = |victim: &Rc<PodInfo>| victim.pod.metadata.name.clone().unwrap_or_default();
        Some(Self {
            victims: candidate.victims.iter().map(|it| (name(it), priority(it))).collect(),
            violations: candidate.violations,
            is_made: at == 0,
        })
    }
}

/// What the rows are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    #[default]
    Total,
    Node,
    /// One of the plugins.
    Plugin(usize),
}

impl WhyRow {
    /// The sum of its scores; none if it does not fit.
    pub fn total(&self) -> Option<i64> {
        match &self.verdict {
            NodeVerdict::Fits { scores } => Some(scores.iter().map(|score| score.weighted).sum()),
            NodeVerdict::Refused { .. } => None,
        }
    }

    /// What the plugin numbered `at` gave it.
    fn score(&self, at: usize) -> Option<i64> {
        match &self.verdict {
            NodeVerdict::Fits { scores } => scores.get(at).map(|score| score.weighted),
            NodeVerdict::Refused { .. } => None,
        }
    }

    /// Whether a node is among its nodes.
    pub fn has(&self, node: Option<&Rc<str>>) -> bool {
        node.is_some_and(|node| self.nodes.contains(node))
    }
}

impl Why {
    /// What the scheduler last thought of `pod`, if it still knows.
    pub fn of(cluster: &Cluster, pod: &Pod) -> Option<Self> {
        let (namespace, name) = pod.key();
        let decisions = cluster.scheduler().decisions(namespace, name).iter();
        // Others are of an earlier Pod of that name.
        let own = decisions.filter(|one| pod.metadata.uid.as_deref() == Some(&one.uid));
        let attempts: Vec<Rc<Decision>> = own.map(Rc::clone).collect();
        let latest = attempts.last().map(Rc::clone)?;
        Some(Self { attempts, ..Self::with_helps(cluster, pod, latest) })
    }

    /// What the scheduler thought at an earlier attempt.
    #[must_use]
    pub fn at(&self, attempt: Rc<Decision>) -> Self {
        Self { attempts: self.attempts.clone(), ..Self::from(attempt) }
    }

    /// The same with all nodes that were looked at.
    #[must_use]
    pub fn in_full(&self, decision: Rc<Decision>) -> Self {
        let (helps, attempts) = (self.helps.clone(), self.attempts.clone());
        Self { attempts, helps, ..Self::from(decision) }
    }

    /// The node where others are told to go, and what that costs.
    pub fn room(&self) -> Option<(&Rc<str>, Room)> {
        let node = &self.decision.candidates.first()?.node;
        Some((node, Room::of(&self.decision, node)?))
    }

    /// A decision about a pod, with what would help where it found no node.
    pub fn with_helps(cluster: &Cluster, pod: &Pod, decision: Rc<Decision>) -> Self {
        let mut why = Self::from(decision);
        let scheduler = cluster.scheduler();
        if let Some((_, profile)) = scheduler.profile(pod)
            && why.decision.chosen.is_none()
            && pod.node_name.is_none()
        {
            let info = PodInfo::new(Rc::new(pod.clone()));
            why.helps = by_change(helps(profile, &info, scheduler.cache(), MOST_HELPS));
        }
        why
    }

    /// How many of the nodes that were looked at are not told of.
    pub fn untold(&self) -> usize {
        let Decision { nodes, feasible, refused, .. } = &*self.decision;
        (feasible + refused).saturating_sub(nodes.len())
    }

    /// The rows in the order of a column: the highest scores first, nodes by name. The chosen node stays
    /// above.
    pub fn ordered(&self, by: Column) -> Vec<&WhyRow> {
        let mut rows: Vec<&WhyRow> = self.rows.iter().collect();
        sort::by_key(&mut rows, |&row| {
            let score = match by {
                Column::Total => row.total(),
                Column::Node => None,
                Column::Plugin(at) => row.score(at),
            };
            let name = row.nodes.first().map(|name| in_order(name));
            // Then those that could be had, of which room is made on the first.
            let room = match &row.verdict {
                NodeVerdict::Refused { room: Some(room), .. } if by != Column::Node => {
                    1 + usize::from(room.is_made)
                }
                NodeVerdict::Refused { .. } | NodeVerdict::Fits { .. } => 0,
            };
            // Of those that were refused first what keeps the pod from most of them.
            let alike = if score.is_none() && by != Column::Node { row.nodes.len() } else { 0 };
            (!row.has(self.decision.chosen.as_ref()), Reverse((score, room, alike)), name)
        });
        rows
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
        sort::by(nodes, |one, other| in_order(one).cmp(&in_order(other)));
    }
    grouped
}

/// By what names are put in order: `node-2` comes before `node-10`.
fn in_order(name: &str) -> (&str, usize, &str) {
    (name.trim_end_matches(|letter: char| letter.is_ascii_digit()), name.len(), name)
}

impl From<Rc<Decision>> for Why {
    fn from(decision: Rc<Decision>) -> Self {
        let scored = decision.nodes.iter().find(|node| !node.scores.is_empty());
        let plugin = |score: &Score| (score.plugin, score.weight);
        let plugins = scored.map(|node| node.scores.iter().map(plugin).collect());
        let groups = decision.nodes.len() > FEW;
        let mut rows: Vec<WhyRow> = Vec::new();
        for node in decision.nodes.iter() {
            let verdict = match node.filtered_by.as_deref() {
                Some((plugin, verdict)) => NodeVerdict::Refused {
                    plugin,
                    reasons: verdict.reasons.join(", "),
                    room: Room::of(&decision, &node.node),
                },
                None => NodeVerdict::Fits { scores: node.scores },
            };
            let chosen = decision.chosen.as_ref();
            let alike = rows.iter_mut().find(|row| {
                groups && row.verdict == verdict && chosen != Some(&node.node) && !row.has(chosen)
            });
            match alike {
                Some(row) => row.nodes.push(Rc::clone(&node.node)),
                None => rows.push(WhyRow { nodes: vec![Rc::clone(&node.node)], verdict }),
            }
        }
        // Where very many nodes were looked at, these may not be among those that are told of.
        for candidate in &decision.candidates {
            let node = &candidate.node;
            if !rows.iter().any(|row| row.has(Some(node))) {
                let (plugin, reasons, room) = ("", String::new(), Room::of(&decision, node));
                let verdict = NodeVerdict::Refused { plugin, reasons, room };
                rows.push(WhyRow { nodes: vec![Rc::clone(node)], verdict });
            }
        }
        let (plugins, attempts) = (plugins.unwrap_or_default(), vec![Rc::clone(&decision)]);
        Self { plugins, rows, attempts, helps: Vec::new(), decision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler as decision;
    use crate::scheduler::framework::Verdict;
    use crate::scheduler::preemption::Candidate;
    use crate::sim::Instant;

    #[test]
    fn nodes_that_the_same_change_helps_stand_together() {
        let help = |node: &str, change| Help { node: node.into(), change };
        let tolerate = || Change::Tolerate(vec!["gpu:NoSchedule".into()]);
        let helps = vec![
            help("n10", Change::Uncordon),
            help("n3", Change::Uncordon),
            help("n2", tolerate()),
            help("n1", Change::Uncordon),
        ];
        let want = vec![
            (Change::Uncordon, vec!["n1".into(), "n3".into(), "n10".into()]),
            (tolerate(), vec!["n2".into()]),
        ];
        assert_eq!(by_change(helps), want);
    }

    fn decided(nodes: Vec<decision::NodeVerdict>, chosen: &str) -> Why {
        let refused = nodes.iter().filter(|node| node.filtered_by.is_some()).count();
        Why::from(Rc::new(Decision {
            pod: ("default".into(), "web".into()),
            uid: "u".into(),
            at: Instant::ZERO,
            message: None,
            feasible: nodes.len() - refused + 7,
            refused,
            nodes: nodes.into(),
            chosen: Some(chosen.into()),
            was_nominated: false,
            candidates: Vec::new(),
            tied: 1,
        }))
    }

    fn fits(node: &str, first: i64, second: i64) -> decision::NodeVerdict {
        let score =
            |plugin, weighted| Score { plugin, raw: 0, normalized: weighted, weight: 1, weighted };
        decision::NodeVerdict {
            node: node.into(),
            filtered_by: None,
            scores: Rc::new([score("A", first), score("B", second)]),
            total: first + second,
        }
    }

    fn refused(node: &str) -> decision::NodeVerdict {
        let filtered_by = Some(Rc::new(("NodeName", Verdict::unschedulable("no"))));
        decision::NodeVerdict { filtered_by, scores: Rc::default(), ..fits(node, 0, 0) }
    }

    #[test]
    fn the_chosen_node_comes_first_and_the_refused_last() {
        let nodes = vec![refused("n0"), fits("n1", 40, 9), fits("n2", 90, 1), fits("n3", 90, 1)];
        let why = decided(nodes, "n3");
        let order =
            |by| -> Vec<String> { why.ordered(by).iter().map(|row| row.nodes.join(" ")).collect() };
        assert_eq!(order(Column::Total), ["n3", "n2", "n1", "n0"]);
        assert_eq!(order(Column::Plugin(1)), ["n3", "n1", "n2", "n0"]);
        assert_eq!(order(Column::Node), ["n3", "n0", "n1", "n2"]);
        assert_eq!(why.untold(), 7);
    }

    #[test]
    fn nodes_that_could_be_had_come_before_others_and_first_the_one_that_is_emptied() {
        let candidate = |node: &str| Rc::new(Candidate::new(node.into(), Vec::new(), 0));
        let mut decision =
            (*decided(vec![refused("n1"), refused("n2"), refused("n3")], "").decision).clone();
        decision.chosen = None;
        decision.candidates = vec![candidate("n3"), candidate("n2"), candidate("n9")];
        let why = Why::from(Rc::new(decision));
        let rows = why.ordered(Column::Total);
        let names: Vec<_> = rows.iter().map(|row| row.nodes.join(" ")).collect();
        assert_eq!(names, ["n3", "n2", "n9", "n1"]);
        let (node, room) = why.room().unwrap();
        assert_eq!((&**node, room.is_made), ("n3", true));
    }

    #[test]
    fn of_many_nodes_those_of_which_the_same_was_said_share_a_row() {
        let other = Rc::new(("NodePorts", Verdict::unschedulable("neither")));
        let names: Vec<String> = (10..40).map(|number| format!("n{number}")).collect();
        let verdict = |(at, name): (usize, &String)| match (at, at % 3) {
            (7, _) => {
                decision::NodeVerdict { filtered_by: Some(Rc::clone(&other)), ..refused(name) }
            }
            (_, 0) => refused(name),
            (_, 1) => fits(name, 10, 0),
            _ => fits(name, 20, 0),
        };
        let why = decided(names.iter().enumerate().map(verdict).collect(), "n12");
        let rows = why.ordered(Column::Total);
        let counts: Vec<_> = rows.iter().map(|row| (row.nodes.len(), row.total())).collect();
        assert_eq!(counts, [(1, Some(20)), (9, Some(20)), (9, Some(10)), (10, None), (1, None)]);
        assert!(rows[0].has(Some(&"n12".into())));
    }
}
