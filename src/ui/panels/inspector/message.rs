//! A message in the inspector.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::parts;
use crate::ui::i18n::Words;
use crate::ui::state::Action;
use crate::ui::view::changes::FieldChange;
use crate::ui::view::message::{Link, Opened};
use crate::ui::view::span;

/// A message, opened.
#[derive(Clone, PartialEq, Properties)]
pub struct MessageInspectorProps {
    pub message: Rc<Opened>,
    pub words: Words,
    pub on_action: Callback<Action>,
}

/// Draws the message.
#[component]
pub fn MessageInspector(props: &MessageInspectorProps) -> Html {
    let MessageInspectorProps { message, words, on_action } = props;
    let what = words.fill(
        "message.way",
        &[("from", &message.from.to_string()), ("to", &message.to.to_string())],
    );
    let part = |key: &str| html! { <h3 class="inspector-part">{ words.get(key) }</h3> };
    let links = |key: &str, links: &[Link]| {
        if links.is_empty() {
            return Html::default();
        }
        html! { <>{ part(key) }{ parts::links(links, on_action) }</> }
    };
    let cause: Vec<Link> = message.cause.iter().cloned().collect();
    html! {
        <>
            { parts::head(&message.label, &what, None) }
            <div class="inspector-body">
                <dl class="message-facts">
                    if let Some((method, path)) = &message.http {
                        <dt>{ words.get("message.request") }</dt>
                        <dd class="message-path"><b>{ *method }</b>{ " " }{ path.clone() }</dd>
                    }
                    <dt>{ words.get("message.sent") }</dt>
                    <dd>{ message.sent.to_string() }</dd>
                    <dt>{ words.get("message.travels") }</dt>
                    <dd>{ span(message.travels) }</dd>
                </dl>
                { links("message.cause", &cause) }
                if !message.changes.is_empty() {
                    { part("message.changes") }
                    <ul class="message-changes">{ for message.changes.iter().map(change) }</ul>
                }
                if let Some(body) = &message.body {
                    { part("message.body") }
                    { parts::code(body, &words.get("message.body")) }
                }
                { links("message.effects", &message.effects) }
            </div>
        </>
    }
}

/// A field as it was and as it is; signs tell them apart, colours only help.
fn change(change: &FieldChange) -> Html {
    html! {
        <li key={change.path.clone()}>
            <code class="message-field">{ change.path.clone() }</code>
            if let Some(before) = &change.before {
                <del class="message-before">{ format!("− {before}") }</del>
            }
            if let Some(after) = &change.after {
                <ins class="message-after">{ format!("+ {after}") }</ins>
            }
        </li>
    }
}
