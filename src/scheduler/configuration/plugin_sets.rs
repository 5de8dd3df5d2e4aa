//! Which plugins are enabled where: the default ones, what a profile changes in them, and how
//! `multiPoint` spreads over the extension points.
//!
//! Mirrors: `mergePlugins` of `pkg/scheduler/apis/config/v1/default_plugins.go`, and
//! `expandMultiPointPlugins` and `updatePluginList` of `pkg/scheduler/framework/runtime/framework.go`.

use std::rc::Rc;

use serde_json::Value;

use super::{PRIORITY_SORT, unprepared};
use crate::api::document::Part;
use crate::api::text::go_quote;
use crate::scheduler::args::{self, ArgsError};
use crate::scheduler::framework::{MAX_NODE_SCORE, Plugin};
use crate::scheduler::preemption::Limits;
use crate::scheduler::profile::{Preparation, Weighted};
use crate::sim::SortedMap;

/// A place in a pod's way where plugins are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    /// In a configuration.
    field: &'static str,
    /// In errors: the interface's name.
    interface: &'static str,
}

const fn point(field: &'static str, interface: &'static str) -> Point {
    Point { field, interface }
}

const PRE_FILTER: Point = point("preFilter", "PreFilterPlugin");
const FILTER: Point = point("filter", "FilterPlugin");
const POST_FILTER: Point = point("postFilter", "PostFilterPlugin");
const RESERVE: Point = point("reserve", "ReservePlugin");
const PRE_SCORE: Point = point("preScore", "PreScorePlugin");
const SCORE: Point = point("score", "ScorePlugin");
const PRE_BIND: Point = point("preBind", "PreBindPlugin");
const BIND: Point = point("bind", "BindPlugin");
const POST_BIND: Point = point("postBind", "PostBindPlugin");
const PERMIT: Point = point("permit", "PermitPlugin");
const PRE_ENQUEUE: Point = point("preEnqueue", "PreEnqueuePlugin");
const QUEUE_SORT: Point = point("queueSort", "QueueSortPlugin");

/// In the order in which upstream builds them, and so meets their mistakes.
const POINTS: [Point; 12] = [
    PRE_FILTER,
    FILTER,
    POST_FILTER,
    RESERVE,
    PRE_SCORE,
    SCORE,
    PRE_BIND,
    BIND,
    POST_BIND,
    PERMIT,
    PRE_ENQUEUE,
    QUEUE_SORT,
];

/// Every plugin in the order of the default profile, with its weight there (0: the usual one) and the
/// extension points that it has.
const PLUGINS: [(&str, i64, &[Point]); 20] = [
    (GATES, 0, &[PRE_ENQUEUE]),
    (PRIORITY_SORT, 0, &[QUEUE_SORT]),
    ("NodeUnschedulable", 0, &[FILTER]),
    ("NodeName", 0, &[FILTER]),
    ("TaintToleration", 3, &[FILTER, PRE_SCORE, SCORE]),
    ("NodeAffinity", 2, &[PRE_FILTER, FILTER, PRE_SCORE, SCORE]),
    ("NodePorts", 0, &[PRE_FILTER, FILTER]),
    ("NodeResourcesFit", 1, &[PRE_FILTER, FILTER, PRE_SCORE, SCORE]),
    ("VolumeRestrictions", 0, &[PRE_FILTER, FILTER]),
    ("NodeVolumeLimits", 0, &[PRE_FILTER, FILTER]),
    ("VolumeBinding", 0, &[PRE_FILTER, FILTER, RESERVE, PRE_SCORE, SCORE, PRE_BIND]),
    (ZONE, 0, &[PRE_FILTER, FILTER]),
    ("PodTopologySpread", 2, &[PRE_FILTER, FILTER, PRE_SCORE, SCORE]),
    ("InterPodAffinity", 2, &[PRE_FILTER, FILTER, PRE_SCORE, SCORE]),
    (DEVICES, 2, &[PRE_ENQUEUE, PRE_FILTER, FILTER, POST_FILTER, SCORE, RESERVE, PRE_BIND]),
    (PREEMPTION, 0, &[POST_FILTER, PRE_ENQUEUE]),
    ("NodeResourcesBalancedAllocation", 1, &[PRE_SCORE, SCORE]),
    ("ImageLocality", 1, &[SCORE]),
    ("DefaultBinder", 0, &[BIND]),
    (FEATURES, 0, &[PRE_FILTER, FILTER]),
];

const PREEMPTION: &str = "DefaultPreemption";
const GATES: &str = "SchedulingGates";

/// A filter that can do without its `preFilter`, which others cannot that look beyond the node.
const ZONE: &str = "VolumeZone";

const DEVICES: &str = "DynamicResources";
const FEATURES: &str = "NodeDeclaredFeatures";

/// The plugins that hold no opinion, because nothing here has what they look at: there are no devices, and no
/// kubelet here says which features it has.
const SILENT: [&str; 2] = [DEVICES, FEATURES];

/// What is enabled and what is disabled at a point.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PluginSet {
    /// The names with their weights; 0 where none is written.
    pub enabled: Vec<(String, i64)>,
    pub disabled: Vec<String>,
}

/// What a profile says of all points.
#[derive(Clone, Debug)]
pub(super) struct PluginSets {
    multi_point: PluginSet,
    /// As [`POINTS`].
    points: Vec<PluginSet>,
}

/// What a profile is made of.
#[derive(Debug)]
pub(super) struct Built {
    pub pre_enqueue: Vec<Rc<dyn Plugin>>,
    pub pre_filter: Vec<Rc<dyn Plugin>>,
    pub filter: Vec<Rc<dyn Plugin>>,
    pub score: Vec<Weighted>,
    pub reserve: Vec<Rc<dyn Plugin>>,
    pub permit: Vec<Rc<dyn Plugin>>,
    pub pre_bind: Vec<Rc<dyn Plugin>>,
    pub post_bind: Vec<Rc<dyn Plugin>>,
    pub preemption: Option<Limits>,
    pub holds_preemptors: bool,
}

impl Default for PluginSets {
    /// Those of a profile that says nothing.
    fn default() -> Self {
        Self::read(Part::of(None))
    }
}

fn has(name: &str, point: Point) -> bool {
    PLUGINS.iter().any(|(own, _, points)| *own == name && points.contains(&point))
}

impl PluginSet {
    /// What a configuration says of a point.
    pub(super) fn read(part: Part<'_>) -> Self {
        let name = |plugin: Part<'_>| plugin.at("name").text().to_owned();
        let enabled = part.at("enabled").items();
        let weight = |plugin: Part<'_>| plugin.at("weight").number().unwrap_or_default();
        Self {
            enabled: enabled.map(|plugin| (name(plugin), weight(plugin))).collect(),
            disabled: part.at("disabled").items().map(name).collect(),
        }
    }

    fn disables(&self, name: &str) -> bool {
        self.disabled.iter().any(|one| one == name || one == "*")
    }

    /// The default plugins with what is said of them here: others follow.
    fn merged(self) -> Self {
        let mut own: Vec<Option<(String, i64)>> = self.enabled.iter().cloned().map(Some).collect();
        let mut enabled = Vec::new();
        for (name, weight, _) in PLUGINS.iter().filter(|(name, ..)| !self.disables(name)) {
            // Of several of one name the last counts; the others are found to be too many later.
            let replaced = own.iter_mut().rfind(|one| one.as_ref().is_some_and(|it| it.0 == *name));
            let replaced = replaced.and_then(Option::take);
            enabled.push(replaced.unwrap_or_else(|| ((*name).to_owned(), *weight)));
        }
        enabled.extend(own.into_iter().flatten());
        Self { enabled, disabled: self.disabled }
    }
}

impl PluginSets {
    /// What the `plugins` of a profile say, added to the default ones.
    pub(super) fn read(plugins: Part<'_>) -> Self {
        Self {
            multi_point: PluginSet::read(plugins.at("multiPoint")).merged(),
            points: POINTS.iter().map(|it| PluginSet::read(plugins.at(it.field))).collect(),
        }
    }

    /// The plugins of a profile called `name`, made with the arguments that are given.
    ///
    /// # Errors
    ///
    /// A plugin is not there, not of that point, there twice, or does not take its arguments.
    pub(super) fn built(
        &self,
        args: &SortedMap<&str, &Value>,
        name: &str,
    ) -> Result<Built, String> {
        let made = self.made(args)?;
        for (set, point) in self.points.iter().zip(POINTS) {
            check(set, point)?;
        }
        let mut at = Vec::with_capacity(POINTS.len());
        for (set, point) in self.points.iter().zip(POINTS) {
            at.push((point, self.expanded(set, point)?));
        }
        let names = |wanted: Point| -> &[String] {
            at.iter().find(|(point, _)| *point == wanted).map_or(&[], |(_, names)| names)
        };
        let scheduler = go_quote(name);
        if names(QUEUE_SORT).len() != 1 {
            let count = names(QUEUE_SORT).len();
            return Err(format!(
                "only one queue sort plugin required for profile with scheduler name {scheduler}, \
                 but got {count}"
            ));
        }
        if names(BIND).is_empty() {
            return Err(format!(
                "at least one bind plugin is needed for profile with scheduler name {scheduler}"
            ));
        }
        let plugins = |point| -> Vec<Rc<dyn Plugin>> {
            names(point).iter().filter_map(|name| made.get(&name.as_str()).map(Rc::clone)).collect()
        };
        let weights = self.weights()?;
        let is_at = |point: Point, name: &str| names(point).iter().any(|own| own == name);
        let weighted = |plugin: Rc<dyn Plugin>| {
            let name = plugin.name();
            let weight = weights.get(&name).copied().unwrap_or(1);
            let is_prepared = !has(name, PRE_SCORE) || is_at(PRE_SCORE, name);
            let by_others = Preparation::PreScore;
            let prepared_by = if is_prepared { by_others } else { unprepared::score(name) };
            Weighted { plugin, weight, prepared_by }
        };
        let filter = |plugin: Rc<dyn Plugin>| {
            let name = plugin.name();
            let is_prepared = !has(name, PRE_FILTER) || is_at(PRE_FILTER, name) || name == ZONE;
            if is_prepared { plugin } else { unprepared::filter(plugin) }
        };
        let mut pre_filter = plugins(PRE_FILTER);
        if is_at(FILTER, ZONE) && !is_at(PRE_FILTER, ZONE) {
            // It finds out in its filter what it does not know.
            pre_filter.extend(made.get(&ZONE).map(Rc::clone));
        }
        let limits = || {
            let given = args.get(&PREEMPTION).copied().unwrap_or(&Value::Null);
            args::limits(given).map_err(|error| failed(PREEMPTION, &error))
        };
        Ok(Built {
            pre_enqueue: plugins(PRE_ENQUEUE),
            pre_filter,
            filter: plugins(FILTER).into_iter().map(filter).collect(),
            score: plugins(SCORE).into_iter().map(weighted).collect(),
            reserve: plugins(RESERVE),
            permit: plugins(PERMIT),
            pre_bind: plugins(PRE_BIND),
            post_bind: plugins(POST_BIND),
            preemption: is_at(POST_FILTER, PREEMPTION).then(limits).transpose()?,
            holds_preemptors: is_at(PRE_ENQUEUE, PREEMPTION),
        })
    }

    /// Every plugin that is enabled somewhere and is asked of pods or of nodes, by name.
    fn made(
        &self,
        args: &SortedMap<&str, &Value>,
    ) -> Result<SortedMap<&'static str, Rc<dyn Plugin>>, String> {
        let mut made = SortedMap::new();
        for (name, ..) in PLUGINS.iter().filter(|(name, ..)| self.needs(name)) {
            if is_asked(name) {
                let given = args.get(name).copied().unwrap_or(&Value::Null);
                let plugin = args::plugin(name, given).map_err(|error| failed(name, &error))?;
                made.insert(*name, plugin.into());
            }
        }
        Ok(made)
    }

    fn needs(&self, name: &str) -> bool {
        let sets = self.points.iter().chain([&self.multi_point]);
        sets.flat_map(|set| &set.enabled).any(|(own, _)| own == name)
    }

    /// The plugins of a point: first those of `multiPoint` that the point names too, in its order,
    /// then the rest of those, then the point's own.
    fn expanded(&self, set: &PluginSet, point: Point) -> Result<Vec<String>, String> {
        let own = || set.enabled.iter().map(|(name, _)| name.clone());
        if set.disabled.iter().any(|name| name == "*") {
            return Ok(own().collect());
        }
        let mut spread: Vec<String> = Vec::new();
        let mut named: Vec<&str> = Vec::new();
        for (name, _) in &self.multi_point.enabled {
            if !PLUGINS.iter().any(|(own, ..)| own == name) {
                return Err(format!("{} {} does not exist", point.interface, go_quote(name)));
            }
            if !has(name, point) || set.disables(name) {
                continue;
            }
            if set.enabled.iter().any(|(own, _)| own == name) {
                named.push(name);
            } else if spread.contains(name) {
                return Err(twice(name, point));
            } else {
                spread.push(name.clone());
            }
        }
        let (first, last): (Vec<String>, Vec<String>) =
            own().partition(|name| named.contains(&name.as_str()));
        Ok(first.into_iter().chain(spread).chain(last).collect())
    }

    /// How much the scores of each plugin count.
    fn weights(&self) -> Result<SortedMap<&str, i64>, String> {
        let (mut weights, mut total) = (SortedMap::new(), 0_i64);
        let scoring = POINTS.iter().zip(&self.points).find(|(point, _)| **point == SCORE);
        let sets = scoring.map(|(_, set)| set).into_iter().chain([&self.multi_point]);
        for (name, weight) in sets.flat_map(|set| &set.enabled) {
            if !has(name, SCORE) || weights.get(&name.as_str()).is_some() {
                continue;
            }
            let weight = if *weight == 0 { 1 } else { *weight };
            let sum = weight.checked_mul(MAX_NODE_SCORE).and_then(|it| total.checked_add(it));
            total = sum.ok_or("total score of Score plugins could overflow")?;
            weights.insert(name.as_str(), weight);
        }
        Ok(weights)
    }
}

/// Whether the plugin says something of pods or of nodes.
fn is_asked(name: &str) -> bool {
    name == GATES || (has(name, FILTER) || has(name, SCORE)) && !SILENT.contains(&name)
}

/// Whether all that a point names is there and of that point, once each.
fn check(set: &PluginSet, point: Point) -> Result<(), String> {
    for (index, (name, _)) in set.enabled.iter().enumerate() {
        if !PLUGINS.iter().any(|(own, ..)| own == name) {
            return Err(format!("{} {} does not exist", point.interface, go_quote(name)));
        }
        if !has(name, point) {
            let interface = point.interface;
            return Err(format!("plugin {} does not extend {interface} plugin", go_quote(name)));
        }
        if set.enabled.iter().take(index).any(|(other, _)| other == name) {
            return Err(twice(name, point));
        }
    }
    Ok(())
}

fn failed(name: &str, error: &ArgsError) -> String {
    format!("initializing plugin {}: {error}", go_quote(name))
}

fn twice(name: &str, point: Point) -> String {
    format!("plugin {} already registered as {}", go_quote(name), go_quote(point.interface))
}
