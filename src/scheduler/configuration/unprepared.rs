//! Plugins that are asked of nodes while the point that prepares them is switched off.
//!
//! Mirrors: what the plugins of `pkg/scheduler/framework/plugins` do that find nothing in the cycle's state.

use std::rc::Rc;

use crate::scheduler::framework::{CycleState, Plugin, Verdict};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::profile::Preparation;

/// What filters say without their `preFilter`; the others do without.
const FILTERS: [(&str, &str); 6] = [
    ("NodePorts", "reading \"PreFilterNodePorts\" from cycleState: not found"),
    ("NodeResourcesFit", "error reading \"PreFilterNodeResourcesFit\" from cycleState: not found"),
    ("VolumeRestrictions", "cannot read \"PreFilterVolumeRestrictions\" from cycleState"),
    ("VolumeBinding", "not found"),
    ("PodTopologySpread", "reading \"PreFilterPodTopologySpread\" from cycleState: not found"),
    ("InterPodAffinity", "error reading \"PreFilterInterPodAffinity\" from cycleState: not found"),
];

/// What plugins say that are to score without their `preScore`; the others do without.
const SCORERS: [(&str, &str); 3] = [
    ("TaintToleration", "failed to read \"PreScoreTaintToleration\" from cycleState: not found"),
    ("PodTopologySpread", "error reading \"PreScorePodTopologySpread\" from cycleState: not found"),
    ("InterPodAffinity", "failed to read \"PreScoreInterPodAffinity\" from cycleState: not found"),
];

fn words(of: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    of.iter().find(|(own, _)| *own == name).map(|(_, words)| *words)
}

/// A filter that cannot tell.
struct Unprepared {
    name: &'static str,
    words: &'static str,
}

impl Plugin for Unprepared {
    fn name(&self) -> &'static str {
        self.name
    }

    fn looks_at_node_only(&self) -> bool {
        true
    }

    fn filter(&self, _pod: &PodInfo, _state: &CycleState, _node: &NodeInfo) -> Verdict {
        Verdict::error(self.words)
    }
}

/// What filters in place of `plugin`, whose `preFilter` is switched off.
pub(super) fn filter(plugin: Rc<dyn Plugin>) -> Rc<dyn Plugin> {
    let name = plugin.name();
    words(&FILTERS, name).map_or(plugin, |words| Rc::new(Unprepared { name, words }))
}

/// Who prepares the plugin called `name` to score, whose `preScore` is switched off.
pub(super) fn score(name: &str) -> Preparation {
    words(&SCORERS, name).map_or(Preparation::Itself, Preparation::Nobody)
}
