//! Permits: whether a pod may be bound to the node that was chosen for it, and when.
//!
//! Mirrors: `RunPermitPlugins`, `WaitOnPermit` and `RunPostBindPlugins` of
//! `pkg/scheduler/framework/runtime/framework.go`. No plugin of the default ones asks to wait: it is for those
//! that have pods started together.

use std::rc::Rc;
use std::time::Duration;

use super::binding::{Chosen, NotBound};
use super::cycle::refused_on_one;
use super::framework::{Denied, Permit};
use super::profile::Profile;
use super::{Scheduler, Timer};
use crate::api::text::go_quote;
use crate::sim::Ctx;

/// The longest that a plugin can have a pod wait.
const LONGEST: Duration = Duration::from_mins(15);

/// What all plugins say of a pod's binding.
#[derive(Debug)]
pub(super) enum Permitted {
    Now,
    /// Once these plugins have allowed it, for which each has so long.
    Later(Vec<(&'static str, Duration)>),
    Never(NotBound),
}

impl Scheduler {
    /// Asks whether a pod may be bound, for which room is kept by now.
    pub(super) fn permitted(&mut self, chosen: &Chosen) -> Permitted {
        let info = &chosen.queued.info;
        let Some(profile) = self.profile_of(chosen) else { return Permitted::Now };
        let mut waits = Vec::new();
        for plugin in &profile.permit {
            let name = plugin.name();
            match plugin.permit(info, &chosen.node, &self.cache, &mut self.waiting) {
                Permit::Allowed => {}
                Permit::Wait(span) => waits.push((name, LONGEST.min(span))),
                Permit::Rejected(verdict) => {
                    let message = refused_on_one(&verdict.reasons);
                    let refused = NotBound::Rejected { plugin: name, message, is_helped: false };
                    return Permitted::Never(refused);
                }
                Permit::Failed(why) => {
                    let message = format!("running Permit plugin {}: {why}", go_quote(name));
                    return Permitted::Never(NotBound::Failed(message));
                }
            }
        }
        if waits.is_empty() { Permitted::Now } else { Permitted::Later(waits) }
    }

    /// Has a pod wait for these plugins, each for so long at most.
    pub(super) fn wait_for_permits(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        chosen: Chosen,
        plugins: &[(&'static str, Duration)],
    ) {
        for (_, span) in plugins {
            ctx.set_timer(*span, Timer::Permit);
        }
        let (info, node) = (Rc::clone(&chosen.queued.info), Rc::clone(&chosen.node));
        self.permitting.insert(Rc::clone(&info.uid), chosen);
        self.waiting.push(info, node, plugins, ctx.now);
    }

    /// Goes on with the pods of which it is decided by now; what becomes of one may decide of others.
    pub(super) fn settle_permits(&mut self, ctx: &mut Ctx<'_, Self>) {
        while let Some((pod, end)) = self.waiting.take_decided() {
            let Some(chosen) = self.permitting.remove(&pod.uid) else { continue };
            let why = match end {
                Ok(()) => {
                    self.pre_bind(ctx, chosen);
                    continue;
                }
                Err(Denied::Rejected { plugin, why, is_helped }) => {
                    let message = refused_on_one(&[why]);
                    NotBound::Rejected { plugin, message, is_helped }
                }
                Err(Denied::Preempted) => {
                    NotBound::Failed("waiting on permit for pod: preempted".into())
                }
                Err(Denied::Removed) => NotBound::Removed(refused_on_one(&["removed".into()])),
            };
            self.unreserve(&chosen);
            self.not_bound(ctx, chosen.queued, &why);
        }
    }

    /// A pod is bound: plugins that want to know are told.
    pub(super) fn post_bind(&mut self, chosen: &Chosen) {
        let Some(profile) = self.profile_of(chosen) else { return };
        for plugin in &profile.post_bind {
            plugin.post_bind(&chosen.queued.info, &chosen.node, &mut self.waiting);
        }
    }

    /// The profile by which a node was chosen.
    pub(super) fn profile_of(&self, chosen: &Chosen) -> Option<Rc<Profile>> {
        self.profile(&chosen.queued.info.pod).map(|(_, profile)| Rc::clone(profile))
    }
}
