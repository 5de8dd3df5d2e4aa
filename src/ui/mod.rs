//! The page: what is shown of a cluster, and what a person can do.

mod app;
mod autosave;
mod editor;
mod embed;
mod engine;
mod i18n;
mod icons;
mod listening;
mod narration;
mod pace;
mod panels;
mod px;
mod stage;
mod state;
mod toolbar;
mod tools;
mod view;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use wasm_bindgen_futures::spawn_local;
use yew::Callback;

pub use narration::Line;
pub use state::{Action, Gear};

use self::i18n::Words;
use crate::platform;
use crate::recording::Session;

/// What the page lends to who works beside it.
#[derive(Clone)]
pub struct Page {
    pub session: Rc<RefCell<Session>>,
    pub on_action: Callback<Action>,
    /// What the page says of the moment, and of which message.
    pub said: Rc<RefCell<Line>>,
    /// Whether it has come to the moment that it opens at.
    pub is_open: Rc<Cell<bool>>,
    /// How long it took to draw the page last.
    pub drawing: Rc<Cell<Duration>>,
}

/// Shows the page in its place in the document. `connect` is called once, with the page; what it returns is
/// called after every frame.
pub fn mount(connect: impl Fn(Page) -> Rc<dyn Fn()> + 'static) {
    platform::show_failures();
    spawn_local(async {
        let words = Words::load(app::language()).await;
        let props = app::Props { connect: app::Connect::new(connect), words };
        // What else is in the document, as the words for a failure, stays.
        match platform::place() {
            Some(place) => yew::Renderer::<app::App>::with_root_and_props(place, props).render(),
            None => yew::Renderer::<app::App>::with_props(props).render(),
        };
    });
}
