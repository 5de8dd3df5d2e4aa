//! Why no node takes a pod, in upstream's words.

use std::borrow::Cow;
use std::rc::Rc;

use super::Search;
use super::looking::Refused;
use crate::api::text::go_quote;
use crate::scheduler::evaluations::Refusal;
use crate::scheduler::framework::{Code, Reason, Verdict};
use crate::sim::{SortedMap, SortedSet, sort};

/// What a filter said of a node that could not tell, in upstream's words.
pub(super) fn filter_error(refused: &Refused, refusals: &[Refusal]) -> Option<String> {
    let is_error = |refusal: &Refusal| refusal.1.code == Code::Error;
    // Mostly none of them has ever been one.
    if !refusals.iter().any(is_error) {
        return None;
    }
    let mut said = refused.iter().filter_map(|(_, number)| refusals.get(*number));
    let (plugin, verdict) = &**said.find(|refusal| is_error(refusal))?;
    let reasons = verdict.reasons.join(", ");
    Some(format!("running {} filter plugin: {reasons}", go_quote(plugin)))
}

/// Why no node can take the pod, in upstream's words, and whose refusals those are.
pub(super) fn diagnose(
    count: usize,
    search: &Search<'_>,
    refused: &Refused,
    refusals: &[Refusal],
) -> (String, Rc<[&'static str]>) {
    let mut reasons: SortedMap<Cow<'_, str>, usize> = SortedMap::new();
    let mut plugins: SortedSet<&'static str> = search.narrowed_by.iter().copied().collect();
    // Most nodes are refused as the one before.
    for alike in refused.chunk_by(|(_, one), (_, next)| one == next) {
        let number = alike.first().map(|(_, number)| *number).unwrap_or_default();
        let Some((plugin, verdict)) = refusals.get(number).map(|refusal| &**refusal) else {
            continue;
        };
        plugins.insert(plugin);
        for reason in &verdict.reasons {
            *reasons.or_default(Cow::Borrowed(&**reason)) += alike.len();
        }
    }
    let absent = count.saturating_sub(refused.len());
    if absent > 0 {
        let by = search.narrowed_by.join(" ");
        let reason = format!("node(s) didn't satisfy plugin(s) [{by}]");
        reasons.insert(Cow::Owned(reason), absent);
    }
    let message = format!("0/{count} nodes are available: {}.", histogram(&reasons));
    (message, plugins.into_iter().collect())
}

/// Why preemption found no node of `count`; `refused` is said of those that were worth a try.
pub fn preemption_failed(count: usize, refused: &[Rc<Verdict>]) -> String {
    let mut reasons: SortedMap<Cow<'_, str>, usize> = SortedMap::new();
    // Most nodes are like the one before.
    for alike in refused.chunk_by(|one, next| one.reasons == next.reasons) {
        for reason in alike.first().into_iter().flat_map(|verdict| &verdict.reasons) {
            *reasons.or_default(Cow::Borrowed(&**reason)) += alike.len();
        }
    }
    if count > refused.len() {
        reasons.insert("Preemption is not helpful for scheduling".into(), count - refused.len());
    }
    format!("preemption: 0/{count} nodes are available: {}.", histogram(&reasons))
}

/// Why a pod cannot have the one node that was chosen for it.
pub fn refused_on_one(reasons: &[Reason]) -> String {
    let reasons = reasons.iter().map(|reason| (Cow::Borrowed(&**reason), 1)).collect();
    format!("0/1 nodes are available: {}.", histogram(&reasons))
}

/// `1 this, 2 that`, sorted as texts.
fn histogram(reasons: &SortedMap<Cow<'_, str>, usize>) -> String {
    let mut parts: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    sort::by(&mut parts, Ord::cmp);
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_that_is_told_is_one_of_this_cycle() {
        let said = |plugin, verdict| -> Refusal { Rc::new((plugin, verdict)) };
        let refusals = [
            said("A", Verdict::error("before")),
            said("B", Verdict::unschedulable("full")),
            said("C", Verdict::error("now")),
        ];
        let words = "running \"C\" filter plugin: now".to_owned();
        assert_eq!(filter_error(&vec![(0, 1), (1, 2)], &refusals), Some(words));
        assert_eq!(filter_error(&vec![(0, 1)], &refusals), None);
    }
}
