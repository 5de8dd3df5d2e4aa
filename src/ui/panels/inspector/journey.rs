//! A Pod's way, station by station.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html};

use super::parts::select_message;
use crate::ui::i18n::Words;
use crate::ui::state::Action;
use crate::ui::view::inspect::PodView;
use crate::ui::view::journey::{Progress, Step};
use crate::ui::view::span;

/// The Pod whose way it is.
#[derive(Clone, PartialEq, Properties)]
pub struct JourneyProps {
    pub pod: Rc<PodView>,
    pub words: Words,
    pub on_action: Callback<Action>,
}

/// Draws the way; a station that a message shows opens that message.
#[component]
pub fn Journey(props: &JourneyProps) -> Html {
    let JourneyProps { pod, words, on_action } = props;
    html! {
        <ol class="journey">
            { for pod.steps.iter().map(|step| station(step, pod, words, on_action)) }
        </ol>
    }
}

fn station(step: &Step, pod: &PodView, words: &Words, on_action: &Callback<Action>) -> Html {
    let (progress, state) = match step.progress {
        Progress::Done => ("is-done", "journey.done"),
        Progress::Next => ("is-next", "journey.next"),
        Progress::Later => ("is-later", "journey.later"),
    };
    let node =
        pod.node.as_deref().map_or_else(|| words.get("journey.a-node").to_string(), str::to_owned);
    let name = words.fill(step.station.key(), &[("node", &node)]);
    let time = match (step.took, step.at) {
        (Some(took), _) => format!("+{}", span(took)),
        (None, Some(at)) => at.to_string().get(..12).unwrap_or_default().to_owned(),
        (None, None) => String::new(),
    };
    let title = match step.message {
        Some(id) => {
            let onclick = on_action.reform(move |_| select_message(id));
            html! { <button class="journey-name" {onclick}>{ name }</button> }
        }
        None => html! { <span class="journey-name">{ name }</span> },
    };
    html! {
        <li key={step.station.key()}
            class={classes!("journey-step", progress, step.slowest.then_some("is-slowest"))}>
            <span class="journey-mark" role="img" aria-label={words.get(state)}></span>
            { title }
            <span class="journey-time">
                { time }
                if step.slowest {
                    <span class="journey-slow">{ words.get("journey.slowest") }</span>
                }
            </span>
            if !step.detail.is_empty() {
                <p class="journey-detail" title={step.detail.clone()}>{ step.detail.clone() }</p>
            }
        </li>
    }
}
