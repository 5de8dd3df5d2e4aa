//! Share: a link that opens at this very moment.

use yew::{
    AttrValue, Callback, FocusEvent, Html, MouseEvent, Properties, TargetCast, component, html,
    use_state_eq,
};

use super::super::i18n::Words;
use super::popup::Popup;
use crate::platform;

/// How to make the link.
#[derive(Clone, PartialEq, Properties)]
pub struct ShareProps {
    /// Makes the link of this moment, or says why there can be none.
    pub link: Callback<(), Result<AttrValue, AttrValue>>,
    pub words: Words,
}

/// Draws the button and, once pressed, the link to copy.
#[component]
pub fn Share(props: &ShareProps) -> Html {
    let ShareProps { link, words } = props;
    let shown = use_state_eq(|| None::<Result<AttrValue, AttrValue>>);
    let copied = use_state_eq(|| false);
    let open = {
        let (shown, copied, link) = (shown.clone(), copied.clone(), link.clone());
        move |is_open: bool| {
            copied.set(false);
            shown.set(is_open.then(|| link.emit(())));
        }
    };
    let inside = shown.as_ref().map(|made| match made {
        Ok(address) => {
            let (copy, copied) = (address.clone(), copied.clone());
            let is_copied = *copied;
            let onclick = move |_: MouseEvent| {
                platform::copy(&copy);
                copied.set(true);
            };
            let onfocus = |event: FocusEvent| {
                if let Some(field) = event.target_dyn_into::<web_sys::HtmlInputElement>() {
                    field.select();
                }
            };
            let label = if is_copied { "share.copied" } else { "share.copy" };
            html! {
                <>
                    <p>{ words.get("share.what") }</p>
                    <input class="share-link" readonly=true value={address.clone()}
                        aria-label={words.get("share.link")} {onfocus} />
                    <button class="button share-copy" {onclick}>{ words.get(label) }</button>
                </>
            }
        }
        Err(why) => html! { <p role="alert">{ why.clone() }</p> },
    });
    html! {
        <Popup name={words.get("share.name")} is_open={shown.is_some()} on_open={open}>
            { inside.unwrap_or_default() }
        </Popup>
    }
}
