//! The panels around the stage.

use serde_json::json;
use yew::{Html, component, html};

use super::engine::PanelProps;
use super::state::Action;
use crate::cluster::HttpCall;

/// The manifest and what to do with it.
#[component]
pub fn EditorPanel(props: &PanelProps) -> Html {
    let (engine, on_action) = (props.engine.clone(), props.on_action.clone());
    let onclick = move |_| {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "nginx"},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.14.2",
                "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}]}});
        engine.submit(HttpCall::new("POST", "/api/v1/namespaces/default/pods", Some(pod)));
        on_action.emit(Action::Play);
    };
    html! { <button class="button" {onclick}>{ "Create" }</button> }
}

/// What is known of the selection.
#[component]
pub fn InspectorPanel(props: &PanelProps) -> Html {
    html! { <p>{ format!("{:?}", props.selection) }</p> }
}

/// The timeline and the table of objects.
#[component]
pub fn BottomPanel(props: &PanelProps) -> Html {
    html! { <p>{ props.words.get("panel.bottom") }</p> }
}
