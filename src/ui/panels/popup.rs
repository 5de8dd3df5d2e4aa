//! A button of the toolbar, and the card that it opens below.

use wasm_bindgen::JsCast;
use yew::{
    AttrValue, Callback, Children, FocusEvent, Html, KeyboardEvent, MouseEvent, Properties,
    component, html, use_node_ref,
};

/// The button, and what to do.
#[derive(Clone, PartialEq, Properties)]
pub struct PopupProps {
    pub name: AttrValue,
    /// Of the card.
    #[prop_or_default]
    pub class: &'static str,
    pub is_open: bool,
    /// Whether it is to be open.
    pub on_open: Callback<bool>,
    /// What the card holds.
    #[prop_or_default]
    pub children: Children,
}

/// Draws the button, and the card while it is open. Escape closes it, and so does going on elsewhere.
#[component]
pub fn Popup(props: &PopupProps) -> Html {
    let PopupProps { name, class, is_open, on_open, children } = props;
    let is_open = *is_open;
    let toggle = on_open.reform(move |_: MouseEvent| !is_open);
    let onkeydown = {
        let on_open = on_open.clone();
        move |event: KeyboardEvent| {
            if is_open && event.key() == "Escape" {
                on_open.emit(false);
            }
        }
    };
    // Events are heard at the page's root, so the event itself does not know this element.
    let own = use_node_ref();
    let onfocusout = {
        let (own, on_open) = (own.clone(), on_open.clone());
        move |event: FocusEvent| {
            let next =
                event.related_target().and_then(|next| next.dyn_into::<web_sys::Node>().ok());
            if let (true, Some(own), Some(next)) = (is_open, own.cast::<web_sys::Node>(), next)
                && !own.contains(Some(&next))
            {
                on_open.emit(false);
            }
        }
    };
    html! {
        <div class="share" ref={own} {onkeydown} {onfocusout}>
            <button class="button" aria-expanded={is_open.to_string()} onclick={toggle}>
                { name.clone() }
            </button>
            if is_open {
                <div class={format!("share-card {class}")} role="dialog" aria-label={name.clone()}>
                    { for children.iter() }
                </div>
            }
        </div>
    }
}
