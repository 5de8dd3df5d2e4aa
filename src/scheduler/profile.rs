//! A profile: which plugins decide about the pods that name it, and how much each counts.
//!
//! Mirrors: `pkg/scheduler/profile` and `frameworkImpl` of `pkg/scheduler/framework/runtime`.

use std::rc::Rc;

use super::framework::{Plugin, Verdict};
use super::preemption::Limits;
use crate::api::Pod;

/// Who sees to it that a plugin can score: its `PreScore` may be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// `PreScore`, which may find that the plugin has no scores to give.
    PreScore,
    /// The plugin itself, when it is asked.
    Itself,
    /// Nobody: it fails with these words.
    Nobody(&'static str),
}

/// A plugin that scores nodes, and how much its scores count.
#[derive(Clone, Debug)]
pub struct Weighted {
    pub plugin: Rc<dyn Plugin>,
    pub weight: i64,
    pub prepared_by: Preparation,
}

/// Which plugins run at each extension point, in order. The points that only one plugin has (`QueueSort`,
/// `Bind`) are not in it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The `schedulerName` by which pods choose it.
    pub name: Rc<str>,
    /// `PreEnqueue`, without what holds preemptors back.
    pub pre_enqueue: Vec<Rc<dyn Plugin>>,
    /// `PreFilter`.
    pub pre_filter: Vec<Rc<dyn Plugin>>,
    /// `Filter`.
    pub filter: Vec<Rc<dyn Plugin>>,
    /// `PreScore` and `Score`.
    pub score: Vec<Weighted>,
    /// `Reserve`.
    pub reserve: Vec<Rc<dyn Plugin>>,
    /// `Permit`.
    pub permit: Vec<Rc<dyn Plugin>>,
    /// `PreBind`.
    pub pre_bind: Vec<Rc<dyn Plugin>>,
    /// `PostBind`.
    pub post_bind: Vec<Rc<dyn Plugin>>,
    /// `PostFilter`: none if no pod makes room for another.
    pub preemption: Option<Limits>,
    /// `PreEnqueue`: whether a pod is held back while its victims are told to go.
    pub holds_preemptors: bool,
    /// How much of the nodes has to be found to do, in percent; 0 adapts to their number.
    pub percentage: usize,
}

impl Profile {
    /// Why the pod may not come into the queue; none if it may.
    pub fn held_back(&self, pod: &Pod) -> Option<Verdict> {
        let mut verdicts = self.pre_enqueue.iter().map(|plugin| plugin.pre_enqueue(pod));
        verdicts.find(|verdict| !verdict.is_success())
    }

    /// The plugin called `name`, of those that can refuse a node or a binding.
    pub fn plugin(&self, name: &str) -> Option<&dyn Plugin> {
        let mut all = self.filter.iter().chain(&self.pre_filter).chain(&self.permit);
        all.find(|plugin| plugin.name() == name).map(|plugin| &**plugin)
    }
}
