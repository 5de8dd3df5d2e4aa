//! The scrubber: all of time that there is, from the beginning to the furthest moment reached.

use yew::{Callback, Html, InputEvent, Properties, TargetCast, component, html};

use super::super::i18n::Words;
use super::super::state::Action;
use crate::sim::Instant;

/// Where time is, and how far it reaches.
#[derive(Clone, PartialEq, Properties)]
pub struct ScrubberProps {
    pub now: Instant,
    pub horizon: Instant,
    pub words: Words,
    pub on_action: Callback<Action>,
}

/// Draws the scrubber; dragging it travels in time.
#[component]
pub fn Scrubber(props: &ScrubberProps) -> Html {
    let ScrubberProps { now, horizon, words, on_action } = props;
    let seek = on_action.clone();
    let oninput = move |event: InputEvent| {
        let field = event.target_dyn_into::<web_sys::HtmlInputElement>();
        if let Some(micros) = field.and_then(|field| field.value().parse().ok()) {
            seek.emit(Action::Seek(Instant::from_micros(micros)));
        }
    };
    let end = (*horizon).max(*now);
    let is_past = now < horizon;
    html! {
        <div class="scrubber">
            <input class="scrubber-range" type="range" min="0" step="any"
                max={end.as_micros().to_string()} value={now.as_micros().to_string()}
                aria-label={words.get("scrub.name")} aria-valuetext={now.to_string()} {oninput} />
            <span class="scrubber-end">
                if is_past { { words.get("scrub.past") } { " " } }
                { end.to_string().get(..12).unwrap_or_default().to_owned() }
            </span>
        </div>
    }
}
