//! The panel at the foot: the timeline and the objects, and the scrubber beneath both.

use std::rc::Rc;

use yew::{AttrValue, Callback, Html, component, html, use_state_eq};

use super::super::engine::PanelProps;
use super::objects::Objects;
use super::scrubber::Scrubber;
use super::tabs::Tabs;
use super::timeline::Timeline;

/// The timeline and the table of objects.
#[component]
pub fn BottomPanel(props: &PanelProps) -> Html {
    let words = &props.words;
    let tab = use_state_eq(|| 0_usize);
    let on_select = {
        let tab = tab.clone();
        Callback::from(move |to| tab.set(to))
    };
    let tabs: Rc<[AttrValue]> =
        Rc::new([words.get("bottom.timeline"), words.get("bottom.objects")]);
    html! {
        <div class="bottom">
            <Tabs name={words.get("bottom.tabs")} {tabs} selected={*tab} {on_select} />
            <div class="bottom-body" role="tabpanel">
                if *tab == 0 { <Timeline ..props.clone() /> } else { <Objects ..props.clone() /> }
            </div>
            <Scrubber now={props.seen.now} horizon={props.seen.horizon} words={words.clone()}
                on_action={props.on_action.clone()} />
        </div>
    }
}
