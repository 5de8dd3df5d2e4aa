//! Pieces that several inspectors have.

use std::rc::Rc;

use yew::{AttrValue, Callback, Html, classes, html};

use crate::api::Kind;
use crate::ui::i18n::Words;
use crate::ui::state::{Action, Selection};
use crate::ui::view::inspect::{ConditionRow, EventRow};
use crate::ui::view::logs::{ContainerLog, Line};
use crate::ui::view::message::Link;

/// Title, what it is, and its status with the class that colours it.
pub fn head(title: &str, what: &str, status: Option<(&str, &'static str)>) -> Html {
    html! {
        <header class="inspector-head">
            <h2 class="inspector-title" title={title.to_owned()}>{ title.to_owned() }</h2>
            if let Some((status, tone)) = status {
                <span class={classes!("inspector-status", tone)}>{ status.to_owned() }</span>
            }
            <p class="inspector-what">{ what.to_owned() }</p>
        </header>
    }
}

/// A text in a fixed width, to read and to copy.
pub fn code(text: &str, name: &AttrValue) -> Html {
    html! {
        <pre class="inspector-code" tabindex="0" aria-label={name.clone()}>{ text.to_owned() }</pre>
    }
}

/// Messages to go to.
pub fn links(links: &[Link], on_action: &Callback<Action>) -> Html {
    let item = |link: &Link| {
        let id = link.id;
        let onclick = on_action.reform(move |_| select_message(id));
        html! {
            <li key={id.to_string()}>
                <button class="inspector-link" title={link.label.clone()} {onclick}>
                    { link.label.clone() }
                </button>
            </li>
        }
    };
    html! { <ul class="inspector-links">{ for links.iter().map(item) }</ul> }
}

/// What selects a message.
pub fn select_message(id: u64) -> Action {
    Action::Select(Some(Selection::Message(id)))
}

/// What selects an object.
pub fn select_object(kind: Kind, namespace: &str, name: &str) -> Action {
    let (namespace, name) = (Rc::from(namespace), Rc::from(name));
    Action::Select(Some(Selection::Object { kind, namespace, name }))
}

/// The conditions, each with its reason and message.
pub fn conditions(rows: &[ConditionRow], words: &Words) -> Html {
    if rows.is_empty() {
        return html! { <p class="inspector-empty">{ words.get("inspect.no-conditions") }</p> };
    }
    let row = |row: &ConditionRow| {
        html! {
            <tr key={row.name.clone()}>
                <th scope="row">{ row.name.clone() }</th>
                <td>{ row.status.clone() }</td>
                <td class="inspector-words">
                    { row.reason.clone() }
                    if !row.message.is_empty() {
                        <span class="inspector-message">{ row.message.clone() }</span>
                    }
                </td>
            </tr>
        }
    };
    html! { <table class="inspector-table"><tbody>{ for rows.iter().map(row) }</tbody></table> }
}

/// The events, oldest first.
pub fn events(rows: &[EventRow], words: &Words) -> Html {
    if rows.is_empty() {
        return html! { <p class="inspector-empty">{ words.get("inspect.no-events") }</p> };
    }
    let item = |row: &EventRow| {
        html! {
            <li class={classes!("inspector-event", row.is_warning.then_some("is-warning"))}>
                <b>{ row.reason.clone() }</b>
                <span class="inspector-age">{ row.age.clone() }</span>
                <p>{ row.message.clone() }</p>
                <p class="inspector-from">{ row.from.clone() }</p>
            </li>
        }
    };
    html! { <ol class="inspector-events">{ for rows.iter().map(item) }</ol> }
}

/// The logs of a Pod's containers, each under its name.
pub fn logs(logs: &[ContainerLog], words: &Words) -> Html {
    if logs.is_empty() {
        return html! { <p class="inspector-empty">{ words.get("inspect.no-containers") }</p> };
    }
    let line = |line: &Line| {
        html! {
            <span class={classes!("log-line", line.is_error.then_some("is-error"))}>
                <span class="log-at">{ line.at.clone() }</span>
                if line.is_error {
                    <span class="log-stream">{ "stderr" }</span>
                }
                <span class="log-text">{ line.text.to_string() }</span>
            </span>
        }
    };
    let container = |log: &ContainerLog| {
        let nothing = match &log.waits {
            Some(why) => words.fill("inspect.log-waits", &[("why", why)]),
            None => words.get("inspect.log-empty").to_string(),
        };
        html! {
            <section key={log.name.clone()} class="log">
                <h3 class="inspector-part">{ log.name.clone() }</h3>
                if log.is_cut {
                    <p class="inspector-empty">{ words.get("inspect.log-cut") }</p>
                }
                if log.lines.is_empty() {
                    <p class="inspector-empty">{ nothing }</p>
                } else {
                    <pre class="inspector-code" tabindex="0" aria-label={log.name.clone()}>
                        { for log.lines.iter().map(line) }
                    </pre>
                }
            </section>
        }
    };
    html! { <>{ for logs.iter().map(container) }</> }
}
