//! The inspector: what is known of the selection.

mod journey;
mod message;
mod node;
mod parts;
mod pod;
pub(super) mod why;

use yew::{Html, component, html, use_memo};

use super::super::engine::PanelProps;
use super::super::view::inspect::{Inspected, inspect};
use message::MessageInspector;
use node::NodeInspector;
use pod::PodInspector;

/// What is known of the selection.
#[component]
pub fn InspectorPanel(props: &PanelProps) -> Html {
    let PanelProps { engine, seen, selection, words, on_action, .. } = props;
    let about = (selection.clone(), seen.messages, seen.revision);
    let inspected = use_memo(about, |(selection, ..)| {
        engine.look(|cluster| inspect(cluster, selection.as_ref()))
    });
    let (words, on_action) = (words.clone(), on_action.clone());
    let inside = match &*inspected {
        Inspected::Nothing => html! {
            <div class="inspector-empty">
                <p>{ words.get("inspect.nothing") }</p>
                <p>{ words.get("inspect.how") }</p>
            </div>
        },
        Inspected::Gone { what } => html! {
            <p class="inspector-empty">{ words.fill("inspect.gone", &[("what", what)]) }</p>
        },
        Inspected::Pod(pod) => {
            html! { <PodInspector engine={engine.clone()} pod={std::rc::Rc::clone(pod)} {words} {on_action} /> }
        }
        Inspected::Node(node) => {
            html! { <NodeInspector node={std::rc::Rc::clone(node)} {words} {on_action} /> }
        }
        Inspected::Message(opened) => {
            html! { <MessageInspector message={std::rc::Rc::clone(opened)} {words} {on_action} /> }
        }
        Inspected::Other(other) => html! {
            <>
                { parts::head(&other.title, "", None) }
                { parts::code(&other.yaml, &words.get("inspect.yaml")) }
            </>
        },
        Inspected::Component(component) => html! {
            <>
                { parts::head(&component.address.to_string(), "", None) }
                if let Some(profiles) = &component.profiles {
                    <h3 class="inspector-part">{ words.get("inspect.profiles") }</h3>
                    { parts::code(profiles, &words.get("inspect.profiles")) }
                }
                <h3 class="inspector-part">{ words.get("inspect.said") }</h3>
                { parts::links(&component.said, &on_action) }
            </>
        },
    };
    html! { <div class="inspector">{ inside }</div> }
}
