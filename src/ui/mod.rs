//! The page: what is shown of a cluster, and what a person can do.

mod app;
mod editor;
mod engine;
mod i18n;
mod icons;
mod narration;
mod pace;
mod panels;
mod stage;
mod state;
mod toolbar;
mod view;

use crate::platform;

/// Shows the page in the document's body.
pub fn mount() {
    platform::show_failures();
    yew::Renderer::<app::App>::new().render();
}
