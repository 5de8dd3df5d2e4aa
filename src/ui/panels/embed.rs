//! Embed: the snippet for an article, with its options and a preview.

use yew::{
    AttrValue, Callback, Event, FocusEvent, Html, MouseEvent, Properties, TargetCast, component,
    html, use_state_eq,
};

use super::super::embed::{Layout, Options, address};
use super::super::i18n::Words;
use super::popup::Popup;
use crate::platform;

/// How to make the link.
#[derive(Clone, PartialEq, Properties)]
pub struct EmbedProps {
    /// Makes the fragment of this moment, or says why there can be none.
    pub fragment: Callback<(), Result<AttrValue, AttrValue>>,
    pub words: Words,
}

/// Draws the button and, once pressed, the snippet.
#[component]
pub fn Embed(props: &EmbedProps) -> Html {
    let EmbedProps { fragment, words } = props;
    let shown = use_state_eq(|| None::<Result<AttrValue, AttrValue>>);
    let options = use_state_eq(|| Options { embed: Some(Layout::Split), ..Options::default() });
    let open = {
        let (shown, fragment) = (shown.clone(), fragment.clone());
        move |is_open: bool| shown.set(is_open.then(|| fragment.emit(())))
    };
    let choose = {
        let options = options.clone();
        move |event: Event| {
            let select = event.target_dyn_into::<web_sys::HtmlSelectElement>();
            let index = select.map_or(0, |select| select.selected_index());
            let index = usize::try_from(index).unwrap_or_default();
            let embed = Some(Layout::ALL.get(index).copied().unwrap_or_default());
            options.set(Options { embed, ..(*options).clone() });
        }
    };
    let check = |key: &str, checked: bool, change: fn(&mut Options)| {
        let options = options.clone();
        let onchange = move |_: Event| {
            let mut changed = (*options).clone();
            change(&mut changed);
            options.set(changed);
        };
        html! {
            <label>
                <input type="checkbox" {checked} {onchange} />{ " " }{ words.get(key) }
            </label>
        }
    };
    let inside = shown.as_ref().map(|made| match made {
        Err(why) => html! { <p role="alert">{ why.clone() }</p> },
        Ok(fragment) => {
            let src = address(&platform::address(), &options, fragment);
            let snippet = format!(
                "<iframe src=\"{src}\" title=\"Podflow\" width=\"100%\" height=\"480\" \
                 loading=\"lazy\" style=\"border:0\"></iframe>"
            );
            let layouts = Layout::ALL.into_iter().map(|layout| {
                let name = words.get(&format!("embed.layout.{}", layout.name()));
                html! { <option selected={options.embed == Some(layout)}>{ name }</option> }
            });
            let select_all = |event: FocusEvent| {
                if let Some(area) = event.target_dyn_into::<web_sys::HtmlTextAreaElement>() {
                    area.select();
                }
            };
            let copy = snippet.clone();
            html! {
                <>
                    <p>{ words.get("embed.what") }</p>
                    <div class="embed-options">
                        <select aria-label={words.get("embed.layout")} onchange={choose}>
                            { for layouts }
                        </select>
                        { check("embed.autoplay", options.autoplay, |it| it.autoplay = !it.autoplay) }
                        { check("embed.readonly", options.readonly, |it| it.readonly = !it.readonly) }
                    </div>
                    <textarea class="embed-snippet" readonly=true rows="4" value={snippet}
                        aria-label={words.get("embed.snippet")} onfocus={select_all} />
                    <button class="button" onclick={move |_: MouseEvent| platform::copy(&copy)}>
                        { words.get("share.copy") }
                    </button>
                    <iframe class="embed-preview" {src} title={words.get("embed.preview")}></iframe>
                </>
            }
        }
    });
    html! {
        <Popup name={words.get("embed.name")} class="embed-card" is_open={shown.is_some()}
            on_open={open}>
            { inside.unwrap_or_default() }
        </Popup>
    }
}
