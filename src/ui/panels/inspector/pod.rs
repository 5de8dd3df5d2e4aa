//! A Pod in the inspector.

use std::rc::Rc;

use yew::{AttrValue, Callback, Html, Properties, component, html, use_state_eq};

use super::journey::Journey;
use super::parts;
use super::why::WhyHere;
use crate::ui::engine::Engine;
use crate::ui::i18n::Words;
use crate::ui::panels::tabs::Tabs;
use crate::ui::state::Action;
use crate::ui::view::inspect::PodView;

/// A Pod, prepared.
#[derive(Clone, PartialEq, Properties)]
pub struct PodInspectorProps {
    pub engine: Engine,
    pub pod: Rc<PodView>,
    pub words: Words,
    pub on_action: Callback<Action>,
}

const TABS: [&str; 6] = [
    "inspect.journey",
    "inspect.why",
    "inspect.conditions",
    "inspect.events",
    "inspect.logs",
    "inspect.yaml",
];

/// Draws the Pod.
#[component]
pub fn PodInspector(props: &PodInspectorProps) -> Html {
    let PodInspectorProps { engine, pod, words, on_action } = props;
    let tab = use_state_eq(|| 0_usize);
    let on_select = {
        let tab = tab.clone();
        Callback::from(move |to| tab.set(to))
    };
    let tabs: Rc<[AttrValue]> = TABS.iter().map(|key| words.get(key)).collect();
    let inside = match *tab {
        0 => {
            html! { <Journey pod={std::rc::Rc::clone(pod)} words={words.clone()} on_action={on_action.clone()} /> }
        }
        1 => {
            html! { <WhyHere engine={engine.clone()} pod={std::rc::Rc::clone(pod)} words={words.clone()} /> }
        }
        2 => parts::conditions(&pod.conditions, words),
        3 => parts::events(&pod.events, words),
        4 => parts::logs(&pod.logs, words),
        _ => parts::code(&pod.yaml, &words.get("inspect.yaml")),
    };
    let what = words.fill("inspect.pod", &[("namespace", &pod.namespace)]);
    html! {
        <>
            { parts::head(&pod.name, &what, Some((&pod.status, tone(&pod.status)))) }
            <Tabs name={words.get("panel.inspector")} {tabs} selected={*tab} {on_select} />
            <div class="inspector-body" role="tabpanel">{ inside }</div>
        </>
    }
}

/// The colour of a status that `kubectl get pods` shows.
fn tone(status: &str) -> &'static str {
    let calm = ["Running", "Completed", "Succeeded"];
    let on_the_way =
        ["Pending", "SchedulingGated", "ContainerCreating", "PodInitializing", "Terminating"];
    if calm.contains(&status) {
        "is-good"
    } else if on_the_way.contains(&status) || status.starts_with("Init:") {
        "is-waiting"
    } else {
        "is-bad"
    }
}

#[cfg(test)]
mod tests {
    use super::tone;

    #[test]
    fn only_what_went_wrong_is_a_worry() {
        for (status, colour) in [
            ("Running", "is-good"),
            ("SchedulingGated", "is-waiting"),
            ("Init:0/1", "is-waiting"),
            ("CrashLoopBackOff", "is-bad"),
        ] {
            assert_eq!(tone(status), colour, "{status}");
        }
    }
}
