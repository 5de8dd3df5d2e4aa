//! What the page hears from the document, wherever the focus is.

use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget};
use yew::{Callback, KeyboardEvent};

use super::state::Action;
use crate::platform;
use crate::share;

/// A link pasted into the address of the open page opens too.
pub fn follow_links(on_action: &Callback<Action>) -> EventListener {
    let on_action = on_action.clone();
    EventListener::new(&window(), "hashchange", move |_| {
        if let Some(link) = platform::fragment().filter(|fragment| share::is_link(fragment)) {
            on_action.emit(Action::Open(link.into()));
        }
    })
}

/// Says when the page goes out of sight: nothing else is certain to be heard before it ends.
pub fn leave(on_leave: Callback<()>) -> EventListener {
    EventListener::new(&document(), "visibilitychange", move |_| {
        if document().hidden() {
            on_leave.emit(());
        }
    })
}

/// The keys that work everywhere but where one types.
pub fn keys(on_action: &Callback<Action>) -> EventListener {
    let on_action = on_action.clone();
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(&document(), "keydown", options, move |event| {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
        if key.ctrl_key() || key.meta_key() || key.alt_key() {
            return;
        }
        let (action, busy) = match &*key.key() {
            " " => (Action::TogglePlay, PRESSED),
            "." => (Action::Step, TYPED),
            "," => (Action::StepBack, TYPED),
            _ => return,
        };
        if is_within(event.target(), busy) {
            return;
        }
        event.prevent_default();
        on_action.emit(action);
    })
}

/// What takes every key for itself.
const TYPED: &str = "input, textarea, select, [contenteditable]";
/// What takes the space bar for itself.
const PRESSED: &str = "input, textarea, select, [contenteditable], a, button, summary, [role=button], \
    [role=listbox], [role=tab]";

/// Whether `target` lies in something that `selector` names.
fn is_within(target: Option<EventTarget>, selector: &str) -> bool {
    let element = target.and_then(|target| target.dyn_into::<Element>().ok());
    element.is_some_and(|element| element.closest(selector).is_ok_and(|found| found.is_some()))
}
