//! Mounts the page.
use yew::{Html, component, html};

/// The page.
#[component]
fn App() -> Html {
    html! { <main><h1>{ "Podflow" }</h1></main> }
}

fn main() {
    yew::Renderer::<App>::new().render();
}
