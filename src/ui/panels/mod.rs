//! The panels around the stage.

use yew::{Html, component, html};

use super::engine::PanelProps;

/// The manifest and what to do with it.
#[component]
pub fn EditorPanel(props: &PanelProps) -> Html {
    html! { <p>{ props.words.get("panel.editor") }</p> }
}

/// What is known of the selection.
#[component]
pub fn InspectorPanel(props: &PanelProps) -> Html {
    html! { <p>{ props.words.get("panel.inspector") }</p> }
}

/// The timeline and the table of objects.
#[component]
pub fn BottomPanel(props: &PanelProps) -> Html {
    html! { <p>{ props.words.get("panel.bottom") }</p> }
}
