//! A row of tabs.

use std::rc::Rc;

use yew::{AttrValue, Callback, Html, KeyboardEvent, Properties, classes, component, html};

/// What the row shows.
#[derive(Clone, PartialEq, Properties)]
pub struct TabsProps {
    /// What the row is called.
    pub name: AttrValue,
    pub tabs: Rc<[AttrValue]>,
    pub selected: usize,
    pub on_select: Callback<usize>,
}

/// Draws the row; the arrow keys go along it.
#[component]
pub fn Tabs(props: &TabsProps) -> Html {
    let TabsProps { name, tabs, selected, on_select } = props;
    let (selected, count) = (*selected, tabs.len().max(1));
    let go = on_select.clone();
    let onkeydown = move |event: KeyboardEvent| match &*event.key() {
        "ArrowRight" => go.emit((selected + 1) % count),
        "ArrowLeft" => go.emit((selected + count - 1) % count),
        _ => {}
    };
    let tab = |(at, label): (usize, &AttrValue)| {
        let is_selected = at == selected;
        let onclick = on_select.reform(move |_| at);
        html! {
            <button key={at} class={classes!("tabs-tab", is_selected.then_some("is-selected"))}
                role="tab" aria-selected={is_selected.to_string()}
                tabindex={if is_selected { "0" } else { "-1" }} {onclick}>
                { label.clone() }
            </button>
        }
    };
    html! {
        <div class="tabs" role="tablist" aria-label={name.clone()} {onkeydown}>
            { for tabs.iter().enumerate().map(tab) }
        </div>
    }
}
