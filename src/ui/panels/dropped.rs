//! Files that are dropped on the page: what they say becomes the manifest.

use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::document;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DataTransfer, DragEvent, Event};
use yew::Callback;

/// Between the texts of several files, as between manifests.
const BETWEEN: &str = "\n---\n";

/// Tells the text of what is dropped anywhere on the page, as long as what is returned is kept. A browser
/// would leave the page for the file, and the editor put it into what is written there.
pub fn watch(told: Callback<String>) -> [EventListener; 2] {
    let options =
        || EventListenerOptions { passive: false, ..EventListenerOptions::run_in_capture_phase() };
    let over = EventListener::new_with_options(&document(), "dragover", options(), |event| {
        if files(event).is_some() {
            event.prevent_default();
        }
    });
    let drop = EventListener::new_with_options(&document(), "drop", options(), move |event| {
        let Some(files) = files(event).and_then(|dropped| dropped.files()) else { return };
        event.prevent_default();
        event.stop_propagation();
        let told = told.clone();
        spawn_local(async move {
            let mut texts = Vec::new();
            for file in (0..files.length()).filter_map(|at| files.get(at)) {
                // A folder has no text.
                if let Ok(text) = JsFuture::from(file.text()).await {
                    texts.extend(text.as_string());
                }
            }
            if !texts.is_empty() {
                told.emit(texts.join(BETWEEN));
            }
        });
    });
    [over, drop]
}

/// What is dragged, if there are files in it.
fn files(event: &Event) -> Option<DataTransfer> {
    let dragged = event.dyn_ref::<DragEvent>()?.data_transfer()?;
    dragged.types().includes(&"Files".into(), 0).then_some(dragged)
}
