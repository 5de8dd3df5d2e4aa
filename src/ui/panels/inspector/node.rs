//! A node in the inspector.

use std::rc::Rc;

use yew::{AttrValue, Callback, Html, Properties, component, html, use_state_eq};

use super::parts;
use crate::api::Kind;
use crate::ui::i18n::Words;
use crate::ui::panels::tabs::Tabs;
use crate::ui::state::Action;
use crate::ui::view::inspect::NodeView;

/// A node, prepared.
#[derive(Clone, PartialEq, Properties)]
pub struct NodeInspectorProps {
    pub node: Rc<NodeView>,
    pub words: Words,
    pub on_action: Callback<Action>,
}

const TABS: [&str; 5] =
    ["inspect.pods", "inspect.conditions", "inspect.capacity", "inspect.events", "inspect.yaml"];

/// Draws the node.
#[component]
pub fn NodeInspector(props: &NodeInspectorProps) -> Html {
    let NodeInspectorProps { node, words, on_action } = props;
    let tab = use_state_eq(|| 0_usize);
    let on_select = {
        let tab = tab.clone();
        Callback::from(move |to| tab.set(to))
    };
    let tabs: Rc<[AttrValue]> = TABS.iter().map(|key| words.get(key)).collect();
    let inside = match *tab {
        0 => pods(node, words, on_action),
        1 => parts::conditions(&node.conditions, words),
        2 => capacity(node, words),
        3 => parts::events(&node.events, words),
        _ => parts::code(&node.yaml, &words.get("inspect.yaml")),
    };
    let status = match (node.is_ready, node.is_cordoned) {
        (false, _) => ("NotReady", "is-bad"),
        (true, true) => ("SchedulingDisabled", "is-waiting"),
        (true, false) => ("Ready", "is-good"),
    };
    html! {
        <>
            { parts::head(&node.name, &words.get("inspect.node"), Some(status)) }
            <Tabs name={words.get("panel.inspector")} {tabs} selected={*tab} {on_select} />
            <div class="inspector-body" role="tabpanel">{ inside }</div>
        </>
    }
}

fn pods(node: &NodeView, words: &Words, on_action: &Callback<Action>) -> Html {
    if node.pods.is_empty() {
        return html! { <p class="inspector-empty">{ words.get("inspect.no-pods") }</p> };
    }
    let row = |[namespace, name, status]: &[Rc<str>; 3]| {
        let action = parts::select_object(Kind::Pod, namespace, name);
        let onclick = on_action.reform(move |_| action.clone());
        html! {
            <tr key={format!("{namespace}/{name}")}>
                <th scope="row">
                    <button class="inspector-link" {onclick}>{ format!("{namespace}/{name}") }</button>
                </th>
                <td>{ status.to_string() }</td>
            </tr>
        }
    };
    html! { <table class="inspector-table"><tbody>{ for node.pods.iter().map(row) }</tbody></table> }
}

fn capacity(node: &NodeView, words: &Words) -> Html {
    let row = |[resource, capacity, allocatable]: &[String; 3]| {
        html! {
            <tr key={resource.clone()}>
                <th scope="row">{ resource.clone() }</th>
                <td>{ capacity.clone() }</td>
                <td>{ allocatable.clone() }</td>
            </tr>
        }
    };
    html! {
        <table class="inspector-table">
            <thead>
                <tr>
                    <td></td>
                    <th scope="col">{ words.get("inspect.capacity") }</th>
                    <th scope="col">{ words.get("inspect.allocatable") }</th>
                </tr>
            </thead>
            <tbody>{ for node.capacity.iter().map(row) }</tbody>
        </table>
    }
}
